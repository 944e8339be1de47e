//! Imports a GGUF file as a Hugging Face model folder: weights dequantised, config, tokenizer and chat template rebuilt
//! from the metadata.
//!
//! GGUF is what llama.cpp runs, and for many models the only form at hand. A file holds key-value metadata and a table
//! of tensors, most of them quantised. What converters change on the way into GGUF is undone here: names, the order of
//! dimensions, the interleaved rows of Llama's query and key projections, Gemma's norms.
//!
//! From the outside in: [`import`] runs `container` (bytes to tables), `shape` and `rope` (metadata to sizes),
//! `layout` (which tensor becomes which), `vocab`, `merges`, `pretokenizer` and `tokenizer` (the tokenizer's
//! files), `config`, `weights` (with `ggml` and `kquants`, the storage types) and `folder` (one rename at the end).
//!
//! The file is not trusted: every length is checked before it is used, nothing panics, and what is not understood but
//! would change what the model computes is refused by name.

mod config;
mod container;
mod error;
mod folder;
mod ggml;
mod kquants;
mod layout;
mod merges;
mod metadata;
mod pretokenizer;
mod rope;
mod shape;
#[cfg(test)]
mod tests;
mod tokenizer;
mod vocab;
mod weights;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

pub use error::GgufError;

use container::Container;
use folder::StagedFolder;
use shape::ModelShape;
use vocab::Vocab;

/// Shards are cut at this many bytes.
const SHARD_BYTES: u64 = 5_000_000_000;

/// The type of the written weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OutDtype {
    /// 32-bit.
    F32,
    /// 16-bit IEEE.
    F16,
    /// 16-bit with f32's range.
    Bf16,
}

impl OutDtype {
    /// The name in a config's `dtype`.
    fn torch_name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
        }
    }
}

impl std::fmt::Display for OutDtype {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        })
    }
}

impl std::str::FromStr for OutDtype {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            "bf16" => Ok(Self::Bf16),
            other => Err(format!("expected f32, f16 or bf16, found {other:?}")),
        }
    }
}

/// What an import did.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ImportReport {
    /// The architecture in the file, for instance `llama`.
    pub architecture: String,
    /// `model_type` in the written config, for instance `mistral`.
    pub model_type: String,
    /// The type of the written weights.
    pub dtype: OutDtype,
    /// Tensors written.
    pub num_tensors: usize,
    /// Bytes of tensor data written.
    pub num_bytes: u64,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// How many of the file's tensors were stored in each ggml type.
    pub tensor_types: BTreeMap<&'static str, usize>,
    /// The ids that end a response, as in the written generation config.
    pub eos_token_ids: Vec<u32>,
    /// What could not be carried over exactly, a sentence each.
    pub warnings: Vec<String>,
}

/// Writes the model in `file` as a Hugging Face folder at `out`, which must not exist or be empty.
///
/// Without `dtype`, matrices of one 16-bit type keep it; everything else, quantised files above all, is written as f32:
/// dequantised values have more significant bits than a 16-bit type holds. The folder appears whole, by one rename, or
/// not at all.
///
/// # Errors
/// A file that is no complete little-endian GGUF of version 2 or 3, an architecture, storage type, tokenizer or feature
/// that is not supported, tensors that do not fit the metadata, and failing to write: each a [`GgufError`] that says what
/// was expected, what was found and where.
pub fn import(file: &Path, out: &Path, dtype: Option<OutDtype>) -> Result<ImportReport, GgufError> {
    let opened = File::open(file).map_err(GgufError::io("read", file))?;
    // SAFETY: the map is read-only and private to this call. If another process shortens the file meanwhile, reading
    // the lost part ends this process with SIGBUS, as with every reader of mapped model files; nothing is corrupted.
    let bytes = unsafe { memmap2::Mmap::map(&opened) }.map_err(GgufError::io("read", file))?;
    import_bytes(&bytes, out, dtype, SHARD_BYTES)
}

/// [`import`] of a file's contents, with the size of shards in bytes.
fn import_bytes(
    bytes: &[u8],
    out: &Path,
    dtype: Option<OutDtype>,
    shard_bytes: u64,
) -> Result<ImportReport, GgufError> {
    let file = Container::parse(bytes)?;
    let mut warnings = Vec::new();
    let shape = ModelShape::read(&file, &mut warnings)?;
    let plan = layout::plan(&file, &shape)?;
    let vocab = Vocab::read(&file.metadata, shape.vocab_size)?;
    let tokenizer = tokenizer::rebuild(&file.metadata, &vocab, shape.context_length, &mut warnings)?;
    let dtype = dtype.unwrap_or_else(|| weights::default_dtype(&file));

    let folder = StagedFolder::create(out)?;
    folder.write_json("config.json", &config::config(&shape, &vocab.ids, dtype))?;
    folder.write_json("generation_config.json", &config::generation_config(&vocab.ids))?;
    folder.write_json("tokenizer.json", &tokenizer.tokenizer)?;
    folder.write_json("tokenizer_config.json", &tokenizer.config)?;
    folder.write_json("special_tokens_map.json", &tokenizer.special_tokens_map)?;
    if let Some(template) = &tokenizer.chat_template {
        folder.write_text("chat_template.jinja", template)?;
    }
    let written = weights::write(&folder, &file, &plan, dtype, shard_bytes)?;
    folder.commit()?;

    if let Some(first) = written.rounded.first() {
        let count = written.rounded.len();
        warnings.push(format!(
            "values of {count} unquantised tensors (the first is `{first}`) were rounded to {dtype}; give f32 to keep them"
        ));
    }
    let mut tensor_types = BTreeMap::new();
    for tensor in &file.tensors {
        *tensor_types.entry(tensor.kind.name()).or_insert(0) += 1;
    }
    Ok(ImportReport {
        architecture: shape.family.name().to_owned(),
        model_type: config::model_type(&shape).0.to_owned(),
        dtype,
        num_tensors: plan.len(),
        num_bytes: written.num_bytes,
        vocab_size: shape.vocab_size,
        tensor_types,
        eos_token_ids: vocab.ids.stop,
        warnings,
    })
}
