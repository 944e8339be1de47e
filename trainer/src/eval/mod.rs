//! eval

pub mod stats;
