//! What is said to a REPL and by it: objects of JSON, each ended by a blank line.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::lean::screen::{Message, Severity};
use crate::protocol::shown;

/// Between an answer and whatever comes next.
const END: &[u8] = b"\n\n";

/// An answer to a command.
#[derive(Debug, Deserialize)]
pub(in crate::lean) struct CommandAnswer {
    /// The environment after it.
    pub(in crate::lean) env: u64,
    #[serde(default)]
    pub(in crate::lean) messages: Vec<RawMessage>,
    #[serde(default)]
    pub(in crate::lean) sorries: Vec<Sorry>,
}

/// A `sorry` of a command.
#[derive(Debug, Deserialize)]
pub(in crate::lean) struct Sorry {
    #[serde(default)]
    pub(in crate::lean) goal: String,
    #[serde(rename = "proofState")]
    pub(in crate::lean) proof_state: Option<u64>,
}

/// An answer to a tactic.
#[derive(Debug, Deserialize)]
pub(in crate::lean) struct TacticAnswer {
    #[serde(rename = "proofState")]
    pub(in crate::lean) proof_state: u64,
    pub(in crate::lean) goals: Vec<String>,
    /// Not there in old versions.
    #[serde(rename = "proofStatus")]
    pub(in crate::lean) proof_status: Option<String>,
    #[serde(default)]
    pub(in crate::lean) messages: Vec<RawMessage>,
    #[serde(default)]
    pub(in crate::lean) sorries: Vec<Sorry>,
}

/// A message of Lean. Tactics have some without a place.
#[derive(Debug, Deserialize)]
pub(in crate::lean) struct RawMessage {
    severity: RawSeverity,
    pos: Option<Position>,
    data: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawSeverity {
    Trace,
    Info,
    Warning,
    Error,
}

#[derive(Debug, Deserialize)]
struct Position {
    line: u32,
    column: u32,
}

impl From<RawMessage> for Message {
    fn from(raw: RawMessage) -> Self {
        let (line, column) = raw.pos.map_or((1, 0), |pos| (pos.line, pos.column));
        let severity = match raw.severity {
            RawSeverity::Trace | RawSeverity::Info => Severity::Info,
            RawSeverity::Warning => Severity::Warning,
            RawSeverity::Error => Severity::Error,
        };
        Self { severity, line, column, text: raw.data }
    }
}

/// What a REPL answers.
#[derive(Debug)]
pub(in crate::lean) enum Reply<A> {
    Answer(A),
    /// It could not do it, and why.
    Refusal(String),
}

/// An answer that is an object with `message` and nothing that answers have.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

/// A command in an environment, or in a fresh one, where it may import.
pub(super) fn command(text: &str, env: Option<u64>) -> Vec<u8> {
    let mut request = json!({"cmd": text});
    if let Some(env) = env {
        request["env"] = json!(env);
    }
    ended(&request)
}

/// A tactic in a state.
pub(super) fn tactic(text: &str, state: u64) -> Vec<u8> {
    ended(&json!({"tactic": text, "proofState": state}))
}

/// On one line, since a REPL joins lines.
fn ended(request: &Value) -> Vec<u8> {
    format!("{request}\n\n").into_bytes()
}

/// The first answer of what was written, and where what comes after it begins; none while there is no whole one.
pub(super) fn first(written: &[u8]) -> Option<(&[u8], usize)> {
    let start = written.iter().position(|byte| !byte.is_ascii_whitespace())?;
    // Within an answer a line is never blank: ends of lines in texts are escaped.
    let length = written[start..].windows(END.len()).position(|bytes| bytes == END)?;
    Some((&written[start..start + length], start + length + END.len()))
}

/// Reads an answer.
pub(super) fn read<A: DeserializeOwned>(answer: &[u8]) -> Result<Reply<A>, String> {
    let value: Value = serde_json::from_slice(answer).map_err(|error| problem(answer, &error))?;
    read_value(value).map_err(|error| problem(answer, &error))
}

/// Reads the answer to a command that another server hands on.
pub(in crate::lean) fn read_command(answer: Value) -> Result<Reply<CommandAnswer>, String> {
    let text = crate::error::shorten(&answer.to_string(), 300);
    read_value(answer).map_err(|error| format!("{error}, found {text}"))
}

fn read_value<A: DeserializeOwned>(answer: Value) -> serde_json::Result<Reply<A>> {
    // Else a list of the fields' values would do as well.
    if !answer.is_object() {
        return Err(serde::de::Error::custom("an answer must be an object"));
    }
    if answer.get("message").is_some() {
        return serde_json::from_value(answer).map(|Refusal { message }| Reply::Refusal(message));
    }
    serde_json::from_value(answer).map(Reply::Answer)
}

fn problem(answer: &[u8], error: &serde_json::Error) -> String {
    format!("{error}, found {}", shown(answer))
}
