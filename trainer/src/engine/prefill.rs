//! Prompts before the first new token: what all of them share is computed once, the rest packed, a few prompts at a time.

use tch::Tensor;

use super::Request;
use crate::model::attention::SharedPrefix;
use crate::model::{Decoder, Packed};
use crate::rollout::TokenId;

/// A shared beginning shorter than this is not worth a prefix of its own.
const SHORTEST_SHARED: usize = 64;

/// A prompt that has been computed and waits for its samples to start.
#[derive(Debug)]
pub(super) struct Prefilled {
    /// A layer's keys and values of the prompt behind the shared prefix, each [P, K, h].
    pub(super) cache: Vec<(Tensor, Tensor)>,
    /// Logits of the token after the prompt, [1, V].
    pub(super) logits: Tensor,
}

/// How many tokens all prompts begin with; the last token of a prompt is never counted, since its logits are needed.
pub(super) fn shared_length(requests: &[Request]) -> usize {
    let [first, rest @ ..] = requests else { return 0 };
    if rest.is_empty() {
        return 0;
    }
    let mut shared = first.prompt.len() - 1;
    for request in rest {
        let same = first.prompt.iter().zip(&request.prompt).take_while(|(a, b)| a == b).count();
        shared = shared.min(same).min(request.prompt.len() - 1);
    }
    if shared < SHORTEST_SHARED { 0 } else { shared }
}

/// Computes the shared prefix.
pub(super) fn shared_prefix(decoder: &Decoder, ids: &[TokenId]) -> SharedPrefix {
    let mut attention = Packed::new(&decoder.config, &[ids.len()], decoder.device()).keeping();
    let _ = forward(decoder, ids, 0, &[ids.len()], &mut attention);
    let (keys, values) = attention
        .into_kept()
        .into_iter()
        .map(|(k, v)| (k.transpose(0, 1).contiguous(), v.transpose(0, 1).contiguous()))
        .unzip();
    SharedPrefix { length: ids.len() as i64, keys, values }
}

/// Computes the part of some prompts behind the shared prefix.
pub(super) fn prefill(
    decoder: &Decoder,
    prefix: Option<&SharedPrefix>,
    prompts: &[&[TokenId]],
) -> Vec<Prefilled> {
    let offset = prefix.map_or(0, |p| p.length);
    let lengths: Vec<usize> = prompts.iter().map(|p| p.len()).collect();
    let ids = prompts.concat();
    let mut attention = Packed::new(&decoder.config, &lengths, decoder.device()).behind(prefix).keeping();
    let hidden = forward(decoder, &ids, offset, &lengths, &mut attention);
    let ends: Vec<i64> = lengths
        .iter()
        .scan(0, |end, &length| {
            *end += length as i64;
            Some(*end)
        })
        .collect();
    let last: Vec<i64> = ends.iter().map(|end| end - 1).collect();
    let rows = Tensor::from_slice(&last).to_device(decoder.device());
    let logits = decoder.logits(&hidden.index_select(0, &rows));
    let kept = attention.into_kept();
    (0..prompts.len())
        .map(|index| {
            let length = lengths[index] as i64;
            let part = |x: &Tensor| x.narrow(0, ends[index] - length, length).contiguous();
            Prefilled {
                cache: kept.iter().map(|(k, v)| (part(k), part(v))).collect(),
                logits: logits.narrow(0, index as i64, 1),
            }
        })
        .collect()
}

/// Hidden states of packed sequences that all begin at position `offset`.
fn forward(
    decoder: &Decoder,
    ids: &[TokenId],
    offset: i64,
    lengths: &[usize],
    attention: &mut Packed<'_>,
) -> Tensor {
    let positions: Vec<i64> =
        lengths.iter().flat_map(|&length| (0..length as i64).map(move |t| offset + t)).collect();
    let max = positions.iter().copied().max().unwrap_or(0);
    let place = |v: &[i64]| Tensor::from_slice(v).to_device(decoder.device());
    let ids: Vec<i64> = ids.iter().map(|&id| i64::from(id)).collect();
    decoder.hidden(&place(&ids), &place(&positions), max, attention)
}
