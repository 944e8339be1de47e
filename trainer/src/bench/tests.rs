//! Each measurement on a tiny model: its counts are those of the work that was asked for.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tch::Device;

use super::memory::Baseline;
use super::{Workload, rollout, step, update};
use crate::model::Decoder;
use crate::model::testing::{config, decoder, tokens};
use crate::recipe::{Dtype, Recipe, World};
use crate::text::{Tokenizer, testing};
use crate::update::Updater;

fn model() -> Decoder {
    decoder(&config(&json!({"model_type": "llama", "vocab_size": 300})), 1)
}

/// Two prompts of 5 and 8 tokens, four samples each of 6 tokens, on 4 slots.
fn workload() -> Workload {
    let text = "[run]\nname = \"bench\"\nsteps = 1\n[model]\npath = \"m\"\n[data.train]\nsource = \"d\"\n\
        [rollout]\nn = 4\nmax_new_tokens = 6\nslots = 4\n[[verifier]]\nkind = \"math\"\n\
        [algorithm]\nkind = \"grpo\"\n[update]\noverlong = \"keep\"\nbatch = 4\n[optimizer]\nlr = 1e-3\n";
    let world = World { cores: 1, num_gpus: 0, checkpoint_dtype: Dtype::F32, slots: 0 };
    let recipe = Recipe::parse(Path::new("bench"), text.to_owned(), &[]).unwrap();
    let folder = testing::folder(&[
        ("tokenizer.json", testing::byte_level(&["<end>"])),
        ("tokenizer_config.json", json!({"eos_token": "<end>"})),
    ]);
    Workload {
        prompts: vec![tokens(5, 250, "a"), tokens(8, 250, "b")],
        plan: recipe.resolve(&world).unwrap(),
        ignore_eos: true,
        warmup: 1,
        tokenizer: Arc::new(Tokenizer::load(folder.path()).unwrap()),
    }
}

fn number(report: &Value, key: &str) -> f64 {
    report[key].as_f64().unwrap_or_else(|| panic!("{key} is {} in {report}", report[key]))
}

/// What every report holds, and that the rate is the count over the seconds.
fn check(report: &Value, tokens: &str) {
    let seconds = number(report, "seconds");
    assert!(seconds > 0.0 && number(report, "peak_bytes") > 1e6, "{report}");
    let rate = number(report, tokens) / seconds;
    assert!((number(report, "tokens_per_s") / rate - 1.0).abs() < 1e-9, "{report}");
}

#[test]
fn sampling_is_counted() {
    let report = rollout::rollout(&workload(), &model(), &Baseline::take(Device::Cpu)).unwrap();
    let report = serde_json::to_value(&report).unwrap();
    check(&report, "generated_tokens");
    // Eight responses of six tokens; the first of each comes from the prefill.
    for (key, expected) in [
        ("generated_tokens", 48.0),
        ("prefill_tokens", 13.0),
        ("decode_steps", 10.0),
        ("active_slot_steps", 40.0),
        ("slot_steps", 40.0),
        ("occupancy", 1.0),
        ("responses", 8.0),
    ] {
        assert_eq!(number(&report, key), expected, "{key} of {report}");
    }
    assert!(number(&report, "prefill_s") + number(&report, "decode_s") <= number(&report, "seconds"));
}

#[test]
fn updating_is_counted() {
    let mut updater = Updater::new(model(), Vec::new());
    let report = update::update(&workload(), &mut updater, &Baseline::take(Device::Cpu)).unwrap();
    let report = serde_json::to_value(&report).unwrap();
    check(&report, "trained_tokens");
    for (key, expected) in [
        ("trained_tokens", f64::from(4 * (5 + 6) + 4 * (8 + 6))),
        ("learned_tokens", 48.0),
        ("samples", 8.0),
        ("optimizer_steps", 2.0),
    ] {
        assert_eq!(number(&report, key), expected, "{key} of {report}");
    }
    assert!(number(&report, "grad_norm") > 0.0);
    // The warm-up took steps, too.
    assert_eq!(updater.version, 4);
}

#[test]
fn a_step_learns_from_what_it_sampled() {
    let mut updater = Updater::new(model(), Vec::new());
    let reference = model();
    let baseline = Baseline::take(Device::Cpu);
    let report = step::step(&workload(), &mut updater, Some(&reference), &baseline).unwrap();
    let report = serde_json::to_value(&report).unwrap();
    check(&report, "trained_tokens");
    assert_eq!(number(&report, "trained_tokens"), f64::from(4 * (5 + 6) + 4 * (8 + 6)));
    assert_eq!((number(&report, "generated_tokens"), number(&report, "optimizer_steps")), (48.0, 2.0));
    let parts: f64 =
        ["rollout_s", "verify_s", "score_s", "update_s"].iter().map(|key| number(&report, key)).sum();
    assert!(parts <= number(&report, "seconds") && updater.version == 4, "{report}");
}

#[test]
fn random_samples_repeat_and_have_their_log_probabilities() {
    let workload = workload();
    let samples = workload.random_samples(&model()).unwrap();
    assert_eq!(samples, workload.random_samples(&model()).unwrap());
    for sample in &samples {
        let old = sample.old.as_ref().unwrap();
        assert_eq!(old.len(), sample.ids.len());
        assert!(old.iter().zip(&sample.learned).all(|(&lp, &learned)| !learned || lp < 0.0));
        assert_eq!(sample.learned.iter().filter(|&&learned| learned).count(), 6);
    }
    assert_ne!(samples[0].ids, samples[1].ids);
}
