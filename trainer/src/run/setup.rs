//! From a plan to a session that is ready for its first step, or to an error that says what is wrong before anything
//! long has begun.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polestar_data::{Dataset, Order, overlap};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use tch::{Device, Kind, Tensor};

use super::RunError;
use super::checkpoint::{self, RunState};
use super::folder::{self, RunDir};
use super::journal::Journal;
use super::judges::Rubric;
use super::memory;
use super::metrics::MetricsWriter;
use super::pins;
use super::prompts::{Form, PromptError, Prompter};
use super::rollout_log;
use super::tensorboard::EventWriter;
use crate::algorithms::{self, Algorithm, Family, Start};
use crate::engine::Sampling;
use crate::model::torch::guard;
use crate::model::{Decoder, DecoderConfig, device, load_folder};
use crate::objectives::{KlTerm, Loss, LossSpec};
use crate::recipe::{AlgorithmConfig, Dtype, DtypeChoice, KlConfig, KlPlace, Plan};
use crate::rollout::{Task, TokenId};
use crate::text::Tokenizer;
use crate::update::backward::PassSettings;
use crate::update::{UpdateSettings, Updater};

/// Everything a run works with.
pub struct Session {
    /// What the run does.
    pub plan: Plan,
    /// Where it writes.
    pub dir: RunDir,
    /// Makes prompts.
    pub prompter: Prompter,
    /// Judges responses.
    pub rubric: Rubric,
    /// The problems to learn from.
    pub train: Vec<Arc<Task>>,
    /// The evaluation sets by name.
    pub evals: BTreeMap<String, EvalSet>,
    /// Judges of lenient extraction, where there is such a thing.
    pub lenient: Option<Rubric>,
    /// Which problem comes when.
    pub order: Order,
    /// Assigns credit.
    pub algorithm: Box<dyn Algorithm>,
    /// Weights and optimizer.
    pub updater: Updater,
    /// The frozen base model, where a KL needs it.
    pub reference: Option<Decoder>,
    /// The folder of the base model.
    pub base: PathBuf,
    /// The run's state as of the last committed step.
    pub state: RunState,
    pub(super) journal: Journal,
    pub(super) metrics: MetricsWriter,
    pub(super) events: Option<EventWriter>,
}

/// One evaluation set, bound to the recipe's judges and to lenient ones.
pub struct EvalSet {
    /// For the recipe's rule.
    pub tasks: Vec<Arc<Task>>,
    /// The same problems for lenient extraction; empty where there is none.
    pub lenient: Vec<Arc<Task>>,
}

impl Session {
    /// Opens or creates the run in `root` and loads everything, going on from the last checkpoint if there is one.
    ///
    /// # Errors
    /// Whatever does not fit: see [`RunError`].
    pub fn open(plan: Plan, root: &Path, recipe_text: &str, say: &dyn Fn(&str)) -> Result<Self, RunError> {
        let config = model_folder(&plan.model.path).ok().and_then(|it| DecoderConfig::from_folder(&it).ok());
        if let Some(config) = &config
            && let Some(misfit) = memory::misfit(&plan, config, memory::available(&plan))
        {
            say(&format!("warning: {misfit}"));
        }
        let outcome = Self::load(plan.clone(), root, recipe_text, say);
        outcome.map_err(|error| memory::explain(error, &plan, config.as_ref()))
    }

    fn load(plan: Plan, root: &Path, recipe_text: &str, say: &dyn Fn(&str)) -> Result<Self, RunError> {
        tch::set_num_threads(i32::try_from(plan.run.threads).unwrap_or(1));
        let base = model_folder(&plan.model.path)?;
        let rubric = Rubric::new(&plan.verifier)?;
        rubric.ready()?;
        let lenient = Rubric::lenient(&plan.verifier)?;
        let Data { train, evals, hashes } = load_data(&plan, &rubric, lenient.as_ref(), say)?;

        let mut tokenizer = Tokenizer::load(&base)?;
        let device = device::parse(&plan.model.device);
        let kind = device::kind(plan.model.dtype);
        say(&format!("loading {} as {:?} on {device:?}", base.display(), plan.model.dtype));
        let loaded = load_folder(&base, device, Some(Kind::Float))?;
        for warning in &loaded.config.warnings {
            say(&format!("{}: {warning}", base.display()));
        }
        tokenizer.check_vocab(loaded.config.vocab_size)?;
        let mut plan = plan;
        plan.weights_hash = Some(weights_hash(&loaded.weights.ordered()));
        plan.data_hashes = hashes;
        plan.model_files = pins::model_files(&base, &tokenizer)?;
        plan.chat_day = pins::chat_day(root, &plan.prompt, &tokenizer)?;
        if let Some(day) = plan.chat_day {
            tokenizer.set_now(day);
        }
        // Before the folder is made: what is wrong here is mended in the recipe, which a run's folder fixes.
        let prompter =
            Prompter::new(Arc::new(tokenizer), &plan.prompt, loaded.config.max_position_embeddings)?;
        check_prompts(&prompter, &plan, &train, &evals)?;
        let dir = RunDir::open_or_create(root, recipe_text, &plan)?;

        let has_reference = plan.update.kl.as_ref().is_some_and(|kl| kl.coef != 0.0);
        let reference = guard("copying the frozen reference", || {
            has_reference.then(|| {
                let weights = loaded.weights.to(&loaded.config, device, kind);
                Decoder::new(loaded.config.clone(), detached_copy(&loaded.config, &weights))
            })
        })?;
        let updater = guard("making gradients and the optimizer's moments", || {
            let masters = loaded.weights.ordered().into_iter().map(Tensor::shallow_clone).collect();
            let compute = loaded.weights.to(&loaded.config, device, kind);
            Updater::new(Decoder::new(loaded.config, compute), masters)
        })?;
        let algorithm = algorithms::build(&plan.algorithm);
        let order = Order::new(plan.run.seed, train.len());
        let events = None;
        let mut session = Self {
            journal: Journal::open(&dir.journal())?,
            metrics: MetricsWriter::open(dir.root())?,
            events,
            plan,
            dir,
            prompter,
            rubric,
            train,
            evals,
            lenient,
            order,
            algorithm,
            updater,
            reference,
            base,
            state: RunState {
                step: 0,
                update_step: 0,
                adam_step: 0,
                skipped: 0,
                num_tokens: 0,
                algorithm: serde_json::Value::Null,
                best: None,
                unfinished: None,
            },
        };
        session.go_on(say)?;
        Ok(session)
    }

    /// Takes up the last checkpoint, and cuts what was written after it.
    fn go_on(&mut self, say: &dyn Fn(&str)) -> Result<(), RunError> {
        super::atomic::clean_leftovers(&self.dir.checkpoints())?;
        super::atomic::clean_leftovers(&self.dir.rollouts())?;
        super::atomic::clean_leftovers(&self.dir.evals())?;
        super::atomic::clean_leftovers(self.dir.root())?;
        let last = folder::checkpoint_steps(&self.dir.checkpoints()).pop();
        if let Some((step, path)) = last {
            let state = checkpoint::read_state(&path)?;
            let (kind, moments) = (self.saved_kind(), self.saves_moments());
            guard("restoring the checkpoint", || {
                checkpoint::restore(&path, &mut self.updater, &state, kind, moments)
            })??;
            self.algorithm.restore(&state.algorithm)?;
            self.state = state;
            super::atomic::point_latest(&self.dir.checkpoints(), &format!("step-{step:06}"))?;
            say(&format!("going on from {} (step {step} of {})", path.display(), self.plan.run.steps));
            self.metrics.truncate_after(self.recorded_step())?;
            // A kill after the checkpoint was in place and before the older ones were removed.
            self.retain()?;
        } else {
            self.metrics.truncate_all()?;
        }
        rollout_log::remove_after(&self.dir.rollouts(), self.state.step)?;
        if self.plan.log.tensorboard {
            self.events = Some(EventWriter::create(&self.dir.tensorboard(), self.recorded_step() + 1)?);
        }
        Ok(())
    }

    /// Removes the checkpoints and the journal's segments that the newest checkpoint makes needless.
    pub(super) fn retain(&mut self) -> Result<(), RunError> {
        let best = self.state.best.map(|(step, _)| step);
        let scheduled = |step| self.plan.saves_at(step);
        checkpoint::retain(&self.dir.checkpoints(), &scheduled, self.plan.checkpoint.keep, best)?;
        self.journal.retain(self.state.step + 1)?;
        Ok(())
    }

    /// The recipe's KL, where it has one that counts.
    pub(super) fn update_kl(&self) -> Option<&KlConfig> {
        self.plan.update.kl.as_ref().filter(|kl| kl.coef != 0.0)
    }

    /// The last step whose metrics are written: that of the checkpoint, unless its evaluation is still to come.
    fn recorded_step(&self) -> u64 {
        self.state.step - u64::from(self.state.unfinished.is_some())
    }

    /// Whether each training step begins at the base weights.
    #[must_use]
    pub fn starts_from_base(&self) -> bool {
        self.algorithm.start() == Start::Base
    }

    /// The kind of the weights in checkpoints.
    pub(super) fn saved_kind(&self) -> Kind {
        device::kind(match self.plan.checkpoint.dtype {
            DtypeChoice::F32 => Dtype::F32,
            DtypeChoice::F16 => Dtype::F16,
            DtypeChoice::Bf16 => Dtype::Bf16,
            DtypeChoice::Auto => self.plan.world.checkpoint_dtype,
        })
    }

    /// Whether checkpoints hold the optimizer's moments. Training that begins again at the base weights never reads
    /// them.
    pub(super) fn saves_moments(&self) -> bool {
        !self.starts_from_base()
    }

    /// How responses are sampled in training; `with_examples` while worked examples are shown.
    #[must_use]
    pub fn sampling(&self, with_examples: bool) -> Sampling {
        sampling(&self.plan, with_examples, self.prompter.tokenizer().stop_ids().to_vec())
    }

    /// How the step (from 1) updates.
    #[must_use]
    pub fn update_settings(&self, step: u64) -> UpdateSettings {
        update_settings(&self.plan, self.algorithm.family(), step)
    }
}

/// How a plan's responses are sampled; `with_examples` while worked examples are shown.
#[must_use]
pub fn sampling(plan: &Plan, with_examples: bool, stop_ids: Vec<TokenId>) -> Sampling {
    let rollout = &plan.rollout;
    let temperature = match rollout.examples_temperature {
        Some(temperature) if with_examples => temperature,
        _ => rollout.temperature,
    };
    Sampling {
        temperature,
        top_p: rollout.top_p,
        top_k: rollout.top_k,
        min_p: rollout.min_p,
        max_new_tokens: rollout.max_new_tokens,
        stop_ids,
        stop: rollout.stop.clone(),
        slots: slots(plan),
    }
}

/// How step `step` (from 1) of a plan updates, its algorithm being of `family`.
#[must_use]
pub fn update_settings(plan: &Plan, family: Family, step: u64) -> UpdateSettings {
    let update = &plan.update;
    let kl = update.kl.as_ref().filter(|kl| kl.place == KlPlace::Loss && kl.coef != 0.0);
    // Likelihood training is at temperature 1; policy gradients are at the temperature that sampled.
    let temperature = match family {
        Family::PolicyGradient => plan.rollout.temperature,
        Family::Supervised | Family::Rejection => 1.0,
    };
    UpdateSettings {
        pass: PassSettings {
            spec: LossSpec {
                loss: Loss::from(&update.loss),
                aggregation: update.aggregation,
                kl: kl.map(|kl| KlTerm { estimator: kl.estimator, coef: kl.coef }),
                correction: None,
                max_new_tokens: plan.rollout.max_new_tokens,
            },
            temperature,
            recompute: update.recompute,
        },
        optimizer: plan.optimizer.clone(),
        total_steps: plan.schedule_total(step).unwrap_or(u64::MAX),
        epochs: update.epochs.unwrap_or(1),
        batch: update.batch,
        micro_batch: update.micro_batch,
        max_skipped: update.max_skipped,
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("dir", &self.dir).field("state", &self.state).finish_non_exhaustive()
    }
}

/// Sequences decoded at once.
#[must_use]
pub fn slots(plan: &Plan) -> usize {
    match (plan.rollout.slots, device::parse(&plan.model.device)) {
        (0, Device::Cpu) => 64,
        (0, _) => 256,
        (slots, _) => slots,
    }
}

/// Weights that share nothing with `weights` and take no gradient.
#[must_use]
pub fn detached_copy(
    config: &crate::model::DecoderConfig,
    weights: &crate::model::ModelWeights,
) -> crate::model::ModelWeights {
    let tensors = weights.ordered().into_iter().map(|t| t.detach().copy()).collect();
    crate::model::ModelWeights::from_ordered(config, tensors)
}

/// The folder of a model: a path, or `hf:owner/name[@revision]` in the Hugging Face cache.
///
/// # Errors
/// There is no such folder.
pub fn model_folder(path: &str) -> Result<PathBuf, RunError> {
    if let Some(name) = path.strip_prefix("hf:") {
        let name = polestar_data::hub::HubName::parse(name)?;
        let cache = polestar_data::hub::cache_dir();
        return Ok(polestar_data::hub::snapshot(&cache, polestar_data::hub::RepoKind::Model, &name)?);
    }
    let folder = PathBuf::from(path);
    if folder.join("config.json").is_file() {
        return Ok(folder);
    }
    // A run's checkpoints folder stands for its latest checkpoint.
    for inside in ["latest", "checkpoints/latest"] {
        let latest = folder.join(inside);
        if latest.join("config.json").is_file() {
            return Ok(latest);
        }
    }
    Err(RunError::Unfit {
        problem: format!("{path} is not a model: expected a Hugging Face folder with config.json, found {}", if folder.is_dir() { "a folder without one" } else { "no folder" }),
        key: "model.path",
        next: "name a model folder, or hf:owner/name for what the Hugging Face cache holds; scripts/quickstart.sh makes models/SmolLM2-135M-Instruct, `polestar import-gguf` and `polestar init-model` make others".into(),
    })
}

/// What the recipe's sources hold.
struct Data {
    train: Vec<Arc<Task>>,
    evals: BTreeMap<String, EvalSet>,
    /// The hash of each set, by name.
    hashes: BTreeMap<String, String>,
}

fn load_data(
    plan: &Plan,
    rubric: &Rubric,
    lenient: Option<&Rubric>,
    say: &dyn Fn(&str),
) -> Result<Data, RunError> {
    let mut train = None;
    let mut others = Vec::new();
    let mut hashes = BTreeMap::new();
    for (name, config) in &plan.data {
        let set = Dataset::load(config, name)?;
        hashes.insert(name.clone(), set.fingerprint());
        if name == "train" {
            train = Some(set);
        } else {
            others.push((name.clone(), set));
        }
    }
    let Some(train) = train else {
        return Err(RunError::Unfit {
            problem: "the recipe has no [data.train]".into(),
            key: "data.train",
            next: "say where the problems to learn from come from".into(),
        });
    };
    for (name, set) in &others {
        let shared = overlap(&train, set);
        if !shared.is_empty() {
            say(&format!(
                "warning: {} of {} problems in data.{name} are also in data.train: its accuracy will say more about memory than about reasoning. Remove them from one of the two",
                shared.pairs.len(),
                set.problems.len()
            ));
        }
    }
    let need = plan.rollout.prompts;
    if train.problems.len() < need && !matches!(plan.algorithm, AlgorithmConfig::Sft {}) {
        return Err(RunError::Unfit {
            problem: format!("a step wants {need} problems, and {} has {}", train.name, train.problems.len()),
            key: "rollout.prompts",
            next: "lower rollout.prompts, or give more problems".into(),
        });
    }
    let mut evals = BTreeMap::new();
    for (name, mut set) in others {
        if plan.eval.problems > 0 {
            set.problems.truncate(plan.eval.problems);
        }
        let loose = match lenient {
            Some(lenient) => lenient.bind(set.problems.clone())?,
            None => Vec::new(),
        };
        evals.insert(name, EvalSet { tasks: rubric.bind(set.problems)?, lenient: loose });
    }
    Ok(Data { train: rubric.bind(train.problems)?, evals, hashes })
}

/// Makes every prompt that the run may need once: one that does not render or does not fit is told now, not after hours.
fn check_prompts(
    prompter: &Prompter,
    plan: &Plan,
    train: &[Arc<Task>],
    evals: &BTreeMap<String, EvalSet>,
) -> Result<(), RunError> {
    let num_examples = prompter.num_examples();
    let trained_examples = if plan.prompt.train_on_examples { num_examples } else { 0 };
    let check = |task: &Arc<Task>| -> Result<(), PromptError> {
        let problem = &task.problem;
        if matches!(plan.algorithm, AlgorithmConfig::Sft {}) {
            return prompter.supervised(problem).map(drop);
        }
        prompter.ids(problem, num_examples, Form::Plain)?;
        let answer = task.judges.iter().find_map(|judge| judge.answer());
        if let (AlgorithmConfig::Star { rationalize: true, .. }, Some(answer)) = (&plan.algorithm, answer) {
            // With the examples, and without them where they are shown in the first steps only.
            let shown = [Some(num_examples), plan.prompt.examples_steps.map(|_| 0)];
            for shown in shown.into_iter().flatten() {
                let trained = prompter.ids(problem, shown.min(trained_examples), Form::Plain)?;
                prompter.hinted(problem, shown, &answer, &trained, plan.rollout.max_new_tokens)?;
            }
        }
        Ok(())
    };
    first_error(train, check)?;
    let shots = plan.eval.shots.iter().copied().max().unwrap_or(0);
    for set in evals.values() {
        first_error(&set.tasks, |task| prompter.ids(&task.problem, shots, Form::Plain).map(drop))?;
    }
    Ok(())
}

/// Checks all tasks in parallel. The error is that of the first task in order, whichever was looked at first.
fn first_error(
    tasks: &[Arc<Task>],
    check: impl Fn(&Arc<Task>) -> Result<(), PromptError> + Sync,
) -> Result<(), RunError> {
    let first = tasks.par_iter().find_map_first(|task| check(task).err());
    first.map_or(Ok(()), |error| Err(error.into()))
}

/// SHA-256 over the bytes of f32 weights in canonical order.
#[must_use]
pub fn weights_hash(weights: &[&Tensor]) -> String {
    let mut hash = Sha256::new();
    for tensor in weights {
        let tensor = tensor.detach().to_device(Device::Cpu).to_kind(Kind::Float).contiguous();
        let n = tensor.numel();
        let mut bytes = vec![0u8; n * 4];
        tensor.copy_data_u8(&mut bytes, n);
        hash.update(&bytes);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
