//! Blocks built by hand: right ones, wrong ones, and right ones with wrong claims about them.

#![allow(clippy::unwrap_used)]

mod claims;
mod hostile;
pub(crate) mod lab;
mod nested;
mod quotients;
mod right;
pub(crate) mod text;
mod traps;
mod wrong;
