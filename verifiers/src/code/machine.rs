//! What the kind `code` has on this machine: found out by making a box, for whoever has to mend what is missing.

use std::path::PathBuf;

use super::language::Languages;
use super::{Code, CodeSettings};
use crate::sandbox::SandboxError;
use crate::verifier::Verifier;

/// What was found. Each `Err` says what is wrong.
#[derive(Clone, Debug)]
pub struct SandboxReport {
    /// The isolation that programs would have: `namespaces`, `landlock`, or none, with which nothing is run.
    pub level: Option<&'static str>,
    /// Why it is not a better one; none where it is the best.
    pub why_not_better: Option<String>,
    /// Version and path of the Python that runs solutions and tests.
    pub python: Result<String, String>,
    /// Which cgroups count memory and processes of a program as a whole. None where it was not found out, because there
    /// is no isolation.
    pub cgroups: Option<Result<String, String>>,
    /// The languages that are built in beside Python, and what compiles them.
    pub languages: Vec<(String, Result<PathBuf, String>)>,
}

/// Looks, with the Python of that name or path. Starts a fork server and a box, makes and removes cgroups, and takes about
/// a second.
#[must_use]
pub fn sandbox_report(python: &str) -> SandboxReport {
    let code = Code::new(CodeSettings { python: python.to_owned(), ..CodeSettings::default() });
    let facts = match &code {
        Ok(code) => code.sandbox.facts(),
        Err(problem) => Err(SandboxError::Python { python: python.to_owned(), problem: problem.clone() }),
    };
    let languages = languages();
    match facts {
        Ok(facts) => SandboxReport {
            level: Some(facts.level.name()),
            why_not_better: Some(facts.why_not.clone()).filter(|why| !why.is_empty()),
            python: Ok(facts.python()),
            cgroups: Some(facts.cgroups()),
            languages,
        },
        Err(error) => SandboxReport {
            level: None,
            why_not_better: Some(error.to_string()),
            python: match &error {
                SandboxError::Python { .. } => Err(error.to_string()),
                _ => crate::sandbox::python(python).map_err(|error| error.to_string()),
            },
            cgroups: None,
            languages,
        },
    }
}

/// What compiles the languages that are built in.
fn languages() -> Vec<(String, Result<PathBuf, String>)> {
    let path = std::env::var_os("PATH");
    let found = |(name, language): (&String, &super::Language)| {
        let commands = language.commands(path.as_deref());
        let program = commands.map(|commands| {
            commands.compile.unwrap_or(commands.run).into_iter().next().unwrap_or_default().into()
        });
        (name.clone(), program)
    };
    Languages::default().iter().map(found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_python_has_nothing() {
        for python in ["/nonexistent/python3", ""] {
            let report = sandbox_report(python);
            assert_eq!((report.level, report.cgroups.is_some()), (None, false));
            let problem = report.python.unwrap_err();
            assert!(problem.contains("`python`"), "{problem}");
            assert_eq!(report.why_not_better, Some(problem));
        }
    }

    #[test]
    fn what_is_found_goes_together() {
        let report = sandbox_report("python3");
        let Ok(python) = &report.python else {
            println!("SKIPPED: what_is_found_goes_together: {:?}", report.python);
            return;
        };
        assert!(python.starts_with("3.") && python.contains(" at /"), "{python}");
        assert_eq!(report.why_not_better.is_none(), report.level == Some("namespaces"), "{report:?}");
        assert_eq!(report.cgroups.is_some(), report.level.is_some(), "{report:?}");
        let names: Vec<_> = report.languages.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["cpp", "rust"]);
        for (name, compiler) in &report.languages {
            assert!(compiler.as_ref().is_ok_and(|it| it.is_absolute()) || compiler.is_err(), "{name}");
        }
    }
}
