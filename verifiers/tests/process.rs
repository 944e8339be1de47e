//! Programs as verifiers, honest ones and all the ways to misbehave: what the verdict is, that it comes in time, and that
//! no process is left.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use std::time::{Duration, Instant};

use common::{
    assert_gone, job, judge, kinds, marked, new_mark, path, process, puppet, python, settings, supervisor,
    wait_until,
};
use polestar_verifiers::{Outcome, Verdict};
use serde_json::{Value, json};

/// The time limit of puppets that hang, and by when a verdict must be there.
const SHORT_MS: u64 = 800;
const IN_TIME: Duration = Duration::from_millis(SHORT_MS + 300);
const LONG_MS: u64 = 20_000;

/// What the puppet's verdicts are for these responses, one after the other, and that nothing is left afterwards.
fn puppet_says(timeout_ms: u64, more: Value, responses: &[&str]) -> Vec<Verdict> {
    let mark = new_mark();
    let verifier = process(&puppet(&mark, "", more));
    let outcomes = judge(&*verifier, timeout_ms, responses);
    drop(verifier);
    assert_gone(&mark);
    outcomes.into_iter().map(|outcome| outcome.verdict).collect()
}

/// That a response makes the verdict undecided in this way, and that the next response is judged as ever.
#[track_caller]
fn undecided(timeout_ms: u64, response: &str, kind: &str, reason: &[&str]) {
    let start = Instant::now();
    let verdicts = puppet_says(timeout_ms, json!({}), &["ok", response, "ok again"]);
    let found: Vec<_> = verdicts.iter().map(Verdict::kind_name).collect();
    assert_eq!(found, ["right", kind, "right"], "{response}: {}", verdicts[1].reason());
    for part in reason {
        assert!(verdicts[1].reason().contains(part), "{part} is not in: {}", verdicts[1].reason());
    }
    assert!(verdicts[1].reason().len() < 6000, "{}", verdicts[1].reason().len());
    assert!(start.elapsed() < Duration::from_secs(15), "{response}: {:?}", start.elapsed());
}

fn is_in_time(outcome: &Outcome) -> bool {
    Duration::from_secs_f64(outcome.run_s) < IN_TIME
}

#[test]
fn the_example_judges() {
    let mark = new_mark();
    let exact = path("verifiers/examples/process/exact.py");
    let verifier = process(&settings(&mark, &[python(), &exact], json!({})));
    verifier.ready().unwrap();
    let cases = [
        (json!("42"), "It is\n42\n", 1.0),
        (json!("42"), "It is\n43", 0.0),
        (json!(42), " 42 ", 1.0),
        (json!("é 𝄞"), "so:\né 𝄞", 1.0),
        (Value::Null, "None", 1.0),
        (json!("42"), "", 0.0),
    ];
    let jobs = cases.iter().map(|(reference, response, _)| job(&*verifier, reference.clone(), response));
    let outcomes = supervisor(2, LONG_MS).judge_all(jobs.collect(), None);
    for ((reference, response, score), outcome) in cases.iter().zip(&outcomes) {
        let found = outcome.verdict.score().map(polestar_verifiers::Score::get);
        assert_eq!(found, Some(*score), "{reference} {response:?}: {}", outcome.verdict.reason());
    }
    assert_eq!(outcomes[0].verdict.reason(), "the last line is 42");
    assert_eq!(outcomes[1].verdict.extracted(), Some("43"));
    drop(verifier);
    assert_gone(&mark);
}

#[test]
fn the_example_with_reasoning_gym_judges() {
    let Some(python) = std::env::var_os("POLESTAR_REASONING_GYM_PYTHON") else {
        println!(
            "SKIPPED: reasoning_gym: install reasoning-gym and set POLESTAR_REASONING_GYM_PYTHON to that Python"
        );
        return;
    };
    let python = python.to_str().unwrap();
    let make = "import json, reasoning_gym\n\
                for name in ['basic_arithmetic', 'leg_counting', 'word_sorting']:\n    \
                for entry in reasoning_gym.create_dataset(name, size=3, seed=7):\n        \
                print(json.dumps({'dataset': name, 'entry': entry}))";
    let made = std::process::Command::new(python).args(["-c", make]).output().unwrap();
    let references: Vec<Value> = String::from_utf8(made.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(references.len(), 9);
    let mark = new_mark();
    let example = path("verifiers/examples/process/with_reasoning_gym.py");
    let verifier = process(&settings(&mark, &[python, &example], json!({})));
    let mut jobs = Vec::new();
    for reference in &references {
        let answer = reference["entry"]["answer"].as_str().unwrap();
        for response in [
            format!("<answer>no</answer> wait: <answer>{answer}</answer>"),
            "<answer>certainly wrong</answer>".to_owned(),
            format!("it is {answer}"),
        ] {
            jobs.push(job(&*verifier, reference.clone(), &response));
        }
    }
    jobs.push(job(&*verifier, json!("42"), "<answer>42</answer>"));
    jobs.push(job(&*verifier, json!({"dataset": "no_such", "entry": {}}), "<answer>42</answer>"));
    let outcomes = supervisor(1, 120_000).judge_all(jobs, None);
    for row in outcomes[..27].chunks(3) {
        assert_eq!(row[0].verdict.kind_name(), "right", "{:?}", row[0].verdict);
        assert!(row[1].verdict.score().unwrap().get() < 0.2, "{:?}", row[1].verdict);
        assert_eq!(row[2].verdict.kind_name(), "no-answer", "{:?}", row[2].verdict);
    }
    assert_eq!(kinds(&outcomes[27..]), ["declined", "declined"]);
    drop(verifier);
    assert_gone(&mark);
}

#[test]
fn a_request_has_what_it_should_and_an_answer_all_it_may() {
    let verdicts = puppet_says(
        LONG_MS,
        json!({}),
        &["echo", "wrong a b", "undecided no licence", r#"say {"id": ID, "score": 0.5, "kind": "partial"}"#],
    );
    let echoed: Value = serde_json::from_str(verdicts[0].extracted().unwrap()).unwrap();
    assert_eq!(echoed["problem"], "What?");
    assert_eq!((&echoed["reference"], &echoed["response"]), (&json!("42"), &json!("echo")));
    assert_eq!(echoed.as_object().unwrap().len(), 4);
    let found: Vec<_> = verdicts[1..].iter().map(Verdict::kind_name).collect();
    assert_eq!(found, ["wrong", "declined", "partial"]);
    assert_eq!(verdicts[1].extracted(), Some("a b"));
    assert!(verdicts[2].reason().contains("no licence"));
}

#[test]
fn a_program_is_kept_and_one_runs_for_each_job() {
    let mark = new_mark();
    let verifier = process(&puppet(&mark, "", json!({})));
    let pids = |outcomes: &[Outcome]| -> std::collections::BTreeSet<String> {
        outcomes.iter().map(|outcome| outcome.verdict.extracted().unwrap().to_owned()).collect()
    };
    let responses: Vec<String> = (0..20).map(|i| format!("pid {i}")).collect();
    let responses: Vec<&str> = responses.iter().map(String::as_str).collect();
    assert_eq!(pids(&judge(&*verifier, LONG_MS, &responses)).len(), 1);
    let slow: Vec<String> = (0..9).map(|i| format!("late 0.1{i}")).collect();
    let jobs = slow.iter().map(|response| job(&*verifier, json!("42"), response)).collect();
    let start = Instant::now();
    assert_eq!(kinds(&supervisor(3, LONG_MS).judge_all(jobs, None)), ["right"; 9]);
    assert!(start.elapsed() > Duration::from_millis(300), "{:?}", start.elapsed());
    assert_eq!(marked(&mark).len(), 3);
    drop(verifier);
    assert_gone(&mark);
}

#[test]
fn a_program_is_renewed_after_its_uses() {
    let responses: Vec<String> = (0..7).map(|i| format!("pid {i}")).collect();
    let responses: Vec<&str> = responses.iter().map(String::as_str).collect();
    let verdicts = puppet_says(LONG_MS, json!({"uses": 3}), &responses);
    let mut pids: Vec<_> = verdicts.iter().map(|verdict| verdict.extracted().unwrap()).collect();
    pids.dedup();
    assert_eq!(pids.len(), 3, "{pids:?}");
}

#[test]
fn equal_requests_are_asked_once_and_others_anew() {
    let mark = new_mark();
    let verifier = process(&puppet(&mark, "", json!({"uses": 1})));
    let outcomes = judge(&*verifier, LONG_MS, &["pid", "pid", "pid again", "pid", "undecided", "undecided"]);
    let pid = |i: usize| outcomes[i].verdict.extracted().unwrap();
    assert_eq!((pid(0), pid(0)), (pid(1), pid(3)));
    assert_ne!(pid(0), pid(2));
    let other = job(&*verifier, json!("43"), "pid");
    let other = supervisor(1, LONG_MS).judge_all(vec![other], None).remove(0);
    assert_ne!(other.verdict.extracted().unwrap(), pid(0), "another reference is another request");
    drop(verifier);
    let mut verifier = process(&puppet(&mark, "", json!({"uses": 1})));
    verifier.forget_verdicts();
    let outcomes = judge(&*verifier, LONG_MS, &["pid", "pid"]);
    assert_ne!(outcomes[0].verdict.extracted(), outcomes[1].verdict.extracted());
    drop(verifier);
    assert_gone(&mark);
}

#[test]
fn one_that_hangs_is_killed_at_its_deadline() {
    let mark = new_mark();
    let verifier = process(&puppet(&mark, "", json!({})));
    let outcomes =
        judge(&*verifier, SHORT_MS, &["ok", "hang", "signal SIGSTOP", "grandchild hang", "ok again"]);
    assert_eq!(kinds(&outcomes), ["right", "timeout", "timeout", "timeout", "right"]);
    assert!(outcomes.iter().all(is_in_time), "{outcomes:?}");
    assert!(outcomes[1].verdict.reason().contains("gave no answer in 0.8"), "{:?}", outcomes[1]);
    wait_until("the killed ones are gone", || marked(&mark).len() == 1);
    drop(verifier);
    assert_gone(&mark);
}

#[test]
fn a_deaf_one_is_killed_at_its_deadline_whatever_it_writes() {
    for mode in ["deaf", "deaf-flood"] {
        let mark = new_mark();
        let verifier = process(&puppet(&mark, mode, json!({})));
        let large = "x".repeat(5 << 20);
        let outcomes = judge(&*verifier, SHORT_MS, &[&large]);
        let kind = if mode == "deaf" { "timeout" } else { "rubbish" };
        assert_eq!(kinds(&outcomes), [kind], "{:?}", outcomes[0]);
        assert!(is_in_time(&outcomes[0]));
        drop(verifier);
        assert_gone(&mark);
    }
}

#[test]
fn an_answer_without_reading_the_request_is_none() {
    let mark = new_mark();
    let verifier = process(&puppet(&mark, "deaf-answer", json!({})));
    let outcomes = judge(&*verifier, LONG_MS, &[&"x".repeat(5 << 20)]);
    assert_eq!(kinds(&outcomes), ["rubbish"]);
    assert!(outcomes[0].verdict.reason().contains("before it had read"), "{:?}", outcomes[0]);
    drop(verifier);
    assert_gone(&mark);
}

#[test]
fn a_late_answer_is_undecided_and_never_that_of_the_next() {
    let verdicts = puppet_says(SHORT_MS, json!({}), &["ok", "late 1.0", "wrong", "late 0.2"]);
    let found: Vec<_> = verdicts.iter().map(Verdict::kind_name).collect();
    assert_eq!(found, ["right", "timeout", "wrong", "right"]);
}

#[test]
fn a_crash_is_tried_once_more() {
    undecided(LONG_MS, "exit 3", "crash", &["exit code 3", "about to leave", "second time"]);
    undecided(LONG_MS, "exit 0", "crash", &["exit code 0"]);
    undecided(LONG_MS, "signal SIGSEGV", "crash", &["signal 11"]);
    undecided(LONG_MS, "half", "crash", &["it wrote `{\\\"id\\\":`"]);
    undecided(LONG_MS, "close", "crash", &["closed its standard output"]);
    undecided(LONG_MS, "grandchild exit 4", "crash", &["exit code 4"]);
    let folder = tempfile::tempdir().unwrap();
    let once = format!("once {}", folder.path().join("once").display());
    let verdicts = puppet_says(LONG_MS, json!({}), &[&once]);
    assert_eq!(verdicts[0].kind_name(), "right", "{}", verdicts[0].reason());
}

#[test]
fn one_that_ends_after_its_answer_has_answered() {
    let responses = ["leave 0", "leave 1", "grandchild leave 0", "unended", "ok"];
    let verdicts = puppet_says(LONG_MS, json!({}), &responses);
    assert!(verdicts.iter().all(|verdict| verdict.kind_name() == "right"), "{verdicts:?}");
}

#[test]
fn rubbish_is_shown() {
    undecided(LONG_MS, "say loading the model", "rubbish", &["loading the model", "standard error"]);
    undecided(LONG_MS, r#"say {"id": "0", "score": 1}"#, "rubbish", &[r#"the id "0", and was asked"#]);
    undecided(LONG_MS, r#"say {"score": 1}"#, "rubbish", &["no \"id\""]);
    undecided(LONG_MS, r#"say {"id": ID, "score": 1.5}"#, "rubbish", &["from 0 to 1, found 1.5"]);
    undecided(LONG_MS, r#"say {"id": ID, "score": NaN}"#, "rubbish", &["NaN"]);
    undecided(LONG_MS, "bytes 7b226964223a20fffe7d0a", "rubbish", &["\u{fffd}"]);
    undecided(LONG_MS, "bytes 00000a", "rubbish", &["\\0"]);
}

#[test]
fn two_answers_are_none() {
    undecided(LONG_MS, "twice", "rubbish", &["after its answer it wrote"]);
}

#[test]
fn a_second_answer_that_comes_later_harms_nobody_and_is_told() {
    let mark = new_mark();
    let verifier = process(&puppet(&mark, "", json!({})));
    assert_eq!(kinds(&judge(&*verifier, LONG_MS, &["twice-later 0.1"])), ["right"]);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(kinds(&judge(&*verifier, LONG_MS, &["wrong"])), ["wrong"]);
    let complaints = verifier.take_complaints();
    assert!(complaints.len() == 1 && complaints[0].contains("after an answer"), "{complaints:?}");
    // While the next request is worked on: asked again of a fresh copy.
    let outcomes = judge(&*verifier, LONG_MS, &["twice-later 0.05", "late 0.3"]);
    assert_eq!(kinds(&outcomes), ["right", "right"], "{outcomes:?}");
    assert_eq!(verifier.take_complaints().len(), 1);
    drop(verifier);
    assert_gone(&mark);
}

#[test]
fn floods_are_cut() {
    undecided(LONG_MS, "endless", "rubbish", &["more than 1024 KiB", "`xxxx"]);
    undecided(LONG_MS, "blank", "rubbish", &["more than 1024 KiB"]);
    undecided(LONG_MS, "flood", "rubbish", &["`xxxx"]);
    undecided(LONG_MS, "big 100", "rubbish", &["more than 1024 KiB", "score"]);
    undecided(SHORT_MS, "stderr-flood", "timeout", &["eeee"]);
    undecided(LONG_MS, "both-flood", "rubbish", &["more than 1024 KiB"]);
    let more = json!({"max_output_kb": 200_000});
    let verdicts = puppet_says(LONG_MS, more, &["big 20", "stderr 20"]);
    assert!(verdicts.iter().all(|verdict| verdict.kind_name() == "right"), "{verdicts:?}");
    assert!(verdicts[0].reason().len() < 10_000);
}

#[test]
fn memory_is_limited_for_the_whole_program() {
    let more = json!({"memory_mb": 300});
    let verdicts = puppet_says(LONG_MS, more, &["memory 10", "memory 1000", "grandchild memory 1000", "ok"]);
    let found: Vec<_> = verdicts.iter().map(Verdict::kind_name).collect();
    assert_eq!(found, ["right", "crash", "crash", "right"], "{verdicts:?}");
    assert!(verdicts[1].reason().contains("MemoryError"), "{}", verdicts[1].reason());
}

#[test]
fn one_that_cannot_start_says_so_before_any_work() {
    let mark = new_mark();
    let not_executable = path("verifiers/examples/process/exact.py");
    let cases: [(Value, &[&str]); 6] = [
        (
            settings(&mark, &["no-such-program"], json!({})),
            &["`no-such-program` cannot be started", "install"],
        ),
        (settings(&mark, &[&not_executable], json!({})), &["ermission denied", "make it executable"]),
        (settings(&mark, &[python(), "no_such.py"], json!({})), &["exit code 2", "no_such.py", "install"]),
        (settings(&mark, &[python(), "-c", "import no_such_module"], json!({})), &["No module named"]),
        (puppet(&mark, "die", json!({})), &["exit code 1", "I cannot live like this"]),
        (puppet(&mark, "chatty", json!({})), &["wrote `loading the model` before it was asked"]),
    ];
    for (settings, expected) in cases {
        let verifier = process(&settings);
        let error = verifier.ready().unwrap_err().to_string();
        assert!(error.starts_with("verifier `process` is not ready: "), "{error}");
        for part in expected {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
    }
    let no_folder = settings(&mark, &["true"], json!({"cwd": "/no/such/folder"}));
    let error = process(&no_folder).ready().unwrap_err().to_string();
    assert!(error.contains("`cwd` must be a folder that there is, found /no/such/folder"), "{error}");
    let verifier = process(&settings(&mark, &["no-such-program"], json!({})));
    assert_eq!(kinds(&judge(&*verifier, LONG_MS, &["ok"])), ["unreachable"]);
    let verifier = process(&puppet(&mark, "die", json!({})));
    assert_eq!(kinds(&judge(&*verifier, LONG_MS, &["ok"])), ["crash"]);
    assert_gone(&mark);
}

#[test]
fn a_folder_and_variables_are_the_programs_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(path("verifiers/tests/common/puppet.py"), folder.path().join("here.py")).unwrap();
    let mark = new_mark();
    let cwd = folder.path().to_str().unwrap();
    let verifier = process(&settings(&mark, &[python(), "here.py"], json!({"cwd": cwd})));
    verifier.ready().unwrap();
    assert_eq!(kinds(&judge(&*verifier, LONG_MS, &["ok"])), ["right"]);
    assert_eq!(marked(&mark).len(), 1, "the one that showed it starts is the one that works");
    drop(verifier);
    assert_gone(&mark);
}

#[test]
fn nothing_is_left_of_a_program_whose_caller_was_killed() {
    let mark = new_mark();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("puppet.toml");
    let settings = puppet(&mark, "", json!({}));
    std::fs::write(&config, toml::to_string(&settings).unwrap()).unwrap();
    let mut caller = std::process::Command::new(env!("CARGO_BIN_EXE_polestar-verify"))
        .args(["--verifier", "process", "--timeout-s", "600", "--config", config.to_str().unwrap()])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = caller.stdin.take().unwrap();
    for response in ["hang", "grandchild hang"] {
        let line = json!({"reference": "42", "response": response});
        std::io::Write::write_all(&mut stdin, format!("{line}\n").as_bytes()).unwrap();
    }
    wait_until("both hang, and the grandchild runs", || marked(&mark).len() >= 3);
    caller.kill().unwrap();
    caller.wait().unwrap();
    assert_gone(&mark);
}
