//! What went wrong with what judges, and not with what is judged: nobody's reward, and mostly worth another try.

use crate::budget::Budget;
use crate::verdict::{CauseKind, Verdict};

/// How often a verification is tried while what judges fails.
const MOST_TRIES: u32 = 3;

/// Why there is no verdict.
#[derive(Debug)]
pub(crate) struct Fault {
    kind: CauseKind,
    message: String,
    /// What the second such fault for the same program is, where it is then the program's doing.
    repeated: Option<Box<Verdict>>,
    /// Whether another try would do no better.
    is_lasting: bool,
}

impl Fault {
    pub(crate) fn new(kind: CauseKind, message: String) -> Self {
        Self { kind, message, repeated: None, is_lasting: false }
    }

    /// One that will be there again.
    pub(crate) fn lasting(kind: CauseKind, message: String) -> Self {
        Self { is_lasting: true, ..Self::new(kind, message) }
    }

    /// With the verdict on a program for which it happens twice.
    pub(crate) fn or_if_repeated(self, verdict: Verdict) -> Self {
        Self { repeated: Some(Box::new(verdict)), ..self }
    }

    /// The machine refused something that the sandbox is made of.
    pub(crate) fn io(error: std::io::Error) -> Self {
        Self::new(CauseKind::Unreachable, refused(error))
    }

    /// Whether this is the end of it after so many tries.
    fn is_final(&self, num_tries: u32) -> bool {
        self.is_lasting || num_tries >= if self.repeated.is_some() { 2 } else { MOST_TRIES }
    }

    /// What the last of so many tries comes to.
    fn verdict(self, num_tries: u32) -> Verdict {
        if let (2.., Some(verdict)) = (num_tries, self.repeated) {
            return *verdict;
        }
        let tries = if num_tries == 1 { "1 try".to_owned() } else { format!("{num_tries} tries") };
        Verdict::undecided(self.kind, format!("{} (after {tries})", self.message))
    }
}

/// That the machine refused something that the sandbox is made of.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn refused(error: std::io::Error) -> String {
    format!("the machine refused the sandbox something: {error}")
}

/// Tries a verification until there is a verdict, a fault that lasts, or no more tries or time.
pub(crate) fn tried(budget: &Budget, mut attempt: impl FnMut() -> Result<Verdict, Fault>) -> Verdict {
    let mut num_tries = 0;
    loop {
        num_tries += 1;
        match attempt() {
            Ok(verdict) => return verdict,
            Err(fault) if fault.is_final(num_tries) || budget.expired() => return fault.verdict(num_tries),
            Err(_) => {}
        }
    }
}
