//! What the user asked for, and what it resolves to. A recipe goes through three stages, each of which can only follow
//! the one before:
//!
//! 1. [`Recipe::load`]: TOML and `--set` become typed sections ([`types`], [`learning`]); an unknown key, a wrong type or a
//!    missing key is an error with file, line and key ([`check`] reads the rules from the JSON [`schema`]);
//! 2. [`Recipe::violations`]: every rule that a type cannot express, all violations at once ([`validate`]);
//! 3. [`Recipe::resolve`]: with the facts of the machine ([`World`]) it becomes a [`Plan`], in which nothing is left to a
//!    default. The plan is saved with the run and decides whether a run may be resumed.
//!
//! What is absent on purpose: nothing here reads data, weights or devices, so a recipe can be checked anywhere.

pub mod check;
pub mod defaults;
pub mod error;
pub mod learning;
pub mod load;
pub mod origins;
pub mod plan;
pub mod resolve;
pub mod schema;
pub mod set;
pub mod types;
pub mod validate;

pub use error::RecipeError;
pub use load::Loaded;
pub use plan::{Dtype, EvalPlan, ModelPlan, Plan, PlanMismatch, PlanParseError, UpdatePlan};
pub use resolve::World;
pub use types::*;

#[cfg(test)]
mod shipped_tests;
