//! Definitional equality, as it can be decided, is not transitive: recursion over proofs of accessibility computes on one
//! of two equal proofs and not on the other. So a universe may reduce to `Prop` for one argument and be stuck for an
//! equal one. Whatever is granted to types that are no propositions must not be granted because of that.

use super::{add, are_equal, environment, refusal, text};
use crate::kernel::Environment;

pub(super) const ACCESSIBLE: &[&str] = &[
    "inductive Acc.{u} : (A : Sort.{u}) -> (A -> A -> Prop) -> A -> Prop | 2 1 1 | Acc.intro",
    "constructor Acc.intro.{u} : (A : Sort.{u}) -> (r : A -> A -> Prop) -> (x : A)
        -> ((y : A) -> r y x -> Acc.{u} A r y) -> Acc.{u} A r x | Acc 0 2 2",
    "recursor Acc.rec.{v, u} : (A : Sort.{u}) -> (r : A -> A -> Prop) -> (motive : (x : A) -> Acc.{u} A r x -> Sort.{v})
        -> (m : (x : A) -> (h : (y : A) -> r y x -> Acc.{u} A r y)
            -> ((y : A) -> (hy : r y x) -> motive y (h y hy)) -> motive x (Acc.intro.{u} A r x h))
        -> (x : A) -> (t : Acc.{u} A r x) -> motive x t
        | 2 1 1 1 0 | Acc
        | Acc.intro 2 := fun (A : Sort.{u}) (r : A -> A -> Prop) (motive : (x : A) -> Acc.{u} A r x -> Sort.{v})
            (m : (x : A) -> (h : (y : A) -> r y x -> Acc.{u} A r y)
                -> ((y : A) -> (hy : r y x) -> motive y (h y hy)) -> motive x (Acc.intro.{u} A r x h))
            (x : A) (h : (y : A) -> r y x -> Acc.{u} A r y) =>
            m x h (fun (y : A) (hy : r y x) => Acc.rec.{v, u} A r motive m y (h y hy))",
];

/// `a` and `b` are equal because proofs are, `b` and `c` because `b` computes; `a` and `c` are not.
const GATE: &[&str] = &[
    "axiom lt : Nat -> Nat -> Prop",
    "axiom lt_succ : (n : Nat) -> lt n (Nat.succ n)",
    "axiom inv : (x : Nat) -> Acc.{1} Nat lt x -> (y : Nat) -> lt y x -> Acc.{1} Nat lt y",
    "axiom seed : Acc.{1} Nat lt 1",
    "def step : (n : Nat) -> ((m : Nat) -> lt m n -> Bool) -> Bool := fun (n : Nat) =>
        Nat.rec.{1} (fun (n : Nat) => ((m : Nat) -> lt m n -> Bool) -> Bool)
        (fun (ih : (m : Nat) -> lt m 0 -> Bool) => Bool.false)
        (fun (k : Nat) (r : ((m : Nat) -> lt m k -> Bool) -> Bool) (ih : (m : Nat) -> lt m (Nat.succ k) -> Bool) =>
            ih k (lt_succ k)) n",
    "def run : (n : Nat) -> Acc.{1} Nat lt n -> Bool := fun (n : Nat) (h : Acc.{1} Nat lt n) =>
        Acc.rec.{1, 1} Nat lt (fun (n : Nat) (h : Acc.{1} Nat lt n) => Bool)
        (fun (n : Nat) (h : (y : Nat) -> lt y n -> Acc.{1} Nat lt y) (ih : (y : Nat) -> lt y n -> Bool) => step n ih)
        n h",
    "def a : Bool := run 1 seed",
    "def b : Bool := run 1 (Acc.intro.{1} Nat lt 1 (fun (y : Nat) (h : lt y 1) => inv 1 seed y h))",
    "def c : Bool := run 0 (inv 1 seed 0 (lt_succ 0))",
    "def P : Prop := Eq.{1} Bool a b",
    "def Q : Prop := Eq.{1} Bool a c",
    "axiom witness : Q",
    "def gate : P -> Type := fun (h : P) => Eq.rec.{2, 1} Bool a (fun (x : Bool) (h : Eq.{1} Bool a x) => Type) Prop b h",
];

/// For every `h : P` a proposition; `Owner witness` is one too, but its universe is stuck.
const OWNER: &[&str] = &[
    "inductive Owner : (h : P) -> gate h | 1 0 0 | Owner.mk",
    "constructor Owner.mk : (h : P) -> Bool -> Owner h | Owner 0 1 1",
    "recursor Owner.rec : (h : P) -> (motive : Owner h -> Prop) -> (m : (x : Bool) -> motive (Owner.mk h x))
        -> (t : Owner h) -> motive t | 1 0 1 1 0 | Owner
        | Owner.mk 1 := fun (h : P) (motive : Owner h -> Prop) (m : (x : Bool) -> motive (Owner.mk h x)) (x : Bool) => m x",
];

fn with_gate() -> Environment<'static> {
    let mut env = environment();
    for text in ACCESSIBLE {
        let constant = text::declaration(&mut env.terms, text);
        env.add_unchecked(constant);
    }
    for text in GATE {
        add(&mut env, text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
    for text in OWNER {
        let constant = text::declaration(&mut env.terms, text);
        env.add_unchecked(constant);
    }
    add(&mut env, "def asProp : P -> Prop := fun (h : P) => Owner h").unwrap();
    add(&mut env, "def proposition : Prop := asProp witness").unwrap();
    env
}

#[test]
fn equality_does_not_depend_on_what_was_asked_before() {
    let mut env = with_gate();
    let name = text::name(&mut env.terms, "t");
    let [a, b, c] = ["a", "b", "c"].map(|name| text::term(&mut env.terms, name));
    let mut checker = crate::kernel::Checker::new(&mut env, name, Vec::new());
    assert!(!checker.is_def_eq(a, c).unwrap());
    assert!(checker.is_def_eq(a, b).unwrap());
    assert!(checker.is_def_eq(b, c).unwrap());
    assert!(!checker.is_def_eq(a, c).unwrap());
}

#[test]
fn the_universe_is_stuck_for_one_of_two_equal_propositions() {
    let mut env = with_gate();
    assert!(are_equal(&mut env, "P", "Q"));
    assert!(are_equal(&mut env, "fun (h : P) => gate h", "fun (h : P) => Prop"));
    assert!(!are_equal(&mut env, "gate witness", "Prop"));
}

#[test]
fn no_data_comes_out_of_a_proposition_whose_universe_is_stuck() {
    let mut env = with_gate();
    for of in ["proposition", "asProp witness"] {
        let text = format!("def observe : {of} -> Bool := fun (p : {of}) => #Owner 0 p");
        let problem = refusal(&mut env, &text);
        assert!(problem.contains("the field is data"), "{problem}");
    }
    let problem =
        refusal(&mut env, "def observe : Owner witness -> Bool := fun (p : Owner witness) => #Owner 0 p");
    assert!(problem.contains("a universe is expected"), "{problem}");
}

#[test]
fn the_kernel_itself_takes_no_fields_out_of_it() {
    let mut env = with_gate();
    // Were the value taken for a structure's, the recursor would compute on it: `f` of its field.
    let stuck = "fun (f : Bool -> True) (p : proposition) =>
        Owner.rec witness (fun (p : proposition) => True) (fun (x : Bool) => f x) p";
    let e = text::term(&mut env.terms, stuck);
    let name = text::name(&mut env.terms, "t");
    let mut checker = crate::kernel::Checker::new(&mut env, name, Vec::new());
    checker.infer(e).unwrap();
    let f = text::term(&mut checker.env.terms, "Bool -> True");
    let owner = text::term(&mut checker.env.terms, "proposition");
    let locals = [checker.new_local(f), checker.new_local(owner)];
    let applied = checker.env.terms.apps(e, &locals);
    let reduced = checker.whnf(applied).unwrap();
    assert!(checker.env.terms.show(reduced).starts_with("Owner.rec"), "{}", checker.env.terms.show(reduced));
}
