//! Programs at random: what the kernel finds equal is equal, by a meaning that knows nothing of the kernel.

use std::fmt::Write;

use proptest::prelude::*;

use super::{add, are_equal, environment};
use crate::kernel::Environment;

/// A program that gives a number. Variables are counted from the innermost binder, round and round.
#[derive(Debug, Clone)]
enum Number {
    Literal(u8),
    Variable(usize),
    Successor(Box<Number>),
    Sum(Box<Number>, Box<Number>),
    /// From a first number on, as often as the last says; the step has the count and the number before as variables.
    Repeat(Box<Number>, Box<Number>, Box<Number>),
    If(Box<Number>, Box<Number>, Box<Number>),
    Let(Box<Number>, Box<Number>),
    Applied(Box<Number>, Box<Number>),
    First(Box<Pair>),
    Second(Box<Pair>),
    /// What takes a pair apart has its parts as variables.
    Taken(Box<Pair>, Box<Number>),
    /// Cast along an equation of equal sides: one that is shown, or a variable's.
    Cast(Box<Number>, Box<Number>),
    /// Out of a quotient by equality.
    Quotient(Box<Number>),
}

#[derive(Debug, Clone)]
enum Pair {
    Made(Box<Number>, Box<Number>),
    Swapped(Box<Pair>),
    /// Taken apart and put together again.
    Again(Box<Pair>),
    Let(Box<Number>, Box<Pair>),
}

/// A number that is greater is not computed: there would be no end of it.
const GREATEST: u64 = 60;

impl Number {
    /// What it means where the variables have these values, the innermost last; `None` where that is too great.
    fn value(&self, scope: &mut Vec<u64>) -> Option<u64> {
        let with = |scope: &mut Vec<u64>, values: &[u64], body: &Self| {
            scope.extend(values);
            let value = body.value(scope);
            scope.truncate(scope.len() - values.len());
            value
        };
        let value = match self {
            Self::Literal(value) => u64::from(*value),
            Self::Variable(index) => variable(scope, *index)?,
            Self::Successor(of) => of.value(scope)? + 1,
            Self::Sum(a, b) => a.value(scope)? + b.value(scope)?,
            Self::Repeat(first, step, times) => {
                let (mut value, times) = (first.value(scope)?, times.value(scope)?);
                for count in 0..times {
                    value = with(scope, &[count, value], step)?;
                }
                value
            }
            Self::If(zero, then, other) => match zero.value(scope)? {
                0 => then.value(scope)?,
                _ => other.value(scope)?,
            },
            Self::Let(value, body) | Self::Applied(value, body) => {
                let value = value.value(scope)?;
                with(scope, &[value], body)?
            }
            Self::First(pair) => pair.value(scope)?.0,
            Self::Second(pair) => pair.value(scope)?.1,
            Self::Taken(pair, body) => {
                let (a, b) = pair.value(scope)?;
                with(scope, &[a, b], body)?
            }
            Self::Cast(of, _) | Self::Quotient(of) => of.value(scope)?,
        };
        (value <= GREATEST).then_some(value)
    }

    fn text(&self, depth: usize) -> String {
        let under = |body: &Self, more: usize| body.text(depth + more);
        let (one, two) = (depth, depth + 1);
        match self {
            Self::Literal(value) => value.to_string(),
            Self::Variable(index) if depth > 0 => format!("v{}", depth - 1 - index % depth),
            Self::Variable(_) => "1".to_owned(),
            Self::Successor(of) => format!("(Nat.succ {})", of.text(depth)),
            Self::Sum(a, b) => format!("(Nat.add {} {})", a.text(depth), b.text(depth)),
            Self::Repeat(first, step, times) => format!(
                "(Nat.rec.{{1}} (fun (n : Nat) => Nat) {} (fun (v{one} : Nat) (v{two} : Nat) => {}) {})",
                first.text(depth),
                under(step, 2),
                times.text(depth)
            ),
            Self::If(zero, then, other) => format!(
                "(Bool.rec.{{1}} (fun (b : Bool) => Nat) {} {} (isZero {}))",
                other.text(depth),
                then.text(depth),
                zero.text(depth)
            ),
            Self::Let(value, body) => {
                format!("(let v{one} : Nat := {}; {})", value.text(depth), under(body, 1))
            }
            Self::Applied(value, body) => {
                format!("((fun (v{one} : Nat) => {}) {})", under(body, 1), value.text(depth))
            }
            Self::First(pair) => format!("(#Prod 0 {})", pair.text(depth)),
            Self::Second(pair) => format!("(#Prod 1 {})", pair.text(depth)),
            Self::Taken(pair, body) => format!(
                "(Prod.rec.{{1, 0}} Nat Nat (fun (p : Prod.{{0}} Nat Nat) => Nat)
                    (fun (v{one} : Nat) (v{two} : Nat) => {}) {})",
                under(body, 2),
                pair.text(depth)
            ),
            Self::Cast(of, side) => {
                let side = side.text(depth);
                let mut text = String::new();
                // The same side, written in another way: the proof is not looked at.
                let _ = write!(
                    text,
                    "(Eq.rec.{{1, 1}} Nat {side} (fun (n : Nat) (h : Eq.{{1}} Nat {side} n) => Nat)"
                );
                let _ = write!(text, " {} (Nat.add {side} 0) (anyProof {side}))", of.text(depth));
                text
            }
            Self::Quotient(of) => format!("(out (Quot.mk.{{1}} Nat same {}))", of.text(depth)),
        }
    }
}

impl Pair {
    fn value(&self, scope: &mut Vec<u64>) -> Option<(u64, u64)> {
        Some(match self {
            Self::Made(a, b) => (a.value(scope)?, b.value(scope)?),
            Self::Swapped(pair) => {
                let (a, b) = pair.value(scope)?;
                (b, a)
            }
            Self::Again(pair) => pair.value(scope)?,
            Self::Let(value, body) => {
                let value = value.value(scope)?;
                scope.push(value);
                let pair = body.value(scope);
                scope.pop();
                pair?
            }
        })
    }

    fn text(&self, depth: usize) -> String {
        match self {
            Self::Made(a, b) => format!("(Prod.mk.{{0}} Nat Nat {} {})", a.text(depth), b.text(depth)),
            Self::Swapped(pair) => format!("(swap {})", pair.text(depth)),
            Self::Again(pair) => {
                let pair = pair.text(depth);
                format!("(Prod.mk.{{0}} Nat Nat (#Prod 0 {pair}) (#Prod 1 {pair}))")
            }
            Self::Let(value, body) => {
                format!("(let v{depth} : Nat := {}; {})", value.text(depth), body.text(depth + 1))
            }
        }
    }
}

fn variable(scope: &[u64], index: usize) -> Option<u64> {
    if scope.is_empty() { Some(1) } else { scope.get(scope.len() - 1 - index % scope.len()).copied() }
}

fn any_pair(number: BoxedStrategy<Number>) -> BoxedStrategy<Pair> {
    let made = (number.clone(), number.clone()).prop_map(|(a, b)| Pair::Made(Box::new(a), Box::new(b)));
    made.prop_recursive(2, 4, 1, move |inner| {
        prop_oneof![
            inner.clone().prop_map(|pair| Pair::Swapped(Box::new(pair))),
            inner.clone().prop_map(|pair| Pair::Again(Box::new(pair))),
            (number.clone(), inner).prop_map(|(value, body)| Pair::Let(Box::new(value), Box::new(body))),
        ]
    })
    .boxed()
}

fn any_number() -> BoxedStrategy<Number> {
    let leaf = prop_oneof![(0..4u8).prop_map(Number::Literal), (0..4usize).prop_map(Number::Variable)];
    let tree = leaf.prop_recursive(4, 24, 3, |inner| {
        let boxed = inner.clone().prop_map(Box::new).boxed();
        let pair = any_pair(inner.boxed()).prop_map(Box::new).boxed();
        let two = (boxed.clone(), boxed.clone());
        let three = (boxed.clone(), boxed.clone(), boxed.clone());
        prop_oneof![
            boxed.clone().prop_map(Number::Successor),
            two.clone().prop_map(|(a, b)| Number::Sum(a, b)),
            three.clone().prop_map(|(a, b, c)| Number::Repeat(a, b, c)),
            three.prop_map(|(a, b, c)| Number::If(a, b, c)),
            two.clone().prop_map(|(a, b)| Number::Let(a, b)),
            two.clone().prop_map(|(a, b)| Number::Applied(a, b)),
            pair.clone().prop_map(Number::First),
            pair.clone().prop_map(Number::Second),
            (pair, boxed.clone()).prop_map(|(pair, body)| Number::Taken(pair, body)),
            two.prop_map(|(a, b)| Number::Cast(a, b)),
            boxed.prop_map(Number::Quotient),
        ]
    });
    tree.boxed()
}

fn with_functions() -> Environment<'static> {
    let mut env = environment();
    for text in [
        "def isZero : Nat -> Bool := fun (n : Nat) =>
            Nat.rec.{1} (fun (n : Nat) => Bool) Bool.true (fun (k : Nat) (r : Bool) => Bool.false) n",
        "def swap : Prod.{0} Nat Nat -> Prod.{0} Nat Nat := fun (p : Prod.{0} Nat Nat) =>
            Prod.mk.{0} Nat Nat (#Prod 1 p) (#Prod 0 p)",
        "axiom anyProof : (n : Nat) -> Eq.{1} Nat n n",
        "def same : Nat -> Nat -> Prop := fun (a : Nat) (b : Nat) => Eq.{1} Nat a b",
        "def out : Quot.{1} Nat same -> Nat := fun (q : Quot.{1} Nat same) =>
            Quot.lift.{1, 1} Nat same Nat (fun (n : Nat) => n) (fun (a : Nat) (b : Nat) (h : same a b) => h) q",
    ] {
        add(&mut env, text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
    env
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Programs without arguments: equal if and only if they mean the same.
    #[test]
    fn programs_compute_what_they_mean(a in any_number(), b in any_number()) {
        let values = (a.value(&mut Vec::new()), b.value(&mut Vec::new()));
        let (Some(a_value), Some(b_value)) = values else { return Ok(()) };
        let mut env = with_functions();
        let (a_text, b_text) = (a.text(0), b.text(0));
        prop_assert!(are_equal(&mut env, &a_text, &a_value.to_string()), "{a_text} is {a_value}");
        prop_assert!(!are_equal(&mut env, &a_text, &(a_value + 1).to_string()), "{a_text} is {a_value}");
        prop_assert_eq!(are_equal(&mut env, &a_text, &b_text), a_value == b_value, "{} {}", a_text, b_text);
        prop_assert_eq!(are_equal(&mut env, &b_text, &a_text), a_value == b_value, "{} {}", b_text, a_text);
    }

    /// Programs of two arguments: equal only if they mean the same whatever those are, and equal to themselves written
    /// otherwise.
    #[test]
    fn what_is_equal_means_the_same_for_all_arguments(a in any_number(), b in any_number()) {
        let mut env = with_functions();
        let whole = |number: &Number| format!("fun (v0 : Nat) (v1 : Nat) => {}", number.text(2));
        // The arguments by way of a pair, out of which they come under the same names.
        let otherwise = format!(
            "fun (v0 : Nat) (v1 : Nat) => Prod.rec.{{1, 0}} Nat Nat (fun (p : Prod.{{0}} Nat Nat) => Nat)
                (fun (v0 : Nat) (v1 : Nat) => {}) (swap (Prod.mk.{{0}} Nat Nat v1 v0))",
            a.text(2)
        );
        prop_assert!(are_equal(&mut env, &whole(&a), &otherwise), "{}", otherwise);
        prop_assert!(are_equal(&mut env, &otherwise, &whole(&a)), "{}", otherwise);
        for (a, b) in [(&a, &b), (&b, &a)] {
            if !are_equal(&mut env, &whole(a), &whole(b)) {
                continue;
            }
            for (x, y) in (0..4).flat_map(|x| (0..4).map(move |y| (x, y))) {
                let values = (a.value(&mut vec![x, y]), b.value(&mut vec![x, y]));
                if let (Some(a_value), Some(b_value)) = values {
                    prop_assert_eq!(a_value, b_value, "{} {} at {} {}", whole(a), whole(b), x, y);
                }
            }
        }
    }
}
