//! One copy of the program: asked one request at a time, watched while it answers, killed with its group and reaped.
//!
//! All pipes are non-blocking and waited for together with the end of the process, so that a program that does not read
//! while it writes, or writes where nobody asked, stops nothing here. What it writes is held up to a limit only.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, pidfd_send_signal, waitid,
};

use super::guard;
use crate::budget::Budget;
use crate::pipe::{Received, take};
use crate::protocol::{Answer, shown};
use crate::verdict::{CauseKind, Verdict};

/// Bytes of standard error that are kept, from its end.
const TAIL_BYTES: usize = 2048;
/// Bytes taken from a pipe at once.
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks taken in a row, so that a flood does not keep from what else there is to do, as looking at the clock.
const MOST_CHUNKS: usize = 32;
/// How long a program that has closed its standard output may take to end, so that it can be said how it ended.
const END_WAIT: Duration = Duration::from_millis(50);
/// How long the end of a killed process is waited for here; after that a thread does it.
const REAP_WAIT: Duration = Duration::from_millis(5);

/// Why a request has no answer.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: CauseKind,
    pub(super) message: String,
    /// Whether the request is not to blame, so that it may be asked again of a fresh copy.
    pub(super) may_retry: bool,
}

/// What an idle copy has been doing.
pub(super) enum Idle {
    /// It waits.
    Waiting,
    /// It has ended, in this way.
    Ended(String),
    /// It has written this, and nobody asked.
    Wrote(String),
}

/// One running copy of the program. Dropping it kills its process group.
#[derive(Debug)]
pub(super) struct Child {
    /// Of the process, and of its group.
    pid: Pid,
    pidfd: OwnedFd,
    /// None once the program has closed it.
    stdin: Option<OwnedFd>,
    stdout: OwnedFd,
    /// None once the program has closed it.
    stderr: Option<OwnedFd>,
    /// The end of what it wrote to standard error.
    tail: Vec<u8>,
    /// Requests that it has answered.
    pub(super) num_answered: u64,
    last_id: String,
}

/// What is known of a stream after reading from it.
#[derive(PartialEq)]
enum Stream {
    /// There may be more.
    Open,
    /// It is open, and reading on would have to wait.
    Empty,
    /// There will be nothing more.
    Closed,
}

/// What the program writes in answer to one request, up to a limit.
struct Output {
    bytes: Vec<u8>,
    /// Where the first line begins that was not looked at whole. What is before it is only kept until the end, so that
    /// a flood of short lines costs no more than its bytes.
    start: usize,
    /// Up to here no end of that line was found.
    scanned: usize,
    limit: usize,
}

impl Output {
    fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, scanned: 0, limit }
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() <= self.limit {
            return Ok(());
        }
        let limit = self.limit / 1024;
        let problem = format!(
            "it wrote more than {limit} KiB for one request (`max_output_kb`), beginning with {}",
            shown(&self.bytes)
        );
        Err(rubbish(problem))
    }

    /// The first line that is not blank, without its end, and what comes after it.
    fn line_and_rest(&mut self) -> Option<(&[u8], &[u8])> {
        while let Some(length) = self.bytes[self.scanned..].iter().position(|byte| *byte == b'\n') {
            let (start, end) = (self.start, self.scanned + length);
            self.start = end + 1;
            self.scanned = end + 1;
            if !self.bytes[start..end].trim_ascii().is_empty() {
                return Some((&self.bytes[start..end], &self.bytes[end + 1..]));
            }
        }
        self.scanned = self.bytes.len();
        None
    }

    /// What was written since the last end of a line.
    fn unended(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

fn rubbish(problem: String) -> Fault {
    let message = format!("the verifier's output is not one answer: {problem}");
    Fault { kind: CauseKind::Rubbish, message, may_retry: false }
}

impl Child {
    /// A process that leads its own group, and its pipes. On an error it is killed.
    pub(super) fn new(
        pid: Pid,
        pidfd: OwnedFd,
        stdin: OwnedFd,
        stdout: OwnedFd,
        stderr: OwnedFd,
    ) -> rustix::io::Result<Self> {
        let child = Self {
            pid,
            pidfd,
            stdin: Some(stdin),
            stdout,
            stderr: Some(stderr),
            tail: Vec::new(),
            num_answered: 0,
            last_id: String::new(),
        };
        // The program's ends of the pipes block as ever.
        for pipe in [child.stdin.as_ref(), Some(&child.stdout), child.stderr.as_ref()].into_iter().flatten() {
            fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
        }
        Ok(child)
    }

    /// Sends a request, a line with its end, and waits for the answer, no longer than the budget lasts. After a fault
    /// the child must not be asked again.
    pub(super) fn ask(
        &mut self,
        id: &str,
        request: &[u8],
        budget: &Budget,
        limit: usize,
    ) -> Result<Verdict, Fault> {
        let mut unsent = request;
        let mut output = Output::new(limit);
        loop {
            let wait = budget.deadline().map(|_| budget.remaining());
            // In this order: what a process wrote before it ended is there once its end is seen.
            let has_ended = self.wait(!unsent.is_empty(), wait);
            self.drain_stderr();
            unsent = self.send(unsent);
            let end = self.receive(&mut output)?;
            if let Some((line, rest)) = output.line_and_rest() {
                let verdict = self.answer(id, line, rest, unsent)?;
                self.num_answered += 1;
                self.last_id = id.to_owned();
                return Ok(verdict);
            }
            if end == Stream::Closed || (has_ended && end == Stream::Empty) {
                // A last line may lack its end, where it is whole.
                return match Answer::parse(output.unended()) {
                    Ok(_) => self.answer(id, output.unended(), b"", unsent),
                    Err(_) => Err(self.crash(output.unended(), budget)),
                };
            }
            if budget.expired() {
                return Err(self.overdue(output.unended(), budget));
            }
        }
    }

    /// Reads an answer; `rest` is what came after it.
    fn answer(&self, id: &str, line: &[u8], rest: &[u8], unsent: &[u8]) -> Result<Verdict, Fault> {
        let answer = Answer::parse(line).map_err(|problem| {
            rubbish(format!("{problem}; messages belong on standard error{}", self.said()))
        })?;
        match answer.id.as_ref().map(|found| (found.as_str(), found)) {
            Some((Some(found), _)) if found == id => {}
            Some((Some(found), _)) if found == self.last_id && !found.is_empty() => {
                let message =
                    format!("the verifier answered the request before this one twice: {}", shown(line));
                return Err(Fault { kind: CauseKind::Rubbish, message, may_retry: true });
            }
            Some((_, found)) => {
                let problem = format!("it answers a request with the id {found}, and was asked \"{id}\"");
                return Err(rubbish(format!("{problem}; found {}", shown(line))));
            }
            None => {
                let problem = "the answer has no \"id\"; it must be that of the request";
                return Err(rubbish(format!("{problem}; found {}", shown(line))));
            }
        }
        if !rest.trim_ascii().is_empty() {
            return Err(rubbish(format!("after its answer it wrote {}", shown(rest.trim_ascii_start()))));
        }
        if !unsent.is_empty() {
            let problem = format!("it answered before it had read the request ({} bytes left)", unsent.len());
            return Err(rubbish(problem));
        }
        Ok(answer.verdict)
    }

    /// Waits until there is something to do, at most `limit`; whether the process has ended.
    fn wait(&self, is_sending: bool, limit: Option<Duration>) -> bool {
        let mut fds = vec![PollFd::new(&self.pidfd, PollFlags::IN), PollFd::new(&self.stdout, PollFlags::IN)];
        fds.extend(self.stderr.as_ref().map(|stderr| PollFd::new(stderr, PollFlags::IN)));
        if is_sending {
            fds.extend(self.stdin.as_ref().map(|stdin| PollFd::new(stdin, PollFlags::OUT)));
        }
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        // An interrupted wait is one that ended early.
        let _ = poll(&mut fds, limit.as_ref());
        fds.first().is_some_and(|pidfd| !pidfd.revents().is_empty())
    }

    /// Sends what the pipe takes; what is left.
    fn send<'a>(&mut self, unsent: &'a [u8]) -> &'a [u8] {
        let mut unsent = unsent;
        while let Some(stdin) = &self.stdin
            && !unsent.is_empty()
        {
            match rustix::io::write(stdin, unsent) {
                Ok(sent) => unsent = &unsent[sent..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                // Nobody reads any more: its end, or its answer, says the rest.
                Err(_) => self.stdin = None,
            }
        }
        unsent
    }

    /// Takes what there is of standard output, up to a number of chunks; what is known of the rest.
    fn receive(&self, output: &mut Output) -> Result<Stream, Fault> {
        let mut chunk = [0; CHUNK_BYTES];
        for _ in 0..MOST_CHUNKS {
            match take(&self.stdout, &mut chunk) {
                Received::Bytes(count) => output.add(&chunk[..count])?,
                Received::Nothing => return Ok(Stream::Empty),
                Received::End => return Ok(Stream::Closed),
            }
        }
        Ok(Stream::Open)
    }

    /// Takes what there is of standard error and keeps its end.
    fn drain_stderr(&mut self) {
        let mut chunk = [0; CHUNK_BYTES];
        for _ in 0..MOST_CHUNKS {
            let Some(stderr) = &self.stderr else { return };
            match take(stderr, &mut chunk) {
                Received::Bytes(count) => {
                    self.tail.extend_from_slice(&chunk[..count]);
                    let excess = self.tail.len().saturating_sub(TAIL_BYTES);
                    self.tail.drain(..excess);
                }
                Received::Nothing => return,
                Received::End => self.stderr = None,
            }
        }
    }

    /// The end of what it wrote to standard error, for a message; empty where it wrote nothing.
    fn said(&self) -> String {
        let text = String::from_utf8_lossy(&self.tail);
        match text.trim() {
            "" => String::new(),
            text => format!("; the end of its standard error: {}", text.escape_debug()),
        }
    }

    fn overdue(&self, output: &[u8], budget: &Budget) -> Fault {
        let mut message = format!("the verifier gave no answer in {:.3} s", elapsed_s(budget));
        if !output.trim_ascii().is_empty() {
            message.push_str(&format!("; it wrote {} without the end of a line", shown(output)));
        } else if self.num_answered == 0 {
            message.push_str(
                "; its start is in that time; a program that writes answers must flush its output after each",
            );
        }
        message.push_str("; it was killed");
        message.push_str(&self.said());
        Fault { kind: CauseKind::Timeout, message, may_retry: false }
    }

    fn crash(&mut self, output: &[u8], budget: &Budget) -> Fault {
        let how = self.how_it_ended(END_WAIT.min(budget.remaining()));
        let wrote = match output.trim_ascii() {
            b"" => String::new(),
            output => format!("; it wrote {}", shown(output)),
        };
        let message = format!("the verifier {how} before its answer{wrote}{}", self.said());
        Fault { kind: CauseKind::Crash, message, may_retry: true }
    }

    /// Says how the process ended, once it has closed its standard output.
    fn how_it_ended(&mut self, limit: Duration) -> String {
        self.wait_for_end(limit);
        // All of it is there: the process has ended.
        self.drain_stderr();
        match self.status() {
            Some(status) => match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => format!("ended with exit code {code}"),
                (_, Some(signal)) => format!("was ended by signal {signal}"),
                _ => "ended".to_owned(),
            },
            None => "closed its standard output".to_owned(),
        }
    }

    /// Waits for the process to end; whether it has.
    fn wait_for_end(&self, limit: Duration) -> bool {
        let end = Instant::now().checked_add(limit);
        loop {
            let left = end.map_or(limit, |end| end.saturating_duration_since(Instant::now()));
            let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
            match poll(&mut fds, Timespec::try_from(left).ok().as_ref()) {
                Ok(count) => return count > 0,
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }

    /// How it ended, if it has; it stays to be reaped.
    fn status(&self) -> Option<WaitIdStatus> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        waitid(WaitId::PidFd(self.pidfd.as_fd()), options).ok().flatten()
    }

    /// What it has been doing since its last answer.
    pub(super) fn idle(&mut self) -> Idle {
        self.drain_stderr();
        let mut chunk = [0; CHUNK_BYTES];
        match take(&self.stdout, &mut chunk) {
            Received::Bytes(count) if !chunk[..count].trim_ascii().is_empty() => {
                Idle::Wrote(format!("{}{}", shown(&chunk[..count]), self.said()))
            }
            Received::End => {
                let how = self.how_it_ended(END_WAIT);
                Idle::Ended(format!("{how}{}", self.said()))
            }
            Received::Bytes(_) | Received::Nothing if self.wait_for_end(Duration::ZERO) => {
                let how = self.how_it_ended(Duration::ZERO);
                Idle::Ended(format!("{how}{}", self.said()))
            }
            Received::Bytes(_) | Received::Nothing => Idle::Waiting,
        }
    }

    /// Watches a copy that has just been started until it waits for its first request, at most `limit`. Whether it
    /// waits can be seen only of a program whose first thread reads standard input.
    ///
    /// # Errors
    /// It ended or wrote something: how, or what.
    pub(super) fn watch_start(&mut self, limit: Duration) -> Result<(), String> {
        let end = Instant::now() + limit;
        loop {
            match self.idle() {
                Idle::Ended(how) => return Err(format!("{how} before it was asked anything")),
                Idle::Wrote(what) => {
                    return Err(format!("wrote {what} before it was asked; only answers belong there"));
                }
                Idle::Waiting if Instant::now() >= end || self.is_reading() => return Ok(()),
                Idle::Waiting => {
                    self.wait_for_end(Duration::from_millis(5));
                }
            }
        }
    }

    /// Whether its first thread waits in `read` on standard input; false where the system does not tell.
    fn is_reading(&self) -> bool {
        let number = if cfg!(target_arch = "x86_64") { 0 } else { 63 };
        let path = format!("/proc/{}/syscall", self.pid.as_raw_nonzero());
        std::fs::read_to_string(path).is_ok_and(|call| call.starts_with(&format!("{number} 0x0 ")))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // The group first: it is this child's as long as the child is not reaped.
        let _ = kill_process_group(self.pid, Signal::KILL);
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        guard::forget(self.pid);
        if self.wait_for_end(REAP_WAIT) {
            reap(&self.pidfd, self.pid);
            return;
        }
        // Freeing much memory takes time, and a process in the middle of a disk access cannot be killed. Should the
        // system refuse the descriptor or the thread, the process stays as a zombie until this program ends.
        if let Ok(pidfd) = self.pidfd.try_clone() {
            let pid = self.pid;
            let _ =
                std::thread::Builder::new().name("verify-reaper".to_owned()).spawn(move || reap(&pidfd, pid));
        }
    }
}

/// Waits for a killed process and takes its status, and those of processes of its group whose parent is this program
/// by now, as they have none other where it is the first process of a container.
fn reap(pidfd: &OwnedFd, pid: Pid) {
    while let Err(Errno::INTR) = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED) {}
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    while let Ok(Some(_)) = waitid(WaitId::Pgid(Some(pid)), options) {}
}

fn elapsed_s(budget: &Budget) -> f64 {
    budget.started().elapsed().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_in_pieces_and_blank_ones_passed_over() {
        let mut output = Output::new(100);
        for piece in [&b"\n \r\n\n"[..], b"{\"a\"", b": 1}\r"] {
            output.add(piece).unwrap();
            assert_eq!(output.line_and_rest(), None, "{piece:?}");
        }
        assert_eq!(output.unended(), b"{\"a\": 1}\r");
        output.add(b"\n\nmore").unwrap();
        assert_eq!(output.line_and_rest(), Some((&b"{\"a\": 1}\r"[..], &b"\nmore"[..])));
    }

    #[test]
    fn the_limit_counts_all_bytes() {
        let mut output = Output::new(1024);
        for _ in 0..1024 {
            output.add(b"\n").unwrap();
            assert_eq!(output.line_and_rest(), None);
        }
        assert!(output.add(b"\n").unwrap_err().message.contains("more than 1 KiB"));
    }

    #[test]
    fn a_flood_of_short_lines_costs_no_more_than_its_bytes() {
        let start = Instant::now();
        let mut output = Output::new(usize::MAX);
        output.add(&vec![b'\n'; 32 << 20]).unwrap();
        assert_eq!(output.line_and_rest(), None);
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}
