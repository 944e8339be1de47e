//! How byte-level tokenizers cut a text into words before merging. GGUF has only a name for it
//! (`tokenizer.ggml.pre`); here is what each name stands for in the words of `tokenizer.json`.

use serde_json::{Value as Json, json};

use super::error::GgufError;

/// What comes before the merges, and what else llama.cpp knows by the same name.
#[derive(Debug)]
pub(super) struct PreTokenizer {
    /// `normalizer` of `tokenizer.json`.
    pub(super) normalizer: Json,
    /// `pre_tokenizer` of `tokenizer.json`.
    pub(super) pre_tokenizer: Json,
    /// A word that is a token is taken whole, without merging.
    pub(super) ignore_merges: bool,
    /// The text's beginning is marked where `add_bos_token` does not say.
    pub(super) add_bos: bool,
}

/// Contractions in any case, words with one leading sign, up to three digits, signs, line ends, spaces.
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// As [`LLAMA3`] with single digits.
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// Words end where capitals begin; single digits; slashes go with the signs before them.
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The names that [`PreTokenizer::named`] knows.
const NAMES: &str = "default, gpt-2, smollm, starcoder, refact, llama-bpe, llama3, llama-v3, smaug-bpe, qwen2, deepseek-r1-qwen and tekken";

impl PreTokenizer {
    /// What `tokenizer.ggml.pre` stands for. Files from before there were names, and those with `default`, get GPT-2's
    /// words and a warning, since nobody can tell what they were made with.
    pub(super) fn named(name: Option<&str>, warnings: &mut Vec<String>) -> Result<Self, GgufError> {
        let split = |regex: &str, normalizer: Json, ignore_merges: bool, add_bos: bool| Self {
            normalizer,
            pre_tokenizer: json!({"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": false},
                byte_level(false),
            ]}),
            ignore_merges,
            add_bos,
        };
        let gpt2 = |pre_tokenizer: Json| Self {
            normalizer: Json::Null,
            pre_tokenizer,
            ignore_merges: false,
            add_bos: false,
        };
        Ok(match name {
            Some("gpt-2") => gpt2(byte_level(true)),
            None | Some("default") => {
                warnings.push(format!(
                    "`tokenizer.ggml.pre` is {}: texts are cut into words as GPT-2 does, which may not be what the model was trained with",
                    name.map_or("missing".to_owned(), |name| format!("\"{name}\""))
                ));
                gpt2(byte_level(true))
            }
            Some("smollm" | "starcoder" | "refact") => gpt2(json!({"type": "Sequence", "pretokenizers": [
                {"type": "Digits", "individual_digits": true},
                byte_level(true),
            ]})),
            Some("llama-bpe" | "llama3" | "llama-v3") => split(LLAMA3, Json::Null, true, true),
            Some("smaug-bpe") => split(LLAMA3, Json::Null, false, false),
            Some("qwen2" | "deepseek-r1-qwen") => split(QWEN2, json!({"type": "NFC"}), false, false),
            Some("tekken") => split(TEKKEN, Json::Null, true, true),
            Some(other) => {
                return Err(GgufError::Unsupported {
                    what: format!("the pre-tokenizer `tokenizer.ggml.pre` = \"{other}\""),
                    why: format!("known are {NAMES}"),
                });
            }
        })
    }
}

/// The step that turns bytes into printable characters, with or without GPT-2's own cutting into words.
pub(super) fn byte_level(use_regex: bool) -> Json {
    json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex})
}
