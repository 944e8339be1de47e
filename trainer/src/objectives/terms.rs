//! The loss that training uses, token by token with its derivative: what the update calls between the forward and
//! the backward pass, and what the golden tests call with plain numbers.
//!
//! What a term holds is the loss *before* aggregation: the step's loss is Σ samples Σ tokens factor · term, with the
//! factor of [`Divisors`](super::Divisors). For each [`Ratio`] the terms of a sequence with l learned tokens are:
//!
//! * `Token`: r_t = exp(lp_t − old_t), each token its own loss.
//! * `SequenceMean` (GSPO, Zheng et al. 2025, arXiv:2507.18071): s = exp(mean(lp − old)) in the place of r; each token
//!   has the loss of s, so that sequence-mean aggregation gives one such loss a response.
//! * `SequenceSum` (RLOO): ρ = exp(Σ(lp − old)) in the place of r; the sequence has *one* loss, which is spread evenly:
//!   each token has 1/l of it, so that sequence-sum aggregation gives one such loss a response.
//! * `None`: only for a loss without a ratio.
//!
//! Through a ratio that a sequence shares, each token's loss depends on every token's `lp`; the derivative in a term is
//! that of the sum over the sequence. At `lp` = `old` with one advantage a sequence, it is −A for every kind of ratio.

use thiserror::Error;

use super::loss::Point;
use super::{Correction, Loss, kl};
use crate::recipe::{Aggregation, KlEstimator};
use crate::rollout::{Ratio, Sample};

/// The whole of the objective: what the update needs to know beside its samples.
#[derive(Clone, Debug, PartialEq)]
pub struct LossSpec {
    /// The policy loss on a token.
    pub loss: Loss,
    /// How token losses become one number.
    pub aggregation: Aggregation,
    /// KL to the reference in the loss, on every learned token, those with A = 0 included.
    pub kl: Option<KlTerm>,
    /// Correction for a sampler that differs from the trainer; it weights the policy loss, not the KL.
    pub correction: Option<Correction>,
    /// The limit of new tokens a response, in tokens: the divisor of [`Aggregation::Constant`].
    pub max_new_tokens: usize,
}

impl LossSpec {
    /// Whether a sample's loss can be anything but 0. One of a group without spread has no advantage anywhere; without a
    /// KL in the loss it counts in the divisors, and a pass of it through the model would add nothing.
    #[must_use]
    pub fn is_moved_by(&self, sample: &Sample) -> bool {
        let has_kl = self.kl.is_some_and(|kl| kl.coef != 0.0);
        let mut weights = sample.weights.iter().zip(&sample.learned);
        has_kl || weights.any(|(weight, learned)| *learned && *weight != 0.0)
    }
}

/// KL to the reference in the loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KlTerm {
    /// Which estimator.
    pub estimator: KlEstimator,
    /// β.
    pub coef: f64,
}

/// A sample that the objective cannot be computed on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LossError {
    /// The loss needs a ratio, and the sample has none.
    #[error(
        "the loss needs an importance ratio, but the sample of problem {problem:?} has none: its algorithm makes none, or \
         what was shown differs from what is learned after; set update.loss = {{ kind = \"reinforce\" }}"
    )]
    NoRatio {
        /// The problem.
        problem: String,
    },
    /// Log-probabilities that the objective needs are missing.
    #[error("{need} needs the {missing} log-probabilities, which the sample of problem {problem:?} lacks")]
    Missing {
        /// What needs them.
        need: &'static str,
        /// Which are missing.
        missing: &'static str,
        /// The problem.
        problem: String,
    },
    /// Two aligned lists differ in length.
    #[error("the sample of problem {problem:?} has {found} {what}, expected {expected}: one a token")]
    Misaligned {
        /// What there are too many or too few of.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
        /// The problem.
        problem: String,
    },
    /// The first token of a sequence is marked as learned.
    #[error(
        "the sample of problem {problem:?} learns its first token, which nothing predicts: its prompt is empty"
    )]
    FirstToken {
        /// The problem.
        problem: String,
    },
}

/// The learned tokens of one sequence as plain numbers, all slices aligned, log-probabilities in nats.
#[derive(Clone, Copy, Debug)]
pub struct Sequence<'a> {
    /// Names the sequence in errors.
    pub problem: &'a str,
    /// Which ratio.
    pub ratio: Ratio,
    /// A.
    pub advantages: &'a [f64],
    /// Under the weights that the update started from.
    pub old: Option<&'a [f64]>,
    /// Under the weights that sampled.
    pub mu: Option<&'a [f64]>,
    /// Under the frozen reference.
    pub reference: Option<&'a [f64]>,
}

/// A learned token with everything but its `lp`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token {
    advantage: f64,
    /// 0 where the loss needs none.
    old: f64,
    /// 0 where there is no KL in the loss.
    reference: f64,
    /// The correction's weight; 1 where there is none.
    correction: f64,
}

/// The learned tokens of one sample, checked against the objective: what it needs is there and aligned.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    problem: String,
    ratio: Ratio,
    tokens: Vec<Token>,
}

/// One learned token's part of the loss, before aggregation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// Policy loss and KL.
    pub loss: f64,
    /// The derivative of the sequence's summed loss with respect to this token's `lp`.
    pub dloss_dlp: f64,
    /// The ratio lay below its lower bound, which took the gradient away (clip) or was used in its place (CISPO).
    pub clipped_low: bool,
    /// The same above the upper bound; dual clip counts here.
    pub clipped_high: bool,
    /// The unclipped ratio, the sequence's where it is shared; 1 where there is none.
    pub ratio: f64,
    /// The KL estimate in nats, not multiplied with β; 0 where there is no KL in the loss.
    pub kl: f64,
}

impl Learned {
    /// The learned tokens of `sample`.
    ///
    /// # Errors
    /// [`LossError`] where the objective needs something that the sample lacks, or its lists are not aligned.
    pub fn new(spec: &LossSpec, sample: &Sample) -> Result<Self, LossError> {
        let problem = &sample.problem;
        if sample.learned.first() == Some(&true) {
            return Err(LossError::FirstToken { problem: problem.clone() });
        }
        let aligned = |what, found| check(problem, what, sample.ids.len(), found);
        aligned("learned marks", sample.learned.len())?;
        aligned("weights", sample.weights.len())?;
        let pick = |values: &[f32]| -> Vec<f64> {
            let pairs = values.iter().zip(&sample.learned);
            pairs.filter(|&(_, &learned)| learned).map(|(&value, _)| f64::from(value)).collect()
        };
        let pick_optional = |what, values: &Option<Vec<f32>>| match values {
            Some(values) => aligned(what, values.len()).map(|()| Some(pick(values))),
            None => Ok(None),
        };
        let old = pick_optional("old log-probabilities", &sample.old)?;
        let mu = pick_optional("sampler's log-probabilities", &sample.mu)?;
        let reference = pick_optional("reference log-probabilities", &sample.reference)?;
        let sequence = Sequence {
            problem,
            ratio: sample.ratio,
            advantages: &pick(&sample.weights),
            old: old.as_deref(),
            mu: mu.as_deref(),
            reference: reference.as_deref(),
        };
        Self::from_sequence(spec, &sequence)
    }

    /// The same from plain numbers.
    ///
    /// # Errors
    /// As [`Learned::new`].
    pub fn from_sequence(spec: &LossSpec, sequence: &Sequence<'_>) -> Result<Self, LossError> {
        let problem = sequence.problem;
        if spec.loss.needs_ratio() && sequence.ratio == Ratio::None {
            return Err(LossError::NoRatio { problem: problem.into() });
        }
        let num_tokens = sequence.advantages.len();
        let needed = |need, missing, values: Option<&[f64]>| match values {
            Some(values) => check(problem, missing, num_tokens, values.len()).map(|()| values.to_vec()),
            None => Err(LossError::Missing { need, missing, problem: problem.into() }),
        };
        let old = match spec.loss.needs_ratio() {
            true => needed("the loss's ratio", "old", sequence.old)?,
            false => vec![0.0; num_tokens],
        };
        let reference = match spec.kl {
            Some(_) => needed("KL in the loss", "reference", sequence.reference)?,
            None => vec![0.0; num_tokens],
        };
        let correction = match spec.correction {
            Some(correction) => {
                let old = needed("the sampler correction", "old", sequence.old)?;
                correction.weights(&old, &needed("the sampler correction", "sampler's", sequence.mu)?)
            }
            None => vec![1.0; num_tokens],
        };
        let token = |t| Token {
            advantage: sequence.advantages[t],
            old: old[t],
            reference: reference[t],
            correction: correction[t],
        };
        let tokens = (0..num_tokens).map(token).collect();
        Ok(Self { problem: problem.into(), ratio: sequence.ratio, tokens })
    }

    /// Which ratio the sample has.
    #[must_use]
    pub fn ratio(&self) -> Ratio {
        self.ratio
    }

    /// The learned tokens, in order.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }
}

/// Whether a token's term needs no other token's `lp`: then [`token_term`] can be called as soon as its `lp` is known.
#[must_use]
pub fn is_separable(spec: &LossSpec, ratio: Ratio) -> bool {
    matches!(spec.loss, Loss::Reinforce) || matches!(ratio, Ratio::None | Ratio::Token)
}

/// The term of one token, for a sample whose ratio [`is_separable`].
#[must_use]
pub fn token_term(spec: &LossSpec, token: &Token, lp: f64) -> Term {
    let log_ratio = if spec.loss.needs_ratio() { lp - token.old } else { 0.0 };
    let point = spec.loss.at(log_ratio, lp, token.advantage);
    finish(spec, token, lp, &point, point.loss, point.by_log_ratio)
}

/// The terms of a sequence. `lp` holds its learned tokens' log-probabilities in order, in nats.
///
/// # Errors
/// [`LossError::Misaligned`] unless there is one `lp` for each learned token.
pub fn sequence_terms(spec: &LossSpec, learned: &Learned, lp: &[f64]) -> Result<Vec<Term>, LossError> {
    let tokens = &learned.tokens;
    check(&learned.problem, "log-probabilities", tokens.len(), lp.len())?;
    if is_separable(spec, learned.ratio) {
        return Ok(tokens.iter().zip(lp).map(|(token, &lp)| token_term(spec, token, lp)).collect());
    }
    let length = tokens.len() as f64;
    let sum: f64 = tokens.iter().zip(lp).map(|(token, lp)| lp - token.old).sum();
    let is_mean = learned.ratio == Ratio::SequenceMean;
    let log_ratio = if is_mean { sum / length } else { sum };
    let points: Vec<Point> =
        tokens.iter().zip(lp).map(|(token, &lp)| spec.loss.at(log_ratio, lp, token.advantage)).collect();
    // Every token's loss moves with the shared ratio. The mean's logarithm moves by 1/l as one `lp` moves; the sum's
    // moves by 1, and each token has 1/l of the loss: the same number.
    let through_ratio: f64 =
        tokens.iter().zip(&points).map(|(token, point)| token.correction * point.by_log_ratio).sum();
    let shared = through_ratio / length;
    // CISPO's loss is a token's own even under a shared ratio, so there is nothing to spread.
    let share = if is_mean || matches!(spec.loss, Loss::Cispo(_)) { 1.0 } else { 1.0 / length };
    let terms = tokens.iter().zip(lp).zip(&points).map(|((token, &lp), point)| {
        let mut term = finish(spec, token, lp, point, point.loss * share, 0.0);
        term.dloss_dlp += shared;
        term
    });
    Ok(terms.collect())
}

/// Weights the policy loss with the correction and adds the KL. `by_log_ratio` is what moves with this `lp` alone.
fn finish(spec: &LossSpec, token: &Token, lp: f64, point: &Point, loss: f64, by_log_ratio: f64) -> Term {
    let (kl, kl_loss, kl_slope) = spec.kl.map_or((0.0, 0.0, 0.0), |KlTerm { estimator, coef }| {
        let x = lp - token.reference;
        let estimate = kl::estimate(estimator, x);
        (estimate, coef * estimate, coef * kl::slope(estimator, x))
    });
    Term {
        loss: token.correction * loss + kl_loss,
        dloss_dlp: token.correction * (by_log_ratio + point.by_lp) + kl_slope,
        clipped_low: point.clipped_low,
        clipped_high: point.clipped_high,
        ratio: point.ratio,
        kl,
    }
}

fn check(problem: &str, what: &'static str, expected: usize, found: usize) -> Result<(), LossError> {
    if expected == found {
        Ok(())
    } else {
        Err(LossError::Misaligned { what, expected, found, problem: problem.into() })
    }
}
