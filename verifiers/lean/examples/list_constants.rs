//! Reads every constant of every compiled module under the given folders and counts them by kind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use polestar_lean::olean::{Limits, Module};
use polestar_lean::terms::Terms;

fn main() {
    for folder in std::env::args_os().skip(1) {
        let start = Instant::now();
        let mut files = Vec::new();
        collect(Path::new(&folder), &mut files);
        let mut kinds: BTreeMap<(String, &'static str), usize> = BTreeMap::new();
        let mut failed = 0;
        for file in &files {
            let library = file.strip_prefix(&folder).unwrap_or(file).iter().next().unwrap_or_default();
            let library = Path::new(library).file_stem().unwrap_or_default().to_string_lossy().into_owned();
            match count(file) {
                Ok(counts) => {
                    for (kind, n) in counts {
                        *kinds.entry((library.clone(), kind)).or_default() += n;
                    }
                }
                Err(error) => {
                    failed += 1;
                    eprintln!("{}: {error}", file.display());
                }
            }
        }
        for ((library, kind), n) in &kinds {
            println!("{library:10} {n:8} {kind}");
        }
        println!("{} files, {failed} of them not read, {:.2} s", files.len(), start.elapsed().as_secs_f64());
    }
}

/// Counts the constants of one module, all parts of it.
fn count(file: &Path) -> Result<BTreeMap<&'static str, usize>, Box<dyn std::error::Error>> {
    let mut parts = vec![std::fs::read(file)?];
    for suffix in ["server", "private"] {
        let part = PathBuf::from(format!("{}.{suffix}", file.display()));
        if part.exists() {
            parts.push(std::fs::read(part)?);
        }
    }
    let module = Module::read(parts, Limits::TRUSTED)?;
    let (mut terms, mut reader) = (Terms::new(), module.reader(Limits::TRUSTED));
    let names = reader.constant_names(&mut terms)?.to_vec();
    let mut counts = BTreeMap::new();
    for name in names {
        if let Some(constant) = reader.constant(&mut terms, name)? {
            *counts.entry(constant.kind_name()).or_default() += 1;
        }
    }
    Ok(counts)
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
