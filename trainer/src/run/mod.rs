//! run

pub mod atomic;
pub mod journal;
pub mod metric_names;
pub mod metrics;
pub mod rollout_log;
pub mod segment;
pub mod tensorboard;
