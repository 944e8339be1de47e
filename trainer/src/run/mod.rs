//! The training run: its folder, its loop, what it writes. Nothing else in the trainer writes a run's files.
//!
//! 1. [`setup`] turns a plan into a [`Session`]: model, data, judges, algorithm, or an error that says what is wrong;
//! 2. [`train`] is the loop over steps, each step the stages of `stages` in order;
//! 3. [`checkpoint`] writes and reads what a run needs to go on exactly;
//! 4. [`journal`], [`metrics`], [`rollout_log`], [`tensorboard`] are the other things it writes, through [`atomic`].

pub mod atomic;
pub mod checkpoint;
pub mod error;
pub mod folder;
pub mod journal;
pub mod judges;
pub mod memory;
pub mod metric_names;
pub mod metrics;
mod pins;
pub mod prompts;
pub mod record;
pub mod rollout_log;
pub mod segment;
pub mod setup;
mod stage;
pub mod stages;
pub mod tensorboard;
pub mod train;

pub use error::RunError;
pub use setup::Session;
