//! `lean`: Lean 4 proofs as reward.

#![allow(dead_code, reason = "the kind that uses the parts is not here yet")]

pub(crate) mod boxed;
