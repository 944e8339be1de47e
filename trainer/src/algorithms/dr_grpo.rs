//! Dr. GRPO (Liu et al. 2025, arXiv:2503.20783): GRPO without its two biases: nothing is divided by the group's
//! standard deviation, and token losses are divided by a constant instead of by the response's length.

use super::{Algorithm, Credit, CreditContext, CreditError, Family, UpdateDefaults, policy};
use crate::objectives::dr_grpo;
use crate::recipe::Aggregation;
use crate::rollout::{Group, Ratio};

pub(super) struct DrGrpo;

impl Algorithm for DrGrpo {
    fn name(&self) -> &'static str {
        "dr-grpo"
    }

    fn family(&self) -> Family {
        Family::PolicyGradient
    }

    fn defaults(&self) -> UpdateDefaults {
        UpdateDefaults::clip(Aggregation::Constant)
    }

    fn needs_groups(&self) -> bool {
        true
    }

    fn credit(&mut self, groups: &[Group], context: &CreditContext<'_>) -> Result<Credit, CreditError> {
        policy::credit(self, Ratio::Token, groups, context, dr_grpo)
    }
}
