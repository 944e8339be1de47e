//! The golden numbers: one fixture, every formula, each value reached twice: through the functions that training calls,
//! and through loops written another way here. The values were computed independently of this crate, in float64.

use super::*;
use crate::recipe::{Aggregation, KlEstimator};
use crate::rollout::{Ratio, Sample};

pub(crate) const REWARDS: [f64; 4] = [1.0, 0.0, 0.5, 0.0];
const LENGTHS: [usize; 4] = [3, 2, 1, 3];
const MAX_NEW_TOKENS: usize = 8;
pub(crate) const LP: [&[f64]; 4] =
    [&[-0.10, -0.50, -1.20], &[-0.70, -0.30], &[-2.00], &[-0.05, -0.90, -0.40]];
const OLD: [&[f64]; 4] = [&[-0.20, -0.40, -1.60], &[-0.50, -0.60], &[-1.50], &[-0.05, -1.40, -0.10]];
const REFERENCE: [&[f64]; 4] = [&[-0.15, -0.55, -1.00], &[-0.65, -0.35], &[-1.80], &[-0.10, -0.80, -0.45]];
const MU: [&[f64]; 4] = [&[-0.22, -0.38, -1.55], &[-0.52, -0.58], &[-1.45], &[-0.06, -1.35, -0.12]];
pub(crate) const CLIP: Loss = Loss::Clip { low: 0.2, high: 0.28, dual: None };
const K3: Option<KlTerm> = Some(KlTerm { estimator: KlEstimator::K3, coef: 0.04 });

/// Half a unit of the sixth decimal, to which the golden values are rounded.
const ROUNDED: f64 = 5.1e-7;

pub(crate) fn spec(loss: Loss, aggregation: Aggregation) -> LossSpec {
    LossSpec { loss, aggregation, kl: None, correction: None, max_new_tokens: MAX_NEW_TOKENS }
}

/// The responses as samples, after two prompt tokens and with one environment token before the last.
pub(crate) fn samples(advantages: &[f64], ratio: Ratio) -> Vec<Sample> {
    let build = |i: usize| {
        let spread = |values: &[f64]| -> Vec<f32> {
            let mut all = vec![0.0, 0.0];
            all.extend(values.iter().map(|&value| value as f32));
            all.insert(all.len() - 1, 0.0);
            all
        };
        let learned: Vec<bool> = spread(&vec![1.0; LENGTHS[i]]).into_iter().map(|mark| mark == 1.0).collect();
        Sample {
            problem: "golden".into(),
            ids: (0..learned.len() as u32).collect(),
            learned,
            weights: spread(&vec![advantages[i]; LENGTHS[i]]),
            old: Some(spread(OLD[i])),
            mu: Some(spread(MU[i])),
            reference: Some(spread(REFERENCE[i])),
            ratio,
        }
    };
    (0..4).map(build).collect()
}

/// The loss and its gradient as training computes them, from the fixture in `f64`.
pub(crate) fn trained(spec: &LossSpec, ratio: Ratio, advantages: &[f64]) -> (f64, Vec<Vec<f64>>) {
    let samples = samples(advantages, ratio);
    let divisors = Divisors::new(spec, &samples);
    let mut loss = 0.0;
    let mut gradient = Vec::new();
    for (i, sample) in samples.iter().enumerate() {
        let sequence = Sequence {
            problem: "golden",
            ratio,
            advantages: &vec![advantages[i]; LENGTHS[i]],
            old: Some(OLD[i]),
            mu: Some(MU[i]),
            reference: Some(REFERENCE[i]),
        };
        let learned = Learned::from_sequence(spec, &sequence).unwrap();
        let terms = sequence_terms(spec, &learned, LP[i]).unwrap();
        let factor = divisors.weight_of(sample);
        loss += factor * terms.iter().map(|term| term.loss).sum::<f64>();
        gradient.push(terms.iter().map(|term| factor * term.dloss_dlp).collect());
        // The sample holds the same numbers as f32: the way in that the update takes.
        let from_sample = sequence_terms(spec, &Learned::new(spec, sample).unwrap(), LP[i]).unwrap();
        for (term, from_sample) in terms.iter().zip(&from_sample) {
            assert!(
                (term.loss - from_sample.loss).abs() < 2e-6 && term.clipped_high == from_sample.clipped_high
            );
            assert!((term.dloss_dlp - from_sample.dloss_dlp).abs() < 2e-6);
        }
    }
    (loss, gradient)
}

/// Checks a loss against its golden value and against token losses computed another way, `token(response, token)`.
fn check(
    (spec, ratio, advantages): (&LossSpec, Ratio, &[f64]),
    golden: f64,
    token: impl Fn(usize, usize) -> f64,
) -> Vec<Vec<f64>> {
    let (loss, gradient) = trained(spec, ratio, advantages);
    let again = aggregated(spec.aggregation, token);
    assert!((loss - again).abs() < 1e-12, "{loss} by the update's way, {again} by the other: {spec:?}");
    assert_close(&[loss], &[golden], ROUNDED);
    gradient
}

/// The aggregations from their definitions, sequence after sequence.
fn aggregated(aggregation: Aggregation, token: impl Fn(usize, usize) -> f64) -> f64 {
    let sums: Vec<f64> = (0..4).map(|i| (0..LENGTHS[i]).map(|t| token(i, t)).sum()).collect();
    match aggregation {
        Aggregation::TokenMean => sums.iter().sum::<f64>() / 9.0,
        Aggregation::SequenceMean => (sums[0] / 3.0 + sums[1] / 2.0 + sums[2] + sums[3] / 3.0) / 4.0,
        Aggregation::Constant => sums.iter().sum::<f64>() / 32.0,
        Aggregation::SequenceSum => sums.iter().sum::<f64>() / 4.0,
    }
}

/// The clipped surrogate by cases, without a `min` over two products.
fn clipped_by_cases(r: f64, a: f64, low: f64, high: f64) -> f64 {
    if a > 0.0 && r > 1.0 + high {
        -(1.0 + high) * a
    } else if a < 0.0 && r < 1.0 - low {
        -(1.0 - low) * a
    } else {
        -r * a
    }
}

/// The probability ratio as a quotient of probabilities.
fn r(i: usize, t: usize) -> f64 {
    LP[i][t].exp() / OLD[i][t].exp()
}

pub(super) fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "found {found}, expected {expected}");
    }
}

fn grpo_advantages() -> Vec<f64> {
    grpo(&REWARDS, 1e-4).unwrap()
}

#[test]
fn mean_and_standard_deviation() {
    assert_close(&[mean(&REWARDS), sample_std(&REWARDS)], &[0.375, 0.478_713_554], 5.1e-10);
    // Var = (ΣR² − (ΣR)²/G) / (G − 1).
    assert_close(&[sample_std(&REWARDS)], &[((1.25 - 1.5 * 1.5 / 4.0) / 3.0_f64).sqrt()], 1e-15);
}

#[test]
fn group_advantages() {
    let std = ((1.25 - 1.5 * 1.5 / 4.0) / 3.0_f64).sqrt();
    assert_close(&grpo_advantages(), &[1.305_310, -0.783_186, 0.261_062, -0.783_186], ROUNDED);
    for (eps, first) in [(1e-4, 1.305_310), (1e-6, 1.305_580), (1e-9, 1.305_582)] {
        let advantages = grpo(&REWARDS, eps).unwrap();
        assert_close(&advantages[..1], &[first], ROUNDED);
        assert_close(&advantages, &REWARDS.map(|reward| (reward - 0.375) / (std + eps)), 1e-12);
    }
    assert_close(&dr_grpo(&REWARDS).unwrap(), &[0.625, -0.375, 0.125, -0.375], 1e-15);
    assert_close(&leave_one_out(&REWARDS).unwrap(), &[0.833_333, -0.5, 0.166_667, -0.5], ROUNDED);
    let others = [0.5 / 3.0, 1.5 / 3.0, 1.0 / 3.0, 1.5 / 3.0];
    let expected: Vec<f64> = REWARDS.iter().zip(others).map(|(reward, others)| reward - others).collect();
    assert_close(&leave_one_out(&REWARDS).unwrap(), &expected, 1e-15);
    assert_close(&max_rl(&REWARDS).unwrap(), &[1.666_667, -1.0, 0.333_333, -1.0], ROUNDED);
    assert_close(&max_rl(&REWARDS).unwrap(), &REWARDS.map(|reward| reward / 0.375 - 1.0), 1e-14);
    assert_eq!(max_rl(&[0.0; 4]).unwrap(), [0.0; 4]);
    assert_close(&[opo_baseline(&REWARDS, &LENGTHS).unwrap()], &[0.388_889], ROUNDED);
    // (3·1 + 2·0 + 1·½ + 3·0) / 9.
    assert_close(&opo(&REWARDS, &LENGTHS).unwrap(), &REWARDS.map(|reward| reward - 3.5 / 9.0), 1e-15);
}

#[test]
fn a_group_of_one_has_no_baseline() {
    let one = [1.0];
    let refused = Err(BaselineError::TooFew(1));
    assert_eq!(grpo(&one, 1e-4), refused);
    assert_eq!(dr_grpo(&one), refused);
    assert_eq!(leave_one_out(&one), refused);
    assert_eq!(max_rl(&one), refused);
    assert_eq!(opo(&one, &[3]), refused);
    assert_eq!(reinforce_plus_plus_baseline(&[vec![(1.0, 3)]], Variance::Bessel), refused);
    assert_eq!(opo(&[1.0, 0.0], &[3]), Err(BaselineError::Lengths { rewards: 2, lengths: 1 }));
    assert_eq!(opo(&[1.0, 0.0], &[0, 0]), Err(BaselineError::Lengths { rewards: 2, lengths: 2 }));
}

#[test]
fn whitened_advantages() {
    let group: Vec<(f64, usize)> = REWARDS.into_iter().zip(LENGTHS).collect();
    // Weighted sums over the four values instead of sums over nine tokens.
    let centered = REWARDS.map(|reward| reward - 0.375);
    let weighted = |f: &dyn Fn(f64) -> f64| -> f64 {
        centered.iter().zip(LENGTHS).map(|(&value, length)| length as f64 * f(value)).sum()
    };
    let center = weighted(&|value| value) / 9.0;
    let squares = weighted(&|value| value * value) - 9.0 * center * center;
    for (variance, golden, scale) in [
        (Variance::Bessel, [1.257_656, -0.800_327, 0.228_665, -0.800_327], (squares / 8.0 + 1e-8).sqrt()),
        (Variance::Population, [1.333_946, -0.848_875, 0.242_536, -0.848_875], (squares / 9.0).sqrt()),
    ] {
        let found = reinforce_plus_plus_baseline(std::slice::from_ref(&group), variance).unwrap();
        assert_close(&found, &golden, ROUNDED);
        assert_close(&found, &centered.map(|value| (value - center) / scale), 1e-12);
    }
}

#[test]
fn kl_estimators() {
    let goldens = [(KlEstimator::K1, -0.033_333), (KlEstimator::K2, 0.005_833), (KlEstimator::K3, 0.006_155)];
    for (estimator, golden) in goldens {
        let only_kl = LossSpec {
            kl: Some(KlTerm { estimator, coef: 1.0 }),
            ..spec(Loss::Reinforce, Aggregation::TokenMean)
        };
        // With A = 0 the KL is all there is to the loss.
        check((&only_kl, Ratio::None, &[0.0; 4]), golden, |i, t| {
            let (p, q) = (LP[i][t].exp(), REFERENCE[i][t].exp());
            match estimator {
                KlEstimator::K1 => (p / q).ln(),
                KlEstimator::K2 => (p / q).ln().powi(2) / 2.0,
                KlEstimator::K3 => q / p - 1.0 - (q / p).ln(),
            }
        });
    }
}

#[test]
fn clip_loss_under_every_aggregation() {
    let a = grpo_advantages();
    for (aggregation, golden, with_kl) in [
        (Aggregation::SequenceMean, 0.039_925, Some(0.040_256)),
        (Aggregation::TokenMean, -0.005_936, Some(-0.005_690)),
        (Aggregation::Constant, -0.001_669, Some(-0.001_600)),
        (Aggregation::SequenceSum, -0.013_356, None),
    ] {
        let plain = spec(CLIP, aggregation);
        let token = |i: usize, t: usize| clipped_by_cases(r(i, t), a[i], 0.2, 0.28);
        check((&plain, Ratio::Token, &a), golden, token);
        if let Some(with_kl) = with_kl {
            check((&LossSpec { kl: K3, ..plain }, Ratio::Token, &a), with_kl, |i, t| {
                let odds = REFERENCE[i][t].exp() / LP[i][t].exp();
                token(i, t) + 0.04 * (odds - odds.ln() - 1.0)
            });
        }
    }
    let a = dr_grpo(&REWARDS).unwrap();
    check((&spec(CLIP, Aggregation::Constant), Ratio::Token, &a), -0.000_799, |i, t| {
        clipped_by_cases(r(i, t), a[i], 0.2, 0.28)
    });
}

#[test]
fn gradient_of_the_clip_loss() {
    let golden: [&[f64]; 4] = [
        &[-0.160_288, -0.131_233, 0.0],
        &[0.071_246, 0.117_466],
        &[-0.017_594],
        &[0.087_021, 0.143_473, 0.0],
    ];
    let a = grpo_advantages();
    let (_, gradient) = trained(&spec(CLIP, Aggregation::TokenMean), Ratio::Token, &a);
    for i in 0..4 {
        assert_close(&gradient[i], golden[i], ROUNDED);
        for (t, &found) in gradient[i].iter().enumerate() {
            let binds = if a[i] > 0.0 { r(i, t) > 1.28 } else { r(i, t) < 0.8 };
            assert_close(&[found], &[if binds { 0.0 } else { -r(i, t) * a[i] / 9.0 }], 1e-12);
        }
    }
}

#[test]
fn dual_clip() {
    let a = grpo_advantages();
    let dual = spec(Loss::Clip { low: 0.2, high: 0.28, dual: Some(1.5) }, Aggregation::TokenMean);
    check((&dual, Ratio::Token, &a), -0.018_878, |i, t| {
        let bounded = if a[i] < 0.0 { r(i, t).min(1.5) } else { r(i, t) };
        clipped_by_cases(bounded, a[i], 0.2, 0.28)
    });
}

#[test]
fn gspo() {
    let a = grpo_advantages();
    let geometric: Vec<f64> = (0..4)
        .map(|i| (0..LENGTHS[i]).map(|t| r(i, t)).product::<f64>().powf(1.0 / LENGTHS[i] as f64))
        .collect();
    assert_close(&geometric, &[1.142_631, 1.051_271, 0.606_531, 1.068_939], ROUNDED);
    for (low, high, golden) in [(0.2, 0.28, 0.002_672), (0.1, 0.1, 0.016_584)] {
        let gspo = spec(Loss::Clip { low, high, dual: None }, Aggregation::SequenceMean);
        check((&gspo, Ratio::SequenceMean, &a), golden, |i, _| {
            clipped_by_cases(geometric[i], a[i], low, high)
        });
    }
}

#[test]
fn cispo_under_both_bounds() {
    let a = grpo_advantages();
    for (bound, golden, weight) in [
        (CispoBound::Cap(5.0), 0.132_096, &(|r: f64| r) as &dyn Fn(f64) -> f64),
        (CispoBound::Band { low: 0.2, high: 0.28 }, 0.135_095, &|r| if r < 0.8 { 0.8 } else { r.min(1.28) }),
        (CispoBound::Cap(1.2), 0.120_362, &|r| if r > 1.2 { 1.2 } else { r }),
    ] {
        let cispo = spec(Loss::Cispo(bound), Aggregation::TokenMean);
        let gradient = check((&cispo, Ratio::Token, &a), golden, |i, t| -weight(r(i, t)) * a[i] * LP[i][t]);
        for (i, row) in gradient.iter().enumerate() {
            let expected: Vec<f64> = (0..LENGTHS[i]).map(|t| -weight(r(i, t)) * a[i] / 9.0).collect();
            assert_close(row, &expected, 1e-12);
        }
    }
}

#[test]
fn sampler_corrections() {
    let a = grpo_advantages();
    for (cap, golden) in [(2.0, -0.002_266), (1.01, -0.002_073)] {
        let correction = Some(Correction { level: Level::Token, bound: Bound::Truncate { cap } });
        let corrected = LossSpec { correction, ..spec(CLIP, Aggregation::TokenMean) };
        check((&corrected, Ratio::Token, &a), golden, |i, t| {
            let weight = OLD[i][t].exp() / MU[i][t].exp();
            clipped_by_cases(r(i, t), a[i], 0.2, 0.28) * if weight > cap { cap } else { weight }
        });
    }
}

#[test]
fn corrections_per_token_and_per_sequence() {
    let (old, mu) = ([-1.0, -2.0, -3.0], [-1.5, -1.5, -3.2]); // Gaps .5, −.5, .2.
    let weights = |level, bound| Correction { level, bound }.weights(&old, &mu);
    let band = Bound::Mask { low: 0.7, high: 1.5 };
    assert_close(&weights(Level::Token, Bound::Truncate { cap: 1.3 }), &[1.3, 0.606_531, 1.221_403], ROUNDED);
    assert_close(&weights(Level::Token, band), &[0.0, 0.0, 1.221_403], ROUNDED);
    assert_close(&weights(Level::Sequence, Bound::Truncate { cap: 1.3 }), &[1.221_403; 3], ROUNDED);
    assert_close(&weights(Level::Sequence, Bound::Truncate { cap: 1.1 }), &[1.1; 3], 0.0);
    assert_close(&weights(Level::Sequence, band), &[1.221_403; 3], ROUNDED);
    assert_close(&weights(Level::Sequence, Bound::Mask { low: 0.9, high: 1.2 }), &[0.0; 3], 0.0);
}

#[test]
fn rloo_with_one_ratio_a_sequence() {
    let a = leave_one_out(&REWARDS).unwrap();
    let rloo = spec(Loss::Clip { low: 0.2, high: 0.2, dual: None }, Aggregation::SequenceSum);
    let gradient = check((&rloo, Ratio::SequenceSum, &a), 0.015_550, |i, _| {
        let product: f64 = (0..LENGTHS[i]).map(|t| r(i, t)).product();
        clipped_by_cases(product, a[i], 0.2, 0.2) / LENGTHS[i] as f64
    });
    // The ratios are 1.49, 1.11, .61 and 1.22: the first is clipped; for a negative A only a small ratio would be.
    assert_eq!(gradient[0], [0.0; 3]);
    assert_close(&gradient[3], &[0.5 * 0.2_f64.exp() / 4.0; 3], 1e-12);
}

#[test]
fn reinforce_and_star() {
    let a = dr_grpo(&REWARDS).unwrap();
    for (aggregation, golden) in [(Aggregation::TokenMean, 0.054_861), (Aggregation::SequenceSum, 0.123_437)]
    {
        check((&spec(Loss::Reinforce, aggregation), Ratio::None, &a), golden, |i, t| -a[i] * LP[i][t]);
    }
    // STaR learns the one right response with weight 1, and has nothing else in its step.
    let star = spec(Loss::Reinforce, Aggregation::TokenMean);
    let sample = samples(&[1.0; 4], Ratio::None).remove(0);
    let divisors = Divisors::new(&star, [&sample]);
    let terms = sequence_terms(&star, &Learned::new(&star, &sample).unwrap(), LP[0]).unwrap();
    let loss: f64 = terms.iter().map(|term| term.loss * divisors.weight_of(&sample)).sum();
    assert_close(&[loss], &[0.6], 1e-12);
    assert_close(&[loss], &[(0.1 + 0.5 + 1.2) / 3.0], 1e-12);
}

#[test]
fn generalised_advantages() {
    let (rewards, values) = ([0.0, 0.0, 1.0], [0.2, 0.5, 0.4]);
    for (gamma, golden) in [(1.0, [0.7465, 0.47, 0.6]), (0.99, [0.727_912, 0.4603, 0.6])] {
        let found = gae(&rewards, &values, &[true; 3], gamma, 0.95);
        assert_close(&found.advantages, &golden, ROUNDED);
        // A_t = Σ_k (γλ)^k δ_{t+k}, summed forward.
        let delta = |t: usize| rewards[t] + gamma * values.get(t + 1).unwrap_or(&0.0) - values[t];
        let sum = |t: usize| (t..3).map(|u| (gamma * 0.95_f64).powi((u - t) as i32) * delta(u)).sum::<f64>();
        assert_close(&found.advantages, &[sum(0), sum(1), sum(2)], 1e-12);
        assert_close(&found.returns, &[sum(0) + 0.2, sum(1) + 0.5, sum(2) + 0.4], 1e-12);
    }
}

#[test]
fn the_environments_tokens_are_stepped_over() {
    let sampled = [true, false, false, true, true, false];
    let found = gae(&[0.0, 9.0, 9.0, 0.0, 1.0, 9.0], &[0.2, 9.0, 9.0, 0.5, 0.4, 9.0], &sampled, 0.99, 0.95);
    assert_close(&found.advantages, &[0.727_912, 0.0, 0.0, 0.4603, 0.6, 0.0], ROUNDED);
    assert_close(&found.returns, &[0.927_912, 0.0, 0.0, 0.9603, 1.0, 0.0], ROUNDED);
    let returns = token_returns(&[0.1, 9.0, 9.0, 0.0, 1.0, 9.0], &sampled, 0.5);
    assert_close(&returns, &[0.1 + 0.25, 0.0, 0.0, 0.5, 1.0, 0.0], 1e-15);
}

#[test]
fn pass_at_k_by_enumeration() {
    assert_close(&[pass_at_k(10, 3, 1).unwrap(), pass_at_k(10, 3, 5).unwrap()], &[0.3, 0.916_667], ROUNDED);
    for (n, right) in [(6_u32, 0_u32), (6, 1), (6, 4), (6, 6), (1, 1), (9, 2)] {
        for k in 1..=n {
            // Every choice of k of the n responses, as bit sets; the right ones are the low bits.
            let choices = (0..1_u32 << n).filter(|set| set.count_ones() == k);
            let (hits, all) = choices
                .fold((0, 0), |(hits, all), set| (hits + u32::from(set & ((1 << right) - 1) != 0), all + 1));
            let found = pass_at_k(n.into(), right.into(), k.into()).unwrap();
            assert_close(&[found], &[f64::from(hits) / f64::from(all)], 1e-12);
        }
    }
    assert_eq!([pass_at_k(4, 1, 0), pass_at_k(4, 1, 5), pass_at_k(4, 5, 1)], [None; 3]);
}

#[test]
fn kl_in_the_reward() {
    // Σ(old − ref) of the first response: −.05 + .15 − .60 = −.50.
    assert_close(&[penalized_reward(1.0, 0.1, OLD[0], REFERENCE[0])], &[1.05], 1e-15);
}
