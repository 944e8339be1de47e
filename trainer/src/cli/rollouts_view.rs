//! Shows rollouts to people: what was asked, what the model wrote, and why it was scored so.
//!
//! The texts come from a model, so nothing in them reaches the terminal as a command: control characters and those
//! that reorder text are shown by their codes.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};

use unicode_width::UnicodeWidthChar;

use super::progress::colors;
use crate::run::rollout_log::{RolloutEntry, RolloutLine, RolloutLogError};

/// The width where there is no terminal to ask.
pub(super) const DEFAULT_WIDTH: usize = 100;
/// Narrower text than this cannot be read; a narrower terminal wraps it once more.
const MIN_WIDTH: usize = 20;
/// Before the lines of a prompt or response.
const INDENT: &str = "  ";

/// Which rollouts are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those of the problem with this id.
    pub problem: Option<String>,
    /// Only those judged wrong; undecided ones are not.
    pub wrong: bool,
}

impl Filter {
    fn keeps(&self, entry: &RolloutEntry) -> bool {
        self.problem.as_ref().is_none_or(|problem| *problem == entry.problem)
            && (!self.wrong || entry.right == Some(false))
    }
}

/// How rollouts are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The lines of the log as they are.
    Json,
    /// Wrapped text with a table of counts at the end.
    Text {
        /// Columns.
        width: usize,
        /// Whether to colour.
        color: bool,
    },
}

impl Look {
    /// Text fit for standard output as it is: the terminal's width and colours, or neither.
    #[must_use]
    pub fn of_stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let size = if terminal { console::Term::stdout().size_checked() } else { None };
        Self::Text {
            width: size.map_or(DEFAULT_WIDTH, |(_, columns)| columns.into()),
            color: colors(terminal),
        }
    }
}

/// Rollouts that cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] RolloutLogError),
    /// The output cannot be written; a closed pipe (`| head`) is a graceful end to the caller.
    #[error("cannot write the rollouts: {0}")]
    Write(#[from] io::Error),
}

/// Counts of what was shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rollouts.
    pub n: u64,
    /// Judged right.
    pub right: u64,
    /// Judged wrong.
    pub wrong: u64,
    /// Not judged.
    pub undecided: u64,
    /// Tokens of all responses.
    pub num_tokens: u64,
}

impl Counts {
    fn add(&mut self, entry: &RolloutEntry) {
        self.n += 1;
        self.num_tokens += entry.num_tokens;
        match entry.right {
            Some(true) => self.right += 1,
            Some(false) => self.wrong += 1,
            None => self.undecided += 1,
        }
    }

    /// The responses' mean length in tokens; 0 without any.
    #[must_use]
    pub fn mean_tokens(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.num_tokens as f64 / self.n as f64 }
    }
}

/// Writes the lines that the filter keeps and, in text, a table of counts by step after them. Gives the counts of all.
///
/// # Errors
/// When a line cannot be read or written; what came before it has been written.
pub fn show(
    lines: impl IntoIterator<Item = Result<RolloutLine, RolloutLogError>>,
    filter: &Filter,
    look: Look,
    out: &mut impl Write,
) -> Result<Counts, ViewError> {
    let (mut by_step, mut all) = (BTreeMap::<u64, Counts>::new(), Counts::default());
    for line in lines {
        let RolloutLine { text, entry } = line?;
        if !filter.keeps(&entry) {
            continue;
        }
        by_step.entry(entry.step).or_default().add(&entry);
        all.add(&entry);
        match look {
            Look::Json => writeln!(out, "{text}")?,
            Look::Text { width, color } => write_entry(&entry, width.max(MIN_WIDTH), color, out)?,
        }
    }
    if matches!(look, Look::Text { .. }) {
        write_table(&by_step, all, out)?;
    }
    out.flush()?;
    Ok(all)
}

/// Terminal colours, by what they stand for.
#[derive(Clone, Copy)]
enum Paint {
    Right,
    Wrong,
    Undecided,
    Label,
    Plain,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Self::Right => "\u{1b}[1;32m",
            Self::Wrong => "\u{1b}[1;31m",
            Self::Undecided => "\u{1b}[1;33m",
            Self::Label => "\u{1b}[2m",
            Self::Plain => "",
        }
    }
}

fn write_entry(entry: &RolloutEntry, width: usize, color: bool, out: &mut impl Write) -> io::Result<()> {
    let paint = match entry.right {
        Some(true) => Paint::Right,
        Some(false) => Paint::Wrong,
        None => Paint::Undecided,
    };
    let mut write = |text: &str, indent: &str, paint: Paint| -> io::Result<()> {
        let (on, off) =
            if color && !paint.code().is_empty() { (paint.code(), "\u{1b}[0m") } else { ("", "") };
        for line in text.split('\n').flat_map(|line| wrap(&visible(line), width - indent.len())) {
            writeln!(out, "{on}{}{off}", format!("{indent}{line}").trim_end())?;
        }
        Ok(())
    };
    write(&header(entry), "", paint)?;
    write("prompt", "", Paint::Label)?;
    write(&entry.prompt, INDENT, Paint::Plain)?;
    let finish = match entry.finish {
        crate::rollout::Finish::Stop => "",
        crate::rollout::Finish::Length => ", cut off at the limit",
    };
    write(&format!("response, {} tokens{finish}", entry.num_tokens), "", Paint::Label)?;
    write(&entry.response, INDENT, Paint::Plain)?;
    writeln!(out)
}

fn header(entry: &RolloutEntry) -> String {
    let purpose = match entry.purpose {
        crate::seeds::Purpose::Retry => ", hinted second try",
        _ => "",
    };
    let mut parts = vec![
        format!("step {}", entry.step),
        format!("problem {}", entry.problem),
        format!("sample {}{purpose}", entry.sample),
        entry.score.map_or_else(|| "no score".into(), |score| format!("score {score}")),
        entry.kind.clone(),
    ];
    parts.extend(entry.extracted.as_ref().map(|answer| format!("extracted {answer:?}")));
    parts.extend(entry.advantage.map(|advantage| format!("advantage {advantage:.3}")));
    if !entry.reason.is_empty() {
        parts.push(entry.reason.replace('\n', " "));
    }
    parts.join(" | ")
}

fn write_table(by_step: &BTreeMap<u64, Counts>, all: Counts, out: &mut impl Write) -> io::Result<()> {
    let mut row = |name: &str, cells: [&str; 5]| {
        let [n, right, wrong, undecided, mean] = cells;
        writeln!(out, "{name:<8} {n:>7} {right:>7} {wrong:>7} {undecided:>10} {mean:>12}")
    };
    row("step", ["n", "right", "wrong", "undecided", "mean tokens"])?;
    let steps = by_step.iter().map(|(step, counts)| (step.to_string(), *counts));
    let total = (by_step.len() != 1).then(|| ("all".to_owned(), all));
    for (name, counts) in steps.chain(total) {
        let [n, right, wrong, undecided] =
            [counts.n, counts.right, counts.wrong, counts.undecided].map(|count| count.to_string());
        row(&name, [&n, &right, &wrong, &undecided, &format!("{:.1}", counts.mean_tokens())])?;
    }
    Ok(())
}

/// A line without what a terminal would obey: control characters and those that change the direction of text become
/// their codes, tabs become spaces.
pub(super) fn visible(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for char in line.chars() {
        match char {
            '\t' => text.push_str("    "),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                text.extend(char.escape_unicode());
            }
            char if char.is_control() => text.extend(char.escape_default()),
            char => text.push(char),
        }
    }
    text
}

/// Breaks a line at spaces so that no piece is wider than `width` columns; a word that is wider is broken anywhere.
pub(super) fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(end) = overflow(rest, width) {
        // A break after the first word at the earliest: leading spaces are an indentation, and stay.
        let indent = rest.len() - rest.trim_start_matches(' ').len();
        let space = rest[..end].rfind(' ').filter(|space| *space > indent);
        let at_end = rest[end..].starts_with(' ');
        let end = if at_end { end } else { space.unwrap_or(end) };
        pieces.push(rest[..end].to_owned());
        rest = rest[end..].strip_prefix(' ').unwrap_or(&rest[end..]);
    }
    pieces.push(rest.to_owned());
    pieces
}

/// Where the part of a line that fits into `width` columns ends, if the line does not fit; at least one character.
fn overflow(line: &str, width: usize) -> Option<usize> {
    let mut used = 0;
    for (at, char) in line.char_indices() {
        used += char.width().unwrap_or(0);
        if used > width && at > 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::rollout::Finish;
    use crate::seeds::Purpose;

    fn line(step: u64, problem: &str, right: Option<bool>) -> RolloutLine {
        let entry = RolloutEntry {
            step,
            problem: problem.into(),
            sample: 2,
            purpose: Purpose::Train,
            prompt: "How many apples are three apples and four apples?".into(),
            response: "Let me see.\n\tThree and four\u{1b}[2J make eight.".into(),
            num_tokens: 12 + step,
            finish: Finish::Length,
            score: right.map(|right| f64::from(u8::from(right))),
            kind: if right.is_some() { "wrong" } else { "undecided" }.into(),
            reason: "expected 7,\nfound 8".into(),
            extracted: right.map(|_| "8".into()),
            right,
            advantage: right.map(|_| -0.5),
        };
        RolloutLine { text: serde_json::to_string(&entry).unwrap(), entry }
    }

    fn shown(lines: &[RolloutLine], filter: &Filter, look: Look) -> (String, Counts) {
        let mut out = Vec::new();
        let counts = show(lines.iter().cloned().map(Ok), filter, look, &mut out).unwrap();
        (String::from_utf8(out).unwrap(), counts)
    }

    #[test]
    fn a_rollout_is_shown_with_its_verdict_and_its_texts_wrapped() {
        let look = Look::Text { width: 40, color: false };
        let (text, counts) = shown(&[line(4, "p-1", Some(false))], &Filter::default(), look);
        let expected = [
            "step 4 | problem p-1 | sample 2 | score",
            "0 | wrong | extracted \"8\" | advantage",
            "-0.500 | expected 7, found 8",
            "prompt",
            "  How many apples are three apples and",
            "  four apples?",
            "response, 16 tokens, cut off at the",
            "limit",
            "  Let me see.",
            "      Three and four\\u{1b}[2J make",
            "  eight.",
            "",
            "step           n   right   wrong  undecided  mean tokens",
            "4              1       0       1          0         16.0",
            "",
        ];
        assert_eq!(text, expected.join("\n"));
        assert_eq!(counts, Counts { n: 1, right: 0, wrong: 1, undecided: 0, num_tokens: 16 });
    }

    #[test]
    fn the_filter_keeps_a_problem_and_what_is_wrong() {
        let lines = [
            line(4, "a", Some(false)),
            line(4, "b", Some(true)),
            line(5, "b", None),
            line(5, "b", Some(false)),
        ];
        let look = Look::Text { width: 80, color: false };
        let (text, counts) = shown(&lines, &Filter::default(), look);
        assert_eq!((counts.n, counts.right, counts.wrong, counts.undecided), (4, 1, 2, 1));
        assert!(text.ends_with(
            "4              2       1       1          0         16.0\n\
             5              2       0       1          1         17.0\n\
             all            4       1       2          1         16.5\n"
        ));
        let filter = Filter { problem: Some("b".into()), wrong: true };
        let (text, counts) = shown(&lines, &filter, look);
        assert_eq!(counts.n, 1);
        assert!(text.starts_with("step 5 | problem b"), "{text}");
        let (text, _) = shown(&lines[..0], &filter, look);
        assert!(text.ends_with("all            0       0       0          0          0.0\n"), "{text}");
    }

    #[test]
    fn json_lines_pass_through_as_they_are() {
        let lines = [line(4, "a", Some(false)), line(4, "b", None)];
        let filter = Filter { problem: Some("b".into()), wrong: false };
        let (text, counts) = shown(&lines, &filter, Look::Json);
        assert_eq!(text, format!("{}\n", lines[1].text));
        assert_eq!(counts.undecided, 1);
    }

    #[test]
    fn colour_surrounds_each_line_and_no_code_of_the_model_gets_through() {
        let look = Look::Text { width: 40, color: true };
        let (text, _) = shown(&[line(4, "p-1", None)], &Filter::default(), look);
        assert!(
            text.starts_with(
                "\u{1b}[1;33mstep 4 | problem p-1 | sample 2 | no\u{1b}[0m\n\u{1b}[1;33mscore |"
            ),
            "{text:?}"
        );
        assert!(!text.contains("\u{1b}[2J"));
        assert_eq!(visible("a\u{202e}b\u{9b}c\r\u{7}é"), "a\\u{202e}b\\u{9b}c\\r\\u{7}é");
    }

    #[test]
    fn an_unreadable_line_ends_the_show() {
        let error = RolloutLogError::Read { path: "x".into(), source: io::ErrorKind::InvalidData.into() };
        let lines = [Ok(line(4, "a", None)), Err(error)];
        let mut out = Vec::new();
        assert!(matches!(show(lines, &Filter::default(), Look::Json, &mut out), Err(ViewError::Read(_))));
        assert!(!out.is_empty());
    }

    #[test]
    fn wide_characters_take_two_columns_and_long_words_are_broken() {
        assert_eq!(wrap("三三三三", 4), ["三三", "三三"]);
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("   abcdefgh", 6), ["   abc", "defgh"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("三", 1), ["三"]);
    }

    proptest! {
        #[test]
        fn wrapping_loses_nothing_but_spaces_and_fits(line in "[ a三\u{301}]{0,60}", width in 2usize..20) {
            let pieces = wrap(&line, width);
            let letters = |text: &str| text.replace(' ', "");
            prop_assert_eq!(letters(&pieces.concat()), letters(&line));
            for piece in &pieces {
                let used: usize = piece.chars().map(|char| char.width().unwrap_or(0)).sum();
                prop_assert!(used <= width, "{:?}", piece);
            }
        }
    }
}
