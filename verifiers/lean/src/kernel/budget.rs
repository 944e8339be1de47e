//! How much work the kernel may do: steps, memory, depth of recursion.

use thiserror::Error;

use crate::terms::Terms;

/// Bytes of stack that one level of recursion takes at most, in builds with any optimization: 1,280 were measured.
pub const STACK_BYTES_PER_DEPTH: usize = 2_048;

/// What the kernel may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Steps left: about one for each term that is looked at. Two to ten million take a second.
    pub steps: u64,
    /// How many nodes the arena may hold; see [`Terms::num_nodes`]. A node with all that is remembered of it takes 50 to 100 bytes.
    pub max_nodes: usize,
    /// How deep the kernel may recurse.
    pub max_depth: u32,
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
        self.budget.steps = left;
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
