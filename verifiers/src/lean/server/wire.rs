//! Messages of the language server protocol: JSON-RPC, each with its length before it.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::lean::screen::{Message, Severity};
use crate::protocol::shown;

/// What ends the head of a message.
const HEAD_END: &[u8] = b"\r\n\r\n";
/// Bytes of the longest head.
const MOST_HEAD_BYTES: usize = 1024;
/// Bytes of the longest message.
const MOST_BYTES: usize = 256 << 20;

/// A message of the server.
#[derive(Debug, PartialEq)]
pub(super) enum Incoming {
    /// To a request of ours.
    Answer {
        id: u64,
        result: Result<Value, RpcError>,
    },
    /// Something that it wants of us.
    Request {
        id: Value,
    },
    Diagnostics(Diagnostics),
    Progress(Progress),
    /// Of no interest.
    Other,
}

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct RpcError {
    pub(super) code: i64,
    #[serde(default)]
    pub(super) message: String,
}

/// What Lean says of a version of a document.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Diagnostics {
    pub(super) uri: String,
    pub(super) version: Option<i64>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Whether they come after those that were sent before.
    #[serde(rename = "isIncremental", default)]
    pub(super) is_incremental: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Diagnostic {
    range: Range,
    /// From 1, an error, to 4. Without one it is for us to choose.
    severity: Option<u8>,
    message: String,
    /// Not meant to be shown.
    #[serde(rename = "isSilent", default)]
    is_silent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
struct Range {
    start: Position,
}

/// In lines and in units of UTF-16, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
struct Position {
    line: u32,
    character: u32,
}

/// What of a version is not elaborated yet.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Progress {
    #[serde(rename = "textDocument")]
    pub(super) document: Versioned,
    pub(super) processing: Vec<Processing>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Versioned {
    pub(super) uri: String,
    pub(super) version: Option<i64>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Processing {
    /// 1: it is being elaborated; 2: it never will be.
    #[serde(default)]
    pub(super) kind: u8,
}

/// As it comes.
#[derive(Deserialize)]
struct Raw {
    id: Option<Value>,
    method: Option<String>,
    params: Option<Value>,
    result: Option<Value>,
    error: Option<RpcError>,
}

/// A request.
pub(super) fn request(id: u64, method: &str, params: &Value) -> Vec<u8> {
    framed(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
}

/// A notification.
pub(super) fn notification(method: &str, params: &Value) -> Vec<u8> {
    framed(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
}

/// The answer to a request of the server: there is nothing to say.
pub(super) fn answer(id: &Value) -> Vec<u8> {
    framed(&json!({"jsonrpc": "2.0", "id": id, "result": null}))
}

fn framed(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// The body of the first message, and where what comes after it begins; none while it is not whole.
pub(super) fn first(written: &[u8]) -> Result<Option<(&[u8], usize)>, String> {
    let searched = &written[..written.len().min(MOST_HEAD_BYTES)];
    let Some(head) = searched.windows(HEAD_END.len()).position(|bytes| bytes == HEAD_END) else {
        if searched.len() < MOST_HEAD_BYTES && b"Content-".starts_with(&searched[..searched.len().min(8)]) {
            return Ok(None);
        }
        return Err(format!("a message must begin with `Content-Length: `, found {}", shown(written)));
    };
    let length = length(&written[..head])
        .ok_or_else(|| format!("a message must begin with its length, found {}", shown(&written[..head])))?;
    let start = head + HEAD_END.len();
    Ok(written.get(start..start + length).map(|body| (body, start + length)))
}

/// The length that the head of a message says, once.
fn length(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).ok()?;
    let mut lengths = head.split("\r\n").filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value.trim())
    });
    let length = lengths.next()?.parse().ok().filter(|length| *length <= MOST_BYTES)?;
    lengths.next().is_none().then_some(length)
}

/// Reads a message.
pub(super) fn read(body: &[u8]) -> Result<Incoming, String> {
    let refuse = |problem: String| format!("{problem}, found {}", shown(body));
    // A list of the fields' values would else do as well.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(refuse("a message must be an object".to_owned()));
    }
    let raw: Raw = serde_json::from_slice(body).map_err(|error| refuse(error.to_string()))?;
    let params = raw.params.unwrap_or_default();
    let text = |error: serde_json::Error| refuse(error.to_string());
    match (raw.method.as_deref(), raw.id) {
        (Some(_), Some(id)) => Ok(Incoming::Request { id }),
        (Some("textDocument/publishDiagnostics"), None) => {
            serde_json::from_value(params).map(Incoming::Diagnostics).map_err(text)
        }
        (Some("$/lean/fileProgress"), None) => {
            serde_json::from_value(params).map(Incoming::Progress).map_err(text)
        }
        (Some(_), None) => Ok(Incoming::Other),
        (None, id) => {
            let id = id.as_ref().and_then(Value::as_u64);
            let id = id.ok_or_else(|| refuse("an answer must have the `id` of a request".to_owned()))?;
            Ok(Incoming::Answer { id, result: raw.error.map_or(Ok(raw.result.unwrap_or_default()), Err) })
        }
    }
}

impl Diagnostic {
    /// As a message about the body, which begins in that line of the document; none where it is not about it and no error.
    pub(super) fn message(&self, first_line: u32, document: &[&str]) -> Option<Message> {
        let severity = match self.severity {
            Some(1) | None => Severity::Error,
            Some(2) => Severity::Warning,
            Some(_) => Severity::Info,
        };
        let Position { line, character } = self.range.start;
        let text = self.message.clone();
        match line.checked_sub(first_line) {
            _ if self.is_silent => None,
            None if severity != Severity::Error => None,
            None => Some(Message { severity, line: 1, column: 0, text }),
            Some(line) => {
                let in_document = document.get(self.range.start.line as usize).copied().unwrap_or_default();
                let column = code_points(in_document, character);
                Some(Message { severity, line: line.saturating_add(1), column, text })
            }
        }
    }
}

/// How many characters of a line so many units of UTF-16 are.
fn code_points(line: &str, num_units: u32) -> u32 {
    let mut units = 0;
    let before = line.chars().take_while(|c| {
        units += c.len_utf16();
        units <= num_units as usize
    });
    u32::try_from(before.count()).unwrap_or(u32::MAX)
}
