//! Shared by the end-to-end tests: the binary under test, tiny models and recipes, runs that are stopped at a stage, and
//! what a run folder holds as bytes.

// Every failure here is a failed test.
#![allow(clippy::unwrap_used)]

pub mod command;
pub mod files;
pub mod process;
pub mod recipe;

use std::io::Write;

/// Says that a test did not run and why. Past the test harness, which swallows what a passing test prints.
pub fn skip(test: &str, reason: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "SKIPPED: {test}: {reason}").unwrap();
}
