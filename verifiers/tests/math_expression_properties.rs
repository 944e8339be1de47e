//! What must hold of `math` for any expression: formulas are made at random, and rewritten in ways that keep or change
//! their value.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use polestar_verifiers::{Budget, RawItem, configure};
use proptest::prelude::*;
use serde_json::Value;

/// How an answer is judged by a reference; none where the reference is none.
fn kind(reference: &str, answer: &str) -> Option<&'static str> {
    let item = RawItem { id: "p".into(), reference: reference.into(), ..RawItem::default() };
    let judge = configure("math", &Value::Null).unwrap().bind(item).ok()?;
    let response = format!(r"\boxed{{{answer}}}");
    Some(judge.judge(&response.as_str().into(), &Budget::starting_now(Duration::from_secs(60))).kind_name())
}

/// A formula in brackets, so that it can stand in any other.
fn formula() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (0..200_u32).prop_map(|n| n.to_string()),
        (1..50_u32, 2..9_u32).prop_map(|(a, b)| format!(r"\frac{{{a}}}{{{b}}}")),
        (1..50_u32, 1..99_u32).prop_map(|(a, b)| format!("{a}.{b}")),
        prop::sample::select(vec!["x", "y", "n_1", r"\pi", "e", r"\alpha"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}+{b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}-{b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!(r"{a} \cdot {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!(r"\frac{{{a}}}{{{b}}}")),
            inner.clone().prop_map(|a| format!(r"\sqrt{{{a}}}")),
            inner.clone().prop_map(|a| format!(r"\left|{a}\right|")),
            (inner, 1..4_u32).prop_map(|(a, n)| format!("({a})^{n}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_formula_is_itself(a in formula()) {
        prop_assert!(matches!(kind(&a, &a), None | Some("right")), "{}: {:?}", a, kind(&a, &a));
    }

    #[test]
    fn equality_is_symmetric(a in formula(), b in formula()) {
        if let (Some(there), Some(back)) = (kind(&a, &b), kind(&b, &a)) {
            prop_assert_eq!(there, back, "{} {}", a, b);
        }
    }

    #[test]
    fn rewriting_keeps_the_value(a in formula(), b in formula(), n in 2..9_u32) {
        let pairs = [
            (format!("({a})+({b})"), format!("({b})+({a})")),
            (format!(r"({a}) \cdot ({b})"), format!("({b})({a})")),
            (format!("({a})-({b})"), format!("-(({b})-({a}))")),
            (format!("{n}({a}+{b})"), format!(r"{n} \cdot ({a}) + {n} \cdot ({b})")),
            (format!("({a}+{b})^2"), format!(r"({a})^2 + 2({a})({b}) + ({b})^2")),
            (a.clone(), format!(r"\frac{{{n}({a})}}{{{n}}}")),
            (a.clone(), format!(r"{a} + 0")),
        ];
        for (one, other) in pairs {
            let found = kind(&one, &other);
            prop_assert!(matches!(found, None | Some("right")), "{} = {}: {:?}", one, other, found);
        }
    }

    #[test]
    fn what_is_added_counts(a in formula(), n in 1..999_u32) {
        for other in [format!("({a}) + {n}"), format!(r"({a}) - \frac{{{n}}}{{1000000}}"), format!("({a}) + x^{n}")] {
            prop_assert_ne!(kind(&a, &other), Some("right"), "{} is not {}", a, other);
        }
    }

    #[test]
    fn members_keep_their_order_in_a_tuple_only(a in formula(), b in formula()) {
        let same = kind(&a, &b) == Some("right");
        let swapped = (format!("({a}, {b})"), format!("({b}, {a})"));
        if let Some(found) = kind(&swapped.0, &swapped.1) {
            prop_assert_eq!(found == "right", same, "{:?}", swapped);
        }
        let sets = (format!(r"\{{{a}, {b}\}}"), format!(r"\{{{b}, {a}\}}"));
        prop_assert!(matches!(kind(&sets.0, &sets.1), None | Some("right")), "{:?}", sets);
        prop_assert_ne!(kind(&swapped.0, &sets.0), Some("right"));
    }
}
