//! Opens a library and says what one or all of its constants rest on: `library_axioms FOLDER MODULE [CONSTANT]`.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use polestar_lean::library::{Library, open_module};
use polestar_lean::olean::Limits;
use polestar_lean::terms::Terms;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, module, constants @ ..] = arguments.as_slice() else {
        return Err("expected: library_axioms FOLDER MODULE [CONSTANT..]".into());
    };
    let start = Instant::now();
    let library = Library::open(&[PathBuf::from(folder)], &[module])?;
    let origin = library.origin().map(ToString::to_string).unwrap_or_default();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{origin}: {} modules, {} constants, {seconds:.2} s",
        library.num_modules(),
        library.num_constants()
    );
    let mut terms = Terms::new();
    for constant in constants {
        let name = terms.read_name(constant).ok_or("expected the name of a constant")?;
        let start = Instant::now();
        let axioms = library.axioms(&terms, name)?;
        println!("{constant}: {axioms:?}, {:.3} s", start.elapsed().as_secs_f64());
    }
    if constants.is_empty() {
        all(&library, folder, module)?;
    }
    Ok(())
}

/// Counts the answers for all constants of one module and those it imports itself.
fn all(library: &Library, folder: &str, module: &str) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let (mut terms, mut counts) = (Terms::new(), BTreeMap::new());
    let file = PathBuf::from(folder).join(format!("{}.olean", module.replace('.', "/")));
    let module = open_module(&file, Limits::TRUSTED)?;
    for import in module.imports() {
        let file = PathBuf::from(folder).join(format!("{}.olean", import.module.components().join("/")));
        let module = open_module(&file, Limits::TRUSTED)?;
        for name in module.reader(Limits::TRUSTED).constant_names(&mut terms)?.to_vec() {
            let Some(found) = library.axioms(&terms, name)? else { continue };
            let kind = (found.axioms.to_vec(), !found.hidden.is_empty(), !found.missing.is_empty());
            *counts.entry(kind).or_insert(0) += 1;
        }
    }
    for ((axioms, hidden, missing), n) in counts {
        println!("{n:8} {axioms:?} hidden {hidden} missing {missing}");
    }
    println!("{:.2} s", start.elapsed().as_secs_f64());
    Ok(())
}
