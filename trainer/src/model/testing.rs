//! Small random decoders for tests: every feature that some family has, and weights that make each of them matter.

use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

use super::weights::{self, WeightSpec};
use super::{Decoder, DecoderConfig, ModelWeights};
use crate::seeds::{keyed_rng, unit};
use rand_core::RngCore;

/// A decoder's `config.json` with `more` over what all small ones share.
pub(crate) fn config(more: &Value) -> DecoderConfig {
    let mut value = json!({
        "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 8, "vocab_size": 48, "max_position_embeddings": 256,
        "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": false,
        "eos_token_id": 1
    });
    for (key, setting) in more.as_object().unwrap() {
        value[key] = setting.clone();
    }
    DecoderConfig::from_json(&value, "test config.json").unwrap()
}

/// One configuration for each feature by which families differ.
pub(crate) fn families() -> Vec<(&'static str, DecoderConfig)> {
    let gemma = json!({
        "model_type": "gemma3_text", "hidden_activation": "gelu_pytorch_tanh", "hidden_act": null,
        "num_hidden_layers": 3, "sliding_window": 5, "query_pre_attn_scalar": 12, "rope_local_base_freq": 1000.0,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        "final_logit_softcapping": 4.0, "tie_word_embeddings": true,
        "rope_scaling": {"rope_type": "linear", "factor": 4.0}
    });
    let yarn = json!({
        "model_type": "qwen2", "rope_parameters": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 10000.0,
        "original_max_position_embeddings": 32}, "rope_theta": null
    });
    vec![
        ("llama, tied", config(&json!({"model_type": "llama", "tie_word_embeddings": true}))),
        ("llama, biases", config(&json!({"model_type": "llama", "attention_bias": true, "mlp_bias": true}))),
        ("mistral, window", config(&json!({"model_type": "mistral", "sliding_window": 5}))),
        ("qwen2, biases", config(&json!({"model_type": "qwen2"}))),
        ("qwen2, yarn", config(&yarn)),
        ("qwen3, q/k norms", config(&json!({"model_type": "qwen3"}))),
        ("gemma3, windows, norms, soft cap", config(&gemma)),
    ]
}

/// A decoder over weights that depend on `seed` alone. Its distributions are neither flat nor certain.
pub(crate) fn decoder(config: &DecoderConfig, seed: u64) -> Decoder {
    let weights = ModelWeights::from_source::<()>(config, |spec| Ok(weight(config, spec, seed))).unwrap();
    Decoder::new(config.clone(), weights)
}

fn weight(config: &DecoderConfig, spec: &WeightSpec, seed: u64) -> Tensor {
    let tensor = normal(&spec.shape, &format!("{seed} {}", spec.name));
    let is_norm = spec.name.contains("norm");
    match spec.shape.as_slice() {
        [_] if is_norm => tensor * 0.2 + if config.norm_offset { 0.0 } else { 1.0 },
        [_] => tensor * 0.3,
        // A tied embedding is the head, too: rows of length about 1.5.
        _ if spec.name == weights::EMBED || spec.name == weights::HEAD => tensor * 0.4,
        [_, inputs] => tensor * (1.5 / (*inputs as f64).sqrt()),
        _ => tensor,
    }
}

/// Standard normal numbers in f32 that depend on `name` alone, whatever other tests draw.
pub(crate) fn normal(shape: &[i64], name: &str) -> Tensor {
    let mut rng = keyed_rng("test", &[name.as_bytes()]);
    let n: i64 = shape.iter().product();
    let mut draw = || unit(rng.next_u64());
    let values: Vec<f32> = (0..n)
        .map(|_| ((-2.0 * (1.0 - draw()).ln()).sqrt() * (std::f64::consts::TAU * draw()).cos()) as f32)
        .collect();
    Tensor::from_slice(&values).reshape(shape).to_device(Device::Cpu).to_kind(Kind::Float)
}

/// Token ids that depend on `name` alone, below `vocab`.
pub(crate) fn tokens(length: usize, vocab: usize, name: &str) -> Vec<u32> {
    let mut rng = keyed_rng("test tokens", &[name.as_bytes()]);
    (0..length).map(|_| (rng.next_u64() % vocab as u64) as u32).collect()
}
