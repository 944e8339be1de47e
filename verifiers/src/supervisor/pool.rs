//! The worker threads: one queue, a table of what runs, and the replacement of workers whose judge does not come back.
//!
//! Architecture invariant: an outcome is sent exactly once, by whoever removes the work from the table of what runs:
//! the worker that finished it, or the sweep that found it overdue.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use super::{Job, Outcome};
use crate::budget::Budget;
use crate::verdict::{CauseKind, Verdict};
use crate::verifier::Response;

/// How long `close` waits for idle workers to end.
const CLOSE_WAIT: Duration = Duration::from_secs(1);
/// The stack of a worker: more than a thread's usual 2 MiB, for judges that recurse.
const STACK_BYTES: usize = 8 << 20;
/// The longest sleep of who waits for verdicts, where deadlines are far off.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

/// One piece of work in the queue.
pub(super) struct Task {
    pub(super) job: Job,
    pub(super) index: u64,
    pub(super) reply: Sender<(u64, Outcome)>,
    pub(super) since: Instant,
    /// Set when nobody waits for the outcome any more.
    pub(super) stopped: Arc<AtomicBool>,
}

/// One piece of work that a worker has started.
struct Running {
    index: u64,
    reply: Sender<(u64, Outcome)>,
    queue_s: f64,
    started: Instant,
    /// None: never.
    overdue: Option<Instant>,
}

impl Running {
    fn finish(self, verdict: Verdict) {
        let run_s = self.started.elapsed().as_secs_f64();
        // Nobody waits any more if this fails: the call ended early.
        let _ = self.reply.send((self.index, Outcome { verdict, queue_s: self.queue_s, run_s }));
    }
}

#[derive(Default)]
struct State {
    /// By ticket, a number that is never used twice.
    running: HashMap<u64, Running>,
    next_ticket: u64,
    /// Workers that are idle or run something in the table.
    live: usize,
    /// Workers that run something that was given up.
    abandoned: usize,
    /// Why the last thread could not be started.
    spawn_error: Option<String>,
}

/// The workers and their queue.
pub(super) struct Pool {
    pub(super) jobs: usize,
    pub(super) timeout: Duration,
    max_abandoned: usize,
    /// Time past the deadline that a judge has to notice by itself that its budget is spent.
    grace: Duration,
    state: Mutex<State>,
    worker_ended: Condvar,
    /// None when the pool is closed: workers then see the end of the queue.
    queue: Mutex<Option<Sender<Task>>>,
    tasks: Receiver<Task>,
}

impl Pool {
    pub(super) fn new(jobs: usize, timeout: Duration, max_abandoned: usize) -> Arc<Self> {
        let (queue, tasks) = crossbeam_channel::unbounded();
        let grace = (timeout / 4).clamp(Duration::from_millis(10), Duration::from_millis(250));
        Arc::new(Self {
            jobs,
            timeout,
            max_abandoned,
            grace,
            state: Mutex::default(),
            worker_ended: Condvar::new(),
            queue: Mutex::new(Some(queue)),
            tasks,
        })
    }

    /// The state. A panic while it is locked cannot leave it half changed in a way that matters: counts and a table.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts work into the queue, and starts workers if there are too few.
    pub(super) fn submit(self: &Arc<Self>, task: Task) {
        let rejected = match &*self.queue.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(queue) => queue.send(task).err().map(|error| error.0),
            None => Some(task),
        };
        if let Some(task) = rejected {
            reply_unstarted(task, Verdict::undecided(CauseKind::Exhausted, "the supervisor is closed"));
            return;
        }
        self.fill();
    }

    /// Starts workers until there are as many as there are jobs.
    fn fill(self: &Arc<Self>) {
        let mut state = self.state();
        while state.live < self.jobs && self.spawn_worker(&mut state) {}
        drop(state);
        self.answer_if_nobody_works();
    }

    /// Gives up what is overdue, replaces the workers, and says when to look again.
    pub(super) fn sweep(self: &Arc<Self>) -> Instant {
        let now = Instant::now();
        let mut state = self.state();
        let is_overdue = |running: &Running| running.overdue.is_some_and(|overdue| overdue <= now);
        let tickets: Vec<u64> = state
            .running
            .iter()
            .filter(|(_, running)| is_overdue(running))
            .map(|(ticket, _)| *ticket)
            .collect();
        for ticket in tickets {
            if let Some(running) = state.running.remove(&ticket) {
                state.live -= 1;
                state.abandoned += 1;
                let message = format!(
                    "the verifier gave no verdict within {:.3} s (limit {:?}); its thread was left behind",
                    running.started.elapsed().as_secs_f64(),
                    self.timeout
                );
                running.finish(Verdict::undecided(CauseKind::Timeout, message));
            }
        }
        // Work that starts from now on is overdue no earlier than this.
        let horizon = (self.timeout.saturating_add(self.grace)).min(LONGEST_SLEEP);
        let next = state.running.values().filter_map(|running| running.overdue).min();
        drop(state);
        self.fill();
        next.map_or(now + horizon, |next| next.min(now + horizon))
    }

    /// Closes the queue and waits a little for idle workers to end. Workers that hang are left behind.
    pub(super) fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = self.worker_ended.wait_timeout_while(self.state(), CLOSE_WAIT, |state| {
            // Only those that run nothing can be waited for.
            state.live > state.running.len()
        });
        drop(ended);
    }

    /// Starts one more worker; false if the system refuses.
    fn spawn_worker(self: &Arc<Self>, state: &mut State) -> bool {
        let pool = Arc::clone(self);
        let builder = std::thread::Builder::new().name("verify-worker".to_owned()).stack_size(STACK_BYTES);
        match builder.spawn(move || pool.work()) {
            Ok(_detached) => {
                state.live += 1;
                state.spawn_error = None;
                true
            }
            Err(error) => {
                state.spawn_error = Some(error.to_string());
                false
            }
        }
    }

    /// Where not one worker could be started, work must not wait for ever.
    fn answer_if_nobody_works(&self) {
        let error = {
            let state = self.state();
            match &state.spawn_error {
                Some(error) if state.live == 0 => error.clone(),
                _ => return,
            }
        };
        while let Ok(task) = self.tasks.try_recv() {
            let message = format!(
                "no thread could be started to verify: {error}; lower `jobs`, or raise the limit of processes"
            );
            reply_unstarted(task, Verdict::undecided(CauseKind::Exhausted, message));
        }
    }

    /// A worker's life: until the queue is closed, or its work was given up.
    fn work(&self) {
        while let Ok(task) = self.tasks.recv() {
            if !self.run(task) {
                return;
            }
        }
        self.state().live -= 1;
        self.worker_ended.notify_all();
    }

    /// Runs one piece of work; false if it was given up meanwhile, so that this worker has been replaced.
    fn run(&self, task: Task) -> bool {
        if task.stopped.load(Ordering::Relaxed) {
            return true;
        }
        let mut state = self.state();
        if state.abandoned >= self.max_abandoned {
            let message = format!(
                "not started: {} verifications still run past their time limit of {:?}; find out which verifier hangs",
                state.abandoned, self.timeout
            );
            drop(state);
            reply_unstarted(task, Verdict::undecided(CauseKind::Exhausted, message));
            return true;
        }
        let Task { job, index, reply, since, .. } = task;
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        let budget = Budget::starting_now(self.timeout);
        let started = budget.started();
        let queue_s = started.saturating_duration_since(since).as_secs_f64();
        let overdue = budget.deadline().and_then(|deadline| deadline.checked_add(self.grace));
        state.running.insert(ticket, Running { index, reply, queue_s, started, overdue });
        drop(state);

        let verdict = judge(job, &budget);
        let mut state = self.state();
        match state.running.remove(&ticket) {
            Some(running) => {
                drop(state);
                running.finish(verdict);
                true
            }
            None => {
                state.abandoned -= 1;
                false
            }
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.state();
        f.debug_struct("Pool")
            .field("jobs", &self.jobs)
            .field("timeout", &self.timeout)
            .field("live", &state.live)
            .field("running", &state.running.len())
            .field("abandoned", &state.abandoned)
            .finish_non_exhaustive()
    }
}

fn reply_unstarted(task: Task, verdict: Verdict) {
    // Nobody waits any more if this fails: the call ended early.
    let _ = task.reply.send((task.index, Outcome::not_run(verdict, task.since)));
}

/// Judges one response; a panic, also one from dropping the job, becomes an undecided verdict.
fn judge(job: Job, budget: &Budget) -> Verdict {
    let judged = catch_unwind(AssertUnwindSafe(move || {
        let verdict = job.judge.judge(&Response { text: &job.response, num_tokens: job.num_tokens }, budget);
        drop(job);
        verdict
    }));
    judged.unwrap_or_else(|panic| {
        let said = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
            (Some(text), _) => (*text).to_owned(),
            (_, Some(text)) => text.clone(),
            _ => "no message".to_owned(),
        };
        // A foreign panic value could panic again when it is dropped.
        std::mem::forget(panic);
        Verdict::undecided(CauseKind::Crash, format!("the verifier crashed: {said}"))
    })
}
