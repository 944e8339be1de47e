//! Universe levels: against the truth, computed for all small choices of the parameters.

use proptest::prelude::*;

use super::super::budget::Meter;
use super::super::levels::{equal, leq};
use super::{BUDGET, text};
use crate::terms::{Level, LevelId, NameId, Terms};

fn is_leq(a: &str, b: &str) -> bool {
    let mut terms = Terms::new();
    let (a, b) = (text::level(&mut terms, a), text::level(&mut terms, b));
    leq(&terms, &mut Meter::new(BUDGET), a, b).unwrap()
}

fn is_equal(a: &str, b: &str) -> bool {
    is_leq(a, b) && is_leq(b, a)
}

#[test]
fn a_successor_in_an_imax_counts() {
    assert!(!is_equal("imax 0 v", "(imax 0 v)+1"));
    assert!(!is_leq("(imax 0 v)+1", "imax 0 v"));
    assert!(is_leq("imax 0 v", "(imax 0 v)+1"));
}

#[test]
fn known_equations_hold() {
    assert!(is_equal("imax u (v+1)", "max u (v+1)"));
    assert!(is_equal("imax u u", "u"));
    assert!(is_equal("imax 1 0", "0"));
    assert!(is_equal("imax u (imax v w)", "imax (max u v) w"));
    assert!(is_equal("imax u (max v w)", "max (imax u v) (imax u w)"));
    assert!(is_equal("max u (imax u v)", "max u v"));
    assert!(is_equal("(max u v)+1", "max (u+1) (v+1)"));
}

#[test]
fn other_equations_do_not() {
    assert!(!is_equal("imax u v", "max u v"));
    assert!(!is_equal("u", "u+1"));
    assert!(!is_leq("u", "v"));
    assert!(!is_leq("max u 1", "u"));
    assert!(!is_leq("u+1", "imax (u+1) v"));
    assert!(!is_leq("1", "u"));
}

#[test]
fn deep_levels_exhaust_the_budget() {
    let mut terms = Terms::new();
    let u = text::level(&mut terms, "u");
    let deep = (0..5_000).fold(u, |level, _| terms.succ(level));
    assert!(leq(&terms, &mut Meter::new(BUDGET), deep, u).is_err());
}

/// Levels that share their parts have far more atoms than nodes, and those are not compared each with each.
#[test]
fn levels_of_many_atoms_are_compared_in_no_time() {
    let mut terms = Terms::new();
    let mut tree = |param: &str| {
        let leaf = text::level(&mut terms, param);
        (0..17).fold(leaf, |level, _| {
            let above = terms.succ(level);
            terms.max(level, above)
        })
    };
    let (u, v) = (tree("u"), tree("v"));
    let both = terms.max(v, u);
    assert!(leq(&terms, &mut Meter::new(BUDGET), u, both).unwrap());
    assert!(!leq(&terms, &mut Meter::new(BUDGET), both, u).unwrap());
}

/// Small levels over three parameters.
fn any_level() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![Just(Shape::Zero), (0..3usize).prop_map(Shape::Param)];
    leaf.prop_recursive(5, 24, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| Shape::Succ(Box::new(a))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Shape::Max(Box::new(a), Box::new(b))),
            (inner.clone(), inner).prop_map(|(a, b)| Shape::IMax(Box::new(a), Box::new(b))),
        ]
    })
}

#[derive(Debug, Clone)]
enum Shape {
    Zero,
    Param(usize),
    Succ(Box<Shape>),
    Max(Box<Shape>, Box<Shape>),
    IMax(Box<Shape>, Box<Shape>),
}

impl Shape {
    fn build(&self, terms: &mut Terms) -> LevelId {
        match self {
            Self::Zero => LevelId::ZERO,
            Self::Param(index) => {
                let name = terms.num_name(NameId::ANONYMOUS, *index as u64);
                terms.param(name)
            }
            Self::Succ(a) => {
                let a = a.build(terms);
                terms.succ(a)
            }
            Self::Max(a, b) => {
                let (a, b) = (a.build(terms), b.build(terms));
                terms.max(a, b)
            }
            Self::IMax(a, b) => {
                let (a, b) = (a.build(terms), b.build(terms));
                terms.imax(a, b)
            }
        }
    }

    fn value(&self, params: [u32; 3]) -> u32 {
        match self {
            Self::Zero => 0,
            Self::Param(index) => params[*index],
            Self::Succ(a) => a.value(params) + 1,
            Self::Max(a, b) => a.value(params).max(b.value(params)),
            Self::IMax(a, b) => match b.value(params) {
                0 => 0,
                b => a.value(params).max(b),
            },
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// Levels of this depth differ, if at all, for parameters of at most 8.
    #[test]
    fn leq_is_the_truth(a in any_level(), b in any_level()) {
        let mut terms = Terms::new();
        let (left, right) = (a.build(&mut terms), b.build(&mut terms));
        let choices = (0..9u32).flat_map(|x| (0..9u32).flat_map(move |y| (0..9u32).map(move |z| [x, y, z])));
        let truth = choices.clone().all(|choice| a.value(choice) <= b.value(choice));
        let found = leq(&terms, &mut Meter::new(BUDGET), left, right).unwrap();
        prop_assert_eq!(found, truth);
        let same = choices.clone().all(|choice| a.value(choice) == b.value(choice));
        prop_assert_eq!(equal(&terms, &mut Meter::new(BUDGET), left, right).unwrap(), same);
    }
}

#[test]
fn equal_levels_have_equal_ids() {
    let mut terms = Terms::new();
    let (a, b) = (text::level(&mut terms, "max u (v+1)"), text::level(&mut terms, "max u (v+1)"));
    assert_eq!(a, b);
    assert!(matches!(terms.level(a), Level::Max(..)));
    assert!(terms.level_has_param(a));
    assert_eq!(terms.level_depth(a), 2);
    assert_eq!(terms.show_level(a), "max u (v+1)");
}
