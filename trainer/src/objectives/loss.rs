//! The policy losses on one token, as functions of its importance ratio, its log-probability and its advantage, with
//! their derivatives. How a ratio is formed from a sequence is next door, in `terms`.

use crate::recipe::LossConfig;

/// The loss on one token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// −A·lp, no ratio: REINFORCE (Williams 1992), and with A = 1 the likelihood of rejection sampling.
    Reinforce,
    /// −min(r·A, clip(r, 1 − `low`, 1 + `high`)·A) (PPO, Schulman et al. 2017, arXiv:1707.06347, eq. 7).
    Clip {
        /// ε below 1.
        low: f64,
        /// ε above 1.
        high: f64,
        /// Dual clip (Ye et al. 2020, arXiv:1912.09729): for A < 0 the objective is at least `dual`·A.
        dual: Option<f64>,
    },
    /// −stop(bound(r))·A·lp (CISPO, MiniMax 2025, arXiv:2506.13585): a bounded ratio still lets the gradient through.
    Cispo(CispoBound),
}

/// How CISPO bounds the ratio that it weights with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CispoBound {
    /// min(r, cap): TRL's convention, cap 5.
    Cap(f64),
    /// clip(r, 1 − `low`, 1 + `high`): verl's convention.
    Band {
        /// ε below 1.
        low: f64,
        /// ε above 1.
        high: f64,
    },
}

impl Loss {
    /// Whether the loss is defined through an importance ratio, and so needs `old` log-probabilities.
    #[must_use]
    pub fn needs_ratio(&self) -> bool {
        !matches!(self, Self::Reinforce)
    }

    /// The loss at a token whose ratio is exp(`log_ratio`).
    pub(super) fn at(&self, log_ratio: f64, lp: f64, advantage: f64) -> Point {
        let ratio = log_ratio.exp();
        let nothing = Point { ratio, ..Point::default() };
        if advantage == 0.0 {
            return nothing; // An infinite ratio times 0 would be NaN.
        }
        match *self {
            Self::Reinforce => Point { loss: -advantage * lp, by_lp: -advantage, ..nothing },
            Self::Clip { low, high, dual } => clip(ratio, advantage, (1.0 - low, 1.0 + high), dual),
            Self::Cispo(bound) => {
                let (floor, cap) = match bound {
                    CispoBound::Cap(cap) => (0.0, cap),
                    CispoBound::Band { low, high } => (1.0 - low, 1.0 + high),
                };
                let weight = between(ratio, floor, cap);
                Point {
                    loss: -weight * advantage * lp,
                    by_lp: -weight * advantage,
                    clipped_low: ratio < floor,
                    clipped_high: ratio > cap,
                    ..nothing
                }
            }
        }
    }
}

impl From<&LossConfig> for Loss {
    fn from(config: &LossConfig) -> Self {
        match *config {
            LossConfig::Reinforce {} => Self::Reinforce,
            LossConfig::Clip { low, high, dual } => Self::Clip { low, high, dual },
            LossConfig::Cispo { cap } => Self::Cispo(CispoBound::Cap(cap)),
        }
    }
}

/// A loss and its two partial derivatives: through the ratio, and through a log-probability that stands beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) loss: f64,
    /// With respect to the ratio's logarithm.
    pub(super) by_log_ratio: f64,
    /// With respect to `lp`, the ratio held still.
    pub(super) by_lp: f64,
    pub(super) ratio: f64,
    pub(super) clipped_low: bool,
    pub(super) clipped_high: bool,
}

fn clip(ratio: f64, advantage: f64, (floor, cap): (f64, f64), dual: Option<f64>) -> Point {
    let unclipped = ratio * advantage;
    let clipped = between(ratio, floor, cap) * advantage;
    // A NaN fails the comparison and stays in `unclipped`, so that it shows in the loss and in the gradient.
    let binds = unclipped > clipped;
    let objective = if binds { clipped } else { unclipped };
    let least = dual.filter(|_| advantage < 0.0).map_or(f64::NEG_INFINITY, |dual| dual * advantage);
    let dual_binds = objective < least;
    Point {
        loss: -if dual_binds { least } else { objective },
        by_log_ratio: if binds || dual_binds { 0.0 } else { -unclipped },
        by_lp: 0.0,
        ratio,
        clipped_low: binds && ratio < floor,
        clipped_high: binds && ratio > cap || dual_binds,
    }
}

/// `f64::clamp` without its panic on a reversed range.
fn between(value: f64, floor: f64, cap: f64) -> f64 {
    value.max(floor).min(cap)
}
