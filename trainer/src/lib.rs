//! Polestar trains language models to reason by reinforcement from verifiable rewards.
//!
//! The rooms, in the order in which data passes through them:
//!
//! 1. [`recipe`]: what the user asked for (typed TOML) and what it resolves to;
//! 2. [`text`]: tokenizers, chat templates, stop ids;
//! 3. [`model`]: one definition of the decoder for sampling and for training;
//! 4. [`rollout`]: the types that the stages hand to each other;
//! 5. [`engine`]: prompts in, rollouts out (KV cache, continuous batching, draws by coordinates);
//! 6. [`algorithms`]: scored rollouts in, weighted samples out (credit assignment, no tensors);
//! 7. [`objectives`]: the formulas, each a pure function over `f64`;
//! 8. [`update`]: weighted samples in, new weights out;
//! 9. [`run`]: the run folder, the training loop, checkpoints, resume: the only writer of files;
//! 10. [`eval`], [`mod@bench`], [`doctor`], [`gguf`]: what stands beside the loop;
//! 11. [`cli`]: the command line over all of it.
//!
//! Below them stand [`seeds`] (random numbers by coordinates) and [`complaint`] (what went wrong, in one shape).

#![cfg_attr(test, allow(clippy::unwrap_used))]
#![allow(non_snake_case, reason = "tensors carry shape suffixes, as in `logits_BTV`")]

pub mod algorithms;
pub mod bench;
pub mod cli;
pub mod complaint;
pub mod doctor;
pub mod engine;
pub mod eval;
pub mod gguf;
pub mod model;
pub mod objectives;
pub mod recipe;
pub mod rollout;
pub mod run;
pub mod seeds;
pub mod text;
pub mod update;
