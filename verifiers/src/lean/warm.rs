//! Processes that have elaborated a header and wait for bodies: who lends them, for how long, and whose fault it is when
//! one fails.
//!
//! A proof may leave something behind in the process that it ran in. So a proof is blamed for the end of a process only if
//! nothing else ran in it before: else it is tried again in a fresh one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::boxed::{Boxed, Room, Stop, Tool};
use super::screen::{Fault, Screen, Screened, Times, until};
use crate::budget::Budget;
use crate::lock::lock;
use crate::sandbox::Sandbox;
use crate::verdict::{CauseKind, Kind};

/// How often a process is started for one proof while starting fails.
const MOST_STARTS: u32 = 3;
/// How long a process may take to show that it works.
const READY_WAIT: Duration = Duration::from_secs(300);

/// What processes are made of.
#[derive(Clone, Debug)]
pub(crate) struct Backing {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) tool: Tool,
    pub(crate) room: Room,
    pub(crate) times: Times,
    /// Proofs, or tactics, after which a process is replaced. At least 1.
    pub(crate) uses: u64,
    /// Processes that wait at most. With 0 each is used once.
    pub(crate) most_waiting: usize,
}

/// Why a process gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It stopped.
    Stop(Stop),
    /// The process in which it elaborates has ended, and what is known of that.
    Ended(String),
    /// It answered with what is no answer.
    Rubbish(String),
    /// The header has errors.
    Header(String),
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// A conversation with a program that elaborates.
pub(crate) trait Warm: Sized + Send {
    /// As messages call the program.
    const NAME: &'static str;

    /// Begins the conversation and elaborates the header.
    fn open(program: Boxed, header: &str, deadline: Instant) -> Result<Self, Trouble>;

    /// Elaborates a body. After an error the process is not used again.
    fn run(&mut self, body: &str, deadline: Instant) -> Result<Screened, Trouble>;

    /// Whether it can be used again: it runs and has said nothing that it should not.
    fn is_idle(&mut self) -> bool;
}

/// A process that is lent.
#[derive(Debug)]
pub(crate) struct Lent<W> {
    pub(crate) worker: W,
    header: Arc<str>,
    /// Proofs or tactics that it ran.
    pub(crate) num_used: u64,
}

/// Processes by header, and how more are started.
#[derive(Debug)]
pub(crate) struct WarmScreen<W> {
    backing: Backing,
    /// From the one that waits longest.
    waiting: Mutex<VecDeque<Lent<W>>>,
}

impl<W: Warm> WarmScreen<W> {
    /// Nothing is started yet.
    pub(crate) fn new(backing: Backing) -> Self {
        Self { backing, waiting: Mutex::default() }
    }

    pub(crate) fn times(&self) -> Times {
        self.backing.times
    }

    /// Proofs, or tactics, after which a process is replaced.
    pub(crate) fn uses(&self) -> u64 {
        self.backing.uses
    }

    /// A process with that header: one that waits unless a fresh one is wanted, else a new one.
    ///
    /// # Errors
    /// None can be had; this is never the fault of a proof.
    pub(crate) fn take(
        &self,
        header: &str,
        is_fresh_wanted: bool,
        budget: &Budget,
    ) -> Result<Lent<W>, Fault> {
        while !is_fresh_wanted && let Some(mut lent) = self.pick(header) {
            if lent.worker.is_idle() {
                return Ok(lent);
            }
        }
        let mut num_tries = 0;
        loop {
            num_tries += 1;
            match self.start(header, budget) {
                Err(Fault::Undecided { may_retry: true, .. })
                    if num_tries < MOST_STARTS && !budget.expired() => {}
                result => return result,
            }
        }
    }

    /// Takes a process back after an answer as it should be.
    pub(crate) fn give_back(&self, mut lent: Lent<W>) {
        if lent.num_used >= self.backing.uses || self.backing.most_waiting == 0 || !lent.worker.is_idle() {
            return;
        }
        let longest_waiting = {
            let mut waiting = lock(&self.waiting);
            waiting.push_back(lent);
            (waiting.len() > self.backing.most_waiting).then(|| waiting.pop_front())
        };
        // Its end takes a moment, in which the others can be had.
        drop(longest_waiting);
    }

    /// The one with that header that was used last.
    fn pick(&self, header: &str) -> Option<Lent<W>> {
        let mut waiting = lock(&self.waiting);
        let place = waiting.iter().rposition(|lent| *lent.header == *header)?;
        waiting.remove(place)
    }

    fn start(&self, header: &str, budget: &Budget) -> Result<Lent<W>, Fault> {
        let Backing { sandbox, tool, room, times, .. } = &self.backing;
        let started = Instant::now();
        let program = Boxed::start(sandbox, tool, room, &[])
            .map_err(|problem| Fault::passing(CauseKind::Unreachable, problem))?;
        let name = W::NAME;
        let worker =
            W::open(program, header, until(budget, times.start)).map_err(|trouble| match &trouble {
                Trouble::Header(problem) => Fault::lasting(
                    CauseKind::Unreachable,
                    format!("the header does not elaborate: {problem}"),
                ),
                Trouble::Rubbish(problem) => Fault::passing(
                    CauseKind::Rubbish,
                    format!("what should be Lean's {name} does not answer as one: {problem}"),
                ),
                Trouble::Stop(Stop::Overdue) => Fault::lasting(
                    CauseKind::Timeout,
                    format!(
                        "the {name} was not ready with its header in {:.1} s",
                        started.elapsed().as_secs_f64()
                    ),
                ),
                Trouble::Stop(_) | Trouble::Ended(_) => {
                    let problem = format!("the {name} did not become ready: {}", self.show(&trouble));
                    Fault::passing(CauseKind::Crash, problem)
                }
            })?;
        Ok(Lent { worker, header: header.into(), num_used: 0 })
    }

    /// What happened to a process, in words.
    fn show(&self, trouble: &Trouble) -> String {
        let room = &self.backing.room;
        match trouble {
            Trouble::Stop(Stop::Overdue) => "it did not answer in time".to_owned(),
            Trouble::Stop(Stop::Memory) => {
                format!("it took more than {} MiB of memory", room.memory_bytes >> 20)
            }
            Trouble::Stop(Stop::Flood) => {
                format!("it wrote more than {} KiB", room.output_bytes >> 10)
            }
            Trouble::Stop(Stop::Ended(exit)) => format!("it {exit}"),
            Trouble::Ended(said) => format!("the process in which it elaborates ended; {said}"),
            Trouble::Stop(Stop::Lost(problem)) | Trouble::Rubbish(problem) | Trouble::Header(problem) => {
                problem.clone()
            }
        }
    }

    /// What trouble with a process is where the proof was all that ran in it, after `elapsed`.
    pub(crate) fn blame(&self, trouble: &Trouble, elapsed: Duration) -> Fault {
        let name = W::NAME;
        match trouble {
            Trouble::Stop(Stop::Overdue) if elapsed >= self.backing.times.proof => {
                Fault::judged(Kind::Timeout, format!("it was ended after {:.1} s", elapsed.as_secs_f64()))
            }
            Trouble::Stop(Stop::Overdue) => Fault::lasting(
                CauseKind::Timeout,
                format!(
                    "the time for the verification was over after {:.1} s of the proof",
                    elapsed.as_secs_f64()
                ),
            ),
            Trouble::Stop(Stop::Memory) => Fault::judged(Kind::Memory, self.show(trouble)),
            Trouble::Stop(Stop::Flood) => {
                Fault::judged(Kind::Refused, format!("with it the {name} failed: {}", self.show(trouble)))
            }
            Trouble::Stop(Stop::Ended(_)) | Trouble::Ended(_) => {
                Fault::judged(Kind::Crash, format!("with it the {name} failed: {}", self.show(trouble)))
            }
            Trouble::Stop(Stop::Lost(problem)) => Fault::passing(CauseKind::Crash, problem.clone()),
            Trouble::Rubbish(problem) | Trouble::Header(problem) => Fault::judged(
                Kind::Refused,
                format!("with it the {name} answers with what is no answer: {problem}"),
            ),
        }
    }

    /// One body in one process: what came of it, or the trouble, whether the process was fresh, and how long it took.
    fn attempt(
        &self,
        mut lent: Lent<W>,
        body: &str,
        budget: &Budget,
    ) -> Result<Screened, (Trouble, bool, Duration)> {
        let is_fresh = lent.num_used == 0;
        lent.num_used += 1;
        let started = Instant::now();
        match lent.worker.run(body, until(budget, self.backing.times.proof)) {
            Ok(screened) => {
                self.give_back(lent);
                Ok(Screened { is_fresh, ..screened })
            }
            Err(trouble) => Err((trouble, is_fresh, started.elapsed())),
        }
    }
}

impl<W: Warm> Screen for WarmScreen<W> {
    fn screen(&self, header: &str, body: &str, budget: &Budget) -> Result<Screened, Fault> {
        let (mut is_fresh_wanted, mut had_rubbish, mut num_lost) = (false, false, 0);
        loop {
            let lent = self.take(header, is_fresh_wanted, budget)?;
            let (trouble, is_fresh, elapsed) = match self.attempt(lent, body, budget) {
                Ok(screened) => return Ok(screened),
                Err(failed) => failed,
            };
            is_fresh_wanted = true;
            let is_tried_again = match &trouble {
                Trouble::Stop(Stop::Lost(_)) => {
                    num_lost += 1;
                    num_lost < MOST_STARTS
                }
                // Once may be the program's own fault; an answer that no body can be blamed for comes from anywhere.
                Trouble::Rubbish(_) if is_fresh => !std::mem::replace(&mut had_rubbish, true),
                _ => !is_fresh,
            };
            if !is_tried_again {
                return Err(self.blame(&trouble, elapsed));
            }
            if budget.expired() {
                let message =
                    format!("the time was over before a second try; the first: {}", self.show(&trouble));
                return Err(Fault::lasting(CauseKind::Timeout, message));
            }
        }
    }

    fn ready(&self) -> Result<(), String> {
        let budget = Budget::starting_now(READY_WAIT);
        match self.screen("", "example : True := True.intro\n", &budget) {
            Ok(screened) => match screened.error() {
                None => Ok(()),
                Some(error) => Err(format!("Lean's {} does not prove `True`: {error}", W::NAME)),
            },
            Err(Fault::Judged { reason: problem, .. } | Fault::Undecided { message: problem, .. }) => {
                Err(problem)
            }
        }
    }
}
