//! Finds the answer of a response: by the rule that all verifiers share, else the last number if that is asked for.

use num_rational::BigRational;
use num_traits::Zero;

use super::lex::{Spanned, Token, has_number, lex};
use super::number::{Cursor, NotPlain, number};
use super::unit::Unit;
use super::value::{MAX_BYTES, Match, Value};
use crate::answer::{Found, Reader, after_thinking, committed, tail};

/// What a response commits to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer<'a> {
    /// One text.
    One(&'a str),
    /// Several boxes, joined.
    Several(Vec<&'a str>),
    /// The last number, already read, and its text.
    Last(Value, &'a str),
}

/// What the rule for answers must know of numbers.
struct Numbers;

impl Reader for Numbers {
    fn is_answer(&self, text: &str) -> bool {
        has_number(text) && Value::parse(text) != Err(NotPlain::Words)
    }

    fn same(&self, a: &str, b: &str) -> bool {
        match (Value::parse(a), Value::parse(b)) {
            (Ok(a), Ok(b)) => a.matches(&b, &BigRational::zero()) == Match::Equal,
            _ => false,
        }
    }
}

/// The answer of a response, or why there is none.
pub(super) fn answer(response: &str, last_number: bool) -> Result<Answer<'_>, &'static str> {
    let none = match committed(response, &Numbers) {
        Ok(Found::One(text)) => return Ok(Answer::One(text)),
        Ok(Found::Several(texts)) => return Ok(Answer::Several(texts)),
        Err(why) => why,
    };
    if !last_number {
        return Err(none);
    }
    match self::last_number(after_thinking(response)?) {
        Some((value, found)) => Ok(Answer::Last(value, found)),
        None => Err("no answer found, and no number at all"),
    }
}

/// The last number of a text, with its sign, currency and per cent, and its own text.
fn last_number(text: &str) -> Option<(Value, &str)> {
    let last = text.char_indices().rfind(|(_, c)| has_number(c.encode_utf8(&mut [0; 4])))?;
    // The line up to the number's end and a sign of per cent; longer lines are cut, never within a number's digits
    // unless these alone fill the stretch, which then is too long to be read anyway.
    let line_start = text[..last.0].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[last.0..].find('\n').map_or(text.len(), |at| last.0 + at);
    let near_end = (last.0 + last.1.len_utf8() + 16).min(line_end);
    let near_end = (near_end..=line_end).find(|at| text.is_char_boundary(*at))?;
    let piece = tail(&text[line_start..near_end], MAX_BYTES);
    let tokens = lex(piece);
    let mut cursor = Cursor { tokens: &tokens, at: 0 };
    let mut found = None;
    while let Some(token) = cursor.peek() {
        let begins = match token {
            Token::Digits(_) | Token::Frac | Token::Vulgar(..) => true,
            Token::Dot => matches!(cursor.peek_at(1), Some(Token::Digits(_))),
            _ => false,
        };
        if begins {
            let start = cursor.at;
            let mut ahead = cursor;
            if let Ok(value) = number(&mut ahead) {
                let (value, first) = signed(&tokens, start, value);
                let mut unit = Unit::default();
                unit.percent = ahead.eat(&Token::Percent);
                let span = tokens[first].start..tokens[ahead.at - 1].end;
                found = Some((Value { number: value, unit }, &piece[span]));
                cursor = ahead;
                continue;
            }
            found = None;
        }
        cursor.at += 1;
    }
    found
}

/// The number with the sign before it, where that is no subtraction, and the place of the first token that counts.
fn signed(tokens: &[Spanned], start: usize, value: BigRational) -> (BigRational, usize) {
    let before = |back: usize| start.checked_sub(back).map(|at| &tokens[at].token);
    let money = usize::from(matches!(before(1), Some(Token::Money(_))));
    if before(1 + money) != Some(&Token::Minus) {
        return (value, start - money);
    }
    match before(2 + money) {
        None
        | Some(
            Token::Space | Token::Equals | Token::Open | Token::ParenOpen | Token::Approx | Token::Money(_),
        ) => (-value, start - 1 - money),
        _ => (value, start - money),
    }
}
