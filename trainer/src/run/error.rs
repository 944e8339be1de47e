//! Why a run could not start, go on or end.

use std::path::PathBuf;

use polestar_data::DataError;

use super::atomic::WriteError;
use super::journal::JournalError;
use super::judges::JudgeError;
use super::metrics::MetricsError;
use super::prompts::PromptError;
use super::rollout_log::RolloutLogError;
use crate::algorithms::CreditError;
use crate::complaint::{Complain, Complaint};
use crate::engine::EngineError;
use crate::eval::EvalError;
use crate::model::LoadError;
use crate::model::save::SaveError;
use crate::model::torch::TorchError;
use crate::recipe::{PlanMismatch, PlanParseError, RecipeError};
use crate::text::TextError;
use crate::update::UpdateError;

/// Why a run could not start, go on or end.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each variant is the error of the room it names")]
pub enum RunError {
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error(transparent)]
    Mismatch(#[from] PlanMismatch),
    #[error("{path}: {source}")]
    Plan { path: PathBuf, source: PlanParseError },
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Text(#[from] TextError),
    #[error(transparent)]
    Prompt(#[from] PromptError),
    #[error(transparent)]
    Judge(#[from] JudgeError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error(transparent)]
    Credit(#[from] CreditError),
    #[error(transparent)]
    Eval(#[from] EvalError),
    #[error(transparent)]
    Torch(#[from] TorchError),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    #[error(transparent)]
    RolloutLog(#[from] RolloutLogError),
    /// The run folder is not what it should be.
    #[error("{path}: {problem}")]
    Folder { path: PathBuf, problem: String, next: String },
    /// Too many verdicts were undecided.
    #[error(
        "step {step}: {undecided} of {total} verdicts were undecided, more than log.max_undecided = {limit} allows; the last one: {cause}"
    )]
    Undecided { step: u64, undecided: usize, total: usize, limit: f64, cause: String },
    /// Undecided verdicts left a group without a baseline.
    #[error(
        "step {step}: {undecided} verdicts on problem {problem:?} were undecided, which leaves {left} judged response(s) and no baseline, and update.undecided_groups = \"stop\"; the last cause: {cause}. `polestar resume` asks for those verdicts again"
    )]
    UndecidedGroup { step: u64, problem: String, undecided: usize, left: usize, cause: String },
    /// Data and recipe do not fit.
    #[error("{problem}")]
    Unfit { problem: String, key: &'static str, next: String },
    /// A saved checkpoint does not give the logits of the weights in memory.
    #[error(
        "checkpoint {path} reads back to other log-probabilities than those of the weights in memory: they differ by up to {difference:e} nats. The disk or the memory is faulty; what was written is removed again, and the checkpoints before it are as they were"
    )]
    Reload { path: PathBuf, difference: f64 },
    /// Asked to stop in the middle of a step, whose weights are still those that the step before left.
    #[error("interrupted")]
    Interrupted,
    /// Memory ran out: what needed how much, the plan's parts, and what would need less.
    #[error("{source}")]
    OutOfMemory { source: Box<RunError>, parts: String, advice: String },
    /// Asked to stop; what was committed is safe.
    #[error("stopped after step {step} on request; `polestar resume` goes on from there")]
    Stopped { step: u64 },
}

impl RunError {
    /// Whether a request to stop ended the work while the weights were as the last committed step left them.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        let engine = |error: &EngineError| matches!(error, EngineError::Interrupted);
        match self {
            Self::Interrupted => true,
            Self::Engine(error) | Self::Eval(EvalError::Engine(error)) => engine(error),
            _ => false,
        }
    }

    /// Whether an allocation of libtorch failed.
    #[must_use]
    pub fn is_out_of_memory(&self) -> bool {
        let torch = match self {
            Self::Engine(EngineError::Torch { source, .. })
            | Self::Eval(EvalError::Engine(EngineError::Torch { source, .. }))
            | Self::Update(UpdateError::Torch { source, .. } | UpdateError::Optimizer(source))
            | Self::Load(LoadError::Torch(source))
            | Self::Torch(source) => source,
            _ => return false,
        };
        torch.is_out_of_memory()
    }
}

impl Complain for RunError {
    fn complaints(&self) -> Vec<Complaint> {
        match self {
            Self::Recipe(error) => error.complaints(),
            Self::Mismatch(error) => error.complaints(),
            Self::Folder { path, problem, next } => {
                vec![Complaint::call(format!("{}: {problem}", path.display())).next(next.clone())]
            }
            Self::Unfit { problem, key, next } => vec![
                Complaint::call(problem.clone())
                    .at(crate::complaint::Place::Key((*key).into()))
                    .next(next.clone()),
            ],
            // What the recipe names and what is not as it should be: the call is wrong, not the work.
            Self::Data(error) => vec![Complaint::call(error.to_string())],
            // Memory and devices are not the call's fault.
            Self::Load(LoadError::Torch(_)) => vec![Complaint::from_error(self)],
            Self::Load(error) => vec![Complaint::call(error.to_string())],
            Self::Text(error) => vec![Complaint::call(error.to_string())],
            Self::Prompt(error) => vec![Complaint::call(error.to_string())],
            Self::Judge(error) => vec![Complaint::call(error.to_string())],
            Self::Plan { .. } => vec![Complaint::call(self.to_string())],
            Self::OutOfMemory { source, parts, advice } => {
                vec![Complaint::work(source.to_string()).found(parts.clone()).next(advice.clone())]
            }
            other => vec![Complaint::from_error(other)],
        }
    }
}
