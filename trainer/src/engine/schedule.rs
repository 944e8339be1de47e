//! Who is decoded when. Active sequences fill the first slots; a finished one's slot is refilled at once from the
//! prompts that are already computed, and prompts are computed a few ahead, packed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use tch::Tensor;

use super::cache::{DecodeStep, KvCache};
use super::prefill::{self, Prefilled};
use super::sampler::{Draws, draw};
use super::{EngineError, EngineStats, Request, Response, Sampling, Watch, seconds};
use crate::model::Decoder;
use crate::model::attention::SharedPrefix;
use crate::rollout::{Finish, TokenId};
use crate::seeds::Uniforms;
use crate::text::{StopStrings, StopWatch, Tokenizer};

/// Prompt tokens computed together: enough to fill the matrix units, little enough to keep waiting caches small.
const PREFILL_TOKENS: usize = 1024;

/// A sequence in a slot.
struct Active {
    request: usize,
    sample: usize,
    uniforms: Uniforms,
    response: Response,
    /// Tokens in the slot's cache.
    cached: usize,
    limit: usize,
    stop: Option<StopWatch>,
}

/// Samples that wait for a slot, their prompt computed.
struct Waiting {
    request: usize,
    prefilled: Prefilled,
    next_sample: usize,
}

/// One call of `generate`.
pub(super) struct Run<'a> {
    decoder: &'a Decoder,
    tokenizer: Option<&'a Tokenizer>,
    requests: &'a [Request],
    how: &'a Sampling,
    stop: Arc<StopStrings>,
    shared: usize,
    prefix: Option<SharedPrefix>,
    cache: KvCache,
    slots: usize,
    next_request: usize,
    waiting: VecDeque<Waiting>,
    active: Vec<Active>,
    done: Vec<Vec<Option<Response>>>,
    pub(super) stats: EngineStats,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        decoder: &'a Decoder,
        tokenizer: Option<&'a Tokenizer>,
        requests: &'a [Request],
        (how, stop): (&'a Sampling, Arc<StopStrings>),
        shared: usize,
        slots: usize,
        length: usize,
    ) -> Self {
        let mut stats = EngineStats::default();
        let start = Instant::now();
        let prefix = (shared > 0).then(|| prefill::shared_prefix(decoder, &requests[0].prompt[..shared]));
        stats.prefill_tokens += shared as u64;
        stats.prefill_s += seconds(start);
        Self {
            decoder,
            tokenizer,
            requests,
            how,
            stop,
            shared,
            prefix,
            cache: KvCache::new(decoder, slots, length),
            slots,
            next_request: 0,
            waiting: VecDeque::new(),
            active: Vec::with_capacity(slots),
            done: requests.iter().map(|r| vec![None; r.samples.len()]).collect(),
            stats,
        }
    }

    /// Samples until every response is complete.
    pub(super) fn finish(&mut self, watch: &mut dyn Watch) -> Result<Vec<Vec<Response>>, EngineError> {
        loop {
            self.refill(watch);
            if self.active.is_empty() {
                break;
            }
            let new = self.active.len();
            self.decode(watch);
            if !watch.tokens(new) {
                return Err(EngineError::Interrupted);
            }
        }
        let done = std::mem::take(&mut self.done);
        // The loop ends only when nothing waits and nothing is active, so every response is there.
        Ok(done.into_iter().map(|group| group.into_iter().flatten().collect()).collect())
    }

    /// Starts samples until the slots are full or nothing waits.
    fn refill(&mut self, watch: &mut dyn Watch) {
        while self.active.len() < self.slots {
            if self.waiting.is_empty() && !self.prefill_ahead() {
                break;
            }
            self.start_siblings(watch);
        }
    }

    /// Computes the next few prompts; false when there are none left.
    fn prefill_ahead(&mut self) -> bool {
        let first = self.next_request;
        let mut tokens = 0;
        let mut last = first;
        while last < self.requests.len() {
            let length = self.requests[last].prompt.len() - self.shared;
            if last > first && tokens + length > PREFILL_TOKENS {
                break;
            }
            tokens += length;
            last += 1;
        }
        if first == last {
            return false;
        }
        let start = Instant::now();
        let prompts: Vec<&[TokenId]> =
            self.requests[first..last].iter().map(|r| &r.prompt[self.shared..]).collect();
        let prefilled = prefill::prefill(self.decoder, self.prefix.as_ref(), &prompts);
        for (request, prefilled) in (first..last).zip(prefilled) {
            if !self.requests[request].samples.is_empty() {
                self.waiting.push_back(Waiting { request, prefilled, next_sample: 0 });
            }
        }
        self.next_request = last;
        self.stats.prefill_tokens += tokens as u64;
        self.stats.prefill_s += seconds(start);
        !self.waiting.is_empty() || self.next_request < self.requests.len()
    }

    /// Starts as many samples of the first waiting prompt as there are free slots.
    fn start_siblings(&mut self, watch: &mut dyn Watch) {
        let Some(mut waiting) = self.waiting.pop_front() else { return };
        let request = &self.requests[waiting.request];
        let free = self.slots - self.active.len();
        let count = free.min(request.samples.len() - waiting.next_sample);
        let mut starting: Vec<Active> =
            (0..count).map(|i| self.activate(waiting.request, waiting.next_sample + i)).collect();
        let uniforms: Vec<f64> = starting.iter_mut().map(|a| a.uniforms.at(0)).collect();
        let logits = waiting.prefilled.logits.expand([count as i64, -1], false);
        let draws = draw(&logits, self.how, &uniforms);
        for (row, mut active) in starting.into_iter().enumerate() {
            let ended = self.accept(&mut active, &draws, row);
            self.stats.generated_tokens += 1;
            if ended {
                self.complete(active, watch);
            } else {
                self.cache.fill(self.active.len(), &waiting.prefilled.cache);
                self.active.push(active);
            }
        }
        waiting.next_sample += count;
        if waiting.next_sample < request.samples.len() {
            self.waiting.push_front(waiting);
        }
    }

    fn activate(&self, request: usize, sample: usize) -> Active {
        let prompt = self.requests[request].prompt.len();
        let context = self.decoder.config.max_position_embeddings;
        let stop =
            self.tokenizer.filter(|_| !self.stop.is_empty()).map(|tokenizer| tokenizer.watch(&self.stop));
        Active {
            request,
            sample,
            uniforms: self.requests[request].samples[sample].uniforms(),
            response: Response {
                ids: Vec::new(),
                logprobs: Vec::new(),
                kept: self.how.truncates().then(Vec::new),
                finish: Finish::Length,
            },
            cached: prompt - self.shared,
            limit: self.how.max_new_tokens.min(context - prompt),
            stop,
        }
    }

    /// One decode step: every active sequence's last token goes through the model, and a next one is drawn.
    fn decode(&mut self, watch: &mut dyn Watch) {
        let start = Instant::now();
        let device = self.decoder.device();
        let place = |v: &[i64]| Tensor::from_slice(v).to_device(device);
        let ids: Vec<i64> =
            self.active.iter().map(|a| i64::from(a.response.ids[a.response.ids.len() - 1])).collect();
        let lengths: Vec<usize> = self.active.iter().map(|a| a.cached).collect();
        let positions: Vec<i64> = lengths.iter().map(|&l| (self.shared + l) as i64).collect();
        let max = positions.iter().copied().max().unwrap_or(0);
        let mut step = DecodeStep::new(&mut self.cache, self.prefix.as_ref(), &lengths);
        let hidden = self.decoder.hidden(&place(&ids), &place(&positions), max, &mut step);
        let logits = self.decoder.logits(&hidden);
        let uniforms: Vec<f64> = self
            .active
            .iter_mut()
            .map(|a| {
                a.cached += 1;
                a.uniforms.at(a.response.ids.len() as u64)
            })
            .collect();
        let draws = draw(&logits, self.how, &uniforms);
        self.stats.decode_steps += 1;
        self.stats.active_slot_steps += self.active.len() as u64;
        self.stats.slot_steps += self.slots as u64;
        self.stats.generated_tokens += self.active.len() as u64;
        self.advance(&draws, watch);
        self.stats.decode_s += seconds(start);
    }

    /// Takes the drawn tokens, completes what has ended and closes the gaps by moving the last sequences forward.
    fn advance(&mut self, draws: &Draws, watch: &mut dyn Watch) {
        let mut active = std::mem::take(&mut self.active);
        let ended: Vec<bool> =
            active.iter_mut().enumerate().map(|(row, a)| self.accept(a, draws, row)).collect();
        for slot in (0..active.len()).rev().filter(|&slot| ended[slot]) {
            let last = active.len() - 1;
            if slot != last {
                self.cache.relocate(last, slot, active[last].cached);
            }
            let finished = active.swap_remove(slot);
            self.complete(finished, watch);
        }
        self.active = active;
    }

    /// Appends a drawn token; true when the response has ended.
    fn accept(&self, active: &mut Active, draws: &Draws, row: usize) -> bool {
        let id = draws.ids[row];
        active.response.ids.push(id);
        active.response.logprobs.push(draws.logprobs[row]);
        if let (Some(all), Some(kept)) = (&mut active.response.kept, &draws.kept) {
            all.push(kept[row].clone());
        }
        if self.how.stop_ids.contains(&id) {
            active.response.finish = Finish::Stop;
            return true;
        }
        if active.stop.as_mut().is_some_and(|stop| stop.push(id).is_some()) {
            active.response.finish = Finish::Stop;
            return true;
        }
        active.response.ids.len() >= active.limit
    }

    fn complete(&mut self, active: Active, watch: &mut dyn Watch) {
        watch.finished(active.request, active.sample, &active.response);
        self.done[active.request][active.sample] = Some(active.response);
    }
}
