//! What is prepared once and used for many proofs: the toolchain, the imported modules and the saved state of each
//! header, the compiled statement of each reference.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

pub(super) use polestar_lean::claims::Claims;
use polestar_lean::judgement::check_reference;
use polestar_lean::kernel::{self, STACK_BYTES_PER_DEPTH};
use polestar_lean::library::Library;
use polestar_lean::olean::{Limits, Module};

use super::boxed::Tool;
use super::compile::{Compiled, Compiler, MOST_MODULE_BYTES, Snapshot, memory_bytes};
use super::header::head;
use super::kimina::{Kimina, KiminaConfig};
use super::reference::Reference;
use super::repl::Repl;
use super::screen::{Message, Screen, Severity, Times};
use super::server::{self, Server};
use super::settings::{Backend, LeanSettings};
use super::source::{self, Source};
use super::toolchain::Toolchain;
use super::warm::{Backing, WarmScreen};
use crate::lock::lock;
use crate::sandbox::{Sandbox, SandboxConfig};

/// How long Lean may take for what is prepared once: the imports of a big library come from a cold disk.
const PREPARE_WAIT: Duration = Duration::from_secs(600);
/// Processes and threads beside those of Lean.
const OVERHEAD_TASKS: u64 = 16;
/// Nodes of the kernel's arena: some hundred bytes each.
const MAX_NODES: usize = 20_000_000;
/// How deep the kernel may recurse.
const MAX_DEPTH: u32 = 50_000;
/// How often a request to a Kimina server is sent again, and how long its answers may be.
const KIMINA_RETRIES: u32 = 3;
const KIMINA_OUTPUT_KB: u64 = 16 << 10;
/// How much of a compiled proof is read.
const LIMITS: Limits = Limits { max_bytes: MOST_MODULE_BYTES, max_objects: 20_000_000 };
/// Bytes of stack for everything but the kernel's recursion.
const SPARE_STACK_BYTES: usize = 8 << 20;

/// Lean on this machine.
pub(super) struct Machine {
    pub(super) toolchain: Toolchain,
    compiler: Compiler,
    is_warm: bool,
    /// What looks at proofs before they are compiled; none where compiling is that.
    pub(super) screen: Option<Arc<dyn Screen>>,
    /// The same where it is a REPL, for proofs tactic by tactic.
    pub(super) repl: Option<Arc<WarmScreen<Repl>>>,
    headers: Once<String, Header>,
    statements: Once<(String, String, String), Prepared>,
}

/// A header: what stands before statements.
pub(super) struct Header {
    /// What it imports.
    pub(super) library: Library,
    /// The state after its imports, where that is kept.
    snapshot: Option<Snapshot>,
}

/// A statement under its header.
pub(super) struct Prepared {
    pub(super) header: Arc<Header>,
    /// Full name of the theorem.
    pub(super) name: String,
    /// What Lean compiled from header and statement.
    reference: Vec<u8>,
}

impl Prepared {
    /// The statement's own module.
    pub(super) fn reference(&self) -> Result<Module<&[u8]>, String> {
        module(&self.reference)
    }
}

impl Machine {
    /// Finds Lean. Nothing runs in a box yet.
    pub(super) fn find(settings: &LeanSettings, time: Duration) -> Result<Self, String> {
        let toolchain = Toolchain::find(settings)?;
        let readable = toolchain.readable().into_iter().chain(settings.readable.iter().cloned()).collect();
        let sandbox = Sandbox::new(SandboxConfig {
            python: settings.python.clone(),
            isolation: settings.isolation,
            readable,
            modules: &[],
            memory_bytes: memory_bytes(settings),
            num_tasks: settings.max_processes + OVERHEAD_TASKS,
            uses: settings.uses,
        });
        // Core time is no limit of its own: a process that is kept may use some threads for all proofs that it runs.
        let cpu_s = (PREPARE_WAIT.as_secs_f64() + time.as_secs_f64() * settings.uses as f64) * 4.0;
        let compiler = Compiler::new(settings, &toolchain, Arc::new(sandbox), cpu_s)?;
        let (screen, repl) = screen(settings, &toolchain, &compiler, time)?;
        let (headers, statements) = (Once::default(), Once::default());
        Ok(Self { toolchain, compiler, is_warm: settings.warm, screen, repl, headers, statements })
    }

    /// Whether there is a sandbox, and the settings' header compiles.
    pub(super) fn ready(&self, header: &str) -> Result<(), String> {
        self.compiler.sandbox.facts().map_err(|error| error.to_string())?;
        self.header(header).map_err(|problem| problem.message)?;
        self.screen.as_ref().map_or(Ok(()), |screen| screen.ready())
    }

    /// A header with what it imports.
    fn header(&self, text: &str) -> Result<Arc<Header>, Problem> {
        self.headers.get(&text.to_owned(), || {
            let deadline = Instant::now() + PREPARE_WAIT;
            let imports = head(text);
            if imports.is_module {
                let message =
                    "the header must not begin with `module`: a proof there is in a file of its own";
                return Err(Problem::lasting(message.to_owned()));
            }
            let names: Vec<_> = imports.imports.iter().map(String::as_str).collect();
            let library = Library::open(&self.toolchain.search_path(), &names)
                .map_err(|error| Problem::lasting(format!("the imports of the header: {error}")))?;
            match self.compiler.compile(text, None, deadline).map_err(Problem::passing)? {
                Compiled::Module(_) => {}
                other => {
                    let what = what_failed(other, 0);
                    return Err(Problem::lasting(format!("the header does not compile: {what}")));
                }
            }
            let snapshot = match self.is_warm {
                true => self.compiler.snapshot(&text[imports.bytes], deadline).map_err(Problem::passing)?,
                false => None,
            };
            Ok(Header { library, snapshot })
        })
    }

    /// A reference's statement, compiled. The first call for a statement takes as long as Lean does.
    ///
    /// # Errors
    /// The header or the statement does not compile, or not to the theorem that is named.
    pub(super) fn prepare(&self, header: &str, reference: &Reference) -> Result<Arc<Prepared>, String> {
        let key = (header.to_owned(), reference.statement.clone(), reference.name.clone());
        let prepared = self.statements.get(&key, || {
            let prepared = self.header(header)?;
            let source = source::statement(header, reference);
            let deadline = Instant::now() + PREPARE_WAIT;
            let compiled = self.compiler.compile(&source.text(), prepared.snapshot.as_ref(), deadline);
            match compiled.map_err(Problem::passing)? {
                Compiled::Module(bytes) => {
                    on_big_stack(|| check_reference(&reference.name, &Claims::of(&module(&bytes)?)))
                        .map_err(|problem| Problem::lasting(format!("the statement: {problem}")))?;
                    Ok(Prepared { header: prepared, name: reference.name.clone(), reference: bytes })
                }
                other => {
                    let what = what_failed(other, source.lines_of_imports());
                    Err(Problem::lasting(format!("the statement does not compile: {what}")))
                }
            }
        });
        prepared.map_err(|problem| problem.message)
    }

    /// Compiles a proof.
    ///
    /// # Errors
    /// The sandbox failed.
    pub(super) fn compile(
        &self,
        prepared: &Prepared,
        source: &Source,
        deadline: Instant,
    ) -> Result<Compiled, String> {
        self.compiler.compile(&source.text(), prepared.header.snapshot.as_ref(), deadline)
    }
}

/// The back end of the settings, and once more where it is a REPL.
#[expect(clippy::type_complexity, reason = "one call")]
fn screen(
    settings: &LeanSettings,
    toolchain: &Toolchain,
    compiler: &Compiler,
    time: Duration,
) -> Result<(Option<Arc<dyn Screen>>, Option<Arc<WarmScreen<Repl>>>), String> {
    let times = Times { start: PREPARE_WAIT, proof: time };
    let backing = |run: Vec<String>| {
        let tool = Tool { run, environment: compiler.environment.clone(), ..Tool::default() };
        let most_waiting = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (sandbox, room, uses) = (Arc::clone(&compiler.sandbox), compiler.room, settings.uses);
        Backing { sandbox, tool, room, times, uses, most_waiting }
    };
    let path = |path: &Path| path.display().to_string();
    Ok(match settings.backend {
        Backend::Lean => (None, None),
        Backend::Repl => {
            let repl = settings.repl.as_deref().ok_or("`repl` must be the path of the REPL's binary")?;
            let repl = Arc::new(WarmScreen::<Repl>::new(backing(vec![path(repl)])));
            (Some(Arc::clone(&repl) as _), Some(repl))
        }
        Backend::Server => {
            let run = [path(&toolchain.lean)].into_iter().chain(server::ARGUMENTS.map(str::to_owned));
            (Some(Arc::new(WarmScreen::<Server>::new(backing(run.collect())))), None)
        }
        Backend::Kimina => {
            let key = (!settings.api_key.is_empty()).then(|| settings.api_key.clone());
            let (url, retries, max_output_kb) = (settings.url.clone(), KIMINA_RETRIES, KIMINA_OUTPUT_KB);
            (Some(Arc::new(Kimina::new(KiminaConfig { url, key, retries, max_output_kb, time })?)), None)
        }
    })
}

/// Why a trusted text did not compile.
fn what_failed(compiled: Compiled, lines_before: u32) -> String {
    match compiled {
        Compiled::Module(_) => "it did".to_owned(),
        Compiled::Failed { messages, exit } => match first_error(&messages) {
            Some(error) => {
                let line = error.line.saturating_sub(lines_before);
                format!("line {line}: {}", crate::error::shorten(error.text.trim(), 600))
            }
            None => format!("Lean {exit}"),
        },
        Compiled::Overdue { .. } => format!("Lean did not end in {} s", PREPARE_WAIT.as_secs()),
        Compiled::Memory => "Lean took too much memory; raise `memory_mb`".to_owned(),
        Compiled::Flood => "Lean wrote messages without end".to_owned(),
    }
}

/// The first message that is an error.
pub(super) fn first_error(messages: &[Message]) -> Option<&Message> {
    messages.iter().find(|message| message.severity == Severity::Error)
}

/// How much the kernel may do for a proof.
pub(super) fn budget(settings: &LeanSettings) -> kernel::Budget {
    kernel::Budget {
        steps: settings.check_steps_m.saturating_mul(1_000_000),
        max_nodes: MAX_NODES,
        max_depth: MAX_DEPTH,
    }
}

/// Runs on a thread with the stack that the kernel needs.
pub(super) fn on_big_stack<T: Send>(run: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    let bytes = STACK_BYTES_PER_DEPTH * MAX_DEPTH as usize + SPARE_STACK_BYTES;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("lean-judge".to_owned()).stack_size(bytes);
        let handle = thread
            .spawn_scoped(scope, run)
            .map_err(|error| format!("no thread could be started: {error}"))?;
        handle.join().map_err(|_| "the judge of compiled files crashed".to_owned())?
    })
}

/// A compiled module of unknown worth.
pub(super) fn module(bytes: &[u8]) -> Result<Module<&[u8]>, String> {
    Module::read(vec![bytes], LIMITS).map_err(|error| error.to_string())
}

/// Why something could not be prepared.
#[derive(Clone, Debug)]
struct Problem {
    message: String,
    /// Whether it will be there again: Lean refuses a text. What the sandbox could not do is tried again.
    is_lasting: bool,
}

impl Problem {
    fn lasting(message: String) -> Self {
        Self { message, is_lasting: true }
    }

    fn passing(message: String) -> Self {
        Self { message, is_lasting: false }
    }
}

/// What is made once for each key, by whoever asks first; the others wait.
struct Once<K, V> {
    made: Mutex<HashMap<K, Slot<V>>>,
}

type Slot<V> = Arc<OnceLock<Result<Arc<V>, Problem>>>;

impl<K, V> Default for Once<K, V> {
    fn default() -> Self {
        Self { made: Mutex::default() }
    }
}

impl<K: Clone + Eq + Hash, V> Once<K, V> {
    fn get(&self, key: &K, make: impl FnOnce() -> Result<V, Problem>) -> Result<Arc<V>, Problem> {
        let slot = Arc::clone(lock(&self.made).entry(key.clone()).or_default());
        let made = slot.get_or_init(|| make().map(Arc::new)).clone();
        if matches!(made, Err(Problem { is_lasting: false, .. })) {
            let mut all = lock(&self.made);
            // Whoever comes next tries again, unless somebody does so already.
            if all.get(key).is_some_and(|current| Arc::ptr_eq(current, &slot)) {
                all.remove(key);
            }
        }
        made
    }
}
