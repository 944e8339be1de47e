//! The problem: what every later stage is handed, whatever file or generator it came from.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

/// One problem. Serializes as the flat JSON object that [`crate::Dataset::load`] reads back as the same problem:
/// `id`, `prompt`, `reference`, `response` and the fields beside them; the origin is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Unique within its dataset.
    pub id: String,
    /// What is asked.
    pub prompt: ProblemPrompt,
    /// The gold answer as the verifier wants it; null where the data has none.
    pub reference: Value,
    /// A worked solution, for supervised training and demonstrations.
    pub response: Option<String>,
    /// All other columns, for templates and verifiers.
    pub fields: Map<String, Value>,
    /// Where it stands.
    pub origin: Origin,
}

/// What is asked: plain text or a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ProblemPrompt {
    /// Plain text.
    Text(String),
    /// A conversation.
    Messages(Vec<Message>),
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user`, `assistant` or whatever else the model's chat template knows.
    pub role: String,
    /// What is said.
    pub content: String,
}

/// Where a problem stands, so that whatever is wrong with it can be found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The file, or `builtin:NAME` of a generator.
    pub file: String,
    /// The line, or one more than the index of a generated problem; counted from 1.
    pub line: usize,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl ProblemPrompt {
    /// What is asked, as one text: a conversation without its system messages, turns separated by an empty line.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Messages(messages) => {
                let asked = messages.iter().filter(|message| message.role != "system");
                asked.map(|message| message.content.as_str()).collect::<Vec<_>>().join("\n\n")
            }
        }
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(None)?;
        row.serialize_entry("id", &self.id)?;
        row.serialize_entry("prompt", &self.prompt)?;
        if !self.reference.is_null() {
            row.serialize_entry("reference", &self.reference)?;
        }
        if let Some(response) = &self.response {
            row.serialize_entry("response", response)?;
        }
        // A column of one of these names, left over because another one was mapped onto it, must not be written twice.
        let taken = ["id", "prompt", "reference", "response"];
        for (name, value) in self.fields.iter().filter(|(name, _)| !taken.contains(&name.as_str())) {
            row.serialize_entry(name, value)?;
        }
        row.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problem() -> Problem {
        let Value::Object(fields) = json!({"level": 3, "prompt": "another column"}) else { unreachable!() };
        Problem {
            id: "p1".into(),
            prompt: ProblemPrompt::Text("2 + 2?".into()),
            reference: json!({"answer": "4"}),
            response: None,
            fields,
            origin: Origin { file: "a.jsonl".into(), line: 7 },
        }
    }

    #[test]
    fn serializes_as_one_flat_row() {
        let row = serde_json::to_string(&problem()).unwrap();
        assert_eq!(row, r#"{"id":"p1","prompt":"2 + 2?","reference":{"answer":"4"},"level":3}"#);
    }

    #[test]
    fn the_text_of_a_conversation_leaves_out_the_system_message() {
        let turn = |role: &str, content: &str| Message { role: role.into(), content: content.into() };
        let prompt = ProblemPrompt::Messages(vec![
            turn("system", "Be brief."),
            turn("user", "2 + 2?"),
            turn("assistant", "4"),
            turn("user", "And 3 + 3?"),
        ]);
        assert_eq!(prompt.text(), "2 + 2?\n\n4\n\nAnd 3 + 3?");
    }

    #[test]
    fn an_origin_reads_as_file_and_line() {
        assert_eq!(problem().origin.to_string(), "a.jsonl:7");
    }
}
