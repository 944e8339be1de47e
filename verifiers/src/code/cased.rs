//! Programs that read standard input and write standard output: each case is a box of its own, and what it wrote is
//! compared out here.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use rustix::fs::{SealFlags, fcntl_add_seals};
use serde_json::json;

use super::Room;
use super::cases::Comparison;
use super::language::Commands;
use super::program::Program;
use super::reference::Case;
use super::verdicts;
use crate::fault::Fault;
use crate::sandbox::stream::{Keep, Stream};
use crate::sandbox::{BoxId, Ended, Limits, Zygote, handover};
use crate::verdict::{CauseKind, Kind, Score, Verdict};

/// Bytes that are kept of standard error, for messages.
const SAID_BYTES: usize = 4096;
/// Seconds of core time and MiB of files that compiling may take.
const BUILD: (f64, u64) = (60.0, 256);

/// How a program is run.
enum Runner {
    /// In the warm interpreter.
    Python(OwnedFd),
    /// By a command, in a folder that was compiled before.
    Command { payload: OwnedFd, artifact: OwnedFd },
}

/// What one box came to.
struct Done {
    out: Stream,
    err: Stream,
    end: Option<Ended>,
    is_overdue: bool,
    was_killed_for_memory: bool,
}

/// Runs the cases in order, until one fails or, for partial credit, all of them.
pub(super) fn run(
    room: &Room<'_>,
    zygote: &mut Zygote,
    program: &Program,
    commands: Option<(&str, &Commands)>,
    cases: &[Case],
    comparison: Comparison,
) -> Result<Verdict, Fault> {
    let runner = match commands {
        None => {
            let payload = json!({"sources": program.sources, "module": "__main__"}).to_string();
            Runner::Python(handover::text(payload.as_bytes()).map_err(Fault::io)?)
        }
        Some((source, commands)) => match build(room, zygote, program, source, commands)? {
            Ok(runner) => runner,
            Err(verdict) => return Ok(verdict),
        },
    };
    let mut passed = 0;
    let mut first = None;
    for (index, case) in cases.iter().enumerate() {
        match run_case(room, zygote, &runner, case, comparison)? {
            None => passed += 1,
            Some((kind, reason)) => {
                let reason = format!("case {} of {}: {reason}", index + 1, cases.len());
                first = first.or(Some((kind, reason)));
                if !room.settings.partial || Instant::now() >= room.last {
                    break;
                }
            }
        }
    }
    let Some((kind, reason)) = first else {
        let reason = format!("all cases passed ({})", cases.len());
        return Ok(verdicts::give(room, Score::ONE, Kind::Right, reason, program));
    };
    if room.settings.partial && passed > 0 {
        let reason = format!("{passed} of {} cases passed; {reason}", cases.len());
        let share = Score::clamped(f64::from(passed) / cases.len() as f64);
        return Ok(verdicts::give(room, share, Kind::Partial, reason, program));
    }
    Ok(verdicts::give(room, Score::ZERO, kind, reason, program))
}

/// One case: nothing where it passed, else what it came to.
fn run_case(
    room: &Room<'_>,
    zygote: &mut Zygote,
    runner: &Runner,
    case: &Case,
    comparison: Comparison,
) -> Result<Option<(Kind, String)>, Fault> {
    let stdin = handover::text(case.stdin.as_bytes()).map_err(Fault::io)?;
    let (role, limits) = match runner {
        Runner::Python(_) => ("program", room.limits()),
        Runner::Command { .. } => ("command", room.command_limits()),
    };
    let mut fds = vec![("stdin", stdin.as_fd())];
    match runner {
        Runner::Python(payload) => fds.push(("payload", payload.as_fd())),
        Runner::Command { payload, artifact } => {
            fds.extend([("payload", payload.as_fd()), ("artifact", artifact.as_fd())]);
        }
    }
    let (Runner::Python(payload) | Runner::Command { payload, .. }) = runner;
    rewind(payload)?;
    let deadline = (Instant::now() + room.time).min(room.last);
    let done = run_box(room, zygote, role, &fds, limits, deadline)?;
    let said = done.err.last_line().map(|line| format!("; it said: {line}")).unwrap_or_default();
    if done.end.is_none() && done.was_killed_for_memory {
        return Ok(Some((
            Kind::Memory,
            format!("the program took more than {} MiB of memory", room.memory_mb),
        )));
    }
    if done.is_overdue {
        return Ok(Some((Kind::Timeout, "the program did not end in time".to_owned())));
    }
    // Before its end, which is our doing then.
    if done.out.is_cut {
        let reason = format!("the program wrote more than {} KiB", room.output_kb);
        return Ok(Some((Kind::Refused, reason)));
    }
    let end = done.end.as_ref();
    if let Some((kind, how)) = end.and_then(|end| verdicts::of_end(room, end, done.was_killed_for_memory)) {
        let kind = if said.contains("MemoryError") && kind == Kind::Crash { Kind::Memory } else { kind };
        return Ok(Some((kind, format!("the program {how}{said}"))));
    }
    Ok(comparison.difference(&case.stdout, done.out.kept()).map(|difference| (Kind::Wrong, difference)))
}

/// Compiles, once for all cases.
fn build(
    room: &Room<'_>,
    zygote: &mut Zygote,
    program: &Program,
    source: &str,
    commands: &Commands,
) -> Result<Result<Runner, Verdict>, Fault> {
    let words = |words: &Vec<std::ffi::OsString>| -> Vec<String> {
        words.iter().map(|word| word.to_string_lossy().into_owned()).collect()
    };
    let text: String = program.sources.iter().map(|source| source.text.as_str()).collect();
    let payload = json!({"source": source, "text": text, "compile": commands.compile.as_ref().map(words)});
    let payload = handover::text(payload.to_string().as_bytes()).map_err(Fault::io)?;
    let artifact = handover::memory(b"").map_err(Fault::io)?;
    let (cpu_s, tmp_mb) = BUILD;
    let limits = Limits { cpu_s, tmp_mb: tmp_mb.max(room.settings.tmp_mb), ..room.command_limits() };
    let fds = [("payload", payload.as_fd()), ("artifact", artifact.as_fd())];
    let done = run_box(room, zygote, "build", &fds, limits, room.last)?;
    let size = rustix::fs::fstat(&artifact).map_err(|error| Fault::io(error.into()))?.st_size;
    if done.is_overdue || size == 0 || done.end.as_ref().is_none_or(|end| end.exit != Some(0)) {
        let line = first_error(done.err.kept());
        let (kind, how) = match () {
            () if done.is_overdue => (Kind::Timeout, "takes too long to compile".to_owned()),
            () if done.was_killed_for_memory => (Kind::Memory, "takes too much memory to compile".to_owned()),
            () => (Kind::Crash, format!("does not compile: {line}")),
        };
        return Ok(Err(verdicts::give(room, Score::ZERO, kind, format!("the program {how}"), program)));
    }
    // What was compiled in one box is not changed by the next one.
    fcntl_add_seals(&artifact, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)
        .map_err(|error| Fault::io(error.into()))?;
    let payload = json!({"run": words(&commands.run)}).to_string();
    let payload = handover::text(payload.as_bytes()).map_err(Fault::io)?;
    Ok(Ok(Runner::Command { payload, artifact }))
}

/// The first line of a compiler's messages that speaks of an error.
fn first_error(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let line = text.lines().find(|line| line.contains("error")).or_else(|| text.lines().next());
    crate::error::shorten(line.unwrap_or("the compiler said nothing").trim(), 300)
}

fn rewind(fd: &OwnedFd) -> Result<(), Fault> {
    rustix::fs::seek(fd, rustix::fs::SeekFrom::Start(0)).map_err(|error| Fault::io(error.into()))?;
    Ok(())
}

/// One box from its start to its end.
fn run_box(
    room: &Room<'_>,
    zygote: &mut Zygote,
    role: &str,
    fds: &[(&str, std::os::fd::BorrowedFd<'_>)],
    limits: Limits,
    deadline: Instant,
) -> Result<Done, Fault> {
    let kills_before = zygote.oom_kills();
    let (mut out, out_writer) =
        Stream::new(Keep::Start, room.output_kb as usize * 1024).map_err(Fault::io)?;
    let (mut err, err_writer) = Stream::new(Keep::End, SAID_BYTES).map_err(Fault::io)?;
    let mut all = vec![("out", out_writer.as_fd()), ("err", err_writer.as_fd())];
    all.extend_from_slice(fds);
    let id = zygote.spawn(role, &all, limits).map_err(Fault::io)?;
    drop((out_writer, err_writer));
    let is_overdue = loop {
        let is_there = zygote.hear();
        let has_ended = zygote.ended(id).is_some();
        out.drain(|_| {});
        err.drain(|_| {});
        if !is_there && zygote.oom_kills() > kills_before {
            // With the program, whose memory it was.
            return Ok(Done { out, err, end: None, is_overdue: false, was_killed_for_memory: true });
        }
        if !is_there {
            return Err(Fault::new(CauseKind::Crash, "the fork server of the sandbox ended".to_owned()));
        }
        if has_ended && !out.is_open() && !err.is_open() {
            break false;
        }
        if Instant::now() >= deadline || out.is_cut {
            break !out.is_cut;
        }
        let streams: Vec<_> = [&out, &err].into_iter().filter_map(Stream::fd).collect();
        zygote.wait(&streams, deadline);
    };
    zygote.clear(room.end);
    out.drain(|_| {});
    err.drain(|_| {});
    let end = ended(zygote, id)?;
    let was_killed_for_memory = zygote.oom_kills() > kills_before;
    Ok(Done { out, err, end, is_overdue, was_killed_for_memory })
}

/// How a box ended, unless it never was one.
fn ended(zygote: &Zygote, id: BoxId) -> Result<Option<Ended>, Fault> {
    let end = zygote.ended(id).cloned();
    match end.as_ref().and_then(|end| end.problem.clone()) {
        Some(problem) => {
            Err(Fault::new(CauseKind::Unreachable, format!("a box could not be made: {problem}")))
        }
        None => Ok(end),
    }
}
