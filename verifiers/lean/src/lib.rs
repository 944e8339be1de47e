//! What a compiled Lean 4 proof is worth, found out without Lean.
//!
//! A compiled module comes from whoever wrote the proof: it may be forged, and the kernel may have been skipped. So the
//! file is read as untrusted bytes, what the theorem reaches is type-checked again by the kernel in this crate, and the
//! statement and the axioms are compared with what was asked for.

pub mod claims;
pub mod constant;
pub mod judgement;
pub mod kernel;
pub mod library;
pub mod olean;
pub mod replay;
mod statement;
pub mod terms;
