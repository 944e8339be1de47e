//! The vocabulary under `tokenizer.ggml.*`: tokens, their kinds and scores, and the ids with a meaning.

use std::borrow::Cow;
use std::collections::HashMap;

use super::error::GgufError;
use super::metadata::{Metadata, missing};

/// A longer token is refused: deriving merges looks at every way to cut a token in two.
const MAX_TOKEN_BYTES: usize = 4096;

/// Control tokens that end a turn or a text under these names, in every model that has them. Converters do not always
/// name them in the metadata.
const STOP_TOKENS: [&str; 8] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|end|>",
    "<end_of_turn>",
    "<｜end▁of▁sentence｜>",
];

/// How the text between special tokens is cut into tokens (`tokenizer.ggml.model`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenizerModel {
    /// `gpt2`: byte-pair encoding over bytes, with the merges in the file.
    ByteLevel,
    /// `llama`: SentencePiece's byte-pair encoding over characters, with a score for each token.
    SentencePiece,
}

/// What a token is (`tokenizer.ggml.token_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

/// The ids with a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SpecialIds {
    pub(super) bos: Option<u32>,
    pub(super) eos: u32,
    pub(super) pad: Option<u32>,
    pub(super) unk: Option<u32>,
    /// Every id that ends a response, `eos` first.
    pub(super) stop: Vec<u32>,
}

/// The file's vocabulary.
#[derive(Debug)]
pub(super) struct Vocab<'a> {
    pub(super) model: TokenizerModel,
    /// By id; distinct and not empty.
    pub(super) tokens: Vec<Cow<'a, str>>,
    /// By id.
    pub(super) kinds: Vec<TokenKind>,
    /// By id; SentencePiece only.
    pub(super) scores: Vec<f32>,
    pub(super) ids: SpecialIds,
}

impl<'a> Vocab<'a> {
    /// Reads the vocabulary; `num_embeddings` bounds the ids.
    pub(super) fn read(metadata: &Metadata<'a>, num_embeddings: usize) -> Result<Self, GgufError> {
        let model = match metadata.text("tokenizer.ggml.model")? {
            Some("gpt2") => TokenizerModel::ByteLevel,
            Some("llama") => TokenizerModel::SentencePiece,
            Some(other) => {
                let why = "gpt2 (byte-level BPE) and llama (SentencePiece BPE) are rebuilt".to_owned();
                return Err(GgufError::Unsupported { what: format!("tokenizer model \"{other}\""), why });
            }
            None => return Err(missing("tokenizer.ggml.model", "gpt2 or llama")),
        };
        let texts = metadata
            .texts("tokenizer.ggml.tokens")?
            .ok_or_else(|| missing("tokenizer.ggml.tokens", "an array of strings"))?;
        if texts.is_empty() || texts.len() > num_embeddings {
            let rows = format!("{} tokens for an embedding of {num_embeddings} rows", texts.len());
            return Err(GgufError::Tokenizer(format!(
                "expected at least one and at most one for each row, found {rows}"
            )));
        }
        let kinds = read_kinds(metadata, texts.len())?;
        let scores = read_scores(metadata, model, texts.len())?;
        let tokens = name_tokens(model, texts, &kinds)?;
        let ids = SpecialIds::read(metadata, model, &tokens, &kinds)?;
        Ok(Self { model, tokens, kinds, scores, ids })
    }

    /// The token of an id.
    pub(super) fn token(&self, id: u32) -> Option<&str> {
        self.tokens.get(id as usize).map(|token| &**token)
    }

    /// Whether an id only fills the vocabulary up to the embedding's size, as converters fill it. Such ids are no part
    /// of the tokenizer.
    pub(super) fn is_filler(&self, id: usize) -> bool {
        self.kinds.get(id) == Some(&TokenKind::Unused)
            && self.tokens.get(id).is_some_and(|token| *token == format!("[PAD{id}]"))
    }

    /// Ids and tokens without fillers, in order of the ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &str, TokenKind)> {
        let kinds = self.kinds.iter().copied();
        // Ids fit: there are fewer than 2³² tokens, as `Vocab::read` checked against the embedding.
        let tokens = self.tokens.iter().zip(kinds).enumerate();
        tokens.filter(|(id, _)| !self.is_filler(*id)).map(|(id, (token, kind))| (id as u32, &**token, kind))
    }
}

/// The kinds; all normal where the file does not say.
fn read_kinds(metadata: &Metadata<'_>, num_tokens: usize) -> Result<Vec<TokenKind>, GgufError> {
    let key = "tokenizer.ggml.token_type";
    let Some(numbers) = metadata.i32s(key)? else { return Ok(vec![TokenKind::Normal; num_tokens]) };
    check_length(key, numbers.len(), num_tokens)?;
    let kind = |(id, number): (usize, i32)| match number {
        1 => Ok(TokenKind::Normal),
        2 => Ok(TokenKind::Unknown),
        3 => Ok(TokenKind::Control),
        4 => Ok(TokenKind::UserDefined),
        5 => Ok(TokenKind::Unused),
        6 => Ok(TokenKind::Byte),
        other => Err(GgufError::BadKey {
            key: key.to_owned(),
            expected: "types from 1 to 6".to_owned(),
            found: format!("{other} for token {id}"),
        }),
    };
    numbers.into_iter().enumerate().map(kind).collect()
}

fn read_scores(
    metadata: &Metadata<'_>,
    model: TokenizerModel,
    num_tokens: usize,
) -> Result<Vec<f32>, GgufError> {
    let key = "tokenizer.ggml.scores";
    if model == TokenizerModel::ByteLevel {
        return Ok(Vec::new());
    }
    let scores = metadata.f32s(key)?.ok_or_else(|| missing(key, "a score for each token"))?;
    check_length(key, scores.len(), num_tokens)?;
    match scores.iter().position(|score| score.is_nan()) {
        None => Ok(scores),
        Some(id) => Err(GgufError::Tokenizer(format!("the score of token {id} is not a number"))),
    }
}

fn check_length(key: &str, found: usize, expected: usize) -> Result<(), GgufError> {
    if found == expected {
        return Ok(());
    }
    Err(GgufError::BadKey {
        key: key.to_owned(),
        expected: format!("one value for each of the {expected} tokens"),
        found: format!("{found} values"),
    })
}

/// The tokens as the tokenizer shall know them: distinct, not empty, and in SentencePiece with spaces as spaces in what
/// users defined, since that is looked for in the text before spaces are replaced.
fn name_tokens<'a>(
    model: TokenizerModel,
    texts: &[&'a str],
    kinds: &[TokenKind],
) -> Result<Vec<Cow<'a, str>>, GgufError> {
    let mut tokens: Vec<Cow<'a, str>> = Vec::with_capacity(texts.len());
    let mut ids: HashMap<Cow<'a, str>, usize> = HashMap::with_capacity(texts.len());
    for (id, (&text, &kind)) in texts.iter().zip(kinds).enumerate() {
        if text.len() > MAX_TOKEN_BYTES {
            let message = format!("token {id} has {} bytes; expected at most {MAX_TOKEN_BYTES}", text.len());
            return Err(GgufError::Tokenizer(message));
        }
        let has_marker = model == TokenizerModel::SentencePiece && text.contains('▁');
        let token = match kind {
            _ if text.is_empty() => Cow::Owned(format!("[EMPTY_{id}]")),
            TokenKind::UserDefined if has_marker => Cow::Owned(text.replace('▁', " ")),
            _ => Cow::Borrowed(text),
        };
        if let Some(first) = ids.insert(token.clone(), id) {
            return Err(GgufError::Tokenizer(format!("tokens {first} and {id} are both {token:?}")));
        }
        tokens.push(token);
    }
    Ok(tokens)
}

impl SpecialIds {
    fn read(
        metadata: &Metadata<'_>,
        model: TokenizerModel,
        tokens: &[Cow<'_, str>],
        kinds: &[TokenKind],
    ) -> Result<Self, GgufError> {
        let id = |name: &str| {
            let key = format!("tokenizer.ggml.{name}_token_id");
            match metadata.u32(&key)? {
                Some(id) if id as usize >= tokens.len() => Err(GgufError::BadKey {
                    key,
                    expected: format!("an id below the number of tokens {}", tokens.len()),
                    found: id.to_string(),
                }),
                id => Ok(id),
            }
        };
        // SentencePiece's own defaults, where the vocabulary is large enough to have them.
        let or_default = |found: Option<u32>, default: u32| {
            let exists = model == TokenizerModel::SentencePiece && (default as usize) < tokens.len();
            found.or(exists.then_some(default))
        };
        let eos = or_default(id("eos")?, 2)
            .ok_or_else(|| missing("tokenizer.ggml.eos_token_id", "the id that ends a text"))?;
        let mut stop = vec![eos];
        stop.extend(id("eot")?.into_iter().chain(id("eom")?));
        for (found, (token, kind)) in (0u32..).zip(tokens.iter().zip(kinds)) {
            if *kind == TokenKind::Control && STOP_TOKENS.contains(&&**token) {
                stop.push(found);
            }
        }
        let mut seen = std::collections::HashSet::new();
        stop.retain(|id| seen.insert(*id));
        Ok(Self {
            bos: or_default(id("bos")?, 1),
            eos,
            pad: id("padding")?,
            unk: or_default(id("unknown")?, 0),
            stop,
        })
    }
}
