//! What a recipe resolves to.

use std::path::Path;

use super::*;
use crate::complaint::Complain;
use crate::recipe::types::{Aggregation, KlConfig, KlEstimator, KlPlace, LossConfig};

const WORLD: World = World { cores: 4, num_gpus: 0, checkpoint_dtype: Dtype::Bf16, slots: 16 };

fn resolved(sets: &[&str], world: &World) -> Result<Plan, RecipeError> {
    let text = "[run]\nname = \"t\"\nsteps = 10\n[model]\npath = \"m\"\n[data.train]\nsource = \"p.jsonl\"\n\
                [[verifier]]\nkind = \"math\"\n[algorithm]\nkind = \"grpo\"\n";
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    Recipe::parse(Path::new("r.toml"), text.to_owned(), &sets)?.resolve(world)
}

fn plan(sets: &[&str]) -> Plan {
    resolved(sets, &WORLD).unwrap()
}

#[test]
fn each_algorithm_gets_its_papers_setting_as_the_user_page_says() {
    let page =
        std::fs::read_to_string(crate::recipe::shipped_tests::repository().join("docs/recipes.md")).unwrap();
    let clip = LossConfig::Clip { low: 0.2, high: 0.2, dual: None };
    let likelihood = LossConfig::Reinforce {};
    let grpo_kl = KlConfig { coef: 0.04, estimator: KlEstimator::K3, place: KlPlace::Loss };
    for (kind, loss, aggregation, kl, epochs, batch) in [
        ("sft", &likelihood, Aggregation::TokenMean, None, Some(1), None),
        ("star", &likelihood, Aggregation::TokenMean, None, None, Some(64)),
        ("rft", &likelihood, Aggregation::TokenMean, None, Some(1), None),
        ("rest-em", &likelihood, Aggregation::TokenMean, None, Some(1), None),
        ("reinforce", &likelihood, Aggregation::SequenceSum, None, Some(1), None),
        ("rloo", &clip, Aggregation::SequenceSum, None, Some(1), None),
        ("grpo", &clip, Aggregation::SequenceMean, Some(&grpo_kl), Some(1), None),
        ("dr-grpo", &clip, Aggregation::Constant, None, Some(1), None),
    ] {
        let update = plan(&[&format!("algorithm={{kind='{kind}'}}")]).update;
        let found = (&update.loss, update.aggregation, update.kl.as_ref(), update.epochs, update.batch);
        assert_eq!(found, (loss, aggregation, kl, epochs, batch), "{kind}");
        assert_eq!((update.micro_batch, update.max_skipped), (4096, 3), "{kind}");
        let first_cell =
            |line: &&str| line.split('|').nth(1).is_some_and(|cell| cell.contains(&format!("`{kind}`")));
        let row = page.lines().find(first_cell).unwrap();
        let words = serde_json::to_value((&update.loss, update.aggregation)).unwrap();
        for word in [&words[0]["kind"], &words[1]] {
            assert!(row.contains(&format!("`{}`", word.as_str().unwrap())), "docs/recipes.md: {row}");
        }
        assert_eq!(row.ends_with("| none |"), update.kl.is_none(), "docs/recipes.md: {row}");
    }
}

#[test]
fn what_is_written_wins_over_the_paper() {
    let sets = [
        "update.loss={kind='cispo'}",
        "update.aggregation=token-mean",
        "update.kl.coef=0",
        "update.batch=16",
        "update.epochs=2",
    ];
    let update = plan(&sets).update;
    assert_eq!(update.loss, LossConfig::Cispo { cap: 5.0 });
    assert_eq!(update.aggregation, Aggregation::TokenMean);
    assert_eq!(update.kl, None);
    assert_eq!((update.batch, update.epochs), (Some(16), Some(2)));
}

#[test]
fn the_machine_fills_in_threads_device_types_and_slots() {
    let cpu = plan(&[]);
    assert_eq!((cpu.run.threads, cpu.verifier[0].jobs, cpu.rollout.slots), (4, 4, 16));
    assert_eq!(cpu.verifier[0].name, "math");
    assert_eq!(cpu.model, ModelPlan { path: "m".into(), dtype: Dtype::F32, device: "cpu".into() });
    assert_eq!(cpu.checkpoint.dtype, DtypeChoice::Bf16);

    let gpus = World { num_gpus: 2, ..WORLD };
    let gpu = resolved(&[], &gpus).unwrap();
    assert_eq!((gpu.model.device.as_str(), gpu.model.dtype), ("cuda:0", Dtype::Bf16));
    let second =
        resolved(&["model.device=cuda:1", "model.dtype=f16", "checkpoint.dtype=f32"], &gpus).unwrap();
    assert_eq!((second.model.device.as_str(), second.model.dtype), ("cuda:1", Dtype::F16));
    assert_eq!(second.checkpoint.dtype, DtypeChoice::F32);

    let pinned = plan(&["run.threads=2", "rollout.slots=8", "verifier.math.jobs=1"]);
    assert_eq!((pinned.run.threads, pinned.verifier[0].jobs, pinned.rollout.slots), (2, 1, 8));
}

#[test]
fn a_device_that_is_not_there_is_an_error() {
    let message = |sets: &[&str], num_gpus: usize| {
        let error = resolved(sets, &World { num_gpus, ..WORLD }).unwrap_err();
        assert!(matches!(error, RecipeError::World(_)));
        error.complaints()[0].to_string()
    };
    assert_eq!(
        message(&["model.device=cuda"], 0),
        "error: model.device = \"cuda\" is not on this machine\n  expected: a device that this machine has\n  \
         found: no GPU that libtorch can use\n  where: --set model.device=cuda\n  \
         next: run `polestar doctor` to see what is missing, or pass --set model.device=auto"
    );
    assert!(message(&["model.device=cuda:1"], 1).contains("found: one GPU, cuda:0\n"));
    assert!(message(&["model.device=cuda:2"], 2).contains("found: 2 GPUs, cuda:0 to cuda:1\n"));
}

#[test]
fn evaluation_is_greedy_for_one_sample_and_as_the_rollout_for_more() {
    let eval = |sets: &[&str]| plan(sets).eval;
    assert_eq!(eval(&[]).temperature, 0.0);
    assert_eq!(eval(&["eval.samples=4", "rollout.temperature=0.7"]).temperature, 0.7);
    assert_eq!(eval(&["eval.temperature=0.3"]).temperature, 0.3);
    assert_eq!(eval(&["rollout.max_new_tokens=99"]).max_new_tokens, 99);
    assert_eq!(eval(&["eval.max_new_tokens=7"]).max_new_tokens, 7);
}

#[test]
fn examples_are_sampled_at_the_rollouts_temperature_unless_another_is_written() {
    let examples = "prompt.examples=[{prompt='a',response='b'}]";
    let star = "algorithm={kind='star'}";
    assert_eq!(plan(&[]).rollout.examples_temperature, None);
    assert_eq!(plan(&[star, examples, "rollout.temperature=0.7"]).rollout.examples_temperature, Some(0.7));
    assert_eq!(
        plan(&[star, examples, "rollout.examples_temperature=0.5"]).rollout.examples_temperature,
        Some(0.5)
    );
}

#[test]
fn the_schedules_length_is_worked_out_where_it_can_be() {
    let total = |sets: &[&str]| {
        let sets: Vec<&str> = sets.iter().copied().chain(["optimizer.schedule=cosine"]).collect();
        plan(&sets).schedule_total(1)
    };
    let small = ["rollout.prompts=8", "rollout.n=4"];
    assert_eq!(plan(&[]).schedule_total(1), None);
    assert_eq!(total(&[]), Some(10));
    assert_eq!(total(&["update.epochs=3"]), Some(30));
    // 32 samples in batches of 10 are 4 optimizer steps.
    assert_eq!(total(&["update.batch=10", small[0], small[1]]), Some(40));
    // Supervised: one sample a problem, whatever n says.
    assert_eq!(total(&["algorithm={kind='sft'}", "update.batch=4", small[0], small[1]]), Some(20));
    assert_eq!(total(&["algorithm={kind='rft'}", "update.epochs=2"]), Some(20));
    assert_eq!(total(&["algorithm={kind='rft'}", "update.batch=4", "optimizer.total=70"]), Some(70));
    // From the base each time: each step has a schedule of its own.
    assert_eq!(total(&["algorithm={kind='rest-em'}", "update.epochs=5"]), Some(5));
    let star = plan(&["algorithm={kind='star'}", "optimizer.schedule=linear"]);
    assert_eq!((star.schedule_total(1), star.schedule_total(3)), (Some(40), Some(58)));
    assert_eq!((star.optimizer_steps(2), plan(&[]).optimizer_steps(2)), (Some(48), None));
}

#[test]
fn a_recipe_that_breaks_a_rule_does_not_resolve() {
    assert!(matches!(resolved(&["rollout.n=1"], &WORLD), Err(RecipeError::Rules(_))));
}
