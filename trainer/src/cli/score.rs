//! `polestar score`: log-probabilities of given responses.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::common::{CliError, Loaded, ModelArgs, bad_line, load_model, read_jsonl};
use super::sets;
use crate::rollout::TokenId;
use crate::run::RunError;
use crate::update;

/// The log-probability of each token of given responses under a model.
///
/// In: {"id"?, "prompt", "response"} or {"id"?, "prompt_ids", "response_ids"} a line; prompt and response are tokenized
/// apart and nothing is added. Out: {"id", "token_ids", "logprobs"} of the response's tokens, in nats.
///
///   polestar score --model models/SmolLM2-135M-Instruct --in pairs.jsonl --out scores.jsonl
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ScoreArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Prompts and responses, JSONL.
    #[arg(long = "in", value_name = "IN.jsonl")]
    input: PathBuf,
    /// Where the scores go, JSONL.
    #[arg(long, value_name = "OUT.jsonl")]
    out: PathBuf,
    /// Divides the logits before the softmax.
    #[arg(long, default_value_t = 1.0)]
    temperature: f64,
    /// Tokens that go through the model together.
    #[arg(long, default_value_t = 4096)]
    micro_batch: usize,
    /// `temperature=T` or `micro_batch=N`, over the other options; may be given many times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

/// How sequences are scored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    temperature: f64,
    micro_batch: usize,
}

/// `polestar score`.
///
/// # Errors
/// The input cannot be read, the model does not load, or a sequence does not fit.
pub fn run(args: &ScoreArgs) -> Result<(), CliError> {
    let options = Settings { temperature: args.temperature, micro_batch: args.micro_batch };
    let settings = sets::over_table(&options, &args.sets, "see `polestar score --help`")?;
    if settings.temperature.is_nan() || settings.temperature <= 0.0 {
        return Err(CliError::call("--temperature must be above 0", "leave it out for 1"));
    }
    let rows = read_jsonl(&args.input)?;
    let model = load_model(&args.model)?;
    let mut sequences = Vec::with_capacity(rows.len());
    for (line, row) in &rows {
        let pair = pair(&model, row).map_err(|problem| bad_line(&args.input, *line, &problem))?;
        sequences.push(pair);
    }
    let joined: Vec<Vec<TokenId>> =
        sequences.iter().map(|(prompt, response)| [prompt.as_slice(), response].concat()).collect();
    let slices: Vec<&[TokenId]> = joined.iter().map(Vec::as_slice).collect();
    let all = update::score(&model.decoder, &slices, settings.temperature, settings.micro_batch)
        .map_err(RunError::from)?;
    let mut out = Vec::new();
    for (((line, row), (prompt, response)), logprobs) in rows.iter().zip(&sequences).zip(&all) {
        let id = row.get("id").cloned().unwrap_or_else(|| json!(line));
        let logprobs = if response.is_empty() { &[] } else { &logprobs[prompt.len() - 1..] };
        let record = json!({ "id": id, "token_ids": response, "logprobs": logprobs });
        // Writing to memory cannot fail.
        let _ = writeln!(out, "{record}");
    }
    crate::run::atomic::write_file(&args.out, &out).map_err(|error| CliError::work(&error))
}

type Pair = (Vec<TokenId>, Vec<TokenId>);

fn pair(model: &Loaded, row: &serde_json::Map<String, Value>) -> Result<Pair, String> {
    let side = |text_key: &str, ids_key: &str| -> Result<Vec<TokenId>, String> {
        match (row.get(text_key), row.get(ids_key)) {
            (_, Some(ids)) => serde_json::from_value(ids.clone())
                .map_err(|error| format!("{ids_key}: expected a list of token ids, {error}")),
            (Some(Value::String(text)), None) => {
                model.tokenizer.encode(text).map_err(|error| error.to_string())
            }
            _ => Err(format!("expected `{text_key}` (text) or `{ids_key}` (token ids), found neither")),
        }
    };
    let (prompt, response) = (side("prompt", "prompt_ids")?, side("response", "response_ids")?);
    if prompt.is_empty() {
        return Err("the prompt has no tokens: nothing predicts the response's first one".into());
    }
    let context = model.decoder.config.max_position_embeddings;
    let length = prompt.len() + response.len();
    if length > context {
        return Err(format!("prompt and response have {length} tokens; the model's context is {context}"));
    }
    let vocab = model.decoder.config.vocab_size;
    if let Some(id) = prompt.iter().chain(&response).find(|&&id| id as usize >= vocab) {
        return Err(format!("token id {id} is not in the model's vocabulary of {vocab}"));
    }
    Ok((prompt, response))
}
