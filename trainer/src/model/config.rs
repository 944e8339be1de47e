//! What a `config.json` says, brought to one form that the one decoder definition understands.
//!
//! The five families differ in a dozen switches (biases, norms, windows, ropes, scales); this module reads them with
//! the defaults of transformers' configuration classes, so the model code never asks which family it runs. A key that
//! changes results and is not supported is an error that names it; a key nobody knows is a warning.

mod error;
mod families;
mod keys;
mod rope_keys;
mod section;

use std::path::Path;

use serde_json::Value;

pub use error::ConfigError;

pub use super::rope::{RopeConfig, RopeKind};

/// A family of models that share a configuration format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Llama 1 to 3.3 and everything in their form (SmolLM2 for one).
    Llama,
    /// Mistral 7B and what keeps its form.
    Mistral,
    /// Qwen 2 and 2.5.
    Qwen2,
    /// Qwen 3, dense.
    Qwen3,
    /// The text part of Gemma 3.
    Gemma3,
}

/// The nonlinearity on the MLP's gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// x·σ(x).
    Silu,
    /// GELU in its tanh approximation.
    GeluTanh,
}

/// The type in which weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightDtype {
    /// 32-bit floating point.
    F32,
    /// 16-bit floating point.
    F16,
    /// Brain floating point, 16 bits.
    Bf16,
}

/// What differs from layer to layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerKind {
    /// The sliding window: position q attends to the positions k with `q - window < k <= q`, itself included. None is
    /// full causal attention.
    pub window: Option<usize>,
    /// Which of [`DecoderConfig::ropes`] rotates this layer's queries and keys.
    pub rope: usize,
}

/// The configuration of one decoder-only transformer.
#[derive(Clone, Debug, PartialEq)]
pub struct DecoderConfig {
    /// Whose form the file is in.
    pub family: Family,
    /// Whether the decoder sits in a multimodal model's `text_config`: weight names then carry a
    /// `language_model.` part, and the file has weights that are not the decoder's.
    pub wrapped: bool,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width inside the MLP.
    pub intermediate_size: usize,
    /// Number of layers.
    pub num_layers: usize,
    /// Query heads.
    pub num_heads: usize,
    /// Key and value heads; divides `num_heads`.
    pub num_kv_heads: usize,
    /// Width of one head; even. `num_heads * head_dim` need not be `hidden_size`.
    pub head_dim: usize,
    /// Added to the mean square in RMS norms.
    pub rms_norm_eps: f64,
    /// Whether the output projection is the embedding.
    pub tie_word_embeddings: bool,
    /// The context length, in tokens.
    pub max_position_embeddings: usize,
    /// Whether q, k and v projections have biases.
    pub qkv_bias: bool,
    /// Whether the attention's output projection has a bias.
    pub output_bias: bool,
    /// Whether gate, up and down projections have biases.
    pub mlp_bias: bool,
    /// Whether q and k are RMS-normalised per head before they are rotated.
    pub qk_norm: bool,
    /// Whether norms scale by 1 + weight, multiplied in f32 before rounding to the activations' type (Gemma), instead
    /// of by weight, multiplied after it (all others).
    pub norm_offset: bool,
    /// Embeddings are multiplied by this: sqrt(hidden_size) for Gemma. transformers rounds it to the weights' type
    /// first (sqrt(640) = 25.298 becomes 25.25 in bf16).
    pub embedding_scale: Option<f64>,
    /// The MLP's nonlinearity.
    pub activation: Activation,
    /// Whether the sublayers' outputs are normalised before they are added (`post_attention_layernorm` then is that
    /// norm, and `pre_feedforward_layernorm` and `post_feedforward_layernorm` stand around the MLP).
    pub post_norms: bool,
    /// Attention scores are multiplied by this.
    pub attention_scale: f64,
    /// Logits become cap·tanh(logits / cap). transformers reads Gemma 3's `attn_logit_softcapping`
    /// too, and this key inside a `text_config`, but applies neither; so they are warnings here.
    pub final_logit_softcap: Option<f64>,
    /// One for each layer.
    pub layers: Vec<LayerKind>,
    /// The ropes that layers refer to.
    pub ropes: Vec<RopeConfig>,
    /// Ids that end a text; `generation_config.json` may name more.
    pub eos_token_ids: Vec<u32>,
    /// The id that starts a text.
    pub bos_token_id: Option<u32>,
    /// The id that fills up.
    pub pad_token_id: Option<u32>,
    /// The type the file says the weights have.
    pub dtype: Option<WeightDtype>,
    /// Keys that were ignored and might matter, a sentence each.
    pub warnings: Vec<String>,
    /// The file itself, for export.
    pub raw: Value,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 5] = [Self::Llama, Self::Mistral, Self::Qwen2, Self::Qwen3, Self::Gemma3];

    /// `model_type` in the decoder's configuration.
    #[must_use]
    pub fn model_type(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Mistral => "mistral",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3_text",
        }
    }

    /// The class name in `architectures`.
    #[must_use]
    pub fn architecture(self) -> &'static str {
        match self {
            Self::Llama => "LlamaForCausalLM",
            Self::Mistral => "MistralForCausalLM",
            Self::Qwen2 => "Qwen2ForCausalLM",
            Self::Qwen3 => "Qwen3ForCausalLM",
            Self::Gemma3 => "Gemma3ForCausalLM",
        }
    }
}

impl DecoderConfig {
    /// Reads `folder/config.json`.
    ///
    /// # Errors
    /// As [`Self::from_json`], and where the file is not there or is not JSON.
    pub fn from_folder(folder: &Path) -> Result<Self, ConfigError> {
        let path = folder.join("config.json");
        let text = std::fs::read_to_string(&path)
            .map_err(|reason| ConfigError::Read { path: path.clone(), reason })?;
        let file = path.display().to_string();
        let value =
            serde_json::from_str(&text).map_err(|reason| ConfigError::Json { file: file.clone(), reason })?;
        Self::from_json(&value, &file)
    }

    /// Normalises a configuration. `file` is only for messages.
    ///
    /// # Errors
    /// An architecture that is not one of [`Family::ALL`], a key that changes results and is not supported, a missing
    /// or malformed key, or keys that contradict each other; each names the key and what would do.
    pub fn from_json(value: &Value, file: &str) -> Result<Self, ConfigError> {
        families::read(value, file)
    }
}

#[cfg(test)]
mod tests;
