//! Ids from text and text from ids: the `tokenizers` library behind the few calls that the rest needs.

use std::path::{Path, PathBuf};

use tokenizers::DecoderWrapper;

use super::TextError;

/// A loaded tokenizer.json.
pub(super) struct Codec {
    folder: PathBuf,
    inner: tokenizers::Tokenizer,
    /// Whether runs of `<0xXX>` tokens decode together, so that a later one can change what earlier ones meant.
    byte_fallback: bool,
    /// One more than the largest id.
    vocab_size: usize,
}

impl Codec {
    /// Parses tokenizer.json, whose bytes were read from `folder`.
    pub(super) fn new(folder: &Path, bytes: &[u8]) -> Result<Self, TextError> {
        let refused = |error: tokenizers::Error| TextError::Tokenizer {
            path: folder.join("tokenizer.json"),
            message: error.to_string(),
        };
        let mut inner = tokenizers::Tokenizer::from_bytes(bytes).map_err(refused)?;
        // Files saved after training with batches may carry these; a prompt is never cut or padded silently.
        inner.with_truncation(None).map_err(refused)?;
        inner.with_padding(None);
        let byte_fallback = inner.get_decoder().is_some_and(falls_back_to_bytes);
        let vocab_size = inner.get_vocab(true).into_values().max().map_or(0, |id| id as usize + 1);
        Ok(Self { folder: folder.into(), inner, byte_fallback, vocab_size })
    }

    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>, TextError> {
        self.encode_with(text, false)
    }

    /// The ids that the post-processor puts before a text (a `bos`, where there is one).
    pub(super) fn prefix(&self) -> Result<Vec<u32>, TextError> {
        let probe = "a";
        let plain = self.encode_with(probe, false)?;
        let wrapped = self.encode_with(probe, true)?;
        let before = wrapped.windows(plain.len().max(1)).position(|window| window == plain).unwrap_or(0);
        Ok(wrapped[..before].to_vec())
    }

    fn encode_with(&self, text: &str, add_special_tokens: bool) -> Result<Vec<u32>, TextError> {
        match self.inner.encode_fast(text, add_special_tokens) {
            Ok(encoding) => Ok(encoding.get_ids().to_vec()),
            Err(error) => Err(TextError::Encode {
                folder: self.folder.clone(),
                excerpt: text.chars().take(40).collect(),
                message: error.to_string(),
            }),
        }
    }

    /// Text of `ids`. Ids outside the vocabulary (a model's padding rows) have no text.
    pub(super) fn decode(&self, ids: &[u32], skip_special: bool) -> String {
        self.inner.decode(ids, skip_special).unwrap_or_else(|_| {
            // None of the library's decoders fails today; should one, the bare tokens are better than nothing.
            ids.iter().filter_map(|&id| self.inner.id_to_token(id)).collect()
        })
    }

    /// Whether text decoded up to and including this id may change when more ids follow.
    pub(super) fn is_fallback_byte(&self, id: u32) -> bool {
        self.byte_fallback
            && self.inner.id_to_token(id).is_some_and(|token| {
                token.len() == 6 && token.starts_with("<0x") && token.ends_with('>') && token.is_ascii()
            })
    }

    pub(super) fn is_special(&self, id: u32) -> bool {
        self.inner.get_added_vocabulary().get_added_tokens_decoder().get(&id).is_some_and(|token| token.special)
    }

    pub(super) fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    pub(super) fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    pub(super) fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The token with the largest id, and how many ids are at or past `limit`.
    pub(super) fn past(&self, limit: usize) -> Option<(String, u32, usize)> {
        let past: Vec<(String, u32)> =
            self.inner.get_vocab(true).into_iter().filter(|&(_, id)| id as usize >= limit).collect();
        let num_past = past.len();
        past.into_iter().max_by_key(|&(_, id)| id).map(|(token, id)| (token, id, num_past))
    }
}

fn falls_back_to_bytes(decoder: &DecoderWrapper) -> bool {
    match decoder {
        DecoderWrapper::ByteFallback(_) => true,
        DecoderWrapper::Sequence(sequence) => sequence.get_decoders().iter().any(falls_back_to_bytes),
        _ => false,
    }
}
