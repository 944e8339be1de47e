//! Which references `choice` and `text` take, what their errors say, and what they give as hints and for majority votes.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use polestar_verifiers::{Judge, RawItem, VerifierError, configure};
use serde_json::{Value, json};

fn bind(kind: &str, reference: Value) -> Result<Arc<dyn Judge>, VerifierError> {
    configure(kind, &Value::Null).unwrap().bind(RawItem { id: "p".into(), reference, ..RawItem::default() })
}

fn error(kind: &str, reference: Value) -> String {
    match bind(kind, reference.clone()) {
        Ok(_) => panic!("{reference} was taken"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn bad_references_of_choice_say_what_was_expected() {
    let cases = [
        (json!({"answer": "F", "options": ["1", "2"]}), "one option (A to B), found \"F\""),
        (json!({"answer": "three", "options": ["1", "2"]}), "the letter or the text of one option"),
        (
            json!({"answer": "x", "options": ["x", "x", "y"]}),
            "several options have the text \"x\"; give the letter",
        ),
        (json!({"answer": "A and B", "options": ["x", "y"]}), "names several"),
        (json!({"answer": "(A) y", "options": ["x", "y"]}), "those of two options"),
        (json!({"answer": "", "options": ["x", "y"]}), "found \"\""),
        (json!({"answer": "seven"}), "found \"seven\""),
        (json!({"answer": null}), "an option's letter or text, found null"),
        (json!({"answer": "A", "options": []}), "from 1 to 26 of them, found 0"),
        (json!({"answer": "A", "options": vec!["x"; 27]}), "found 27"),
        (json!({"answer": "A", "options": "x, y"}), "or a list of texts, found"),
        (json!({"answer": "A", "options": {"A": "x", "1": "y"}}), "letters from A to Z, found \"1\""),
        (json!({"answer": "A", "options": {"A": "x", "(a)": "y"}}), "two options with the letter A"),
        (json!({"answer": "A", "options": {"A": " ", "B": "y"}}), "the text of option A is empty"),
        (json!({"answer": "A", "options": ["x", ["y"]]}), "an option must be a text, found [\"y\"]"),
        (json!({"answer": "A", "options": [{"label": "A"}]}), "must have \"label\" and \"text\""),
        (json!({"answer": "A", "options": ["x", "y".repeat(5000)]}), "found one of 5000"),
        (json!({"answer": "A", "choices": ["x"]}), "unknown field `choices`"),
        (json!({"options": ["x", "y"]}), "missing field `answer`"),
        (json!(["A"]), "an object with \"answer\""),
    ];
    for (reference, expected) in cases {
        let error = error("choice", reference.clone());
        assert!(error.contains(expected) && error.contains("`p`"), "{reference}: {error}");
    }
}

#[test]
fn bad_references_of_text_say_what_was_expected() {
    let cases = [
        (json!({"answer": "maybe", "type": "yesno"}), "must be yes or no, found \"maybe\""),
        (json!({"answer": "yes", "type": "bool"}), "must be true or false, found \"yes\""),
        (json!({"answer": "true", "type": "validity"}), "must be valid or invalid"),
        (json!({"answer": "8.5", "type": "int"}), "must be an integer, found \"8.5\""),
        (json!({"answer": "a ]", "type": "brackets"}), "must be a sequence of brackets"),
        (json!({"answer": ", ,", "type": "words"}), "must be a list of words"),
        (json!({"answer": "yes", "type": "yes-no"}), "unknown variant `yes-no`, expected one of `yesno`"),
        (json!({"answers": ["yes", "perhaps"]}), "must be yes or no, found \"perhaps\""),
        (json!({"answer": "  "}), "an answer is empty"),
        (json!({"answers": []}), "at least one text, is missing"),
        (json!({}), "is missing"),
        (json!({"answer": 8.5}), "a text, an integer or true or false, found 8.5"),
        (json!({"answer": {"a": 1}}), "found {\"a\":1}"),
        (json!({"answer": "x".repeat(5000)}), "found 5000"),
    ];
    for (reference, expected) in cases {
        let error = error("text", reference.clone());
        assert!(error.contains(expected) && error.contains("`p`"), "{reference}: {error}");
    }
}

#[test]
fn the_type_follows_from_the_answer() {
    // What the answer given is judged as shows the type.
    let cases = [
        ("Yes", "it is", "is not yes or no"),
        ("FALSE", "it is", "is not true or false"),
        ("Invalid", "it is", "is not valid or invalid"),
        ("1,000", "it is", "is not an integer"),
        ("three", "it is", "is not an integer"),
        ("[ ] >", "it is", "is not a sequence of brackets"),
        ("a b", "it is", "it is is not a b"),
    ];
    for (reference, given, reason) in cases {
        let judge = bind("text", json!(reference)).unwrap();
        let budget = polestar_verifiers::Budget::starting_now(std::time::Duration::from_secs(60));
        let verdict = judge.judge(&format!(r"\boxed{{{given}}}").as_str().into(), &budget);
        assert!(verdict.reason().contains(reason), "{reference}: {}", verdict.reason());
    }
}

#[test]
fn the_hint_is_the_letter_or_the_answer() {
    let options = json!({"A": "x", "B": "y"});
    for answer in ["B", "(b)", "y", "B: y"] {
        let judge = bind("choice", json!({"answer": answer, "options": options})).unwrap();
        assert_eq!(judge.answer().as_deref(), Some("B"));
    }
    assert_eq!(bind("text", json!(" Monsters, Inc ")).unwrap().answer().as_deref(), Some("Monsters, Inc"));
    assert_eq!(bind("text", json!({"answer": true})).unwrap().answer().as_deref(), Some("True"));
}

#[test]
fn answers_that_are_the_same_have_one_canonical_form() {
    let choice = bind("choice", json!({"answer": "B", "options": {"A": "the red one", "B": "y"}})).unwrap();
    for same in ["A", "(a)", "the  RED one", "A: the red one", r"\text{(A)}"] {
        assert_eq!(choice.canonical(same), "A", "{same}");
    }
    assert_eq!(choice.canonical(" None  of it. "), "none of it");
    let text = bind("text", json!({"answers": ["New York", "NYC"]})).unwrap();
    assert_eq!(text.canonical("nyc"), text.canonical("**New York**"));
    assert_ne!(text.canonical("nyc"), text.canonical("Paris"));
    let int = bind("text", json!("8")).unwrap();
    assert_eq!(int.canonical("eight"), "8");
    assert_eq!(int.canonical("9 apples"), "9");
    assert_eq!(bind("text", json!("valid")).unwrap().canonical("not valid"), "invalid");
}
