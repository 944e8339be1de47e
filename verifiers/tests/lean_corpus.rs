//! `lean` against a corpus of proofs, about half of them attempts at a reward without a proof: what the verdict is.
//!
//! A case is a file with a head in TOML and the response; `lean_corpus/tasks.toml` says what a head has. The Lean is the
//! one of `POLESTAR_LEAN`, as scripts/bare_lean.sh makes it. The cases of `lean_corpus_full` need a Lean with its own
//! library: that of `POLESTAR_LEAN_FULL`, or a `lean` on the PATH.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use polestar_verifiers::{Job, RawItem, Supervisor, SupervisorConfig, configure};
use serde::Deserialize;
use serde_json::{Value, json};

/// Runs only cases with this text in their names.
const ONLY: &str = "POLESTAR_CORPUS_ONLY";
/// Seconds that Lean may take for a case that says nothing.
const TIME_S: f64 = 30.0;

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
    fn read(path: &Path) -> Self {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).unwrap();
        let (head, response) = text.strip_prefix("+++\n").unwrap().split_once("\n+++\n").unwrap();
        let head: Head = toml::from_str(head).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut response = response.to_owned();
        for fill in &head.fill {
            assert!(response.contains(&fill.mark), "{name}: no {}", fill.mark);
            response = response.replace(&fill.mark, &fill.text.repeat(fill.times));
        }
        Self { name, head, response }
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

fn cases(folder: &Path) -> Vec<Case> {
    let only = std::env::var(ONLY).unwrap_or_default();
    let mut paths: Vec<PathBuf> = ["honest", "hostile"]
        .iter()
        .filter_map(|half| std::fs::read_dir(folder.join(half)).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| Case::read(path)).filter(|case| case.name.contains(&only)).collect()
}

/// Judges all cases and tells all that are wrong at once.
fn judge_all(folder: &Path, lean: &str) {
    let tasks = std::fs::read_to_string(folder.join("tasks.toml")).unwrap();
    let tasks: BTreeMap<String, Value> = toml::from_str(&tasks).unwrap();
    let all = cases(folder);
    assert!(!all.is_empty() || std::env::var_os(ONLY).is_some(), "no case in {}", folder.display());
    let mut wrong = Vec::new();
    let mut groups: BTreeMap<(u64, u64), Vec<&Case>> = BTreeMap::new();
    for case in &all {
        groups.entry(case.limits()).or_default().push(case);
    }
    for ((time_ms, memory_mb), cases) in groups {
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
        let config = SupervisorConfig { jobs: 2, timeout: Duration::from_secs(300), queue: 4 };
        let outcomes = Supervisor::new(config).judge_all(jobs.collect(), None);
        for (case, outcome) in cases.iter().zip(&outcomes) {
            let kind = outcome.verdict.kind_name();
            println!("{}: {kind}, {:.2} s: {}", case.name, outcome.run_s, outcome.verdict.reason());
            // A judge that crashes, or is given up, says `crash` and `timeout` too, and has judged nothing.
            if !case.expects(kind) || outcome.verdict.score().is_none() {
                wrong.push(format!(
                    "{}: {kind}: {}\n    {}",
                    case.name,
                    outcome.verdict.reason(),
                    case.head.why
                ));
            }
            for look in &case.head.looks {
                let path = look.strip_prefix("no-file ").unwrap_or_else(|| panic!("{}: {look}", case.name));
                if Path::new(path).exists() {
                    wrong.push(format!("{}: {path} is there", case.name));
                }
            }
        }
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
