//! References of `math`: what cannot be read is an error at load that names the problem and says what is expected.

#![allow(clippy::unwrap_used)]

use polestar_verifiers::{RawItem, configure};
use serde_json::{Value, json};

fn bind(reference: Value) -> Result<Option<String>, String> {
    let math = configure("math", &Value::Null).unwrap();
    let item = RawItem { id: "train-17".into(), reference, ..RawItem::default() };
    math.bind(item).map(|judge| judge.answer()).map_err(|error| error.to_string())
}

#[test]
fn a_reference_that_is_no_answer_is_an_error() {
    let cases = [
        (json!(""), "it is empty"),
        (json!("   "), "it is empty"),
        (json!("3/0"), "has no value"),
        (json!(r"\frac{1}{x-x}"), "has no value"),
        (json!(r"(1, 0^0)"), "has no value"),
        (json!("1e999999999"), "exponent of ten is beyond 1000"),
        (json!("9".repeat(2000)), "more than 1000 digits"),
        (json!("1+".repeat(50_000)), "at most 4096 are read"),
        (json!("(".repeat(1000)), "nested"),
        (json!(r"\frac{1}{2"), "a brace is never closed"),
        (json!("(1, 2"), "a bracket is never closed"),
        (json!(r"2 \heartsuit 3"), "not known"),
        (json!("1 2"), "more than one number"),
        (json!("2+"), "ends too early"),
        (json!(1e300), "write it as a text"),
        (json!(18_446_744_073_709_551_616.0), "write it as a text"),
        (json!(null), "an object with \"answer\""),
        (json!(true), "found true"),
        (json!(["42"]), "found [\"42\"]"),
        (json!({}), "missing field `answer`"),
        (json!({"answer": null}), "must be a text or a number"),
        (json!({"answer": "42", "unti": "cm"}), "unknown field `unti`"),
        (json!({"answer": "42", "form": "pretty"}), "expected `simplified`"),
        (json!({"answer": "(1, 2)", "unit": "cm"}), "no single number"),
        (json!({"answer": "42", "tolerance": -0.1}), "`tolerance` must be a number from 0 to below 1"),
        (json!({"answer": "42", "tolerance": 1}), "`tolerance` must be"),
        (json!({"answer": "42", "tolerance": "0.1"}), "`tolerance` must be"),
        (json!({"answer": "42", "unit": "3 cm"}), "`unit` must be a unit"),
        (json!({"answer": "42", "unit": ""}), "`unit` must be a unit"),
        (json!({"answer": "42 m", "unit": "cm"}), "has another unit"),
        (json!({"answer": "42", "unit": 3}), "expected a string"),
    ];
    for (reference, expected) in cases {
        let error = bind(reference.clone()).unwrap_err();
        assert!(error.contains("`train-17`") && error.contains(expected), "{reference}: {error}");
        assert!(error.len() < 1000, "{error}");
    }
}

#[test]
fn the_hint_is_the_answer_as_it_is_written() {
    let cases = [
        (json!("42"), "42"),
        (json!(" $1,200.50. "), "$1,200.50"),
        (json!(42), "42"),
        (json!(0.1), "0.1"),
        (json!({"answer": r"\frac{1}{2}"}), r"\frac{1}{2}"),
        (json!("48/2 = 24\n48+24 = 72\n#### 72"), "72"),
        (json!(r"so $\boxed{\frac34}$."), r"\frac34"),
        (json!({"answer": "5", "unit": "%"}), "5"),
    ];
    for (reference, expected) in cases {
        assert_eq!(bind(reference.clone()).unwrap().as_deref(), Some(expected), "{reference}");
    }
}

#[test]
fn answers_that_are_the_same_have_one_canonical_form() {
    let canonical = |reference: Value, extracted: &str| {
        let math = configure("math", &Value::Null).unwrap();
        let item = RawItem { reference, ..RawItem::default() };
        math.bind(item).unwrap().canonical(extracted)
    };
    for extracted in ["18", "$18", "18.0", r"\frac{36}{2}", "18 eggs", "**18**"] {
        assert_eq!(canonical(json!("18"), extracted), "18", "{extracted}");
        assert_eq!(canonical(json!("$20"), extracted).split(' ').next(), Some("18"), "{extracted}");
    }
    assert_eq!(canonical(json!("$20"), "18"), canonical(json!("$20"), "$18"));
    assert_ne!(canonical(json!("$20"), "18"), canonical(json!("$20"), "18 cm"));
    assert_eq!(canonical(json!("50%"), "0.5"), canonical(json!("50%"), "50"));
    assert_ne!(canonical(json!("18"), "7"), canonical(json!("18"), "7%"));
    let near = json!({"answer": "100", "tolerance": 0.01});
    assert_eq!(canonical(near.clone(), "100.5"), canonical(near, "99.5"));
    // What is no plain number stands for itself.
    assert_eq!(canonical(json!("18"), " 2 +  x"), "2 + x");
}
