//! From a recipe and the facts of a machine to a plan: every default is filled in, by the algorithm's paper where it has
//! a say ([`super::defaults`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::defaults::{self, ScheduleLength};
use super::error::RecipeError;
use super::plan::{Dtype, EvalPlan, ModelPlan, Plan, UpdatePlan};
use super::types::{AlgorithmConfig, DtypeChoice, Recipe};
use crate::algorithms::build;
use crate::complaint::{Complaint, Place};

/// What resolving needs to know about the machine and the base model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// CPU cores that the process may use, at least 1.
    pub cores: usize,
    /// GPUs that libtorch can use.
    pub num_gpus: usize,
    /// The type of the base checkpoint's weights.
    pub checkpoint_dtype: Dtype,
    /// How many sequences fit into memory at once for decoding; 0 leaves `rollout.slots = 0` to the engine.
    pub slots: usize,
}

/// A device that `model.device` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Device {
    Auto,
    Cpu,
    Cuda(usize),
}

impl Device {
    /// Reads `auto`, `cpu`, `cuda` or `cuda:N`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "cpu" => Some(Self::Cpu),
            "cuda" => Some(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|digits| digits.parse().ok())
                .map(Self::Cuda),
        }
    }
}

impl Recipe {
    /// Fills in everything that the recipe leaves open.
    ///
    /// # Errors
    /// The rules that the recipe breaks ([`Recipe::violations`]), or what this machine lacks.
    pub fn resolve(&self, world: &World) -> Result<Plan, RecipeError> {
        let violations = self.violations();
        if !violations.is_empty() {
            return Err(RecipeError::Rules(violations));
        }
        let model = self.resolve_model(world).map_err(|complaint| RecipeError::World(vec![*complaint]))?;
        let mut run = self.run.clone();
        if run.threads == 0 {
            run.threads = world.cores;
        }
        let mut rollout = self.rollout.clone();
        if rollout.slots == 0 {
            rollout.slots = world.slots;
        }
        if !self.prompt.examples.is_empty() {
            rollout.examples_temperature.get_or_insert(rollout.temperature);
        }
        let mut verifier = self.verifier.clone();
        for config in &mut verifier {
            config.name = config.label().to_owned();
            config.weight = Some(config.rule().weight);
            if config.jobs == 0 {
                config.jobs = run.threads;
            }
        }
        let mut optimizer = self.optimizer.clone();
        if let (true, ScheduleLength::Known(length)) = (self.needs_schedule_length(), self.schedule_length())
        {
            optimizer.total.get_or_insert(length);
        }
        let mut checkpoint = self.checkpoint.clone();
        checkpoint.dtype = concrete(checkpoint.dtype).unwrap_or(world.checkpoint_dtype).choice();
        Ok(Plan {
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
            weights_hash: None,
            data_hashes: BTreeMap::new(),
            model_files: BTreeMap::new(),
            chat_day: None,
            run,
            model,
            data: self.data.clone(),
            prompt: self.prompt.clone(),
            rollout,
            verifier,
            algorithm: self.algorithm.clone(),
            update: self.resolve_update(),
            optimizer,
            checkpoint,
            eval: self.resolve_eval(),
            log: self.log.clone(),
            world: *world,
        })
    }

    fn resolve_model(&self, world: &World) -> Result<ModelPlan, Box<Complaint>> {
        let config = &self.model;
        let wanted = Device::parse(&config.device).unwrap_or(Device::Auto);
        let device = match wanted {
            Device::Auto if world.num_gpus > 0 => Device::Cuda(0),
            Device::Auto => Device::Cpu,
            Device::Cuda(index) if index >= world.num_gpus => {
                let gpus = match world.num_gpus {
                    0 => "no GPU that libtorch can use".to_owned(),
                    1 => "one GPU, cuda:0".to_owned(),
                    n => format!("{n} GPUs, cuda:0 to cuda:{}", n - 1),
                };
                return Err(Complaint::call(format!(
                    "model.device = {:?} is not on this machine",
                    config.device
                ))
                .expected("a device that this machine has")
                .found(gpus)
                .at(Place::Key("model.device".to_owned()))
                .next("run `polestar doctor` to see what is missing, or pass --set model.device=auto")
                .into());
            }
            other => other,
        };
        let (name, auto_dtype) = match device {
            Device::Cuda(index) => (format!("cuda:{index}"), world.checkpoint_dtype),
            Device::Cpu | Device::Auto => ("cpu".to_owned(), Dtype::F32),
        };
        let dtype = concrete(config.dtype).unwrap_or(auto_dtype);
        Ok(ModelPlan { path: config.path.clone(), dtype, device: name })
    }

    fn resolve_update(&self) -> UpdatePlan {
        let update = &self.update;
        let is_star = matches!(self.algorithm, AlgorithmConfig::Star { .. });
        UpdatePlan {
            epochs: if is_star { None } else { Some(update.epochs.unwrap_or(1)) },
            batch: update.batch.or(if is_star { Some(defaults::STAR_BATCH) } else { None }),
            micro_batch: update.micro_batch.unwrap_or(defaults::MICRO_BATCH),
            loss: self.effective_loss(),
            aggregation: update.aggregation.unwrap_or_else(|| build(&self.algorithm).defaults().aggregation),
            kl: self.effective_kl(),
            recompute: update.recompute,
            overlong: update.overlong,
            drop_zero_spread: update.drop_zero_spread,
            undecided_groups: update.undecided_groups,
            max_skipped: update.max_skipped.unwrap_or(defaults::MAX_SKIPPED),
        }
    }

    fn resolve_eval(&self) -> EvalPlan {
        let eval = &self.eval;
        EvalPlan {
            every: eval.every,
            at_start: eval.at_start,
            problems: eval.problems,
            shots: eval.shots.clone(),
            samples: eval.samples,
            temperature: self.eval_temperature(),
            max_new_tokens: eval.max_new_tokens.unwrap_or(self.rollout.max_new_tokens),
        }
    }

    /// The temperature of evaluations: as written, else greedy for one sample and the rollout's for more.
    pub(super) fn eval_temperature(&self) -> f64 {
        let left_out = if self.eval.samples > 1 { self.rollout.temperature } else { 0.0 };
        self.eval.temperature.unwrap_or(left_out)
    }
}

fn concrete(choice: DtypeChoice) -> Option<Dtype> {
    match choice {
        DtypeChoice::Auto => None,
        DtypeChoice::F32 => Some(Dtype::F32),
        DtypeChoice::Bf16 => Some(Dtype::Bf16),
        DtypeChoice::F16 => Some(Dtype::F16),
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
