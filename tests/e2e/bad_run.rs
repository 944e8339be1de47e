//! Run folders that are not what they should be: another recipe's, half-written, damaged, in use.

use std::fs;
use std::path::{Path, PathBuf};

use polestar_tests::command::{Done, run};
use polestar_tests::files::{assert_same_run, edit_json, edit_safetensors, leftovers};
use polestar_tests::process::Running;
use polestar_tests::recipe::{Lab, grpo};

/// A lab with a run of 4 steps, checkpoints at 2 and 4.
fn trained() -> (Lab, PathBuf) {
    let lab = Lab::new(&grpo(4));
    let root = lab.path("run");
    run(lab.train(&root)).succeeded();
    (lab, root)
}

fn resume(root: &Path) -> Done {
    run(["resume", root.to_str().unwrap()])
}

fn copy_tree(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn a_run_of_another_recipe_is_refused() {
    let (lab, root) = trained();
    let set = |set: &str| run(lab.train(&root).into_iter().chain(["--set".to_owned(), set.to_owned()]));
    set("rollout.temperature=0.8").failed(2, &["rollout.temperature", "0.9", "0.8", "plan.json"]);
    set("run.steps=3").failed(2, &["run.steps", "4 or more"]);
    set("algorithm.kind=dr-grpo").failed(2, &["algorithm"]);
    // Edited in place.
    let recipe = fs::read_to_string(root.join("recipe.toml")).unwrap();
    fs::write(root.join("recipe.toml"), recipe.replace("lr = 1e-3", "lr = 2e-3")).unwrap();
    resume(&root).failed(2, &["optimizer.lr", "0.001", "0.002"]);
    fs::write(root.join("recipe.toml"), recipe).unwrap();
    // Other base weights at the same place.
    edit_json(&root.join("plan.json"), |plan| plan["weights_hash"] = "0123".into());
    resume(&root).failed(2, &["weights_hash", "base weights"]);
}

#[test]
fn folders_that_are_no_runs() {
    let lab = Lab::new(&grpo(1));
    let root = lab.path("folder");
    resume(&root).failed(2, &["folder", "plan.json"]);
    fs::create_dir(&root).unwrap();
    resume(&root).failed(2, &["folder", "plan.json"]);
    fs::write(root.join("thesis.tex"), "years of work").unwrap();
    run(lab.train(&root)).failed(2, &["folder", "not empty", "--run"]);
    assert_eq!(fs::read_dir(&root).unwrap().count(), 1);
    run(lab.train(&lab.path("train.jsonl"))).failed(2, &["train.jsonl", "--run"]);
}

#[test]
fn a_half_written_run_folder_is_begun_again() {
    let lab = Lab::new(&grpo(2));
    let (whole, root) = (lab.path("whole"), lab.path("run"));
    run(lab.train(&whole)).succeeded();
    fs::create_dir_all(root.join("checkpoints")).unwrap();
    fs::write(root.join("lock"), "").unwrap();
    fs::write(root.join("recipe.toml"), "half").unwrap();
    fs::write(root.join("plan.json.tmp-0000000100000002"), "{").unwrap();
    resume(&root).failed(2, &["plan.json", "polestar train"]);
    run(lab.train(&root)).succeeded();
    assert_same_run(&whole, &root);
}

#[test]
fn a_damaged_plan_is_named() {
    let (_lab, root) = trained();
    cut(&root.join("plan.json"));
    resume(&root).failed(2, &["plan.json"]);
}

#[test]
fn half_written_checkpoints_are_passed_over() {
    let (lab, whole) = trained();
    let root = lab.path("killed");
    copy_tree(&whole, &root);
    let checkpoints = root.join("checkpoints");
    // As if killed while step 4 was saved: a temporary folder, no link to it, records of steps 3 and 4.
    fs::rename(checkpoints.join("step-000004"), checkpoints.join("step-000004.tmp-00000abc00000001"))
        .unwrap();
    fs::remove_file(checkpoints.join("step-000004.tmp-00000abc00000001/optimizer.safetensors")).unwrap();
    fs::write(checkpoints.join("latest.tmp-00000abc00000002"), "").unwrap();
    fs::write(root.join("metrics.jsonl.tmp-00000abc00000003"), "").unwrap();
    fs::write(root.join("rollouts/step-000004.jsonl.zst.tmp-00000abc00000004"), "").unwrap();
    assert_eq!(leftovers(&root).len(), 4);
    resume(&root).succeeded();
    assert_same_run(&whole, &root);
    // As if killed after step 4 was in place and before an older one was removed.
    copy_tree(&checkpoints.join("step-000002"), &checkpoints.join("step-000001"));
    resume(&root).succeeded();
    assert_same_run(&whole, &root);
    // No link, or one that leads nowhere.
    for at in ["step-000099", "step-000002"] {
        fs::remove_file(checkpoints.join("latest")).unwrap();
        std::os::unix::fs::symlink(at, checkpoints.join("latest")).unwrap();
        resume(&root).succeeded();
        assert_same_run(&whole, &root);
    }
}

#[test]
fn damaged_checkpoints_are_named_and_may_be_removed() {
    let (lab, whole) = trained();
    for (name, needle) in [
        ("state.json", "is not a checkpoint's state"),
        ("optimizer.safetensors", "is damaged"),
        ("model.safetensors", "is not a whole safetensors file"),
    ] {
        let root = lab.path(name);
        copy_tree(&whole, &root);
        let checkpoint = root.join("checkpoints/step-000004");
        cut(&checkpoint.join(name));
        let done = resume(&root).failed(2, &[name, "step-000004", needle, "remove this checkpoint folder"]);
        assert!(!done.stderr.contains("ownload"), "{}", done.stderr);
        // What the message says to do.
        fs::remove_dir_all(&checkpoint).unwrap();
        resume(&root).succeeded();
        assert_same_run(&whole, &root);
    }
}

/// Without moments or masters a run would go on with others than it was stopped with.
#[test]
fn a_checkpoint_without_its_optimizer_is_damaged() {
    let (lab, whole) = trained();
    let root = lab.path("missing");
    copy_tree(&whole, &root);
    let checkpoint = root.join("checkpoints/step-000004");
    fs::remove_file(checkpoint.join("optimizer.safetensors")).unwrap();
    let needles = ["step-000004/optimizer.safetensors", "is missing", "remove this checkpoint folder"];
    resume(&root).failed(2, &needles);
    fs::remove_dir_all(&checkpoint).unwrap();
    resume(&root).succeeded();
    assert_same_run(&whole, &root);

    let root = lab.path("bf16");
    let bf16 = ["--set".to_owned(), "checkpoint.dtype=bf16".to_owned()];
    run(lab.train(&root).into_iter().chain(bf16)).succeeded();
    for (group, other) in [("master.", "other."), ("exp_avg.", "another.")] {
        let path = root.join("checkpoints/step-000004/optimizer.safetensors");
        let before = fs::read(&path).unwrap();
        edit_safetensors(&path, |header| {
            let tensors = std::mem::take(header.as_object_mut().unwrap());
            let renamed = tensors.into_iter().map(|(name, value)| (name.replacen(group, other, 1), value));
            *header = renamed.collect::<serde_json::Map<_, _>>().into();
        });
        resume(&root).failed(2, &["optimizer.safetensors", group, "remove this checkpoint folder"]);
        fs::write(&path, before).unwrap();
    }
    resume(&root).succeeded();
}

#[test]
fn torn_ends_of_logs_are_cut() {
    let (lab, whole) = trained();
    let root = lab.path("torn");
    copy_tree(&whole, &root);
    fs::remove_dir_all(root.join("checkpoints/step-000004")).unwrap();
    let metrics = fs::read(root.join("metrics.jsonl")).unwrap();
    fs::write(root.join("metrics.jsonl"), &metrics[..metrics.len() - 30]).unwrap();
    fs::write(
        root.join("journal/step-000003.journal"),
        b"\x40\x00\x00\x00torn before its first record's end",
    )
    .unwrap();
    resume(&root).succeeded();
    assert_same_run(&whole, &root);
    // A line in the middle that is no record is damage, not a torn end.
    fs::write(root.join("metrics.jsonl"), "{\"step\": 0}\nnonsense\n{\"step\": 2}\n").unwrap();
    resume(&root).failed(1, &["metrics.jsonl:2"]);
}

#[test]
fn two_processes_do_not_write_one_run() {
    let lab = Lab::new(&grpo(200));
    let root = lab.path("run");
    let mut first = Running::start(&lab.train(&root), &lab.path("stages"));
    assert!(first.wait_for("sampling", 1));
    run(lab.train(&root)).failed(2, &["lock", "another process is writing this run"]);
    resume(&root).failed(2, &["another process is writing this run"]);
    first.signal("TERM");
    assert_eq!(first.finish().code, Some(75));
    // The lock goes with its process.
    let mut second = Running::start(&lab.train(&root), &lab.path("stages"));
    assert!(second.wait_for("sampling", 1));
    assert_eq!(second.kill().map_err(|done| done.stderr), Ok("sampling".to_owned()));
}
