//! Whether a program wrote what it should have, and if not, where the two part.
//!
//! # When an output is the expected one
//!
//! * By default (`tokens`) the two must have the same words in the same order. What lies between words, blanks or line
//!   ends, does not matter. So do the judges of programming contests, whose data most such problems come from: a
//!   solution that was accepted there with a blank at the end of a line is right here.
//! * With `lines` the layout counts: the same lines, where line ends (`\n`, `\r\n`), white space at the end of a line and
//!   empty lines at the end of the output do not matter. For problems that ask for a drawing or a table.
//!
//! Words are equal if their bytes are. With a `tolerance` `t`, a word of the expected output that is a number with a point
//! or an exponent is also met by any number that differs from it by at most `t * max(1, |expected|)`: contests ask for an
//! absolute or relative error. Whole numbers are never taken with tolerance.
//!
//! White space is ASCII's. Nothing here needs the output to be UTF-8, and all is linear.

use crate::error::shorten;

/// Bytes of a line or a word that a message shows.
const SHOWN_BYTES: usize = 80;
/// The longest word that is read as a number, in bytes.
const MAX_NUMBER_BYTES: usize = 400;

/// When an output counts as the expected one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// What counts beside the words.
    pub layout: Layout,
    /// How far a number with a point may be off, absolute or relative, whichever is more; exact where there is none.
    pub tolerance: Option<f64>,
}

/// What of an output counts beside its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Nothing.
    Tokens,
    /// Lines and the blanks in them, but for those at the end.
    Lines,
}

impl Comparison {
    /// Where the output differs from the expected one, for people; none where it is the expected one.
    pub fn difference(self, expected: &str, found: &[u8]) -> Option<String> {
        match self.layout {
            Layout::Tokens => self.words_differ(expected.as_bytes(), found),
            Layout::Lines => lines_differ(expected.as_bytes(), found),
        }
    }

    fn words_differ(self, expected: &[u8], found: &[u8]) -> Option<String> {
        let (mut wanted, mut given) = (Words::new(expected), Words::new(found));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return None,
                (Some(want), Some(have)) if self.meets(want.text, have.text) => {}
                (Some(want), Some(have)) => {
                    let (want, have) = (shown(want.text), shown(have.text));
                    let place = given.place();
                    return Some(format!("{place} of the output: expected {want}, found {have}"));
                }
                (Some(want), None) => {
                    let (number, want) = (want.number, shown(want.text));
                    return Some(format!("the output ends before word {number}: expected {want}"));
                }
                (None, Some(have)) => {
                    let (place, have) = (given.place(), shown(have.text));
                    return Some(format!("{place} of the output: expected the end, found {have}"));
                }
            }
        }
    }

    fn meets(self, expected: &[u8], found: &[u8]) -> bool {
        if expected == found {
            return true;
        }
        let Some(tolerance) = self.tolerance else { return false };
        if !expected.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            return false;
        }
        match (number(expected), number(found)) {
            (Some(expected), Some(found)) => (expected - found).abs() <= tolerance * expected.abs().max(1.0),
            _ => false,
        }
    }
}

/// A finite decimal number. Rust also reads "inf" and "nan", which no tolerance is meant for.
fn number(word: &[u8]) -> Option<f64> {
    let is_plain = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    if word.len() > MAX_NUMBER_BYTES || !word.iter().all(is_plain) {
        return None;
    }
    let value: f64 = str::from_utf8(word).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

/// White space of ASCII, the vertical tab too, which `u8::is_ascii_whitespace` leaves out.
fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// A word and which of the output's words it is, from 1.
struct Word<'a> {
    text: &'a [u8],
    number: usize,
}

/// The words of an output, and where the last of them stands.
struct Words<'a> {
    rest: &'a [u8],
    /// Words so far.
    number: usize,
    /// The line that `rest` begins in, from 1.
    line: usize,
    /// Words so far in that line.
    in_line: usize,
}

impl<'a> Words<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { rest: text, number: 0, line: 1, in_line: 0 }
    }

    fn place(&self) -> String {
        format!("line {}, word {}", self.line, self.in_line)
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let start = self.rest.iter().position(|&byte| !is_blank(byte))?;
        let num_line_ends = self.rest[..start].iter().filter(|&&byte| byte == b'\n').count();
        if num_line_ends > 0 {
            self.line += num_line_ends;
            self.in_line = 0;
        }
        let word = &self.rest[start..];
        let end = word.iter().position(|&byte| is_blank(byte)).unwrap_or(word.len());
        self.rest = &word[end..];
        self.number += 1;
        self.in_line += 1;
        Some(Word { text: &word[..end], number: self.number })
    }
}

fn lines_differ(expected: &[u8], found: &[u8]) -> Option<String> {
    let (mut wanted, mut given) = (lines(expected), lines(found));
    let mut number = 0_usize;
    loop {
        number += 1;
        match (wanted.next(), given.next()) {
            (None, None) => return None,
            (Some(want), Some(have)) if want == have => {}
            (Some(want), Some(have)) => {
                let same = want.iter().zip(have).take_while(|(a, b)| a == b).count();
                let is_long = want.len().max(have.len()) > SHOWN_BYTES;
                // The start of long lines that are alike at first would show no difference.
                let (skip, column) =
                    if is_long { (same, format!(", byte {}", same + 1)) } else { (0, String::new()) };
                let (want, have) = (shown(&want[skip..]), shown(&have[skip..]));
                return Some(format!("line {number}{column} of the output: expected {want}, found {have}"));
            }
            (Some(want), None) => {
                return Some(format!("the output ends before line {number}: expected {}", shown(want)));
            }
            (None, Some(have)) => {
                return Some(format!("line {number} of the output: expected the end, found {}", shown(have)));
            }
        }
    }
}

/// The lines of an output without white space at their ends, and without empty lines at its end.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = without_end(text);
    let lines = (!text.is_empty()).then(|| text.split(|&byte| byte == b'\n').map(without_end));
    lines.into_iter().flatten()
}

fn without_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|&byte| !is_blank(byte)).map_or(0, |last| last + 1);
    &text[..end]
}

/// A piece of an output in quotes, cut if long. What is no UTF-8 is shown as the replacement character.
fn shown(piece: &[u8]) -> String {
    if piece.is_empty() {
        return "an empty line".to_owned();
    }
    // Only so much is decoded as can be shown: each byte makes at least one.
    let head = &piece[..piece.len().min(SHOWN_BYTES)];
    let text = String::from_utf8_lossy(head);
    if head.len() == piece.len() {
        return format!("{:?}", shorten(&text, SHOWN_BYTES));
    }
    format!("{:?}… ({} bytes)", text.trim_end_matches('\u{fffd}'), piece.len())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;

    const TOKENS: Comparison = Comparison { layout: Layout::Tokens, tolerance: None };
    const LINES: Comparison = Comparison { layout: Layout::Lines, tolerance: None };
    const NEAR: Comparison = Comparison { layout: Layout::Tokens, tolerance: Some(1e-6) };

    #[test]
    fn words_count_and_with_lines_the_layout_too() {
        // Expected, found, the same words, the same lines.
        let cases: &[(&str, &[u8], bool, bool)] = &[
            ("3\n", b"3\n", true, true),
            ("3\n", b"3", true, true),
            ("3", b"3\r\n\r\n \n", true, true),
            ("1 2\n3\n", b"1 2 \t\r\n3", true, true),
            ("1 2", b"1  2", true, false),
            ("1 2", b" 1 2", true, false),
            ("1 2", b"1\n2", true, false),
            ("1\n2", b"1\n\n2", true, false),
            ("1\n\n2", b"1\n  \n2", true, true),
            ("*\n **", b"*\n**", true, false),
            ("12", b"1 2", false, false),
            ("1 2", b"12", false, false),
            ("Yes", b"YES", false, false),
            ("3", b"3.0", false, false),
            ("3", b"03", false, false),
            ("3", b"", false, false),
            ("", b"3", false, false),
            ("", b"\n \x0b\x0c\n", true, true),
            ("a", b"a\0", false, false),
            ("é", b"\xc3\xa9", true, true),
            ("é", b"\xc3", false, false),
            ("a\u{a0}b", b"a b", false, false),
        ];
        for (expected, found, same_words, same_lines) in cases {
            let found_text = String::from_utf8_lossy(found);
            let differs = TOKENS.difference(expected, found);
            assert_eq!(differs.is_none(), *same_words, "{expected:?} {found_text:?} {differs:?}");
            let differs = LINES.difference(expected, found);
            assert_eq!(differs.is_none(), *same_lines, "{expected:?} {found_text:?} {differs:?}");
        }
    }

    #[test]
    fn numbers_with_a_point_may_be_off_where_it_is_allowed() {
        let cases = [
            ("0.5", "0.5000001", true),
            ("0.5", "0.50001", false),
            ("0.5", "5e-1", true),
            ("0.5", ".5", true),
            ("1e3", "1000", true),
            ("1000000.0", "1000000.9", true),
            ("1000000.0", "1000001.1", false),
            ("0.0", "-0.0000001", true),
            ("0.0", "-0.00001", false),
            ("5", "5.0", false),
            ("5", "6", false),
            ("1000000007", "1000000008", false),
            ("0.5", "nan", false),
            ("inf.", "inf.", true),
            ("1e999", "1e998", false),
            ("1e999", "1e999", true),
            ("0.5", "0.5x", false),
            ("a.b", "a.c", false),
            ("x 0.5 y", "x 0.5000001 y", true),
            ("x 0.5 y", "x 0.5000001", false),
        ];
        for (expected, found, is_near) in cases {
            let differs = NEAR.difference(expected, found.as_bytes());
            assert_eq!(differs.is_none(), is_near, "{expected} {found} {differs:?}");
            assert_eq!(TOKENS.difference(expected, found.as_bytes()).is_none(), expected == found);
        }
    }

    #[test]
    fn a_difference_says_where_and_what() {
        let words = |expected: &str, found: &str| TOKENS.difference(expected, found.as_bytes()).unwrap();
        assert_eq!(
            words("1\n2 3\n", "1\n2 4\n"),
            "line 2, word 2 of the output: expected \"3\", found \"4\""
        );
        assert_eq!(words("1\n2\n3", "1 2"), "the output ends before word 3: expected \"3\"");
        assert_eq!(words("1", "1\n\nbye"), "line 3, word 1 of the output: expected the end, found \"bye\"");
        let lines = |expected: &str, found: &str| LINES.difference(expected, found.as_bytes()).unwrap();
        assert_eq!(lines("a\n b", "a\nb"), "line 2 of the output: expected \" b\", found \"b\"");
        assert_eq!(lines("a\n\nb", "a\nb"), "line 2 of the output: expected an empty line, found \"b\"");
        assert_eq!(lines("a\nb", "a"), "the output ends before line 2: expected \"b\"");
        assert_eq!(lines("a", "a\nb"), "line 2 of the output: expected the end, found \"b\"");
        let (long, other) = (format!("{}1", "x ".repeat(100)), format!("{}2", "x ".repeat(100)));
        assert_eq!(lines(&long, &other), "line 1, byte 201 of the output: expected \"1\", found \"2\"");
        let long = "é".repeat(1000);
        let message = words("1", &long);
        assert!(message.ends_with("é\"… (2000 bytes)") && message.len() < 200, "{message}");
        let message = TOKENS.difference("1", b"\xff\xfe").unwrap();
        assert_eq!(message, "line 1, word 1 of the output: expected \"1\", found \"\u{fffd}\u{fffd}\"");
    }

    #[test]
    fn large_outputs_take_no_time() {
        let start = Instant::now();
        for piece in ["1 ", "\n", "1\n", "x", "1.5", " "] {
            let text = piece.repeat((4 << 20) / piece.len());
            for comparison in [TOKENS, LINES, NEAR] {
                assert_eq!(comparison.difference(&text, text.as_bytes()), None);
                assert!(comparison.difference(&text, b"other").is_some());
            }
        }
        assert!(start.elapsed().as_secs_f64() < 5.0, "{:?}", start.elapsed());
    }

    proptest! {
        #[test]
        fn any_output_is_compared(
            expected in "[0-2. e\n\r]{0,12}|.{0,20}",
            found in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            for comparison in [TOKENS, LINES, NEAR] {
                comparison.difference(&expected, &found);
                prop_assert_eq!(comparison.difference(&expected, expected.as_bytes()), None);
            }
        }

        #[test]
        fn what_has_the_same_lines_has_the_same_words(expected in "[ab \n]{0,8}", found in "[ab \n]{0,8}") {
            if LINES.difference(&expected, found.as_bytes()).is_none() {
                prop_assert_eq!(TOKENS.difference(&expected, found.as_bytes()), None);
            }
            let words = |text: &str| text.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let is_same = TOKENS.difference(&expected, found.as_bytes()).is_none();
            prop_assert_eq!(is_same, words(&expected) == words(&found));
        }
    }
}
