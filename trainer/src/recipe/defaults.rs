//! What holds where a recipe leaves `[update]` and the schedule's length open. Loss and aggregation are the algorithm's
//! own ([`crate::algorithms`]); docs/recipes.md shows them to users.

use super::types::{AlgorithmConfig, KlConfig, KlEstimator, KlPlace, LossConfig, Recipe, Schedule};
use crate::algorithms::{Family, Start, build};

/// Samples an optimizer step of STaR: its paper trains on batches of eight packed sequences of 1024 tokens, which
/// hold about this many rationales.
pub const STAR_BATCH: usize = 64;
/// Tokens of one forward and backward pass.
pub const MICRO_BATCH: usize = 4096;
/// Skipped optimizer steps in a row that stop a run.
pub const MAX_SKIPPED: u64 = 3;

impl AlgorithmConfig {
    /// Its `kind`, as recipes write it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        build(self).name()
    }

    /// Whether it raises the likelihood of chosen responses (supervised or by rejection sampling), where the others
    /// follow a policy gradient.
    #[must_use]
    pub fn learns_by_likelihood(&self) -> bool {
        build(self).family() != Family::PolicyGradient
    }

    /// Whether every step trains from the base weights, with a fresh optimizer and schedule.
    #[must_use]
    pub fn trains_from_base(&self) -> bool {
        build(self).start() == Start::Base
    }
}

/// The KL of the algorithm's paper. GRPO's is in the loss with β = 0.04 (Shao et al. 2024, section 4.2); RLOO's paper
/// tunes β for preference rewards and gives none for verifiable ones, so none is taken.
#[must_use]
pub fn kl(algorithm: &AlgorithmConfig) -> Option<KlConfig> {
    match algorithm {
        AlgorithmConfig::Grpo { .. } => {
            Some(KlConfig { coef: 0.04, estimator: KlEstimator::K3, place: KlPlace::Loss })
        }
        _ => None,
    }
}

/// How many optimizer steps a learning-rate schedule has to cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleLength {
    /// The whole run, or each step where a step trains from the base weights.
    Known(u64),
    /// The algorithm counts each step's optimizer steps (STaR).
    Counted {
        /// The optimizer steps of the shortest step.
        fewest: u64,
    },
    /// It depends on what is sampled; the text says why.
    Unknown(&'static str),
}

impl Recipe {
    /// The loss that this recipe trains with.
    #[must_use]
    pub fn effective_loss(&self) -> LossConfig {
        self.update.loss.clone().unwrap_or_else(|| build(&self.algorithm).defaults().loss)
    }

    /// The KL that this recipe trains with; a coefficient of 0 is none.
    #[must_use]
    pub fn effective_kl(&self) -> Option<KlConfig> {
        self.update.kl.clone().or_else(|| kl(&self.algorithm)).filter(|kl| kl.coef != 0.0)
    }

    /// The schedule's length as far as the recipe tells it, without `optimizer.total`.
    #[must_use]
    pub fn schedule_length(&self) -> ScheduleLength {
        let epochs = self.update.epochs.unwrap_or(1);
        let passes = |samples: u64| {
            let steps = self.update.batch.map_or(1, |batch| samples.div_ceil(batch.max(1) as u64));
            epochs.saturating_mul(steps)
        };
        let prompts = self.rollout.prompts as u64;
        let whole_run = |each: u64| ScheduleLength::Known(self.run.steps.saturating_mul(each));
        let algorithm = build(&self.algorithm);
        if let (Some(first), Some(last)) =
            (algorithm.optimizer_steps(1), algorithm.optimizer_steps(self.run.steps))
        {
            return ScheduleLength::Counted { fewest: first.min(last) };
        }
        match &self.algorithm {
            AlgorithmConfig::Sft {} => whole_run(passes(prompts)),
            AlgorithmConfig::Rft { .. } | AlgorithmConfig::RestEm { .. } if self.update.batch.is_some() => {
                ScheduleLength::Unknown("it depends on how many responses are right")
            }
            AlgorithmConfig::Rft { .. } => whole_run(epochs),
            AlgorithmConfig::RestEm { .. } => ScheduleLength::Known(epochs),
            _ if self.update.batch.is_some() && self.update.drop_zero_spread => {
                ScheduleLength::Unknown("it depends on how many groups are dropped")
            }
            _ => whole_run(passes(prompts.saturating_mul(self.rollout.n as u64))),
        }
    }

    /// Whether the learning rate changes after the warm-up, so that a length is needed.
    #[must_use]
    pub fn needs_schedule_length(&self) -> bool {
        self.optimizer.schedule != Schedule::Constant
    }
}
