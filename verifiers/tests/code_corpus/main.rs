//! `code` against a corpus of programs, at least half of them hostile: what the verdict is, and, seen from the outside,
//! that what must not happen did not happen.
//!
//! The cases run in a process of their own, this test program once more: its environment holds a secret that no case may
//! show, and whoever loses its parent below it becomes its child, so that nothing gets away unseen. That process can
//! also be another user's.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod case;
mod looks;
mod looks_tests;
mod processes;
mod run;
mod shape;
mod stage;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use polestar_verifiers::configure;
use serde_json::json;

use crate::run::{Plan, judge_all};
use crate::stage::SECRET;

/// The folder with the cases, for the process that runs them.
const FOLDER: &str = "POLESTAR_CORPUS_FOLDER";
/// The Python to use, in place of `python3`.
const PYTHON: &str = "POLESTAR_CODE_PYTHON";
/// Runs only cases with one of these texts, between commas, in their names.
const ONLY: &str = "POLESTAR_CORPUS_ONLY";
/// What only a Python does whose folders its user may enter: one may be started where it cannot find what belongs to it.
const READS_ITSELF: &str = "import sys; open(sys.executable, 'rb').close()";
/// A user without rights.
const NOBODY: &str = "65534";

#[test]
fn every_program_gets_its_verdict_in_namespaces() {
    as_this_user("every_program_gets_its_verdict_in_namespaces", "namespaces");
}

#[test]
fn every_program_gets_its_verdict_under_landlock() {
    as_this_user("every_program_gets_its_verdict_under_landlock", "landlock");
}

#[test]
fn every_program_gets_its_verdict_in_namespaces_without_rights() {
    as_nobody("every_program_gets_its_verdict_in_namespaces_without_rights", "namespaces");
}

#[test]
fn every_program_gets_its_verdict_under_landlock_without_rights() {
    as_nobody("every_program_gets_its_verdict_under_landlock_without_rights", "landlock");
}

/// Runs the cases, or, where this is not yet the process for it, starts that one.
fn as_this_user(test: &str, isolation: &str) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return run_here(test, isolation, Path::new(&folder));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/code_corpus");
    let copy = open_folder();
    let mut command = Command::new(std::env::current_exe().unwrap());
    // Without mounts of its own, what root starts runs as nobody, from where Python lies.
    if isolation != "namespaces"
        && rustix::process::geteuid().is_root()
        && let Some(python) = python_for_nobody(copy.path())
    {
        command.env(PYTHON, python);
    }
    again(command, test, &folder);
}

/// The same as a user without rights, from copies that this user can read.
fn as_nobody(test: &str, isolation: &str) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return run_here(test, isolation, Path::new(&folder));
    }
    if !rustix::process::geteuid().is_root() {
        return skip(test, "only root can become another user; the other tests run without rights here");
    }
    if Command::new("setpriv").arg("--version").stdout(Stdio::null()).status().is_err() {
        return skip(test, "there is no setpriv (util-linux)");
    }
    let copy = open_folder();
    let folder = copy.path().join("cases");
    copy_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/code_corpus"), &folder);
    let program = copy.path().join("corpus");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    open(&program);
    let mut command = nobody();
    command.arg(&program).env("HOME", copy.path()).current_dir(copy.path());
    match python_for_nobody(copy.path()) {
        Some(python) => again(command.env(PYTHON, python), test, &folder),
        None => skip(test, "there is no Python that a user without rights can run"),
    }
}

/// A temporary folder that everybody can read.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("corpus-").tempdir().unwrap();
    open(folder.path());
    folder
}

fn open(path: &Path) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// A Python for a user without rights: the one that is asked for, copied into the folder if it is a virtual environment that
/// this user cannot read, or another.
fn python_for_nobody(folder: &Path) -> Option<String> {
    let asked = std::env::var(PYTHON).ok().map(PathBuf::from);
    let environment = asked.as_deref().and_then(|python| python.parent()?.parent());
    if let (Some(asked), Some(environment)) = (&asked, environment)
        && environment.join("pyvenv.cfg").is_file()
        && !runs(nobody().arg(asked).args(["-c", READS_ITSELF]))
    {
        let copy = folder.join("python");
        copy_folder(environment, &copy);
        let python = copy.join("bin/python3");
        open(&python);
        if runs(nobody().arg(&python).args(["-c", READS_ITSELF])) {
            return python.to_str().map(str::to_owned);
        }
    }
    python(nobody)
}

/// A command that is run as a user without rights.
fn nobody() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).current_dir("/");
    command
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    std::fs::set_permissions(to, PermissionsExt::from_mode(0o755)).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::write(&target, std::fs::read(entry.path()).unwrap()).unwrap();
            std::fs::set_permissions(&target, PermissionsExt::from_mode(0o644)).unwrap();
        }
    }
}

/// Starts this program again for the one test, and passes on what was skipped.
fn again(mut command: impl std::borrow::BorrowMut<Command>, test: &str, folder: &Path) {
    let command = command.borrow_mut();
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(FOLDER, folder).env(SECRET, new_secret()).stdin(Stdio::null());
    // One at a time, where they share a process: what the programs of one take of a user's processes another lacks.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    // Only this: a second report of a test that passed would be counted.
    for skipped in said.lines().filter_map(|line| line.find("SKIPPED:").map(|at| &line[at..])) {
        println!("{skipped}");
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{said}\n{complaint}", output.status);
}

/// A text that nobody can guess.
fn new_secret() -> String {
    format!("canary-{:016x}", RandomState::new().build_hasher().finish())
}

fn run_here(test: &str, isolation: &str, folder: &Path) {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    let is_nobody = isolation != "namespaces" && rustix::process::geteuid().is_root();
    let found = python(|| if is_nobody { nobody() } else { Command::new("env") });
    let Some(python) = found else { panic!("the tests need python3 on the PATH") };
    let verifier = configure("code", &json!({"isolation": isolation, "python": python})).unwrap();
    if let Err(error) = verifier.ready() {
        assert!(!can_isolate(isolation, &python), "{error}");
        return skip(test, &format!("this machine forbids {isolation}: {error}"));
    }
    drop(verifier);
    let has_pytest = runs(Command::new(&python).args(["-c", "import pytest"]));
    if !has_pytest {
        skip(test, &format!("the cases for pytest: install pytest, or set {PYTHON} to a Python that has it"));
    }
    let secret = std::env::var(SECRET).unwrap();
    let only = std::env::var(ONLY).ok();
    judge_all(&Plan { folder, isolation, python: &python, has_pytest, secret: &secret, only });
}

/// Whether the machine lets an ordinary program have this level, asked without the code under test.
fn can_isolate(isolation: &str, python: &str) -> bool {
    match isolation {
        "namespaces" => runs(Command::new("unshare").args(["--user", "--map-root-user", "--mount", "true"])),
        _ => {
            // landlock_create_ruleset, asked for the version.
            let ask = "import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 1)";
            runs(Command::new(python).args(["-c", ask]))
        }
    }
}

/// The first Python that `runner` can run: the program itself, not a script that looks for it.
fn python(runner: impl Fn() -> Command) -> Option<String> {
    let asked = std::env::var(PYTHON).ok();
    let candidates = asked.into_iter().chain(["python3".to_owned(), "/usr/bin/python3".to_owned()]);
    candidates.into_iter().find_map(|candidate| {
        let path = Command::new(candidate).args(["-c", "import sys; print(sys.executable)"]).output().ok()?;
        let path = PathBuf::from(String::from_utf8(path.stdout).ok()?.trim());
        runs(runner().arg(&path).args(["-c", READS_ITSELF])).then(|| path.to_str().map(str::to_owned))?
    })
}

fn runs(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn skip(test: &str, reason: &str) {
    println!("SKIPPED: {test}: {reason}");
}
