//! `polestar train --dry-run`: what a run would do and what it would need, before anything is paid for.

use std::path::Path;

use serde_json::json;

use super::common::{CliError, pretty, print_out};
use crate::doctor;
use crate::model::DecoderConfig;
use crate::model::{device, weights};
use crate::recipe::{DtypeChoice, Plan};
use crate::run::RunError;
use crate::run::setup::{model_folder, slots};
use crate::update::head;

/// Bytes of a run's parts at their peaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Memory {
    /// Weights that are computed with.
    pub weights: u64,
    /// f32 masters, where those are not the weights themselves.
    pub masters: u64,
    /// f32 gradients.
    pub gradients: u64,
    /// AdamW's two moments.
    pub optimizer: u64,
    /// The frozen reference, where a KL needs one.
    pub reference: u64,
    /// The sampler's keys and values.
    pub kv_cache: u64,
    /// What a micro-batch keeps for the backward pass.
    pub activations: u64,
    /// The output matrix's chunk.
    pub logits: u64,
    /// The most that is alive at once: sampling and updating take turns.
    pub peak: u64,
}

/// Estimates a run's memory. `longest_prompt` in tokens.
#[must_use]
pub fn memory(plan: &Plan, config: &DecoderConfig, longest_prompt: usize) -> Memory {
    let parameters: u64 = weights::specs(config)
        .iter()
        .map(|spec| spec.shape.iter().map(|&n| n.unsigned_abs()).product::<u64>())
        .sum();
    let element = device::kind(plan.model.dtype).elt_size_in_bytes() as u64;
    let is_f32 = element == 4;
    let length = (longest_prompt + plan.rollout.max_new_tokens).min(config.max_position_embeddings) as u64;
    let per_token_kv = 2 * (config.num_layers * config.num_kv_heads * config.head_dim) as u64 * element;
    let kv_cache = slots(plan) as u64 * length * per_token_kv;
    // A layer keeps, a token: its input, two normed copies in f32 and in the model's type, queries, keys and values
    // before and after rotation, the attention's output, and the feed-forward's three wide vectors.
    let (d, f) = (config.hidden_size as u64, config.intermediate_size as u64);
    let q = (config.num_heads * config.head_dim) as u64;
    let kv = (config.num_kv_heads * config.head_dim) as u64;
    let layer_token = d * (4 * element + 16) + (3 * q + 5 * kv) * element + 4 * f * element;
    let tokens = (plan.update.micro_batch as u64).max(length);
    let layers = if plan.update.recompute { 1 } else { config.num_layers as u64 };
    let activations = tokens * (layer_token * layers + d * element * config.num_layers as u64);
    let rows = head::chunk_rows(config.vocab_size) as u64;
    let logits = rows.min(tokens) * config.vocab_size as u64 * 4 * 4;
    let weights = parameters * element;
    let masters = if is_f32 { 0 } else { parameters * 4 };
    let has_reference = plan.update.kl.as_ref().is_some_and(|kl| kl.coef != 0.0);
    let reference = if has_reference { parameters * element } else { 0 };
    let (gradients, optimizer) = (parameters * 4, parameters * 8);
    let standing = weights + masters + gradients + optimizer + reference;
    let peak = standing + kv_cache.max(activations + logits);
    Memory { weights, masters, gradients, optimizer, reference, kv_cache, activations, logits, peak }
}

/// Prints the plan as JSON on standard output and a summary for people on standard error.
///
/// # Errors
/// The model's config cannot be read.
pub fn dry_run(plan: &Plan, root: &Path) -> Result<(), CliError> {
    let mut out = json!({ "plan": plan, "run_dir": root });
    match model_folder(&plan.model.path) {
        Ok(folder) => {
            let config = DecoderConfig::from_folder(&folder).map_err(|error| RunError::Load(error.into()))?;
            let memory = memory(plan, &config, PROMPT_GUESS);
            eprintln!("{}", table(plan, &memory, root));
            out["memory_bytes"] = json!(memory);
            if device::parse(&plan.model.device) == tch::Device::Cpu {
                let available = doctor::available_memory();
                out["available_memory_bytes"] = json!(available);
                if let Some(available) = available {
                    eprintln!("{}", room(memory.peak, available));
                }
            }
        }
        Err(error) => {
            eprintln!("the model is not here, so its memory is not known: {error}");
            out["memory_bytes"] = serde_json::Value::Null;
        }
    }
    print_out(&pretty(&out))
}

/// Whether a peak fits into what the machine has.
fn room(peak: u64, available: u64) -> String {
    let available_gb = available as f64 / 1e9;
    if peak <= available {
        return format!("it fits: {available_gb:.2} GB are available");
    }
    format!(
        "it does NOT fit: {available_gb:.2} GB are available. Lower rollout.slots or update.micro_batch, set \
         update.recompute = true, or end other programs"
    )
}

/// Tokens of a prompt where the data has not been read.
const PROMPT_GUESS: usize = 256;

fn table(plan: &Plan, memory: &Memory, root: &Path) -> String {
    let gb = |bytes: u64| format!("{:8.2} GB", bytes as f64 / 1e9);
    let dtype = match plan.checkpoint.dtype {
        DtypeChoice::Auto => "the base model's type".to_string(),
        other => format!("{other:?}").to_lowercase(),
    };
    format!(
        "{name}: {algorithm}, {steps} steps of {prompts} problems x {n} samples, on {device} as {dtype}; memory with prompts of \
         {PROMPT_GUESS} tokens:\n\
         weights      {}\nf32 masters  {}\ngradients    {}\nAdamW        {}\nreference    {}\nKV cache     {} (while sampling)\nactivations  {} (while updating)\nlogits       {} (while updating)\npeak         {}\n\
         run folder   {root}; checkpoints every {every} steps as {saved}",
        gb(memory.weights),
        gb(memory.masters),
        gb(memory.gradients),
        gb(memory.optimizer),
        gb(memory.reference),
        gb(memory.kv_cache),
        gb(memory.activations),
        gb(memory.logits),
        gb(memory.peak),
        name = plan.run.name,
        algorithm = plan.algorithm.kind(),
        steps = plan.run.steps,
        prompts = plan.rollout.prompts,
        n = plan.rollout.n,
        device = plan.model.device,
        dtype = format!("{:?}", plan.model.dtype).to_lowercase(),
        root = root.display(),
        every = plan.checkpoint.every,
        saved = dtype,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_said_with_what_to_change() {
        assert_eq!(room(2_000_000_000, 19_160_000_000), "it fits: 19.16 GB are available");
        let words = room(20_000_000_000, 19_160_000_000);
        assert!(words.contains("NOT fit: 19.16 GB") && words.contains("update.micro_batch"), "{words}");
    }
}
