//! Data that is not what it should be: exit code 2, file and line, what was expected, how many more; and no run folder.

use std::fs;

use polestar_tests::command::{finish, polestar, run};
use polestar_tests::files::write_jsonl;
use polestar_tests::recipe::{Lab, grpo, star};
use serde_json::{Value, json};

fn good(i: usize) -> Value {
    json!({"id": format!("p{i}"), "prompt": format!("What is {i}?"), "reference": "6"})
}

/// Trains on a data file, which must fail and name all of `needles`.
fn refused(file: &str, text: &str, more: &[&str], needles: &[&str]) {
    let lab = Lab::new(&grpo(1));
    fs::write(lab.path(file), text).unwrap();
    let root = lab.path("run");
    let more = more.iter().map(|part| (*part).to_owned());
    run(lab.train(&root).into_iter().chain(more)).failed(2, needles);
    assert!(!root.exists(), "a run folder was made for data that does not load");
}

fn lines(rows: impl IntoIterator<Item = Value>) -> String {
    rows.into_iter().map(|row| format!("{row}\n")).collect()
}

fn enough() -> impl Iterator<Item = Value> {
    (0..9).map(good)
}

#[test]
fn bad_lines_are_named_and_counted() {
    let text = format!("{}\n{{\"id\": 1,\n\n[1]\n{}", good(0), lines(enough()));
    refused("train.jsonl", &text, &[], &["train.jsonl:2: expected one JSON object", "1 more line is bad"]);
    refused("eval.jsonl", &text, &[], &["eval.jsonl:2: expected one JSON object", "1 more line is bad"]);
    let text = lines(enough().chain([json!({"id": "x", "prompt": 7, "reference": "6"})]));
    refused("train.jsonl", &text, &[], &["train.jsonl:10:", "no other line is bad"]);
}

#[test]
fn bad_lines_may_be_allowed() {
    let lab = Lab::new(&grpo(1));
    fs::write(lab.path("train.jsonl"), format!("{{\n{}", lines(enough()))).unwrap();
    let sets = ["--set", "data.train.max_bad_lines=1", "--set", "run.steps=1"].map(str::to_owned);
    run(lab.train(&lab.path("run")).into_iter().chain(sets)).succeeded();
}

#[test]
fn references_that_cannot_be_read() {
    let bad = |i: usize| json!({"id": format!("bad-{i}"), "prompt": "x", "reference": {"answr": "3"}});
    let text = lines(enough().chain([bad(1), bad(2), bad(3)]));
    let needles = ["train.jsonl:10", "`bad-1`", "`answr`", "2 more problems have a bad reference"];
    refused("train.jsonl", &text, &[], &needles);
    refused("eval.jsonl", &text, &[], &["eval.jsonl:10", "`bad-1`"]);
}

#[test]
fn too_little_data() {
    refused("train.jsonl", "", &[], &["train.jsonl", "no problems"]);
    refused("train.jsonl", "\n \n", &[], &["train.jsonl", "no problems"]);
    refused(
        "train.jsonl",
        &lines((0..3).map(good)),
        &[],
        &["a step wants 8 problems", "has 3", "rollout.prompts"],
    );
}

#[test]
fn columns_and_ids() {
    let text = lines((0..9).map(|i| json!({"question": format!("{i}?"), "answer": "6"})));
    let set = ["--set", "data.train.columns={prompt=\"question\", reference=\"solution\"}"];
    refused("train.jsonl", &text, &set, &["train.jsonl", "solution", "question, answer"]);
    refused(
        "train.jsonl",
        &lines((0..9).map(|i| good(i % 8))),
        &[],
        &["train.jsonl:9", "\"p0\"", "train.jsonl:1"],
    );
    let set = ["--set", "data.train.answer_regex=#### (.*"];
    refused("train.jsonl", &lines(enough()), &set, &["answer_regex"]);
}

#[test]
fn prompts_that_do_not_fit_are_told_before_the_first_step() {
    let long = |i: usize| json!({"id": format!("long-{i}"), "prompt": "x y ".repeat(200), "reference": "6"});
    let needles = ["long-1", ":10", "the model's context is 256"];
    let text = lines(enough().chain([long(1)]));
    refused("train.jsonl", &text, &[], &[&needles[..], &["train.jsonl"]].concat());
    refused("eval.jsonl", &text, &[], &[&needles[..], &["eval.jsonl"]].concat());
    let set = ["--set", "prompt.template={{ prompt }} {{ level }}"];
    refused("train.jsonl", &lines(enough()), &set, &["prompt.template", "p0", "train.jsonl:1", "level"]);
}

#[test]
fn responses_that_cannot_be_learned_are_told_before_the_first_step() {
    let recipe = grpo(2).replace("kind = \"grpo\"", "kind = \"sft\"").replace("n = 8\n", "n = 1\n");
    let with = |i: usize, response: &str| json!({"id": format!("s{i}"), "prompt": "Why?", "response": response, "reference": "6"});
    let bad = |last: serde_json::Value, needles: &[&str]| {
        let lab = Lab::new(&recipe);
        write_jsonl(&lab.path("train.jsonl"), (0..9).map(|i| with(i, "Six.")).chain([last]));
        run(lab.train(&lab.path("run"))).failed(2, needles);
        assert!(!lab.path("run").exists());
    };
    let none = json!({"id": "s9", "prompt": "Why?", "reference": "6"});
    bad(none, &["train.jsonl:10", "s9 has no response", "data.train.columns.response"]);
    let long = with(9, &"x y ".repeat(200));
    bad(long, &["the prompt and the response", "s9", "train.jsonl:10", "the model's context is 256"]);
}

#[test]
fn a_hint_that_hides_how_long_the_prompt_is_is_told_before_the_first_step() {
    let lab = Lab::new(&star(1));
    let long = json!({"id": "long", "prompt": "x y ".repeat(55), "reference": "6"});
    let short = (0..39).map(|i| json!({"id": format!("p{i}"), "prompt": "What?", "reference": "6"}));
    write_jsonl(&lab.path("train.jsonl"), short.chain([long]));
    let set = ["--set", "prompt.hint=It is {{ answer }}.", "--set", "rollout.max_new_tokens=200"];
    let call = lab.train(&lab.path("run")).into_iter().chain(set.map(str::to_owned));
    let needles =
        ["the prompt without the hint and a response", "long", "train.jsonl:40", "rollout.max_new_tokens"];
    run(call).failed(2, &needles);
    assert!(!lab.path("run").exists());
}

#[test]
fn a_hint_that_does_not_render_is_told_before_the_first_step() {
    let lab = Lab::new(&star(1));
    let set = ["--set", "prompt.hint={{ prompt }} {{ answr }}"].map(str::to_owned);
    run(lab.train(&lab.path("run")).into_iter().chain(set)).failed(2, &["prompt.hint", "answr", "train-0"]);
    assert!(!lab.path("run").exists());
}

#[test]
fn sources_that_are_not_there() {
    let text = lines(enough());
    let source = |source: &str| ["--set".to_owned(), format!("data.train.source={source}")];
    for (name, needles) in [
        ("no/such/file.jsonl", &["no/such/file.jsonl"][..]),
        ("builtin:sums", &["builtin:sums", "arithmetic"]),
        ("hf:", &["hf:"]),
        ("s3://bucket", &["s3://bucket"]),
    ] {
        let set = source(name);
        refused("train.jsonl", &text, &[&set[0], &set[1]], needles);
    }
    // An empty cache, whatever this machine has.
    let lab = Lab::new(&grpo(1));
    for (set, needles) in [
        (source("hf:openai/gsm8k:main/train"), ["openai/gsm8k", "not in the Hugging Face cache"]),
        (
            ["--set".into(), "model.path=hf:Qwen/Qwen3-0.6B".into()],
            ["Qwen/Qwen3-0.6B", "not in the Hugging Face cache"],
        ),
    ] {
        let args = lab.train(&lab.path("run")).into_iter().chain(set);
        finish(polestar(args).env("HF_HOME", lab.path("cache"))).failed(2, &needles);
    }
    assert!(!lab.path("run").exists());
}

#[test]
fn a_compressed_file_that_was_cut_off() {
    let lab = Lab::new(&grpo(1));
    write_jsonl(
        &lab.path("train.jsonl"),
        (0..2000).map(|i| json!({"prompt": i * 7919 % 4999, "reference": "6"})),
    );
    let zipped = std::process::Command::new("gzip").arg(lab.path("train.jsonl")).status();
    if !zipped.is_ok_and(|status| status.success()) {
        return polestar_tests::skip("a_compressed_file_that_was_cut_off", "there is no gzip");
    }
    let path = lab.path("train.jsonl.gz");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let set = ["--set".to_owned(), format!("data.train.source={}", path.display())];
    run(lab.train(&lab.path("run")).into_iter().chain(set)).failed(2, &["train.jsonl.gz after line"]);
}
