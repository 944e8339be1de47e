//! Released spellings of the five families, and every kind of refusal.

#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn read(value: &Value) -> Result<DecoderConfig, ConfigError> {
    DecoderConfig::from_json(value, "config.json")
}

/// A small valid file of a family, changed by `changes` (null removes a key).
fn small(kind: &str, changes: Value) -> Value {
    let mut value = json!({
        "model_type": kind, "vocab_size": 96, "hidden_size": 64, "intermediate_size": 128,
        "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16
    });
    for (key, change) in changes.as_object().unwrap() {
        value[key] = change.clone();
    }
    value
}

fn windows(config: &DecoderConfig) -> Vec<Option<usize>> {
    config.layers.iter().map(|layer| layer.window).collect()
}

fn message(value: &Value) -> String {
    read(value).unwrap_err().to_string()
}

#[test]
fn llama_3_scaling_and_defaults() {
    let config = read(&json!({
        "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
        "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "head_dim": 64, "hidden_act": "silu",
        "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 8192,
        "max_position_embeddings": 131072, "mlp_bias": false, "model_type": "llama",
        "num_attention_heads": 32, "num_hidden_layers": 16, "num_key_value_heads": 8, "pretraining_tp": 1,
        "rms_norm_eps": 1e-05, "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
        "original_max_position_embeddings": 8192, "rope_type": "llama3"}, "rope_theta": 500000.0,
        "tie_word_embeddings": true, "torch_dtype": "bfloat16", "transformers_version": "4.45.0",
        "use_cache": true, "vocab_size": 128256
    }))
    .unwrap();
    let kind =
        RopeKind::Llama3 { factor: 32.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_max: 8192.0 };
    assert_eq!(config.ropes, [RopeConfig { theta: 500_000.0, kind }]);
    assert_eq!(config.eos_token_ids, [128_001, 128_008, 128_009]);
    assert_eq!(config.dtype, Some(WeightDtype::Bf16));
    assert!(config.tie_word_embeddings && !config.qkv_bias && !config.qk_norm && !config.norm_offset);
    assert_eq!(config.attention_scale, 0.125);
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn both_rope_spellings_come_to_the_same() {
    let yarn = json!({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64});
    let mut with_theta = yarn.clone();
    with_theta["rope_theta"] = json!(1e6);
    let old = json!({"rope_theta": 1e6, "rope_scaling": {"type": "yarn", "factor": 4.0,
        "original_max_position_embeddings": 64}});
    let new = json!({"rope_parameters": with_theta});
    let both = json!({"rope_theta": 1e6, "rope_scaling": yarn, "rope_parameters": with_theta});
    let [a, b, c] = [old, new, both].map(|keys| read(&small("qwen2", keys)).unwrap().ropes);
    assert_eq!(a, b);
    assert_eq!(b, c);
    assert!(matches!(a[0].kind, RopeKind::Yarn { beta_fast: 32.0, beta_slow: 1.0, truncate: true, .. }));

    let text = message(&small("qwen2", json!({"rope_theta": 1e4, "rope_parameters": with_theta})));
    assert!(text.contains("rope_parameters.rope_theta") && text.contains("10000"), "{text}");
    let linear = json!({"rope_type": "linear", "factor": 2.0});
    let text = message(&small("llama", json!({"rope_scaling": linear, "rope_parameters": yarn})));
    assert!(text.contains("rope_scaling") && text.contains("disagree"), "{text}");
}

#[test]
fn windows_of_each_family() {
    assert_eq!(windows(&read(&small("llama", json!({}))).unwrap()), [None; 4]);
    assert_eq!(windows(&read(&small("mistral", json!({}))).unwrap()), [Some(4096); 4]);
    assert_eq!(windows(&read(&small("mistral", json!({"sliding_window": null}))).unwrap()), [None; 4]);
    let off = json!({"sliding_window": 8, "max_window_layers": 1});
    assert_eq!(windows(&read(&small("qwen2", off)).unwrap()), [None; 4]);
    let on = json!({"use_sliding_window": true, "sliding_window": 8, "max_window_layers": 3});
    assert_eq!(windows(&read(&small("qwen3", on)).unwrap()), [None, None, None, Some(8)]);
    let listed = json!({"use_sliding_window": true, "sliding_window": 8, "layer_types":
        ["sliding_attention", "full_attention", "full_attention", "sliding_attention"]});
    assert_eq!(windows(&read(&small("qwen2", listed)).unwrap()), [Some(8), None, None, Some(8)]);
    let gemma =
        read(&small("gemma3_text", json!({"sliding_window": 8, "sliding_window_pattern": 2}))).unwrap();
    assert_eq!(windows(&gemma), [Some(8), None, Some(8), None]);
    assert_eq!(gemma.layers.iter().map(|layer| layer.rope).collect::<Vec<_>>(), [1, 0, 1, 0]);
}

#[test]
fn gemma_3_in_a_text_config_takes_its_defaults() {
    let config = read(&json!({
        "architectures": ["Gemma3ForConditionalGeneration"], "boi_token_index": 255999, "eos_token_id": [1, 106],
        "image_token_index": 262144, "mm_tokens_per_image": 256, "model_type": "gemma3", "text_config": {
        "hidden_size": 2560, "intermediate_size": 10240, "model_type": "gemma3_text", "num_hidden_layers": 34,
        "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 1024},
        "torch_dtype": "bfloat16", "vision_config": {"hidden_size": 1152}
    }))
    .unwrap();
    assert_eq!(
        (config.vocab_size, config.num_heads, config.num_kv_heads, config.head_dim),
        (262_208, 8, 4, 256)
    );
    assert_eq!(config.ropes[0], RopeConfig { theta: 1e6, kind: RopeKind::Linear { factor: 8.0 } });
    assert_eq!(config.ropes[1], RopeConfig { theta: 1e4, kind: RopeKind::Default });
    assert_eq!(config.layers[5], LayerKind { window: None, rope: 0 });
    assert_eq!(config.layers[6], LayerKind { window: Some(1024), rope: 1 });
    assert!(config.wrapped && config.tie_word_embeddings && config.post_norms && config.norm_offset);
    assert_eq!(config.embedding_scale, Some(2560f64.sqrt()));
    assert_eq!(config.attention_scale, 0.0625);
    assert_eq!((config.eos_token_ids, config.dtype), (vec![1, 106], Some(WeightDtype::Bf16)));
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn gemma_3_ropes_nested_by_kind_of_layer() {
    let nested = json!({"rope_parameters": {
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}});
    let old = json!({"rope_theta": 1e6, "rope_local_base_freq": 1e4,
        "rope_scaling": {"rope_type": "linear", "factor": 8.0}});
    let [a, b] = [nested, old].map(|keys| read(&small("gemma3_text", keys)).unwrap().ropes);
    assert_eq!(a, b);
    let flat = json!({"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}});
    assert!(message(&small("gemma3_text", flat)).contains("full_attention"));
    let text = message(&small("llama", json!({"rope_parameters": {"full_attention": {}}})));
    assert!(text.contains("rope_parameters"), "{text}");
}

#[test]
fn biases_and_norms_by_family() {
    let flags = |value: Value| {
        let config = read(&value).unwrap();
        (config.qkv_bias, config.output_bias, config.mlp_bias, config.qk_norm)
    };
    assert_eq!(flags(small("qwen2", json!({}))), (true, false, false, false));
    assert_eq!(flags(small("qwen3", json!({}))), (false, false, false, true));
    assert_eq!(flags(small("qwen3", json!({"attention_bias": true}))), (true, true, false, true));
    assert_eq!(
        flags(small("llama", json!({"attention_bias": true, "mlp_bias": true}))),
        (true, true, true, false)
    );
    assert_eq!(flags(small("mistral", json!({"attention_bias": false}))), (false, false, false, false));
    assert_eq!(read(&small("qwen3", json!({"head_dim": 32}))).unwrap().attention_scale, 32f64.powf(-0.5));
}

#[test]
fn unknown_architectures_are_named_with_what_is_supported() {
    let text = message(&json!({"model_type": "mixtral", "architectures": ["MixtralForCausalLM"]}));
    assert!(text.contains("mixtral") && text.contains("gemma3_text") && text.contains("llama"), "{text}");
    let text = message(&json!({"architectures": ["PhiForCausalLM"]}));
    assert!(text.contains("PhiForCausalLM") && text.contains("Qwen3ForCausalLM"), "{text}");
    let text = message(&small("llama", json!({"architectures": ["LlamaForSequenceClassification"]})));
    assert!(text.contains("LlamaForSequenceClassification") && text.contains("LlamaForCausalLM"), "{text}");
    assert!(message(&json!({})).contains("model_type"));
    assert!(message(&json!([1])).contains("a JSON object"));
    let text = message(&json!({"model_type": "gemma3", "text_config": {"model_type": "gemma2"}}));
    assert!(text.contains("text_config.model_type"), "{text}");
    let named = json!({"architectures": ["Qwen2ForCausalLM"], "model_type": null});
    assert_eq!(read(&small("qwen2", named)).unwrap().family, Family::Qwen2);
}

/// Each change to a small valid file, with what the refusal must name.
#[test]
fn keys_that_change_results_are_refused_by_name() {
    let cases = [
        ("llama", json!({"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}), "rope_scaling.rope_type"),
        ("llama", json!({"rope_scaling": {"type": "su"}}), "rope_scaling.type"),
        ("qwen2", json!({"rope_scaling": {"type": "mrope", "mrope_section": [1]}}), "mrope"),
        ("qwen3", json!({"rope_parameters": {"rope_type": "longrope"}}), "rope_parameters.rope_type"),
        ("llama", json!({"partial_rotary_factor": 0.5}), "partial_rotary_factor"),
        ("llama", json!({"rope_parameters": {"partial_rotary_factor": 0.5}}), "partial_rotary_factor"),
        ("llama", json!({"rope_interleaved": true}), "rope_interleaved"),
        ("llama", json!({"hidden_act": "relu"}), "hidden_act"),
        ("mistral", json!({"attention_bias": true}), "attention_bias"),
        ("qwen3", json!({"mlp_bias": true}), "mlp_bias"),
        ("llama", json!({"quantization_config": {"quant_method": "awq"}}), "quantization_config"),
        ("qwen3", json!({"num_experts": 128}), "num_experts"),
        ("llama", json!({"attn_logit_softcapping": 50.0}), "attn_logit_softcapping"),
        ("mistral", json!({"final_logit_softcapping": 30.0}), "final_logit_softcapping"),
        ("llama", json!({"sliding_window": 1024}), "sliding_window"),
        ("llama", json!({"logits_scaling": 8.0}), "logits_scaling"),
        ("gemma3_text", json!({"use_bidirectional_attention": true}), "use_bidirectional_attention"),
        (
            "qwen2",
            json!({"layer_types": ["chunked_attention", "full_attention", "full_attention",
            "full_attention"]}),
            "chunked_attention",
        ),
        ("qwen2", json!({"layer_types": ["full_attention"]}), "layer_types"),
        ("mistral", json!({"layer_types": vec!["full_attention"; 4]}), "layer_types"),
        ("qwen2", json!({"layer_types": vec!["sliding_attention"; 4]}), "use_sliding_window"),
        ("llama", json!({"torch_dtype": "float8_e4m3fn"}), "torch_dtype"),
    ];
    for (kind, change, named) in cases {
        let text = message(&small(kind, change.clone()));
        assert!(text.contains(named) && text.contains("config.json"), "{change}: {text}");
    }
}

#[test]
fn neutral_values_of_those_keys_are_accepted() {
    let neutral = json!({
        "partial_rotary_factor": 1.0, "rope_interleaved": false, "num_experts": 0, "logits_scaling": 1,
        "quantization_config": null, "sliding_window": null, "attn_logit_softcapping": null, "pruned_heads": {},
        "layer_types": ["full_attention", "full_attention", "full_attention", "full_attention"]
    });
    let config = read(&small("llama", neutral)).unwrap();
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn broken_values_are_refused_by_name() {
    let cases = [
        (json!({"hidden_size": null}), "hidden_size"),
        (json!({"hidden_size": "64"}), "hidden_size"),
        (json!({"num_hidden_layers": 0}), "num_hidden_layers"),
        (json!({"num_key_value_heads": 3}), "num_key_value_heads"),
        (json!({"head_dim": 15}), "head_dim"),
        (json!({"head_dim": null, "hidden_size": 66}), "head_dim"),
        (json!({"rms_norm_eps": -1}), "rms_norm_eps"),
        (json!({"rope_theta": "big"}), "rope_theta"),
        (json!({"rope_scaling": {"factor": 2.0}}), "rope_scaling.rope_type"),
        (json!({"rope_scaling": {"rope_type": "linear"}}), "rope_scaling.factor"),
        (
            json!({"rope_scaling": {"rope_type": "linear", "type": "yarn", "factor": 2.0}}),
            "rope_scaling.type",
        ),
        (
            json!({"rope_scaling": {"rope_type": "llama3", "factor": 2.0, "low_freq_factor": 4.0,
            "high_freq_factor": 1.0, "original_max_position_embeddings": 64}}),
            "high_freq_factor",
        ),
        (json!({"rope_scaling": []}), "rope_scaling"),
        (json!({"eos_token_id": "</s>"}), "eos_token_id"),
        (json!({"tie_word_embeddings": 1}), "tie_word_embeddings"),
        (json!({"architectures": "LlamaForCausalLM"}), "architectures"),
    ];
    for (change, named) in cases {
        let text = message(&small("llama", change.clone()));
        assert!(text.contains(named), "{change}: {text}");
    }
    assert!(message(&json!({"model_type": "llama", "vocab_size": 9})).contains("hidden_size"));
}

#[test]
fn unknown_keys_are_warnings_that_name_them() {
    let config = read(&small("qwen2", json!({"shiny_new_key": 3, "attention_bias": true}))).unwrap();
    assert_eq!(config.warnings.len(), 2);
    assert!(config.warnings.iter().any(|text| text.contains("shiny_new_key")));
    let config = read(&small("gemma3_text", json!({"attn_logit_softcapping": 50.0}))).unwrap();
    assert!(config.warnings[0].contains("attn_logit_softcapping"));
    let capped = small("gemma3_text", json!({"final_logit_softcapping": 30.0}));
    assert_eq!(read(&capped).unwrap().final_logit_softcap, Some(30.0));
    let config = read(&json!({"model_type": "gemma3", "text_config": capped})).unwrap();
    assert_eq!(config.final_logit_softcap, None);
    assert!(config.warnings[0].contains("text_config.final_logit_softcapping"));
}

#[test]
fn special_ids_in_all_their_forms() {
    let ids = |keys: Value| read(&small("llama", keys)).unwrap();
    assert_eq!(ids(json!({})).eos_token_ids, [2]);
    assert_eq!(ids(json!({"eos_token_id": null})).eos_token_ids, Vec::<u32>::new());
    assert_eq!(ids(json!({"pad_token_id": -1})).pad_token_id, None);
    assert_eq!(ids(json!({"bos_token_id": 7})).bos_token_id, Some(7));
}

#[test]
fn a_folder_without_a_config_says_which_file() {
    let folder = std::env::temp_dir().join("polestar-no-such-model");
    let text = DecoderConfig::from_folder(&folder).unwrap_err().to_string();
    assert!(text.contains("config.json") && text.contains("Hugging Face"), "{text}");
}

/// The committed folders' files, which transformers reads too: each shows its features and nothing unknown.
#[test]
fn the_golden_models_show_their_features() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/models");
    let golden = |name: &str| DecoderConfig::from_folder(&root.join(name)).unwrap();
    for folder in std::fs::read_dir(&root).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        let config = golden(&name);
        assert_eq!(config.vocab_size, 280, "{name}");
        assert!(config.warnings.iter().all(|text| text.contains("is ignored: transformers")), "{name}");
    }
    assert!(golden("llama-tied").tie_word_embeddings);
    assert!(matches!(golden("llama3").ropes[0].kind, RopeKind::Llama3 { original_max: 32.0, .. }));
    let linear = golden("llama-linear-f16");
    assert_eq!(linear.ropes[0].kind, RopeKind::Linear { factor: 4.0 });
    assert_eq!((linear.head_dim, linear.dtype), (10, Some(WeightDtype::F16)));
    assert!(linear.qkv_bias && linear.output_bias && linear.mlp_bias);
    assert_eq!(windows(&golden("mistral")), [Some(8); 2]);
    assert_eq!(windows(&golden("qwen2")), [None; 2]);
    assert!(matches!(golden("qwen2-yarn").ropes[0].kind, RopeKind::Yarn { original_max: 32.0, .. }));
    assert_eq!(windows(&golden("qwen3")), [None, Some(8), Some(8)]);
    let gemma = golden("gemma3");
    let wrapped = golden("gemma3-wrapped");
    assert_eq!((gemma.final_logit_softcap, wrapped.final_logit_softcap), (Some(6.0), None));
    assert_eq!((&gemma.ropes, &gemma.layers), (&wrapped.ropes, &wrapped.layers));
    assert_eq!(gemma.attention_scale, 24f64.powf(-0.5));
}
