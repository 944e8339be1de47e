//! How much work the kernel may do: steps, memory, depth of recursion, and until when.

use std::time::Instant;

use thiserror::Error;

use crate::terms::Terms;

/// Bytes of stack that one level of recursion takes at most, in builds with any optimization: 1,280 were measured.
pub const STACK_BYTES_PER_DEPTH: usize = 2_048;

/// Between two looks at the clock there are two to the power of this many steps, some hundredths of a second.
const STEPS_BETWEEN_LOOKS_LOG2: u32 = 16;

/// What the kernel may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Steps left: about one for each term that is looked at. Two to ten million take a second.
    pub steps: u64,
    /// How many nodes the arena may hold; see [`Terms::num_nodes`]. A node with all that is remembered of it takes 50 to 100 bytes.
    pub max_nodes: usize,
    /// How deep the kernel may recurse.
    pub max_depth: u32,
    /// When it gives up, if it has to. All else of a budget ends at the same place on every machine; this does not, so
    /// that a check that it ends says nothing about what was checked.
    pub deadline: Option<Instant>,
}

impl Budget {
    /// One without a deadline.
    pub const fn new(steps: u64, max_nodes: usize, max_depth: u32) -> Self {
        Self { steps, max_nodes, max_depth, deadline: None }
    }
}

/// What ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Exhausted {
    /// All steps were used.
    #[error("the check took more steps than its budget allows")]
    Steps,
    /// The arena is full.
    #[error("the check needed more memory than its budget allows")]
    Memory,
    /// Terms are nested, or reductions depend on each other, too deeply.
    #[error("the check went deeper than its budget allows")]
    Depth,
    /// The deadline has passed.
    #[error("the check was not done at its deadline")]
    Time,
}

/// Counts what is used of a budget.
pub(crate) struct Meter {
    pub(crate) budget: Budget,
    depth: u32,
}

impl Meter {
    pub(crate) fn new(budget: Budget) -> Self {
        // Ids have 32 bits.
        let max_nodes = budget.max_nodes.min(u32::MAX as usize / 2);
        Self { budget: Budget { max_nodes, ..budget }, depth: 0 }
    }

    /// Takes one step.
    #[inline]
    pub(crate) fn tick(&mut self, terms: &Terms) -> Result<(), Exhausted> {
        self.spend(1, terms)
    }

    /// Takes several steps.
    #[inline]
    pub(crate) fn spend(&mut self, steps: u64, terms: &Terms) -> Result<(), Exhausted> {
        let Some(left) = self.budget.steps.checked_sub(steps) else {
            self.budget.steps = 0;
            return Err(Exhausted::Steps);
        };
        let is_time_to_look = (self.budget.steps ^ left) >> STEPS_BETWEEN_LOOKS_LOG2 != 0;
        self.budget.steps = left;
        if is_time_to_look && self.budget.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Exhausted::Time);
        }
        if terms.num_nodes() > self.budget.max_nodes { Err(Exhausted::Memory) } else { Ok(()) }
    }

    /// Goes one level deeper. Every success is followed by one [`Meter::leave`].
    #[inline]
    pub(crate) fn enter(&mut self) -> Result<(), Exhausted> {
        if self.depth >= self.budget.max_depth {
            return Err(Exhausted::Depth);
        }
        self.depth += 1;
        Ok(())
    }

    /// Comes back from one level.
    #[inline]
    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_seen_soon() {
        const SOON: u64 = 1 << STEPS_BETWEEN_LOOKS_LOG2;
        let terms = Terms::new();
        let passed = Budget { deadline: Some(Instant::now()), ..Budget::new(10 * SOON, 1_000, 1) };
        let mut meter = Meter::new(passed);
        assert_eq!((0..=SOON).find_map(|_| meter.tick(&terms).err()), Some(Exhausted::Time));
        assert_eq!(Meter::new(passed).spend(3 * SOON, &terms), Err(Exhausted::Time));
        assert_eq!(Meter::new(passed).spend(11 * SOON, &terms), Err(Exhausted::Steps));
        let mut free = Meter::new(Budget { deadline: None, ..passed });
        assert_eq!((0..10 * SOON).find_map(|_| free.tick(&terms).err()), None);
        assert_eq!(free.tick(&terms), Err(Exhausted::Steps));
    }
}
