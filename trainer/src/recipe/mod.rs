//! recipe

mod types;

pub use types::*;
