//! The ids that end a response: the union of what generation_config.json, config.json and the tokenizer name.
//!
//! Each of the three is wrong alone for some well-known model, so they are taken together, and each id remembers who
//! named it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde_json::Value;

use super::TextError;
use super::codec::Codec;
use super::folder::JsonFile;
use super::special::SpecialTokens;

/// The ids that end a response, ascending, with the keys that name each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StopIds {
    by_id: BTreeMap<u32, Named>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Named {
    /// The token's text, where the tokenizer has it.
    token: Option<String>,
    /// File and key, in the order in which they were read.
    sources: Vec<String>,
}

impl StopIds {
    pub(super) fn load(folder: &Path, special: &SpecialTokens, codec: &Codec) -> Result<Self, TextError> {
        let mut stops = Self::default();
        let generation = JsonFile::read(folder, "generation_config.json")?;
        let config = JsonFile::read(folder, "config.json")?;
        stops.add_all(&generation, "eos_token_id", generation.object.get("eos_token_id"), codec)?;
        stops.add_all(&config, "eos_token_id", config.object.get("eos_token_id"), codec)?;
        if let Some(Value::Object(text)) = config.object.get("text_config") {
            stops.add_all(&config, "text_config.eos_token_id", text.get("eos_token_id"), codec)?;
        }
        if let Some(eos) = &special.eos {
            stops.add(eos.id, eos.source.clone(), codec);
        }
        Ok(stops)
    }

    fn add_all(
        &mut self,
        file: &JsonFile,
        key: &str,
        value: Option<&Value>,
        codec: &Codec,
    ) -> Result<(), TextError> {
        let ids = match value {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Array(ids)) => ids.as_slice(),
            Some(id) => std::slice::from_ref(id),
        };
        for id in ids {
            let Some(id) = id.as_u64().and_then(|id| u32::try_from(id).ok()) else {
                return Err(file.field_error(key, "a token id or a list of token ids", id));
            };
            self.add(id, format!("{} {key}", file.name()), codec);
        }
        Ok(())
    }

    fn add(&mut self, id: u32, source: String, codec: &Codec) {
        let named = self.by_id.entry(id).or_default();
        named.token = codec.token(id);
        named.sources.push(source);
    }

    /// Whether this id ends a response.
    #[must_use]
    pub fn contains(&self, id: u32) -> bool {
        self.by_id.contains_key(&id)
    }

    /// The ids, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.by_id.keys().copied()
    }

    /// The ids, ascending.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u32> {
        self.iter().collect()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether nothing but the token limit and stop strings ends a response.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The files and keys that name this id, such as `generation_config.json eos_token_id`.
    #[must_use]
    pub fn sources(&self, id: u32) -> &[String] {
        self.by_id.get(&id).map_or(&[], |named| named.sources.as_slice())
    }
}

impl fmt::Display for StopIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        for (index, (id, named)) in self.by_id.iter().enumerate() {
            let token = named.token.as_ref().map_or_else(|| "not in the tokenizer".into(), |t| format!("{t:?}"));
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{id} ({token}; {})", named.sources.join(", "))?;
        }
        Ok(())
    }
}
