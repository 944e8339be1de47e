//! What a model is: its architecture and sizes, as the metadata and the presence of tensors tell them.

use super::container::Container;
use super::error::GgufError;
use super::rope::Rope;

/// The model families that can be imported, by the name in `general.architecture`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Llama, SmolLM2 and everything else with Llama's layout; Mistral too, told apart by its sliding window.
    Llama,
    Qwen2,
    Qwen3,
    Gemma3,
}

impl Family {
    fn from_name(name: &str) -> Result<Self, GgufError> {
        match name {
            "llama" => Ok(Self::Llama),
            "qwen2" => Ok(Self::Qwen2),
            "qwen3" => Ok(Self::Qwen3),
            "gemma3" => Ok(Self::Gemma3),
            other => Err(GgufError::Architecture(other.to_owned())),
        }
    }

    /// The name in `general.architecture`, which is also the prefix of the architecture's keys.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gemma3 => "gemma3",
        }
    }
}

/// Everything about a model that its config says.
#[derive(Clone, Debug)]
pub(super) struct ModelShape {
    pub(super) family: Family,
    pub(super) num_layers: usize,
    pub(super) hidden_size: usize,
    pub(super) intermediate_size: usize,
    pub(super) num_heads: usize,
    pub(super) num_kv_heads: usize,
    pub(super) head_dim: usize,
    /// Rows of the embedding; at least the tokenizer's number of tokens.
    pub(super) vocab_size: usize,
    /// Positions, in tokens.
    pub(super) context_length: usize,
    pub(super) rms_norm_eps: f64,
    pub(super) rope: Rope,
    /// In tokens. Mistral: in all layers. Gemma 3: in five layers out of six.
    pub(super) sliding_window: Option<usize>,
    /// Gemma 3: every so many layers one without the window. Layer i has none where i + 1 is a multiple.
    pub(super) sliding_window_period: usize,
    /// No `output.weight`: the embedding is the output layer too.
    pub(super) tied: bool,
    /// Biases on all four attention projections (Llama, Qwen 3). Qwen 2 always has them on three.
    pub(super) attention_bias: bool,
    /// Biases on the feed-forward projections (Llama).
    pub(super) mlp_bias: bool,
    /// Gemma: logits are squashed to ± this.
    pub(super) final_logit_softcapping: Option<f64>,
    /// Gemma: attention scores are squashed to ± this.
    pub(super) attn_logit_softcapping: Option<f64>,
}

/// Gemma 3's period of layers without a sliding window; older files do not name it.
const GEMMA3_PERIOD: usize = 6;

/// Keys under the architecture's prefix that this import reads, or that say nothing about the computation.
const KNOWN_KEYS: [&str; 15] = [
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.layer_norm_rms_epsilon",
    "attention.sliding_window",
    "attention.value_length",
    "block_count",
    "context_length",
    "embedding_length",
    "expert_count",
    "expert_used_count",
    "feed_forward_length",
    "rope.dimension_count",
    "rope.freq_base",
    "vocab_size",
];

/// Keys that change what the model computes in a way that the family's config cannot say.
const CHANGING_KEYS: [&str; 8] = [
    "attention.causal",
    "attention.clamp_kqv",
    "attention.scale",
    "attention.temperature_length",
    "embedding_scale",
    "logit_scale",
    "residual_scale",
    "use_parallel_residual",
];

/// Keys that only Gemma 3's config has words for.
const GEMMA3_KEYS: [&str; 4] = [
    "attention.sliding_window_pattern",
    "attn_logit_softcapping",
    "final_logit_softcapping",
    "rope.freq_base_swa",
];

impl ModelShape {
    /// Reads and checks everything; adds a line to `warnings` for each key that is not understood.
    pub(super) fn read(file: &Container<'_>, warnings: &mut Vec<String>) -> Result<Self, GgufError> {
        let metadata = &file.metadata;
        check_is_model(file)?;
        let name = metadata
            .text("general.architecture")?
            .ok_or_else(|| super::metadata::missing("general.architecture", "the architecture's name"))?;
        let family = Family::from_name(name)?;
        check_keys(file, family, warnings)?;
        let key = |name: &str| format!("{}.{name}", family.name());
        let size = |name: &str| metadata.size(&key(name));
        let optional = |name: &str| {
            let present = metadata.get(&key(name)).is_some();
            if present { size(name).map(Some) } else { Ok(None) }
        };

        let hidden_size = size("embedding_length")?;
        let num_heads = size("attention.head_count")?;
        let num_kv_heads = optional("attention.head_count_kv")?.unwrap_or(num_heads);
        let head_dim = match optional("attention.key_length")? {
            Some(head_dim) => head_dim,
            None if hidden_size % num_heads == 0 => hidden_size / num_heads,
            None => {
                let found = format!("{num_heads} heads in a width of {hidden_size}");
                return Err(bad_shape(key("attention.head_count"), "a divisor of the width", found));
            }
        };
        if let Some(value_dim) =
            optional("attention.value_length")?.filter(|&value_dim| value_dim != head_dim)
        {
            let expected = format!("the key length {head_dim}");
            return Err(bad_shape(key("attention.value_length"), &expected, value_dim.to_string()));
        }
        if num_heads % num_kv_heads != 0 {
            let expected = format!("a divisor of the {num_heads} heads");
            return Err(bad_shape(key("attention.head_count_kv"), &expected, num_kv_heads.to_string()));
        }
        if head_dim % 2 != 0 {
            return Err(bad_shape(key("attention.key_length"), "an even number", head_dim.to_string()));
        }
        let eps = key("attention.layer_norm_rms_epsilon");
        let context_length = size("context_length")?;
        let sliding_window = sliding_window(file, family, context_length)?;
        Ok(Self {
            family,
            num_layers: size("block_count")?,
            hidden_size,
            intermediate_size: size("feed_forward_length")?,
            num_heads,
            num_kv_heads,
            head_dim,
            vocab_size: vocab_size(file)?,
            context_length,
            rms_norm_eps: metadata.float(&eps)?.ok_or_else(|| super::metadata::missing(&eps, "a number"))?,
            rope: Rope::read(file, family.name(), head_dim)?,
            sliding_window,
            sliding_window_period: optional("attention.sliding_window_pattern")?.unwrap_or(GEMMA3_PERIOD),
            tied: file.tensor("output.weight").is_none(),
            attention_bias: family != Family::Qwen2 && file.tensor("blk.0.attn_q.bias").is_some(),
            mlp_bias: file.tensor("blk.0.ffn_gate.bias").is_some(),
            final_logit_softcapping: metadata.float(&key("final_logit_softcapping"))?,
            attn_logit_softcapping: metadata.float(&key("attn_logit_softcapping"))?,
        })
    }
}

/// Refuses adapters, projectors and parts of split files, which have an architecture but not a whole model.
fn check_is_model(file: &Container<'_>) -> Result<(), GgufError> {
    if let Some(kind) = file.metadata.text("general.type")?.filter(|&kind| kind != "model") {
        let why = "expected a whole model (`general.type` = \"model\")".to_owned();
        return Err(GgufError::Unsupported { what: format!("a GGUF file of type \"{kind}\""), why });
    }
    if let Some(parts) = file.metadata.u32("split.count")?.filter(|&parts| parts > 1) {
        let why = "join them first with llama-gguf-split --merge".to_owned();
        return Err(GgufError::Unsupported { what: format!("a model split over {parts} files"), why });
    }
    Ok(())
}

/// Refuses keys that change the computation, warns of keys that it does not know.
fn check_keys(file: &Container<'_>, family: Family, warnings: &mut Vec<String>) -> Result<(), GgufError> {
    let prefix = format!("{}.", family.name());
    for key in file.metadata.keys_under(&prefix) {
        let name = key.strip_prefix(&prefix).unwrap_or(key);
        let only_gemma = GEMMA3_KEYS.contains(&name);
        if CHANGING_KEYS.contains(&name) || (only_gemma && family != Family::Gemma3) {
            let why = format!("a {} config has no word for it", family.name());
            return Err(GgufError::Unsupported { what: format!("the metadata key `{key}`"), why });
        }
        if name == "expert_count" && file.metadata.u32(key)?.unwrap_or(0) > 0 {
            let why = "only dense models are imported".to_owned();
            return Err(GgufError::Unsupported { what: format!("a mixture of experts (`{key}`)"), why });
        }
        let rope_scaling = name.starts_with("rope.scal");
        if !KNOWN_KEYS.contains(&name) && !only_gemma && !rope_scaling {
            warnings.push(format!("the metadata key `{key}` is not understood and was left out"));
        }
    }
    Ok(())
}

/// The window, where it is shorter than the context; Gemma 3 must have one.
fn sliding_window(
    file: &Container<'_>,
    family: Family,
    context_length: usize,
) -> Result<Option<usize>, GgufError> {
    let key = format!("{}.attention.sliding_window", family.name());
    if family == Family::Gemma3 {
        return file.metadata.size(&key).map(Some);
    }
    let window = file.metadata.u32(&key)?.map(|window| window as usize);
    let window = window.filter(|&window| window > 0 && window < context_length);
    match (family, window) {
        (Family::Qwen2 | Family::Qwen3, Some(window)) => Err(GgufError::Unsupported {
            what: format!("`{key}` = {window}"),
            why: "the file does not say which layers of a Qwen model have the window".to_owned(),
        }),
        _ => Ok(window),
    }
}

/// Rows of the embedding.
fn vocab_size(file: &Container<'_>) -> Result<usize, GgufError> {
    match file.tensor("token_embd.weight") {
        Some(embedding) => Ok(embedding.shape.first().copied().unwrap_or(0)),
        None => Err(GgufError::MissingTensor { tensor: "token_embd.weight".to_owned(), shape: Vec::new() }),
    }
}

fn bad_shape(key: String, expected: &str, found: String) -> GgufError {
    GgufError::BadKey { key, expected: expected.to_owned(), found }
}
