//! The recipe's data tables, as typed settings: where problems come from and how their columns are read.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A source of problems, `[data.train]` and its like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// A JSONL file (plain or gzip), a folder of them, `hf:owner/name[@revision][:subset][/split]` for what the
    /// Hugging Face cache already holds, or `builtin:NAME` for a generator.
    pub source: String,
    /// Which columns hold what; whatever is left out is recognised by its name.
    #[serde(default)]
    pub columns: Columns,
    /// Applied to the reference text: its first match's first capture group is the reference.
    #[serde(default)]
    pub answer_regex: Option<String>,
    /// Takes only the first so many problems.
    #[serde(default)]
    pub limit: Option<usize>,
    /// How many problems a generator makes; 1000 unless given.
    #[serde(default)]
    pub n: Option<usize>,
    /// A generator's seed; 0 unless given.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Which split of a folder, a hub source or a generator; unless given, the one that the table is named after: `train` in `[data.train]`, `unseen` in `[data.unseen]`.
    #[serde(default)]
    pub split: Option<String>,
    /// A generator's knobs.
    #[serde(default)]
    pub options: BTreeMap<String, Value>,
    /// Up to so many bad lines are left out and counted; one more is an error. None unless given.
    #[serde(default)]
    pub max_bad_lines: usize,
}

/// Which columns hold what. Dots lead into nested objects and lists: `reward_model.ground_truth`, `choices.0.text`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// The prompt: text or a list of messages.
    pub prompt: Option<String>,
    /// The reference answer. Several columns separated by commas make an object, of which some texts may be empty: `entry_point, tests=test_list`.
    pub reference: Option<String>,
    /// The worked solution.
    pub response: Option<String>,
    /// The id. The empty string makes ids from file and line though there is a column `id`.
    pub id: Option<String>,
}

impl SourceConfig {
    /// A source with every other setting at its default.
    #[must_use]
    pub fn new(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            columns: Columns::default(),
            answer_regex: None,
            limit: None,
            n: None,
            seed: None,
            split: None,
            options: BTreeMap::new(),
            max_bad_lines: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn everything_but_the_source_has_a_default() {
        let config: SourceConfig = serde_json::from_value(json!({"source": "a.jsonl"})).unwrap();
        assert_eq!(config, SourceConfig::new("a.jsonl"));
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        for wrong in [json!({"source": "a", "colums": {}}), json!({"source": "a", "columns": {"promt": "q"}})]
        {
            let error = serde_json::from_value::<SourceConfig>(wrong).unwrap_err().to_string();
            assert!(error.contains("unknown field"), "{error}");
        }
    }

    #[test]
    fn the_schema_names_every_key() {
        let schema = serde_json::to_value(schemars::schema_for!(SourceConfig)).unwrap();
        let config = serde_json::to_value(SourceConfig::new("a")).unwrap();
        for key in config.as_object().unwrap().keys() {
            assert!(schema["properties"][key]["description"].is_string(), "{key} has no description");
        }
    }
}
