//! What must hold of `choice` and `text` for any text.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use polestar_verifiers::{Budget, Judge, RawItem, Verdict, configure};
use proptest::prelude::*;
use serde_json::{Value, json};

fn bind(kind: &str, reference: &Value, options: &Value) -> Arc<dyn Judge> {
    let item = RawItem { id: "p".into(), reference: reference.clone(), ..RawItem::default() };
    configure(kind, options).unwrap().bind(item).unwrap()
}

fn judge(judge: &Arc<dyn Judge>, response: &str) -> Verdict {
    judge.judge(&response.into(), &Budget::starting_now(Duration::from_secs(60)))
}

const TEXTS: [&str; 5] = ["the red one", "not guilty", "Monsters, Inc", "3.5 km (or so)", "$x^2 - 1$"];

/// A judge of each sort, with and without the fallback.
fn judges() -> Vec<Arc<dyn Judge>> {
    let mut judges = Vec::new();
    for options in [Value::Null, json!({"fallback": "last"})] {
        judges.push(bind("choice", &json!({"answer": "B", "options": TEXTS}), &options));
        judges.push(bind("choice", &json!("B"), &options));
        for text in ["yes", "True", "invalid", "8", "] ]", "Monsters, Inc"] {
            judges.push(bind("text", &json!(text), &options));
        }
        judges.push(bind("text", &json!({"answer": "so as and maybe", "type": "words"}), &options));
    }
    judges
}

/// Text made of what answers are made of, so that rules meet more often than in random text.
fn answer_like() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        r"\boxed{",
        "}",
        "{",
        r"\text{",
        "#### ",
        "####",
        "The answer is ",
        "Answer:",
        "the correct choice is ",
        "not ",
        "maybe ",
        "No wait, ",
        "</think>",
        "<think>",
        "\n",
        " ",
        ". ",
        ", ",
        "(",
        ")",
        "A",
        "B",
        "a",
        "b",
        "(B)",
        "I",
        "or ",
        "and ",
        "yes",
        "no",
        "valid",
        "in",
        "True",
        "8",
        "-",
        "eight",
        "[",
        "]",
        "<",
        ">",
        "$",
        "**",
        "*",
        "\"",
        "’",
        "?",
        "!",
        r"\",
        r"\(",
        r"\)",
        r"\[",
        r"\]",
        "the red one",
        "not guilty",
        "Monsters, Inc",
        "so ",
        "because ",
        "I guess",
        "é",
        "\u{0}",
        "\u{130}",
        "ß",
        "<|",
        ";",
        "—",
        "the answer to it is ",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

/// The ways to give an option as the answer.
fn forms(letter: char, text: &str) -> Vec<String> {
    let small = letter.to_ascii_lowercase();
    vec![
        letter.to_string(),
        format!("({letter})"),
        format!("({small})"),
        format!("{letter}."),
        format!("{letter})"),
        format!("**{letter}**"),
        format!(r"\boxed{{{letter}}}"),
        format!(r"\boxed{{{small}}}"),
        format!(r"$\boxed{{\text{{({letter})}}}}$"),
        format!(r"\[\boxed{{\textbf{{{letter}: {text}}}}}\]"),
        format!("#### {letter}"),
        format!("#### ({letter}) {text}"),
        format!("{letter}: {text}"),
        format!("({letter}) {text}"),
        format!("{text}"),
        text.to_uppercase(),
        format!("The answer is {letter}."),
        format!("The answer is option {letter}."),
        format!("So the correct choice is **({letter})**."),
        format!("The answer is {text}."),
        format!("The answer is {text} ({small})."),
        format!("The answer is ({letter}) {text}, since it fits."),
        format!("Final answer: {letter} - {text}"),
        format!("Answer:\n\n{letter}. {text}"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in prop_oneof![any::<String>(), answer_like()]) {
        for bound in judges() {
            let verdict = judge(&bound, &text);
            prop_assert!(verdict.score().is_some());
            prop_assert_eq!(verdict.score().unwrap().get() == 1.0, verdict.kind_name() == "right");
            let _ = bound.canonical(&text);
        }
        for kind in ["choice", "text"] {
            for reference in [json!(text), json!({"answer": text, "options": [text, "x"]}), json!({"answer": text, "type": "words"})] {
                let item = RawItem { id: "p".into(), reference, ..RawItem::default() };
                let _ = configure(kind, &Value::Null).unwrap().bind(item);
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        for bound in judges() {
            prop_assert!(judge(&bound, &text).score().is_some());
        }
    }

    #[test]
    fn white_space_around_changes_nothing(text in answer_like(), behind in "[ \n\t]{1,9}", before in "[ \n]{0,5}") {
        for bound in judges() {
            let plain = judge(&bound, &text);
            let spaced = judge(&bound, &format!("{before}{text}{behind}"));
            prop_assert_eq!(plain.kind_name(), spaced.kind_name(), "{:?}", text);
        }
    }

    #[test]
    fn a_text_that_is_the_reference_is_right(text in "[A-Za-z0-9]{1,9}( [A-Za-z0-9]{1,9}){0,4}") {
        let bound = bind("text", &json!({"answer": text, "type": "free"}), &Value::Null);
        prop_assert_eq!(judge(&bound, &format!("The answer is {text}.")).kind_name(), "right");
        prop_assert_eq!(judge(&bound, &format!(r"\boxed{{\text{{{text}}}}}")).kind_name(), "right");
        prop_assert_ne!(judge(&bound, &format!("The answer is {text}x.")).kind_name(), "right");
    }

    #[test]
    fn an_integer_is_right_and_no_other_is(value in any::<i64>(), off in 1..1000_i64) {
        let bound = bind("text", &json!(value.to_string()), &Value::Null);
        prop_assert_eq!(judge(&bound, &format!("So the answer is {value}.")).kind_name(), "right");
        let other = value.wrapping_add(off);
        prop_assert_eq!(judge(&bound, &format!("So the answer is {other}.")).kind_name(), "wrong");
    }
}

#[test]
fn an_option_is_right_in_every_form_and_no_other_is() {
    for (gold, _) in TEXTS.iter().enumerate() {
        let label = char::from(b'A' + u8::try_from(gold).unwrap());
        let bound = bind("choice", &json!({"answer": label.to_string(), "options": TEXTS}), &Value::Null);
        for (given, text) in TEXTS.iter().enumerate() {
            let letter = char::from(b'A' + u8::try_from(given).unwrap());
            let expected = if given == gold { "right" } else { "wrong" };
            for form in forms(letter, text) {
                let verdict = judge(&bound, &form);
                assert_eq!(
                    verdict.kind_name(),
                    expected,
                    "{form:?} where {label} is right: {}",
                    verdict.reason()
                );
            }
        }
    }
}

#[test]
fn a_megabyte_is_read_in_no_time() {
    let mib = 1 << 20;
    let fill = |piece: &str| piece.repeat(mib / piece.len());
    let nasty = [
        fill("{"),
        fill("}"),
        fill(r"\boxed{"),
        fill(r"\boxed{A}"),
        fill(r"\boxed{A},"),
        fill(r"not \boxed{B}"),
        fill("#### x\n"),
        fill("#### A\n"),
        fill("#"),
        fill("The answer is "),
        fill("The answer is A. "),
        fill("The answer is A. No wait. "),
        fill("the answer is not B. "),
        fill("answer "),
        fill("answer:\n\n"),
        fill("A: 1\n"),
        fill("A, "),
        fill("A or "),
        fill("(A) "),
        fill("yes "),
        fill("yes and no "),
        fill("8 "),
        fill("[ "),
        fill("] "),
        fill("$"),
        fill("$ "),
        fill("("),
        fill(r"\("),
        fill("<think>"),
        fill("</think>"),
        fill(" "),
        fill("\n"),
        fill("*"),
        fill("so as and maybe "),
        fill("the red one "),
        fill("Monsters, "),
        format!("The answer is {}", fill("so as and maybe ")),
        format!("The answer is {}", fill("(A) ")),
        format!("The answer is {}", fill("[")),
        format!("The answer is {}", fill("$ a")),
        format!("The answer is A{}", fill(" ")),
        format!("#### A\n{}", fill("\n ")),
        format!("{}#### A", fill("#### A\n ")),
        format!(r"\boxed{{{}}}", fill("A, ")),
        format!(r"\boxed{{{}}}", fill(r"\text{")),
        format!("The answer to {}", fill("the ")),
    ];
    let fallback = json!({"fallback": "last"});
    let judges = [
        bind("choice", &json!({"answer": "B", "options": TEXTS}), &fallback),
        bind("text", &json!("yes"), &fallback),
        bind("text", &json!("8"), &Value::Null),
        bind("text", &json!({"answer": "so as and maybe", "type": "words"}), &Value::Null),
        bind("text", &json!("Monsters, Inc"), &fallback),
    ];
    for text in nasty {
        let shown: String = text.chars().take(40).collect();
        for bound in &judges {
            let start = Instant::now();
            let verdict = judge(bound, &text);
            assert!(verdict.score().is_some());
            // A hundredth of this on a quiet machine; what grows with the square of the length takes minutes.
            assert!(start.elapsed() < Duration::from_secs(10), "{shown}: {:?}", start.elapsed());
        }
    }
}
