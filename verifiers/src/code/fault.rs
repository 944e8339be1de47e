//! What went wrong with the sandbox itself: nobody's reward, and worth a second try.

use crate::verdict::{CauseKind, Verdict};

/// Why there is no verdict.
#[derive(Debug)]
pub(super) struct Fault {
    kind: CauseKind,
    message: String,
    /// What the second such fault for the same program is, where it is then the program's doing.
    repeated: Option<Box<Verdict>>,
}

impl Fault {
    pub(super) fn new(kind: CauseKind, message: String) -> Self {
        Self { kind, message, repeated: None }
    }

    /// With the verdict on a program for which it happens twice.
    pub(super) fn or_if_repeated(self, verdict: Verdict) -> Self {
        Self { repeated: Some(Box::new(verdict)), ..self }
    }

    /// The machine refused something that the sandbox is made of.
    #[expect(clippy::needless_pass_by_value, reason = "for map_err")]
    pub(super) fn io(error: std::io::Error) -> Self {
        Self::new(CauseKind::Unreachable, format!("the machine refused the sandbox something: {error}"))
    }

    /// What the second try comes to; `is_retry` where it was one.
    pub(super) fn verdict(self, is_retry: bool) -> Verdict {
        if let (true, Some(verdict)) = (is_retry, self.repeated) {
            return *verdict;
        }
        Verdict::undecided(self.kind, format!("{} (the second time for this program)", self.message))
    }
}
