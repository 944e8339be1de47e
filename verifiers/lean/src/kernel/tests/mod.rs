//! The kernel on a small prelude of its own, right and wrong declarations.

#![allow(clippy::unwrap_used)]

mod adversary;
mod depth;
mod equality;
mod levels;
mod mutations;
mod prelude;
mod programs;
mod reach;
mod stuck;
mod substitution;
mod text;
mod traps;
mod wrong;

use super::{Budget, Environment, KernelError, ReadError, Trusted};
use crate::constant::Constant;
use crate::terms::{ExprId, NameId, Terms};
use prelude::{PRELUDE, THEOREMS};

const BUDGET: Budget = Budget::new(3_000_000, 3_000_000, 1_000);

/// No imported modules.
struct Nothing;

impl Trusted for Nothing {
    fn constant(&self, _: &mut Terms, _: NameId) -> Result<Option<Constant>, ReadError> {
        Ok(None)
    }
}

/// Declarations as an imported module.
struct Imported(Vec<String>);

impl Imported {
    fn of(texts: &[&str]) -> Self {
        Self(texts.iter().map(|&text| text.to_owned()).collect())
    }

    /// The prelude, and more.
    fn with(more: &[&str]) -> Self {
        Self::of(&[PRELUDE, more].concat())
    }
}

impl Trusted for Imported {
    fn constant(&self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, ReadError> {
        let constants = self.0.iter().map(|text| text::declaration(terms, text));
        Ok(constants.into_iter().find(|constant| constant.name == name))
    }
}

/// An environment with the inductive types of the prelude, unchecked, and its theorems, checked.
fn environment() -> Environment<'static> {
    let mut env = Environment::new(Terms::new(), &Nothing, BUDGET);
    for text in PRELUDE {
        let constant = text::declaration(&mut env.terms, text);
        env.add_unchecked(constant);
    }
    for text in THEOREMS {
        add(&mut env, text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
    env
}

/// The same with more constants, unchecked.
fn environment_with(constants: &[&str]) -> Environment<'static> {
    let mut env = environment();
    for text in constants {
        let constant = text::declaration(&mut env.terms, text);
        env.add_unchecked(constant);
    }
    env
}

fn add(env: &mut Environment<'_>, text: &str) -> Result<(), KernelError> {
    let constant = text::declaration(&mut env.terms, text);
    env.add(constant)
}

/// Why a declaration is refused; panics where it is not.
fn refusal(env: &mut Environment<'_>, text: &str) -> String {
    match add(env, text) {
        Err(KernelError::Refused { problem, .. }) => problem,
        other => panic!("{other:?}, not a refusal of {text}"),
    }
}

/// Whether the kernel takes two closed terms for equal.
fn are_equal(env: &mut Environment<'_>, a: &str, b: &str) -> bool {
    let (a, b) = (text::term(&mut env.terms, a), text::term(&mut env.terms, b));
    equal(env, a, b).unwrap()
}

fn equal(env: &mut Environment<'_>, a: ExprId, b: ExprId) -> Result<bool, KernelError> {
    let params = ["u", "v"].map(|param| text::name(&mut env.terms, param));
    let mut checker = super::Checker::new(env, NameId::ANONYMOUS, params.to_vec());
    checker.infer(a)?;
    checker.infer(b)?;
    checker.is_def_eq(a, b)
}
