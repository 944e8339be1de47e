//! The supervisor against judges that are slow, panic, hang, or are left behind.

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use super::*;
use crate::budget::Budget;
use crate::verdict::{CauseKind, Kind};
use crate::verifier::Response;

/// Does what the response says: `sleep MS`, `panic TEXT`, `hang` (until released), `obey` (works until the budget is
/// spent), else answers with it.
#[derive(Default)]
struct Puppet {
    release: AtomicBool,
    running: AtomicUsize,
    most_running: AtomicUsize,
}

impl Judge for Puppet {
    fn judge(&self, response: &Response<'_>, budget: &Budget) -> Verdict {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(running, Ordering::SeqCst);
        let (word, rest) = response.split_once(' ').unwrap_or((response.text, ""));
        match word {
            "sleep" => std::thread::sleep(Duration::from_millis(rest.parse().unwrap())),
            "panic" => {
                self.running.fetch_sub(1, Ordering::SeqCst);
                panic!("{rest}");
            }
            "hang" => {
                while !self.release.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            "obey" => {
                while !budget.expired() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                self.running.fetch_sub(1, Ordering::SeqCst);
                return Verdict::zero(Kind::OverBudget, "gave up", None);
            }
            _ => {}
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        Verdict::right("", Some(response.text.to_owned()))
    }

    fn answer(&self) -> Option<String> {
        None
    }
}

fn supervisor(jobs: usize, timeout_ms: u64) -> Supervisor {
    Supervisor::new(SupervisorConfig { jobs, timeout: Duration::from_millis(timeout_ms), queue: 4 })
}

fn jobs<'a>(puppet: &Arc<Puppet>, responses: impl IntoIterator<Item = &'a str>) -> Vec<Job> {
    let job = |response: &str| Job::new(Arc::clone(puppet) as Arc<dyn Judge>, response);
    responses.into_iter().map(job).collect()
}

fn kinds(outcomes: &[Outcome]) -> Vec<&'static str> {
    outcomes.iter().map(|outcome| outcome.verdict.kind_name()).collect()
}

/// Waits until `is_so`, at most 10 s.
fn wait_until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(10), "waited in vain");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn no_work_is_no_outcomes() {
    assert_eq!(supervisor(2, 1000).judge_all(Vec::new(), None), Vec::new());
}

#[test]
fn outcomes_come_in_the_order_of_the_work() {
    let puppet = Arc::default();
    let responses = ["sleep 60", "a", "sleep 30", "b", "sleep 1", "c"];
    let counts = Mutex::new(Vec::new());
    let on_done = |done| counts.lock().unwrap().push(done);
    let outcomes = supervisor(3, 5000).judge_all(jobs(&puppet, responses), Some(&on_done));
    let found: Vec<_> = outcomes.iter().map(|outcome| outcome.verdict.extracted().unwrap()).collect();
    assert_eq!(found, responses);
    assert_eq!(*counts.lock().unwrap(), [1, 2, 3, 4, 5, 6]);
    assert!(outcomes[0].run_s >= 0.06, "{outcomes:?}");
}

#[test]
fn work_is_left_once_it_is_not_to_go_on() {
    let supervisor = supervisor(1, 5000);
    let work = || jobs(&Arc::default(), ["sleep 20"; 50]);
    let mut asked = 0;
    let start = Instant::now();
    let outcomes = supervisor.judge_while(work(), &mut || {
        asked += 1;
        asked < 3
    });
    assert_eq!((outcomes, asked), (None, 3));
    // Two of the 50, and at most two more that were begun.
    let next = supervisor.judge_while(jobs(&Arc::default(), ["a"]), &mut || true).unwrap();
    assert_eq!(kinds(&next), ["right"]);
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    assert_eq!(supervisor.judge_while(work(), &mut || false), None);
}

#[test]
fn the_deadline_counts_from_the_start_and_not_from_the_queue() {
    // Five times 150 ms one after the other: the last waits longer than the limit of 500 ms, and is still judged.
    let outcomes = supervisor(1, 500).judge_all(jobs(&Arc::default(), ["sleep 150"; 5]), None);
    assert_eq!(kinds(&outcomes), ["right"; 5]);
    let last = &outcomes[4];
    assert!(last.queue_s >= 0.6 && last.run_s < 0.5, "{last:?}");
}

#[test]
fn a_panic_is_undecided_and_the_worker_lives() {
    let outcomes =
        supervisor(1, 60_000).judge_all(jobs(&Arc::default(), ["panic of mine", "a", "panic", "b"]), None);
    assert_eq!(kinds(&outcomes), ["crash", "right", "crash", "right"]);
    assert_eq!(outcomes[0].verdict.reason(), "the verifier crashed: of mine");
}

#[test]
fn a_judge_that_hangs_is_left_behind_and_its_worker_replaced() {
    let puppet: Arc<Puppet> = Arc::default();
    let supervisor = supervisor(1, 100);
    let start = Instant::now();
    let outcomes = supervisor.judge_all(jobs(&puppet, ["hang", "a", "hang", "b"]), None);
    assert_eq!(kinds(&outcomes), ["timeout", "right", "timeout", "right"]);
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(outcomes[0].run_s >= 0.1 && outcomes[0].verdict.reason().contains("100ms"), "{outcomes:?}");
    assert_eq!(puppet.running.load(Ordering::SeqCst), 2);
    puppet.release.store(true, Ordering::SeqCst);
    wait_until(|| puppet.running.load(Ordering::SeqCst) == 0);
}

#[test]
fn a_judge_that_notices_its_spent_budget_is_heard() {
    let outcomes = supervisor(1, 400).judge_all(jobs(&Arc::default(), ["obey"]), None);
    assert_eq!(kinds(&outcomes), ["over-budget"]);
}

#[test]
fn too_many_hanging_judges_tell_the_run_and_never_block() {
    let puppet: Arc<Puppet> = Arc::default();
    let supervisor = supervisor(2, 50).with_max_abandoned(2);
    let work: Vec<&str> = std::iter::repeat_n("hang", 20).collect();
    let outcomes = supervisor.judge_all(jobs(&puppet, work), None);
    let count = |kind| kinds(&outcomes).into_iter().filter(|it| *it == kind).count();
    assert!((2..=3).contains(&count("timeout")), "{:?}", kinds(&outcomes));
    assert_eq!(count("timeout") + count("exhausted"), 20);
    assert!(puppet.most_running.load(Ordering::SeqCst) <= 4);
    assert!(outcomes[19].verdict.reason().contains("find out which verifier hangs"), "{:?}", outcomes[19]);
    // Once the hanging ones are back, work is started again.
    puppet.release.store(true, Ordering::SeqCst);
    wait_until(|| puppet.running.load(Ordering::SeqCst) == 0);
    wait_until(|| kinds(&supervisor.judge_all(jobs(&puppet, ["a"]), None)) == ["right"]);
}

#[test]
fn a_stream_holds_a_bounded_number_of_pieces_and_keeps_decided_ones_in_place() {
    let supervisor = Supervisor::new(SupervisorConfig { jobs: 2, timeout: Duration::from_secs(5), queue: 3 });
    let puppet: Arc<Puppet> = Arc::default();
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let work = (0..100_usize).map(move |i| {
        counter.fetch_add(1, Ordering::SeqCst);
        let job = Job::new(Arc::clone(&puppet) as Arc<dyn Judge>, i.to_string());
        (i, if i % 10 == 3 { Err(Verdict::undecided(CauseKind::BadInput, "")) } else { Ok(job) })
    });
    let mut given = 0;
    let result = supervisor.stream(work, |i, outcome| {
        assert_eq!(i, given);
        given += 1;
        if i % 10 == 3 {
            assert_eq!(outcome.verdict.kind_name(), "bad-input");
        } else {
            assert_eq!(outcome.verdict.extracted(), Some(i.to_string().as_str()));
        }
        let ahead = taken.load(Ordering::SeqCst) - given;
        assert!(ahead <= 2 + 3 + 2, "{ahead} pieces are held");
        Ok::<(), Infallible>(())
    });
    assert!(result.is_ok());
    assert_eq!(given, 100);
}

#[test]
fn a_stream_gives_outcomes_while_its_source_blocks() {
    let (send, receive) = crossbeam_channel::unbounded::<Job>();
    let (told, tell) = crossbeam_channel::unbounded();
    let asker = std::thread::spawn(move || {
        for response in ["a", "b"] {
            send.send(jobs(&Arc::default(), [response]).remove(0)).unwrap();
            // Were the first outcome held back until the next piece of work, this would wait in vain.
            tell_one(&tell, response);
        }
    });
    let work = receive.into_iter().map(|job| ((), Ok(job)));
    let sink = |(), outcome: Outcome| told.send(outcome.verdict.extracted().unwrap().to_owned());
    assert!(supervisor(1, 1000).stream(work, sink).is_ok());
    asker.join().unwrap();
}

fn tell_one(tell: &Receiver<String>, expected: &str) {
    assert_eq!(tell.recv_timeout(Duration::from_secs(10)).as_deref(), Ok(expected));
}

#[test]
fn a_sink_that_refuses_ends_the_stream() {
    let puppet: Arc<Puppet> = Arc::default();
    let supervisor = supervisor(1, 5000);
    let work = jobs(&puppet, ["a"; 50]).into_iter().map(|job| ((), Ok(job)));
    let mut left = 3;
    let result = supervisor.stream(work, |(), _| {
        left -= 1;
        if left == 0 { Err("full") } else { Ok(()) }
    });
    assert!(matches!(result, Err(StreamError::Sink("full"))), "{result:?}");
    assert_eq!(kinds(&supervisor.judge_all(jobs(&puppet, ["b"]), None)), ["right"]);
}

#[test]
fn a_source_that_panics_does_not_pass_for_one_that_ended() {
    let work = (0..3).map(|i| {
        assert!(i < 2, "the source is broken");
        ((), Err(Verdict::no_answer("")))
    });
    let run = std::panic::catch_unwind(|| supervisor(1, 1000).stream(work, |(), _| Ok::<(), Infallible>(())));
    let panic = run.unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the source is broken"));
}

#[test]
fn several_callers_share_the_workers_and_dropping_waits_for_idle_ones() {
    let supervisor = supervisor(2, 1000);
    let pool = Arc::clone(&supervisor.pool);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let supervisor = &supervisor;
            scope.spawn(move || {
                let outcomes = supervisor.judge_all(jobs(&Arc::default(), ["a", "hang", "b"]), None);
                assert_eq!(kinds(&outcomes), ["right", "timeout", "right"]);
            });
        }
    });
    drop(supervisor);
    assert!(format!("{pool:?}").contains("live: 0, running: 0, abandoned: 4"), "{pool:?}");
}
