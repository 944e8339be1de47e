//! The command line against transformers: greedy texts and log-probabilities on the small models of every family, and on
//! SmolLM2-135M-Instruct where the environment names it.

use std::path::Path;

use polestar_tests::command::run;
use polestar_tests::files::{golden_models, read_json, read_jsonl, write_jsonl};
use polestar_tests::skip;
use serde_json::{Value, json};

const NEW_TOKENS: &str = "50";

/// Greedy tokens and their log-probabilities, of every prompt of a golden file.
fn check_greedy(model: &Path, golden: &Value, slots: &str) {
    let folder = tempfile::tempdir().unwrap();
    let [prompts, out] = ["prompts.jsonl", "out.jsonl"].map(|name| folder.path().join(name));
    let rows = golden["prompts"].as_array().unwrap();
    assert_eq!(rows.len(), 8);
    write_jsonl(&prompts, rows.iter().map(|row| json!({"prompt_ids": row["ids"]})));
    let [model, prompts, out] = [model, &prompts, &out].map(|path| path.to_str().unwrap());
    let call = ["generate", "--model", model, "--prompts", prompts, "--out", out, "--temperature", "0"];
    run(call.iter().chain(&["--max-new-tokens", NEW_TOKENS, "--slots", slots, "--threads", "1"])).succeeded();
    let found = read_jsonl(Path::new(out));
    assert_eq!(found.len(), rows.len());
    for (index, (row, line)) in rows.iter().zip(&found).enumerate() {
        assert_eq!(line["token_ids"], row["greedy"], "{model}: prompt {index}, {slots} slots");
        assert_eq!(line["text"], row["greedy_text"], "{model}: prompt {index}");
        assert_eq!(line["finish"], "length");
        assert_eq!(line["id"], index + 1);
        let difference = (number(&line["logprobs"][0]) - number(&row["greedy_logprob"])).abs();
        assert!(difference < 1e-3, "{model}: prompt {index}: {difference:e}");
    }
}

/// `score` of each prompt's first greedy token, and of a whole prompt after its first token.
fn check_score(model: &Path, golden: &Value) {
    let folder = tempfile::tempdir().unwrap();
    let [pairs, out] = ["pairs.jsonl", "out.jsonl"].map(|name| folder.path().join(name));
    let rows = golden["prompts"].as_array().unwrap();
    let all = &golden["all_positions"];
    let whole = all["prompt"].as_u64().unwrap() as usize;
    let ids = rows[whole]["ids"].as_array().unwrap();
    let first = rows.iter().map(|row| json!({"prompt_ids": row["ids"], "response_ids": [row["greedy"][0]]}));
    let second = json!({"id": "whole", "prompt_ids": ids[..1], "response_ids": ids[1..]});
    write_jsonl(&pairs, first.chain([second]));
    let [model, pairs, out] = [model, &pairs, &out].map(|path| path.to_str().unwrap());
    run(["score", "--model", model, "--in", pairs, "--out", out, "--threads", "1"]).succeeded();
    let found = read_jsonl(Path::new(out));
    assert_eq!(found.len(), rows.len() + 1);
    // Twice the tolerance on logits (1e-4 of the largest), which a log-probability is a difference of.
    for (index, (row, line)) in rows.iter().zip(&found).enumerate() {
        let near = 2e-4 * number(&row["max_abs_logit"]);
        let difference = (number(&line["logprobs"][0]) - number(&row["greedy_logprob"])).abs();
        assert!(difference <= near, "{model}: prompt {index}: {difference:e}");
    }
    let logprobs = found[rows.len()]["logprobs"].as_array().unwrap();
    let expected = all["logprobs"].as_array().unwrap();
    assert_eq!((logprobs.len(), expected.len()), (ids.len() - 1, ids.len() - 1));
    for (position, (found, expected)) in logprobs.iter().zip(expected).enumerate() {
        let near = 2e-4 * number(&all["max_abs_logits"][position]);
        let difference = (number(found) - number(expected)).abs();
        assert!(difference <= near, "{model}: position {position}: {difference:e}");
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn greedy_texts_are_those_of_transformers() {
    for model in golden_models() {
        let golden = read_json(&model.join("golden.json"));
        // Three slots for eight prompts: sequences come and go while others are decoded.
        check_greedy(&model, &golden, "3");
    }
}

#[test]
fn scores_are_those_of_transformers() {
    for model in golden_models() {
        check_score(&model, &read_json(&model.join("golden.json")));
    }
}

#[test]
fn a_real_models_texts_and_scores_are_those_of_transformers() {
    let Some(model) = std::env::var_os("POLESTAR_SMOLLM2") else {
        let reason = "POLESTAR_SMOLLM2 (the model's folder) is not set";
        return skip("a_real_models_texts_and_scores_are_those_of_transformers", reason);
    };
    let golden = read_json(&Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/smollm2/golden.json"));
    check_greedy(Path::new(&model), &golden, "8");
    check_score(Path::new(&model), &golden);
}
