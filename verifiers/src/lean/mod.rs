//! `lean`: Lean 4 proofs as reward.

#![allow(dead_code, reason = "the kind that uses the parts is not here yet")]

pub(crate) mod boxed;
mod compile;
mod header;
mod messages;
mod reference;
mod settings;
mod source;
mod toolchain;
