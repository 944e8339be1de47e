//! Type-checks every constant of a compiled library against the library itself, and says which are not accepted.
//!
//! `replay_library DIR [MODULE-PREFIX]`: all modules under DIR are opened; checked are those whose names begin with the
//! prefix. Everything in a real library is right, so whatever is refused here is a mistake of ours.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use polestar_lean::constant::{Constant, ConstantKind, InductiveInfo};
use polestar_lean::kernel::inductive::Block;
use polestar_lean::kernel::{Budget, Environment, KernelError, ReadError, Trusted};
use polestar_lean::library::Library;
use polestar_lean::olean::{Limits, Module};
use polestar_lean::terms::{NameId, Terms};
use rustc_hash::FxHashSet;

/// For one constant, or one block of inductive types.
const BUDGET: Budget = Budget { steps: 100_000_000, max_nodes: 100_000_000, max_depth: 200_000 };
/// After so many nodes the arena is left and a new one begun.
const NODES_OF_AN_ARENA: usize = 6_000_000;
const STACK_BYTES: usize = 2 << 30;

fn main() -> Result<(), Box<dyn Error>> {
    let run = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(|| run().map_err(|error| error.to_string()));
    match run?.join() {
        Ok(done) => Ok(done?),
        Err(_) => Err("the check panicked".into()),
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("usage: replay_library DIR [MODULE-PREFIX]")?);
    let prefix = arguments.next().unwrap_or_default();
    let mut files = Vec::new();
    collect(&folder, &mut files);
    files.sort();
    let modules: Vec<String> = files.iter().map(|file| module_name(&folder, file)).collect();
    let start = Instant::now();
    let names: Vec<&str> = modules.iter().map(String::as_str).collect();
    let library = Library::open(&[folder], &names)?;
    println!(
        "{} modules, {} constants, opened in {:.1} s",
        library.num_modules(),
        library.num_constants(),
        start.elapsed().as_secs_f64()
    );
    let mut report = Report::default();
    for (file, module) in files.iter().zip(&modules) {
        if *module == prefix || prefix.is_empty() || module.starts_with(&format!("{prefix}.")) {
            check_module(&library, file, &mut report)?;
        }
    }
    report.print(start.elapsed().as_secs_f64());
    Ok(())
}

/// The library without the constants of the block that is being checked.
struct Without<'l> {
    library: &'l Library,
    hidden: RefCell<FxHashSet<NameId>>,
}

impl Trusted for Without<'_> {
    fn constant(&self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, ReadError> {
        if self.hidden.borrow().contains(&name) { Ok(None) } else { self.library.constant(terms, name) }
    }
}

fn check_module(library: &Library, file: &Path, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let mut parts = vec![std::fs::read(file)?];
    for suffix in ["server", "private"] {
        let part = PathBuf::from(format!("{}.{suffix}", file.display()));
        if part.exists() {
            parts.push(std::fs::read(part)?);
        }
    }
    let module = Module::read(parts, Limits::TRUSTED)?;
    let mut reader = module.reader(Limits::TRUSTED);
    let mut terms = Terms::new();
    let names: Vec<String> =
        reader.constant_names(&mut terms)?.iter().map(|&name| terms.show_name(name)).collect();
    let mut env = Environment::new(Terms::new(), library, BUDGET);
    for shown in names {
        if env.terms.num_nodes() > NODES_OF_AN_ARENA {
            env = Environment::new(Terms::new(), library, BUDGET);
        }
        env.set_budget(BUDGET);
        let Some(name) = env.terms.read_name(&shown) else {
            report.unreadable.push(shown);
            continue;
        };
        let Some(constant) = env.get(name)? else {
            report.unreadable.push(shown);
            continue;
        };
        let start = Instant::now();
        let checked = match &constant.kind {
            ConstantKind::Constructor(_) | ConstantKind::Recursor(_) | ConstantKind::Quot(_) => continue,
            _ if constant.is_unsafe() => {
                *report.skipped.entry(constant.kind_name()).or_default() += 1;
                continue;
            }
            ConstantKind::Inductive(info) if info.all.first() != Some(&name) => continue,
            ConstantKind::Inductive(_) => check_block(library, &shown),
            _ => env.check(&constant),
        };
        let steps = BUDGET.steps - env.budget().steps;
        report.add(constant.kind_name(), shown, checked, start.elapsed().as_secs_f64(), steps);
    }
    Ok(())
}

/// Checks a block of inductive types in an environment of its own, from which it is hidden.
fn check_block(library: &Library, shown: &str) -> Result<(), KernelError> {
    let mut terms = Terms::new();
    let Some(first) = terms.read_name(shown) else { return Ok(()) };
    let block = read_block(library, &mut terms, first)?;
    let constants = block.types.iter().chain(&block.constructors).chain(&block.recursors);
    let hidden = RefCell::new(constants.map(|constant| constant.name).collect());
    let without = Without { library, hidden };
    Environment::new(terms, &without, BUDGET).add_inductive(&block)
}

fn read_block(library: &Library, terms: &mut Terms, first: NameId) -> Result<Block, KernelError> {
    let mut block = Block { types: Vec::new(), constructors: Vec::new(), recursors: Vec::new() };
    let Some(info) = inductive(library, terms, first)? else { return Ok(block) };
    for &name in &info.all {
        block.types.extend(library.constant(terms, name)?);
        if let Some(info) = inductive(library, terms, name)? {
            for &constructor in &info.constructors {
                block.constructors.extend(library.constant(terms, constructor)?);
            }
        }
        let recursor = terms.str_name(name, "rec");
        block.recursors.extend(library.constant(terms, recursor)?);
    }
    for number in 1..=info.num_nested {
        let recursor = terms.str_name(first, &format!("rec_{number}"));
        block.recursors.extend(library.constant(terms, recursor)?);
    }
    Ok(block)
}

fn inductive(library: &Library, terms: &mut Terms, name: NameId) -> Result<Option<InductiveInfo>, ReadError> {
    Ok(library.constant(terms, name)?.and_then(|constant| match constant.kind {
        ConstantKind::Inductive(info) => Some(info),
        _ => None,
    }))
}

#[derive(Default)]
struct Report {
    accepted: BTreeMap<&'static str, usize>,
    skipped: BTreeMap<&'static str, usize>,
    refused: Vec<String>,
    exhausted: Vec<String>,
    unreadable: Vec<String>,
    /// Seconds, steps and name.
    slow: Vec<(f64, u64, String)>,
}

impl Report {
    fn add(
        &mut self,
        kind: &'static str,
        name: String,
        checked: Result<(), KernelError>,
        seconds: f64,
        steps: u64,
    ) {
        match checked {
            Ok(()) => *self.accepted.entry(kind).or_default() += 1,
            Err(error @ KernelError::Exhausted { .. }) => {
                println!("EXHAUSTED {kind} {error}");
                self.exhausted.push(name.clone());
            }
            Err(error) => {
                println!("REFUSED {kind} {error}");
                self.refused.push(name.clone());
            }
        }
        self.slow.push((seconds, steps, name));
        if self.slow.len() > 1_000 {
            self.keep_slowest();
        }
    }

    fn keep_slowest(&mut self) {
        self.slow.sort_by(|a, b| b.0.total_cmp(&a.0));
        self.slow.truncate(10);
    }

    fn print(mut self, seconds: f64) {
        self.keep_slowest();
        println!("accepted: {:?}, {} in all", self.accepted, self.accepted.values().sum::<usize>());
        println!("skipped, for they are unsafe or partial: {:?}", self.skipped);
        println!(
            "refused: {}, exhausted: {}, not read: {}",
            self.refused.len(),
            self.exhausted.len(),
            self.unreadable.len()
        );
        for name in &self.unreadable {
            println!("  not read: {name}");
        }
        println!("{seconds:.1} s; the slowest:");
        for (seconds, steps, name) in &self.slow {
            println!("  {seconds:8.3} s {steps:10} steps  {name}");
        }
    }
}

fn module_name(folder: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(folder).unwrap_or(file).with_extension("");
    let components: Vec<_> = relative.iter().map(|component| component.to_string_lossy()).collect();
    components.join(".")
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "olean") {
            files.push(path);
        }
    }
}
