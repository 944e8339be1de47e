//! Files of tests: JSONL, safetensors headers, and everything in a run folder that must repeat to the byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::workspace;

/// A small random model that is part of the source.
#[must_use]
pub fn golden_model(name: &str) -> PathBuf {
    workspace().join("tests/golden/models").join(name)
}

/// All of them.
#[must_use]
pub fn golden_models() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(golden_model("")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 10, "expected the small models of every family, found {folders:?}");
    folders
}

/// Copies a folder of files.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A JSON file.
#[must_use]
pub fn read_json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Changes a JSON file.
pub fn edit_json(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = read_json(path);
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

/// A JSONL file's lines.
#[must_use]
pub fn read_jsonl(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Writes a JSONL file.
pub fn write_jsonl(path: &Path, rows: impl IntoIterator<Item = Value>) {
    let text: String = rows.into_iter().map(|row| format!("{row}\n")).collect();
    fs::write(path, text).unwrap();
}

/// Changes the header of a safetensors file; the data stays.
pub fn edit_safetensors(path: &Path, change: impl FnOnce(&mut Value)) {
    let bytes = fs::read(path).unwrap();
    let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
    let (header, data) = rest.split_at(usize::try_from(u64::from_le_bytes(*length)).unwrap());
    let mut header: Value = serde_json::from_slice(header).unwrap();
    change(&mut header);
    let header = header.to_string();
    fs::write(path, [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()).unwrap();
}

/// Everything in a run folder that two runs of one recipe have in common to the byte, by path: the plan, every file of
/// every checkpoint, metrics, sampled texts, evaluations, and whatever else is there. Left out are the times
/// (timings.jsonl, tensorboard), the journal, which is kept until the next checkpoint only, and the lock.
#[must_use]
pub fn lasting(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    read_tree(run, "", &mut found);
    for name in ["recipe.toml", "plan.json", "metrics.jsonl", "checkpoints/latest ->"] {
        assert!(found.contains_key(name), "{} has no {name}", run.display());
    }
    found
}

/// Files that hold times, or what a process leaves while it works.
const PASSING: [&str; 4] = ["timings.jsonl", "tensorboard", "journal", "lock"];

fn read_tree(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if PASSING.contains(&name.as_str()) {
            continue;
        }
        if path.is_symlink() {
            found.insert(format!("{name} ->"), fs::read_link(&path).unwrap().to_str().unwrap().into());
        } else if path.is_dir() {
            found.insert(format!("{name}/"), Vec::new());
            read_tree(&path, &format!("{name}/"), found);
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// Checks that two runs hold the same bytes, and that neither has leftovers of killed writers.
///
/// # Panics
/// Names the first file that differs.
pub fn assert_same_run(expected: &Path, found: &Path) {
    let (a, b) = (lasting(expected), lasting(found));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&a), names(&b), "{} and {}", expected.display(), found.display());
    for (name, bytes) in &a {
        if *bytes != b[name] {
            let at = bytes.iter().zip(&b[name]).position(|(a, b)| a != b);
            let text = |bytes: &[u8]| {
                let from = at.unwrap_or(0).saturating_sub(60);
                String::from_utf8_lossy(&bytes[from..bytes.len().min(from + 160)]).into_owned()
            };
            panic!(
                "{name} differs in {} and {} at byte {at:?} ({} and {} bytes):\n{}\n{}",
                expected.display(),
                found.display(),
                bytes.len(),
                b[name].len(),
                text(bytes),
                text(&b[name]),
            );
        }
    }
    for run in [expected, found] {
        assert_eq!(leftovers(run), Vec::<PathBuf>::new());
    }
}

/// Temporary files and folders in a run folder.
#[must_use]
pub fn leftovers(run: &Path) -> Vec<PathBuf> {
    let folders = ["", "checkpoints", "rollouts", "evals", "journal"].map(|folder| run.join(folder));
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.file_name().unwrap().to_str().unwrap().contains("tmp")).collect()
}
