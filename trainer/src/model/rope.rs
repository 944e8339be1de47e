//! Rotary position embeddings: which inverse frequencies a configuration asks for.
//!
//! Pure arithmetic, no tensors. transformers computes these numbers in float32, and at position 8192 the last bit
//! of a frequency turns an angle by 5e-4 rad, so each operation here is rounded to float32 where transformers rounds.
//! The one freedom left is `pow`: ours is the float64 one rounded once, torch's may differ from that in the last bit.

/// One set of rotary frequencies; a model has one, Gemma 3 has two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RopeConfig {
    /// The base of the geometric series of wavelengths.
    pub theta: f64,
    /// How the series is stretched for contexts longer than the pretraining's.
    pub kind: RopeKind,
}

/// How rotary frequencies are scaled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RopeKind {
    /// theta^(−2i/d), unscaled (Su et al. 2021).
    Default,
    /// Every frequency divided by `factor` (position interpolation, Chen et al. 2023).
    Linear {
        /// The context's stretch.
        factor: f64,
    },
    /// Llama 3.1: long wavelengths are divided by `factor`, short ones kept, a ramp between.
    Llama3 {
        /// The context's stretch.
        factor: f64,
        /// Wavelengths above `original_max / low_freq_factor` are fully scaled.
        low_freq_factor: f64,
        /// Wavelengths below `original_max / high_freq_factor` are kept.
        high_freq_factor: f64,
        /// The pretraining's context, in tokens.
        original_max: f64,
    },
    /// YaRN (Peng et al. 2023, §3): a ramp over dimensions between kept and divided frequencies.
    Yarn {
        /// The context's stretch.
        factor: f64,
        /// Dimensions that turn more often than this within `original_max` are kept.
        beta_fast: f64,
        /// Dimensions that turn less often than this within `original_max` are fully scaled.
        beta_slow: f64,
        /// Multiplies cos and sin, so the attention scores by its square; already resolved.
        attention_factor: f64,
        /// The pretraining's context, in tokens.
        original_max: f64,
        /// Whether the ramp's ends are rounded to whole dimensions.
        truncate: bool,
    },
}

/// The YaRN attention factor of a configuration that gives none.
///
/// 0.1·ln(factor) + 1 (YaRN, eq. 22), or DeepSeek's quotient of two such terms where both scales are given and not 0.
#[must_use]
pub fn yarn_attention_factor(factor: f64, mscale: Option<f64>, mscale_all_dim: Option<f64>) -> f64 {
    let term = |scale: f64| if factor <= 1.0 { 1.0 } else { 0.1 * scale * factor.ln() + 1.0 };
    match (mscale, mscale_all_dim) {
        (Some(m), Some(all)) if m != 0.0 && all != 0.0 => term(m) / term(all),
        _ => term(1.0),
    }
}

/// The `head_dim / 2` inverse frequencies (radians a token) and the factor on cos and sin.
///
/// The angle of position p in dimension pair (i, i + head_dim/2) is `p * inv_freq[i]`. Every frequency is a float32
/// number, held as f64.
#[must_use]
pub fn inverse_frequencies(rope: &RopeConfig, head_dim: usize) -> (Vec<f64>, f64) {
    let pos_freqs: Vec<f32> =
        (0..head_dim / 2).map(|i| position_frequency(rope.theta, 2 * i, head_dim)).collect();
    let inv: Vec<f32> = pos_freqs.iter().map(|f| 1.0 / f).collect();
    let (scaled, attention_factor) = match rope.kind {
        RopeKind::Default => (inv, 1.0),
        RopeKind::Linear { factor } => (inv.iter().map(|f| f / factor as f32).collect(), 1.0),
        RopeKind::Llama3 { factor, low_freq_factor, high_freq_factor, original_max } => {
            let scale = |f: &f32| llama3(*f, factor, low_freq_factor, high_freq_factor, original_max);
            (inv.iter().map(scale).collect(), 1.0)
        }
        RopeKind::Yarn { factor, beta_fast, beta_slow, attention_factor, original_max, truncate } => {
            let ramp = YarnRamp::new(rope.theta, head_dim, beta_fast, beta_slow, original_max, truncate);
            let scale = |(i, pos): (usize, &f32)| {
                let keep = 1.0 - ramp.at(i);
                (1.0 / (factor as f32 * pos)) * (1.0 - keep) + (1.0 / pos) * keep
            };
            (pos_freqs.iter().enumerate().map(scale).collect(), attention_factor)
        }
    };
    (scaled.into_iter().map(f64::from).collect(), attention_factor)
}

/// theta^(even_index / head_dim), the exponent and the power each rounded to float32.
fn position_frequency(theta: f64, even_index: usize, head_dim: usize) -> f32 {
    let exponent = even_index as f32 / head_dim as f32;
    f64::from(theta as f32).powf(f64::from(exponent)) as f32
}

/// Llama 3.1's scaling of one frequency.
fn llama3(inv: f32, factor: f64, low: f64, high: f64, original_max: f64) -> f32 {
    let wavelength = (2.0 * std::f64::consts::PI) as f32 / inv;
    if f64::from(wavelength) > original_max / low {
        inv / factor as f32
    } else if f64::from(wavelength) < original_max / high {
        inv
    } else {
        let smooth = (original_max as f32 / wavelength - low as f32) / (high - low) as f32;
        (1.0 - smooth) * inv / factor as f32 + smooth * inv
    }
}

/// YaRN's ramp over dimension pairs: 0 where a frequency is kept, 1 where it is divided.
struct YarnRamp {
    start: f64,
    end: f64,
}

impl YarnRamp {
    fn new(theta: f64, head_dim: usize, fast: f64, slow: f64, original_max: f64, truncate: bool) -> Self {
        let dim = head_dim as f64;
        // The dimension whose frequency turns `rotations` times within the original context.
        let dimension = |rotations: f64| {
            dim * (original_max / (rotations * 2.0 * std::f64::consts::PI)).ln() / (2.0 * theta.ln())
        };
        let (mut start, mut end) = (dimension(fast), dimension(slow));
        if truncate {
            (start, end) = (start.floor(), end.ceil());
        }
        start = start.max(0.0);
        end = end.min(dim - 1.0);
        if start == end {
            end += 0.001;
        }
        Self { start, end }
    }

    fn at(&self, pair: usize) -> f32 {
        let position = (pair as f32 - self.start as f32) / (self.end - self.start) as f32;
        position.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests;
