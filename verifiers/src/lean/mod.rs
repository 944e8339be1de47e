//! `lean`: Lean 4 proofs as reward.

#![allow(dead_code, reason = "the kind that uses the parts is not here yet")]

pub(crate) mod boxed;
pub(crate) mod kimina;
pub(crate) mod repl;
pub(crate) mod screen;
pub(crate) mod server;
pub mod session;
pub(crate) mod tactics;
pub(crate) mod warm;
