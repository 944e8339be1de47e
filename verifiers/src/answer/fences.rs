//! The fenced blocks of a response, as Markdown has them, with what models write beside Markdown.
//!
//! * A fence is three or more backticks or tildes at the start of a line, however far the line is indented. What follows
//!   is the info string; its first word is the block's label.
//! * A block ends at a line of nothing but the same characters, at least as many, indented at most three columns more
//!   than the fence that opened it. So a fence in a longer fence is content, and so is one in an indented docstring.
//!   A block that nothing ends goes on to the end of the text.
//! * The lines of a block lose as much white space as its fence is indented by.
//! * `Here it is: ```python` at the end of a line opens a block too, if the label is one of the language that is asked
//!   for.

use std::ops::Range;

/// The fewest characters that make a fence.
const MIN_FENCE: usize = 3;
/// Columns that a fence may be indented by more than the one that it ends.
const MAX_SHIFT: usize = 3;

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The first word of its info string, in small letters; empty where there is none.
    pub(crate) label: String,
    /// Where its first fence's line begins, as a byte of the text.
    pub(crate) start: usize,
    /// Its content, as bytes of the text; still indented as its fence is.
    pub(crate) content: Range<usize>,
    /// Columns that its fence is indented by.
    pub(crate) indent: usize,
    /// Whether a fence ends it.
    pub(crate) is_closed: bool,
}

impl Block {
    /// Its content without the white space that its fence has before it too.
    pub(crate) fn text(&self, text: &str) -> String {
        let content = &text[self.content.clone()];
        if self.indent == 0 {
            return content.to_owned();
        }
        let lines = content.split_inclusive('\n').map(|line| {
            let blank =
                line.bytes().take(self.indent).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            &line[blank..]
        });
        lines.collect()
    }
}

/// The blocks of a text whose line ends are `\n`, in order. `is_label` knows the labels of the language asked for.
pub(crate) fn blocks(text: &str, is_label: impl Fn(&str) -> bool) -> impl Iterator<Item = Block> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (start, fence) = loop {
            let line = line_at(text, at)?;
            let start = at;
            at += line.len();
            if let Some(fence) = Fence::opening(line).or_else(|| Fence::after_words(line, &is_label)) {
                break (start, fence);
            }
        };
        let content_start = at;
        loop {
            let content = content_start..at;
            let Some(line) = line_at(text, at) else {
                return Some(fence.block(start, content, false));
            };
            at += line.len();
            if fence.is_ended_by(line) {
                return Some(fence.block(start, content, true));
            }
        }
    })
}

/// The line that begins at a byte, with its end; none at the end of the text.
fn line_at(text: &str, at: usize) -> Option<&str> {
    text[at..].split_inclusive('\n').next()
}

/// The line that opens a block.
struct Fence {
    mark: char,
    len: usize,
    indent: usize,
    label: String,
}

impl Fence {
    /// The fence that a line is.
    fn opening(line: &str) -> Option<Self> {
        let (indent, mark, len, info) = split(line)?;
        // A backtick in the info string makes it code within a line.
        let is_fence = len >= MIN_FENCE && !(mark == '`' && info.contains('`'));
        is_fence.then(|| Self { mark, len, indent, label: label(info) })
    }

    /// The fence that a line of words ends with.
    fn after_words(line: &str, is_label: impl Fn(&str) -> bool) -> Option<Self> {
        let (words, info) = line.rsplit_once("```")?;
        let label = label(info);
        let is_one_word = info.split_whitespace().count() == 1;
        (is_one_word && is_label(&label) && !words.contains('`')).then_some(Self {
            mark: '`',
            len: MIN_FENCE,
            indent: 0,
            label,
        })
    }

    fn is_ended_by(&self, line: &str) -> bool {
        split(line).is_some_and(|(indent, mark, len, rest)| {
            mark == self.mark
                && len >= self.len
                && indent <= self.indent + MAX_SHIFT
                && rest.trim().is_empty()
        })
    }

    fn block(&self, start: usize, content: Range<usize>, is_closed: bool) -> Block {
        Block { label: self.label.clone(), start, content, indent: self.indent, is_closed }
    }
}

/// Indentation, character, number of characters and rest of a line that begins with a character of fences.
fn split(line: &str) -> Option<(usize, char, usize, &str)> {
    let rest = line.trim_start_matches([' ', '\t']);
    let mark = rest.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let info = rest.trim_start_matches(mark);
    Some((line.len() - rest.len(), mark, rest.len() - info.len(), info))
}

/// The first word of an info string: `python` of `python`, `Python title="a"`, `{.python}` and `python:a.py`.
fn label(info: &str) -> String {
    let info = info.trim_start().trim_start_matches(['{', '.', ' ']);
    let end = info.find(|c: char| c.is_whitespace() || "{}:,;=(\"".contains(c)).unwrap_or(info.len());
    info[..end].to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, String, bool)> {
        let blocks = blocks(text, |label| label == "python");
        blocks.map(|block| (block.label.clone(), block.text(text), block.is_closed)).collect()
    }

    #[test]
    fn blocks_are_found() {
        for (text, expected) in [
            ("", vec![]),
            ("words ``` words", vec![]),
            ("``", vec![]),
            ("```inline```", vec![]),
            ("```\na\n```", vec![("", "a\n", true)]),
            ("~~~py\na\n~~~", vec![("py", "a\n", true)]),
            ("```\na\n~~~\n```", vec![("", "a\n~~~\n", true)]),
            ("```python\na", vec![("python", "a", false)]),
            ("```python", vec![("python", "", false)]),
            ("```a\n1\n```\n```b\n2\n````\n", vec![("a", "1\n", true), ("b", "2\n", true)]),
            ("````md\n```python\na\n```\n````\n", vec![("md", "```python\na\n```\n", true)]),
            ("```\na\n``` x\n```", vec![("", "a\n``` x\n", true)]),
            ("```\na\n  ```", vec![("", "a\n", true)]),
            (
                "```py\n'''\n    ```\n    b\n    ```\n'''\n```",
                vec![("py", "'''\n    ```\n    b\n    ```\n'''\n", true)],
            ),
            ("1. So\n   ```py\n   a\n     b\n c\n\n   ```\n", vec![("py", "a\n  b\nc\n\n", true)]),
            ("\t```py\n\ta\n\t```\n", vec![("py", "a\n", true)]),
            ("      ```py\n      a\n      ```\n", vec![("py", "a\n", true)]),
            ("So: ```python\na\n```\n", vec![("python", "a\n", true)]),
            ("So: ```ruby\na\n```\n", vec![("", "", false)]),
            ("`x` ```python\na\n```\n", vec![("", "", false)]),
        ] {
            let expected: Vec<(String, String, bool)> =
                expected.into_iter().map(|(a, b, c)| (a.to_owned(), b.to_owned(), c)).collect();
            assert_eq!(found(text), expected, "{text:?}");
        }
    }

    #[test]
    fn labels_are_the_first_word() {
        for (info, expected) in [
            ("", ""),
            ("Python", "python"),
            (" python title=\"a.py\"", "python"),
            ("{.python .numberLines}", "python"),
            ("{python}", "python"),
            ("python:a.py", "python"),
            ("c++", "c++"),
            ("python\n", "python"),
        ] {
            assert_eq!(label(info), expected, "{info:?}");
        }
    }
}
