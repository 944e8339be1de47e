//! What is prepared once and used for many proofs: the toolchain, the imported modules and their saved state, the compiled
//! statement of each reference.

use std::path::Path;
use std::sync::Arc;
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
use super::once::{Once, Problem};
use super::reference::Reference;
use super::repl::Repl;
use super::screen::{Screen, Times, first_error};
use super::server::{self, Server};
use super::settings::{Backend, LeanSettings};
use super::source::{self, Source};
use super::toolchain::Toolchain;
use super::warm::{Backing, WarmScreen};
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
    imports: Once<String, Imports>,
    headers: Once<String, Header>,
    statements: Once<(String, String, String), Prepared>,
}

/// What the headers with the same text of imports share: for a big library it takes long to make, and much memory.
pub(super) struct Imports {
    pub(super) library: Library,
    /// The state after them, where that is kept.
    snapshot: Option<Snapshot>,
}

/// A header that compiles: what stands before statements.
struct Header {
    imports: Arc<Imports>,
}

/// A statement under its header.
pub(super) struct Prepared {
    pub(super) imports: Arc<Imports>,
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
        // Of the REPL its file alone: what lies beside it may be none of a proof's business.
        let given = settings.repl.iter().chain(&settings.readable).cloned();
        let readable = toolchain.readable().into_iter().chain(given).collect();
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
        let (imports, headers, statements) = (Once::default(), Once::default(), Once::default());
        Ok(Self { toolchain, compiler, is_warm: settings.warm, screen, repl, imports, headers, statements })
    }

    /// Whether there is a sandbox, and the settings' header compiles.
    pub(super) fn ready(&self, header: &str) -> Result<(), String> {
        self.compiler.sandbox.facts().map_err(|error| error.to_string())?;
        self.header(header, None).map_err(|problem| problem.message)?;
        self.screen.as_ref().map_or(Ok(()), |screen| screen.ready())
    }

    /// A header with what it imports. Waits for another thread that prepares them until `end`.
    fn header(&self, text: &str, end: Option<Instant>) -> Result<Arc<Header>, Problem> {
        self.headers.get(&text.to_owned(), end, || {
            let head = head(text);
            if head.is_module {
                let message =
                    "the header must not begin with `module`: a proof there is in a file of its own";
                return Err(Problem::lasting(message.to_owned()));
            }
            let imports = self.imports(&text[head.bytes], &head.imports, end)?;
            let deadline = Instant::now() + PREPARE_WAIT;
            let compiled = self.compiler.compile(text, imports.snapshot.as_ref(), deadline);
            match compiled.map_err(Problem::passing)? {
                Compiled::Module(_) => Ok(Header { imports }),
                other => {
                    let what = what_failed(other, 0);
                    Err(Problem::lasting(format!("the header does not compile: {what}")))
                }
            }
        })
    }

    /// What a header imports by this text, which names these modules.
    fn imports(&self, text: &str, names: &[String], end: Option<Instant>) -> Result<Arc<Imports>, Problem> {
        self.imports.get(&text.to_owned(), end, || {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let library = Library::open(&self.toolchain.search_path(), &names)
                .map_err(|error| Problem::lasting(format!("the imports of the header: {error}")))?;
            let deadline = Instant::now() + PREPARE_WAIT;
            let snapshot = match self.is_warm {
                true => self.compiler.snapshot(text, deadline).map_err(Problem::passing)?,
                false => None,
            };
            Ok(Imports { library, snapshot })
        })
    }

    /// A reference's statement, compiled. The first call for a statement takes as long as Lean does; one that finds
    /// another thread at it waits for that until `end`.
    ///
    /// # Errors
    /// The header or the statement does not compile, or not to the theorem that is named; or that could not be found out.
    pub(super) fn prepare(
        &self,
        header: &str,
        reference: &Reference,
        end: Option<Instant>,
    ) -> Result<Arc<Prepared>, Problem> {
        let key = (header.to_owned(), reference.statement.clone(), reference.name.clone());
        self.statements.get(&key, end, || {
            let imports = Arc::clone(&self.header(header, end)?.imports);
            let source = source::statement(header, reference);
            let deadline = Instant::now() + PREPARE_WAIT;
            let compiled = self.compiler.compile(&source.text(), imports.snapshot.as_ref(), deadline);
            match compiled.map_err(Problem::passing)? {
                Compiled::Module(bytes) => {
                    on_big_stack(|| check_reference(&reference.name, &Claims::of(&module(&bytes)?)))
                        .map_err(|problem| Problem::lasting(format!("the statement: {problem}")))?;
                    Ok(Prepared { imports, name: reference.name.clone(), reference: bytes })
                }
                other => {
                    let what = what_failed(other, source.lines_of_imports());
                    Err(Problem::lasting(format!("the statement does not compile: {what}")))
                }
            }
        })
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
        self.compiler.compile(&source.text(), prepared.imports.snapshot.as_ref(), deadline)
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

/// How much the kernel may do for a proof, and until when.
pub(super) fn budget(settings: &LeanSettings, deadline: Instant) -> kernel::Budget {
    kernel::Budget {
        deadline: Some(deadline),
        ..kernel::Budget::new(settings.check_steps_m.saturating_mul(1_000_000), MAX_NODES, MAX_DEPTH)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_with_the_same_imports_share_them() {
        let Some(lean) = std::env::var_os("POLESTAR_LEAN") else {
            println!("SKIPPED: no Lean; set POLESTAR_LEAN to a `lean`, as scripts/bare_lean.sh makes one");
            return;
        };
        let command = lean.to_str().unwrap().to_owned();
        let settings = LeanSettings { command, ..LeanSettings::default() };
        let machine = Machine::find(&settings, Duration::from_secs(60)).unwrap();
        let imports = |header| Arc::clone(&machine.header(header, None).unwrap().imports);
        let one = imports("import Init\nopen Nat");
        assert!(Arc::ptr_eq(&one, &imports("import Init\ndef x : Nat := 1")));
        assert!(!Arc::ptr_eq(&one, &imports("")));
        assert!(one.snapshot.is_some());
        // What is shared is the imports, not whether the header compiles.
        let problem = machine.header("import Init\ndef x : Nat := y", None).err().unwrap();
        assert!(problem.message.starts_with("the header does not compile: line 2: "), "{problem:?}");
    }
}
