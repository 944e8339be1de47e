//! The decoder's weights by their Hugging Face names, in one canonical order that the loader, the optimizer and the
//! checkpoint share.

use tch::{Device, Kind, Tensor};

use super::config::DecoderConfig;

/// The weights of one layer. What a family lacks is `None`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the Hugging Face names say it, see `fields`")]
pub struct LayerWeights {
    pub input_norm_D: Tensor,
    pub q_proj: Tensor,
    pub k_proj: Tensor,
    pub v_proj: Tensor,
    pub o_proj: Tensor,
    pub q_bias: Option<Tensor>,
    pub k_bias: Option<Tensor>,
    pub v_bias: Option<Tensor>,
    pub o_bias: Option<Tensor>,
    pub q_norm_h: Option<Tensor>,
    pub k_norm_h: Option<Tensor>,
    pub attention_out_norm_D: Option<Tensor>,
    pub mlp_norm_D: Tensor,
    pub mlp_out_norm_D: Option<Tensor>,
    pub gate_FD: Tensor,
    pub up_FD: Tensor,
    pub down_DF: Tensor,
    pub gate_bias: Option<Tensor>,
    pub up_bias: Option<Tensor>,
    pub down_bias: Option<Tensor>,
}

/// All weights of a decoder.
#[derive(Debug)]
pub struct ModelWeights {
    /// Token embeddings, [V, D].
    pub embed_VD: Tensor,
    /// The layers, first to last.
    pub layers: Vec<LayerWeights>,
    /// The norm after the last layer.
    pub norm_D: Tensor,
    /// The output matrix, [V, D]; `None` where it is the embedding.
    pub head_VD: Option<Tensor>,
}

/// A weight's Hugging Face name and its shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightSpec {
    /// As in the checkpoint.
    pub name: String,
    /// As in the checkpoint.
    pub shape: Vec<i64>,
}

/// Prefix of a layer's names.
#[must_use]
pub fn layer_prefix(index: usize) -> String {
    format!("model.layers.{index}.")
}

/// The name of the embedding.
pub const EMBED: &str = "model.embed_tokens.weight";
/// The name of the final norm.
pub const NORM: &str = "model.norm.weight";
/// The name of an untied output matrix.
pub const HEAD: &str = "lm_head.weight";

/// The names and shapes of one layer's weights, in canonical order.
#[must_use]
pub fn layer_specs(config: &DecoderConfig, index: usize) -> Vec<WeightSpec> {
    let prefix = layer_prefix(index);
    let size = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let (d, f, h) = (size(config.hidden_size), size(config.intermediate_size), size(config.head_dim));
    let (q, kv) = (size(config.num_heads) * h, size(config.num_kv_heads) * h);
    let mut specs = Vec::new();
    let mut add = |present: bool, name: &str, shape: &[i64]| {
        if present {
            specs.push(WeightSpec { name: format!("{prefix}{name}"), shape: shape.to_vec() });
        }
    };
    add(true, "input_layernorm.weight", &[d]);
    add(true, "self_attn.q_proj.weight", &[q, d]);
    add(true, "self_attn.k_proj.weight", &[kv, d]);
    add(true, "self_attn.v_proj.weight", &[kv, d]);
    add(true, "self_attn.o_proj.weight", &[d, q]);
    add(config.qkv_bias, "self_attn.q_proj.bias", &[q]);
    add(config.qkv_bias, "self_attn.k_proj.bias", &[kv]);
    add(config.qkv_bias, "self_attn.v_proj.bias", &[kv]);
    add(config.output_bias, "self_attn.o_proj.bias", &[d]);
    add(config.qk_norm, "self_attn.q_norm.weight", &[h]);
    add(config.qk_norm, "self_attn.k_norm.weight", &[h]);
    if config.post_norms {
        add(true, "post_attention_layernorm.weight", &[d]);
        add(true, "pre_feedforward_layernorm.weight", &[d]);
        add(true, "post_feedforward_layernorm.weight", &[d]);
    } else {
        add(true, "post_attention_layernorm.weight", &[d]);
    }
    add(true, "mlp.gate_proj.weight", &[f, d]);
    add(true, "mlp.up_proj.weight", &[f, d]);
    add(true, "mlp.down_proj.weight", &[d, f]);
    add(config.mlp_bias, "mlp.gate_proj.bias", &[f]);
    add(config.mlp_bias, "mlp.up_proj.bias", &[f]);
    add(config.mlp_bias, "mlp.down_proj.bias", &[d]);
    specs
}

/// The names and shapes of all weights, in canonical order: embedding, layers, final norm, output matrix.
#[must_use]
pub fn specs(config: &DecoderConfig) -> Vec<WeightSpec> {
    let size = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let (v, d) = (size(config.vocab_size), size(config.hidden_size));
    let mut all = vec![WeightSpec { name: EMBED.into(), shape: vec![v, d] }];
    for index in 0..config.num_layers {
        all.extend(layer_specs(config, index));
    }
    all.push(WeightSpec { name: NORM.into(), shape: vec![d] });
    if !config.tie_word_embeddings {
        all.push(WeightSpec { name: HEAD.into(), shape: vec![v, d] });
    }
    all
}

impl ModelWeights {
    /// Weights from a source of tensors by specification.
    ///
    /// # Errors
    /// The source's first error.
    pub fn from_source<E>(
        config: &DecoderConfig,
        mut source: impl FnMut(&WeightSpec) -> Result<Tensor, E>,
    ) -> Result<Self, E> {
        let mut tensors = Vec::new();
        for spec in specs(config) {
            tensors.push(source(&spec)?);
        }
        Ok(Self::from_ordered(config, tensors))
    }

    /// Weights from tensors in canonical order.
    ///
    /// # Panics
    /// When there are not as many tensors as [`specs`] names: a programmer's mistake.
    #[must_use]
    pub fn from_ordered(config: &DecoderConfig, tensors: Vec<Tensor>) -> Self {
        let mut next = tensors.into_iter();
        let mut take = || next.next().expect("one tensor for each specification");
        let embed = take();
        let layers = (0..config.num_layers)
            .map(|_| {
                let input_norm = take();
                let [q_proj, k_proj, v_proj, o_proj] = [take(), take(), take(), take()];
                let [q_bias, k_bias, v_bias] = std::array::from_fn(|_| config.qkv_bias.then(&mut take));
                let o_bias = config.output_bias.then(&mut take);
                let [q_norm, k_norm] = std::array::from_fn(|_| config.qk_norm.then(&mut take));
                // Gemma 3 norms what attention and feed-forward put out, too; there the first of the three norms
                // below is the one after attention, elsewhere the only one is the one before the feed-forward.
                let attention_out_norm = config.post_norms.then(&mut take);
                let mlp_norm = take();
                let mlp_out_norm = config.post_norms.then(&mut take);
                let [gate, up, down] = [take(), take(), take()];
                let [gate_bias, up_bias, down_bias] =
                    std::array::from_fn(|_| config.mlp_bias.then(&mut take));
                LayerWeights {
                    input_norm_D: input_norm,
                    q_proj,
                    k_proj,
                    v_proj,
                    o_proj,
                    q_bias,
                    k_bias,
                    v_bias,
                    o_bias,
                    q_norm_h: q_norm,
                    k_norm_h: k_norm,
                    attention_out_norm_D: attention_out_norm,
                    mlp_norm_D: mlp_norm,
                    mlp_out_norm_D: mlp_out_norm,
                    gate_FD: gate,
                    up_FD: up,
                    down_DF: down,
                    gate_bias,
                    up_bias,
                    down_bias,
                }
            })
            .collect();
        let norm = take();
        let head = (!config.tie_word_embeddings).then(&mut take);
        assert!(next.next().is_none(), "one specification for each tensor");
        Self { embed_VD: embed, layers, norm_D: norm, head_VD: head }
    }

    /// All tensors in canonical order.
    #[must_use]
    pub fn ordered(&self) -> Vec<&Tensor> {
        let mut all = vec![&self.embed_VD];
        for layer in &self.layers {
            all.extend(layer.ordered());
        }
        all.push(&self.norm_D);
        all.extend(&self.head_VD);
        all
    }

    /// Copies of all tensors in another kind or place; where nothing changes the tensors are shared, not copied.
    #[must_use]
    pub fn to(&self, config: &DecoderConfig, device: Device, kind: Kind) -> Self {
        let tensors = self.ordered().into_iter().map(|t| t.to_device(device).to_kind(kind)).collect();
        Self::from_ordered(config, tensors)
    }

    /// Copies `source` into these tensors, in place.
    pub fn copy_from(&mut self, source: &[Tensor]) {
        tch::no_grad(|| {
            for (target, source) in self.ordered().into_iter().zip(source) {
                target.shallow_clone().copy_(source);
            }
        });
    }
}

impl LayerWeights {
    /// The layer's tensors in canonical order.
    #[must_use]
    pub fn ordered(&self) -> Vec<&Tensor> {
        let mut all = vec![&self.input_norm_D, &self.q_proj, &self.k_proj, &self.v_proj, &self.o_proj];
        all.extend([&self.q_bias, &self.k_bias, &self.v_bias, &self.o_bias].into_iter().flatten());
        all.extend([&self.q_norm_h, &self.k_norm_h, &self.attention_out_norm_D].into_iter().flatten());
        all.push(&self.mlp_norm_D);
        all.extend(&self.mlp_out_norm_D);
        all.extend([&self.gate_FD, &self.up_FD, &self.down_DF]);
        all.extend([&self.gate_bias, &self.up_bias, &self.down_bias].into_iter().flatten());
        all
    }
}
