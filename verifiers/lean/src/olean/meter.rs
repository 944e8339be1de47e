//! How much of a module has been read, so that small files that unfold to huge ones are refused.

use super::error::{OleanError, Problem};
use super::region::Addr;

/// What may still be read.
pub(crate) struct Meter {
    left: u64,
    limit: u64,
}

impl Meter {
    pub(crate) fn new(limit: u64) -> Self {
        Self { left: limit, limit }
    }

    /// Takes one for an object, and one for each eight of its bytes of text or digits.
    pub(crate) fn charge(&mut self, addr: Addr, bytes: usize) -> Result<(), OleanError> {
        let cost = 1 + bytes as u64 / 8;
        self.left = self
            .left
            .checked_sub(cost)
            .ok_or_else(|| OleanError::at(addr, Problem::Budget { limit: self.limit }))?;
        Ok(())
    }
}
