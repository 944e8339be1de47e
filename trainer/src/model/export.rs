//! The config.json of a saved model: the base model's own, completed so that old and new readers compute the same.
//! transformers 4 reads `rope_theta` and `rope_scaling` and silently takes its defaults where they are missing;
//! transformers 5 writes `rope_parameters`. Both are written.

use serde_json::{Map, Value, json};
use tch::Kind;

use super::config::{DecoderConfig, Family, RopeConfig, RopeKind};

/// The config of a model saved in `kind`.
#[must_use]
pub fn export_config(config: &DecoderConfig, kind: Kind) -> Value {
    let mut value = config.raw.clone();
    // Of a multimodal checkpoint the text model is what was trained and what is saved.
    if config.wrapped
        && let Some(text) = value.get("text_config")
    {
        value = text.clone();
    }
    let Some(object) = value.as_object_mut() else { return value };
    // Inside a multimodal model no reader applies this key; in the text model that is saved all of them would.
    if config.final_logit_softcap.is_none() {
        object.remove("final_logit_softcapping");
    }
    if config.wrapped {
        // What the outer level said counts for the decoder, too, and would be lost with it.
        let ids = |ids: &[u32]| match ids {
            [] => Value::Null,
            [one] => json!(one),
            several => json!(several),
        };
        object.insert("eos_token_id".into(), ids(&config.eos_token_ids));
        object.insert("bos_token_id".into(), ids(config.bos_token_id.as_slice()));
        object.insert("pad_token_id".into(), ids(config.pad_token_id.as_slice()));
    }
    let dtype = match kind {
        Kind::BFloat16 => "bfloat16",
        Kind::Half => "float16",
        _ => "float32",
    };
    object.insert("dtype".into(), dtype.into());
    object.insert("torch_dtype".into(), dtype.into());
    object.insert("architectures".into(), json!([config.family.architecture()]));
    object.insert("model_type".into(), config.family.model_type().into());
    object.insert("tie_word_embeddings".into(), config.tie_word_embeddings.into());
    object.insert("head_dim".into(), config.head_dim.into());
    object.remove("_name_or_path");
    spell_ropes(config, object);
    value
}

fn spell_ropes(config: &DecoderConfig, object: &mut Map<String, Value>) {
    if config.family == Family::Gemma3 {
        let [full, sliding] = config.ropes.as_slice() else { return };
        object.insert("rope_theta".into(), json!(full.theta));
        object.insert("rope_local_base_freq".into(), json!(sliding.theta));
        object.insert("rope_scaling".into(), scaling(full).map_or(Value::Null, Value::Object));
        let both = json!({ "full_attention": parameters(full), "sliding_attention": parameters(sliding) });
        object.insert("rope_parameters".into(), both);
    } else if let Some(rope) = config.ropes.first() {
        object.insert("rope_theta".into(), json!(rope.theta));
        object.insert("rope_scaling".into(), scaling(rope).map_or(Value::Null, Value::Object));
        object.insert("rope_parameters".into(), Value::Object(parameters(rope)));
    }
}

/// `rope_parameters`: scaling and theta in one.
fn parameters(rope: &RopeConfig) -> Map<String, Value> {
    let mut map =
        scaling(rope).unwrap_or_else(|| Map::from_iter([("rope_type".to_string(), "default".into())]));
    map.insert("rope_theta".into(), json!(rope.theta));
    map
}

/// `rope_scaling`, if the rope is scaled.
fn scaling(rope: &RopeConfig) -> Option<Map<String, Value>> {
    let value = match rope.kind {
        RopeKind::Default => return None,
        RopeKind::Linear { factor } => json!({ "rope_type": "linear", "factor": factor }),
        RopeKind::Llama3 { factor, low_freq_factor, high_freq_factor, original_max } => json!({
            "rope_type": "llama3",
            "factor": factor,
            "low_freq_factor": low_freq_factor,
            "high_freq_factor": high_freq_factor,
            "original_max_position_embeddings": original_max as u64,
        }),
        RopeKind::Yarn { factor, beta_fast, beta_slow, attention_factor, original_max, truncate } => json!({
            "rope_type": "yarn",
            "factor": factor,
            "beta_fast": beta_fast,
            "beta_slow": beta_slow,
            "attention_factor": attention_factor,
            "original_max_position_embeddings": original_max as u64,
            "truncate": truncate,
        }),
    };
    match value {
        Value::Object(map) => Some(map),
        _ => None,
    }
}
