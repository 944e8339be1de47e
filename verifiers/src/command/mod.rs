//! `polestar verify` and `polestar-verify`: JSON lines in, JSON lines out, in order, however large the input.

mod check;
mod lines;
mod settings;

use std::io::{BufReader, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::supervisor::{Job, Outcome, StreamError, Supervisor};
use crate::verdict::{CauseKind, Score, Verdict};
use crate::verifier::{Configured, RawItem};
use lines::{Held, Line, next_line};
use settings::Settings;
pub use settings::{VERIFY_ABOUT, VerifyArgs, verify_help};

/// Bytes of one line.
const MAX_LINE_BYTES: usize = 64 << 20;
/// Bytes of lines that are held at once; one line alone may be more.
const MAX_HELD_BYTES: usize = 256 << 20;

/// A line of input.
#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(default)]
    problem: Problem,
    reference: serde_json::Value,
    response: String,
    num_tokens: Option<usize>,
}

/// The problem's text. One that is no text is kept as JSON: data sets hold lists of messages there.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Problem {
    #[default]
    None,
    Text(String),
    Other(serde_json::Value),
}

impl Problem {
    fn into_text(self) -> String {
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

/// A line of output.
#[derive(Serialize)]
struct Record<'a> {
    id: &'a RawValue,
    verdict: &'static str,
    score: Option<Score>,
    reason: &'a str,
    extracted: Option<&'a str>,
    ms: f64,
    kind: &'static str,
}

/// What goes along with a line until its verdict is written.
struct Ticket {
    id: Box<RawValue>,
    num_bytes: usize,
    /// The line could not be read: its number.
    unread: Option<u64>,
}

/// Judges each line of `stdin` and writes one line for it to `stdout`, in order; messages go to standard error.
///
/// With `--check` the verifier itself is put to the test, and a table of what it did is written.
///
/// The result is the exit code: 0 done, 1 a line could not be read, input or output failed, or the check found a fault,
/// 2 the call or the config is wrong, or the verifier cannot start. A reader of the output that has gone away is a quiet end. `stdin` is read on a thread of its own, which may
/// outlive the call where the output fails.
pub fn run_verify(args: &VerifyArgs, stdin: impl Read + Send + 'static, stdout: &mut dyn Write) -> u8 {
    match Settings::resolve(args) {
        Ok(settings) if args.check => check::check(settings, stdin, stdout),
        Ok(settings) => match settings.verifier.ready() {
            Ok(()) => verify_lines(settings, stdin, stdout),
            Err(error) => refuse(&error),
        },
        Err(error) => refuse(&error),
    }
}

/// Nothing can be judged: the call, the config, or what they name.
fn refuse(error: &dyn std::error::Error) -> u8 {
    eprintln!("error: {error}");
    2
}

fn verify_lines(settings: Settings, stdin: impl Read + Send + 'static, stdout: &mut dyn Write) -> u8 {
    let supervisor = Supervisor::new(settings.supervisor);
    let held = Arc::new(Held::new(MAX_HELD_BYTES));
    let failure = Arc::new(Mutex::new(None));
    let requests = Requests {
        source: BufReader::with_capacity(1 << 16, stdin),
        verifier: settings.verifier,
        held: Arc::clone(&held),
        failure: Arc::clone(&failure),
        number: 0,
    };
    let mut num_lines: u64 = 0;
    let mut num_unread: u64 = 0;
    let mut first_unread = None;
    let written = supervisor.stream(requests, |ticket: Ticket, outcome: Outcome| {
        num_lines += 1;
        if let Some(number) = ticket.unread {
            num_unread += 1;
            first_unread.get_or_insert_with(|| format!("line {number}: {}", outcome.verdict.reason()));
        }
        let line = record(&ticket.id, &outcome);
        held.give_back(ticket.num_bytes);
        stdout.write_all(line?.as_bytes())?;
        stdout.flush()
    });
    if let Some(first) = first_unread {
        eprintln!("error: {num_unread} of {num_lines} lines could not be judged; the first: {first}");
    }
    let read_error = failure.lock().unwrap_or_else(PoisonError::into_inner).take();
    let failed = match (written, read_error) {
        (Err(StreamError::Sink(error)), _) if error.kind() == ErrorKind::BrokenPipe => None,
        (Err(StreamError::Sink(error)), _) => Some(format!("the output cannot be written: {error}")),
        (Err(error @ StreamError::Thread(_)), _) => Some(error.to_string()),
        (Ok(()), Some(error)) => Some(format!("the input cannot be read: {error}")),
        (Ok(()), None) => None,
    };
    if let Some(message) = &failed {
        eprintln!("error: {message}");
    }
    u8::from(failed.is_some() || num_unread > 0)
}

/// The line for one outcome, with its end.
fn record(id: &RawValue, outcome: &Outcome) -> std::io::Result<String> {
    let verdict = &outcome.verdict;
    let record = Record {
        id,
        verdict: if verdict.score().is_some() { "judged" } else { "undecided" },
        score: verdict.score(),
        reason: verdict.reason(),
        extracted: verdict.extracted(),
        // Whole microseconds.
        ms: (outcome.run_s * 1e6).round() / 1e3,
        kind: verdict.kind_name(),
    };
    let mut line = serde_json::to_string(&record)?;
    line.push('\n');
    Ok(line)
}

/// Reads lines and binds each to the verifier.
struct Requests<R> {
    source: BufReader<R>,
    verifier: Box<dyn Configured>,
    held: Arc<Held>,
    /// Why reading ended early.
    failure: Arc<Mutex<Option<std::io::Error>>>,
    /// Of the line read last, from 1.
    number: u64,
}

impl<R: Read> Iterator for Requests<R> {
    type Item = (Ticket, Result<Job, Verdict>);

    fn next(&mut self) -> Option<Self::Item> {
        let line = match next_line(&mut self.source, MAX_LINE_BYTES) {
            Ok(line) => line?,
            Err(error) => {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                return None;
            }
        };
        self.number += 1;
        let (num_bytes, id, work) = match line {
            Line::Whole(bytes) => {
                self.held.take(bytes.len());
                let (id, work) = self.request(&bytes);
                (bytes.len(), id, work)
            }
            Line::TooLong(length) => {
                let message = format!("the line has {length} bytes; at most {MAX_LINE_BYTES} are read");
                (0, None, Err(Verdict::undecided(CauseKind::BadInput, message)))
            }
        };
        let unread = work.is_err().then_some(self.number);
        Some((Ticket { id: id.unwrap_or_else(null), num_bytes, unread }, work))
    }
}

fn null() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

impl<R> Requests<R> {
    /// A line's id, as far as it can be found, and its work.
    fn request(&self, bytes: &[u8]) -> (Option<Box<RawValue>>, Result<Job, Verdict>) {
        let request: Request<'_> = match serde_json::from_slice(bytes) {
            Ok(request) => request,
            Err(error) => {
                // Where only another part of the line is broken, its id still says which one it is.
                let text = String::from_utf8_lossy(bytes);
                let id = serde_json::from_str::<OnlyId<'_>>(&text)
                    .ok()
                    .and_then(|it| it.id.map(RawValue::to_owned));
                let message =
                    format!("the line is not an object with \"id\", \"reference\" and \"response\": {error}");
                return (id, Err(Verdict::undecided(CauseKind::BadInput, message)));
            }
        };
        let problem = request.problem.into_text();
        let name = request.id.map_or_else(|| format!("line {}", self.number), name_of);
        let item = RawItem { id: name, problem, reference: request.reference };
        let work = match self.verifier.bind(item) {
            Ok(judge) => Ok(Job { judge, response: request.response, num_tokens: request.num_tokens }),
            Err(error) => Err(Verdict::undecided(CauseKind::BadReference, error.to_string())),
        };
        (request.id.map(RawValue::to_owned), work)
    }
}

/// An id for messages: a text without its quotes, anything else as JSON.
fn name_of(id: &RawValue) -> String {
    serde_json::from_str::<String>(id.get()).unwrap_or_else(|_| id.get().to_owned())
}
