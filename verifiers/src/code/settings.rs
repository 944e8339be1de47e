//! The settings of the kind `code`.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::language::{Languages, PYTHON};
use crate::budget::{MAX_TIMEOUT_S, timeout};
use crate::sandbox::Isolation;

/// The settings of [`Code`](super::Code).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CodeSettings {
    /// The language of programs that read and write, unless their reference names one. Default `python`.
    pub language: String,
    /// Name or path of the Python that runs solutions and tests, 3.9 or later. Default `python3`.
    pub python: String,
    /// Whether the score is the share of tests that passed, rather than 1 for all and 0 for fewer. Default false.
    pub partial: bool,
    /// Whether tests see what a solution changes in the arguments of a call. Default false: an argument is then a copy, and a
    /// solution cannot change what the test goes on to compare its answer with.
    pub in_place: bool,
    /// Seconds that a program may take: all its tests together, or one case of standard input. Default 5.
    pub time_s: f64,
    /// MiB of address space of each process of a program, and of memory of all together. Default 1024.
    pub memory_mb: u64,
    /// KiB of standard output that a program may write in a case. Default 1024.
    pub output_kb: u64,
    /// MiB of files that a program may keep while it runs. Default 64.
    pub tmp_mb: u64,
    /// Processes and threads that a program may have at once. Default 32.
    pub max_processes: u64,
    /// Which isolation is wanted. Default `auto`: the best that there is, and an error where there is none.
    pub isolation: Isolation,
    /// Folders that programs may read beside those of the system and of Python.
    pub readable: Vec<PathBuf>,
    /// Languages beside Python, C++ and Rust, or in place of these.
    pub languages: Languages,
    /// Verifications after which a fork server is replaced, at least 1. Default 1000.
    pub uses: u64,
}

impl Default for CodeSettings {
    fn default() -> Self {
        Self {
            language: PYTHON.to_owned(),
            python: "python3".to_owned(),
            partial: false,
            in_place: false,
            time_s: 5.0,
            memory_mb: 1024,
            output_kb: 1024,
            tmp_mb: 64,
            max_processes: 32,
            isolation: Isolation::Auto,
            readable: Vec::new(),
            languages: Languages::default(),
            uses: 1000,
        }
    }
}

impl CodeSettings {
    /// The time that a program may take.
    ///
    /// # Errors
    /// Some setting has a value that cannot be meant.
    pub(super) fn check(&self) -> Result<Duration, String> {
        let time = timeout(self.time_s).ok_or_else(|| {
            format!("`time_s` must be above 0 and at most {MAX_TIMEOUT_S}, found {}", self.time_s)
        })?;
        self.languages.get(&self.language).map_err(|problem| format!("`language`: {problem}"))?;
        for (key, value, least) in [
            ("memory_mb", self.memory_mb, 64),
            ("output_kb", self.output_kb, 1),
            ("tmp_mb", self.tmp_mb, 1),
            ("max_processes", self.max_processes, 1),
            ("uses", self.uses, 1),
        ] {
            if value < least || value > 1 << 24 {
                return Err(format!(
                    "`{key}` must be at least {least} and at most {}, found {value}",
                    1 << 24
                ));
            }
        }
        if self.python.is_empty() || self.python.contains('\0') {
            return Err("`python` must be the name or the path of a Python, found none".to_owned());
        }
        match self.readable.iter().find(|path| !path.is_absolute()) {
            Some(path) => Err(format!("`readable` must be absolute paths, found {}", path.display())),
            None => Ok(time),
        }
    }
}
