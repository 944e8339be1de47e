//! The type checker: whether what a constant claims is right, by the rules of Lean 4.
//!
//! A declaration is checked by a checker of its own, in an [`Environment`] that holds what was checked before and
//! looks up everything else among the [`Trusted`] constants of the imported modules. Nothing is believed of the
//! constant that is being checked. Work is bounded by a [`Budget`]: whoever runs out of it is neither right nor wrong.
//!
//! # Stack
//!
//! Reduction and comparison recurse. Every level of recursion is counted, and more than [`Budget::max_depth`] of them
//! are refused as [`Exhausted::Depth`]. One level takes at most [`STACK_BYTES_PER_DEPTH`] bytes of stack: run the
//! kernel on a thread that has `max_depth` times that.

mod budget;
mod caches;
mod checker;
mod declare;
mod defeq;
mod environment;
pub mod inductive;
mod infer;
mod known;
mod levels;
mod literals;
mod nat;
mod recursor;
mod subst;
#[cfg(test)]
mod tests;
mod whnf;

use thiserror::Error;

use crate::constant::Constant;
use crate::terms::{NameId, Terms};

pub use budget::{Budget, Exhausted, STACK_BYTES_PER_DEPTH};
pub use environment::Environment;

pub(crate) use checker::Checker;
pub(crate) use subst::instantiate_level_params;

/// Where the constants of the imported modules come from. What it gives is believed.
pub trait Trusted {
    /// The constant of a name in the imported modules, its terms built in `terms`; `None` if there is none of that
    /// name.
    ///
    /// # Errors
    /// If a module that may have it cannot be read.
    fn constant(&self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, ReadError>;
}

/// A trusted module could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ReadError {
    /// Which file, what was expected there and what was found.
    pub message: String,
}

/// Why a constant was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KernelError {
    /// The constant is wrong.
    #[error("{constant}: {problem}")]
    Refused {
        /// The constant's name.
        constant: String,
        /// What was expected and what was found.
        problem: String,
    },
    /// The budget ended first: the constant may be right or wrong.
    #[error("{constant}: {what}")]
    Exhausted {
        /// What ran out.
        what: Exhausted,
        /// The constant's name.
        constant: String,
    },
    /// A module that the constant depends on could not be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
}
