//! A tokenizer without training: one token a byte, then bos, eos and pad. It is what a model that starts from random
//! weights needs, and what every text can be written in.

use serde_json::{Map, Value, json};

/// Tokens of the byte tokenizer: 256 bytes and three special ones.
pub const BYTE_VOCAB: usize = 259;
/// The id that texts begin with.
pub const BYTE_BOS: u32 = 256;
/// The id that ends a response.
pub const BYTE_EOS: u32 = 257;
/// The id that fills up.
pub const BYTE_PAD: u32 = 258;

const SPECIAL: [(&str, &str, u32); 3] = [
    ("bos_token", "<|bos|>", BYTE_BOS),
    ("eos_token", "<|eos|>", BYTE_EOS),
    ("pad_token", "<|pad|>", BYTE_PAD),
];

/// The files of the byte tokenizer, by name, for a model with a context of `context` tokens. A byte's id is its value;
/// texts that are no chat begin with bos.
#[must_use]
pub fn byte_tokenizer(context: usize) -> [(&'static str, Value); 2] {
    let vocab: Map<String, Value> =
        byte_symbols().iter().enumerate().map(|(id, symbol)| (symbol.to_string(), id.into())).collect();
    let added: Vec<Value> = SPECIAL
        .iter()
        .map(|(_, token, id)| {
            json!({
                "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true,
            })
        })
        .collect();
    let bos = SPECIAL[0].1;
    let text = |name: &str, type_id: u32| json!([{"SpecialToken": {"id": bos, "type_id": type_id}}, {"Sequence": {"id": name, "type_id": type_id}}]);
    let (single, second) = (text("A", 0), text("B", 1));
    let pair: Vec<Value> =
        [&single, &second].into_iter().filter_map(Value::as_array).flatten().cloned().collect();
    let bytes =
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
    let tokenizer = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": bytes,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": single,
            "pair": pair,
            "special_tokens": { bos: {"id": bos, "ids": [BYTE_BOS], "tokens": [bos]} },
        },
        "decoder": bytes,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocab, "merges": [],
        },
    });
    let mut config: Map<String, Value> =
        SPECIAL.iter().map(|(role, token, _)| ((*role).to_owned(), (*token).into())).collect();
    config.extend([
        ("tokenizer_class".to_owned(), json!("PreTrainedTokenizerFast")),
        ("add_bos_token".to_owned(), json!(true)),
        ("clean_up_tokenization_spaces".to_owned(), json!(false)),
        ("model_max_length".to_owned(), json!(context)),
    ]);
    [("tokenizer.json", tokenizer), ("tokenizer_config.json", Value::Object(config))]
}

/// GPT-2's character for each byte: the byte's own where that is printable in Latin-1, else the next from U+0100 on.
pub(crate) fn byte_symbols() -> [char; 256] {
    let mut next = '\u{100}'..;
    std::array::from_fn(|byte| match byte {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => char::from(byte as u8),
        // Never runs out: fewer than 256 are taken.
        _ => next.next().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Tokenizer, testing};

    #[test]
    fn bytes_are_their_own_ids_and_the_special_tokens_have_their_roles() {
        let folder = testing::folder(&byte_tokenizer(64));
        let tokenizer = Tokenizer::load(folder.path()).unwrap();
        assert_eq!(tokenizer.vocab_size(), BYTE_VOCAB);
        let text = "2 + 2?\n\tαé漢🙂\0";
        let bytes: Vec<u32> = text.bytes().map(u32::from).collect();
        assert_eq!(tokenizer.encode(text).unwrap(), bytes);
        assert_eq!(tokenizer.decode(&bytes), text);
        assert_eq!(tokenizer.encode_plain_prompt("a").unwrap(), [BYTE_BOS, 97]);
        let ids = (tokenizer.bos_id(), tokenizer.eos_id(), tokenizer.pad_id());
        assert_eq!(ids, (Some(BYTE_BOS), Some(BYTE_EOS), Some(BYTE_PAD)));
        assert_eq!(tokenizer.stop_ids().to_vec(), [BYTE_EOS]);
        assert_eq!(tokenizer.encode("a<|eos|>").unwrap(), [97, BYTE_EOS]);
        for byte in 0..=255u8 {
            assert!(tokenizer.token(byte.into()).is_some(), "{byte}");
        }
        assert!(!tokenizer.has_chat_template());
    }
}
