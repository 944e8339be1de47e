//! The program in a response: which part of it is code, and how that stands with the code that was given.
//!
//! # Which part
//!
//! 1. What follows the last end-of-thinking mark. Thinking that begins and never ends holds no program.
//! 2. The last fenced block that is labelled with the language; without one, the last that has no label; without one, the
//!    last of any label. So sample output or a shell command after the program is not taken for it. Empty blocks are
//!    passed over. What a block is: [`fences`].
//! 3. Without a fence, the whole text.
//!
//! One fence without a label that nothing ends is the end of a block that the prompt began, if nothing follows it or what
//! stands before it is Python code by its looks: the program is then what stands before.
//!
//! One block is chosen by its label and its place, never by what it does, so a response has one try.
//!
//! # How it stands
//!
//! Where the reference gives code (`prompt`), a program that defines the entry point at its top level stands alone under
//! it: two sources, so that a `from __future__` at the program's head is at the head of a source. Any other program
//! continues the given code, as one source with it; see [`given`] for the indentation that is mended there.

mod fences;
mod given;
mod lines;
#[cfg(test)]
mod shared_data;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::Serialize;

use super::language::{PYTHON, is_label};
use super::reference::Reference;
use crate::answer::after_thinking;
use fences::{Block, blocks};

/// The longest program that is run, in bytes.
pub(super) const MAX_PROGRAM_BYTES: usize = 1 << 20;
/// Of how many characters one may be a control character before a text is no text.
const CHARS_FOR_ONE_CONTROL: usize = 10;

/// What a response holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A program.
    Program(Program),
    /// None, and why.
    NoAnswer(String),
    /// One that is not run, and why.
    Refused(String),
}

/// A program that was found in a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    /// Its text as the response has it.
    pub extracted: String,
    /// What is run, in order, in one module.
    pub sources: Vec<Source>,
}

/// A text that is compiled and run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Source {
    /// What tracebacks call it.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

impl Source {
    fn prompt(text: impl Into<String>) -> Self {
        Self { name: "<prompt>", text: text.into() }
    }

    fn answer(text: impl Into<String>) -> Self {
        Self { name: "<answer>", text: text.into() }
    }
}

/// Finds the program in a response to a problem. `default_language` is that of the settings.
pub(super) fn find(response: &str, reference: &Reference, default_language: &str) -> Found {
    let language = reference.language(default_language);
    let text = match after_thinking(response) {
        Ok(text) => with_plain_line_ends(text),
        Err(why) => return Found::NoAnswer(why.to_owned()),
    };
    let Some(program) = chosen(&text, language) else {
        return Found::NoAnswer("no program found: every fenced block is empty".to_owned());
    };
    let program = without_blank_start(&program);
    if program.trim().is_empty() {
        return Found::NoAnswer("no program found: the response is empty".to_owned());
    }
    if let Err(why) = check(program) {
        return Found::Refused(why);
    }
    Found::Program(Program { extracted: program.to_owned(), sources: sources(program, reference, language) })
}

/// A text whose line ends are `\n`: Python takes `\r` alone for one too, which nothing here should overlook.
fn with_plain_line_ends(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The part of a text that is the program, by the rules of the module's documentation; none where all blocks are empty.
fn chosen<'a>(text: &'a str, language: &str) -> Option<Cow<'a, str>> {
    let mut is_fenced = false;
    let mut labelled: Option<Block> = None;
    let mut unlabelled: Option<Block> = None;
    let mut other: Option<Block> = None;
    for block in blocks(text, |label| is_label(language, label)) {
        let is_empty = text[block.content.clone()].trim().is_empty();
        let before = &text[..block.start];
        let is_lone = !is_fenced && !block.is_closed && block.label.is_empty();
        let is_end = is_empty || (language == PYTHON && given::is_code(before));
        if is_lone && is_end && !before.trim().is_empty() {
            return Some(Cow::Borrowed(before));
        }
        is_fenced = true;
        let place = match block.label.as_str() {
            _ if is_empty => continue,
            label if is_label(language, label) => &mut labelled,
            "" => &mut unlabelled,
            _ => &mut other,
        };
        *place = Some(block);
    }
    match labelled.or(unlabelled).or(other) {
        Some(block) => Some(Cow::Owned(block.text(text))),
        None if is_fenced => None,
        None => Some(Cow::Borrowed(text)),
    }
}

/// A text from its first line that is not blank, without a byte order mark, which Python does not take in a text.
fn without_blank_start(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let blank = text.len() - text.trim_start().len();
    let line_start = text[..blank].rfind('\n').map_or(0, |end| end + 1);
    &text[line_start..]
}

/// Refuses what no program is.
fn check(program: &str) -> Result<(), String> {
    let num_bytes = program.len();
    if num_bytes > MAX_PROGRAM_BYTES {
        return Err(format!("the program has {num_bytes} bytes; at most {MAX_PROGRAM_BYTES} are run"));
    }
    if let Some(at) = program.find('\0') {
        return Err(format!("the program has a NUL character, at byte {at}"));
    }
    let is_rubbish = |c: &char| *c == '\u{fffd}' || (c.is_control() && !c.is_ascii_whitespace());
    let (num_chars, num_rubbish) = (program.chars().count(), program.chars().filter(is_rubbish).count());
    if num_rubbish > num_chars / CHARS_FOR_ONE_CONTROL {
        return Err(format!(
            "the program is no text: {num_rubbish} of its {num_chars} characters are control or replacement characters"
        ));
    }
    Ok(())
}

/// What is run.
fn sources(program: &str, reference: &Reference, language: &str) -> Vec<Source> {
    if language != PYTHON {
        return vec![Source::answer(program)];
    }
    let whole = given::dedented(program);
    let (prompt, entry_point) = reference.given();
    if prompt.trim().is_empty() {
        return vec![Source::answer(whole)];
    }
    if entry_point.is_none_or(|name| given::is_program_with(&whole, name)) {
        return vec![Source::prompt(given_code(reference)), Source::answer(whole)];
    }
    vec![Source::answer(given::continued(&with_plain_line_ends(prompt), program))]
}

/// The reference's given code as it can be run by itself, for the judge as for the solution: a function in it that has
/// no body yet has one that does nothing. Empty where no code is given.
pub(super) fn given_code(reference: &Reference) -> String {
    given::closed(&with_plain_line_ends(reference.given().0)).into_owned()
}
