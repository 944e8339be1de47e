//! `lean`: Lean 4 proofs as reward.
//!
//! A response holds a proof. It is put together with the reference's header and statement, compiled by Lean in a box of
//! the sandbox, and what came out is checked again without Lean: that the theorem is there, that it states what it
//! should, that a kernel of our own accepts its proof, and that it rests on no axiom but those that are allowed
//! ([`polestar_lean::judgement`]).
//!
//! | the proof | the verdict |
//! | --- | --- |
//! | holds | right |
//! | does not compile, is left open, or proves something else | wrong, or partial where a part counts |
//! | rests on axioms that are not allowed, is refused by the kernel, or comes as a damaged file | refused |
//! | takes more steps to check than it may | unproven |
//! | does not compile in time | timeout |
//! | takes more memory than it may | memory |
//! | ends Lean | crash |
//!
//! | file | its job |
//! | --- | --- |
//! | `settings.rs`, `reference.rs` | what recipes and data say |
//! | `source.rs`, `header.rs` | the file that a response makes |
//! | `toolchain.rs` | finds Lean |
//! | `boxed.rs`, `compile.rs`, `messages.rs` | Lean in a box, and what it says |
//! | `screen.rs`, `warm.rs`, `repl`, `server`, `kimina.rs` | back ends that keep a header warm and look at proofs first |
//! | `session.rs`, `tactics.rs` | proofs tactic by tactic |
//! | `machine.rs`, `once.rs` | what is prepared once: toolchain, imports, headers, statements |
//! | `verdicts.rs` | what becomes of how it ended |
//!
//! Architecture invariant: nothing that Lean says or prints while it elaborates a proof makes a verdict right; only the
//! compiled file does, and that is read as bytes of an unknown author.

mod boxed;
mod compile;
mod goals;
mod header;
mod kimina;
mod machine;
mod messages;
mod once;
#[cfg(test)]
mod peers;
mod reference;
mod repl;
mod report;
mod screen;
mod server;
pub mod session;
mod settings;
#[cfg(test)]
mod shared_data;
mod source;
mod tactics;
mod toolchain;
mod verdicts;
mod warm;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use polestar_lean::judgement::{Goal, judge};

use crate::budget::Budget;
use crate::fault::{Fault, tried};
use crate::verdict::{CauseKind, Kind, Verdict};
use crate::verifier::{Item, Response, Verifier};
use compile::Compiled;
use goals::Closed;
use machine::{Claims, Machine, Prepared};
pub use reference::{Mode, Reference};
pub use report::{LeanReport, lean_report};
use session::{Session, SessionError, TacticState};
pub use settings::{Backend, LeanSettings, Partial, STANDARD_AXIOMS};
use source::{Found, Source};

/// Judges proofs: see the module's documentation.
pub struct Lean {
    settings: LeanSettings,
    time: Duration,
    machine: OnceLock<Result<Machine, String>>,
}

impl Lean {
    fn machine(&self) -> Result<&Machine, String> {
        let machine = self.machine.get_or_init(|| Machine::find(&self.settings, self.time));
        machine.as_ref().map_err(Clone::clone)
    }

    fn header<'a>(&'a self, reference: &'a Reference) -> &'a str {
        reference.header.as_deref().unwrap_or(&self.settings.header)
    }

    /// Begins a proof of a reference tactic by tactic, by the REPL that must be the back end. What [`Session::proof`] gives
    /// for a finished state is a response to be verified: that a session says that a proof is finished is no judgement.
    ///
    /// # Errors
    /// The back end is another one, or Lean or the statement cannot be used: see [`SessionError`].
    pub fn session(
        &self,
        reference: &Reference,
        budget: &Budget,
    ) -> Result<(Session, TacticState), SessionError> {
        let repl = self.machine().and_then(|machine| {
            machine
                .repl
                .clone()
                .ok_or_else(|| "`backend` must be \"repl\" for proofs tactic by tactic".to_owned())
        });
        let repl = repl.map_err(SessionError::Statement)?;
        let source = source::statement(self.header(reference), reference);
        Session::start(repl, &source.imports, &source.screened(self.settings.heartbeats), budget)
    }

    /// One try.
    fn attempt(&self, item: &Reference, source: &Source, budget: &Budget) -> Result<Verdict, Fault> {
        let machine = self.machine().map_err(|problem| Fault::lasting(CauseKind::Unreachable, problem))?;
        let prepared = &*machine.prepare(self.header(item), item, Some(last_moment(budget)))?;
        if let Some(screen) = &machine.screen {
            let body = source.screened(self.settings.heartbeats);
            let screened = screen.screen(&source.imports, &body, budget);
            match verdicts::of_screen(&self.settings, source, screened) {
                Some(Ok(verdict)) => return Ok(self.with_goals(item, source, verdict, budget)),
                Some(Err(fault)) => return Err(fault),
                None => {}
            }
        }
        // Only now: whether a proof had the time that it may have is not to depend on who looked at it before.
        let started = Instant::now();
        let last = last_moment(budget);
        let deadline = started.checked_add(self.time).map_or(last, |end| end.min(last));
        let compiled = machine
            .compile(prepared, source, deadline)
            .map_err(|problem| Fault::new(CauseKind::Unreachable, problem))?;
        match compiled {
            Compiled::Module(bytes) => self.judged(prepared, source, &bytes, last),
            other => verdicts::of_failure(&self.settings, source, other, started.elapsed()),
        }
    }

    /// A verdict with credit for the goals that were closed, where that is asked for and the proof is wrong.
    fn with_goals(
        &self,
        reference: &Reference,
        source: &Source,
        verdict: Verdict,
        budget: &Budget,
    ) -> Verdict {
        if self.settings.partial != Partial::Goals || verdict.kind_name() != Kind::Wrong.name() {
            return verdict;
        }
        let closed = self
            .session(reference, budget)
            .and_then(|(mut session, root)| goals::closed(&mut session, root.id, &source.extracted, budget));
        match closed {
            Ok(Closed { num_closed: done @ 1.., num_goals: all }) if done < all => verdicts::part(
                source,
                done,
                all,
                &format!("{done} of {all} goals closed; {}", verdict.reason()),
            ),
            // One that closes all and is wrong all the same has no part that counts.
            _ => verdict,
        }
    }

    /// The verdict on a file that compiled.
    fn judged(
        &self,
        prepared: &Prepared,
        source: &Source,
        bytes: &[u8],
        deadline: Instant,
    ) -> Result<Verdict, Fault> {
        let judged = machine::on_big_stack(|| {
            let reference = prepared.reference()?;
            let submission = match machine::module(bytes) {
                Ok(submission) => submission,
                Err(problem) => return Ok(Ok(verdicts::unreadable(source, &problem))),
            };
            let goal = Goal {
                name: &prepared.name,
                reference: &Claims::of(&reference),
                axioms: &self.settings.axioms,
                budget: machine::budget(&self.settings, deadline),
            };
            let judged = judge(&goal, &Claims::of(&submission), &prepared.imports.library);
            Ok(verdicts::of_judgement(source, judged))
        });
        judged.unwrap_or_else(|problem| Err(Fault::new(CauseKind::Crash, problem)))
    }
}

/// When a verification must end by itself: what is left over is for ending the box and saying so, before somebody gives it
/// up.
fn last_moment(budget: &Budget) -> Instant {
    let left = budget.remaining().min(Duration::from_secs(86_400));
    Instant::now() + left - (left / 10).min(Duration::from_millis(500))
}

impl Verifier for Lean {
    const NAME: &'static str = "lean";
    const ABOUT: &'static str = "a Lean 4 proof of a statement, checked again without Lean";
    const FIRST_FIELD: &'static str = "statement";
    const EXTERNAL: bool = true;
    type Settings = LeanSettings;
    type Reference = Reference;

    fn new(settings: LeanSettings) -> Result<Self, String> {
        let time = settings.check()?;
        Ok(Self { settings, time, machine: OnceLock::new() })
    }

    fn ready(&self) -> Result<(), String> {
        self.machine()?.ready(&self.settings.header)
    }

    fn check(&self, reference: &Reference) -> Result<(), String> {
        let prepared = self.machine()?.prepare(self.header(reference), reference, None);
        prepared.map(drop).map_err(|problem| problem.message)
    }

    fn verify(&self, item: &Item<Reference>, response: &Response<'_>, budget: &Budget) -> Verdict {
        let header = self.header(&item.reference);
        let source = match source::find(response, header, &item.reference) {
            Found::Source(source) => source,
            Found::NoAnswer(why) => return Verdict::no_answer(why),
            Found::Refused(why) => return Verdict::zero(Kind::Refused, why, None),
        };
        tried(budget, || self.attempt(&item.reference, &source, budget))
    }
}
