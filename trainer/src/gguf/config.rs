//! `config.json` and `generation_config.json` for each family, in the words that transformers 4 and 5 both read.

use serde_json::{Map, Value as Json, json};

use super::OutDtype;
use super::shape::{Family, ModelShape};
use super::vocab::SpecialIds;

/// Gemma 3 27B alone scales queries by the width over the heads instead of the head's size; ggml knows it by its layers.
const GEMMA3_27B_LAYERS: usize = 62;

/// `model_type` and the model class of `config.json`.
pub(super) fn model_type(shape: &ModelShape) -> (&'static str, &'static str) {
    match shape.family {
        Family::Llama if shape.sliding_window.is_some() => ("mistral", "MistralForCausalLM"),
        Family::Llama => ("llama", "LlamaForCausalLM"),
        Family::Qwen2 => ("qwen2", "Qwen2ForCausalLM"),
        Family::Qwen3 => ("qwen3", "Qwen3ForCausalLM"),
        Family::Gemma3 => ("gemma3_text", "Gemma3ForCausalLM"),
    }
}

/// `config.json`.
pub(super) fn config(shape: &ModelShape, ids: &SpecialIds, dtype: OutDtype) -> Json {
    let (model_type, class) = model_type(shape);
    let dtype = dtype.torch_name();
    let mut config = object(json!({
        "architectures": [class],
        "model_type": model_type,
        "vocab_size": shape.vocab_size,
        "hidden_size": shape.hidden_size,
        "intermediate_size": shape.intermediate_size,
        "num_hidden_layers": shape.num_layers,
        "num_attention_heads": shape.num_heads,
        "num_key_value_heads": shape.num_kv_heads,
        "head_dim": shape.head_dim,
        "max_position_embeddings": shape.context_length,
        "rms_norm_eps": shape.rms_norm_eps,
        "attention_dropout": 0.0,
        "initializer_range": 0.02,
        "tie_word_embeddings": shape.tied,
        "use_cache": true,
        "bos_token_id": ids.bos,
        "eos_token_id": ids.eos,
        "pad_token_id": ids.pad,
        "dtype": dtype,
        "torch_dtype": dtype,
    }));
    config.extend(shape.rope.config_entries().into_iter().map(|(key, value)| (key.to_owned(), value)));
    config.extend(family_entries(shape));
    Json::Object(config)
}

/// The keys that only some families have.
fn family_entries(shape: &ModelShape) -> Map<String, Json> {
    object(match shape.family {
        Family::Llama if shape.sliding_window.is_some() => {
            json!({"hidden_act": "silu", "sliding_window": shape.sliding_window})
        }
        Family::Llama => {
            json!({"hidden_act": "silu", "attention_bias": shape.attention_bias, "mlp_bias": shape.mlp_bias})
        }
        Family::Qwen2 => json!({
            "hidden_act": "silu", "use_sliding_window": false, "sliding_window": null,
            "max_window_layers": shape.num_layers,
        }),
        Family::Qwen3 => json!({
            "hidden_act": "silu", "attention_bias": shape.attention_bias, "use_sliding_window": false,
            "sliding_window": null, "max_window_layers": shape.num_layers,
        }),
        Family::Gemma3 => gemma3_entries(shape),
    })
}

fn gemma3_entries(shape: &ModelShape) -> Json {
    let layer_types: Vec<&str> = (1..=shape.num_layers)
        .map(
            |nth| {
                if nth % shape.sliding_window_period == 0 { "full_attention" } else { "sliding_attention" }
            },
        )
        .collect();
    let query_scalar = match shape.num_layers {
        GEMMA3_27B_LAYERS => shape.hidden_size / shape.num_heads,
        _ => shape.head_dim,
    };
    json!({
        "hidden_activation": "gelu_pytorch_tanh",
        "attention_bias": shape.attention_bias,
        "query_pre_attn_scalar": query_scalar,
        "sliding_window": shape.sliding_window,
        "sliding_window_pattern": shape.sliding_window_period,
        "layer_types": layer_types,
        "attn_logit_softcapping": shape.attn_logit_softcapping,
        "final_logit_softcapping": shape.final_logit_softcapping,
    })
}

/// `generation_config.json`: every id that ends a response, and no limits or sampling defaults of our own.
pub(super) fn generation_config(ids: &SpecialIds) -> Json {
    let mut config = Map::new();
    for (key, id) in [("bos_token_id", ids.bos), ("pad_token_id", ids.pad)] {
        if let Some(id) = id {
            config.insert(key.to_owned(), json!(id));
        }
    }
    config.insert("eos_token_id".to_owned(), json!(ids.stop));
    Json::Object(config)
}

/// The map of a `json!` object literal.
fn object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}
