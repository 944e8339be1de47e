//! Problems bound to the recipe's verifiers, and responses judged by them. A reference answer that cannot be read is an
//! error here, before anything is sampled; a verdict that is undecided is never a score.

use std::sync::Arc;

use polestar_data::Problem;
use polestar_verifiers::rubric::{Combined, PartRule, combine};
use polestar_verifiers::{
    Configured, Job, MAX_TIMEOUT_S, Outcome, RawItem, Supervisor, SupervisorConfig, Verdict, VerifierError,
    configure, kinds,
};
use serde_json::Value;

use crate::recipe::VerifierConfig;
use crate::rollout::Task;

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

    /// Binds problems: every reference is parsed now.
    ///
    /// # Errors
    /// The first reference that cannot be read, and how many more there are.
    pub fn bind(&self, problems: Vec<Problem>) -> Result<Vec<Arc<Task>>, JudgeError> {
        let mut tasks = Vec::with_capacity(problems.len());
        let mut first = None;
        let mut bad = 0;
        for problem in problems {
            let parts = self.parts.iter().zip(&self.rules);
            let judges: Result<Vec<_>, _> =
                parts.map(|(part, rule)| part.configured.bind(self.item(rule, &problem))).collect();
            match judges {
                Ok(judges) => tasks.push(Arc::new(Task { problem, judges })),
                Err(source) => {
                    bad += 1;
                    first.get_or_insert((problem.origin.to_string(), source));
                }
            }
        }
        match first {
            Some((origin, source)) => Err(JudgeError::Reference { origin, source, more: bad - 1 }),
            None => Ok(tasks),
        }
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
