//! GRPO (Shao et al. 2024, arXiv:2402.03300, §4.1): rewards less their group's mean, over its standard deviation.

use super::{Algorithm, Credit, CreditContext, CreditError, Family, UpdateDefaults, policy};
use crate::objectives::grpo;
use crate::recipe::Aggregation;
use crate::rollout::{Group, Ratio};

pub(super) struct Grpo {
    pub(super) std_eps: f64,
}

impl Algorithm for Grpo {
    fn name(&self) -> &'static str {
        "grpo"
    }

    fn family(&self) -> Family {
        Family::PolicyGradient
    }

    fn defaults(&self) -> UpdateDefaults {
        UpdateDefaults::clip(Aggregation::SequenceMean)
    }

    fn needs_groups(&self) -> bool {
        true
    }

    fn credit(&mut self, groups: &[Group], context: &CreditContext<'_>) -> Result<Credit, CreditError> {
        policy::credit(self, Ratio::Token, groups, context, |rewards| grpo(rewards, self.std_eps))
    }
}
