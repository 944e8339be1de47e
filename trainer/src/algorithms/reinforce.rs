//! REINFORCE (Williams 1992, "Simple statistical gradient-following algorithms"): −(R − b)·log π(response), with a
//! baseline b of the recipe's choice. Its loss takes no ratio unless the recipe sets one that does.

use super::{Algorithm, Credit, CreditContext, CreditError, Family, UpdateDefaults, policy};
use crate::objectives::{dr_grpo, leave_one_out};
use crate::recipe::{Aggregation, Baseline, LossConfig};
use crate::rollout::{Group, Ratio};

pub(super) struct Reinforce {
    pub(super) baseline: Baseline,
}

impl Algorithm for Reinforce {
    fn name(&self) -> &'static str {
        "reinforce"
    }

    fn family(&self) -> Family {
        Family::PolicyGradient
    }

    fn defaults(&self) -> UpdateDefaults {
        UpdateDefaults { loss: LossConfig::Reinforce {}, aggregation: Aggregation::SequenceSum }
    }

    fn needs_groups(&self) -> bool {
        self.baseline != Baseline::None
    }

    fn credit(&mut self, groups: &[Group], context: &CreditContext<'_>) -> Result<Credit, CreditError> {
        policy::credit(self, Ratio::Token, groups, context, |rewards| match self.baseline {
            Baseline::None => Ok(rewards.to_vec()),
            Baseline::GroupMean => dr_grpo(rewards),
            Baseline::LeaveOneOut => leave_one_out(rewards),
        })
    }
}
