//! `polestar data`: makes generated problems, lists the generators, and checks data before a run depends on it.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use polestar_data::{BadLine, Dataset, ProblemPrompt, SourceConfig};
use serde::Serialize;
use serde_json::json;

use super::common::{CliError, pretty, print_out};
use super::histogram::Histogram;
use super::sets;
use crate::model::{DecoderConfig, LoadError};
use crate::recipe::PromptConfig;
use crate::run::RunError;
use crate::run::prompts::{Form, Prompter};
use crate::run::setup::model_folder;
use crate::text::Tokenizer;

/// So many places are shown of what is wrong in the same way.
const SHOWN: usize = 20;

/// Makes generated problems, and checks data files.
#[derive(Debug, Args)]
pub struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    Gen(GenArgs),
    Check(CheckArgs),
    List(ListArgs),
}

/// Writes generated problems, one JSON object a line: {"id", "prompt", "reference", "response", ...}.
///
/// The same name, seed, split and knobs give the same problems on every machine; the first hundred of a thousand are
/// the hundred that -n 100 gives. No problem is in two splits.
///
///   polestar data gen word-problems --n 1000 --seed 1 --set steps=1-2 --out train.jsonl
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
struct GenArgs {
    /// The generator; `polestar data list` names them.
    name: String,
    /// How many problems.
    #[arg(long, short, value_name = "N")]
    n: usize,
    /// The seed.
    #[arg(long, default_value_t = 0, value_name = "S")]
    seed: u64,
    /// The split: train, eval, or another that the generator has.
    #[arg(long, default_value = "train")]
    split: String,
    /// A knob of the generator; may be given many times.
    #[arg(long = "set", value_name = "KNOB=VALUE")]
    sets: Vec<String>,
    /// The file to write; left out, the problems go to standard output.
    #[arg(long, value_name = "FILE.jsonl")]
    out: Option<PathBuf>,
}

/// Reads data as a run would, and says what it holds and which lines are bad.
///
/// With --model it also shows how long the prompts are in the model's tokens, chat template included. Exit code 1 if a
/// line is bad (beyond --set max_bad_lines=N) or a prompt does not fit the model's context.
///
///   polestar data check train.jsonl --model models/SmolLM2-135M-Instruct
///   polestar data check hf:openai/gsm8k:main --split test --set columns.prompt=question --set columns.reference=answer
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
struct CheckArgs {
    /// A JSONL file, a folder of them, hf:owner/name... or builtin:NAME.
    #[arg(value_name = "FILE_OR_SOURCE")]
    source: String,
    /// The split of a folder, a hub set or a generator.
    #[arg(long, default_value = "train")]
    split: String,
    /// A setting of the source as in a recipe's [data.train]: columns.prompt=question, limit=100, options.digits=2.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// A model, for its tokenizer, chat template and context length; its weights are not read.
    #[arg(long, value_name = "DIR")]
    model: Option<String>,
    /// One JSON object, for machines.
    #[arg(long)]
    json: bool,
}

/// Lists the generators with their splits and knobs.
///
///   polestar data list
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
struct ListArgs {
    /// JSON, for machines.
    #[arg(long)]
    json: bool,
}

/// `polestar data`.
///
/// # Errors
/// A wrong call, data that cannot be read, or data that was checked and is bad.
pub fn run(args: &DataArgs) -> Result<(), CliError> {
    match &args.command {
        DataCommand::Gen(args) => generate(args),
        DataCommand::Check(args) => check(args),
        DataCommand::List(args) => list(args),
    }
}

fn generate(args: &GenArgs) -> Result<(), CliError> {
    if args.n == 0 {
        return Err(CliError::call("--n must be at least 1", "say how many problems to make"));
    }
    let name = args.name.strip_prefix("builtin:").unwrap_or(&args.name);
    let knobs = args.sets.iter().map(|set| sets::parse(set).map(|(key, value)| (key.to_owned(), value)));
    let options = knobs.collect::<Result<BTreeMap<_, _>, _>>()?;
    let problems =
        polestar_data::generate(name, args.n, args.seed, &args.split, &options).map_err(RunError::from)?;
    let mut text = String::new();
    for problem in &problems {
        let line = serde_json::to_string(problem).map_err(|error| CliError::work(&error))?;
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{line}");
    }
    match &args.out {
        None => print_out(&text),
        Some(path) => {
            crate::run::atomic::write_file(path, text.as_bytes()).map_err(|error| CliError::work(&error))
        }
    }
}

fn list(args: &ListArgs) -> Result<(), CliError> {
    let generators = polestar_data::generators();
    if args.json {
        let all: Vec<_> = generators
            .iter()
            .map(|generator| {
                let knobs = generator
                    .knobs()
                    .iter()
                    .map(|knob| json!({ "name": knob.name, "default": knob.default, "about": knob.doc }));
                json!({
                    "name": generator.name(),
                    "about": generator.about(),
                    "splits": generator.splits(),
                    "knobs": knobs.collect::<Vec<_>>(),
                })
            })
            .collect();
        return print_out(&pretty(&all));
    }
    let mut text = String::new();
    for generator in generators {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}: {}", generator.name(), generator.about());
        let _ = writeln!(text, "  splits  {}", generator.splits().join(", "));
        for knob in generator.knobs() {
            let _ = writeln!(text, "  --set {}={}\n      {}", knob.name, knob.default, knob.doc);
        }
    }
    print_out(&text)
}

/// What a check found.
#[derive(Debug, Serialize)]
struct Checked {
    source: String,
    problems: usize,
    layout: String,
    files: Vec<PathBuf>,
    with_reference: usize,
    with_response: usize,
    conversations: usize,
    repeated_prompts: usize,
    max_bad_lines: usize,
    bad_lines: Vec<Bad>,
    prompt_tokens: Option<PromptTokens>,
}

#[derive(Debug, Serialize)]
struct Bad {
    file: String,
    line: usize,
    expected: String,
    found: String,
}

/// How long prompts are for a model.
#[derive(Debug, Serialize)]
struct PromptTokens {
    chat_template: bool,
    context: usize,
    #[serde(flatten)]
    lengths: Option<Histogram>,
    too_long: Vec<String>,
}

fn check(args: &CheckArgs) -> Result<(), CliError> {
    let config = sets::over(&SourceConfig::new(args.source.clone()), &args.sets)?;
    // Every bad line is to be told, not only the first.
    let tolerant = SourceConfig { max_bad_lines: usize::MAX, ..config.clone() };
    let dataset = Dataset::load(&tolerant, &args.split).map_err(RunError::from)?;
    let prompt_tokens = args.model.as_ref().map(|model| measure(model, &dataset)).transpose()?;
    let checked = Checked::new(dataset, config.max_bad_lines, prompt_tokens);
    print_out(&if args.json { pretty(&checked) } else { checked.text() })?;
    if checked.is_good() { Ok(()) } else { Err(CliError::Exit(super::report::EXIT_WORK)) }
}

/// The lengths of all prompts as a run without a `[prompt]` table would make them.
fn measure(model: &str, dataset: &Dataset) -> Result<PromptTokens, CliError> {
    let folder = model_folder(model)?;
    let config =
        DecoderConfig::from_folder(&folder).map_err(|error| RunError::Load(LoadError::from(error)))?;
    let tokenizer = Arc::new(Tokenizer::load(&folder).map_err(RunError::from)?);
    let chat_template = tokenizer.has_chat_template();
    let prompter = Prompter::new(tokenizer, &PromptConfig::default(), usize::MAX).map_err(RunError::from)?;
    let context = config.max_position_embeddings;
    let (mut lengths, mut too_long) = (Vec::with_capacity(dataset.problems.len()), Vec::new());
    for problem in &dataset.problems {
        let length = prompter.ids(problem, 0, Form::Plain).map_err(RunError::from)?.len();
        // At least one new token must fit.
        if length >= context {
            too_long.push(format!("{} ({length} tokens)", problem.origin));
        }
        lengths.push(length);
    }
    Ok(PromptTokens { chat_template, context, lengths: Histogram::of(&lengths), too_long })
}

impl Checked {
    fn new(dataset: Dataset, max_bad_lines: usize, prompt_tokens: Option<PromptTokens>) -> Self {
        let problems = &dataset.problems;
        let count = |is: &dyn Fn(&polestar_data::Problem) -> bool| problems.iter().filter(|p| is(p)).count();
        let distinct: HashSet<String> = problems.iter().map(|problem| problem.prompt.text()).collect();
        let bad = |BadLine { file, line, expected, found }| Bad { file, line, expected, found };
        Self {
            problems: problems.len(),
            with_reference: count(&|problem| !problem.reference.is_null()),
            with_response: count(&|problem| problem.response.is_some()),
            conversations: count(&|problem| matches!(problem.prompt, ProblemPrompt::Messages(_))),
            repeated_prompts: problems.len() - distinct.len(),
            source: dataset.name,
            layout: dataset.layout,
            files: dataset.files,
            max_bad_lines,
            bad_lines: dataset.bad_lines.into_iter().map(bad).collect(),
            prompt_tokens,
        }
    }

    fn is_good(&self) -> bool {
        self.bad_lines.len() <= self.max_bad_lines
            && self.prompt_tokens.as_ref().is_none_or(|tokens| tokens.too_long.is_empty())
    }

    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", self.source);
        let _ = writeln!(text, "  layout      {}", self.layout);
        for file in &self.files {
            let _ = writeln!(text, "  file        {}", file.display());
        }
        let n = self.problems;
        let _ = writeln!(
            text,
            "  problems    {n}: {} with a reference answer, {} with a worked response, {} conversations",
            self.with_reference, self.with_response, self.conversations
        );
        if self.repeated_prompts > 0 {
            let _ = writeln!(text, "  repeated    {} prompts stand there before", self.repeated_prompts);
        }
        let places = self
            .bad_lines
            .iter()
            .map(|bad| format!("{}:{}: expected {}, found {}", bad.file, bad.line, bad.expected, bad.found));
        let _ = writeln!(text, "  bad lines   {} ({} allowed)", self.bad_lines.len(), self.max_bad_lines);
        text.push_str(&first_of(places));
        if let Some(tokens) = &self.prompt_tokens {
            text.push_str(&tokens.text());
        }
        text
    }
}

impl PromptTokens {
    fn text(&self) -> String {
        let mut text = String::new();
        let template = if self.chat_template { "after the chat template" } else { "without a chat template" };
        if let Some(lengths) = &self.lengths {
            let Histogram { min, median, p90, p99, max, mean, .. } = lengths;
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "  prompts     {template}, in tokens: {min} to {max}, mean {mean:.1}, median {median}, 90 % at most \
                 {p90}, 99 % at most {p99}; the model's context is {}",
                self.context
            );
            for line in lengths.plot().lines() {
                let _ = writeln!(text, "    {line}");
            }
        }
        if !self.too_long.is_empty() {
            let _ = writeln!(text, "  too long    {}", self.too_long.len());
            text.push_str(&first_of(self.too_long.iter().cloned()));
        }
        text
    }
}

/// The first few, a line each, and how many more there are.
fn first_of(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(SHOWN);
    let mut text: String = items.take(SHOWN).map(|item| format!("    {item}\n")).collect();
    if more > 0 {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    and {more} more; --json has all");
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::text::testing;

    fn checked(text: &str, max_bad_lines: usize) -> Checked {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        std::fs::write(&path, text).unwrap();
        let mut config = SourceConfig::new(path.to_str().unwrap());
        config.max_bad_lines = usize::MAX;
        Checked::new(Dataset::load(&config, "train").unwrap(), max_bad_lines, None)
    }

    const TEXT: &str = "{\"prompt\":\"2 + 2?\",\"reference\":\"4\"}\noops\n{\"prompt\":\"2 + 2?\",\"reference\":\"4\"}\n[]\n";

    #[test]
    fn every_bad_line_is_told_with_its_place() {
        let found = checked(TEXT, 1);
        assert_eq!((found.problems, found.with_reference, found.repeated_prompts), (2, 2, 1));
        assert!(!found.is_good() && checked(TEXT, 2).is_good());
        let text = found.text();
        assert!(text.contains("bad lines   2 (1 allowed)"), "{text}");
        assert!(text.contains("a.jsonl:2: expected one JSON object, found"), "{text}");
        assert!(text.contains("a.jsonl:4: expected one JSON object, found a list"), "{text}");
        let value = serde_json::to_value(&found).unwrap();
        assert_eq!(value["bad_lines"][1]["line"], 4);
        assert!(value["prompt_tokens"].is_null());
    }

    #[test]
    fn prompts_are_measured_in_the_models_tokens_and_too_long_ones_named() {
        let config = serde_json::json!({
            "model_type": "llama", "vocab_size": 300, "hidden_size": 8, "intermediate_size": 8,
            "num_hidden_layers": 1, "num_attention_heads": 1, "max_position_embeddings": 9
        });
        let model =
            testing::folder(&[("tokenizer.json", testing::byte_level(&["<s>"])), ("config.json", config)]);
        let file = model.path().join("a.jsonl");
        std::fs::write(&file, "{\"prompt\":\"12345\"}\n{\"prompt\":\"123456789\"}\n").unwrap();
        let dataset = Dataset::load(&SourceConfig::new(file.to_str().unwrap()), "train").unwrap();
        let tokens = measure(model.path().to_str().unwrap(), &dataset).unwrap();
        assert_eq!(tokens.lengths.as_ref().map(|lengths| (lengths.min, lengths.max)), Some((5, 9)));
        assert_eq!(tokens.too_long.len(), 1);
        assert!(tokens.too_long[0].ends_with("a.jsonl:2 (9 tokens)"), "{:?}", tokens.too_long);
        let found = Checked::new(dataset, 0, Some(tokens));
        assert!(!found.is_good());
        assert!(
            found.text().contains("without a chat template, in tokens: 5 to 9, mean 7.0"),
            "{}",
            found.text()
        );
    }

    #[test]
    fn long_lists_are_cut_and_say_so() {
        let text = first_of((0..25).map(|i| i.to_string()));
        assert_eq!(text.lines().count(), SHOWN + 1);
        assert!(text.ends_with("and 5 more; --json has all\n"));
    }
}
