//! The recipe's sections as typed TOML: what a user may write, with every default. Unknown keys are errors.
//! `polestar train --schema` prints the JSON schema of these types; the comments here are its descriptions.

use std::collections::BTreeMap;

use polestar_data::SourceConfig;
use polestar_verifiers::rubric::{PartRule, default_weight};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::learning::*;

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
    /// The run folder's name, under `runs/` unless `--run` says otherwise: letters, digits, `-`, `_` and `.`.
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
    /// Shows the examples in the first so many steps only; left out, in all.
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
    /// Sequences decoded at once; 0 takes 64 on a CPU and 256 on a GPU. More sample faster and need more memory.
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
    /// Names the verifier in metrics and in `--set verifier.NAME.key=value`; the kind unless given. Letters, digits, `-` and `_`.
    #[serde(default)]
    pub name: String,
    /// Which verifier: `polestar verify --help` lists them.
    pub kind: String,
    /// Its share in the mean of several; left out, 1, and 0 for a gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// The score from which a response counts as right. 0 for one that shapes the score and has no say in what is right, such as `length`.
    #[serde(default = "one")]
    pub success: f64,
    /// Where its score is below `success` the whole score is 0, and the verifiers after it are not asked.
    #[serde(default)]
    pub gate: bool,
    /// Seconds for one response, above 0 and at most a day; past it a verdict is undecided.
    #[serde(default = "ten")]
    pub timeout_s: f64,
    /// Verifications at once; 0 takes as many as `run.threads`.
    #[serde(default)]
    pub jobs: usize,
    /// The kind's own settings, checked by the kind.
    #[serde(flatten)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub options: toml::Table,
}

/// `[checkpoint]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointConfig {
    /// Steps between checkpoints, at least 1; the last step always writes one.
    pub every: u64,
    /// How many of the newest that `every` asked for stay, beside the best by evaluation; 0 keeps all of them.
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
    /// Numbers of worked examples to measure with, taken from the first of `prompt.examples`; each is measured by itself.
    pub shots: Vec<usize>,
    /// Samples a problem.
    pub samples: usize,
    /// The sampling temperature; left out, 0 for one sample and the rollout's for more.
    pub temperature: Option<f64>,
    /// The limit of new tokens; left out, the rollout's.
    pub max_new_tokens: Option<usize>,
}

impl Default for EvalConfig {
    fn default() -> Self {
        Self {
            every: 0,
            at_start: false,
            problems: 200,
            shots: vec![0],
            samples: 1,
            temperature: None,
            max_new_tokens: None,
        }
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

impl VerifierConfig {
    /// How it counts among several.
    #[must_use]
    pub fn rule(&self) -> PartRule {
        PartRule {
            name: self.label().to_owned(),
            weight: self.weight.unwrap_or_else(|| default_weight(self.gate)),
            success: self.success,
            gate: self.gate,
        }
    }

    /// Its name: `name`, or `kind` where that is left out.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.name.is_empty() { &self.kind } else { &self.name }
    }

    /// The kind's own settings as a JSON object, as verifiers take them.
    #[must_use]
    pub fn options_json(&self) -> serde_json::Value {
        serde_json::to_value(&self.options)
            .expect("TOML tables have string keys, which is all that JSON asks")
    }
}

fn auto() -> String {
    "auto".into()
}
fn one() -> f64 {
    1.0
}
fn ten() -> f64 {
    10.0
}
