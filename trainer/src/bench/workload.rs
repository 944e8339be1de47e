//! What is measured on: prompts, the plan that a recipe would resolve to, and samples made of random tokens.

use std::sync::Arc;

use rand_core::RngCore;

use crate::engine::{Request, Sampling};
use crate::model::Decoder;
use crate::recipe::Plan;
use crate::rollout::{Ratio, Sample, TokenId};
use crate::run::{RunError, setup};
use crate::seeds::{Coords, Purpose, keyed_rng};
use crate::text::Tokenizer;
use crate::update::score;

/// What a measurement of the model works on.
#[derive(Debug)]
pub struct Workload {
    /// Prompts as ids; problem i of the step is `prompt-i`.
    pub prompts: Vec<Vec<TokenId>>,
    /// Sampling, algorithm, update and seed, as `train` would have them.
    pub plan: Plan,
    /// Goes on to the limit of new tokens even where the model would stop.
    pub ignore_eos: bool,
    /// Untimed runs before the timed one.
    pub warmup: usize,
    /// The model's tokenizer.
    pub tokenizer: Arc<Tokenizer>,
}

impl Workload {
    /// How responses are sampled.
    #[must_use]
    pub fn sampling(&self) -> Sampling {
        let stop_ids = if self.ignore_eos { Vec::new() } else { self.tokenizer.stop_ids().to_vec() };
        setup::sampling(&self.plan, false, stop_ids)
    }

    /// The requests of run `run`; each run draws other numbers.
    #[must_use]
    pub fn requests(&self, run: u64) -> Vec<Request> {
        let request = |(index, prompt): (usize, &Vec<TokenId>)| {
            let coords = |sample| Coords {
                seed: self.plan.run.seed,
                step: run,
                problem: problem_name(index),
                sample,
                purpose: Purpose::Generate,
            };
            let samples = (0..self.plan.rollout.n as u64).map(coords).collect();
            Request { prompt: prompt.clone(), samples }
        };
        self.prompts.iter().enumerate().map(request).collect()
    }

    /// Samples to learn from without sampling them: each prompt with random tokens to the limit, `n` times, weighted +1
    /// and −1 in turn. Old and reference log-probabilities are those under `decoder`.
    ///
    /// # Errors
    /// libtorch's refusal while scoring.
    pub fn random_samples(&self, decoder: &Decoder) -> Result<Vec<Sample>, RunError> {
        let mut samples = Vec::with_capacity(self.prompts.len() * self.plan.rollout.n);
        for (index, prompt) in self.prompts.iter().enumerate() {
            for sibling in 0..self.plan.rollout.n {
                samples.push(self.random_sample(decoder, index, prompt, sibling));
            }
        }
        let sequences: Vec<&[TokenId]> = samples.iter().map(|sample| sample.ids.as_slice()).collect();
        let temperature = self.plan.rollout.temperature;
        let logprobs = score(decoder, &sequences, temperature, self.plan.update.micro_batch)?;
        for (sample, logprobs) in samples.iter_mut().zip(logprobs) {
            // Nothing predicts the first token; it is not learned.
            let aligned = [vec![0.0], logprobs].concat();
            sample.reference = Some(aligned.clone());
            sample.old = Some(aligned);
        }
        Ok(samples)
    }

    fn random_sample(&self, decoder: &Decoder, index: usize, prompt: &[TokenId], sibling: usize) -> Sample {
        let config = &decoder.config;
        let room = config.max_position_embeddings.saturating_sub(prompt.len());
        let seed = self.plan.run.seed.to_le_bytes();
        let place = [index.to_le_bytes(), sibling.to_le_bytes()].concat();
        let mut rng = keyed_rng("bench", &[&seed, &place]);
        let mut ids = prompt.to_vec();
        for _ in 0..self.plan.rollout.max_new_tokens.min(room) {
            // The remainder is below the vocabulary's size, which fits a token id.
            ids.push((rng.next_u64() % config.vocab_size as u64) as TokenId);
        }
        let weight = if sibling.is_multiple_of(2) { 1.0 } else { -1.0 };
        Sample {
            problem: problem_name(index),
            learned: (0..ids.len()).map(|place| place >= prompt.len()).collect(),
            weights: vec![weight; ids.len()],
            ids,
            old: None,
            mu: None,
            reference: None,
            ratio: Ratio::Token,
        }
    }
}

/// The id under which prompt `index` goes.
#[must_use]
pub fn problem_name(index: usize) -> String {
    format!("prompt-{index}")
}
