//! `polestar eval`: how often a model is right on a set of problems.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use polestar_data::{Dataset, SourceConfig};

use super::common::{CliError, ModelArgs, load_model, say};
use super::progress::Progress;
use super::sets;
use crate::complaint::Complaint;
use crate::engine::{Response, Sampling, Watch};
use crate::eval::{EvalSettings, evaluate};
use crate::recipe::{PromptConfig, Recipe, VerifierConfig};
use crate::run::RunError;
use crate::run::judges::Rubric;
use crate::run::prompts::Prompter;

/// Measures accuracy, pass@k and maj@k with 95 % intervals, strict and lenient extraction side by side.
///
///   polestar eval --model runs/my-run --tasks builtin:word-problems --split unseen --n 200 --out eval.json
///   polestar eval --model models/M --tasks test.jsonl --samples 8 --temperature 0.8 --out eval.json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct EvalArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Problems: a JSONL file, hf:owner/name..., or builtin:NAME.
    #[arg(long, value_name = "FILE_OR_NAME")]
    tasks: String,
    /// The split of a generated or hub set.
    #[arg(long, default_value = "eval")]
    split: String,
    /// Takes prompt, stop texts, verifiers and column mapping from a recipe.
    #[arg(long, value_name = "RECIPE.toml")]
    recipe: Option<PathBuf>,
    /// Problems of a generated set.
    #[arg(long, default_value_t = 200)]
    n: usize,
    /// Takes only the first so many problems; 0 takes all.
    #[arg(long, default_value_t = 0)]
    limit: usize,
    /// Samples a problem; 1 is greedy unless --temperature says otherwise.
    #[arg(long, default_value_t = 1)]
    samples: usize,
    /// The sampling temperature; left out, 0 for one sample and 1 for more.
    #[arg(long)]
    temperature: Option<f64>,
    /// The limit of new tokens.
    #[arg(long, default_value_t = 256)]
    max_new_tokens: usize,
    /// Worked examples of the recipe shown before each problem.
    #[arg(long, default_value_t = 0)]
    shots: usize,
    /// The verifier.
    #[arg(long, default_value = "math")]
    verifier: String,
    /// How a response is made; `plain` is the one there is.
    #[arg(long, default_value = "plain")]
    strategy: String,
    /// Settings of the data source, as `answer_regex="#### (.*)"` or `options.steps="1-2"`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// The seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Sequences decoded at once.
    #[arg(long, default_value_t = 64)]
    slots: usize,
    /// Where the report goes, JSON.
    #[arg(long, value_name = "FILE.json")]
    out: PathBuf,
}

struct Counting<'a>(&'a Progress);

impl Watch for Counting<'_> {
    fn finished(&mut self, _request: usize, _sample: usize, _response: &Response) {
        self.0.inc(1);
    }
}

/// `polestar eval`.
///
/// # Errors
/// Data, verifier or model do not load, or sampling fails.
pub fn run(args: &EvalArgs) -> Result<(), CliError> {
    check(args)?;
    if args.strategy != "plain" {
        return Err(CliError::call(
            format!("--strategy {:?} is not known: expected plain", args.strategy),
            "leave it out",
        ));
    }
    let Settings { prompt, stop, verifiers, source } = settings(args)?;
    let rubric = Rubric::new(&verifiers).map_err(RunError::from)?;
    rubric.ready().map_err(RunError::from)?;
    let lenient = Rubric::lenient(&verifiers).map_err(RunError::from)?;
    let mut dataset = Dataset::load(&source, &args.split).map_err(RunError::from)?;
    if args.limit > 0 {
        dataset.problems.truncate(args.limit);
    }
    let loose = match &lenient {
        Some(lenient) => lenient.bind(dataset.problems.clone()).map_err(RunError::from)?,
        None => Vec::new(),
    };
    let tasks = rubric.bind(dataset.problems).map_err(RunError::from)?;
    let model = load_model(&args.model)?;
    let context = model.decoder.config.max_position_embeddings;
    let prompter = Prompter::new(model.tokenizer.clone(), &prompt, context).map_err(RunError::from)?;
    let temperature = args.temperature.unwrap_or(if args.samples == 1 { 0.0 } else { 1.0 });
    let settings = EvalSettings {
        sampling: Sampling {
            temperature,
            stop,
            ..Sampling::greedy(args.max_new_tokens, model.tokenizer.stop_ids().to_vec(), args.slots)
        },
        samples: args.samples,
        num_examples: args.shots,
        seed: args.seed,
    };
    let progress = Progress::new("eval", Some((tasks.len() * args.samples) as u64), "samples");
    let report = evaluate(
        &model.decoder,
        &prompter,
        (&rubric, lenient.as_ref().map(|rubric| (rubric, loose.as_slice()))),
        &tasks,
        &settings,
        &mut Counting(&progress),
    )
    .map_err(RunError::from)?;
    progress.finish();
    say(&format!(
        "{} problems: {:.1} % right (95 %: {:.1} to {:.1}), lenient {:.1} %",
        report.n,
        report.accuracy * 100.0,
        report.accuracy_ci[0] * 100.0,
        report.accuracy_ci[1] * 100.0,
        report.lenient.value * 100.0
    ));
    let text = serde_json::to_string_pretty(&report).map_err(|error| CliError::work(&error))?;
    crate::run::atomic::write_file(&args.out, format!("{text}\n").as_bytes())
        .map_err(|error| CliError::work(&error))
}

fn check(args: &EvalArgs) -> Result<(), CliError> {
    let wrong = |what: &str| Err(CliError::call(what, "see `polestar eval --help`"));
    if args.temperature.is_some_and(|temperature| !(temperature >= 0.0 && temperature.is_finite())) {
        return wrong("--temperature must be 0 or more");
    }
    if args.samples == 0 || args.max_new_tokens == 0 || args.slots == 0 {
        return wrong("--samples, --max-new-tokens and --slots must be at least 1");
    }
    Ok(())
}

/// How prompts are made and responses judged.
struct Settings {
    prompt: PromptConfig,
    /// Texts that end a response.
    stop: Vec<String>,
    verifiers: Vec<VerifierConfig>,
    source: SourceConfig,
}

fn settings(args: &EvalArgs) -> Result<Settings, CliError> {
    let (prompt, stop, verifiers, columns) = match &args.recipe {
        Some(path) => {
            let loaded = Recipe::load(path, &[])?;
            loaded.validate()?;
            let recipe = loaded.recipe;
            let train = recipe.data.get("train").cloned();
            (recipe.prompt, recipe.rollout.stop, recipe.verifier, train)
        }
        None => {
            let verifier = VerifierConfig {
                name: String::new(),
                kind: args.verifier.clone(),
                weight: None,
                success: 1.0,
                gate: false,
                timeout_s: 10.0,
                jobs: 0,
                options: toml::Table::new(),
            };
            (PromptConfig::default(), Vec::new(), vec![verifier], None)
        }
    };
    if args.shots > prompt.examples.len() {
        let whose = args.recipe.as_ref().map_or("without --recipe".into(), |path| path.display().to_string());
        let complaint =
            Complaint::call(format!("--shots {} asks for more worked examples than there are", args.shots))
                .expected(format!("--shots of at most {}", prompt.examples.len()))
                .found(format!("{} [[prompt.examples]], {whose}", prompt.examples.len()))
                .next("lower --shots, or name a --recipe with more [[prompt.examples]]");
        return Err(CliError::Complaints(vec![complaint]));
    }
    let mut source = SourceConfig::new(args.tasks.clone());
    if args.tasks.starts_with("builtin:") {
        source.n = Some(args.n);
        source.options = columns.map_or_else(BTreeMap::new, |train| train.options);
    } else if let Some(train) = columns.filter(|train| !train.source.starts_with("builtin:")) {
        source.columns = train.columns;
        source.answer_regex = train.answer_regex;
    }
    let source = sets::over(&source, &args.sets)?;
    Ok(Settings { prompt, stop, verifiers, source })
}
