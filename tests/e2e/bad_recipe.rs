//! Recipes that are not what they should be: exit code 2, the key, where it stands, what to do; and no run folder.

use std::fs;

use polestar_tests::command::{polestar, run};
use polestar_tests::recipe::{Lab, grpo, star};

/// Trains by a changed recipe, which must fail and name all of `needles`.
fn refused(recipe: &str, more: &[&str], needles: &[&str]) {
    let lab = Lab::new(recipe);
    let root = lab.path("run");
    let more = more.iter().map(|part| (*part).to_owned());
    run(lab.train(&root).into_iter().chain(more)).failed(2, needles);
    assert!(!root.exists(), "a run folder was made for a recipe that is wrong");
}

/// The line of the recipe on which a text stands, as messages write it.
fn place(recipe: &str, text: &str) -> String {
    let line = recipe.lines().position(|line| line.contains(text)).unwrap() + 1;
    format!("recipe.toml:{line}")
}

#[test]
fn unknown_keys() {
    let recipe = grpo(1).replace("temperature = 0.9", "temprature = 0.9");
    refused(
        &recipe,
        &[],
        &["unknown key rollout.temprature", &place(&recipe, "temprature"), "`temperature`"],
    );
    refused(
        &grpo(1),
        &["--set", "rollout.temprature=1"],
        &["rollout.temprature", "--set rollout.temprature=1"],
    );
    refused(&grpo(1), &["--set", "sampling.n=1"], &["unknown key sampling"]);
    refused(&grpo(1), &["--set", "algorithm.keep=2"], &["algorithm.keep", "star"]);
    refused(&grpo(1), &["--set", "rollout"], &["rollout"]);
}

#[test]
fn wrong_types_all_at_once() {
    let recipe = grpo(1).replace("n = 8", "n = \"eight\"").replace("seed = 7", "seed = -7");
    let places = [place(&recipe, "n = \"eight\""), place(&recipe, "seed = -7")];
    refused(&recipe, &[], &["rollout.n has the wrong type", "run.seed", &places[0], &places[1]]);
    refused(&grpo(1).replace("kind = \"grpo\"", "kind = \"grop\""), &[], &["algorithm.kind", "\"grpo\""]);
    refused(&grpo(1).replace("[rollout]", "[rollout"), &[], &["recipe.toml:"]);
    refused(&grpo(1).replace("steps = 1", "steps = 0"), &[], &["run.steps"]);
    refused(&grpo(1).replace("temperature = 0.9", "temperature = nan"), &[], &["rollout.temperature"]);
}

#[test]
fn settings_that_contradict_each_other() {
    let recipe = grpo(1);
    let recipe = recipe.replace("n = 8", "n = 1");
    refused(&recipe, &[], &["rollout.n", "algorithm.kind = \"grpo\"", "recipe.toml:"]);
    refused(
        &grpo(1),
        &["--set", "rollout.top_p=0.9"],
        &["rollout.top_p", "--set rollout.top_p=0.9", "update.loss"],
    );
    refused(&star(1), &["--set", "update.epochs=2"], &["update.epochs", "algorithm.first_steps"]);
    refused(&grpo(1), &["--set", "optimizer.total=5"], &["optimizer.total", "constant"]);
    refused(
        &grpo(1),
        &["--set", "prompt.chat=off", "--set", "prompt.system=Hi"],
        &["prompt.system", "prompt.chat"],
    );
    refused(&star(1), &["--set", "update.loss.kind=clip"], &["update.loss", "star"]);
}

#[test]
fn verifiers_that_do_not_exist() {
    refused(
        &grpo(1).replace("kind = \"math\"", "kind = \"maths\""),
        &[],
        &["maths", "math, choice, text, digits"],
    );
    refused(&grpo(1).replace("fallback =", "fallbak ="), &[], &["math", "`fallbak`", "`fallback`"]);
    refused(&grpo(1).replace("\"last-number\"", "\"last-word\""), &[], &["last-word", "`last-number`"]);
    refused(&grpo(1), &["--set", "verifier.math.weight=-1"], &["verifier.math.weight"]);
    refused(&grpo(1), &["--set", "verifier.other.weight=1"], &["other", "math"]);
}

#[test]
fn files_and_devices_that_are_not_there() {
    run(["train", "no-such-recipe.toml"]).failed(2, &["no-such-recipe.toml"]);
    let lab = Lab::new(&grpo(1));
    fs::write(lab.path("bytes.toml"), b"[run]\nname = \"\xff\"\n").unwrap();
    run(["train", lab.path("bytes.toml").to_str().unwrap()]).failed(2, &["bytes.toml"]);
    refused(&grpo(1), &["--set", "model.device=cuda:77"], &["model.device", "cuda:77"]);
    refused(&grpo(1), &["--set", "model.path=nowhere"], &["nowhere", "config.json", "model.path"]);
}

#[test]
fn calls_that_are_wrong() {
    for call in [&["train"][..], &["trane"], &["train", "a", "b"], &["resume"], &[]] {
        let output = polestar(call).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{call:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("Usage"), "{call:?}");
    }
}
