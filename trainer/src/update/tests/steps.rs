//! Optimizer steps: the golden table's clip loss through the whole update, repeatability, 16-bit weights, skipped steps.

use serde_json::json;
use tch::{Kind, Tensor};

use super::{CLIP, aligned, samples, settings, spec, updater};
use crate::model::testing::{config, decoder, tokens};
use crate::model::{Decoder, DecoderConfig};
use crate::objectives::Loss;
use crate::recipe::Aggregation;
use crate::rollout::{Ratio, Sample};
use crate::run::setup::weights_hash;
use crate::update::{Event, StepReport, UpdateError, UpdateSettings, Updater};

fn llama() -> DecoderConfig {
    config(&json!({"model_type": "llama"}))
}

fn update(
    updater: &mut Updater,
    settings: &UpdateSettings,
    samples: &[Sample],
) -> Result<Vec<StepReport>, UpdateError> {
    updater.update(settings, samples, None, (1, 1), &mut |_| true)
}

/// Log-ratios and advantages of the golden table's fixture.
const LOG_RATIOS: [&[f32]; 4] = [&[0.1, -0.1, 0.4], &[-0.2, 0.3], &[-0.5], &[0.0, 0.5, -0.3]];
const ADVANTAGES: [f32; 4] = [1.305_31, -0.783_186, 0.261_062, -0.783_186];

/// The golden table's responses as samples of this model: its own log-probabilities, `old` such that the ratios fit.
fn golden_samples(updater: &Updater) -> Vec<Sample> {
    let one = |(index, log_ratios): (usize, &&[f32])| {
        let ids = tokens(2 + log_ratios.len(), 48, &format!("golden {index}"));
        let logprobs = aligned(updater, &ids);
        let old = (0..ids.len()).map(|t| logprobs[t] - if t < 2 { 0.0 } else { log_ratios[t - 2] });
        Sample {
            problem: format!("golden-{index}"),
            learned: (0..ids.len()).map(|t| t >= 2).collect(),
            weights: vec![ADVANTAGES[index]; ids.len()],
            old: Some(old.collect()),
            mu: None,
            reference: None,
            ratio: Ratio::Token,
            ids,
        }
    };
    LOG_RATIOS.iter().enumerate().map(one).collect()
}

#[test]
fn the_golden_clip_loss_and_its_gradient_come_through_the_update() {
    let golden: [&[f64]; 4] = [
        &[-0.160_288, -0.131_233, 0.0],
        &[0.071_246, 0.117_466],
        &[-0.017_594],
        &[0.087_021, 0.143_473, 0.0],
    ];
    let mut updater = updater(&llama());
    let samples = golden_samples(&updater);
    let settings = UpdateSettings { micro_batch: 8, ..settings(spec(CLIP, Aggregation::TokenMean, false)) };
    let reports = update(&mut updater, &settings, &samples).unwrap();
    let [report] = reports.as_slice() else { panic!("{} optimizer steps", reports.len()) };
    assert!((report.loss + 0.005_936).abs() < 2e-6, "{}", report.loss);
    assert_eq!((report.num_tokens, report.learning_rate), (17, 1e-3));
    for (&index, sample) in report.samples.iter().zip(&report.reports) {
        assert_eq!(sample.terms.len(), golden[index].len());
        for (term, golden) in sample.terms.iter().zip(golden[index]) {
            let found = term.dloss_dlp / 9.0;
            assert!((found - golden).abs() < 2e-6, "sample {index}: {found}, golden {golden}");
        }
    }
}

#[test]
fn the_same_update_gives_the_same_bytes() {
    let run = || {
        let mut updater = updater(&llama());
        let samples = samples(&updater, &[9, 7, 12, 8, 9], Ratio::Token);
        let settings = UpdateSettings {
            epochs: 2,
            batch: Some(2),
            micro_batch: 20,
            ..settings(spec(CLIP, Aggregation::TokenMean, true))
        };
        let before = weights_hash(&updater.masters.iter().collect::<Vec<_>>());
        let reports = update(&mut updater, &settings, &samples).unwrap();
        assert_eq!((reports.len(), updater.version, updater.adam.step), (6, 6, 6));
        let state = updater.masters.iter().chain(&updater.adam.exp_avg).chain(&updater.adam.exp_avg_sq);
        let after = weights_hash(&state.collect::<Vec<_>>());
        assert_ne!(before, weights_hash(&updater.masters.iter().collect::<Vec<_>>()));
        (after, reports.iter().map(|r| (r.loss.to_bits(), r.grad_norm.to_bits())).collect::<Vec<_>>())
    };
    assert_eq!(run(), run());
}

#[test]
fn likelihood_rises_on_what_is_learned() {
    let mut updater = updater(&llama());
    let mut samples = samples(&updater, &[9, 7, 12, 8], Ratio::None);
    for sample in &mut samples {
        sample.weights.fill(1.0);
    }
    let settings =
        UpdateSettings { epochs: 8, ..settings(spec(Loss::Reinforce, Aggregation::TokenMean, false)) };
    let reports = update(&mut updater, &settings, &samples).unwrap();
    assert!(reports.windows(2).all(|pair| pair[1].loss < pair[0].loss), "{reports:?}");
}

#[test]
fn weights_of_16_bits_follow_masters_of_32() {
    let full = decoder(&llama(), 7);
    let masters: Vec<Tensor> = full.weights.ordered().into_iter().map(Tensor::copy).collect();
    let halved = full.weights.to(&full.config, full.device(), Kind::BFloat16);
    let mut half = Updater::new(Decoder::new(llama(), halved), masters);
    let mut whole = updater(&llama());
    let samples = samples(&whole, &[9, 7, 12, 8], Ratio::Token);
    let settings = settings(spec(CLIP, Aggregation::TokenMean, false));
    let chosen: Vec<&Sample> = samples.iter().collect();
    half.gradient(&settings, &chosen).unwrap();
    whole.gradient(&settings, &chosen).unwrap();
    let (mut product, mut squares) = (0.0, [0.0, 0.0]);
    for (a, b) in half.gradients().iter().zip(whole.gradients()) {
        assert_eq!(a.kind(), Kind::Float);
        product += (a * b).sum(None).double_value(&[]);
        squares[0] += a.square().sum(None).double_value(&[]);
        squares[1] += b.square().sum(None).double_value(&[]);
    }
    let cosine = product / (squares[0] * squares[1]).sqrt();
    assert!(cosine > 0.98, "{cosine}");
    let before: Vec<Tensor> = half.masters.iter().map(Tensor::copy).collect();
    update(&mut half, &settings, &samples).unwrap();
    for ((master, before), weight) in half.masters.iter().zip(&before).zip(half.decoder.weights.ordered()) {
        assert!(!master.equal(before), "a master stays");
        assert!(weight.equal(&master.to_kind(Kind::BFloat16)));
    }
}

#[test]
fn a_step_that_is_not_finite_is_skipped_and_its_problem_named() {
    let mut updater = updater(&llama());
    let mut samples = samples(&updater, &[9, 7, 12, 8], Ratio::Token);
    samples[2].weights.fill(f32::INFINITY);
    let before = weights_hash(&updater.masters.iter().collect::<Vec<_>>());
    let settings = settings(spec(CLIP, Aggregation::TokenMean, false));
    for skipped in 1..=2 {
        let reports = update(&mut updater, &settings, &samples).unwrap();
        assert_eq!(reports[0].skipped, Some(("loss", "problem-2".to_owned())));
        assert_eq!((updater.skipped, updater.version), (skipped, 0));
    }
    let error = update(&mut updater, &settings, &samples).unwrap_err();
    assert!(
        matches!(&error, UpdateError::NonFinite { skipped: 3, problem, .. } if problem == "problem-2"),
        "{error}"
    );
    assert_eq!(before, weights_hash(&updater.masters.iter().collect::<Vec<_>>()));
    // One good step, and the count begins anew.
    samples.remove(2);
    update(&mut updater, &settings, &samples).unwrap();
    assert_eq!((updater.skipped, updater.version), (0, 1));
}

#[test]
fn an_update_is_left_between_optimizer_steps_or_before_a_micro_batch() {
    let hash = |updater: &Updater| weights_hash(&updater.masters.iter().collect::<Vec<_>>());
    let common = UpdateSettings { micro_batch: 1, ..settings(spec(CLIP, Aggregation::TokenMean, false)) };
    let mut updater = updater(&llama());
    let samples = golden_samples(&updater);
    let run = |updater: &mut Updater, batch: usize, go_on: &mut dyn FnMut(Event<'_>) -> bool| {
        let settings = UpdateSettings { batch: Some(batch), ..common.clone() };
        updater.update(&settings, &samples, None, (1, 1), &mut |event| go_on(event))
    };
    let before = hash(&updater);
    // One optimizer step of four micro-batches, left before the third: nothing is changed.
    let mut left = 2;
    let error = run(&mut updater, 4, &mut |_| {
        left -= 1;
        left >= 0
    });
    assert!(matches!(error, Err(UpdateError::Interrupted)), "{error:?}");
    assert_eq!((hash(&updater), updater.version), (before.clone(), 0));
    // Four optimizer steps, left after the first.
    let error = run(&mut updater, 1, &mut |event| !matches!(event, Event::Step(_)));
    assert!(matches!(error, Err(UpdateError::Interrupted)), "{error:?}");
    assert_eq!(updater.version, 1);
    assert_ne!(hash(&updater), before);
    // After the last there is nothing to leave.
    let reports = run(&mut updater, 4, &mut |event| !matches!(event, Event::Step(_))).unwrap();
    assert_eq!((reports.len(), updater.version), (1, 2));
}
