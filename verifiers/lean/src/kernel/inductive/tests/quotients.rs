//! The constants of quotients.

use super::lab::{EQ, Lab};
use crate::constant::{Constant, ConstantKind, QuotKind};

fn usual(lab: &mut Lab) -> Vec<Constant> {
    let constants: [(&str, &[&str], &str, QuotKind); 4] = [
        ("Quot", &["u"], "forall (A : Sort u) (r : A -> A -> Prop), Sort u", QuotKind::Type),
        ("Quot.mk", &["u"], "forall (A : Sort u) (r : A -> A -> Prop) (a : A), Quot.{u} A r", QuotKind::Ctor),
        (
            "Quot.lift",
            &["u", "v"],
            "forall (A : Sort u) (r : A -> A -> Prop) (B : Sort v) (f : A -> B)
               (h : forall (a b : A), r a b -> Eq.{v} B (f a) (f b)) (q : Quot.{u} A r), B",
            QuotKind::Lift,
        ),
        (
            "Quot.ind",
            &["u"],
            "forall (A : Sort u) (r : A -> A -> Prop) (B : Quot.{u} A r -> Prop)
               (mk : forall (a : A), B (Quot.mk.{u} A r a)) (q : Quot.{u} A r), B q",
            QuotKind::Ind,
        ),
    ];
    constants
        .iter()
        .map(|&(name, params, ty, kind)| Constant {
            name: lab.name(name),
            level_params: params.iter().map(|param| lab.name(param)).collect(),
            ty: lab.term(ty),
            kind: ConstantKind::Quot(kind),
        })
        .collect()
}

#[test]
fn the_usual_ones_are_added() {
    let mut lab = Lab::furnished();
    let constants = usual(&mut lab);
    lab.env.add_quotients(&constants).unwrap();
    for constant in &constants {
        assert_eq!(lab.env.get(constant.name).unwrap().as_deref(), Some(constant));
    }
    assert!(lab.env.add_quotients(&constants).unwrap_err().to_string().contains("the name is taken"));
}

#[test]
fn others_are_refused() {
    let mut lab = Lab::furnished();
    let right = usual(&mut lab);
    for place in 0..4 {
        let mut missing = right.clone();
        missing.remove(place);
        assert!(lab.env.add_quotients(&missing).unwrap_err().to_string().contains("they come together"));
        let mut other = right.clone();
        other[place].ty = lab.term("Prop");
        assert!(lab.env.add_quotients(&other).unwrap_err().to_string().contains("the kernel's constant"));
        let mut kind = right.clone();
        kind[place].kind = right[(place + 1) % 4].kind.clone();
        assert!(lab.env.add_quotients(&kind).unwrap_err().to_string().contains("the kernel's constant"));
        let mut params = right.clone();
        params[place].level_params.reverse();
        params[place].level_params.push(right[0].name);
        lab.env.add_quotients(&params).unwrap_err();
    }
    let mut extra = right.clone();
    extra.push(lab.definition("Quot.sound", &[], "Prop", "True"));
    assert!(lab.env.add_quotients(&extra).unwrap_err().to_string().contains("none of the four"));
}

#[test]
fn equality_must_be_the_usual_one() {
    let mut lab = Lab::new();
    let constants = usual(&mut lab);
    assert!(lab.env.add_quotients(&constants).unwrap_err().to_string().contains("need the usual `Eq`"));
    // Everything is equal.
    let all: &[_] = &[(
        "Eq",
        "forall (A : Sort u) (a b : A), Prop",
        &[("Eq.refl", "forall (A : Sort u) (a b : A), Eq.{u} A a b")][..],
    )];
    lab.add(&["u"], 2, all);
    assert!(lab.env.add_quotients(&constants).unwrap_err().to_string().contains("need the usual `Eq`"));
    let mut lab = Lab::new();
    let constants = usual(&mut lab);
    let (name, ty, refl) = (EQ[0].0, EQ[0].1, EQ[0].2[0]);
    let more = [refl, ("Eq.more", "forall (A : Sort u) (a b : A), Eq.{u} A a b")];
    lab.add(&["u"], 2, &[(name, ty, &more)]);
    assert!(lab.env.add_quotients(&constants).unwrap_err().to_string().contains("need the usual `Eq`"));
}
