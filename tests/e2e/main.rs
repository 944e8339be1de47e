//! End-to-end tests: each drives the real binary in a temporary folder of its own.

#![allow(clippy::unwrap_used)]

mod bad_data;
mod bad_model;
mod bad_recipe;
mod bad_run;
mod code;
mod disk;
mod eval;
mod generate;
mod golden;
mod kill;
mod lean;
mod pins;
mod plan;
mod repeat;
mod score;
mod stop;
mod verifiers;
