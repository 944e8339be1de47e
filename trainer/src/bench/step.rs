//! `bench step`: a whole training step without its files: sampling, judging, credit, scoring, updating.

use std::sync::Arc;
use std::time::{Duration, Instant};

use polestar_data::{Origin, Problem, ProblemPrompt};
use polestar_verifiers::{Budget, Job, Judge, Response, Supervisor, SupervisorConfig, Verdict};
use serde::Serialize;
use tch::Kind;

use super::memory::Baseline;
use super::workload::problem_name;
use super::{Report, Workload, timed};
use crate::algorithms::{self, Credit, CreditContext};
use crate::engine::{EngineStats, generate};
use crate::eval::response_text;
use crate::model::Decoder;
use crate::rollout::{Group, Prompt, Sample, Scored, Task};
use crate::run::stages::{group_logprobs, rollout};
use crate::run::{RunError, setup};
use crate::update::Updater;

/// Where the time of a step went, in seconds, and what was done.
#[derive(Debug, Serialize)]
pub struct StepFigures {
    /// Sampling.
    pub rollout_s: f64,
    /// Decoding to text and judging, by a verifier that does nothing.
    pub verify_s: f64,
    /// Log-probabilities under the frozen reference and, in 16 bits, under the weights before the update.
    pub score_s: f64,
    /// Passes and optimizer steps.
    pub update_s: f64,
    /// Sequence tokens that went through the update.
    pub trained_tokens: u64,
    /// Optimizer steps.
    pub optimizer_steps: usize,
    /// The engine's own figures.
    #[serde(flatten)]
    pub stats: EngineStats,
    /// The share of slots in use, over all decode steps.
    pub occupancy: f64,
}

/// Gives every second response the reward, so that groups have a spread whatever the weights say.
struct EverySecond {
    is_right: bool,
}

impl Judge for EverySecond {
    fn judge(&self, _response: &Response<'_>, _budget: &Budget) -> Verdict {
        if self.is_right { Verdict::right("", None) } else { Verdict::wrong("", None) }
    }

    fn answer(&self) -> Option<String> {
        None
    }
}

/// Measures a step. `tokens_per_s` counts trained sequence tokens over the whole step, as `perf/throughput` does.
///
/// # Errors
/// Whatever a step of `train` can fail with.
pub fn step(
    workload: &Workload,
    updater: &mut Updater,
    reference: Option<&Decoder>,
    baseline: &Baseline,
) -> Result<Report<StepFigures>, RunError> {
    let bench = Bench {
        workload,
        reference,
        supervisor: Supervisor::new(SupervisorConfig {
            jobs: workload.plan.run.threads,
            timeout: Duration::from_secs(10),
            queue: 64,
        }),
        tasks: workload.prompts.iter().enumerate().map(|(index, ids)| prompt_of(index, ids)).collect(),
    };
    let (figures, clock) = timed(baseline, workload.warmup, |run| bench.run(updater, run))?;
    let tokens = figures.trained_tokens;
    Ok(Report::new("step", clock, Some(tokens), figures))
}

fn prompt_of(index: usize, ids: &[crate::rollout::TokenId]) -> Arc<Prompt> {
    let problem = Problem {
        id: problem_name(index),
        prompt: ProblemPrompt::Text(String::new()),
        reference: serde_json::Value::Null,
        response: None,
        fields: serde_json::Map::new(),
        origin: Origin { file: "bench".into(), line: index + 1 },
    };
    let task = Arc::new(Task { problem, judges: Vec::new() });
    Arc::new(Prompt { task, shown: ids.to_vec(), trained: ids.to_vec() })
}

struct Bench<'a> {
    workload: &'a Workload,
    reference: Option<&'a Decoder>,
    supervisor: Supervisor,
    tasks: Vec<Arc<Prompt>>,
}

impl Bench<'_> {
    fn run(&self, updater: &mut Updater, run: u64) -> Result<StepFigures, RunError> {
        let start = Instant::now();
        let mut stats = EngineStats::default();
        let requests = self.workload.requests(run);
        let how = self.workload.sampling();
        let tokenizer = &self.workload.tokenizer;
        let responses = generate(&updater.decoder, Some(tokenizer), &requests, &how, &mut (), &mut stats)?;
        let rollout_s = lap(start);

        let start = Instant::now();
        let rollouts =
            self.tasks.iter().zip(&requests).zip(responses).flat_map(|((prompt, request), group)| {
                let rows = request.samples.iter().zip(group);
                rows.map(|(coords, response)| rollout(prompt, coords, response, updater.version))
                    .collect::<Vec<_>>()
            });
        let groups = self.judged(rollouts.collect());
        let verify_s = lap(start);

        let start = Instant::now();
        let samples = self.credit(&updater.decoder, &groups)?;
        let score_s = lap(start);

        let start = Instant::now();
        let plan = &self.workload.plan;
        let settings = setup::update_settings(plan, algorithms::build(&plan.algorithm).family(), 1);
        let reports = updater.update(&settings, &samples, None, (plan.run.seed, run), &mut |_| true)?;
        super::synchronize(updater.decoder.device());
        Ok(StepFigures {
            rollout_s,
            verify_s,
            score_s,
            update_s: lap(start),
            trained_tokens: reports.iter().map(|report| report.num_tokens).sum(),
            optimizer_steps: reports.len(),
            occupancy: stats.occupancy(),
            stats,
        })
    }

    fn judged(&self, rollouts: Vec<crate::rollout::Rollout>) -> Vec<Group> {
        let tokenizer = &self.workload.tokenizer;
        let judges = [false, true].map(|is_right| Arc::new(EverySecond { is_right }) as Arc<dyn Judge>);
        let jobs = rollouts.iter().map(|rollout| Job {
            judge: judges[(rollout.coords.sample % 2) as usize].clone(),
            response: response_text(tokenizer, &rollout.ids, rollout.finish),
            num_tokens: Some(rollout.ids.len()),
        });
        let outcomes = self.supervisor.judge_all(jobs.collect(), None);
        let new_group =
            |prompt: &Arc<Prompt>| Group { task: prompt.task.clone(), scored: Vec::new(), num_undecided: 0 };
        let mut groups: Vec<Group> = self.tasks.iter().map(new_group).collect();
        let n = self.workload.plan.rollout.n;
        for (index, (rollout, outcome)) in rollouts.into_iter().zip(outcomes).enumerate() {
            match Scored::from_verdict(rollout, outcome.verdict, 1.0, false) {
                Ok(scored) => groups[index / n].scored.push(scored),
                Err(_) => groups[index / n].num_undecided += 1,
            }
        }
        groups
    }

    /// Credit as `train` assigns it: log-probabilities under other weights where the objective needs them.
    fn credit(&self, decoder: &Decoder, groups: &[Group]) -> Result<Vec<Sample>, RunError> {
        let plan = &self.workload.plan;
        let logprobs = |of: &Decoder| {
            group_logprobs(of, groups, plan.rollout.temperature, plan.update.micro_batch, &|| true)
        };
        let old = if decoder.kind() == Kind::Float { None } else { Some(logprobs(decoder)?) };
        let reference = self.reference.map(logprobs).transpose()?;
        let context = CreditContext {
            overlong: plan.update.overlong,
            drop_zero_spread: plan.update.drop_zero_spread,
            kl_in_reward: None,
            old: old.as_deref(),
            reference: reference.as_deref(),
        };
        let Credit { samples, .. } = algorithms::build(&plan.algorithm).credit(groups, &context)?;
        Ok(samples)
    }
}

fn lap(start: Instant) -> f64 {
    start.elapsed().as_secs_f64()
}
