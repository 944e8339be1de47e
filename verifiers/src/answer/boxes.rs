//! Answers in `\boxed{...}`.

use std::sync::LazyLock;

use regex::Regex;

use super::text::{tail, trim};
use super::{Found, Place};

/// Joined boxes that are told apart.
const MAX_JOINED: usize = 8;

/// A closed box: where its command begins, its content, and where it ends.
#[derive(Clone, Copy, Debug)]
struct Boxed {
    start: usize,
    content: (usize, usize),
    end: usize,
}

/// The last closed boxes that are not denied, each with those that are joined to it, in order, at most `limit`.
pub(super) fn boxes(text: &str, limit: usize) -> Vec<Place<'_>> {
    let mut closed = closed_boxes(text);
    let content = |it: Boxed| &text[it.content.0..it.content.1];
    let mut places = Vec::new();
    while places.len() < limit {
        let Some(last) = closed.pop() else { break };
        if is_negated(&text[..last.start]) {
            continue;
        }
        let mut joined = vec![content(last)];
        let mut first = last;
        while let Some(before) = closed.last().copied() {
            if joined.len() == MAX_JOINED || !is_joiner(&text[before.end..first.start]) {
                break;
            }
            closed.pop();
            if joined.iter().all(|known| trim(known) != trim(content(before))) {
                joined.push(content(before));
            }
            first = before;
        }
        joined.reverse();
        let found = match joined.as_slice() {
            [one] => Found::One(one),
            _ => Found::Several(joined),
        };
        places.push(Place { start: first.start, end: last.end, found, of_part: false });
    }
    places.reverse();
    places
}

/// How many boxes are opened in a text, closed or not, and what the last outermost closed one holds.
pub(crate) fn opened_boxes(text: &str) -> (usize, Option<&str>) {
    let bytes = text.as_bytes();
    let (mut num_opened, mut at) = (0, 0);
    while at < bytes.len() {
        // Whatever is escaped otherwise is no command.
        let len = if bytes[at] == b'\\' { box_command(&bytes[at..]) } else { None };
        num_opened += usize::from(len.is_some());
        at += len.unwrap_or(if bytes[at] == b'\\' { 2 } else { 1 });
    }
    (num_opened, closed_boxes(text).last().map(|closed| &text[closed.content.0..closed.content.1]))
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
pub(super) fn box_command(bytes: &[u8]) -> Option<usize> {
    let name = [&b"\\boxed"[..], b"\\fbox"].into_iter().find(|name| bytes.starts_with(name))?;
    let num_blanks = bytes[name.len()..].iter().take(8).take_while(|byte| byte.is_ascii_whitespace()).count();
    (bytes.get(name.len() + num_blanks) == Some(&b'{')).then_some(name.len() + num_blanks + 1)
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
