//! What a back end says of a proof: the messages of Lean, or why there are none.
//!
//! A screen is not believed where it finds nothing wrong: what it runs shares a process with the proof. It only spares
//! the compiling of what is wrong anyway.

use std::time::{Duration, Instant};

use crate::budget::Budget;
use crate::verdict::{CauseKind, Kind};

/// A back end: elaborates proofs and says what is wrong with them.
pub(crate) trait Screen: Send + Sync {
    /// Elaborates `body` after `header`, which both come as text of a Lean file: the header is the verifier's own, with
    /// all imports, and must be without errors.
    ///
    /// # Errors
    /// There are no messages: see [`Fault`].
    fn screen(&self, header: &str, body: &str, budget: &Budget) -> Result<Screened, Fault>;

    /// Whether it can be started or reached, and answers as it should. May take as long as an import of Lean's own
    /// library.
    ///
    /// # Errors
    /// Says what was found and what to install, start or correct.
    fn ready(&self) -> Result<(), String>;
}

/// What Lean said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Screened {
    /// About the body, in Lean's order.
    pub(crate) messages: Vec<Message>,
    /// How many times `sorry` was found, by messages and by what the back end reports besides. Not all that is missing in
    /// a proof is reported so.
    pub(crate) num_sorries: usize,
    /// Whether nothing of another proof was in the process before. One that was can have left something behind, which
    /// can make a right proof fail.
    pub(crate) is_fresh: bool,
}

impl Screened {
    /// Messages with their sorries counted, and those that are reported besides.
    pub(crate) fn new(messages: Vec<Message>, num_reported: usize) -> Self {
        let num_told = messages.iter().filter(|message| message.tells_of_sorry()).count();
        Self { messages, num_sorries: num_told.max(num_reported), is_fresh: false }
    }

    /// The first error.
    pub(crate) fn error(&self) -> Option<&Message> {
        first_error(&self.messages)
    }
}

/// The first message that is an error.
pub(super) fn first_error(messages: &[Message]) -> Option<&Message> {
    messages.iter().find(|message| message.severity == Severity::Error)
}

/// How bad a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Info,
    Warning,
    Error,
}

/// One message of Lean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) severity: Severity,
    /// Of the body, which begins with line 1.
    pub(crate) line: u32,
    /// In code points, from 0.
    pub(crate) column: u32,
    pub(crate) text: String,
}

impl Message {
    /// Whether it warns of a `sorry`, in the words of Lean before and since 4.28.
    pub(crate) fn tells_of_sorry(&self) -> bool {
        ["declaration uses 'sorry'", "declaration uses `sorry`"].iter().any(|words| self.text.contains(words))
    }
}

impl std::fmt::Display for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = crate::error::shorten(self.text.trim(), 300);
        write!(f, "line {}, column {}: {text}", self.line, self.column)
    }
}

/// Why there are no messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The proof is to blame: it took too long or too much memory, or killed the process or made it speak rubbish, which
    /// had not run any other proof.
    Judged {
        /// Timeout, memory, crash or refused.
        kind: Kind,
        /// For people.
        reason: String,
    },
    /// The back end is to blame, or nobody can say.
    Undecided {
        /// Why, for machines.
        kind: CauseKind,
        /// For people.
        message: String,
        /// Whether another try may do better.
        may_retry: bool,
    },
}

impl Fault {
    pub(crate) fn judged(kind: Kind, reason: impl Into<String>) -> Self {
        Self::Judged { kind, reason: reason.into() }
    }

    /// A fault of the back end that may pass.
    pub(crate) fn passing(kind: CauseKind, message: impl Into<String>) -> Self {
        Self::Undecided { kind, message: message.into(), may_retry: true }
    }

    /// A fault of the back end that will be there again.
    pub(crate) fn lasting(kind: CauseKind, message: impl Into<String>) -> Self {
        Self::Undecided { kind, message: message.into(), may_retry: false }
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// Until a process has started and elaborated its header. Not counted as time of a proof.
    pub(crate) start: Duration,
    /// A proof, or a tactic.
    pub(crate) proof: Duration,
}

/// So much time from now, but no longer than the budget lasts.
pub(crate) fn until(budget: &Budget, time: Duration) -> Instant {
    let now = Instant::now();
    // What the clock cannot say is as far off as matters.
    let end = now.checked_add(time).unwrap_or(now + Duration::from_secs(86_400));
    budget.deadline().map_or(end, |deadline| deadline.min(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorry_is_told_of_in_old_words_and_in_new() {
        let message =
            |text: &str| Message { severity: Severity::Warning, line: 1, column: 0, text: text.to_owned() };
        let old = message("declaration uses 'sorry'");
        let new = message("declaration uses `sorry`");
        let other = message("unused variable `sorry'`");
        for (messages, num_reported, expected) in [
            (vec![], 0, 0),
            (vec![], 2, 2),
            (vec![old.clone(), new.clone(), other.clone()], 1, 2),
            (vec![other], 0, 0),
        ] {
            assert_eq!(Screened::new(messages, num_reported).num_sorries, expected);
        }
    }
}
