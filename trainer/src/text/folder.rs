//! Reads the optional JSON files of a model's folder, with errors that name the file and the key.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::TextError;

/// A JSON object from a file, or an empty one where the file is missing.
pub(super) struct JsonFile {
    pub(super) path: PathBuf,
    pub(super) object: Map<String, Value>,
}

impl JsonFile {
    /// Reads `name` in `folder`.
    ///
    /// # Errors
    /// When the file is there but unreadable, or holds anything other than a JSON object.
    pub(super) fn read(folder: &Path, name: &str) -> Result<Self, TextError> {
        let path = folder.join(name);
        let Some(text) = read_optional(&path)? else { return Ok(Self { path, object: Map::new() }) };
        match serde_json::from_str(&text) {
            Ok(Value::Object(object)) => Ok(Self { path, object }),
            Ok(other) => Err(TextError::Json { path, found: kind(&other).into() }),
            Err(error) => Err(TextError::Json { path, found: error.to_string() }),
        }
    }

    /// The file's name without its folder, for lists of sources.
    pub(super) fn name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// The error for a key whose value is of the wrong kind.
    pub(super) fn field_error(&self, key: &str, expected: &'static str, found: &Value) -> TextError {
        TextError::Field {
            path: self.path.clone(),
            key: key.into(),
            expected,
            found: format!("{} ({found})", kind(found)),
        }
    }
}

/// A file's text, or nothing where there is no such file.
pub(super) fn read_optional(path: &Path) -> Result<Option<String>, TextError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TextError::Read { path: path.into(), source }),
    }
}

/// What a JSON value is, in words.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
