//! Problems bound to the recipe's verifiers, and responses judged by them. A reference answer that cannot be read is an
//! error here, before anything is sampled; a verdict that is undecided is never a score.

use std::sync::Arc;

use polestar_data::Problem;
use polestar_verifiers::{
    Configured, Job, Kind, MAX_TIMEOUT_S, RawItem, Score, Supervisor, SupervisorConfig, Verdict,
    VerifierError, configure,
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
    name: String,
    weight: f64,
    success: f64,
    configured: Box<dyn Configured>,
    supervisor: Supervisor,
}

/// The recipe's verifiers.
pub struct Rubric {
    parts: Vec<Part>,
}

/// What the verifiers say of one response.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The weighted mean of the parts; undecided as soon as one part is.
    pub verdict: Verdict,
    /// Each part's own verdict, in the recipe's order.
    pub parts: Vec<Verdict>,
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
            Ok(Part { name, weight: config.weight, success: config.success, configured, supervisor })
        });
        Ok(Self { parts: parts.collect::<Result<_, _>>()? })
    }

    /// Asks every verifier whether it can judge: what it runs starts, who it asks answers. To be called once before any
    /// work; may take seconds.
    ///
    /// # Errors
    /// The first verifier that cannot, with what to install, start or correct.
    pub fn ready(&self) -> Result<(), JudgeError> {
        self.parts.iter().try_for_each(|part| {
            part.configured.ready().map_err(|source| JudgeError::Settings { name: part.name.clone(), source })
        })
    }

    /// The same verifiers with answers taken as leniently as each can: a `math` answer may be the last number.
    ///
    /// # Errors
    /// As [`Rubric::new`].
    pub fn lenient(configs: &[VerifierConfig]) -> Result<Option<Self>, JudgeError> {
        if !configs.iter().any(|config| config.kind == "math") {
            return Ok(None);
        }
        let mut configs = configs.to_vec();
        for config in configs.iter_mut().filter(|config| config.kind == "math") {
            config.options.insert("fallback".into(), "last-number".into());
        }
        Self::new(&configs).map(Some)
    }

    /// The verifiers' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| part.name.as_str())
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
            let judges: Result<Vec<_>, _> =
                self.parts.iter().map(|part| part.configured.bind(self.item(part, &problem))).collect();
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
    fn item(&self, part: &Part, problem: &Problem) -> RawItem {
        let own = (self.parts.len() > 1).then(|| problem.reference.get(&part.name)).flatten();
        RawItem {
            id: problem.id.clone(),
            problem: problem.prompt.text(),
            reference: own.unwrap_or(&problem.reference).clone(),
        }
    }

    /// Judges responses, each to its own task. The answers come in the order of `work`; there are none once `go_on`,
    /// asked after each verdict, says no.
    #[must_use]
    pub fn judge(
        &self,
        work: &[(Arc<Task>, String)],
        go_on: &mut dyn FnMut() -> bool,
    ) -> Option<Vec<Judgement>> {
        let mut columns: Vec<Vec<polestar_verifiers::Outcome>> = Vec::with_capacity(self.parts.len());
        for (index, part) in self.parts.iter().enumerate() {
            let jobs = work
                .iter()
                .map(|(task, response)| Job { judge: task.judges[index].clone(), response: response.clone() })
                .collect();
            columns.push(part.supervisor.judge_while(jobs, go_on)?);
        }
        let judgement = |row: usize| {
            let outcomes: Vec<_> = columns.iter().map(|column| &column[row]).collect();
            let parts: Vec<Verdict> = outcomes.iter().map(|outcome| outcome.verdict.clone()).collect();
            let mut judgement = self.combine(parts);
            judgement.queue_s = outcomes.iter().map(|outcome| outcome.queue_s).sum();
            judgement.run_s = outcomes.iter().map(|outcome| outcome.run_s).sum();
            judgement
        };
        Some((0..work.len()).map(judgement).collect())
    }

    /// The parts' verdicts as one.
    #[must_use]
    pub fn combine(&self, parts: Vec<Verdict>) -> Judgement {
        let total: f64 = self.parts.iter().map(|part| part.weight).sum();
        let mut sum = 0.0;
        let mut right = true;
        let mut undecided = None;
        for (part, verdict) in self.parts.iter().zip(&parts) {
            match verdict.score() {
                Some(score) => {
                    sum += part.weight * score.get();
                    right &= score.get() >= part.success;
                }
                None => undecided = Some(verdict.clone()),
            }
        }
        let verdict = match (undecided, parts.as_slice()) {
            (Some(undecided), _) => undecided,
            (None, [only]) => only.clone(),
            (None, _) => Verdict::Judged {
                // A mean of numbers in [0, 1], clamped against rounding.
                score: Score::new((sum / total).clamp(0.0, 1.0)).unwrap_or(Score::ZERO),
                kind: if right { Kind::Right } else { Kind::Partial },
                reason: self
                    .parts
                    .iter()
                    .zip(&parts)
                    .map(|(part, verdict)| format!("{}: {}", part.name, verdict.reason()))
                    .collect::<Vec<_>>()
                    .join("; "),
                extracted: parts.iter().find_map(|verdict| verdict.extracted().map(str::to_owned)),
            },
        };
        let right = right && verdict.score().is_some();
        Judgement { verdict, parts, right, queue_s: 0.0, run_s: 0.0 }
    }
}

impl std::fmt::Debug for Rubric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
