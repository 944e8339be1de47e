//! The options of a problem: letters, each with a text where the data has one.

use std::fmt::Write as _;

use serde_json::Value;

use crate::answer::{MAX_BYTES, plain};
use crate::error::shorten;

/// Options that one problem may have: one for each letter.
const MAX_OPTIONS: usize = 26;

/// The text of an option, without its dress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) plain: String,
    /// In lower case.
    pub(super) folded: String,
}

/// The options of a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    labels: Vec<char>,
    /// Of each label; empty where only letters are known.
    texts: Vec<Text>,
}

impl Options {
    /// All letters, without texts.
    pub(super) fn letters() -> Self {
        Self { labels: ('A'..='Z').collect(), texts: Vec::new() }
    }

    /// The options as the data has them: an object of texts by letter, a list of texts, which then are A, B and so on, or a
    /// list of objects with "label" and "text".
    pub(super) fn parse(value: &Value) -> Result<Self, String> {
        let expected = r#"`options` must be texts by letter, {"A": "...", "B": "..."}, or a list of texts"#;
        let labelled: Vec<(char, String)> = match value {
            Value::Object(map) => map
                .iter()
                .map(|(name, text)| Ok((label(name)?, option_text(text)?)))
                .collect::<Result<_, String>>()?,
            Value::Array(list) if list.iter().all(Value::is_object) => {
                list.iter().map(labelled_option).collect::<Result<_, String>>()?
            }
            Value::Array(list) => {
                let texts = list.iter().map(option_text).collect::<Result<Vec<_>, String>>()?;
                ('A'..='Z').zip(without_letters(&texts)).collect()
            }
            other => return Err(format!("{expected}, found {}", shorten(&other.to_string(), 80))),
        };
        let num_given = value.as_array().map_or(labelled.len(), Vec::len);
        if !(1..=MAX_OPTIONS).contains(&num_given) {
            return Err(format!("{expected}, from 1 to {MAX_OPTIONS} of them, found {num_given}"));
        }
        let mut options = Self { labels: Vec::new(), texts: Vec::new() };
        for (label, text) in labelled {
            if options.labels.contains(&label) {
                return Err(format!("`options` has two options with the letter {label}"));
            }
            let plain = plain(&text);
            if plain.is_empty() {
                return Err(format!(
                    "the text of option {label} is empty; leave `options` out if only letters count"
                ));
            }
            options.labels.push(label);
            options.texts.push(Text { folded: plain.to_lowercase(), plain });
        }
        Ok(options)
    }

    /// The letter of an option.
    pub(super) fn label(&self, option: usize) -> char {
        self.labels[option]
    }

    /// The option with that letter.
    pub(super) fn by_letter(&self, letter: char) -> Option<usize> {
        self.labels.iter().position(|label| *label == letter)
    }

    /// The texts, in the order of the options; none where only letters are known.
    pub(super) fn texts(&self) -> &[Text] {
        &self.texts
    }

    /// The letters, for messages: "A to E", or "A, C, D" where some are missing.
    pub(super) fn names(&self) -> String {
        let is_run = self.labels.windows(2).all(|pair| u32::from(pair[1]) == u32::from(pair[0]) + 1);
        match self.labels.as_slice() {
            [first, .., last] if is_run => format!("{first} to {last}"),
            labels => labels.iter().fold(String::new(), |mut names, label| {
                let separator = if names.is_empty() { "" } else { ", " };
                // Writing to a string cannot fail.
                let _ = write!(names, "{separator}{label}");
                names
            }),
        }
    }
}

/// The letter that names an option: `B`, `(B)`, `B)`, `B.`.
fn label(name: &str) -> Result<char, String> {
    let bare = name.trim().trim_start_matches('(').trim_end_matches([')', '.', ':']);
    let mut chars = bare.chars();
    match (chars.next(), chars.next()) {
        (Some(letter), None) if letter.is_ascii_alphabetic() => Ok(letter.to_ascii_uppercase()),
        _ => Err(format!("the options' names must be letters from A to Z, found {:?}", shorten(name, 40))),
    }
}

fn labelled_option(value: &Value) -> Result<(char, String), String> {
    match (value.get("label").and_then(Value::as_str), value.get("text")) {
        (Some(name), Some(text)) => Ok((label(name)?, option_text(text)?)),
        _ => {
            let shown = shorten(&value.to_string(), 80);
            Err(format!(r#"an option that is an object must have "label" and "text", found {shown}"#))
        }
    }
}

fn option_text(value: &Value) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        other => {
            return Err(format!("an option must be a text, found {}", shorten(&other.to_string(), 80)));
        }
    };
    if text.len() > MAX_BYTES {
        return Err(format!("an option may have {MAX_BYTES} bytes, found one of {}", text.len()));
    }
    Ok(text)
}

/// The texts without their letters, where each begins with its own: "A) True", "B) False".
fn without_letters(texts: &[String]) -> Vec<String> {
    let bare = |(letter, text): (char, &String)| {
        let text = text.trim();
        [format!("({letter})"), format!("{letter})"), format!("{letter}."), format!("{letter}:")]
            .iter()
            .find_map(|start| text.strip_prefix(start.as_str()))
            .map(|rest| rest.trim_start().to_owned())
    };
    let stripped: Option<Vec<String>> = ('A'..='Z').zip(texts).map(bare).collect();
    stripped.unwrap_or_else(|| texts.to_vec())
}
