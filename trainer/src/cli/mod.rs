//! cli

pub mod progress;
pub mod rollouts_view;
