//! Judges one compiled proof against its compiled statement, as the verifier does, without Lean and without settings:
//! `judge_module NAME STATEMENT.olean PROOF.olean FOLDER..`.
//!
//! NAME is the theorem's full name, STATEMENT.olean what Lean made of the statement with its proof left open, and the
//! folders hold the compiled modules that the statement imports, first of all those of `lean --print-libdir`. Allowed
//! are the axioms that are allowed by default. The exit code is 0 if the proof holds.

use std::cell::RefCell;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use polestar_lean::constant::Constant;
use polestar_lean::judgement::{Goal, check_reference, judge};
use polestar_lean::kernel::{Budget, ReadError, STACK_BYTES_PER_DEPTH};
use polestar_lean::library::Library;
use polestar_lean::olean::{Limits, Module, Reader};
use polestar_lean::replay::Claimed;
use polestar_lean::terms::{NameId, Terms};

const BUDGET: Budget = Budget::new(100_000_000, 20_000_000, 50_000);
/// How much of either file is read.
const LIMITS: Limits = Limits { max_bytes: 1 << 28, max_objects: 20_000_000 };
/// Bytes of stack for everything but the kernel's recursion.
const SPARE_STACK_BYTES: usize = 8 << 20;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let run = move || run(&arguments).map_err(|error| error.to_string());
    let bytes = STACK_BYTES_PER_DEPTH * BUDGET.max_depth as usize + SPARE_STACK_BYTES;
    let judged = std::thread::Builder::new().stack_size(bytes).spawn(run)?.join();
    Ok(judged.map_err(|_| "the judgement panicked")??)
}

fn run(arguments: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let [name, statement, proof, folders @ ..] = arguments else {
        return Err("expected: judge_module NAME STATEMENT.olean PROOF.olean FOLDER..".into());
    };
    let folders: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
    let statement = read(Path::new(statement))?;
    // The statement says what is imported: what a proof imports beside that is not believed.
    let imports: Vec<String> =
        statement.imports().iter().map(|import| import.module.components().join(".")).collect();
    let imports: Vec<&str> = imports.iter().map(String::as_str).collect();
    let library = Library::open(&folders, &imports)?;
    check_reference(name, &Claims::of(&statement)).map_err(|problem| format!("the statement: {problem}"))?;
    let axioms = ["propext", "Classical.choice", "Quot.sound"].map(str::to_owned);
    let goal = Goal { name, reference: &Claims::of(&statement), axioms: &axioms, budget: BUDGET };
    let proof = match read(Path::new(proof)) {
        Ok(proof) => proof,
        Err(problem) => {
            println!("no proof: {problem}");
            return Ok(ExitCode::FAILURE);
        }
    };
    Ok(match judge(&goal, &Claims::of(&proof), &library)? {
        Ok(proof) => {
            println!("proved: {} constants checked in {} steps", proof.num_checked, proof.steps);
            println!(
                "axioms: {}",
                if proof.axioms.is_empty() { "none".into() } else { proof.axioms.join(", ") }
            );
            ExitCode::SUCCESS
        }
        Err(refusal) => {
            println!("no proof: {refusal}");
            ExitCode::FAILURE
        }
    })
}

/// A module, with its other parts where they lie beside it.
fn read(path: &Path) -> Result<Module<Vec<u8>>, String> {
    let others = ["server", "private"].map(|part| PathBuf::from(format!("{}.{part}", path.display())));
    let others = others.iter().map(PathBuf::as_path).filter(|part| part.exists());
    let parts: Result<_, String> = std::iter::once(path)
        .chain(others)
        .map(|part| {
            std::fs::read(part).map_err(|error| format!("{} cannot be read: {error}", part.display()))
        })
        .collect();
    Module::read(parts?, LIMITS).map_err(|error| format!("{}: {error}", path.display()))
}

/// A module of which one judgement reads constants into its terms; another one needs a reader of its own.
struct Claims<'m>(RefCell<Reader<'m, Vec<u8>>>);

impl<'m> Claims<'m> {
    fn of(module: &'m Module<Vec<u8>>) -> Self {
        Self(RefCell::new(module.reader(LIMITS)))
    }
}

impl Claimed for Claims<'_> {
    fn constant(&self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, ReadError> {
        let found = self.0.borrow_mut().constant(terms, name);
        found.map_err(|error| ReadError { message: error.to_string() })
    }
}
