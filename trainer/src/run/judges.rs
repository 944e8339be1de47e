//! Problems bound to the recipe's verifiers, and responses judged by them. A reference answer that cannot be read is an
//! error here, before anything is sampled; a verdict that is undecided is never a score.

use std::sync::Arc;
use std::time::{Duration, Instant};

use polestar_data::Problem;
use polestar_verifiers::rubric::{Combined, PartRule, combine};
use polestar_verifiers::{
    Configured, Job, MAX_TIMEOUT_S, Outcome, RawItem, Supervisor, SupervisorConfig, Verdict, VerifierError,
    configure, kinds,
};
use rayon::prelude::*;
use serde_json::Value;

use crate::cli::progress::Progress;
use crate::recipe::VerifierConfig;
use crate::rollout::Task;

/// Of what took so long it is said how long it took.
const WORTH_A_LINE: Duration = Duration::from_secs(2);

/// Why a verifier cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// Its settings.
    #[error("verifier {name:?}: {source}")]
    Settings {
        /// The verifier's name in the recipe.
        name: String,
        /// What is wrong.
        source: VerifierError,
    },
    /// A reference answer.
    #[error("{origin}: {source}{more}", more = if *more == 0 { String::new() } else { format!(" ({more} more problems have a bad reference)") })]
    Reference {
        /// Where the problem stands.
        origin: String,
        /// What is wrong.
        source: VerifierError,
        /// How many more problems are as bad.
        more: usize,
    },
}

/// One verifier of the recipe.
struct Part {
    configured: Box<dyn Configured>,
    supervisor: Supervisor,
}

/// The recipe's verifiers.
pub struct Rubric {
    parts: Vec<Part>,
    /// How they count, in the same order.
    rules: Vec<PartRule>,
}

/// What the verifiers say of one response.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The weighted mean of the parts; undecided as soon as one part is.
    pub verdict: Verdict,
    /// Each part's own verdict, in the recipe's order; none where a gate before it did not let the response through.
    pub parts: Vec<Option<Verdict>>,
    /// Whether every part reaches its `success`.
    pub right: bool,
    /// Seconds of waiting for a judge, summed over the parts.
    pub queue_s: f64,
    /// Seconds of judging, summed over the parts.
    pub run_s: f64,
}

impl Rubric {
    /// Makes the verifiers ready.
    ///
    /// # Errors
    /// A kind that does not exist, or settings that it refuses.
    pub fn new(configs: &[VerifierConfig]) -> Result<Self, JudgeError> {
        let parts = configs.iter().map(|config| {
            let name = config.label().to_owned();
            // TOML has no null and JSON no dates; a date among a verifier's settings is refused by the verifier.
            let options = serde_json::to_value(&config.options).unwrap_or(Value::Null);
            let configured = configure(&config.kind, &options)
                .map_err(|source| JudgeError::Settings { name: name.clone(), source })?;
            let Some(timeout) = polestar_verifiers::timeout(config.timeout_s) else {
                let problem = format!("timeout_s must be above 0 and at most {MAX_TIMEOUT_S} (a day)");
                let found = config.timeout_s.to_string();
                let source = VerifierError::Settings { kind: configured.name(), problem, found };
                return Err(JudgeError::Settings { name, source });
            };
            let supervisor = Supervisor::new(SupervisorConfig {
                jobs: config.jobs,
                timeout,
                queue: 4 * config.jobs.max(1),
            });
            Ok(Part { configured, supervisor })
        });
        let rules = configs.iter().map(VerifierConfig::rule).collect();
        Ok(Self { parts: parts.collect::<Result<_, _>>()?, rules })
    }

    /// Asks every verifier whether it can judge: what it runs starts, who it asks answers. To be called once before any
    /// work; may take seconds.
    ///
    /// # Errors
    /// The first verifier that cannot, with what to install, start or correct.
    pub fn ready(&self) -> Result<(), JudgeError> {
        self.parts.iter().zip(&self.rules).try_for_each(|(part, rule)| {
            part.configured.ready().map_err(|source| JudgeError::Settings { name: rule.name.clone(), source })
        })
    }

    /// The same verifiers with answers taken as leniently as each can: a `math` answer may be the last number, one of
    /// `choice` and `text` the last word of its kind.
    ///
    /// # Errors
    /// As [`Rubric::new`].
    pub fn lenient(configs: &[VerifierConfig]) -> Result<Option<Self>, JudgeError> {
        let lenient = |kind: &str| kinds().iter().find(|entry| entry.name == kind)?.lenient;
        if !configs.iter().any(|config| lenient(&config.kind).is_some()) {
            return Ok(None);
        }
        let mut configs = configs.to_vec();
        for config in &mut configs {
            if let Some((setting, value)) = lenient(&config.kind) {
                config.options.insert(setting.into(), value.into());
            }
        }
        Self::new(&configs).map(Some)
    }

    /// The verifiers' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.name.as_str())
    }

    /// Binds problems: every reference is parsed now, and checked by what judges it, as many at once as are judged at
    /// once.
    ///
    /// # Errors
    /// The first reference that cannot be read, and how many more there are.
    pub fn bind(&self, problems: Vec<Problem>) -> Result<Vec<Arc<Task>>, JudgeError> {
        let began = Instant::now();
        // What only this process looks at takes no time that anybody would wait for.
        let is_slow = self.parts.iter().any(|part| part.configured.is_external());
        let progress = is_slow.then(|| Progress::new("references", Some(problems.len() as u64), "problems"));
        let bind = |problem: Problem| {
            let parts = self.parts.iter().zip(&self.rules);
            let judges: Result<Vec<_>, _> =
                parts.map(|(part, rule)| part.configured.bind(self.item(rule, &problem))).collect();
            progress.iter().for_each(|progress| progress.inc(1));
            match judges {
                Ok(judges) => Ok(Arc::new(Task { problem, judges })),
                Err(source) => Err((problem.origin.to_string(), source)),
            }
        };
        let num_threads = self.parts.iter().map(|part| part.supervisor.jobs()).max().unwrap_or(1);
        let threads = rayon::ThreadPoolBuilder::new().num_threads(num_threads).build();
        let bound: Vec<_> = match threads {
            Ok(threads) => threads.install(|| problems.into_par_iter().with_max_len(1).map(bind).collect()),
            // Without threads of its own it is done by this one.
            Err(_) => problems.into_iter().map(bind).collect(),
        };
        let more = bound.iter().filter(|bound| bound.is_err()).count().saturating_sub(1);
        if began.elapsed() >= WORTH_A_LINE {
            progress.into_iter().for_each(Progress::finish);
        }
        let tasks: Result<Vec<_>, _> = bound.into_iter().collect();
        tasks.map_err(|(origin, source)| JudgeError::Reference { origin, source, more })
    }

    /// Of several verifiers each takes the reference under its own name, if the data has one there.
    fn item(&self, rule: &PartRule, problem: &Problem) -> RawItem {
        let own = (self.parts.len() > 1).then(|| problem.reference.get(&rule.name)).flatten();
        RawItem {
            id: problem.id.clone(),
            problem: problem.prompt.text(),
            reference: own.unwrap_or(&problem.reference).clone(),
        }
    }

    /// Judges responses, each to its own task. The answers come in the order of `work`; there are none once `go_on`,
    /// asked after each verdict, says no. What fails at a gate is not shown to the verifiers after it.
    #[must_use]
    pub fn judge(&self, work: &[Answered], go_on: &mut dyn FnMut() -> bool) -> Option<Vec<Judgement>> {
        let mut rows: Vec<Row> = work.iter().map(|_| Row::default()).collect();
        for (index, (part, rule)) in self.parts.iter().zip(&self.rules).enumerate() {
            let is_asked: Vec<bool> = rows.iter().map(|row| !row.is_closed).collect();
            let asked = work.iter().zip(&is_asked).filter(|(_, is_asked)| **is_asked);
            let jobs = asked.map(|(answered, _)| Job {
                judge: answered.task.judges[index].clone(),
                response: answered.text.clone(),
                num_tokens: Some(answered.num_tokens),
            });
            let mut outcomes = part.supervisor.judge_while(jobs.collect(), go_on)?.into_iter();
            for (row, is_asked) in rows.iter_mut().zip(is_asked) {
                // One outcome came back for each that was asked.
                let outcome = if is_asked { outcomes.next() } else { None };
                row.add(outcome, rule);
            }
        }
        let judgement = |row: Row| {
            let mut judgement = self.combine(row.parts);
            (judgement.queue_s, judgement.run_s) = (row.queue_s, row.run_s);
            judgement
        };
        Some(rows.into_iter().map(judgement).collect())
    }

    /// The parts' verdicts as one; none stands for a part that was not asked.
    #[must_use]
    pub fn combine(&self, parts: Vec<Option<Verdict>>) -> Judgement {
        let Combined { verdict, right } = combine(&self.rules, &parts);
        Judgement { verdict, parts, right, queue_s: 0.0, run_s: 0.0 }
    }
}

/// A response to be judged.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The problem with its judges.
    pub task: Arc<Task>,
    /// The response's text.
    pub text: String,
    /// The response's length in tokens.
    pub num_tokens: usize,
}

/// What is known of one response while the parts are asked in turn.
#[derive(Default)]
struct Row {
    parts: Vec<Option<Verdict>>,
    /// The whole is decided, or cannot be: nobody else need be asked.
    is_closed: bool,
    queue_s: f64,
    run_s: f64,
}

impl Row {
    /// Takes in what a part said, if it was asked.
    fn add(&mut self, outcome: Option<Outcome>, rule: &PartRule) {
        if let Some(outcome) = &outcome {
            self.queue_s += outcome.queue_s;
            self.run_s += outcome.run_s;
            self.is_closed |= rule.ends(&outcome.verdict);
        }
        self.parts.push(outcome.map(|outcome| outcome.verdict));
    }
}

impl std::fmt::Debug for Rubric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};

    use polestar_data::{Origin, ProblemPrompt};
    use polestar_verifiers::Judge;
    use serde_json::json;

    use super::*;

    /// Counts how many references are bound at once; each waits a while for a second one.
    #[derive(Clone, Default)]
    struct Crowd {
        now_and_most: Arc<Mutex<(usize, usize)>>,
        came: Arc<Condvar>,
    }

    impl Configured for Crowd {
        fn name(&self) -> &'static str {
            "crowd"
        }

        fn bind(&self, item: RawItem) -> Result<Arc<dyn Judge>, VerifierError> {
            let mut count = self.now_and_most.lock().unwrap();
            count.0 += 1;
            count.1 = count.1.max(count.0);
            self.came.notify_all();
            let long = Duration::from_secs(5);
            let (mut count, _) = self.came.wait_timeout_while(count, long, |count| count.1 < 2).unwrap();
            count.0 -= 1;
            drop(count);
            configure("math", &Value::Null)?.bind(item)
        }
    }

    fn rubric(jobs: usize) -> (Rubric, Crowd) {
        let crowd = Crowd::default();
        let config = SupervisorConfig { jobs, timeout: Duration::from_secs(1), queue: 1 };
        let part = Part { configured: Box::new(crowd.clone()), supervisor: Supervisor::new(config) };
        let rule: VerifierConfig = serde_json::from_value(json!({"kind": "math", "name": "math"})).unwrap();
        (Rubric { parts: vec![part], rules: vec![rule.rule()] }, crowd)
    }

    fn problem(line: usize, reference: Value) -> Problem {
        Problem {
            id: line.to_string(),
            prompt: ProblemPrompt::Text(String::new()),
            reference,
            response: None,
            fields: serde_json::Map::new(),
            origin: Origin { file: "f".into(), line },
        }
    }

    #[test]
    fn references_are_bound_several_at_once_and_keep_their_order() {
        let (rubric, crowd) = rubric(2);
        let tasks = rubric.bind((1..=20).map(|line| problem(line, json!(line))).collect()).unwrap();
        assert_eq!(crowd.now_and_most.lock().unwrap().1, 2);
        let answers: Vec<_> = tasks.iter().map(|task| task.judges[0].answer().unwrap()).collect();
        assert_eq!(answers, (1..=20).map(|line| line.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn the_first_bad_reference_in_the_datas_order_is_told_and_the_others_are_counted() {
        let reference = |line| if line % 5 == 3 { Value::Null } else { json!(line) };
        let problems = (1..=20).map(|line| problem(line, reference(line))).collect();
        let error = rubric(2).0.bind(problems).unwrap_err().to_string();
        assert!(
            error.contains(":3:") && error.ends_with("(3 more problems have a bad reference)"),
            "{error}"
        );
    }
}
