//! Things that are made once, by whoever asks first, and why one could not be made.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use crate::fault::Fault;
use crate::lock::lock;
use crate::verdict::CauseKind;

/// Why something could not be prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) message: String,
    cause: Cause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// The text: it will be there again.
    Text,
    /// The machine or its sandbox, which may do better the next time.
    Machine,
    /// Somebody else still prepares it.
    Clock,
}

impl Problem {
    /// With what is prepared: another try ends alike.
    pub(super) fn lasting(message: String) -> Self {
        Self { message, cause: Cause::Text }
    }

    /// With what prepares it.
    pub(super) fn passing(message: String) -> Self {
        Self { message, cause: Cause::Machine }
    }

    fn overdue() -> Self {
        let message = "the time for the verification was over while another one still prepared the header or the \
                       statement; raise `timeout_s`";
        Self { message: message.to_owned(), cause: Cause::Clock }
    }

    fn is_lasting(&self) -> bool {
        self.cause == Cause::Text
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        match problem.cause {
            Cause::Text => Self::lasting(CauseKind::BadReference, problem.message),
            Cause::Machine => Self::new(CauseKind::Unreachable, problem.message),
            Cause::Clock => Self::lasting(CauseKind::Timeout, problem.message),
        }
    }
}

/// What is made once for each key, by whoever asks first; the others wait.
pub(super) struct Once<K, V> {
    /// What is made or being made. What the machine failed to make is taken out again, so that whoever comes next tries.
    slots: Mutex<HashMap<K, Arc<Slot<V>>>>,
}

/// What came of one making.
struct Slot<V> {
    /// None while it goes on.
    made: Mutex<Option<Made<V>>>,
    is_made: Condvar,
}

type Made<V> = Result<Arc<V>, Problem>;

impl<K, V> Default for Once<K, V> {
    fn default() -> Self {
        Self { slots: Mutex::default() }
    }
}

impl<K: Clone + Eq + Hash, V> Once<K, V> {
    /// What is made for the key. Who has to wait for somebody else does so until `end`, or however long it takes; who makes
    /// it goes on to the end, because others wait for it.
    ///
    /// # Errors
    /// It could not be made, or was not in time.
    pub(super) fn get(
        &self,
        key: &K,
        end: Option<Instant>,
        make: impl FnOnce() -> Result<V, Problem>,
    ) -> Made<V> {
        let slot = loop {
            let mut slots = lock(&self.slots);
            let Some(slot) = slots.get(key).map(Arc::clone) else {
                let slot = Arc::new(Slot { made: Mutex::new(None), is_made: Condvar::new() });
                slots.insert(key.clone(), Arc::clone(&slot));
                break slot;
            };
            drop(slots);
            match slot.wait(end).ok_or_else(Problem::overdue)? {
                // Somebody else's time was over.
                Err(Problem { cause: Cause::Clock, .. }) => {}
                made => return made,
            }
        };
        let mut making = Making { once: self, key, slot: &slot, made: None };
        let made = make().map(Arc::new);
        making.made = Some(made.clone());
        made
    }
}

/// A making that goes on. Its end tells those who wait, also where it is a panic.
struct Making<'a, K: Eq + Hash, V> {
    once: &'a Once<K, V>,
    key: &'a K,
    slot: &'a Slot<V>,
    made: Option<Made<V>>,
}

impl<K: Eq + Hash, V> Drop for Making<'_, K, V> {
    fn drop(&mut self) {
        let crashed = || Err(Problem::passing("it crashed while it was prepared".to_owned()));
        let made = self.made.take().unwrap_or_else(crashed);
        if made.as_ref().is_err_and(|problem| !problem.is_lasting()) {
            lock(&self.once.slots).remove(self.key);
        }
        *lock(&self.slot.made) = Some(made);
        self.slot.is_made.notify_all();
    }
}

impl<V> Slot<V> {
    /// What it came to; none where that is not known by `end`.
    fn wait(&self, end: Option<Instant>) -> Option<Made<V>> {
        let mut made = lock(&self.made);
        loop {
            if made.is_some() {
                return made.clone();
            }
            made = match end {
                None => self.is_made.wait(made).unwrap_or_else(PoisonError::into_inner),
                Some(end) => {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    self.is_made.wait_timeout(made, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    fn never<V>() -> Result<V, Problem> {
        panic!("it is made already")
    }

    #[test]
    fn what_is_made_or_cannot_be_is_kept_and_what_the_machine_refused_is_tried_again() {
        let once = Once::default();
        let refused = Problem::passing("no box".to_owned());
        assert_eq!(once.get(&1, None, || Err(refused.clone())), Err(refused));
        let made = once.get(&1, None, || Ok(7)).unwrap();
        assert!(Arc::ptr_eq(&made, &once.get(&1, None, never).unwrap()));
        let wrong = Problem::lasting("no theorem".to_owned());
        assert_eq!(once.get(&2, None, || Err(wrong.clone())), Err(wrong.clone()));
        assert_eq!(once.get(&2, None, never), Err(wrong));
    }

    #[test]
    fn who_waits_gets_what_another_makes_or_gives_up_at_the_end_of_the_own_time() {
        let once = Once::default();
        let (begin, begun) = mpsc::channel();
        let (finish, finished) = mpsc::channel();
        std::thread::scope(|scope| {
            let maker = scope.spawn(|| {
                once.get(&(), None, move || {
                    begin.send(()).unwrap();
                    finished.recv().unwrap();
                    Ok(7)
                })
            });
            begun.recv().unwrap();
            let started = Instant::now();
            let short = started + Duration::from_millis(50);
            let once = &once;
            assert_eq!(once.get(&(), Some(short), never), Err(Problem::overdue()));
            assert!(started.elapsed() >= Duration::from_millis(50));
            let long = Some(started + Duration::from_secs(60));
            let waiting: Vec<_> =
                [None, long].map(|end| scope.spawn(move || once.get(&(), end, never))).into_iter().collect();
            finish.send(()).unwrap();
            let made = maker.join().unwrap().unwrap();
            for waiting in waiting {
                assert!(Arc::ptr_eq(&made, &waiting.join().unwrap().unwrap()));
            }
            // Nobody waits for what is there.
            assert_eq!(once.get(&(), Some(started), never), Ok(made));
        });
    }

    #[test]
    fn who_has_more_time_than_the_one_who_gave_up_goes_on() {
        let once = Once::default();
        let (begin, begun) = mpsc::channel();
        let (finish, finished) = mpsc::channel();
        std::thread::scope(|scope| {
            let hurried = scope.spawn(|| {
                once.get(&(), None, move || {
                    begin.send(()).unwrap();
                    finished.recv().unwrap();
                    Err(Problem::overdue())
                })
            });
            begun.recv().unwrap();
            let patient = scope.spawn(|| once.get(&(), None, || Ok(7)));
            // Long enough for it to wait; where it is not, the test only shows less.
            std::thread::sleep(Duration::from_millis(100));
            finish.send(()).unwrap();
            assert_eq!(hurried.join().unwrap(), Err(Problem::overdue()));
            assert_eq!(patient.join().unwrap(), Ok(Arc::new(7)));
        });
    }

    #[test]
    fn a_making_that_panics_keeps_nobody_waiting() {
        let once: Once<(), u32> = Once::default();
        let (begin, begun) = mpsc::channel();
        let (finish, finished) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let maker = scope.spawn(|| {
                catch_unwind(AssertUnwindSafe(|| {
                    once.get(&(), None, move || {
                        begin.send(()).unwrap();
                        finished.recv().unwrap();
                        panic!("on purpose")
                    })
                }))
            });
            begun.recv().unwrap();
            let slot = Arc::clone(&lock(&once.slots)[&()]);
            finish.send(()).unwrap();
            assert!(slot.wait(None).unwrap().unwrap_err().message.contains("crashed"));
            assert!(maker.join().unwrap().is_err());
        });
        assert_eq!(once.get(&(), None, || Ok(7)), Ok(Arc::new(7)));
    }
}
