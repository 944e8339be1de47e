//! Model folders that are not what they should be: exit code 2, a message that names the file, and no run folder.

use std::fs;
use std::path::Path;

use polestar_tests::command::run;
use polestar_tests::files::{copy_folder, edit_json, edit_safetensors, golden_model, write_jsonl};
use polestar_tests::recipe::{Lab, grpo};
use serde_json::{Value, json};

const Q_PROJ: &str = "model.layers.0.self_attn.q_proj.weight";

/// Trains on a changed copy of a model, which must fail and name all of `needles`.
fn refused(model: &str, needles: &[&str], change: impl FnOnce(&Path)) {
    let lab = Lab::new(&grpo(1));
    let (folder, root) = (lab.path("model"), lab.path("run"));
    copy_folder(&golden_model(model), &folder);
    change(&folder);
    let set = ["--set".to_owned(), format!("model.path={}", folder.display())];
    run(lab.train(&root).into_iter().chain(set)).failed(2, needles);
    assert!(!root.exists(), "a run folder was made for a model that does not load");
}

fn cut(path: &Path, keep: impl FnOnce(usize) -> usize) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..keep(bytes.len())]).unwrap();
}

#[test]
fn damaged_weights() {
    let whole = "is not a whole safetensors file";
    let file = |folder: &Path| folder.join("model.safetensors");
    refused("llama-tied", &["model.safetensors", whole, "(its size is"], |folder| {
        cut(&file(folder), |n| n / 2)
    });
    refused("llama-tied", &["model.safetensors", whole], |folder| cut(&file(folder), |n| n - 1));
    refused("llama-tied", &["model.safetensors", whole], |folder| cut(&file(folder), |_| 5));
    refused("llama-tied", &["model.safetensors"], |folder| cut(&file(folder), |_| 0));
    refused("llama-tied", &["model.safetensors", whole], |folder| {
        let mut bytes = fs::read(file(folder)).unwrap();
        bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        fs::write(file(folder), bytes).unwrap();
    });
    refused("llama-tied", &["model.safetensors", whole], |folder| {
        let mut bytes = fs::read(file(folder)).unwrap();
        bytes[20] ^= 0xff;
        fs::write(file(folder), bytes).unwrap();
    });
}

#[test]
fn missing_files() {
    let remove = |name: &'static str| move |folder: &Path| fs::remove_file(folder.join(name)).unwrap();
    refused("llama-tied", &["model.safetensors", "the weights is missing"], remove("model.safetensors"));
    refused("llama-tied", &["config.json", "model.path"], remove("config.json"));
    refused("llama-tied", &["tokenizer.json"], remove("tokenizer.json"));
    let shard = "model-00002-of-00003.safetensors";
    refused("llama3", &[shard, "model.safetensors.index.json", "3 shards"], remove(shard));
}

#[test]
fn an_index_that_does_not_fit_its_shards() {
    let index = "model.safetensors.index.json";
    refused("llama3", &[Q_PROJ, "the index says"], |folder| {
        edit_json(&folder.join(index), |value| {
            let there = value["weight_map"][Q_PROJ].as_str().unwrap().to_owned();
            let other = if there.contains("00001") { "00002" } else { "00001" };
            value["weight_map"][Q_PROJ] = json!(format!("model-{other}-of-00003.safetensors"));
        });
    });
    refused("llama3", &[index, "weight_map"], |folder| fs::write(folder.join(index), "{}").unwrap());
    refused("llama3", &[index, "not JSON"], |folder| fs::write(folder.join(index), "{").unwrap());
    refused("llama3", &[index, "../"], |folder| {
        edit_json(&folder.join(index), |value| value["weight_map"][Q_PROJ] = json!("../x.safetensors"));
    });
}

#[test]
fn weights_that_do_not_fit_the_config() {
    let weights = |change: fn(&mut Value)| {
        move |folder: &Path| edit_safetensors(&folder.join("model.safetensors"), change)
    };
    let config = |change: fn(&mut Value)| move |folder: &Path| edit_json(&folder.join("config.json"), change);
    refused(
        "llama-tied",
        &[Q_PROJ, "I32", "F32, F16 and BF16"],
        weights(|header| header[Q_PROJ]["dtype"] = json!("I32")),
    );
    refused(
        "llama-tied",
        &["model.embed_tokens.weight", "[40, 280]", "[280, 40]"],
        weights(|header| header["model.embed_tokens.weight"]["shape"] = json!([40, 280])),
    );
    refused(
        "llama-tied",
        &[Q_PROJ, "missing"],
        weights(|header| {
            let entry = header.as_object_mut().unwrap().remove(Q_PROJ).unwrap();
            header["model.layers.0.self_attn.query.weight"] = entry;
        }),
    );
    refused("llama-tied", &["belong to no part"], config(|config| config["num_hidden_layers"] = json!(1)));
    refused(
        "llama-tied",
        &["model.layers.2.", "missing"],
        config(|config| config["num_hidden_layers"] = json!(3)),
    );
    refused(
        "llama-tied",
        &["intermediate_size", "config.json"],
        config(|config| config["intermediate_size"] = json!("64")),
    );
    refused(
        "llama-tied",
        &["config.json", "model_type", "t5"],
        config(|config| config["model_type"] = json!("t5")),
    );
    refused(
        "llama-tied",
        &["config.json", "hidden_act"],
        config(|config| config["hidden_act"] = json!("relu")),
    );
}

#[test]
fn a_tokenizer_of_another_model() {
    refused("llama-tied", &["tokenizer", "<|extra|>", "280"], |folder| {
        edit_json(&folder.join("tokenizer.json"), |tokenizer| {
            let mut token = tokenizer["added_tokens"][0].clone();
            (token["id"], token["content"]) = (json!(280), json!("<|extra|>"));
            tokenizer["added_tokens"].as_array_mut().unwrap().push(token);
        });
    });
    refused("llama-tied", &["generation_config.json", "999"], |folder| {
        edit_json(&folder.join("generation_config.json"), |config| config["eos_token_id"] = json!([2, 999]));
    });
    refused("llama-tied", &["tokenizer.json"], |folder| {
        fs::write(folder.join("tokenizer.json"), "{\"a\":").unwrap()
    });
    refused("llama-tied", &["tokenizer_config.json", "eos_token", "<|stop|>"], |folder| {
        edit_json(&folder.join("tokenizer_config.json"), |config| config["eos_token"] = json!("<|stop|>"));
    });
}

#[test]
fn chat_templates_that_refuse() {
    let template = |text: &'static str| {
        move |folder: &Path| {
            fs::write(folder.join("chat_template.jinja"), text).unwrap();
            edit_json(&folder.join("tokenizer_config.json"), |config| {
                config.as_object_mut().unwrap().remove("chat_template").unwrap();
            });
        }
    };
    refused(
        "llama-tied",
        &["chat_template.jinja", "refuses", "only polite users"],
        template("{{ raise_exception('only polite users') }}"),
    );
    refused("llama-tied", &["chat_template.jinja"], template("{% for message in messages %}"));
    refused("llama-tied", &["chat_template.jinja"], template("{{ messages | no_such_filter }}"));
    // A turn that ends where generation would not.
    refused(
        "llama-tied",
        &["<|pad|>", "eos_token_id"],
        template("{% for m in messages %}{{ m.content }}<|pad|>{% endfor %}"),
    );
}

#[test]
fn other_commands_say_the_same() {
    let lab = Lab::new(&grpo(1));
    let (folder, input) = (lab.path("model"), lab.path("in.jsonl"));
    copy_folder(&golden_model("llama-tied"), &folder);
    cut(&folder.join("model.safetensors"), |n| n / 2);
    write_jsonl(&input, [json!({"prompt": "a", "response": "b"})]);
    let [model, input, out] =
        [&folder, &input, &lab.path("out")].map(|path| path.to_str().unwrap().to_owned());
    for call in [
        vec!["generate", "--model", &model, "--prompts", &input, "--out", &out],
        vec!["score", "--model", &model, "--in", &input, "--out", &out],
        vec![
            "eval",
            "--model",
            &model,
            "--tasks",
            "builtin:arithmetic",
            "--verifier",
            "digits",
            "--out",
            &out,
        ],
    ] {
        run(call).failed(2, &["model.safetensors", "is not a whole safetensors file"]);
    }
    run(["generate", "--model", "nowhere", "--prompts", &input, "--out", &out])
        .failed(2, &["nowhere", "config.json"]);
    run(["generate", "--model", "hf:a/b", "--prompts", &input, "--out", &out])
        .failed(2, &["hf:a/b", "cache"]);
    run(["generate", "--model", &model, "--prompts", &input, "--out", &out, "--device", "tpu"])
        .failed(2, &["tpu"]);
    run(["generate", "--model", &model, "--prompts", &input, "--out", &out, "--dtype", "f8"])
        .failed(2, &["f8"]);
}
