//! Weighted samples in, new weights out. The update never learns which algorithm made its samples.
//!
//! 1. [`batches`] cuts a step's samples into optimizer steps and those into micro-batches;
//! 2. [`backward`] takes a micro-batch through the layers and back, layer by layer;
//! 3. [`head`] turns hidden states into log-probabilities and their gradients, a few rows at a time, so that nothing of
//!    size tokens × vocabulary is ever kept;
//! 4. [`adamw`] steps f32 masters; the weights that the model computes with follow.

pub mod adamw;
pub mod backward;
pub mod batches;
pub mod head;
pub mod schedule;
pub mod score;
mod updater;

pub use adamw::AdamW;
pub use score::{score, score_while};
pub use updater::{Event, Progress, StepReport, UpdateError, UpdateSettings, Updater};

#[cfg(test)]
mod tests;
