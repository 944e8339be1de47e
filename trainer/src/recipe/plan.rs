//! A recipe with nothing left open: what a run does, saved as plan.json. A run may be resumed only by a recipe that
//! resolves to the same plan.

use std::collections::BTreeMap;

use polestar_data::SourceConfig;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::resolve::World;
use super::types::{
    Aggregation, AlgorithmConfig, CheckpointConfig, DtypeChoice, KlConfig, LogConfig, LossConfig,
    OptimizerConfig, Overlong, PromptConfig, RolloutConfig, RunConfig, Schedule, UndecidedGroups,
    VerifierConfig,
};
use crate::algorithms::build;
use crate::complaint::{Complain, Complaint, Place};

/// What a run does, in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of the program that made it.
    pub code_version: String,
    /// The hash of the base weights, once the caller has read them.
    pub weights_hash: Option<String>,
    /// The hash of each data set's problems by the set's name, once the caller has read them.
    #[serde(default)]
    pub data_hashes: BTreeMap<String, String>,
    /// The hash of each of the base model's other files by its name, once the caller has read them.
    #[serde(default)]
    pub model_files: BTreeMap<String, String>,
    /// The day that the model's chat template sees, where it asks for one: Unix seconds of a midnight (UTC). A run keeps
    /// the day on which it was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_day: Option<i64>,
    /// Name, seed, steps; `threads` is a number of threads.
    pub run: RunConfig,
    /// The model, its type and its device.
    pub model: ModelPlan,
    /// The training set and the evaluation sets.
    pub data: BTreeMap<String, SourceConfig>,
    /// How a problem becomes a prompt.
    pub prompt: PromptConfig,
    /// How responses are sampled; `examples_temperature` is filled.
    pub rollout: RolloutConfig,
    /// Who judges; `name` and `jobs` are filled.
    pub verifier: Vec<VerifierConfig>,
    /// How scores become weights.
    pub algorithm: AlgorithmConfig,
    /// The loss and its batches.
    pub update: UpdatePlan,
    /// AdamW; `total` is filled where the schedule has one length ([`Plan::schedule_total`] gives it in every case).
    pub optimizer: OptimizerConfig,
    /// When checkpoints are written; `dtype` is a type.
    pub checkpoint: CheckpointConfig,
    /// When and how the evaluation sets are measured.
    pub eval: EvalPlan,
    /// What is written beside checkpoints.
    pub log: LogConfig,
    /// What the machine had. Resuming resolves the recipe for this world again, so that the thread count stays.
    pub world: World,
}

/// A floating-point type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// 32-bit.
    F32,
    /// 16-bit with f32's range.
    Bf16,
    /// 16-bit IEEE.
    F16,
}

/// `[model]`, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelPlan {
    /// A folder or a hub id, as in the recipe.
    pub path: String,
    /// The type to compute in.
    pub dtype: Dtype,
    /// `cpu` or `cuda:N`.
    pub device: String,
}

/// `[update]`, resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdatePlan {
    /// Passes over a step's samples; none for STaR, whose optimizer steps are counted ([`Plan::optimizer_steps`]).
    pub epochs: Option<u64>,
    /// Samples an optimizer step; none makes a pass one optimizer step.
    pub batch: Option<usize>,
    /// Tokens of one forward and backward pass at most.
    pub micro_batch: usize,
    /// The loss on a token.
    pub loss: LossConfig,
    /// How token losses become one number.
    pub aggregation: Aggregation,
    /// KL to the frozen base model, if any.
    pub kl: Option<KlConfig>,
    /// Whether each layer's inside is recomputed in the backward pass.
    pub recompute: bool,
    /// What happens to responses that the token limit cut off.
    pub overlong: Overlong,
    /// Whether groups whose responses all have the same score are dropped.
    pub drop_zero_spread: bool,
    /// What happens to groups that undecided verdicts leave without a baseline.
    #[serde(default)]
    pub undecided_groups: UndecidedGroups,
    /// Skipped optimizer steps in a row that stop the run.
    pub max_skipped: u64,
}

/// `[eval]`, resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvalPlan {
    /// Steps between evaluations; 0 evaluates at the end only.
    pub every: u64,
    /// Also before the first step.
    pub at_start: bool,
    /// Problems of each set; 0 takes all.
    pub problems: usize,
    /// Numbers of worked examples to measure with.
    pub shots: Vec<usize>,
    /// Samples a problem.
    pub samples: usize,
    /// The sampling temperature; 0 is greedy.
    pub temperature: f64,
    /// The limit of new tokens.
    pub max_new_tokens: usize,
}

/// Two plans that are not of the same run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the run's plan has {key} = {saved}, the recipe now resolves to {now}")]
pub struct PlanMismatch {
    /// The first key that differs.
    pub key: String,
    /// Its value in the saved plan, as JSON; `nothing` if it is not there.
    pub saved: String,
    /// Its value in the new plan.
    pub now: String,
    /// Where the new value is from, if the key is none of the recipe's: a data source, a file of the model.
    pub place: Option<String>,
}

/// A plan.json that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("plan.json is not a plan: {0}")]
pub struct PlanParseError(#[from] serde_json::Error);

impl Plan {
    /// The text of plan.json. The same plan always gives the same bytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!("{:#}\n", self.to_value())
    }

    /// Reads plan.json.
    ///
    /// # Errors
    /// The text is not JSON or not a plan of this version.
    pub fn from_json(text: &str) -> Result<Self, PlanParseError> {
        Ok(serde_json::from_str(text)?)
    }

    /// Whether `other`, what the recipe resolves to now, is the plan of the same run as this one, which was saved.
    /// `run.steps` may be higher in `other`; hashes count once both plans have them; `world` and `chat_day`, which a
    /// run keeps from its beginning, do not count.
    ///
    /// # Errors
    /// Names the first key that differs, in the order of plan.json.
    pub fn same_run(&self, other: &Self) -> Result<(), PlanMismatch> {
        let comparable = |plan: &Self| {
            let hashes = (&self.weights_hash, &other.weights_hash);
            let weights_hash = if let (Some(_), Some(_)) = hashes { plan.weights_hash.clone() } else { None };
            let has_files = !self.model_files.is_empty() && !other.model_files.is_empty();
            let model_files = if has_files { plan.model_files.clone() } else { BTreeMap::new() };
            let has_data = !self.data_hashes.is_empty() && !other.data_hashes.is_empty();
            let data_hashes = if has_data { plan.data_hashes.clone() } else { BTreeMap::new() };
            let mut run = plan.run.clone();
            if other.run.steps >= self.run.steps {
                run.steps = 0;
            }
            let (world, chat_day) = (self.world, None);
            Self { weights_hash, data_hashes, model_files, chat_day, run, world, ..plan.clone() }.to_value()
        };
        let difference = first_difference("", &comparable(self), &comparable(other));
        difference.map_or(Ok(()), |found| Err(PlanMismatch { place: other.place_of(&found.key), ..found }))
    }

    /// Where a hash is from.
    fn place_of(&self, key: &str) -> Option<String> {
        if let Some(set) = key.strip_prefix(DATA_HASHES) {
            return Some(self.data.get(set)?.source.clone());
        }
        key.strip_prefix(MODEL_FILES).map(|file| format!("{}/{file}", self.model.path))
    }

    /// Whether a checkpoint is due at the end of step `step` (from 1), whatever happens in it.
    #[must_use]
    pub fn saves_at(&self, step: u64) -> bool {
        step == self.run.steps || step.is_multiple_of(self.checkpoint.every.max(1))
    }

    /// How many optimizer steps step `step` (from 1) takes, where the algorithm and not the data decides.
    #[must_use]
    pub fn optimizer_steps(&self, step: u64) -> Option<u64> {
        build(&self.algorithm).optimizer_steps(step)
    }

    /// The schedule's length in optimizer steps, warm-up included; nothing where the rate stays at its peak. It counts
    /// from the start of the run, or of step `step` (from 1) where every step trains from the base weights.
    #[must_use]
    pub fn schedule_total(&self, step: u64) -> Option<u64> {
        if self.optimizer.schedule == Schedule::Constant {
            return None;
        }
        self.optimizer.total.or_else(|| self.optimizer_steps(step))
    }

    fn to_value(&self) -> Value {
        // Keys are strings and numbers are finite: the recipe's check refuses others. Null stands for what could not
        // be written and then equals no plan.
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

impl Dtype {
    /// The choice that names this type.
    #[must_use]
    pub fn choice(self) -> DtypeChoice {
        match self {
            Self::F32 => DtypeChoice::F32,
            Self::Bf16 => DtypeChoice::Bf16,
            Self::F16 => DtypeChoice::F16,
        }
    }
}

/// How the keys of hashes begin.
const DATA_HASHES: &str = "data_hashes.";
const MODEL_FILES: &str = "model_files.";

impl PlanMismatch {
    /// The complaint where not the recipe changed but a file that it names.
    fn changed_file(&self) -> Option<Complaint> {
        let Self { key, saved, now, place } = self;
        let place = place.as_ref()?;
        let (what, of_what, recipe_key) = if let Some(set) = key.strip_prefix(DATA_HASHES) {
            (format!("the problems of data.{set} are"), "their", format!("data.{set}.source"))
        } else {
            let file = key.strip_prefix(MODEL_FILES)?;
            (format!("the base model's {file} is"), "its", "model.path".to_owned())
        };
        let complaint = Complaint::call(format!("{what} not what this run was started with: {place}"))
            .expected(format!("{of_what} SHA-256 to be {saved}, as in the run's plan.json ({key})"))
            .found(now.clone())
            .at(Place::Key(recipe_key));
        Some(complaint.next("put back what was there, or start a new run under another run.name"))
    }
}

impl Complain for PlanMismatch {
    fn complaints(&self) -> Vec<Complaint> {
        if let Some(complaint) = self.changed_file() {
            return vec![complaint];
        }
        let Self { key, saved, now, .. } = self;
        let next = match key.as_str() {
            "code_version" => {
                format!("resume with version {saved}, or start a new run under another run.name")
            }
            "weights_hash" => {
                "put back the base weights that the run started from, or start a new run".to_owned()
            }
            "run.steps" => format!("set run.steps to {saved} or more"),
            "optimizer.total" => format!(
                "the schedule's length follows from the recipe: write optimizer.total = {saved} to keep the run's schedule"
            ),
            _ => format!("set {key} back to {saved}, or start a new run under another run.name"),
        };
        let complaint = Complaint::call(format!(
            "the recipe is not the one that this run was started with: {key} differs"
        ))
        .expected(format!("{key} = {saved}, as in the run's plan.json (only run.steps may be raised)"))
        .found(format!("{key} = {now}"));
        vec![complaint.at(Place::Key(key.clone())).next(next)]
    }
}

fn first_difference(path: &str, saved: &Value, now: &Value) -> Option<PlanMismatch> {
    let join = |part: &str| super::origins::join(path, part);
    let nothing = Value::Null;
    match (saved, now) {
        (Value::Object(saved), Value::Object(now)) => {
            let keys = saved.keys().chain(now.keys().filter(|key| !saved.contains_key(*key)));
            keys.filter_map(|key| {
                let (saved, now) = (saved.get(key).unwrap_or(&nothing), now.get(key).unwrap_or(&nothing));
                first_difference(&join(key), saved, now)
            })
            .next()
        }
        (Value::Array(saved), Value::Array(now)) => (0..saved.len().max(now.len())).find_map(|index| {
            let (saved, now) = (saved.get(index).unwrap_or(&nothing), now.get(index).unwrap_or(&nothing));
            first_difference(&join(&index.to_string()), saved, now)
        }),
        (saved, now) if saved == now => None,
        (saved, now) => {
            let shown =
                |value: &Value| if value.is_null() { "nothing".to_owned() } else { value.to_string() };
            Some(PlanMismatch { key: path.to_owned(), saved: shown(saved), now: shown(now), place: None })
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
