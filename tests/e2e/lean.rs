//! `lean` in a training run: whatever is sampled is judged, twice the same, and what cannot be judged is an error before
//! training.
//!
//! The Lean is the one of `POLESTAR_LEAN`, as scripts/bare_lean.sh makes it.

use serde_json::{Value, json};

use polestar_tests::command::run;
use polestar_tests::recipe::Lab;

/// A run over problems with this reference and this Lean.
fn lab(steps: u64, lean: &str, reference: &Value) -> Lab {
    let verifier = format!("kind = \"lean\"\ntimeout_s = 120\ncommand = \"{lean}\"\n");
    Lab::judged_by(&verifier, reference, steps)
}

#[test]
fn what_a_random_model_writes_is_judged_and_never_undecided() {
    let Ok(lean) = std::env::var("POLESTAR_LEAN") else {
        return println!("SKIPPED: set POLESTAR_LEAN to a `lean`, as scripts/bare_lean.sh makes one");
    };
    let lab = lab(2, &lean, &json!({"statement": "theorem two : 1 + 1 = 2"}));
    let shown = lab.judged_alike();
    assert!(shown.contains("| wrong |") || shown.contains("| refused |"), "{}", shown);
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
