//! Works on a stream by several threads at once, with results in the stream's order: to bind a request to a verifier
//! may take as long as to judge it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle, Result as Caught};

use crossbeam_channel::{Receiver, bounded};

/// The results, as an iterator that waits for the next one.
pub(super) struct Ahead<T> {
    /// For each piece of the stream, in order, where its result will come.
    results: Receiver<Receiver<Caught<T>>>,
    /// None once its end has been seen.
    reader: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Ahead<T> {
    /// Begins with `num_threads` workers, at least one. The stream is asked on a thread of its own, so it may block, and
    /// no faster than results are taken: twice as many pieces as workers, and one more, are on their way at most.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub(super) fn new<S>(
        source: S,
        num_threads: usize,
        work: impl Fn(S::Item) -> T + Send + Sync + 'static,
    ) -> std::io::Result<Self>
    where
        S: Iterator + Send + 'static,
        S::Item: Send,
    {
        let num_threads = num_threads.max(1);
        let (queue, results) = bounded(num_threads);
        let (tasks, waiting) = bounded::<(S::Item, crossbeam_channel::Sender<Caught<T>>)>(0);
        let work = Arc::new(work);
        for _ in 0..num_threads {
            let (waiting, work) = (waiting.clone(), Arc::clone(&work));
            Builder::new().name("verify-binder".to_owned()).spawn(move || {
                for (piece, reply) in waiting {
                    // Nobody waits any more where this fails.
                    let _ = reply.send(catch_unwind(AssertUnwindSafe(|| work(piece))));
                }
            })?;
        }
        let reader = Builder::new().name("verify-lines".to_owned()).spawn(move || {
            for piece in source {
                let (reply, result) = bounded(1);
                if queue.send(result).is_err() || tasks.send((piece, reply)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { results, reader: Some(reader) })
    }
}

impl<T> Iterator for Ahead<T> {
    type Item = T;

    /// # Panics
    /// If the stream or the work on a piece panics, with that panic.
    fn next(&mut self) -> Option<T> {
        let next = self.results.recv().ok().and_then(|result| result.recv().ok());
        match next {
            Some(Ok(done)) => Some(done),
            Some(Err(panic)) => resume_unwind(panic),
            None => match self.reader.take().map(JoinHandle::join) {
                Some(Err(panic)) => resume_unwind(panic),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_keep_the_order_however_long_each_takes() {
        let work = |n: u64| {
            std::thread::sleep(Duration::from_micros((n * 7919) % 900));
            n * 2
        };
        let results: Vec<u64> = Ahead::new(0..300, 4, work).unwrap().collect();
        assert_eq!(results, (0..300).map(|n| n * 2).collect::<Vec<_>>());
    }

    #[test]
    fn pieces_are_worked_on_at_once() {
        // Neither of two could pass alone.
        let both = Barrier::new(2);
        let waits = move |n: u32| {
            both.wait();
            n
        };
        assert_eq!(Ahead::new(0..8, 2, waits).unwrap().collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
    }

    #[test]
    fn a_result_comes_before_the_stream_goes_on() {
        let (more, pieces) = bounded(0);
        let mut results = Ahead::new(pieces.into_iter(), 3, |n: u32| n + 1).unwrap();
        for n in 0..5 {
            more.send(n).unwrap();
            assert_eq!(results.next(), Some(n + 1));
        }
        drop(more);
        assert_eq!(results.next(), None);
        assert_eq!(results.next(), None);
    }

    #[test]
    fn a_stream_is_not_read_far_ahead() {
        let (told, asked) = bounded(100);
        let source = (0..100).inspect(move |n| told.send(*n).unwrap());
        let mut results = Ahead::new(source, 2, |n: u32| n).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        assert!(asked.try_iter().count() <= 5);
        assert_eq!(results.by_ref().count(), 100);
    }

    #[test]
    fn panics_come_through() {
        let of_work = Ahead::new(0..3, 2, |n: u32| assert!(n != 1, "bad piece")).unwrap();
        let of_stream = Ahead::new((0..3).inspect(|n| assert!(*n != 1, "bad stream")), 2, drop).unwrap();
        for (results, says) in [(of_work, "bad piece"), (of_stream, "bad stream")] {
            let panic = catch_unwind(AssertUnwindSafe(|| results.count())).unwrap_err();
            assert_eq!(panic.downcast_ref::<&str>(), Some(&says));
        }
    }
}
