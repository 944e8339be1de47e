//! What becomes of keys that no family reads: harmless, refused, or warned about.

use serde_json::Value;

use super::ConfigError;
use super::section::Section;

/// Keys that change no logit of a text decoder in evaluation mode.
const HARMLESS: &[&str] = &[
    "_attn_implementation_autoset",
    "_commit_hash",
    "_name_or_path",
    "architectures",
    "attention_dropout",
    "auto_map",
    "begin_suppress_tokens",
    "boi_token_index",
    "cache_implementation",
    "chunk_size_feed_forward",
    "cross_attention_hidden_size",
    "dtype",
    "eoi_token_index",
    "embd_pdrop",
    "finetuning_task",
    "hidden_dropout",
    "id2label",
    "image_token_index",
    "initializer_range",
    "is_llama_config",
    "label2id",
    "max_window_layers",
    "mm_tokens_per_image",
    "model_type",
    "num_labels",
    "output_attentions",
    "output_hidden_states",
    "prefix",
    "pretraining_tp",
    "problem_type",
    "resid_pdrop",
    "return_dict",
    "sep_token_id",
    "task_specific_params",
    "tie_word_embeddings",
    "tokenizer_class",
    "torch_dtype",
    "torchscript",
    "transformers.js_config",
    "transformers_version",
    "unk_token_id",
    "unsloth_fixed",
    "unsloth_version",
    "use_bfloat16",
    "use_cache",
    "vision_config",
    // Sampling settings that old files keep here; the generation settings live elsewhere.
    "bad_words_ids",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "exponential_decay_length_penalty",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "length_penalty",
    "max_length",
    "min_length",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_return_sequences",
    "output_scores",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict_in_generate",
    "suppress_tokens",
    "temperature",
    "tf_legacy_loss",
    "top_k",
    "top_p",
    "typical_p",
];

/// Keys that change results unless they hold their neutral value: null, false, 0, 1 where `one`, or something empty.
const MATTERS: &[(&str, bool, &str)] = &[
    ("add_cross_attention", false, "decoder-only models"),
    ("alibi", false, "rotary position embeddings"),
    ("attention_bias", false, "llama, qwen3 and gemma3 take it; qwen2 has q, k and v biases without it"),
    ("attention_chunk_size", false, "full and sliding-window attention"),
    ("attention_multiplier", true, "head_dim^-0.5, and gemma3's query_pre_attn_scalar"),
    ("attn_logit_softcapping", false, "gemma3's final_logit_softcapping"),
    ("attn_temperature_tuning", false, "none"),
    ("clip_qkv", false, "none"),
    ("compression_config", false, "f32, f16 and bf16 weights"),
    ("embedding_multiplier", true, "gemma3's sqrt(hidden_size)"),
    ("final_logit_softcapping", false, "gemma3 takes it"),
    ("first_k_dense_replace", false, "dense MLPs"),
    ("is_encoder_decoder", false, "decoder-only models"),
    ("layer_types", false, "qwen2, qwen3 and gemma3 take it"),
    ("logit_scale", true, "gemma3's final_logit_softcapping"),
    ("logits_scaling", true, "gemma3's final_logit_softcapping"),
    ("mlp_bias", false, "llama takes it"),
    ("moe_intermediate_size", false, "dense MLPs"),
    ("no_rope_layers", false, "rotary embeddings in every layer"),
    ("num_experts", false, "dense MLPs"),
    ("num_experts_per_tok", false, "dense MLPs"),
    ("num_local_experts", false, "dense MLPs"),
    ("original_max_position_embeddings", false, "the same key inside rope_scaling or rope_parameters"),
    ("parallel_attn", false, "attention, then the MLP"),
    ("partial_rotary_factor", true, "1.0: every dimension of a head rotates"),
    ("pruned_heads", false, "none"),
    ("qk_layernorm", false, "qwen3 and gemma3 have q and k norms"),
    ("qkv_bias", false, "llama and qwen3's attention_bias, qwen2"),
    ("quantization_config", false, "f32, f16 and bf16 weights"),
    ("query_pre_attn_scalar", false, "gemma3 takes it"),
    ("residual_multiplier", true, "1"),
    ("rope_interleaved", false, "false: dimension i is paired with i + head_dim/2"),
    ("rope_local_base_freq", false, "gemma3 takes it"),
    ("rotary_dim", false, "every dimension of a head rotates"),
    ("rotary_pct", true, "1.0: every dimension of a head rotates"),
    ("scale_embeddings", false, "gemma3 scales its embeddings"),
    ("sliding_window", false, "mistral, qwen2, qwen3 and gemma3 take it"),
    ("sliding_window_pattern", false, "gemma3 takes it"),
    ("tie_encoder_decoder", false, "decoder-only models"),
    ("use_bidirectional_attention", false, "causal attention"),
    ("use_mrope", false, "one position a token"),
    ("use_parallel_residual", false, "attention, then the MLP"),
    ("use_qk_norm", false, "qwen3 and gemma3 have q and k norms"),
    ("use_sliding_window", false, "qwen2 and qwen3 take it"),
];

/// Goes through the keys that nothing has read.
///
/// # Errors
/// The first key that changes results and that this family does not support.
pub(super) fn check_unread(section: &Section<'_>, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
    for (key, value) in section.unread() {
        if HARMLESS.contains(&key) {
            continue;
        }
        match MATTERS.iter().find(|(name, ..)| *name == key) {
            Some((_, one, supported)) if !is_neutral(value, *one) => {
                return Err(section.unsupported(key, value, supported));
            }
            Some(_) => {}
            None => warnings.push(format!(
                "`{}` = {} is not known and was ignored; if it changes what the model computes, results will differ",
                section.name(key),
                shorten(value)
            )),
        }
    }
    Ok(())
}

fn is_neutral(value: &Value, one: bool) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(if one { 1.0 } else { 0.0 }),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// A value short enough for one line of a warning.
fn shorten(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}
