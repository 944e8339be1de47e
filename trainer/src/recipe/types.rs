//! The recipe's sections as typed TOML: what a user may write, with every default. Unknown keys are errors.
//! `polestar train --schema` prints the JSON schema of these types; the comments here are its descriptions.

use std::collections::BTreeMap;

use polestar_data::SourceConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The run's name, seed and length.
    pub run: RunConfig,
    /// The model to train.
    pub model: ModelConfig,
    /// `[data.train]` is learned from; every other table (`[data.eval]`, `[data.unseen]`, ...) is an evaluation set.
    pub data: BTreeMap<String, SourceConfig>,
    /// How a problem becomes a prompt.
    #[serde(default)]
    pub prompt: PromptConfig,
    /// How responses are sampled.
    #[serde(default)]
    pub rollout: RolloutConfig,
    /// Who judges responses; several make a weighted rubric.
    #[serde(default)]
    pub verifier: Vec<VerifierConfig>,
    /// How scores become weights on tokens.
    pub algorithm: AlgorithmConfig,
    /// The loss and its batches.
    #[serde(default)]
    pub update: UpdateConfig,
    /// AdamW and its schedule.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
    /// When checkpoints are written and which are kept.
    #[serde(default)]
    pub checkpoint: CheckpointConfig,
    /// When and how the evaluation sets are measured.
    #[serde(default)]
    pub eval: EvalConfig,
    /// What is written beside checkpoints.
    #[serde(default)]
    pub log: LogConfig,
}

/// `[run]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// The run folder's name, under `runs/` unless `--run` says otherwise.
    pub name: String,
    /// Every random number of the run comes from this seed and from where it is used.
    #[serde(default)]
    pub seed: u64,
    /// Steps: batches of rollouts, or STaR's outer iterations.
    pub steps: u64,
    /// CPU threads; 0 takes one for each core, and plan.json pins the number found.
    #[serde(default)]
    pub threads: usize,
}

/// `[model]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// A Hugging Face folder, or `hf:owner/name[@revision]` for what the Hugging Face cache already holds.
    pub path: String,
    /// The type that the model computes in. `auto` is the checkpoint's own type on a GPU and f32 on a CPU. Masters are always f32.
    #[serde(default)]
    pub dtype: DtypeChoice,
    /// `auto` takes a GPU where there is one; otherwise `cpu`, `cuda` or `cuda:N`.
    #[serde(default = "auto")]
    pub device: String,
}

/// A floating-point type to compute in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DtypeChoice {
    /// The checkpoint's own type on a GPU, f32 on a CPU.
    #[default]
    Auto,
    /// 32-bit.
    F32,
    /// 16-bit with f32's range; f32 masters are kept for the optimizer.
    Bf16,
    /// 16-bit IEEE; f32 masters are kept for the optimizer.
    F16,
}

/// `[prompt]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PromptConfig {
    /// The system message of a chat prompt; leaving it out leaves it to the model's template.
    pub system: Option<String>,
    /// Jinja over the problem's fields that makes the user's message, for instance `{{ prompt }}`.
    pub template: String,
    /// Whether the model's chat template wraps the prompt. `auto`: if the model has one.
    pub chat: ChatChoice,
    /// Worked examples shown before the problem.
    pub examples: Vec<ExampleConfig>,
    /// Shows the examples in the first so many steps only; leaving it out shows them always.
    pub examples_steps: Option<u64>,
    /// Whether the examples are part of what is learned after, too. False makes the model learn to do without them.
    pub train_on_examples: bool,
    /// Jinja that makes the user's message of a hinted second try (STaR's rationalization); it also sees `answer` and `hint`.
    pub hint: String,
    /// What the shown and the learned text begin the response with (a scratchpad's first words), outside the chat template.
    pub response_prefix: String,
}

impl Default for PromptConfig {
    fn default() -> Self {
        Self {
            system: None,
            template: "{{ prompt }}".into(),
            chat: ChatChoice::Auto,
            examples: Vec::new(),
            examples_steps: None,
            train_on_examples: false,
            hint: "{{ prompt }}\n\nHint: the final answer is {{ answer }}.".into(),
            response_prefix: String::new(),
        }
    }
}

/// Whether the chat template is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChatChoice {
    /// If the model has a template.
    #[default]
    Auto,
    /// Always; a model without a template is an error.
    On,
    /// Never: the prompt is plain text.
    Off,
}

/// A worked example, `[[prompt.examples]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExampleConfig {
    /// The problem.
    pub prompt: String,
    /// Its worked response.
    pub response: String,
}

/// `[rollout]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RolloutConfig {
    /// Problems a step.
    pub prompts: usize,
    /// Samples a problem.
    pub n: usize,
    /// Divides the logits before the softmax; 0 is greedy.
    pub temperature: f64,
    /// The temperature while worked examples are shown, if it is another.
    pub examples_temperature: Option<f64>,
    /// Keeps the smallest set of tokens with at least this probability.
    pub top_p: f64,
    /// Keeps this many tokens; 0 keeps all.
    pub top_k: usize,
    /// Keeps tokens with at least this share of the most likely token's probability.
    pub min_p: f64,
    /// The limit of new tokens.
    pub max_new_tokens: usize,
    /// Texts that end a response where they appear.
    pub stop: Vec<String>,
    /// Sequences decoded at once; 0 chooses from the memory at hand.
    pub slots: usize,
}

impl Default for RolloutConfig {
    fn default() -> Self {
        Self {
            prompts: 32,
            n: 8,
            temperature: 1.0,
            examples_temperature: None,
            top_p: 1.0,
            top_k: 0,
            min_p: 0.0,
            max_new_tokens: 256,
            stop: Vec::new(),
            slots: 0,
        }
    }
}

/// `[[verifier]]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VerifierConfig {
    /// Names the verifier in metrics and in `--set verifier.NAME.key=value`; the kind unless given.
    #[serde(default)]
    pub name: String,
    /// Which verifier: `polestar verify --help` lists them.
    pub kind: String,
    /// Its share in a rubric of several.
    #[serde(default = "one")]
    pub weight: f64,
    /// The score from which a response counts as right.
    #[serde(default = "one")]
    pub success: f64,
    /// Seconds for one response; past it a verdict is undecided.
    #[serde(default = "ten")]
    pub timeout_s: f64,
    /// Verifications at once; 0 takes one for each core.
    #[serde(default)]
    pub jobs: usize,
    /// The kind's own settings, checked by the kind.
    #[serde(flatten)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub options: toml::Table,
}

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

/// `[update]`. Where a key is left out, the algorithm's own paper decides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateConfig {
    /// Passes over a step's samples (not for `star`, whose steps are counted). Default 1.
    pub epochs: Option<u64>,
    /// Samples an optimizer step; left out, a pass is one optimizer step.
    pub batch: Option<usize>,
    /// Tokens of one forward and backward pass at most: bounds memory, changes no result. Default 4096.
    pub micro_batch: Option<usize>,
    /// The loss on a token.
    pub loss: Option<LossConfig>,
    /// How token losses become one number.
    pub aggregation: Option<Aggregation>,
    /// KL to the frozen base model; left out, none.
    pub kl: Option<KlConfig>,
    /// Recomputes each layer's inside in the backward pass instead of keeping it: less memory, a third more time.
    pub recompute: bool,
    /// A response cut off at the token limit: `zero` scores it 0, `mask` leaves it out of the loss but in its group's baseline, `keep` treats it as any other. Default `zero`.
    pub overlong: Overlong,
    /// Drops groups whose responses all have the same score (they carry no policy gradient, only KL). Default: as the algorithm's paper, `false`.
    pub drop_zero_spread: bool,
    /// Stops the run after so many skipped steps in a row (non-finite loss or gradient). Default 3.
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
    /// Its weight, β.
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
    /// The schedule's length in optimizer steps; left out, it is worked out from the recipe (required where that cannot be known).
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

/// `[checkpoint]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointConfig {
    /// Steps between checkpoints; the last step always writes one.
    pub every: u64,
    /// How many of the newest stay, beside the best by evaluation; 0 keeps all.
    pub keep: usize,
    /// The type of the saved weights. `auto`: the base checkpoint's own.
    pub dtype: DtypeChoice,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self { every: 10, keep: 2, dtype: DtypeChoice::Auto }
    }
}

/// `[eval]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EvalConfig {
    /// Steps between evaluations; 0 evaluates at the end only.
    pub every: u64,
    /// Also before the first step.
    pub at_start: bool,
    /// Problems of each set, the first so many; 0 takes all.
    pub problems: usize,
    /// Samples a problem; 1 is greedy unless `temperature` says otherwise.
    pub samples: usize,
    /// The sampling temperature; left out, 0 for one sample and the rollout's for more.
    pub temperature: Option<f64>,
    /// The limit of new tokens; left out, the rollout's.
    pub max_new_tokens: Option<usize>,
}

impl Default for EvalConfig {
    fn default() -> Self {
        Self { every: 0, at_start: false, problems: 200, samples: 1, temperature: None, max_new_tokens: None }
    }
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Writes TensorBoard files.
    pub tensorboard: bool,
    /// Writes every sampled text with its verdict.
    pub rollouts: bool,
    /// Stops the run when more than this share of a step's verdicts is undecided.
    pub max_undecided: f64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { tensorboard: true, rollouts: true, max_undecided: 0.1 }
    }
}

fn auto() -> String {
    "auto".into()
}
fn yes() -> bool {
    true
}
fn one() -> f64 {
    1.0
}
fn ten() -> f64 {
    10.0
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
