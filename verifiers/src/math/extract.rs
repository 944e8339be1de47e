//! Finds the one place in a response that commits to an answer. The rule is in the documentation of [`super`].
//!
//! Everything here is linear in the response: one pass for boxes, one for `####`, and a bounded number of phrases each
//! looked at within a bounded stretch of text.

use std::sync::LazyLock;

use num_rational::BigRational;
use regex::Regex;

use super::lex::{Spanned, Token, has_number, lex};
use super::number::{Cursor, number};
use super::phrase;
use super::unit::Unit;
use super::value::{MAX_BYTES, Value, trim};

/// Marks that end the thinking part of a response, and those that begin one.
const THINKING: &[(&str, &str)] =
    &[("<think>", "</think>"), ("<thinking>", "</thinking>"), ("[THINK]", "[/THINK]")];

/// Joined boxes that are told apart.
const MAX_JOINED: usize = 8;

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

/// The answer of a response, or why there is none.
pub(super) fn answer(response: &str, last_number: bool) -> Result<Answer<'_>, &'static str> {
    let text = after_thinking(response)?;
    if let Some(found) = boxes(text) {
        return Ok(found);
    }
    if let Some(found) = hashes(text) {
        return Ok(Answer::One(found));
    }
    if let Some(found) = phrase::committed(text) {
        return Ok(Answer::One(found));
    }
    if !last_number {
        return Err(r"no answer found: no \boxed{}, no #### line, no sentence that says what the answer is");
    }
    match self::last_number(text) {
        Some((value, found)) => Ok(Answer::Last(value, found)),
        None => Err("no answer found, and no number at all"),
    }
}

/// The part of a response that may hold its answer.
fn after_thinking(response: &str) -> Result<&str, &'static str> {
    let mut text = response;
    for (_, end) in THINKING {
        if let Some(at) = text.rfind(end) {
            text = &text[at + end.len()..];
        }
    }
    for (begin, _) in THINKING {
        if let Some(at) = text.find(begin) {
            text = &text[..at];
            if text.trim().is_empty() {
                return Err("no answer found: the thinking never ends");
            }
        }
    }
    Ok(text)
}

/// A closed box: where its command begins, its content, and where it ends.
#[derive(Clone, Copy, Debug)]
struct Boxed {
    start: usize,
    content: (usize, usize),
    end: usize,
}

/// The last closed box that is not denied, with those that are joined to it.
fn boxes(text: &str) -> Option<Answer<'_>> {
    let mut closed = closed_boxes(text);
    let last = loop {
        let last = closed.pop()?;
        if !is_negated(&text[..last.start]) {
            break last;
        }
    };
    let content = |it: Boxed| &text[it.content.0..it.content.1];
    let mut joined = vec![content(last)];
    let mut first = last;
    while let Some(before) = closed.pop().filter(|before| is_joiner(&text[before.end..first.start])) {
        if joined.iter().all(|known| trim(known) != trim(content(before))) {
            joined.push(content(before));
        }
        first = before;
        if joined.len() == MAX_JOINED {
            break;
        }
    }
    joined.reverse();
    match joined.as_slice() {
        [one] => Some(Answer::One(one)),
        _ => Some(Answer::Several(joined)),
    }
}

/// The outermost closed boxes, in order.
fn closed_boxes(text: &str) -> Vec<Boxed> {
    let bytes = text.as_bytes();
    // Open braces: none for one that is no box's.
    let mut open: Vec<Option<(usize, usize)>> = Vec::new();
    let mut closed: Vec<Boxed> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => match box_command(&bytes[at..]) {
                Some(len) => {
                    open.push(Some((at, at + len)));
                    at += len;
                    continue;
                }
                // Whatever is escaped is not a brace that counts.
                None => at += 1,
            },
            b'{' => open.push(None),
            b'}' => {
                if let Some(Some((start, content))) = open.pop() {
                    while closed.last().is_some_and(|inner| inner.start > start) {
                        closed.pop();
                    }
                    closed.push(Boxed { start, content: (content, at), end: at + 1 });
                }
            }
            _ => {}
        }
        at += 1;
    }
    closed
}

/// The length of `\boxed{` or `\fbox{`, with blanks before the brace, if the bytes begin with it.
fn box_command(bytes: &[u8]) -> Option<usize> {
    let name = [&b"\\boxed"[..], b"\\fbox"].into_iter().find(|name| bytes.starts_with(name))?;
    let num_blanks = bytes[name.len()..].iter().take(8).take_while(|byte| byte.is_ascii_whitespace()).count();
    (bytes.get(name.len() + num_blanks) == Some(&b'{')).then_some(name.len() + num_blanks + 1)
}

/// The last bytes of a text, from a whole character on.
pub(super) fn tail(text: &str, num_bytes: usize) -> &str {
    let mut start = text.len().saturating_sub(num_bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// Whether the words right before a box deny it: "the answer is not \boxed{42}".
fn is_negated(before: &str) -> bool {
    // The pattern is constant and tested, so that it compiles.
    #[allow(clippy::unwrap_used)]
    static NEGATION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)(?:\bnot|n['’]t|\bnever|\bcannot|\bneither|\bnor)(?:\s+(?:be|equal|equal\s+to|simply|just))?$").unwrap()
    });
    let before = tail(before, 48)
        .trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '$' | '*' | '(' | '[' | '\\'));
    NEGATION.is_match(before)
}

/// Whether the text between two boxes only joins them.
fn is_joiner(between: &str) -> bool {
    const DRESS: &[&str] = &[r"\text", r"\quad", r"\(", r"\)", r"\[", r"\]", r"\,", "$", "{", "}", "*"];
    const JOINERS: &[&str] = &[",", "&", "and", "or", "And", "Or", "AND", "OR"];
    let strip = |text, parts: &[&str]| parts.iter().find_map(|part| str::strip_prefix(text, part));
    let mut rest = between.trim_start();
    let mut joins = false;
    while !rest.is_empty() {
        let joined = strip(rest, JOINERS);
        joins |= joined.is_some();
        match joined.or_else(|| strip(rest, DRESS)) {
            Some(next) => rest = next.trim_start(),
            None => return false,
        }
    }
    joins
}

/// The rest of the last line from its `####`, unless it is a heading: one that begins with words or with an ordinal.
fn hashes(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut end = text.len();
    // From the end, run of # by run of #; each line is looked at once, from its last mark.
    while let Some(last) = bytes[..end].iter().rposition(|byte| *byte == b'#') {
        let start = bytes[..last].iter().rposition(|byte| *byte != b'#').map_or(0, |at| at + 1);
        if last + 1 - start == 4 {
            let line = phrase::line(&text[last + 1..end]);
            if !is_heading(line) {
                return Some(line);
            }
        }
        end = start;
    }
    None
}

fn is_heading(line: &str) -> bool {
    // The patterns are constant and tested, so that they compile.
    #[allow(clippy::unwrap_used)]
    static ORDINAL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\d+[.):]\s*\*{0,2}\s*\p{L}").unwrap());
    #[allow(clippy::unwrap_used)]
    static NAMED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\p{L}\w{0,20}\s*=").unwrap());
    let line = trim(line);
    match line.chars().next() {
        None => true,
        Some(first) if first.is_alphabetic() => !NAMED.is_match(line),
        Some(_) => ORDINAL.is_match(line),
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
