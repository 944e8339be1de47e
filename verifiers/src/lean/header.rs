//! The head of a Lean file: what it imports, and the text that follows.
//!
//! Only the imports are read here, because they decide which modules a proof stands on. Everything else is read by Lean.

use std::ops::Range;

/// Where the head of a text ends, and what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Names of the modules, in order; `Init` first unless the text begins with `prelude`.
    pub(super) imports: Vec<String>,
    /// Whether there is an import, or `prelude`, at all.
    pub(super) is_there: bool,
    /// Whether the text begins with `module`, so that a part of what it compiles to is in other files.
    pub(super) is_module: bool,
    /// Bytes of the text up to the end of its last import.
    pub(super) bytes: Range<usize>,
}

/// Words that may stand before and after `import`.
const BEFORE: [&str; 4] = ["public", "private", "meta", "import"];

/// Reads the head of a text.
pub(super) fn head(text: &str) -> Head {
    let mut words = Words { text, at: 0 };
    let mut imports = vec!["Init".to_owned()];
    let mut end = 0;
    let mut next = words.next();
    let is_module = next.is_some_and(|word| word.1 == "module");
    for keyword in ["module", "prelude"] {
        if next.is_some_and(|word| word.1 == keyword) {
            end = words.at;
            if keyword == "prelude" {
                imports.clear();
            }
            next = words.next();
        }
    }
    while let Some((_, mut word)) = next {
        while word != "import" && BEFORE.contains(&word) {
            word = words.next().map_or("", |(_, word)| word);
        }
        if word != "import" {
            break;
        }
        let mut name = words.next().map_or("", |(_, word)| word);
        if name == "all" {
            name = words.next().map_or("", |(_, word)| word);
        }
        if name.is_empty() {
            break;
        }
        imports.push(name.to_owned());
        end = words.at;
        next = words.next();
    }
    imports.dedup();
    Head { imports, is_there: end > 0, is_module, bytes: 0..end }
}

/// The words of a text, without comments.
struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    /// The next word and where it begins.
    fn next(&mut self) -> Option<(usize, &'a str)> {
        self.at += blank_len(&self.text[self.at..]);
        let rest = &self.text[self.at..];
        let len = rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len());
        let start = self.at;
        self.at += len;
        (len > 0).then(|| (start, &rest[..len]))
    }
}

/// Bytes of white space and comments at the beginning of a text. A comment that nothing ends goes on to the end: who looks
/// behind it again and again would else look through all that follows each time.
pub(super) fn blank_len(text: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start().len();
        let rest = &text[at..];
        let len = if rest.starts_with("--") {
            Some(rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/-") && !rest.starts_with("/--") && !rest.starts_with("/-!") {
            Some(comment_len(rest).unwrap_or(rest.len()))
        } else {
            None
        };
        match len {
            Some(len) => at += len,
            None => return at,
        }
    }
}

/// Bytes of the block comment that a text begins with; comments stand in comments.
pub(super) fn comment_len(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let bytes = text.as_bytes();
    let mut at = 0;
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/-" => (depth, at) = (depth + 1, at + 2),
            b"-/" => (depth, at) = (depth.checked_sub(1)?, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_where_lean_finds_them() {
        for (text, imports, rest) in [
            ("", vec!["Init"], ""),
            (
                "import Mathlib\nimport Aesop\n\nopen Nat\n",
                vec!["Init", "Mathlib", "Aesop"],
                "\n\nopen Nat\n",
            ),
            ("prelude\nimport Init.Prelude", vec!["Init.Prelude"], ""),
            ("prelude\naxiom import", vec![], "\naxiom import"),
            (
                "-- import A\n/- import /- B -/ -/ import C -- D\ndef x := 1",
                vec!["Init", "C"],
                " -- D\ndef x := 1",
            ),
            (
                "module\npublic meta import all A.B\nprivate import C\npublic section",
                vec!["Init", "A.B", "C"],
                "\npublic section",
            ),
            ("import", vec!["Init"], "import"),
            ("theorem x : True := trivial\nimport A", vec!["Init"], "theorem x : True := trivial\nimport A"),
            ("/- import A", vec!["Init"], "/- import A"),
            ("import Init\nimport Init", vec!["Init"], ""),
        ] {
            let head = head(text);
            assert_eq!(head.imports, imports, "{text}");
            assert_eq!(&text[head.bytes.end..], rest, "{text}");
            assert_eq!((head.is_there, head.is_module), (head.bytes.end > 0, text.starts_with("module")));
        }
    }
}
