//! What is definitionally equal, and what is not.

use super::{BUDGET, Imported, PRELUDE, add, are_equal, environment};
use crate::kernel::{Environment, Exhausted, KernelError};
use crate::terms::Terms;

#[test]
fn numbers_compute() {
    let mut env = environment();
    assert!(are_equal(&mut env, "Nat.add 2 3", "5"));
    assert!(are_equal(&mut env, "Nat.mul 6 7", "42"));
    assert!(are_equal(&mut env, "Nat.succ 4", "5"));
    assert!(are_equal(&mut env, "Nat.succ (Nat.succ Nat.zero)", "2"));
    assert!(are_equal(&mut env, "Nat.zero", "0"));
    assert!(!are_equal(&mut env, "Nat.add 2 3", "6"));
    assert!(!are_equal(&mut env, "fun (n : Nat) => Nat.succ n", "fun (n : Nat) => n"));
    assert!(are_equal(&mut env, "fun (n : Nat) => Nat.add n 2", "fun (n : Nat) => Nat.succ (Nat.succ n)"));
    assert!(!are_equal(&mut env, "fun (n : Nat) => Nat.add 0 n", "fun (n : Nat) => n"));
}

#[test]
fn functions_of_the_library_are_computed_on_huge_literals() {
    const LIBRARY: &[&str] = &[
        "inductive Nat : Type | 0 0 1 | Nat.zero Nat.succ",
        "constructor Nat.zero : Nat | Nat 0 0 0",
        "constructor Nat.succ : Nat -> Nat | Nat 1 0 1",
        "axiom Nat.add : Nat -> Nat -> Nat",
        "axiom Nat.sub : Nat -> Nat -> Nat",
        "axiom Nat.mod : Nat -> Nat -> Nat",
        "axiom Nat.div : Nat -> Nat -> Nat",
        "axiom Nat.gcd : Nat -> Nat -> Nat",
        "axiom Nat.pow : Nat -> Nat -> Nat",
        "axiom Nat.log2 : Nat -> Nat",
        "axiom Nat.shiftLeft : Nat -> Nat -> Nat",
        "axiom Nat.shiftRight : Nat -> Nat -> Nat",
        "axiom Nat.xor : Nat -> Nat -> Nat",
    ];
    let imported = Imported::of(LIBRARY);
    let mut env = Environment::new(Terms::new(), &imported, BUDGET);
    for (sum, value) in [
        ("Nat.add 123456789012345678901234567890 1", "123456789012345678901234567891"),
        ("Nat.sub 3 5", "0"),
        ("Nat.mod 17 0", "17"),
        ("Nat.div 17 0", "0"),
        ("Nat.mod 17 5", "2"),
        ("Nat.gcd 12 18", "6"),
        ("Nat.gcd 0 18", "18"),
        ("Nat.pow 2 100", "1267650600228229401496703205376"),
        ("Nat.pow 0 0", "1"),
        ("Nat.log2 0", "0"),
        ("Nat.log2 1024", "10"),
        ("Nat.shiftLeft 3 4", "48"),
        ("Nat.shiftRight 48 4", "3"),
        ("Nat.xor 5 3", "6"),
    ] {
        assert!(are_equal(&mut env, sum, value), "{sum}");
        assert!(!are_equal(&mut env, sum, "1000"), "{sum}");
    }
    let huge = "theorem t : Nat.pow (Nat.pow 2 16777216) 16777216 := Nat.zero";
    let constant = super::text::declaration(&mut env.terms, huge);
    let reduced = super::super::Checker::new(&mut env, constant.name, Vec::new()).whnf(constant.ty);
    assert!(matches!(reduced, Err(KernelError::Exhausted { what: Exhausted::Memory, .. })), "{reduced:?}");
}

#[test]
fn functions_of_ones_own_are_unfolded() {
    let mut env = Environment::new(Terms::new(), &super::Nothing, BUDGET);
    for text in PRELUDE {
        let constant = super::text::declaration(&mut env.terms, text);
        env.add_unchecked(constant);
    }
    add(&mut env, "def Nat.add : Nat -> Nat -> Nat := fun (a : Nat) (b : Nat) => 7").unwrap();
    assert!(are_equal(&mut env, "Nat.add 2 3", "7"));
    assert!(!are_equal(&mut env, "Nat.add 2 3", "5"));
}

#[test]
fn eta_holds_for_functions_and_structures() {
    let mut env = environment();
    assert!(are_equal(&mut env, "Nat.succ", "fun (n : Nat) => Nat.succ n"));
    assert!(are_equal(
        &mut env,
        "fun (p : Prod.{0} Nat Nat) => p",
        "fun (p : Prod.{0} Nat Nat) => Prod.mk.{0} Nat Nat (#Prod 0 p) (#Prod 1 p)"
    ));
    assert!(!are_equal(
        &mut env,
        "fun (p : Prod.{0} Nat Nat) => p",
        "fun (p : Prod.{0} Nat Nat) => Prod.mk.{0} Nat Nat (#Prod 1 p) (#Prod 0 p)"
    ));
    // The recursor of a structure computes on a value that no constructor made.
    assert!(are_equal(
        &mut env,
        "fun (p : Prod.{0} Nat Nat) => Prod.rec.{1, 0} Nat Nat (fun (p : Prod.{0} Nat Nat) => Nat)
            (fun (a : Nat) (b : Nat) => b) p",
        "fun (p : Prod.{0} Nat Nat) => #Prod 1 p"
    ));
}

#[test]
fn values_of_types_with_one_value_are_equal() {
    let mut env = environment();
    assert!(are_equal(&mut env, "fun (a : Unit) (b : Unit) => a", "fun (a : Unit) (b : Unit) => b"));
    assert!(!are_equal(&mut env, "fun (a : Bool) (b : Bool) => a", "fun (a : Bool) (b : Bool) => b"));
    assert!(!are_equal(&mut env, "fun (a : Char) (b : Char) => a", "fun (a : Char) (b : Char) => b"));
}

#[test]
fn proofs_of_the_same_are_equal() {
    let mut env = environment();
    assert!(are_equal(
        &mut env,
        "fun (p : Prop) (a : p) (b : p) => a",
        "fun (p : Prop) (a : p) (b : p) => b"
    ));
    assert!(!are_equal(
        &mut env,
        "fun (p : Type) (a : p) (b : p) => a",
        "fun (p : Type) (a : p) (b : p) => b"
    ));
}

#[test]
fn a_k_recursor_computes_only_where_the_types_agree() {
    let mut env = environment();
    let cast = |a: &str, b: &str| {
        format!(
            "fun (x : Nat) (y : Nat) (h : Eq.{{1}} Nat {a} {b}) =>
            Eq.rec.{{1, 1}} Nat {a} (fun (b : Nat) (h : Eq.{{1}} Nat {a} b) => Nat) 3 {b} h"
        )
    };
    let three = |a: &str, b: &str| format!("fun (x : Nat) (y : Nat) (h : Eq.{{1}} Nat {a} {b}) => 3");
    assert!(are_equal(&mut env, &cast("x", "x"), &three("x", "x")));
    assert!(!are_equal(&mut env, &cast("x", "y"), &three("x", "y")));
}

#[test]
fn a_k_recursor_does_not_mistake_one_variable_for_another() {
    let mut env = environment();
    let value = |body: &str| {
        format!(
            "fun (y : Nat) (h : Eq.{{1}} (Nat -> Nat) (fun (x : Nat) => x) (fun (x : Nat) => y)) => {body}"
        )
    };
    let cast = "Eq.rec.{1, 1} (Nat -> Nat) (fun (x : Nat) => x)
        (fun (f : Nat -> Nat) (h : Eq.{1} (Nat -> Nat) (fun (x : Nat) => x) f) => Nat) 0 (fun (x : Nat) => y) h";
    assert!(are_equal(&mut env, &value(cast), &value(cast)));
    assert!(!are_equal(&mut env, &value(cast), &value("0")));
}

#[test]
fn quotients_compute() {
    let mut env = environment();
    let lift = "fun (r : Nat -> Nat -> Prop) (f : Nat -> Bool)
        (h : (a : Nat) -> (b : Nat) -> r a b -> Eq.{1} Bool (f a) (f b)) =>
        Quot.lift.{1, 1} Nat r Bool f h (Quot.mk.{1} Nat r 3)";
    let value = |body: &str| {
        format!(
            "fun (r : Nat -> Nat -> Prop) (f : Nat -> Bool)
            (h : (a : Nat) -> (b : Nat) -> r a b -> Eq.{{1}} Bool (f a) (f b)) => {body}"
        )
    };
    assert!(are_equal(&mut env, lift, &value("f 3")));
    assert!(!are_equal(&mut env, lift, &value("f 4")));
}

#[test]
fn strings_are_lists_of_characters() {
    let mut env = environment();
    let nil = "(List.nil.{0} Char)";
    let ab = format!(
        "String.mk (List.cons.{{0}} Char (Char.ofNat 97) (List.cons.{{0}} Char (Char.ofNat 98) {nil}))"
    );
    assert!(are_equal(&mut env, "\"ab\"", &ab));
    assert!(are_equal(&mut env, "\"\"", &format!("String.mk {nil}")));
    assert!(!are_equal(&mut env, "\"ab\"", &format!("String.mk {nil}")));
    assert!(!are_equal(&mut env, "\"ab\"", "\"ba\""));
    assert!(are_equal(&mut env, "#String 0 \"\"", nil));
}

#[test]
fn levels_are_compared_in_constants() {
    let mut env = environment();
    assert!(are_equal(&mut env, "id.{max u v}", "id.{max v u}"));
    assert!(!are_equal(&mut env, "List.nil.{u}", "List.nil.{v}"));
}

#[test]
fn a_small_budget_ends_and_refuses_nothing() {
    let mut env = environment();
    let mut budget = env.budget();
    budget.steps = 200;
    env.set_budget(budget);
    let found = add(&mut env, "theorem t : Eq.{1} Nat (Nat.mul 20 20) 400 := Eq.refl.{1} Nat 400");
    assert!(matches!(found, Err(KernelError::Exhausted { what: Exhausted::Steps, .. })), "{found:?}");
    env.set_budget(BUDGET);
    add(&mut env, "theorem t : Eq.{1} Nat (Nat.mul 20 20) 400 := Eq.refl.{1} Nat 400").unwrap();
    env.set_budget(crate::kernel::Budget { max_depth: 20, ..BUDGET });
    let found = add(&mut env, "theorem s : Eq.{1} Nat (Nat.mul 20 20) 400 := Eq.refl.{1} Nat 400");
    assert!(matches!(found, Err(KernelError::Exhausted { what: Exhausted::Depth, .. })), "{found:?}");
    env.set_budget(crate::kernel::Budget { max_nodes: 100, ..BUDGET });
    let found = add(&mut env, "theorem s : Eq.{1} Nat (Nat.mul 20 20) 400 := Eq.refl.{1} Nat 400");
    assert!(matches!(found, Err(KernelError::Exhausted { what: Exhausted::Memory, .. })), "{found:?}");
}
