//! Log-probabilities of given sequences under a model: the reference's, the ones before an update, the `score` command.

use tch::{Device, Tensor};

use super::head;
use crate::model::torch::{TorchError, guard};
use crate::model::{Decoder, Packed};
use crate::rollout::TokenId;

/// For each sequence the log-probability (nats, at `temperature`) of every token that a token precedes: one fewer than
/// the sequence has tokens, aligned with `ids[1..]`. At most `max_tokens` tokens go through the model at once.
///
/// # Errors
/// libtorch's refusal.
pub fn score(
    decoder: &Decoder,
    sequences: &[&[TokenId]],
    temperature: f64,
    max_tokens: usize,
) -> Result<Vec<Vec<f32>>, TorchError> {
    // There is an answer: nothing says that it is not to go on.
    Ok(score_while(decoder, sequences, temperature, max_tokens, &|| true)?.unwrap_or_default())
}

/// As [`score`], asking `go_on` before each forward pass; nothing once it says no.
///
/// # Errors
/// libtorch's refusal.
pub fn score_while(
    decoder: &Decoder,
    sequences: &[&[TokenId]],
    temperature: f64,
    max_tokens: usize,
    go_on: &dyn Fn() -> bool,
) -> Result<Option<Vec<Vec<f32>>>, TorchError> {
    let mut order: Vec<usize> = (0..sequences.len()).filter(|&i| sequences[i].len() > 1).collect();
    order.sort_by_key(|&index| (sequences[index].len(), index));
    let mut out = vec![Vec::new(); sequences.len()];
    let mut rest = order.as_slice();
    while !rest.is_empty() {
        if !go_on() {
            return Ok(None);
        }
        let mut tokens = 0;
        let mut count = 0;
        while count < rest.len() && (count == 0 || tokens + sequences[rest[count]].len() <= max_tokens) {
            tokens += sequences[rest[count]].len();
            count += 1;
        }
        let (now, later) = rest.split_at(count);
        let batch: Vec<&[TokenId]> = now.iter().map(|&index| sequences[index]).collect();
        let logprobs = guard("scoring", || tch::no_grad(|| score_packed(decoder, &batch, temperature)))?;
        for (&index, logprobs) in now.iter().zip(logprobs) {
            out[index] = logprobs;
        }
        rest = later;
    }
    Ok(Some(out))
}

fn score_packed(decoder: &Decoder, batch: &[&[TokenId]], temperature: f64) -> Vec<Vec<f32>> {
    // The last token predicts nothing that is asked for.
    let inputs: Vec<&[TokenId]> = batch.iter().map(|ids| &ids[..ids.len() - 1]).collect();
    let packed = PackedIds::new(&inputs, decoder.device());
    let mut attention = Packed::new(&decoder.config, &packed.lengths, decoder.device());
    let h_ND = decoder.hidden(&packed.ids_N, &packed.positions_N, packed.max_position, &mut attention);
    let targets: Vec<TokenId> = batch.iter().flat_map(|ids| ids[1..].iter().copied()).collect();
    let all = head::logprobs(decoder, &h_ND, &targets, temperature);
    let mut rest = all.as_slice();
    inputs
        .iter()
        .map(|ids| {
            let (own, later) = rest.split_at(ids.len());
            rest = later;
            own.to_vec()
        })
        .collect()
}

/// Sequences one after another, as tensors.
#[derive(Debug)]
pub struct PackedIds {
    /// The N tokens, i64.
    pub ids_N: Tensor,
    /// Their N positions within their sequences, i64.
    pub positions_N: Tensor,
    /// The largest position.
    pub max_position: i64,
    /// Tokens of each sequence.
    pub lengths: Vec<usize>,
}

impl PackedIds {
    /// Packs `sequences` on `device`.
    #[must_use]
    pub fn new(sequences: &[&[TokenId]], device: Device) -> Self {
        let lengths: Vec<usize> = sequences.iter().map(|s| s.len()).collect();
        let ids: Vec<i64> = sequences.iter().flat_map(|s| s.iter().map(|&id| i64::from(id))).collect();
        let positions: Vec<i64> = lengths.iter().flat_map(|&length| 0..length as i64).collect();
        let max_position = positions.iter().copied().max().unwrap_or(0);
        let place = |v: &[i64]| Tensor::from_slice(v).to_device(device);
        Self { ids_N: place(&ids), positions_N: place(&positions), max_position, lengths }
    }
}
