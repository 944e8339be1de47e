//! RLOO (Ahmadian et al. 2024, arXiv:2402.14740): the baseline is the mean reward of the group's other responses, and
//! the response is one action: one ratio a sequence, one loss a sequence, the mean over responses.

use super::{Algorithm, Credit, CreditContext, CreditError, Family, UpdateDefaults, policy};
use crate::objectives::leave_one_out;
use crate::recipe::Aggregation;
use crate::rollout::{Group, Ratio};

pub(super) struct Rloo;

impl Algorithm for Rloo {
    fn name(&self) -> &'static str {
        "rloo"
    }

    fn family(&self) -> Family {
        Family::PolicyGradient
    }

    fn defaults(&self) -> UpdateDefaults {
        UpdateDefaults::clip(Aggregation::SequenceSum)
    }

    fn needs_groups(&self) -> bool {
        true
    }

    fn credit(&mut self, groups: &[Group], context: &CreditContext<'_>) -> Result<Credit, CreditError> {
        policy::credit(self, Ratio::SequenceSum, groups, context, leave_one_out)
    }
}
