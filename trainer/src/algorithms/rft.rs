//! RFT, rejection-sampling fine-tuning (Yuan et al. 2023, arXiv:2308.01825): several samples a problem, the distinct
//! right ones are learned, from the latest weights on.

use super::{Algorithm, Credit, CreditContext, CreditError, Family, UpdateDefaults, selection};
use crate::rollout::Group;

pub(super) struct Rft {
    pub(super) keep: usize,
}

impl Algorithm for Rft {
    fn name(&self) -> &'static str {
        "rft"
    }

    fn family(&self) -> Family {
        Family::Rejection
    }

    fn defaults(&self) -> UpdateDefaults {
        UpdateDefaults::LIKELIHOOD
    }

    fn credit(&mut self, groups: &[Group], context: &CreditContext<'_>) -> Result<Credit, CreditError> {
        selection::credit(self, self.keep, false, groups, context)
    }
}
