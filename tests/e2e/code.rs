//! `code` in a training run: whatever is sampled is judged, twice the same, and what cannot be judged is an error before
//! training.

use serde_json::{Value, json};

use polestar_tests::command::run;
use polestar_tests::recipe::Lab;

/// A run over problems with this reference.
fn lab(steps: u64, reference: &Value) -> Lab {
    Lab::judged_by("kind = \"code\"\n", reference, steps)
}

#[test]
fn what_a_random_model_writes_is_judged_and_never_undecided() {
    let lab = lab(2, &json!({"tests": ["assert f() == 1"]}));
    let shown = lab.judged_alike();
    // Most is no text; what is was loaded in a box.
    for kind in ["| refused |", "| crash |"] {
        assert!(shown.contains(kind), "{kind}: {}", shown);
    }
}

#[test]
fn what_cannot_be_judged_is_an_error_before_training() {
    let broken = lab(1, &json!({"tests": ["assert f( == 1"]}));
    run(broken.train(&broken.path("run"))).failed(
        2,
        &["eval.jsonl:1", "eval-0", "the test does not compile: <test 1>, line 1", "3 more problems"],
    );
    let missing = lab(1, &json!({"tests": ["import no_such_module_7\nassert f() == 1"]}));
    run(missing.train(&missing.path("run"))).failed(2, &["eval.jsonl:1", "no_such_module_7"]);
    let fine = lab(1, &json!({"tests": ["assert f() == 1"]}));
    let python = ["--set".to_owned(), "verifier.code.python=/nonexistent/python3".to_owned()];
    run(fine.train(&fine.path("run")).into_iter().chain(python))
        .failed(2, &["/nonexistent/python3", "No such file", "correct `python`"]);
    assert!(!fine.path("run").exists(), "nothing was begun");
}
