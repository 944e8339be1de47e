//! What can be wrong with a GGUF file, each case naming what was expected, what was found and where.

use std::path::PathBuf;

/// Why a GGUF file could not be imported. Nothing is left behind at the output path when one is returned.
#[derive(Debug, thiserror::Error)]
pub enum GgufError {
    /// A file or folder could not be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The verb: `read`, `create`, `write`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The output folder exists and holds something.
    #[error(
        "{} is not empty; the import writes a whole model folder: name one that does not exist yet, or an empty one",
        .0.display()
    )]
    OutputNotEmpty(PathBuf),
    /// The first four bytes are not `GGUF`.
    #[error("not a GGUF file: expected it to begin with the bytes \"GGUF\", found {0:?}")]
    Magic([u8; 4]),
    /// The version's bytes are in the other order.
    #[error(
        "a big-endian GGUF file (its version field reads {0:#010x}); only little-endian files are read: convert it with gguf-convert-endian"
    )]
    BigEndian(u32),
    /// A version that is not read.
    #[error("GGUF version {0}; versions 2 and 3 are read: make the file again with a current converter")]
    Version(u32),
    /// The file ends too early.
    #[error(
        "the file ends too early: {what} at byte {offset} needs {needed} bytes, {available} are left; it is truncated or corrupt"
    )]
    Truncated {
        /// What was being read.
        what: String,
        /// Where in the file, in bytes from its beginning.
        offset: usize,
        /// Bytes needed.
        needed: u64,
        /// Bytes there.
        available: u64,
    },
    /// A field holds what the format does not allow.
    #[error("corrupt GGUF file: {what} at byte {offset}: expected {expected}, found {found}")]
    Corrupt {
        /// What was being read.
        what: String,
        /// Where in the file, in bytes from its beginning.
        offset: usize,
        /// What the format allows.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A metadata key that the import needs is not there.
    #[error("the metadata has no key `{key}`; expected {expected}")]
    MissingKey {
        /// The key.
        key: String,
        /// What it should hold.
        expected: String,
    },
    /// A metadata key holds the wrong thing.
    #[error("metadata key `{key}`: expected {expected}, found {found}")]
    BadKey {
        /// The key.
        key: String,
        /// What it should hold.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// An architecture that is not imported.
    #[error(
        "architecture `{0}` cannot be imported; supported are llama (also Mistral), qwen2, qwen3 and gemma3"
    )]
    Architecture(String),
    /// A tensor in a type that is not dequantised.
    #[error("tensor `{tensor}` is stored as {found}, which cannot be imported; supported are {supported}")]
    TensorType {
        /// The tensor's name in the file.
        tensor: String,
        /// The type's name, or its number where it has none here.
        found: String,
        /// The types that are dequantised.
        supported: String,
    },
    /// A tensor that the architecture needs is not there.
    #[error("tensor `{tensor}` is missing; expected it with shape {shape:?}")]
    MissingTensor {
        /// The tensor's name in the file.
        tensor: String,
        /// Its shape, outermost dimension first.
        shape: Vec<usize>,
    },
    /// A tensor that the architecture does not have.
    #[error(
        "tensor `{tensor}` does not belong to a {architecture} model; the import would change what the model computes"
    )]
    UnexpectedTensor {
        /// The tensor's name in the file.
        tensor: String,
        /// The file's architecture.
        architecture: String,
    },
    /// A tensor whose shape does not follow from the metadata.
    #[error("tensor `{tensor}`: the metadata makes its shape {expected:?}, the file has {found:?}")]
    TensorShape {
        /// The tensor's name in the file.
        tensor: String,
        /// The shape that the metadata asks for, outermost dimension first.
        expected: Vec<usize>,
        /// The shape in the file, outermost dimension first.
        found: Vec<usize>,
    },
    /// A weight that is NaN or infinite, in the file or after conversion.
    #[error("tensor `{tensor}` has values that are not finite as {dtype}; {hint}")]
    NotFinite {
        /// The tensor's name in the output.
        tensor: String,
        /// The output type.
        dtype: String,
        /// What to do.
        hint: &'static str,
    },
    /// Something that the output's format, or this import, has no way to say.
    #[error("{what} is not supported: {why}")]
    Unsupported {
        /// The key, tensor or feature.
        what: String,
        /// Why not, and what would work.
        why: String,
    },
    /// The tokenizer's parts contradict each other.
    #[error("the file's tokenizer cannot be rebuilt: {0}")]
    Tokenizer(String),
    /// The weights could not be written.
    #[error("cannot write {}: {message}", path.display())]
    Weights {
        /// The safetensors file.
        path: PathBuf,
        /// The reason.
        message: String,
    },
}

impl GgufError {
    /// Makes an [`GgufError::Io`] out of an I/O error; for `map_err`.
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}
