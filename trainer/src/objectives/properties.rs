//! What must hold for any numbers: the order of responses and the layout of a batch change nothing, and each formula
//! keeps the identities that it is built on. Also what the objective refuses.

use proptest::prelude::*;

use super::golden::{CLIP, assert_close, spec};
use super::*;
use crate::recipe::{Aggregation, KlEstimator};
use crate::rollout::{Ratio, Sample};

const AGGREGATIONS: [Aggregation; 4] =
    [Aggregation::TokenMean, Aggregation::SequenceMean, Aggregation::Constant, Aggregation::SequenceSum];
const RATIOS: [Ratio; 3] = [Ratio::Token, Ratio::SequenceMean, Ratio::SequenceSum];

/// A sample with its learned tokens' log-probabilities.
fn arb_sample() -> impl Strategy<Value = (Sample, Vec<f64>)> {
    let token = (-4.0..0.0_f64, -0.4..0.4_f32, -0.4..0.4_f32, any::<bool>());
    (prop::collection::vec(token, 1..6), -2.0..2.0_f32).prop_map(|(tokens, weight)| {
        let mut sample = Sample {
            problem: "p".into(),
            ids: vec![7],
            learned: vec![false],
            weights: vec![0.0],
            old: Some(vec![0.0]),
            mu: None,
            reference: Some(vec![0.0]),
            ratio: Ratio::Token,
        };
        let mut lp = Vec::new();
        for (value, old_gap, reference_gap, learned) in tokens {
            sample.ids.push(8);
            sample.learned.push(learned);
            sample.weights.push(if learned { weight } else { 0.0 });
            sample.old.as_mut().unwrap().push(if learned { value as f32 + old_gap } else { 0.0 });
            sample.reference.as_mut().unwrap().push(if learned { value as f32 + reference_gap } else { 0.0 });
            if learned {
                lp.push(value);
            }
        }
        (sample, lp)
    })
}

/// The loss of the micro-batches with the given divisors, and each sample's gradient.
fn accumulate(spec: &LossSpec, divisors: &Divisors, batch: &[(Sample, Vec<f64>)]) -> (f64, Vec<Vec<f64>>) {
    let mut loss = 0.0;
    let mut gradients = Vec::new();
    for (sample, lp) in batch {
        let factor = divisors.weight_of(sample);
        let terms = sequence_terms(spec, &Learned::new(spec, sample).unwrap(), lp).unwrap();
        loss += factor * terms.iter().map(|term| term.loss).sum::<f64>();
        gradients.push(terms.iter().map(|term| factor * term.dloss_dlp).collect());
    }
    (loss, gradients)
}

proptest! {
    #[test]
    fn layout_changes_no_loss_and_no_gradient(
        mut batch in prop::collection::vec(arb_sample(), 1..8), cut in 0..8_usize,
    ) {
        let kl = Some(KlTerm { estimator: KlEstimator::K3, coef: 0.1 });
        for (aggregation, ratio) in AGGREGATIONS.into_iter().flat_map(|a| RATIOS.map(|r| (a, r))) {
            batch.iter_mut().for_each(|(sample, _)| sample.ratio = ratio);
            let spec = LossSpec { kl, ..spec(CLIP, aggregation) };
            let divisors = Divisors::new(&spec, batch.iter().map(|(sample, _)| sample));
            let (whole, gradients) = accumulate(&spec, &divisors, &batch);
            // Cut into two micro-batches, in the other order, and with the counts of two processes added up.
            let (front, back) = batch.split_at(cut.min(batch.len()));
            let halves = [back, front].map(|part| Divisors::new(&spec, part.iter().map(|(sample, _)| sample)));
            let summed = Divisors {
                num_tokens: halves[0].num_tokens + halves[1].num_tokens,
                num_responses: halves[0].num_responses + halves[1].num_responses,
                ..halves[0]
            };
            prop_assert_eq!(summed, divisors);
            let (late, mut late_gradients) = accumulate(&spec, &summed, back);
            let (early, mut early_gradients) = accumulate(&spec, &summed, front);
            early_gradients.append(&mut late_gradients);
            prop_assert!((whole - late - early).abs() <= 1e-12 * (1.0 + whole.abs()));
            prop_assert_eq!(&gradients, &early_gradients);
            // Padding behind a sample is not learned, and so is not there.
            let mut padded = batch.clone();
            for (sample, _) in &mut padded {
                sample.ids.push(0);
                sample.learned.push(false);
                sample.weights.push(5.0);
                sample.old.as_mut().unwrap().push(-9.0);
                sample.reference.as_mut().unwrap().push(-9.0);
            }
            let divisors = Divisors::new(&spec, padded.iter().map(|(sample, _)| sample));
            prop_assert_eq!(accumulate(&spec, &divisors, &padded), (whole, gradients));
        }
    }

    #[test]
    fn separable_terms_are_the_sequences_terms((sample, lp) in arb_sample()) {
        for loss in [Loss::Reinforce, CLIP, Loss::Cispo(CispoBound::Cap(1.2))] {
            let spec = spec(loss, Aggregation::TokenMean);
            prop_assert!(is_separable(&spec, sample.ratio));
            let learned = Learned::new(&spec, &sample).unwrap();
            let alone: Vec<Term> =
                learned.tokens().iter().zip(&lp).map(|(token, &lp)| token_term(&spec, token, lp)).collect();
            prop_assert_eq!(sequence_terms(&spec, &learned, &lp).unwrap(), alone);
        }
    }

    #[test]
    fn advantages_follow_their_responses(
        rewards in prop::collection::vec(prop::sample::select(vec![0.0, 0.25, 0.5, 1.0]), 2..9), shift in 0..9_usize,
    ) {
        let lengths: Vec<usize> = (1..=rewards.len()).collect();
        let shift = shift % rewards.len();
        let turned = |values: &[f64]| { let mut values = values.to_vec(); values.rotate_left(shift); values };
        let mut turned_lengths = lengths.clone();
        turned_lengths.rotate_left(shift);
        let other = turned(&rewards);
        let close = |found: Vec<f64>, expected: Vec<f64>| assert_close(&found, &turned(&expected), 1e-9);
        close(grpo(&other, 1e-4).unwrap(), grpo(&rewards, 1e-4).unwrap());
        close(dr_grpo(&other).unwrap(), dr_grpo(&rewards).unwrap());
        close(leave_one_out(&other).unwrap(), leave_one_out(&rewards).unwrap());
        close(max_rl(&other).unwrap(), max_rl(&rewards).unwrap());
        close(opo(&other, &turned_lengths).unwrap(), opo(&rewards, &lengths).unwrap());
        let whitened = |rewards: &[f64], lengths: &[usize]| {
            let group = rewards.iter().copied().zip(lengths.iter().copied()).collect();
            reinforce_plus_plus_baseline(&[group], Variance::Bessel).unwrap()
        };
        close(whitened(&other, &turned_lengths), whitened(&rewards, &lengths));
    }

    #[test]
    fn group_means_are_taken_away(rewards in prop::collection::vec(0.0..1.0_f64, 2..9)) {
        for advantages in [dr_grpo(&rewards), leave_one_out(&rewards), grpo(&rewards, 1e-6), max_rl(&rewards)] {
            prop_assert!(advantages.unwrap().iter().sum::<f64>().abs() < 1e-9);
        }
        let loo = leave_one_out(&rewards).unwrap();
        for (i, advantage) in loo.iter().enumerate() {
            let others: Vec<f64> = rewards.iter().enumerate().filter(|&(j, _)| j != i).map(|(_, &r)| r).collect();
            prop_assert!((rewards[i] - mean(&others) - advantage).abs() < 1e-12);
        }
    }

    #[test]
    fn a_group_without_spread_has_no_advantage(reward in 0.0..1.0_f64, size in 2..20_usize) {
        let rewards = vec![reward; size];
        let zeros = vec![0.0; size];
        prop_assert!(!has_spread(&rewards));
        prop_assert_eq!(grpo(&rewards, 0.0).unwrap(), zeros.clone());
        prop_assert_eq!(dr_grpo(&rewards).unwrap(), zeros.clone());
        prop_assert_eq!(leave_one_out(&rewards).unwrap(), zeros.clone());
        prop_assert_eq!(opo(&rewards, &vec![3; size]).unwrap(), zeros.clone());
        prop_assert_eq!(max_rl(&rewards).unwrap(), zeros);
    }

    #[test]
    fn whitened_values_have_mean_zero_and_variance_one(values in prop::collection::vec(-3.0..3.0_f64, 3..40)) {
        prop_assume!(sample_std(&values) > 0.1);
        let bessel = whiten(&values, Variance::Bessel);
        prop_assert!(mean(&bessel).abs() < 1e-9 && (sample_std(&bessel) - 1.0).abs() < 1e-5);
        let population = whiten(&values, Variance::Population);
        let squares: Vec<f64> = population.iter().map(|value| value * value).collect();
        prop_assert!(mean(&population).abs() < 1e-9 && (mean(&squares) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn gae_has_its_two_limits(values in prop::collection::vec(-1.0..1.0_f64, 1..9), gamma in 0.5..1.0_f64) {
        let rewards: Vec<f64> = values.iter().map(|value| value.abs()).collect();
        let sampled = vec![true; values.len()];
        // λ = 1 is the return less the value; λ = 0 the one-step error.
        let returns = token_returns(&rewards, &sampled, gamma);
        assert_close(&gae(&rewards, &values, &sampled, gamma, 1.0).returns, &returns, 1e-9);
        let errors: Vec<f64> = (0..values.len())
            .map(|t| rewards[t] + gamma * values.get(t + 1).unwrap_or(&0.0) - values[t])
            .collect();
        assert_close(&gae(&rewards, &values, &sampled, gamma, 0.0).advantages, &errors, 1e-12);
    }

    #[test]
    fn k2_and_k3_are_never_negative(x in -5.0..5.0_f64) {
        prop_assert!(estimate(KlEstimator::K2, x) >= 0.0 && estimate(KlEstimator::K3, x) >= 0.0);
        prop_assert!((estimate(KlEstimator::K3, x) - ((-x).exp() + x - 1.0)).abs() < 1e-12);
    }
}

#[test]
fn a_weight_of_zero_still_counts() {
    let mut silent = plain_sample();
    silent.weights = vec![0.0; 3];
    let kl = Some(KlTerm { estimator: KlEstimator::K1, coef: 1.0 });
    let spec = LossSpec { kl, ..spec(CLIP, Aggregation::TokenMean) };
    let divisors = Divisors::new(&spec, [&silent, &plain_sample()]);
    assert_eq!((divisors.num_tokens, divisors.num_responses), (4, 2));
    let terms = sequence_terms(&spec, &Learned::new(&spec, &silent).unwrap(), &[-1.0, -1.0]).unwrap();
    assert_eq!(terms[0].dloss_dlp, 1.0, "KL acts where A is 0");
}

#[test]
fn a_sample_without_learned_tokens_is_in_no_mean() {
    let mut empty = plain_sample();
    empty.learned = vec![false; 3];
    for aggregation in AGGREGATIONS {
        let spec = spec(CLIP, aggregation);
        let divisors = Divisors::new(&spec, [&empty, &plain_sample()]);
        assert_eq!(divisors, Divisors::new(&spec, [&plain_sample()]));
        assert_eq!(divisors.weight_of(&empty), 0.0);
        assert!(sequence_terms(&spec, &Learned::new(&spec, &empty).unwrap(), &[]).unwrap().is_empty());
    }
}

#[test]
fn what_the_objective_lacks_is_named() {
    let kl = Some(KlTerm { estimator: KlEstimator::K3, coef: 0.1 });
    let correction = Some(Correction { level: Level::Token, bound: Bound::Truncate { cap: 2.0 } });
    let clip = spec(CLIP, Aggregation::TokenMean);
    let error = |spec: &LossSpec, change: &dyn Fn(&mut Sample)| {
        let mut sample = plain_sample();
        change(&mut sample);
        Learned::new(spec, &sample).unwrap_err().to_string()
    };
    assert!(error(&clip, &|s| s.ratio = Ratio::None).contains("update.loss"));
    assert!(error(&clip, &|s| s.old = None).contains("old"));
    assert!(error(&clip, &|s| s.old = Some(vec![0.0])).contains("expected 3"));
    assert!(error(&clip, &|s| s.weights.push(0.0)).contains("has 4 weights"));
    assert!(error(&clip, &|s| s.learned[0] = true).contains("first token"));
    assert!(error(&LossSpec { kl, ..clip.clone() }, &|s| s.reference = None).contains("reference"));
    assert!(error(&LossSpec { correction, ..clip.clone() }, &|s| s.mu = None).contains("sampler's"));
    let learned = Learned::new(&clip, &plain_sample()).unwrap();
    assert!(sequence_terms(&clip, &learned, &[-1.0]).unwrap_err().to_string().contains("expected 2"));
}

/// A prompt token and two learned ones.
fn plain_sample() -> Sample {
    Sample {
        problem: "p".into(),
        ids: vec![1, 2, 3],
        learned: vec![false, true, true],
        weights: vec![0.0, 1.0, 1.0],
        old: Some(vec![0.0, -1.0, -1.0]),
        mu: Some(vec![0.0, -1.0, -1.0]),
        reference: Some(vec![0.0, -1.0, -1.0]),
        ratio: Ratio::Token,
    }
}
