//! Every loss's derivative against central finite differences of the loss itself, and CISPO's against those of its
//! surrogate with the ratio frozen: without the stop-gradient the value is the same and the gradient is not.

use super::golden::{CLIP, assert_close, spec};
use super::*;
use crate::recipe::{Aggregation, KlEstimator};
use crate::rollout::Ratio;

const LP: [f64; 4] = [-0.31, -1.42, -0.07, -2.2];
const MU: [f64; 4] = [-0.55, -1.30, -0.11, -2.0];
const REFERENCE: [f64; 4] = [-0.20, -1.90, -0.30, -2.1];
/// Far enough from `LP` that every clip below binds somewhere, near enough that it does not bind everywhere.
const OLDS: [[f64; 4]; 3] =
    [[-0.52, -1.35, -0.09, -1.7], [-0.40, -1.52, -0.12, -2.15], [-0.35, -1.30, -0.05, -2.05]];
const DUAL: Loss = Loss::Clip { low: 0.2, high: 0.2, dual: Some(1.22) };
const RATIOS: [Ratio; 3] = [Ratio::Token, Ratio::SequenceMean, Ratio::SequenceSum];

fn learned(spec: &LossSpec, ratio: Ratio, advantages: &[f64], old: &[f64]) -> Learned {
    let sequence = Sequence {
        problem: "p",
        ratio,
        advantages,
        old: Some(old),
        mu: Some(&MU),
        reference: Some(&REFERENCE),
    };
    Learned::from_sequence(spec, &sequence).unwrap()
}

fn analytic(spec: &LossSpec, learned: &Learned) -> Vec<f64> {
    sequence_terms(spec, learned, &LP).unwrap().iter().map(|term| term.dloss_dlp).collect()
}

fn numeric(spec: &LossSpec, learned: &Learned) -> Vec<f64> {
    let step = 1e-6;
    let loss =
        |lp: &[f64]| -> f64 { sequence_terms(spec, learned, lp).unwrap().iter().map(|term| term.loss).sum() };
    let slope = |t: usize| {
        let (mut below, mut above) = (LP, LP);
        below[t] -= step;
        above[t] += step;
        (loss(&above) - loss(&below)) / (2.0 * step)
    };
    (0..LP.len()).map(slope).collect()
}

fn variants(loss: Loss) -> Vec<LossSpec> {
    let base = spec(loss, Aggregation::TokenMean);
    let kls = [KlEstimator::K1, KlEstimator::K2, KlEstimator::K3]
        .map(|estimator| Some(KlTerm { estimator, coef: 0.3 }));
    let band = Bound::Mask { low: 0.95, high: 1.2 };
    let corrections = [Level::Token, Level::Sequence].iter().flat_map(|&level| {
        [Bound::Truncate { cap: 1.1 }, band].map(|bound| Some(Correction { level, bound }))
    });
    let mut variants = vec![base.clone()];
    variants.extend(kls.map(|kl| LossSpec { kl, ..base.clone() }));
    variants.extend(corrections.map(|correction| LossSpec { correction, kl: kls[2], ..base.clone() }));
    variants
}

#[test]
fn losses_that_are_differentiable_have_the_gradient_of_their_value() {
    let (mut num_clipped, mut num_free) = (0, 0);
    for loss in [Loss::Reinforce, CLIP, DUAL] {
        for spec in variants(loss) {
            for ratio in RATIOS {
                for old in OLDS {
                    for advantages in [[0.8; 4], [-1.3; 4], [0.0; 4], [0.5, -0.4, 0.0, 1.5]] {
                        let learned = learned(&spec, ratio, &advantages, &old);
                        assert_close(&analytic(&spec, &learned), &numeric(&spec, &learned), 1e-8);
                        for term in sequence_terms(&spec, &learned, &LP).unwrap() {
                            let clipped = term.clipped_low || term.clipped_high;
                            *(if clipped { &mut num_clipped } else { &mut num_free }) += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(num_clipped > 100 && num_free > 100, "{num_clipped} clipped, {num_free} not: both must be tried");
}

#[test]
fn cispo_has_the_gradient_of_its_frozen_surrogate() {
    for bound in [CispoBound::Cap(5.0), CispoBound::Cap(1.1), CispoBound::Band { low: 0.1, high: 0.15 }] {
        for spec in variants(Loss::Cispo(bound)) {
            for ratio in RATIOS {
                for old in OLDS {
                    let advantages = [0.8, -1.3, 0.7, 0.4];
                    let cispo = learned(&spec, ratio, &advantages, &old);
                    // With the bounded ratio at LP folded into the advantages, the surrogate is plain REINFORCE.
                    let gaps: Vec<f64> = LP.iter().zip(&old).map(|(lp, old)| lp - old).collect();
                    let frozen: Vec<f64> = (0..4)
                        .map(|t| {
                            let ratio = match ratio {
                                Ratio::Token | Ratio::None => gaps[t].exp(),
                                Ratio::SequenceSum => gaps.iter().sum::<f64>().exp(),
                                Ratio::SequenceMean => mean(&gaps).exp(),
                            };
                            advantages[t]
                                * match bound {
                                    CispoBound::Cap(cap) => ratio.min(cap),
                                    CispoBound::Band { low, high } => ratio.clamp(1.0 - low, 1.0 + high),
                                }
                        })
                        .collect();
                    let surrogate = LossSpec { loss: Loss::Reinforce, ..spec.clone() };
                    let frozen = learned(&surrogate, ratio, &frozen, &old);
                    let found = analytic(&spec, &cispo);
                    assert_close(&found, &numeric(&surrogate, &frozen), 1e-8);
                    let values = |spec, learned| -> Vec<f64> {
                        sequence_terms(spec, learned, &LP).unwrap().iter().map(|term| term.loss).collect()
                    };
                    assert_close(&values(&spec, &cispo), &values(&surrogate, &frozen), 1e-12);
                    if bound == CispoBound::Cap(5.0) && spec.correction.is_none() {
                        let unfrozen = numeric(&spec, &cispo);
                        assert!(
                            found.iter().zip(&unfrozen).any(|(a, b)| (a - b).abs() > 0.01),
                            "letting the gradient through the ratio must show"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn on_policy_every_ratio_has_the_gradient_of_reinforce() {
    for ratio in RATIOS {
        for loss in [CLIP, DUAL, Loss::Cispo(CispoBound::Cap(5.0))] {
            for advantage in [1.7, -0.6] {
                let spec = spec(loss, Aggregation::TokenMean);
                let learned = learned(&spec, ratio, &[advantage; 4], &LP);
                assert_close(&analytic(&spec, &learned), &[-advantage; 4], 1e-12);
            }
        }
    }
}

#[test]
fn clip_marks_the_side_on_which_it_binds() {
    let clip = Loss::Clip { low: 0.2, high: 0.3, dual: Some(3.0) };
    let marks = |loss: Loss, ratio: f64, advantage: f64| {
        let spec = spec(loss, Aggregation::TokenMean);
        let learned = learned(&spec, Ratio::Token, &[advantage; 4], &[-ratio.ln(); 4]);
        let term = token_term(&spec, &learned.tokens()[0], 0.0);
        assert_close(&[term.ratio], &[ratio], 1e-12);
        (term.clipped_low, term.clipped_high, term.dloss_dlp == 0.0)
    };
    assert_eq!(marks(clip, 1.4, 1.0), (false, true, true));
    assert_eq!(marks(clip, 1.4, -1.0), (false, false, false));
    assert_eq!(marks(clip, 0.7, -1.0), (true, false, true));
    assert_eq!(marks(clip, 0.7, 1.0), (false, false, false));
    assert_eq!(marks(clip, 3.1, -1.0), (false, true, true));
    assert_eq!(marks(clip, 1.4, 0.0), (false, false, true));
    let cispo = Loss::Cispo(CispoBound::Band { low: 0.2, high: 0.3 });
    assert_eq!(marks(cispo, 1.4, -1.0), (false, true, false));
    assert_eq!(marks(cispo, 0.7, -1.0), (true, false, false));
}

#[test]
fn what_is_not_a_number_shows_in_loss_and_gradient() {
    let spec = spec(CLIP, Aggregation::TokenMean);
    let learned = learned(&spec, Ratio::Token, &[1.0, -1.0, 1.0, -1.0], &OLDS[0]);
    for term in sequence_terms(&spec, &learned, &[f64::NAN; 4]).unwrap() {
        assert!(term.loss.is_nan() && term.dloss_dlp.is_nan());
    }
}
