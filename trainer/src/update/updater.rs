//! The update that `train` calls: a step's samples in, optimizer steps on f32 masters, and a report of what happened.

use tch::{Kind, Tensor};

use super::adamw::AdamW;
use super::backward::{PassSettings, SampleReport, accumulate};
use super::{batches, schedule};
use crate::model::torch::{TorchError, guard};
use crate::model::{Decoder, weights};
use crate::objectives::{Divisors, Learned, LossError};
use crate::recipe::OptimizerConfig;
use crate::rollout::Sample;

/// How the update works.
#[derive(Clone, Debug)]
pub struct UpdateSettings {
    /// The objective and how passes are made.
    pub pass: PassSettings,
    /// AdamW and its schedule.
    pub optimizer: OptimizerConfig,
    /// The schedule's length in optimizer steps.
    pub total_steps: u64,
    /// Passes over a step's samples.
    pub epochs: u64,
    /// Samples an optimizer step; all of them if `None`.
    pub batch: Option<usize>,
    /// Tokens that go through the model together.
    pub micro_batch: usize,
    /// Skipped optimizer steps in a row that end the run.
    pub max_skipped: u64,
}

/// Why an update failed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The objective does not fit a sample.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// libtorch refused.
    #[error("{source}{}", micro_batch_words(source, *tokens, *limit))]
    Torch {
        /// What it said.
        source: TorchError,
        /// Tokens of the micro-batch.
        tokens: usize,
        /// `update.micro_batch`.
        limit: usize,
    },
    /// libtorch refused the optimizer's own work, which no micro-batch changes.
    #[error(transparent)]
    Optimizer(TorchError),
    /// Nothing finite for several optimizer steps.
    #[error(
        "{skipped} optimizer steps in a row had a non-finite {what}, last from problem {problem:?}: the weights are those before them. Lower `optimizer.lr`, or compute in another `model.dtype` (f16 overflows where bf16 and f32 do not)"
    )]
    NonFinite {
        /// How many.
        skipped: u64,
        /// Loss or gradient.
        what: &'static str,
        /// The sample's problem.
        problem: String,
    },
    /// Asked to stop.
    #[error("interrupted while updating")]
    Interrupted,
}

/// What a pass needs most of, where there was too little of it.
fn micro_batch_words(source: &TorchError, tokens: usize, limit: usize) -> String {
    if !source.is_out_of_memory() {
        return String::new();
    }
    format!(
        ". The micro-batch had {tokens} tokens: a smaller update.micro_batch (now {limit}; one sequence is the least), update.recompute = true or a smaller rollout.max_new_tokens need less"
    )
}

/// One optimizer step.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// The aggregated loss.
    pub loss: f64,
    /// L2 norm of the gradient before clipping.
    pub grad_norm: f64,
    /// The learning rate.
    pub learning_rate: f64,
    /// The samples, as indices into the training step's.
    pub samples: Vec<usize>,
    /// Aligned with `samples`.
    pub reports: Vec<SampleReport>,
    /// Why the weights were left as they were: what was not finite, and in which problem's sample.
    pub skipped: Option<(&'static str, String)>,
    /// Sequence tokens that went through the model.
    pub num_tokens: u64,
}

/// How far an update is.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A micro-batch of an optimizer step is about to be computed.
    MicroBatch,
    /// An optimizer step is done.
    Step(&'a StepReport),
}

/// Hears how far an update is; false stops it, unless that was the last optimizer step.
pub type Progress<'a> = dyn FnMut(Event<'_>) -> bool + 'a;

/// Weights, their masters and the optimizer.
#[derive(Debug)]
pub struct Updater {
    /// The weights that sampling and training compute with.
    pub decoder: Decoder,
    /// f32 weights that the optimizer steps; the decoder's own where it computes in f32.
    pub masters: Vec<Tensor>,
    /// The optimizer.
    pub adam: AdamW,
    /// Optimizer steps since the run began; the version of the weights.
    pub version: u64,
    /// Skipped optimizer steps in a row.
    pub skipped: u64,
    gradients: Vec<Tensor>,
    decays: Vec<bool>,
}

impl Updater {
    /// Takes over a decoder's weights, f32 `masters` in canonical order giving their values.
    #[must_use]
    pub fn new(decoder: Decoder, masters: Vec<Tensor>) -> Self {
        let masters: Vec<Tensor> = if decoder.kind() == Kind::Float {
            decoder.weights.ordered().into_iter().map(Tensor::shallow_clone).collect()
        } else {
            masters
        };
        for weight in decoder.weights.ordered() {
            let _ = weight.set_requires_grad(true);
        }
        let masters: Vec<Tensor> = masters.iter().map(Tensor::detach).collect();
        let decays = weights::specs(&decoder.config)
            .iter()
            .map(|spec| spec.shape.len() == 2 && spec.name != weights::EMBED && spec.name != weights::HEAD)
            .collect();
        let gradients = masters.iter().map(Tensor::zeros_like).collect();
        let adam = AdamW::new(&masters);
        Self { decoder, masters, adam, version: 0, skipped: 0, gradients, decays }
    }

    /// Replaces the weights' values.
    pub fn set_weights(&mut self, values: &[Tensor]) {
        tch::no_grad(|| {
            for (master, value) in self.masters.iter_mut().zip(values) {
                master.copy_(value);
            }
        });
        self.publish();
    }

    /// Starts the optimizer afresh.
    pub fn reset_optimizer(&mut self) {
        self.adam.reset();
    }

    /// Brings the masters' values to the weights that are computed with.
    fn publish(&mut self) {
        if self.decoder.kind() != Kind::Float {
            self.decoder.weights.copy_from(&self.masters);
        }
    }

    /// Learns from `samples`: passes, optimizer steps, micro-batches. `steps` sets the number of optimizer steps, for
    /// algorithms that count them; `seed` and `step` shuffle.
    ///
    /// # Errors
    /// A sample that the objective does not fit, libtorch's refusal, too many skipped steps in a row, or `progress`
    /// stopped it ([`UpdateError::Interrupted`]): the weights are then those after the last optimizer step that was
    /// done, which [`Updater::version`] counts.
    pub fn update(
        &mut self,
        settings: &UpdateSettings,
        samples: &[Sample],
        steps: Option<u64>,
        (seed, step): (u64, u64),
        progress: &mut Progress<'_>,
    ) -> Result<Vec<StepReport>, UpdateError> {
        let plan =
            batches::optimizer_steps(samples.len(), settings.batch, settings.epochs, steps, seed, step);
        let mut reports = Vec::with_capacity(plan.len());
        let num_steps = plan.len();
        for indices in plan {
            let report = self.optimizer_step(settings, samples, indices, progress)?;
            let go_on = progress(Event::Step(&report));
            if let Some((what, problem)) = &report.skipped
                && self.skipped >= settings.max_skipped
            {
                return Err(UpdateError::NonFinite { skipped: self.skipped, what, problem: problem.clone() });
            }
            reports.push(report);
            if !go_on && reports.len() < num_steps {
                return Err(UpdateError::Interrupted);
            }
        }
        Ok(reports)
    }

    fn optimizer_step(
        &mut self,
        settings: &UpdateSettings,
        samples: &[Sample],
        indices: Vec<usize>,
        progress: &mut Progress<'_>,
    ) -> Result<StepReport, UpdateError> {
        let chosen: Vec<&Sample> = indices.iter().map(|&index| &samples[index]).collect();
        let reports = self.gradient_while(settings, &chosen, progress)?;
        let divisors = Divisors::new(&settings.pass.spec, chosen.iter().copied());
        let loss: f64 = chosen
            .iter()
            .zip(&reports)
            .map(|(s, r)| divisors.weight_of(s) * r.terms.iter().map(|t| t.loss).sum::<f64>())
            .sum();
        let grad_norm = self.guarded_norm()?;
        let lr = schedule::learning_rate(&settings.optimizer, self.adam.step + 1, settings.total_steps);
        let mut skipped = None;
        if loss.is_finite() && grad_norm.is_finite() {
            guard("stepping the weights", || self.step_weights(&settings.optimizer, lr, grad_norm))
                .map_err(UpdateError::Optimizer)?;
            self.skipped = 0;
        } else {
            self.skipped += 1;
            let what = if loss.is_finite() { "gradient" } else { "loss" };
            skipped = Some((what, self.blame(settings, &chosen, &reports)?));
        }
        let taught = chosen.iter().filter(|s| settings.pass.spec.is_moved_by(s));
        let num_tokens = taught.map(|s| s.ids.len() as u64).sum();
        Ok(StepReport { loss, grad_norm, learning_rate: lr, samples: indices, reports, skipped, num_tokens })
    }

    /// The gradient of one optimizer step's samples, into our buffers. The reports are in the order of `samples`; a
    /// sample that cannot move the weights does not go through the model and has an empty one.
    ///
    /// # Errors
    /// As [`Updater::update`].
    pub fn gradient(
        &mut self,
        settings: &UpdateSettings,
        samples: &[&Sample],
    ) -> Result<Vec<SampleReport>, UpdateError> {
        self.gradient_while(settings, samples, &mut |_| true)
    }

    fn gradient_while(
        &mut self,
        settings: &UpdateSettings,
        samples: &[&Sample],
        progress: &mut Progress<'_>,
    ) -> Result<Vec<SampleReport>, UpdateError> {
        tch::no_grad(|| {
            for gradient in &mut self.gradients {
                let _ = gradient.zero_();
            }
        });
        let divisors = Divisors::new(&settings.pass.spec, samples.iter().copied());
        let mut reports = vec![SampleReport::default(); samples.len()];
        let teaching: Vec<usize> =
            (0..samples.len()).filter(|&index| settings.pass.spec.is_moved_by(samples[index])).collect();
        let taught: Vec<&Sample> = teaching.iter().map(|&index| samples[index]).collect();
        for micro in batches::micro_batches(&taught, settings.micro_batch) {
            if !progress(Event::MicroBatch) {
                return Err(UpdateError::Interrupted);
            }
            let batch: Vec<&Sample> = micro.iter().map(|&index| taught[index]).collect();
            let learned: Vec<Learned> = batch
                .iter()
                .map(|sample| Learned::new(&settings.pass.spec, sample))
                .collect::<Result<_, _>>()?;
            let factors: Vec<f64> = batch.iter().map(|sample| divisors.weight_of(sample)).collect();
            let outcome = guard("updating", || {
                accumulate(&self.decoder, &settings.pass, &batch, &learned, &factors, &mut self.gradients)
            });
            let found = outcome.map_err(|source| UpdateError::Torch {
                source,
                tokens: batch.iter().map(|s| s.ids.len()).sum(),
                limit: settings.micro_batch,
            })??;
            for (index, report) in micro.into_iter().zip(found) {
                reports[teaching[index]] = report;
            }
        }
        Ok(reports)
    }

    /// The gradient buffers, in the weights' canonical order.
    pub fn gradients(&self) -> &[Tensor] {
        &self.gradients
    }

    fn guarded_norm(&self) -> Result<f64, UpdateError> {
        guard("measuring the gradient", || self.gradient_norm()).map_err(UpdateError::Optimizer)
    }

    fn gradient_norm(&self) -> f64 {
        let squares: f64 =
            self.gradients.iter().map(|g| g.square().sum(Kind::Double).double_value(&[])).sum();
        squares.sqrt()
    }

    fn step_weights(&mut self, optimizer: &OptimizerConfig, lr: f64, grad_norm: f64) {
        let limit = optimizer.max_grad_norm;
        if limit > 0.0 && grad_norm > limit {
            tch::no_grad(|| {
                for gradient in &mut self.gradients {
                    let _ = gradient.g_mul_scalar_(limit / grad_norm);
                }
            });
        }
        self.adam.step(optimizer, lr, &mut self.masters, &self.gradients, &self.decays);
        self.publish();
        self.version += 1;
    }

    /// The problem of the first sample that is not finite on its own; the whole step is computed again sample by sample.
    fn blame(
        &mut self,
        settings: &UpdateSettings,
        samples: &[&Sample],
        reports: &[SampleReport],
    ) -> Result<String, UpdateError> {
        let broken =
            |r: &SampleReport| r.terms.iter().any(|t| !t.loss.is_finite() || !t.dloss_dlp.is_finite());
        if let Some((sample, _)) = samples.iter().zip(reports).find(|(_, report)| broken(report)) {
            return Ok(sample.problem.clone());
        }
        for sample in samples {
            self.gradient(settings, &[sample])?;
            if !self.guarded_norm()?.is_finite() {
                return Ok(sample.problem.clone());
            }
        }
        Ok("(none alone: the sum of the step's gradients)".into())
    }
}
