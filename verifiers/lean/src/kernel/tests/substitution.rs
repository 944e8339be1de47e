//! Substitution, and what the arena knows of terms.

use super::super::budget::{Exhausted, Meter};
use super::super::subst;
use super::{BUDGET, text};
use crate::terms::{ExprId, Terms};

fn instantiate(terms: &mut Terms, e: ExprId, values: &[ExprId]) -> ExprId {
    subst::instantiate(terms, &mut Meter::new(BUDGET), e, values).unwrap()
}

#[test]
fn the_last_value_replaces_the_innermost_variable() {
    let mut terms = Terms::new();
    let (zero, one, two) = (terms.bvar(0), terms.bvar(1), terms.bvar(2));
    let body = terms.apps(zero, &[one, two]);
    let (a, b) = (text::term(&mut terms, "a"), text::term(&mut terms, "b"));
    let made = instantiate(&mut terms, body, &[a, b]);
    let expected = terms.apps(b, &[a, zero]);
    assert_eq!(made, expected);
}

#[test]
fn values_are_put_below_binders() {
    let mut terms = Terms::new();
    let open = text::term(&mut terms, "fun (x : T) => fun (y : T) => f x y");
    let crate::terms::Expr::Lam(_, inner) = terms.expr(open) else { panic!("a function") };
    assert_eq!(terms.loose_bvar_range(inner), 1);
    let value = text::term(&mut terms, "c");
    let made = instantiate(&mut terms, inner, &[value]);
    assert_eq!(made, text::term(&mut terms, "fun (y : T) => f c y"));
    assert_eq!(terms.loose_bvar_range(made), 0);
}

#[test]
fn abstraction_undoes_instantiation() {
    let mut terms = Terms::new();
    let open = text::term(&mut terms, "fun (x : T) => fun (y : T x) => (z : T y) -> f x y z");
    let crate::terms::Expr::Lam(_, inner) = terms.expr(open) else { panic!("a function") };
    let crate::terms::Expr::Lam(_, inner) = terms.expr(inner) else { panic!("a function") };
    let locals = [terms.fvar(7), terms.fvar(3)];
    let made = instantiate(&mut terms, inner, &locals);
    assert!(terms.has_fvar(made));
    let places = locals.into_iter().zip(0..).collect();
    let back = subst::abstract_first(&mut terms, &mut Meter::new(BUDGET), made, &places, 2).unwrap();
    assert_eq!(back, inner);
}

#[test]
fn levels_are_put_everywhere() {
    let mut terms = Terms::new();
    let e = text::term(&mut terms, "(A : Sort.{imax u v}) -> c.{u+1, v} A");
    let params = [text::name(&mut terms, "u"), text::name(&mut terms, "v")];
    let levels = [text::level(&mut terms, "v"), text::level(&mut terms, "2")];
    let made =
        subst::instantiate_level_params(&mut terms, &mut Meter::new(BUDGET), e, &params, &levels).unwrap();
    assert_eq!(made, text::term(&mut terms, "(A : Sort.{imax v 2}) -> c.{v+1, 2} A"));
}

#[test]
fn shared_terms_are_walked_once() {
    let mut terms = Terms::new();
    let mut e = terms.bvar(0);
    for _ in 0..200 {
        e = terms.app(e, e);
    }
    let value = text::term(&mut terms, "c");
    let mut meter = Meter::new(BUDGET);
    subst::instantiate(&mut terms, &mut meter, e, &[value]).unwrap();
    assert!(BUDGET.steps - meter.budget.steps < 20_000);
}

#[test]
fn deep_terms_exhaust_the_budget() {
    let mut terms = Terms::new();
    let mut e = terms.bvar(0);
    let c = text::term(&mut terms, "c");
    for _ in 0..2_000 {
        e = terms.app(c, e);
    }
    let found = subst::instantiate(&mut terms, &mut Meter::new(BUDGET), e, &[c]);
    assert_eq!(found, Err(Exhausted::Depth));
}

#[test]
fn names_are_written_as_lean_writes_them() {
    let mut terms = Terms::new();
    for text in ["Nat.add_comm", "«a b».x", "foo.1.bar", "α.h₁", "«1»", "«»", "a!?'", "_private.M.0.x"]
    {
        let name = terms.read_name(text).unwrap();
        assert_eq!(terms.show_name(name), text);
    }
    for text in ["", "a..b", "a.", ".a", "01", "a b", "«a", "a«b»", "1a"] {
        assert_eq!(terms.read_name(text), None, "{text}");
    }
    let one = terms.num_name(crate::terms::NameId::ANONYMOUS, 1);
    let text_one = terms.str_name(crate::terms::NameId::ANONYMOUS, "1");
    assert_ne!(one, text_one);
}

#[test]
fn shown_terms_are_short() {
    let mut terms = Terms::new();
    let mut e = text::term(&mut terms, "Nat");
    for _ in 0..100_000 {
        e = terms.app(e, e);
    }
    assert!(terms.show(e).len() < 2_000);
    let e = text::term(&mut terms, "(x : Sort.{u+1}) -> (Prop -> True) -> f.{u} x (fun (y : x) => #And 0 y)");
    assert_eq!(terms.show(e), "(x0 : Type u) → (x1 : Prop → True) → f.{u} x0 (fun (x2 : x0) => x2.1)");
}
