//! Lean: the toolchain, a Lake project in this folder, and the REPL.
//!
//! elan's stand-in for `lean` is never run, because it may begin a download; the toolchains that it has fetched are.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use polestar_verifiers::lean_report;
use serde_json::json;

use super::Finding;
use super::tools::which;

/// Where a project that has the REPL built keeps it.
const REPLS: [&str; 3] =
    [".lake/build/bin/repl", ".lake/packages/REPL/.lake/build/bin/repl", "repl/.lake/build/bin/repl"];
const LAKEFILES: [&str; 2] = ["lakefile.toml", "lakefile.lean"];

pub(super) fn findings() -> Vec<Finding> {
    let here = std::env::current_dir().unwrap_or_default();
    let mut findings = vec![toolchain(), project(&here), repl(&here)];
    findings.retain(|finding| !finding.value.is_empty());
    findings
}

fn finding(name: &'static str, value: impl Into<String>) -> Finding {
    Finding::good("lean", name, value)
}

fn toolchain() -> Finding {
    const WITHOUT: &str = "the verifier `lean` judges nothing";
    const INSTALL: &str = "curl https://elan.lean-lang.org/elan-init.sh -sSf | sh; elan default stable";
    let Some(path) = which("lean") else {
        return finding("Lean", "not on PATH").absent(WITHOUT, INSTALL);
    };
    let Some(lean) = behind_elan(&path) else {
        return finding("Lean", format!("{} is elan's, which has no toolchain yet", path.display()))
            .absent(WITHOUT, "elan default stable; lean --version");
    };
    match lean_report(&lean) {
        Err(problem) => finding("Lean", problem).absent(WITHOUT, INSTALL),
        Ok(report) => {
            let value = format!("{} at {}", report.version, report.prefix.display());
            let data =
                json!({ "version": report.version, "path": lean, "library": report.library.as_ref().ok() });
            match report.library {
                Ok(_) => finding("Lean", value).data(data),
                Err(problem) => finding("Lean", format!("{value}; its library cannot be read: {problem}"))
                    .absent(
                        WITHOUT,
                        "install a toolchain whose compiled modules Polestar reads (docs/verifiers.md)",
                    )
                    .data(data),
            }
        }
    }
}

/// The binary behind elan's stand-in: of the newest toolchain by name that was fetched; the path itself where it is none.
fn behind_elan(path: &Path) -> Option<PathBuf> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if !is_elan(&real) {
        return Some(real);
    }
    let home = std::env::var_os("ELAN_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".elan")))?;
    let toolchains = std::fs::read_dir(home.join("toolchains")).into_iter().flatten().flatten();
    let found = toolchains.map(|entry| entry.path()).filter(|folder| folder.join("bin/lean").is_file());
    let newest = found.max_by_key(|folder| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (age(&name), name)
    })?;
    Some(newest.join("bin/lean"))
}

/// What orders toolchains by their names, as in `leanprover--lean4---v4.28.0-rc1`, the newest last: what stands before
/// the version, its numbers, whether it is a release and no candidate for one, and the numbers after that.
fn age(name: &str) -> (String, Vec<u64>, bool, Vec<u64>) {
    let numbers = |text: &str| {
        let digits = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
        digits.map(|digits| digits.parse().unwrap_or(u64::MAX)).collect::<Vec<_>>()
    };
    let name = name.rsplit("---").next().unwrap_or(name);
    let (kind, version) = name.split_at(name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len()));
    let (release, candidate) = version.split_once('-').unwrap_or((version, ""));
    (kind.to_owned(), numbers(release), candidate.is_empty(), numbers(candidate))
}

/// Whether a program is elan, which is there under each of its names: by hard links where the disk has them.
fn is_elan(real: &Path) -> bool {
    let is_named = real.file_name().is_some_and(|name| name == "elan" || name == "elan-init");
    let file = |path: &Path| path.metadata().ok().map(|found| (found.dev(), found.ino()));
    let elan = file(&real.with_file_name("elan"));
    is_named || (elan.is_some() && elan == file(real))
}

/// The Lake project in this folder, if it is one.
fn project(here: &Path) -> Finding {
    let name = "Lake project";
    if !LAKEFILES.iter().any(|file| here.join(file).is_file()) {
        return finding(name, "");
    }
    let data = json!({ "path": here });
    // Packages are there once they are fetched, and compiled only later.
    let packages = std::fs::read_dir(here.join(".lake/packages")).into_iter().flatten().flatten();
    let mut folders = packages.map(|package| package.path()).chain([here.to_owned()]);
    if folders.any(|folder| folder.join(".lake/build/lib").is_dir()) {
        return finding(name, format!("{}, built", here.display())).data(data);
    }
    finding(name, format!("{}, not built", here.display())).data(data).absent(
        "its modules cannot be imported",
        "lake build (before it, for a project on Mathlib: lake exe cache get)",
    )
}

fn repl(here: &Path) -> Finding {
    let found =
        REPLS.iter().map(|path| here.join(path)).find(|path| path.is_file()).or_else(|| which("repl"));
    match found {
        Some(path) => finding("Lean REPL", path.display().to_string()).data(json!({ "path": path })),
        None => finding("Lean REPL", "not found in this folder or on PATH").absent(
            "the back end `repl` and proofs tactic by tactic; whole proofs need none",
            "build github.com/leanprover-community/repl with the project's toolchain: lake build repl",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn a_project_is_told_when_it_is_not_built() {
        let folder = tempfile::tempdir().unwrap();
        assert!(project(folder.path()).value.is_empty());
        std::fs::write(folder.path().join("lakefile.toml"), "").unwrap();
        assert_eq!(project(folder.path()).state, State::Absent);
        std::fs::create_dir_all(folder.path().join(".lake/packages/mathlib/Mathlib")).unwrap();
        assert_eq!(project(folder.path()).state, State::Absent, "fetched, and not built");
        std::fs::create_dir_all(folder.path().join(".lake/packages/mathlib/.lake/build/lib")).unwrap();
        assert_eq!(project(folder.path()).state, State::Good);
        let repl_path = folder.path().join(REPLS[0]);
        std::fs::create_dir_all(repl_path.parent().unwrap()).unwrap();
        std::fs::write(&repl_path, "").unwrap();
        assert_eq!(repl(folder.path()).value, repl_path.display().to_string());
    }

    #[test]
    fn toolchains_are_ordered_by_their_numbers() {
        let ordered = [
            "leanprover--lean4---nightly-2025-11-30",
            "leanprover--lean4---nightly-2026-01-02",
            "leanprover--lean4---stable",
            "leanprover--lean4---v4.9.0",
            "leanprover--lean4---v4.9.1",
            "leanprover--lean4---v4.28.0-rc2",
            "leanprover--lean4---v4.28.0-rc10",
            "leanprover--lean4---v4.28.0",
        ];
        for pair in ordered.windows(2) {
            assert!(age(pair[0]) < age(pair[1]), "{pair:?}: {:?}, {:?}", age(pair[0]), age(pair[1]));
        }
        assert_eq!(age("here"), ("here".to_owned(), vec![], true, vec![]));
    }

    #[test]
    fn a_lean_of_its_own_is_no_stand_in() {
        let folder = tempfile::tempdir().unwrap();
        let lean = folder.path().join("lean");
        std::fs::write(&lean, "").unwrap();
        assert_eq!(behind_elan(&lean), Some(lean.canonicalize().unwrap()));
        let elan = folder.path().join("elan");
        std::fs::write(&elan, "").unwrap();
        assert!(!is_elan(&lean) && is_elan(&elan), "another file beside it");
        std::fs::remove_file(&lean).unwrap();
        std::fs::hard_link(&elan, &lean).unwrap();
        assert!(is_elan(&lean));
    }
}
