//! Whole sessions over a small model: what undecided verdicts, a request to stop and a KL in the reward do to a step.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use polestar_data::{Origin, Problem, ProblemPrompt};
use polestar_verifiers::{Cause, CauseKind};
use serde_json::Value;

use super::*;
use crate::recipe::{Dtype, Recipe, World};
use crate::rollout::Finish;
use crate::run::metrics::{METRICS_FILE, read_records};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A session over eight problems, four tries each, that a random model is seldom right about.
fn session(folder: &Path, more: &str, sets: &[&str]) -> Session {
    let model = repository().join("tests/golden/models/llama-tied");
    let data = folder.join("train.jsonl");
    let line = |i: usize| {
        format!("{{\"id\": \"p{i}\", \"prompt\": \"What is {i} + 2?\", \"reference\": \"12345\"}}\n")
    };
    std::fs::write(&data, (0..8).map(line).collect::<String>()).unwrap();
    let text = format!(
        "[run]\nname = \"t\"\nsteps = 2\nthreads = 1\n[model]\npath = {model:?}\ndevice = \"cpu\"\n\
         [data.train]\nsource = {data:?}\n[[verifier]]\nkind = \"math\"\nfallback = \"last-number\"\n\
         [rollout]\nprompts = 8\nn = 4\nmax_new_tokens = 8\n{more}"
    );
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let world = World { cores: 1, num_gpus: 0, checkpoint_dtype: Dtype::F32, slots: 0 };
    let plan = Recipe::parse(Path::new("r.toml"), text.clone(), &sets).unwrap().resolve(&world).unwrap();
    Session::open(plan, &folder.join("run"), &text, &|_| ()).unwrap()
}

const STAR: &str = "[algorithm]\nkind = \"star\"\nrationalize = true\n";

/// Puts undecided verdicts on all rollouts of `purpose` into the journal, as if its judge had failed on these.
fn leave_undecided(session: &mut Session, purpose: Purpose) {
    let verdict =
        Verdict::Undecided { cause: Cause { kind: CauseKind::Crash, message: "of a judge".into() } };
    let parts = serde_json::to_value([verdict]).unwrap();
    for record in session.journal.records(1).unwrap() {
        if let Record::Rollout { step, problem, sample, purpose: found, ids, .. } = record
            && found == purpose
        {
            let (verdict, rollout_sha256) = (parts.clone(), rollout_sha256(&ids));
            let verdict = Record::Verdict { step, problem, sample, purpose, rollout_sha256, verdict };
            session.journal.append(&verdict).unwrap();
        }
    }
}

#[test]
fn the_share_of_undecided_verdicts_is_the_steps() {
    for (purpose, limit, stops) in [
        // Eight of 40, though all of the hinted tries.
        (Purpose::Retry, "log.max_undecided=0.3", false),
        (Purpose::Retry, "log.max_undecided=0.1", true),
        (Purpose::Train, "log.max_undecided=0.3", true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut session = session(folder.path(), STAR, &[limit]);
        let sampled = session.sample(1, &|| false).unwrap();
        assert_eq!(sampled.judgements.len(), 8 * 4 + 8, "every problem was failed");
        leave_undecided(&mut session, purpose);
        let again = session.sample(1, &|| false);
        match again {
            Ok(sampled) => {
                assert!(!stops, "{purpose:?} {limit}");
                assert_eq!(sampled.groups.iter().map(|group| group.num_undecided).sum::<usize>(), 8);
            }
            Err(RunError::Undecided { .. }) => assert!(stops, "{purpose:?} {limit}"),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn judging_and_scoring_end_when_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path(), "[algorithm]\nkind = \"grpo\"\n", &[]);
    let sampled = session.sample(1, &|| false).unwrap();
    let rollouts: Vec<Rollout> =
        sampled.groups.iter().flat_map(|group| &group.scored).map(|scored| scored.rollout.clone()).collect();
    // A step that the journal knows no verdicts of.
    let judged = session.judge(2, &rollouts, &mut Vec::new(), &|| true);
    assert!(judged.unwrap_err().is_interrupted());
    let scored = session.logprobs(&sampled.groups, true, &|| true);
    assert!(scored.unwrap_err().is_interrupted());
    assert_eq!(session.logprobs(&sampled.groups, true, &|| false).unwrap().len(), 8);
}

#[test]
fn a_kl_in_the_reward_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let kl = "update.kl={coef=0.1, place='reward', estimator='k1'}";
    let more = "[algorithm]\nkind = \"rloo\"\n";
    let mut session = session(folder.path(), more, &[kl, "update.drop_zero_spread=false"]);
    // As if it had learned something: not the base model any more.
    let values: Vec<tch::Tensor> = session.updater.masters.iter().map(|master| master * 1.05).collect();
    session.updater.set_weights(&values);
    session.train(&|| false, &|_| ()).unwrap();
    let records = read_records(&folder.path().join("run").join(METRICS_FILE)).unwrap();
    let of = |key: &str| records[0].get(key).and_then(Value::as_f64).unwrap();
    assert!(of("kl").abs() > 1e-4, "{records:?}");
    let tokens = of("credit/reward_kl") / of("kl");
    assert!((tokens - of("completions/mean_length")).abs() < 1e-6, "{records:?}");
}

fn rollouts(problem: &str, count: u64) -> Vec<Rollout> {
    let problem = Problem {
        id: problem.into(),
        prompt: ProblemPrompt::Text("?".into()),
        reference: serde_json::Value::Null,
        response: None,
        fields: serde_json::Map::new(),
        origin: Origin { file: "f".into(), line: 1 },
    };
    let id = problem.id.clone();
    let task = Arc::new(Task { problem, judges: Vec::new() });
    let prompt = Arc::new(Prompt { task, shown: vec![1], trained: vec![1] });
    let coords = |sample| Coords { seed: 0, step: 3, problem: id.clone(), sample, purpose: Purpose::Train };
    let response = || Response { ids: vec![2], logprobs: vec![0.0], kept: None, finish: Finish::Stop };
    (0..count).map(|sample| rollout(&prompt, &coords(sample), response(), 0)).collect()
}

fn judgement(is_decided: bool) -> Judgement {
    let verdict = if is_decided {
        Verdict::wrong("no", None)
    } else {
        Verdict::undecided(CauseKind::Unreachable, "the judge is away")
    };
    Judgement { parts: vec![Some(verdict.clone())], verdict, right: false, queue_s: 0.0, run_s: 0.0 }
}

#[test]
fn a_group_that_undecided_verdicts_leave_without_a_baseline_is_named() {
    let all = [rollouts("a", 3), rollouts("b", 3)].concat();
    let error = |decided: [bool; 6]| {
        let judgements: Vec<Judgement> = decided.into_iter().map(judgement).collect();
        first_without_baseline(3, &all, &judgements).map(|error| error.to_string())
    };
    assert_eq!(error([true; 6]), None);
    assert_eq!(error([false, true, true, true, true, false]), None, "two are left of each");
    let message = error([true, true, true, false, false, true]).unwrap();
    assert!(message.starts_with("step 3: 2 verdicts on problem \"b\" were undecided"), "{message}");
    assert!(message.contains("leaves 1 judged") && message.contains("the judge is away"), "{message}");
    // A group of one that was judged has no baseline either, but nothing was undecided.
    assert!(first_without_baseline(3, &all[..1], &[judgement(true)]).is_none());
}
