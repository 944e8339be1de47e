//! `polestar-verify --check`: what it tells the author of a verifier that is honest, and of those that are not.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::{assert_gone, new_mark, path, puppet, python, settings};
use serde_json::{Value, json};

/// The exit code and the table of a check with these requests.
fn check(settings: &Value, timeout_s: &str, input: &str) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("verifier.toml");
    std::fs::write(&config, toml::to_string(settings).unwrap()).unwrap();
    let config = config.to_str().unwrap();
    run(&["--verifier", "process", "--config", config, "--timeout-s", timeout_s, "--jobs", "2"], input)
}

fn run(args: &[&str], input: &str) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_polestar-verify"))
        .arg("--check")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

fn line(response: &str) -> String {
    json!({"reference": "42", "response": response}).to_string() + "\n"
}

/// The row of that name.
fn row<'a>(table: &'a str, name: &str) -> &'a str {
    let is_it = |line: &&str| line.get(6..).is_some_and(|rest| rest.starts_with(name));
    table.lines().find(is_it).unwrap_or_else(|| panic!("no row {name} in\n{table}"))
}

/// Checks the puppet with one line for each response, and that rows fail or pass with what is expected in them.
fn puppet_rows(timeout_s: &str, cases: &[(&str, &str, &[&str])]) {
    let mark = new_mark();
    let input: String = cases.iter().map(|(response, _, _)| line(response)).collect();
    let (code, table) = check(&puppet(&mark, "", json!({})), timeout_s, &input);
    assert_gone(&mark);
    for (i, (response, result, parts)) in cases.iter().enumerate() {
        let row = row(&table, &format!("line {} ", i + 1));
        assert!(row.starts_with(result), "{response}: {row}");
        for part in *parts {
            assert!(row.contains(part), "{part} is not in: {row}");
        }
    }
    let has_failed = cases.iter().any(|(_, result, _)| *result == "FAIL");
    assert_eq!(code, i32::from(has_failed), "{table}");
}

#[test]
fn the_example_passes() {
    let mark = new_mark();
    let exact = path("verifiers/examples/process/exact.py");
    let settings = settings(&mark, &[python(), &exact], json!({}));
    for input in ["", &line("42")] {
        let (code, table) = check(&settings, "10", input);
        assert_eq!(code, 0, "{table}");
        assert!(
            table.lines().all(|line| line.starts_with("PASS") || line.ends_with("probes passed")),
            "{table}"
        );
        let request = if input.is_empty() { "plain request" } else { "line 1" };
        assert!(row(&table, request).contains("judged 1 (right)"), "{table}");
        assert!(row(&table, request).ends_with("=> reward 1"), "{table}");
        for name in
            ["starts", "1 MB response", "control char", "unusual", "reference null", "beside the answers"]
        {
            assert!(row(&table, name).starts_with("PASS"), "{table}");
        }
    }
    assert_gone(&mark);
}

#[test]
fn a_built_in_kind_passes() {
    let (code, table) = run(&["--verifier", "math"], "");
    assert_eq!(code, 0, "{table}");
    assert!(row(&table, "reference {}").contains("refused: verifier `math`"), "{table}");
    assert!(row(&table, "reference {}").contains("an error when the data is loaded"), "{table}");
}

#[test]
fn misbehaviour_is_told_by_its_name() {
    puppet_rows(
        "0.7",
        &[
            ("ok", "PASS", &["judged 1", "=> reward 1"]),
            (
                "late 1.2",
                "FAIL",
                &["LATE: an answer came after 1.", "limit is 0.7 s", "the whole time limit is lost"],
            ),
            ("hang", "FAIL", &["NEVER: no answer in 3.5 s either", "=> no reward"]),
            ("exit 3", "FAIL", &["undecided (crash)", "exit code 3", "about to leave", "after another try"]),
            ("twice", "FAIL", &["undecided (rubbish)", "after its answer it wrote"]),
            ("say loading", "FAIL", &["undecided (rubbish)", "`loading`"]),
            ("undecided busy", "FAIL", &["undecided (declined)", "busy", "judge a bad response 0"]),
        ],
    );
}

#[test]
fn a_full_score_for_nothing_is_pointed_out() {
    let mark = new_mark();
    // The puppet says right to whatever is no order.
    let (code, table) = check(&puppet(&mark, "", json!({})), "5", &line("ok"));
    assert!(row(&table, "empty response").contains("a full score for this: is that meant?"), "{table}");
    assert!(!row(&table, "line 1").contains("is that meant"), "{table}");
    assert_eq!(code, 0);
    assert_gone(&mark);
}

#[test]
fn a_line_that_is_no_request_fails() {
    let mark = new_mark();
    let (code, table) = check(&puppet(&mark, "", json!({})), "5", &format!("{}not json\n", line("ok")));
    assert!(row(&table, "line 2").starts_with("FAIL") && code == 1, "{table}");
    assert_gone(&mark);
}

#[test]
fn a_verdict_that_changes_fails() {
    let mark = new_mark();
    let (code, table) = check(&puppet(&mark, "", json!({})), "5", &line("random"));
    let row = row(&table, "the same request thrice");
    assert!(row.starts_with("FAIL") && row.contains(", then judged "), "{row}");
    assert_eq!(code, 1);
    assert_gone(&mark);
}

#[test]
fn a_second_answer_after_the_first_fails() {
    let mark = new_mark();
    let (code, table) = check(&puppet(&mark, "", json!({})), "5", &line("twice-later 0.02"));
    let row = row(&table, "beside the answers");
    assert!(row.starts_with("FAIL") && (row.contains("after an answer") || row.contains("twice")), "{table}");
    assert_eq!(code, 1);
    assert_gone(&mark);
}

#[test]
fn a_crash_that_the_second_try_hides_fails() {
    let mark = new_mark();
    let folder = tempfile::tempdir().unwrap();
    let once = format!("once {}", folder.path().join("once").display());
    let (code, table) = check(&puppet(&mark, "", json!({})), "5", &line(&once));
    assert!(row(&table, "line 1").starts_with("PASS"), "{table}");
    let row = row(&table, "beside the answers");
    assert!(
        row.starts_with("FAIL") && row.contains("asked again: the verifier ended with exit code 1"),
        "{row}"
    );
    assert_eq!(code, 1);
    assert_gone(&mark);
}

#[test]
fn one_that_cannot_start_ends_the_check() {
    let mark = new_mark();
    let (code, table) = check(&puppet(&mark, "die", json!({})), "5", "");
    let row = row(&table, "starts");
    assert!(row.starts_with("FAIL") && row.contains("I cannot live like this"), "{row}");
    assert!(row.ends_with("=> an error before training starts"), "{row}");
    assert_eq!((code, table.lines().count()), (1, 3), "{table}");
    assert_gone(&mark);
}

#[test]
fn without_check_one_that_cannot_start_is_an_error_and_nothing_is_judged() {
    let set = r#"command=["no-such-program"]"#;
    let output = Command::new(env!("CARGO_BIN_EXE_polestar-verify"))
        .args(["--verifier", "process", "--set", set])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{error}");
    assert!(error.starts_with("error: verifier `process` is not ready: `no-such-program`"), "{error}");
}
