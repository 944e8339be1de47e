//! The types that the stages hand to each other. Each stage takes the previous stage's type, so a stage in the wrong
//! order does not compile:
//!
//! ```text
//! Problem -> Task -> Prompt -> Rollout -> Verdict -> Scored -> Sample
//! ```

use std::sync::Arc;

use polestar_data::Problem;
use polestar_verifiers::{Judge, Score, Verdict};

use crate::seeds::Coords;

/// A token's id in the model's vocabulary.
pub type TokenId = u32;

/// Counts the optimizer steps that made a set of weights: 0 is the base model.
pub type WeightVersion = u64;

/// A problem bound to its judges: its reference answer has been parsed.
pub struct Task {
    /// The problem, as the data had it.
    pub problem: Problem,
    /// Judge responses to this problem, one for each of the recipe's verifiers.
    pub judges: Vec<Arc<dyn Judge>>,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("problem", &self.problem).finish_non_exhaustive()
    }
}

/// What is sampled from and what is learned from. They differ where something is given for sampling and taken away
/// for learning: worked examples, or the hint of a second try. Where they differ no ratio is defined.
#[derive(Debug)]
pub struct Prompt {
    /// The problem and its judge.
    pub task: Arc<Task>,
    /// The ids that the engine samples after.
    pub shown: Vec<TokenId>,
    /// The ids that the update learns after.
    pub trained: Vec<TokenId>,
}

/// Why a rollout ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finish {
    /// The policy sampled a stop id (which is the last of the rollout's ids), or a stop string appeared.
    Stop,
    /// The limit of new tokens, or the context, was reached.
    Length,
}

/// The token ids that top-p, top-k or min-p left at each position, where sampling was truncated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptSets {
    /// All kept ids, position after position.
    pub ids: Vec<TokenId>,
    /// Where each position's ids end in `ids`.
    pub ends: Vec<usize>,
}

/// One response: token ids, never re-encoded text.
#[derive(Clone, Debug)]
pub struct Rollout {
    /// What it answers.
    pub prompt: Arc<Prompt>,
    /// Everything after the prompt, in order.
    pub ids: Vec<TokenId>,
    /// Aligned with `ids`: true where the policy chose the token, false where the environment put it there.
    pub sampled: Vec<bool>,
    /// Aligned with `ids`: nats, given `shown`, at the sampling temperature, over the full vocabulary; 0 where not sampled.
    pub logprobs: Vec<f32>,
    /// What truncated sampling kept, if it was truncated.
    pub kept: Option<KeptSets>,
    /// Why it ended.
    pub finish: Finish,
    /// The weights that sampled it.
    pub version: WeightVersion,
    /// Where its random numbers came from.
    pub coords: Coords,
}

/// A rollout with a judged score. Made only from `Verdict::Judged`: an undecided verdict cannot become a reward.
#[derive(Clone, Debug)]
pub struct Scored {
    /// The response.
    pub rollout: Rollout,
    /// In [0, 1].
    pub score: Score,
    /// Whether the score reaches the verifier's `success` threshold.
    pub right: bool,
    /// Why, for people.
    pub reason: String,
    /// Whether this is a hinted second try: `prompt.shown` holds a hint that `prompt.trained` lacks.
    pub hinted: bool,
}

/// The responses to one problem in one step.
#[derive(Clone, Debug)]
pub struct Group {
    /// The problem and its judge.
    pub task: Arc<Task>,
    /// The judged responses, in sample order.
    pub scored: Vec<Scored>,
    /// How many of the problem's verdicts were undecided and therefore are not in `scored`.
    pub num_undecided: usize,
}

impl Scored {
    /// A score from a verdict, or the verdict back if it is undecided.
    ///
    /// # Errors
    /// Gives back the rollout and the verdict when the verdict is undecided.
    pub fn from_verdict(
        rollout: Rollout,
        verdict: Verdict,
        success: f64,
        hinted: bool,
    ) -> Result<Self, Box<(Rollout, Verdict)>> {
        match verdict {
            Verdict::Judged { score, reason, .. } => {
                let right = score.get() >= success;
                Ok(Self { rollout, score, right, reason, hinted })
            }
            undecided @ Verdict::Undecided { .. } => Err(Box::new((rollout, undecided))),
        }
    }
}

/// Which importance ratio a sample's loss uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ratio {
    /// No ratio: the loss is a weighted negative log-likelihood.
    None,
    /// One ratio a token.
    Token,
    /// One ratio a sequence, the product over its tokens (RLOO).
    SequenceSum,
    /// One ratio a sequence, the geometric mean over its tokens (GSPO).
    SequenceMean,
}

/// What the update learns from: one sequence with a weight a token. The update never learns which algorithm made it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Which problem it came from, to name it in messages.
    pub problem: String,
    /// Prompt and response.
    pub ids: Vec<TokenId>,
    /// Aligned with `ids`: where loss and KL act. Never true at position 0, which nothing predicts.
    pub learned: Vec<bool>,
    /// Aligned with `ids`: the weight (advantage) of each learned token; a weight of 0 still counts in divisors and KL.
    pub weights: Vec<f32>,
    /// Aligned with `ids`, nats: log-probabilities under the weights that the update starts from.
    pub old: Option<Vec<f32>>,
    /// Aligned with `ids`, nats: log-probabilities under the weights that sampled.
    pub mu: Option<Vec<f32>>,
    /// Aligned with `ids`, nats: log-probabilities under the frozen reference.
    pub reference: Option<Vec<f32>>,
    /// Which ratio its loss uses.
    pub ratio: Ratio,
}
