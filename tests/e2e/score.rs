//! `score` is the sampler's own account of itself: what `generate` says a token's log-probability was, `score` says too.

use std::path::Path;

use polestar_tests::command::run;
use polestar_tests::files::{golden_model, read_jsonl, write_jsonl};
use serde_json::{Value, json};

fn prompts() -> Vec<Value> {
    let lengths = [1, 2, 5, 9, 17, 30, 44];
    let ids = |i: usize, length: usize| (0..length).map(|t| 4 + (i * 31 + t * 17) % 270).collect::<Vec<_>>();
    lengths
        .iter()
        .enumerate()
        .map(|(i, &length)| json!({"id": format!("p{i}"), "prompt_ids": ids(i, length)}))
        .collect()
}

/// The largest difference between the sampler's log-probabilities and those of `score` on the same tokens.
fn gap(model: &str, sampling: &[&str], temperature: &str) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let [input, samples, pairs, scores] =
        ["in.jsonl", "samples.jsonl", "pairs.jsonl", "scores.jsonl"].map(|name| folder.path().join(name));
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let rows = prompts();
    write_jsonl(&input, rows.clone());
    let model = path(&golden_model(model));
    let call = ["generate", "--model", &model, "--prompts", &path(&input), "--out", &path(&samples)];
    run(call.iter().chain(&["--n", "4", "--threads", "1", "--max-new-tokens", "40"]).chain(sampling))
        .succeeded();
    let sampled = read_jsonl(&samples);
    assert_eq!(sampled.len(), rows.len() * 4);
    let prompt =
        |line: &Value| rows.iter().find(|row| row["id"] == line["id"]).unwrap()["prompt_ids"].clone();
    let pair = |line: &Value| json!({"prompt_ids": prompt(line), "response_ids": line["token_ids"]});
    write_jsonl(&pairs, sampled.iter().map(pair));
    let call = ["score", "--model", &model, "--in", &path(&pairs), "--out", &path(&scores), "--threads", "1"];
    run(call.iter().chain(&["--temperature", temperature, "--micro-batch", "128"])).succeeded();
    let mut most: f64 = 0.0;
    for (line, score) in sampled.iter().zip(read_jsonl(&scores)) {
        assert_eq!(line["token_ids"], score["token_ids"]);
        let [ours, theirs] = [line, &score].map(|row| row["logprobs"].as_array().unwrap().clone());
        assert_eq!(ours.len(), line["token_ids"].as_array().unwrap().len());
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let difference = (ours.as_f64().unwrap() - theirs.as_f64().unwrap()).abs();
            assert!(difference.is_finite());
            most = most.max(difference);
        }
    }
    most
}

#[test]
fn sampled_log_probabilities_are_scored_alike() {
    // A window, two ropes and a soft cap; grouped heads with a stretched rope; biases.
    for model in ["gemma3", "llama3", "qwen2-yarn"] {
        let found =
            gap(model, &["--temperature", "0.7", "--top-p", "0.9", "--slots", "5", "--seed", "3"], "0.7");
        assert!(found < 1e-4, "{model}: {found:e}");
    }
}

#[test]
fn a_greedy_texts_log_probabilities_are_those_of_temperature_one() {
    let found = gap("qwen3", &["--temperature", "0", "--slots", "3"], "1");
    assert!(found < 1e-4, "{found:e}");
}

#[test]
fn responses_that_a_text_ended_are_scored_alike() {
    let stops = ["--temperature", "0.7", "--stop", "a", "--stop", "K1", "--slots", "6", "--min-p", "0.01"];
    let found = gap("mistral", &stops, "0.7");
    assert!(found < 1e-4, "{found:e}");
}

#[test]
fn a_pair_that_cannot_be_scored_is_named_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let [input, out] = ["in.jsonl", "out.jsonl"].map(|name| folder.path().join(name));
    let model = golden_model("llama-tied");
    let good = json!({"prompt": "a", "response": "b"});
    let long: Vec<u32> = vec![7; 250];
    for (bad, needle) in [
        (
            json!({"prompt_ids": [5], "response_ids": [280]}),
            "token id 280 is not in the model's vocabulary of 280",
        ),
        (json!({"prompt_ids": [], "response_ids": [5]}), "the prompt has no tokens"),
        (
            json!({"prompt_ids": long, "response_ids": [5, 5, 5, 5, 5, 5, 5]}),
            "257 tokens; the model's context is 256",
        ),
        (json!({"prompt": "a"}), "`response`"),
        (json!({"prompt_ids": ["x"], "response": "b"}), "prompt_ids"),
        (json!([1]), "expected a JSON object"),
    ] {
        write_jsonl(&input, [good.clone(), bad]);
        let [model, input, out] = [&model, &input, &out].map(|path| path.to_str().unwrap());
        run(["score", "--model", model, "--in", input, "--out", out]).failed(2, &["in.jsonl:2:", needle]);
        assert!(!Path::new(out).exists());
    }
}
