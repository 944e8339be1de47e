//! The special tokens that tokenizer_config.json and special_tokens_map.json name, by role.

use std::path::Path;

use serde_json::{Map, Value};

use super::TextError;
use super::codec::Codec;
use super::folder::JsonFile;

const ROLES: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// Special tokens by role, and what the template may call them.
pub(super) struct SpecialTokens {
    pub(super) bos: Option<Named>,
    pub(super) eos: Option<Named>,
    pub(super) pad: Option<Named>,
    /// Role to token, as chat templates see them: only those that are set.
    pub(super) variables: Map<String, Value>,
    /// `add_bos_token`, where the configuration decides it.
    pub(super) add_bos: Option<bool>,
}

/// A special token's id and where it was named.
pub(super) struct Named {
    pub(super) id: u32,
    pub(super) source: String,
}

impl SpecialTokens {
    /// Reads both files; tokenizer_config.json wins, special_tokens_map.json fills what it leaves open.
    pub(super) fn load(folder: &Path, config: &JsonFile, codec: &Codec) -> Result<Self, TextError> {
        let map = JsonFile::read(folder, "special_tokens_map.json")?;
        let files = [config, &map];
        let mut variables = Map::new();
        for role in ROLES {
            if let Some((token, _)) = find(&files, role)? {
                variables.insert(role.into(), token.into());
            }
        }
        if let Some(more) = additional(&files)? {
            variables.insert("additional_special_tokens".into(), more);
        }
        if let Some(Value::Object(extra)) = config.object.get("extra_special_tokens") {
            for name in extra.keys() {
                if let Some(token) = token_text(config, &format!("extra_special_tokens.{name}"), &extra[name])? {
                    variables.insert(name.clone(), token.into());
                }
            }
        }
        let add_bos = match config.object.get("add_bos_token") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(add)) => Some(*add),
            Some(other) => return Err(config.field_error("add_bos_token", "true or false", other)),
        };
        Ok(Self {
            bos: named(&files, "bos_token", codec)?,
            eos: named(&files, "eos_token", codec)?,
            // Nothing here pads by id, so a padding token outside the vocabulary does no harm.
            pad: named(&files, "pad_token", codec).unwrap_or(None),
            variables,
            add_bos,
        })
    }
}

fn named(files: &[&JsonFile; 2], role: &str, codec: &Codec) -> Result<Option<Named>, TextError> {
    let Some((token, file)) = find(files, role)? else { return Ok(None) };
    match codec.id(&token) {
        Some(id) => Ok(Some(Named { id, source: format!("{} {role}", file.name()) })),
        None => Err(TextError::UnknownToken { path: file.path.clone(), key: role.into(), token }),
    }
}

fn find<'f>(files: &[&'f JsonFile; 2], role: &str) -> Result<Option<(String, &'f JsonFile)>, TextError> {
    for file in files {
        if let Some(value) = file.object.get(role)
            && let Some(token) = token_text(file, role, value)?
        {
            return Ok(Some((token, *file)));
        }
    }
    Ok(None)
}

/// A token is a string, or an object with its text in `content`, or null.
fn token_text(file: &JsonFile, key: &str, value: &Value) -> Result<Option<String>, TextError> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text,
        Value::Object(object) => match object.get("content") {
            Some(Value::String(text)) => text,
            _ => return Err(file.field_error(key, "a token, or an object with its text in `content`", value)),
        },
        _ => return Err(file.field_error(key, "a token, or an object with its text in `content`", value)),
    };
    Ok(Some(text.clone()))
}

fn additional(files: &[&JsonFile; 2]) -> Result<Option<Value>, TextError> {
    let key = "additional_special_tokens";
    for file in files {
        match file.object.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::Array(list)) => {
                let mut tokens = Vec::with_capacity(list.len());
                for value in list {
                    tokens.extend(token_text(file, key, value)?.map(Value::from));
                }
                return Ok((!tokens.is_empty()).then_some(Value::Array(tokens)));
            }
            Some(other) => return Err(file.field_error(key, "a list of tokens", other)),
        }
    }
    Ok(None)
}
