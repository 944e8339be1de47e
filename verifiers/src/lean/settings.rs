//! The settings of the kind `lean`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::budget::{MAX_TIMEOUT_S, timeout};
use crate::sandbox::Isolation;

/// Axioms that proofs may rest on, unless others are set: those of Lean's own library.
pub const STANDARD_AXIOMS: [&str; 3] = ["propext", "Classical.choice", "Quot.sound"];

/// Heartbeats, in thousands, that Lean may take for a declaration unless it is told otherwise.
pub(super) const LEANS_HEARTBEATS: u64 = 200_000;

/// Who elaborates proofs first. Whatever it is, a proof counts only after the `lean` command has compiled it in a box of
/// its own and what it compiled was checked again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// The `lean` command, a process for each proof.
    #[default]
    Lean,
    /// A pool of the community's REPLs.
    Repl,
    /// A language server for each worker.
    Server,
    /// A Kimina server.
    Kimina,
}

/// What of a proof that is not right counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Partial {
    /// Nothing.
    #[default]
    None,
    /// The share of its lines before the first error.
    Prefix,
    /// The share of its goals that its tactics close, one by one. For the back end `repl`.
    Goals,
}

/// The settings of [`Lean`](super::Lean).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeanSettings {
    /// Who elaborates proofs first. Default `lean`.
    pub backend: Backend,
    /// Name or absolute path of the `lean` command. Default `lean`.
    pub command: String,
    /// The folder of a Lake project that is built: its modules, and those that it depends on, can be imported. Its `lean`
    /// is taken, the one that its `lean-toolchain` names.
    pub project: Option<PathBuf>,
    /// Folders of compiled modules, as in `LEAN_PATH`, where there is no project.
    pub lean_path: Vec<PathBuf>,
    /// Text at the head of every proof whose reference has no `header`: imports, and what follows.
    pub header: String,
    /// Axioms that proofs may rest on. Default those of Lean's library: propext, Classical.choice, Quot.sound.
    pub axioms: Vec<String>,
    /// What of a proof that is not right counts: `none`; `prefix`, the share of its lines before the first error; or, with
    /// the back end `repl`, `goals`, the share of goals that its tactics close one by one. Default `none`. A share of lines
    /// is no evidence: lines that do nothing count, and a proof can place errors of its own where it likes.
    pub partial: Partial,
    /// Seconds that Lean may take for a proof. Default 60.
    pub time_s: f64,
    /// MiB of memory that Lean may take for a proof, beside the compiled modules that it maps. Default 4096.
    pub memory_mb: u64,
    /// Heartbeats, thousands of small allocations, that Lean may take for a declaration, 0 for no limit; a proof may set
    /// its own. Default 200000, as Lean's.
    pub heartbeats: u64,
    /// Millions of steps that the kernel here may take for a proof. Default 30.
    pub check_steps_m: u64,
    /// Whether the state after the imports is saved once and loaded for each proof, where Lean can. Default true.
    pub warm: bool,
    /// Absolute path of the REPL's binary, where that is the back end. Boxes can read this file, and nothing beside it.
    pub repl: Option<PathBuf>,
    /// Address of the Kimina server, where that is the back end.
    pub url: String,
    /// Key for the Kimina server; `env:NAME` is taken from the environment variable, so that keys stay out of recipes and
    /// run folders. Default none.
    pub api_key: String,
    /// Proofs after which a REPL, a language server or a fork server is replaced. Default 100.
    pub uses: u64,
    /// MiB of files that Lean may write for a proof, the compiled module among them. Default 256.
    pub tmp_mb: u64,
    /// Processes and threads that Lean may have. Default 64.
    pub max_processes: u64,
    /// Which isolation is wanted. Default `auto`: the best that there is, and an error where there is none.
    pub isolation: Isolation,
    /// Name or path of the Python that makes boxes, 3.9 or later. Default `python3`.
    pub python: String,
    /// Folders that Lean may read beside those of the system, of Lean, and of the modules.
    pub readable: Vec<PathBuf>,
}

impl Default for LeanSettings {
    fn default() -> Self {
        Self {
            backend: Backend::Lean,
            command: "lean".to_owned(),
            project: None,
            lean_path: Vec::new(),
            header: String::new(),
            axioms: STANDARD_AXIOMS.map(str::to_owned).to_vec(),
            partial: Partial::None,
            time_s: 60.0,
            memory_mb: 4096,
            heartbeats: LEANS_HEARTBEATS,
            check_steps_m: 30,
            warm: true,
            repl: None,
            url: String::new(),
            api_key: String::new(),
            uses: 100,
            tmp_mb: 256,
            max_processes: 64,
            isolation: Isolation::Auto,
            python: "python3".to_owned(),
            readable: Vec::new(),
        }
    }
}

impl LeanSettings {
    /// The time that Lean may take for a proof.
    ///
    /// # Errors
    /// Some setting has a value that cannot be meant.
    pub(super) fn check(&self) -> Result<Duration, String> {
        let time = timeout(self.time_s).ok_or_else(|| {
            format!("`time_s` must be above 0 and at most {MAX_TIMEOUT_S}, found {}", self.time_s)
        })?;
        for (key, value, least) in [
            ("memory_mb", self.memory_mb, 256),
            ("check_steps_m", self.check_steps_m, 1),
            ("uses", self.uses, 1),
            ("tmp_mb", self.tmp_mb, 1),
            ("max_processes", self.max_processes, 4),
        ] {
            if value < least || value > 1 << 24 {
                return Err(format!(
                    "`{key}` must be at least {least} and at most {}, found {value}",
                    1 << 24
                ));
            }
        }
        for (key, value) in [("command", &self.command), ("python", &self.python)] {
            if value.is_empty() || value.contains('\0') {
                return Err(format!("`{key}` must be the name or the path of a program, found {value:?}"));
            }
        }
        // What is no plain name would be looked for in a folder that is not the user's.
        if self.command.contains('/') && !Path::new(&self.command).is_absolute() {
            return Err(format!(
                "`command` must be a name on the PATH or an absolute path, found {:?}",
                self.command
            ));
        }
        let mut paths = self.project.iter().chain(&self.lean_path).chain(&self.readable).chain(&self.repl);
        if let Some(path) = paths.find(|path| !path.is_absolute()) {
            return Err(format!(
                "`project`, `lean_path`, `readable` and `repl` must be absolute paths, found {}",
                path.display()
            ));
        }
        if self.project.is_some() && !self.lean_path.is_empty() {
            return Err(
                "`lean_path` must be left out where there is a `project`, which knows its own".to_owned()
            );
        }
        if let Some(axiom) = self.axioms.iter().find(|axiom| axiom.trim().is_empty()) {
            return Err(format!("`axioms` must be names of axioms, found {axiom:?}"));
        }
        if self.partial == Partial::Goals && self.backend != Backend::Repl {
            return Err(
                "`backend` must be \"repl\" for `partial = \"goals\"`, which runs tactics one by one"
                    .to_owned(),
            );
        }
        match self.backend {
            Backend::Repl if self.repl.is_none() => {
                Err("`repl` must be the path of the REPL's binary (.lake/build/bin/repl) for this back end"
                    .to_owned())
            }
            Backend::Kimina if self.url.is_empty() => {
                Err("`url` must be the address of the Kimina server for this back end".to_owned())
            }
            _ => Ok(time),
        }
    }
}
