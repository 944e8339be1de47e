//! The grammar of formulas, by recursive descent with bounds on depth and parts.
//!
//! ```text
//! sum      = term { ("+" | "-" | "±") term }
//! term     = factor { ["*" | "/"] factor }          juxtaposition multiplies
//! factor   = ("-" | "+" | "±") factor | power
//! power    = postfix ["^" exponent]
//! postfix  = atom { "!" | "%" | "°" }
//! ```

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed};

use super::expr::{Expr, Function, Mark};
use super::latex::Symbol;
use super::number::NotPlain;
use super::parse::{Parser, Result};
use super::symbols::inverse;

/// Nested brackets, roots, powers and the like.
pub(super) const MAX_DEPTH: u32 = 100;
/// Terms of a sum that are looked at for like ones.
const MAX_LIKE_TERMS: usize = 32;
/// Parts of one answer.
pub(super) const MAX_NODES: usize = 4000;

impl Parser<'_> {
    /// A sum; `first` is a part of it that has been read already.
    pub(super) fn sum(&mut self, first: Option<Expr>) -> Result<Expr> {
        let mut sum = self.term(first)?;
        // What stands behind the numbers of the terms.
        let mut seen = vec![rest_of(&sum)];
        while let Some(minus) = self.sign() {
            let term = self.term(None)?;
            let rest = rest_of(&term);
            self.unevaluated |= seen.len() < MAX_LIKE_TERMS && seen.contains(&rest);
            seen.push(rest);
            sum = if minus { sum.sub(term) } else { sum.add(term) };
        }
        Ok(sum)
    }

    /// A sign of a sum, true for minus.
    fn sign(&mut self) -> Option<bool> {
        let minus = match self.peek()? {
            Symbol::Mark('+') => false,
            Symbol::Mark('-') => true,
            Symbol::PlusMinus(plus) => *plus != self.plus,
            _ => return None,
        };
        self.at += 1;
        Some(minus)
    }

    fn term(&mut self, first: Option<Expr>) -> Result<Expr> {
        let mut term = match first {
            Some(first) => first,
            None => self.factor()?,
        };
        // Whether the last thing read was a number, beside which a fraction makes a mixed number and a number is none.
        let mut after_number = self.ends_number();
        loop {
            let (divides, explicit) = match self.peek() {
                Some(Symbol::Mark('*')) => (false, true),
                Some(Symbol::Mark('/')) => (true, true),
                Some(_) if self.begins_atom() => (false, false),
                _ => return Ok(term),
            };
            self.at += usize::from(explicit);
            if !explicit && after_number {
                if matches!(self.peek(), Some(Symbol::Number(_, _))) && !self.is_vulgar() {
                    return Err(NotPlain::Several("more than one number".to_owned()));
                }
                if let Some(fraction) = self.mixed(&term)? {
                    term = fraction;
                    after_number = true;
                    continue;
                }
            }
            let factor = if explicit { self.factor()? } else { self.power()? };
            self.note_product(&term, &factor, divides, explicit);
            term = if divides { term.div(factor) } else { term.mul(factor) };
            after_number = self.ends_number();
        }
    }

    /// Whether the last symbol ended a number, or a fraction of numbers.
    fn ends_number(&self) -> bool {
        matches!(self.at.checked_sub(1).map(|at| &self.symbols[at].symbol), Some(Symbol::Number(..)))
    }

    fn is_vulgar(&self) -> bool {
        matches!(self.peek(), Some(Symbol::Number(value, None)) if !value.is_integer())
            && self.symbols.get(self.at).is_some_and(|it| it.end - it.start <= 3)
    }

    /// `1\frac{1}{2}`, `1½`: the sum, where a whole number stands before a proper fraction.
    fn mixed(&mut self, whole: &Expr) -> Result<Option<Expr>> {
        let is_fraction = self.is_vulgar() || self.peek() == Some(&Symbol::Frac);
        let Some(whole) = whole.as_number().filter(|it| is_fraction && it.is_integer()) else {
            return Ok(None);
        };
        let whole = whole.clone();
        let start = (self.at, self.num_nodes, self.unevaluated);
        let fraction = self.power()?;
        match fraction.as_number() {
            Some(fraction) if fraction.is_positive() && *fraction < BigRational::one() => {
                let fraction = if whole.is_negative() { -fraction.clone() } else { fraction.clone() };
                Ok(Some(Expr::Number(whole + fraction)))
            }
            _ => {
                (self.at, self.num_nodes, self.unevaluated) = start;
                Ok(None)
            }
        }
    }

    /// Notes arithmetic of numbers that is left to the reader.
    fn note_product(&mut self, a: &Expr, b: &Expr, divides: bool, explicit: bool) {
        self.unevaluated |= a.is_zero() || b.is_zero();
        if let (Some(a), Some(b), true) = (a.as_number(), b.as_number(), explicit) {
            let reduced = a.is_integer()
                && b.is_integer()
                && b.is_positive()
                && !b.is_one()
                && (BigRational::new_raw(a.numer().clone(), b.numer().clone())).reduced().denom()
                    == b.numer();
            self.unevaluated |= !(divides && reduced);
        }
    }

    /// Whether what follows can be multiplied with what is before it without a sign.
    pub(super) fn begins_atom(&self) -> bool {
        let Some(spanned) = self.symbols.get(self.at) else { return false };
        match &spanned.symbol {
            // A letter in a text behind a formula is its unit.
            Symbol::Letter(_) => !spanned.text,
            Symbol::Mark('|') => self.bars == 0,
            Symbol::Number(..)
            | Symbol::Function(_)
            | Symbol::Pi
            | Symbol::Infinity
            | Symbol::Frac
            | Symbol::Binomial
            | Symbol::Root(_)
            | Symbol::Overline
            | Symbol::Open
            | Symbol::FloorOpen
            | Symbol::CeilOpen
            | Symbol::Mark('(' | '[') => true,
            _ => false,
        }
    }

    fn factor(&mut self) -> Result<Expr> {
        let mut minus = false;
        let mut num_signs = 0;
        while let Some(sign) = self.sign() {
            minus ^= sign;
            num_signs += 1;
            if num_signs > 8 {
                return Err(NotPlain::unclear("a heap of signs"));
            }
        }
        let power = self.power()?;
        Ok(if minus { power.neg() } else { power })
    }

    fn power(&mut self) -> Result<Expr> {
        let base = self.postfix()?;
        if !self.eat_mark('^') {
            return Ok(base);
        }
        if self.degree_behind_caret() {
            return self.more_postfix(base.mul(Expr::Mark(Mark::Degree)));
        }
        let exponent = self.exponent()?;
        self.unevaluated |= base.as_number().is_some() && exponent.as_number().is_some();
        // A factorial or a sign of per cent may follow: (2^3)!.
        self.more_postfix(base.pow(exponent))
    }

    /// `^\circ`, `^{\circ}`: the cursor behind it.
    fn degree_behind_caret(&mut self) -> bool {
        let braced = usize::from(self.peek() == Some(&Symbol::Open));
        let is_degree = self.peek_at(braced) == Some(&Symbol::Degree)
            && (braced == 0 || self.peek_at(2) == Some(&Symbol::Close));
        if is_degree {
            self.at += 1 + 2 * braced;
        }
        is_degree
    }

    fn exponent(&mut self) -> Result<Expr> {
        let minus = matches!(self.peek(), Some(Symbol::Mark('-' | '+'))) && self.sign() == Some(true);
        // Powers associate to the right.
        let exponent = self.nested(Self::power)?;
        Ok(if minus { exponent.neg() } else { exponent })
    }

    fn postfix(&mut self) -> Result<Expr> {
        let atom = self.atom()?;
        self.more_postfix(atom)
    }

    fn more_postfix(&mut self, atom: Expr) -> Result<Expr> {
        let mut expr = atom;
        loop {
            expr = match self.peek() {
                Some(Symbol::Mark('!')) if self.peek_at(1) == Some(&Symbol::Mark('!')) => {
                    return Err(NotPlain::unclear("a double factorial is not read"));
                }
                Some(Symbol::Mark('!')) => {
                    self.unevaluated |= expr.as_number().is_some();
                    Expr::call(Function::Factorial, vec![expr])
                }
                Some(Symbol::Mark('%')) => expr.mul(Expr::Mark(Mark::Percent)),
                Some(Symbol::Degree) => expr.mul(Expr::Mark(Mark::Degree)),
                _ => return Ok(expr),
            };
            self.at += 1;
            self.node()?;
        }
    }

    /// An atom; one may stand within another without a bracket, as in `\frac\frac12 3`.
    fn atom(&mut self) -> Result<Expr> {
        self.nested(Self::atom_inside)
    }

    fn atom_inside(&mut self) -> Result<Expr> {
        self.node()?;
        let Some(symbol) = self.peek().cloned() else { return Err(self.unexpected()) };
        let start = self.at;
        self.at += 1;
        match symbol {
            Symbol::Number(value, _) => Ok(Expr::Number(value)),
            Symbol::Letter(name) => Ok(self.letter(name)),
            Symbol::Pi => Ok(Expr::Pi),
            Symbol::Infinity => Ok(Expr::Infinity),
            Symbol::Frac => self.fraction(),
            Symbol::Binomial => {
                let (n, k) = (self.argument()?, self.argument()?);
                self.unevaluated = true;
                Ok(Expr::call(Function::Binomial, vec![n, k]))
            }
            Symbol::Root(degree) => self.root(degree),
            Symbol::Overline => Ok(Expr::call(Function::Conjugate, vec![self.argument()?])),
            Symbol::Function(function) => self.function(function),
            Symbol::Open => self.closed(&Symbol::Close),
            Symbol::Mark('(') => self.closed(&Symbol::Mark(')')),
            Symbol::Mark('[') => self.closed(&Symbol::Mark(']')),
            Symbol::FloorOpen => Ok(Expr::call(Function::Floor, vec![self.closed(&Symbol::FloorClose)?])),
            Symbol::CeilOpen => Ok(Expr::call(Function::Ceil, vec![self.closed(&Symbol::CeilClose)?])),
            Symbol::Mark('|') => {
                self.bars += 1;
                let inner = self.sum(None)?;
                self.bars -= 1;
                if !self.eat_mark('|') {
                    return Err(NotPlain::unclear("an absolute value is never closed"));
                }
                Ok(Expr::call(Function::Abs, vec![inner]))
            }
            _ => {
                self.at = start;
                Err(self.unexpected())
            }
        }
    }

    /// A variable with its index and primes, or one of the constants e and i.
    fn letter(&mut self, name: Box<str>) -> Expr {
        let mut full = name.to_string();
        if self.peek() == Some(&Symbol::Mark('_')) {
            let braced = usize::from(self.peek_at(1) == Some(&Symbol::Open));
            let closes = braced == 0 || self.peek_at(3) == Some(&Symbol::Close);
            let index = match self.peek_at(1 + braced) {
                Some(Symbol::Number(_, Some(digits))) if closes => Some(digits.to_string()),
                Some(Symbol::Letter(letter)) if closes => Some(letter.to_string()),
                Some(Symbol::Word(word)) if closes => Some(word.to_string()),
                _ => None,
            };
            if let Some(index) = index {
                full = format!("{full}_{index}");
                self.at += 2 + 2 * braced;
            }
        }
        while self.eat_mark('\'') {
            full.push('\'');
        }
        match full.as_str() {
            "e" => Expr::E,
            "i" => Expr::I,
            _ => Expr::variable(full),
        }
    }

    /// A formula up to its closing symbol.
    fn closed(&mut self, close: &Symbol) -> Result<Expr> {
        let bars = std::mem::take(&mut self.bars);
        let inner = self.sum(None)?;
        self.bars = bars;
        if !self.eat(close) {
            return Err(self.unexpected());
        }
        Ok(inner)
    }

    /// An argument of a command: a group, or one digit or letter.
    fn argument(&mut self) -> Result<Expr> {
        self.node()?;
        if self.eat(&Symbol::Open) {
            return self.closed(&Symbol::Close);
        }
        // Of a run of digits the first is an argument of its own.
        if let Some(Symbol::Number(_, Some(digits))) = self.peek()
            && digits.len() > 1
        {
            let (first, rest) = digits.split_at(1);
            let value = |digits: &str| {
                BigRational::from_integer(BigInt::parse_bytes(digits.as_bytes(), 10).unwrap_or_default())
            };
            let (argument, remaining) = (value(first), Symbol::Number(value(rest), Some(rest.into())));
            self.symbols[self.at].start += 1;
            self.symbols[self.at].symbol = remaining;
            return Ok(Expr::Number(argument));
        }
        self.atom()
    }

    fn fraction(&mut self) -> Result<Expr> {
        let (above, below) = (self.argument()?, self.argument()?);
        if let (Some(a), Some(b)) = (above.as_number(), below.as_number()) {
            let reduced = a.is_integer()
                && b.is_integer()
                && b.is_positive()
                && !b.is_one()
                && a / b != BigRational::from_integer(BigInt::from(0))
                && (a / b).denom() == b.numer();
            self.unevaluated |= !reduced;
        }
        Ok(above.div(below))
    }

    fn root(&mut self, degree: i64) -> Result<Expr> {
        let mut degree = Expr::integer(degree);
        if self.eat_mark('[') {
            degree = self.closed(&Symbol::Mark(']'))?;
        }
        let inner = match self.peek() {
            Some(Symbol::Open) => self.argument()?,
            // √2 and sqrt(2): the whole number, letter or bracket.
            _ => self.atom()?,
        };
        if let Some(number) = inner.as_number() {
            self.unevaluated |= has_square(number);
        }
        Ok(inner.pow(Expr::integer(1).div(degree)))
    }

    fn function(&mut self, function: Function) -> Result<Expr> {
        let mut function = function;
        let mut base = None;
        let mut exponent = None;
        if self.eat_mark('_') {
            base = Some(self.argument()?);
        }
        if self.eat_mark('^') {
            let power = self.exponent()?;
            match (power == Expr::integer(-1)).then(|| inverse(function)).flatten() {
                Some(inverse) => function = inverse,
                None => exponent = Some(power),
            }
        }
        let mut arguments = self.arguments()?;
        if function == Function::Log
            && let Some(base) = base.take()
        {
            let of = |expr| Expr::call(Function::Ln, vec![expr]);
            let value = arguments.pop().filter(|_| arguments.is_empty());
            let value = value.ok_or_else(|| NotPlain::unclear("a logarithm of several numbers"))?;
            self.unevaluated |= value.as_number().is_some();
            let log = of(value).div(of(base));
            return Ok(raised(log, exponent));
        }
        if base.is_some() {
            return Err(NotPlain::unclear("an index at a function that has none"));
        }
        let many = matches!(function, Function::Gcd | Function::Lcm | Function::Max | Function::Min);
        if !many && arguments.len() != 1 {
            return Err(NotPlain::unclear("a function with a wrong number of arguments"));
        }
        self.unevaluated |= arguments.iter().all(|it| it.as_number().is_some()) && function != Function::Ln;
        Ok(raised(Expr::call(function, arguments), exponent))
    }

    /// What a function is applied to: a bracket, or the product up to the next sign or function.
    fn arguments(&mut self) -> Result<Vec<Expr>> {
        let arguments = if self.eat_mark('(') {
            let bars = std::mem::take(&mut self.bars);
            let mut arguments = vec![self.sum(None)?];
            while self.eat_mark(',') {
                arguments.push(self.sum(None)?);
            }
            self.bars = bars;
            if !self.eat_mark(')') {
                return Err(self.unexpected());
            }
            arguments
        } else {
            let mut product = self.factor()?;
            while self.begins_atom() && !matches!(self.peek(), Some(Symbol::Function(_) | Symbol::Mark('(')))
            {
                product = product.mul(self.power()?);
            }
            if self.peek() == Some(&Symbol::Mark('/')) && matches!(self.peek_at(1), Some(Symbol::Number(..)))
            {
                self.at += 1;
                product = product.div(self.power()?);
            }
            vec![product]
        };
        Ok(arguments)
    }
}

/// A term without its number: like terms have the same.
fn rest_of(term: &Expr) -> Expr {
    match term {
        Expr::Number(_) => Expr::integer(1),
        Expr::Product(factors) => {
            let rest = factors.iter().filter(|it| it.as_number().is_none()).cloned();
            rest.fold(Expr::integer(1), Expr::mul)
        }
        other => other.clone(),
    }
}

fn raised(expr: Expr, exponent: Option<Expr>) -> Expr {
    match exponent {
        Some(exponent) => expr.pow(exponent),
        None => expr,
    }
}

/// Whether a root of it can be simplified: a fraction, or a whole number with a square in it, as far as small primes go.
fn has_square(number: &BigRational) -> bool {
    if !number.is_integer() {
        return true;
    }
    let value = number.numer().abs();
    if value.bits() > 64 {
        return false;
    }
    let root = value.sqrt();
    &root * &root == value
        || (2..1000_u32).any(|p| (&value % (p * p)) == BigInt::from(0) && value.is_positive())
}
