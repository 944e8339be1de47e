//! Reads a formula with what it is counted in: currency before it, a unit behind it, a base below it.

use std::borrow::Cow;

use num_rational::BigRational;
use num_traits::One;

use super::answer::{Answer, Quantity};
use super::expr::{Expr, Mark};
use super::latex::Symbol;
use super::number::NotPlain;
use super::parse::{Parser, REMARKS, Result, is_joiner};
use super::unit::Unit;
use super::value::Value;

impl Parser<'_> {
    /// A formula with its currency and unit.
    pub(super) fn quantity(&mut self, first: Option<Expr>) -> Result<Answer> {
        let mut unit = Unit::default();
        let negative =
            self.peek() == Some(&Symbol::Mark('-')) && matches!(self.peek_at(1), Some(Symbol::Money(_)));
        self.at += usize::from(negative);
        if let Some(Symbol::Money(name)) = self.peek() {
            unit.currency(name);
            self.at += 1;
        }
        let start = self.at;
        let minus = if self.eat_mark('-') { "-" } else { "" };
        if let Some((digits, base)) = self.based() {
            return Ok(Answer::Based(format!("{minus}{digits}"), base));
        }
        self.at = start;
        let expr = self.sum(first)?;
        let expr = if negative { expr.neg() } else { expr };
        let expr = strip_mark(expr, &mut unit);
        self.unit(&mut unit)?;
        Ok(Answer::Quantity(Quantity { expr, unit }))
    }

    /// `1011_2`, `52_{8}`, `2A_{16}` with digits behind letters as well.
    fn based(&mut self) -> Option<(String, u32)> {
        let mut digits = String::new();
        let mut at = 0;
        while let Some(spanned) = self.symbols.get(self.at + at) {
            match &spanned.symbol {
                _ if spanned.spaced && at > 0 => return None,
                Symbol::Number(..) => digits.push_str(&self.text[spanned.start..spanned.end]),
                Symbol::Letter(letter) if letter.len() == 1 && letter.as_bytes()[0].is_ascii_uppercase() => {
                    digits.push_str(letter);
                }
                Symbol::Mark('_') => break,
                _ => return None,
            }
            at += 1;
        }
        if !digits.starts_with(|c: char| c.is_ascii_digit()) || self.peek_at(at) != Some(&Symbol::Mark('_')) {
            return None;
        }
        at += 1;
        let braced = usize::from(self.peek_at(at) == Some(&Symbol::Open));
        let base = match self.peek_at(at + braced) {
            Some(Symbol::Number(_, Some(base))) => base.parse().ok()?,
            Some(Symbol::Word(word)) => match word.to_lowercase().as_str() {
                "two" => 2,
                "three" => 3,
                "four" => 4,
                "five" => 5,
                "six" => 6,
                "seven" => 7,
                "eight" => 8,
                "nine" => 9,
                "ten" => 10,
                "twelve" => 12,
                "sixteen" => 16,
                _ => return None,
            },
            _ => return None,
        };
        self.at += at + 1 + 2 * braced;
        Some((digits, base))
    }

    /// The words behind a formula, which must be a unit or a remark.
    fn unit(&mut self, unit: &mut Unit) -> Result<()> {
        let Some(first) = self.symbols.get(self.at) else { return Ok(()) };
        let begins = match &first.symbol {
            Symbol::Word(word) => !is_joiner(word) && !REMARKS.contains(&&*word.to_lowercase()),
            Symbol::Letter(_) => first.text,
            _ => false,
        };
        if !begins {
            return Ok(());
        }
        let start = first.start;
        let mut end = first.end;
        let mut level = 0_u32;
        while let Some(spanned) = self.symbols.get(self.at) {
            let ends = match &spanned.symbol {
                Symbol::Mark(',' | ';' | '&') | Symbol::Relation(_) | Symbol::NewRow | Symbol::End => true,
                Symbol::Mark(')' | ']') | Symbol::SetClose => true,
                Symbol::Open => {
                    level += 1;
                    false
                }
                Symbol::Close if level == 0 => true,
                Symbol::Close => {
                    level -= 1;
                    false
                }
                Symbol::Word(word) => is_joiner(word) || REMARKS.contains(&&*word.to_lowercase()),
                _ => false,
            };
            if ends {
                break;
            }
            end = spanned.end;
            self.at += 1;
        }
        let written = &self.text[start..end];
        // Behind a formula it is a unit, where elsewhere it is a preposition.
        let inches = written.strip_prefix("in").filter(|rest| !rest.starts_with(char::is_alphabetic));
        let inches = inches.filter(|rest| !rest.trim_start().starts_with(char::is_alphabetic));
        let written = &*inches.map_or(Cow::Borrowed(written), |rest| Cow::Owned(format!("inch{rest}")));
        let known = Value::parse(&format!("1 {written}"))
            .ok()
            .filter(|it| it.number == BigRational::one())
            .ok_or_else(|| NotPlain::unclear(format!("\"{written}\" behind a formula is no unit")))?;
        if unit.is_bare() {
            let percent = unit.percent || known.unit.percent;
            *unit = known.unit;
            unit.percent = percent;
        }
        Ok(())
    }
}

/// Takes a degree or per cent that ends a product for the unit of what is before it.
fn strip_mark(expr: Expr, unit: &mut Unit) -> Expr {
    let Expr::Product(mut factors) = expr else { return expr };
    let marks = factors.iter().filter(|it| matches!(it, Expr::Mark(_))).count();
    let (1, Some(Expr::Mark(mark))) = (marks, factors.last()) else { return Expr::Product(factors) };
    match mark {
        Mark::Degree => unit.measure("degree", 1),
        Mark::Percent => unit.percent = true,
    }
    factors.pop();
    factors.into_iter().fold(Expr::integer(1), Expr::mul)
}
