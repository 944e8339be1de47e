//! The Python side of the kind `code`: its own tests, which need nothing but a Python, and verify through two plain
//! processes joined by a channel.
//!
//! `POLESTAR_SHARED` names the folder of benchmark data; `POLESTAR_CODE_PYTHON` a Python that has pytest, `python3` is
//! taken where it is not set. What lacks one of them says so.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::Path;
use std::process::Command;

/// Runs one file of tests and shows what it printed.
fn run(python: &str, file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/code_python").join(file);
    let output = Command::new(python).arg("-B").arg(&path).output();
    let output = output.unwrap_or_else(|error| panic!("the tests need {python} on the PATH: {error}"));
    let texts = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    println!("{}", texts.join("\n"));
    assert!(output.status.success(), "{file} failed under {python}");
}

#[test]
fn values_travel_as_they_are_and_rubbish_is_refused() {
    run("python3", "test_wire.py");
}

#[test]
fn asserts_mean_what_python_means_and_tell_values() {
    run("python3", "test_asserts.py");
}

#[test]
fn functions_are_judged_through_the_channel() {
    run("python3", "test_judge.py");
}

#[test]
fn objects_arguments_functions_and_exceptions_pass_between() {
    run("python3", "test_objects.py");
}

#[test]
fn a_solution_has_no_say_in_what_a_test_means() {
    run("python3", "test_trust.py");
}

#[test]
fn a_hostile_process_does_not_confuse_the_judge() {
    run("python3", "test_hostile.py");
}

#[test]
fn programs_end_as_the_interpreter_would_end_them() {
    run("python3", "test_program.py");
}

#[test]
fn pytest_files_are_judged_through_the_channel() {
    let python = std::env::var("POLESTAR_CODE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    run(&python, "test_pytest_form.py");
}

#[test]
fn reference_solutions_pass() {
    run("python3", "test_references.py");
}
