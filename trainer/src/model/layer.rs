//! One decoder layer: norm, attention with rotary positions, norm, gated feed-forward. Shape letters: see the parent.

use tch::{Kind, Tensor};

use super::attention::Attention;
use super::config::{Activation, DecoderConfig};
use super::rotary::Rotary;
use super::weights::LayerWeights;

/// The layer at `index`. `x_ND` -> [N, D].
pub fn forward(
    config: &DecoderConfig,
    index: usize,
    w: &LayerWeights,
    x_ND: &Tensor,
    rotary: &[Rotary],
    attention: &mut dyn Attention,
) -> Tensor {
    let normed_ND = rms_norm(config, x_ND, &w.input_norm_D);
    let mixed_ND = self_attention(config, index, w, &normed_ND, rotary, attention);
    let mixed_ND = match &w.attention_out_norm_D {
        Some(norm_D) => rms_norm(config, &mixed_ND, norm_D),
        None => mixed_ND,
    };
    let x_ND = x_ND + mixed_ND;
    let fed_ND = feed_forward(config, w, &rms_norm(config, &x_ND, &w.mlp_norm_D));
    let fed_ND = match &w.mlp_out_norm_D {
        Some(norm_D) => rms_norm(config, &fed_ND, norm_D),
        None => fed_ND,
    };
    x_ND + fed_ND
}

/// Root-mean-square norm over the last dimension, computed in f32. [..., D] -> [..., D].
pub fn rms_norm(config: &DecoderConfig, x: &Tensor, weight_D: &Tensor) -> Tensor {
    let kind = x.kind();
    let x32 = x.to_kind(Kind::Float);
    let mean_square = (&x32 * &x32).mean_dim([-1i64].as_slice(), true, Kind::Float);
    let normed = x32 * (mean_square + config.rms_norm_eps).rsqrt();
    if config.norm_offset {
        // Gemma stores w and multiplies by 1 + w in f32, before it rounds.
        (normed * (weight_D.to_kind(Kind::Float) + 1.0)).to_kind(kind)
    } else {
        normed.to_kind(kind) * weight_D
    }
}

fn self_attention(
    config: &DecoderConfig,
    index: usize,
    w: &LayerWeights,
    x_ND: &Tensor,
    rotary: &[Rotary],
    attention: &mut dyn Attention,
) -> Tensor {
    let head = config.head_dim as i64;
    let heads = |x: Tensor| x.unflatten(-1, [-1, head]);
    let mut q_NHh = heads(x_ND.linear(&w.q_proj, w.q_bias.as_ref()));
    let mut k_NKh = heads(x_ND.linear(&w.k_proj, w.k_bias.as_ref()));
    let v_NKh = heads(x_ND.linear(&w.v_proj, w.v_bias.as_ref()));
    if let Some(norm_h) = &w.q_norm_h {
        q_NHh = rms_norm(config, &q_NHh, norm_h);
    }
    if let Some(norm_h) = &w.k_norm_h {
        k_NKh = rms_norm(config, &k_NKh, norm_h);
    }
    let rotary = &rotary[config.layers[index].rope];
    let (q_NHh, k_NKh) = (rotary.apply(&q_NHh), rotary.apply(&k_NKh));
    let mixed_NHh = attention.attend(index, &q_NHh, &k_NKh, &v_NKh);
    mixed_NHh.flatten(-2, -1).linear(&w.o_proj, w.o_bias.as_ref())
}

fn feed_forward(config: &DecoderConfig, w: &LayerWeights, x_ND: &Tensor) -> Tensor {
    let gate_NF = x_ND.linear(&w.gate_FD, w.gate_bias.as_ref());
    let gate_NF = match config.activation {
        Activation::Silu => gate_NF.silu(),
        Activation::GeluTanh => gate_NF.gelu("tanh"),
    };
    let up_NF = x_ND.linear(&w.up_FD, w.up_bias.as_ref());
    (gate_NF * up_NF).linear(&w.down_DF, w.down_bias.as_ref())
}
