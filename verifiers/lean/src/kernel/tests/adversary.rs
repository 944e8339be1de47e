//! Attacks on the kernel that are not about one rule: constants with the names that it knows by heart, and work that
//! its budget has to see.

#![allow(clippy::unwrap_used)]

use num_bigint::BigUint;

use super::{BUDGET, Imported, Nothing, add, refusal, text};
use crate::kernel::{Budget, Checker, Environment};
use crate::terms::{ExprId, NameId, Terms};

/// Functions on numbers that the kernel computes.
const COMPUTING: &[&str] =
    &["axiom Nat.log2 : Nat -> Nat", "axiom Nat.shiftLeft : Nat -> Nat -> Nat", "axiom f : Nat -> Nat"];

/// How many steps the weak head normal form takes.
fn steps(build: impl FnOnce(&mut Terms) -> ExprId) -> u64 {
    let imported = Imported::with(COMPUTING);
    let mut env = Environment::new(Terms::new(), &imported, BUDGET);
    let e = build(&mut env.terms);
    Checker::new(&mut env, NameId::ANONYMOUS, Vec::new()).whnf(e).unwrap();
    BUDGET.steps - env.budget().steps
}

/// A `Nat.succ` of one's own may give another type at each universe: that its arguments are equal says nothing.
#[test]
fn a_successor_of_ones_own_is_no_successor() {
    let mut env = Environment::new(Terms::new(), &Nothing, BUDGET);
    for right in
        ["axiom A : Type", "axiom a : A", "def Nat.succ.{u} : A -> Sort.{u+1} := fun (x : A) => Sort.{u}"]
    {
        add(&mut env, right).unwrap();
    }
    // Data as a proposition: with it all numbers are equal.
    refusal(&mut env, "def lower : Nat.succ.{1} a -> Nat.succ.{0} a := fun (X : Nat.succ.{1} a) => X");
    refusal(&mut env, "def raise : Nat.succ.{0} a -> Nat.succ.{1} a := fun (X : Nat.succ.{0} a) => X");
    add(&mut env, "def same : Nat.succ.{1} a -> Type := fun (X : Nat.succ.{1} a) => X").unwrap();
}

/// Constants that are called as those of numbers, and are equal for other reasons.
#[test]
fn numbers_of_ones_own_are_compared_as_anything_else() {
    let mut env = Environment::new(Terms::new(), &Nothing, BUDGET);
    for right in [
        "axiom Nat : Type",
        "axiom P : Nat -> Prop",
        "axiom x : Nat",
        "axiom y : Nat",
        "def Nat.zero.{u} : Nat := x",
        "def Nat.succ : Nat -> Nat := fun (n : Nat) => x",
        "theorem zero : P Nat.zero.{0} -> P Nat.zero.{1} := fun (h : P Nat.zero.{0}) => h",
        "theorem succ : P (Nat.succ x) -> P (Nat.succ y) := fun (h : P (Nat.succ x)) => h",
    ] {
        add(&mut env, right).unwrap_or_else(|error| panic!("{error}\n{right}"));
    }
    assert!(refusal(&mut env, "def n : Nat := 3").contains("not the type of natural numbers"));
}

#[test]
fn looking_at_a_huge_number_costs_steps() {
    let literal = |terms: &mut Terms| {
        let log2 = text::term(terms, "Nat.log2");
        let huge = terms.nat(BigUint::from(1u32) << (1u32 << 24));
        terms.app(log2, huge)
    };
    assert!(steps(literal) > (1 << 24) / 1024);
    assert!(steps(|terms| text::term(terms, "Nat.shiftLeft 1 16777216")) > (1 << 24) / 1024);
    assert!(steps(|terms| text::term(terms, "Nat.shiftLeft 1 64")) < 100);
}

/// Numbers that Lean's own kernel does not compute either are not tried.
#[test]
fn exponents_that_are_too_big_stay_as_they_are() {
    let imported = Imported::with(COMPUTING);
    let mut env = Environment::new(Terms::new(), &imported, Budget { steps: 10_000, ..BUDGET });
    let e = text::term(&mut env.terms, "Nat.shiftLeft 1 1000000000000");
    assert_eq!(Checker::new(&mut env, NameId::ANONYMOUS, Vec::new()).whnf(e), Ok(e));
}
