//! Runs the cases at one level of isolation and says what did not hold, all of it at once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use polestar_verifiers::{
    Configured, Job, Outcome, RawItem, Supervisor, SupervisorConfig, Verdict, configure,
};
use serde_json::{Value, json};

use crate::case::{Case, Tasks, load};
use crate::looks::{Look, in_time};
use crate::processes;
use crate::stage::{Stage, mark_prefix};

/// Cases at once.
const JOBS: usize = 2;
/// How often a trap is laid before the case that must not step into it: more often than there are workers.
const TRAPS: usize = 3;
/// The task, and its answer, by which is seen that a hostile case has left honest ones alone.
const CONTROL: (&str, &str) = ("add", "def add(a, b):\n    return a + b\n");

/// How the cases are run.
pub(crate) struct Plan<'a> {
    pub(crate) folder: &'a Path,
    /// The setting `isolation`.
    pub(crate) isolation: &'a str,
    /// The setting `python`.
    pub(crate) python: &'a str,
    /// Whether that Python has pytest.
    pub(crate) has_pytest: bool,
    /// The text that no case may show.
    pub(crate) secret: &'a str,
    /// Runs only the cases with one of these texts, between commas, in their names.
    pub(crate) only: Option<String>,
}

/// What did not hold for one case.
struct Failure {
    case: String,
    expected: String,
    found: String,
    reason: String,
}

/// A verifier, and the settings that it was made with.
type Verifiers = Mutex<HashMap<String, Arc<dyn Configured>>>;

struct Run<'a> {
    plan: &'a Plan<'a>,
    tasks: Tasks,
    cases: Vec<Case>,
    verifiers: Verifiers,
    supervisors: Mutex<HashMap<u64, Arc<Supervisor>>>,
}

/// Judges every case.
///
/// # Panics
/// With a table of all that did not hold.
pub(crate) fn judge_all(plan: &Plan<'_>) {
    let (tasks, cases) = load(plan.folder);
    let is_wanted = |case: &Case| {
        plan.only.as_ref().is_none_or(|only| only.split(',').any(|part| case.name.contains(part)))
    };
    let cases = cases.into_iter().filter(is_wanted);
    let cases =
        if plan.isolation == "landlock" { cases.map(Case::weakened).collect() } else { cases.collect() };
    let run = Run { plan, tasks, cases, verifiers: Mutex::default(), supervisors: Mutex::default() };
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..JOBS {
            scope.spawn(|| {
                while let Some(case) = run.cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = run.failures(case);
                    failures.lock().unwrap().extend(found);
                }
            });
        }
    });
    let num_cases = run.cases.len();
    drop(run);
    let mut failures = failures.into_inner().unwrap();
    failures.extend(left().map(|found| Failure {
        case: "(after all)".to_owned(),
        expected: "nothing left".to_owned(),
        found,
        reason: String::new(),
    }));
    failures.sort_by(|a, b| a.case.cmp(&b.case));
    assert!(failures.is_empty(), "{} failures of {num_cases} cases:\n{}", failures.len(), table(&failures));
}

/// What is left when every verifier is gone: processes below this one, files with the name of a case.
fn left() -> Option<String> {
    let prefix = mark_prefix();
    in_time(|| {
        let found = processes::descendants();
        (!found.is_empty()).then(|| format!("processes {found:?}"))
    })
    .or_else(|| {
        let folders = [std::env::temp_dir(), "/var/tmp".into(), "/dev/shm".into(), "/".into(), ".".into()];
        let names = folders.iter().filter_map(|it| std::fs::read_dir(it).ok()).flatten().flatten();
        let found: Vec<_> =
            names.map(|it| it.path()).filter(|it| it.to_string_lossy().contains(&prefix)).collect();
        (!found.is_empty()).then(|| format!("files {found:?}"))
    })
}

impl Run<'_> {
    /// What does not hold for one case.
    fn failures(&self, case: &Case) -> Vec<Failure> {
        let needs_pytest = self.tasks.get(&case.head.task).is_some_and(|task| task.get("files").is_some());
        if needs_pytest && !self.plan.has_pytest {
            return Vec::new();
        }
        let names = case.head.expect.names().join(" or ");
        let fail = |expected: String, found: String, reason: &str| Failure {
            case: case.name.clone(),
            expected,
            found,
            reason: reason.chars().take(400).collect(),
        };
        let stage = Stage::new(self.plan.secret);
        let looks: Result<Vec<_>, _> =
            case.head.looks.iter().map(|text| Look::prepare(&stage.fill(text))).collect();
        let looks = match looks {
            Ok(looks) => looks,
            Err(error) => return vec![fail("looks".to_owned(), error, "")],
        };
        let outcome = match self.outcome(case, &stage) {
            Ok(outcome) => outcome,
            Err(error) => return vec![fail(names, error, "")],
        };
        let reason = outcome.verdict.reason();
        let mut failures = Vec::new();
        let found = kind(&outcome.verdict);
        if !case.head.expect.names().contains(&found) {
            failures.push(fail(names, found, reason));
        }
        let part = stage.fill(case.head.reason.as_deref().unwrap_or_default());
        if !reason.contains(&part) {
            failures.push(fail(format!("a reason with {part:?}"), "another".to_owned(), reason));
        }
        let looked = case.head.looks.iter().zip(&looks);
        failures.extend(looked.filter_map(|(text, look)| {
            let found = look.failure(&stage, &outcome, self.plan.secret)?;
            Some(fail(text.clone(), found, reason))
        }));
        if case.is_hostile() {
            let control = self.judge(&case.head.settings, CONTROL.0, CONTROL.1.to_owned(), 30.0);
            let found = control.map_or_else(|error| error, |it| format!("{:?}", it.verdict));
            if !found.contains("kind: Right") {
                failures.push(fail("an honest program is right afterwards".to_owned(), found, reason));
            }
        }
        failures
    }

    /// The verdict on a case, after that on the case that comes before it.
    fn outcome(&self, case: &Case, stage: &Stage) -> Result<Outcome, String> {
        if let Some(name) = &case.head.after {
            let (_, all) = load(self.plan.folder);
            let first = all.iter().find(|it| it.name == *name).ok_or(format!("there is no case {name}"))?;
            for _ in 0..TRAPS {
                let head = &first.head;
                self.judge(&head.settings, &head.task, stage.fill(&first.response), head.timeout_s)?;
            }
        }
        let response = stage.fill(&case.response);
        self.judge(&case.head.settings, &case.head.task, response, case.head.timeout_s)
    }

    fn judge(
        &self,
        settings: &toml::Table,
        task: &str,
        response: String,
        timeout_s: f64,
    ) -> Result<Outcome, String> {
        let reference = self.tasks.get(task).ok_or(format!("there is no task {task}"))?.clone();
        let item = RawItem { id: task.to_owned(), problem: String::new(), reference };
        let judge = self.verifier(settings)?.bind(item).map_err(|error| error.to_string())?;
        let mut outcomes = self.supervisor(timeout_s).judge_all(vec![Job::new(judge, response)], None);
        outcomes.pop().ok_or("there is no verdict".to_owned())
    }

    /// The verifier with these settings, made once, so that its workers serve many cases.
    fn verifier(&self, settings: &toml::Table) -> Result<Arc<dyn Configured>, String> {
        // The cases have deadlines of their own, which are to be the ones that count.
        let (isolation, python) = (self.plan.isolation, self.plan.python);
        let mut all = json!({"isolation": isolation, "python": python, "time_s": 600.0});
        let own = serde_json::to_value(settings).map_err(|error| error.to_string())?;
        if let (Value::Object(all), Value::Object(own)) = (&mut all, own) {
            all.extend(own);
        }
        let mut verifiers = self.verifiers.lock().unwrap();
        if let Some(verifier) = verifiers.get(&all.to_string()) {
            return Ok(Arc::clone(verifier));
        }
        let mut verifier = configure("code", &all).map_err(|error| error.to_string())?;
        verifier.forget_verdicts();
        verifier.ready().map_err(|error| error.to_string())?;
        let verifier: Arc<dyn Configured> = Arc::from(verifier);
        verifiers.insert(all.to_string(), Arc::clone(&verifier));
        Ok(verifier)
    }

    fn supervisor(&self, timeout_s: f64) -> Arc<Supervisor> {
        let timeout = Duration::from_secs_f64(timeout_s);
        let config = SupervisorConfig { jobs: JOBS, timeout, queue: 64 };
        let mut supervisors = self.supervisors.lock().unwrap();
        Arc::clone(
            supervisors.entry(timeout_s.to_bits()).or_insert_with(|| Arc::new(Supervisor::new(config))),
        )
    }
}

/// A verdict's name as cases expect it.
fn kind(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Judged { kind, .. } => kind.name().to_owned(),
        Verdict::Undecided { cause } => format!("undecided:{}", cause.kind.name()),
    }
}

fn table(failures: &[Failure]) -> String {
    let line = |it: &Failure| {
        format!(
            "{:36} | expected {} | found {} | {}",
            it.case,
            it.expected,
            it.found,
            it.reason.escape_debug()
        )
    };
    failures.iter().map(line).collect::<Vec<_>>().join("\n")
}
