//! Turns planned tensors into safetensors files: one tensor in memory at a time, dequantised row by row in parallel.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use half::{bf16, f16};
use rayon::prelude::*;
use safetensors::tensor::{Dtype, View, serialize_to_file};
use serde_json::{Map, Value as Json, json};

use super::OutDtype;
use super::container::{Container, Tensor};
use super::error::GgufError;
use super::folder::StagedFolder;
use super::ggml::GgmlType;
use super::layout::{PlannedTensor, Transform, source_row};

/// What writing the weights came to.
#[derive(Debug)]
pub(super) struct Written {
    /// Bytes of tensor data.
    pub(super) num_bytes: u64,
    /// Names of tensors that were not quantised in the file and whose values the output type had to round.
    pub(super) rounded: Vec<String>,
}

/// The output type for a file, where the user names none: that of its matrices if they agree, and f32 for everything
/// else. Dequantised values are a scale times an integer, plus a minimum, of 16 significant bits and more; bf16 keeps
/// 8, so anything below f32 would make other weights than those that llama.cpp computes with.
pub(super) fn default_dtype(file: &Container<'_>) -> OutDtype {
    let mut kinds = file.tensors.iter().filter(|tensor| tensor.shape.len() > 1).map(|tensor| tensor.kind);
    let first = kinds.next().unwrap_or(GgmlType::F32);
    match first {
        GgmlType::F16 if kinds.all(|kind| kind == first) => OutDtype::F16,
        GgmlType::Bf16 if kinds.all(|kind| kind == first) => OutDtype::Bf16,
        _ => OutDtype::F32,
    }
}

/// Writes `model.safetensors`, or shards of at most `shard_bytes` (a larger tensor has one of its own) and their index.
pub(super) fn write(
    folder: &StagedFolder,
    file: &Container<'_>,
    plan: &[PlannedTensor],
    dtype: OutDtype,
    shard_bytes: u64,
) -> Result<Written, GgufError> {
    let views: Vec<LazyTensor<'_>> = plan
        .iter()
        .filter_map(|planned| Some(LazyTensor::new(planned, file.tensors.get(planned.source)?, dtype)))
        .collect();
    let shards = shards(&views, shard_bytes);
    let mut weight_map = Map::new();
    for (index, shard) in shards.iter().enumerate() {
        let name = match shards.len() {
            1 => "model.safetensors".to_owned(),
            count => format!("model-{:05}-of-{count:05}.safetensors", index + 1),
        };
        write_shard(&folder.path().join(&name), shard)?;
        folder.settle(&name)?;
        weight_map.extend(shard.iter().map(|view| (view.planned.name.clone(), json!(name))));
    }
    let num_bytes = views.iter().map(|view| view.data_len() as u64).sum();
    if shards.len() > 1 {
        let index = json!({"metadata": {"total_size": num_bytes}, "weight_map": Json::Object(weight_map)});
        folder.write_json("model.safetensors.index.json", &index)?;
    }
    let rounded = views.iter().filter(|view| view.rounded.load(Ordering::Relaxed));
    Ok(Written { num_bytes, rounded: rounded.map(|view| view.source.name.to_owned()).collect() })
}

/// Cuts the tensors, in order, into runs of at most `limit` bytes.
fn shards<'v, 'a>(views: &'v [LazyTensor<'a>], limit: u64) -> Vec<&'v [LazyTensor<'a>]> {
    let mut shards = Vec::new();
    let (mut begin, mut size) = (0, 0u64);
    for (index, view) in views.iter().enumerate() {
        let bytes = view.data_len() as u64;
        if index > begin && size + bytes > limit {
            shards.extend(views.get(begin..index));
            (begin, size) = (index, 0);
        }
        size += bytes;
    }
    shards.extend(views.get(begin..));
    shards
}

fn write_shard(path: &Path, shard: &[LazyTensor<'_>]) -> Result<(), GgufError> {
    let header = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let tensors = shard.iter().map(|view| (view.planned.name.as_str(), view));
    serialize_to_file(tensors, Some(header), path)
        .map_err(|error| GgufError::Weights { path: path.to_owned(), message: error.to_string() })?;
    match shard.iter().find(|view| view.not_finite.load(Ordering::Relaxed)) {
        None => Ok(()),
        Some(view) => Err(GgufError::NotFinite {
            tensor: view.planned.name.clone(),
            dtype: view.dtype.to_string(),
            hint: match view.dtype {
                OutDtype::F16 => "the file is corrupt, or they are beyond f16's range: try bf16 or f32",
                OutDtype::Bf16 | OutDtype::F32 => "the file is corrupt",
            },
        }),
    }
}

/// A tensor that is converted when the writer asks for its bytes.
struct LazyTensor<'a> {
    planned: &'a PlannedTensor,
    source: &'a Tensor<'a>,
    dtype: OutDtype,
    /// Set by the conversion: an unquantised value changed.
    rounded: AtomicBool,
    /// Set by the conversion: a value came out as NaN or infinite.
    not_finite: AtomicBool,
}

impl<'a> LazyTensor<'a> {
    fn new(planned: &'a PlannedTensor, source: &'a Tensor<'a>, dtype: OutDtype) -> Self {
        Self { planned, source, dtype, rounded: AtomicBool::new(false), not_finite: AtomicBool::new(false) }
    }

    /// Converts one row of the output.
    fn convert_row(&self, row: usize, values: &mut [f32], out: &mut [u8]) {
        let (block_len, block_bytes) = self.source.kind.block();
        let row_bytes = values.len() / block_len * block_bytes;
        let begin = self.source_row(row) * row_bytes;
        // In range: the container checked that the data holds every row of the shape.
        let blocks = self.source.data.get(begin..begin + row_bytes).unwrap_or_default();
        self.source.kind.dequantise(blocks, values);
        if self.planned.transform == Transform::SubtractOne {
            values.iter_mut().for_each(|value| *value -= 1.0);
        }
        let (exact, finite) = self.dtype.encode(values, out);
        if !exact && !self.source.kind.is_quantised() {
            self.rounded.store(true, Ordering::Relaxed);
        }
        if !finite {
            self.not_finite.store(true, Ordering::Relaxed);
        }
    }

    fn source_row(&self, row: usize) -> usize {
        source_row(self.planned.transform, row)
    }

    /// Rows to convert and values in each. A vector whose entries move is a column of rows of one value.
    fn rows(&self) -> (usize, usize) {
        let num_values: usize = self.planned.shape.iter().product();
        let row_len = match (self.planned.transform, self.planned.shape.len()) {
            (Transform::Deinterleave { .. }, 1) => 1,
            _ => self.source.row_len(),
        };
        (num_values / row_len, row_len)
    }
}

impl View for &LazyTensor<'_> {
    fn dtype(&self) -> Dtype {
        match self.dtype {
            OutDtype::F32 => Dtype::F32,
            OutDtype::F16 => Dtype::F16,
            OutDtype::Bf16 => Dtype::BF16,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.planned.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let mut out = vec![0u8; self.data_len()];
        let (_, row_len) = self.rows();
        let buffer = || vec![0f32; row_len];
        out.par_chunks_exact_mut(row_len * self.dtype.size())
            .enumerate()
            .for_each_init(buffer, |values, (row, out)| self.convert_row(row, values, out));
        Cow::Owned(out)
    }

    fn data_len(&self) -> usize {
        self.planned.shape.iter().product::<usize>() * self.dtype.size()
    }
}

impl OutDtype {
    /// Bytes of one value.
    fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Writes values in this type, little-endian, rounding to nearest even; says whether all came through unchanged and
    /// whether all are finite.
    fn encode(self, values: &[f32], out: &mut [u8]) -> (bool, bool) {
        match self {
            Self::F32 => encode(values, out, f32::to_le_bytes, f32::from_le_bytes),
            Self::F16 => encode(
                values,
                out,
                |value| f16::from_f32(value).to_le_bytes(),
                |bytes| f16::from_le_bytes(bytes).to_f32(),
            ),
            Self::Bf16 => encode(
                values,
                out,
                |value| bf16::from_f32(value).to_le_bytes(),
                |bytes| bf16::from_le_bytes(bytes).to_f32(),
            ),
        }
    }
}

fn encode<const N: usize>(
    values: &[f32],
    out: &mut [u8],
    to_bytes: impl Fn(f32) -> [u8; N],
    from_bytes: impl Fn([u8; N]) -> f32,
) -> (bool, bool) {
    let (mut exact, mut finite) = (true, true);
    for (&value, slot) in values.iter().zip(out.as_chunks_mut::<N>().0) {
        *slot = to_bytes(value);
        let kept = from_bytes(*slot);
        exact &= kept == value;
        finite &= kept.is_finite();
    }
    (exact, finite)
}
