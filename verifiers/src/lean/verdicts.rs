//! What becomes of how a proof ended.

use std::time::Duration;

use polestar_lean::judgement::{JudgeError, Proof, Refusal};

use super::compile::Compiled;
use super::screen::{self, Message, Screened, first_error};
use super::settings::{Backend, LeanSettings, Partial};
use super::source::Source;
use crate::error::shorten;
use crate::fault::Fault;
use crate::verdict::{CauseKind, Kind, Score, Verdict};

/// Bytes of a message that a reason shows.
const SHOWN_BYTES: usize = 600;
/// Of the time that a proof may take, the share after which it has had it: what starts and ends a box takes some of it.
const ENOUGH_SHARE: f64 = 0.9;
/// Of the time that a proof may take, the share of core time that shows that it had the machine to itself.
const OWN_SHARE: f64 = 0.5;

/// A proof that holds.
fn proved(source: &Source, proof: &Proof) -> Verdict {
    let checked = match proof.num_checked {
        1 => "1 constant checked".to_owned(),
        n => format!("{n} constants checked"),
    };
    let axioms = match proof.axioms.as_slice() {
        [] => "no axioms".to_owned(),
        axioms => format!("axioms: {}", axioms.join(", ")),
    };
    Verdict::right(format!("proved; {checked}; {axioms}"), Some(source.extracted.clone()))
}

/// What a judgement comes to.
pub(super) fn of_judgement(
    source: &Source,
    judged: Result<Result<Proof, Refusal>, JudgeError>,
) -> Result<Verdict, Fault> {
    match judged {
        Ok(Ok(proof)) => Ok(proved(source, &proof)),
        Ok(Err(refusal)) => Ok(of_refusal(source, refusal)),
        Err(error @ JudgeError::Overdue { .. }) => Err(Fault::lasting(
            CauseKind::Timeout,
            format!("{error}: raise `timeout_s`, or lower `check_steps_m`"),
        )),
        Err(error) => Err(Fault::lasting(CauseKind::BadReference, error.to_string())),
    }
}

/// A file that compiled and proves nothing.
fn of_refusal(source: &Source, refusal: Refusal) -> Verdict {
    let kind = match &refusal {
        Refusal::Missing { .. } | Refusal::NoTheorem { .. } | Refusal::Sorry { .. } => Kind::Wrong,
        Refusal::OtherStatement { .. }
        | Refusal::OtherDefinition { .. }
        | Refusal::Axioms { .. }
        | Refusal::Kernel { .. }
        | Refusal::Unreadable { .. } => Kind::Refused,
        Refusal::Unproven { .. } => Kind::Unproven,
    };
    Verdict::zero(kind, shorten(&refusal.to_string(), SHOWN_BYTES), Some(source.extracted.clone()))
}

/// A compiled file that is none.
pub(super) fn unreadable(source: &Source, problem: &str) -> Verdict {
    of_refusal(source, Refusal::Unreadable { problem: problem.to_owned() })
}

/// A file that did not compile.
pub(super) fn of_failure(
    settings: &LeanSettings,
    source: &Source,
    compiled: Compiled,
    elapsed: Duration,
) -> Result<Verdict, Fault> {
    let zero = |kind: Kind, reason: String| Ok(Verdict::zero(kind, reason, Some(source.extracted.clone())));
    match compiled {
        Compiled::Failed { messages, exit } => match first_error(&messages) {
            Some(error) => Ok(of_error(settings, source, error, source.lines_of_imports())),
            None if exit.code == Some(0) => {
                zero(Kind::Wrong, "Lean ended without an error and without a compiled file".to_owned())
            }
            None => zero(Kind::Crash, format!("Lean {exit}")),
        },
        Compiled::Overdue { cpu_s } => overdue(settings, source, elapsed, cpu_s),
        Compiled::Memory => {
            zero(Kind::Memory, format!("it took more than {} MiB of memory", settings.memory_mb))
        }
        Compiled::Flood => zero(Kind::Refused, "Lean wrote messages without end".to_owned()),
        Compiled::Module(_) => {
            Err(Fault::new(CauseKind::Crash, "a compiled file was taken for none".to_owned()))
        }
    }
}

/// What a back end found wrong with a proof; nothing where it is to be compiled.
pub(super) fn of_screen(
    settings: &LeanSettings,
    source: &Source,
    screened: Result<Screened, screen::Fault>,
) -> Option<Result<Verdict, Fault>> {
    match screened {
        Ok(screened) => match screened.error() {
            Some(error) => Some(Ok(of_error(settings, source, error, 0))),
            None if screened.num_sorries > 0 && !settings.axioms.iter().any(|axiom| axiom == "sorryAx") => {
                let refusal = Refusal::Sorry { through: String::new() };
                Some(Ok(of_refusal(source, refusal)))
            }
            None => None,
        },
        // Compiling tells whether it had the machine to itself.
        Err(screen::Fault::Judged { kind: Kind::Timeout, .. }) => None,
        Err(screen::Fault::Judged { kind, reason }) => {
            Some(Ok(Verdict::zero(kind, reason, Some(source.extracted.clone()))))
        }
        Err(screen::Fault::Undecided { kind, message, may_retry: true }) => {
            Some(Err(Fault::new(kind, message)))
        }
        Err(screen::Fault::Undecided { kind, message, may_retry: false }) => {
            Some(Err(Fault::lasting(kind, message)))
        }
    }
}

/// A proof that Lean refuses, or a part of one. `offset` is how many lines the message counts before the body.
fn of_error(settings: &LeanSettings, source: &Source, error: &Message, offset: u32) -> Verdict {
    let line = error.line.saturating_sub(offset + source.lines_before);
    let place = if line == 0 { "before the proof".to_owned() } else { format!("line {line}") };
    let reason = format!("{place}: {}", shorten(error.text.trim(), SHOWN_BYTES));
    let share = match settings.partial {
        // Goals are counted by running the tactics, which is done where the REPL is.
        Partial::None | Partial::Goals => None,
        Partial::Prefix => share_before(source, line as usize),
    };
    match share {
        Some((done, all)) if done > 0 => part(source, done, all, &format!("{done} of {all} lines; {reason}")),
        _ => Verdict::wrong(reason, Some(source.extracted.clone())),
    }
}

/// A proof of which a part counts.
pub(super) fn part(source: &Source, done: usize, all: usize, reason: &str) -> Verdict {
    Verdict::Judged {
        score: Score::clamped(done as f64 / all as f64),
        kind: Kind::Partial,
        reason: reason.to_owned(),
        extracted: Some(source.extracted.clone()),
    }
}

/// Lines of the proof before the first error, and all of them; blank ones and comments of one line do not count.
fn share_before(source: &Source, line: usize) -> Option<(usize, usize)> {
    let is_there = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("--");
    let lines: Vec<_> = source.extracted.lines().collect();
    let before = lines.iter().take(line.saturating_sub(1)).copied().filter(is_there).count();
    let all = lines.iter().copied().filter(is_there).count();
    (all > 0).then_some((before.min(all - 1), all))
}

/// A proof that did not end in time is judged if it had the machine to itself, and tried again if not.
fn overdue(
    settings: &LeanSettings,
    source: &Source,
    elapsed: Duration,
    cpu_s: f64,
) -> Result<Verdict, Fault> {
    let reason = format!("Lean was ended after {:.1} s", elapsed.as_secs_f64());
    let verdict = Verdict::zero(Kind::Timeout, reason, Some(source.extracted.clone()));
    let elapsed_s = elapsed.as_secs_f64();
    if elapsed_s < ENOUGH_SHARE * settings.time_s {
        // Whoever looks first may take as long once more.
        let wanted = if settings.backend == Backend::Lean { "`time_s`" } else { "twice `time_s`" };
        let message = format!(
            "Lean was ended after {elapsed_s:.1} s, when the verification's own time was over, before the {:.0} s of \
             `time_s` were: raise `timeout_s` above {wanted}",
            settings.time_s
        );
        return Err(Fault::lasting(CauseKind::Timeout, message));
    }
    if cpu_s >= OWN_SHARE * settings.time_s.min(elapsed_s) || has_idle_cores() {
        return Ok(verdict);
    }
    let message = format!(
        "Lean was ended after {elapsed_s:.1} s of which it had a core for {cpu_s:.1} s: the machine is too busy to \
         judge; lower `jobs` or raise `time_s`"
    );
    Err(Fault::new(CauseKind::Exhausted, message))
}

/// Whether the machine has cores that nobody uses: whoever had little of them did not want more.
fn has_idle_cores() -> bool {
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    let load = load.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let n_cores = std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64);
    load.is_some_and(|load| load < n_cores)
}
