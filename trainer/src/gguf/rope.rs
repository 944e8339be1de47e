//! Rotary embeddings: what the metadata and the `rope_freqs` tensor say, and how a Hugging Face config says it.
//!
//! GGUF has no words for Llama 3's frequency scaling; converters bake it into `rope_freqs.weight`, one divisor for
//! each frequency. [`llama3_scaling`] recovers the four numbers that the config has instead, and checks them against
//! every divisor.

use serde_json::{Value as Json, json};

use super::container::Container;
use super::error::GgufError;
use super::ggml::GgmlType;
use super::metadata::{Metadata, missing};

/// The tensor of Llama 3's divisors.
pub(super) const ROPE_FREQS: &str = "rope_freqs.weight";
/// Used where the file names no base, as llama.cpp does.
const DEFAULT_THETA: f64 = 10_000.0;
/// Gemma 3's base for layers with a sliding window; older files do not name it.
const GEMMA3_LOCAL_THETA: f64 = 10_000.0;
/// How far a recomputed divisor may lie from the file's, relatively: a few f32 roundings.
const DIVISOR_TOLERANCE: f64 = 1e-4;

/// How positions are encoded.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rope {
    /// The base of the frequencies.
    pub(super) theta: f64,
    /// Gemma 3: the base in layers with a sliding window; these are never scaled.
    pub(super) local_theta: Option<f64>,
    /// Stretching to a longer context than trained at first.
    pub(super) scaling: Scaling,
}

/// A stretching of the frequencies.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scaling {
    /// None.
    Default,
    /// All frequencies divided by the factor.
    Linear { factor: f64 },
    /// YaRN: low frequencies divided, high ones kept, a ramp between them.
    Yarn { factor: f64, original_context: usize, beta_fast: Option<f64>, beta_slow: Option<f64> },
    /// Llama 3.1's: a ramp between two wavelengths.
    Llama3 { factor: f64, low_freq_factor: f64, high_freq_factor: f64, original_context: usize },
}

impl Rope {
    /// Reads everything under `{arch}.rope.` and the divisors' tensor.
    pub(super) fn read(file: &Container<'_>, arch: &str, head_dim: usize) -> Result<Self, GgufError> {
        let metadata = &file.metadata;
        let key = |name: &str| format!("{arch}.rope.{name}");
        if let Some(dimensions) = metadata.u32(&key("dimension_count"))?
            && dimensions as usize != head_dim
        {
            return Err(GgufError::Unsupported {
                what: format!("`{}` = {dimensions}", key("dimension_count")),
                why: format!(
                    "only rotation of the whole head ({head_dim} dimensions) has a place in this architecture's config"
                ),
            });
        }
        let theta = metadata.float(&key("freq_base"))?.unwrap_or(DEFAULT_THETA);
        let local_theta = match arch {
            "gemma3" => Some(metadata.float(&key("freq_base_swa"))?.unwrap_or(GEMMA3_LOCAL_THETA)),
            _ => None,
        };
        let scaling = match read_scaling(metadata, arch)? {
            Scaling::Default if arch == "llama" => llama3_scaling(file, theta, head_dim)?,
            scaling => scaling,
        };
        Ok(Self { theta, local_theta, scaling })
    }

    /// `rope_theta`, `rope_scaling`, `rope_parameters` and Gemma's local base, as key-value pairs of a config: the first
    /// two are what transformers 4 reads, the third what transformers 5 reads.
    pub(super) fn config_entries(&self) -> Vec<(&'static str, Json)> {
        let scaling = self.scaling.as_json();
        let parameters = |theta: f64, scaling: Option<&Json>| {
            let mut parameters = scaling.cloned().unwrap_or_else(|| json!({"rope_type": "default"}));
            parameters["rope_theta"] = json!(theta);
            parameters
        };
        let global = parameters(self.theta, scaling.as_ref());
        let mut entries = vec![("rope_theta", json!(self.theta))];
        if let Some(local_theta) = self.local_theta {
            entries.push(("rope_local_base_freq", json!(local_theta)));
            let both = json!({"full_attention": global, "sliding_attention": parameters(local_theta, None)});
            entries.push(("rope_parameters", both));
        } else {
            entries.push(("rope_parameters", global));
        }
        entries.push(("rope_scaling", scaling.unwrap_or(Json::Null)));
        entries
    }
}

impl Scaling {
    /// The config's object, without the base; none for no scaling.
    fn as_json(&self) -> Option<Json> {
        match self {
            Self::Default => None,
            Self::Linear { factor } => Some(json!({"rope_type": "linear", "factor": factor})),
            Self::Yarn { factor, original_context, beta_fast, beta_slow } => {
                let mut object = json!({
                    "rope_type": "yarn", "factor": factor, "original_max_position_embeddings": original_context,
                });
                for (key, beta) in [("beta_fast", beta_fast), ("beta_slow", beta_slow)] {
                    if let Some(beta) = beta {
                        object[key] = json!(beta);
                    }
                }
                Some(object)
            }
            Self::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => Some(json!({
                "rope_type": "llama3", "factor": factor, "low_freq_factor": low_freq_factor,
                "high_freq_factor": high_freq_factor, "original_max_position_embeddings": original_context,
            })),
        }
    }
}

/// Reads `{arch}.rope.scaling.*`.
fn read_scaling(metadata: &Metadata<'_>, arch: &str) -> Result<Scaling, GgufError> {
    let key = |name: &str| format!("{arch}.rope.scaling.{name}");
    let unsupported = |what: String, why: &str| Err(GgufError::Unsupported { what, why: why.to_owned() });
    for name in ["attn_factor", "yarn_attn_factor", "yarn_ext_factor", "yarn_log_multiplier"] {
        // 1 is what every reader does without being told, except for the logarithm's multiplier.
        if let Some(value) = metadata.float(&key(name))?
            && (value != 1.0 || name == "yarn_log_multiplier")
        {
            return unsupported(
                format!("`{}` = {value}", key(name)),
                "this architecture's config has no word for it",
            );
        }
    }
    // Files from before scaling types have one linear factor.
    if let Some(factor) =
        metadata.float(&format!("{arch}.rope.scale_linear"))?.filter(|&factor| factor != 1.0)
    {
        return Ok(Scaling::Linear { factor: positive(&format!("{arch}.rope.scale_linear"), factor)? });
    }
    let factor = metadata.float(&key("factor"))?;
    let needed = |factor: Option<f64>| {
        let factor = factor.ok_or_else(|| missing(&key("factor"), "a positive number"))?;
        positive(&key("factor"), factor)
    };
    match metadata.text(&key("type"))? {
        None if factor.is_none_or(|factor| factor == 1.0 || factor == 0.0) => Ok(Scaling::Default),
        Some("none") => Ok(Scaling::Default),
        // llama.cpp's default type is linear.
        None | Some("linear") => Ok(Scaling::Linear { factor: needed(factor)? }),
        Some("yarn") => Ok(Scaling::Yarn {
            factor: needed(factor)?,
            original_context: metadata.size(&key("original_context_length"))?,
            beta_fast: metadata.float(&key("yarn_beta_fast"))?,
            beta_slow: metadata.float(&key("yarn_beta_slow"))?,
        }),
        Some(other) => {
            unsupported(format!("`{}` = \"{other}\"", key("type")), "linear and yarn are imported")
        }
    }
}

fn positive(key: &str, value: f64) -> Result<f64, GgufError> {
    if value > 0.0 {
        return Ok(value);
    }
    Err(GgufError::BadKey {
        key: key.to_owned(),
        expected: "a positive number".to_owned(),
        found: value.to_string(),
    })
}

/// Recovers Llama 3.1's scaling from its divisors; no scaling where the file has none or all are 1.
///
/// With wavelength λᵢ = 2π·θ^(2i/d), context C and factors f, l, h, the divisor is 1 where λᵢ < C/h, f where
/// λᵢ > C/l, and 1/((1 − s)/f + s) with s = (C/λᵢ − l)/(h − l) between. C, l and h can all be multiplied by one number
/// without changing a divisor; every published config has l = 1, which fixes it.
fn llama3_scaling(file: &Container<'_>, theta: f64, head_dim: usize) -> Result<Scaling, GgufError> {
    let Some(tensor) = file.tensor(ROPE_FREQS) else { return Ok(Scaling::Default) };
    if tensor.kind != GgmlType::F32 || tensor.shape != [head_dim / 2] {
        return Err(GgufError::TensorShape {
            tensor: ROPE_FREQS.to_owned(),
            expected: vec![head_dim / 2],
            found: tensor.shape.clone(),
        });
    }
    let divisors: Vec<f64> =
        tensor.data.as_chunks::<4>().0.iter().map(|word| f64::from(f32::from_le_bytes(*word))).collect();
    if divisors.iter().all(|&divisor| divisor == 1.0) {
        return Ok(Scaling::Default);
    }
    let wavelengths: Vec<f64> = (0..divisors.len())
        .map(|i| 2.0 * std::f64::consts::PI * theta.powf(2.0 * i as f64 / head_dim as f64))
        .collect();
    candidates(&divisors, &wavelengths)
        .into_iter()
        .find(|&(factor, high, context)| {
            let expected = wavelengths.iter().map(|&wavelength| divisor(wavelength, factor, high, context));
            expected.zip(&divisors).all(|(expected, found)| (expected / found - 1.0).abs() < DIVISOR_TOLERANCE)
        })
        .map(|(factor, high_freq_factor, context)| Scaling::Llama3 {
            factor,
            low_freq_factor: 1.0,
            high_freq_factor,
            // Whole and within u32 by construction of the candidates.
            original_context: context as usize,
        })
        .ok_or_else(|| GgufError::Unsupported {
            what: format!("the tensor `{ROPE_FREQS}`"),
            why: "its divisors do not follow Llama 3's formula with low_freq_factor 1, and a config has no other way to say them"
                .to_owned(),
        })
}

/// The divisor of one frequency.
fn divisor(wavelength: f64, factor: f64, high: f64, context: f64) -> f64 {
    let smooth = ((context / wavelength - 1.0) / (high - 1.0)).clamp(0.0, 1.0);
    1.0 / ((1.0 - smooth) / factor + smooth)
}

/// Triples (factor, high frequency factor, original context) worth trying: the published one, then the one that two
/// divisors of the ramp determine.
fn candidates(divisors: &[f64], wavelengths: &[f64]) -> Vec<(f64, f64, f64)> {
    let factor = divisors.iter().copied().fold(1.0, f64::max);
    let mut candidates = vec![(factor, 4.0, 8192.0)];
    // On the ramp s = a/λ − b with a = C/(h − 1) and b = 1/(h − 1).
    let ramp: Vec<(f64, f64)> = divisors
        .iter()
        .zip(wavelengths)
        .filter(|&(&divisor, _)| divisor > 1.0 && divisor < factor)
        .map(|(&divisor, wavelength)| {
            (1.0 / wavelength, (1.0 / divisor - 1.0 / factor) / (1.0 - 1.0 / factor))
        })
        .collect();
    if let (Some((x0, s0)), Some((x1, s1))) = (ramp.first(), ramp.last())
        && x0 != x1
    {
        let a = (s0 - s1) / (x0 - x1);
        let b = a * x0 - s0;
        let high = 1.0 + 1.0 / b;
        let context = (a / b).round();
        if high > 1.0 && context >= 1.0 && context <= f64::from(u32::MAX) {
            candidates.extend([(factor, high.round(), context), (factor, high, context)]);
        }
    }
    candidates.retain(|&(_, high, _)| high > 1.0);
    candidates
}
