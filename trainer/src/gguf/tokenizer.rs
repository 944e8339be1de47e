//! The tokenizer's files, rebuilt from the metadata: `tokenizer.json`, `tokenizer_config.json`,
//! `special_tokens_map.json` and `chat_template.jinja`.
//!
//! Every token of the file stands in `model.vocab` under its id, special ones too, and those that are looked for in the
//! text before it is cut stand among the added tokens as well. So ids are the file's ids whatever gaps there are.

use std::collections::HashSet;

use serde_json::{Map, Value as Json, json};
use tokenizers::Tokenizer;

use super::error::GgufError;
use super::merges::{self, Merges};
use super::metadata::Metadata;
use super::pretokenizer::{PreTokenizer, byte_level};
use super::vocab::{TokenKind, TokenizerModel, Vocab};
use crate::text::bytes::byte_symbols;

/// Text with words, numbers, spaces, line ends, several scripts and an emoji, in composed form, for the check that
/// encoding loses nothing.
const PROBE: &str = "Hello, world! It's 1234.5 + x_1 = {y};\n\n\tα, été, 漢字, 🙂  end";

/// The files' contents.
#[derive(Debug)]
pub(super) struct TokenizerFiles {
    pub(super) tokenizer: Json,
    pub(super) config: Json,
    pub(super) special_tokens_map: Json,
    pub(super) chat_template: Option<String>,
}

/// Rebuilds everything and checks the result by loading and using it. `context_length` is in tokens.
pub(super) fn rebuild(
    metadata: &Metadata<'_>,
    vocab: &Vocab<'_>,
    context_length: usize,
    warnings: &mut Vec<String>,
) -> Result<TokenizerFiles, GgufError> {
    let parts = match vocab.model {
        TokenizerModel::ByteLevel => byte_level_parts(metadata, vocab, warnings)?,
        TokenizerModel::SentencePiece => sentencepiece_parts(metadata, vocab)?,
    };
    let flag = |name: &str| metadata.bool(&format!("tokenizer.ggml.{name}"));
    let add_bos = flag("add_bos_token")?.unwrap_or(parts.add_bos);
    let add_eos = flag("add_eos_token")?.unwrap_or(false);
    if add_bos && vocab.ids.bos.is_none() {
        return Err(super::metadata::missing(
            "tokenizer.ggml.bos_token_id",
            "an id, since texts begin with it",
        ));
    }
    let tokenizer = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added_tokens(vocab),
        "normalizer": parts.normalizer,
        "pre_tokenizer": parts.pre_tokenizer,
        "post_processor": post_processor(vocab, add_bos, add_eos),
        "decoder": parts.decoder,
        "model": parts.model,
    });
    check(&tokenizer, vocab, parts.space_prefix, warnings)?;
    let chat_template = metadata.text("tokenizer.chat_template")?.map(str::to_owned);
    match (&chat_template, metadata.texts("tokenizer.chat_templates")?) {
        (_, Some(names)) => warnings.push(format!(
            "only the default chat template was imported, not the named ones: {}",
            names.join(", ")
        )),
        (None, None) => warnings.push("the file has no chat template".to_owned()),
        (Some(_), None) => {}
    }
    let special_tokens_map = special_tokens_map(vocab);
    let mut config = special_tokens_map.clone();
    config.extend([
        ("tokenizer_class".to_owned(), json!("PreTrainedTokenizerFast")),
        ("add_bos_token".to_owned(), json!(add_bos)),
        ("add_eos_token".to_owned(), json!(add_eos)),
        ("clean_up_tokenization_spaces".to_owned(), json!(false)),
        // Without it, this class also returns token types, which the models refuse.
        ("model_input_names".to_owned(), json!(["input_ids", "attention_mask"])),
        ("model_max_length".to_owned(), json!(context_length)),
    ]);
    if let Some(template) = &chat_template {
        config.insert("chat_template".to_owned(), json!(template));
    }
    Ok(TokenizerFiles {
        tokenizer,
        config: Json::Object(config),
        special_tokens_map: Json::Object(special_tokens_map),
        chat_template,
    })
}

/// The parts of `tokenizer.json` that differ between the two models.
struct Parts {
    normalizer: Json,
    pre_tokenizer: Json,
    decoder: Json,
    model: Json,
    /// Whether a text begins with bos where `add_bos_token` does not say.
    add_bos: bool,
    /// Whether a space goes in front of a text, and after each token that is looked for in it.
    space_prefix: bool,
}

fn byte_level_parts(
    metadata: &Metadata<'_>,
    vocab: &Vocab<'_>,
    warnings: &mut Vec<String>,
) -> Result<Parts, GgufError> {
    let pre = PreTokenizer::named(metadata.text("tokenizer.ggml.pre")?, warnings)?;
    let mut model = bpe(vocab, &merges::from_file(metadata, vocab)?);
    model["ignore_merges"] = json!(pre.ignore_merges);
    Ok(Parts {
        normalizer: pre.normalizer,
        pre_tokenizer: pre.pre_tokenizer,
        decoder: byte_level(true),
        model,
        add_bos: pre.add_bos,
        space_prefix: false,
    })
}

/// SentencePiece's way: spaces become `▁`, with one more in front of the text (and after each special token, as
/// llama.cpp does it and as Hugging Face's `legacy` form does it) where the file asks for it; what merging cannot make
/// falls back to byte tokens.
fn sentencepiece_parts(metadata: &Metadata<'_>, vocab: &Vocab<'_>) -> Result<Parts, GgufError> {
    let space_prefix = metadata.bool("tokenizer.ggml.add_space_prefix")?.unwrap_or(true);
    let replace = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
    let normalizer = if space_prefix {
        json!({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, replace]})
    } else {
        replace
    };
    let mut decoders = vec![
        json!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if space_prefix {
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    let mut model = bpe(vocab, &merges::from_scores(vocab));
    model["unk_token"] = json!(vocab.ids.unk.and_then(|id| vocab.token(id)));
    model["fuse_unk"] = json!(true);
    model["byte_fallback"] = json!(vocab.kinds.contains(&TokenKind::Byte));
    Ok(Parts {
        normalizer,
        pre_tokenizer: Json::Null,
        decoder: json!({"type": "Sequence", "decoders": decoders}),
        model,
        add_bos: true,
        space_prefix,
    })
}

/// The `model` of `tokenizer.json`, plain.
fn bpe(vocab: &Vocab<'_>, merges: &Merges<'_>) -> Json {
    let tokens: Map<String, Json> =
        vocab.iter().map(|(id, token, _)| (token.to_owned(), json!(id))).collect();
    let merges: Vec<Json> = merges.iter().map(|(left, right)| json!([left, right])).collect();
    json!({
        "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
        "vocab": tokens, "merges": merges,
    })
}

/// The tokens that are looked for in the text as they are: control tokens (and the unknown one), which decoding can
/// leave out, and tokens that users defined, which are text.
fn added_tokens(vocab: &Vocab<'_>) -> Vec<Json> {
    vocab
        .iter()
        .filter_map(|(id, token, kind)| {
            let special = match kind {
                TokenKind::Control | TokenKind::Unknown => true,
                TokenKind::UserDefined => false,
                TokenKind::Normal | TokenKind::Unused | TokenKind::Byte => return None,
            };
            Some(json!({
                "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": special,
            }))
        })
        .collect()
}

/// Puts bos before and eos after a text, where the file asks for it.
fn post_processor(vocab: &Vocab<'_>, add_bos: bool, add_eos: bool) -> Json {
    let named = |wanted: bool, id: Option<u32>| {
        let id = id.filter(|_| wanted)?;
        Some((id, vocab.token(id)?))
    };
    let (bos, eos) = (named(add_bos, vocab.ids.bos), named(add_eos, Some(vocab.ids.eos)));
    if bos.is_none() && eos.is_none() {
        return Json::Null;
    }
    let text = |name: &str, type_id: u32| {
        let special = |token: Option<(u32, &str)>| {
            token.map(|(_, token)| json!({"SpecialToken": {"id": token, "type_id": type_id}}))
        };
        let sequence = json!({"Sequence": {"id": name, "type_id": type_id}});
        special(bos).into_iter().chain([sequence]).chain(special(eos)).collect::<Vec<Json>>()
    };
    let special_tokens: Map<String, Json> = [bos, eos]
        .into_iter()
        .flatten()
        .map(|(id, token)| (token.to_owned(), json!({"id": token, "ids": [id], "tokens": [token]})))
        .collect();
    let pair = [text("A", 0), text("B", 1)].concat();
    json!({
        "type": "TemplateProcessing",
        "single": text("A", 0),
        "pair": pair,
        "special_tokens": special_tokens,
    })
}

/// The tokens with a role.
fn special_tokens_map(vocab: &Vocab<'_>) -> Map<String, Json> {
    let ids = &vocab.ids;
    let roles = [
        ("bos_token", ids.bos),
        ("eos_token", Some(ids.eos)),
        ("pad_token", ids.pad),
        ("unk_token", ids.unk),
    ];
    let named = roles.into_iter().filter_map(|(role, id)| Some((role.to_owned(), json!(vocab.token(id?)?))));
    named.collect()
}

/// Loads the rebuilt tokenizer and checks that ids are the file's, that each added token is one id in a text, and that
/// a text comes back as it was.
fn check(
    tokenizer: &Json,
    vocab: &Vocab<'_>,
    space_prefix: bool,
    warnings: &mut Vec<String>,
) -> Result<(), GgufError> {
    // Cannot fail for a `Value`: its keys are strings.
    let bytes = serde_json::to_vec(tokenizer).unwrap_or_default();
    let failed = |error: tokenizers::Error| GgufError::Tokenizer(error.to_string());
    let tokenizer = Tokenizer::from_bytes(bytes).map_err(failed)?;
    for (id, token, kind) in vocab.iter() {
        if tokenizer.id_to_token(id).as_deref() != Some(token) {
            let found = tokenizer.id_to_token(id);
            return Err(GgufError::Tokenizer(format!("expected id {id} to be {token:?}, found {found:?}")));
        }
        if matches!(kind, TokenKind::Control | TokenKind::UserDefined) {
            let encoding = tokenizer.encode(token, false).map_err(failed)?;
            if encoding.get_ids() != [id] {
                let found = encoding.get_ids();
                return Err(GgufError::Tokenizer(format!(
                    "expected {token:?} to be the id {id}, found {found:?}"
                )));
            }
        }
    }
    let missing = missing_bytes(vocab);
    if let Some(first) = missing.first() {
        warnings.push(format!(
            "the vocabulary has no token for {} of the bytes that UTF-8 is made of (the first is {first:#04x}): characters with them are lost in encoding",
            missing.len()
        ));
    }
    // Spaces that such tokens put into the text do not come out again; that is the file's choice.
    let user_defined = |token: &str, kind| kind == TokenKind::UserDefined && PROBE.contains(token);
    let gains_spaces = space_prefix && vocab.iter().any(|(_, token, kind)| user_defined(token, kind));
    if gains_spaces || PROBE.bytes().any(|byte| missing.contains(&byte)) {
        return Ok(());
    }
    let encoding = tokenizer.encode(PROBE, false).map_err(failed)?;
    let decoded = tokenizer.decode(encoding.get_ids(), false).map_err(failed)?;
    if decoded == PROBE {
        Ok(())
    } else {
        Err(GgufError::Tokenizer(format!("expected {PROBE:?} to come back from encoding, found {decoded:?}")))
    }
}

/// The bytes that occur in UTF-8 and have no token.
fn missing_bytes(vocab: &Vocab<'_>) -> Vec<u8> {
    let tokens: HashSet<&str> = vocab.iter().map(|(_, token, _)| token).collect();
    // 0xC0, 0xC1 and all from 0xF5 on never occur.
    let occurring = (0u8..=0xf4).filter(|byte| !matches!(byte, 0xc0 | 0xc1));
    match vocab.model {
        TokenizerModel::SentencePiece => {
            // A space is `▁` before bytes are looked at.
            let token = |byte: u8| if byte == b' ' { "▁".to_owned() } else { format!("<0x{byte:02X}>") };
            occurring.filter(|&byte| !tokens.contains(&*token(byte))).collect()
        }
        TokenizerModel::ByteLevel => {
            let symbols = byte_symbols();
            occurring.filter(|&byte| !tokens.contains(&*symbols[usize::from(byte)].to_string())).collect()
        }
    }
}
