//! Ten thousand verdicts of a program that misbehaves in a tenth of them: hangs, crashes, floods, lies. Checks that the
//! honest ones are all right, that the others are undecided, that no process and no zombie is left, and that memory does
//! not grow. Prints one JSON line.
//!
//! ```text
//! cargo run --release -p polestar-verifiers --example soak -- --n 10000
//! ```

mod soak_common;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use polestar_verifiers::{Configured, Job, Outcome, RawItem, Supervisor, SupervisorConfig, configure};
use serde_json::{Value, json};
use soak_common::{processes, python, resident_kb, zombies};

/// The variable by which the programs of this run are found.
const MARK: &str = "POLESTAR_SOAK";

/// What a misbehaving program does, and what must become of it.
const MISDEEDS: &[(&str, &str)] = &[
    ("hang", "timeout"),
    ("grandchild hang", "timeout"),
    ("signal SIGSTOP", "timeout"),
    ("exit 3", "crash"),
    ("signal SIGKILL", "crash"),
    ("grandchild exit 1", "crash"),
    ("endless", "rubbish"),
    ("flood", "rubbish"),
    ("stderr-flood", "timeout"),
    ("say {\"id\": \"guessed\", \"score\": 1}", "rubbish"),
    ("say {\"id\": ID, \"score\": 7}", "rubbish"),
    ("twice", "rubbish"),
    ("half", "crash"),
    ("late 30", "timeout"),
];

#[derive(Parser)]
#[command(about = "Ten thousand verdicts of a program that misbehaves in a tenth of them")]
struct Options {
    /// Verdicts in all
    #[arg(long, default_value_t = 10_000)]
    n: usize,
    /// Programs at once
    #[arg(long, default_value_t = 8)]
    jobs: usize,
    /// The time limit of one verification; each that hangs costs as much, and each start of a program must fit into it
    #[arg(long, default_value_t = 3.0)]
    timeout_s: f64,
}

fn main() -> ExitCode {
    match soak(&Options::parse()) {
        Ok(report) => {
            println!("{report}");
            ExitCode::from(u8::from(report["passed"] != json!(true)))
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn soak(options: &Options) -> Result<Value, String> {
    let timeout = polestar_verifiers::timeout(options.timeout_s).ok_or("--timeout-s must be above 0")?;
    let mark = std::process::id().to_string();
    let puppet = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/puppet.py");
    let settings = json!({"command": [python()?, "-S", "-E", puppet], "env": {MARK: mark}, "memory_mb": 512, "uses": 500});
    let mut verifier = configure("process", &settings).map_err(|error| error.to_string())?;
    // Verdicts that are kept are bounded memory, and would look like growth here.
    verifier.forget_verdicts();
    verifier.ready().map_err(|error| error.to_string())?;
    let config = SupervisorConfig { jobs: options.jobs, timeout, queue: 64 };
    let supervisor = Supervisor::new(config);

    let start = Instant::now();
    let mut seen = Seen::default();
    let mut memory_kb = Vec::new();
    // In tenths, with a look at the memory before, between and after.
    memory_kb.push(resident_kb());
    let mut from = 0;
    for part in 1..=10 {
        let to = options.n * part / 10;
        let work = (from..to).map(|i| job(&*verifier, i)).collect::<Result<Vec<Job>, String>>()?;
        for (i, outcome) in (from..to).zip(supervisor.judge_all(work, None)) {
            seen.add(i, &outcome, timeout);
        }
        memory_kb.push(resident_kb());
        eprintln!("{to} verdicts in {:.1} s, {} KiB resident", start.elapsed().as_secs_f64(), resident_kb());
        from = to;
    }
    let seconds = start.elapsed().as_secs_f64();
    let while_idle = marked(&mark);
    drop(verifier);
    drop(supervisor);
    std::thread::sleep(Duration::from_millis(500));
    let (left, zombies) = (marked(&mark), zombies());
    // What the first tenth needs for good, such as caches, is there by its end.
    let growth_kb = memory_kb.last().copied().unwrap_or(0) - memory_kb[1];
    let passed = seen.wrong.is_empty()
        && left == 0
        && zombies == 0
        && while_idle <= options.jobs
        && growth_kb < 16 << 10;
    Ok(json!({
        "passed": passed, "n": options.n, "honest": seen.honest, "misbehaved": seen.misbehaved,
        "unexpected": seen.wrong.len(), "examples": seen.wrong.iter().take(3).collect::<Vec<_>>(),
        "seconds": seconds, "honest_ms_max": seen.slowest_honest_s * 1e3, "overrun_ms_max": seen.worst_overrun_s * 1e3,
        "programs_while_idle": while_idle, "left": left, "zombies": zombies,
        "memory_kb": {"start": memory_kb[0], "first_tenth": memory_kb[1], "middle": memory_kb[5], "end": memory_kb[10]},
        "jobs": options.jobs, "timeout_s": options.timeout_s,
    }))
}

/// What piece number `i` does: every tenth misbehaves.
fn misdeed(i: usize) -> Option<(&'static str, &'static str)> {
    (i % 10 == 7).then(|| MISDEEDS[(i / 10) % MISDEEDS.len()])
}

fn job(verifier: &dyn Configured, i: usize) -> Result<Job, String> {
    // The reference makes each request another one: equal ones would be asked once.
    let item = RawItem { id: i.to_string(), problem: String::new(), reference: json!(i) };
    let judge = verifier.bind(item).map_err(|error| error.to_string())?;
    let honest = if i.is_multiple_of(2) { "right" } else { "wrong" };
    let response = misdeed(i).map_or(honest, |(response, _)| response).to_owned();
    Ok(Job::new(judge, response))
}

/// What became of the work.
#[derive(Default)]
struct Seen {
    honest: usize,
    misbehaved: usize,
    wrong: Vec<String>,
    slowest_honest_s: f64,
    worst_overrun_s: f64,
}

impl Seen {
    fn add(&mut self, i: usize, outcome: &Outcome, timeout: Duration) {
        let expected = match misdeed(i) {
            Some((_, kind)) => {
                self.misbehaved += 1;
                kind
            }
            None => {
                self.honest += 1;
                self.slowest_honest_s = self.slowest_honest_s.max(outcome.run_s);
                if i.is_multiple_of(2) { "right" } else { "wrong" }
            }
        };
        self.worst_overrun_s = self.worst_overrun_s.max(outcome.run_s - timeout.as_secs_f64());
        if outcome.verdict.kind_name() != expected {
            self.wrong.push(format!("{i}: expected {expected}: {:?}", outcome.verdict));
        }
    }
}

/// How many living processes have the mark in their environment.
fn marked(mark: &str) -> usize {
    let wanted = format!("{MARK}={mark}");
    let has_mark = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    processes().filter(has_mark).count()
}
