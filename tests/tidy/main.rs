//! What no compiler checks and every change must keep: the shape of the source, the arrows between the crates, and that
//! documents say what is there. Reads the repository's files and nothing else; links no libtorch.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod documents;
mod manifests;
mod plugins;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

/// Where the project's own files lie; what is fetched or built lies elsewhere.
const ROOMS: &[&str] =
    &["data", "verifiers", "trainer", "tests", "configs", "scripts", "docs", ".ci", ".cargo"];

/// A file of the project.
struct Text {
    /// From the repository's root, with `/`.
    path: String,
    content: String,
}

impl Text {
    fn has_extension(&self, extension: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, found)| found == extension)
    }

    /// Whether the whole file is test code.
    fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || name == "tests.rs"
            || name.ends_with("_tests.rs")
    }

    /// The lines of code that are in the product: without comments, items for tests only, and the test module at a
    /// file's end.
    fn product_lines(&self) -> impl Iterator<Item = &str> {
        let code = if self.is_test() { "" } else { self.content.as_str() };
        let mut lines = code.lines();
        std::iter::from_fn(move || {
            loop {
                let line = lines.next()?;
                if line.trim() == "#[cfg(test)]" {
                    // A module with a body is the last thing in a file; what has none is one line.
                    if lines.next()?.ends_with('{') {
                        return None;
                    }
                } else if !line.trim_start().starts_with("//") {
                    return Some(line);
                }
            }
        })
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every text file of the project, by path.
fn texts() -> Vec<Text> {
    let root = root();
    let mut texts = Vec::new();
    for entry in fs::read_dir(&root).unwrap().flatten() {
        // In a linked work tree `.git` is a file too.
        if entry.path().is_file() && entry.file_name() != ".git" {
            texts.extend(read(&root, &entry.path()));
        }
    }
    for room in ROOMS {
        walk(&root, &root.join(room), &mut texts);
    }
    texts.sort_by(|a, b| a.path.cmp(&b.path));
    texts
}

fn walk(root: &Path, folder: &Path, texts: &mut Vec<Text>) {
    for entry in
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten()
    {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if name != "target" && name != "__pycache__" {
                walk(root, &path, texts);
            }
        } else {
            texts.extend(read(root, &path));
        }
    }
}

/// None for files that are not text.
fn read(root: &Path, path: &Path) -> Option<Text> {
    let content = String::from_utf8(fs::read(path).unwrap()).ok()?;
    let path = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    Some(Text { path, content })
}

/// The Rust files.
fn sources() -> Vec<Text> {
    texts().into_iter().filter(|text| text.has_extension("rs")).collect()
}

/// Fails with everything that was found, a line each.
fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn the_project_is_found_whole() {
    let texts = texts();
    for path in
        ["Cargo.toml", "README.md", "trainer/src/lib.rs", "docs/recipes.md", ".ci/run", "scripts/common.sh"]
    {
        assert!(texts.iter().any(|text| text.path == path), "{path} is not there");
    }
    assert!(sources().len() > 100, "only {} Rust files were found", sources().len());
}
