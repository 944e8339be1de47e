//! `process`: a program in any language that reads requests and writes answers, one JSON object a line.
//!
//! The program gets `{"id", "problem", "reference", "response"}` on its standard input and writes
//! `{"id", "score", "reason"?, "extracted"?, "kind"?}` or `{"id", "undecided": cause}` on its standard output, for each
//! request one line, flushed. It is kept running and asked one request at a time; as many copies run as there are
//! verifications at once. Standard error is for messages: the end of it is shown where something goes wrong.
//!
//! | the program | the verdict |
//! | --- | --- |
//! | answers in time | what it says |
//! | does not answer in time | undecided (timeout); it is killed with its process group |
//! | ends, or closes its standard output, before its answer | asked once more of a fresh copy, then undecided (crash) |
//! | writes what is no answer, or more than one, or without end | undecided (rubbish); it is killed |
//! | says `undecided` | undecided (declined) |
//! | cannot be started | undecided (unreachable); an error where it is found before any work |
//!
//! Architecture invariant: nothing here waits without a deadline, and no process is left once its [`Process`] is gone.

mod child;
mod guard;
mod launch;
mod pool;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::budget::Budget;
use crate::protocol::{Ids, request};
use crate::verdict::{CauseKind, Verdict};
use crate::verifier::{Item, Response, Verifier};
use child::Fault;
use launch::Launch;
use pool::Pool;

/// The settings of [`Process`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProcessSettings {
    /// The program and its arguments. Required. No shell reads it. A program with a `/` in it is a path, seen from
    /// `cwd`; another is looked for on the `PATH`.
    pub command: Vec<String>,
    /// The folder that the program runs in; the current one unless set.
    pub cwd: Option<PathBuf>,
    /// Environment variables for the program, beside those that there are.
    pub env: BTreeMap<String, String>,
    /// Address space of each process of the program, in MiB; no limit unless set. Programs that reserve much more than
    /// they use (Java, CUDA) need a high one.
    pub memory_mb: Option<u64>,
    /// Verdicts after which the program is ended and started anew, at least 1. Default 10,000.
    pub uses: u64,
    /// KiB that the program may write for one request, at least 1. Default 1024.
    pub max_output_kb: usize,
}

impl Default for ProcessSettings {
    fn default() -> Self {
        Self {
            command: Vec::new(),
            cwd: None,
            env: BTreeMap::new(),
            memory_mb: None,
            uses: 10_000,
            max_output_kb: 1024,
        }
    }
}

impl ProcessSettings {
    /// Refuses values that cannot be meant.
    fn check(&self) -> Result<(), String> {
        if self.command.first().is_none_or(|program| program.is_empty()) {
            let example = r#"["python3", "verifier.py"]"#;
            return Err(format!("`command` must be a list of the program and its arguments, as {example}"));
        }
        let has_nul = |text: &String| text.contains('\0');
        if self.command.iter().chain(self.env.keys()).chain(self.env.values()).any(has_nul) {
            return Err("`command` and `env` must be without NUL characters".to_owned());
        }
        if self.env.keys().any(|name| name.is_empty() || name.contains('=')) {
            return Err("the names in `env` must be neither empty nor with a `=`".to_owned());
        }
        for (key, value) in [("uses", self.uses), ("max_output_kb", self.max_output_kb as u64)] {
            if value == 0 {
                return Err(format!("`{key}` must be at least 1, found 0"));
            }
        }
        if self.memory_mb == Some(0) {
            return Err("`memory_mb` must be at least 1, or left out for no limit, found 0".to_owned());
        }
        Ok(())
    }
}

/// Judges by a program: see the module's documentation.
#[derive(Debug)]
pub struct Process {
    pool: Pool,
    ids: Ids,
    max_output_bytes: usize,
}

impl Verifier for Process {
    const NAME: &'static str = "process";
    const ABOUT: &'static str = "a program in any language that answers JSON lines";
    const FIRST_FIELD: &'static str = "";
    const EXTERNAL: bool = true;
    type Settings = ProcessSettings;
    type Reference = Value;

    fn new(settings: ProcessSettings) -> Result<Self, String> {
        settings.check()?;
        let max_output_bytes = settings.max_output_kb.saturating_mul(1024);
        let uses = settings.uses;
        let pool = Pool::new(Launch::new(settings), uses);
        Ok(Self { pool, ids: Ids::default(), max_output_bytes })
    }

    fn ready(&self) -> Result<(), String> {
        self.pool.ready()
    }

    fn take_complaints(&self) -> Vec<String> {
        self.pool.take_complaints()
    }

    fn verify(&self, item: &Item<Value>, response: &Response<'_>, budget: &Budget) -> Verdict {
        let mut is_retry = false;
        loop {
            let mut child = match self.pool.take() {
                Ok(child) => child,
                Err(problem) => return Verdict::undecided(CauseKind::Unreachable, problem),
            };
            let id = self.ids.next();
            let mut line = request(&id, item, response);
            line.push('\n');
            match child.ask(&id, line.as_bytes(), budget, self.max_output_bytes) {
                Ok(verdict) => {
                    self.pool.give_back(child);
                    return verdict;
                }
                Err(fault) => {
                    // Killed before the verdict is given, so that nothing runs once it is known.
                    drop(child);
                    let Fault { kind, message, may_retry } = fault;
                    if !may_retry || is_retry || budget.expired() {
                        let again = if is_retry { " (the second time for this request)" } else { "" };
                        return Verdict::undecided(kind, format!("{message}{again}"));
                    }
                    self.pool.complain(format!("a request had to be asked again: {message}"));
                    is_retry = true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(settings: Value) -> String {
        let settings = serde_json::from_value(settings).map_err(|error| error.to_string());
        settings.and_then(Process::new).unwrap_err()
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused() {
        let cases = [
            (json!({}), "`command` must be a list of the program and its arguments"),
            (json!({"command": [""]}), "`command` must be a list"),
            (json!({"command": "python3 x.py"}), "expected a sequence"),
            (json!({"command": ["a\u{0}b"]}), "without NUL"),
            (json!({"command": ["a"], "env": {"A=B": "c"}}), "names in `env`"),
            (json!({"command": ["a"], "uses": 0}), "`uses` must be at least 1, found 0"),
            (json!({"command": ["a"], "max_output_kb": 0}), "`max_output_kb` must be at least 1"),
            (json!({"command": ["a"], "memory_mb": 0}), "`memory_mb` must be at least 1"),
            (json!({"command": ["a"], "memory": 1}), "unknown field `memory`"),
        ];
        for (settings, expected) in cases {
            let error = refused(settings.clone());
            assert!(error.contains(expected), "{settings}: {error}");
        }
    }
}
