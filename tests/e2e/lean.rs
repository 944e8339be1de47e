//! `lean` in a training run: whatever is sampled is judged, twice the same, and what cannot be judged is an error before
//! training.
//!
//! The Lean is the one of `POLESTAR_LEAN`, as scripts/bare_lean.sh makes it.

use serde_json::{Value, json};

use polestar_tests::command::run;
use polestar_tests::files::{assert_same_run, read_jsonl, write_jsonl};
use polestar_tests::recipe::{Lab, grpo};

/// A run over problems with this reference and this Lean.
fn lab(steps: u64, lean: &str, reference: &Value) -> Lab {
    let recipe = grpo(steps);
    let verifier = format!("kind = \"lean\"\ntimeout_s = 120\ncommand = \"{lean}\"\n");
    let with_lean = recipe.replacen("kind = \"math\"\nfallback = \"last-number\"\n", &verifier, 1);
    assert_ne!(recipe, with_lean, "the recipe has another verifier by now");
    let lab = Lab::new(&with_lean);
    for (name, n) in [("train", 40), ("eval", 4)] {
        let problem = |i: usize| json!({"id": format!("{name}-{i}"), "prompt": format!("Prove it, {i}."), "reference": reference});
        write_jsonl(&lab.path(&format!("{name}.jsonl")), (0..n).map(problem));
    }
    lab
}

#[test]
fn what_a_random_model_writes_is_judged_and_never_undecided() {
    let Ok(lean) = std::env::var("POLESTAR_LEAN") else {
        return println!("SKIPPED: set POLESTAR_LEAN to a `lean`, as scripts/bare_lean.sh makes one");
    };
    let lab = lab(2, &lean, &json!({"statement": "theorem two : 1 + 1 = 2"}));
    let runs = [lab.path("a"), lab.path("b")];
    for root in &runs {
        run(lab.train(root)).succeeded();
    }
    assert_same_run(&runs[0], &runs[1]);
    let metrics = read_jsonl(&runs[0].join("metrics.jsonl"));
    assert!(metrics[1..].iter().all(|line| line["verdicts/undecided_ratio"] == 0.0), "{metrics:?}");
    let shown = run(["rollouts", runs[0].to_str().unwrap(), "--step", "1"]).succeeded();
    assert!(shown.stdout.contains("| wrong |") || shown.stdout.contains("| refused |"), "{}", shown.stdout);
}

#[test]
fn what_cannot_be_judged_is_an_error_before_training() {
    let statement = json!({"statement": "theorem two : 1 + 1 = 2"});
    let missing = lab(1, "/nonexistent/lean", &statement);
    run(missing.train(&missing.path("run"))).failed(2, &["/nonexistent/lean", "install Lean with elan"]);
    assert!(!missing.path("run").exists(), "nothing was begun");
    let Ok(lean) = std::env::var("POLESTAR_LEAN") else {
        return println!("SKIPPED: set POLESTAR_LEAN to a `lean`, as scripts/bare_lean.sh makes one");
    };
    let misread = lab(1, &lean, &json!({"statement": "1 + 1 = 2"}));
    run(misread.train(&misread.path("run")))
        .failed(2, &["eval.jsonl:1", "eval-0", "must be a theorem", "3 more problems"]);
    let broken = lab(1, &lean, &json!({"statement": "theorem two : 1 + 1"}));
    run(broken.train(&broken.path("run")))
        .failed(2, &["eval.jsonl:1", "the statement does not compile: line 1"]);
}
