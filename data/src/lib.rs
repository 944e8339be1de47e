//! Problems for a trainer of reasoning models: where they come from and in which order they are taken.
//!
//! 1. [`SourceConfig`] says where problems come from: a JSONL file or folder, the Hugging Face cache, a generator;
//! 2. [`Dataset::load`] reads them into [`Problem`]s; whatever cannot be read is an error that names file and line;
//! 3. [`overlap`] finds evaluation problems that training also holds;
//! 4. [`Order`] says which problem stands at which position of a run.
//!
//! The crate knows nothing of models and verifiers: a reference answer is JSON that is handed on as it is.
//!
//! ```
//! use polestar_data::{Dataset, Order, SourceConfig};
//!
//! # fn main() -> Result<(), polestar_data::DataError> {
//! let config = SourceConfig { n: Some(100), ..SourceConfig::new("builtin:word-problems") };
//! let dataset = Dataset::load(&config, "train")?;
//! let mut order = Order::new(0, dataset.problems.len());
//! let first = &dataset.problems[order.at(0)];
//! assert!(first.response.is_some());
//! # Ok(())
//! # }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod columns;
mod config;
mod dataset;
mod error;
mod files;
pub mod hub;
mod jsonl;
mod order;
mod overlap;
mod problem;
mod seeds;
mod tasks;

pub use config::{Columns, SourceConfig};
pub use dataset::Dataset;
pub use error::{BadLine, DataError};
pub use order::Order;
pub use overlap::{Overlap, OverlapPair, overlap};
pub use problem::{Message, Origin, Problem, ProblemPrompt};
pub use tasks::{Generator, Knob, Options, demonstrations, generate, generators};
