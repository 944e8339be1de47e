//! How often a model is right: accuracy, pass@k and maj@k with intervals, strict and lenient extraction side by side.

pub mod stats;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use polestar_verifiers::Verdict;
use serde::{Deserialize, Serialize};

use crate::engine::{self, EngineError, EngineStats, Request, Response, Sampling, Watch};
use crate::model::Decoder;
use crate::rollout::{Finish, Task};
use crate::run::judges::{Answered, Judgement, Rubric};
use crate::run::prompts::{Form, PromptError, Prompter};
use crate::seeds::{Coords, Purpose};
use stats::{Interval, Vote};

/// Why an evaluation failed.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// A problem could not become a prompt.
    #[error(transparent)]
    Prompt(#[from] PromptError),
    /// Sampling failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// How to evaluate.
#[derive(Clone, Debug)]
pub struct EvalSettings {
    /// How responses are sampled; temperature 0 is greedy.
    pub sampling: Sampling,
    /// Samples a problem.
    pub samples: usize,
    /// Worked examples before each problem.
    pub num_examples: usize,
    /// The seed; draws do not depend on the training step, so that evaluations of one run are paired.
    pub seed: u64,
}

/// A proportion with its interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Between 0 and 1.
    pub value: f64,
    /// 95 % interval.
    pub ci: [f64; 2],
}

/// One sampled response and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvalSample {
    /// The response.
    pub text: String,
    /// Its tokens.
    pub num_tokens: usize,
    /// Why it ended.
    pub finish: Finish,
    /// Right by the recipe's own rule.
    pub right: bool,
    /// Right with answers taken leniently.
    pub lenient: bool,
    /// What the judges said.
    pub verdict: Verdict,
    /// The extracted answer in the verifier's canonical form, which maj@k votes on: "18" for "$18".
    #[serde(default)]
    pub answer: Option<String>,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvalProblem {
    /// Its id.
    pub id: String,
    /// What was asked.
    pub prompt: String,
    /// Its samples.
    pub samples: Vec<EvalSample>,
}

/// What an evaluation found. Undecided responses count as not right, and are counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvalReport {
    /// Problems.
    pub n: usize,
    /// The share of right responses, strict.
    pub accuracy: f64,
    /// Its 95 % interval: Wilson for one sample a problem, normal over problems for more.
    pub accuracy_ci: [f64; 2],
    /// For each k up to the samples a problem (powers of two and the number itself): the chance that one of k is right.
    pub pass_at: BTreeMap<usize, Share>,
    /// For each k: the chance that the majority answer of k is right.
    pub maj_at: BTreeMap<usize, Share>,
    /// The recipe's own extraction.
    pub strict: Share,
    /// Lenient extraction: the last number counts where no answer is stated.
    pub lenient: Share,
    /// Responses that no judge could decide.
    pub undecided: usize,
    /// Tokens sampled.
    pub tokens: u64,
    /// Mean tokens of a response.
    pub mean_length: f64,
    /// Worked examples before each problem.
    pub num_examples: usize,
    /// Seconds. Not part of what repeats exactly.
    #[serde(skip)]
    pub seconds: f64,
    /// Every problem with its samples.
    pub problems: Vec<EvalProblem>,
}

/// Lenient judges, and the tasks bound to them.
pub type Lenient<'a> = (&'a Rubric, &'a [Arc<Task>]);

/// Samples and judges every task.
///
/// # Errors
/// A problem that cannot become a prompt, or sampling that fails.
pub fn evaluate(
    decoder: &Decoder,
    prompter: &Prompter,
    (rubric, lenient): (&Rubric, Option<Lenient<'_>>),
    tasks: &[Arc<Task>],
    settings: &EvalSettings,
    watch: &mut dyn Watch,
) -> Result<EvalReport, EvalError> {
    let start = Instant::now();
    let mut requests = Vec::with_capacity(tasks.len());
    for task in tasks {
        let prompt = prompter.ids(&task.problem, settings.num_examples, Form::Plain)?;
        let coords = |sample| Coords {
            seed: settings.seed,
            step: 0,
            problem: task.problem.id.clone(),
            sample,
            purpose: Purpose::Eval,
        };
        requests.push(Request { prompt, samples: (0..settings.samples as u64).map(coords).collect() });
    }
    let mut stats = EngineStats::default();
    let tokenizer = prompter.tokenizer();
    let responses =
        engine::generate(decoder, Some(tokenizer), &requests, &settings.sampling, watch, &mut stats)?;
    let text = |response: &Response| response_text(tokenizer, &response.ids, response.finish);
    let answered = |task: &Arc<Task>, response: &Response| Answered {
        task: task.clone(),
        text: text(response),
        num_tokens: response.ids.len(),
    };
    let work = |tasks: &[Arc<Task>]| -> Vec<Answered> {
        tasks
            .iter()
            .zip(&responses)
            .flat_map(|(task, group)| group.iter().map(|response| answered(task, response)))
            .collect()
    };
    let mut go_on = || watch.tokens(0);
    let interrupted = EvalError::Engine(EngineError::Interrupted);
    let Some(strict) = rubric.judge(&work(tasks), &mut go_on) else { return Err(interrupted) };
    let loose = match lenient {
        Some((lenient, tasks)) => lenient.judge(&work(tasks), &mut go_on),
        None => Some(strict.clone()),
    };
    let Some(loose) = loose else { return Err(interrupted) };
    let problems = collect(tasks, &responses, &strict, &loose, &text);
    Ok(report(problems, settings, stats.generated_tokens, start.elapsed().as_secs_f64()))
}

/// A response as its judges see it: special tokens kept, the stop id left out.
#[must_use]
pub fn response_text(tokenizer: &crate::text::Tokenizer, ids: &[u32], finish: Finish) -> String {
    let stopped = finish == Finish::Stop && ids.last().is_some_and(|&id| tokenizer.stop_ids().contains(id));
    let ids = if stopped { &ids[..ids.len() - 1] } else { ids };
    tokenizer.decode(ids)
}

fn collect(
    tasks: &[Arc<Task>],
    responses: &[Vec<Response>],
    strict: &[Judgement],
    loose: &[Judgement],
    text: &dyn Fn(&Response) -> String,
) -> Vec<EvalProblem> {
    let mut judged = strict.iter().zip(loose);
    tasks
        .iter()
        .zip(responses)
        .map(|(task, group)| EvalProblem {
            id: task.problem.id.clone(),
            prompt: task.problem.prompt.text(),
            samples: group
                .iter()
                .zip(&mut judged)
                .map(|(response, (strict, loose))| EvalSample {
                    text: text(response),
                    num_tokens: response.ids.len(),
                    finish: response.finish,
                    right: strict.right,
                    // What is right strictly is right leniently.
                    lenient: strict.right || loose.right,
                    verdict: strict.verdict.clone(),
                    answer: canonical(task, strict),
                })
                .collect(),
        })
        .collect()
}

/// The answer that a response was judged by, as the judge that found it writes equal answers.
fn canonical(task: &Task, judgement: &Judgement) -> Option<String> {
    // An undecided whole counts for nobody.
    judgement.verdict.extracted()?;
    let mut judged = task.judges.iter().zip(&judgement.parts);
    judged.find_map(|(judge, verdict)| verdict.as_ref()?.extracted().map(|answer| judge.canonical(answer)))
}

fn report(problems: Vec<EvalProblem>, settings: &EvalSettings, tokens: u64, seconds: f64) -> EvalReport {
    let strict = share(&problems, |sample| sample.right);
    let lenient = share(&problems, |sample| sample.lenient);
    let mut pass_at = BTreeMap::new();
    let mut maj_at = BTreeMap::new();
    for k in ks(settings.samples) {
        let over = |value: &dyn Fn(&EvalProblem) -> Option<f64>| -> Option<Share> {
            let values: Vec<f64> = problems.iter().filter_map(value).collect();
            let mean = stats::mean_over_problems(&values)?;
            Some(Share { value: mean.mean, ci: bounds(mean.interval) })
        };
        let pass = |problem: &EvalProblem| {
            let right = problem.samples.iter().filter(|sample| sample.right).count();
            stats::pass_at_k(problem.samples.len() as u64, right as u64, k as u64)
        };
        let majority = |problem: &EvalProblem| {
            let votes: Vec<Vote> = problem
                .samples
                .iter()
                .map(|sample| Vote { answer: sample.answer.clone(), right: sample.right })
                .collect();
            stats::majority_of_first(&votes, k)
        };
        if let Some(share) = over(&pass) {
            pass_at.insert(k, share);
        }
        if let Some(share) = over(&majority) {
            maj_at.insert(k, share);
        }
    }
    let samples = problems.iter().flat_map(|problem| &problem.samples);
    let undecided = samples.clone().filter(|sample| sample.verdict.score().is_none()).count();
    let count = samples.clone().count();
    let mean_length = samples.map(|sample| sample.num_tokens as f64).sum::<f64>() / count.max(1) as f64;
    EvalReport {
        n: problems.len(),
        accuracy: strict.value,
        accuracy_ci: strict.ci,
        pass_at,
        maj_at,
        strict,
        lenient,
        undecided,
        tokens,
        mean_length,
        num_examples: settings.num_examples,
        seconds,
        problems,
    }
}

/// Powers of two up to `samples`, and `samples` itself.
fn ks(samples: usize) -> Vec<usize> {
    let mut ks: Vec<usize> =
        std::iter::successors(Some(1), |k| Some(k * 2)).take_while(|&k| k < samples).collect();
    ks.push(samples);
    ks
}

fn share(problems: &[EvalProblem], right: impl Fn(&EvalSample) -> bool) -> Share {
    if problems.iter().all(|problem| problem.samples.len() == 1) {
        let n = problems.len() as u64;
        let count = problems.iter().filter(|problem| right(&problem.samples[0])).count() as u64;
        let value = if n == 0 { 0.0 } else { count as f64 / n as f64 };
        return Share { value, ci: bounds(stats::wilson(count, n)) };
    }
    let means: Vec<f64> = problems
        .iter()
        .map(|problem| {
            let right = problem.samples.iter().filter(|sample| right(sample)).count();
            right as f64 / problem.samples.len().max(1) as f64
        })
        .collect();
    match stats::mean_over_problems(&means) {
        Some(mean) => Share { value: mean.mean, ci: bounds(mean.interval) },
        None => Share { value: 0.0, ci: [0.0, 1.0] },
    }
}

fn bounds(interval: Interval) -> [f64; 2] {
    [interval.low, interval.high]
}

#[cfg(test)]
mod tests {
    use polestar_data::{Origin, Problem, ProblemPrompt};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_answer_in_two_spellings_is_one_vote() {
        let config = toml::from_str("kind = \"math\"").unwrap();
        let rubric = Rubric::new(&[config]).unwrap();
        let problem = Problem {
            id: "p".into(),
            prompt: ProblemPrompt::Text("?".into()),
            reference: json!("18"),
            response: None,
            fields: serde_json::Map::new(),
            origin: Origin { file: "f".into(), line: 1 },
        };
        let task = rubric.bind(vec![problem]).unwrap().remove(0);
        let responses = ["#### 7", r"\boxed{18}", "#### 7", "The answer is $18.", "Dunno.", "#### 18.0"];
        let answered = |text: &&str| Answered { task: task.clone(), text: (*text).to_owned(), num_tokens: 3 };
        let work: Vec<_> = responses.iter().map(answered).collect();
        let vote =
            |judgement: &Judgement| Vote { answer: canonical(&task, judgement), right: judgement.right };
        let votes: Vec<Vote> = rubric.judge(&work, &mut || true).unwrap().iter().map(vote).collect();
        let answers: Vec<_> = votes.iter().map(|vote| vote.answer.as_deref()).collect();
        assert_eq!(answers, [Some("7"), Some("18"), Some("7"), Some("18"), None, Some("18")]);
        assert_eq!(stats::majority_of_first(&votes, 6), Some(1.0));
    }
}
