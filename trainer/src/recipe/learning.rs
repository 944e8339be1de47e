//! The recipe's sections about learning: `[algorithm]`, `[update]`, `[optimizer]`. The others are in [`super::types`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[algorithm]`: `kind` names it; its other keys are the algorithm's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AlgorithmConfig {
    /// Supervised fine-tuning on the data's own responses.
    Sft {},
    /// STaR (Zelikman et al. 2022): keep right rationales, train from the base weights, repeat.
    Star {
        /// Shows the answer as a hint for failed problems and keeps what is then right, without the hint in what is learned.
        #[serde(default = "yes")]
        rationalize: bool,
        /// Optimizer steps of the first iteration.
        #[serde(default = "forty")]
        first_steps: u64,
        /// Each later iteration takes this many times the steps of the one before.
        #[serde(default = "star_growth")]
        growth: f64,
        /// Distinct rationales kept a problem.
        #[serde(default = "one_usize")]
        keep: usize,
    },
    /// Rejection-sampling fine-tuning: at most `keep` distinct right responses a problem, from the latest weights.
    Rft {
        /// Distinct right responses kept a problem.
        #[serde(default = "four")]
        keep: usize,
    },
    /// ReST-EM (Singh et al. 2023): as `rft`, but each step trains from the base weights.
    RestEm {
        /// Distinct right responses kept a problem.
        #[serde(default = "ten_usize")]
        keep: usize,
    },
    /// REINFORCE (Williams 1992) with the baseline of your choice.
    Reinforce {
        /// What is subtracted from the reward.
        #[serde(default)]
        baseline: Baseline,
    },
    /// RLOO (Ahmadian et al. 2024): leave-one-out baseline, one ratio a sequence.
    Rloo {},
    /// GRPO (Shao et al. 2024): rewards normalised within the group.
    Grpo {
        /// Added to the group's standard deviation.
        #[serde(default = "grpo_eps")]
        std_eps: f64,
    },
    /// Dr. GRPO (Liu et al. 2025): the group's mean is subtracted, nothing is divided.
    DrGrpo {},
}

/// What REINFORCE subtracts from a reward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// Nothing.
    None,
    /// The mean of the group, the response itself included.
    #[default]
    GroupMean,
    /// The mean of the group's other responses.
    LeaveOneOut,
}

/// `[update]`. Where `loss`, `aggregation` or `kl` is left out, the algorithm's own paper decides (docs/recipes.md has the table).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateConfig {
    /// Passes over a step's samples; left out, 1. Not for `star`, whose optimizer steps are counted.
    pub epochs: Option<u64>,
    /// Samples an optimizer step; left out, a pass is one optimizer step, and for `star` 64 (about the paper's eight packed sequences of 1024 tokens).
    pub batch: Option<usize>,
    /// Tokens of one forward and backward pass at most: bounds memory, changes no result. Left out, 4096.
    pub micro_batch: Option<usize>,
    /// The loss on a token.
    pub loss: Option<LossConfig>,
    /// How token losses become one number.
    pub aggregation: Option<Aggregation>,
    /// KL to the frozen base model; left out, `grpo` takes its paper's (k3 in the loss, coef 0.04) and the others none.
    pub kl: Option<KlConfig>,
    /// Recomputes each layer's inside in the backward pass instead of keeping it: less memory, a third more time.
    pub recompute: bool,
    /// A response cut off at the token limit: `zero` scores it 0, `mask` leaves it out of the loss but in its group's baseline, `keep` treats it as any other.
    pub overlong: Overlong,
    /// Drops groups whose responses all have the same score: with a baseline they carry no policy gradient, only KL. No cited paper does so, hence false.
    pub drop_zero_spread: bool,
    /// A group of which undecided verdicts leave fewer than two judged responses, so that it has no baseline: `drop` leaves it out and counts it, `stop` stops the run, to be resumed when the judge works again.
    pub undecided_groups: UndecidedGroups,
    /// Stops the run after so many skipped steps in a row (non-finite loss or gradient); left out, 3.
    pub max_skipped: Option<u64>,
}

/// The loss on one token, OBJECTIVES notation: r is the ratio, A the weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LossConfig {
    /// −A·lp, no ratio (REINFORCE, and with A = 1 the likelihood of rejection sampling).
    Reinforce {},
    /// −min(r·A, clip(r, 1 − low, 1 + high)·A).
    Clip {
        /// ε below 1.
        #[serde(default = "clip_eps")]
        low: f64,
        /// ε above 1.
        #[serde(default = "clip_eps")]
        high: f64,
        /// Dual clip: for A < 0 the objective is at least `dual`·A.
        #[serde(default)]
        dual: Option<f64>,
    },
    /// −stop(min(r, cap))·A·lp.
    Cispo {
        /// The cap on the ratio.
        #[serde(default = "cispo_cap")]
        cap: f64,
    },
}

/// How token losses become one number; divisors are those of the whole optimizer step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregation {
    /// Σ loss / Σ learned tokens (DAPO; likelihood training).
    TokenMean,
    /// The mean over responses of each response's token mean (GRPO).
    SequenceMean,
    /// Σ loss / (responses · max_new_tokens) (Dr. GRPO).
    Constant,
    /// The mean over responses of each response's token sum (RLOO, REINFORCE).
    SequenceSum,
}

/// KL to the frozen base model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KlConfig {
    /// Its weight, β; 0 turns off the KL that the algorithm would have.
    pub coef: f64,
    /// Which estimator, with x = lp − ref: k1 = x, k2 = x²/2, k3 = exp(−x) + x − 1.
    #[serde(default)]
    pub estimator: KlEstimator,
    /// Where it acts: on every learned token of the loss, or subtracted from the reward before any baseline (k1, under the weights that sampled).
    #[serde(default)]
    pub place: KlPlace,
}

/// An estimator of the KL divergence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KlEstimator {
    /// lp − ref.
    K1,
    /// (lp − ref)² / 2.
    K2,
    /// exp(ref − lp) + lp − ref − 1.
    #[default]
    K3,
}

/// Where the KL acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KlPlace {
    /// In the loss.
    #[default]
    Loss,
    /// In the reward.
    Reward,
}

/// What happens to responses that the token limit cut off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Overlong {
    /// Their score is 0, whatever the verifier said.
    #[default]
    Zero,
    /// They stay in the baseline but are not learned from.
    Mask,
    /// As any other response.
    Keep,
}

/// What happens to groups that undecided verdicts leave without a baseline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UndecidedGroups {
    /// They are left out and counted.
    #[default]
    Drop,
    /// The run stops.
    Stop,
}

/// `[optimizer]`: AdamW.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// The peak learning rate.
    pub lr: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Decoupled weight decay, on matrices only (not on norms, biases and embeddings).
    pub weight_decay: f64,
    /// Optimizer steps from 0 to the peak.
    pub warmup: u64,
    /// What follows the warm-up.
    pub schedule: Schedule,
    /// The schedule's length in optimizer steps, warm-up included; left out, it is worked out from the recipe (required where that cannot be known). It counts from the start of the run; for `star` and `rest-em`, which train from the base weights each time, from the start of each step.
    pub total: Option<u64>,
    /// Gradients are scaled down to this L2 norm; 0 never scales.
    pub max_grad_norm: f64,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            lr: 1e-6,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.0,
            warmup: 0,
            schedule: Schedule::Constant,
            total: None,
            max_grad_norm: 1.0,
        }
    }
}

/// A learning-rate schedule after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Stays at the peak.
    #[default]
    Constant,
    /// Half a cosine down to 0.
    Cosine,
    /// A line down to 0.
    Linear,
}

fn yes() -> bool {
    true
}
fn forty() -> u64 {
    40
}
fn star_growth() -> f64 {
    1.2
}
fn one_usize() -> usize {
    1
}
fn four() -> usize {
    4
}
fn ten_usize() -> usize {
    10
}
fn grpo_eps() -> f64 {
    1e-4
}
fn clip_eps() -> f64 {
    0.2
}
fn cispo_cap() -> f64 {
    5.0
}
