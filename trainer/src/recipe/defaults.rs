//! What an algorithm's own paper says where a recipe leaves `[update]` open. docs/recipes.md shows the same table to users.

use super::types::{
    Aggregation, AlgorithmConfig, KlConfig, KlEstimator, KlPlace, LossConfig, Recipe, Schedule, star_steps,
};

/// Samples an optimizer step of STaR: its paper trains on batches of eight packed sequences of 1024 tokens, which
/// hold about this many rationales.
pub const STAR_BATCH: usize = 64;
/// Tokens of one forward and backward pass.
pub const MICRO_BATCH: usize = 4096;
/// Skipped optimizer steps in a row that stop a run.
pub const MAX_SKIPPED: u64 = 3;

/// PPO's ε, which GRPO, Dr. GRPO and RLOO's published settings share.
const CLIP: LossConfig = LossConfig::Clip { low: 0.2, high: 0.2, dual: None };

/// The loss of the algorithm's paper.
#[must_use]
pub fn loss(algorithm: &AlgorithmConfig) -> LossConfig {
    match algorithm {
        AlgorithmConfig::Grpo { .. } | AlgorithmConfig::DrGrpo {} | AlgorithmConfig::Rloo {} => CLIP,
        AlgorithmConfig::Sft {}
        | AlgorithmConfig::Star { .. }
        | AlgorithmConfig::Rft { .. }
        | AlgorithmConfig::RestEm { .. }
        | AlgorithmConfig::Reinforce { .. } => LossConfig::Reinforce {},
    }
}

/// The aggregation of the algorithm's paper.
#[must_use]
pub fn aggregation(algorithm: &AlgorithmConfig) -> Aggregation {
    match algorithm {
        // Likelihood training: the mean over tokens.
        AlgorithmConfig::Sft {}
        | AlgorithmConfig::Star { .. }
        | AlgorithmConfig::Rft { .. }
        | AlgorithmConfig::RestEm { .. } => Aggregation::TokenMean,
        // Williams 1992, section 4 (episodic REINFORCE): an episode's eligibilities are summed over its time steps.
        AlgorithmConfig::Reinforce { .. } => Aggregation::SequenceSum,
        // Ahmadian et al. 2024: the response is one action with one ratio, the same for all its tokens, so that the
        // mean over them is that action's loss.
        AlgorithmConfig::Rloo {} => Aggregation::SequenceMean,
        // Shao et al. 2024, equation 3: the mean over tokens within a response, then over responses.
        AlgorithmConfig::Grpo { .. } => Aggregation::SequenceMean,
        // Liu et al. 2025: a constant divisor, so that length has no part in it.
        AlgorithmConfig::DrGrpo {} => Aggregation::Constant,
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
    /// STaR: each iteration has its own number, the fewest of which is this.
    Star {
        /// The optimizer steps of the shortest iteration.
        fewest: u64,
    },
    /// It depends on what is sampled; the text says why.
    Unknown(&'static str),
}

impl Recipe {
    /// The loss that this recipe trains with.
    #[must_use]
    pub fn effective_loss(&self) -> LossConfig {
        self.update.loss.clone().unwrap_or_else(|| loss(&self.algorithm))
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
        match &self.algorithm {
            AlgorithmConfig::Star { first_steps, growth, .. } => {
                let last = star_steps(*first_steps, *growth, self.run.steps.saturating_sub(1));
                ScheduleLength::Star { fewest: last.min(star_steps(*first_steps, *growth, 0)) }
            }
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
