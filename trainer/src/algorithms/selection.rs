//! Rejection sampling: of a problem's right responses the first few distinct ones are learned, with weight 1 and
//! nothing else of the group. Sample order decides, which for samples drawn alike prefers none of them.

use std::collections::HashSet;

use super::credit::{Credit, CreditContext, Response, has_failed, responses};
use super::report::Tally;
use super::{Algorithm, CreditError};
use crate::rollout::{Group, Ratio};

/// At most `keep` right responses of each group, distinct by token ids; of problems whose first tries all failed the
/// hinted second tries, where the algorithm asks for those.
pub(super) fn credit(
    algorithm: &impl Algorithm,
    keep: usize,
    takes_hinted: bool,
    groups: &[Group],
    context: &CreditContext<'_>,
) -> Result<Credit, CreditError> {
    let mut tally = Tally::default();
    for (index, group) in groups.iter().enumerate() {
        let responses = responses(index, group, context)?;
        if !takes_hinted && responses.iter().any(|response| response.scored.hinted) {
            let problem = group.task.problem.id.clone();
            return Err(CreditError::Hinted { algorithm: algorithm.name(), problem });
        }
        tally.count(group, &responses);
        if responses.iter().all(|response| response.scored.hinted) && group.num_undecided > 0 {
            tally.report.num_groups_dropped_undecided += 1;
        }
        let hinted = has_failed(group, context.overlong);
        let right = responses.iter().filter(|response| response.right && response.scored.hinted == hinted);
        select(right, keep, &mut tally);
    }
    Ok(tally.finish())
}

fn select<'a>(right: impl Iterator<Item = &'a Response<'a>>, keep: usize, tally: &mut Tally) {
    let mut seen = HashSet::new();
    let mut num_kept = 0;
    for response in right {
        if !response.learnable {
            tally.report.num_overlong_masked += 1;
        } else if !seen.insert(response.scored.rollout.ids.as_slice()) {
            tally.report.num_duplicates += 1;
        } else if num_kept < keep {
            num_kept += 1;
            tally.report.num_rationalized += usize::from(response.scored.hinted);
            tally.keep(response.sample(1.0, Ratio::None), 1.0);
        }
    }
}
