//! Checks every inductive block of a library against what is claimed there, each as if it were a submission's:
//! `replay_inductives FOLDER ROOT..`, where the roots are modules that import all others.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use polestar_lean::constant::{Constant, ConstantKind, InductiveInfo};
use polestar_lean::kernel::{Budget, Environment, KernelError, ReadError, STACK_BYTES_PER_DEPTH, Trusted};
use polestar_lean::library::Library;
use polestar_lean::olean::{Limits, Module};
use polestar_lean::replay::{Claimed, replay};
use polestar_lean::terms::{NameId, Terms};

const BUDGET: Budget = Budget { steps: 200_000_000, max_nodes: 50_000_000, max_depth: 20_000 };

/// The library without one block.
struct Without<'l> {
    library: &'l Library,
    block: RefCell<HashSet<NameId>>,
}

impl Trusted for Without<'_> {
    fn constant(&self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, ReadError> {
        if self.block.borrow().contains(&name) { Ok(None) } else { self.library.constant(terms, name) }
    }
}

/// The block alone.
struct Only<'l>(&'l Without<'l>);

impl Claimed for Only<'_> {
    fn constant(&self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, ReadError> {
        if self.0.block.borrow().contains(&name) { self.0.library.constant(terms, name) } else { Ok(None) }
    }
}

#[derive(Default)]
struct Counts {
    by_kind: BTreeMap<&'static str, usize>,
    refused: Vec<String>,
    slow: Vec<(Duration, String)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, roots @ ..] = arguments.as_slice() else {
        return Err("expected: replay_inductives FOLDER ROOT..".into());
    };
    let (folder, roots) = (PathBuf::from(folder), roots.to_vec());
    let stack = BUDGET.max_depth as usize * STACK_BYTES_PER_DEPTH * 2;
    let checked = std::thread::Builder::new()
        .stack_size(stack)
        .spawn(move || all(&folder, &roots).map_err(|error| error.to_string()))?
        .join();
    match checked {
        Ok(checked) => Ok(checked?),
        Err(_) => Err("the check panicked".into()),
    }
}

fn all(folder: &Path, roots: &[String]) -> Result<(), Box<dyn Error>> {
    let roots: Vec<&str> = roots.iter().map(String::as_str).collect();
    let library = Library::open(&[folder.to_owned()], &roots)?;
    println!("{} modules, {} constants", library.num_modules(), library.num_constants());
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    let (start, mut counts) = (Instant::now(), Counts::default());
    for file in &files {
        let module = Module::read(vec![std::fs::read(file)?], Limits::TRUSTED)?;
        let mut terms = Terms::new();
        let mut reader = module.reader(Limits::TRUSTED);
        for name in reader.constant_names(&mut terms)?.to_vec() {
            let Some(constant) = reader.constant(&mut terms, name)? else { continue };
            let ConstantKind::Inductive(info) = &constant.kind else { continue };
            if info.all.first() == Some(&name) {
                let names = names(&library, &mut terms, info)?;
                terms = one(&library, terms, name, names, info, &mut counts);
            }
        }
    }
    counts.slow.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    for (time, name) in counts.slow.iter().take(12) {
        println!("{:8.3} s {name}", time.as_secs_f64());
    }
    for problem in &counts.refused {
        println!("NOT ACCEPTED {problem}");
    }
    println!(
        "{:?}, {} not accepted, {:.1} s",
        counts.by_kind,
        counts.refused.len(),
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The names of a block's constants.
fn names(library: &Library, terms: &mut Terms, info: &InductiveInfo) -> Result<HashSet<NameId>, ReadError> {
    let mut names = HashSet::new();
    for &name in &info.all {
        names.extend([name, terms.str_name(name, "rec")]);
        if let Some(Constant { kind: ConstantKind::Inductive(info), .. }) = library.constant(terms, name)? {
            names.extend(info.constructors);
        }
    }
    for number in 1..=info.num_nested {
        names.insert(terms.str_name(info.all[0], &format!("rec_{number}")));
    }
    Ok(names)
}

/// Checks one block and gives the arena back.
fn one(
    library: &Library,
    terms: Terms,
    name: NameId,
    names: HashSet<NameId>,
    info: &InductiveInfo,
    counts: &mut Counts,
) -> Terms {
    let shown = terms.show_name(name);
    let trusted = Without { library, block: RefCell::new(names) };
    let mut env = Environment::new(terms, &trusted, BUDGET);
    let start = Instant::now();
    let checked = replay(&mut env, &Only(&trusted), name);
    counts.slow.push((start.elapsed(), shown.clone()));
    let mut count = |kind| *counts.by_kind.entry(kind).or_default() += 1;
    match checked {
        Ok(_) => {
            count("accepted");
            for (kind, is) in [
                ("mutual", info.all.len() > 1),
                ("nested", info.num_nested > 0),
                ("recursive", info.is_rec),
                ("reflexive", info.is_reflexive),
                ("indexed", info.num_indices > 0),
            ] {
                if is {
                    count(kind);
                }
            }
        }
        Err(KernelError::Refused { problem, .. }) if info.is_unsafe && problem.contains("marked unsafe") => {
            count("unsafe, refused as such");
        }
        Err(error) => counts.refused.push(format!("{shown}: {error}")),
    }
    std::mem::take(&mut env.terms)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), std::io::Error> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "olean") {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}
