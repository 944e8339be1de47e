//! Right proofs that need a rule in an unusual place.

use super::stuck::ACCESSIBLE;
use super::{BUDGET, Imported, PRELUDE, add, are_equal, environment, environment_with};
use crate::kernel::Environment;
use crate::terms::Terms;

/// Both are equal, whichever is asked first.
fn both_ways(env: &mut Environment<'_>, around: &str, a: &str, b: &str) {
    let (a, b) = (format!("{around} {a}"), format!("{around} {b}"));
    assert!(are_equal(env, &a, &b), "{a}\n{b}");
    assert!(are_equal(env, &b, &a), "{b}\n{a}");
}

#[test]
fn structures_have_eta_on_either_side_and_inside_of_each_other() {
    let mut env = environment();
    let around = "fun (p : Prod.{0} Nat Nat) (f : Nat -> Prod.{0} Nat Nat) =>";
    both_ways(&mut env, around, "p", "(Prod.mk.{0} Nat Nat (#Prod 0 p) (#Prod 1 p))");
    both_ways(&mut env, around, "(f 2)", "(Prod.mk.{0} Nat Nat (#Prod 0 (f 2)) (#Prod 1 (f (Nat.succ 1))))");
    both_ways(
        &mut env,
        around,
        "f",
        "(fun (n : Nat) => Prod.mk.{0} Nat Nat (#Prod 0 (f n)) (#Prod 1 (f n)))",
    );
    let around = "fun (p : Prod.{0} (Prod.{0} Nat Nat) Unit) =>";
    let taken = "(Prod.mk.{0} (Prod.{0} Nat Nat) Unit
        (Prod.mk.{0} Nat Nat (#Prod 0 (#Prod 0 p)) (#Prod 1 (#Prod 0 p))) Unit.unit)";
    both_ways(&mut env, around, "p", taken);
    // By way of a definition, and of the recursor.
    add(
        &mut env,
        "def swap : Prod.{0} Nat Nat -> Prod.{0} Nat Nat := fun (p : Prod.{0} Nat Nat) =>
            Prod.mk.{0} Nat Nat (#Prod 1 p) (#Prod 0 p)",
    )
    .unwrap();
    both_ways(&mut env, "fun (p : Prod.{0} Nat Nat) =>", "(swap (swap p))", "p");
    let first = "(Prod.rec.{1, 0} Nat Nat (fun (p : Prod.{0} Nat Nat) => Nat) (fun (a : Nat) (b : Nat) => a) (swap p))";
    both_ways(&mut env, "fun (p : Prod.{0} Nat Nat) =>", first, "(#Prod 1 p)");
}

#[test]
fn proofs_are_equal_wherever_they_stand() {
    let mut env = environment();
    let around = "fun (A : Type) (a : A) (b : A) (P : Prop) (Q : P -> Prop) (h : A -> P) =>";
    both_ways(&mut env, around, "(Q (h a))", "(Q (h b))");
    both_ways(&mut env, around, "((x : Q (h a)) -> Q (h b))", "((x : Q (h b)) -> Q (h a))");
    both_ways(&mut env, around, "(fun (x : Q (h a)) => h a)", "(fun (x : Q (h b)) => h b)");
    // The universe is seen to be that of propositions only once it is unfolded.
    both_ways(&mut env, "fun (p : id.{2} Type Prop) (a : p) (b : p) =>", "a", "b");
    // In the value of a local definition, and in the condition of a quotient.
    both_ways(&mut env, around, "(let x : P := h a; Q x)", "(Q (h b))");
}

#[test]
fn numbers_are_equal_in_all_their_forms() {
    let mut env = environment();
    let around = "fun (n : Nat) =>";
    both_ways(&mut env, around, "(Nat.succ (Nat.succ n))", "(Nat.add n 2)");
    both_ways(&mut env, around, "(Nat.add n 3)", "(Nat.succ (Nat.add n 2))");
    both_ways(&mut env, around, "(Nat.add (Nat.succ n) 0)", "(Nat.succ n)");
    both_ways(&mut env, around, "5", "(Nat.succ (Nat.succ (Nat.add 1 2)))");
    both_ways(&mut env, around, "(Nat.succ 1000000)", "1000001");
    both_ways(&mut env, around, "0", "(id.{1} Nat Nat.zero)");
    let rec = "(Nat.rec.{1} (fun (n : Nat) => Nat) n (fun (k : Nat) (r : Nat) => k) 1000000)";
    both_ways(&mut env, around, rec, "999999");
    both_ways(&mut env, around, "(#Prod 0 (Prod.mk.{0} Nat Nat 5 n))", "(Nat.succ 4)");
}

/// Texts that are made by a function, as they are in Lean since they are bytes.
const BYTES: &[&str] = &[
    "inductive String : Type | 0 0 0 | String.ofBytes",
    "constructor String.ofBytes : List.{0} Char -> String | String 0 0 1",
    "recursor String.rec.{u} : (motive : String -> Sort.{u})
                -> (m : (b : List.{0} Char) -> motive (String.ofBytes b)) -> (s : String) -> motive s
                | 0 0 1 1 0 | String | String.ofBytes 1 := fun (motive : String -> Sort.{u})
                (m : (b : List.{0} Char) -> motive (String.ofBytes b)) (b : List.{0} Char) => m b",
    "def Char.ofNat : Nat -> Char := fun (n : Nat) => Char.mk n",
    "def String.ofList : List.{0} Char -> String := fun (l : List.{0} Char) => String.ofBytes l",
];

#[test]
fn texts_may_be_made_by_a_function() {
    let others = PRELUDE.iter().copied().filter(|text| !text.contains("String"));
    let imported = Imported::of(&others.chain(BYTES.iter().copied()).collect::<Vec<_>>());
    let mut env = Environment::new(Terms::new(), &imported, BUDGET);
    let list = "(List.cons.{0} Char (Char.ofNat 97) (List.nil.{0} Char))";
    both_ways(&mut env, "", "\"a\"", &format!("(String.ofList {list})"));
    both_ways(&mut env, "", "\"a\"", &format!("(String.ofBytes {list})"));
    both_ways(&mut env, "", "(#String 0 \"a\")", list);
    let rec = "(String.rec.{1} (fun (s : String) => List.{0} Char) (fun (b : List.{0} Char) => b) \"a\")";
    both_ways(&mut env, "", rec, list);
    assert!(!are_equal(&mut env, "\"b\"", &format!("String.ofList {list}")));
    assert!(!are_equal(&mut env, "\"\"", &format!("String.ofBytes {list}")));
}

/// Functions that decide are computed at once.
#[test]
fn numbers_are_compared_at_once() {
    let imported =
        Imported::with(&["axiom Nat.beq : Nat -> Nat -> Bool", "axiom Nat.ble : Nat -> Nat -> Bool"]);
    let mut env = Environment::new(Terms::new(), &imported, BUDGET);
    for (right, wrong) in [
        ("Nat.beq 123456789 123456789", "Nat.beq 123456789 123456788"),
        ("Nat.ble 5 123456789", "Nat.ble 123456789 5"),
        ("Nat.ble Nat.zero 0", "Nat.beq Nat.zero 1"),
    ] {
        both_ways(&mut env, "", &format!("({right})"), "Bool.true");
        both_ways(&mut env, "", &format!("({wrong})"), "Bool.false");
        let proof =
            |of: &str| format!("theorem t : Eq.{{1}} Bool ({of}) Bool.true := Eq.refl.{{1}} Bool Bool.true");
        assert!(add(&mut env, &proof(wrong)).is_err());
        add(&mut env, &proof(right).replace("theorem t", &format!("theorem t{}", right.len()))).unwrap();
    }
}

#[test]
fn recursion_looks_through_definitions_and_theorems() {
    let mut env = environment_with(ACCESSIBLE);
    for right in [
        "axiom r : Nat -> Nat -> Prop",
        "axiom inside : (x : Nat) -> (y : Nat) -> r y x -> Acc.{1} Nat r y",
        "theorem all : (x : Nat) -> Acc.{1} Nat r x := fun (x : Nat) => Acc.intro.{1} Nat r x (inside x)",
        "def also : (x : Nat) -> Acc.{1} Nat r x := all",
        "def run : (x : Nat) -> Acc.{1} Nat r x -> Nat := fun (x : Nat) (h : Acc.{1} Nat r x) =>
            Acc.rec.{1, 1} Nat r (fun (x : Nat) (h : Acc.{1} Nat r x) => Nat)
            (fun (x : Nat) (h : (y : Nat) -> r y x -> Acc.{1} Nat r y) (ih : (y : Nat) -> r y x -> Nat) => Nat.succ x) x h",
        "theorem same : Eq.{1} Nat (Nat.add 1 1) 2 := Eq.refl.{1} Nat 2",
        "axiom given : Eq.{1} Nat (Nat.add 1 1) (Nat.succ 1)",
    ] {
        add(&mut env, right).unwrap_or_else(|error| panic!("{error}\n{right}"));
    }
    both_ways(&mut env, "fun (x : Nat) =>", "(run x (all x))", "(Nat.succ x)");
    both_ways(&mut env, "fun (x : Nat) =>", "(run x (also x))", "(Nat.add x 1)");
    // A proof of an equation of equal sides is not looked at, be it even an axiom.
    for proof in ["same", "given"] {
        let cast = format!(
            "(Eq.rec.{{1, 1}} Nat 2 (fun (n : Nat) (h : Eq.{{1}} Nat 2 n) => Nat) x (Nat.add 1 1) {proof})"
        );
        both_ways(&mut env, "fun (x : Nat) =>", &cast, "x");
    }
}

#[test]
fn quotients_compute_behind_definitions() {
    let mut env = environment();
    for right in [
        "axiom r : Nat -> Nat -> Prop",
        "def three : Quot.{1} Nat r := Quot.mk.{1} Nat r 3",
        "def again : Unit -> Quot.{1} Nat r := fun (u : Unit) => let q : Quot.{1} Nat r := three; q",
    ] {
        add(&mut env, right).unwrap_or_else(|error| panic!("{error}\n{right}"));
    }
    let around = "fun (f : Nat -> Nat) (h : (a : Nat) -> (b : Nat) -> r a b -> Eq.{1} Nat (f a) (f b)) =>";
    both_ways(&mut env, around, "(Quot.lift.{1, 1} Nat r Nat f h three)", "(f 3)");
    both_ways(&mut env, around, "(Quot.lift.{1, 1} Nat r Nat f h (again Unit.unit))", "(f (Nat.succ 2))");
    let around = "fun (P : Quot.{1} Nat r -> Prop) (m : (a : Nat) -> P (Quot.mk.{1} Nat r a)) =>";
    both_ways(&mut env, around, "(Quot.ind.{1} Nat r P m three)", "(m 3)");
    // With more arguments than it takes.
    let around = "fun (f : Nat -> Nat -> Nat) (h : (a : Nat) -> (b : Nat) -> r a b -> Eq.{1} (Nat -> Nat) (f a) (f b)) =>";
    both_ways(&mut env, around, "(Quot.lift.{1, 1} Nat r (Nat -> Nat) f h three 8)", "(f 3 8)");
}

/// Structures whose universe is that of propositions for some choices of the parameters have fields.
#[test]
fn structures_of_every_universe_have_fields() {
    let mut env = environment_with(&[
        "inductive Both.{u, v} : Sort.{u} -> Sort.{v} -> Sort.{max u v} | 2 0 0 | Both.mk",
        "constructor Both.mk.{u, v} : (A : Sort.{u}) -> (B : Sort.{v}) -> A -> B -> Both.{u, v} A B | Both 0 2 2",
    ]);
    let around = "(A : Sort.{u}) (B : Sort.{v}) (p : Both.{u, v} A B)";
    for (number, field) in ["A", "B"].iter().enumerate() {
        let pi = "(A : Sort.{u}) -> (B : Sort.{v}) -> (p : Both.{u, v} A B)";
        add(
            &mut env,
            &format!("def f{number}.{{u, v}} : {pi} -> {field} := fun {around} => #Both {number} p"),
        )
        .unwrap();
    }
    let proofs = "fun (A : Prop) (B : Prop) (p : Both.{0, 0} A B) (q : Both.{0, 0} A B) =>";
    both_ways(&mut env, proofs, "(#Both 0 p)", "(f0.{0, 0} A B q)");
    let data = "fun (A : Type) (p : Both.{1, 0} A True) =>";
    both_ways(&mut env, data, "p", "(Both.mk.{1, 0} A True (f0.{1, 0} A True p) True.intro)");
    assert!(!are_equal(
        &mut env,
        "fun (A : Type) (p : Both.{1, 0} A True) (q : Both.{1, 0} A True) => p",
        "fun (A : Type) (p : Both.{1, 0} A True) (q : Both.{1, 0} A True) => q"
    ));
}

#[test]
fn binders_and_levels_are_reduced_where_that_is_needed() {
    let mut env = environment();
    for right in [
        "def t1 : Prop := (p : id.{2} Type Prop) -> (x : p) -> p",
        "def t2 : let X : Type := Prop; X := True",
        "def t3 : (id.{2} Type (Nat -> Nat)) -> Nat := fun (f : id.{2} Type (Nat -> Nat)) => f 1",
        "def t4 : Nat := (let f : Nat -> Nat := Nat.succ; f) 1",
        "def t5.{u} : Sort.{(max u 1)+1} := Sort.{imax u 1}",
        "def t6.{u, v} : Sort.{(max u (v+1))+1} := Sort.{imax u (v+1)}",
        "def t7.{u} : Sort.{u+1} := Sort.{max u u}",
        "def t8.{u, v} : Sort.{(max u v)+1} := Sort.{max u (max v u)}",
        "def t9.{u} : Type := Sort.{imax u 0}",
    ] {
        add(&mut env, right).unwrap_or_else(|error| panic!("{error}\n{right}"));
    }
}
