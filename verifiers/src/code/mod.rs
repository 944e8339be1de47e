//! `code`: unit tests as reward.
//!
//! The program that a response holds runs in a box of the sandbox. Tests that call it run in another box, where the
//! solution is a proxy: it takes arguments, and gives back values that are data and nothing else. How the tests ended is
//! said over a descriptor that the solution's box does not have. What programs write is compared out here.
//!
//! | the program | the verdict |
//! | --- | --- |
//! | passes all tests | right |
//! | fails one | wrong, or partial where the share of tests counts |
//! | does not end in time | timeout |
//! | takes more memory than it may | memory |
//! | cannot be loaded, or leaves or dies in the middle | crash |
//! | asks the kernel for what no solution needs, writes without end, or is no text | refused |
//!
//! What the sandbox itself cannot do is tried again and then undecided.
//!
//! Architecture invariant: neither an exit status nor anything that the program writes makes a verdict right, except that
//! standard output is what cases compare.

mod case_list;
mod cased;
mod cases;
mod language;
mod machine;
mod program;
mod reference;
mod report;
mod settings;
mod tested;
mod verdicts;

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::budget::Budget;
use crate::fault::{Fault, tried};
use crate::lock::lock;
use crate::sandbox::{Facts, Level, Limits, Sandbox, SandboxConfig, Zygote};
use crate::verdict::{CauseKind, Kind, Verdict};
use crate::verifier::{Item, Response, Verifier};
use language::{Commands, Language};
pub use machine::{SandboxReport, sandbox_report};
use program::{Found, Program};
use reference::{Form, Reference};
pub use settings::CodeSettings;

/// What runs in boxes.
const MODULES: &[(&str, &str)] = &[
    ("polestar_wire", include_str!("python/wire.py")),
    ("polestar_guest", include_str!("python/guest.py")),
    ("polestar_errors", include_str!("python/errors.py")),
    ("polestar_proxy", include_str!("python/proxy.py")),
    ("polestar_asserts", include_str!("python/asserts.py")),
    ("polestar_pytest_form", include_str!("python/pytest_form.py")),
    ("polestar_judge", include_str!("python/judge.py")),
    ("polestar_load_check", include_str!("python/load_check.py")),
    ("polestar_roles", include_str!("python/roles.py")),
];
/// MiB of memory of a fork server and the box of the tests, beside what the program may take.
const OVERHEAD_MB: u64 = 256;
/// Processes and threads beside those of the program.
const OVERHEAD_TASKS: u64 = 16;
/// How much more address space than memory a process may have: where memory is counted, the count is the limit, and this
/// one is for what asks for far too much at once; where it is not, compilers reserve a lot.
const ADDRESSES_TO_MEMORY: u64 = 4;
/// Tests that are remembered as being in order.
const MOST_CHECKED: usize = 1 << 16;
/// Whom the kernel ends first where memory is short: the program, and only then the tests.
const OOM_SCORES: (u32, u32) = (1000, 500);

/// Judges programs by tests: see the module's documentation.
#[derive(Debug)]
pub struct Code {
    settings: CodeSettings,
    time: Duration,
    sandbox: Sandbox,
    /// Hashes of tests that were looked at and are in order: a problem comes once for each of its responses.
    checked: Mutex<HashSet<[u8; 32]>>,
}

/// What holds for one verification.
struct Room<'a> {
    settings: &'a CodeSettings,
    reference: &'a Reference,
    /// What a program may take, from its start.
    time: Duration,
    memory_mb: u64,
    output_kb: u64,
    /// When the tests must have ended.
    deadline: Instant,
    /// When programs must have ended.
    last: Instant,
    /// When the verdict must be there.
    end: Instant,
    /// Which isolation holds, where it is not the best.
    weaker_level: Option<Level>,
    has_cgroups: bool,
}

impl<'a> Room<'a> {
    fn new(code: &'a Code, facts: &Facts, reference: &'a Reference, budget: &Budget) -> Self {
        let now = Instant::now();
        let limits = reference.limits;
        let time = limits.timeout.unwrap_or(code.time);
        let left = budget.remaining().min(Duration::from_secs(86_400));
        // What is left over is for ending boxes and saying so, before somebody gives this verification up.
        let last = now + left - (left / 10).min(Duration::from_millis(500));
        Self {
            settings: &code.settings,
            reference,
            time,
            memory_mb: limits.memory_mb.unwrap_or(code.settings.memory_mb),
            output_kb: limits.output_kb.unwrap_or(code.settings.output_kb),
            deadline: now.checked_add(time).map_or(last, |end| end.min(last)),
            last,
            end: now + left,
            weaker_level: Some(facts.level).filter(|level| *level != Level::Namespaces),
            has_cgroups: facts.has_cgroups(),
        }
    }

    /// Of a Python program.
    fn limits(&self) -> Limits {
        let scale = if self.has_cgroups { ADDRESSES_TO_MEMORY } else { 1 };
        self.limits_of(Some(self.memory_mb.saturating_mul(scale)), OOM_SCORES.0)
    }

    /// Of the tests.
    fn limits_of_tests(&self) -> Limits {
        Limits { oom_score: OOM_SCORES.1, ..self.limits() }
    }

    /// Of a compiler and what it compiled.
    fn command_limits(&self) -> Limits {
        let addresses = (!self.has_cgroups).then(|| self.memory_mb.saturating_mul(ADDRESSES_TO_MEMORY));
        self.limits_of(addresses, OOM_SCORES.0)
    }

    fn limits_of(&self, address_mb: Option<u64>, oom_score: u32) -> Limits {
        Limits {
            cpu_s: self.time.as_secs_f64(),
            tmp_mb: self.settings.tmp_mb,
            processes: Some(self.settings.max_processes),
            address_mb,
            oom_score,
        }
    }
}

impl Code {
    /// One try.
    fn attempt(
        &self,
        reference: &Reference,
        program: &Program,
        language: Option<&(Language, Commands)>,
        budget: &Budget,
    ) -> Result<Verdict, Fault> {
        let refuse =
            |error: crate::sandbox::SandboxError| Fault::new(CauseKind::Unreachable, error.to_string());
        let room = Room::new(self, self.sandbox.facts().map_err(refuse)?, reference, budget);
        let mut zygote = self.sandbox.take(bytes(room.memory_mb)).map_err(refuse)?;
        let verdict = run(&room, &mut zygote, program, language)?;
        self.sandbox.give_back(zygote);
        Ok(verdict)
    }

    /// The commands of the language of a reference; none for Python.
    fn language(&self, reference: &Reference) -> Result<Option<(Language, Commands)>, String> {
        let name = reference.language(&self.settings.language);
        let Some(language) = self.settings.languages.get(name)? else { return Ok(None) };
        let commands = language
            .commands(std::env::var_os("PATH").as_deref())
            .map_err(|problem| format!("the language {name:?} cannot be used here: {problem}"))?;
        Ok(Some((language.clone(), commands)))
    }
}

/// What a fork server may take whose program may take so much.
fn bytes(memory_mb: u64) -> u64 {
    memory_mb.saturating_add(OVERHEAD_MB).saturating_mul(1 << 20)
}

fn run(
    room: &Room<'_>,
    zygote: &mut Zygote,
    program: &Program,
    language: Option<&(Language, Commands)>,
) -> Result<Verdict, Fault> {
    match &room.reference.form {
        Form::Cases { cases, comparison } => {
            let commands = language.map(|(language, commands)| (language.source.as_str(), commands));
            cased::run(room, zygote, program, commands, cases, *comparison)
        }
        Form::Check { .. } | Form::Asserts { .. } | Form::Files { .. } => tested::run(room, zygote, program),
    }
}

impl Verifier for Code {
    const NAME: &'static str = "code";
    const ABOUT: &'static str = "a program that passes unit tests, in a sandbox";
    const FIRST_FIELD: &'static str = "";
    const EXTERNAL: bool = true;
    type Settings = CodeSettings;
    type Reference = Reference;

    fn new(settings: CodeSettings) -> Result<Self, String> {
        let time = settings.check()?;
        let readable =
            settings.languages.readable().map(Into::into).chain(settings.readable.clone()).collect();
        let config = SandboxConfig {
            python: settings.python.clone(),
            isolation: settings.isolation,
            readable,
            modules: MODULES,
            memory_bytes: bytes(settings.memory_mb),
            num_tasks: settings.max_processes + OVERHEAD_TASKS,
            uses: settings.uses,
        };
        Ok(Self { settings, time, sandbox: Sandbox::new(config), checked: Mutex::default() })
    }

    fn ready(&self) -> Result<(), String> {
        self.sandbox.facts().map(|_| ()).map_err(|error| error.to_string())
    }

    fn check(&self, reference: &Reference) -> Result<(), String> {
        self.language(reference)?;
        if let Form::Cases { .. } = reference.form {
            return Ok(());
        }
        let tests: [u8; 32] = Sha256::digest(tested::payload(reference, false, false).to_string()).into();
        if lock(&self.checked).contains(&tests) {
            return Ok(());
        }
        let mut zygote =
            self.sandbox.take(bytes(self.settings.memory_mb)).map_err(|error| error.to_string())?;
        let limits = Limits {
            cpu_s: 30.0,
            tmp_mb: self.settings.tmp_mb,
            processes: Some(self.settings.max_processes),
            address_mb: Some(self.settings.memory_mb),
            oom_score: OOM_SCORES.1,
        };
        let found = tested::inspect(&mut zygote, reference, limits);
        self.sandbox.give_back(zygote);
        found?;
        let mut checked = lock(&self.checked);
        if checked.len() >= MOST_CHECKED {
            checked.clear();
        }
        checked.insert(tests);
        Ok(())
    }

    fn verify(&self, item: &Item<Reference>, response: &Response<'_>, budget: &Budget) -> Verdict {
        let program = match program::find(response, &item.reference, &self.settings.language) {
            Found::Program(program) => program,
            Found::NoAnswer(why) => return Verdict::no_answer(why),
            Found::Refused(why) => return Verdict::zero(Kind::Refused, why, None),
        };
        let language = match self.language(&item.reference) {
            Ok(language) => language,
            Err(problem) => return Verdict::undecided(CauseKind::Unreachable, problem),
        };
        tried(budget, || self.attempt(&item.reference, &program, language.as_ref(), budget))
    }
}
