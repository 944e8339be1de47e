//! `code` in a training run: whatever is sampled is judged, twice the same, and what cannot be judged is an error before
//! training.

use serde_json::{Value, json};

use polestar_tests::command::run;
use polestar_tests::files::{assert_same_run, read_jsonl, write_jsonl};
use polestar_tests::recipe::{Lab, grpo};

/// A run over problems with this reference.
fn lab(steps: u64, verifier: &str, reference: &Value) -> Lab {
    let recipe = grpo(steps);
    let with_code = recipe.replacen("kind = \"math\"\nfallback = \"last-number\"\n", verifier, 1);
    assert_ne!(recipe, with_code, "the recipe has another verifier by now");
    let lab = Lab::new(&with_code);
    for (name, n) in [("train", 40), ("eval", 4)] {
        let problem = |i: usize| json!({"id": format!("{name}-{i}"), "prompt": format!("What is {i} + {}?", i % 7), "reference": reference});
        write_jsonl(&lab.path(&format!("{name}.jsonl")), (0..n).map(problem));
    }
    lab
}

#[test]
fn what_a_random_model_writes_is_judged_and_never_undecided() {
    let lab = lab(2, "kind = \"code\"\n", &json!({"tests": ["assert f() == 1"]}));
    let runs = [lab.path("a"), lab.path("b")];
    for root in &runs {
        run(lab.train(root)).succeeded();
    }
    assert_same_run(&runs[0], &runs[1]);
    let metrics = read_jsonl(&runs[0].join("metrics.jsonl"));
    assert!(metrics[1..].iter().all(|line| line["verdicts/undecided_ratio"] == 0.0), "{metrics:?}");
    let shown = run(["rollouts", runs[0].to_str().unwrap(), "--step", "1"]).succeeded();
    // Most is no text; what is was loaded in a box.
    for kind in ["| refused |", "| crash |"] {
        assert!(shown.stdout.contains(kind), "{kind}: {}", shown.stdout);
    }
}

#[test]
fn what_cannot_be_judged_is_an_error_before_training() {
    let verifier = "kind = \"code\"\n";
    let broken = lab(1, verifier, &json!({"tests": ["assert f( == 1"]}));
    run(broken.train(&broken.path("run"))).failed(
        2,
        &["eval.jsonl:1", "eval-0", "the test does not compile: <test 1>, line 1", "3 more problems"],
    );
    let missing = lab(1, verifier, &json!({"tests": ["import no_such_module_7\nassert f() == 1"]}));
    run(missing.train(&missing.path("run"))).failed(2, &["eval.jsonl:1", "no_such_module_7"]);
    let fine = lab(1, verifier, &json!({"tests": ["assert f() == 1"]}));
    let python = ["--set".to_owned(), "verifier.code.python=/nonexistent/python3".to_owned()];
    run(fine.train(&fine.path("run")).into_iter().chain(python))
        .failed(2, &["/nonexistent/python3", "No such file", "correct `python`"]);
    assert!(!fine.path("run").exists(), "nothing was begun");
}
