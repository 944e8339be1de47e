//! Tests of the import, on files that the tests write themselves.
#![allow(clippy::unwrap_used)]

mod container;
mod dequantise;
mod import;
mod robustness;
mod rope;
mod testfile;
mod tokenizers;
