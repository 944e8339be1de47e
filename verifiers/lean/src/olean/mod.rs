//! The format of compiled modules: every pointer, tag, size and count is checked.
//!
//! A compiled module is a picture of Lean's memory: objects that point to each other, made for an address at which Lean
//! would map the file. It is never used as memory here. [`Module::read`] reads the header, and a [`Reader`] makes
//! [`Constant`](crate::constant::Constant)s of what is asked for, within [`Limits`]. Bytes of any content give an
//! [`OleanError`] or constants that still have to be checked, and nothing else.
//!
//! Layers, each of which knows only those before it: `header`, `region` (pointers), `object` (tags and sizes), `name`,
//! `module` (lists), `read` (terms), `constants`.

mod constants;
mod error;
mod header;
mod meter;
mod module;
mod name;
mod object;
mod read;
mod region;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use error::{OleanError, Problem};
pub use header::{Origin, WordSize};
pub use module::{Import, Limits, Module, Position};
pub use name::ModuleName;
pub use read::Reader;

pub(crate) use meter::Meter;
pub(crate) use name::{Component, EMPTY_HASH, MAX_COMPONENTS, extend_hash};
pub(crate) use object::Ctor;
pub(crate) use read::{EXPR_CONST, EXPR_PROJ, expr_parts};
pub(crate) use region::{Addr, Regions, Value};
