//! Random weights for an architecture: what training from scratch, tests and benchmarks begin at.
//!
//! The same seed gives the same bytes on every machine: each weight has a stream of its own, keyed by its name, and
//! what turns it into normal numbers uses only operations that IEEE 754 rounds in one way (no library's logarithm).

use rand_chacha::ChaCha8Rng;
use rand_core::RngCore;
use rayon::prelude::*;
use tch::Tensor;

use super::config::DecoderConfig;
use super::torch::{TorchError, guard};
use super::weights::{self, ModelWeights, WeightSpec};
use crate::seeds::{keyed_rng, unit};

/// The standard deviation where a config has no `initializer_range`.
pub const DEFAULT_STD: f64 = 0.02;

/// Weights in f32 on the CPU: normal with mean 0 and the config's `initializer_range`, biases 0, norms so that they
/// scale by 1.
///
/// # Errors
/// libtorch has no memory for them.
pub fn random_weights(config: &DecoderConfig, seed: u64) -> Result<ModelWeights, TorchError> {
    let std = initializer_range(config);
    let specs = weights::specs(config);
    let values: Vec<Vec<f32>> = specs.par_iter().map(|spec| draw(config, spec, seed, std)).collect();
    let tensors = specs.iter().zip(values).map(|(spec, values)| {
        guard("making random weights", || Tensor::from_slice(&values).reshape(&spec.shape))
    });
    Ok(ModelWeights::from_ordered(config, tensors.collect::<Result<_, _>>()?))
}

/// `initializer_range`, wherever the file has it.
fn initializer_range(config: &DecoderConfig) -> f64 {
    let text = config.raw.get("text_config");
    [Some(&config.raw), text]
        .into_iter()
        .flatten()
        .find_map(|section| section.get("initializer_range")?.as_f64())
        .filter(|std| std.is_finite() && *std >= 0.0)
        .unwrap_or(DEFAULT_STD)
}

fn draw(config: &DecoderConfig, spec: &WeightSpec, seed: u64, std: f64) -> Vec<f32> {
    let n = spec.shape.iter().product::<i64>() as usize;
    if spec.name.ends_with("norm.weight") {
        // An offset norm scales by 1 + weight.
        return vec![if config.norm_offset { 0.0 } else { 1.0 }; n];
    }
    if spec.name.ends_with(".bias") {
        return vec![0.0; n];
    }
    let mut normals = Normals::new(keyed_rng("init-model", &[&seed.to_le_bytes(), spec.name.as_bytes()]));
    (0..n).map(|_| (normals.next() * std) as f32).collect()
}

/// Standard normal numbers, two at a time (Marsaglia and Bray's polar form of Box and Muller).
struct Normals {
    rng: ChaCha8Rng,
    spare: Option<f64>,
}

impl Normals {
    fn new(rng: ChaCha8Rng) -> Self {
        Self { rng, spare: None }
    }

    fn next(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let x = 2.0 * unit(self.rng.next_u64()) - 1.0;
            let y = 2.0 * unit(self.rng.next_u64()) - 1.0;
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let scale = (-2.0 * ln(square) / square).sqrt();
                self.spare = Some(y * scale);
                return x * scale;
            }
        }
    }
}

/// The natural logarithm of a positive, normal number, by operations that round alike everywhere.
fn ln(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    // x = m * 2^e with m in [1, 2), then in [√½, √2).
    let mut e = ((x.to_bits() >> 52) as i64 - 1023) as f64;
    let mut m = f64::from_bits((x.to_bits() & MANTISSA) | (1023 << 52));
    if m > std::f64::consts::SQRT_2 {
        m *= 0.5;
        e += 1.0;
    }
    // ln m = 2 artanh z, whose terms shrink by z² ≤ 0.0295 each.
    let z = (m - 1.0) / (m + 1.0);
    let z2 = z * z;
    let series = (0..11).rev().fold(0.0, |sum, k| sum * z2 + 1.0 / f64::from(2 * k + 1));
    e * std::f64::consts::LN_2 + 2.0 * z * series
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(model_type: &str) -> DecoderConfig {
        let value = json!({
            "model_type": model_type, "vocab_size": 300, "hidden_size": 32, "intermediate_size": 48,
            "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16,
            "max_position_embeddings": 64, "initializer_range": 0.05
        });
        DecoderConfig::from_json(&value, "config.json").unwrap()
    }

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten(0, -1).try_into().unwrap()
    }

    #[test]
    fn weights_repeat_and_have_the_configs_spread() {
        let config = config("qwen2");
        let first = random_weights(&config, 7).unwrap();
        let embedding = values(&first.embed_VD);
        assert_eq!(embedding, values(&random_weights(&config, 7).unwrap().embed_VD));
        assert_ne!(embedding, values(&random_weights(&config, 8).unwrap().embed_VD));
        // Fixed for good: a change here changes every model made with a seed.
        let bits: Vec<u32> = embedding[..3].iter().map(|value| value.to_bits()).collect();
        assert_eq!(bits, GOLDEN);
        let n = embedding.len() as f64;
        let mean = embedding.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let std = (embedding.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / n).sqrt();
        assert!(mean.abs() < 0.0025 && (std - 0.05).abs() < 0.0025, "{mean} {std}");
        assert_eq!(values(first.layers[0].q_bias.as_ref().unwrap()), [0.0; 32]);
        assert_eq!(values(&first.layers[1].mlp_norm_D), [1.0; 32]);
        assert_ne!(values(&first.layers[0].q_proj), values(&first.layers[1].q_proj));
    }

    const GOLDEN: [u32; 3] = [1_009_491_466, 3_181_257_929, 3_169_464_512];

    #[test]
    fn offset_norms_begin_at_zero() {
        let weights = random_weights(&config("gemma3_text"), 0).unwrap();
        assert_eq!(values(&weights.norm_D), [0.0; 32]);
        assert_eq!(values(weights.layers[0].q_norm_h.as_ref().unwrap()), [0.0; 16]);
    }

    #[test]
    fn normals_are_normal() {
        let mut normals = Normals::new(keyed_rng("test", &[]));
        let draws: Vec<f64> = (0..100_000).map(|_| normals.next()).collect();
        let moment = |k: i32| draws.iter().map(|x| x.powi(k)).sum::<f64>() / draws.len() as f64;
        // Five standard errors of each moment's estimate.
        for (k, expected, error) in [(1, 0.0, 0.016), (2, 1.0, 0.023), (3, 0.0, 0.062), (4, 3.0, 0.16)] {
            assert!((moment(k) - expected).abs() < error, "moment {k}: {}", moment(k));
        }
        let far = draws.iter().filter(|x| x.abs() > 1.959_963_984_540_054).count();
        assert!((4650..5350).contains(&far), "{far} of 100000 beyond the 95 % interval");
    }

    #[test]
    fn the_logarithm_is_that_of_the_library() {
        let mut x = 1e-300;
        while x < 1e10 {
            let (own, library) = (ln(x), x.ln());
            assert!((own - library).abs() <= 4e-16 * library.abs().max(1.0), "{x}: {own} {library}");
            x *= 1.37;
        }
        assert_eq!(ln(1.0), 0.0);
    }
}
