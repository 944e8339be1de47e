//! Whole files of each architecture: the names, shapes and values of the written weights, and the configs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value as Json, json};

use super::testfile::*;
use crate::gguf::{GgufError, ImportReport, OutDtype, import, import_bytes};

struct Imported {
    folder: tempfile::TempDir,
    report: ImportReport,
}

impl Imported {
    fn path(&self) -> PathBuf {
        self.folder.path().join("model")
    }

    fn json(&self, name: &str) -> Json {
        serde_json::from_slice(&std::fs::read(self.path().join(name)).unwrap()).unwrap()
    }

    /// All tensors of `model.safetensors` as f32.
    fn tensors(&self) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
        read_safetensors(&self.path().join("model.safetensors"))
    }
}

fn read_safetensors(path: &Path) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(header.metadata().as_ref().unwrap()["format"], "pt");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let values = |data: &[u8], dtype: Dtype| match dtype {
        Dtype::F32 => data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        Dtype::F16 => data.as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect(),
        Dtype::BF16 => data.as_chunks().0.iter().map(|bytes| bf16::from_le_bytes(*bytes).to_f32()).collect(),
        other => panic!("{other:?}"),
    };
    file.iter()
        .map(|(name, view)| (name.to_owned(), (view.shape().to_vec(), values(view.data(), view.dtype()))))
        .collect()
}

fn import_as(file: &TestFile, dtype: Option<OutDtype>) -> Result<Imported, GgufError> {
    let folder = tempfile::tempdir().unwrap();
    let report = import_bytes(&file.bytes(), &folder.path().join("model"), dtype, u64::MAX)?;
    Ok(Imported { folder, report })
}

fn imported(file: &TestFile) -> Imported {
    import_as(file, None).unwrap()
}

fn message(file: &TestFile) -> String {
    import_as(file, None).map(|_| ()).unwrap_err().to_string()
}

/// Where llama.cpp's converter puts each entry of a projection's rows, from its own definition: view the rows as
/// (heads, 2, half, columns) and swap the two middle axes.
fn interleave(values: &[f32], heads: usize, columns: usize) -> Vec<f32> {
    let half = values.len() / columns / heads / 2;
    let mut out = Vec::with_capacity(values.len());
    for head in 0..heads {
        for j in 0..half {
            for p in 0..2 {
                let row = (head * 2 + p) * half + j;
                out.extend(&values[row * columns..(row + 1) * columns]);
            }
        }
    }
    out
}

#[test]
fn llama_rows_come_back_in_their_places() {
    let q = values("original q", HEADS * HEAD_DIM * HIDDEN);
    let k = values("original k", KV_HEADS * HEAD_DIM * HIDDEN);
    let file = llama()
        .tensor_f32("blk.0.attn_q.weight", &[HEADS * HEAD_DIM, HIDDEN], &interleave(&q, HEADS, HIDDEN))
        .tensor_f32("blk.0.attn_k.weight", &[KV_HEADS * HEAD_DIM, HIDDEN], &interleave(&k, KV_HEADS, HIDDEN));
    assert_ne!(interleave(&q, HEADS, HIDDEN), q);
    let tensors = imported(&file).tensors();
    assert_eq!(tensors["model.layers.0.self_attn.q_proj.weight"].1, q);
    assert_eq!(tensors["model.layers.0.self_attn.k_proj.weight"].1, k);
    assert_eq!(tensors["model.layers.0.self_attn.v_proj.weight"].1, values("blk.0.attn_v.weight", k.len()));
}

#[test]
fn llama_biases_are_moved_like_their_rows() {
    let bias = values("original bias", HEADS * HEAD_DIM);
    let mut file = llama();
    for layer in 0..LAYERS {
        file = file
            .tensor_f32(&format!("blk.{layer}.attn_q.bias"), &[bias.len()], &interleave(&bias, HEADS, 1))
            .tensor_f32(&format!("blk.{layer}.attn_k.bias"), &[16], &values("k", 16))
            .tensor_f32(&format!("blk.{layer}.attn_v.bias"), &[16], &values("v", 16));
    }
    assert!(message(&file).contains("blk.0.attn_output.bias"), "the config has one switch for all four");
    for layer in 0..LAYERS {
        file = file.tensor_f32(&format!("blk.{layer}.attn_output.bias"), &[HIDDEN], &values("o", HIDDEN));
    }
    let imported = imported(&file);
    let tensors = imported.tensors();
    assert_eq!(tensors["model.layers.1.self_attn.q_proj.bias"], (vec![bias.len()], bias));
    assert_eq!(tensors["model.layers.1.self_attn.o_proj.bias"].1, values("o", HIDDEN));
    assert_eq!(imported.json("config.json")["attention_bias"], true);
    let quantised = file.tensor("blk.0.attn_q.bias", &[32], 8, vec![0; 34]);
    assert!(message(&quantised).contains("blk.0.attn_q.bias"));
}

#[test]
fn llama_config() {
    let file =
        llama().u32("llama.rope.dimension_count", HEAD_DIM as u32).u32("llama.vocab_size", VOCAB as u32);
    let imported = imported(&file);
    let config = imported.json("config.json");
    for (key, expected) in [
        ("architectures", json!(["LlamaForCausalLM"])),
        ("model_type", json!("llama")),
        ("hidden_size", json!(HIDDEN)),
        ("intermediate_size", json!(INTERMEDIATE)),
        ("num_hidden_layers", json!(LAYERS)),
        ("num_attention_heads", json!(HEADS)),
        ("num_key_value_heads", json!(KV_HEADS)),
        ("head_dim", json!(HEAD_DIM)),
        ("vocab_size", json!(VOCAB)),
        ("max_position_embeddings", json!(128)),
        ("rms_norm_eps", json!(1e-5)),
        ("hidden_act", json!("silu")),
        ("attention_bias", json!(false)),
        ("mlp_bias", json!(false)),
        ("tie_word_embeddings", json!(true)),
        ("rope_theta", json!(500_000.0)),
        ("rope_scaling", json!(null)),
        ("rope_parameters", json!({"rope_type": "default", "rope_theta": 500_000.0})),
        ("bos_token_id", json!(259)),
        ("eos_token_id", json!(260)),
        ("pad_token_id", json!(260)),
        ("dtype", json!("float32")),
        ("torch_dtype", json!("float32")),
    ] {
        assert_eq!(config[key], expected, "{key}");
    }
    let generation = imported.json("generation_config.json");
    assert_eq!(generation, json!({"bos_token_id": 259, "pad_token_id": 260, "eos_token_id": [260]}));
    let report = &imported.report;
    assert_eq!((report.architecture.as_str(), report.num_tensors, report.vocab_size), ("llama", 20, VOCAB));
    assert_eq!(report.tensor_types, BTreeMap::from([("F32", 20)]));
    assert_eq!(report.eos_token_ids, [260]);
    assert_eq!(report.warnings, Vec::<String>::new());
    let tensors = imported.tensors();
    assert_eq!(tensors.len(), 20);
    let bytes: usize = tensors.values().map(|(_, values)| values.len() * 4).sum();
    assert_eq!(report.num_bytes, bytes as u64);
    assert!(!tensors.contains_key("lm_head.weight"));
    let norms = ["model.layers.1.input_layernorm.weight", "model.layers.1.post_attention_layernorm.weight"];
    assert_eq!(tensors[norms[0]].1, values("blk.1.attn_norm.weight", HIDDEN));
    assert_eq!(tensors[norms[1]].1, values("blk.1.ffn_norm.weight", HIDDEN));
    assert_eq!(tensors["model.layers.1.mlp.down_proj.weight"].0, [HIDDEN, INTERMEDIATE]);
    assert_eq!(tensors["model.norm.weight"].1, values("output_norm.weight", HIDDEN));
}

#[test]
fn a_window_makes_a_llama_a_mistral() {
    let imported = imported(&llama().u32("llama.attention.sliding_window", 64));
    let config = imported.json("config.json");
    assert_eq!((&config["model_type"], &config["sliding_window"]), (&json!("mistral"), &json!(64)));
    assert_eq!(config["architectures"], json!(["MistralForCausalLM"]));
    assert_eq!(imported.report.model_type, "mistral");
    let wide = super::import::imported(&llama().u32("llama.attention.sliding_window", 128));
    assert_eq!(wide.json("config.json")["model_type"], "llama", "a window of the whole context is none");
}

#[test]
fn qwen2_keeps_its_rows_and_biases() {
    let imported = imported(&qwen2());
    let tensors = imported.tensors();
    let q = values("blk.0.attn_q.weight", HEADS * HEAD_DIM * HIDDEN);
    assert_eq!(tensors["model.layers.0.self_attn.q_proj.weight"].1, q, "only llama's rows are moved");
    let bias = values("blk.1.attn_k.bias", KV_HEADS * HEAD_DIM);
    assert_eq!(tensors["model.layers.1.self_attn.k_proj.bias"].1, bias);
    assert_eq!(tensors["lm_head.weight"].1, values("output.weight", VOCAB * HIDDEN));
    let config = imported.json("config.json");
    assert_eq!((&config["model_type"], &config["tie_word_embeddings"]), (&json!("qwen2"), &json!(false)));
    assert_eq!(config["use_sliding_window"], false);
    assert!(message(&qwen2().without_tensor("blk.1.attn_v.bias")).contains("`blk.1.attn_v.bias` is missing"));
}

#[test]
fn qwen3_has_norms_of_queries_and_keys() {
    let imported = imported(&qwen3());
    let tensors = imported.tensors();
    let norm = values("blk.0.attn_q_norm.weight", HEAD_DIM);
    assert_eq!(tensors["model.layers.0.self_attn.q_norm.weight"], (vec![HEAD_DIM], norm));
    assert!(tensors.contains_key("model.layers.1.self_attn.k_norm.weight"));
    assert!(!tensors.keys().any(|name| name.ends_with(".bias")));
    let config = imported.json("config.json");
    assert_eq!((&config["model_type"], &config["attention_bias"]), (&json!("qwen3"), &json!(false)));
}

#[test]
fn gemma3_norms_lose_the_one_that_was_added() {
    let imported = imported(&gemma3().u32("gemma3.attention.key_length", HEAD_DIM as u32));
    let tensors = imported.tensors();
    for (source, name, count) in [
        ("blk.0.attn_norm", "model.layers.0.input_layernorm", HIDDEN),
        ("blk.0.post_attention_norm", "model.layers.0.post_attention_layernorm", HIDDEN),
        ("blk.0.ffn_norm", "model.layers.0.pre_feedforward_layernorm", HIDDEN),
        ("blk.0.post_ffw_norm", "model.layers.0.post_feedforward_layernorm", HIDDEN),
        ("blk.1.attn_q_norm", "model.layers.1.self_attn.q_norm", HEAD_DIM),
        ("blk.1.attn_k_norm", "model.layers.1.self_attn.k_norm", HEAD_DIM),
        ("output_norm", "model.norm", HIDDEN),
    ] {
        let stored = values(&format!("{source}.weight"), count);
        let expected: Vec<f32> = stored.iter().map(|value| value - 1.0).collect();
        assert_eq!(tensors[&format!("{name}.weight")].1, expected, "{name}");
    }
    let embedding = values("token_embd.weight", VOCAB * HIDDEN);
    assert_eq!(tensors["model.embed_tokens.weight"].1, embedding, "only norms have the one");
    let config = imported.json("config.json");
    for (key, expected) in [
        ("model_type", json!("gemma3_text")),
        ("architectures", json!(["Gemma3ForCausalLM"])),
        ("hidden_activation", json!("gelu_pytorch_tanh")),
        ("query_pre_attn_scalar", json!(HEAD_DIM)),
        ("sliding_window", json!(16)),
        ("layer_types", json!(["sliding_attention", "sliding_attention"])),
        ("rope_local_base_freq", json!(10_000.0)),
        (
            "rope_parameters",
            json!({
                "full_attention": {"rope_type": "default", "rope_theta": 500_000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            }),
        ),
    ] {
        assert_eq!(config[key], expected, "{key}");
    }
    let every_second = super::import::imported(&gemma3().u32("gemma3.attention.sliding_window_pattern", 2));
    let layer_types = &every_second.json("config.json")["layer_types"];
    assert_eq!(layer_types, &json!(["sliding_attention", "full_attention"]));
}

#[test]
fn sixteen_bit_files_keep_their_type() {
    let matrices = |file: &TestFile| -> Vec<String> {
        file.names().into_iter().filter(|name| !name.contains("norm")).collect()
    };
    let convert = |ggml_type: u32, to_bytes: fn(f32) -> [u8; 2]| {
        let file = llama();
        let names = matrices(&file);
        names.iter().fold(file, |file, name| file.convert(name, ggml_type, to_bytes))
    };
    let halves = convert(1, |value| f16::from_f32(value).to_le_bytes());
    let brains = convert(30, |value| bf16::from_f32(value).to_le_bytes());
    let reference = imported(&llama()).tensors();
    for (file, dtype, torch) in [(&halves, OutDtype::F16, "float16"), (&brains, OutDtype::Bf16, "bfloat16")] {
        let imported = imported(file);
        assert_eq!(imported.report.dtype, dtype);
        assert_eq!(imported.json("config.json")["torch_dtype"], torch);
        assert_eq!(imported.tensors(), reference, "the test's values are exact in both");
        assert_eq!(imported.report.warnings, Vec::<String>::new());
    }
    // A norm with more bits than bf16 has is rounded, and said so; f32 keeps it.
    let fine = brains.tensor_f32("output_norm.weight", &[HIDDEN], &[1.001; HIDDEN]);
    let rounded = imported(&fine);
    assert!(rounded.report.warnings[0].contains("`output_norm.weight`"), "{:?}", rounded.report.warnings);
    let kept = import_as(&fine, Some(OutDtype::F32)).unwrap();
    assert_eq!(kept.tensors()["model.norm.weight"].1, [1.001; HIDDEN]);
    // One matrix of another type makes it f32.
    let mixed = halves.convert("blk.0.ffn_up.weight", 30, |value| bf16::from_f32(value).to_le_bytes());
    assert_eq!(imported(&mixed).report.dtype, OutDtype::F32);
}

#[test]
fn quantised_files_become_f32() {
    // One block a row: d = 0.5, m = 1, q of value j of row r the low half of r + j.
    let block = |row: usize| {
        let mut block = [&f16::from_f32(0.5).to_le_bytes()[..], &f16::from_f32(1.0).to_le_bytes()].concat();
        block.extend((0..16).map(|j| ((row + j) % 16) as u8 | (((row + j + 16) % 16) as u8) << 4));
        block
    };
    let rows = HEADS * HEAD_DIM;
    let file = llama().tensor("blk.0.attn_q.weight", &[rows, 32], 3, (0..rows).flat_map(block).collect());
    let imported = imported(&file);
    assert_eq!(imported.report.dtype, OutDtype::F32);
    assert_eq!(imported.report.tensor_types["Q4_1"], 1);
    let tensors = imported.tensors();
    let weights = &tensors["model.layers.0.self_attn.q_proj.weight"].1;
    for row in 0..rows {
        // The file's row 2j + p of a head is the checkpoint's row 4p + j.
        let (head, within) = (row / 8, row % 8);
        let source = head * 8 + 2 * (within % 4) + within / 4;
        for column in 0..32 {
            let expected = ((source + column) % 16) as f32 * 0.5 + 1.0;
            assert_eq!(weights[row * 32 + column], expected, "row {row} column {column}");
        }
    }
}

#[test]
fn values_out_of_range_are_errors() {
    let large = llama().tensor_f32("output_norm.weight", &[HIDDEN], &[1e6; HIDDEN]);
    assert!(import_as(&large, Some(OutDtype::Bf16)).is_ok());
    let error = import_as(&large, Some(OutDtype::F16)).map(|_| ()).unwrap_err();
    assert!(
        matches!(&error, GgufError::NotFinite { tensor, .. } if tensor == "model.norm.weight"),
        "{error}"
    );
    let corrupt = llama().tensor_f32("output_norm.weight", &[HIDDEN], &[f32::NAN; HIDDEN]);
    assert!(message(&corrupt).contains("the file is corrupt"));
}

#[test]
fn shards_and_their_index() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model");
    let report = import_bytes(&llama().bytes(), &out, None, 20_000).unwrap();
    let index: Json =
        serde_json::from_slice(&std::fs::read(out.join("model.safetensors.index.json")).unwrap()).unwrap();
    assert_eq!(index["metadata"]["total_size"], report.num_bytes);
    let weight_map = index["weight_map"].as_object().unwrap();
    let whole = imported(&llama()).tensors();
    assert_eq!(weight_map.len(), whole.len());
    for (name, expected) in &whole {
        let shard = read_safetensors(&out.join(weight_map[name].as_str().unwrap()));
        assert_eq!(&shard[name], expected, "{name}");
        let bytes: usize = shard.values().map(|(_, values)| values.len() * 4).sum();
        assert!(shard.len() == 1 || bytes <= 20_000, "{name}");
    }
    let files: std::collections::BTreeSet<&str> = weight_map.values().filter_map(Json::as_str).collect();
    for (index, name) in files.iter().enumerate() {
        assert_eq!(*name, format!("model-{:05}-of-{:05}.safetensors", index + 1, files.len()));
    }
    assert!(files.len() > 3, "{files:?}");
    assert!(!out.join("model.safetensors").exists());
}

#[test]
fn the_folder_appears_whole_or_not_at_all() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("model.gguf");
    std::fs::write(&file, llama().bytes()).unwrap();
    let out = parent.path().join("deep/er/model");
    import(&file, &out, None).unwrap();
    let mut names: Vec<_> =
        std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "chat_template.jinja",
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "special_tokens_map.json",
            "tokenizer.json",
            "tokenizer_config.json",
        ]
    );
    let mode = |name: &str| std::fs::metadata(out.join(name)).unwrap().permissions().mode();
    assert_eq!(mode("model.safetensors"), mode("config.json"));
    let again = import(&file, &out, None).unwrap_err();
    assert!(matches!(again, GgufError::OutputNotEmpty(_)), "{again}");
    let empty = parent.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    import(&file, &empty, None).unwrap();
    assert!(empty.join("config.json").exists());
    let error = import(&parent.path().join("none.gguf"), &empty, None).unwrap_err();
    assert!(error.to_string().contains("none.gguf"), "{error}");
}

#[test]
fn what_would_change_the_model_is_refused_by_name() {
    for (file, named) in [
        (llama().text("general.architecture", "mamba"), "architecture `mamba`"),
        (llama().without("general.architecture"), "general.architecture"),
        (llama().text("general.type", "adapter"), "\"adapter\""),
        (llama().raw("split.count", 2, &[3, 0]), "split over 3 files"),
        (llama().u32("llama.expert_count", 8), "llama.expert_count"),
        (llama().f32("llama.logit_scale", 2.0), "llama.logit_scale"),
        (llama().f32("llama.final_logit_softcapping", 30.0), "llama.final_logit_softcapping"),
        (qwen3().u32("qwen3.attention.sliding_window", 64), "qwen3.attention.sliding_window"),
        (llama().u32("llama.attention.value_length", 4), "llama.attention.value_length"),
        (llama().u32("llama.attention.head_count", 0), "llama.attention.head_count"),
        (llama().u32("llama.attention.head_count_kv", 3), "llama.attention.head_count_kv"),
        (llama().i32s("llama.feed_forward_length", &[64, 64]), "llama.feed_forward_length"),
        (llama().without("llama.block_count"), "llama.block_count"),
        (llama().u32("llama.block_count", u32::MAX), "`blk.2.attn_q.weight` is missing"),
        (llama().u32("llama.embedding_length", 64), "token_embd.weight"),
        (llama().without_tensor("token_embd.weight"), "token_embd.weight"),
        (llama().without_tensor("output_norm.weight"), "output_norm.weight"),
        (llama().tensor_f32("blk.0.ffn_gate_inp.weight", &[1], &[0.0]), "blk.0.ffn_gate_inp.weight"),
        (qwen2().tensor_f32("rope_freqs.weight", &[4], &[1.0; 4]), "rope_freqs.weight"),
        (gemma3().without("gemma3.attention.sliding_window"), "gemma3.attention.sliding_window"),
    ] {
        let message = message(&file);
        assert!(message.contains(named), "expected {named} in: {message}");
    }
    let odd = imported(&llama().u32("llama.new_thing", 1));
    assert!(odd.report.warnings.iter().any(|warning| warning.contains("llama.new_thing")));
}

#[test]
fn type_names_are_read_and_written_alike() {
    for dtype in [OutDtype::F32, OutDtype::F16, OutDtype::Bf16] {
        assert_eq!(dtype.to_string().parse::<OutDtype>(), Ok(dtype));
        assert_eq!(serde_json::to_value(dtype).unwrap(), dtype.to_string());
    }
    assert!("f64".parse::<OutDtype>().unwrap_err().contains("f64"));
}
