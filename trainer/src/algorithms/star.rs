//! STaR (Zelikman et al. 2022, arXiv:2203.14465): an iteration samples a rationale for each problem and keeps those
//! that reach the right answer. Failed problems are tried again with the answer as a hint; what is then right is kept
//! as if the hint had not been there (rationalization). Training begins at the base weights each time (the paper's
//! algorithm 1), for 40 optimizer steps in the first iteration and a fifth more in each later one (its
//! experimental protocol).

use super::{
    Algorithm, Credit, CreditContext, CreditError, Family, Start, UpdateDefaults, credit, selection,
};
use crate::recipe::Overlong;
use crate::rollout::Group;

pub(super) struct Star {
    pub(super) rationalize: bool,
    pub(super) first_steps: u64,
    pub(super) growth: f64,
    pub(super) keep: usize,
}

impl Algorithm for Star {
    fn name(&self) -> &'static str {
        "star"
    }

    fn family(&self) -> Family {
        Family::Rejection
    }

    fn defaults(&self) -> UpdateDefaults {
        UpdateDefaults::LIKELIHOOD
    }

    fn retry(&self, groups: &[Group], overlong: Overlong) -> Vec<usize> {
        let failed = |&index: &usize| self.rationalize && credit::has_failed(&groups[index], overlong);
        (0..groups.len()).filter(failed).collect()
    }

    fn credit(&mut self, groups: &[Group], context: &CreditContext<'_>) -> Result<Credit, CreditError> {
        selection::credit(self, self.keep, self.rationalize, groups, context)
    }

    fn start(&self) -> Start {
        Start::Base
    }

    fn optimizer_steps(&self, step: u64) -> Option<u64> {
        // Rounded once, not step by step: 40, 48, 58, 69, ...
        let grown = self.first_steps as f64 * self.growth.powf(step.saturating_sub(1) as f64);
        Some(grown.round() as u64)
    }
}
