//! `code` in a training run: boxes judge what is sampled, twice the same, and what cannot be judged is an error before
//! training.

use serde_json::{Value, json};

use polestar_tests::command::run;
use polestar_tests::files::{assert_same_run, read_jsonl, write_jsonl};
use polestar_tests::recipe::{Lab, grpo};

/// A language whose programs print how many of their lines hold a digit: a random model writes some that pass.
const VERIFIER: &str = r#"kind = "code"
language = "digits"

[verifier.languages.digits]
source = "answer.txt"
run = ["grep", "-c", "[0-9]", "answer.txt"]
"#;

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
fn boxes_judge_what_is_sampled() {
    let lab = lab(2, VERIFIER, &json!({"cases": [{"stdin": "", "stdout": "1"}]}));
    let runs = [lab.path("a"), lab.path("b")];
    for root in &runs {
        run(lab.train(root)).succeeded();
    }
    assert_same_run(&runs[0], &runs[1]);
    let metrics = read_jsonl(&runs[0].join("metrics.jsonl"));
    let rewards: Vec<f64> = metrics.iter().filter_map(|line| line["reward"].as_f64()).collect();
    assert!(
        rewards.iter().any(|reward| (0.01..0.99).contains(reward)),
        "some pass and some do not: {rewards:?}"
    );
    assert!(metrics[1..].iter().all(|line| line["verdicts/undecided_ratio"] == 0.0), "{metrics:?}");
    let shown = run(["rollouts", runs[0].to_str().unwrap(), "--step", "1"]).succeeded();
    assert!(shown.stdout.contains("all cases passed (1)"), "{}", shown.stdout);
}

#[test]
fn what_cannot_be_judged_is_an_error_before_training() {
    let verifier = "kind = \"code\"\n";
    let broken = lab(1, verifier, &json!({"tests": ["assert f( == 1"]}));
    run(broken.train(&broken.path("run"))).failed(2, &["train.jsonl:1", "train-0", "assert f( == 1"]);
    let missing = lab(1, verifier, &json!({"tests": ["import no_such_module_7\nassert f() == 1"]}));
    run(missing.train(&missing.path("run"))).failed(2, &["train.jsonl:1", "no_such_module_7"]);
    let fine = lab(1, verifier, &json!({"tests": ["assert f() == 1"]}));
    let python = ["--set".to_owned(), "verifier.code.python=/nonexistent/python3".to_owned()];
    run(fine.train(&fine.path("run")).into_iter().chain(python))
        .failed(2, &["/nonexistent/python3", "No such file", "correct `python`"]);
    assert!(!fine.path("run").exists(), "nothing was begun");
}
