//! What went wrong, in the one shape in which every command says it: what, what was expected, what was found, where,
//! and what to do next. It is plain data and stands below everything, so that any module's error can be turned into
//! it; [`crate::cli::report`] prints it.

use std::fmt;
use std::path::PathBuf;

/// Something wrong, said so that the reader can act on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// What is wrong, in one sentence without a full stop.
    pub what: String,
    /// What was expected.
    pub expected: Option<String>,
    /// What was found.
    pub found: Option<String>,
    /// Where: the place to change first, then others that take part.
    pub places: Vec<Place>,
    /// What to do next.
    pub next: Option<String>,
    /// Whose fault it is; decides the exit code.
    pub blame: Blame,
}

/// Whether the call was wrong or the work failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The call or a configuration is wrong: exit code 2.
    Call,
    /// The work failed: exit code 1.
    Work,
}

/// Where something wrong was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: Option<usize>,
        /// The dotted configuration key, if it is one.
        key: Option<String>,
    },
    /// In a `--set` on the command line.
    Set {
        /// The setting as typed, `key=value`.
        setting: String,
    },
    /// A key that nobody wrote, so that its default holds.
    LeftOut {
        /// The file that could have it.
        path: PathBuf,
        /// The line of its table, if that is written.
        line: Option<usize>,
        /// The dotted key.
        key: String,
    },
    /// A configuration key of which only the name is known.
    Key(String),
}

impl Complaint {
    /// A complaint about a call or a configuration.
    #[must_use]
    pub fn call(what: impl Into<String>) -> Self {
        Self::new(what.into(), Blame::Call)
    }

    /// A complaint about work that failed.
    #[must_use]
    pub fn work(what: impl Into<String>) -> Self {
        Self::new(what.into(), Blame::Work)
    }

    /// A complaint about failed work from any error: its message and those of its causes.
    #[must_use]
    pub fn from_error(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        let complaint = Self::work(error.to_string());
        if causes.is_empty() { complaint } else { complaint.found(causes.join(": ")) }
    }

    fn new(what: String, blame: Blame) -> Self {
        Self { what, expected: None, found: None, places: Vec::new(), next: None, blame }
    }

    /// Says what was expected.
    #[must_use]
    pub fn expected(self, expected: impl Into<String>) -> Self {
        Self { expected: Some(expected.into()), ..self }
    }

    /// Says what was found.
    #[must_use]
    pub fn found(self, found: impl Into<String>) -> Self {
        Self { found: Some(found.into()), ..self }
    }

    /// Adds a place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.places.push(place);
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file_line = |f: &mut fmt::Formatter<'_>, path: &PathBuf, line: &Option<usize>| match line {
            Some(line) => write!(f, "{}:{line}", path.display()),
            None => write!(f, "{}", path.display()),
        };
        match self {
            Self::File { path, line, key } => {
                file_line(f, path, line)?;
                key.as_ref().map_or(Ok(()), |key| write!(f, ", {key}"))
            }
            Self::Set { setting } => write!(f, "--set {setting}"),
            Self::LeftOut { path, line, key } => {
                file_line(f, path, line)?;
                write!(f, ", {key} (left out)")
            }
            Self::Key(key) => write!(f, "{key}"),
        }
    }
}

/// The fixed shape: `error: what`, then `expected`, `found`, `where` (one line a place) and `next`, each on its own
/// line, indented by two, further lines of a text by four; lines with nothing to say are left out.
impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indented = |text: &str| text.trim_end().replace('\n', "\n    ");
        write!(f, "error: {}", indented(&self.what))?;
        let mut part = |name: &str, text: &str| write!(f, "\n  {name}: {}", indented(text));
        if let Some(expected) = &self.expected {
            part("expected", expected)?;
        }
        if let Some(found) = &self.found {
            part("found", found)?;
        }
        for place in &self.places {
            part("where", &place.to_string())?;
        }
        self.next.as_ref().map_or(Ok(()), |next| part("next", next))
    }
}

/// An error that can be said as complaints.
pub trait Complain {
    /// The complaints, at least one.
    fn complaints(&self) -> Vec<Complaint>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_has_a_fixed_shape() {
        let complaint = Complaint::call("unknown key `rollout.temprature`")
            .expected("a key of [rollout]")
            .found("`temprature`")
            .at(Place::File { path: "r.toml".into(), line: Some(7), key: Some("rollout.temprature".into()) })
            .at(Place::Set { setting: "rollout.n=1".into() })
            .at(Place::LeftOut { path: "r.toml".into(), line: None, key: "rollout.n".into() })
            .next("write `rollout.temperature`\nor remove it");
        assert_eq!(
            complaint.to_string(),
            "error: unknown key `rollout.temprature`\n  expected: a key of [rollout]\n  found: `temprature`\n  \
             where: r.toml:7, rollout.temprature\n  where: --set rollout.n=1\n  where: r.toml, rollout.n (left out)\n  \
             next: write `rollout.temperature`\n    or remove it"
        );
    }

    #[test]
    fn an_error_becomes_its_message_and_its_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot write the checkpoint")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("disk full"));
        assert_eq!(
            Complaint::from_error(&error).to_string(),
            "error: cannot write the checkpoint\n  found: disk full"
        );
    }
}
