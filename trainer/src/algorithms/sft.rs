//! Supervised fine-tuning: the data's own responses, with weight 1. There are no rollouts, so its samples are made by
//! [`sft_sample`] from tokenized problems.

use super::{Algorithm, Credit, CreditContext, CreditError, Family, UpdateDefaults};
use crate::rollout::{Group, Ratio, Sample, TokenId};

pub(super) struct Sft;

impl Algorithm for Sft {
    fn name(&self) -> &'static str {
        "sft"
    }

    fn family(&self) -> Family {
        Family::Supervised
    }

    fn defaults(&self) -> UpdateDefaults {
        UpdateDefaults::LIKELIHOOD
    }

    fn credit(&mut self, groups: &[Group], _context: &CreditContext<'_>) -> Result<Credit, CreditError> {
        if groups.is_empty() {
            Ok(Credit::default())
        } else {
            Err(CreditError::Supervised { num_groups: groups.len() })
        }
    }
}

/// A problem's own response after its prompt. All of `response` is learned, so it must end with the stop id that a
/// rollout would end with.
#[must_use]
pub fn sft_sample(problem: &str, prompt: &[TokenId], response: &[TokenId]) -> Sample {
    let ids = [prompt, response].concat();
    // After an empty prompt, nothing predicts the first token.
    let learned: Vec<bool> = (0..ids.len()).map(|position| position >= prompt.len().max(1)).collect();
    Sample {
        problem: problem.into(),
        weights: learned.iter().map(|&learned| if learned { 1.0 } else { 0.0 }).collect(),
        ids,
        learned,
        old: None,
        mu: None,
        reference: None,
        ratio: Ratio::None,
    }
}
