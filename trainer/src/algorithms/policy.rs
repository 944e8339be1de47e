//! Policy gradients: every response of a group is learned, weighted with what its reward says beside the others'. The
//! algorithms hand in the formula of the weight and the kind of ratio; all else is the same.

use super::credit::{Credit, CreditContext, Response, responses};
use super::report::Tally;
use super::{Algorithm, CreditError};
use crate::objectives::{BaselineError, penalized_reward};
use crate::rollout::{Group, Ratio};

/// The samples of all groups, each weighted with `advantages` of its group's rewards.
pub(super) fn credit(
    algorithm: &impl Algorithm,
    ratio: Ratio,
    groups: &[Group],
    context: &CreditContext<'_>,
    advantages: impl Fn(&[f64]) -> Result<Vec<f64>, BaselineError>,
) -> Result<Credit, CreditError> {
    let mut tally = Tally::default();
    for (index, group) in groups.iter().enumerate() {
        let problem = || group.task.problem.id.clone();
        let responses = responses(index, group, context)?;
        if responses.iter().any(|response| response.scored.hinted) {
            return Err(CreditError::Hinted { algorithm: algorithm.name(), problem: problem() });
        }
        let is_zero_spread = tally.count(group, &responses);
        let too_few = if algorithm.needs_groups() { 1 } else { 0 };
        if responses.len() <= too_few && group.num_undecided > 0 {
            tally.report.num_groups_dropped_undecided += 1;
            continue;
        }
        // Without a baseline a group of equal scores still has a gradient.
        if is_zero_spread && context.drop_zero_spread && algorithm.needs_groups() {
            tally.report.num_groups_dropped_zero_spread += 1;
            continue;
        }
        let rewards = rewards(&responses, context, &mut tally)?;
        let advantages = advantages(&rewards).map_err(|_| CreditError::LoneResponse {
            found: rewards.len(),
            algorithm: algorithm.name(),
            problem: problem(),
        })?;
        for (response, advantage) in responses.iter().zip(advantages) {
            if response.learnable {
                tally.keep(response.sample(advantage, ratio), advantage);
            } else {
                tally.report.num_overlong_masked += 1;
            }
        }
    }
    Ok(tally.finish())
}

/// The scores, less KL where it is in the reward.
fn rewards(
    responses: &[Response<'_>],
    context: &CreditContext<'_>,
    tally: &mut Tally,
) -> Result<Vec<f64>, CreditError> {
    let Some(beta) = context.kl_in_reward else {
        return Ok(responses.iter().map(|response| response.score).collect());
    };
    let penalized = |response: &Response<'_>| {
        let (old, reference) = response.old_and_reference()?;
        tally.count_kl(-penalized_reward(0.0, 1.0, &old, &reference), old.len());
        Ok(penalized_reward(response.score, beta, &old, &reference))
    };
    responses.iter().map(penalized).collect()
}
