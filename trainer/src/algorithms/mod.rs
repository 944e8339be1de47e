//! Credit assignment: from groups of scored rollouts to weighted samples. No tensors and no files: an algorithm says
//! which rollouts are learned, with which weight a token, and through which ratio; the update never learns which one
//! ran. One file an algorithm; a new one is its file, a variant of
//! [`AlgorithmConfig`] and an arm of [`build`].

mod credit;
mod dr_grpo;
mod grpo;
mod policy;
mod reinforce;
mod report;
mod rest_em;
mod rft;
mod rloo;
mod selection;
mod sft;
mod star;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod fixture;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use serde_json::Value;
use thiserror::Error;

pub use credit::{Credit, CreditContext, RolloutLogprobs};
pub use report::CreditReport;
pub use sft::sft_sample;

use crate::recipe::{Aggregation, AlgorithmConfig, LossConfig, Overlong};
use crate::rollout::Group;

/// Which weights an iteration's training begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The weights that the step before ended with; optimizer and schedule go on.
    Latest,
    /// The base model's weights, with a fresh optimizer and schedule.
    Base,
}

/// What an algorithm learns from, which decides what a recipe may combine it with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The data's own responses: no rollouts, no verifier.
    Supervised,
    /// The right ones among its rollouts, as likelihood: no ratio, no baseline, logits at temperature 1.
    Rejection,
    /// All of its rollouts, each weighted with an advantage, logits at the sampling temperature.
    PolicyGradient,
}

/// The loss and aggregation of an algorithm's paper, for recipes that leave them out.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateDefaults {
    /// `update.loss`.
    pub loss: LossConfig,
    /// `update.aggregation`.
    pub aggregation: Aggregation,
}

impl UpdateDefaults {
    /// The mean negative log-likelihood of the learned tokens.
    const LIKELIHOOD: Self = Self { loss: LossConfig::Reinforce {}, aggregation: Aggregation::TokenMean };

    /// The clipped surrogate with PPO's ε of 0.2 on both sides.
    const fn clip(aggregation: Aggregation) -> Self {
        Self { loss: LossConfig::Clip { low: 0.2, high: 0.2, dual: None }, aggregation }
    }
}

/// Turns scored rollouts into weighted samples.
pub trait Algorithm: Send {
    /// Its `kind` in a recipe.
    fn name(&self) -> &'static str;

    /// What it learns from.
    fn family(&self) -> Family;

    /// The loss and aggregation of its paper.
    fn defaults(&self) -> UpdateDefaults;

    /// Whether it compares the responses to one problem, so that `rollout.n` must be at least 2.
    fn needs_groups(&self) -> bool {
        false
    }

    /// The problems of which a hinted second try is to be sampled, as indices into `groups`. The second tries join
    /// their group, marked as hinted, before [`credit`](Self::credit).
    fn retry(&self, _groups: &[Group], _overlong: Overlong) -> Vec<usize> {
        Vec::new()
    }

    /// The samples of one step, in the order of the groups and, within a group, of its rollouts.
    ///
    /// # Errors
    /// [`CreditError`] where the groups cannot be what this algorithm asked for.
    fn credit(&mut self, groups: &[Group], context: &CreditContext<'_>) -> Result<Credit, CreditError>;

    /// Which weights each step's training begins at.
    fn start(&self) -> Start {
        Start::Latest
    }

    /// How many optimizer steps the step takes (steps count from 1), where the algorithm and not the data decides.
    fn optimizer_steps(&self, _step: u64) -> Option<u64> {
        None
    }

    /// What must be saved with a checkpoint; null for an algorithm that remembers nothing between steps.
    fn state(&self) -> Value {
        Value::Null
    }

    /// Takes back what [`state`](Self::state) gave.
    ///
    /// # Errors
    /// [`CreditError::State`] if it is not this algorithm's state.
    fn restore(&mut self, state: &Value) -> Result<(), CreditError> {
        if state.is_null() {
            Ok(())
        } else {
            Err(CreditError::State { algorithm: self.name(), found: state.to_string() })
        }
    }
}

/// Groups that an algorithm cannot assign credit to.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CreditError {
    /// A response has nothing to be compared with, though no verdict was undecided.
    #[error(
        "{algorithm} compares the responses to a problem, but {problem:?} has {found}; set rollout.n to 2 or more"
    )]
    LoneResponse {
        /// How many responses there are.
        found: usize,
        /// The algorithm.
        algorithm: &'static str,
        /// The problem.
        problem: String,
    },
    /// A hinted second try reached an algorithm that asked for none.
    #[error("{algorithm} asks for no second tries, but the group of {problem:?} holds a hinted one")]
    Hinted {
        /// The algorithm.
        algorithm: &'static str,
        /// The problem.
        problem: String,
    },
    /// Supervised training makes its samples from the data.
    #[error("sft learns the data's own responses, but was given rollouts of {num_groups} problems")]
    Supervised {
        /// How many groups it was given.
        num_groups: usize,
    },
    /// Log-probabilities that the credit depends on are missing.
    #[error("KL in the reward needs the {which} log-probabilities of each rollout, which {problem:?} lacks")]
    Missing {
        /// Which are missing.
        which: &'static str,
        /// The problem.
        problem: String,
    },
    /// Two aligned lists differ in length.
    #[error(
        "a rollout of {problem:?} has {found} {what}, expected {expected}: one for each token after the prompt"
    )]
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
    /// A saved state that this algorithm did not make.
    #[error(
        "{algorithm} keeps no state between steps, but the checkpoint holds {found}; was it made by another algorithm?"
    )]
    State {
        /// The algorithm.
        algorithm: &'static str,
        /// What the checkpoint holds.
        found: String,
    },
}

/// The algorithm that a recipe asks for.
#[must_use]
pub fn build(config: &AlgorithmConfig) -> Box<dyn Algorithm> {
    match *config {
        AlgorithmConfig::Sft {} => Box::new(sft::Sft),
        AlgorithmConfig::Star { rationalize, first_steps, growth, keep } => {
            Box::new(star::Star { rationalize, first_steps, growth, keep })
        }
        AlgorithmConfig::Rft { keep } => Box::new(rft::Rft { keep }),
        AlgorithmConfig::RestEm { keep } => Box::new(rest_em::RestEm { keep }),
        AlgorithmConfig::Reinforce { baseline } => Box::new(reinforce::Reinforce { baseline }),
        AlgorithmConfig::Rloo {} => Box::new(rloo::Rloo),
        AlgorithmConfig::Grpo { std_eps } => Box::new(grpo::Grpo { std_eps }),
        AlgorithmConfig::DrGrpo {} => Box::new(dr_grpo::DrGrpo),
    }
}
