//! Requests: lines of input bound to the verifier.

use std::io::{BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ahead::Ahead;
use super::lines::{Held, Line, next_line};
use crate::supervisor::Job;
use crate::verdict::{CauseKind, Verdict};
use crate::verifier::{Configured, RawItem};

/// Bytes of one line.
pub(super) const MAX_LINE_BYTES: usize = 64 << 20;

/// A line of input.
#[derive(Deserialize)]
pub(super) struct Request<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) problem: Problem,
    pub(super) reference: serde_json::Value,
    pub(super) response: String,
    pub(super) num_tokens: Option<usize>,
}

/// The problem's text. One that is no text is kept as JSON: data sets hold lists of messages there.
#[derive(Default, Deserialize)]
#[serde(untagged)]
pub(super) enum Problem {
    #[default]
    None,
    Text(String),
    Other(serde_json::Value),
}

impl Problem {
    pub(super) fn into_text(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Text(text) => text,
            Self::Other(value) => value.to_string(),
        }
    }
}

/// A line of input of which only the id is wanted.
#[derive(Deserialize)]
struct OnlyId<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

/// What goes along with a line until its verdict is written.
pub(super) struct Ticket {
    pub(super) id: Box<RawValue>,
    pub(super) num_bytes: usize,
    /// The line could not be read: its number.
    pub(super) unread: Option<u64>,
}

/// A request as the supervisor takes it.
type Ready = (Ticket, Result<Job, Verdict>);

/// A line and its number, from 1.
struct Numbered {
    number: u64,
    line: Line,
}

/// Reads lines.
struct Lines<R> {
    source: BufReader<R>,
    held: Arc<Held>,
    /// Why reading ended early.
    failure: Arc<Mutex<Option<std::io::Error>>>,
    /// Of the line read last.
    number: u64,
}

impl<R: Read> Iterator for Lines<R> {
    type Item = Numbered;

    fn next(&mut self) -> Option<Numbered> {
        let line = match next_line(&mut self.source, MAX_LINE_BYTES) {
            Ok(line) => line?,
            Err(error) => {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                return None;
            }
        };
        self.number += 1;
        if let Line::Whole(bytes) = &line {
            self.held.take(bytes.len());
        }
        Some(Numbered { number: self.number, line })
    }
}

/// The requests of a stream, to be judged in this order. Where something outside of this process judges, which may also
/// be asked about each reference, `num_threads` are bound at once.
///
/// # Errors
/// A thread cannot be started.
pub(super) fn requests(
    stdin: impl Read + Send + 'static,
    verifier: Box<dyn Configured>,
    num_threads: usize,
    held: &Arc<Held>,
    failure: &Arc<Mutex<Option<std::io::Error>>>,
) -> std::io::Result<Box<dyn Iterator<Item = Ready> + Send>> {
    let source = BufReader::with_capacity(1 << 16, stdin);
    let lines = Lines { source, held: Arc::clone(held), failure: Arc::clone(failure), number: 0 };
    let is_external = verifier.is_external();
    let bind = move |numbered| bind(verifier.as_ref(), numbered);
    Ok(match is_external {
        true => Box::new(Ahead::new(lines, num_threads, bind)?),
        false => Box::new(lines.map(bind)),
    })
}

/// A line's work.
fn bind(verifier: &dyn Configured, numbered: Numbered) -> Ready {
    let Numbered { number, line } = numbered;
    let (num_bytes, id, work) = match line {
        Line::Whole(bytes) => {
            let (id, work) = request(verifier, &bytes, number);
            (bytes.len(), id, work)
        }
        Line::TooLong(length) => {
            let message = format!("the line has {length} bytes; at most {MAX_LINE_BYTES} are read");
            (0, None, Err(Verdict::undecided(CauseKind::BadInput, message)))
        }
    };
    let unread = work.is_err().then_some(number);
    (Ticket { id: id.unwrap_or_else(null), num_bytes, unread }, work)
}

fn null() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

/// A line's id, as far as it can be found, and its work.
fn request(
    verifier: &dyn Configured,
    bytes: &[u8],
    number: u64,
) -> (Option<Box<RawValue>>, Result<Job, Verdict>) {
    let request: Request<'_> = match serde_json::from_slice(bytes) {
        Ok(request) => request,
        Err(error) => {
            // Where only another part of the line is broken, its id still says which one it is.
            let text = String::from_utf8_lossy(bytes);
            let id =
                serde_json::from_str::<OnlyId<'_>>(&text).ok().and_then(|it| it.id.map(RawValue::to_owned));
            let message =
                format!("the line is not an object with \"id\", \"reference\" and \"response\": {error}");
            return (id, Err(Verdict::undecided(CauseKind::BadInput, message)));
        }
    };
    let problem = request.problem.into_text();
    let name = request.id.map_or_else(|| format!("line {number}"), name_of);
    let item = RawItem { id: name, problem, reference: request.reference };
    let work = match verifier.bind(item) {
        Ok(judge) => Ok(Job { judge, response: request.response, num_tokens: request.num_tokens }),
        Err(error) => Err(Verdict::undecided(CauseKind::BadReference, error.to_string())),
    };
    (request.id.map(RawValue::to_owned), work)
}

/// An id for messages: a text without its quotes, anything else as JSON.
fn name_of(id: &RawValue) -> String {
    serde_json::from_str::<String>(id.get()).unwrap_or_else(|_| id.get().to_owned())
}
