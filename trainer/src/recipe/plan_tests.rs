//! Which plans are of the same run.

use std::path::Path;

use super::*;
use crate::recipe::Recipe;

fn plan(sets: &[&str]) -> Plan {
    let text = "[run]\nname = \"t\"\nsteps = 10\n[model]\npath = \"m\"\n[data.train]\nsource = \"p.jsonl\"\n\
                [[verifier]]\nkind = \"math\"\nfallback = \"none\"\n[algorithm]\nkind = \"grpo\"\n";
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let world = World { cores: 4, num_gpus: 0, checkpoint_dtype: Dtype::F32, slots: 0 };
    Recipe::parse(Path::new("r.toml"), text.to_owned(), &sets).unwrap().resolve(&world).unwrap()
}

fn mismatch(saved: &Plan, now: &Plan) -> (String, String, String) {
    let PlanMismatch { key, saved, now, .. } = saved.same_run(now).unwrap_err();
    (key, saved, now)
}

#[test]
fn the_first_key_that_differs_is_named_with_both_values() {
    let saved = plan(&[]);
    for (sets, key, was, is) in [
        (&["run.seed=3"][..], "run.seed", "0", "3"),
        (&["run.threads=2"], "run.threads", "4", "2"),
        (&["rollout.temperature=0.5"], "rollout.temperature", "1.0", "0.5"),
        (&["data.eval.source=e"], "data.eval", "nothing", "{\"source\":\"e\""),
        (&["verifier.math.fallback=last-number"], "verifier.0.fallback", "\"none\"", "\"last-number\""),
        (&["algorithm={kind='dr-grpo'}"], "algorithm.kind", "\"grpo\"", "\"dr-grpo\""),
        (&["update.kl.coef=0"], "update.kl", "{\"coef\":0.04", "nothing"),
        (&["rollout.stop=['x']"], "rollout.stop.0", "nothing", "\"x\""),
        (&["log.rollouts=false", "run.seed=1"], "run.seed", "0", "1"),
    ] {
        let found = mismatch(&saved, &plan(sets));
        assert_eq!(found.0, key, "{sets:?}");
        assert!(found.1.starts_with(was) && found.2.starts_with(is), "{sets:?}: {found:?}");
    }
}

#[test]
fn steps_alone_may_be_raised() {
    let saved = plan(&[]);
    saved.same_run(&plan(&["run.steps=20"])).unwrap();
    assert_eq!(mismatch(&saved, &plan(&["run.steps=9"])), ("run.steps".into(), "10".into(), "9".into()));
    // A schedule that was worked out from the steps would change with them.
    let scheduled = plan(&["optimizer.schedule=cosine"]);
    let longer = plan(&["optimizer.schedule=cosine", "run.steps=20"]);
    assert_eq!(mismatch(&scheduled, &longer), ("optimizer.total".into(), "10".into(), "20".into()));
    scheduled.same_run(&plan(&["optimizer.schedule=cosine", "run.steps=20", "optimizer.total=10"])).unwrap();
}

#[test]
fn version_and_weights_count_and_the_world_does_not() {
    let saved = plan(&[]);
    let other = Plan { code_version: "9.9.9".into(), ..saved.clone() };
    assert_eq!(mismatch(&saved, &other).0, "code_version");
    let hashed = |hash: &str| Plan { weights_hash: Some(hash.into()), ..saved.clone() };
    hashed("a").same_run(&saved).unwrap();
    saved.same_run(&hashed("a")).unwrap();
    hashed("a").same_run(&hashed("a")).unwrap();
    assert_eq!(mismatch(&hashed("a"), &hashed("b")).0, "weights_hash");
    let on = |day| Plan { chat_day: Some(day), ..saved.clone() };
    on(0).same_run(&on(86_400)).unwrap();
    assert!(!saved.to_json().contains("chat_day") && on(0).to_json().contains("\"chat_day\": 0"));
    let elsewhere = Plan { world: World { cores: 64, ..saved.world }, ..saved.clone() };
    saved.same_run(&elsewhere).unwrap();
}

#[test]
fn a_mismatch_says_what_to_do() {
    let error = plan(&[]).same_run(&plan(&["run.seed=3"])).unwrap_err();
    assert_eq!(
        error.complaints()[0].to_string(),
        "error: the recipe is not the one that this run was started with: run.seed differs\n  \
         expected: run.seed = 0, as in the run's plan.json (only run.steps may be raised)\n  \
         found: run.seed = 3\n  where: run.seed\n  \
         next: set run.seed back to 0, or start a new run under another run.name"
    );
}

#[test]
fn a_changed_file_is_named() {
    let saved = plan(&["data.eval.source=e.jsonl"]);
    let hashes = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
    let data = |eval| Plan { data_hashes: hashes(&[("train", "1"), ("eval", eval)]), ..saved.clone() };
    let model = |pairs| Plan { model_files: hashes(pairs), ..saved.clone() };
    let one = model(&[("config.json", "1"), ("tokenizer.json", "2")]);
    // What has not been read yet is not compared.
    for plan in [&data("2"), &one] {
        plan.same_run(&saved).unwrap();
        saved.same_run(plan).unwrap();
        plan.same_run(plan).unwrap();
    }
    let told = |error: PlanMismatch| error.complaints()[0].to_string();
    assert_eq!(
        told(data("2").same_run(&data("3")).unwrap_err()),
        "error: the problems of data.eval are not what this run was started with: e.jsonl\n  \
         expected: their SHA-256 to be \"2\", as in the run's plan.json (data_hashes.eval)\n  found: \"3\"\n  \
         where: data.eval.source\n  \
         next: put back what was there, or start a new run under another run.name"
    );
    let gone = told(one.same_run(&model(&[("config.json", "1")])).unwrap_err());
    assert!(
        gone.contains("the base model's tokenizer.json is not") && gone.contains("m/tokenizer.json"),
        "{gone}"
    );
    assert!(gone.contains("found: nothing") && gone.contains("where: model.path"), "{gone}");
    let new = told(
        one.same_run(&model(&[("chat_template.jinja", "1"), ("config.json", "1"), ("tokenizer.json", "2")]))
            .unwrap_err(),
    );
    assert!(new.contains("chat_template.jinja") && new.contains("to be nothing"), "{new}");
}

#[test]
fn plan_json_is_stable_and_refuses_what_it_does_not_know() {
    let saved = plan(&["rollout.temperature=0.1", "optimizer.lr=3e-7"]);
    let text = saved.to_json();
    let read = Plan::from_json(&text).unwrap();
    assert_eq!(read, saved);
    assert_eq!(read.to_json(), text);
    assert!(text.starts_with("{\n  \"code_version\": \"") && text.ends_with("}\n"));
    let unknown = text.replacen("\"code_version\"", "\"extra\": 1,\n  \"code_version\"", 1);
    assert!(Plan::from_json(&unknown).unwrap_err().to_string().contains("extra"));
    assert!(Plan::from_json("").is_err());
}
