//! Reading recipes: files, settings, places, and that what is written comes back.

use polestar_data::SourceConfig;
use proptest::prelude::*;

use super::*;
use crate::complaint::Complain;
use crate::recipe::types::*;

const MINIMAL: &str = "# a recipe
[run]
name = \"t\"
steps = 10

[model]
path = \"m\"

[data.train]
source = \"p.jsonl\"

[[verifier]]
kind = \"math\"
fallback = \"none\"

[algorithm]
kind = \"grpo\"
";

fn parsed(text: &str, sets: &[&str]) -> Result<Loaded, RecipeError> {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    Recipe::parse(Path::new("r.toml"), text.to_owned(), &sets)
}

fn messages(error: &RecipeError) -> Vec<String> {
    error.complaints().iter().map(ToString::to_string).collect()
}

#[test]
fn a_minimal_recipe_takes_every_default() {
    let loaded = parsed(MINIMAL, &[]).unwrap();
    let recipe = &loaded.recipe;
    assert_eq!(loaded.text, MINIMAL);
    assert_eq!((recipe.run.seed, recipe.run.steps), (0, 10));
    assert_eq!(recipe.rollout, RolloutConfig::default());
    assert_eq!(recipe.algorithm, AlgorithmConfig::Grpo { std_eps: 1e-4 });
    assert_eq!((recipe.verifier[0].rule().weight, recipe.verifier[0].success), (1.0, 1.0));
    assert_eq!(recipe.verifier[0].options_json(), serde_json::json!({"fallback": "none"}));
    loaded.validate().unwrap();
}

#[test]
fn settings_are_applied_in_order_and_kept_in_the_text() {
    let sets = [
        "rollout.n=2",
        "rollout.n=4",
        "verifier.math.fallback=last-number",
        "update.loss={kind='clip', high=0.28}",
    ];
    let loaded = parsed(MINIMAL, &sets).unwrap();
    assert_eq!(loaded.recipe.rollout.n, 4);
    assert_eq!(loaded.recipe.verifier[0].options_json()["fallback"], "last-number");
    assert_eq!(loaded.recipe.update.loss, Some(LossConfig::Clip { low: 0.2, high: 0.28, dual: None }));
    assert!(loaded.text.starts_with("# r.toml with these settings applied:\n#   --set rollout.n=2\n"));
    let again = parsed(&loaded.text, &[]).unwrap();
    assert_eq!(again.recipe, loaded.recipe);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Recipe::load(Path::new("no/such.toml"), &[]).unwrap_err();
    let [message] = &messages(&error)[..] else { panic!("{error}") };
    assert!(message.starts_with("error: cannot read the recipe no/such.toml\n  found: "), "{message}");
    assert!(message.contains("\n  where: no/such.toml\n  next: check the path"), "{message}");
}

#[test]
fn text_that_is_not_toml_names_the_line() {
    let error = parsed("[run]\nname = t\n", &[]).unwrap_err();
    assert!(matches!(error, RecipeError::Syntax(_)));
    assert!(messages(&error)[0].contains("\n  found: `name = t`\n  where: r.toml:2\n"), "{error}");
    let twice = parsed("[run]\nname = \"a\"\nname = \"b\"\n", &[]).unwrap_err();
    assert!(messages(&twice)[0].contains("where: r.toml:3"), "{twice}");
}

#[test]
fn everything_wrong_in_the_file_is_reported_by_line() {
    let text = "[run]\nnam = \"t\"\nsteps = \"10\"\n[data.train]\nsource = \"p\"\n[rollout]\ntemprature = 1\n\
                [[verifier]]\nweight = 1\n[algorithm]\nkind = \"gpro\"\n";
    let error = parsed(text, &[]).unwrap_err();
    let whats_and_places: Vec<String> = messages(&error)
        .iter()
        .map(|message| {
            let lines =
                message.lines().filter(|line| line.starts_with("error: ") || line.starts_with("  where: "));
            lines.map(str::trim).collect::<Vec<_>>().join(" | ")
        })
        .collect();
    assert_eq!(
        whats_and_places,
        [
            "error: run.name is missing | where: r.toml:1, run.name (left out)",
            "error: unknown key run.nam | where: r.toml:2, run.nam",
            "error: run.steps has the wrong type | where: r.toml:3, run.steps",
            "error: unknown key rollout.temprature | where: r.toml:7, rollout.temprature",
            "error: verifier.0.kind is missing | where: r.toml:8, verifier.0.kind (left out)",
            "error: algorithm.kind has an unknown value | where: r.toml:11, algorithm.kind",
            "error: model is missing | where: r.toml, model (left out)",
        ]
    );
}

#[test]
fn a_missing_table_says_what_it_is() {
    let error = parsed(&MINIMAL.replace("[algorithm]\nkind = \"grpo\"\n", ""), &[]).unwrap_err();
    assert_eq!(
        messages(&error),
        [
            "error: algorithm is missing\n  expected: a table whose `kind` is one of \"sft\", \"star\", \"rft\", \"rest-em\", \
          \"reinforce\", \"rloo\", \"grpo\", \"dr-grpo\" (it has no default)\n  found: no `algorithm` in the recipe\n  \
          where: r.toml, algorithm (left out)\n  next: write `algorithm` into the recipe, or pass --set algorithm=..."
        ]
    );
}

#[test]
fn rules_name_the_lines_of_both_keys() {
    let text = format!("{MINIMAL}\n[rollout]\nn = 1\n");
    let error = parsed(&text, &[]).unwrap().validate().unwrap_err();
    assert!(matches!(error, RecipeError::Rules(_)));
    let message = &messages(&error)[0];
    assert!(
        message.contains("\n  where: r.toml:20, rollout.n\n  where: r.toml:17, algorithm.kind\n"),
        "{message}"
    );
}

#[test]
fn all_settings_that_cannot_be_applied_are_reported() {
    let error = parsed(MINIMAL, &["rollout.n", "run.name.x=1", "verifier.code.weight=1"]).unwrap_err();
    assert!(matches!(error, RecipeError::Set(_)));
    assert_eq!(error.complaints().len(), 3);
    assert_eq!(error.to_string().matches("error: ").count(), 3);
}

#[test]
fn a_number_too_large_for_toml_is_an_error_and_not_a_panic() {
    for text in ["seed = 99999999999999999999", "seed = -1", "threads = 1e3"] {
        let error = parsed(&MINIMAL.replace("steps = 10", &format!("steps = 10\n{text}")), &[]).unwrap_err();
        assert!(messages(&error)[0].contains("r.toml:5"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_comes_back(recipe in recipes()) {
        let text = toml::to_string(&recipe).unwrap();
        let loaded = parsed(&text, &[]).unwrap();
        prop_assert_eq!(loaded.recipe, recipe);
    }

    #[test]
    fn no_setting_panics(setting in "[a-z.=\\[\\]{}\"'0-9-]{0,24}") {
        if let Ok(loaded) = parsed(MINIMAL, &[&setting]) {
            let _ = loaded.validate();
        }
    }

    #[test]
    fn no_text_panics(noise in "[\\PC\n]{0,40}", cut in 0..MINIMAL.len()) {
        let text = format!("{}{noise}{}", &MINIMAL[..cut], &MINIMAL[cut..]);
        if let Ok(loaded) = parsed(&text, &[]) {
            let _ = loaded.validate();
        }
    }
}

fn numbers() -> impl Strategy<Value = f64> {
    (any::<i32>(), 0..12u32)
        .prop_map(|(digits, places)| f64::from(digits) / f64::from(10u32).powi(places as i32))
}

fn texts() -> impl Strategy<Value = String> {
    "[ -~\n\té{}]{0,12}"
}

fn recipes() -> impl Strategy<Value = Recipe> {
    let sections =
        (run_and_model(), data(), prompts(), rollouts(), proptest::collection::vec(verifiers(), 0..3));
    let learning = (algorithms(), updates(), optimizers(), evals());
    (sections, learning).prop_map(
        |(((run, model), data, prompt, rollout, verifier), (algorithm, update, optimizer, eval))| Recipe {
            run,
            model,
            data,
            prompt,
            rollout,
            verifier,
            algorithm,
            update,
            optimizer,
            checkpoint: CheckpointConfig { every: 3, keep: 1, dtype: DtypeChoice::F16 },
            eval,
            log: LogConfig { tensorboard: false, rollouts: true, max_undecided: 0.25 },
        },
    )
}

fn run_and_model() -> impl Strategy<Value = (RunConfig, ModelConfig)> {
    let dtype = prop_oneof![Just(DtypeChoice::Auto), Just(DtypeChoice::F32), Just(DtypeChoice::Bf16)];
    (texts(), 0..=i64::MAX as u64, any::<u32>(), dtype).prop_map(|(name, seed, steps, dtype)| {
        let run = RunConfig { name, seed, steps: steps.into(), threads: 3 };
        (run, ModelConfig { path: "m".into(), dtype, device: "cuda:1".into() })
    })
}

fn data() -> impl Strategy<Value = std::collections::BTreeMap<String, SourceConfig>> {
    let source = (texts(), proptest::option::of(texts()))
        .prop_map(|(source, answer_regex)| SourceConfig { answer_regex, ..SourceConfig::new(source) });
    proptest::collection::btree_map("[a-z. é]{0,6}", source, 0..3)
}

fn prompts() -> impl Strategy<Value = PromptConfig> {
    let example = (texts(), texts()).prop_map(|(prompt, response)| ExampleConfig { prompt, response });
    let chat = prop_oneof![Just(ChatChoice::Auto), Just(ChatChoice::On), Just(ChatChoice::Off)];
    let examples = proptest::collection::vec(example, 0..3);
    (proptest::option::of(texts()), texts(), chat, examples, proptest::option::of(any::<u32>())).prop_map(
        |(system, template, chat, examples, steps)| PromptConfig {
            system,
            template,
            chat,
            examples,
            examples_steps: steps.map(u64::from),
            ..PromptConfig::default()
        },
    )
}

fn rollouts() -> impl Strategy<Value = RolloutConfig> {
    (any::<u32>(), numbers(), proptest::option::of(numbers()), proptest::collection::vec(texts(), 0..3))
        .prop_map(|(n, temperature, examples_temperature, stop)| RolloutConfig {
            n: n as usize,
            temperature,
            examples_temperature,
            stop,
            ..RolloutConfig::default()
        })
}

fn verifiers() -> impl Strategy<Value = VerifierConfig> {
    let value = prop_oneof![
        texts().prop_map(toml::Value::String),
        any::<i64>().prop_map(toml::Value::Integer),
        any::<bool>().prop_map(toml::Value::Boolean),
        proptest::collection::vec(texts().prop_map(toml::Value::String), 0..3).prop_map(toml::Value::Array),
    ];
    let options = proptest::collection::btree_map("own_[a-z]{1,5}", value, 0..3);
    (texts(), texts(), numbers(), options).prop_map(|(name, kind, weight, options)| VerifierConfig {
        gate: weight > 1.0,
        name,
        kind,
        weight: Some(weight),
        success: 0.5,
        timeout_s: 2.0,
        jobs: 1,
        options: options.into_iter().collect(),
    })
}

fn algorithms() -> impl Strategy<Value = AlgorithmConfig> {
    prop_oneof![
        Just(AlgorithmConfig::Sft {}),
        (any::<bool>(), any::<u32>(), numbers()).prop_map(|(rationalize, steps, growth)| {
            AlgorithmConfig::Star { rationalize, first_steps: steps.into(), growth, keep: 2 }
        }),
        any::<u32>().prop_map(|keep| AlgorithmConfig::Rft { keep: keep as usize }),
        any::<u32>().prop_map(|keep| AlgorithmConfig::RestEm { keep: keep as usize }),
        Just(AlgorithmConfig::Reinforce { baseline: Baseline::LeaveOneOut }),
        Just(AlgorithmConfig::Rloo {}),
        numbers().prop_map(|std_eps| AlgorithmConfig::Grpo { std_eps }),
        Just(AlgorithmConfig::DrGrpo {}),
    ]
}

fn updates() -> impl Strategy<Value = UpdateConfig> {
    let loss = prop_oneof![
        Just(LossConfig::Reinforce {}),
        (numbers(), proptest::option::of(numbers())).prop_map(|(low, dual)| LossConfig::Clip {
            low,
            high: 0.3,
            dual
        }),
        numbers().prop_map(|cap| LossConfig::Cispo { cap }),
    ];
    let estimator = prop_oneof![Just(KlEstimator::K1), Just(KlEstimator::K2), Just(KlEstimator::K3)];
    let kl = (numbers(), estimator).prop_map(|(coef, estimator)| KlConfig {
        coef,
        estimator,
        place: KlPlace::Reward,
    });
    let counts = (proptest::option::of(any::<u32>()), proptest::option::of(any::<u32>()));
    (proptest::option::of(loss), proptest::option::of(kl), counts).prop_map(|(loss, kl, (epochs, batch))| {
        UpdateConfig {
            epochs: epochs.map(u64::from),
            batch: batch.map(|batch| batch as usize),
            loss,
            aggregation: Some(Aggregation::SequenceSum),
            kl,
            overlong: Overlong::Mask,
            ..UpdateConfig::default()
        }
    })
}

fn optimizers() -> impl Strategy<Value = OptimizerConfig> {
    let schedule = prop_oneof![Just(Schedule::Constant), Just(Schedule::Cosine), Just(Schedule::Linear)];
    (numbers(), schedule, proptest::option::of(any::<u32>())).prop_map(|(lr, schedule, total)| {
        OptimizerConfig { lr, schedule, total: total.map(u64::from), ..OptimizerConfig::default() }
    })
}

fn evals() -> impl Strategy<Value = EvalConfig> {
    (any::<u32>(), proptest::option::of(numbers())).prop_map(|(every, temperature)| EvalConfig {
        every: every.into(),
        temperature,
        ..EvalConfig::default()
    })
}
