//! `--set` of the commands that run without a recipe: settings laid over what the other options say.

use polestar_data::SourceConfig;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::common::CliError;

/// A setting as typed: its key, and its value read as TOML, else taken as text.
///
/// # Errors
/// There is no `=`, or no key before it.
pub fn parse(setting: &str) -> Result<(&str, Value), CliError> {
    let Some((key, text)) = setting.split_once('=').filter(|(key, _)| !key.trim().is_empty()) else {
        return Err(CliError::call(
            format!("--set {setting:?}: expected KEY=VALUE"),
            "write the key, `=`, the value",
        ));
    };
    let value = toml::from_str::<toml::Table>(&format!("v = {text}"))
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("v"))
        .and_then(|value| serde_json::to_value(value).ok())
        .unwrap_or_else(|| Value::String(text.to_owned()));
    Ok((key.trim(), value))
}

/// A source with settings laid over it; keys are those of a recipe's `[data.*]`, with dots into its tables.
///
/// # Errors
/// A setting that is not understood, or that a source does not have.
pub fn over(source: &SourceConfig, settings: &[String]) -> Result<SourceConfig, CliError> {
    over_table(source, settings, "see `[data.*]` in docs/recipes.md")
}

/// A table of settings with others laid over it, which must all be keys of it; `see` says where these are listed.
///
/// # Errors
/// A setting that is not understood, or that the table does not have.
pub fn over_table<T: Serialize + DeserializeOwned>(
    table: &T,
    settings: &[String],
    see: &str,
) -> Result<T, CliError> {
    let mut value = serde_json::to_value(table).map_err(|error| CliError::work(&error))?;
    for setting in settings {
        let (key, parsed) = parse(setting)?;
        let mut place = &mut value;
        for part in key.split('.') {
            // A key that nothing has is named when the whole is read back.
            place = match place {
                Value::Object(table) => {
                    table.entry(part).or_insert_with(|| Value::Object(Default::default()))
                }
                _ => {
                    return Err(CliError::call(
                        format!("--set {setting:?}: {part:?} stands below a key that is no table"),
                        see,
                    ));
                }
            };
        }
        *place = parsed;
    }
    serde_json::from_value(value).map_err(|error| CliError::call(format!("--set: {error}"), see))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn set(settings: &[&str]) -> Result<SourceConfig, String> {
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        over(&SourceConfig::new("a.jsonl"), &settings).map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn values_are_toml_or_else_text() {
        assert_eq!(parse("a=3").unwrap(), ("a", json!(3)));
        assert_eq!(parse("a.b = [1, 2]").unwrap(), ("a.b", json!([1, 2])));
        assert_eq!(parse("a=\"1-2\"").unwrap(), ("a", json!("1-2")));
        assert_eq!(parse("a=1-2").unwrap(), ("a", json!("1-2")));
        assert_eq!(parse("a=x = y").unwrap(), ("a", json!("x = y")));
        assert_eq!(parse("a=1\nb=2").unwrap(), ("a", json!("1\nb=2")));
        assert!(parse("digits").is_err() && parse("=3").is_err());
    }

    #[test]
    fn settings_reach_into_tables_and_wrong_ones_are_errors() {
        let source = set(&["columns.prompt=question", "limit=3", "options.digits=1-2"]).unwrap();
        assert_eq!(source.columns.prompt.as_deref(), Some("question"));
        assert_eq!((source.limit, source.options["digits"].clone()), (Some(3), json!("1-2")));
        assert!(set(&["source.x=1"]).unwrap_err().contains("no table"));
        assert!(set(&["lmit=3"]).unwrap_err().contains("unknown field `lmit`"));
        assert!(set(&["limit=many"]).unwrap_err().contains("invalid type"));
    }
}
