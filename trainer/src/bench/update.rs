//! `bench update`: learning alone, from random tokens.

use serde::Serialize;

use super::memory::Baseline;
use super::{Report, Workload, timed};
use crate::algorithms;
use crate::run::{RunError, setup};
use crate::update::Updater;

/// What the update did.
#[derive(Debug, Serialize)]
pub struct UpdateFigures {
    /// Sequence tokens that went through the model, prompts included.
    pub trained_tokens: u64,
    /// Tokens with a loss.
    pub learned_tokens: u64,
    /// Sequences.
    pub samples: usize,
    /// Optimizer steps.
    pub optimizer_steps: usize,
    /// The last optimizer step's loss.
    pub loss: f64,
    /// The last optimizer step's gradient norm.
    pub grad_norm: f64,
}

/// Measures learning. `tokens_per_s` counts trained sequence tokens; making and scoring the samples is not timed.
///
/// # Errors
/// libtorch's refusal.
pub fn update(
    workload: &Workload,
    updater: &mut Updater,
    baseline: &Baseline,
) -> Result<Report<UpdateFigures>, RunError> {
    let samples = workload.random_samples(&updater.decoder)?;
    let family = algorithms::build(&workload.plan.algorithm).family();
    let settings = setup::update_settings(&workload.plan, family, 1);
    let seed = workload.plan.run.seed;
    let (reports, clock) = timed(baseline, workload.warmup, |run| {
        updater.update(&settings, &samples, None, (seed, run), &mut |_| true).map_err(RunError::from)
    })?;
    let last = reports.last();
    let figures = UpdateFigures {
        trained_tokens: reports.iter().map(|report| report.num_tokens).sum(),
        learned_tokens: samples
            .iter()
            .map(|s| s.learned.iter().filter(|&&learned| learned).count() as u64)
            .sum(),
        samples: samples.len(),
        optimizer_steps: reports.len(),
        loss: last.map_or(f64::NAN, |report| report.loss),
        grad_norm: last.map_or(f64::NAN, |report| report.grad_norm),
    };
    let tokens = figures.trained_tokens;
    Ok(Report::new("update", clock, Some(tokens), figures))
}
