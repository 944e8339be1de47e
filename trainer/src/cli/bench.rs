//! `polestar bench`: the project's own measurements, one JSON object each.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use polestar_data::{Dataset, SourceConfig};
use polestar_verifiers::{Job, RawItem, SupervisorConfig, configure, timeout};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tch::{Device, Kind};

use super::common::{
    CliError, Loaded, ModelArgs, bad_line, chosen_device, cores, load_model, read_jsonl, say,
};
use super::generate::prompt_ids;
use crate::bench::memory::Baseline;
use crate::bench::{Report, Workload, rollout, step, update, verify};
use crate::model::torch::guard;
use crate::model::{Decoder, ModelWeights, device};
use crate::recipe::set::Setting;
use crate::recipe::{Plan, Recipe, World};
use crate::rollout::TokenId;
use crate::run::{RunError, setup};
use crate::update::Updater;

/// Measures sampling, learning, a whole step, or a verifier, by the code that `train` runs.
///
///   polestar bench rollout --model models/SmolLM2-135M-Instruct --n 8 --new-tokens 128 --ignore-eos --json
///   polestar bench verify --verifier math --in responses.jsonl --json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sampling alone; tokens_per_s counts sampled tokens.
    Rollout(ModelBenchArgs),
    /// Learning alone, from random tokens after the prompts; tokens_per_s counts trained sequence tokens.
    Update(ModelBenchArgs),
    /// Sampling, judging, scoring, updating; tokens_per_s counts trained sequence tokens over the whole step.
    Step(ModelBenchArgs),
    /// A verifier on given responses; verdicts a second and milliseconds a verdict.
    Verify(VerifyBenchArgs),
}

/// What is measured with a model.
#[derive(Debug, Args)]
struct ModelBenchArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Prompts, JSONL as `generate` reads them; left out, word problems made from the seed.
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// Takes the first so many prompts; left out, all of a file, or 8 word problems.
    #[arg(long, value_name = "P")]
    limit: Option<usize>,
    /// Wraps prompts in the model's chat template.
    #[arg(long)]
    chat: bool,
    /// Samples a prompt. More than one are learned from by GRPO, one by REINFORCE without a baseline.
    #[arg(long, default_value_t = 8, value_name = "N")]
    n: usize,
    /// The limit of new tokens.
    #[arg(long, default_value_t = 128, value_name = "T")]
    new_tokens: usize,
    /// Goes on to the limit even where the model would stop, so that runs are of one length.
    #[arg(long)]
    ignore_eos: bool,
    /// Untimed runs before the timed one.
    #[arg(long, default_value_t = 1, value_name = "W")]
    warmup: usize,
    /// The seed of prompts, draws and random tokens.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// A setting of the recipe's [rollout], [update], [optimizer] or [algorithm]; may be given many times.
    #[arg(long = "set", value_name = "KEY.PATH=VALUE")]
    sets: Vec<String>,
    /// One JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

/// What is measured with a verifier.
#[derive(Debug, Args)]
struct VerifyBenchArgs {
    /// The kind of verifier.
    #[arg(long, value_name = "NAME")]
    verifier: String,
    /// Responses, JSONL as `verify` reads them: {"id", "reference", "response"} and, for some, "problem".
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// Takes the first so many lines.
    #[arg(long, value_name = "P")]
    limit: Option<usize>,
    /// Verifications at once; 0 takes one for each core.
    #[arg(long, default_value_t = 0, value_name = "N")]
    jobs: usize,
    /// Seconds that one verification may take; past them it is undecided.
    #[arg(long, default_value_t = 10.0, value_name = "SECONDS")]
    timeout_s: f64,
    /// Untimed runs before the timed one.
    #[arg(long, default_value_t = 1, value_name = "W")]
    warmup: usize,
    /// A setting of the verifier; may be given many times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// One JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

/// `polestar bench`.
///
/// # Errors
/// The call is wrong, the model or the input does not load, or the work fails.
pub fn run(args: &BenchArgs) -> Result<(), CliError> {
    match &args.what {
        What::Rollout(args) => bench_model(args, |workload, decoder, baseline| {
            value(&rollout::rollout(workload, &decoder, baseline)?)
        }),
        What::Update(args) => bench_model(args, |workload, decoder, baseline| {
            value(&update::update(workload, &mut updater(decoder)?, baseline)?)
        }),
        What::Step(args) => bench_model(args, |workload, decoder, baseline| {
            let reference = workload.plan.update.kl.as_ref().map(|_| frozen(&decoder)).transpose()?;
            value(&step::step(workload, &mut updater(decoder)?, reference.as_ref(), baseline)?)
        }),
        What::Verify(args) => bench_verify(args),
    }
}

/// A measurement with a model: loads it, makes the workload, measures, prints.
fn bench_model(
    args: &ModelBenchArgs,
    measure: impl FnOnce(&Workload, Decoder, &Baseline) -> Result<Value, CliError>,
) -> Result<(), CliError> {
    if args.n == 0 || args.new_tokens == 0 || args.limit == Some(0) {
        return Err(CliError::call(
            "--n, --new-tokens and --limit must be at least 1",
            "see `polestar bench --help`",
        ));
    }
    let rows = args.prompts.as_ref().map(|path| read_jsonl(path)).transpose()?;
    let device = chosen_device(&args.model)?;
    let baseline = Baseline::take(device);
    let model = load_model(&args.model)?;
    let prompts = prompts(args, &model, rows)?;
    let plan = plan(args, &model, prompts.len())?;
    let Loaded { decoder, tokenizer, .. } = model;
    let settings = settings(args, &plan, &decoder, &prompts);
    let workload = Workload { prompts, plan, ignore_eos: args.ignore_eos, warmup: args.warmup, tokenizer };
    let mut report = measure(&workload, decoder, &baseline)?;
    report["settings"] = settings;
    print(&report, args.json);
    Ok(())
}

type Rows = Vec<(usize, Map<String, Value>)>;

/// The prompts' ids: a file's, or word problems from the seed.
fn prompts(args: &ModelBenchArgs, model: &Loaded, rows: Option<Rows>) -> Result<Vec<Vec<TokenId>>, CliError> {
    if let (Some(path), Some(rows)) = (&args.prompts, rows) {
        let chosen = rows.iter().take(args.limit.unwrap_or(usize::MAX));
        return chosen
            .map(|(line, row)| {
                prompt_ids(args.chat, model, row).map_err(|problem| bad_line(path, *line, &problem))
            })
            .collect();
    }
    let source = SourceConfig {
        n: Some(args.limit.unwrap_or(8)),
        seed: Some(args.seed),
        ..SourceConfig::new("builtin:word-problems")
    };
    let dataset = Dataset::load(&source, "train").map_err(RunError::from)?;
    let made = dataset.problems.iter().map(|problem| {
        let row = Map::from_iter([("prompt".to_owned(), json!(problem.prompt.text()))]);
        prompt_ids(args.chat, model, &row).map_err(|problem| {
            CliError::call(
                format!("a word problem cannot be encoded: {problem}"),
                "give --prompts with `prompt_ids`",
            )
        })
    });
    made.collect()
}

/// What a recipe with these settings resolves to.
fn plan(args: &ModelBenchArgs, model: &Loaded, num_prompts: usize) -> Result<Plan, CliError> {
    let measured = ["rollout.", "update.", "optimizer.", "algorithm"];
    if let Some(set) = args.sets.iter().find(|set| !measured.iter().any(|key| set.starts_with(key))) {
        return Err(CliError::call(
            format!(
                "--set {set} changes nothing that is measured: expected a key of rollout, update, optimizer or algorithm"
            ),
            "leave it out; model, device and type have options of their own",
        ));
    }
    let algorithm = if args.n > 1 { "grpo" } else { "reinforce\"\nbaseline = \"none" };
    // Responses that the limit cuts off count as any other, or all of them would score 0.
    let text = format!(
        "[run]\nname = \"bench\"\nsteps = 1\nseed = {seed}\n[model]\npath = \"bench\"\n\
         [data.train]\nsource = \"bench\"\n[rollout]\nprompts = {num_prompts}\nn = {n}\nmax_new_tokens = {new_tokens}\n\
         [[verifier]]\nkind = \"math\"\n[algorithm]\nkind = \"{algorithm}\"\n[update]\noverlong = \"keep\"\n",
        seed = args.seed,
        n = args.n,
        new_tokens = args.new_tokens,
    );
    let num_gpus = if let Device::Cuda(index) = model.decoder.device() { index + 1 } else { 0 };
    let world = World {
        cores: threads(&args.model),
        num_gpus,
        checkpoint_dtype: device::dtype(model.decoder.kind()),
        slots: 0,
    };
    let loaded = Recipe::parse(Path::new("(bench)"), text, &args.sets)?;
    loaded.validate()?;
    Ok(loaded.resolve(&world)?)
}

fn threads(args: &ModelArgs) -> usize {
    if args.threads == 0 { cores() } else { args.threads }
}

fn settings(args: &ModelBenchArgs, plan: &Plan, decoder: &Decoder, prompts: &[Vec<TokenId>]) -> Value {
    let device = match decoder.device() {
        Device::Cuda(index) => format!("cuda:{index}"),
        _ => "cpu".to_owned(),
    };
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "model": args.model.model,
        "dtype": device::dtype(decoder.kind()),
        "device": device,
        "threads": threads(&args.model),
        "prompts": prompts.len(),
        "prompt_tokens": prompts.iter().map(Vec::len).sum::<usize>(),
        "prompts_from": args.prompts,
        "n": plan.rollout.n,
        "new_tokens": plan.rollout.max_new_tokens,
        "temperature": plan.rollout.temperature,
        "slots": setup::slots(plan),
        "ignore_eos": args.ignore_eos,
        "warmup": args.warmup,
        "seed": plan.run.seed,
        "algorithm": plan.algorithm,
        "update": plan.update,
        "set": args.sets,
    })
}

/// Weights, f32 masters and an optimizer, as a run has them.
fn updater(decoder: Decoder) -> Result<Updater, RunError> {
    Ok(guard("making gradients and the optimizer's moments", || {
        let masters =
            decoder.weights.ordered().into_iter().map(|weight| weight.to_kind(Kind::Float)).collect();
        Updater::new(decoder, masters)
    })?)
}

/// A copy of the decoder that stays as it is.
fn frozen(decoder: &Decoder) -> Result<Decoder, RunError> {
    Ok(guard("copying the frozen reference", || {
        let weights: ModelWeights = setup::detached_copy(&decoder.config, &decoder.weights);
        Decoder::new(decoder.config.clone(), weights)
    })?)
}

fn bench_verify(args: &VerifyBenchArgs) -> Result<(), CliError> {
    let Some(timeout) = timeout(args.timeout_s) else {
        return Err(CliError::call(
            format!("--timeout-s must be above 0 and at most 86400 (a day), found {}", args.timeout_s),
            "leave it out for 10",
        ));
    };
    let options = verifier_options(&args.sets)?;
    let mut verifier = configure(&args.verifier, &options)
        .map_err(|error| CliError::call(error.to_string(), "see `polestar verify --help`"))?;
    // Judging is measured, not remembering.
    verifier.forget_verdicts();
    let rows = read_jsonl(&args.input)?;
    let jobs: Vec<Job> = rows
        .iter()
        .take(args.limit.unwrap_or(usize::MAX))
        .map(|(line, row)| {
            job(&*verifier, *line, row).map_err(|problem| bad_line(&args.input, *line, &problem))
        })
        .collect::<Result<_, _>>()?;
    let threads = if args.jobs == 0 { cores() } else { args.jobs };
    let config = SupervisorConfig { jobs: threads, timeout, queue: 4 * threads };
    let mut report = value(&verify::verify(&jobs, config, args.warmup))?;
    report["settings"] = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "verifier": args.verifier,
        "options": options,
        "in": args.input,
        "jobs": threads,
        "timeout_s": args.timeout_s,
        "warmup": args.warmup,
    });
    print(&report, args.json);
    Ok(())
}

/// A verifier's own settings from `--set`.
fn verifier_options(sets: &[String]) -> Result<Value, CliError> {
    let mut table = toml::Table::new();
    for typed in sets {
        let applied = Setting::parse(typed).and_then(|setting| setting.apply(&mut table));
        applied.map_err(|complaint| CliError::Complaints(vec![*complaint]))?;
    }
    serde_json::to_value(table).map_err(|error| CliError::work(&error))
}

fn job(
    verifier: &dyn polestar_verifiers::Configured,
    line: usize,
    row: &Map<String, Value>,
) -> Result<Job, String> {
    let text = |key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
    let Some(response) = text("response") else {
        return Err("expected `response`, a text, found none".into());
    };
    let Some(reference) = row.get("reference") else {
        return Err("expected `reference`, found none".into());
    };
    let id = match row.get("id") {
        Some(Value::String(id)) => id.clone(),
        Some(id) => id.to_string(),
        None => format!("line {line}"),
    };
    let item = RawItem { id, problem: text("problem").unwrap_or_default(), reference: reference.clone() };
    let judge = verifier.bind(item).map_err(|error| error.to_string())?;
    Ok(Job::new(judge, response))
}

fn value<F: Serialize>(report: &Report<F>) -> Result<Value, CliError> {
    serde_json::to_value(report).map_err(|error| CliError::work(&error))
}

/// Prints the report: as one JSON object, or as lines for people.
fn print(report: &Value, as_json: bool) {
    if as_json {
        println!("{report}");
        return;
    }
    for (key, value) in report.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => println!("{key:<18} {text}"),
            Value::Number(number) if number.is_f64() => {
                println!("{key:<18} {:.4}", number.as_f64().unwrap_or(f64::NAN));
            }
            other => println!("{key:<18} {other}"),
        }
    }
    say("add --json for one JSON object");
}
