//! The file that a response makes: the reference's header and statement, and the proof.
//!
//! Which part of the response is Lean text is chosen as for programs (`answer/block.rs`): by label and place. How it
//! stands with the statement:
//!
//! | the text | the file |
//! | --- | --- |
//! | begins with an import | the header's imports, then the text without its own |
//! | states the theorem, or the mode is `file` | the header, then the text |
//! | begins with `:=` | the header, the statement, then the text |
//! | begins with `by`, or any other term | the header, the statement, `:=`, then the text |
//! | any other, where the problem was posed with `:= by` | the header, the statement, `:= by`, then the text as tactics |
//! | the mode is `tactics` | likewise |
//!
//! Nothing here decides what a proof is worth: a text that is put together badly does not compile, and one that means
//! something else than it should is found out in what was compiled.

use std::borrow::Cow;

use super::header::{blank_len, head};
use super::reference::{Mode, Reference, theorems};
use super::settings::LEANS_HEARTBEATS;
use crate::answer::{after_thinking, no_text, source_text, with_plain_line_ends, without_blank_start};

/// The longest proof that is compiled, in bytes.
pub(super) const MAX_PROOF_BYTES: usize = 1 << 20;
/// Labels of blocks that hold Lean text.
const LABELS: [&str; 4] = ["lean", "lean4", "lean-4", "lean_4"];
/// What a proof's lines are indented by where they have no indentation of their own.
const INDENT: &str = "  ";

/// A file, and where the response's own text stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The header's imports.
    pub(super) imports: String,
    /// Everything after the imports.
    pub(super) body: String,
    /// Lines of `body` before the first one that the response wrote.
    pub(super) lines_before: u32,
    /// What was taken from the response.
    pub(super) extracted: String,
}

impl Source {
    /// The whole file.
    pub(super) fn text(&self) -> String {
        format!("{}{}", self.imports, self.body)
    }

    /// The body for a back end that is started without this limit of heartbeats: it begins with the option, in its first
    /// line, so that every line keeps its number.
    pub(super) fn screened(&self, heartbeats: u64) -> Cow<'_, str> {
        if heartbeats == LEANS_HEARTBEATS {
            return Cow::Borrowed(&self.body);
        }
        Cow::Owned(format!("set_option maxHeartbeats {heartbeats} {}", self.body))
    }

    /// Whole lines of the file before its body.
    pub(super) fn lines_of_imports(&self) -> u32 {
        lines(&self.imports)
    }
}

/// What a response holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Source(Source),
    /// Nothing, and why.
    NoAnswer(String),
    /// A text that is not compiled, and why.
    Refused(String),
}

/// The file of a statement whose proof is left open. `header` is that of the reference or of the settings.
pub(super) fn statement(header: &str, reference: &Reference) -> Source {
    let mut source = under(header);
    source.push(&reference.statement);
    source.push(" := sorry\n");
    source
}

/// The file that a response makes.
pub(super) fn find(response: &str, header: &str, reference: &Reference) -> Found {
    let text = match after_thinking(response) {
        Ok(text) => with_plain_line_ends(text),
        Err(why) => return Found::NoAnswer(why.to_owned()),
    };
    let Some(text) = source_text(&text, |label| LABELS.contains(&label), |_| true) else {
        return Found::NoAnswer("no proof found: every fenced block is empty".to_owned());
    };
    let text = without_blank_start(&text).trim_end();
    if text.is_empty() {
        return Found::NoAnswer("no proof found: the response is empty".to_owned());
    }
    if text.len() > MAX_PROOF_BYTES {
        return Found::Refused(format!(
            "the proof has {} bytes; at most {MAX_PROOF_BYTES} are compiled",
            text.len()
        ));
    }
    if let Some(why) = no_text(text) {
        return Found::Refused(format!("the proof {why}"));
    }
    Found::Source(assemble(text, header, reference))
}

/// Puts a file together by the table in the module's documentation.
fn assemble(text: &str, header: &str, reference: &Reference) -> Source {
    let extracted = text.to_owned();
    let own = head(text);
    let mut source = under(header);
    if own.is_there {
        // A whole file; its imports are the header's, so that it stands on what the statement stands on. Lines that its
        // own took are left blank: what Lean says of a line is then about that line of the response.
        source.body = "\n".repeat(1 + text[own.bytes.clone()].matches('\n').count());
        source.lines_before = 1;
        source.body.push_str(&text[own.bytes.end..]);
    } else if reference.mode == Mode::File || states(text, &reference.name) {
        source.lines_before = lines(&source.body);
        source.body.push_str(text);
    } else {
        source.push(&reference.statement);
        let begins_with = |word: &str| begins_with(text, word);
        let by = match reference.mode {
            Mode::Tactics => true,
            _ => reference.has_by && !begins_with("by") && !begins_with(":="),
        };
        match () {
            () if begins_with(":=") => source.push("\n"),
            () if by && !begins_with("by") => source.push(" := by\n"),
            () => source.push(" :=\n"),
        }
        source.lines_before = lines(&source.body);
        source.body.push_str(&if by { indented(text) } else { Cow::Borrowed(text) });
    }
    source.body.push('\n');
    Source { extracted, ..source }
}

/// A file that has a header and nothing else yet.
fn under(header: &str) -> Source {
    let end = head(header).bytes.end;
    let (imports, rest) = header.split_at(end);
    let mut source = Source {
        imports: imports.to_owned(),
        body: rest.to_owned(),
        lines_before: 0,
        extracted: String::new(),
    };
    if !header.is_empty() && !source.body.ends_with('\n') {
        source.body.push('\n');
    }
    source
}

impl Source {
    fn push(&mut self, text: &str) {
        self.body.push_str(text);
    }
}

/// Whole lines of a text.
fn lines(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

/// Whether a text states a theorem of that name.
fn states(text: &str, name: &str) -> bool {
    let last = |name: &'_ str| name.strip_prefix("_root_.").unwrap_or(name).to_owned();
    theorems(text).any(|found| {
        let found = last(found);
        name == found || name.ends_with(&format!(".{found}"))
    })
}

/// Whether a text's first word, after comments, is that one.
fn begins_with(text: &str, word: &str) -> bool {
    text[blank_len(text)..].strip_prefix(word).is_some_and(|rest| {
        let is_symbol = !word.chars().all(char::is_alphanumeric);
        is_symbol || !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '\'' || c == '.')
    })
}

/// Tactics as the lines of a block: indented, if the first one is not.
fn indented(text: &str) -> Cow<'_, str> {
    if text.starts_with([' ', '\t']) {
        return Cow::Borrowed(text);
    }
    let lines = text
        .lines()
        .map(|line| if line.trim().is_empty() { String::new() } else { format!("{INDENT}{line}") });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const HEADER: &str = "import Mathlib\n\nopen Nat\n";

    fn body(response: &str, mut reference: Value) -> String {
        reference["statement"] = reference.get("statement").cloned().unwrap_or(json!("theorem A.t : 1 = 1"));
        reference["name"] = json!("A.t");
        let reference = serde_json::from_value(reference).unwrap();
        match find(response, HEADER, &reference) {
            Found::Source(source) => {
                assert_eq!(source.imports, "import Mathlib");
                let own = source.body.lines().nth(source.lines_before as usize).unwrap();
                assert!(own.trim().is_empty() || source.extracted.contains(own.trim()), "{source:?}");
                source.body
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn proofs_stand_under_their_statement() {
        let by = || json!({"statement": "theorem A.t : 1 = 1 := by\n"});
        for (response, reference, expected) in [
            ("rfl", json!({}), "\n\nopen Nat\ntheorem A.t : 1 = 1 :=\nrfl\n"),
            ("by rfl", json!({}), "\n\nopen Nat\ntheorem A.t : 1 = 1 :=\nby rfl\n"),
            (":= by\n  rfl", json!({}), "\n\nopen Nat\ntheorem A.t : 1 = 1\n:= by\n  rfl\n"),
            ("I see.\n```lean4\nrfl\n```\nDone.", json!({}), "\n\nopen Nat\ntheorem A.t : 1 = 1 :=\nrfl\n"),
            ("  norm_num\n  rfl", by(), "\n\nopen Nat\ntheorem A.t : 1 = 1 := by\n  norm_num\n  rfl\n"),
            ("norm_num\n\nrfl", by(), "\n\nopen Nat\ntheorem A.t : 1 = 1 := by\n  norm_num\n\n  rfl\n"),
            ("-- so\nby rfl", by(), "\n\nopen Nat\ntheorem A.t : 1 = 1 :=\n-- so\nby rfl\n"),
            ("bycases", by(), "\n\nopen Nat\ntheorem A.t : 1 = 1 := by\n  bycases\n"),
            ("  rfl\n```", by(), "\n\nopen Nat\ntheorem A.t : 1 = 1 := by\n  rfl\n"),
            (
                "intro\nrfl",
                json!({"mode": "tactics"}),
                "\n\nopen Nat\ntheorem A.t : 1 = 1 := by\n  intro\n  rfl\n",
            ),
            ("def x := 1", json!({"mode": "file"}), "\n\nopen Nat\ndef x := 1\n"),
            ("theorem A.t : 1 = 1 := rfl", json!({}), "\n\nopen Nat\ntheorem A.t : 1 = 1 := rfl\n"),
            (
                "namespace A\nlemma t : 1 = 1 := rfl",
                json!({}),
                "\n\nopen Nat\nnamespace A\nlemma t : 1 = 1 := rfl\n",
            ),
            (
                "import Aesop\nopen Int\ntheorem A.t : 1 = 1 := rfl",
                json!({}),
                "\n\nopen Int\ntheorem A.t : 1 = 1 := rfl\n",
            ),
        ] {
            assert_eq!(body(response, reference.clone()), expected, "{response} {reference}");
        }
    }

    #[test]
    fn lines_of_a_file_with_imports_of_its_own_keep_their_numbers() {
        let reference = serde_json::from_value(json!({"statement": "theorem t : 1 = 1"})).unwrap();
        let response = "import A\n-- and\nimport B\n\ntheorem t : 1 = 1 := rfl";
        let Found::Source(source) = find(response, HEADER, &reference) else { panic!() };
        let body: Vec<_> = source.body.lines().skip(source.lines_before as usize).collect();
        assert_eq!(body, ["", "", "", "", "theorem t : 1 = 1 := rfl"]);
    }

    #[test]
    fn comments_that_nothing_ends_are_looked_through_once() {
        let reference = serde_json::from_value(json!({"statement": "theorem t : 1 = 1"})).unwrap();
        let before = std::time::Instant::now();
        for text in ["theorem /- ", "theorem --", "lemma «", "by /-", "import /-"] {
            let long = text.repeat(MAX_PROOF_BYTES / text.len());
            assert!(matches!(find(&long, HEADER, &reference), Found::Source(_)), "{text}");
        }
        assert!(before.elapsed().as_secs() < 5, "{:?}", before.elapsed());
    }

    #[test]
    fn a_limit_of_heartbeats_that_is_not_leans_own_stands_before_the_body() {
        let reference = serde_json::from_value(json!({"statement": "theorem t : 1 = 1"})).unwrap();
        let source = statement(HEADER, &reference);
        assert_eq!(source.screened(200_000), source.body);
        let expected = "set_option maxHeartbeats 7 \n\nopen Nat\ntheorem t : 1 = 1 := sorry\n";
        assert_eq!(source.screened(7), expected);
    }

    #[test]
    fn what_is_no_proof_is_told() {
        for (response, expected) in [
            ("", "NoAnswer(\"no proof found: the response is empty"),
            ("```lean\n```", "NoAnswer(\"no proof found: every fenced block is empty"),
            ("<think>rfl", "NoAnswer(\"no answer found: the thinking never ends"),
            ("r\0fl", "Refused(\"the proof has a NUL character, at byte 1"),
        ] {
            assert!(body(response, json!({})).starts_with(expected), "{response}");
        }
        assert!(body(&"a".repeat(5 << 20), json!({})).starts_with("Refused(\"the proof has 5242880 bytes"));
    }

    #[test]
    fn a_statement_is_compiled_with_its_proof_left_open() {
        let reference = serde_json::from_value(json!({"statement": "theorem t : 1 = 1 := by"})).unwrap();
        let source = statement("import Mathlib\nopen Nat", &reference);
        assert_eq!(source.text(), "import Mathlib\nopen Nat\ntheorem t : 1 = 1 := sorry\n");
    }
}
