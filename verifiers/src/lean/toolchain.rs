//! Finds the Lean that compiles proofs: its binary, its version, and the folders of compiled modules.
//!
//! `lean` on the `PATH` is often elan's stand-in, which looks into its user's home; a box has none. So the stand-in is
//! asked once, outside, for the binary behind it, and a Lake project for its search path.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::settings::LeanSettings;

/// How long each question may take. elan may fetch the toolchain that a project names.
const ANSWER_WAIT: Duration = Duration::from_secs(300);

/// A Lean that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Toolchain {
    /// The binary itself.
    pub(super) lean: PathBuf,
    /// The folder that it is installed in.
    pub(super) prefix: PathBuf,
    /// As it says itself, as in `4.28.0`.
    pub(super) version: String,
    /// Folders of compiled modules besides the library's own, in order.
    pub(super) lean_path: Vec<PathBuf>,
    /// The folder of the library's own compiled modules.
    pub(super) libdir: PathBuf,
}

impl Toolchain {
    /// Finds the Lean that the settings name.
    ///
    /// # Errors
    /// There is none, or it or the project does not answer: says what to install or build.
    pub(super) fn find(settings: &LeanSettings) -> Result<Self, String> {
        let (command, lean_path, folder) = match &settings.project {
            None => (PathBuf::from(&settings.command), settings.lean_path.clone(), Path::new("/").to_owned()),
            Some(project) => {
                let (command, lean_path) = of_project(settings, project)?;
                (command, lean_path, project.clone())
            }
        };
        let ask = |flag: &str| {
            let said = answer(Command::new(&command).arg(flag).current_dir(&folder)).map_err(|problem| {
                format!(
                    "the Lean `{}` cannot be used: {problem}; install Lean with elan \
                     (https://lean-lang.org/install), or give the path of a `lean` in `command`",
                    command.display()
                )
            })?;
            let line = said.lines().next().unwrap_or_default().trim().to_owned();
            if line.is_empty() {
                return Err(format!(
                    "the Lean `{}` says nothing for {flag}; give another in `command`",
                    command.display()
                ));
            }
            Ok(line)
        };
        let version = version_in(&ask("--version")?).ok_or_else(|| {
            format!(
                "`{} --version` does not say that it is Lean 4; give another in `command`",
                command.display()
            )
        })?;
        let prefix = PathBuf::from(ask("--print-prefix")?);
        let libdir = PathBuf::from(ask("--print-libdir")?);
        let lean = prefix.join("bin/lean");
        if !lean.is_file() {
            return Err(format!(
                "Lean says that it is installed in {}, where there is no bin/lean; give the path of a `lean` in `command`",
                prefix.display()
            ));
        }
        Ok(Self { lean, prefix, version, lean_path, libdir })
    }

    /// Folders of compiled modules, in the order in which Lean looks through them.
    pub(super) fn search_path(&self) -> Vec<PathBuf> {
        self.lean_path.iter().cloned().chain([self.libdir.clone()]).collect()
    }

    /// What boxes must be able to read.
    pub(super) fn readable(&self) -> Vec<PathBuf> {
        let own = self.prefix.canonicalize().unwrap_or_else(|_| self.prefix.clone());
        [self.prefix.clone(), own, self.libdir.clone()]
            .into_iter()
            .chain(self.lean_path.iter().cloned())
            .collect()
    }
}

/// The `lean` and the search path of a Lake project.
fn of_project(settings: &LeanSettings, project: &Path) -> Result<(PathBuf, Vec<PathBuf>), String> {
    let is_project = ["lakefile.toml", "lakefile.lean"].iter().any(|file| project.join(file).is_file());
    if !is_project {
        return Err(format!(
            "`project` must be the folder of a Lake project, found neither lakefile.toml nor lakefile.lean in {}",
            project.display()
        ));
    }
    let lake = Path::new(&settings.command).with_file_name("lake");
    let said = answer(Command::new(&lake).arg("env").current_dir(project)).map_err(|problem| {
        format!(
            "the Lake project {} cannot be asked for its search path: `{} env`: {problem}; build it with `lake build` \
             (a project on Mathlib with `lake exe cache get` before)",
            project.display(),
            lake.display()
        )
    })?;
    let variable = |name: &str| {
        said.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .filter(|value| !value.is_empty())
    };
    let missing = |name: &str| format!("`{} env` in {} says no {name}", lake.display(), project.display());
    let lean = variable("LEAN").ok_or_else(|| missing("LEAN"))?;
    let path = variable("LEAN_PATH").ok_or_else(|| missing("LEAN_PATH"))?;
    let path = std::env::split_paths(path).map(|folder| project.join(folder)).collect();
    Ok((PathBuf::from(lean), path))
}

/// What a command writes to its standard output.
fn answer(command: &mut Command) -> Result<String, String> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.map_err(|error| error.to_string())?;
    let id = child.id();
    let (tell, told) = mpsc::channel();
    // Both of its streams are drained while it is waited for.
    std::thread::spawn(move || tell.send(child.wait_with_output()));
    let output = match told.recv_timeout(ANSWER_WAIT) {
        Ok(output) => output.map_err(|error| error.to_string())?,
        Err(_) => {
            if let Some(pid) = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw) {
                // One that has ended in this moment needs no end.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
            return Err(format!("it did not answer in {} s", ANSWER_WAIT.as_secs()));
        }
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing").trim();
        return Err(format!("{}; it said: {}", output.status, crate::error::shorten(said, 300)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The version in what `lean --version` says.
fn version_in(said: &str) -> Option<String> {
    let rest = said.split_once("version ")?.1;
    let version = rest.split([',', ' ', ')']).next()?;
    version.starts_with("4.").then(|| version.to_owned())
}

/// A list of folders as `LEAN_PATH` takes it.
///
/// # Errors
/// A folder's name cannot stand in a list.
pub(super) fn joined(folders: &[PathBuf]) -> Result<String, String> {
    let joined =
        std::env::join_paths(folders).map_err(|error| format!("the search path of modules: {error}"))?;
    OsStr::to_str(&joined).map(str::to_owned).ok_or_else(|| {
        format!("the search path of modules must be UTF-8, found {}", joined.to_string_lossy())
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A program that answers as Lean or Lake would.
    fn script(folder: &Path, name: &str, lines: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    const VERSION: &str = "Lean (version 4.28.0, x86_64-unknown-linux-gnu, commit abc, Release)";

    fn lean(folder: &Path) -> PathBuf {
        let root = folder.display();
        script(
            folder,
            "bin/lean",
            &format!(
                "case $1 in --version) echo '{VERSION}';; --print-prefix) echo {root};; --print-libdir) echo {root}/lib/lean;; esac"
            ),
        )
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(version_in(VERSION).as_deref(), Some("4.28.0"));
        assert_eq!(version_in("Lean (version 4.29.0-rc1, commit abc)").as_deref(), Some("4.29.0-rc1"));
        assert_eq!(version_in("Lean (version 3.51.1, commit abc)"), None);
        assert_eq!(version_in("hello"), None);
    }

    #[test]
    fn a_lean_is_asked_where_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let command = lean(folder.path()).display().to_string();
        let lean_path = vec![PathBuf::from("/opt/modules")];
        let settings = LeanSettings { command, lean_path, ..LeanSettings::default() };
        let found = Toolchain::find(&settings).unwrap();
        assert_eq!((found.version.as_str(), found.lean), ("4.28.0", folder.path().join("bin/lean")));
        let path = [PathBuf::from("/opt/modules"), folder.path().join("lib/lean")];
        assert_eq!(Toolchain::find(&settings).unwrap().search_path(), path);
    }

    #[test]
    fn a_project_says_its_lean_and_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let command = lean(folder.path());
        script(
            folder.path(),
            "bin/lake",
            &format!("echo LEAN={}; echo LEAN_PATH=.lake/build/lib:/x", command.display()),
        );
        let project = folder.path().join("project");
        let command = command.display().to_string();
        let settings = LeanSettings { command, project: Some(project.clone()), ..LeanSettings::default() };
        let error = Toolchain::find(&settings).unwrap_err();
        assert!(error.contains("found neither lakefile.toml nor lakefile.lean in "), "{error}");
        std::fs::create_dir(&project).unwrap();
        std::fs::write(project.join("lakefile.toml"), "").unwrap();
        let found = Toolchain::find(&settings).unwrap();
        assert_eq!(found.lean_path, [project.join(".lake/build/lib"), PathBuf::from("/x")]);
        script(folder.path(), "bin/lake", "echo 'no such package' >&2; exit 1");
        let error = Toolchain::find(&settings).unwrap_err();
        assert!(error.contains("it said: no such package") && error.contains("`lake build`"), "{error}");
        script(folder.path(), "bin/lake", "echo LEAN=/x");
        assert!(Toolchain::find(&settings).unwrap_err().ends_with("says no LEAN_PATH"));
    }

    #[test]
    fn what_is_no_lean_is_told() {
        let find = |command: String| {
            Toolchain::find(&LeanSettings { command, ..LeanSettings::default() }).unwrap_err()
        };
        let error = find("/nowhere/lean".to_owned());
        assert!(error.contains("`/nowhere/lean`") && error.contains("install Lean with elan"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let error = find(script(folder.path(), "three", "echo 'Lean (version 3.4.2)'").display().to_string());
        assert!(error.contains("does not say that it is Lean 4"), "{error}");
        let error = find(script(folder.path(), "mute", "true").display().to_string());
        assert!(error.contains("says nothing for --version"), "{error}");
        let moved = format!("case $1 in --version) echo '{VERSION}';; *) echo /nowhere;; esac");
        let error = find(script(folder.path(), "moved", &moved).display().to_string());
        assert!(error.contains("installed in /nowhere"), "{error}");
    }
}
