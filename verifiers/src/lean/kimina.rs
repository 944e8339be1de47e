//! A Kimina Lean Server as a back end: a server that keeps REPLs, asked over HTTP.
//!
//! | the server | what it is |
//! | --- | --- |
//! | answers with messages | what Lean said |
//! | says that the proof did not end in time | judged, timeout |
//! | says that the header did not, or that its REPL failed | undecided, after some tries |
//! | answers 5xx, 408 or 429, or the connection fails | undecided, after some tries |
//! | answers 4xx otherwise, or what is no answer | undecided |
//!
//! Whether a proof has a `sorry` is for us to see: the server's own look knows the words of old versions of Lean only.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::repl::{LEAN_ERROR, Reply, read_command};
use super::screen::{Fault, Message, Screen, Screened, Severity};
use crate::budget::Budget;
use crate::client::{self, Client, check_url};
use crate::protocol::{Ids, shown};
use crate::verdict::{CauseKind, Kind};

/// How long a server may take to show that it works: it may have to start a REPL.
const READY_WAIT: Duration = Duration::from_secs(300);
/// What the server says of what did not end in time, by which begins.
const HEADER_TIMED_OUT: &str = "Lean REPL header command timed out";
const TIMED_OUT: &str = "Lean REPL command timed out";

/// What a server is asked with.
#[derive(Clone, Debug)]
pub(crate) struct KiminaConfig {
    /// Where the server is, without a path of its own: `http://localhost:8000`.
    pub(crate) url: String,
    /// The server's key, or `env:NAME` for the value of an environment variable.
    pub(crate) key: Option<String>,
    /// How often a request is sent again after a fault that may pass.
    pub(crate) retries: u32,
    /// KiB that an answer may have, at least 1.
    pub(crate) max_output_kb: u64,
    /// What a proof may take.
    pub(crate) time: Duration,
}

/// Asks a server.
#[derive(Debug)]
pub(crate) struct Kimina {
    url: String,
    client: Client,
    time: Duration,
    ids: Ids,
    /// Whether the server knows `/verify` alone.
    is_old: AtomicBool,
}

/// An answer, to `/api/check` as to `/verify`.
#[derive(Debug, Deserialize)]
struct Answer {
    results: Vec<AnswerItem>,
}

#[derive(Debug, Deserialize)]
struct AnswerItem {
    #[serde(alias = "custom_id")]
    id: Value,
    error: Option<String>,
    response: Option<Value>,
}

/// What one try came to, where the server did what it was asked to.
enum Said {
    Screened(Screened),
    TimedOut(String),
}

impl Kimina {
    /// A client; nothing is asked yet.
    ///
    /// # Errors
    /// Says which setting cannot be meant.
    pub(crate) fn new(config: KiminaConfig) -> Result<Self, String> {
        let url = config.url.trim_end_matches('/').to_owned();
        check_url(&url, "http://localhost:8000")?;
        let mut headers = BTreeMap::new();
        if let Some(key) = &config.key {
            headers.insert("authorization".to_owned(), bearer(key)?);
        }
        let client = Client::new(&headers, config.retries, config.max_output_kb)?;
        let is_old = AtomicBool::new(false);
        Ok(Self { url, client, time: config.time, ids: Ids::default(), is_old })
    }

    /// One try, at the path that the server knows.
    fn ask(&self, header: &str, body: &str, budget: &Budget) -> Result<Said, client::Fault> {
        let separator = if header.is_empty() || header.ends_with('\n') { "" } else { "\n" };
        let code = format!("{header}{separator}{body}");
        let num_before = header.matches('\n').count() + separator.len();
        let id = self.ids.next();
        if !self.is_old.load(Ordering::Relaxed) {
            let request = json!({
                "snippets": [{"id": id, "code": code}], "timeout": self.seconds(), "debug": false, "reuse": true,
            });
            match self.client.post(&format!("{}/api/check", self.url), &request.to_string(), budget) {
                Err(fault) if fault.status.is_some_and(|status| status.as_u16() == 404) => {
                    self.is_old.store(true, Ordering::Relaxed);
                }
                answer => return self.read(&answer?, &id, num_before),
            }
        }
        let request = json!({"codes": [{"custom_id": id, "proof": code}], "timeout": self.seconds()});
        let answer = self.client.post(&format!("{}/verify", self.url), &request.to_string(), budget)?;
        self.read(&answer, &id, num_before)
    }

    /// Whole seconds, no fewer than a proof may take.
    fn seconds(&self) -> u64 {
        (self.time.as_secs() + u64::from(self.time.subsec_nanos() > 0)).max(1)
    }

    fn read(&self, answer: &[u8], id: &str, num_before: usize) -> Result<Said, client::Fault> {
        let url = &self.url;
        let rubbish = |problem: String| {
            let message = format!("what {url} sent is no answer of a Kimina Lean Server: {problem}");
            client::Fault::last(CauseKind::Rubbish, message)
        };
        let found: Answer = serde_json::from_slice(answer)
            .map_err(|error| rubbish(format!("{error}, found {}", shown(answer))))?;
        let [item] = <[AnswerItem; 1]>::try_from(found.results)
            .map_err(|results| rubbish(format!("it must have 1 result, found {}", results.len())))?;
        if item.id != *id {
            return Err(rubbish(format!("its id is {}, that of the request \"{id}\"", item.id)));
        }
        match (item.error, item.response) {
            (Some(error), None) => self.read_error(error),
            (None, Some(response)) => match read_command(response).map_err(rubbish)? {
                Reply::Answer(answer) => {
                    let num_reported = answer.sorries.len();
                    let messages = answer.messages.into_iter().map(|raw| behind(raw.into(), num_before));
                    Ok(Said::Screened(Screened::new(messages.collect(), num_reported)))
                }
                Reply::Refusal(message) => match message.strip_prefix(LEAN_ERROR) {
                    Some(text) => {
                        let text = text.trim().to_owned();
                        let error = Message { severity: Severity::Error, line: 1, column: 0, text };
                        Ok(Said::Screened(Screened::new(vec![error], 0)))
                    }
                    None => Err(rubbish(format!("its REPL does not understand: {message}"))),
                },
            },
            (error, _) => {
                let count = if error.is_some() { "both" } else { "neither" };
                Err(rubbish(format!("a result must have `error` or `response`, found {count}")))
            }
        }
    }

    fn read_error(&self, error: String) -> Result<Said, client::Fault> {
        let error = crate::error::shorten(&error, 300);
        if error.starts_with(TIMED_OUT) {
            return Ok(Said::TimedOut(error));
        }
        let kind = if error.starts_with(HEADER_TIMED_OUT) { CauseKind::Timeout } else { CauseKind::Crash };
        // The REPL that failed may have been another proof's before.
        Err(client::Fault::passing(kind, format!("{} failed: {error}", self.url)))
    }
}

impl Screen for Kimina {
    fn screen(&self, header: &str, body: &str, budget: &Budget) -> Result<Screened, Fault> {
        match self.client.retry(budget, || self.ask(header, body, budget)) {
            Ok(Said::Screened(screened)) => Ok(screened),
            Ok(Said::TimedOut(error)) => Err(Fault::judged(Kind::Timeout, error)),
            Err(fault) => Err(Fault::lasting(fault.kind, fault.message)),
        }
    }

    fn ready(&self) -> Result<(), String> {
        self.client.ready(&format!("{}/health", self.url))?;
        let budget = Budget::starting_now(READY_WAIT);
        match self.screen("", "example : True := True.intro\n", &budget) {
            Ok(screened) => screened.error().map_or(Ok(()), |error| {
                Err(format!("the Kimina Lean Server at {} does not prove `True`: {error}", self.url))
            }),
            Err(Fault::Judged { reason: problem, .. } | Fault::Undecided { message: problem, .. }) => {
                Err(problem)
            }
        }
    }
}

/// The value of the header for a key, which is not shown where it is refused.
fn bearer(key: &str) -> Result<String, String> {
    let key = match key.strip_prefix("env:") {
        Some(variable) => std::env::var(variable).map_err(|_| {
            format!("`api_key` must be in the environment variable `{variable}`, which is not set")
        })?,
        None => key.to_owned(),
    };
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("`api_key` must be printable characters without blanks".to_owned());
    }
    Ok(format!("Bearer {key}"))
}

/// A message about the body, whose place the server gives in the whole text.
fn behind(message: Message, num_before: usize) -> Message {
    let before = u32::try_from(num_before).unwrap_or(u32::MAX);
    Message { line: message.line.saturating_sub(before).max(1), ..message }
}

#[cfg(test)]
mod tests;
