//! Every range, and recipes that no rule may refuse.

use std::path::Path;

use super::tests::{SOUND, complaint_for};
use crate::recipe::Recipe;

fn is_sound(sets: &[&str]) -> bool {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let loaded = Recipe::parse(Path::new("r.toml"), SOUND.to_owned(), &sets).unwrap();
    loaded.validate().is_ok()
}

#[test]
fn every_algorithm_with_a_group_baseline_needs_a_group() {
    for kind in ["grpo", "dr-grpo", "rloo", "reinforce"] {
        let message = complaint_for(&["rollout.n=1", &format!("algorithm={{kind='{kind}'}}")]);
        assert!(message.starts_with("error: a group of one response has no baseline"), "{kind}: {message}");
    }
    for algorithm in ["{kind='reinforce', baseline='none'}", "{kind='star'}", "{kind='rft'}", "{kind='sft'}"]
    {
        assert!(is_sound(&["rollout.n=1", &format!("algorithm={algorithm}")]), "{algorithm}");
    }
}

#[test]
fn no_rule_refuses_what_is_sound() {
    let examples = "prompt.examples=[{prompt='a',response='b'}]";
    let sound: [&[&str]; 15] = [
        &[],
        &["algorithm={kind='sft'}", "verifier=[]", "data={train={source='a'}}", "rollout.temperature=0"],
        &["algorithm={kind='rft'}", "rollout.top_p=0.9", examples, "rollout.examples_temperature=0.6"],
        &["algorithm={kind='rft'}", "rollout.temperature=0", "rollout.n=1"],
        &["algorithm={kind='rft'}", "update.kl.coef=0", "update.epochs=3"],
        &["algorithm={kind='rloo'}", "update.kl={coef=0.05, place='reward', estimator='k1'}"],
        &["algorithm={kind='reinforce'}", "rollout.top_k=50", examples, "update.kl.coef=0"],
        &["prompt.train_on_examples=true", "prompt.examples_steps=2", examples],
        &["prompt.train_on_examples=true", "rollout.examples_temperature=1", examples],
        &["update.undecided_groups=stop"],
        &[
            "algorithm={kind='reinforce'}",
            "prompt.train_on_examples=true",
            "rollout.examples_temperature=0.6",
            examples,
        ],
        &["optimizer.schedule=cosine", "update.batch=16", "optimizer.warmup=160"],
        &[
            "optimizer.schedule=cosine",
            "update.batch=16",
            "update.drop_zero_spread=true",
            "optimizer.total=9",
        ],
        &["algorithm={kind='star'}", "optimizer.schedule=linear", "optimizer.warmup=40"],
        &["update.loss={kind='cispo'}", "eval.samples=4"],
    ];
    for sets in sound {
        assert!(is_sound(sets), "{sets:?}");
    }
}

#[test]
fn every_number_has_its_range() {
    for (set, expected) in [
        ("run.steps=0", "at least 1"),
        ("rollout.prompts=0", "at least 1"),
        ("rollout.n=0", "at least 1"),
        ("rollout.max_new_tokens=0", "at least 1"),
        ("rollout.temperature=-0.5", "a number from 0"),
        ("rollout.examples_temperature=-1", "a number from 0"),
        ("rollout.top_p=0", "above 0 and at most 1"),
        ("rollout.top_p=1.5", "above 0 and at most 1"),
        ("rollout.min_p=1", "from 0 to below 1"),
        ("verifier.math.weight=-1", "a number from 0"),
        ("verifier.math.success=-0.1", "from 0 to 1"),
        ("verifier.math.success=1.1", "from 0 to 1"),
        ("verifier.math.timeout_s=0", "above 0 and at most 86400 (a day)"),
        ("verifier.math.timeout_s=-1", "above 0 and at most 86400 (a day)"),
        ("verifier.math.timeout_s=1e300", "above 0 and at most 86400 (a day)"),
        ("algorithm={kind='star',first_steps=0}", "at least 1"),
        ("algorithm={kind='star',growth=0.5}", "a number from 1"),
        ("algorithm={kind='star',keep=0}", "at least 1"),
        ("algorithm={kind='rft',keep=0}", "at least 1"),
        ("algorithm={kind='rest-em',keep=0}", "at least 1"),
        ("algorithm.std_eps=0", "a number above 0"),
        ("update.epochs=0", "at least 1"),
        ("update.batch=0", "at least 1"),
        ("update.micro_batch=0", "at least 1"),
        ("update.max_skipped=0", "at least 1"),
        ("update.loss={kind='clip',low=1}", "above 0 and below 1"),
        ("update.loss={kind='clip',high=0}", "above 0 and below 1"),
        ("update.loss={kind='clip',dual=1}", "a number above 1"),
        ("update.loss={kind='cispo',cap=0.5}", "a number from 1"),
        ("update.kl.coef=-0.1", "a number from 0"),
        ("optimizer.lr=0", "a number above 0"),
        ("optimizer.beta1=1", "from 0 to below 1"),
        ("optimizer.beta2=-0.1", "from 0 to below 1"),
        ("optimizer.eps=0", "a number above 0"),
        ("optimizer.weight_decay=-1", "a number from 0"),
        ("optimizer.max_grad_norm=-1", "a number from 0"),
        ("optimizer.total=0", "at least 1"),
        ("checkpoint.every=0", "at least 1"),
        ("eval.samples=0", "at least 1"),
        ("eval.temperature=-1", "a number from 0"),
        ("eval.max_new_tokens=0", "at least 1"),
        ("log.max_undecided=1.5", "from 0 to 1"),
    ] {
        let message = complaint_for(&[set]);
        let place = format!("\n  where: --set {set}\n");
        assert!(message.contains("is out of range\n") && message.contains(&place), "{set}: {message}");
        assert!(message.contains(&format!("\n  expected: {expected}\n")), "{set}: {message}");
    }
    assert_eq!(
        complaint_for(&["rollout.top_p=1.5"]),
        "error: rollout.top_p is out of range
  expected: above 0 and at most 1
  found: 1.5
  where: --set rollout.top_p=1.5
  next: set it within the range, for instance rollout.top_p = 1.0"
    );
}

#[test]
fn names_are_safe_in_paths() {
    for set in [
        "run.name=../a",
        "run.name=a/b",
        "run.name=",
        "run.name=.hidden",
        "data.\"é\".source=x",
        "verifier.math.name=a.b",
    ] {
        assert!(complaint_for(&[set]).contains("cannot be used in file names"), "{set}");
    }
    assert!(is_sound(&["run.name=qwen2.5_0.5b-x"]));
    assert_eq!(
        complaint_for(&["run.name=a/b"]),
        "error: run.name cannot be used in file names
  expected: 1 to 100 letters, digits, `-`, `_` and `.`, beginning with a letter or digit
  found: \"a/b\"
  where: --set run.name=a/b
  next: choose another name"
    );
}

#[test]
fn devices_paths_and_stops_are_checked() {
    for device in ["gpu", "cuda:", "cuda:x", "cuda:+1", "CPU"] {
        let message = complaint_for(&[&format!("model.device='{device}'")]);
        assert!(message.starts_with("error: model.device names no device\n"), "{device}: {message}");
    }
    assert!(is_sound(&["model.device=cuda:3"]));
    assert!(complaint_for(&["model.path="]).starts_with("error: model.path is empty\n"));
    assert!(complaint_for(&["rollout.stop=['a','']"]).starts_with("error: a stop text is empty\n"));
}

#[test]
fn all_violations_are_reported_at_once() {
    let message = complaint_for(&["rollout.n=1", "rollout.top_p=0.9", "optimizer.total=3"]);
    assert_eq!(message.matches("error: ").count(), 3, "{message}");
}
