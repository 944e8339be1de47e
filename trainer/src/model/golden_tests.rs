//! The decoder against transformers, on the folders of tests/golden/models (scripts/golden_models.py made them) and, where
//! the environment names it, on SmolLM2-135M-Instruct. Logits agree within 1e-4 of the largest; switching one feature off
//! moves them as far as it moves transformers'.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tch::{Device, Kind, Tensor};

use super::config::{Activation, WeightDtype};
use super::export::export_config;
use super::rope::RopeKind;
use super::save::{FileBytes, SaveError, weight_files};
use super::{Decoder, DecoderConfig, ModelWeights, Packed, load_folder};
use crate::engine::to_f32;
use crate::update::score::PackedIds;

/// On logits, as a share of the prompt's largest.
const TOLERANCE: f32 = 1e-4;

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn folders() -> Vec<PathBuf> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/models");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(models).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 10, "{folders:?}");
    folders
}

fn prompts(golden: &Value) -> Vec<Vec<u32>> {
    let rows = golden["prompts"].as_array().unwrap();
    rows.iter().map(|row| serde_json::from_value(row["ids"].clone()).unwrap()).collect()
}

fn floats(encoded: &Value) -> Vec<f32> {
    let bytes = base64::decode(encoded.as_str().unwrap()).unwrap();
    bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

fn f32_decoder(folder: &Path) -> Decoder {
    let loaded = load_folder(folder, Device::Cpu, Some(Kind::Float)).unwrap();
    Decoder::new(loaded.config, loaded.weights)
}

/// Logits of every position of every sequence, all in one pass. A sequence -> [T, V].
fn logits(decoder: &Decoder, sequences: &[&[u32]]) -> Vec<Tensor> {
    tch::no_grad(|| {
        let packed = PackedIds::new(sequences, Device::Cpu);
        let mut attention = Packed::new(&decoder.config, &packed.lengths, Device::Cpu);
        let h_ND = decoder.hidden(&packed.ids_N, &packed.positions_N, packed.max_position, &mut attention);
        let lengths: Vec<i64> = sequences.iter().map(|ids| ids.len() as i64).collect();
        decoder.logits(&h_ND).split_with_sizes(&lengths[..], 0)
    })
}

fn last(logits_TV: &Tensor) -> Vec<f32> {
    to_f32(&logits_TV.get(-1))
}

/// Every `stride`-th logit of each position, which is all that the goldens of a large vocabulary hold.
fn strided(logits_TV: &Tensor, stride: i64) -> Tensor {
    logits_TV.slice(-1, None, None, stride).contiguous()
}

fn largest(values: impl IntoIterator<Item = f32>) -> f32 {
    // A NaN must not hide behind a maximum.
    values.into_iter().fold(0.0, |most, value| if value.is_nan() { f32::NAN } else { most.max(value.abs()) })
}

/// The largest difference as a share of the largest expected logit.
fn moved(expected: &[f32], found: &[f32]) -> f32 {
    assert_eq!(expected.len(), found.len());
    largest(expected.iter().zip(found).map(|(a, b)| a - b)) / largest(expected.iter().copied())
}

fn check_logits(folder: &Path, golden: &Value) -> f32 {
    let decoder = f32_decoder(folder);
    let prompts = prompts(golden);
    let slices: Vec<&[u32]> = prompts.iter().map(Vec::as_slice).collect();
    let stride = golden["logits_stride"].as_i64().unwrap();
    let together = logits(&decoder, &slices);
    let mut worst: f32 = 0.0;
    for (index, (ids, packed_TV)) in slices.iter().zip(&together).enumerate() {
        let expected = floats(&golden["prompts"][index]["last_logits"]);
        let alone_TV = &logits(&decoder, &[*ids])[0];
        for (how, logits_TV) in [("alone", alone_TV), ("packed", packed_TV)] {
            let moved = moved(&expected, &last(&strided(logits_TV, stride)));
            assert!(moved <= TOLERANCE, "{}: prompt {index}, {how}: {moved:e}", folder.display());
            worst = worst.max(moved);
        }
    }
    let all = &golden["all_positions"];
    let index = all["prompt"].as_u64().unwrap() as usize;
    let found = to_f32(&strided(&together[index], stride).flatten(0, 1));
    let moved = moved(&floats(&all["logits"]), &found);
    assert!(moved <= TOLERANCE, "{}: all positions of prompt {index}: {moved:e}", folder.display());
    worst.max(moved)
}

#[test]
fn logits_are_those_of_transformers() {
    for folder in folders() {
        check_logits(&folder, &read(&folder.join("golden.json")));
    }
}

#[test]
fn a_real_models_logits_are_those_of_transformers() {
    let Some(folder) = std::env::var_os("POLESTAR_SMOLLM2") else {
        // Past the test harness, which swallows what a passing test prints.
        let test = "a_real_models_logits_are_those_of_transformers";
        writeln!(std::io::stdout(), "SKIPPED: {test}: POLESTAR_SMOLLM2 (the model's folder) is not set")
            .unwrap();
        return;
    };
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/smollm2/golden.json");
    check_logits(Path::new(&folder), &read(&golden));
}

/// Without its feature `name`: the configuration and the weights as scripts/golden_specs.py changes them.
fn without(name: &str, config: &mut DecoderConfig, weights: &mut ModelWeights) {
    let windows = |config: &mut DecoderConfig, from: usize, window: Option<usize>| {
        config.layers.iter_mut().skip(from).for_each(|layer| layer.window = window);
    };
    let layers = &mut weights.layers;
    match name {
        "grouped_query_attention" => {
            for layer in layers {
                for weight in [&mut layer.k_proj, &mut layer.v_proj] {
                    let first = weight.narrow(0, 0, config.head_dim as i64);
                    *weight = first.repeat([config.num_kv_heads as i64, 1]);
                }
            }
        }
        "rope_theta" => config.ropes[0].theta = 500_000.0,
        "rope_scaling" => config.ropes.iter_mut().for_each(|rope| rope.kind = RopeKind::Default),
        "attention_factor" => {
            let RopeKind::Yarn { attention_factor, .. } = &mut config.ropes[0].kind else {
                panic!("{config:?}")
            };
            *attention_factor = 1.0;
        }
        "local_rope" => {
            let local = config.layers.iter().find(|layer| layer.window.is_some()).unwrap().rope;
            config.ropes[local].theta = 100_000.0;
        }
        "sliding_window" => windows(config, 0, None),
        "max_window_layers" => windows(config, 0, Some(8)),
        // Here the feature is that a window is not used though the file has one.
        "ignored_window" => windows(config, 1, Some(8)),
        "rms_norm_eps" => config.rms_norm_eps = 1e-6,
        "qkv_bias" => {
            config.qkv_bias = false;
            for layer in layers {
                (layer.q_bias, layer.k_bias, layer.v_bias) = (None, None, None);
            }
        }
        "output_bias" => {
            config.output_bias = false;
            layers.iter_mut().for_each(|layer| layer.o_bias = None);
        }
        "mlp_bias" => {
            config.mlp_bias = false;
            for layer in layers {
                (layer.gate_bias, layer.up_bias, layer.down_bias) = (None, None, None);
            }
        }
        "qk_norm" => {
            config.qk_norm = false;
            for layer in layers {
                (layer.q_norm_h, layer.k_norm_h) = (None, None);
            }
        }
        "post_norms" => {
            config.post_norms = false;
            for layer in layers {
                (layer.attention_out_norm_D, layer.mlp_out_norm_D) = (None, None);
            }
        }
        "final_logit_softcapping" => config.final_logit_softcap = None,
        "query_pre_attn_scalar" => config.attention_scale = 0.25,
        "norm_offset" => config.norm_offset = false,
        "embedding_scale" => config.embedding_scale = None,
        "activation" => config.activation = Activation::Silu,
        other => panic!("no test knows how to do without {other}"),
    }
}

#[test]
fn every_feature_moves_logits_as_far_as_it_does_in_transformers() {
    for folder in folders() {
        let golden = read(&folder.join("golden.json"));
        let prompts = prompts(&golden);
        let slices: Vec<&[u32]> = prompts.iter().map(Vec::as_slice).collect();
        let ablations = read(&folder.join("ablations.json"));
        for (name, expected) in ablations["features"].as_object().unwrap() {
            let mut decoder = f32_decoder(&folder);
            let mut config = decoder.config.clone();
            without(name, &mut config, &mut decoder.weights);
            let found = logits(&Decoder::new(config, decoder.weights), &slices);
            let mut most: f32 = 0.0;
            for (index, logits_TV) in found.iter().enumerate() {
                let reference = floats(&golden["prompts"][index]["last_logits"]);
                let share = moved(&reference, &last(logits_TV));
                let theirs = expected["by_prompt"][index].as_f64().unwrap() as f32;
                // Four digits are given, and both sides may be off by the tolerance.
                let close = (share - theirs).abs() <= 3.0 * TOLERANCE + 1e-3 * theirs;
                assert!(
                    close,
                    "{}: without {name}, prompt {index}: {share} against {theirs}",
                    folder.display()
                );
                most = most.max(share);
            }
            assert!(most > 1e-2, "{}: without {name}: {most}", folder.display());
        }
    }
}

#[test]
fn a_folders_own_type_is_kept() {
    for folder in folders() {
        let own = load_folder(&folder, Device::Cpu, None).unwrap();
        let kind = match own.config.dtype {
            Some(WeightDtype::F16) => Kind::Half,
            Some(WeightDtype::Bf16) => Kind::BFloat16,
            Some(WeightDtype::F32) | None => Kind::Float,
        };
        assert_eq!(own.kind, kind, "{}", folder.display());
    }
}

#[test]
fn what_is_saved_is_the_model_that_was_loaded() {
    for folder in folders() {
        let name = folder.display();
        let original = f32_decoder(&folder);
        let saved = tempfile::tempdir().unwrap();
        let config = export_config(&original.config, Kind::Float).to_string();
        std::fs::write(saved.path().join("config.json"), config).unwrap();
        let mut write = |FileBytes { name, bytes }| -> Result<(), SaveError> {
            std::fs::write(saved.path().join(name), bytes).unwrap();
            Ok(())
        };
        weight_files(&original.config, &original.weights, Kind::Float, &mut write).unwrap();
        let again = f32_decoder(saved.path());
        // The file's form, its type and its warnings may differ; what is computed may not.
        let expected = DecoderConfig {
            wrapped: false,
            dtype: Some(WeightDtype::F32),
            warnings: again.config.warnings.clone(),
            raw: again.config.raw.clone(),
            ..original.config.clone()
        };
        assert_eq!(again.config, expected, "{name}");
        let prompts = prompts(&read(&folder.join("golden.json")));
        let slices: Vec<&[u32]> = prompts.iter().map(Vec::as_slice).collect();
        let all = logits(&original, &slices).into_iter().zip(logits(&again, &slices));
        for (index, (before, after)) in all.enumerate() {
            assert!(before.equal(&after), "{name}: prompt {index}");
        }
    }
}
