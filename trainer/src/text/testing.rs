//! Small tokenizers in temporary folders, for tests.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with files; values are written as JSON, strings as they are.
pub(crate) fn folder(files: &[(&str, Value)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        write(dir.path(), name, content);
    }
    dir
}

/// Writes one file of a folder, and the folders that it stands in.
pub(crate) fn write(folder: &Path, name: &str, content: &Value) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text = content.as_str().map_or_else(|| content.to_string(), str::to_owned);
    std::fs::write(path, text).unwrap();
}

/// A byte-level tokenizer.json: ids 0 to 255 are the bytes in the order of their stand-ins, then the merges of "he",
/// "ll" and of the first two bytes of 中, then the special tokens.
pub(crate) fn byte_level(special: &[&str]) -> Value {
    let mut alphabet: Vec<char> = tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet().into_iter().collect();
    alphabet.sort_unstable();
    let mut vocab: BTreeMap<String, usize> =
        alphabet.iter().enumerate().map(|(id, c)| (c.to_string(), id)).collect();
    // 0xE4 and 0xB8 stand for themselves as ä and ¸.
    let merges = [("h", "e"), ("l", "l"), ("ä", "¸")];
    for (index, (a, b)) in merges.iter().enumerate() {
        vocab.insert(format!("{a}{b}"), 256 + index);
    }
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
    json!({
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
        "padding": null,
        "added_tokens": added(special, 259),
        "normalizer": null,
        "pre_tokenizer": byte_level,
        "post_processor": null,
        "decoder": byte_level,
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocab, "merges": merges.iter().map(|(a, b)| format!("{a} {b}")).collect::<Vec<_>>()}
    })
}

/// A tokenizer.json with byte fallback, as converted from sentencepiece: `<unk>`, `<s>`, `</s>`, the 256 bytes, then
/// ▁ and small letters. Its post-processor puts `<s>` before a text.
pub(crate) fn byte_fallback() -> Value {
    let special = ["<unk>", "<s>", "</s>"];
    let mut tokens: Vec<String> = special.iter().map(ToString::to_string).collect();
    tokens.extend((0..=255).map(|byte| format!("<0x{byte:02X}>")));
    tokens.push("▁".into());
    tokens.extend(('a'..='z').map(|c| c.to_string()));
    let vocab: BTreeMap<String, usize> = tokens.into_iter().enumerate().map(|(id, token)| (token, id)).collect();
    let bos = json!({"SpecialToken": {"id": "<s>", "type_id": 0}});
    let text = json!({"Sequence": {"id": "A", "type_id": 0}});
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": added(&special, 0),
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
        "pre_tokenizer": null,
        "post_processor": {"type": "TemplateProcessing", "single": [bos, text], "pair": [bos, text],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
            "vocab": vocab, "merges": []}
    })
}

fn added(tokens: &[&str], first: usize) -> Vec<Value> {
    let token = |(index, content): (usize, &&str)| {
        json!({"id": first + index, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true})
    };
    tokens.iter().enumerate().map(token).collect()
}
