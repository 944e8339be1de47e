//! A run that is asked to stop saves what it has, exits 75, and goes on to the bytes of one that was never stopped.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use polestar_tests::command::run;
use polestar_tests::files::{assert_same_run, read_json, read_jsonl};
use polestar_tests::process::Running;
use polestar_tests::recipe::{Lab, grpo, star};

/// Signals a run each time it enters one of `stages` (at its `times`th entry), in turn, and resumes it to its end.
fn stop_at(lab: &Lab, root: &Path, stages: &[(&str, usize, &str)]) {
    let file = lab.path("stages");
    for (index, (stage, times, signal)) in stages.iter().enumerate() {
        let again = vec!["resume".to_owned(), root.to_str().unwrap().to_owned()];
        let args = if index % 2 == 0 { lab.train(root) } else { again };
        let mut running = Running::start(&args, &file);
        assert!(running.wait_for(stage, *times), "{stage}: {}", running.finish().stderr);
        running.signal(signal);
        let done = running.finish();
        assert_eq!(done.code, Some(75), "{stage}: {}", done.stderr);
        assert!(done.stderr.contains("stopped after step"), "{stage}: {}", done.stderr);
        check_saved(root, stage);
    }
    run(["resume", root.to_str().unwrap()]).succeeded();
}

/// What was committed is saved: the checkpoint is that of the last step in the metrics, or of one whose evaluation is
/// still to come.
fn check_saved(root: &Path, stage: &str) {
    let state = root.join("checkpoints/latest/state.json");
    let metrics = read_jsonl(&root.join("metrics.jsonl"));
    let committed = metrics.last().map_or(0, |line| line["step"].as_u64().unwrap());
    if !state.is_file() {
        assert!(committed == 0 || stage == "updating", "{stage}: step {committed} was not saved");
        return;
    }
    let state = read_json(&state);
    let saved = state["step"].as_u64().unwrap();
    let expected = if state["unfinished"].is_null() { committed } else { committed + 1 };
    // An update that has begun has changed the weights of the last step.
    assert!(saved == expected || (stage == "updating" && saved < expected), "{stage}: {committed}, {state}");
}

fn whole(lab: &Lab) -> PathBuf {
    let root = lab.path("whole");
    run(lab.train(&root)).succeeded();
    root
}

#[test]
fn grpo_goes_on_after_a_request_to_stop() {
    let lab = Lab::new(&grpo(5));
    let root = lab.path("stopped");
    let stages = [
        ("evaluating", 1, "TERM"),
        ("sampling", 1, "INT"),
        ("updating", 1, "USR1"),
        ("evaluating", 1, "TERM"),
        ("sampling", 1, "TERM"),
        ("evaluating", 1, "INT"),
        ("saving", 1, "TERM"),
        ("verifying", 1, "INT"),
    ];
    stop_at(&lab, &root, &stages);
    assert_same_run(&whole(&lab), &root);
}

#[test]
fn star_goes_on_after_a_request_to_stop() {
    let lab = Lab::new(&star(4));
    let root = lab.path("stopped");
    let stages = [
        ("hinted-sampling", 1, "TERM"),
        ("verifying", 2, "INT"),
        ("evaluating", 1, "TERM"),
        ("updating", 1, "INT"),
    ];
    stop_at(&lab, &root, &stages);
    assert_same_run(&whole(&lab), &root);
}

/// An update of minutes, which is not waited for.
#[test]
fn an_update_ends_when_asked_to() {
    let lab = Lab::new(&grpo(1));
    let root = lab.path("run");
    let args = lab.train(&root).into_iter().chain(["--set".to_owned(), "update.epochs=5000".to_owned()]);
    let mut running = Running::start(&args.collect::<Vec<_>>(), &lab.path("stages"));
    assert!(running.wait_for("updating", 1));
    // Long enough for the weights to have changed.
    std::thread::sleep(Duration::from_millis(500));
    running.signal("TERM");
    let start = Instant::now();
    let done = running.finish();
    assert_eq!(done.code, Some(75), "{}", done.stderr);
    assert!(done.stderr.contains("stopped after step 0"), "{}", done.stderr);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert!(!root.join("checkpoints/latest").exists());
}

#[test]
fn a_second_interrupt_does_not_wait() {
    let lab = Lab::new(&grpo(50));
    let root = lab.path("run");
    let mut running = Running::start(&lab.train(&root), &lab.path("stages"));
    assert!(running.wait_for("updating", 1));
    running.signal("INT");
    running.signal("INT");
    assert_eq!(running.finish().code, Some(75));
    run(lab.train(&root).into_iter().chain(["--dry-run".to_owned()])).succeeded();
}

#[test]
fn more_steps_may_be_asked_for_later() {
    let lab = Lab::new(&grpo(4));
    let root = lab.path("run");
    let steps = |n: u64| ["--set".to_owned(), format!("run.steps={n}")];
    run(lab.train(&root).into_iter().chain(steps(2))).succeeded();
    run(["resume", root.to_str().unwrap(), "--set", "run.steps=4"]).succeeded();
    assert_eq!(read_json(&root.join("plan.json"))["run"]["steps"], 4);
    // Every second step is evaluated and saved in both, so that the longer run is the same as one that was long at once.
    let whole = whole(&lab);
    let [a, b] = [&whole, &root].map(|root| std::fs::read(root.join("metrics.jsonl")).unwrap());
    assert!(a == b);
    let weights = "checkpoints/latest/model.safetensors";
    assert!(std::fs::read(whole.join(weights)).unwrap() == std::fs::read(root.join(weights)).unwrap());
    run(["resume", root.to_str().unwrap(), "--set", "run.steps=3"]).failed(2, &["run.steps", "4 or more"]);
    run(["resume", root.to_str().unwrap(), "--set", "run.seed=8"]).failed(2, &["run.seed"]);
}
