//! Typed reading of one JSON object of a config.json, remembering which keys were read.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::ConfigError;

/// One object of the file: the file itself, its `text_config`, or a rope dictionary.
pub(super) struct Section<'a> {
    file: &'a str,
    prefix: String,
    map: &'a Map<String, Value>,
    read: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Section<'a> {
    /// `prefix` is put before key names in errors: empty, or `text_config.` for instance.
    pub(super) fn new(file: &'a str, prefix: String, value: &'a Value) -> Result<Self, ConfigError> {
        let map = value.as_object().ok_or_else(|| ConfigError::BadValue {
            file: file.into(),
            key: if prefix.is_empty() {
                "(the whole file)".into()
            } else {
                prefix.trim_end_matches('.').into()
            },
            expected: "a JSON object".into(),
            found: Box::new(value.clone()),
        })?;
        Ok(Self { file, prefix, map, read: RefCell::default() })
    }

    /// The section under `key`, or None where it is absent or null.
    pub(super) fn section(&self, key: &'static str) -> Result<Option<Section<'a>>, ConfigError> {
        self.get(key).map(|value| Section::new(self.file, format!("{}.", self.name(key)), value)).transpose()
    }

    /// The value, where the key is present and not null.
    pub(super) fn get(&self, key: &'static str) -> Option<&'a Value> {
        self.read.borrow_mut().insert(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// Whether the key is there, be it null.
    pub(super) fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// The file's name, as errors give it.
    pub(super) fn file(&self) -> &'a str {
        self.file
    }

    /// The key with its section, as errors name it.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The keys of the object that nothing has read.
    pub(super) fn unread(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let read = self.read.borrow().clone();
        self.map.iter().map(|(key, value)| (key.as_str(), value)).filter(move |(key, _)| !read.contains(key))
    }

    /// A whole number of at least 1. Null is an error; `default` is for an absent key, None makes it required.
    pub(super) fn count(&self, key: &'static str, default: Option<usize>) -> Result<usize, ConfigError> {
        match (self.get(key), default) {
            (Some(value), _) => self.as_count(key, value),
            (None, Some(default)) if !self.has(key) => Ok(default),
            (None, _) => Err(self.absent(key, "a whole number of at least 1")),
        }
    }

    /// A whole number of at least 1, or None for null; `absent` is for an absent key.
    pub(super) fn nullable_count(
        &self,
        key: &'static str,
        absent: Option<usize>,
    ) -> Result<Option<usize>, ConfigError> {
        match self.get(key) {
            Some(value) => self.as_count(key, value).map(Some),
            None if self.has(key) => Ok(None),
            None => Ok(absent),
        }
    }

    /// A finite number above 0. Null counts as absent; None makes it required.
    pub(super) fn positive(&self, key: &'static str, default: Option<f64>) -> Result<f64, ConfigError> {
        match self.nullable_positive(key)?.or(default) {
            Some(value) => Ok(value),
            None => Err(self.absent(key, "a number above 0")),
        }
    }

    /// A finite number above 0, or None where the key is absent or null.
    pub(super) fn nullable_positive(&self, key: &'static str) -> Result<Option<f64>, ConfigError> {
        let check = |value: &'a Value| {
            let number = value.as_f64().filter(|n| n.is_finite() && *n > 0.0);
            number.ok_or_else(|| self.bad(key, value, "a finite number above 0"))
        };
        self.get(key).map(check).transpose()
    }

    /// A finite number, or None where the key is absent or null.
    pub(super) fn nullable_number(&self, key: &'static str) -> Result<Option<f64>, ConfigError> {
        let check = |value: &'a Value| {
            let number = value.as_f64().filter(|n| n.is_finite());
            number.ok_or_else(|| self.bad(key, value, "a finite number"))
        };
        self.get(key).map(check).transpose()
    }

    /// A boolean; null and absent are the default.
    pub(super) fn flag(&self, key: &'static str, default: bool) -> Result<bool, ConfigError> {
        let check = |value: &'a Value| value.as_bool().ok_or_else(|| self.bad(key, value, "true or false"));
        self.get(key).map_or(Ok(default), check)
    }

    /// A string, where the key is present and not null.
    pub(super) fn text(&self, key: &'static str) -> Result<Option<&'a str>, ConfigError> {
        let check = |value: &'a Value| value.as_str().ok_or_else(|| self.bad(key, value, "a string"));
        self.get(key).map(check).transpose()
    }

    /// A list of strings, where the key is present and not null.
    pub(super) fn texts(&self, key: &'static str) -> Result<Option<Vec<&'a str>>, ConfigError> {
        let check = |value: &'a Value| {
            let list = value.as_array().and_then(|list| list.iter().map(Value::as_str).collect());
            list.ok_or_else(|| self.bad(key, value, "a list of strings"))
        };
        self.get(key).map(check).transpose()
    }

    /// Token ids: a number, a list, or null for none. Negative numbers, which old files write for "none", are dropped.
    pub(super) fn token_ids(&self, key: &'static str, absent: &[u32]) -> Result<Vec<u32>, ConfigError> {
        let Some(value) = self.get(key) else {
            return Ok(if self.has(key) { Vec::new() } else { absent.to_vec() });
        };
        let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        let mut ids = Vec::with_capacity(list.len());
        for id in list {
            match id.as_i64() {
                Some(n) if n < 0 => {}
                Some(n) if u32::try_from(n).is_ok() => ids.push(n as u32),
                _ => return Err(self.bad(key, value, "a token id or a list of token ids")),
            }
        }
        Ok(ids)
    }

    /// The error for a key whose value is of the wrong type or range.
    pub(super) fn bad(&self, key: &str, value: &Value, expected: &str) -> ConfigError {
        ConfigError::BadValue {
            file: self.file.into(),
            key: self.name(key),
            expected: expected.into(),
            found: Box::new(value.clone()),
        }
    }

    /// The error for a key that asks for what is not supported.
    pub(super) fn unsupported(&self, key: &str, value: &Value, supported: &str) -> ConfigError {
        ConfigError::Unsupported {
            file: self.file.into(),
            key: self.name(key),
            found: Box::new(value.clone()),
            supported: supported.into(),
        }
    }

    /// The error for keys that contradict each other.
    pub(super) fn inconsistent(&self, what: String) -> ConfigError {
        ConfigError::Inconsistent { file: self.file.into(), what }
    }

    fn absent(&self, key: &str, expected: &'static str) -> ConfigError {
        match self.map.get(key) {
            Some(null) => self.bad(key, null, expected),
            None => ConfigError::Missing { file: self.file.into(), key: self.name(key), expected },
        }
    }

    fn as_count(&self, key: &str, value: &Value) -> Result<usize, ConfigError> {
        let number = value.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
        number.ok_or_else(|| self.bad(key, value, "a whole number of at least 1"))
    }
}
