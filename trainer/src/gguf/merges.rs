//! The merges of a byte-pair encoding: read from the file for byte-level vocabularies, derived from the scores for
//! SentencePiece's.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::error::GgufError;
use super::metadata::{Metadata, missing};
use super::vocab::{TokenKind, Vocab};

/// Pairs to merge, the earlier the sooner.
pub(super) type Merges<'v> = Vec<(&'v str, &'v str)>;

/// Reads `tokenizer.ggml.merges`: two tokens with a space between. Both and their join must be tokens.
pub(super) fn from_file<'a>(metadata: &Metadata<'a>, vocab: &Vocab<'a>) -> Result<Merges<'a>, GgufError> {
    let key = "tokenizer.ggml.merges";
    let lines = metadata.texts(key)?.ok_or_else(|| missing(key, "an array of strings"))?;
    let known: std::collections::HashSet<&str> = vocab.iter().map(|(_, token, _)| token).collect();
    let mut merges = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        // The first character may itself be a space in hand-made files, never a separator.
        let first = line.chars().next().map_or(0, char::len_utf8);
        let cut = line.get(first..).and_then(|rest| rest.find(' ')).map(|at| at + first);
        let Some((left, right)) = cut.and_then(|at| Some((line.get(..at)?, line.get(at + 1..)?))) else {
            let message = format!("merge {index} is {line:?}; expected two tokens with a space between");
            return Err(GgufError::Tokenizer(message));
        };
        let joined = format!("{left}{right}");
        if let Some(unknown) = [left, right, &joined].into_iter().find(|part| !known.contains(part)) {
            let message = format!(
                "merge {index} ({line:?}) needs the token {unknown:?}, which is not in the vocabulary"
            );
            return Err(GgufError::Tokenizer(message));
        }
        merges.push((left, right));
    }
    Ok(merges)
}

/// Derives merges from SentencePiece's scores: every way to cut a token into two tokens is a merge, and merges are
/// ordered by the score of the token they make, best first.
///
/// SentencePiece has no merges: it joins, at each step, the neighbours whose join has the best score. Merges in the
/// order of that score do the same. Ways to make the same token differ only in which neighbours get there first;
/// they are ordered as the Hugging Face converter orders them, longer left part first, so that the result is the
/// `tokenizer.json` that the model was published with.
pub(super) fn from_scores<'v>(vocab: &'v Vocab<'_>) -> Merges<'v> {
    let pieces: HashMap<&str, u32> = vocab
        .iter()
        // Other kinds never come out of merging: they are looked for in the text, or stand for single bytes.
        .filter(|(_, _, kind)| matches!(kind, TokenKind::Normal | TokenKind::Unused))
        .map(|(id, token, _)| (token, id))
        .collect();
    let mut ranked = Vec::new();
    for (id, token, _) in vocab.iter().filter(|(_, token, _)| pieces.contains_key(token)) {
        // Adding zero makes a negative zero positive, which `total_cmp` would order apart.
        let score = vocab.scores.get(id as usize).copied().unwrap_or(0.0) + 0.0;
        let length = token.chars().count();
        let cuts = token.char_indices().skip(1).enumerate();
        let mut ways: Vec<_> = cuts
            .filter_map(|(index, (at, _))| {
                let (left, right) = token.split_at(at);
                let ids = (*pieces.get(left)?, *pieces.get(right)?);
                Some((ids, left, right, index + 1))
            })
            .collect();
        ways.sort_unstable_by_key(|&(ids, ..)| ids);
        ranked.extend(ways.into_iter().map(|(_, left, right, left_length)| {
            (score, (left_length, length - left_length), (left, right))
        }));
    }
    // Stable, so that equal scores and lengths stay in the order of the ids. Scores are not NaN.
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| Reverse(a.1).cmp(&Reverse(b.1))));
    ranked.into_iter().map(|(_, _, pair)| pair).collect()
}
