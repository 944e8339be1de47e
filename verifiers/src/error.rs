//! What can be wrong before any response is judged: the kind, the settings, the reference answer.

use thiserror::Error;

/// A verifier that cannot be set up, or a problem that cannot be bound to it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VerifierError {
    /// No verifier has this name.
    #[error("there is no verifier of kind `{kind}`; the kinds are: {known}")]
    UnknownKind {
        /// What was asked for.
        kind: String,
        /// What there is.
        known: String,
    },
    /// The settings are not ones that this kind has.
    #[error("verifier `{kind}`: its settings {found} are not understood: {problem}")]
    Settings {
        /// The verifier.
        kind: &'static str,
        /// What is wrong with them.
        problem: String,
        /// The settings, as JSON, cut if long.
        found: String,
    },
    /// The reference answer cannot be read.
    #[error(
        "verifier `{kind}`: the reference of problem `{id}` cannot be read: {problem}; found {found}; \
         correct it or leave the problem out"
    )]
    Reference {
        /// The verifier.
        kind: &'static str,
        /// The problem's id.
        id: String,
        /// What was expected and what is wrong.
        problem: String,
        /// The reference, as JSON, cut if long.
        found: String,
    },
    /// The verifier cannot start, or nothing answers where it should be.
    #[error("verifier `{kind}` is not ready: {problem}")]
    NotReady {
        /// The verifier.
        kind: &'static str,
        /// What was found and what to install, start or correct.
        problem: String,
    },
}

/// At most `limit` bytes of a text for a message, cut between characters, with a mark where it was cut.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}… ({} bytes)", &text[..end], text.len())
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn shortening_cuts_between_characters() {
        assert_eq!(shorten("short", 10), "short");
        assert_eq!(shorten("aéé", 2), "a… (5 bytes)");
    }
}
