//! The same command with the same seed writes the same bytes, and what it writes is what it should be.

use std::path::Path;

use polestar_tests::command::run;
use polestar_tests::files::{assert_same_run, lasting, read_json, read_jsonl};
use polestar_tests::recipe::{Lab, grpo, star};
use serde_json::Value;

#[test]
fn grpo_repeats_to_the_byte() {
    let lab = Lab::new(&grpo(3));
    let runs = [lab.path("a"), lab.path("b")];
    for root in &runs {
        run(lab.train(root)).succeeded();
    }
    assert_same_run(&runs[0], &runs[1]);
    // A finished run that is asked for again stays as it is.
    let before = lasting(&runs[1]);
    run(lab.train(&runs[1])).succeeded();
    run(["resume", runs[1].to_str().unwrap()]).succeeded();
    assert_eq!(before, lasting(&runs[1]));
    // Another seed is another run.
    let other = lab.path("c");
    run(lab.train(&other).into_iter().chain(["--set".into(), "run.seed=8".into()])).succeeded();
    assert_ne!(before["metrics.jsonl"], lasting(&other)["metrics.jsonl"]);
    check_grpo(&runs[0], &lab.recipe);
}

/// The run folder is what the design says, and the run learned from something.
fn check_grpo(root: &Path, recipe: &Path) {
    let kept = std::fs::read_to_string(root.join("recipe.toml")).unwrap();
    assert_eq!(kept, std::fs::read_to_string(recipe).unwrap(), "recipe.toml is as it was typed");
    assert_eq!(read_json(&root.join("plan.json"))["run"]["threads"], 1);
    let metrics = read_jsonl(&root.join("metrics.jsonl"));
    let steps: Vec<u64> = metrics.iter().map(|line| line["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [0, 1, 2, 3]);
    let rewards: Vec<f64> = metrics[1..].iter().map(|line| line["reward"].as_f64().unwrap()).collect();
    assert!(
        rewards.iter().all(|reward| (0.0..1.0).contains(reward)) && rewards.iter().any(|r| *r > 0.0),
        "{rewards:?}"
    );
    for line in &metrics[1..] {
        assert!(line["grad_norm"].as_f64().unwrap() > 0.0, "{line}");
        // Sampler and trainer are one.
        assert!(line["sampling/sampling_logp_difference/max"].as_f64().unwrap() < 1e-4, "{line}");
    }
    assert!(root.join("tensorboard").read_dir().unwrap().count() > 0);
    let timings = read_jsonl(&root.join("timings.jsonl"));
    let saves: Vec<bool> = timings.iter().map(|line| line["timing_s/save"].is_f64()).collect();
    assert_eq!(saves, [false, false, true, true]);
    let latest = root.join("checkpoints/latest");
    for name in [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "optimizer.safetensors",
        "state.json",
        "README.md",
    ] {
        assert!(latest.join(name).is_file(), "{name}");
    }
    let evaluation = read_json(&root.join("evals/step-000003.json"));
    assert_eq!(evaluation["eval"]["n"], 12);
    assert_eq!(metrics[3]["eval/eval/acc"], evaluation["eval"]["accuracy"], "{}", metrics[3]);
}

/// The sampler's numbers differ from the trainer's in 16 bits, and a ratio between the two would move the weights by that
/// difference alone. In the first optimizer step the policy is the one that sampled: the trainer's two passes agree.
#[test]
fn in_16_bits_a_ratio_is_that_of_two_passes_of_the_trainer() {
    let lab = Lab::new(&grpo(1));
    let root = lab.path("run");
    let sets = [
        "model.dtype=bf16",
        "update.epochs=1",
        "update.batch=64",
        "update.micro_batch=100000",
        "optimizer.warmup=0",
    ];
    let sets = sets.iter().flat_map(|set| ["--set".to_owned(), (*set).to_owned()]);
    run(lab.train(&root).into_iter().chain(sets)).succeeded();
    let metrics = read_jsonl(&root.join("metrics.jsonl"));
    let [steps, norm, gap, kl] =
        ["update/num_steps", "grad_norm", "sampling/sampling_logp_difference/max", "ppo_kl"]
            .map(|key| metrics[1][key].as_f64().unwrap());
    assert_eq!(steps, 1.0);
    assert!(norm > 0.0 && gap > 1e-3 && kl.abs() < 1e-7, "norm {norm}, gap {gap}, kl {kl}");
}

/// Evaluations fall on steps without a scheduled checkpoint; the best of them has one.
#[test]
fn the_best_by_evaluation_is_kept() {
    let lab = Lab::new(&grpo(5));
    let root = lab.path("run");
    let sets = ["checkpoint.every=100", "checkpoint.keep=1", "eval.every=1"];
    let sets = sets.iter().flat_map(|set| ["--set".to_owned(), (*set).to_owned()]);
    run(lab.train(&root).into_iter().chain(sets)).succeeded();
    let metrics = read_jsonl(&root.join("metrics.jsonl"));
    let accuracy = |line: &Value| line["eval/eval/acc"].as_f64().unwrap();
    let best = metrics[1..].iter().rev().max_by(|a, b| accuracy(a).total_cmp(&accuracy(b))).unwrap();
    let best = best["step"].as_u64().unwrap();
    assert!(best < 5, "the last step is saved whatever it measures: {metrics:?}");
    let mut folders: Vec<String> = std::fs::read_dir(root.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(folders, ["latest".to_owned(), format!("step-{best:06}"), "step-000005".to_owned()]);
    let out = lab.path("best");
    let args = ["export", root.to_str().unwrap(), "--best", "--out", out.to_str().unwrap()];
    let done: Value = serde_json::from_str(&run(args).succeeded().stdout).unwrap();
    assert_eq!(done["step"], best);
}

#[test]
fn star_repeats_to_the_byte() {
    let lab = Lab::new(&star(2));
    let runs = [lab.path("a"), lab.path("b")];
    for root in &runs {
        run(lab.train(root)).succeeded();
    }
    assert_same_run(&runs[0], &runs[1]);
    let metrics = read_jsonl(&runs[0].join("metrics.jsonl"));
    let sum = |key: &str| metrics.iter().filter_map(|line| line[key].as_f64()).sum::<f64>();
    assert!(sum("credit/num_kept") > 0.0, "{metrics:?}");
    // A hinted second try is right now and then.
    assert!(sum("credit/num_rationalized") > 0.0, "{metrics:?}");
    for line in &metrics {
        // One verifier: its mean is the reward's, that of the first tries.
        let [reward, mean] = ["reward", "rewards/math/mean"].map(|key| line[key].as_f64().unwrap());
        assert!((reward - mean).abs() < 1e-12, "{line}");
    }
}

/// A line down to 0 over each iteration's own steps: 4, then 5. The last step's rate is one part of so many.
#[test]
fn each_iteration_of_star_has_its_own_schedule() {
    let lab = Lab::new(&star(3));
    let root = lab.path("run");
    let more = ["--set", "algorithm.growth=2.0", "--set", "algorithm.rationalize=false"].map(str::to_owned);
    run(lab.train(&root).into_iter().chain(more)).succeeded();
    let lines: Vec<Value> = read_jsonl(&root.join("metrics.jsonl"));
    for (line, steps) in lines.iter().zip([4.0, 8.0, 16.0]) {
        let rate = line["learning_rate"].as_f64().unwrap();
        assert!((rate - 1e-3 / steps).abs() < 1e-9, "step {}: {rate}", line["step"]);
    }
}
