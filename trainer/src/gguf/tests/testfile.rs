//! Writes small GGUF files for the tests: any metadata, any tensors, and whole models of each architecture.

use std::collections::BTreeMap;

/// A file under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestFile {
    /// Value type and bytes by key.
    entries: BTreeMap<String, (u32, Vec<u8>)>,
    tensors: Vec<(String, Vec<usize>, u32, Vec<u8>)>,
}

fn text_bytes(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

fn array_bytes(element_type: u32, count: usize, elements: Vec<u8>) -> Vec<u8> {
    [&element_type.to_le_bytes()[..], &(count as u64).to_le_bytes(), &elements].concat()
}

impl TestFile {
    pub(crate) fn text(mut self, key: &str, value: &str) -> Self {
        self.entries.insert(key.to_owned(), (8, text_bytes(value)));
        self
    }

    pub(crate) fn u32(mut self, key: &str, value: u32) -> Self {
        self.entries.insert(key.to_owned(), (4, value.to_le_bytes().to_vec()));
        self
    }

    pub(crate) fn f32(mut self, key: &str, value: f32) -> Self {
        self.entries.insert(key.to_owned(), (6, value.to_le_bytes().to_vec()));
        self
    }

    pub(crate) fn bool(mut self, key: &str, value: bool) -> Self {
        self.entries.insert(key.to_owned(), (7, vec![u8::from(value)]));
        self
    }

    pub(crate) fn texts<S: AsRef<str>>(mut self, key: &str, values: &[S]) -> Self {
        let elements = values.iter().flat_map(|value| text_bytes(value.as_ref())).collect();
        self.entries.insert(key.to_owned(), (9, array_bytes(8, values.len(), elements)));
        self
    }

    pub(crate) fn i32s(mut self, key: &str, values: &[i32]) -> Self {
        let elements = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.entries.insert(key.to_owned(), (9, array_bytes(5, values.len(), elements)));
        self
    }

    pub(crate) fn f32s(mut self, key: &str, values: &[f32]) -> Self {
        let elements = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.entries.insert(key.to_owned(), (9, array_bytes(6, values.len(), elements)));
        self
    }

    /// A value of any type, as it stands in the file.
    pub(crate) fn raw(mut self, key: &str, value_type: u32, bytes: &[u8]) -> Self {
        self.entries.insert(key.to_owned(), (value_type, bytes.to_vec()));
        self
    }

    pub(crate) fn without(mut self, key: &str) -> Self {
        assert!(self.entries.remove(key).is_some(), "{key} was not there");
        self
    }

    /// A tensor of any ggml type; the shape is outermost first.
    pub(crate) fn tensor(mut self, name: &str, shape: &[usize], ggml_type: u32, bytes: Vec<u8>) -> Self {
        self.tensors.retain(|(other, ..)| other != name);
        self.tensors.push((name.to_owned(), shape.to_vec(), ggml_type, bytes));
        self
    }

    pub(crate) fn tensor_f32(self, name: &str, shape: &[usize], values: &[f32]) -> Self {
        self.tensor(name, shape, 0, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    pub(crate) fn without_tensor(mut self, name: &str) -> Self {
        let before = self.tensors.len();
        self.tensors.retain(|(other, ..)| other != name);
        assert_eq!(self.tensors.len() + 1, before, "{name} was not there");
        self
    }

    /// A tensor that is there, with its values by [`values`] in another type of two bytes.
    pub(crate) fn convert(self, name: &str, ggml_type: u32, to_bytes: impl Fn(f32) -> [u8; 2]) -> Self {
        let (_, shape, ..) = self.tensors.iter().find(|(other, ..)| other == name).unwrap().clone();
        let bytes = values(name, shape.iter().product()).into_iter().flat_map(to_bytes).collect();
        self.tensor(name, &shape, ggml_type, bytes)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.tensors.iter().map(|(name, ..)| name.clone()).collect()
    }

    /// The file's bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(3u32.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.entries.len() as u64).to_le_bytes());
        for (key, (value_type, bytes)) in &self.entries {
            out.extend(text_bytes(key));
            out.extend(value_type.to_le_bytes());
            out.extend(bytes);
        }
        let mut offset = 0u64;
        for (name, shape, ggml_type, bytes) in &self.tensors {
            out.extend(text_bytes(name));
            out.extend((shape.len() as u32).to_le_bytes());
            for &size in shape.iter().rev() {
                out.extend((size as u64).to_le_bytes());
            }
            out.extend(ggml_type.to_le_bytes());
            out.extend(offset.to_le_bytes());
            offset += (bytes.len() as u64).next_multiple_of(32);
        }
        for (.., bytes) in &self.tensors {
            out.resize(out.len().next_multiple_of(32), 0);
            out.extend(bytes);
        }
        out
    }
}

/// Values that differ from tensor to tensor and from place to place, all of them exact in bf16 and f16.
pub(crate) fn values(name: &str, count: usize) -> Vec<f32> {
    let seed = name.bytes().fold(7usize, |seed, byte| (seed * 31 + usize::from(byte)) % 251);
    (0..count).map(|i| ((i * 37 + seed) % 255) as f32 / 64.0 - 2.0).collect()
}

/// Sizes of the test models.
pub(crate) const HIDDEN: usize = 32;
pub(crate) const HEADS: usize = 4;
pub(crate) const KV_HEADS: usize = 2;
pub(crate) const HEAD_DIM: usize = 8;
pub(crate) const INTERMEDIATE: usize = 64;
pub(crate) const LAYERS: usize = 2;

/// A byte-level vocabulary: all bytes, `th`, `the`, `Ġthe`, two control tokens, one that a user defined, one filler.
pub(crate) fn byte_level_tokenizer(file: TestFile, pre: &str) -> TestFile {
    let mut alphabet: Vec<char> =
        tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet().into_iter().collect();
    alphabet.sort_unstable();
    let mut tokens: Vec<String> = alphabet.into_iter().map(String::from).collect();
    tokens.extend(["th", "the", "Ġthe", "<|start|>", "<|im_end|>", "<think>", "[PAD262]"].map(String::from));
    let mut kinds = vec![1; 259];
    kinds.extend([3, 3, 4, 5]);
    file.text("tokenizer.ggml.model", "gpt2")
        .text("tokenizer.ggml.pre", pre)
        .texts("tokenizer.ggml.tokens", &tokens)
        .i32s("tokenizer.ggml.token_type", &kinds)
        .texts("tokenizer.ggml.merges", &["t h", "th e", "Ġ the"])
        .u32("tokenizer.ggml.bos_token_id", 259)
        .u32("tokenizer.ggml.eos_token_id", 260)
        .u32("tokenizer.ggml.padding_token_id", 260)
        .bool("tokenizer.ggml.add_bos_token", false)
        .text("tokenizer.chat_template", "{{ messages[0]['content'] }}")
}

/// A SentencePiece vocabulary of 263 tokens: unk, bos, eos, all bytes, `▁`, `a`, `b`, `ab` (good score), `▁a` (better).
pub(crate) fn sentencepiece_tokenizer(file: TestFile) -> TestFile {
    let mut tokens = vec!["<unk>".to_owned(), "<s>".to_owned(), "</s>".to_owned()];
    tokens.extend((0..256).map(|byte| format!("<0x{byte:02X}>")));
    tokens.extend(["▁", "a", "b", "ab"].map(String::from));
    let mut kinds = vec![2, 3, 3];
    kinds.extend([6; 256]);
    kinds.extend([1; 4]);
    let mut scores = vec![0.0; 259];
    scores.extend([-10.0, -11.0, -12.0, -1.0]);
    file.text("tokenizer.ggml.model", "llama")
        .texts("tokenizer.ggml.tokens", &tokens)
        .i32s("tokenizer.ggml.token_type", &kinds)
        .f32s("tokenizer.ggml.scores", &scores)
        .u32("tokenizer.ggml.bos_token_id", 1)
        .u32("tokenizer.ggml.eos_token_id", 2)
        .u32("tokenizer.ggml.unknown_token_id", 0)
}

/// Rows of the test models' embeddings.
pub(crate) const VOCAB: usize = 263;

/// A whole model in f32 without a tokenizer.
fn model(arch: &str) -> TestFile {
    let key = |name: &str| format!("{arch}.{name}");
    let mut file = TestFile::default()
        .text("general.architecture", arch)
        .u32(&key("block_count"), LAYERS as u32)
        .u32(&key("context_length"), 128)
        .u32(&key("embedding_length"), HIDDEN as u32)
        .u32(&key("feed_forward_length"), INTERMEDIATE as u32)
        .u32(&key("attention.head_count"), HEADS as u32)
        .u32(&key("attention.head_count_kv"), KV_HEADS as u32)
        .f32(&key("rope.freq_base"), 500_000.0)
        .f32(&key("attention.layer_norm_rms_epsilon"), 1e-5);
    let (q, kv) = (HEADS * HEAD_DIM, KV_HEADS * HEAD_DIM);
    let mut tensors = vec![("token_embd.weight".to_owned(), vec![VOCAB, HIDDEN])];
    for layer in 0..LAYERS {
        let mut add = |name: &str, shape: &[usize]| {
            tensors.push((format!("blk.{layer}.{name}"), shape.to_vec()));
        };
        add("attn_norm.weight", &[HIDDEN]);
        add("attn_q.weight", &[q, HIDDEN]);
        add("attn_k.weight", &[kv, HIDDEN]);
        add("attn_v.weight", &[kv, HIDDEN]);
        add("attn_output.weight", &[HIDDEN, q]);
        add("ffn_norm.weight", &[HIDDEN]);
        add("ffn_gate.weight", &[INTERMEDIATE, HIDDEN]);
        add("ffn_up.weight", &[INTERMEDIATE, HIDDEN]);
        add("ffn_down.weight", &[HIDDEN, INTERMEDIATE]);
        if arch == "qwen2" {
            add("attn_q.bias", &[q]);
            add("attn_k.bias", &[kv]);
            add("attn_v.bias", &[kv]);
        }
        if arch == "qwen3" || arch == "gemma3" {
            add("attn_q_norm.weight", &[HEAD_DIM]);
            add("attn_k_norm.weight", &[HEAD_DIM]);
        }
        if arch == "gemma3" {
            add("post_attention_norm.weight", &[HIDDEN]);
            add("post_ffw_norm.weight", &[HIDDEN]);
        }
    }
    tensors.push(("output_norm.weight".to_owned(), vec![HIDDEN]));
    if arch == "gemma3" {
        file = file.u32("gemma3.attention.sliding_window", 16);
    }
    for (name, shape) in tensors {
        let count = shape.iter().product();
        file = file.tensor_f32(&name, &shape, &values(&name, count));
    }
    file
}

/// A Llama with a byte-level tokenizer, embeddings tied.
pub(crate) fn llama() -> TestFile {
    byte_level_tokenizer(model("llama"), "smollm")
}

/// A Qwen 2 with an output layer of its own.
pub(crate) fn qwen2() -> TestFile {
    let output = values("output.weight", VOCAB * HIDDEN);
    byte_level_tokenizer(model("qwen2"), "qwen2").tensor_f32("output.weight", &[VOCAB, HIDDEN], &output)
}

/// A Qwen 3.
pub(crate) fn qwen3() -> TestFile {
    byte_level_tokenizer(model("qwen3"), "qwen2").u32("qwen3.attention.key_length", HEAD_DIM as u32)
}

/// A Gemma 3 with a SentencePiece tokenizer.
pub(crate) fn gemma3() -> TestFile {
    sentencepiece_tokenizer(model("gemma3")).bool("tokenizer.ggml.add_space_prefix", false)
}
