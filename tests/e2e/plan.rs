//! `--dry-run` and `--schema`: what a recipe comes to, before anything is loaded.

use std::path::{Path, PathBuf};
use std::process::Command;

use polestar_tests::command::{binary, clean, finish, polestar, run, workspace};
use polestar_tests::files::{golden_model, write_jsonl};
use polestar_tests::recipe::{Lab, grpo, star};
use serde_json::{Value, json};

fn shipped() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(workspace().join("configs")).unwrap().map(|entry| entry.unwrap().path());
    let recipes: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    assert!(recipes.len() >= 6, "{recipes:?}");
    recipes
}

fn dry_run(recipe: &Path, more: &[&str]) -> Value {
    let mut command = polestar(["train", recipe.to_str().unwrap(), "--dry-run"]);
    let done = finish(command.args(more).current_dir(workspace())).succeeded();
    serde_json::from_str(&done.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}\n{}", done.call, done.stdout))
}

#[test]
fn every_shipped_recipe_has_a_plan() {
    for recipe in shipped() {
        let out = dry_run(&recipe, &["--set", "model.device=cpu"]);
        let name = recipe.file_stem().unwrap().to_str().unwrap();
        assert_eq!(out["plan"]["run"]["name"], name);
        assert_eq!(out["run_dir"], format!("runs/{name}"));
        let plan = &out["plan"];
        assert!(plan["run"]["threads"].as_u64().unwrap() > 0 && plan["run"]["steps"].as_u64().unwrap() > 0);
        // A number where the model is here, null where it is not.
        let memory = &out["memory_bytes"];
        assert!(memory.is_null() || memory["peak"].as_u64().unwrap() > 0, "{memory}");
        assert!(out.as_object().unwrap().contains_key("memory_bytes"));
    }
}

#[test]
fn a_dry_run_writes_nothing() {
    let lab = Lab::new(&grpo(2));
    let root = lab.path("run");
    run(lab.train(&root).into_iter().chain(["--dry-run".to_owned()])).succeeded();
    assert!(!root.exists());
}

/// Qwen2.5-0.5B's published sizes.
fn qwen_folder(folder: &Path) {
    let config = json!({
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_act": "silu", "hidden_size": 896,
        "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
        "vocab_size": 151_936, "max_position_embeddings": 32_768, "rms_norm_eps": 1e-6, "rope_theta": 1e6,
        "tie_word_embeddings": true, "torch_dtype": "bfloat16", "use_sliding_window": false, "bos_token_id": 151_643,
        "eos_token_id": 151_645,
    });
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

#[test]
fn the_recipe_for_one_gpu_fits_into_24_gigabytes() {
    let folder = tempfile::tempdir().unwrap();
    qwen_folder(folder.path());
    let path = format!("model.path={}", folder.path().display());
    // 256 slots are what a GPU gets by default.
    let sets = ["--set", &path, "--set", "model.device=cpu", "--set", "rollout.slots=256"];
    let out = dry_run(&workspace().join("configs/qwen2.5-0.5b-gsm8k-grpo.toml"), &sets);
    let memory = |part: &str| out["memory_bytes"][part].as_u64().unwrap();
    let layer = 2 * (896 * 896) + 896 + 2 * (896 * 128 + 128) + 3 * 896 * 4864 + 2 * 896;
    let parameters = 151_936 * 896 + 24 * layer + 896;
    assert_eq!(parameters, 494_032_768);
    let expected = [("weights", 2), ("masters", 4), ("gradients", 4), ("optimizer", 8), ("reference", 2)];
    for (part, bytes) in expected {
        assert_eq!(memory(part), parameters * bytes, "{part}");
    }
    // Keys and values of 2 heads of 64 in 24 layers, bf16, for 512 new tokens and at least some prompt.
    let token = 2 * 24 * 2 * 64 * 2;
    assert_eq!(memory("kv_cache") % (256 * token), 0);
    let length = memory("kv_cache") / (256 * token);
    assert!((513..2048).contains(&length), "{length}");
    // A checkpoint in bf16 holds the masters and both moments, 12 bytes a weight: once as bytes, once as a file.
    assert_eq!(memory("saving"), 24 * parameters);
    assert!(memory("peak") > 24 * parameters && memory("peak") < 32_000_000_000, "{}", memory("peak"));
    // On a GPU a checkpoint is the host's business.
    let on_gpu = memory("peak") - memory("program") - memory("saving");
    let computing = (memory("kv_cache") + memory("sampler")).max(memory("activations") + memory("logits"));
    assert!(on_gpu + computing < 24_000_000_000, "{}", on_gpu + computing);
    // f32 has no masters of its own and no 16-bit copies; a KL of 0 needs no reference.
    let out = dry_run(
        &workspace().join("configs/qwen2.5-0.5b-gsm8k-grpo.toml"),
        &[&sets[..], &["--set", "model.dtype=f32", "--set", "update.kl.coef=0"]].concat(),
    );
    let memory = |part: &str| out["memory_bytes"][part].as_u64().unwrap();
    assert_eq!([memory("weights"), memory("masters"), memory("reference")], [parameters * 4, 0, 0]);
}

#[test]
fn a_small_plan_has_the_numbers_of_pen_and_paper() {
    let lab = Lab::new(&grpo(2));
    let out = dry_run(&lab.recipe, &[]);
    let memory = |part: &str| out["memory_bytes"][part].as_u64().unwrap();
    // The file says how many weights there are.
    let bytes = std::fs::read(golden_model("llama-tied").join("model.safetensors")).unwrap();
    let header = u64::from_le_bytes(*bytes.first_chunk::<8>().unwrap());
    assert_eq!(bytes.len() as u64 - 8 - header, 4 * 36_360);
    for (part, expected) in [
        ("weights", 145_440),
        ("masters", 0),
        ("gradients", 145_440),
        ("optimizer", 290_880),
        ("reference", 145_440),
        // 24 slots of 256 tokens, the model's context; 2 layers, keys and values of 2 heads of 10 in f32.
        ("kv_cache", 1_966_080),
        // 24 x 280: logits, scaled logits, probabilities and exponentials in f32, their sums in f64.
        ("sampler", 161_280),
        // 512 tokens in 2 layers, at 836 numbers a layer and token, of which the layer's input is kept apart.
        ("activations", 3_424_256),
        ("logits", 2_293_760),
        // Both moments twice; all of a checkpoint's optimizer and f32 weights.
        ("saving", 581_760),
        ("resuming", 727_200),
        ("base_reload", 0),
        ("peak", 406_445_216),
        ("host_peak", 406_445_216),
    ] {
        assert_eq!(memory(part), expected, "{part}");
    }
    // STaR reads the base weights again and saves no moments; it has no reference.
    let lab = Lab::new(&star(2));
    let out = dry_run(&lab.recipe, &[]);
    let memory = |part: &str| out["memory_bytes"][part].as_u64().unwrap();
    assert_eq!([memory("base_reload"), memory("reference"), memory("saving")], [145_440, 0, 290_880]);
}

/// A call with at most so many KiB of address space.
fn limited(kib: u64, args: impl IntoIterator<Item = String>) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v \"$1\"; shift; exec \"$@\"", "sh", &kib.to_string()]);
    command.arg(binary()).args(args);
    clean(&mut command);
    command
}

#[test]
fn a_run_that_does_not_fit_is_warned_about_and_says_what_it_lacked() {
    // Two million sequences at once: 10 GB for the keys of one layer.
    let lab = Lab::new(&grpo(1).replace("slots = 24", "slots = 2000000").replace("n = 8\n", "n = 250000\n"));
    let root = lab.path("run");
    let sets = ["--set", "eval.at_start=false"].map(str::to_owned);
    let call = || lab.train(&root).into_iter().chain(sets.clone());
    let done = finish(&mut limited(8 << 20, call()));
    let needles = [
        "warning: the run needs about",
        "8.59 GB are available",
        "KV cache",
        "It would fit with rollout.slots = ",
        "error: out of memory while sampling",
        "GB more were not to be had",
        "2000000 sequences",
        "the plan's parts: KV cache",
    ];
    let done = done.failed(1, &needles);
    let warned = done.stderr.find("warning: the run needs").unwrap();
    assert!(warned < done.stderr.find("loading ").unwrap(), "{}", done.stderr);
    // What it advises is enough.
    let slots = done.stderr.split("It would fit with rollout.slots = ").nth(1).unwrap();
    let slots: String = slots.chars().take_while(char::is_ascii_digit).collect();
    let set = ["--set".to_owned(), format!("rollout.slots={slots}"), "--dry-run".to_owned()];
    let fits = finish(&mut limited(8 << 20, call().chain(set))).succeeded();
    assert!(fits.stderr.contains("it fits: 8.59 GB are available"), "{}", fits.stderr);
}

#[test]
fn the_schema_is_json_and_names_every_section() {
    let done = run(["train", "--schema"]).succeeded();
    let schema: Value = serde_json::from_str(&done.stdout).unwrap();
    for section in
        ["run", "model", "data", "prompt", "rollout", "verifier", "algorithm", "update", "optimizer"]
    {
        assert!(schema["properties"][section].is_object(), "{section}");
    }
    for section in ["checkpoint", "eval", "log"] {
        assert!(schema["properties"][section].is_object(), "{section}");
    }
}

#[test]
fn a_plan_needs_neither_model_nor_data() {
    let lab = Lab::new(&grpo(2));
    write_jsonl(&lab.path("train.jsonl"), []);
    let out = dry_run(&lab.recipe, &["--set", "model.path=nowhere/at/all"]);
    assert!(out["memory_bytes"].is_null());
}
