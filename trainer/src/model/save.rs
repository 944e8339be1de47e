//! Weights to safetensors files under their Hugging Face names: one file, or shards of 5 GB with an index.

use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;
use tch::{Device, Kind, Tensor};

use super::config::DecoderConfig;
use super::weights::{self, ModelWeights};

/// The largest shard, in bytes.
pub const SHARD_BYTES: u64 = 5_000_000_000;

/// A file of a checkpoint, as bytes: who writes it decides how (atomically, synced).
#[derive(Debug)]
pub struct FileBytes {
    /// The file's name within the folder.
    pub name: String,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// Why weights could not be turned into files.
#[derive(Debug, thiserror::Error)]
#[error("cannot write weights as safetensors: {0}")]
pub struct SaveError(String);

/// Hands the files of `weights` in `kind` to `write`, one after another, so that only one shard is in memory.
///
/// # Errors
/// The first error of `write`, or a tensor that safetensors refuses.
pub fn weight_files<E: From<SaveError>>(
    config: &DecoderConfig,
    weights: &ModelWeights,
    kind: Kind,
    write: &mut dyn FnMut(FileBytes) -> Result<(), E>,
) -> Result<(), E> {
    let named: Vec<(String, &Tensor)> =
        weights::specs(config).into_iter().map(|spec| spec.name).zip(weights.ordered()).collect();
    save_tensors(&named, Some(kind), "model", SHARD_BYTES, write)
}

/// Hands named tensors to `write` as `STEM.safetensors`, or as shards with an index where they are more than `shard_bytes`.
///
/// # Errors
/// As [`weight_files`].
pub fn save_tensors<E: From<SaveError>>(
    named: &[(String, &Tensor)],
    kind: Option<Kind>,
    stem: &str,
    shard_bytes: u64,
    write: &mut dyn FnMut(FileBytes) -> Result<(), E>,
) -> Result<(), E> {
    let size = |t: &Tensor| t.numel() as u64 * kind.unwrap_or(t.kind()).elt_size_in_bytes() as u64;
    let total: u64 = named.iter().map(|(_, t)| size(t)).sum();
    let mut shards: Vec<Vec<&(String, &Tensor)>> = vec![Vec::new()];
    let mut filled = 0;
    for entry in named {
        let bytes = size(entry.1);
        if filled > 0 && filled + bytes > shard_bytes {
            shards.push(Vec::new());
            filled = 0;
        }
        filled += bytes;
        if let Some(shard) = shards.last_mut() {
            shard.push(entry);
        }
    }
    let count = shards.len();
    let mut weight_map = BTreeMap::new();
    for (index, shard) in shards.iter().enumerate() {
        let name = if count == 1 {
            format!("{stem}.safetensors")
        } else {
            format!("{stem}-{:05}-of-{count:05}.safetensors", index + 1)
        };
        for (weight, _) in shard {
            weight_map.insert(weight.clone(), name.clone());
        }
        write(FileBytes { name, bytes: serialize(shard, kind)? })?;
    }
    if count > 1 {
        let index = json!({ "metadata": { "total_size": total }, "weight_map": weight_map });
        let bytes = format!("{index:#}\n").into_bytes();
        write(FileBytes { name: format!("{stem}.safetensors.index.json"), bytes })?;
    }
    Ok(())
}

fn serialize(named: &[&(String, &Tensor)], kind: Option<Kind>) -> Result<Vec<u8>, SaveError> {
    let mut raw = Vec::with_capacity(named.len());
    for (name, tensor) in named {
        let tensor =
            tensor.detach().to_device(Device::Cpu).to_kind(kind.unwrap_or(tensor.kind())).contiguous();
        let dtype = match tensor.kind() {
            Kind::Float => Dtype::F32,
            Kind::Half => Dtype::F16,
            Kind::BFloat16 => Dtype::BF16,
            Kind::Int64 => Dtype::I64,
            other => return Err(SaveError(format!("{name} is of kind {other:?}"))),
        };
        let shape: Vec<usize> = tensor.size().iter().map(|&n| n as usize).collect();
        let n = tensor.numel();
        let mut bytes = vec![0u8; n * tensor.kind().elt_size_in_bytes()];
        tensor.copy_data_u8(&mut bytes, n);
        raw.push((name.as_str(), dtype, shape, bytes));
    }
    let mut views = Vec::with_capacity(raw.len());
    for (name, dtype, shape, bytes) in &raw {
        let view = TensorView::new(*dtype, shape.clone(), bytes)
            .map_err(|error| SaveError(format!("{name}: {error}")))?;
        views.push((*name, view));
    }
    let metadata = std::collections::HashMap::from([("format".to_string(), "pt".to_string())]);
    safetensors::serialize(views, Some(metadata)).map_err(|error| SaveError(error.to_string()))
}
