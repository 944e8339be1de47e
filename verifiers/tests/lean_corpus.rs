//! `lean` against a corpus of proofs, about half of them attempts at a reward without a proof: what the verdict is.
//!
//! A case is a file with a head in TOML and the response; `lean_corpus/tasks.toml` says what a head has. The Lean is the
//! one of `POLESTAR_LEAN`, as scripts/bare_lean.sh makes it. The cases of `lean_corpus_full` need a Lean with its own
//! library: that of `POLESTAR_LEAN_FULL`, or a `lean` on the PATH.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use polestar_verifiers::{
    CauseKind, Job, Kind, Outcome, RawItem, Supervisor, SupervisorConfig, Verdict, configure,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Runs only cases with this text in their names.
const ONLY: &str = "POLESTAR_CORPUS_ONLY";
/// Seconds that Lean may take for a case that says nothing.
const TIME_S: f64 = 30.0;
/// The file that cases try to write outside of their box. In its place each run has one of its own, so that no run is
/// blamed for another's.
const ESCAPED: &str = "/tmp/polestar-lean-corpus-was-here";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    task: String,
    #[serde(default)]
    mode: Option<String>,
    expect: Expected,
    /// For readers, and for the script that compares with Lean alone.
    #[expect(dead_code, reason = "for readers")]
    plain: Option<String>,
    why: String,
    #[serde(default)]
    fill: Vec<Fill>,
    timeout_s: Option<f64>,
    memory_mb: Option<u64>,
    #[serde(default)]
    looks: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    One(String),
    Any(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fill {
    mark: String,
    text: String,
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

struct Case {
    name: String,
    head: Head,
    response: String,
}

impl Case {
    /// Reads a case, which tries to write `escaped` if it tries to write outside.
    fn read(path: &Path, escaped: &str) -> Self {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).unwrap().replace(ESCAPED, escaped);
        let (head, response) = text.strip_prefix("+++\n").unwrap().split_once("\n+++\n").unwrap();
        let head: Head = toml::from_str(head).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut response = response.to_owned();
        for fill in &head.fill {
            assert!(response.contains(&fill.mark), "{name}: no {}", fill.mark);
            response = response.replace(&fill.mark, &fill.text.repeat(fill.times));
        }
        let case = Self { name, head, response };
        for path in case.unwanted() {
            assert!(case.response.contains(path), "{}: it does not try to write {path}", case.name);
        }
        case
    }

    /// Files that must not be there after the verdict.
    fn unwanted(&self) -> impl Iterator<Item = &str> {
        self.head
            .looks
            .iter()
            .map(|look| look.strip_prefix("no-file ").unwrap_or_else(|| panic!("{}: {look}", self.name)))
    }

    fn expects(&self, kind: &str) -> bool {
        match &self.head.expect {
            Expected::One(one) => one == kind,
            Expected::Any(any) => any.iter().any(|expected| expected == kind),
        }
    }

    /// Settings that differ from those of most cases.
    fn limits(&self) -> (u64, u64) {
        let time_ms = (self.head.timeout_s.unwrap_or(TIME_S) * 1000.0) as u64;
        (time_ms, self.head.memory_mb.unwrap_or(2048))
    }
}

/// A path for this run alone.
fn escaped(folder: &Path) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let corpus = folder.file_name().unwrap().to_string_lossy();
    format!("{ESCAPED}-{corpus}-{}-{since}", std::process::id())
}

fn cases(folder: &Path) -> Vec<Case> {
    let escaped = escaped(folder);
    assert!(!Path::new(&escaped).exists(), "{escaped} is there before anything ran");
    let only = std::env::var(ONLY).unwrap_or_default();
    let mut paths: Vec<PathBuf> = ["honest", "hostile"]
        .iter()
        .filter_map(|half| std::fs::read_dir(folder.join(half)).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| Case::read(path, &escaped)).filter(|case| case.name.contains(&only)).collect()
}

type Tasks = BTreeMap<String, Value>;

/// Judges cases that have the same limits, so many at once.
fn judge(tasks: &Tasks, lean: &str, cases: &[&Case], at_once: usize) -> Vec<Outcome> {
    let Some(first) = cases.first() else { return Vec::new() };
    let (time_ms, memory_mb) = first.limits();
    let settings = json!({"command": lean, "time_s": time_ms as f64 / 1000.0, "memory_mb": memory_mb});
    let verifier = configure("lean", &settings).unwrap();
    verifier.ready().unwrap();
    let jobs = cases.iter().map(|case| {
        let mut reference =
            tasks.get(&case.head.task).unwrap_or_else(|| panic!("{}: no task", case.name)).clone();
        if let Some(mode) = &case.head.mode {
            reference["mode"] = json!(mode);
        }
        let item = RawItem { id: case.name.clone(), reference, ..RawItem::default() };
        Job::new(verifier.bind(item).unwrap(), case.response.as_str())
    });
    let config = SupervisorConfig { jobs: at_once, timeout: Duration::from_secs(300), queue: 4 };
    let outcomes = Supervisor::new(config).judge_all(jobs.collect(), None);
    for (case, outcome) in cases.iter().zip(&outcomes) {
        let (kind, reason) = (outcome.verdict.kind_name(), outcome.verdict.reason());
        println!("{}: {kind}, {:.2} s: {reason}", case.name, outcome.run_s);
    }
    outcomes
}

/// Whether there is no verdict because there was too little time, which another try may have.
fn lacked_time(verdict: &Verdict) -> bool {
    verdict.score().is_none() && ["timeout", "exhausted"].contains(&verdict.kind_name())
}

/// What is wrong with a verdict.
fn complaint(case: &Case, verdict: &Verdict) -> Option<String> {
    let kind = verdict.kind_name();
    // A judge that crashes, or is given up, says `crash` and `timeout` too, and has judged nothing.
    let is_wrong = !case.expects(kind) || verdict.score().is_none();
    is_wrong.then(|| format!("{}: {kind}: {}\n    {}", case.name, verdict.reason(), case.head.why))
}

/// Judges all cases and tells all that are wrong at once. What lacked time beside others is judged again alone.
fn judge_all(folder: &Path, lean: &str) {
    let tasks = std::fs::read_to_string(folder.join("tasks.toml")).unwrap();
    let tasks: Tasks = toml::from_str(&tasks).unwrap();
    let all = cases(folder);
    assert!(!all.is_empty() || std::env::var_os(ONLY).is_some(), "no case in {}", folder.display());
    let mut groups: BTreeMap<(u64, u64), Vec<&Case>> = BTreeMap::new();
    for case in &all {
        groups.entry(case.limits()).or_default().push(case);
    }
    let (mut wrong, mut again) = (Vec::new(), Vec::new());
    for cases in groups.values() {
        for (&case, outcome) in cases.iter().zip(judge(&tasks, lean, cases, 2)) {
            match lacked_time(&outcome.verdict) {
                true => again.push(case),
                false => wrong.extend(complaint(case, &outcome.verdict)),
            }
        }
    }
    for case in again {
        let outcome = judge(&tasks, lean, &[case], 1).remove(0);
        wrong.extend(complaint(case, &outcome.verdict));
    }
    for case in &all {
        let there = case.unwanted().filter(|path| Path::new(path).exists());
        wrong.extend(
            there.map(|path| format!("{}: {path} is there: delete it when it is understood", case.name)),
        );
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

#[test]
fn every_proof_gets_its_verdict() {
    match std::env::var("POLESTAR_LEAN") {
        Ok(lean) => judge_all(&folder("lean_corpus"), &lean),
        Err(_) => println!("SKIPPED: set POLESTAR_LEAN to a `lean`, as scripts/bare_lean.sh makes one"),
    }
}

#[test]
fn every_proof_with_leans_own_library_gets_its_verdict() {
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        let found = std::env::split_paths(&path).map(|folder| folder.join("lean")).find(|it| it.is_file())?;
        Some(found.display().to_string())
    };
    match std::env::var("POLESTAR_LEAN_FULL").ok().or_else(on_path) {
        Some(lean) => judge_all(&folder("lean_corpus_full"), &lean),
        None => println!("SKIPPED: no Lean with its own library; set POLESTAR_LEAN_FULL to its `lean`"),
    }
}

#[test]
fn only_what_lacked_time_is_judged_again() {
    let undecided = |kind| Verdict::undecided(kind, "why");
    assert!([CauseKind::Timeout, CauseKind::Exhausted].into_iter().all(|kind| lacked_time(&undecided(kind))));
    assert!(!lacked_time(&undecided(CauseKind::Crash)));
    assert!(!lacked_time(&Verdict::zero(Kind::Timeout, "it took too long", None)));
}

#[test]
fn every_run_has_a_file_of_its_own_to_look_for() {
    let folder = folder("lean_corpus");
    let paths = [(); 2].map(|()| {
        let found = cases(&folder);
        found.iter().flat_map(Case::unwanted).map(str::to_owned).collect::<BTreeSet<_>>()
    });
    assert!(paths[0].is_disjoint(&paths[1]), "{paths:?}");
    assert!(!paths[0].is_empty() || std::env::var_os(ONLY).is_some());
    assert!(paths.iter().flatten().all(|path| path.starts_with(ESCAPED) && path != ESCAPED), "{paths:?}");
}
