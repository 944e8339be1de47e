//! What went wrong with the sandbox itself: nobody's reward, and worth a second try.

use crate::verdict::{CauseKind, Verdict};

/// Why there is no verdict.
#[derive(Debug)]
pub(super) struct Fault {
    kind: CauseKind,
    message: String,
}

impl Fault {
    pub(super) fn new(kind: CauseKind, message: String) -> Self {
        Self { kind, message }
    }

    /// The machine refused something that the sandbox is made of.
    #[expect(clippy::needless_pass_by_value, reason = "for map_err")]
    pub(super) fn io(error: std::io::Error) -> Self {
        Self::new(CauseKind::Unreachable, format!("the machine refused the sandbox something: {error}"))
    }

    /// What the second try comes to.
    pub(super) fn verdict(self) -> Verdict {
        Verdict::undecided(self.kind, format!("{} (the second time for this program)", self.message))
    }
}
