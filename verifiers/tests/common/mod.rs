//! What the tests of verifiers outside of this process share: a Python, jobs, and a look at which processes are left.

#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use polestar_verifiers::{Configured, Job, Outcome, RawItem, Supervisor, SupervisorConfig, configure};
use serde_json::{Value, json};

#[path = "../../src/shared_data.rs"]
pub(crate) mod shared_data;

/// The variable in the environment of a test's programs by which they are found again.
const MARK: &str = "POLESTAR_TEST_MARK";

/// The Python itself, not a script that looks for one.
pub(crate) fn python() -> &'static str {
    static PYTHON: OnceLock<String> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
        let output = output.expect("the tests need python3 on the PATH");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    })
}

/// A file of the repository.
pub(crate) fn path(file: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    path.to_str().unwrap().to_owned()
}

/// A name that no other test has.
pub(crate) fn new_mark() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The settings of a verifier that runs `command` with the mark in its environment, and `more` settings.
pub(crate) fn settings(mark: &str, command: &[&str], more: Value) -> Value {
    let mut settings = json!({"command": command, "env": {MARK: mark}});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    settings
}

/// The puppet with that argument.
pub(crate) fn puppet(mark: &str, mode: &str, more: Value) -> Value {
    settings(mark, &[python(), "-S", "-E", &path("verifiers/tests/common/puppet.py"), mode], more)
}

pub(crate) fn supervisor(jobs: usize, timeout_ms: u64) -> Supervisor {
    Supervisor::new(SupervisorConfig { jobs, timeout: Duration::from_millis(timeout_ms), queue: 64 })
}

pub(crate) fn process(settings: &Value) -> Box<dyn Configured> {
    configure("process", settings).unwrap()
}

pub(crate) fn job(verifier: &dyn Configured, reference: Value, response: &str) -> Job {
    let item = RawItem { id: "p".into(), problem: "What?".into(), reference };
    Job::new(verifier.bind(item).unwrap(), response)
}

/// Judges responses one after the other.
pub(crate) fn judge(verifier: &dyn Configured, timeout_ms: u64, responses: &[&str]) -> Vec<Outcome> {
    let jobs = responses.iter().map(|response| job(verifier, json!("42"), response)).collect();
    supervisor(1, timeout_ms).judge_all(jobs, None)
}

pub(crate) fn kinds(outcomes: &[Outcome]) -> Vec<&str> {
    outcomes.iter().map(|outcome| outcome.verdict.kind_name()).collect()
}

/// The living processes with that mark.
pub(crate) fn marked(mark: &str) -> Vec<i32> {
    let wanted = format!("{MARK}={mark}");
    let has_mark = |pid: &i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    processes().filter(has_mark).collect()
}

/// The zombies whose parent this process is.
pub(crate) fn zombies() -> Vec<i32> {
    let is_zombie = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Behind the name, which may hold anything.
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        fields.next() == Some("Z") && fields.next() == Some(&std::process::id().to_string())
    };
    processes().filter(is_zombie).collect()
}

fn processes() -> impl Iterator<Item = i32> {
    std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Waits until it is so; fails after 5 s. A killed process is gone a moment later.
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(5), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// That nothing with the mark runs, and this process has no zombies.
pub(crate) fn assert_gone(mark: &str) {
    wait_until(&format!("processes left: {:?}", marked(mark)), || marked(mark).is_empty());
    wait_until("zombies", || zombies().is_empty());
}
