//! The program in a response: which part of it is code, and how that stands with the code that was given.
//!
//! # Which part
//!
//! 1. What follows the last end-of-thinking mark. Thinking that begins and never ends holds no program.
//! 2. The last fenced block that is labelled with the language; without one, the last that has no label; without one, the
//!    last of any label. So sample output or a shell command after the program is not taken for it. Empty blocks are
//!    passed over. What a block is: `answer/fences.rs`.
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

mod given;
mod lines;
#[cfg(test)]
mod shared_data;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::language::{PYTHON, is_label};
use super::reference::Reference;
use crate::answer::{after_thinking, no_text, source_text, with_plain_line_ends, without_blank_start};

/// The longest program that is run, in bytes.
pub(super) const MAX_PROGRAM_BYTES: usize = 1 << 20;

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
    let is_code = |text: &str| language == PYTHON && given::is_code(text);
    let Some(program) = source_text(&text, |label| is_label(language, label), is_code) else {
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

/// Refuses what no program is.
fn check(program: &str) -> Result<(), String> {
    let num_bytes = program.len();
    if num_bytes > MAX_PROGRAM_BYTES {
        return Err(format!("the program has {num_bytes} bytes; at most {MAX_PROGRAM_BYTES} are run"));
    }
    match no_text(program) {
        Some(why) => Err(format!("the program {why}")),
        None => Ok(()),
    }
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
