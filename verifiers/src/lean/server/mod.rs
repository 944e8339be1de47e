//! Lean's language server as a back end: a document that begins with the header, whose rest is replaced by each body. The
//! server keeps what it elaborated of the part that stays.
//!
//! Which version of the document a message is about is said in it; nothing that is about an earlier one counts.

mod wire;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::boxed::{Boxed, Stop};
use super::screen::{Message, Screened, Severity};
use super::warm::{Trouble, Warm};
use wire::{Diagnostic, Incoming, RpcError};

/// What Lean is started with as a language server that says at once what it knows: it else waits a fifth of a second for
/// more.
pub(crate) const ARGUMENTS: [&str; 2] = ["--server", "-Dserver.reportDelayMs=0"];
/// The document. There need not be such a file.
const URI: &str = "file:///tmp/Proof.lean";
/// The kind of progress of a part that never will be elaborated.
const NEVER: u8 = 2;
/// How long the server may take to answer after it has said that it will not elaborate a document.
const END_WAIT: Duration = Duration::from_secs(2);

/// One server with its document.
#[derive(Debug)]
pub(crate) struct Server {
    program: Boxed,
    /// With the end of its last line.
    header: String,
    /// The line of the document, from 0, in which bodies begin.
    first_line: u32,
    version: i64,
    next_id: u64,
    /// Bytes of messages about the current version that something is kept of.
    kept_bytes: usize,
}

/// What is known of a version that is being elaborated.
#[derive(Debug, Default)]
struct Known {
    diagnostics: Option<Vec<Diagnostic>>,
    is_elaborated: bool,
    /// Since when it is known that some of it will not be elaborated.
    given_up_at: Option<Instant>,
    /// Whether all is said, by the answer to the question for that.
    is_said: bool,
}

impl Known {
    fn is_settled(&self) -> bool {
        self.is_said && self.diagnostics.is_some() && (self.is_elaborated || self.given_up_at.is_some())
    }
}

impl Server {
    /// Takes the next message, if it is there whole.
    fn take(&mut self) -> Result<Option<Incoming>, Trouble> {
        let Some((body, end)) = wire::first(self.program.output()).map_err(Trouble::Rubbish)? else {
            return Ok(None);
        };
        let message = wire::read(body).map_err(Trouble::Rubbish)?;
        if matches!(message, Incoming::Request { .. } | Incoming::Diagnostics(_)) {
            // News are kept, and answers wait to be read: a proof that speaks for the server could send them for ever.
            self.kept_bytes += body.len();
            if self.kept_bytes > self.program.most_output() {
                return Err(Stop::Flood.into());
            }
        }
        self.program.consume(end);
        if let Incoming::Request { id } = &message {
            self.program.send(&wire::answer(id));
        }
        Ok(Some(message))
    }

    fn request(&mut self, method: &str, params: &Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.program.send(&wire::request(id, method, params));
        id
    }

    fn greet(&mut self, deadline: Instant) -> Result<(), Trouble> {
        let params = json!({
            "processId": null,
            "rootUri": null,
            "capabilities": {},
            // Of servers before 4.9, which otherwise wait for the end of an edit.
            "initializationOptions": {"editDelay": 0},
        });
        let greeting = self.request("initialize", &params);
        loop {
            match self.take()? {
                Some(Incoming::Answer { id, result }) if id == greeting => {
                    result.map_err(|error| Trouble::Rubbish(refusal("initialize", &error)))?;
                    break;
                }
                Some(Incoming::Request { .. } | Incoming::Other) => {}
                Some(message) => {
                    return Err(Trouble::Rubbish(format!("before its greeting came {message:?}")));
                }
                None => self.program.more(deadline)?,
            }
        }
        self.program.send(&wire::notification("initialized", &json!({})));
        Ok(())
    }

    /// Elaborates a version of the document, up to where nothing more will be said of it.
    fn elaborate(&mut self, body: &str, deadline: Instant) -> Result<(Vec<Message>, bool), Trouble> {
        let text = format!("{}{body}", self.header);
        self.version += 1;
        self.kept_bytes = 0;
        let (method, params) = if self.version == 1 {
            let document = json!({"uri": URI, "languageId": "lean", "version": self.version, "text": text});
            ("textDocument/didOpen", json!({"textDocument": document}))
        } else {
            let document = json!({"uri": URI, "version": self.version});
            ("textDocument/didChange", json!({"textDocument": document, "contentChanges": [{"text": text}]}))
        };
        self.program.send(&wire::notification(method, &params));
        let params = json!({"uri": URI, "version": self.version});
        let question = self.request("textDocument/waitForDiagnostics", &params);
        let mut known = Known::default();
        while !known.is_settled() {
            if let Some(message) = self.take()? {
                self.note(message, question, &mut known)?;
                continue;
            }
            let deadline = known.given_up_at.map_or(deadline, |at| deadline.min(at + END_WAIT));
            match self.program.more(deadline) {
                Ok(()) => {}
                Err(Stop::Overdue) if known.given_up_at.is_some() => return Err(self.worker_ended("")),
                Err(stop) => return Err(stop.into()),
            }
        }
        if !self.program.is_fed() {
            return Err(Trouble::Rubbish("it answered before it had read the document".to_owned()));
        }
        let diagnostics = known.diagnostics.unwrap_or_default();
        let lines: Vec<_> = text.split('\n').collect();
        let messages = diagnostics.iter().filter_map(|it| it.message(self.first_line, &lines)).collect();
        Ok((messages, known.given_up_at.is_none()))
    }

    /// Takes note of a message while the current version is elaborated.
    fn note(&self, message: Incoming, question: u64, known: &mut Known) -> Result<(), Trouble> {
        match message {
            Incoming::Answer { id, result } if id == question => match result {
                Ok(_) => known.is_said = true,
                Err(error) => return Err(self.worker_ended(&error.message)),
            },
            Incoming::Answer { id, .. } => {
                return Err(Trouble::Rubbish(format!(
                    "it answered request {id}, which was answered before or never sent"
                )));
            }
            Incoming::Diagnostics(news) if news.uri == URI => {
                if self.is_current(news.version)? {
                    match &mut known.diagnostics {
                        Some(known) if news.is_incremental => known.extend(news.diagnostics),
                        known => *known = Some(news.diagnostics),
                    }
                }
            }
            Incoming::Progress(progress) if progress.document.uri == URI => {
                if self.is_current(progress.document.version)? {
                    known.is_elaborated = progress.processing.is_empty();
                    if progress.processing.iter().any(|part| part.kind == NEVER) {
                        known.given_up_at = known.given_up_at.or_else(|| Some(Instant::now()));
                    }
                }
            }
            Incoming::Diagnostics(_) | Incoming::Progress(_) | Incoming::Request { .. } | Incoming::Other => {
            }
        }
        Ok(())
    }

    /// Whether news are about the current version, and not about an earlier one.
    fn is_current(&self, version: Option<i64>) -> Result<bool, Trouble> {
        match version {
            Some(version) if version <= self.version => Ok(version == self.version),
            Some(version) => {
                let current = self.version;
                Err(Trouble::Rubbish(format!("it speaks of version {version}, and the last is {current}")))
            }
            None => Err(Trouble::Rubbish("it does not say which version it speaks of".to_owned())),
        }
    }

    /// The process in which the server elaborates a document is gone.
    fn worker_ended(&self, said: &str) -> Trouble {
        if self.program.was_killed_for_memory() {
            return Stop::Memory.into();
        }
        let said = [said, &self.program.said().unwrap_or_default()]
            .into_iter()
            .filter(|said| !said.is_empty())
            .collect::<Vec<_>>()
            .join("; ");
        Trouble::Ended(if said.is_empty() {
            "it said nothing".to_owned()
        } else {
            format!("it said: {said}")
        })
    }

    /// Takes what was said since the last version was settled; whether that was no more than a server may say then.
    fn is_quiet(&mut self) -> bool {
        loop {
            match self.take() {
                Ok(None) => return self.program.is_fed(),
                Ok(Some(Incoming::Request { .. } | Incoming::Other)) => {}
                Ok(Some(Incoming::Diagnostics(news))) if self.is_current(news.version).is_ok() => {}
                Ok(Some(Incoming::Progress(news)))
                    if news.processing.is_empty() && self.is_current(news.document.version).is_ok() => {}
                Ok(Some(_)) | Err(_) => return false,
            }
        }
    }
}

impl Warm for Server {
    const NAME: &'static str = "language server";

    fn open(program: Boxed, header: &str, deadline: Instant) -> Result<Self, Trouble> {
        let mut header = header.to_owned();
        if !header.is_empty() && !header.ends_with('\n') {
            header.push('\n');
        }
        let num_lines = header.bytes().filter(|byte| *byte == b'\n').count();
        let first_line =
            u32::try_from(num_lines).map_err(|_| Trouble::Header("it is too long".to_owned()))?;
        let mut server = Self { program, header, first_line, version: 0, next_id: 0, kept_bytes: 0 };
        server.greet(deadline)?;
        // Of the whole document: what is wrong is in the header.
        server.first_line = 0;
        let (messages, is_whole) = server.elaborate("", deadline)?;
        server.first_line = first_line;
        let screened = Screened::new(messages, 0);
        match screened.error() {
            Some(error) => Err(Trouble::Header(error.to_string())),
            None if screened.num_sorries > 0 => Err(Trouble::Header("it has `sorry`".to_owned())),
            None if !is_whole => Err(server.worker_ended("")),
            None => Ok(server),
        }
    }

    fn run(&mut self, body: &str, deadline: Instant) -> Result<Screened, Trouble> {
        let (messages, is_whole) = self.elaborate(body, deadline)?;
        let screened = Screened::new(messages, 0);
        let is_refused = screened.messages.iter().any(|message| message.severity == Severity::Error);
        if is_whole || is_refused { Ok(screened) } else { Err(self.worker_ended("")) }
    }

    fn is_idle(&mut self) -> bool {
        self.program.is_well() && self.is_quiet()
    }
}

fn refusal(method: &str, error: &RpcError) -> String {
    format!("it refuses `{method}`: {} (code {})", error.message, error.code)
}
