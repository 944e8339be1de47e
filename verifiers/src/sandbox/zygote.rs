//! The Rust side of one fork server: starts it, asks it for boxes, hears of their ends, and ends it with all of them.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Launch, Level, SandboxError, handover};
use crate::pipe::{Received, take};

/// How long a fork server may take to be ready.
const START_WAIT: Duration = Duration::from_secs(30);
/// Bytes of the longest packet about the end of a box: its problem is at most 1000 characters.
const NEWS_BYTES: usize = 8 << 10;
/// Bytes of the longest packet.
const PACKET_BYTES: usize = 1 << 16;

/// What the kernel keeps each box to.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Limits {
    /// Seconds of core time of each process.
    pub(crate) cpu_s: f64,
    /// MiB of the box's own files, in each place.
    pub(crate) tmp_mb: u64,
    /// Processes and threads at once; none for no limit of its own.
    pub(crate) processes: Option<u64>,
    /// MiB of address space of each process; none for no limit of its own.
    pub(crate) address_mb: Option<u64>,
    /// From 0 to 1000: whom the kernel ends first where memory is short.
    pub(crate) oom_score: u32,
}

/// One box of a fork server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BoxId(u64);

/// How a box ended.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Ended {
    ended: u64,
    /// It never was a box: what the machine refused.
    pub(crate) problem: Option<String>,
    /// The exit code, where it left by itself. The guest says what it likes here.
    pub(crate) exit: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// Seconds of core time.
    pub(crate) cpu_s: f64,
}

/// A running fork server. Dropping it ends it and every box of it.
#[derive(Debug)]
pub(crate) struct Zygote {
    process: Child,
    /// None once it is closed.
    control: Option<OwnedFd>,
    next: u64,
    /// Boxes that were asked for, and how they ended, if they have.
    boxes: BTreeMap<BoxId, Option<Ended>>,
    /// Verifications that it served.
    pub(super) num_served: u64,
    /// Whether all its boxes ended when they were to.
    pub(super) is_trusted: bool,
    /// Its memory and processes are counted here, where the machine can.
    slot: Option<super::cgroup::Slot>,
    memory_bytes: u64,
}

impl Zygote {
    /// Starts one at that level and waits until it is ready.
    pub(super) fn start(launch: &Launch, level: Level) -> Result<Self, SandboxError> {
        let refuse = |problem: String| SandboxError::Start { level, problem };
        let io = |error: std::io::Error| refuse(error.to_string());
        let bundle = handover::memory(launch.bundle(level)?.as_bytes()).map_err(io)?;
        let (control, theirs) = handover::packets().map_err(io)?;
        fcntl_setfl(&control, fcntl_getfl(&control).map_err(|e| io(e.into()))? | OFlags::NONBLOCK)
            .map_err(|e| io(e.into()))?;
        let interpreter = &launch.interpreter;
        let mut command = Command::new(&interpreter.executable);
        command.args(["-s", "-B", "-c", include_str!("boot.py")]);
        command.env_clear().envs(launch.environment()).current_dir("/").process_group(0);
        command.stdin(theirs).stdout(bundle).stderr(Stdio::piped());
        let slot = launch.slot().map_err(|error| refuse(error.to_string()))?;
        let procs = slot.as_ref().map_or(Ok(Vec::new()), super::cgroup::Slot::procs);
        let procs = procs.map_err(|error| refuse(error.to_string()))?;
        let process = command.spawn().map_err(io)?;
        drop(command);
        let mut zygote = Self {
            process,
            control: Some(control),
            next: 0,
            boxes: BTreeMap::new(),
            num_served: 0,
            is_trusted: true,
            slot,
            memory_bytes: launch.config.memory_bytes,
        };
        let procs: Vec<_> = procs.iter().map(AsFd::as_fd).collect();
        zygote.send(b"{}", &procs).map_err(|error| refuse(zygote.last_words(&error.to_string())))?;
        zygote.greet().map_err(refuse)?;
        Ok(zygote)
    }

    /// Waits for the first packet.
    fn greet(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + START_WAIT;
        let mut packet = vec![0; PACKET_BYTES];
        loop {
            match self.control.as_ref().map_or(Received::End, |control| take(control, &mut packet)) {
                Received::Bytes(count) => {
                    let reply: serde_json::Value =
                        serde_json::from_slice(&packet[..count]).map_err(|error| error.to_string())?;
                    return match reply.get("failed").and_then(serde_json::Value::as_str) {
                        Some(problem) => Err(problem.to_owned()),
                        None => Ok(()),
                    };
                }
                Received::End => return Err(self.last_words("it ended at its start")),
                Received::Nothing if Instant::now() >= deadline => {
                    return Err(format!("it was not ready in {} s", START_WAIT.as_secs()));
                }
                Received::Nothing => self.wait(&[], deadline),
            }
        }
    }

    /// What happened, with the end of what the fork server wrote to its standard error. It is ended.
    fn last_words(&mut self, what: &str) -> String {
        let _ = self.process.kill();
        let mut said = String::new();
        if let Some(stderr) = self.process.stderr.take() {
            let _ = stderr.take(PACKET_BYTES as u64).read_to_string(&mut said);
        }
        match said.trim().lines().last() {
            Some(line) => format!("{what}: {line}"),
            None => what.to_owned(),
        }
    }

    fn send(&self, packet: &[u8], fds: &[BorrowedFd<'_>]) -> std::io::Result<()> {
        match &self.control {
            Some(control) => handover::send(control.as_fd(), packet, fds),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Asks for a box in that role with these descriptors, by name.
    pub(crate) fn spawn(
        &mut self,
        role: &str,
        fds: &[(&str, BorrowedFd<'_>)],
        limits: Limits,
    ) -> std::io::Result<BoxId> {
        let id = BoxId(self.next);
        let names: Vec<&str> = fds.iter().map(|(name, _)| *name).collect();
        let packet = json!({"spawn": id.0, "role": role, "fds": names, "limits": limits}).to_string();
        let fds: Vec<_> = fds.iter().map(|(_, fd)| *fd).collect();
        self.send(packet.as_bytes(), &fds)?;
        self.next += 1;
        self.boxes.insert(id, None);
        Ok(id)
    }

    /// Waits until there is news of a box or something to read from one of `streams`, no longer than until `deadline`.
    pub(crate) fn wait(&self, streams: &[BorrowedFd<'_>], deadline: Instant) {
        self.wait_to_write(streams, None, deadline);
    }

    /// As [`Self::wait`], or until something can be written to `sink`.
    pub(crate) fn wait_to_write(
        &self,
        streams: &[BorrowedFd<'_>],
        sink: Option<BorrowedFd<'_>>,
        deadline: Instant,
    ) {
        let all = self.control.iter().map(AsFd::as_fd).chain(streams.iter().copied());
        let mut fds: Vec<_> = all.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        fds.extend(sink.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::OUT)));
        let left = deadline.saturating_duration_since(Instant::now());
        // An interrupted wait is one that ended early.
        let _ = poll(&mut fds, Timespec::try_from(left).ok().as_ref());
    }

    /// Takes the news that there are. False: the fork server is gone.
    pub(crate) fn hear(&mut self) -> bool {
        let mut packet = [0; NEWS_BYTES];
        loop {
            let Some(control) = &self.control else { return false };
            match take(control, &mut packet) {
                Received::Bytes(count) => {
                    if let Ok(ended) = serde_json::from_slice::<Ended>(&packet[..count])
                        && let Some(place) = self.boxes.get_mut(&BoxId(ended.ended))
                    {
                        *place = Some(ended);
                    }
                }
                Received::Nothing => return true,
                Received::End => {
                    self.control = None;
                    return false;
                }
            }
        }
    }

    /// How a box ended, if it has.
    pub(crate) fn ended(&self, id: BoxId) -> Option<&Ended> {
        self.boxes.get(&id).and_then(Option::as_ref)
    }

    /// Ends all boxes and waits until they are gone, no longer than until `deadline`. Where they are not, this fork server
    /// is not used again, and its end, later, is theirs.
    pub(crate) fn clear(&mut self, deadline: Instant) {
        self.is_trusted &= self.end_all(deadline, false);
    }

    /// The same, but counts before how much core time the boxes had: [`Ended::cpu_s`] has otherwise only that of processes
    /// that ended before their box. Takes some milliseconds.
    pub(crate) fn clear_measured(&mut self, deadline: Instant) {
        self.is_trusted &= self.end_all(deadline, true);
    }

    fn end_all(&mut self, deadline: Instant, measure: bool) -> bool {
        let running: Vec<_> = self.boxes.iter().filter(|(_, end)| end.is_none()).map(|(id, _)| *id).collect();
        for id in running {
            if self.send(json!({"kill": id.0, "measure": measure}).to_string().as_bytes(), &[]).is_err() {
                return false;
            }
        }
        while self.boxes.values().any(Option::is_none) {
            if !self.hear() || Instant::now() >= deadline {
                return false;
            }
            if self.boxes.values().any(Option::is_none) {
                self.wait(&[], deadline);
            }
        }
        true
    }

    /// Forgets boxes that have ended, after which their ends cannot be asked for.
    pub(super) fn forget(&mut self) {
        self.boxes.clear();
        self.num_served += 1;
    }

    /// Sets how much memory it may take with all its boxes, where that is counted.
    pub(super) fn limit_memory(&mut self, bytes: u64) -> Result<(), SandboxError> {
        if let Some(slot) = &self.slot
            && bytes != self.memory_bytes
        {
            let refuse = |error: super::cgroup::CgroupError| SandboxError::Memory(error.to_string());
            slot.limit_memory(bytes).map_err(refuse)?;
            self.memory_bytes = bytes;
        }
        Ok(())
    }

    /// Processes that the kernel ended for their memory, ever.
    pub(crate) fn oom_kills(&self) -> u64 {
        self.slot.as_ref().map_or(0, super::cgroup::Slot::oom_kills)
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        // It ends by itself once nobody can ask any more, and removes what its boxes left; one that does not is killed.
        self.control = None;
        let deadline = Instant::now() + Duration::from_millis(500);
        while Instant::now() < deadline {
            match self.process.try_wait() {
                Ok(Some(_)) => return,
                Ok(None) => std::thread::sleep(Duration::from_millis(1)),
                Err(_) => break,
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
