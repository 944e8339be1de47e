//! ReST-EM (Singh et al. 2023, arXiv:2312.06585): the E-step samples and filters as RFT does, with at most 10 right
//! responses a problem; the M-step trains from the base weights, not from the last iteration's.

use super::{Algorithm, Credit, CreditContext, CreditError, Family, Start, UpdateDefaults, selection};
use crate::rollout::Group;

pub(super) struct RestEm {
    pub(super) keep: usize,
}

impl Algorithm for RestEm {
    fn name(&self) -> &'static str {
        "rest-em"
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

    fn start(&self) -> Start {
        Start::Base
    }
}
