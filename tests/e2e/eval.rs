//! What `eval` writes, and that its numbers follow from the samples that it writes.

use std::path::Path;

use polestar_tests::command::run;
use polestar_tests::files::{golden_model, read_json};
use polestar_tests::recipe::{Lab, grpo};
use serde_json::Value;

fn evaluate(lab: &Lab, more: &[&str]) -> Value {
    let (tasks, out) = (lab.path("eval.jsonl"), lab.path("report.json"));
    let model = golden_model("llama-tied");
    let [model, tasks, out] = [&model, &tasks, &out].map(|path| path.to_str().unwrap());
    let call = ["eval", "--model", model, "--tasks", tasks, "--out", out, "--threads", "1"];
    run(call.iter().chain(&["--max-new-tokens", "24"]).chain(more)).succeeded();
    read_json(Path::new(out))
}

fn close(value: &Value, expected: f64) -> bool {
    (value.as_f64().unwrap() - expected).abs() < 1e-12
}

/// How many samples of each problem are right.
fn right(report: &Value, key: &str) -> Vec<f64> {
    let count = |problem: &Value| {
        let samples = problem["samples"].as_array().unwrap();
        samples.iter().filter(|sample| sample[key] == true).count() as f64
    };
    report["problems"].as_array().unwrap().iter().map(count).collect()
}

#[test]
fn several_samples_give_pass_and_maj_at_k() {
    let lab = Lab::new(&grpo(1));
    let report = evaluate(&lab, &["--samples", "4", "--temperature", "0.9", "--seed", "5"]);
    for key in
        ["n", "accuracy", "accuracy_ci", "pass_at", "maj_at", "strict", "lenient", "tokens", "problems"]
    {
        assert!(!report[key].is_null(), "{key} is missing");
    }
    assert_eq!(report["n"], 12);
    let (strict, lenient) = (right(&report, "right"), right(&report, "lenient"));
    let mean = |counts: &[f64]| counts.iter().sum::<f64>() / 4.0 / 12.0;
    assert!(close(&report["accuracy"], mean(&strict)) && close(&report["strict"]["value"], mean(&strict)));
    assert!(close(&report["lenient"]["value"], mean(&lenient)));
    // A random model never writes a box; its last number is right now and then.
    assert!(mean(&strict) < mean(&lenient), "{} {}", mean(&strict), mean(&lenient));
    let tokens: u64 = samples(&report).map(|sample| sample["num_tokens"].as_u64().unwrap()).sum();
    assert_eq!(report["tokens"], tokens);
    assert_eq!(report["pass_at"].as_object().unwrap().keys().collect::<Vec<_>>(), ["1", "2", "4"]);
    assert!(close(&report["pass_at"]["1"]["value"], mean(&strict)));
}

fn samples(report: &Value) -> impl Iterator<Item = &Value> {
    report["problems"].as_array().unwrap().iter().flat_map(|problem| problem["samples"].as_array().unwrap())
}

#[test]
fn a_recipes_verifier_and_prompt_are_used() {
    let lab = Lab::new(&grpo(1));
    let recipe = lab.recipe.to_str().unwrap().to_owned();
    let report = evaluate(&lab, &["--recipe", &recipe, "--samples", "4", "--temperature", "0.9"]);
    // The recipe's rule is the lenient one.
    let counts = right(&report, "right");
    assert!(counts.iter().sum::<f64>() > 0.0);
    assert_eq!(counts, right(&report, "lenient"));
    // Unbiased: 1 − C(n − c, k) / C(n, k), here for k = 2 of n = 4.
    let pass_2 = counts.iter().map(|c| 1.0 - (4.0 - c) * (3.0 - c) / 12.0).sum::<f64>() / 12.0;
    assert!((report["pass_at"]["2"]["value"].as_f64().unwrap() - pass_2).abs() < 1e-9, "{pass_2}");
    let any = counts.iter().filter(|c| **c > 0.0).count() as f64 / 12.0;
    assert!((report["pass_at"]["4"]["value"].as_f64().unwrap() - any).abs() < 1e-9);
}

#[test]
fn a_recipes_stop_texts_end_responses() {
    let lab = Lab::new(&grpo(1).replace("slots = 24", "slots = 24\nstop = [\"6\", \"8\", \"4\"]"));
    let recipe = lab.recipe.to_str().unwrap().to_owned();
    let report = evaluate(&lab, &["--recipe", &recipe, "--samples", "4", "--temperature", "0.9"]);
    let is_digit = |c: char| matches!(c, '4' | '6' | '8');
    let mut stopped = 0;
    for sample in samples(&report) {
        let text = sample["text"].as_str().unwrap();
        if let Some(at) = text.find(is_digit) {
            stopped += 1;
            assert_eq!(sample["finish"], "stop", "{sample}");
            // The token that completes the stop text is the last.
            assert!(text.len() - at < 12, "{sample}");
        }
    }
    assert!(stopped > 0, "no response held a stop text");
}

#[test]
fn one_sample_is_greedy_and_repeats() {
    let lab = Lab::new(&grpo(1));
    let first = evaluate(&lab, &["--limit", "5"]);
    assert_eq!(first["n"], 5);
    assert_eq!(first, evaluate(&lab, &["--limit", "5", "--seed", "9"]), "greedy decoding draws nothing");
    // Wilson's interval for 0 of 5.
    let [low, high] = [0, 1].map(|end| first["accuracy_ci"][end].as_f64().unwrap());
    assert!(low.abs() < 1e-9 && (high - 0.4345).abs() < 1e-3, "{low} {high}");
}

#[test]
fn generated_problems_are_evaluated_too() {
    let folder = tempfile::tempdir().unwrap();
    let (model, out) = (golden_model("qwen2"), folder.path().join("report.json"));
    let [model, out] = [&model, &out].map(|path| path.to_str().unwrap());
    let call = ["eval", "--model", model, "--tasks", "builtim:arithmetic", "--out", out];
    run(call).failed(2, &["builtim:arithmetic"]);
    let tasks =
        ["--tasks", "builtin:arithmetic", "--n", "6", "--verifier", "digits", "--set", "options.digits=1"];
    run(["eval", "--model", model, "--out", out, "--max-new-tokens", "8"].iter().chain(&tasks)).succeeded();
    assert_eq!(read_json(Path::new(out))["n"], 6);
}

#[test]
fn wrong_calls_are_refused() {
    let lab = Lab::new(&grpo(1));
    let (tasks, out) = (lab.path("eval.jsonl"), lab.path("report.json"));
    let model = golden_model("llama-tied");
    let [model, tasks, out] = [&model, &tasks, &out].map(|path| path.to_str().unwrap());
    let lab_recipe = lab.recipe.to_str().unwrap().to_owned();
    let bad_recipe = lab.path("bad.toml").to_str().unwrap().to_owned();
    let text = std::fs::read_to_string(&lab_recipe).unwrap();
    let text = text.replace("kind = \"math\"", "kind = \"math\"\ntimeout_s = -1");
    std::fs::write(&bad_recipe, text).unwrap();
    for (more, needles) in [
        (&["--verifier", "maths"][..], &["`maths`", "math, choice, text, digits"][..]),
        (&["--strategy", "tree"], &["--strategy", "plain"]),
        (&["--samples", "0"], &["--samples"]),
        (&["--max-new-tokens", "0"], &["--max-new-tokens"]),
        (&["--temperature=-0.5"], &["--temperature"]),
        (&["--set", "colums.prompt=q"], &["colums"]),
        (&["--set", "source.deep=q"], &["source.deep"]),
        (&["--set", "novalue"], &["KEY=VALUE"]),
        (&["--set", "columns.prompt=question"], &["question", "eval.jsonl"]),
        (&["--tasks", "missing.jsonl"], &["missing.jsonl"]),
        (&["--shots", "1"], &["--shots 1", "--shots of at most 0", "--recipe"]),
        (&["--recipe", &lab_recipe, "--shots", "2"], &["--shots 2", "at most 0", "recipe.toml"]),
        (&["--recipe", &bad_recipe], &["verifier.math.timeout_s", "-1", "at most 86400", "bad.toml"]),
    ] {
        let mut call = vec!["eval", "--model", model, "--out", out];
        if more[0] != "--tasks" {
            call.extend(["--tasks", tasks]);
        }
        run(call.iter().chain(more)).failed(2, needles);
    }
    assert!(!Path::new(out).exists());
}
