//! What a run depends on beside its recipe: data and model files that change under it are told, and the day that its chat
//! template sees stays that of its beginning.

use std::fs;
use std::path::PathBuf;

use polestar_tests::command::{Done, run};
use polestar_tests::files::{copy_folder, edit_json, golden_model, read_json};
use polestar_tests::recipe::{Lab, grpo};

/// A lab whose model is a copy that a test may change.
fn lab_with_model() -> (Lab, PathBuf) {
    let model = golden_model("llama-tied");
    let lab = Lab::new(&grpo(1).replace(model.to_str().unwrap(), "FOLDER/model"));
    let copy = lab.path("model");
    copy_folder(&model, &copy);
    (lab, copy)
}

fn resume(root: &str, more: &[&str]) -> Done {
    run(["resume", root].iter().chain(more))
}

#[test]
fn changed_data_and_model_files_are_named() {
    let (lab, model) = lab_with_model();
    let root = lab.path("run");
    run(lab.train(&root)).succeeded();
    let root = root.to_str().unwrap();
    for (path, name, key) in [
        (lab.path("train.jsonl"), "train.jsonl", "data.train.source"),
        (lab.path("eval.jsonl"), "eval.jsonl", "data.eval.source"),
        (model.join("tokenizer.json"), "model/tokenizer.json", "model.path"),
        (model.join("chat_template.jinja"), "model/chat_template.jinja", "model.path"),
        (model.join("generation_config.json"), "model/generation_config.json", "model.path"),
    ] {
        let before = fs::read(&path).unwrap();
        let text = String::from_utf8(before.clone()).unwrap();
        let changed = match name {
            "train.jsonl" | "eval.jsonl" => text.replacen("What is", "How much is", 1),
            "model/chat_template.jinja" => {
                text.replace("'<|im_start|>assistant\\n'", "'<|im_start|>assistant\\n\\n'")
            }
            _ => format!("{text} "),
        };
        assert_ne!(text, changed);
        fs::write(&path, changed).unwrap();
        let done = resume(root, &["--set", "run.steps=2"]).failed(2, &[name, key, "SHA-256", "put back"]);
        assert!(done.stderr.contains("expected: ") && done.stderr.contains("found: "), "{}", done.stderr);
        fs::write(&path, before).unwrap();
    }
    resume(root, &["--set", "run.steps=2"]).succeeded();
}

#[test]
fn the_chat_templates_day_stays() {
    let (lab, model) = lab_with_model();
    let path = model.join("chat_template.jinja");
    let template = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{{{{- 'Today: ' + strftime_now('%d %b %Y %H') + '\\n' -}}}}\n{template}"))
        .unwrap();
    let root = lab.path("run");
    run(lab.train(&root)).succeeded();
    let day = read_json(&root.join("plan.json"))["chat_day"].as_i64().unwrap();
    assert_eq!(day % 86_400, 0);
    // As if the run had been begun long ago.
    edit_json(&root.join("plan.json"), |plan| plan["chat_day"] = (-86_400).into());
    resume(root.to_str().unwrap(), &["--set", "run.steps=2"]).succeeded();
    assert_eq!(read_json(&root.join("plan.json"))["chat_day"], -86_400);
    let prompts =
        |step| run(["rollouts", root.to_str().unwrap(), "--json", "--step", step]).succeeded().stdout;
    assert!(prompts("2").contains("Today: 31 Dec 1969 00"), "{}", prompts("2"));
    assert!(!prompts("1").contains("1969"));
    assert!(prompts("1").contains("Today: "));
}

#[test]
fn no_day_where_no_template_asks() {
    let lab = Lab::new(&grpo(1));
    let root = lab.path("run");
    run(lab.train(&root)).succeeded();
    let plan = read_json(&root.join("plan.json"));
    assert!(plan.get("chat_day").is_none());
    assert!(plan["data_hashes"]["train"].is_string() && plan["data_hashes"]["eval"].is_string());
}
