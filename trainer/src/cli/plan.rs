//! `polestar train --dry-run`: what a run would do and what it would need, before anything is paid for.

use std::path::Path;

use serde_json::json;

use super::common::{CliError, pretty, print_out};
use crate::model::DecoderConfig;
use crate::recipe::{DtypeChoice, Plan};
use crate::run::RunError;
use crate::run::memory::{self, Memory, PROMPT_GUESS, memory};
use crate::run::setup::model_folder;

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
            let available = memory::available(plan);
            out["available_memory_bytes"] = json!(available);
            match (memory::misfit(plan, &config, available), available) {
                (Some(misfit), _) => eprintln!("it does NOT fit: {misfit}"),
                (None, Some(available)) => {
                    eprintln!("it fits: {:.2} GB are available", available as f64 / 1e9);
                }
                (None, None) => {}
            }
        }
        Err(error) => {
            eprintln!("the model is not here, so its memory is not known: {error}");
            out["memory_bytes"] = serde_json::Value::Null;
        }
    }
    print_out(&pretty(&out))
}

fn table(plan: &Plan, memory: &Memory, root: &Path) -> String {
    let gb = |bytes: u64| format!("{:8.2} GB", bytes as f64 / 1e9);
    let dtype = match plan.checkpoint.dtype {
        DtypeChoice::Auto => "the base model's type".to_string(),
        other => format!("{other:?}").to_lowercase(),
    };
    format!(
        "{name}: {algorithm}, {steps} steps of {prompts} problems x {n} samples, on {device} as {dtype}; memory with prompts of \
         {PROMPT_GUESS} tokens:\n\
         weights      {}\nf32 masters  {}\ngradients    {}\nAdamW        {}\nreference    {}\nKV cache     {} (while sampling)\nsampler      {} (while sampling)\nactivations  {} (while updating)\nlogits       {} (while updating)\n\
         saving       {} (in the host's memory)\nresuming     {} (in the host's memory)\npeak         {}\nhost's peak  {}\n\
         run folder   {root}; checkpoints every {every} steps as {saved}",
        gb(memory.weights),
        gb(memory.masters),
        gb(memory.gradients),
        gb(memory.optimizer),
        gb(memory.reference),
        gb(memory.kv_cache),
        gb(memory.sampler),
        gb(memory.activations),
        gb(memory.logits),
        gb(memory.saving.max(memory.base_reload)),
        gb(memory.resuming),
        gb(memory.peak),
        gb(memory.host_peak),
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
