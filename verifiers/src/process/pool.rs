//! The running copies of the program: one for each verification at once, kept for the next one, renewed now and then.

use std::sync::Mutex;
use std::time::Duration;

use super::child::{Child, Idle};
use super::launch::Launch;
use crate::lock::lock;

/// How long a copy is watched before it counts as started.
const START_WATCH: Duration = Duration::from_secs(1);
/// Complaints that are kept.
const MOST_COMPLAINTS: usize = 16;

/// The copies that wait for work, and how more are started.
#[derive(Debug)]
pub(super) struct Pool {
    launch: Launch,
    /// Answers after which a copy is ended.
    uses: u64,
    /// The one used last is used next, so that few are kept busy and in the caches.
    free: Mutex<Vec<Child>>,
    complaints: Mutex<Vec<String>>,
}

impl Pool {
    pub(super) fn new(launch: Launch, uses: u64) -> Self {
        Self { launch, uses, free: Mutex::default(), complaints: Mutex::default() }
    }

    /// A copy that waits for work, or a fresh one.
    ///
    /// # Errors
    /// The program cannot be started.
    pub(super) fn take(&self) -> Result<Child, String> {
        loop {
            let free = lock(&self.free).pop();
            let Some(mut child) = free else { return self.launch.start() };
            match child.idle() {
                Idle::Waiting => return Ok(child),
                // One that answers a single request is slow and does nothing wrong.
                Idle::Ended(how) if how.starts_with("ended with exit code 0") => {}
                Idle::Ended(how) => self.complain(format!("after an answer the program {how}")),
                Idle::Wrote(what) => {
                    self.complain(format!("after an answer, in time or late, the program wrote {what}"));
                }
            }
        }
    }

    /// Keeps a copy that has answered, unless it is to be renewed.
    pub(super) fn give_back(&self, child: Child) {
        if child.num_answered < self.uses {
            lock(&self.free).push(child);
        }
    }

    /// Whether the program starts.
    ///
    /// # Errors
    /// It cannot be started, or ends at once.
    pub(super) fn ready(&self) -> Result<(), String> {
        let mut child = self.launch.start()?;
        child.watch_start(START_WATCH).map_err(|problem| {
            format!("{} {problem}; install what it lacks, or correct `command`", self.launch.shown())
        })?;
        self.give_back(child);
        Ok(())
    }

    /// Notes what went wrong beside the verdicts, as far as there is room.
    pub(super) fn complain(&self, complaint: String) {
        let mut complaints = lock(&self.complaints);
        if complaints.len() < MOST_COMPLAINTS {
            complaints.push(complaint);
        }
    }

    pub(super) fn take_complaints(&self) -> Vec<String> {
        // Looks at the idle ones first, so that what they did since their last answer is told.
        let idle = std::mem::take(&mut *lock(&self.free));
        for mut child in idle {
            match child.idle() {
                Idle::Wrote(what) => self.complain(format!("after an answer the program wrote {what}")),
                Idle::Waiting | Idle::Ended(_) => lock(&self.free).push(child),
            }
        }
        std::mem::take(&mut *lock(&self.complaints))
    }
}
