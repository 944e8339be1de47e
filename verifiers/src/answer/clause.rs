//! Cuts the answer out of the sentence that states it.

use super::text::{first_word, head};
use super::{MAX_BYTES, Reader};

/// Words after which a sentence no longer says what the answer is, but why.
const CONNECTIVES: &[&str] = &[
    "because", "since", "which", "so", "as", "but", "when", "where", "while", "if", "unless", "maybe",
    "perhaps", "rather", "instead", "i",
];

/// Bytes of empty lines that may stand between "Answer:" and the answer.
const BLANK_BYTES: usize = 4096;

/// Splits what follows "the answer is": how many bytes lie before the answer, the answer, and whether the sentence is a
/// question. The answer ends with its sentence or its clause; on an empty line it is taken from the next that is not.
pub(super) fn split<'a>(rest: &'a str, reader: &impl Reader) -> (usize, &'a str, bool) {
    let bare = |c: char| c.is_whitespace() || matches!(c, '*' | '_' | '$' | '`');
    let mut skipped = 0;
    while let Some(end) = head(&rest[skipped..], BLANK_BYTES.saturating_sub(skipped)).find('\n') {
        let first = rest[skipped..skipped + end].trim_matches(bare);
        if !(first.is_empty() || first == r"\[" || first == r"\(") {
            break;
        }
        skipped += end + 1;
    }
    let text = &rest[skipped..];
    // Some bytes more than an answer may have, so that a longer one is seen to be too long and not cut to another.
    let window = head(text, MAX_BYTES + 4);
    let known = reader.known(window).min(window.len());
    let end = clause_end(window, known, reader.comma_ends());
    let behind = &text[end..];
    let asked = head(behind, 400).find(['.', '?', '!', '\n']).is_some_and(|at| behind[at..].starts_with('?'));
    (skipped, &text[..end], asked)
}

/// Where the clause that states an answer ends, at `known` or behind it.
fn clause_end(text: &str, known: usize, comma_ends: bool) -> usize {
    let closers = closers(text);
    let mut before = ' ';
    let mut skip_to = known;
    let mut closers = closers.into_iter().peekable();
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        let next = rest.chars().next();
        // A group that opens here and closes later is not cut, except for a remark in brackets.
        while closers.next_if(|(open, _)| *open < at).is_some() {}
        let group = closers.peek().filter(|(open, _)| *open == at).map(|(_, close)| *close);
        if at < skip_to {
            before = c;
            continue;
        }
        let is_end = if c == ',' && !comma_ends { false } else { ends_clause(c, before, next, rest) };
        if is_end {
            // A remark follows an answer. "(B)" at the start is the answer itself.
            if !(c == '(' && text[..at].trim_matches(|c: char| c.is_whitespace() || c == '*').is_empty()) {
                return at;
            }
        }
        if let Some(close) = group {
            skip_to = skip_to.max(close);
        }
        before = c;
    }
    text.len()
}

/// Whether a clause ends before the character `c`.
fn ends_clause(c: char, before: char, next: Option<char>, rest: &str) -> bool {
    match c {
        '\n' | ';' | '?' | '—' => before != '\\',
        '.' | '。' => !next.is_some_and(char::is_numeric),
        '!' => {
            next.is_none_or(|next| !(next.is_alphanumeric() || matches!(next, '}' | ')' | '!')))
                && before != '\\'
        }
        '<' => rest.starts_with('|') || rest.starts_with('/'),
        ',' => starts_clause(rest, &["or", "and", "nor"]),
        '(' => next.is_some_and(char::is_alphabetic) && before == ' ',
        ' ' => {
            let word = first_word(rest);
            // "3 + 2 i" is a number; "42 i think" goes on with words.
            let is_unit = word == "i" && !rest[1..].trim_start_matches(' ').starts_with(char::is_alphabetic);
            CONNECTIVES.contains(&word.as_str()) && !is_unit
        }
        _ => false,
    }
}

/// Whether what follows a comma is words, and not the next of several answers.
fn starts_clause(rest: &str, joining: &[&str]) -> bool {
    let word = first_word(rest.trim_start_matches(' '));
    rest.starts_with(' ') && !word.is_empty() && !joining.contains(&word.as_str())
}

/// The groups of a text, each by where it opens and where it has closed, in order of opening: `{...}`, `(...)`, `[...]`,
/// `$...$`, `$$...$$`, `\(...\)` and `\[...\]`. What never closes is no group.
fn closers(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut open: Vec<(u8, usize)> = Vec::new();
    let mut groups = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let mut len = 1;
        let mut close = |opener: u8, open: &mut Vec<(u8, usize)>, end: usize| {
            // Only the nearest one that could be meant: an interval such as (1, 2] closes with the other bracket.
            let is_partner = |(kind, _): &&(u8, usize)| {
                *kind == opener || (matches!(*kind, b'(' | b'[') && matches!(opener, b'(' | b'['))
            };
            if let Some((_, start)) = open.last().filter(is_partner).copied() {
                open.pop();
                groups.push((start, end));
            }
        };
        match byte {
            b'\\' => {
                len = 2;
                match bytes.get(at + 1) {
                    // Letters that no bracket has stand for the math delimiters.
                    Some(b'(') => open.push((b'p', at)),
                    Some(b'[') => open.push((b'q', at)),
                    Some(b')') => close(b'p', &mut open, at + 2),
                    Some(b']') => close(b'q', &mut open, at + 2),
                    // The character behind a backslash may have more than one byte, and none of them is looked for here.
                    _ => {}
                }
            }
            b'{' | b'(' | b'[' => open.push((byte, at)),
            b'}' => close(b'{', &mut open, at + 1),
            b')' => close(b'(', &mut open, at + 1),
            b']' => close(b'[', &mut open, at + 1),
            b'$' => {
                let is_double = bytes.get(at + 1) == Some(&b'$');
                len = if is_double { 2 } else { 1 };
                let kind = if is_double { b'd' } else { b'$' };
                let opened = open.iter().rposition(|(other, _)| *other == kind);
                match opened {
                    Some(depth) if is_double || closes_math(bytes, open[depth].1, at) => {
                        groups.push((open[depth].1, at + len));
                        open.truncate(depth);
                    }
                    Some(depth) => open[depth] = (kind, at),
                    None => open.push((kind, at)),
                }
            }
            // A sentence in brackets or in dollar signs stays in its line.
            b'\n' => open.retain(|(kind, _)| matches!(kind, b'{' | b'd' | b'p' | b'q')),
            _ => {}
        }
        at += len;
    }
    groups.sort_unstable();
    groups
}

/// Whether the dollar sign at `close` ends the math that the one at `open` begins, and both are no money: "$5 or $6".
fn closes_math(bytes: &[u8], open: usize, close: usize) -> bool {
    let is_blank = |at: usize| bytes.get(at).is_none_or(u8::is_ascii_whitespace);
    let before_digit = bytes.get(close + 1).is_some_and(u8::is_ascii_digit);
    close > open + 1 && !before_digit && is_blank(open + 1) == is_blank(close - 1)
}
