//! Declarations made to use up time, memory or stack.

use super::super::block::{ConstructorDeclaration, Declaration, TypeDeclaration};
use super::super::generate::generate;
use super::lab::Lab;
use crate::kernel::{Budget, Exhausted, KernelError};
use crate::terms::ExprId;

/// What becomes of the type `T : Type` with one constructor of the type that `build` makes of `T`.
fn generated(lab: &mut Lab, build: impl FnOnce(&mut Lab, ExprId) -> ExprId) -> Result<usize, KernelError> {
    let (name, mk, ty, constant) = (lab.name("T"), lab.name("T.mk"), lab.term("Type"), lab.term("T"));
    let constructors = vec![ConstructorDeclaration { name: mk, ty: build(lab, constant) }];
    let types = vec![TypeDeclaration { name, ty, constructors }];
    let declaration = Declaration { level_params: Vec::new(), num_params: 0, types };
    generate(&mut lab.env, &declaration).map(|made| made.recursors.len())
}

fn exhausted(result: Result<usize, KernelError>) -> Exhausted {
    match result {
        Err(KernelError::Exhausted { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn many_fields_end_at_the_depth_that_is_allowed() {
    let mut lab = Lab::furnished();
    let nat = lab.term("Nat");
    let result = generated(&mut lab, |lab, t| (0..50_000).fold(t, |body, _| lab.env.terms.pi(nat, body)));
    assert!(result.is_err());
    let result = generated(&mut lab, |lab, t| {
        // Each field depends on the one before.
        let (eq, zero) = (lab.term("Eq.{1} Nat"), lab.env.terms.bvar(0));
        let same = lab.env.terms.apps(eq, &[zero, zero]);
        let body = (0..50_000).fold(t, |body, _| lab.env.terms.pi(same, body));
        lab.env.terms.pi(nat, body)
    });
    assert!(result.is_err());
}

#[test]
fn deep_terms_end_at_the_depth_that_is_allowed() {
    let mut lab = Lab::furnished();
    let list = lab.term("List.{0}");
    let result = generated(&mut lab, |lab, t| {
        let deep = (0..100_000).fold(t, |inner, _| lab.env.terms.app(list, inner));
        lab.env.terms.pi(deep, t)
    });
    assert_eq!(exhausted(result), Exhausted::Depth);
    let before = lab.env.budget();
    lab.env.set_budget(Budget { steps: 200_000, ..before });
    let result = generated(&mut lab, |lab, t| {
        let deep = (0..100_000).fold(t, |inner, _| lab.env.terms.pi(inner, inner));
        lab.env.terms.pi(deep, t)
    });
    assert_eq!(exhausted(result), Exhausted::Steps);
}

/// A term of 2^40 parts, each of which is there once.
#[test]
fn shared_terms_are_looked_at_once() {
    let mut lab = Lab::furnished();
    let prod = lab.term("Prod.{0, 0}");
    let leaf = lab.term("Nat");
    let result = generated(&mut lab, |lab, t| {
        let wide = (0..40).fold(leaf, |inner, _| lab.env.terms.apps(prod, &[inner, inner]));
        lab.env.terms.pi(wide, t)
    });
    assert_eq!(result, Ok(1));
    let result = generated(&mut lab, |lab, t| {
        let wide = (0..40).fold(t, |inner, _| lab.env.terms.apps(prod, &[inner, inner]));
        lab.env.terms.pi(wide, t)
    });
    assert_eq!(result, Ok(41));
    // Under binders, where the same term stands at many depths.
    let result = generated(&mut lab, |lab, t| {
        let wide = (0..40).fold(t, |inner, _| lab.env.terms.pi(leaf, inner));
        let wide = (0..40).fold(wide, |inner, _| lab.env.terms.apps(prod, &[inner, inner]));
        lab.env.terms.pi(wide, t)
    });
    assert_eq!(result, Ok(41));
}

#[test]
fn recursors_of_many_constructors_cost_steps() {
    let mut lab = Lab::furnished();
    let names: Vec<String> = (0..3_000).map(|number| format!("T.c{number}")).collect();
    let constructors: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "T")).collect();
    let before = lab.env.budget();
    lab.env.set_budget(Budget { steps: 200_000, ..before });
    let problem = lab.try_block(&[], 0, &[("T", "Type", &constructors)]);
    assert!(matches!(problem, Err(KernelError::Exhausted { what: Exhausted::Steps, .. })));
    lab.env.set_budget(before);
    // It was the budget, nothing is wrong with it.
    assert_eq!(lab.block(&[], 0, &[("T", "Type", &constructors[..60])]).recursors.len(), 1);
}

#[test]
fn memory_is_counted() {
    let mut lab = Lab::furnished();
    let names: Vec<String> = (0..3_000).map(|number| format!("T.c{number}")).collect();
    let constructors: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "T")).collect();
    let max_nodes = lab.env.terms.num_nodes() + 20_000;
    lab.env.set_budget(Budget::new(u64::MAX, max_nodes, 400));
    let problem = lab.try_block(&[], 0, &[("T", "Type", &constructors)]);
    assert!(matches!(problem, Err(KernelError::Exhausted { what: Exhausted::Memory, .. })));
}
