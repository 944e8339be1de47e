//! `code` against the real benchmarks: every reference solution passes its own tests, and one small mistake in it is
//! mostly found. Skipped where the data is not on the machine.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use polestar_verifiers::{Job, Outcome, RawItem, configure};
use serde_json::{Value, json};

/// Reference solutions that are not judged right, by the id of their problem, and why. There are none.
const EXCEPTIONS: &[(&str, &str)] = &[];
/// Of the solutions with a mistake every so many are judged.
const EVERY: usize = 4;
/// At least this share of the mistakes is found. Those that are not found change nothing that the tests look at: a
/// bound that is never met, a text that nobody reads, or a test that is weaker than its problem.
const LEAST_FOUND: f64 = 0.8;

/// The folder of the benchmarks, if both are there; none after saying so.
fn shared() -> Option<PathBuf> {
    common::shared_data::shared("humaneval").and(common::shared_data::shared("mbpp"))
}

/// What the script writes: a solution of each problem, with a mistake or as it is.
fn solutions(shared: &Path, options: &[&str]) -> Vec<Value> {
    let mut command = Command::new(common::python());
    command.arg(common::path("scripts/code_mutants.py")).arg("--data").arg(shared).args(options);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Judges them two at a time, with `time_s` for each; on a busy machine a good one may take a while.
fn judge(rows: &[Value], time_s: f64) -> Vec<Outcome> {
    let verifier = configure("code", &json!({"time_s": time_s, "python": common::python()})).unwrap();
    let bind = |row: &Value| {
        let id = row["id"].as_str().unwrap().to_owned();
        let item = RawItem { id, problem: String::new(), reference: row["reference"].clone() };
        Job::new(verifier.bind(item).unwrap(), row["response"].as_str().unwrap())
    };
    let (first, second) = rows.split_at(rows.len() / 2);
    let jobs = std::thread::scope(|scope| {
        let second = scope.spawn(|| second.iter().map(bind).collect::<Vec<Job>>());
        let mut jobs: Vec<Job> = first.iter().map(bind).collect();
        jobs.extend(second.join().unwrap());
        jobs
    });
    common::supervisor(2, 120_000).judge_all(jobs, None)
}

#[test]
fn reference_solutions_are_right() {
    let Some(shared) = shared() else { return };
    let rows = solutions(&shared, &["--unchanged"]);
    let num_of =
        |prefix: &str| rows.iter().filter(|row| row["id"].as_str().unwrap().starts_with(prefix)).count();
    assert_eq!(num_of("HumanEval/"), 164);
    assert!(num_of("MBPP/") >= 500, "{}", num_of("MBPP/"));
    let mut failures = Vec::new();
    for (row, outcome) in rows.iter().zip(judge(&rows, 60.0)) {
        let id = row["id"].as_str().unwrap();
        let is_right = outcome.verdict.kind_name() == "right";
        if is_right == EXCEPTIONS.iter().any(|(exception, _)| *exception == id) {
            failures.push(format!("{id}: {:?}", outcome.verdict));
        }
    }
    println!("{} reference solutions, {} exceptions", rows.len(), EXCEPTIONS.len());
    assert!(failures.is_empty(), "{} solutions:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn one_mistake_is_mostly_found() {
    let Some(shared) = shared() else { return };
    let rows: Vec<Value> = solutions(&shared, &["--seed", "0"]).into_iter().step_by(EVERY).collect();
    assert!(rows.len() >= 100, "{}", rows.len());
    let mut kinds = BTreeMap::<&str, usize>::new();
    let mut not_found = Vec::new();
    let outcomes = judge(&rows, 2.0);
    for (row, outcome) in rows.iter().zip(&outcomes) {
        *kinds.entry(outcome.verdict.kind_name()).or_default() += 1;
        assert!(outcome.verdict.score().is_some(), "{}: {:?}", row["id"], outcome.verdict);
        if outcome.verdict.kind_name() == "right" {
            not_found.push(format!("{}: {}", row["id"], row["change"]));
        }
    }
    let found = 1.0 - not_found.len() as f64 / rows.len() as f64;
    println!("{} solutions with a mistake, {:.1}% found: {kinds:?}", rows.len(), found * 100.0);
    assert!(found >= LEAST_FOUND, "{:.1}% found; not these:\n{}", found * 100.0, not_found.join("\n"));
}
