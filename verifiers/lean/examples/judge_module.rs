//! Judges one compiled proof against its compiled statement, as the verifier does, without Lean and without settings:
//! `judge_module NAME STATEMENT.olean PROOF.olean FOLDER..`.
//!
//! NAME is the theorem's full name, STATEMENT.olean what Lean made of the statement with its proof left open, and the
//! folders hold the compiled modules that the statement imports, first of all those of `lean --print-libdir`. Allowed
//! are the axioms that are allowed by default. The exit code is 0 if the proof holds.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use polestar_lean::claims::Claims;
use polestar_lean::judgement::{Goal, check_reference, judge};
use polestar_lean::kernel::{Budget, STACK_BYTES_PER_DEPTH};
use polestar_lean::library::{Library, open_module};
use polestar_lean::olean::Limits;

const BUDGET: Budget = Budget::new(30_000_000, 20_000_000, 50_000);
/// How much of a proof is read.
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
    let statement = open_module(Path::new(statement), Limits::TRUSTED)?;
    // The statement says what is imported: what a proof imports beside that is not believed.
    let imports: Vec<String> =
        statement.imports().iter().map(|import| import.module.components().join(".")).collect();
    let imports: Vec<&str> = imports.iter().map(String::as_str).collect();
    let library = Library::open(&folders, &imports)?;
    check_reference(name, &Claims::of(&statement)).map_err(|problem| format!("the statement: {problem}"))?;
    let axioms = ["propext", "Classical.choice", "Quot.sound"].map(str::to_owned);
    let goal = Goal { name, reference: &Claims::of(&statement), axioms: &axioms, budget: BUDGET };
    let proof = match open_module(Path::new(proof), LIMITS) {
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
