//! Prompts in, responses out: sampling with a key/value cache and continuous batching. A finished sequence's slot is
//! taken by the next one at once; the prompt of a group of samples is computed once; a beginning that all prompts share
//! (worked examples) is computed once and kept once. Draws come from coordinates, so what a sample draws does not depend
//! on what runs beside it.

pub mod cache;
mod prefill;
pub mod sampler;
mod schedule;

use std::sync::Arc;
use std::time::Instant;

use crate::model::Decoder;
use crate::model::torch::{TorchError, guard};
use crate::rollout::{Finish, TokenId};
use crate::seeds::Coords;
use crate::text::{StopStrings, TextError, Tokenizer};

pub use sampler::{Sampling, to_f32};

/// One prompt and the coordinates of each sample wanted of it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The prompt.
    pub prompt: Vec<TokenId>,
    /// A sample each.
    pub samples: Vec<Coords>,
}

/// One sampled response.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The new tokens, a stop id included.
    pub ids: Vec<TokenId>,
    /// Aligned with `ids`, nats; see [`sampler::Draws::logprobs`].
    pub logprobs: Vec<f32>,
    /// For truncated sampling, the ids that could have been drawn at each position.
    pub kept: Option<Vec<Vec<TokenId>>>,
    /// Why it ended.
    pub finish: Finish,
}

/// What sampling did, for benchmarks and tests.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct EngineStats {
    /// Tokens sampled.
    pub generated_tokens: u64,
    /// Prompt tokens computed: a shared prefix once, a group's prompt once.
    pub prefill_tokens: u64,
    /// Decode steps: forward passes with one token a slot.
    pub decode_steps: u64,
    /// Active slots summed over decode steps.
    pub active_slot_steps: u64,
    /// Slots summed over decode steps.
    pub slot_steps: u64,
    /// Seconds in prefill.
    pub prefill_s: f64,
    /// Seconds in decode steps, drawing included.
    pub decode_s: f64,
}

impl EngineStats {
    /// The share of slots that were in use, over all decode steps.
    #[must_use]
    pub fn occupancy(&self) -> f64 {
        if self.slot_steps == 0 { 0.0 } else { self.active_slot_steps as f64 / self.slot_steps as f64 }
    }

    /// Adds another run's figures.
    pub fn add(&mut self, other: &Self) {
        self.generated_tokens += other.generated_tokens;
        self.prefill_tokens += other.prefill_tokens;
        self.decode_steps += other.decode_steps;
        self.active_slot_steps += other.active_slot_steps;
        self.slot_steps += other.slot_steps;
        self.prefill_s += other.prefill_s;
        self.decode_s += other.decode_s;
    }
}

/// Sampling was not possible.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The prompt leaves no room.
    #[error(
        "prompt {index} has {tokens} tokens; the model's context is {context} and at least one new token must fit: shorten it, or leave out worked examples"
    )]
    PromptTooLong {
        /// Which request.
        index: usize,
        /// Its tokens.
        tokens: usize,
        /// The model's context.
        context: usize,
    },
    /// A prompt without tokens.
    #[error("prompt {index} has no tokens: a model needs at least one to go on from")]
    EmptyPrompt {
        /// Which request.
        index: usize,
    },
    /// A token that the model does not have.
    #[error("prompt {index} holds token id {id}; the model's vocabulary has {vocab} (ids 0 to {last}): is this the model's own tokenizer?", last = vocab - 1)]
    UnknownToken {
        /// Which request.
        index: usize,
        /// The id.
        id: TokenId,
        /// The model's vocabulary.
        vocab: usize,
    },
    /// libtorch refused.
    #[error("{source}{}", cache_words(source, (*cache_bytes, *slots, *length)))]
    Torch {
        /// What it said.
        source: TorchError,
        /// The cache's size.
        cache_bytes: u64,
        /// Its slots.
        slots: usize,
        /// Its tokens a slot.
        length: usize,
    },
    /// A stop string that cannot be one.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Asked to stop.
    #[error("interrupted while sampling")]
    Interrupted,
}

/// What sampling needs most of, where there was too little of it.
fn cache_words(source: &TorchError, (bytes, slots, length): (u64, usize, usize)) -> String {
    if !source.is_out_of_memory() {
        return String::new();
    }
    let gb = bytes as f64 / 1e9;
    format!(
        ". Sampling {slots} sequences of {length} tokens at once takes {gb:.2} GB for keys and values alone: fewer slots or new tokens need less"
    )
}

/// What a caller hears while sampling goes on.
pub trait Watch {
    /// A response is complete.
    fn finished(&mut self, _request: usize, _sample: usize, _response: &Response) {}
    /// Tokens were sampled, or an evaluation got a verdict (`_new` is then 0); false stops either with [`EngineError::Interrupted`].
    fn tokens(&mut self, _new: usize) -> bool {
        true
    }
}

impl Watch for () {}

/// Samples every request with the decoder's current weights.
///
/// Responses come back in the order of the requests and of their samples.
///
/// # Errors
/// A prompt that does not fit, a token the model does not have, or libtorch's refusal.
pub fn generate(
    decoder: &Decoder,
    tokenizer: Option<&Tokenizer>,
    requests: &[Request],
    how: &Sampling,
    watch: &mut dyn Watch,
    stats: &mut EngineStats,
) -> Result<Vec<Vec<Response>>, EngineError> {
    check(decoder, requests)?;
    let stop = Arc::new(StopStrings::new(&how.stop)?);
    let shared = prefill::shared_length(requests);
    let context = decoder.config.max_position_embeddings;
    let longest =
        requests.iter().map(|r| (r.prompt.len() + how.max_new_tokens).min(context)).max().unwrap_or(0);
    let wanted: usize = requests.iter().map(|r| r.samples.len()).sum();
    let slots = how.slots.clamp(1, wanted.max(1));
    let length = longest - shared;
    let outcome = guard("sampling", || {
        tch::no_grad(|| {
            let mut run =
                schedule::Run::new(decoder, tokenizer, requests, (how, stop), shared, slots, length);
            let outcome = run.finish(watch);
            stats.add(&run.stats);
            outcome
        })
    });
    match outcome {
        Ok(result) => result,
        Err(source) => Err(EngineError::Torch {
            source,
            cache_bytes: cache::KvCache::bytes(decoder, slots, length),
            slots,
            length,
        }),
    }
}

fn check(decoder: &Decoder, requests: &[Request]) -> Result<(), EngineError> {
    let config = &decoder.config;
    for (index, request) in requests.iter().enumerate() {
        if request.prompt.is_empty() {
            return Err(EngineError::EmptyPrompt { index });
        }
        if request.prompt.len() >= config.max_position_embeddings {
            return Err(EngineError::PromptTooLong {
                index,
                tokens: request.prompt.len(),
                context: config.max_position_embeddings,
            });
        }
        if let Some(&id) = request.prompt.iter().find(|&&id| id as usize >= config.vocab_size) {
            return Err(EngineError::UnknownToken { index, id, vocab: config.vocab_size });
        }
    }
    Ok(())
}

/// Seconds since `start`.
fn seconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64()
}

#[cfg(test)]
mod tests;
