//! Ten thousand verdicts of the kind `code`, a tenth of them of hostile programs. Checks that honest ones are judged as
//! they are, that no hostile one is right or undecided, that nothing of them is left on the machine, and that memory does
//! not grow. Prints one JSON line.
//!
//! ```text
//! cargo run --release -p polestar-verifiers --example soak_code -- --n 10000
//! ```

#[path = "soak_code/left.rs"]
mod left;
#[path = "soak_code/programs.rs"]
mod programs;
mod soak_common;

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use clap::Parser;
use left::Before;
use polestar_verifiers::{Configured, Job, Outcome, RawItem, Supervisor, SupervisorConfig, configure};
use programs::{MISDEEDS, Sort};
use serde_json::{Value, json};
use soak_common::{orphans, python, resident_kb, stat, zombies};

/// Seconds of an honest program: enough on a machine that hostile ones keep busy.
const HONEST_S: f64 = 60.0;
/// A user without rights.
const NOBODY: &str = "65534";
/// Most that memory may grow after the first tenth, in KiB.
const MOST_GROWTH_KB: i64 = 16 << 10;

#[derive(Parser)]
#[command(about = "Ten thousand verdicts of programs, a tenth of them hostile")]
struct Options {
    /// Verdicts in all
    #[arg(long, default_value_t = 10_000)]
    n: usize,
    /// Verifications at once
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// Seconds that a hostile program may take, the making of its boxes included
    #[arg(long, default_value_t = 1.0)]
    hostile_s: f64,
    /// The isolation: auto, namespaces or landlock
    #[arg(long, default_value = "auto")]
    isolation: String,
    /// The Python of the programs; left out, the first python3 there is
    #[arg(long)]
    python: Option<String>,
    /// Run as a user without rights, who must be able to run the Python: wants root and setpriv
    #[arg(long)]
    unprivileged: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let found = if options.unprivileged { again(&options) } else { soak(&options) };
    match found {
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

/// Becomes this program again, as another user; comes back only with an error.
fn again(options: &Options) -> Result<Value, String> {
    let own = std::env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
    let python = options.python.as_deref().unwrap_or("/usr/bin/python3");
    let mut command = Command::new("setpriv");
    command
        .args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups", "--"])
        .arg(own);
    command.args(["--n", &options.n.to_string(), "--jobs", &options.jobs.to_string()]);
    command.args(["--hostile-s", &options.hostile_s.to_string(), "--isolation", &options.isolation]);
    Err(format!("setpriv cannot be started: {}", command.args(["--python", python]).current_dir("/").exec()))
}

fn soak(options: &Options) -> Result<Value, String> {
    let python = options.python.clone().map_or_else(python, Ok)?;
    let mark = format!("soak{}", std::process::id());
    // Processes that lose their parent come to this one, and are seen.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|error| error.to_string())?;
    let before = Before::look();
    let settings = json!({"python": python, "isolation": options.isolation, "memory_mb": 256, "tmp_mb": 16, "uses": 500});
    let mut verifier = configure("code", &settings).map_err(|error| error.to_string())?;
    // Verdicts that are kept are bounded memory, and would look like growth here.
    verifier.forget_verdicts();
    verifier.ready().map_err(|error| error.to_string())?;
    let timeout = Duration::from_secs_f64(HONEST_S * 2.0);
    let supervisor = Supervisor::new(SupervisorConfig { jobs: options.jobs, timeout, queue: 64 });

    let start = Instant::now();
    let mut seen = Seen::default();
    // In tenths, with a look at the memory before, between and after.
    let mut memory_kb = vec![resident_kb()];
    let mut from = 0;
    for part in 1..=10 {
        let to = options.n * part / 10;
        let work = (from..to).map(|i| job(&*verifier, i, &mark, options.hostile_s));
        let work = work.collect::<Result<Vec<Job>, String>>()?;
        for (i, outcome) in (from..to).zip(supervisor.judge_all(work, None)) {
            seen.add(i, &outcome);
        }
        memory_kb.push(resident_kb());
        eprintln!("{to} verdicts in {:.1} s, {} KiB resident", start.elapsed().as_secs_f64(), resident_kb());
        from = to;
    }
    let seconds = start.elapsed().as_secs_f64();
    drop(supervisor);
    drop(verifier);
    let left = before.left(&mark);
    // Without namespaces, what outlives its parent in a box becomes this process's child.
    let orphans = orphans();
    let zombies = zombies() - orphans;
    // What the first tenth needs for good, such as caches, is there by its end.
    let growth_kb = memory_kb.last().copied().unwrap_or(0) - memory_kb[1];
    let passed = seen.unexpected.is_empty() && left.is_empty() && zombies == 0 && growth_kb < MOST_GROWTH_KB;
    Ok(json!({
        "passed": passed, "n": options.n, "isolation": options.isolation, "jobs": options.jobs,
        "kinds": seen.kinds, "hostile": seen.hostile,
        "unexpected": seen.unexpected.len(), "examples": seen.unexpected.iter().take(5).collect::<Vec<_>>(),
        "left": left, "zombies": zombies, "orphans": orphans,
        "memory_kb": {"start": memory_kb[0], "first_tenth": memory_kb[1], "middle": memory_kb[5], "end": memory_kb[10]},
        "seconds": seconds, "core_seconds": stat(std::process::id()).map_or(0.0, |stat| stat.core_s),
        "honest_s_max": seen.slowest_honest_s, "hostile_s_max": seen.slowest_hostile_s,
    }))
}

fn job(verifier: &dyn Configured, i: usize, mark: &str, hostile_s: f64) -> Result<Job, String> {
    let time_s = if matches!(programs::sort(i), Sort::Hostile(_)) { hostile_s } else { HONEST_S };
    let tests = [format!("assert f({i}) == {}", 2 * i + 1)];
    let reference = json!({"tests": tests, "limits": {"timeout_s": time_s}});
    let item = RawItem { id: i.to_string(), problem: String::new(), reference };
    let judge = verifier.bind(item).map_err(|error| error.to_string())?;
    Ok(Job::new(judge, programs::response(i, mark)))
}

/// What became of the work.
#[derive(Default)]
struct Seen {
    kinds: BTreeMap<&'static str, usize>,
    /// By misdeed, the kinds of its verdicts.
    hostile: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    unexpected: Vec<String>,
    slowest_honest_s: f64,
    slowest_hostile_s: f64,
}

impl Seen {
    fn add(&mut self, i: usize, outcome: &Outcome) {
        let kind = outcome.verdict.kind_name();
        *self.kinds.entry(kind).or_default() += 1;
        let (name, is_expected) = match programs::sort(i) {
            Sort::Hostile(misdeed) => {
                let name = MISDEEDS[misdeed].0;
                *self.hostile.entry(name).or_default().entry(kind).or_default() += 1;
                self.slowest_hostile_s = self.slowest_hostile_s.max(outcome.run_s);
                (name, kind != "right" && outcome.verdict.score().is_some())
            }
            honest => {
                self.slowest_honest_s = self.slowest_honest_s.max(outcome.run_s);
                let name = if matches!(honest, Sort::Right) { "right" } else { "wrong" };
                (name, kind == name)
            }
        };
        if !is_expected {
            self.unexpected.push(format!("{i}, {name}: {:?}", outcome.verdict));
        }
    }
}
