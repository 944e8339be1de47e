//! The statements of a Python source and how far they are indented, found without parsing it: strings, comments, brackets
//! and joined lines are known, nothing else. A source that is no Python has statements too; they mean nothing then.

use std::ops::Range;

/// Columns of a tab, as Python counts them.
const TAB_COLUMNS: usize = 8;

/// A statement's first line: what ends at the first line end outside of brackets and strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Statement<'a> {
    /// Where its text begins, as a byte of the source.
    pub(super) start: usize,
    /// The white space before it.
    pub(super) indent: &'a str,
    /// Its text without comment and white space at its end.
    pub(super) text: &'a str,
}

/// What was found in a source.
pub(super) struct Lines<'a> {
    /// In order.
    pub(super) statements: Vec<Statement<'a>>,
    /// The strings that go on over a line end, as bytes of the source, in order.
    pub(super) long_strings: Vec<Range<usize>>,
}

impl<'a> Statement<'a> {
    /// Columns of the white space before it.
    pub(super) fn columns(&self) -> usize {
        columns(self.indent)
    }

    /// Its first word; empty where it begins with something else.
    pub(super) fn word(&self) -> &'a str {
        first_name(self.text)
    }

    /// Whether a block follows it.
    pub(super) fn opens_block(&self) -> bool {
        self.text.ends_with(':')
    }
}

/// Columns of white space at the start of a line.
pub(super) fn columns(indent: &str) -> usize {
    indent.bytes().fold(0, |columns, byte| match byte {
        b'\t' => (columns / TAB_COLUMNS + 1) * TAB_COLUMNS,
        _ => columns + 1,
    })
}

/// The name that a text begins with; empty where it begins with something else.
pub(super) fn first_name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// Reads a source, whose line ends are `\n`.
pub(super) fn read(source: &str) -> Lines<'_> {
    let bytes = source.as_bytes();
    let mut lines = Lines { statements: Vec::new(), long_strings: Vec::new() };
    // Where the statement that is being read begins and ends so far.
    let mut open: Option<Range<usize>> = None;
    let mut line_start = 0;
    let mut indent = "";
    let mut depth = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'\n' => {
                at += 1;
                if depth == 0
                    && let Some(range) = open.take()
                {
                    lines.statements.push(Statement { start: range.start, indent, text: &source[range] });
                }
                line_start = at;
                continue;
            }
            b' ' | b'\t' | b'\x0c' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += line_len(&bytes[at..]);
                continue;
            }
            b'\\' if bytes.get(at + 1) == Some(&b'\n') => {
                at += 2;
                if open.is_none() {
                    line_start = at;
                }
                continue;
            }
            quote @ (b'"' | b'\'') => string_end(bytes, at, quote),
            byte => {
                match byte {
                    b'(' | b'[' | b'{' => depth += 1,
                    b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                at + 1
            }
        };
        match &mut open {
            Some(range) => range.end = end,
            None => {
                indent = &source[line_start..at];
                open = Some(at..end);
            }
        }
        // Only a string takes more than a byte.
        if end > at + 1 && bytes[at..end].contains(&b'\n') {
            lines.long_strings.push(at..end);
        }
        at = end;
    }
    if let Some(range) = open {
        lines.statements.push(Statement { start: range.start, indent, text: &source[range] });
    }
    lines
}

/// Bytes up to the next line end.
fn line_len(bytes: &[u8]) -> usize {
    bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len())
}

/// Where the string that begins at `start` ends. A short one that is not closed ends with its line, a long one with the
/// source. A backslash keeps the next character from ending it in raw strings too.
fn string_end(bytes: &[u8], start: usize, quote: u8) -> usize {
    let is_long = bytes[start..].starts_with(&[quote; 3]);
    let mut at = start + if is_long { 3 } else { 1 };
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote && !is_long => return at + 1,
            byte if byte == quote && bytes[at..].starts_with(&[quote; 3]) => return at + 3,
            b'\n' if !is_long => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_outside_of_strings_and_brackets() {
        let source = "import a  # b\n\ndef f(x,\n      y):\n    '''One.\n\ndef g(): pass\n'''\n    return \"#\" + \\\n  'x'\n\t\ty = [\n1]\n";
        let found: Vec<(usize, &str)> =
            read(source).statements.iter().map(|statement| (statement.columns(), statement.text)).collect();
        assert_eq!(
            found,
            [
                (0, "import a"),
                (0, "def f(x,\n      y):"),
                (4, "'''One.\n\ndef g(): pass\n'''"),
                (4, "return \"#\" + \\\n  'x'"),
                (16, "y = [\n1]"),
            ]
        );
        let strings: Vec<&str> = read(source).long_strings.into_iter().map(|range| &source[range]).collect();
        assert_eq!(strings, ["'''One.\n\ndef g(): pass\n'''"]);
    }

    #[test]
    fn broken_sources_have_statements_too() {
        for (source, expected) in [
            ("", vec![]),
            ("# only", vec![]),
            ("x = 'a\ny", vec!["x = 'a", "y"]),
            ("x = '''a\ny", vec!["x = '''a\ny"]),
            ("x = 'a\\\nb'\ny", vec!["x = 'a\\\nb'", "y"]),
            ("r'\\'\ny", vec!["r'\\'", "y"]),
            ("(\ny\n", vec!["(\ny"]),
            ("))\ny", vec!["))", "y"]),
            ("é = \"é\"\\", vec!["é = \"é\"\\"]),
            ("'\\", vec!["'\\"]),
        ] {
            let found: Vec<&str> = read(source).statements.iter().map(|statement| statement.text).collect();
            assert_eq!(found, expected, "{source:?}");
        }
    }
}
