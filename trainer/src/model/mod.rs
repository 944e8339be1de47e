//! One definition of the decoder, for sampling and for training.

pub mod config;
pub mod rope;
