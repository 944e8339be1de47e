//! What became of a step's rollouts: counts and means for `metrics.jsonl`, under TRL's names where it has one.

use serde::Serialize;

use super::credit::{Credit, Response};
use crate::objectives::{has_spread, mean, sample_std};
use crate::rollout::{Finish, Group, Sample};

/// Counts and means of one step. Scores are those after the overlong policy and before KL; means are 0 over nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CreditReport {
    /// Problems.
    pub num_groups: usize,
    /// Judged first tries.
    pub num_responses: usize,
    /// Judged hinted second tries.
    pub num_hinted: usize,
    /// Undecided verdicts, which are in no other number here.
    pub num_undecided: usize,
    /// Groups that undecided verdicts left too small to learn from.
    pub num_groups_dropped_undecided: usize,
    /// Groups of two or more first tries that all have the same score.
    pub num_zero_spread: usize,
    /// Those of them that were dropped.
    pub num_groups_dropped_zero_spread: usize,
    /// `num_zero_spread` over the groups of two or more first tries.
    pub frac_reward_zero_std: f64,
    /// Responses, second tries included, that the token limit cut off.
    pub num_overlong: usize,
    /// Those of them that were in a baseline, or right, but not learned.
    pub num_overlong_masked: usize,
    /// Right first tries.
    pub num_right: usize,
    /// Samples made.
    pub num_kept: usize,
    /// Right responses left out because the same token ids were there before.
    pub num_duplicates: usize,
    /// Samples made of hinted second tries.
    pub num_rationalized: usize,
    /// The mean score of the first tries.
    pub reward: f64,
    /// The mean over groups of the standard deviation of their first tries' scores (Bessel).
    pub reward_std: f64,
    /// The mean of Σ(old − reference) over responses, in nats, where KL is in the reward.
    pub reward_kl: Option<f64>,
    /// The mean of old − reference over the sampled tokens of those responses, in nats.
    pub reward_kl_token: Option<f64>,
    /// The mean over samples of their weight.
    pub advantage_mean: f64,
    /// The standard deviation over samples of their weight (Bessel).
    pub advantage_std: f64,
}

/// Gathers a step's samples and what its report is made of.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) report: CreditReport,
    samples: Vec<Sample>,
    weights: Vec<f64>,
    scores: Vec<f64>,
    stds: Vec<f64>,
    kls: Vec<f64>,
    num_kl_tokens: usize,
}

impl Tally {
    /// Counts a group, whatever is learned of it. Says whether its first tries all have the same score.
    pub(super) fn count(&mut self, group: &Group, responses: &[Response<'_>]) -> bool {
        let first_tries = || responses.iter().filter(|response| !response.scored.hinted);
        let scores: Vec<f64> = first_tries().map(|response| response.score).collect();
        let overlong = responses.iter().filter(|response| response.scored.rollout.finish == Finish::Length);
        let is_zero_spread = scores.len() > 1 && !has_spread(&scores);
        let report = &mut self.report;
        report.num_groups += 1;
        report.num_responses += scores.len();
        report.num_hinted += responses.len() - scores.len();
        report.num_undecided += group.num_undecided;
        report.num_overlong += overlong.count();
        report.num_right += first_tries().filter(|response| response.right).count();
        report.num_zero_spread += usize::from(is_zero_spread);
        if scores.len() > 1 {
            self.stds.push(sample_std(&scores));
        }
        self.scores.extend(scores);
        is_zero_spread
    }

    /// Counts a response's KL in the reward, in nats, summed over so many tokens.
    pub(super) fn count_kl(&mut self, kl: f64, num_tokens: usize) {
        self.kls.push(kl);
        self.num_kl_tokens += num_tokens;
    }

    /// Takes a sample with the weight of its learned tokens.
    pub(super) fn keep(&mut self, sample: Sample, weight: f64) {
        self.samples.push(sample);
        self.weights.push(weight);
    }

    /// The step's samples and report.
    pub(super) fn finish(self) -> Credit {
        let mut report = self.report;
        report.num_kept = self.samples.len();
        report.frac_reward_zero_std = report.num_zero_spread as f64 / self.stds.len().max(1) as f64;
        report.reward = mean(&self.scores);
        report.reward_std = mean(&self.stds);
        report.reward_kl = (!self.kls.is_empty()).then(|| mean(&self.kls));
        let num_tokens = self.num_kl_tokens;
        report.reward_kl_token = (num_tokens > 0).then(|| self.kls.iter().sum::<f64>() / num_tokens as f64);
        report.advantage_mean = mean(&self.weights);
        report.advantage_std = sample_std(&self.weights);
        Credit { samples: self.samples, report }
    }
}
