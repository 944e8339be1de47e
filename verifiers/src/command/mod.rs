//! `polestar verify` and `polestar-verify`: JSON lines in, JSON lines out, in order, however large the input.

mod ahead;
mod check;
mod lines;
mod requests;
mod settings;

use std::io::{ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::value::RawValue;

use crate::supervisor::{Outcome, StreamError, Supervisor};
use crate::verdict::Score;
use lines::Held;
use requests::{Ticket, requests};
use settings::Settings;
pub use settings::{VERIFY_ABOUT, VerifyArgs, verify_help};

/// Bytes of lines that are held at once; one line alone may be more.
const MAX_HELD_BYTES: usize = 256 << 20;

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
    let held = Arc::new(Held::new(MAX_HELD_BYTES));
    let failure = Arc::new(Mutex::new(None));
    let supervisor = Supervisor::new(settings.supervisor);
    let requests = match requests(stdin, settings.verifier, supervisor.jobs(), &held, &failure) {
        Ok(requests) => requests,
        Err(error) => {
            eprintln!("error: the threads that read the requests could not be started: {error}");
            return 1;
        }
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
