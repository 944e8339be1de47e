//! Made-up evaluations and runs, for tests.

use std::collections::BTreeMap;
use std::path::Path;

use polestar_verifiers::Verdict;
use serde_json::{Map, Value, json};

use super::summary::{Checkpoint, Evaluation, Source};
use crate::eval::stats::wilson;
use crate::eval::{EvalProblem, EvalReport, EvalSample, Share};
use crate::recipe::{Dtype, Recipe, World};
use crate::rollout::Finish;

/// A report of one sample a problem: id, right strictly, right leniently.
pub(super) fn report(num_examples: usize, problems: &[(&str, bool, bool)]) -> EvalReport {
    let share = |is: &dyn Fn(&(&str, bool, bool)) -> bool| {
        let right = problems.iter().filter(|problem| is(problem)).count();
        let interval = wilson(right as u64, problems.len() as u64);
        Share { value: right as f64 / problems.len() as f64, ci: [interval.low, interval.high] }
    };
    let (strict, lenient) = (share(&|problem| problem.1), share(&|problem| problem.2));
    EvalReport {
        n: problems.len(),
        accuracy: strict.value,
        accuracy_ci: strict.ci,
        pass_at: BTreeMap::new(),
        maj_at: BTreeMap::new(),
        strict,
        lenient,
        undecided: 0,
        tokens: 0,
        mean_length: 3.0,
        num_examples,
        seconds: 0.0,
        problems: problems.iter().map(|(id, right, lenient)| problem(id, &[(*right, *lenient)])).collect(),
    }
}

/// A problem with samples: right strictly, right leniently.
pub(super) fn problem(id: &str, samples: &[(bool, bool)]) -> EvalProblem {
    let verdict: Verdict = serde_json::from_value(
        json!({"verdict": "judged", "score": 1.0, "kind": "right", "reason": "", "extracted": "7"}),
    )
    .unwrap();
    let sample = |(right, lenient): &(bool, bool)| EvalSample {
        text: format!("{} words of {id}", if *right { "Good" } else { "Bad" }),
        num_tokens: 3,
        finish: Finish::Stop,
        right: *right,
        lenient: *lenient,
        verdict: verdict.clone(),
        answer: None,
    };
    EvalProblem {
        id: id.into(),
        prompt: format!("Question {id}?"),
        samples: samples.iter().map(sample).collect(),
    }
}

/// A run of ten steps with two sets, `eval` with and without worked examples and `unseen` without, that became better.
pub(super) fn source() -> Source {
    let text = "[run]\nname = \"t\"\nsteps = 10\n[model]\npath = \"base\"\n[data.train]\nsource = \"p.jsonl\"\n\
                [[verifier]]\nkind = \"math\"\n[algorithm]\nkind = \"grpo\"\n";
    let world = World { cores: 4, num_gpus: 0, checkpoint_dtype: Dtype::F32, slots: 0 };
    let plan = Recipe::parse(Path::new("r.toml"), text.into(), &[]).unwrap().resolve(&world).unwrap();
    let names: Vec<String> = (0..20).map(|i| format!("p{i}")).collect();
    // Of 20 problems, the first so many are right strictly and leniently.
    let of = |num_examples, strict: usize, lenient: usize| {
        let problems: Vec<_> =
            names.iter().enumerate().map(|(i, id)| (id.as_str(), i < strict, i < lenient)).collect();
        report(num_examples, &problems)
    };
    let evaluation = |step, zero: (usize, usize), five: (usize, usize), unseen: (usize, usize)| Evaluation {
        step,
        reports: BTreeMap::from([
            ("eval".into(), of(0, zero.0, zero.1)),
            ("eval@5-shot".into(), of(5, five.0, five.1)),
            ("unseen".into(), of(0, unseen.0, unseen.1)),
        ]),
    };
    Source {
        run: "runs/t".into(),
        plan,
        first: Some(evaluation(0, (1, 4), (3, 6), (2, 2))),
        last: Some(evaluation(10, (18, 18), (10, 10), (3, 3))),
        metrics: records(&[
            json!({"step": 0}),
            json!({"step": 1, "reward": 0.25}),
            json!({"step": 2, "reward": null}),
        ]),
        timings: records(&[
            json!({"step": 0, "timing_s/eval": 5.0}),
            json!({"step": 1, "step_time": 10.0, "timing_s/rollout": 1.0, "perf/rollout_tokens_per_s": 100.0}),
            json!({"step": 2, "step_time": 20.0, "timing_s/rollout": 3.0, "perf/rollout_tokens_per_s": 200.0,
                "timing_s/eval": 4.0}),
        ]),
        checkpoint: Some(Checkpoint {
            step: 10,
            path: "runs/t/checkpoints/step-000010".into(),
            best: Some((10, 0.9)),
        }),
    }
}

fn records(values: &[Value]) -> Vec<Map<String, Value>> {
    values.iter().filter_map(Value::as_object).cloned().collect()
}
