//! Declarations with which checkers of Lean proofs were fooled, and their right neighbours.

use super::lab::{Lab, TypeText};
use crate::constant::ConstantKind;

fn wrong(types: &[TypeText<'_>]) -> String {
    Lab::furnished().wrong(&[], 0, types)
}

/// What is left of an arrow is not reduced, what is right of it is.
#[test]
fn positions_behind_several_arrows() {
    let problem = wrong(&[("T", "Type", &[("T.mk", "(Nat -> T -> Nat) -> T")])]);
    assert!(problem.contains("not positive"), "{problem}");
    let problem = wrong(&[("T", "Prop -> Prop", &[("T.mk", "forall (a : Prop) (f : Nat -> T (T a)), T a")])]);
    assert!(problem.contains("not valid"), "{problem}");
    let problem = wrong(&[("T", "Prop -> Prop", &[("T.mk", "T (T True)")])]);
    assert!(problem.contains("its result must be"), "{problem}");
    let mut lab = Lab::furnished();
    lab.define("first", &[], "Type -> Type -> Type", "fun (a b : Type) => a");
    lab.define("same", &["u"], "Sort u -> Sort u", "fun (a : Sort u) => a");
    let problem = lab.wrong(&[], 0, &[("T", "Type", &[("T.mk", "(first Nat T -> T) -> T")])]);
    assert!(problem.contains("not positive"), "{problem}");
    // A parameter's type need not be written as in the type, and what gives a value of the type may be reduced to it.
    let plain = "forall (a : same.{2} (Type)) (x : first (P a) (P a)), P a";
    lab.add(&[], 1, &[("P", "Type -> Type", &[("P.mk", plain)])]);
    let behind = "forall (a : same.{2} (Type)) (x : a -> first (Q a) (Q a)), Q a";
    let block = lab.add(&[], 1, &[("Q", "Type -> Type", &[("Q.mk", behind)])]);
    let ConstantKind::Inductive(info) = &block.types[0].kind else { panic!("no inductive type") };
    assert!(info.is_rec && info.is_reflexive);
    let gone = "forall (a : Type) (x : a -> first a (R a)), R a";
    lab.add(&[], 1, &[("R", "Type -> Type", &[("R.mk", gone)])]);
}

/// A universe that may be that of propositions is treated as one where that matters.
#[test]
fn universes_that_may_be_that_of_propositions() {
    for (level, large) in [
        ("u", false),
        ("(imax 1 u)", false),
        ("(max u v)", false),
        ("(imax (u+1) (max u v))", false),
        ("(imax 1 0)", false),
        ("(max u 1)", true),
        ("(imax u (v+1))", true),
        ("(imax u (max v 1))", true),
    ] {
        let mut lab = Lab::furnished();
        let two: &[_] = &[("T.a", "T.{u, v}"), ("T.b", "T.{u, v}")];
        let block = lab.add(&["u", "v"], 0, &[("T", &format!("Sort {level}"), two)]);
        assert_eq!(block.recursors[0].level_params.len() == 3, large, "{level}");
    }
    let mut lab = Lab::furnished();
    // A field of data is too big for a type that may be a proposition, though one of a universe that is so too is not.
    let problem = lab.wrong(&["u"], 0, &[("T", "Sort (imax 1 u)", &[("T.mk", "Nat -> T.{u}")])]);
    assert!(problem.contains("too big"), "{problem}");
    let problem = lab.wrong(&["u"], 0, &[("T", "Sort u", &[("T.mk", "Type -> T.{u}")])]);
    assert!(problem.contains("too big"), "{problem}");
    let may_be = "forall (A : Sort (imax 1 u)) (a : A), T.{u} A";
    let block = lab.add(&["u"], 1, &[("T", "forall (A : Sort (imax 1 u)), Sort u", &[("T.mk", may_be)])]);
    assert_eq!(block.recursors[0].level_params.len(), 1);
}

/// A proposition with data in it, by way of a type that has one: all types of a block live in one universe.
#[test]
fn nested_types_live_in_the_universe_of_the_block() {
    let mut lab = Lab::furnished();
    lab.add(&[], 1, &[("Kept", "Prop -> Type", &[("Kept.mk", "forall (p : Prop) (h : p), Kept p")])]);
    let problem = lab.wrong(&[], 0, &[("P", "Prop", &[("P.mk", "Kept P -> P")])]);
    assert!(problem.contains("which lives in another universe"), "{problem}");
    lab.add(
        &["u"],
        1,
        &[("Any", "Type u -> Type (u+1)", &[("Any.mk", "forall (A : Type u) (a : A), Any.{u} A")])],
    );
    let problem = lab.wrong(&[], 0, &[("T", "Type", &[("T.mk", "Any.{0} T -> T")])]);
    assert!(problem.contains("universe"), "{problem}");
}

/// Annotations are known by their names: where one means something else, the recursor does not have a type.
#[test]
fn annotations_that_mean_something_else() {
    for (param, constructor) in [
        ("", "forall (x : optParam Nat Type), T"),
        ("", "forall (f : optParam Nat Type -> T), T"),
        ("optParam Nat Type -> ", "forall (A : Type), T A"),
    ] {
        let mut lab = Lab::furnished();
        lab.define("optParam", &[], "Type -> Type 1 -> Type 1", "fun (A : Type) (B : Type 1) => B");
        let (ty, constructors) = (format!("{param}Type 1"), [("T.mk", constructor)]);
        let types: &[_] = &[("T", ty.as_str(), &constructors[..])];
        match lab.try_block(&[], 0, types) {
            Err(_) => {}
            Ok(block) => {
                let problem = lab.env.add_inductive(&block).unwrap_err().to_string();
                assert!(problem.starts_with("T.rec: argument"), "{problem}");
            }
        }
        let name = lab.name("T");
        assert!(lab.env.get(name).unwrap().is_none());
    }
    // As a parameter it differs from what the parameter is.
    let mut lab = Lab::furnished();
    lab.define("optParam", &[], "Type -> Type 1 -> Type 1", "fun (A : Type) (B : Type 1) => B");
    let as_param = [("P.mk", "forall (x : optParam Nat Type), P x")];
    let problem = lab.wrong(&[], 1, &[("P", "optParam Nat Type -> Type 1", &as_param)]);
    assert!(problem.contains("parameter"), "{problem}");
}

/// A parameter that the constructors of the nested type do not mention, and that is of no type at all.
#[test]
fn parameters_that_are_dropped_have_types() {
    let mut lab = Lab::furnished();
    lab.add(&[], 0, &[("Hid", "Prop", &[("Hid.mk", "Nat -> Hid")])]);
    lab.add(&[], 0, &[("Box", "Type", &[("Box.mk", "Nat -> Box")])]);
    lab.add(&[], 0, &[("W", "Type", &[("W.mk", "Hid -> W")])]);
    lab.add(&[], 2, &[("L", "Type -> Nat -> Type", &[("L.mk", "forall (A : Type) (n : Nat), L A n")])]);
    let leak = |inner: &str| format!("forall (w : W) (l : L (E w) (proj Box 0 ({inner}))), E w");
    let problem = lab.wrong(&[], 1, &[("E", "W -> Type", &[("E.mk", &leak("proj Box 0 w"))])]);
    assert!(problem.contains("field 1 of Box"), "{problem}");
    let problem = lab.wrong(&[], 1, &[("E", "W -> Type", &[("E.mk", &leak("proj W 0 w"))])]);
    assert!(problem.contains("field 1 of Box"), "{problem}");
    lab.add(&[], 1, &[("E", "W -> Type", &[("E.mk", &leak("Box.mk 3"))])]);
}

#[test]
fn blocks_whose_types_disagree_about_parameters() {
    let mut lab = Lab::furnished();
    let types: &[_] = &[("A", "Nat -> Type", &[][..]), ("B", "Nat -> Type", &[][..])];
    let block = lab.block(&[], 1, types);
    for place in 0..2 {
        let mut changed = block.clone();
        let ConstantKind::Inductive(info) = &mut changed.types[place].kind else {
            panic!("no inductive type")
        };
        info.num_params = 0;
        let problem = lab.env.add_inductive(&changed).unwrap_err().to_string();
        assert!(problem.contains("B: it has"), "{problem}");
    }
    lab.env.add_inductive(&block).unwrap();
    let types: &[_] = &[("C", "Nat -> Type", &[][..]), ("D", "Type -> Type", &[][..])];
    assert!(lab.wrong(&[], 1, types).contains("its parameter 1 differs"));
}

/// A constructor that is called as the recursor is.
#[test]
fn no_name_stands_for_two_constants_of_a_block() {
    let mut lab = Lab::furnished();
    let block = lab.block(&[], 0, &[("T", "Type", &[("T.rec", "T")])]);
    assert!(lab.env.add_inductive(&block).unwrap_err().to_string().contains("there twice"));
    let mut fewer = block.clone();
    fewer.recursors.clear();
    assert!(lab.env.add_inductive(&fewer).is_err());
    let types: &[_] = &[("A", "Type", &[("A.mk", "A")][..]), ("A", "Type", &[][..])];
    assert!(
        lab.try_block(&[], 0, types)
            .map(|block| lab.env.add_inductive(&block))
            .is_ok_and(|added| added.is_err())
    );
}

/// Propositions that are proved without looking: alone in their block, one constructor, nothing in it.
#[test]
fn what_may_be_proved_without_looking() {
    let mut lab = Lab::furnished();
    let k = |block: &crate::kernel::inductive::Block| {
        block.recursors.iter().any(|recursor| super::lab::recursor_info(recursor).k)
    };
    let two: &[_] = &[("A", "Prop", &[("A.mk", "A")][..]), ("B", "Prop", &[][..])];
    assert!(!k(&lab.add(&[], 0, two)));
    assert!(!k(&lab.add(&["u"], 0, &[("U", "Sort u", &[("U.mk", "U.{u}")])])));
    assert!(!k(&lab.add(&[], 0, &[("C", "Prop", &[("C.mk", "C -> C")])])));
    assert!(!k(&lab.add(&[], 0, &[("D", "Nat -> Prop", &[("D.mk", "forall (n : Nat), D n")])])));
    assert!(k(&lab.add(&[], 1, &[("E", "Nat -> Prop", &[("E.mk", "forall (n : Nat), E n")])])));
    assert!(k(&lab.add(&[], 0, &[("F", "Nat -> Prop", &[("F.mk", "F 0")])])));
}
