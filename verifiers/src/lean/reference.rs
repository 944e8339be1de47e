//! What a proof is a proof of: the statement, the text before it, and the name of the theorem.

use serde::Deserialize;

mod mask;

use mask::{is_of_word, masked};

/// Words that begin a theorem.
const KEYWORDS: [&str; 2] = ["theorem", "lemma"];

/// What a response is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// A proof, as a term or a `by` block; or the theorem with its proof once more.
    #[default]
    Proof,
    /// A file that holds the theorem.
    File,
    /// Tactics, one a line.
    Tactics,
}

/// A reference answer of the kind `lean`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Reference {
    /// Full name of the theorem, with its namespaces.
    pub name: String,
    /// Text before the statement; none where the settings' header stands there.
    pub header: Option<String>,
    /// The theorem up to its `:=`, which it does not have.
    pub statement: String,
    /// What stands between the statement and a proof: `:= by` where the problem was posed with that.
    pub has_by: bool,
    /// What a response is.
    pub mode: Mode,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    statement: String,
    name: Option<String>,
    header: Option<String>,
    #[serde(default)]
    mode: Mode,
}

impl TryFrom<Raw> for Reference {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let (statement, has_by) = without_proof(&raw.statement)?;
        for text in [Some(statement), raw.header.as_deref(), raw.name.as_deref()].into_iter().flatten() {
            if text.contains('\0') {
                return Err(
                    "the statement, the header and the name must be text, found a NUL character".to_owned()
                );
            }
        }
        let found = theorem_name(statement).ok_or_else(|| {
            "\"statement\" must be a theorem, as in \"theorem name : 1 = 1\"; found neither `theorem` nor `lemma` with \
             a name"
                .to_owned()
        })?;
        let name = match raw.name {
            None => found.to_owned(),
            Some(name) if is_name_of(&name, found) => name,
            Some(name) => {
                return Err(format!(
                    "\"name\" must be that of the theorem in \"statement\", {found:?}, or that with its namespaces \
                     before it; found {name:?}"
                ));
            }
        };
        Ok(Self { name, header: raw.header, statement: statement.to_owned(), has_by, mode: raw.mode })
    }
}

/// Whether a full name is that of a theorem that is written with the other one.
fn is_name_of(full: &str, written: &str) -> bool {
    let written = written.strip_prefix("_root_.").unwrap_or(written);
    full == written || full.strip_suffix(written).is_some_and(|namespaces| namespaces.ends_with('.'))
}

/// A statement without what its problem was posed with: `:= by sorry`, `:= sorry`, `:= by`, `:=`, and comments there. And
/// whether a `by` was there that the model was to go on from.
fn without_proof(statement: &str) -> Result<(&str, bool), String> {
    let text = statement.trim();
    let masked = masked(text);
    if masked.is_open {
        return Err(format!(
            "\"statement\" must be a whole theorem, found a comment that does not end: {:?}",
            crate::error::shorten(statement, 300)
        ));
    }
    let mut code = masked.code.trim_end();
    let had_sorry = strip_word(&mut code, "sorry");
    let had_by = strip_word(&mut code, "by");
    let had_assignment = code.strip_suffix(":=").map(|rest| code = rest.trim_end()).is_some();
    if (had_sorry || had_by) && !had_assignment {
        return Err(format!(
            "\"statement\" must be the theorem without a proof, or with `:= sorry`, found at its end: {:?}",
            crate::error::shorten(statement, 300)
        ));
    }
    Ok((&text[..code.len()], had_by && !had_sorry))
}

fn strip_word(text: &mut &str, word: &str) -> bool {
    match text.strip_suffix(word) {
        Some(rest) if rest.ends_with(|c: char| c.is_whitespace() || c == '=') => {
            *text = rest.trim_end();
            true
        }
        _ => false,
    }
}

/// The name after the last `theorem` or `lemma` that begins a word outside of comments.
pub(super) fn theorem_name(text: &str) -> Option<&str> {
    theorems(text).last()
}

/// The names after each `theorem` or `lemma` that stands as a word outside of comments and strings.
pub(super) fn theorems(text: &str) -> impl Iterator<Item = &str> {
    let code = masked(text).code;
    let mut at = 0;
    let mut is_after_word = false;
    std::iter::from_fn(move || {
        while let Some(c) = code[at..].chars().next() {
            let rest = &code[at..];
            let keyword = KEYWORDS.iter().find(|word| rest.starts_with(**word)).filter(|_| !is_after_word);
            is_after_word = is_of_word(c);
            let Some(keyword) = keyword else {
                at += c.len_utf8();
                continue;
            };
            let after = &rest[keyword.len()..];
            let blank = after.len() - after.trim_start().len();
            at += keyword.len() + blank;
            is_after_word = blank == 0;
            // White space of the code is that of the text, or covers whole comments of it.
            let name = if blank > 0 { name_at(&text[at..]) } else { "" };
            at += name.len();
            if !name.is_empty() {
                return Some(name);
            }
        }
        None
    })
}

/// The name that a text begins with, up to its binders, colon or universe names; `«»` hold anything.
fn name_at(text: &str) -> &str {
    let mut is_quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '«' => is_quoted = true,
            '»' => is_quoted = false,
            _ if is_quoted => {}
            // `name.{u}` and `name:`.
            '.' if text[at + 1..].starts_with('{') => return &text[..at],
            _ if c.is_whitespace() || ":({[⦃|=".contains(c) => return &text[..at],
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Result<Reference, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn statements_lose_what_their_problem_was_posed_with() {
        for (statement, left, has_by) in [
            ("theorem t : 1 = 1", "theorem t : 1 = 1", false),
            ("theorem t : 1 = 1 :=", "theorem t : 1 = 1", false),
            ("theorem t : 1 = 1 := by\n", "theorem t : 1 = 1", true),
            ("theorem t : 1 = 1 := by sorry", "theorem t : 1 = 1", false),
            ("theorem t : 1 = 1 := sorry\n", "theorem t : 1 = 1", false),
            ("theorem t : 1 = 1:=sorry", "theorem t : 1 = 1", false),
            ("theorem t (f : Nat → Nat := id) : f = f", "theorem t (f : Nat → Nat := id) : f = f", false),
            ("theorem t : p nearby", "theorem t : p nearby", false),
            ("theorem t : 1 = 1 := by sorry -- easy", "theorem t : 1 = 1", false),
            ("theorem t : 1 = 1 := by\n  sorry /- to do -/ -- soon\n", "theorem t : 1 = 1", false),
            ("theorem t : 1 = 1 := by -- fill in\n sorry", "theorem t : 1 = 1", false),
            ("theorem t : 1 = 1 := by -- fill in", "theorem t : 1 = 1", true),
            ("theorem t : 1 = 1 :=  -- proof", "theorem t : 1 = 1", false),
            ("theorem t : 1 = 1 :=/- a /- b -/ -/sorry", "theorem t : 1 = 1", false),
            ("theorem t : 1 = 1 -- easy\n  := by sorry", "theorem t : 1 = 1", false),
            ("theorem t : 1 = 1 -- easy", "theorem t : 1 = 1", false),
            ("theorem t -- := by sorry\n  : 1 = 1 := sorry", "theorem t -- := by sorry\n  : 1 = 1", false),
            ("theorem t : f /- := -/ = 1 := by", "theorem t : f /- := -/ = 1", true),
            ("theorem t : \"a -- b\" = s := sorry", "theorem t : \"a -- b\" = s", false),
            ("theorem t : '\"' = '-' := sorry -- \"", "theorem t : '\"' = '-'", false),
            ("theorem t : «a -- := sorry» := by", "theorem t : «a -- := sorry»", true),
            ("theorem t : s = \" sorry\"", "theorem t : s = \" sorry\"", false),
            (
                "-- first\n/-- := sorry -- \" -/\ntheorem t : True := sorry",
                "-- first\n/-- := sorry -- \" -/\ntheorem t : True",
                false,
            ),
        ] {
            let reference = read(json!({"statement": statement})).unwrap();
            assert_eq!((reference.statement.as_str(), reference.has_by), (left, has_by), "{statement}");
            assert_eq!(reference.name, "t");
        }
    }

    #[test]
    fn names_are_those_of_the_statement() {
        for (statement, name) in [
            ("theorem a.b {n : Nat} : True", "a.b"),
            ("theorem a.{u} (α : Type u) : True", "a"),
            ("lemma «1 + 1 = 2»: True", "«1 + 1 = 2»"),
            ("/-- theorem no -/ -- theorem nor\n@[simp] private theorem\n  yes: True", "yes"),
            ("theorem first : True := trivial\ntheorem second : True", "second"),
            ("def s := \"theorem x\"\ntheorem y : True", "y"),
            ("open theorems\ntheorem' z\nlemma w[Inst] : True", "w"),
        ] {
            assert_eq!(theorem_name(statement), Some(name), "{statement}");
        }
        assert_eq!(theorem_name("def x := 1"), None);
        assert_eq!(theorems("theorem a : b\nlemma c : d").collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn bad_references_say_what_is_wrong() {
        for (reference, expected) in [
            (json!({"statement": "1 = 1"}), "must be a theorem"),
            (json!({"statement": ""}), "must be a theorem"),
            (
                json!({"statement": "theorem t : 1 = 1", "name": "s"}),
                "that of the theorem in \"statement\", \"t\"",
            ),
            (json!({"statement": "theorem t : 1 = 1", "name": "xt"}), "found \"xt\""),
            (json!({"statement": "theorem t : 1 = 1 by sorry"}), "must be the theorem without a proof"),
            (json!({"statement": "theorem t : 1 = 1 := by simp; sorry -- rest"}), "found at its end"),
            (json!({"statement": "theorem t : 1 = 1 := sorry /- rest"}), "a comment that does not end"),
            (json!({"statement": "theorem t : 1 = 1", "mode": "guess"}), "unknown variant `guess`"),
            (json!({"statement": "theorem t : 1 = 1", "proof": "rfl"}), "unknown field `proof`"),
            (json!({"name": "t"}), "missing field `statement`"),
            (json!({"statement": "theorem t : 1 = 1\0"}), "NUL"),
        ] {
            let error = read(reference.clone()).unwrap_err();
            assert!(error.contains(expected), "{reference}: {error}");
        }
        assert_eq!(read(json!({"statement": "theorem t : True", "name": "A.B.t"})).unwrap().name, "A.B.t");
        assert_eq!(read(json!({"statement": "theorem _root_.t : True", "name": "t"})).unwrap().name, "t");
    }
}
