//! What can be wrong with a config.json, and how the user is told.

use std::path::PathBuf;

use serde_json::Value;

/// Why a `config.json` was refused. Every variant names the file and the key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{}: cannot be read: {reason}; a model folder holds a config.json in Hugging Face form", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// The file is not JSON.
    #[error("{file}: not valid JSON: {reason}")]
    Json {
        /// The file.
        file: String,
        /// Where and why.
        reason: serde_json::Error,
    },
    /// The architecture is none of ours.
    #[error("{file}: `{key}` is {found}; supported are {supported}")]
    UnknownArchitecture {
        /// The file.
        file: String,
        /// `model_type` or `architectures`.
        key: String,
        /// What the file says.
        found: String,
        /// What would do.
        supported: String,
    },
    /// A key that cannot be guessed is absent.
    #[error("{file}: key `{key}` is missing: expected {expected}")]
    Missing {
        /// The file.
        file: String,
        /// The key, with its section.
        key: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A key holds something of the wrong type or out of range.
    #[error("{file}: `{key}` is {found}, expected {expected}")]
    BadValue {
        /// The file.
        file: String,
        /// The key, with its section.
        key: String,
        /// What it should hold.
        expected: String,
        /// What it holds.
        found: Box<Value>,
    },
    /// A key asks for a computation that no supported model needs; docs/models.md lists what is not supported.
    #[error(
        "{file}: `{key}` = {found} changes what the model computes and is not supported; supported: {supported}"
    )]
    Unsupported {
        /// The file.
        file: String,
        /// The key, with its section.
        key: String,
        /// What it asks for.
        found: Box<Value>,
        /// What would do.
        supported: String,
    },
    /// Two keys contradict each other.
    #[error("{file}: {what}")]
    Inconsistent {
        /// The file.
        file: String,
        /// Both keys with their values, and what to do.
        what: String,
    },
}
