//! Checkpoints: a Hugging Face folder that others load as it is, plus what a run needs to go on exactly. Written under
//! a temporary name, read back, compared in logits with the weights in memory, synced, renamed.

use std::fs;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

use super::RunError;
use super::atomic::{self, FolderWriter};
use crate::model::config::DecoderConfig;
use crate::model::export::export_config;
use crate::model::save::{FileBytes, save_tensors, weight_files};
use crate::model::weights::WeightSpec;
use crate::model::{Decoder, LoadError, ModelWeights, load_folder, weights};
use crate::rollout::TokenId;
use crate::update::{Updater, score};

/// The run's state beside weights and optimizer.
pub const STATE: &str = "state.json";
const OPTIMIZER: &str = "optimizer";

/// Everything of a run's state that is not a tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunState {
    /// The step that the checkpoint ends.
    pub step: u64,
    /// Optimizer steps so far.
    pub update_step: u64,
    /// AdamW's own count, from its last reset.
    pub adam_step: u64,
    /// Skipped optimizer steps in a row.
    pub skipped: u64,
    /// Tokens so far, prompts and responses.
    pub num_tokens: u64,
    /// What the algorithm remembers.
    pub algorithm: Value,
    /// The best evaluation so far: its step and its accuracy.
    pub best: Option<(u64, f64)>,
    /// What the step has measured, if a request to stop came before its evaluation was done: only that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<serde_json::Map<String, Value>>,
}

/// What makes a folder loadable beside its weights: copied from the base model byte for byte, except config.json.
pub(crate) const TEXT_FILES: [&str; 10] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    "generation_config.json",
];

/// What of a model a saved folder depends on beside its weights.
#[derive(Clone, Debug)]
pub struct Export<'a> {
    /// The base model's folder.
    pub base: &'a Path,
    /// The kind of the saved weights.
    pub kind: Kind,
    /// Ids that end a response: into generation_config.json.
    pub stop_ids: Vec<TokenId>,
    /// The text of README.md.
    pub card: String,
}

/// Writes the files of a Hugging Face folder: config, weights, tokenizer, template, generation config, model card.
///
/// # Errors
/// A file cannot be written, or a base file cannot be read.
pub fn write_model(
    writer: &mut FolderWriter,
    config: &DecoderConfig,
    weights: &ModelWeights,
    export: &Export<'_>,
) -> Result<(), RunError> {
    for name in TEXT_FILES {
        let path = export.base.join(name);
        if name != "generation_config.json" && path.is_file() {
            writer.write(name, &read(&path)?)?;
        }
    }
    writer.write("config.json", &pretty(&export_config(config, export.kind)))?;
    writer.write("generation_config.json", &pretty(&generation_config(config, export)?))?;
    writer.write("README.md", export.card.as_bytes())?;
    weight_files(config, weights, export.kind, &mut |FileBytes { name, bytes }| -> Result<(), RunError> {
        writer.write(&name, &bytes).map_err(RunError::from)
    })
}

fn read(path: &Path) -> Result<Vec<u8>, RunError> {
    fs::read(path).map_err(|error| RunError::Folder {
        path: path.to_path_buf(),
        problem: format!("the base model's file cannot be read: {error}"),
        next: "the base model must stay where the recipe says until the run has ended".into(),
    })
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

fn generation_config(config: &DecoderConfig, export: &Export<'_>) -> Result<Value, RunError> {
    let path = export.base.join("generation_config.json");
    let mut value = if path.is_file() {
        serde_json::from_slice(&read(&path)?).unwrap_or_else(|_| json!({}))
    } else {
        json!({})
    };
    if let Some(object) = value.as_object_mut() {
        object.insert("eos_token_id".into(), json!(export.stop_ids));
        if let Some(bos) = config.bos_token_id {
            object.entry("bos_token_id").or_insert(bos.into());
        }
        if let Some(pad) = config.pad_token_id {
            object.entry("pad_token_id").or_insert(pad.into());
        }
        // Some servers take it for a cap on every request.
        object.remove("max_new_tokens");
        object.remove("max_length");
    }
    Ok(value)
}

/// Writes a checkpoint of step `state.step` into `checkpoints`, checks it and points `latest` at it.
///
/// # Errors
/// A file cannot be written, or what was written does not read back to the same logits. What was there stays.
pub fn write(
    checkpoints: &Path,
    updater: &Updater,
    state: &RunState,
    export: &Export<'_>,
    save_moments: bool,
) -> Result<PathBuf, RunError> {
    let name = format!("step-{:06}", state.step);
    let target = checkpoints.join(&name);
    let mut writer = FolderWriter::new(&target)?;
    let config = &updater.decoder.config;
    let masters =
        ModelWeights::from_ordered(config, updater.masters.iter().map(Tensor::shallow_clone).collect());
    write_model(&mut writer, config, &masters, export)?;
    let entries = optimizer_tensors(updater, export.kind, save_moments);
    if !entries.is_empty() {
        save_tensors(
            &entries,
            None,
            OPTIMIZER,
            u64::MAX,
            &mut |FileBytes { name, bytes }| -> Result<(), RunError> {
                writer.write(&name, &bytes).map_err(RunError::from)
            },
        )?;
    }
    let text = serde_json::to_value(state).unwrap_or(Value::Null);
    writer.write(STATE, &pretty(&text))?;
    check_reload(writer.path(), &target, config, &masters, export.kind)?;
    writer.commit()?;
    atomic::point_latest(checkpoints, &name)?;
    Ok(target)
}

/// The optimizer's tensors by name: moments, and the f32 masters where the saved weights are not exactly those.
fn optimizer_tensors(updater: &Updater, kind: Kind, save_moments: bool) -> Vec<(String, &Tensor)> {
    let mut groups: Vec<(&str, &[Tensor])> = Vec::new();
    if save_moments {
        groups.push(("exp_avg", &updater.adam.exp_avg));
        groups.push(("exp_avg_sq", &updater.adam.exp_avg_sq));
    }
    if kind != Kind::Float {
        groups.push(("master", &updater.masters));
    }
    let specs = weights::specs(&updater.decoder.config);
    groups
        .into_iter()
        .flat_map(|(prefix, tensors)| {
            specs.iter().zip(tensors).map(move |(spec, tensor)| (format!("{prefix}.{}", spec.name), tensor))
        })
        .collect()
}

/// The logits of a short sequence must be those of the weights in memory, rounded to the saved kind. `folder` is read,
/// `target` is what errors call it.
///
/// # Errors
/// The folder does not load, or gives other logits.
pub(crate) fn check_reload(
    folder: &Path,
    target: &Path,
    config: &DecoderConfig,
    masters: &ModelWeights,
    kind: Kind,
) -> Result<(), RunError> {
    let loaded = load_folder(folder, Device::Cpu, Some(Kind::Float))?;
    let rounded = masters.to(config, Device::Cpu, kind).to(config, Device::Cpu, Kind::Float);
    let ids: Vec<TokenId> = (0..16u32).map(|i| (i * 37 + 5) % config.vocab_size as u32).collect();
    let logits = |config: DecoderConfig, weights: ModelWeights| -> Result<Vec<f32>, RunError> {
        let decoder = Decoder::new(config, weights);
        Ok(score(&decoder, &[&ids], 1.0, 64)?.concat())
    };
    let saved = logits(config.clone(), rounded)?;
    let read_back = logits(loaded.config, loaded.weights)?;
    let difference = saved.iter().zip(&read_back).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max);
    let same_length = saved.len() == read_back.len();
    if !same_length || difference.is_nan() || difference > 1e-5 {
        return Err(RunError::Reload { path: target.to_path_buf(), difference });
    }
    Ok(())
}

/// The state of a checkpoint.
///
/// # Errors
/// state.json is missing or damaged.
pub fn read_state(folder: &Path) -> Result<RunState, RunError> {
    let path = folder.join(STATE);
    let bad = |problem: String| RunError::Folder { path: path.clone(), problem, next: remove(folder) };
    let text = fs::read_to_string(&path).map_err(|error| bad(format!("cannot be read: {error}")))?;
    serde_json::from_str(&text).map_err(|error| bad(format!("is not a checkpoint's state: {error}")))
}

/// Puts a checkpoint's weights and optimizer into `updater`: one that was written with these `kind` and `save_moments`
/// has to have what [`write()`] puts there, or training would silently go on from rounded weights or without momentum.
///
/// # Errors
/// A file is missing, damaged, or of another model.
pub fn restore(
    folder: &Path,
    updater: &mut Updater,
    state: &RunState,
    kind: Kind,
    save_moments: bool,
) -> Result<(), RunError> {
    let optimizer = OptimizerFile::open(folder, &updater.decoder.config)?;
    let masters = if kind == Kind::Float {
        let loaded = load_folder(folder, Device::Cpu, Some(Kind::Float))
            .map_err(|error| damaged_model(folder, error))?;
        loaded.weights.ordered().into_iter().map(Tensor::shallow_clone).collect()
    } else {
        optimizer.require("master")?
    };
    updater.set_weights(&masters);
    updater.adam.reset();
    if save_moments {
        let (first, second) = (optimizer.require("exp_avg")?, optimizer.require("exp_avg_sq")?);
        tch::no_grad(|| {
            for (target, source) in updater.adam.exp_avg.iter_mut().zip(&first) {
                target.copy_(source);
            }
            for (target, source) in updater.adam.exp_avg_sq.iter_mut().zip(&second) {
                target.copy_(source);
            }
        });
    }
    updater.adam.step = state.adam_step;
    updater.version = state.update_step;
    updater.skipped = state.skipped;
    Ok(())
}

/// The f32 weights that a checkpoint's rounded ones were made from, where it has them.
///
/// # Errors
/// The optimizer's file is damaged, or of another model.
pub(crate) fn masters(folder: &Path, config: &DecoderConfig) -> Result<Option<ModelWeights>, RunError> {
    let masters = OptimizerFile::open(folder, config)?.find("master")?;
    Ok(masters.map(|masters| ModelWeights::from_ordered(config, masters)))
}

/// The optimizer's file of a checkpoint; without one there is nothing in it.
struct OptimizerFile {
    path: PathBuf,
    bytes: Option<Vec<u8>>,
    specs: Vec<WeightSpec>,
}

impl OptimizerFile {
    fn open(folder: &Path, config: &DecoderConfig) -> Result<Self, RunError> {
        let path = folder.join(format!("{OPTIMIZER}.safetensors"));
        let bytes = if path.is_file() { Some(read(&path)?) } else { None };
        Ok(Self { path, bytes, specs: weights::specs(config) })
    }

    /// The tensors of one group, in canonical order.
    fn require(&self, prefix: &str) -> Result<Vec<Tensor>, RunError> {
        self.find(prefix)?.ok_or_else(|| {
            let reason = match self.bytes {
                Some(_) => format!("expected tensors {prefix}.*, found none"),
                None => "the file is missing".to_owned(),
            };
            damaged(&self.path, &reason)
        })
    }

    /// The tensors of one group, in canonical order, if the file has the group.
    fn find(&self, prefix: &str) -> Result<Option<Vec<Tensor>>, RunError> {
        let Some(bytes) = &self.bytes else { return Ok(None) };
        let bad = |reason: String| damaged(&self.path, &reason);
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| bad(error.to_string()))?;
        if tensors.tensor(&format!("{prefix}.{}", self.specs[0].name)).is_err() {
            return Ok(None);
        }
        let all = self.specs.iter().map(|spec| {
            let name = format!("{prefix}.{}", spec.name);
            let view = tensors.tensor(&name).map_err(|error| bad(error.to_string()))?;
            let found: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
            if found != spec.shape || view.dtype() != safetensors::Dtype::F32 {
                let dtype = view.dtype();
                return Err(bad(format!(
                    "{name} has shape {found:?} of {dtype:?}, expected {:?} of F32",
                    spec.shape
                )));
            }
            Ok(Tensor::from_data_size(view.data(), &found, Kind::Float))
        });
        all.collect::<Result<Vec<_>, _>>().map(Some)
    }
}

fn damaged(path: &Path, reason: &str) -> RunError {
    RunError::Folder {
        path: path.to_path_buf(),
        problem: format!("is damaged: {reason}"),
        next: remove(path.parent().unwrap_or(path)),
    }
}

/// What to do about a damaged checkpoint.
fn remove(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "remove this checkpoint folder ({folder}): the run then goes on from the one before it, or from its beginning"
    )
}

/// The weights of a checkpoint do not load. What to do is not what a downloaded model's error says.
fn damaged_model(folder: &Path, error: LoadError) -> RunError {
    match error {
        // The machine's fault, not the folder's.
        LoadError::Torch(_) => error.into(),
        LoadError::Corrupt { path, reason, bytes } => damaged(
            &path,
            &format!("it is not a whole safetensors file: {reason} (its size is {bytes} bytes)"),
        ),
        LoadError::Missing { what, expected, .. } => {
            damaged(&folder.join(expected), &format!("{what} is missing"))
        }
        other => damaged(&folder.join("model.safetensors"), &other.to_string()),
    }
}

/// Removes the checkpoints that need not stay. Those stay: the newest `keep` of the ones that are `scheduled` (all of
/// them if it is 0), the one of step `best`, and the newest. So a checkpoint for another reason (a request to stop, an
/// evaluation that was the best) goes when a later one is there, and what is left depends on the steps alone.
///
/// # Errors
/// A folder cannot be removed.
pub fn retain(
    checkpoints: &Path,
    scheduled: &dyn Fn(u64) -> bool,
    keep: usize,
    best: Option<u64>,
) -> Result<(), RunError> {
    let all = super::folder::checkpoint_steps(checkpoints);
    let due: Vec<u64> = all.iter().map(|(step, _)| *step).filter(|step| scheduled(*step)).collect();
    let num_old = if keep == 0 { 0 } else { due.len().saturating_sub(keep) };
    let newest = all.last().map(|(step, _)| *step);
    for (step, path) in &all {
        let stays = due[num_old..].contains(step) || best == Some(*step) || newest == Some(*step);
        if !stays {
            atomic::remove_folder(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
