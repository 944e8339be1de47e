//! `polestar generate`: one line out for each sample.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::common::{CliError, Loaded, ModelArgs, bad_line, load_model, read_jsonl};
use super::progress::Progress;
use super::sets;
use crate::engine::{self, EngineStats, Request, Response, Sampling, Watch};
use crate::eval::response_text;
use crate::rollout::TokenId;
use crate::run::RunError;
use crate::seeds::{Coords, Purpose};
use crate::text::{ChatMessage, RenderOptions};

/// Samples responses to prompts.
///
/// In: one JSON object a line, {"id"?, "prompt": text or messages} or {"id"?, "prompt_ids": [...]}.
/// Out: {"id", "index", "text", "token_ids", "logprobs", "finish"} a sample, logprobs in nats.
///
///   echo '{"prompt": "What is 2 + 3?"}' > in.jsonl
///   polestar generate --model models/SmolLM2-135M-Instruct --prompts in.jsonl --out out.jsonl --chat
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct GenerateArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Prompts, JSONL.
    #[arg(long, value_name = "IN.jsonl")]
    prompts: PathBuf,
    /// Where the samples go, JSONL.
    #[arg(long, value_name = "OUT.jsonl")]
    out: PathBuf,
    /// Samples a prompt.
    #[arg(long, default_value_t = 1)]
    n: usize,
    /// Divides the logits; 0 is greedy.
    #[arg(long, default_value_t = 1.0)]
    temperature: f64,
    /// Keeps the smallest set of tokens with at least this probability.
    #[arg(long, default_value_t = 1.0)]
    top_p: f64,
    /// Keeps this many tokens; 0 keeps all.
    #[arg(long, default_value_t = 0)]
    top_k: usize,
    /// Keeps tokens with at least this share of the likeliest one's probability.
    #[arg(long, default_value_t = 0.0)]
    min_p: f64,
    /// The limit of new tokens.
    #[arg(long, default_value_t = 256)]
    max_new_tokens: usize,
    /// A text that ends a response; may be given many times.
    #[arg(long)]
    stop: Vec<String>,
    /// The seed: the same seed gives the same samples, whatever else is in the file.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Wraps prompts in the model's chat template.
    #[arg(long)]
    chat: bool,
    /// Sequences decoded at once.
    #[arg(long, default_value_t = 64)]
    slots: usize,
    /// Goes on to the limit even where the model would stop: for measuring.
    #[arg(long)]
    ignore_eos: bool,
    /// A setting by its name in a recipe's [rollout], over the other options, as `temperature=0.7`; may be given many times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

/// How responses are sampled: a recipe's `[rollout]` without what only training has.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rollout {
    n: usize,
    temperature: f64,
    top_p: f64,
    top_k: usize,
    min_p: f64,
    max_new_tokens: usize,
    stop: Vec<String>,
    slots: usize,
}

impl Rollout {
    /// By the options, and by the settings over them.
    fn resolve(args: &GenerateArgs) -> Result<Self, CliError> {
        let options = Self {
            n: args.n,
            temperature: args.temperature,
            top_p: args.top_p,
            top_k: args.top_k,
            min_p: args.min_p,
            max_new_tokens: args.max_new_tokens,
            stop: args.stop.clone(),
            slots: args.slots,
        };
        let bare = |set: &String| set.strip_prefix("rollout.").unwrap_or(set).to_owned();
        let sets: Vec<String> = args.sets.iter().map(bare).collect();
        let rollout = sets::over_table(&options, &sets, "see `[rollout]` in docs/recipes.md")?;
        rollout.check()?;
        Ok(rollout)
    }

    fn check(&self) -> Result<(), CliError> {
        let wrong = |what: &str| Err(CliError::call(what.to_string(), "see `polestar generate --help`"));
        if !(self.temperature >= 0.0 && self.temperature.is_finite()) {
            return wrong("--temperature must be 0 or more");
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return wrong("--top-p must be above 0 and at most 1");
        }
        if !(0.0..1.0).contains(&self.min_p) {
            return wrong("--min-p must be at least 0 and below 1");
        }
        if self.n == 0 || self.max_new_tokens == 0 || self.slots == 0 {
            return wrong("--n, --max-new-tokens and --slots must be at least 1");
        }
        Ok(())
    }
}

struct Counting<'a>(&'a Progress);

impl Watch for Counting<'_> {
    fn finished(&mut self, _request: usize, _sample: usize, _response: &Response) {
        self.0.inc(1);
    }
}

/// `polestar generate`.
///
/// # Errors
/// The prompts cannot be read, the model does not load, or sampling fails.
pub fn run(args: &GenerateArgs) -> Result<(), CliError> {
    let rollout = Rollout::resolve(args)?;
    let rows = read_jsonl(&args.prompts)?;
    let model = load_model(&args.model)?;
    let mut ids = Vec::with_capacity(rows.len());
    let mut requests = Vec::with_capacity(rows.len());
    for (line, row) in &rows {
        let id = row.get("id").cloned().unwrap_or_else(|| json!(line));
        let prompt =
            prompt_ids(args.chat, &model, row).map_err(|problem| bad_line(&args.prompts, *line, &problem))?;
        let name = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        let coords = |sample| Coords {
            seed: args.seed,
            step: 0,
            problem: name.clone(),
            sample,
            purpose: Purpose::Generate,
        };
        requests.push(Request { prompt, samples: (0..rollout.n as u64).map(coords).collect() });
        ids.push(id);
    }
    let stop_ids = if args.ignore_eos { Vec::new() } else { model.tokenizer.stop_ids().to_vec() };
    let how = Sampling {
        temperature: rollout.temperature,
        top_p: rollout.top_p,
        top_k: rollout.top_k,
        min_p: rollout.min_p,
        max_new_tokens: rollout.max_new_tokens,
        stop_ids,
        stop: rollout.stop,
        slots: rollout.slots,
    };
    let progress = Progress::new("generate", Some((requests.len() * rollout.n) as u64), "samples");
    let mut stats = EngineStats::default();
    let responses = engine::generate(
        &model.decoder,
        Some(&model.tokenizer),
        &requests,
        &how,
        &mut Counting(&progress),
        &mut stats,
    )
    .map_err(RunError::from)?;
    progress.finish();
    write(args, &model, &ids, &responses)
}

/// The ids of one line's prompt, by the model's chat template with `chat`; or what is wrong with the line, be it that
/// the prompt is nothing that the model can go on from.
pub(super) fn prompt_ids(
    chat: bool,
    model: &Loaded,
    row: &serde_json::Map<String, Value>,
) -> Result<Vec<TokenId>, String> {
    let ids = encoded(chat, model, row)?;
    let config = &model.decoder.config;
    let (context, vocab) = (config.max_position_embeddings, config.vocab_size);
    if ids.is_empty() {
        return Err("the prompt has no tokens: a model needs at least one to go on from".into());
    }
    if ids.len() >= context {
        return Err(format!(
            "the prompt has {} tokens; the model's context is {context} and at least one new token must fit",
            ids.len()
        ));
    }
    if let Some(id) = ids.iter().find(|&&id| id as usize >= vocab) {
        return Err(format!("token id {id} is not in the model's vocabulary of {vocab}"));
    }
    Ok(ids)
}

fn encoded(chat: bool, model: &Loaded, row: &serde_json::Map<String, Value>) -> Result<Vec<TokenId>, String> {
    if let Some(ids) = row.get("prompt_ids") {
        return serde_json::from_value(ids.clone())
            .map_err(|error| format!("prompt_ids: expected a list of token ids, {error}"));
    }
    let options = RenderOptions { add_generation_prompt: true, ..RenderOptions::default() };
    let tokenizer = &model.tokenizer;
    match row.get("prompt") {
        Some(Value::String(text)) if chat => tokenizer
            .encode_chat(&[ChatMessage::new("user", text)], &options)
            .map_err(|error| error.to_string()),
        Some(Value::String(text)) => tokenizer.encode_plain_prompt(text).map_err(|error| error.to_string()),
        Some(messages @ Value::Array(_)) if chat => {
            let messages: Vec<ChatMessage> = serde_json::from_value(messages.clone())
                .map_err(|error| format!("prompt: expected messages with role and content, {error}"))?;
            tokenizer.encode_chat(&messages, &options).map_err(|error| error.to_string())
        }
        Some(Value::Array(_)) => {
            Err("prompt holds messages, which need the model's chat template: add --chat".into())
        }
        _ => Err("expected `prompt` (text or messages) or `prompt_ids`, found neither".into()),
    }
}

fn write(
    args: &GenerateArgs,
    model: &Loaded,
    ids: &[Value],
    responses: &[Vec<Response>],
) -> Result<(), CliError> {
    let mut out = Vec::new();
    for (id, group) in ids.iter().zip(responses) {
        for (index, response) in group.iter().enumerate() {
            let line = json!({
                "id": id,
                "index": index,
                "text": response_text(&model.tokenizer, &response.ids, response.finish),
                "token_ids": response.ids,
                "logprobs": response.logprobs,
                "finish": response.finish,
            });
            // Writing to memory cannot fail.
            let _ = writeln!(out, "{line}");
        }
    }
    crate::run::atomic::write_file(&args.out, &out).map_err(|error| CliError::work(&error))
}
