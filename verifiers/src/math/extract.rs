//! Finds the answer of a response: by the rule that all verifiers share, else the last number if that is asked for.

use std::cell::Cell;

use num_rational::BigRational;
use num_traits::Zero;

use super::compare::{Comparer, Match};
use super::lex::{Spanned, Token, has_number, lex};
use super::number::{Cursor, number};
use super::read::read;
use super::unit::Unit;
use super::value::{MAX_BYTES, Value};
use super::words::fold_text;
use crate::answer::{Found, Reader, after_thinking, committed, tail, trim};

/// What a response commits to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Committed<'a> {
    /// One text.
    One(&'a str),
    /// Several boxes, joined.
    Several(Vec<&'a str>),
    /// The last number, already read, and its text.
    Last(Value, &'a str),
}

/// Words that say something about an answer and are none.
const PREDICATES: &[&str] = &[
    "correct",
    "right",
    "wrong",
    "incorrect",
    "true",
    "false",
    "clear",
    "obvious",
    "easy",
    "simple",
    "unique",
    "here",
    "below",
    "above",
    "there",
    "not",
    "in",
    "as",
    "that",
    "what",
    "just",
    "now",
    "then",
    "given",
    "found",
    "known",
];

/// What the rule for answers must know of mathematics.
struct Formulas<'a> {
    /// The answer that is asked for, where it is made of words.
    words: Option<&'a str>,
    /// What has been spent on comparing answers.
    cost: Cell<u64>,
}

impl Reader for Formulas<'_> {
    fn is_answer(&self, text: &str) -> bool {
        if has_number(text) {
            // "A: He has 3 apples": a sentence, and no answer.
            let begins_with_words = Value::parse(text) == Err(super::number::NotPlain::Words);
            return !begins_with_words || read(text).is_ok_and(|it| !it.is_text() || self.words.is_some());
        }
        let bare = trim(text);
        let first = bare.split_whitespace().next().unwrap_or_default().to_lowercase();
        // "The answer is correct" says something about it, unless that is the answer.
        let is_predicate =
            PREDICATES.contains(&first.as_str()) && self.words != Some(fold_text(bare).as_str());
        if bare.is_empty() || is_predicate {
            return false;
        }
        match read(bare) {
            Ok(reading) => self.words.is_some() || !reading.is_text(),
            Err(_) => bare.contains('\\'),
        }
    }

    fn same(&self, a: &str, b: &str) -> bool {
        match (read(a), read(b)) {
            (Ok(a), Ok(b)) => {
                Comparer::new(&BigRational::zero(), &self.cost).compare(&a.answer, &b.answer) == Match::Equal
            }
            _ => false,
        }
    }
}

/// The answer of a response, or why there is none.
pub(super) fn answer<'a>(
    response: &'a str,
    last_number: bool,
    words: Option<&str>,
) -> Result<Committed<'a>, &'static str> {
    let none = match committed(response, &Formulas { words, cost: Cell::new(0) }) {
        Ok(Found::One(text)) => return Ok(Committed::One(text)),
        Ok(Found::Several(texts)) => return Ok(Committed::Several(texts)),
        Err(why) => why,
    };
    if !last_number {
        return Err(none);
    }
    match self::last_number(after_thinking(response)?) {
        Some((value, found)) => Ok(Committed::Last(value, found)),
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
