//! A program of Lean's in a box of the sandbox, with pipes to talk to it: what it elaborates can run anything.
//!
//! The box has a fork server to itself while it lives, so that its memory is counted alone, and its end is the end of
//! everything in it. The program is fed and heard in one loop that never blocks: one that does not read, or writes where
//! nobody asked, stops nothing here.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use serde_json::json;

use crate::fault::refused;
use crate::pipe::{Received, take};
use crate::sandbox::stream::{CHUNK_BYTES, Keep, MOST_CHUNKS, Stream};
use crate::sandbox::{BoxId, Ended, Limits, Sandbox, Zygote, handover};

/// Bytes that are kept of standard error, for messages.
const SAID_BYTES: usize = 4096;
/// How long a program that has closed its standard output may take to end, so that it can be said how it ended.
const END_WAIT: Duration = Duration::from_millis(500);
/// How long the end of a box is waited for before its fork server goes with it.
const CLEAR_WAIT: Duration = Duration::from_secs(2);

/// What is run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tool {
    /// The program's path and its arguments.
    pub(crate) run: Vec<String>,
    /// Of the program only, beside what every box has.
    pub(crate) environment: BTreeMap<String, String>,
    /// Texts of files in the folder where it runs, by their paths there.
    pub(crate) files: BTreeMap<String, String>,
}

/// What it may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Of the fork server with the box, where memory is counted.
    pub(crate) memory_bytes: u64,
    /// Of each process.
    pub(crate) limits: Limits,
    /// Bytes of standard output that may wait to be looked at.
    pub(crate) output_bytes: usize,
}

/// Why there is no more output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The deadline has come.
    Overdue,
    /// The kernel ended a process of the box because the memory did not suffice.
    Memory,
    /// The program has ended, in this way, or cannot be heard any more.
    Ended(Exit),
    /// It wrote more than may wait, or be kept.
    Flood,
    /// The sandbox failed: not the program's doing.
    Lost(String),
}

/// How a program ended. It says itself what it likes here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exit {
    /// Where it left by itself.
    pub(crate) code: Option<i32>,
    /// Where it was ended.
    pub(crate) signal: Option<i32>,
    /// The last line of its standard error.
    pub(crate) said: Option<String>,
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.code, self.signal) {
            (_, Some(signal)) => write!(f, "was ended by signal {signal}")?,
            (Some(code), None) => write!(f, "left with exit code {code}")?,
            (None, None) => f.write_str("closed its output")?,
        }
        match &self.said {
            Some(line) => write!(f, "; it said: {line}"),
            None => Ok(()),
        }
    }
}

/// A running program. Dropping it ends it and everything that it started.
#[derive(Debug)]
pub(crate) struct Boxed {
    sandbox: Arc<Sandbox>,
    /// None only while it is dropped.
    zygote: Option<Zygote>,
    id: BoxId,
    /// None once it is closed.
    input: Option<OwnedFd>,
    unsent: Vec<u8>,
    /// None once the program has closed it.
    output: Option<OwnedFd>,
    closed_at: Option<Instant>,
    received: Vec<u8>,
    /// Bytes of `received` that were taken.
    num_taken: usize,
    most_received: usize,
    said: Stream,
    kills_before: u64,
}

impl Boxed {
    /// Starts a program. After its end, the files of `hand_out` that are there and plain are copied to the descriptors,
    /// before it counts as ended.
    ///
    /// # Errors
    /// There is no sandbox, or it refuses a box.
    pub(crate) fn start(
        sandbox: &Arc<Sandbox>,
        tool: &Tool,
        room: &Room,
        hand_out: &[(&str, BorrowedFd<'_>)],
    ) -> Result<Self, String> {
        Self::start_with(sandbox, tool, room, &[], hand_out)
    }

    /// Starts a program that finds the descriptors of `take_in` as files of these names.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub(crate) fn start_with(
        sandbox: &Arc<Sandbox>,
        tool: &Tool,
        room: &Room,
        take_in: &[(&str, BorrowedFd<'_>)],
        hand_out: &[(&str, BorrowedFd<'_>)],
    ) -> Result<Self, String> {
        let names =
            |files: &[(&str, _)]| files.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        let payload = json!({
            "run": tool.run,
            "environment": tool.environment,
            "files": tool.files,
            "take_in": names(take_in),
            "hand_out": names(hand_out),
        });
        let payload = handover::text(payload.to_string().as_bytes()).map_err(refused)?;
        let (stdin, input) = handover::feed().map_err(refused)?;
        let (output, stdout) = handover::pipe().map_err(refused)?;
        let (said, stderr) = Stream::new(Keep::End, SAID_BYTES).map_err(refused)?;
        let mut fds = vec![
            ("stdin", stdin.as_fd()),
            ("out", stdout.as_fd()),
            ("err", stderr.as_fd()),
            ("payload", payload.as_fd()),
        ];
        fds.extend(take_in.iter().chain(hand_out).map(|(_, fd)| ("file", *fd)));
        let mut zygote = sandbox.take(room.memory_bytes).map_err(|error| error.to_string())?;
        let kills_before = zygote.oom_kills();
        let id = zygote.spawn("tool", &fds, room.limits).map_err(refused)?;
        Ok(Self {
            sandbox: Arc::clone(sandbox),
            zygote: Some(zygote),
            id,
            input: Some(input),
            unsent: Vec::new(),
            output: Some(output),
            closed_at: None,
            received: Vec::new(),
            num_taken: 0,
            most_received: room.output_bytes,
            said,
            kills_before,
        })
    }

    /// Puts these bytes after those that are to be sent. They go while [`Self::more`] waits.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
        self.feed();
    }

    /// Whether the program has taken all that was sent, so far as can be seen from outside.
    pub(crate) fn is_fed(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Closes its standard input; what was not sent by now never is.
    pub(crate) fn close_input(&mut self) {
        self.input = None;
        self.unsent.clear();
    }

    /// What it wrote and nobody took.
    pub(crate) fn output(&self) -> &[u8] {
        &self.received[self.num_taken..]
    }

    /// Bytes of standard output that may wait to be looked at, or be kept of it.
    pub(crate) fn most_output(&self) -> usize {
        self.most_received
    }

    /// Takes so many bytes off what it wrote.
    pub(crate) fn consume(&mut self, count: usize) {
        self.num_taken = self.received.len().min(self.num_taken.saturating_add(count));
        // The rest moves only where it is the smaller part: of a million small messages each would else move all others.
        if self.num_taken > self.received.len() / 2 {
            self.received.drain(..self.num_taken);
            self.num_taken = 0;
        }
    }

    /// The last line that it wrote to standard error.
    pub(crate) fn said(&self) -> Option<String> {
        self.said.last_line()
    }

    /// Waits until it has written more.
    ///
    /// # Errors
    /// It has not, and why. After anything but [`Stop::Overdue`] there will be nothing more.
    pub(crate) fn more(&mut self, deadline: Instant) -> Result<(), Stop> {
        loop {
            // In this order: what a program wrote before it ended is there once its end is known.
            let is_there = self.zygote.as_mut().is_some_and(Zygote::hear);
            let end = self.zygote.as_ref().and_then(|zygote| zygote.ended(self.id)).cloned();
            let has_more = self.receive()?;
            self.said.drain(|_| {});
            if has_more {
                // What writes on and on, so that there is always more, is not to be heard for ever.
                return if Instant::now() < deadline { Ok(()) } else { Err(Stop::Overdue) };
            }
            match end {
                Some(end) => return Err(self.ending(end)),
                None if !is_there => return Err(self.lost()),
                None => {}
            }
            let deadline = match self.closed_at {
                Some(closed_at) => deadline.min(closed_at + END_WAIT),
                None => deadline,
            };
            if Instant::now() >= deadline {
                return Err(match self.output {
                    Some(_) => Stop::Overdue,
                    None if self.was_killed_for_memory() => Stop::Memory,
                    None => Stop::Ended(Exit { said: self.said(), ..Exit::default() }),
                });
            }
            self.feed();
            self.wait(deadline);
        }
    }

    /// Whether it runs, has taken all that was sent, and can be heard. Takes what it has written by now.
    pub(crate) fn is_well(&mut self) -> bool {
        let is_there = self.zygote.as_mut().is_some_and(Zygote::hear);
        let runs = self.zygote.as_ref().is_some_and(|zygote| zygote.ended(self.id).is_none());
        let can_be_heard = self.receive().is_ok() && self.output.is_some();
        self.said.drain(|_| {});
        is_there && runs && can_be_heard && self.is_fed()
    }

    /// Whether the kernel has ended a process of the box because the memory did not suffice.
    pub(crate) fn was_killed_for_memory(&self) -> bool {
        self.zygote.as_ref().is_some_and(|zygote| zygote.oom_kills() > self.kills_before)
    }

    /// Ends it, and says how much core time it had, in seconds; nothing where its end cannot be seen.
    pub(crate) fn stop(&mut self) -> Option<f64> {
        let zygote = self.zygote.as_mut()?;
        zygote.clear_measured(Instant::now() + CLEAR_WAIT);
        zygote.ended(self.id).map(|end| end.cpu_s)
    }

    fn wait(&self, deadline: Instant) {
        let Some(zygote) = &self.zygote else { return };
        let streams: Vec<_> =
            self.output.as_ref().map(AsFd::as_fd).into_iter().chain(self.said.fd()).collect();
        let sink = self.input.as_ref().filter(|_| !self.unsent.is_empty()).map(AsFd::as_fd);
        zygote.wait_to_write(&streams, sink, deadline);
    }

    /// Takes what there is; whether that was anything.
    fn receive(&mut self) -> Result<bool, Stop> {
        let mut chunk = [0; CHUNK_BYTES];
        let mut has_more = false;
        for _ in 0..MOST_CHUNKS {
            let Some(output) = &self.output else { break };
            match take(output, &mut chunk) {
                Received::Bytes(count) => {
                    self.received.extend_from_slice(&chunk[..count]);
                    has_more = true;
                }
                Received::Nothing => break,
                Received::End => {
                    self.output = None;
                    self.closed_at = Some(Instant::now());
                }
            }
            if self.output().len() > self.most_received {
                return Err(Stop::Flood);
            }
        }
        Ok(has_more)
    }

    /// Sends what it takes without waiting.
    fn feed(&mut self) {
        while let Some(input) = &self.input
            && !self.unsent.is_empty()
        {
            match rustix::io::write(input, &self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // It reads no more. Its end, or its silence, says the rest.
                Err(_) => self.close_input(),
            }
        }
    }

    fn ending(&self, end: Ended) -> Stop {
        match end.problem {
            Some(problem) => Stop::Lost(format!("a box could not be made: {problem}")),
            None if self.was_killed_for_memory() => Stop::Memory,
            None => Stop::Ended(Exit { code: end.exit, signal: end.signal, said: self.said() }),
        }
    }

    /// The fork server is gone, and its box with it.
    fn lost(&self) -> Stop {
        if self.was_killed_for_memory() {
            return Stop::Memory;
        }
        Stop::Lost("the fork server of the sandbox ended".to_owned())
    }
}

impl Drop for Boxed {
    fn drop(&mut self) {
        if let Some(mut zygote) = self.zygote.take() {
            zygote.clear(Instant::now() + CLEAR_WAIT);
            self.sandbox.give_back(zygote);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Read;

    use super::*;
    use crate::sandbox::{Isolation, SandboxConfig};

    pub(in crate::lean) const MEMORY_BYTES: u64 = 256 << 20;

    /// A sandbox with fork servers that are used for several boxes.
    pub(in crate::lean) fn sandbox(isolation: Isolation, readable: Vec<std::path::PathBuf>) -> Arc<Sandbox> {
        sandbox_of("python3", isolation, readable)
    }

    /// The same with that Python.
    pub(in crate::lean) fn sandbox_of(
        python: &str,
        isolation: Isolation,
        readable: Vec<std::path::PathBuf>,
    ) -> Arc<Sandbox> {
        Arc::new(Sandbox::new(SandboxConfig {
            python: python.to_owned(),
            isolation,
            readable,
            modules: &[],
            memory_bytes: MEMORY_BYTES,
            num_tasks: 256,
            uses: 100,
        }))
    }

    pub(in crate::lean) fn room() -> Room {
        Room {
            memory_bytes: MEMORY_BYTES,
            limits: Limits { cpu_s: 60.0, tmp_mb: 16, processes: None, address_mb: None, oom_score: 1000 },
            output_bytes: 1 << 20,
        }
    }

    /// A script in the place of a program of Lean's.
    pub(in crate::lean) fn peer(script: &str) -> Tool {
        let run = ["python3", "peer.py"].map(str::to_owned).to_vec();
        let files = BTreeMap::from([("peer.py".to_owned(), script.to_owned())]);
        Tool { run, files, environment: BTreeMap::new() }
    }

    fn shell(script: &str) -> Tool {
        Tool { run: vec!["/bin/sh".into(), "-c".into(), script.into()], ..Tool::default() }
    }

    fn start(tool: &Tool) -> Boxed {
        Boxed::start(&sandbox(Isolation::Auto, Vec::new()), tool, &room(), &[]).unwrap()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    /// What it writes until it stops, and why it stops.
    fn hear_out(program: &mut Boxed) -> (String, Stop) {
        loop {
            if let Err(stop) = program.more(soon()) {
                return (String::from_utf8_lossy(program.output()).into_owned(), stop);
            }
        }
    }

    #[test]
    fn a_program_is_talked_to_and_its_files_and_environment_are_its_own() {
        let mut tool = shell("cat a/b; echo $NAME; while read x; do echo got $x; done; echo bye >&2; exit 3");
        tool.files.insert("a/b".to_owned(), "file\n".to_owned());
        tool.environment.insert("NAME".to_owned(), "value".to_owned());
        let mut program = start(&tool);
        program.send(b"one\n");
        while !program.output().ends_with(b"got one\n") {
            program.more(soon()).unwrap();
        }
        assert_eq!(program.output(), b"file\nvalue\ngot one\n");
        program.consume(11);
        assert_eq!(program.output(), b"got one\n");
        program.consume(100);
        assert!(program.is_well() && program.output().is_empty());
        let before = Instant::now();
        assert_eq!(program.more(before + Duration::from_millis(50)), Err(Stop::Overdue));
        assert!(before.elapsed() >= Duration::from_millis(50));
        program.close_input();
        let (text, stop) = hear_out(&mut program);
        let exit = Exit { code: Some(3), signal: None, said: Some("bye".to_owned()) };
        assert_eq!((text.as_str(), &stop), ("", &Stop::Ended(exit.clone())));
        assert_eq!(exit.to_string(), "left with exit code 3; it said: bye");
        assert!(!program.is_well());
    }

    #[test]
    fn much_is_sent_to_a_program_that_writes_before_it_reads() {
        let mut program = start(&shell("head -c 500000 /dev/zero; wc -c; sleep 60"));
        program.send(&vec![b'x'; 900_000]);
        program.send(b"\n");
        while program.output().len() < 500_000 {
            program.more(soon()).unwrap();
        }
        while !program.is_fed() {
            // Nothing more comes before its input ends.
            assert_eq!(program.more(Instant::now() + Duration::from_millis(20)), Err(Stop::Overdue));
        }
        program.close_input();
        while !program.output().ends_with(b"900001\n") {
            program.more(soon()).unwrap();
        }
    }

    #[test]
    fn many_small_parts_are_taken_off_quickly() {
        const NUM_BYTES: usize = 1_000_000;
        let mut program = start(&shell("head -c 1000000 /dev/zero; sleep 60"));
        while program.output().len() < NUM_BYTES {
            program.more(soon()).unwrap();
        }
        let before = Instant::now();
        for left in (0..NUM_BYTES).rev() {
            program.consume(1);
            assert_eq!(program.output().len(), left);
        }
        // Moving what is left each time would be moving five hundred thousand megabytes.
        assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    }

    #[test]
    fn a_flood_ends_it_and_silence_of_a_closed_output_is_an_end() {
        let (text, stop) = hear_out(&mut start(&shell("cat /dev/zero")));
        assert!(stop == Stop::Flood && text.len() > 1 << 20 && text.len() < 4 << 20);
        let (text, stop) = hear_out(&mut start(&shell("echo gone >&2; echo x; exec >&-; sleep 60")));
        let exit = Exit { said: Some("gone".to_owned()), ..Exit::default() };
        assert_eq!((text.as_str(), stop), ("x\n", Stop::Ended(exit)));
        let (_, stop) = hear_out(&mut start(&shell("kill -9 $$")));
        // The first process of a namespace cannot end itself so.
        assert!(
            matches!(stop, Stop::Ended(Exit { signal: Some(9), .. } | Exit { code: Some(0), .. })),
            "{stop:?}"
        );
        let missing = Tool { run: vec!["/nonexistent/lean".to_owned()], ..Tool::default() };
        let (_, stop) = hear_out(&mut start(&missing));
        let Stop::Ended(exit) = stop else { panic!("{stop:?}") };
        assert!(
            exit.to_string().starts_with("left with exit code 127; it said: the program cannot be run"),
            "{exit}"
        );
    }

    #[test]
    fn memory_is_the_boxs_own() {
        let sandbox = sandbox(Isolation::Auto, Vec::new());
        if !sandbox.facts().unwrap().has_cgroups() {
            return println!("SKIPPED: memory_is_the_boxs_own: no cgroups");
        }
        let tool = shell("python3 -c \"x = b'x' * (1 << 30)\"; echo survived");
        let mut program = Boxed::start(&sandbox, &tool, &room(), &[]).unwrap();
        // The kernel may end the shell or what it started, or all.
        let stop = loop {
            if program.output().ends_with(b"survived\n") {
                assert!(program.was_killed_for_memory());
                break None;
            }
            if let Err(stop) = program.more(soon()) {
                break Some(stop);
            }
        };
        assert!(matches!(stop, None | Some(Stop::Memory)), "{stop:?}");
        drop(program);
        // The fork server may be used again; what happened before does not count for the next.
        let mut program = Boxed::start(&sandbox, &shell("echo fine"), &room(), &[]).unwrap();
        let (text, stop) = hear_out(&mut program);
        assert_eq!((text.as_str(), stop), ("fine\n", Stop::Ended(Exit { code: Some(0), ..Exit::default() })));
    }

    #[test]
    fn files_are_handed_out_after_the_end_and_nothing_but_plain_files() {
        let sandbox = sandbox(Isolation::Auto, Vec::new());
        let script = "mkdir d; printf result > d/out; ln -s /etc/passwd link; mkfifo pipe; exit 5";
        let names = ["d/out", "link", "pipe", "none"];
        let files: Vec<OwnedFd> = names.iter().map(|_| handover::memory(b"").unwrap()).collect();
        let hand_out: Vec<_> = names.iter().zip(&files).map(|(name, file)| (*name, file.as_fd())).collect();
        let mut program = Boxed::start(&sandbox, &shell(script), &room(), &hand_out).unwrap();
        let (_, stop) = hear_out(&mut program);
        assert_eq!(stop, Stop::Ended(Exit { code: Some(5), ..Exit::default() }));
        let contents = files.iter().map(|file| {
            let mut file = std::fs::File::from(file.try_clone().unwrap());
            std::io::Seek::rewind(&mut file).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            text
        });
        assert_eq!(contents.collect::<Vec<_>>(), ["result", "", "", ""]);
        let (none, some) = (handover::memory(b"").unwrap(), shell("kill -15 $$; sleep 9"));
        let mut program = Boxed::start(&sandbox, &some, &room(), &[("x", none.as_fd())]).unwrap();
        assert_eq!(hear_out(&mut program).1, Stop::Ended(Exit { code: Some(143), ..Exit::default() }));
    }

    #[test]
    fn what_is_stopped_says_how_much_core_time_it_had() {
        for (script, is_busy) in [("(while :; do :; done) & wait", true), ("sleep 60 & wait", false)] {
            let mut program = start(&shell(script));
            let _ = program.more(Instant::now() + Duration::from_secs(1));
            let cpu_s = program.stop().unwrap();
            // A busy machine leaves it little, a loop takes some of it all the same.
            assert_eq!(cpu_s > 0.1, is_busy, "{script}: {cpu_s} s");
        }
    }

    #[test]
    fn files_are_taken_in_and_not_changed() {
        let sandbox = sandbox(Isolation::Auto, Vec::new());
        let (given, none) = (handover::text(b"given").unwrap(), handover::memory(b"").unwrap());
        let script = shell("cat in; (echo more >> in) 2>/dev/null; cat in");
        let take_in = [("in", given.as_fd())];
        for hand_out in [&[][..], &[("out", none.as_fd())]] {
            let mut program = Boxed::start_with(&sandbox, &script, &room(), &take_in, hand_out).unwrap();
            assert_eq!(hear_out(&mut program).0, "givengiven");
        }
    }

    #[test]
    fn dropping_it_ends_what_it_started() {
        let sandbox = sandbox(Isolation::Auto, Vec::new());
        let mut program = Boxed::start(&sandbox, &shell("sleep 3600 & echo up; wait"), &room(), &[]).unwrap();
        program.more(soon()).unwrap();
        let before = Instant::now();
        drop(program);
        assert!(before.elapsed() < CLEAR_WAIT, "{:?}", before.elapsed());
        let mut program = Boxed::start(&sandbox, &shell("echo next"), &room(), &[]).unwrap();
        assert_eq!(hear_out(&mut program).0, "next\n");
    }
}
