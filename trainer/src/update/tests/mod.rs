//! The update against other ways to the same numbers: autograd, finite differences, another cut into micro-batches, the
//! objectives' golden table.

mod golden;
mod gradients;
mod head;
mod memory;
mod steps;

use super::backward::PassSettings;
use super::{UpdateSettings, Updater, score};
use crate::model::DecoderConfig;
use crate::model::testing::{decoder, tokens};
use crate::objectives::{KlTerm, Loss, LossSpec};
use crate::recipe::{Aggregation, KlEstimator, OptimizerConfig};
use crate::rollout::{Ratio, Sample, TokenId};

const TEMPERATURE: f64 = 0.8;
const CLIP: Loss = Loss::Clip { low: 0.2, high: 0.28, dual: None };

fn updater(config: &DecoderConfig) -> Updater {
    Updater::new(decoder(config, 7), Vec::new())
}

fn spec(loss: Loss, aggregation: Aggregation, kl: bool) -> LossSpec {
    let kl = kl.then_some(KlTerm { estimator: KlEstimator::K3, coef: 0.1 });
    LossSpec { loss, aggregation, kl, correction: None, max_new_tokens: 16 }
}

fn settings(spec: LossSpec) -> UpdateSettings {
    UpdateSettings {
        pass: PassSettings { spec, temperature: TEMPERATURE, recompute: false },
        optimizer: OptimizerConfig { lr: 1e-3, ..OptimizerConfig::default() },
        total_steps: 10,
        epochs: 1,
        batch: None,
        micro_batch: 1024,
        max_skipped: 3,
    }
}

/// Samples of the given lengths: a prompt of three tokens, and an environment token among the learned ones. The gaps
/// between `lp` and `old` are such that some ratios are clipped, and that none is near a clip's corner.
fn samples(updater: &Updater, lengths: &[usize], ratio: Ratio) -> Vec<Sample> {
    let vocab = updater.decoder.config.vocab_size;
    let mut samples = Vec::new();
    for (index, &length) in lengths.iter().enumerate() {
        let ids = tokens(length, vocab, &format!("sample {index}"));
        let learned: Vec<bool> = (0..length).map(|t| t >= 3 && t != 4).collect();
        let num_learned = learned.iter().filter(|&&learned| learned).count() as f32;
        let logprobs = aligned(updater, &ids);
        let gaps = [0.05, -0.1, 0.4, -0.5];
        let gap = |t: usize| match ratio {
            Ratio::None | Ratio::Token => gaps[(index + t) % 4],
            Ratio::SequenceMean => gaps[index % 4],
            Ratio::SequenceSum => gaps[index % 4] / num_learned,
        };
        samples.push(Sample {
            problem: format!("problem-{index}"),
            learned,
            weights: vec![[1.3, -0.8, 0.5, -0.4][index % 4]; length],
            old: Some((0..length).map(|t| logprobs[t] - gap(t)).collect()),
            mu: None,
            reference: Some((0..length).map(|t| logprobs[t] + 0.3 * gap(t + 1)).collect()),
            ratio,
            ids,
        });
    }
    samples
}

/// Log-probabilities of a sequence under the updater's weights, one a token; 0 for the first.
fn aligned(updater: &Updater, ids: &[TokenId]) -> Vec<f32> {
    let scored = score(&updater.decoder, &[ids], TEMPERATURE, 1024).unwrap();
    [&[0.0], scored[0].as_slice()].concat()
}
