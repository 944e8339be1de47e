//! Runs judges on worker threads, in order, each with a deadline, whatever the judges do.
//!
//! * Verdicts come back in the order of the work.
//! * The deadline counts from when the work starts; time in the queue is reported apart.
//! * A judge that panics gives an undecided verdict (crash); its worker goes on.
//! * A judge that does not come back gives an undecided verdict (timeout), shortly after its deadline. A thread cannot
//!   be killed, so its worker is abandoned and replaced. When too many abandoned workers still run, no further work is
//!   started: its verdicts are undecided (exhausted) at once, so that a run is told and nothing blocks. Should the
//!   abandoned workers come back, work is started again.
//!
//! There is no thread that only watches: whoever waits for verdicts keeps the deadlines (of everybody's work).

mod pool;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError};
use thiserror::Error;

use crate::verdict::Verdict;
use crate::verifier::Judge;
use pool::{Pool, Task};

/// How verdicts are worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupervisorConfig {
    /// Verifications at once; 0 takes one for each core.
    pub jobs: usize,
    /// How long one verification may take, from its start.
    pub timeout: Duration,
    /// How many verifications may be taken in by a stream beyond those that run: what bounds its memory.
    pub queue: usize,
}

/// One response to judge.
#[derive(Clone)]
pub struct Job {
    /// The problem's judge.
    pub judge: Arc<dyn Judge>,
    /// The response.
    pub response: String,
    /// How many tokens of the model it is, where that is known.
    pub num_tokens: Option<usize>,
}

impl Job {
    /// A response of which only the text is known.
    pub fn new(judge: Arc<dyn Judge>, response: impl Into<String>) -> Self {
        Self { judge, response: response.into(), num_tokens: None }
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("response", &self.response).finish_non_exhaustive()
    }
}

/// A verdict and how long it took.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// Seconds from when the work was handed over until it started.
    pub queue_s: f64,
    /// Seconds from when the work started until its verdict.
    pub run_s: f64,
}

impl Outcome {
    /// The outcome of work that was never started.
    fn not_run(verdict: Verdict, since: Instant) -> Self {
        Self { verdict, queue_s: since.elapsed().as_secs_f64(), run_s: 0.0 }
    }
}

/// Why a stream of verdicts ended early.
#[derive(Debug, Error)]
pub enum StreamError<E> {
    /// The thread that reads the work could not be started.
    #[error("the thread that reads the work could not be started: {0}")]
    Thread(std::io::Error),
    /// The sink refused an outcome.
    #[error(transparent)]
    Sink(E),
}

/// Work as it is handed over: a tag, what to judge or what is decided already, and since when it waits.
struct Fed<T> {
    tag: T,
    work: Result<Job, Verdict>,
    since: Instant,
}

/// Runs judges. Several threads may use one supervisor at once; they share its workers.
pub struct Supervisor {
    pool: Arc<Pool>,
    /// How many pieces of work one stream may have taken in.
    window: usize,
}

impl Supervisor {
    /// A supervisor; its threads start with the first work.
    pub fn new(config: SupervisorConfig) -> Self {
        let jobs = match config.jobs {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            jobs => jobs,
        };
        let max_abandoned = 8.max(jobs.saturating_mul(2));
        Self {
            pool: Pool::new(jobs, config.timeout, max_abandoned),
            window: jobs.saturating_add(config.queue),
        }
    }

    /// The same with another limit of abandoned threads that still run; unless set, two for each job and at least 8.
    #[must_use]
    pub fn with_max_abandoned(self, max_abandoned: usize) -> Self {
        Self { pool: Pool::new(self.pool.jobs, self.pool.timeout, max_abandoned), window: self.window }
    }

    /// Verifications at once.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.pool.jobs
    }

    /// Judges all the work; outcomes in the order of the work. `on_done` is told on the calling thread how many
    /// verdicts there are, after each.
    pub fn judge_all(&self, work: Vec<Job>, on_done: Option<&(dyn Fn(usize) + Sync)>) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(work.len());
        let fed = all_at_once(work);
        let sink = |(), outcome| {
            outcomes.push(outcome);
            Ok::<(), Infallible>(())
        };
        match self.drive(&fed, usize::MAX, sink, on_done) {
            Ok(()) => outcomes,
            Err(never) => match never {},
        }
    }

    /// Judges all the work as [`Supervisor::judge_all`] does, as long as `go_on`, which is asked on the calling thread
    /// before the first verdict and after each. Once it says no there is nothing, and no further work is started.
    pub fn judge_while(&self, work: Vec<Job>, go_on: &mut dyn FnMut() -> bool) -> Option<Vec<Outcome>> {
        if !go_on() {
            return None;
        }
        let mut outcomes = Vec::with_capacity(work.len());
        let fed = all_at_once(work);
        let sink = |(), outcome| {
            outcomes.push(outcome);
            if go_on() { Ok(()) } else { Err(()) }
        };
        self.drive(&fed, usize::MAX, sink, None).ok()?;
        Some(outcomes)
    }

    /// Judges work as it comes and hands each outcome, with its work's tag, to `sink` on the calling thread, in the
    /// order of the work. Work that is decided already (`Err`) keeps its place. The iterator is asked on a thread of
    /// its own, so it may block, and no faster than outcomes are taken: at most `jobs + queue` pieces of work, and two
    /// more on the way, are held.
    ///
    /// # Errors
    /// [`StreamError::Sink`] with the sink's own error, after which no further work is started.
    ///
    /// # Panics
    /// If the iterator panics, with the iterator's panic.
    pub fn stream<T, I, S, E>(&self, work: I, sink: S) -> Result<(), StreamError<E>>
    where
        T: Send + 'static,
        I: IntoIterator<Item = (T, Result<Job, Verdict>)>,
        I: Send + 'static,
        S: FnMut(T, Outcome) -> Result<(), E>,
    {
        let (feed, fed) = crossbeam_channel::bounded(1);
        let reader = std::thread::Builder::new()
            .name("verify-reader".to_owned())
            .spawn(move || {
                for (tag, work) in work {
                    if feed.send(Fed { tag, work, since: Instant::now() }).is_err() {
                        return;
                    }
                }
            })
            .map_err(StreamError::Thread)?;
        self.drive(&fed, self.window, sink, None).map_err(StreamError::Sink)?;
        // The channel is closed, so that the reader is at its end: this does not wait.
        match reader.join() {
            Ok(()) => Ok(()),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Takes in work up to the window, collects outcomes, hands them on in order, keeps the deadlines.
    fn drive<T, E>(
        &self,
        fed: &Receiver<Fed<T>>,
        window: usize,
        sink: impl FnMut(T, Outcome) -> Result<(), E>,
        on_done: Option<&(dyn Fn(usize) + Sync)>,
    ) -> Result<(), E> {
        let (reply, replies) = crossbeam_channel::unbounded();
        let never = crossbeam_channel::never();
        let stopped = StopOnDrop(Arc::new(AtomicBool::new(false)));
        let mut session = Session { sink, on_done, waiting: VecDeque::new(), first: 0, done: 0, reply };
        let mut wake = Instant::now();
        let mut open = true;
        while open || !session.waiting.is_empty() {
            if Instant::now() >= wake {
                wake = self.pool.sweep();
            }
            let room = open && session.waiting.len() < window;
            let source = if room { fed } else { &never };
            // Outcomes first, so that what is ready is never held back by work that keeps coming.
            match replies.try_recv() {
                Ok((index, outcome)) => {
                    session.settle(index, outcome)?;
                    continue;
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
            }
            crossbeam_channel::select! {
                recv(source) -> item => match item {
                    Ok(item) => session.take(item, &self.pool, &stopped.0)?,
                    Err(_) => open = false,
                },
                recv(replies) -> reply => if let Ok((index, outcome)) = reply {
                    session.settle(index, outcome)?;
                },
                default(wake.saturating_duration_since(Instant::now())) => {}
            }
        }
        Ok(())
    }
}

/// Work that is all there from the start.
fn all_at_once(work: Vec<Job>) -> Receiver<Fed<()>> {
    let (feed, fed) = crossbeam_channel::unbounded();
    let since = Instant::now();
    for job in work {
        // The receiver is held here, so that the channel is open.
        let _ = feed.send(Fed { tag: (), work: Ok(job), since });
    }
    fed
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").field("pool", &self.pool).field("window", &self.window).finish()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.pool.close();
    }
}

/// Tells the workers, when a call ends early, that what it left in the queue need not be started.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One call's work that is taken in and not yet handed on.
struct Session<'a, T, S> {
    sink: S,
    on_done: Option<&'a (dyn Fn(usize) + Sync)>,
    /// In order; the front is piece number `first`.
    waiting: VecDeque<(T, Option<Outcome>)>,
    first: u64,
    done: usize,
    reply: Sender<(u64, Outcome)>,
}

impl<T, E, S: FnMut(T, Outcome) -> Result<(), E>> Session<'_, T, S> {
    /// Takes in one piece of work.
    fn take(&mut self, item: Fed<T>, pool: &Arc<Pool>, stopped: &Arc<AtomicBool>) -> Result<(), E> {
        let Fed { tag, work, since } = item;
        let index = self.first + self.waiting.len() as u64;
        self.waiting.push_back((tag, None));
        match work {
            Ok(job) => {
                let (reply, stopped) = (self.reply.clone(), Arc::clone(stopped));
                pool.submit(Task { job, index, reply, since, stopped });
                Ok(())
            }
            Err(verdict) => self.settle(index, Outcome::not_run(verdict, since)),
        }
    }

    /// Notes one outcome and hands on those at the front.
    fn settle(&mut self, index: u64, outcome: Outcome) -> Result<(), E> {
        let place = usize::try_from(index - self.first).ok();
        if let Some((_, slot)) = place.and_then(|place| self.waiting.get_mut(place)) {
            *slot = Some(outcome);
        }
        self.done += 1;
        if let Some(on_done) = self.on_done {
            on_done(self.done);
        }
        while let Some((_, Some(_))) = self.waiting.front() {
            if let Some((tag, Some(outcome))) = self.waiting.pop_front() {
                self.first += 1;
                (self.sink)(tag, outcome)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
