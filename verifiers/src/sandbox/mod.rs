//! A sandbox for programs that a model wrote: boxes that see a few read-only folders and files of their own, no network,
//! no other process, and that end as a whole.
//!
//! A [`Zygote`] is a warm Python that forks a box for each request, so that a box costs some milliseconds. How far a box
//! is apart from the machine is its [`Level`]; which one holds is found out once by trying.
//!
//! | file | its job |
//! | --- | --- |
//! | `walls.py` | what the fork server does to itself, and a box before anything runs in it |
//! | `kernel.py` | the system calls that Python lacks |
//! | `zygote.py`, `zygote.rs` | the two sides of the fork server |
//! | `tool.py` | a box that runs a program of the machine |
//! | `stream.rs` | what a box writes |
//! | `seccomp` | the list of system calls |
//! | `cgroup` | memory and number of processes of a fork server with its boxes |
//!
//! Architecture invariant: what a guest must not know never enters the fork server, because every box has its memory.

mod cgroup;
pub(crate) mod handover;
mod interpreter;
mod seccomp;
pub(crate) mod stream;
mod zygote;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use thiserror::Error;

use crate::lock::lock;
use interpreter::Interpreter;
use seccomp::{Files, Ipc, Rules, Signals};
pub(crate) use zygote::{BoxId, Ended, Limits, Zygote};

/// How far boxes are apart from the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Own users, processes, mounts, network, IPC and host name.
    Namespaces,
    /// Rules that refuse files, sockets and signals.
    Landlock,
    /// Limits and the filter of system calls alone.
    None,
}

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::Landlock => "landlock",
            Self::None => "none",
        }
    }
}

/// Which level is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// The best that the machine has, and an error where it has none.
    #[default]
    Auto,
    /// Namespaces or an error.
    Namespaces,
    /// Landlock or an error.
    Landlock,
    /// No isolation but limits and a filter of system calls. For machines that are thrown away afterwards.
    None,
}

impl Isolation {
    fn levels(self) -> &'static [Level] {
        match self {
            Self::Auto => &[Level::Namespaces, Level::Landlock],
            Self::Namespaces => &[Level::Namespaces],
            Self::Landlock => &[Level::Landlock],
            Self::None => &[Level::None],
        }
    }
}

/// Why there is no sandbox.
#[derive(Clone, Debug, Error)]
pub(crate) enum SandboxError {
    #[error("the Python `{python}` cannot be used: {problem}; install one, or correct `python`")]
    Python { python: String, problem: String },
    #[error("a sandbox at the level `{}` cannot be made: {problem}", level.name())]
    Start { level: Level, problem: String },
    #[error(
        "no isolation for model-written programs can be had here: {tried}; `polestar doctor` says what to allow; \
         `isolation = \"none\"` runs them with your own rights"
    )]
    NoIsolation { tried: String },
    #[error("the memory of the sandbox cannot be limited: {0}")]
    Memory(String),
    #[error("there is no filter of system calls for this machine: {0}")]
    Filter(Arc<seccomp::SeccompError>),
}

/// What a sandbox is made of.
#[derive(Clone, Debug)]
pub(crate) struct SandboxConfig {
    /// Name or path of the interpreter.
    pub(crate) python: String,
    pub(crate) isolation: Isolation,
    /// Folders that boxes may read beside those of the system and of the interpreter.
    pub(crate) readable: Vec<PathBuf>,
    /// Modules that the fork server loads before anything else, in order: names and sources.
    pub(crate) modules: &'static [(&'static str, &'static str)],
    /// Bytes of memory of a fork server with all its boxes, unless asked for others.
    pub(crate) memory_bytes: u64,
    /// Processes and threads of a fork server with all its boxes.
    pub(crate) num_tasks: u64,
    /// Verifications after which a fork server is replaced.
    pub(crate) uses: u64,
}

/// What every fork server of a sandbox is started with.
#[derive(Debug)]
pub(crate) struct Launch {
    config: SandboxConfig,
    interpreter: Interpreter,
    cgroups: Result<cgroup::Parent, cgroup::NoCgroup>,
}

impl Launch {
    /// Modules and settings, as `boot.py` takes them.
    fn bundle(&self, level: Level) -> Result<String, SandboxError> {
        let own = [
            ("polestar_kernel", include_str!("kernel.py")),
            ("polestar_walls", include_str!("walls.py")),
            ("polestar_zygote", include_str!("zygote.py")),
            ("polestar_tool", include_str!("tool.py")),
        ];
        let modules: Vec<_> = own.iter().chain(self.config.modules).collect();
        let rules = match level {
            Level::Namespaces => Rules { signals: Signals::Any, ipc: Ipc::Own, files: Files::Own },
            Level::Landlock | Level::None => {
                Rules { signals: Signals::None, ipc: Ipc::Shared, files: Files::Shared }
            }
        };
        // Each byte as the character of its number: JSON has no bytes.
        let filter: String = seccomp::program(rules)
            .map_err(|error| SandboxError::Filter(Arc::new(error)))?
            .into_iter()
            .map(char::from)
            .collect();
        let readable: Vec<_> = self.interpreter.folders.iter().chain(&self.config.readable).collect();
        let config = json!({"level": level.name(), "readable": readable, "filter": filter});
        Ok(json!({"modules": modules, "config": config}).to_string())
    }

    /// All of the boxes' environment.
    fn environment(&self) -> Vec<(&'static str, String)> {
        let bin =
            self.interpreter.executable.parent().map(|bin| bin.display().to_string()).unwrap_or_default();
        vec![
            ("PATH", format!("{bin}:/usr/local/bin:/usr/bin:/bin")),
            ("HOME", "/tmp".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            // The order of sets must not differ from run to run.
            ("PYTHONHASHSEED", "0".to_owned()),
            ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
            // Of big blocks that are freed nothing is kept, so that what is over its memory is told soon; and threads
            // do not take address space each.
            ("MALLOC_MMAP_THRESHOLD_", "131072".to_owned()),
            ("MALLOC_ARENA_MAX", "1".to_owned()),
            // Libraries of linear algebra start a thread for each core, which is more than a box may have.
            ("OMP_NUM_THREADS", "1".to_owned()),
            ("OPENBLAS_NUM_THREADS", "1".to_owned()),
            ("MKL_NUM_THREADS", "1".to_owned()),
        ]
    }

    /// The cgroup of a fork server; none where the machine has none for us.
    fn slot(&self) -> Result<Option<cgroup::Slot>, cgroup::CgroupError> {
        let Ok(parent) = &self.cgroups else { return Ok(None) };
        cgroup::Slot::create(parent, self.config.memory_bytes, self.config.num_tasks).map(Some)
    }
}

/// What holds on this machine, found out once.
#[derive(Debug)]
pub(crate) struct Facts {
    launch: Launch,
    pub(crate) level: Level,
    /// Why a better level does not hold; empty where the best one does.
    pub(crate) why_not: String,
}

impl Facts {
    /// Whether memory and processes are counted for each fork server as a whole.
    pub(crate) fn has_cgroups(&self) -> bool {
        self.launch.cgroups.is_ok()
    }

    /// Which cgroups these are, or why there are none.
    pub(crate) fn cgroups(&self) -> Result<String, String> {
        self.launch.cgroups.as_ref().map(ToString::to_string).map_err(ToString::to_string)
    }

    /// Version and path of the interpreter.
    pub(crate) fn python(&self) -> String {
        self.launch.interpreter.to_string()
    }
}

/// Version and path of an interpreter, found without a sandbox.
///
/// # Errors
/// There is none that can be used.
pub(crate) fn python(name: &str) -> Result<String, SandboxError> {
    Interpreter::find(name).map(|interpreter| interpreter.to_string())
}

/// Fork servers that wait for work, and how more are started.
#[derive(Debug)]
pub(crate) struct Sandbox {
    config: SandboxConfig,
    facts: OnceLock<Result<Facts, SandboxError>>,
    free: Mutex<Vec<Zygote>>,
}

impl Sandbox {
    /// A sandbox; nothing is started yet.
    pub(crate) fn new(config: SandboxConfig) -> Self {
        Self { config, facts: OnceLock::new(), free: Mutex::default() }
    }

    /// What holds here. The first call starts a fork server and a box.
    ///
    /// # Errors
    /// There is no Python, or no isolation.
    pub(crate) fn facts(&self) -> Result<&Facts, SandboxError> {
        self.facts.get_or_init(|| self.find_out()).as_ref().map_err(Clone::clone)
    }

    fn find_out(&self) -> Result<Facts, SandboxError> {
        let interpreter = Interpreter::find(&self.config.python)?;
        let cgroups = cgroup::Parent::find();
        let launch = Launch { config: self.config.clone(), interpreter, cgroups };
        let mut tried: Vec<String> = Vec::new();
        for level in self.config.isolation.levels() {
            match Zygote::start(&launch, *level).and_then(|zygote| probe(zygote, *level)) {
                Ok(zygote) => {
                    self.give_back(zygote);
                    return Ok(Facts { launch, level: *level, why_not: tried.join("; ") });
                }
                Err(error) => tried.push(error.to_string()),
            }
        }
        Err(SandboxError::NoIsolation { tried: tried.join("; ") })
    }

    /// A fork server that waits, or a fresh one, which may take so many bytes of memory with all its boxes.
    ///
    /// # Errors
    /// None can be started.
    pub(crate) fn take(&self, memory_bytes: u64) -> Result<Zygote, SandboxError> {
        let facts = self.facts()?;
        let waiting = std::iter::from_fn(|| lock(&self.free).pop())
            .find_map(|mut zygote| zygote.hear().then_some(zygote));
        let mut zygote = waiting.map_or_else(|| Zygote::start(&facts.launch, facts.level), Ok)?;
        zygote.limit_memory(memory_bytes)?;
        Ok(zygote)
    }

    /// Keeps a fork server, unless its boxes have not all ended or it is to be replaced.
    pub(crate) fn give_back(&self, mut zygote: Zygote) {
        zygote.forget();
        if zygote.is_trusted && zygote.num_served <= self.config.uses {
            lock(&self.free).push(zygote);
        } else {
            // Its end may take a while, for which no verdict waits. Where no thread can be started it ends here.
            let _ = std::thread::Builder::new().name("sandbox-end".to_owned()).spawn(move || drop(zygote));
        }
    }
}

/// Makes one box and throws it away.
fn probe(mut zygote: Zygote, level: Level) -> Result<Zygote, SandboxError> {
    let refuse = |problem: String| SandboxError::Start { level, problem };
    let limits = Limits { cpu_s: 10.0, tmp_mb: 1, processes: None, address_mb: None, oom_score: 1000 };
    let id = zygote.spawn("probe", &[], limits).map_err(|error| refuse(error.to_string()))?;
    let deadline = Instant::now() + Duration::from_secs(10);
    while zygote.ended(id).is_none() {
        if !zygote.hear() || Instant::now() >= deadline {
            return Err(refuse("its first box did not end".to_owned()));
        }
        if zygote.ended(id).is_none() {
            zygote.wait(&[], deadline);
        }
    }
    match zygote.ended(id).and_then(|end| end.problem.clone()) {
        Some(problem) => Err(refuse(problem)),
        None => Ok(zygote),
    }
}
