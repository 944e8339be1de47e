//! What every algorithm shares: how a step's settings reach it, what an overlong response counts as, and how a rollout
//! with a weight becomes a sample.

use super::{CreditError, CreditReport};
use crate::recipe::Overlong;
use crate::rollout::{Finish, Group, Ratio, Sample, Scored};

/// Log-probabilities of a step's rollouts in nats: one list a group, in it one a rollout, aligned with the rollout's ids.
pub type RolloutLogprobs = [Vec<Vec<f32>>];

/// The step's settings and log-probabilities that an algorithm may need beside the groups.
#[derive(Clone, Copy, Debug, Default)]
pub struct CreditContext<'a> {
    /// What a response cut off at the token limit counts as.
    pub overlong: Overlong,
    /// Whether groups whose responses all have the same score are dropped, where a baseline is taken.
    pub drop_zero_spread: bool,
    /// β of KL in the reward.
    pub kl_in_reward: Option<f64>,
    /// Recomputed under the weights that the update starts from, given `trained`; left out, the sampler's stand in.
    pub old: Option<&'a RolloutLogprobs>,
    /// Under the frozen base model, given `trained`; for KL, in the reward or in the loss.
    pub reference: Option<&'a RolloutLogprobs>,
}

/// The samples of one step, and what became of its rollouts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Credit {
    /// What is learned.
    pub samples: Vec<Sample>,
    /// Counts and means.
    pub report: CreditReport,
}

/// A rollout with what credit assignment needs to know of it.
pub(super) struct Response<'a> {
    pub(super) scored: &'a Scored,
    /// After the overlong policy.
    pub(super) score: f64,
    /// After the overlong policy.
    pub(super) right: bool,
    /// False for overlong responses that are to be in baselines only.
    pub(super) learnable: bool,
    /// Whether it was sampled after what it is learned after.
    has_ratio: bool,
    old: Option<&'a [f32]>,
    mu: Option<&'a [f32]>,
    reference: Option<&'a [f32]>,
}

/// A group's responses, first tries and second tries alike, in sample order.
pub(super) fn responses<'a>(
    index: usize,
    group: &'a Group,
    context: &CreditContext<'a>,
) -> Result<Vec<Response<'a>>, CreditError> {
    let recomputed = find(context.old, index, group, "lists of recomputed log-probabilities")?;
    let reference = find(context.reference, index, group, "lists of reference log-probabilities")?;
    let response = |(i, scored): (usize, &'a Scored)| {
        let rollout = &scored.rollout;
        let aligned = |what, found| expect(group, what, rollout.ids.len(), found);
        aligned("marks of sampled tokens", rollout.sampled.len())?;
        aligned("log-probabilities", rollout.logprobs.len())?;
        // The sampler's log-probabilities are given what was shown; after anything else they are of another event.
        let has_ratio = rollout.prompt.shown == rollout.prompt.trained;
        let mu = has_ratio.then_some(rollout.logprobs.as_slice());
        let old = recomputed.map(|lists| lists[i].as_slice()).or(mu);
        let reference = reference.map(|lists| lists[i].as_slice());
        aligned("recomputed log-probabilities", old.map_or(rollout.ids.len(), <[f32]>::len))?;
        aligned("reference log-probabilities", reference.map_or(rollout.ids.len(), <[f32]>::len))?;
        let is_overlong = rollout.finish == Finish::Length;
        Ok(Response {
            scored,
            score: if counts_as_wrong(scored, context.overlong) { 0.0 } else { scored.score.get() },
            right: is_right(scored, context.overlong),
            learnable: !(is_overlong && context.overlong == Overlong::Mask),
            has_ratio,
            old,
            mu,
            reference,
        })
    };
    group.scored.iter().enumerate().map(response).collect()
}

/// Whether the problem was tried without a hint, some try was judged, and none was right.
pub(super) fn has_failed(group: &Group, overlong: Overlong) -> bool {
    let mut first_tries = group.scored.iter().filter(|scored| !scored.hinted).peekable();
    first_tries.peek().is_some() && !first_tries.any(|scored| is_right(scored, overlong))
}

/// Whether the response is right after the overlong policy.
fn is_right(scored: &Scored, overlong: Overlong) -> bool {
    scored.right && !counts_as_wrong(scored, overlong)
}

fn counts_as_wrong(scored: &Scored, overlong: Overlong) -> bool {
    overlong == Overlong::Zero && scored.rollout.finish == Finish::Length
}

impl Response<'_> {
    /// The problem's id.
    pub(super) fn problem(&self) -> &str {
        &self.scored.rollout.prompt.task.problem.id
    }

    /// Log-probabilities of the sampled tokens under the weights that the update starts from and under the reference,
    /// in nats, for KL in the reward.
    pub(super) fn old_and_reference(&self) -> Result<(Vec<f64>, Vec<f64>), CreditError> {
        let sampled = |which, values: Option<&[f32]>| match values {
            Some(values) => {
                let pairs = values.iter().zip(&self.scored.rollout.sampled);
                Ok(pairs.filter(|&(_, &sampled)| sampled).map(|(&value, _)| f64::from(value)).collect())
            }
            None => Err(CreditError::Missing { which, problem: self.problem().into() }),
        };
        Ok((sampled("old", self.old)?, sampled("reference", self.reference)?))
    }

    /// The response after its `trained` prompt: every sampled token is learned with `weight`, stop ids included.
    /// Where what was shown differs from what is learned after, there is no ratio and nothing to take one with.
    pub(super) fn sample(&self, weight: f64, ratio: Ratio) -> Sample {
        let ratio = if self.has_ratio { ratio } else { Ratio::None };
        let rollout = &self.scored.rollout;
        let trained = &rollout.prompt.trained;
        let after_prompt = |values: &[f32]| pad(trained.len(), values.iter().copied());
        let mut learned = pad(trained.len(), rollout.sampled.iter().copied());
        if let Some(first) = learned.first_mut() {
            *first = false; // After an empty prompt, nothing predicts the first token.
        }
        Sample {
            problem: self.problem().into(),
            ids: trained.iter().chain(&rollout.ids).copied().collect(),
            weights: learned.iter().map(|&learned| if learned { weight as f32 } else { 0.0 }).collect(),
            learned,
            old: self.old.filter(|_| ratio != Ratio::None).map(after_prompt),
            mu: self.mu.map(after_prompt),
            reference: self.reference.map(after_prompt),
            ratio,
        }
    }
}

/// `values` after as many defaults as the prompt has tokens.
fn pad<T: Clone + Default>(num_prompt_tokens: usize, values: impl Iterator<Item = T>) -> Vec<T> {
    std::iter::repeat_n(T::default(), num_prompt_tokens).chain(values).collect()
}

/// The group's lists among a step's, one for each of its rollouts.
fn find<'a>(
    lists: Option<&'a RolloutLogprobs>,
    index: usize,
    group: &Group,
    what: &'static str,
) -> Result<Option<&'a [Vec<f32>]>, CreditError> {
    let Some(lists) = lists else { return Ok(None) };
    let lists = lists.get(index).map_or(&[][..], Vec::as_slice);
    expect(group, what, group.scored.len(), lists.len())?;
    Ok(Some(lists))
}

fn expect(group: &Group, what: &'static str, expected: usize, found: usize) -> Result<(), CreditError> {
    if expected == found {
        Ok(())
    } else {
        Err(CreditError::Misaligned { what, expected, found, problem: group.task.problem.id.clone() })
    }
}
