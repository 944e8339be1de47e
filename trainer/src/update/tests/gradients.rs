//! The gradient of a whole optimizer step: against finite differences of the loss, and the same however it is cut.

use serde_json::json;
use tch::Tensor;

use super::{CLIP, PassSettings, samples, settings, spec, updater};
use crate::engine::to_f32;
use crate::model::testing::{config, families};
use crate::model::{DecoderConfig, weights};
use crate::objectives::{Divisors, KlTerm, Learned, Loss, LossSpec, sequence_terms};
use crate::recipe::{Aggregation, KlEstimator};
use crate::rollout::{Ratio, Sample, TokenId};
use crate::update::{UpdateSettings, Updater, score};

/// Objectives of the algorithms: REINFORCE, GRPO's clip, GSPO, and RLOO with KL.
fn objectives() -> Vec<(&'static str, LossSpec, Ratio)> {
    vec![
        ("reinforce", spec(Loss::Reinforce, Aggregation::TokenMean, false), Ratio::None),
        ("clip", spec(CLIP, Aggregation::TokenMean, false), Ratio::Token),
        ("gspo", spec(CLIP, Aggregation::SequenceMean, false), Ratio::SequenceMean),
        ("rloo with kl", spec(CLIP, Aggregation::SequenceSum, true), Ratio::SequenceSum),
    ]
}

/// An untied model with biases, and one with every norm, windows, a soft cap and a tied head.
fn models() -> Vec<(&'static str, DecoderConfig)> {
    let mut models = vec![("qwen2", config(&json!({"model_type": "qwen2"})))];
    models.extend(families().into_iter().filter(|(name, _)| name.starts_with("gemma3")));
    assert_eq!(models.len(), 2);
    models
}

/// The step's loss by scoring, summed in f64: no part of the backward pass is in it.
fn loss(updater: &Updater, settings: &UpdateSettings, samples: &[Sample]) -> f64 {
    let pass = &settings.pass;
    let divisors = Divisors::new(&pass.spec, samples);
    let sequences: Vec<&[TokenId]> = samples.iter().map(|sample| sample.ids.as_slice()).collect();
    let scored = score(&updater.decoder, &sequences, pass.temperature, 1024).unwrap();
    let mut total = 0.0;
    for (sample, logprobs) in samples.iter().zip(scored) {
        let places = sample.learned[1..].iter().zip(logprobs);
        let lp: Vec<f64> = places.filter(|(learned, _)| **learned).map(|(_, lp)| f64::from(lp)).collect();
        let learned = Learned::new(&pass.spec, sample).unwrap();
        let terms = sequence_terms(&pass.spec, &learned, &lp).unwrap();
        total += divisors.weight_of(sample) * terms.iter().map(|term| term.loss).sum::<f64>();
    }
    total
}

fn gradients(updater: &mut Updater, settings: &UpdateSettings, samples: &[Sample]) -> Vec<Tensor> {
    let samples: Vec<&Sample> = samples.iter().collect();
    updater.gradient(settings, &samples).unwrap();
    updater.gradients().iter().map(Tensor::copy).collect()
}

#[test]
fn the_gradient_is_that_of_finite_differences_in_every_weight() {
    // Recomputed, too, for a loss of single tokens and for one of whole sequences.
    let ways = |objective| [Some(false), ["clip", "rloo with kl"].contains(&objective).then_some(true)];
    for (model, config) in models() {
        let all = objectives().into_iter().flat_map(|(objective, spec, ratio)| {
            ways(objective)
                .into_iter()
                .flatten()
                .map(move |recompute| (objective, spec.clone(), ratio, recompute))
        });
        for (objective, spec, ratio, recompute) in all {
            let mut updater = updater(&config);
            let samples = samples(&updater, &[9, 7, 12, 8], ratio);
            let mut settings = settings(spec);
            settings.pass.recompute = recompute;
            let gradients = gradients(&mut updater, &settings, &samples);
            // `expected` only sets the step: small against the loss's curvature, large against rounding in f32.
            let slope_along = |index: usize, direction: &Tensor, expected: f64| {
                let step = (5e-3 / expected.abs()).clamp(5e-4, 1e-2);
                let mut weight = updater.decoder.weights.ordered()[index].detach();
                let value = weight.copy();
                weight.copy_(&(&value + direction * step));
                let above = loss(&updater, &settings, &samples);
                weight.copy_(&(&value - direction * step));
                let below = loss(&updater, &settings, &samples);
                weight.copy_(&value);
                (above - below) / (2.0 * step)
            };
            for (index, weight) in weights::specs(&config).into_iter().enumerate() {
                let what = format!("{model}, {objective}, recompute {recompute}, {}", weight.name);
                let gradient = &gradients[index];
                let norm = gradient.norm().double_value(&[]);
                assert!(norm > 1e-3, "{what}: hardly any gradient, {norm}");
                // Along the gradient the loss rises by the gradient's norm.
                let found = slope_along(index, &(gradient / norm), norm);
                assert!((found - norm).abs() < 1e-2 * norm + 2e-4, "{what}: {norm}, by differences {found}");
                // And the weight with the largest gradient by itself.
                let place = gradient.abs().argmax(None, false).int64_value(&[]);
                let single = gradient.zeros_like();
                let _ = single.view(-1).get(place).fill_(1.0);
                let expected = gradient.view(-1).double_value(&[place]);
                let found = slope_along(index, &single, expected);
                let gap = (found - expected).abs();
                assert!(gap < 2e-2 * expected.abs() + 2e-4, "{what}: {expected}, by differences {found}");
            }
        }
    }
}

fn assert_same(found: &[Tensor], expected: &[Tensor], tolerance: f64, what: &str) {
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let size = expected.abs().max().double_value(&[]);
        let gap = (found - expected).abs().max().double_value(&[]);
        assert!(gap <= tolerance * size, "{what}, weight {index}: {gap} of {size}");
    }
}

#[test]
fn micro_batches_and_recomputation_change_no_gradient() {
    for (model, config) in models() {
        for (objective, spec, ratio) in objectives() {
            let mut updater = updater(&config);
            // Two lengths, so that packed sequences are padded, too.
            let samples = samples(&updater, &[9, 9, 7, 9, 9, 7, 7, 7], ratio);
            let whole = settings(spec);
            let expected = gradients(&mut updater, &whole, &samples);
            for micro_batch in [9, 18, 36] {
                for recompute in [false, true] {
                    let mut cut = UpdateSettings { micro_batch, ..whole.clone() };
                    cut.pass.recompute = recompute;
                    let found = gradients(&mut updater, &cut, &samples);
                    let what = format!("{model}, {objective}, {micro_batch} tokens, recompute {recompute}");
                    assert_same(&found, &expected, 1e-5, &what);
                }
            }
        }
    }
}

#[test]
fn recomputation_repeats_the_very_bits() {
    let (_, config) = models().remove(1);
    let mut updater = updater(&config);
    let samples = samples(&updater, &[9, 7, 12, 8], Ratio::Token);
    let keep = settings(spec(CLIP, Aggregation::TokenMean, true));
    let mut recompute = keep.clone();
    recompute.pass.recompute = true;
    let kept = gradients(&mut updater, &keep, &samples);
    let recomputed = gradients(&mut updater, &recompute, &samples);
    assert!(kept.iter().zip(&recomputed).all(|(kept, recomputed)| kept.equal(recomputed)));
}

#[test]
fn reports_come_in_the_order_of_the_samples() {
    let (_, config) = models().remove(0);
    let mut updater = updater(&config);
    let samples = samples(&updater, &[12, 7, 9, 8], Ratio::Token);
    let chosen: Vec<&Sample> = samples.iter().collect();
    let settings = UpdateSettings { micro_batch: 16, ..settings(spec(CLIP, Aggregation::TokenMean, false)) };
    let reports = updater.gradient(&settings, &chosen).unwrap();
    for (sample, report) in samples.iter().zip(&reports) {
        let logprobs = super::aligned(&updater, &sample.ids);
        let expected: Vec<f32> =
            (0..sample.ids.len()).filter(|&t| sample.learned[t]).map(|t| logprobs[t]).collect();
        assert_eq!((report.logprobs.len(), report.entropies.len()), (expected.len(), expected.len()));
        assert!(
            report.logprobs.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < 1e-5)
        );
        assert!(report.entropies.iter().all(|&entropy| entropy > 0.0 && entropy < (48f32).ln()));
    }
}

#[test]
fn a_sample_without_learned_tokens_changes_no_gradient() {
    let (_, config) = models().remove(0);
    let mut updater = updater(&config);
    let mut samples = samples(&updater, &[9, 7, 8], Ratio::Token);
    let settings = settings(spec(CLIP, Aggregation::SequenceMean, false));
    let expected = gradients(&mut updater, &settings, &samples[..2]);
    samples[2].learned.fill(false);
    let found = gradients(&mut updater, &settings, &samples);
    assert_same(&found, &expected, 1e-5, "with an empty sample");
    let nothing = gradients(&mut updater, &settings, &samples[2..]);
    assert!(nothing.iter().all(|gradient| to_f32(gradient).iter().all(|&g| g == 0.0)));
}

#[test]
fn what_has_no_advantage_counts_in_the_divisors_and_stays_out_of_the_model() {
    let (_, config) = models().remove(0);
    let mut updater = updater(&config);
    let mut samples = samples(&updater, &[9, 7, 8], Ratio::Token);
    samples[1].weights.fill(0.0);
    let settings = settings(spec(CLIP, Aggregation::TokenMean, false));
    let found = gradients(&mut updater, &settings, &samples);
    // A KL too weak to be seen in f32 makes the same sample go through the model.
    let faint = KlTerm { estimator: KlEstimator::K3, coef: 1e-30 };
    let spec = LossSpec { kl: Some(faint), ..settings.pass.spec.clone() };
    let passed = UpdateSettings { pass: PassSettings { spec, ..settings.pass.clone() }, ..settings.clone() };
    let expected = gradients(&mut updater, &passed, &samples);
    assert_same(&found, &expected, 1e-5, "with a sample left out of the model");
    let without = gradients(&mut updater, &settings, &[samples[0].clone(), samples[2].clone()]);
    let moved = found.iter().zip(&without).any(|(a, b)| (a - b).abs().max().double_value(&[]) > 1e-3);
    assert!(moved, "its tokens count in the divisor");
    let chosen: Vec<&Sample> = samples.iter().collect();
    let reports = updater.gradient(&settings, &chosen).unwrap();
    assert_eq!(reports.iter().map(|r| r.terms.is_empty()).collect::<Vec<_>>(), [false, true, false]);
}
