//! Blocks that are right, with what follows from them written out as Lean has it.

use super::lab::{EQ, LIST, Lab, NAT, TypeText, recursor_info};
use crate::constant::{ConstantKind, InductiveInfo};
use crate::kernel::inductive::Block;

fn info(block: &Block) -> &InductiveInfo {
    match &block.types[0].kind {
        ConstantKind::Inductive(info) => info,
        _ => panic!("no inductive type"),
    }
}

#[test]
fn nat() {
    let mut lab = Lab::new();
    let block = lab.add(&[], 0, NAT);
    lab.recursor(
        &block,
        "Nat.rec",
        &["u"],
        "forall (motive : Nat -> Sort u) (zero : motive Nat.zero)
           (succ : forall (n : Nat) (ih : motive n), motive (Nat.succ n)) (t : Nat), motive t",
        &[
            (
                "Nat.zero",
                0,
                "fun (motive : Nat -> Sort u) (zero : motive Nat.zero)
                   (succ : forall (n : Nat) (ih : motive n), motive (Nat.succ n)) => zero",
            ),
            (
                "Nat.succ",
                1,
                "fun (motive : Nat -> Sort u) (zero : motive Nat.zero)
                   (succ : forall (n : Nat) (ih : motive n), motive (Nat.succ n)) (n : Nat) =>
                 succ n (Nat.rec.{u} motive zero succ n)",
            ),
        ],
    );
    let info = info(&block);
    assert!(info.is_rec && !info.is_reflexive && info.num_nested == 0);
}

#[test]
fn eq_eliminates_to_data_and_computes_by_k() {
    let mut lab = Lab::new();
    let block = lab.add(&["u"], 2, EQ);
    lab.recursor(
        &block,
        "Eq.rec",
        &["u_1", "u"],
        "forall (A : Sort u) (a : A) (motive : forall (b : A) (t : Eq.{u} A a b), Sort u_1)
           (refl : motive a (Eq.refl.{u} A a)) (b : A) (t : Eq.{u} A a b), motive b t",
        &[(
            "Eq.refl",
            0,
            "fun (A : Sort u) (a : A) (motive : forall (b : A) (t : Eq.{u} A a b), Sort u_1)
               (refl : motive a (Eq.refl.{u} A a)) => refl",
        )],
    );
    assert!(recursor_info(&block.recursors[0]).k);
    let info = info(&block);
    assert_eq!((info.num_params, info.num_indices, info.is_rec), (2, 1, false));
}

#[test]
fn list() {
    let mut lab = Lab::new();
    let block = lab.add(&["u"], 1, LIST);
    let minors = "(motive : List.{u} A -> Sort u_1) (nil : motive (List.nil.{u} A))
        (cons : forall (head : A) (tail : List.{u} A) (ih : motive tail), motive (List.cons.{u} A head tail))";
    lab.recursor(
        &block,
        "List.rec",
        &["u_1", "u"],
        &format!("forall (A : Type u) {minors} (t : List.{{u}} A), motive t"),
        &[
            ("List.nil", 0, &format!("fun (A : Type u) {minors} => nil")),
            (
                "List.cons",
                2,
                &format!(
                    "fun (A : Type u) {minors} (head : A) (tail : List.{{u}} A) =>
                     cons head tail (List.rec.{{u_1, u}} A motive nil cons tail)"
                ),
            ),
        ],
    );
}

/// For each proposition whether its proofs may be taken apart to make data.
#[test]
fn propositions_eliminate_to_data_only_where_nothing_is_chosen() {
    let mut lab = Lab::furnished();
    let mut large = |params: &[&str], num_params, types: &[TypeText<'_>]| {
        let block = lab.add(params, num_params, types);
        block.recursors[0].level_params.len() == params.len() + 1
    };
    let and = "forall (a b : Prop), Prop";
    let and_intro = ("And.intro", "forall (a b : Prop) (left : a) (right : b), And a b");
    assert!(large(&[], 2, &[("And", and, &[and_intro])]));
    let or: &[_] = &[
        ("Or.inl", "forall (a b : Prop) (h : a), Or a b"),
        ("Or.inr", "forall (a b : Prop) (h : b), Or a b"),
    ];
    assert!(!large(&[], 2, &[("Or", and, or)]));
    let exists = "forall (A : Sort u) (p : A -> Prop), Prop";
    let intro = ("Exists.intro", "forall (A : Sort u) (p : A -> Prop) (w : A) (h : p w), Exists.{u} A p");
    assert!(!large(&["u"], 2, &[("Exists", exists, &[intro])]));
    // The field is data, but is to be seen in the proposition.
    let is = ("Is.intro", "forall (n : Nat), Is n");
    assert!(large(&[], 0, &[("Is", "Nat -> Prop", &[is])]));
    // It is to be seen only as part of an index.
    let after = ("After.intro", "forall (n : Nat), After (Nat.succ n)");
    assert!(!large(&[], 0, &[("After", "Nat -> Prop", &[after])]));
    assert!(large(&[], 0, &[("Never", "Prop", &[])]));
    // A type of every universe may be a proposition.
    let choice: &[_] = &[("Choice.a", "Choice.{u}"), ("Choice.b", "Choice.{u}")];
    assert!(!large(&["u"], 0, &[("Choice", "Sort u", choice)]));
    assert!(large(&["u"], 0, &[("PUnit", "Sort u", &[("PUnit.unit", "PUnit.{u}")])]));
    // Two propositions at once, even without constructors.
    assert!(!large(&[], 0, &[("P", "Prop", &[]), ("Q", "Prop", &[])]));
    // A universe that is written in a long way is still that of propositions.
    let long: &[_] = &[("Long.a", "Long"), ("Long.b", "Long")];
    assert!(!large(&[], 0, &[("Long", "Sort (imax 1 0)", long)]));
}

#[test]
fn k_is_for_propositions_with_one_constructor_without_fields() {
    let mut lab = Lab::furnished();
    let mut k = |types: &[TypeText<'_>]| recursor_info(&lab.add(&[], 0, types).recursors[0]).k;
    assert!(k(&[("A", "Prop", &[("A.intro", "A")])]));
    assert!(k(&[("B", "Sort (imax 1 0)", &[("B.intro", "B")])]));
    assert!(!k(&[("C", "Type", &[("C.intro", "C")])]));
    assert!(!k(&[("D", "Prop", &[("D.intro", "True -> D")])]));
    assert!(!k(&[("E", "Prop", &[("E.a", "E"), ("E.b", "E")])]));
    assert!(!k(&[("F", "Prop", &[])]));
}

#[test]
fn accessibility_is_recursive_through_functions() {
    let mut lab = Lab::new();
    let relation = "(A : Sort u) (r : forall (x y : A), Prop)";
    let ty = format!("forall {relation} (x : A), Prop");
    let intro = format!(
        "forall {relation} (x : A) (h : forall (y : A) (lt : r y x), Acc.{{u}} A r y), Acc.{{u}} A r x"
    );
    let block = lab.add(&["u"], 2, &[("Acc", &ty, &[("Acc.intro", &intro)])]);
    let minors = format!(
        "{relation} (motive : forall (x : A) (t : Acc.{{u}} A r x), Sort u_1)
         (intro : forall (x : A) (h : forall (y : A) (lt : r y x), Acc.{{u}} A r y)
            (ih : forall (y : A) (lt : r y x), motive y (h y lt)), motive x (Acc.intro.{{u}} A r x h))"
    );
    lab.recursor(
        &block,
        "Acc.rec",
        &["u_1", "u"],
        &format!("forall {minors} (x : A) (t : Acc.{{u}} A r x), motive x t"),
        &[(
            "Acc.intro",
            2,
            &format!(
                "fun {minors} (x : A) (h : forall (y : A) (lt : r y x), Acc.{{u}} A r y) =>
                 intro x h (fun (y : A) (lt : r y x) => Acc.rec.{{u_1, u}} A r motive intro y (h y lt))"
            ),
        )],
    );
    let info = info(&block);
    assert!(info.is_rec && info.is_reflexive && !recursor_info(&block.recursors[0]).k);
}

#[test]
fn families_have_indices() {
    let mut lab = Lab::furnished();
    let ty = "forall (A : Type u), Nat -> Type u";
    let constructors: &[_] = &[
        ("Vec.nil", "forall (A : Type u), Vec.{u} A Nat.zero"),
        ("Vec.cons", "forall (A : Type u) (n : Nat) (a : A) (v : Vec.{u} A n), Vec.{u} A (Nat.succ n)"),
    ];
    let block = lab.add(&["u"], 1, &[("Vec", ty, constructors)]);
    let minors = "(A : Type u) (motive : forall (n : Nat) (t : Vec.{u} A n), Sort u_1)
         (nil : motive Nat.zero (Vec.nil.{u} A))
         (cons : forall (n : Nat) (a : A) (v : Vec.{u} A n) (ih : motive n v), motive (Nat.succ n) (Vec.cons.{u} A n a v))";
    lab.recursor(
        &block,
        "Vec.rec",
        &["u_1", "u"],
        &format!("forall {minors} (n : Nat) (t : Vec.{{u}} A n), motive n t"),
        &[
            ("Vec.nil", 0, &format!("fun {minors} => nil")),
            (
                "Vec.cons",
                3,
                &format!(
                    "fun {minors} (n : Nat) (a : A) (v : Vec.{{u}} A n) =>
                     cons n a v (Vec.rec.{{u_1, u}} A motive nil cons n v)"
                ),
            ),
        ],
    );
}

#[test]
fn mutual_blocks_share_motives_and_minors() {
    let mut lab = Lab::furnished();
    let block = lab.add(
        &[],
        0,
        &[
            (
                "Even",
                "Nat -> Prop",
                &[("Even.zero", "Even 0"), ("Even.succ", "forall (n : Nat) (h : Odd n), Even (Nat.succ n)")],
            ),
            ("Odd", "Nat -> Prop", &[("Odd.succ", "forall (n : Nat) (h : Even n), Odd (Nat.succ n)")]),
        ],
    );
    let minors = "(even : forall (n : Nat) (t : Even n), Prop) (odd : forall (n : Nat) (t : Odd n), Prop)
        (zero : even 0 Even.zero)
        (succ : forall (n : Nat) (h : Odd n) (ih : odd n h), even (Nat.succ n) (Even.succ n h))
        (next : forall (n : Nat) (h : Even n) (ih : even n h), odd (Nat.succ n) (Odd.succ n h))";
    lab.recursor(
        &block,
        "Even.rec",
        &[],
        &format!("forall {minors} (n : Nat) (t : Even n), even n t"),
        &[
            ("Even.zero", 0, &format!("fun {minors} => zero")),
            (
                "Even.succ",
                2,
                &format!(
                    "fun {minors} (n : Nat) (h : Odd n) => succ n h (Odd.rec even odd zero succ next n h)"
                ),
            ),
        ],
    );
    lab.recursor(
        &block,
        "Odd.rec",
        &[],
        &format!("forall {minors} (n : Nat) (t : Odd n), odd n t"),
        &[(
            "Odd.succ",
            2,
            &format!(
                "fun {minors} (n : Nat) (h : Even n) => next n h (Even.rec even odd zero succ next n h)"
            ),
        )],
    );
    let info = info(&block);
    assert!(info.is_rec && info.all.len() == 2);
}

#[test]
fn types_and_fields_are_reduced_before_they_are_looked_at() {
    let mut lab = Lab::furnished();
    lab.define("Family", &[], "Type 1", "Nat -> Type");
    lab.define("Twice", &["u"], "Sort u -> Sort u", "fun (A : Sort u) => A -> A");
    let block = lab.add(&[], 0, &[("T", "Family", &[("T.mk", "forall (f : Nat -> T 0), T 1")])]);
    assert_eq!(info(&block).num_indices, 1);
    lab.define("Into", &[], "Type -> Type", "fun (A : Type) => Nat -> A");
    let block = lab.add(&[], 0, &[("S", "Type", &[("S.leaf", "S"), ("S.mk", "forall (f : Into S), S")])]);
    let minors = "(motive : S -> Sort u) (leaf : motive S.leaf)
        (mk : forall (f : Into S) (ih : forall (n : Nat), motive (f n)), motive (S.mk f))";
    lab.recursor(
        &block,
        "S.rec",
        &["u"],
        &format!("forall {minors} (t : S), motive t"),
        &[
            ("S.leaf", 0, &format!("fun {minors} => leaf")),
            (
                "S.mk",
                1,
                &format!(
                    "fun {minors} (f : Into S) => mk f (fun (n : Nat) => S.rec.{{u}} motive leaf mk (f n))"
                ),
            ),
        ],
    );
    // It is recursive through a function, but not as written: Lean marks only what is written.
    assert!(info(&block).is_rec && !info(&block).is_reflexive);
}

#[test]
fn recursors_leave_annotations_out() {
    let mut lab = Lab::furnished();
    lab.define("optParam", &["u"], "forall (A : Sort u), A -> Sort u", "fun (A : Sort u) (a : A) => A");
    let block = lab.add(&[], 0, &[("S", "Type", &[("S.mk", "forall (n : optParam.{1} Nat 3), S")])]);
    let minors = "(motive : S -> Sort u) (mk : forall (n : Nat), motive (S.mk n))";
    lab.recursor(
        &block,
        "S.rec",
        &["u"],
        &format!("forall {minors} (t : S), motive t"),
        &[("S.mk", 1, &format!("fun {minors} (n : Nat) => mk n"))],
    );
}
