//! Type-checks every constant of a compiled library against the library itself, and says which are not accepted.
//!
//! `replay_library DIR [MODULE-PREFIX]`: all modules under DIR are opened; checked are those whose names begin with the
//! prefix. Everything in a real library is right, so whatever is refused here is a mistake of ours, unless the library
//! is without the private parts of its modules: then it may lack a constant, or show a definition without its value as
//! an axiom. What is refused is looked at again for that, and counted apart.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use polestar_lean::constant::{Constant, ConstantKind, InductiveInfo};
use polestar_lean::kernel::inductive::Block;
use polestar_lean::kernel::{Budget, Environment, KernelError, ReadError, Trusted};
use polestar_lean::library::{Library, open_module};
use polestar_lean::olean::Limits;
use polestar_lean::terms::{Expr, ExprId, NameId, Terms};
use rustc_hash::FxHashSet;

/// For one constant, or one block of inductive types.
const BUDGET: Budget = Budget::new(100_000_000, 100_000_000, 200_000);
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
    let module = open_module(file, Limits::TRUSTED)?;
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
        if let Err(KernelError::Refused { .. }) = &checked
            && let Some(lack) = find_lack(&mut env, library, &constant)?
        {
            *report.lacking.entry(lack).or_default() += 1;
            continue;
        }
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

/// What a constant needs that the library does not have: looked for in its type and value, and in the values of the
/// definitions that these mention, and so on.
fn find_lack(
    env: &mut Environment<'_>,
    library: &Library,
    constant: &Constant,
) -> Result<Option<String>, Box<dyn Error>> {
    const DEPTH: usize = 6;
    let mut next = vec![constant.ty];
    next.extend(constant.value());
    if let ConstantKind::Inductive(info) = &constant.kind {
        for &constructor in &info.constructors {
            next.extend(library.constant(&mut env.terms, constructor)?.map(|constructor| constructor.ty));
        }
    }
    let mut seen = FxHashSet::default();
    for depth in 0..DEPTH {
        let mut terms = Vec::new();
        for name in mentioned(&env.terms, std::mem::take(&mut next)) {
            if !seen.insert(name) {
                continue;
            }
            let Some(found) = library.constant(&mut env.terms, name)? else {
                return Ok(Some(format!("a constant is not there, at depth {depth}")));
            };
            if matches!(found.kind, ConstantKind::Axiom { .. }) && !is_proposition(env, &found) {
                return Ok(Some(format!("a value is not there, at depth {depth}")));
            }
            terms.extend(found.value());
        }
        next = terms;
    }
    Ok(None)
}

/// Whether a constant's type is a proposition: only then it is accepted as a proof of it.
fn is_proposition(env: &mut Environment<'_>, constant: &Constant) -> bool {
    let params: Vec<_> = constant.level_params.iter().map(|&param| env.terms.param(param)).collect();
    let levels = env.terms.levels(&params);
    let value = env.terms.constant(constant.name, levels);
    env.check(&Constant { kind: ConstantKind::Theorem { value }, ..constant.clone() }).is_ok()
}

/// The constants that terms mention.
fn mentioned(terms: &Terms, roots: Vec<ExprId>) -> Vec<NameId> {
    let (mut open, mut seen, mut names) = (roots, FxHashSet::default(), Vec::new());
    while let Some(e) = open.pop() {
        if !seen.insert(e) {
            continue;
        }
        match terms.expr(e) {
            Expr::Const(name, _) => names.push(name),
            Expr::App(a, b) | Expr::Lam(a, b) | Expr::Pi(a, b) => open.extend([a, b]),
            Expr::Let(a, b, c) => open.extend([a, b, c]),
            Expr::Proj(name, _, value) => {
                names.push(name);
                open.push(value);
            }
            _ => {}
        }
    }
    names
}

#[derive(Default)]
struct Report {
    accepted: BTreeMap<&'static str, usize>,
    skipped: BTreeMap<&'static str, usize>,
    lacking: BTreeMap<String, usize>,
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
        println!("not to be checked with this library: {:?}", self.lacking);
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
