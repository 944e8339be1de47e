//! A run's figures: evaluation sets before and after, time, rewards, answers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Map, Value};

use super::compare::{Comparison, Rule, compare};
use crate::eval::{EvalReport, Share};
use crate::recipe::Plan;
use crate::run::metric_names::{self as names, Name};

/// The rationales shown are those of the first so many problems.
const SHOWN: usize = 3;

/// What a report is made from.
pub(super) struct Source {
    pub(super) run: PathBuf,
    pub(super) plan: Plan,
    /// The first evaluation.
    pub(super) first: Option<Evaluation>,
    /// The last, if it is another.
    pub(super) last: Option<Evaluation>,
    pub(super) metrics: Vec<Map<String, Value>>,
    pub(super) timings: Vec<Map<String, Value>>,
    pub(super) checkpoint: Option<Checkpoint>,
}

/// Every set's report at one step.
pub(super) struct Evaluation {
    pub(super) step: u64,
    /// By label: the set's name, and `@K-shot` after it where worked examples were shown.
    pub(super) reports: BTreeMap<String, EvalReport>,
}

/// The newest checkpoint.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Checkpoint {
    pub(super) step: u64,
    pub(super) path: PathBuf,
    /// Step and accuracy of the best evaluation so far.
    pub(super) best: Option<(u64, f64)>,
}

/// The report's figures.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) run: PathBuf,
    pub(super) name: String,
    pub(super) algorithm: &'static str,
    pub(super) base_model: String,
    pub(super) steps: u64,
    pub(super) steps_done: u64,
    /// The steps of the first and the last evaluation; 0 is the model before training.
    pub(super) before_step: Option<u64>,
    pub(super) after_step: Option<u64>,
    pub(super) sets: Vec<SetSummary>,
    pub(super) time: Time,
    /// The mean score of each step's responses.
    pub(super) reward: Vec<(u64, f64)>,
    pub(super) rationales: Option<Rationales>,
    pub(super) checkpoint: Option<Checkpoint>,
    /// What the reader must know of these figures.
    pub(super) notes: Vec<String>,
}

/// One evaluation set.
#[derive(Debug, Serialize)]
pub(super) struct SetSummary {
    pub(super) name: String,
    pub(super) rows: Vec<Row>,
    /// Zero-shot strict after against zero-shot strict before.
    pub(super) change: Option<Comparison>,
    /// Zero-shot strict after against the best figure before.
    pub(super) claim: Option<Claim>,
}

/// One set with one number of worked examples.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) shots: usize,
    pub(super) before: Option<Figures>,
    pub(super) after: Option<Figures>,
}

/// What one evaluation found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figures {
    pub(super) n: usize,
    pub(super) strict: Share,
    pub(super) lenient: Share,
    pub(super) undecided: usize,
}

/// What may be claimed of a set.
#[derive(Debug, Serialize)]
pub(super) struct Claim {
    /// Zero-shot strict accuracy after training.
    pub(super) after: f64,
    /// The best figure before, whatever it took.
    pub(super) best_before: f64,
    pub(super) best_shots: usize,
    pub(super) best_rule: Rule,
    /// How many figures it is the best of.
    pub(super) of_figures: usize,
    pub(super) comparison: Comparison,
}

/// Seconds and rates; what was not measured is left out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Time {
    pub(super) total_s: f64,
    pub(super) rollout_s: f64,
    pub(super) verify_s: f64,
    pub(super) score_s: f64,
    pub(super) update_s: f64,
    pub(super) eval_s: f64,
    pub(super) rollout_tokens_per_s: Option<f64>,
    pub(super) update_tokens_per_s: Option<f64>,
}

/// Answers to the same problems before and after.
#[derive(Debug, Serialize)]
pub(super) struct Rationales {
    pub(super) set: String,
    pub(super) problems: Vec<Rationale>,
}

/// One problem's first answer before and after.
#[derive(Debug, Serialize)]
pub(super) struct Rationale {
    pub(super) id: String,
    pub(super) prompt: String,
    pub(super) before: Answer,
    pub(super) after: Answer,
}

/// What the model wrote.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) right: bool,
}

impl Summary {
    pub(super) fn new(source: Source) -> Self {
        let Source { run, plan, first, last, metrics, timings, checkpoint } = source;
        let mut notes = Vec::new();
        // An evaluation after some steps is not the base model's.
        let is_base = first.as_ref().is_some_and(|first| first.step == 0);
        if let Some(first) = first.as_ref().filter(|_| !is_base) {
            notes.push(format!(
                "the first evaluation is that of step {}, not of the base model (eval.at_start = true would make one): \
                 nothing can be claimed against it",
                first.step
            ));
        }
        if last.is_none() {
            notes.push(match &first {
                Some(first) => {
                    format!("there is one evaluation only, of step {}: nothing to compare yet", first.step)
                }
                None => {
                    "there is no evaluation: the recipe has no [data.eval], or the run has not come to it"
                        .into()
                }
            });
        }
        let sets =
            first.as_ref().map_or_else(Vec::new, |first| sets(first, last.as_ref(), is_base, &mut notes));
        let rationales = first.as_ref().zip(last.as_ref()).and_then(|(first, last)| rationales(first, last));
        let reward = values(&metrics, names::REWARD.as_str());
        Self {
            name: plan.run.name.clone(),
            algorithm: plan.algorithm.kind(),
            base_model: plan.model.path.clone(),
            steps: plan.run.steps,
            steps_done: metrics.iter().filter_map(step_of).max().unwrap_or(0),
            before_step: first.as_ref().map(|first| first.step),
            after_step: last.as_ref().map(|last| last.step),
            sets,
            time: Time::of(&timings),
            reward,
            rationales,
            checkpoint,
            notes,
            run,
        }
    }
}

/// A label's set: its name without the number of worked examples.
fn set_of<'a>(label: &'a str, report: &EvalReport) -> &'a str {
    label.strip_suffix(&format!("@{}-shot", report.num_examples)).unwrap_or(label)
}

/// Reports by set and number of worked examples.
type Keyed<'a> = BTreeMap<(String, usize), &'a EvalReport>;

fn keyed(evaluation: &Evaluation) -> Keyed<'_> {
    let key =
        |(label, report): (&String, &'_ EvalReport)| (set_of(label, report).to_owned(), report.num_examples);
    evaluation.reports.iter().map(|entry| (key(entry), entry.1)).collect()
}

fn sets(
    first: &Evaluation,
    last: Option<&Evaluation>,
    is_base: bool,
    notes: &mut Vec<String>,
) -> Vec<SetSummary> {
    let (before, after) = (keyed(first), last.map(keyed).unwrap_or_default());
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).map(|(name, _)| name).collect();
    let mut sets = Vec::new();
    for name in names {
        let set = one_set(name, &before, &after, is_base, notes);
        if last.is_some() && !after.contains_key(&(name.clone(), 0)) {
            notes.push(format!(
                "{name} was not evaluated zero-shot after training: nothing can be claimed of it"
            ));
        }
        let figures = set.rows.iter().flat_map(|row| [&row.before, &row.after]).flatten();
        let undecided: usize = figures.map(|figures| figures.undecided).sum();
        if undecided > 0 {
            notes.push(format!("{undecided} answers of {name} could not be judged; they count as not right"));
        }
        sets.push(set);
    }
    sets
}

fn one_set(
    name: &str,
    before: &Keyed<'_>,
    after: &Keyed<'_>,
    is_base: bool,
    notes: &mut Vec<String>,
) -> SetSummary {
    let shots: BTreeSet<usize> =
        before.keys().chain(after.keys()).filter(|(set, _)| set == name).map(|(_, shots)| *shots).collect();
    let of = |reports: &Keyed<'_>, shots: usize| {
        reports.get(&(name.to_owned(), shots)).map(|report| Figures::of(report))
    };
    let rows = shots.iter().map(|&shots| Row { shots, before: of(before, shots), after: of(after, shots) });
    let mut set = SetSummary { name: name.to_owned(), rows: rows.collect(), change: None, claim: None };
    let zero_shot = (name.to_owned(), 0);
    let Some(after) = after.get(&zero_shot) else { return set };
    let earlier: Vec<&EvalReport> =
        before.iter().filter(|((set, _), _)| set == name).map(|(_, report)| *report).collect();
    let change = before.get(&zero_shot).map(|before| compare((before, Rule::Strict), (after, Rule::Strict)));
    let claimed = is_base.then(|| claim(&earlier, after)).flatten();
    let problems =
        [change.as_ref().and_then(|it| it.as_ref().err()), claimed.as_ref().and_then(|it| it.as_ref().err())];
    if let Some(problem) = problems.into_iter().flatten().next() {
        notes.push(format!("{name} cannot be compared problem by problem: {problem}"));
    }
    set.change = change.and_then(Result::ok);
    set.claim = claimed.and_then(Result::ok);
    set
}

/// Zero-shot strict after against whatever was best before; none without anything before.
fn claim(before: &[&EvalReport], after: &EvalReport) -> Option<Result<Claim, String>> {
    let figures: Vec<(&EvalReport, Rule, f64)> = before
        .iter()
        .flat_map(|report| {
            [(*report, Rule::Strict, report.strict.value), (*report, Rule::Lenient, report.lenient.value)]
        })
        .collect();
    // Of equal figures the first: the fewest examples, strict before lenient.
    let best = figures.iter().rev().max_by(|a, b| a.2.total_cmp(&b.2))?;
    let (report, rule, value) = *best;
    Some(compare((report, rule), (after, Rule::Strict)).map(|comparison| Claim {
        after: after.strict.value,
        best_before: value,
        best_shots: report.num_examples,
        best_rule: rule,
        of_figures: figures.len(),
        comparison,
    }))
}

impl Figures {
    fn of(report: &EvalReport) -> Self {
        Self {
            n: report.n,
            strict: report.strict.clone(),
            lenient: report.lenient.clone(),
            undecided: report.undecided,
        }
    }
}

impl Time {
    fn of(timings: &[Map<String, Value>]) -> Self {
        let sum = |name: &str| values(timings, name).into_iter().map(|(_, value)| value).sum::<f64>();
        let (eval, rollout, update) = (names::TIMING_EVAL, names::TIMING_ROLLOUT, names::TIMING_UPDATE);
        let (eval, rollout, update) = (eval.as_str(), rollout.as_str(), update.as_str());
        // The evaluation before the first step is no part of a step.
        let at_start: f64 =
            values(timings, eval).into_iter().filter(|(step, _)| *step == 0).map(|(_, value)| value).sum();
        // Tokens over seconds, so that short steps count for little.
        let rate = |rate: &str, seconds: &str| {
            let seconds: BTreeMap<u64, f64> = values(timings, seconds).into_iter().collect();
            let parts: Vec<(f64, f64)> = values(timings, rate)
                .into_iter()
                .filter_map(|(step, rate)| seconds.get(&step).map(|seconds| (rate * seconds, *seconds)))
                .collect();
            let total: f64 = parts.iter().map(|(_, seconds)| seconds).sum();
            (total > 0.0).then(|| parts.iter().map(|(tokens, _)| tokens).sum::<f64>() / total)
        };
        Self {
            total_s: sum(names::STEP_TIME.as_str()) + at_start,
            rollout_s: sum(rollout),
            verify_s: sum(names::TIMING_VERIFY.as_str()),
            score_s: sum(names::TIMING_SCORE.as_str()),
            update_s: sum(update),
            eval_s: sum(eval),
            rollout_tokens_per_s: rate("perf/rollout_tokens_per_s", rollout),
            update_tokens_per_s: rate("perf/update_tokens_per_s", update),
        }
    }
}

fn step_of(record: &Map<String, Value>) -> Option<u64> {
    record.get("step")?.as_u64()
}

/// A name's values by step; NaN, which the files have as null, is left out.
fn values(records: &[Map<String, Value>], name: &str) -> Vec<(u64, f64)> {
    records.iter().filter_map(|record| Some((step_of(record)?, record.get(name)?.as_f64()?))).collect()
}

/// The first problems of one set, zero-shot, as both evaluations answered them. Which they are depends on the data
/// alone, so that nobody picks the ones that look well.
fn rationales(first: &Evaluation, last: &Evaluation) -> Option<Rationales> {
    let zero_shot = |evaluation: &'_ Evaluation, set: &str| {
        evaluation.reports.get(set).filter(|report| report.num_examples == 0).cloned()
    };
    let names = std::iter::once("eval").chain(first.reports.keys().map(String::as_str));
    let (set, before, after) =
        names.into_iter().find_map(|set| Some((set, zero_shot(first, set)?, zero_shot(last, set)?)))?;
    let later: BTreeMap<&str, _> =
        after.problems.iter().map(|problem| (problem.id.as_str(), problem)).collect();
    let problems = before.problems.iter().filter_map(|problem| {
        let answer =
            |sample: &crate::eval::EvalSample| Answer { text: sample.text.clone(), right: sample.right };
        Some(Rationale {
            id: problem.id.clone(),
            prompt: problem.prompt.clone(),
            before: answer(problem.samples.first()?),
            after: answer(later.get(problem.id.as_str())?.samples.first()?),
        })
    });
    Some(Rationales { set: set.to_owned(), problems: problems.take(SHOWN).collect() })
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
