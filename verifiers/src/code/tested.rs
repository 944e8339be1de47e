//! Solutions that tests call: the tests run in a box of their own, and say over a descriptor that the solution's box has
//! not how they ended.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Room;
use super::program::{Program, given_code};
use super::reference::{Form, Reference};
use super::report::{Ending, Outcome, Report};
use super::verdicts;
use crate::fault::Fault;
use crate::sandbox::stream::{Keep, Stream};
use crate::sandbox::{BoxId, Ended, Zygote, handover};
use crate::verdict::{CauseKind, Kind, Score, Verdict};

/// Bytes that are kept of what the boxes write, for messages.
const SAID_BYTES: usize = 4096;
/// Bytes of the longest value that the solution may give.
const MOST_REPLY_BYTES: u64 = 16 << 20;

/// What the judge's box is told of the tests.
pub(super) fn payload(reference: &Reference, is_partial: bool, in_place: bool) -> Value {
    let mut payload = match &reference.form {
        Form::Check { entry_point, test, .. } => {
            json!({"form": "check", "prompt": given_code(reference), "entry_point": entry_point, "test": test})
        }
        Form::Asserts { tests, setup, entry_point, .. } => {
            json!({"form": "asserts", "prompt": given_code(reference), "entry_point": entry_point, "setup": setup, "tests": tests})
        }
        Form::Files { files, module } => json!({"form": "pytest", "files": files, "module": module}),
        Form::Cases { .. } => json!({}),
    };
    payload["partial"] = is_partial.into();
    payload["in_place"] = in_place.into();
    payload["max_reply_bytes"] = MOST_REPLY_BYTES.into();
    payload
}

/// The name of the module that the solution is.
fn module(reference: &Reference) -> &str {
    match &reference.form {
        Form::Files { module, .. } => module,
        _ => "solution",
    }
}

/// Two boxes and what comes from them.
struct Watch<'a> {
    zygote: &'a mut Zygote,
    judge: BoxId,
    guest: BoxId,
    report: Report,
    from_judge: Stream,
    guest_said: Stream,
    judge_said: Stream,
}

/// How the watch ended.
enum End {
    Reported(Outcome),
    /// The judge's box ended, or closed its report, without an outcome.
    Silent,
    /// The time is up.
    Overdue,
    /// The fork server is gone.
    Lost,
}

/// Runs the tests of a reference on a program.
pub(super) fn run(room: &Room<'_>, zygote: &mut Zygote, program: &Program) -> Result<Verdict, Fault> {
    let started = Instant::now();
    let kills_before = zygote.oom_kills();
    let mut watch = Watch::start(room, zygote, program).map_err(Fault::io)?;
    let end = watch.until(room.deadline);
    watch.zygote.clear(room.end);
    watch.drain();
    let was_killed_for_memory = watch.zygote.oom_kills() > kills_before;
    let ends = (watch.ended(watch.judge), watch.ended(watch.guest));
    let is_silent = !matches!(end, End::Reported(_) | End::Overdue);
    if is_silent && was_killed_for_memory {
        return Ok(verdicts::memory(room, &watch.report.during(), program));
    }
    if let Some(problem) = [&ends.0, &ends.1].into_iter().flatten().find_map(|end| end.problem.clone()) {
        return Err(Fault::new(CauseKind::Unreachable, format!("a box could not be made: {problem}")));
    }
    match end {
        End::Reported(outcome) => {
            judged(room, &watch, outcome, ends.1.as_ref(), was_killed_for_memory, program)
        }
        End::Overdue => Ok(verdicts::overdue(room, started.elapsed(), &watch.report.during(), program)),
        End::Silent => Err(watch.silence(room, ends.0.as_ref(), program)),
        End::Lost => Err(Fault::new(CauseKind::Crash, "the fork server of the sandbox ended".to_owned())),
    }
}

impl<'a> Watch<'a> {
    fn start(room: &Room<'_>, zygote: &'a mut Zygote, program: &Program) -> std::io::Result<Self> {
        let reference = room.reference;
        let judge_payload = payload(reference, room.settings.partial, room.settings.in_place);
        let judge_payload = handover::text(judge_payload.to_string().as_bytes())?;
        let guest_payload = json!({"sources": program.sources, "module": module(reference)}).to_string();
        let guest_payload = handover::text(guest_payload.as_bytes())?;
        let (judge_channel, guest_channel) = handover::stream()?;
        let (from_judge, report) = Stream::new(Keep::End, 0)?;
        let (guest_said, guest_out) = Stream::new(Keep::End, SAID_BYTES)?;
        let (judge_said, judge_out) = Stream::new(Keep::End, SAID_BYTES)?;
        // First, so that a solution that takes all the memory cannot keep this box from being made.
        let judge = zygote.spawn(
            "judge",
            &[
                ("out", judge_out.as_fd()),
                ("payload", judge_payload.as_fd()),
                ("channel", judge_channel.as_fd()),
                ("report", report.as_fd()),
            ],
            room.limits_of_tests(),
        )?;
        let guest = zygote.spawn(
            "guest",
            &[
                ("out", guest_out.as_fd()),
                ("payload", guest_payload.as_fd()),
                ("channel", guest_channel.as_fd()),
            ],
            room.limits(),
        )?;
        Ok(Self { zygote, judge, guest, report: Report::default(), from_judge, guest_said, judge_said })
    }

    fn drain(&mut self) {
        let report = &mut self.report;
        self.from_judge.drain(|bytes| report.add(bytes));
        self.guest_said.drain(|_| {});
        self.judge_said.drain(|_| {});
    }

    /// Watches until it is known how it ends.
    fn until(&mut self, deadline: Instant) -> End {
        loop {
            // In this order: what a box wrote before it ended is there once its end is heard.
            let is_there = self.zygote.hear();
            let judge_has_ended = self.zygote.ended(self.judge).is_some();
            self.drain();
            if let Some(outcome) = self.report.outcome.take() {
                return End::Reported(outcome);
            }
            if !is_there {
                return End::Lost;
            }
            if judge_has_ended || !self.from_judge.is_open() {
                return End::Silent;
            }
            if Instant::now() >= deadline {
                return End::Overdue;
            }
            let streams = [&self.from_judge, &self.guest_said, &self.judge_said];
            let fds: Vec<_> = streams.into_iter().filter_map(Stream::fd).collect();
            self.zygote.wait(&fds, deadline);
        }
    }

    fn ended(&self, id: BoxId) -> Option<Ended> {
        self.zygote.ended(id).cloned()
    }

    /// Why the judge's box said nothing. Where tests had begun, and it happens again, it is the solution's doing: something
    /// among its values ends Python.
    fn silence(&self, room: &Room<'_>, end: Option<&Ended>, program: &Program) -> Fault {
        let how = end.map_or_else(|| "closed its report".to_owned(), verdicts::how_it_ended);
        let said = self.judge_said.last_line().map(|line| format!("; it said: {line}")).unwrap_or_default();
        let during = self.report.during();
        let fault = Fault::new(
            CauseKind::Crash,
            format!("the box of the tests {how}{during} without an outcome{said}"),
        );
        if self.report.at.is_none() {
            return fault;
        }
        let reason = format!("twice the box of the tests {how}{during}, with values of the solution");
        fault.or_if_repeated(verdicts::give(room, Score::ZERO, Kind::Crash, reason, program))
    }
}

/// The verdict of an outcome.
fn judged(
    room: &Room<'_>,
    watch: &Watch<'_>,
    outcome: Outcome,
    guest: Option<&Ended>,
    was_killed_for_memory: bool,
    program: &Program,
) -> Result<Verdict, Fault> {
    let told = outcome.told();
    let during = watch.report.during();
    let (kind, reason) = match outcome.ending {
        Ending::TestError => {
            let message = format!("the tests cannot be run: {told}; mend the reference");
            return Ok(Verdict::undecided(CauseKind::BadReference, message));
        }
        Ending::Pass => (Kind::Right, format!("all tests passed ({})", outcome.total)),
        Ending::LoadError => (Kind::Crash, format!("the solution cannot be loaded: {told}")),
        Ending::Fail if outcome.raised.as_deref() == Some("MemoryError") => (Kind::Memory, told),
        Ending::Fail => (Kind::Wrong, told),
        Ending::Gone => {
            let said =
                watch.guest_said.last_line().map(|line| format!("; it said: {line}")).unwrap_or_default();
            match guest.and_then(|guest| verdicts::of_end(room, guest, was_killed_for_memory)) {
                Some((kind, how)) => (kind, format!("the solution {how}{during}{said}")),
                None => (Kind::Crash, format!("the solution broke off{during}: {told}{said}")),
            }
        }
    };
    let share = outcome.share;
    if room.settings.partial && kind != Kind::Right && share > 0.0 && share < 1.0 {
        let is_count = (outcome.passed as f64 / outcome.total.max(1) as f64 - share).abs() < 1e-9;
        // An assert in a loop is evaluated more than once, and counts once.
        let passed = match is_count {
            true => format!("{} of {} tests passed", outcome.passed, outcome.total),
            false => format!("{:.0} % of the tests passed", share * 100.0),
        };
        let reason = format!("{passed}; {reason}");
        return Ok(verdicts::give(room, Score::clamped(share), Kind::Partial, reason, program));
    }
    let score = if kind == Kind::Right { Score::ONE } else { Score::ZERO };
    Ok(verdicts::give(room, score, kind, reason, program))
}

/// Looks at the tests without running them.
///
/// # Errors
/// What is wrong with them, or that this could not be found out.
pub(super) fn inspect(
    zygote: &mut Zygote,
    reference: &Reference,
    limits: crate::sandbox::Limits,
) -> Result<(), String> {
    let broken = |problem: String| format!("the tests could not be looked at: {problem}");
    let io = |error: std::io::Error| broken(error.to_string());
    let payload = handover::text(payload(reference, false, false).to_string().as_bytes()).map_err(io)?;
    let (mut report, writer) = Stream::new(Keep::Start, 1 << 20).map_err(io)?;
    let (mut said, out) = Stream::new(Keep::End, SAID_BYTES).map_err(io)?;
    let fds = [("out", out.as_fd()), ("payload", payload.as_fd()), ("report", writer.as_fd())];
    zygote.spawn("inspect", &fds, limits).map_err(io)?;
    drop((out, writer));
    let deadline = Instant::now() + Duration::from_secs(30);
    while report.is_open() && Instant::now() < deadline && zygote.hear() {
        zygote.wait(&[report.fd(), said.fd()].into_iter().flatten().collect::<Vec<_>>(), deadline);
        report.drain(|_| {});
        said.drain(|_| {});
    }
    zygote.clear(deadline);
    let found: Value = serde_json::from_slice(report.kept()).map_err(|_| {
        broken(said.last_line().unwrap_or_else(|| "the box ended and said nothing".to_owned()))
    })?;
    match found.get("problem").and_then(Value::as_str) {
        Some(problem) => Err(problem.to_owned()),
        None => Ok(()),
    }
}
