//! Finds out what a Python interpreter is: its version, its folders, whether it can do what the fork server needs.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::SandboxError;

/// The oldest version that passes descriptors and waits for processes by descriptor.
const OLDEST: [u32; 3] = [3, 9, 0];

/// A Python that the fork server can run in.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Interpreter {
    /// As `sys.version_info` has it.
    pub(crate) version: [u32; 3],
    /// Its own path, without what stands before it on the `PATH` and starts it.
    pub(crate) executable: PathBuf,
    /// Where its modules are.
    pub(crate) folders: Vec<PathBuf>,
    missing: Vec<String>,
}

impl std::fmt::Display for Interpreter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [major, minor, patch] = self.version;
        write!(f, "{major}.{minor}.{patch} at {}", self.executable.display())
    }
}

impl Interpreter {
    /// Asks the interpreter of that name or path.
    ///
    /// # Errors
    /// There is none, or it is too old or lacks parts of its standard library.
    pub(crate) fn find(python: &str) -> Result<Self, SandboxError> {
        let refuse = |problem: String| SandboxError::Python { python: python.to_owned(), problem };
        let mut command = Command::new(python);
        command.args(["-s", "-B", "-c", include_str!("interpreter.py")]);
        for name in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT"] {
            command.env_remove(name);
        }
        let output = command.current_dir("/").stdin(Stdio::null()).output();
        let output = output.map_err(|error| refuse(error.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        let mut found: Self = serde_json::from_str(last).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.trim().lines().last().unwrap_or("nothing").to_owned();
            refuse(format!("it is no Python 3 that runs a line of code ({}); it said: {said}", output.status))
        })?;
        if found.version < OLDEST {
            let [major, minor, patch] = found.version;
            return Err(refuse(format!("it is version {major}.{minor}.{patch}, and 3.9 or later is needed")));
        }
        if !found.missing.is_empty() {
            let missing = found.missing.join(", ");
            return Err(refuse(format!("its standard library lacks {missing}; take a full Python")));
        }
        found.folders.retain(|folder| folder.is_absolute() && folder.parent().is_some());
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_python_is_told_apart() {
        let error = Interpreter::find("/nonexistent/python3").unwrap_err().to_string();
        assert!(error.contains("`/nonexistent/python3`") && error.contains("No such file"), "{error}");
        let error = Interpreter::find("true").unwrap_err().to_string();
        assert!(error.contains("it is no Python 3") && error.contains("it said: nothing"), "{error}");
    }
}
