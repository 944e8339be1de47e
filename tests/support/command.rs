//! Runs the real binary and looks at what it said.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output};

/// Where the workspace lies.
#[must_use]
pub fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The binary under test: POLESTAR_BIN, or what `cargo build -p polestar` put beside this test.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn binary() -> PathBuf {
    let named = std::env::var_os("POLESTAR_BIN").map(PathBuf::from);
    // target/debug/deps/e2e-0123 -> target/debug/polestar
    let path = named
        .unwrap_or_else(|| std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("polestar"));
    assert!(
        path.is_file(),
        "expected the binary under test at {}, found none: run `cargo build -p polestar` first, or name it in POLESTAR_BIN",
        path.display()
    );
    path
}

/// A call of the binary, free of the caller's settings.
pub fn polestar<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(binary());
    command.args(args);
    clean(&mut command);
    command
}

/// Takes what could change a call out of a command's environment.
pub fn clean(command: &mut Command) {
    for name in ["POLESTAR_STAGE_FILE", "HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "RUST_LOG"] {
        command.env_remove(name);
    }
}

/// What a call came to.
#[derive(Debug)]
pub struct Done {
    /// The call, for messages.
    pub call: String,
    /// The exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Done {
    /// From a finished process.
    #[must_use]
    pub fn new(command: &Command, output: &Output) -> Self {
        Self {
            call: format!("{command:?}"),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Checks that it succeeded.
    ///
    /// # Panics
    /// When it did not.
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.call, self.stderr);
        self
    }

    /// Checks that it failed with `code`, that the message names each of `needles`, and that nothing panicked.
    ///
    /// # Panics
    /// When one of these is not so.
    pub fn failed(self, code: i32, needles: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.call, self.stderr);
        assert!(self.stderr.contains("error: "), "{}\n{}", self.call, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}\n{}", self.call, self.stderr);
        for needle in needles {
            assert!(self.stderr.contains(needle), "{}\nnot named: {needle}\n{}", self.call, self.stderr);
        }
        self
    }
}

/// Runs a command to its end.
pub fn finish(command: &mut Command) -> Done {
    let output = command.output().unwrap();
    Done::new(command, &output)
}

/// Runs the binary to its end.
pub fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Done {
    finish(&mut polestar(args))
}
