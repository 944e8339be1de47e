//! What becomes of how a program ended.

use std::time::Duration;

use super::Room;
use super::program::Program;
use crate::sandbox::Ended;
use crate::verdict::{Kind, Score, Verdict};

const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;
const SIGSYS: i32 = 31;

/// Names of the signals that end programs.
const SIGNALS: &[(i32, &str)] = &[
    (4, "SIGILL"),
    (6, "SIGABRT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (SIGKILL, "SIGKILL"),
    (11, "SIGSEGV"),
    (13, "SIGPIPE"),
    (15, "SIGTERM"),
    (SIGXCPU, "SIGXCPU"),
    (SIGXFSZ, "SIGXFSZ"),
    (SIGSYS, "SIGSYS"),
];

/// A verdict on a program, which says which isolation held where it was not the best.
pub(super) fn give(room: &Room<'_>, score: Score, kind: Kind, reason: String, program: &Program) -> Verdict {
    let reason = match room.weaker_level {
        Some(level) => format!("{reason} (isolation: {})", level.name()),
        None => reason,
    };
    Verdict::Judged { score, kind, reason, extracted: Some(program.extracted.clone()) }
}

/// It did not end in time.
pub(super) fn overdue(room: &Room<'_>, elapsed: Duration, during: &str, program: &Program) -> Verdict {
    let reason = format!("it was ended after {:.1} s{during}", elapsed.as_secs_f64());
    give(room, Score::ZERO, Kind::Timeout, reason, program)
}

/// It took too much memory.
pub(super) fn memory(room: &Room<'_>, during: &str, program: &Program) -> Verdict {
    let reason = format!("it took more than {} MiB of memory{during}", room.memory_mb);
    give(room, Score::ZERO, Kind::Memory, reason, program)
}

/// What the end of a program's box says of it, unless it left by itself in peace: the kind, and what to say of it.
pub(super) fn of_end(room: &Room<'_>, end: &Ended, was_killed_for_memory: bool) -> Option<(Kind, String)> {
    match end.signal {
        Some(SIGSYS) => {
            Some((Kind::Refused, "was ended for a system call that no solution needs".to_owned()))
        }
        Some(SIGKILL) if was_killed_for_memory => {
            Some((Kind::Memory, format!("took more than {} MiB of memory", room.memory_mb)))
        }
        Some(SIGKILL | SIGXCPU) if end.cpu_s >= room.limits().cpu_s => {
            Some((Kind::Timeout, format!("took more than {:.0} s of core time", room.limits().cpu_s)))
        }
        Some(SIGXFSZ) => {
            Some((Kind::Memory, format!("wrote a file of more than {} MiB", room.settings.tmp_mb)))
        }
        Some(_) => Some((Kind::Crash, how_it_ended(end))),
        None => match end.exit {
            Some(0) | None => None,
            Some(_) => Some((Kind::Crash, how_it_ended(end))),
        },
    }
}

/// How a box ended, in words.
pub(super) fn how_it_ended(end: &Ended) -> String {
    match (end.exit, end.signal) {
        (_, Some(signal)) => match SIGNALS.iter().find(|(number, _)| *number == signal) {
            Some((_, name)) => format!("was ended by {name}"),
            None => format!("was ended by signal {signal}"),
        },
        (Some(code), None) => format!("left with exit code {code}"),
        (None, None) => "ended".to_owned(),
    }
}
