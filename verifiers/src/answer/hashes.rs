//! Answers on a line after `####`, as GSM8K writes them.

use std::sync::LazyLock;

use regex::Regex;

use super::text::{first_word, line, trim};
use super::{Found, Place, Reader};

/// Words that a section's heading begins with.
const SECTIONS: &[&str] = &[
    "analysis",
    "approach",
    "calculation",
    "case",
    "check",
    "conclusion",
    "explanation",
    "final",
    "method",
    "note",
    "part",
    "phase",
    "problem",
    "proof",
    "question",
    "reasoning",
    "result",
    "section",
    "solution",
    "step",
    "summary",
    "task",
    "verification",
];

/// Marks that are looked at, from the last.
const MAX_MARKS: usize = 1024;

/// The rests of the last lines from their `####` that are no headings, in order, at most `limit`.
pub(super) fn hashes<'a>(text: &'a str, reader: &impl Reader, limit: usize) -> Vec<Place<'a>> {
    let bytes = text.as_bytes();
    let mut places = Vec::new();
    let mut end = text.len();
    let mut num_marks = 0;
    // From the end, run of # by run of #; each line is looked at once, from its last mark.
    while let Some(last) = bytes[..end].iter().rposition(|byte| *byte == b'#') {
        let start = bytes[..last].iter().rposition(|byte| *byte != b'#').map_or(0, |at| at + 1);
        if last + 1 - start == 4 {
            num_marks += 1;
            let rest = &text[last + 1..end];
            let line_end = last + 1 + rest.find('\n').unwrap_or(rest.len());
            let line = line(rest);
            let is_end = is_rest_empty(&text[line_end..]);
            if !is_heading(line, is_end, reader) {
                let found = Found::One(line);
                places.push(Place { start, end: line_end, found, of_part: false });
            }
            if places.len() == limit || num_marks == MAX_MARKS {
                break;
            }
        }
        end = start;
    }
    places.reverse();
    places
}

/// Whether no text follows a line: only white space, marks of the tokenizer's and another such line.
fn is_rest_empty(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty() || rest.starts_with("<|") || rest.starts_with("####")
}

/// Whether a line after `####` is a heading and no answer.
fn is_heading(line: &str, is_end: bool, reader: &impl Reader) -> bool {
    // The patterns are constant and tested, so that they compile.
    #[allow(clippy::unwrap_used)]
    static ORDINAL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\d+[.):]\s*\*{0,2}\s*\p{L}").unwrap());
    #[allow(clippy::unwrap_used)]
    static NAMED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\p{L}\w{0,20}\s*=").unwrap());
    let line = trim(line);
    match line.chars().next() {
        None => true,
        Some(first) if first.is_alphabetic() => {
            let is_section = SECTIONS.contains(&first_word(line).as_str());
            let is_answer = is_end && !is_section && reader.is_answer(line);
            !(is_answer || NAMED.is_match(line))
        }
        Some(_) => ORDINAL.is_match(line),
    }
}
