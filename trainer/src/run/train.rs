//! The loop over steps. A step is: sample, judge, second tries, credit, update, record; then evaluation and checkpoint
//! where they are due. Nothing of a step counts until it is committed; one that was not is done over from its
//! coordinates.

use std::time::Instant;

use serde_json::Value;
use tch::{Device, Kind, Tensor};

use super::RunError;
use super::checkpoint::{self, Export};
use super::journal::Record;
use super::metric_names as names;
use super::metrics::{StepMetrics, StepTimings};
use super::setup::{Session, slots, weights_hash};
use super::stage::{self, Stage};
use super::tensorboard::Histogram;
use super::{atomic, record, rollout_log};
use crate::algorithms::{Credit, CreditContext, Family, sft_sample};
use crate::cli::progress::Progress;
use crate::engine::{Sampling, Watch};
use crate::eval::{EvalReport, EvalSettings, evaluate};
use crate::model::load_folder;
use crate::model::torch::guard;
use crate::recipe::KlPlace;
use crate::rollout::{Sample, TokenId};
use crate::update::{Event, StepReport, UpdateError, UpdateSettings, score_while};

/// What a finished run says of itself.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The last step.
    pub step: u64,
    /// Its checkpoint.
    pub checkpoint: std::path::PathBuf,
}

impl Session {
    /// Trains until the plan's last step.
    ///
    /// # Errors
    /// The first thing that goes wrong, or [`RunError::Stopped`] when `stop` says so; what was committed is safe.
    pub fn train(&mut self, stop: &dyn Fn() -> bool, say: &dyn Fn(&str)) -> Result<Outcome, RunError> {
        match self.train_steps(stop, say) {
            Err(error) if error.is_interrupted() => self.stop_cleanly(),
            // The weights have begun to change: what they were is in the newest checkpoint.
            Err(RunError::Update(UpdateError::Interrupted)) => {
                Err(RunError::Stopped { step: self.newest_checkpoint() })
            }
            other => other.map_err(|error| {
                super::memory::explain(error, &self.plan, Some(&self.updater.decoder.config))
            }),
        }
    }

    fn train_steps(&mut self, stop: &dyn Fn() -> bool, say: &dyn Fn(&str)) -> Result<Outcome, RunError> {
        let steps = self.plan.run.steps;
        if self.state.step == 0 && self.plan.eval.at_start {
            let mut timings = StepTimings::new(0);
            let mut metrics = StepMetrics::new(0);
            self.evaluate_all(0, &mut metrics, &mut timings, stop, say)?;
            self.write_metrics(&metrics, &[])?;
            self.write_timings(&timings)?;
        }
        if let Some(values) = self.state.unfinished.take() {
            let step = self.state.step;
            let (metrics, mut timings) = (StepMetrics::from_saved(step, values), StepTimings::new(step));
            self.close_step(metrics, &mut timings, &[], stop, say)?;
            self.save_timed(&mut timings)?;
            self.write_timings(&timings)?;
        }
        while self.state.step < steps {
            let step = self.state.step + 1;
            if stop() {
                return self.stop_cleanly();
            }
            self.step(step, stop, say)?;
        }
        Ok(Outcome { step: self.state.step, checkpoint: self.dir.checkpoints().join("latest") })
    }

    /// Saves the last committed step if no checkpoint has it yet.
    fn stop_cleanly(&mut self) -> Result<Outcome, RunError> {
        if self.state.step > self.newest_checkpoint() {
            self.save()?;
        }
        Err(RunError::Stopped { step: self.state.step })
    }

    /// Its step; 0 if there is none.
    fn newest_checkpoint(&self) -> u64 {
        super::folder::checkpoint_steps(&self.dir.checkpoints()).last().map_or(0, |(step, _)| *step)
    }

    fn step(&mut self, step: u64, stop: &dyn Fn() -> bool, say: &dyn Fn(&str)) -> Result<(), RunError> {
        let start = Instant::now();
        let mut metrics = StepMetrics::new(step);
        let mut timings = StepTimings::new(step);
        let (samples, sampled_tokens) = if self.algorithm.family() == Family::Supervised {
            (self.supervised_samples(step)?, 0)
        } else {
            self.sampled_samples(step, &mut metrics, &mut timings, stop)?
        };
        stage::enter(step, Stage::Updating);
        let update_start = Instant::now();
        let reports = self.learn(step, &samples, stop, say)?;
        timings.set(names::TIMING_UPDATE, seconds(update_start));
        let gaps = record::update(self, &samples, &reports, &mut metrics);
        let trained: u64 = reports.iter().map(|r| r.num_tokens).sum();
        timings.set(
            names::Timing::of_stage("perf/update_tokens_per_s"),
            trained as f64 / seconds(update_start).max(1e-9),
        );
        let epoch = (step * self.plan.rollout.prompts as u64) as f64 / self.train.len() as f64;
        metrics.set(names::EPOCH, epoch);
        self.state.step = step;
        self.state.update_step = self.updater.version;
        self.state.adam_step = self.updater.adam.step;
        self.state.skipped = self.updater.skipped;
        self.state.algorithm = self.algorithm.state();
        self.state.num_tokens += sampled_tokens + trained;
        metrics.set(names::NUM_TOKENS, self.state.num_tokens as f64);
        let elapsed = seconds(start);
        timings.set(names::STEP_TIME, elapsed);
        timings.set(names::PERF_THROUGHPUT, trained as f64 / elapsed.max(1e-9));
        let memory = match self.updater.decoder.device() {
            Device::Cpu => names::PERF_MAX_MEMORY_ALLOCATED_GB,
            _ => names::PERF_CPU_MEMORY_USED_GB,
        };
        timings.set(memory, record::peak_resident_bytes() as f64 / 1e9);
        say(&summary(&metrics, self.plan.run.steps, elapsed));
        self.close_step(metrics, &mut timings, &gaps, stop, say)?;
        // The best by evaluation must be kept, so it must be there.
        let is_best = self.state.best.is_some_and(|(best, _)| best == step);
        if is_best || self.plan.saves_at(step) {
            self.save_timed(&mut timings)?;
        }
        self.write_timings(&timings)
    }

    /// Evaluates where that is due and commits a step whose update is done. Stopped in the evaluation, it saves what
    /// the step measured so far, and the run goes on with the evaluation.
    fn close_step(
        &mut self,
        mut metrics: StepMetrics,
        timings: &mut StepTimings,
        gaps: &[f64],
        stop: &dyn Fn() -> bool,
        say: &dyn Fn(&str),
    ) -> Result<(), RunError> {
        let step = metrics.step();
        let every = self.plan.eval.every;
        let is_due = step == self.plan.run.steps || (every > 0 && step.is_multiple_of(every));
        if is_due && !self.evals.is_empty() {
            let before = metrics.clone();
            let evaluated = self.evaluate_all(step, &mut metrics, timings, stop, say);
            if evaluated.as_ref().is_err_and(RunError::is_interrupted) {
                self.state.unfinished = Some(before.to_saved());
                self.save()?;
            }
            evaluated?;
        }
        stage::enter(step, Stage::Recording);
        self.write_metrics(&metrics, gaps)?;
        self.journal.append(&Record::StepCommitted {
            step,
            update_step: self.state.update_step,
            weights_sha256: weights_hash(&self.updater.masters.iter().collect::<Vec<_>>()),
        })?;
        self.journal.sync()?;
        Ok(())
    }

    /// Samples from rollouts, and how many tokens the rollouts and their prompts have.
    fn sampled_samples(
        &mut self,
        step: u64,
        metrics: &mut StepMetrics,
        timings: &mut StepTimings,
        stop: &dyn Fn() -> bool,
    ) -> Result<(Vec<Sample>, u64), RunError> {
        let mut sampled = self.sample(step, stop)?;
        timings.set(names::TIMING_ROLLOUT, sampled.rollout_s);
        timings.set(names::TIMING_VERIFY, sampled.verify_s);
        timings.set(
            names::Timing::of_stage("perf/rollout_tokens_per_s"),
            sampled.stats.generated_tokens as f64 / sampled.rollout_s.max(1e-9),
        );
        timings.set(names::Timing::of_stage("perf/slot_occupancy"), sampled.stats.occupancy());
        record::judging(&sampled, timings);
        let score_start = Instant::now();
        let Credit { samples, report } = self.credit(step, &sampled.groups, stop)?;
        timings.set(names::TIMING_SCORE, seconds(score_start));
        record::sampling(self, &sampled, &report, metrics);
        let num_tokens = sampled.prompt_tokens + sampled.stats.generated_tokens;
        if self.plan.log.rollouts {
            rollout_log::write_step(&self.dir.rollouts(), step, &std::mem::take(&mut sampled.entries))?;
        }
        Ok((samples, num_tokens))
    }

    /// Credit, with log-probabilities under other weights where the objective needs them.
    fn credit(
        &mut self,
        step: u64,
        groups: &[crate::rollout::Group],
        stop: &dyn Fn() -> bool,
    ) -> Result<Credit, RunError> {
        let update = &self.plan.update;
        let kl = self.update_kl();
        let policy = self.algorithm.family() == Family::PolicyGradient;
        // In f32 sampler and trainer agree to rounding; in 16 bits a ratio must be taken between two passes of the
        // same kind.
        let inexact = policy && self.updater.decoder.kind() != Kind::Float;
        let in_reward = kl.is_some_and(|kl| kl.place == KlPlace::Reward);
        let old = if inexact && in_reward { Some(self.logprobs(groups, false, stop)?) } else { None };
        let reference = if kl.is_some() { Some(self.logprobs(groups, true, stop)?) } else { None };
        let context = CreditContext {
            overlong: update.overlong,
            drop_zero_spread: update.drop_zero_spread,
            kl_in_reward: kl.filter(|kl| kl.place == KlPlace::Reward).map(|kl| kl.coef),
            old: old.as_deref(),
            reference: reference.as_deref(),
        };
        let mut credit = self.algorithm.credit(groups, &context)?;
        if inexact && !in_reward {
            self.retake_old(step, &mut credit.samples, stop)?;
        }
        Ok(credit)
    }

    /// Puts the trainer's log-probabilities in the place of the sampler's where a ratio to them will move the weights.
    fn retake_old(&self, step: u64, samples: &mut [Sample], stop: &dyn Fn() -> bool) -> Result<(), RunError> {
        let UpdateSettings { pass, micro_batch, .. } = self.update_settings(step);
        let needs = |sample: &&mut Sample| sample.old.is_some() && pass.spec.is_moved_by(sample);
        let mut chosen: Vec<&mut Sample> = samples.iter_mut().filter(needs).collect();
        let ids: Vec<&[TokenId]> = chosen.iter().map(|sample| sample.ids.as_slice()).collect();
        let go_on = || !stop();
        let scored = score_while(&self.updater.decoder, &ids, pass.temperature, micro_batch, &go_on)?;
        let scored = scored.ok_or(RunError::Interrupted)?;
        for (sample, logprobs) in chosen.iter_mut().zip(scored) {
            // Nothing predicts the first token.
            sample.old = Some(std::iter::once(0.0).chain(logprobs).collect());
        }
        Ok(())
    }

    /// Samples from the data's own responses.
    fn supervised_samples(&mut self, step: u64) -> Result<Vec<Sample>, RunError> {
        let mut samples = Vec::new();
        for task in self.problems_of(step) {
            let (prompt, response) = self.prompter.supervised(&task.problem)?;
            samples.push(sft_sample(&task.problem.id, &prompt, &response));
        }
        Ok(samples)
    }

    /// The optimizer steps of one training step. A request to stop ends them before the next micro-batch.
    fn learn(
        &mut self,
        step: u64,
        samples: &[Sample],
        stop: &dyn Fn() -> bool,
        say: &dyn Fn(&str),
    ) -> Result<Vec<StepReport>, RunError> {
        if samples.is_empty() {
            say(&format!("step {step}: nothing to learn from (no response was kept); the weights stay"));
            return Ok(Vec::new());
        }
        if stop() {
            return Err(RunError::Interrupted);
        }
        if self.starts_from_base() {
            let base = load_folder(&self.base, Device::Cpu, Some(Kind::Float))?;
            let values: Vec<Tensor> = base.weights.ordered().into_iter().map(Tensor::shallow_clone).collect();
            guard("taking the base weights", || self.updater.set_weights(&values))?;
            self.updater.reset_optimizer();
        }
        let settings = self.update_settings(step);
        let steps = self.algorithm.optimizer_steps(step);
        let per_pass = samples.len().div_ceil(settings.batch.unwrap_or(samples.len()).max(1)) as u64;
        let total = steps.unwrap_or(per_pass * settings.epochs);
        let progress = Progress::new(&format!("step {step}: update"), Some(total), "optimizer steps");
        let reports = self.updater.update(
            &settings,
            samples,
            steps,
            (self.plan.run.seed, step),
            &mut |event| {
                let Event::Step(report) = event else { return !stop() };
                progress.inc(1);
                if let Some((what, problem)) = &report.skipped {
                    progress.note(&format!(
                        "optimizer step skipped: its {what} was not finite; the sample of problem {problem} caused it"
                    ));
                }
                !stop()
            },
        );
        progress.finish();
        // Nothing was changed yet: what the step before left can still be saved.
        let is_as_before = !self.starts_from_base() && self.updater.version == self.state.update_step;
        match reports {
            Err(UpdateError::Interrupted) if is_as_before => Err(RunError::Interrupted),
            reports => Ok(reports?),
        }
    }

    /// Measures every evaluation set and writes each in full.
    fn evaluate_all(
        &mut self,
        step: u64,
        metrics: &mut StepMetrics,
        timings: &mut StepTimings,
        stop: &dyn Fn() -> bool,
        say: &dyn Fn(&str),
    ) -> Result<(), RunError> {
        stage::enter(step, Stage::Evaluating);
        let start = Instant::now();
        let mut reports = serde_json::Map::new();
        let mut first = None;
        for shots in self.plan.eval.shots.clone() {
            for name in self.evals.keys().cloned().collect::<Vec<_>>() {
                let report = self.evaluate_set(&name, shots, step, stop)?;
                let label = if shots == 0 { name.clone() } else { format!("{name}@{shots}-shot") };
                metrics.set(names::eval_acc(&label), report.accuracy);
                for (k, share) in report.pass_at.iter().filter(|(k, _)| **k > 1) {
                    metrics.set(names::eval_pass_at(&label, *k), share.value);
                }
                for (k, share) in report.maj_at.iter().filter(|(k, _)| **k > 1) {
                    metrics.set(names::eval_maj_at(&label, *k), share.value);
                }
                say(&format!(
                    "eval {label}: {:.1} % right ({:.1} to {:.1}), lenient {:.1} %, {} problems, {:.0} s",
                    report.accuracy * 100.0,
                    report.accuracy_ci[0] * 100.0,
                    report.accuracy_ci[1] * 100.0,
                    report.lenient.value * 100.0,
                    report.n,
                    report.seconds,
                ));
                first.get_or_insert(report.accuracy);
                reports.insert(label, serde_json::to_value(&report).unwrap_or(Value::Null));
            }
        }
        let path = self.dir.evals().join(format!("step-{step:06}.json"));
        atomic::write_file(&path, format!("{:#}\n", Value::Object(reports)).as_bytes())?;
        if let Some(accuracy) = first
            && step > 0
            && self.state.best.is_none_or(|(_, best)| accuracy > best)
        {
            self.state.best = Some((step, accuracy));
        }
        timings.set(names::TIMING_EVAL, seconds(start));
        Ok(())
    }

    fn evaluate_set(
        &self,
        name: &str,
        shots: usize,
        step: u64,
        stop: &dyn Fn() -> bool,
    ) -> Result<EvalReport, RunError> {
        let set = &self.evals[name];
        let eval = &self.plan.eval;
        let settings = EvalSettings {
            sampling: Sampling {
                temperature: eval.temperature,
                max_new_tokens: eval.max_new_tokens,
                slots: slots(&self.plan),
                ..self.sampling(false)
            },
            samples: eval.samples,
            num_examples: shots,
            seed: self.plan.run.seed,
        };
        let total = (set.tasks.len() * eval.samples) as u64;
        let label = format!("step {step}: eval {name}, {shots}-shot");
        let progress = Progress::new(&label, Some(total), "samples");
        let lenient = self.lenient.as_ref().map(|rubric| (rubric, set.lenient.as_slice()));
        let mut watch = Counting { progress: &progress, stop };
        let report = evaluate(
            &self.updater.decoder,
            &self.prompter,
            (&self.rubric, lenient),
            &set.tasks,
            &settings,
            &mut watch,
        );
        progress.finish();
        match report {
            Err(crate::eval::EvalError::Engine(error)) => Err(RunError::Engine(error)),
            other => Ok(other?),
        }
    }

    fn write_metrics(&mut self, metrics: &StepMetrics, gaps: &[f64]) -> Result<(), RunError> {
        self.metrics.metrics(metrics)?;
        if let Some(events) = &mut self.events {
            events.scalars(metrics.step(), metrics.scalars());
            if let Some(histogram) = Histogram::of(gaps.iter().copied()) {
                events.histogram(metrics.step(), names::SAMPLING_LOGP_DIFFERENCE_HISTOGRAM, &histogram);
            }
            events.flush()?;
        }
        Ok(())
    }

    /// Writes what a step took: last, because saving takes time too.
    fn write_timings(&mut self, timings: &StepTimings) -> Result<(), RunError> {
        self.metrics.timings(timings)?;
        if let Some(events) = &mut self.events {
            events.scalars(timings.step(), timings.scalars());
            events.flush()?;
        }
        Ok(())
    }

    fn save_timed(&mut self, timings: &mut StepTimings) -> Result<(), RunError> {
        let start = Instant::now();
        self.save()?;
        timings.set(names::TIMING_SAVE, seconds(start));
        Ok(())
    }

    /// Writes the checkpoint of the last committed step.
    fn save(&mut self) -> Result<(), RunError> {
        stage::enter(self.state.step, Stage::Saving);
        let export = Export {
            base: &self.base,
            kind: self.saved_kind(),
            stop_ids: self.prompter.tokenizer().stop_ids().to_vec(),
            card: card(self),
        };
        let moments = self.saves_moments();
        guard("saving", || {
            checkpoint::write(&self.dir.checkpoints(), &self.updater, &self.state, &export, moments)
        })??;
        self.retain()
    }
}

struct Counting<'a> {
    progress: &'a Progress,
    stop: &'a dyn Fn() -> bool,
}

impl Watch for Counting<'_> {
    fn finished(&mut self, _request: usize, _sample: usize, _response: &crate::engine::Response) {
        self.progress.inc(1);
    }

    fn tokens(&mut self, _new: usize) -> bool {
        !(self.stop)()
    }
}

/// The model card.
fn card(session: &Session) -> String {
    let plan = &session.plan;
    format!(
        "# {name}\n\nTrained with Polestar {version} from `{base}` by {algorithm}, step {step} of {steps}.\n\nProblems: {data}. Seed {seed}.\n",
        name = plan.run.name,
        version = plan.code_version,
        base = plan.model.path,
        algorithm = plan.algorithm.kind(),
        step = session.state.step,
        steps = plan.run.steps,
        data = plan.data.get("train").map_or("", |train| train.source.as_str()),
        seed = plan.run.seed,
    )
}

/// One line about a step.
fn summary(metrics: &StepMetrics, steps: u64, elapsed: f64) -> String {
    let mut parts = vec![format!("step {}/{steps}", metrics.step())];
    let mut add = |name: &names::Metric, label: &str, digits: usize| {
        if let Some(value) = metrics.get(name).filter(|v| v.is_finite()) {
            parts.push(format!("{label} {value:.digits$}"));
        }
    };
    add(&names::REWARD, "reward", 3);
    add(&names::COMPLETIONS_MEAN_LENGTH, "length", 1);
    add(&names::LOSS, "loss", 4);
    add(&names::GRAD_NORM, "grad_norm", 3);
    add(&names::KL, "kl", 4);
    add(&names::ENTROPY, "entropy", 3);
    add(&names::SAMPLING_LOGP_DIFFERENCE_MAX, "gap", 6);
    parts.push(format!("{elapsed:.1} s"));
    parts.join("  ")
}

fn seconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64()
}
