//! The stages of one step, each taking what the one before made: prompts, rollouts, verdicts, hinted second tries,
//! log-probabilities under other weights.

use std::collections::HashMap;
use std::sync::Arc;

use polestar_verifiers::Verdict;

use super::RunError;
use super::journal::{Record, rollout_sha256};
use super::judges::{Answered, Judgement};
use super::prompts::Form;
use super::rollout_log::RolloutEntry;
use super::setup::Session;
use super::stage::{self, Stage};
use crate::cli::progress::Progress;
use crate::engine::{self, EngineStats, Request, Response, Watch};
use crate::eval::response_text;
use crate::model::Decoder;
use crate::recipe::UndecidedGroups;
use crate::rollout::{Group, KeptSets, Prompt, Rollout, Scored, Task, TokenId, WeightVersion};
use crate::seeds::{Coords, Purpose};
use crate::update::score_while;

/// What sampling and judging gave beside the groups.
#[derive(Debug, Default)]
pub(super) struct Sampled {
    pub(super) groups: Vec<Group>,
    /// What people read, judged and undecided alike, in the order of sampling.
    pub(super) entries: Vec<RolloutEntry>,
    pub(super) stats: EngineStats,
    pub(super) judgements: Vec<Judgement>,
    /// Undecided verdicts that are not in the journal yet.
    undecided: Vec<Record>,
    pub(super) prompt_tokens: u64,
    pub(super) num_prompts: u64,
    pub(super) rollout_s: f64,
    pub(super) verify_s: f64,
}

/// Stops the sampling when asked to, and shows how far it is.
struct Watching<'a> {
    progress: &'a Progress,
    stop: &'a dyn Fn() -> bool,
}

impl Watch for Watching<'_> {
    fn finished(&mut self, _request: usize, _sample: usize, _response: &Response) {
        self.progress.inc(1);
    }

    fn tokens(&mut self, _new: usize) -> bool {
        !(self.stop)()
    }
}

/// A prompt and how many samples of it are wanted, from which index on.
struct Wanted {
    prompt: Arc<Prompt>,
    first_sample: u64,
    samples: usize,
}

impl Session {
    /// The problems of a step (from 1), in order.
    pub(super) fn problems_of(&mut self, step: u64) -> Vec<Arc<Task>> {
        let count = self.plan.rollout.prompts as u64;
        let first = (step - 1) * count;
        (first..first + count).map(|position| self.train[self.order.at(position)].clone()).collect()
    }

    /// Whether worked examples are shown in a step.
    pub(super) fn shows_examples(&self, step: u64) -> bool {
        self.prompter.num_examples() > 0 && self.plan.prompt.examples_steps.is_none_or(|steps| step <= steps)
    }

    /// Samples, judges, and gives failed problems their second try where the algorithm asks for one.
    pub(super) fn sample(&mut self, step: u64, stop: &dyn Fn() -> bool) -> Result<Sampled, RunError> {
        let problems = self.problems_of(step);
        let ids = problems.iter().map(|task| task.problem.id.clone()).collect();
        self.journal.append(&Record::StepStarted { step, problems: ids })?;
        let shown_examples = if self.shows_examples(step) { self.prompter.num_examples() } else { 0 };
        let trained_examples = if self.plan.prompt.train_on_examples { shown_examples } else { 0 };
        let n = self.plan.rollout.n;
        // A problem that comes twice in a step (an epoch's end) takes further samples, not the same ones again.
        let mut seen: HashMap<String, u64> = HashMap::new();
        let mut wanted = Vec::with_capacity(problems.len());
        for task in &problems {
            let times = seen.entry(task.problem.id.clone()).or_default();
            let prompt = Prompt {
                task: task.clone(),
                shown: self.prompter.ids(&task.problem, shown_examples, Form::Plain)?,
                trained: self.prompter.ids(&task.problem, trained_examples, Form::Plain)?,
            };
            wanted.push(Wanted { prompt: Arc::new(prompt), first_sample: *times * n as u64, samples: n });
            *times += 1;
        }
        let mut sampled = Sampled::default();
        let groups = self.tries(step, &wanted, Purpose::Train, shown_examples > 0, &mut sampled, stop)?;
        sampled.groups = groups;
        self.second_tries(step, shown_examples, trained_examples, &wanted, &mut sampled, stop)?;
        // Where undecided verdicts stop the run, they are asked for again when it goes on: by then whatever kept the
        // judge from deciding may have been mended.
        self.check_undecided(step, &sampled.judgements)?;
        for verdict in sampled.undecided.drain(..) {
            self.journal.append(&verdict)?;
        }
        self.journal.sync()?;
        Ok(sampled)
    }

    fn second_tries(
        &mut self,
        step: u64,
        shown_examples: usize,
        trained_examples: usize,
        first: &[Wanted],
        sampled: &mut Sampled,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), RunError> {
        let retry = self.algorithm.retry(&sampled.groups, self.plan.update.overlong);
        let mut wanted = Vec::new();
        let mut places = Vec::new();
        for index in retry {
            let task = &sampled.groups[index].task;
            let Some(answer) = task.judges.iter().find_map(|judge| judge.answer()) else { continue };
            let problem = &task.problem;
            let trained = self.prompter.ids(problem, trained_examples, Form::Plain)?;
            let limit = self.plan.rollout.max_new_tokens;
            let shown = self.prompter.hinted(problem, shown_examples, &answer, &trained, limit)?;
            let prompt = Prompt { task: task.clone(), shown, trained };
            let first_sample = first[index].first_sample;
            wanted.push(Wanted { prompt: Arc::new(prompt), first_sample, samples: 1 });
            places.push(index);
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let groups = self.tries(step, &wanted, Purpose::Retry, shown_examples > 0, sampled, stop)?;
        for (place, group) in places.into_iter().zip(groups) {
            sampled.groups[place].scored.extend(group.scored);
            sampled.groups[place].num_undecided += group.num_undecided;
        }
        Ok(())
    }

    /// Samples and judges one kind of try.
    fn tries(
        &mut self,
        step: u64,
        wanted: &[Wanted],
        purpose: Purpose,
        with_examples: bool,
        sampled: &mut Sampled,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Group>, RunError> {
        let (sampling, verifying) = match purpose {
            Purpose::Retry => (Stage::HintedSampling, Stage::HintedVerifying),
            Purpose::Train | Purpose::Eval | Purpose::Generate => (Stage::Sampling, Stage::Verifying),
        };
        stage::enter(step, sampling);
        let rollouts = self.roll_out(step, wanted, purpose, with_examples, sampled, stop)?;
        stage::enter(step, verifying);
        let start = std::time::Instant::now();
        let judgements = self.judge(step, &rollouts, &mut sampled.undecided, stop)?;
        sampled.verify_s += start.elapsed().as_secs_f64();
        let tokenizer = self.prompter.tokenizer().clone();
        let mut rows = rollouts.into_iter().zip(judgements);
        let mut groups = Vec::with_capacity(wanted.len());
        for want in wanted {
            let prompt_text = tokenizer.decode(&want.prompt.shown);
            let mut group = Group { task: want.prompt.task.clone(), scored: Vec::new(), num_undecided: 0 };
            for (rollout, judgement) in rows.by_ref().take(want.samples) {
                sampled.entries.push(entry(step, &prompt_text, &rollout, &judgement, &tokenizer));
                if let Verdict::Judged { score, reason, .. } = &judgement.verdict {
                    group.scored.push(Scored {
                        rollout,
                        score: *score,
                        right: judgement.right,
                        reason: reason.clone(),
                        hinted: purpose == Purpose::Retry,
                    });
                } else {
                    group.num_undecided += 1;
                }
                sampled.judgements.push(judgement);
            }
            groups.push(group);
        }
        Ok(groups)
    }

    fn roll_out(
        &mut self,
        step: u64,
        wanted: &[Wanted],
        purpose: Purpose,
        with_examples: bool,
        sampled: &mut Sampled,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Rollout>, RunError> {
        let start = std::time::Instant::now();
        let requests: Vec<Request> = wanted
            .iter()
            .map(|want| {
                let coords = |sample| Coords {
                    seed: self.plan.run.seed,
                    step,
                    problem: want.prompt.task.problem.id.clone(),
                    sample,
                    purpose,
                };
                let last = want.first_sample + want.samples as u64;
                Request {
                    prompt: want.prompt.shown.clone(),
                    samples: (want.first_sample..last).map(coords).collect(),
                }
            })
            .collect();
        sampled.prompt_tokens += wanted.iter().map(|want| want.prompt.shown.len() as u64).sum::<u64>();
        sampled.num_prompts += wanted.len() as u64;
        let total = wanted.iter().map(|want| want.samples as u64).sum();
        let label = if purpose == Purpose::Retry { "hinted tries" } else { "rollouts" };
        let progress = Progress::new(&format!("step {step}: {label}"), Some(total), "samples");
        let tokenizer = self.prompter.tokenizer().clone();
        let how = self.sampling(with_examples);
        let responses = engine::generate(
            &self.updater.decoder,
            Some(&tokenizer),
            &requests,
            &how,
            &mut Watching { progress: &progress, stop },
            &mut sampled.stats,
        )?;
        progress.finish();
        let mut rollouts = Vec::with_capacity(usize::try_from(total).unwrap_or(0));
        for ((want, request), group) in wanted.iter().zip(&requests).zip(responses) {
            for (coords, response) in request.samples.iter().zip(group) {
                let rollout = rollout(&want.prompt, coords, response, self.updater.version);
                self.journal.append(&Record::Rollout {
                    step,
                    problem: coords.problem.clone(),
                    sample: coords.sample,
                    purpose,
                    ids: rollout.ids.clone(),
                    logprobs: rollout.logprobs.clone(),
                    finish: rollout.finish,
                    version: rollout.version,
                })?;
                rollouts.push(rollout);
            }
        }
        self.journal.sync()?;
        sampled.rollout_s += start.elapsed().as_secs_f64();
        Ok(rollouts)
    }

    /// Judges rollouts; verdicts that the journal has from before a crash are not asked for again. Fresh ones go there
    /// if they are decided, else into `undecided`.
    fn judge(
        &mut self,
        step: u64,
        rollouts: &[Rollout],
        undecided: &mut Vec<Record>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Judgement>, RunError> {
        let tokenizer = self.prompter.tokenizer().clone();
        let mut known: Vec<Option<Vec<Option<Verdict>>>> = Vec::with_capacity(rollouts.len());
        let mut work = Vec::new();
        for rollout in rollouts {
            let Coords { problem, sample, purpose, .. } = &rollout.coords;
            let hash = rollout_sha256(&rollout.ids);
            let saved = self.journal.verdict(step, problem, *sample, *purpose, &hash);
            let parts: Option<Vec<Option<Verdict>>> =
                saved.and_then(|value| serde_json::from_value(value.clone()).ok());
            if parts.is_none() {
                let text = response_text(&tokenizer, &rollout.ids, rollout.finish);
                let task = rollout.prompt.task.clone();
                work.push(Answered { task, text, num_tokens: rollout.ids.len() });
            }
            known.push(parts);
        }
        let is_fresh: Vec<bool> = known.iter().map(Option::is_none).collect();
        let fresh = self.rubric.judge(&work, &mut || !stop()).ok_or(RunError::Interrupted)?;
        let mut fresh = fresh.into_iter();
        // One judgement came back for each piece of work.
        let judgements: Vec<Judgement> = known
            .into_iter()
            .filter_map(|known| known.map(|parts| self.rubric.combine(parts)).or_else(|| fresh.next()))
            .collect();
        for ((rollout, judgement), is_fresh) in rollouts.iter().zip(&judgements).zip(is_fresh) {
            if !is_fresh {
                continue;
            }
            let verdict = Record::Verdict {
                step,
                problem: rollout.coords.problem.clone(),
                sample: rollout.coords.sample,
                purpose: rollout.coords.purpose,
                rollout_sha256: rollout_sha256(&rollout.ids),
                verdict: serde_json::to_value(&judgement.parts).unwrap_or_default(),
            };
            if judgement.verdict.score().is_some() {
                self.journal.append(&verdict)?;
            } else {
                undecided.push(verdict);
            }
        }
        self.journal.sync()?;
        self.check_undecided_groups(step, rollouts, &judgements)?;
        Ok(judgements)
    }

    /// All of a step's verdicts together: a few hinted tries alone stop no run.
    fn check_undecided(&self, step: u64, judgements: &[Judgement]) -> Result<(), RunError> {
        let undecided: Vec<&Judgement> =
            judgements.iter().filter(|judgement| judgement.verdict.score().is_none()).collect();
        let limit = self.plan.log.max_undecided;
        match undecided.last() {
            Some(last) if undecided.len() as f64 > limit * judgements.len() as f64 => {
                Err(RunError::Undecided {
                    step,
                    undecided: undecided.len(),
                    total: judgements.len(),
                    limit,
                    cause: last.verdict.reason().to_owned(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Where the recipe says so, a group that undecided verdicts leave without a baseline stops the run.
    fn check_undecided_groups(
        &self,
        step: u64,
        rollouts: &[Rollout],
        judgements: &[Judgement],
    ) -> Result<(), RunError> {
        if self.plan.update.undecided_groups == UndecidedGroups::Drop || !self.algorithm.needs_groups() {
            return Ok(());
        }
        first_without_baseline(step, rollouts, judgements).map_or(Ok(()), Err)
    }

    /// Log-probabilities of every judged rollout's ids after its trained prompt, under `weights_of` the step: a list a
    /// group, in it one a rollout.
    pub(super) fn logprobs(
        &self,
        groups: &[Group],
        of_reference: bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Vec<Vec<f32>>>, RunError> {
        let decoder = match &self.reference {
            Some(reference) if of_reference => reference,
            _ => &self.updater.decoder,
        };
        let plan = &self.plan;
        group_logprobs(decoder, groups, plan.rollout.temperature, plan.update.micro_batch, &|| !stop())
    }
}

/// Log-probabilities (nats, at `temperature`) of every rollout's ids after its trained prompt: a list a group, in it one
/// a rollout. At most `micro_batch` tokens go through the model at once; `go_on` is asked before each pass.
///
/// # Errors
/// libtorch's refusal, or [`RunError::Interrupted`] once it is not to go on.
pub fn group_logprobs(
    decoder: &Decoder,
    groups: &[Group],
    temperature: f64,
    micro_batch: usize,
    go_on: &dyn Fn() -> bool,
) -> Result<Vec<Vec<Vec<f32>>>, RunError> {
    let sequences: Vec<Vec<TokenId>> = groups
        .iter()
        .flat_map(|group| &group.scored)
        .map(|scored| [scored.rollout.prompt.trained.as_slice(), &scored.rollout.ids].concat())
        .collect();
    let slices: Vec<&[TokenId]> = sequences.iter().map(Vec::as_slice).collect();
    let scored = score_while(decoder, &slices, temperature, micro_batch, go_on)?;
    let mut rest = scored.ok_or(RunError::Interrupted)?.into_iter();
    let of_group = |group: &Group| -> Vec<Vec<f32>> {
        let rows = group.scored.iter().zip(rest.by_ref());
        // The first id of the response is predicted by the last of the prompt.
        rows.map(|(scored, lp)| lp[scored.rollout.prompt.trained.len() - 1..].to_vec()).collect()
    };
    Ok(groups.iter().map(of_group).collect())
}

/// The error about the first group that undecided verdicts leave with fewer than two judged responses.
fn first_without_baseline(step: u64, rollouts: &[Rollout], judgements: &[Judgement]) -> Option<RunError> {
    let rows: Vec<(&Rollout, &Judgement)> = rollouts.iter().zip(judgements).collect();
    // The responses to one prompt stand together.
    rows.chunk_by(|(a, _), (b, _)| Arc::ptr_eq(&a.prompt, &b.prompt)).find_map(|group| {
        let undecided = || group.iter().map(|(_, it)| *it).filter(|it| it.verdict.score().is_none());
        let left = group.len() - undecided().count();
        let last = undecided().next_back().filter(|_| left < 2)?;
        Some(RunError::UndecidedGroup {
            step,
            problem: group[0].0.coords.problem.clone(),
            undecided: group.len() - left,
            left,
            cause: last.verdict.reason().to_owned(),
        })
    })
}

/// What was sampled after `prompt` at `coords`, by weights of `version`.
#[must_use]
pub fn rollout(prompt: &Arc<Prompt>, coords: &Coords, response: Response, version: WeightVersion) -> Rollout {
    Rollout {
        prompt: prompt.clone(),
        sampled: vec![true; response.ids.len()],
        logprobs: response.logprobs,
        kept: response.kept.map(|kept| kept_sets(&kept)),
        finish: response.finish,
        version,
        coords: coords.clone(),
        ids: response.ids,
    }
}

fn kept_sets(kept: &[Vec<TokenId>]) -> KeptSets {
    let mut sets = KeptSets::default();
    for ids in kept {
        sets.ids.extend(ids);
        sets.ends.push(sets.ids.len());
    }
    sets
}

fn entry(
    step: u64,
    prompt: &str,
    rollout: &Rollout,
    judgement: &Judgement,
    tokenizer: &crate::text::Tokenizer,
) -> RolloutEntry {
    let verdict = &judgement.verdict;
    RolloutEntry {
        step,
        problem: rollout.coords.problem.clone(),
        sample: rollout.coords.sample,
        purpose: rollout.coords.purpose,
        prompt: prompt.to_owned(),
        response: response_text(tokenizer, &rollout.ids, rollout.finish),
        num_tokens: rollout.ids.len() as u64,
        finish: rollout.finish,
        score: verdict.score().map(polestar_verifiers::Score::get),
        kind: verdict.kind_name().to_owned(),
        reason: verdict.reason().to_owned(),
        extracted: verdict.extracted().map(str::to_owned),
        right: verdict.score().map(|_| judgement.right),
        advantage: None,
    }
}

#[cfg(test)]
#[path = "stages_tests.rs"]
mod tests;
