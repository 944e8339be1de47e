//! Compiles a file by the `lean` command, in a box of its own: what the judgement reads is made here and nowhere else.
//!
//! The box has the modules that may be imported, and nothing of the verifier: elaboration runs what the file tells it
//! to. The compiled module comes out over a descriptor after the box's end, and is bytes of an unknown author.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use rustix::fs::{SealFlags, SeekFrom, fcntl_add_seals, seek};

use super::boxed::{Boxed, Exit, Room, Stop, Tool};
use super::messages::messages;
use super::screen::Message;
use super::settings::LeanSettings;
use super::toolchain::{Toolchain, joined};
use crate::fault::refused;
use crate::sandbox::{Limits, Sandbox, handover};

/// The module that every file is compiled as: private names carry it.
const MODULE: &str = "Submission";
/// Bytes of messages that a file may give rise to.
const MOST_MESSAGE_BYTES: usize = 16 << 20;
/// Bytes of a compiled file that are taken out of a box, however much room its files have.
pub(super) const MOST_MODULE_BYTES: u64 = 1 << 28;
/// MiB of memory of a fork server, beside what Lean may take.
const OVERHEAD_MB: u64 = 256;
/// Whom the kernel ends first where memory is short.
const OOM_SCORE: u32 = 1000;

/// What came of a file.
#[derive(Debug)]
pub(super) enum Compiled {
    /// A module, of whatever worth.
    Module(Vec<u8>),
    /// None.
    Failed { messages: Vec<Message>, exit: Exit },
    /// Lean did not end in time; with the seconds of core time that the box had.
    Overdue { cpu_s: f64 },
    /// It took too much memory.
    Memory,
    /// It wrote messages without end.
    Flood,
}

/// The `lean` command with its sandbox.
#[derive(Debug)]
pub(super) struct Compiler {
    pub(super) sandbox: Arc<Sandbox>,
    /// The binary and the arguments that every file is compiled with.
    run: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) room: Room,
}

/// The state after a header's imports, as Lean saved it.
#[derive(Debug)]
pub(super) struct Snapshot {
    state: OwnedFd,
    /// What it depends on, by Lean's own list.
    deps: OwnedFd,
}

/// MiB that a fork server may take whose Lean may take so much.
pub(super) fn memory_bytes(settings: &LeanSettings) -> u64 {
    settings.memory_mb.saturating_add(OVERHEAD_MB).saturating_mul(1 << 20)
}

impl Compiler {
    /// The compiler of a toolchain.
    ///
    /// # Errors
    /// The search path cannot be written down.
    pub(super) fn new(
        settings: &LeanSettings,
        toolchain: &Toolchain,
        sandbox: Arc<Sandbox>,
        cpu_s: f64,
    ) -> Result<Self, String> {
        let lean_path = joined(&toolchain.lean_path)?;
        let heartbeats = settings.heartbeats;
        let run = [
            toolchain.lean.display().to_string(),
            "--json".to_owned(),
            "--threads=1".to_owned(),
            format!("-DmaxHeartbeats={heartbeats}"),
        ];
        let limits = Limits {
            cpu_s,
            tmp_mb: settings.tmp_mb,
            processes: Some(settings.max_processes),
            // Lean maps gigabytes of compiled modules; what it takes itself is counted by the fork server's cgroup.
            address_mb: None,
            oom_score: OOM_SCORE,
        };
        Ok(Self {
            sandbox,
            run: run.to_vec(),
            environment: BTreeMap::from([
                ("LEAN_PATH".to_owned(), lean_path),
                // The REPL asks the `lean` that it finds first where Lean's library is.
                ("LEAN_SYSROOT".to_owned(), toolchain.prefix.display().to_string()),
                ("PATH".to_owned(), format!("{}:/usr/bin:/bin", toolchain.prefix.join("bin").display())),
            ]),
            room: Room { memory_bytes: memory_bytes(settings), limits, output_bytes: MOST_MESSAGE_BYTES },
        })
    }

    /// Compiles a file.
    ///
    /// # Errors
    /// The sandbox failed.
    pub(super) fn compile(
        &self,
        text: &str,
        snapshot: Option<&Snapshot>,
        deadline: Instant,
    ) -> Result<Compiled, String> {
        let module = handover::memory(b"").map_err(refused)?;
        let output = format!("{MODULE}.olean");
        let mut arguments = vec!["-o".to_owned(), output.clone()];
        if snapshot.is_some() {
            arguments.push("--incr-load=header.snapshot".to_owned());
        }
        let taken: Vec<_> = snapshot.iter().flat_map(|it| it.files()).collect();
        let ended = self.run(&self.room, text, arguments, &taken, &[(&output, &module)], deadline)?;
        Ok(match ended {
            Ended::Exit(exit, messages) => {
                let bytes = contents(module).map_err(refused)?;
                if exit.code == Some(0) && !bytes.is_empty() {
                    Compiled::Module(bytes)
                } else {
                    Compiled::Failed { messages, exit }
                }
            }
            Ended::Other(compiled) => compiled,
        })
    }

    /// The state after the imports of a header; none where this Lean cannot save one.
    ///
    /// # Errors
    /// The sandbox failed.
    pub(super) fn snapshot(&self, imports: &str, deadline: Instant) -> Result<Option<Snapshot>, String> {
        let (state, deps) =
            (handover::memory(b"").map_err(refused)?, handover::memory(b"").map_err(refused)?);
        let arguments = vec!["--incr-header-save=header.snapshot".to_owned()];
        let handed = [("header.snapshot", &state), ("header.snapshot.deps", &deps)];
        // It may be as large as fits into the memory.
        let tmp_mb = self.room.memory_bytes >> 20;
        let room = Room { limits: Limits { tmp_mb, ..self.room.limits }, ..self.room };
        let ended = self.run(&room, imports, arguments, &[], &handed, deadline)?;
        let is_saved = matches!(&ended, Ended::Exit(exit, _) if exit.code == Some(0));
        if !is_saved || size(&state)? == 0 || size(&deps)? == 0 {
            return Ok(None);
        }
        // What one box saved is not changed by the next one.
        for fd in [&state, &deps] {
            fcntl_add_seals(fd, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)
                .map_err(|error| refused(error.into()))?;
        }
        Ok(Some(Snapshot { state, deps }))
    }

    /// One box from its start to its end.
    fn run(
        &self,
        room: &Room,
        text: &str,
        arguments: Vec<String>,
        taken: &[(&str, &OwnedFd)],
        handed: &[(&str, &OwnedFd)],
        deadline: Instant,
    ) -> Result<Ended, String> {
        let file = format!("{MODULE}.lean");
        let mut run = self.run.clone();
        run.extend(arguments);
        run.push(file.clone());
        let files = BTreeMap::from([(file, text.to_owned())]);
        let tool = Tool { run, environment: self.environment.clone(), files };
        let handed: Vec<_> = handed.iter().map(|(name, fd)| (*name, fd.as_fd())).collect();
        let taken: Vec<_> = taken.iter().map(|(name, fd)| (*name, fd.as_fd())).collect();
        let mut boxed = Boxed::start_with(&self.sandbox, &tool, room, &taken, &handed)?;
        boxed.close_input();
        loop {
            match boxed.more(deadline) {
                Ok(()) => {}
                Err(Stop::Ended(exit)) => return Ok(Ended::Exit(exit, messages(boxed.output()))),
                Err(Stop::Memory) => return Ok(Ended::Other(Compiled::Memory)),
                Err(Stop::Flood) => return Ok(Ended::Other(Compiled::Flood)),
                Err(Stop::Overdue) => {
                    let cpu_s = boxed.stop().unwrap_or(0.0);
                    return Ok(Ended::Other(Compiled::Overdue { cpu_s }));
                }
                Err(Stop::Lost(problem)) => return Err(problem),
            }
        }
    }
}

enum Ended {
    Exit(Exit, Vec<Message>),
    Other(Compiled),
}

impl Snapshot {
    /// The files that a box needs, by their names there.
    fn files(&self) -> [(&'static str, &OwnedFd); 2] {
        [("header.snapshot", &self.state), ("header.snapshot.deps", &self.deps)]
    }
}

fn size(fd: &OwnedFd) -> Result<u64, String> {
    let stat = rustix::fs::fstat(fd).map_err(|error| refused(error.into()))?;
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}

/// What was written to a descriptor, from its beginning: one byte more than may be taken where it is too much, which the
/// reader of compiled files refuses.
fn contents(fd: OwnedFd) -> std::io::Result<Vec<u8>> {
    seek(&fd, SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    std::fs::File::from(fd).take(MOST_MODULE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
