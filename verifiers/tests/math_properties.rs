//! What must hold of `math` for any text and any number.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use polestar_verifiers::{Budget, Judge, RawItem, Verdict, VerifierError, configure};
use proptest::prelude::*;
use serde_json::{Value, json};

fn bind(reference: &str, options: &Value) -> Result<Arc<dyn Judge>, VerifierError> {
    let item =
        RawItem { id: "p".into(), reference: Value::String(reference.to_owned()), ..RawItem::default() };
    configure("math", options).unwrap().bind(item)
}

fn judge(judge: &Arc<dyn Judge>, response: &str) -> Verdict {
    judge.judge(&response.into(), &Budget::starting_now(Duration::from_secs(60)))
}

fn boxed(reference: &str, answer: &str) -> &'static str {
    judge(&bind(reference, &Value::Null).unwrap(), &format!(r"\boxed{{{answer}}}")).kind_name()
}

/// Digits in groups of three.
fn grouped(digits: &str, separator: &str) -> String {
    let first = digits.len() % 3;
    let mut groups: Vec<&str> = Vec::new();
    if first > 0 {
        groups.push(&digits[..first]);
    }
    groups.extend((first..digits.len()).step_by(3).map(|at| &digits[at..at + 3]));
    groups.join(separator)
}

/// Spellings of `whole` hundredths, all equal.
fn spellings(hundredths: i64) -> Vec<String> {
    let sign = if hundredths < 0 { "-" } else { "" };
    let digits = (hundredths.unsigned_abs() / 100).to_string();
    let cents = hundredths.unsigned_abs() % 100;
    let all = hundredths.unsigned_abs();
    let mut spellings: Vec<String> = [",", " ", "_", r"\,", "{,}", "\u{202f}", ""]
        .iter()
        .map(|separator| format!("{sign}{}.{cents:02}", grouped(&digits, separator)))
        .collect();
    let others = [
        format!("{sign}{all}e-2"),
        format!("{sign}{all}/100"),
        format!(r"{sign}\frac{{{all}}}{{100}}"),
        format!(r"\frac{{{sign}{all}}}{{100}}"),
        format!(r"{sign}\dfrac{{{}}}{{{}}}", u128::from(all) * 3, 300),
        format!(r"{sign}{all} \times 10^{{-2}}"),
        format!(r"{sign}{digits} {cents}/100"),
        format!(r"{sign}{digits}\frac{{{cents}}}{{100}}"),
        format!(r"{sign}\${digits}.{cents:02}"),
        format!(r"\text{{ {sign}{digits}.{cents:02}000 }}"),
        format!(r"x = {sign}{digits}.{cents:02}"),
        format!("**{sign}{digits}.{cents:02}**"),
        format!("\u{2212}{digits}.{cents:02}")
            .replace('\u{2212}', if sign.is_empty() { "" } else { "\u{2212}" }),
    ];
    spellings.extend(others);
    spellings
}

/// Text made of what answers are made of, so that rules meet more often than in random text.
fn answer_like() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        r"\boxed{",
        "}",
        "{",
        r"\frac",
        "#### ",
        "####",
        "The answer is ",
        "A: ",
        "Answer:",
        "final answer",
        "not ",
        "maybe ",
        "</think>",
        "<think>",
        "\n",
        " ",
        ".",
        ",",
        "-",
        "1",
        "42",
        "000",
        "/",
        "e9",
        "%",
        "$",
        r"\$",
        "^",
        r"\times",
        "10",
        "km",
        " apples",
        "½",
        "²",
        "−",
        "or ",
        "and ",
        "=",
        "x",
        "(",
        ")",
        "?",
        "!",
        "*",
        "**",
        r"\",
        "\u{664}",
        "é",
        "\u{0}",
        "<|",
        "'",
        "_",
        r"\,",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in prop_oneof![any::<String>(), answer_like()]) {
        for options in [Value::Null, json!({"fallback": "last-number"})] {
            let verdict = judge(&bind("42", &options).unwrap(), &text);
            prop_assert!(verdict.score().is_some());
            prop_assert_eq!(verdict.score().unwrap().get() == 1.0, verdict.kind_name() == "right");
        }
        let _ = bind(&text, &Value::Null);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        let verdict = judge(&bind("42", &json!({"fallback": "last-number"})).unwrap(), &text);
        prop_assert!(verdict.score().is_some());
    }

    #[test]
    fn every_spelling_of_a_number_equals_every_other(hundredths in -10_000_000_000_i64..10_000_000_000, a in 0..20_usize) {
        let spellings = spellings(hundredths);
        let gold = &spellings[a];
        for spelling in &spellings {
            prop_assert_eq!(boxed(gold, spelling), "right", "{} is {}", gold, spelling);
        }
    }

    #[test]
    fn no_spelling_of_another_number_is_equal(hundredths in -100_000_i64..100_000, off in 1..1000_i64, a in 0..20_usize) {
        let gold = &spellings(hundredths)[a];
        for spelling in spellings(hundredths + off) {
            prop_assert_eq!(boxed(gold, &spelling), "wrong", "{} is not {}", gold, spelling);
        }
    }

    #[test]
    fn equality_is_symmetric(a in answer_like(), b in answer_like()) {
        // Only where both can be references; what they share is most often nothing, so each is compared with itself too.
        for (a, b) in [(&a, &b), (&a, &a)] {
            if let (Ok(gold_a), Ok(gold_b)) = (bind(a, &Value::Null), bind(b, &Value::Null)) {
                let (answer_a, answer_b) = (gold_a.answer().unwrap(), gold_b.answer().unwrap());
                // An open brace would swallow the end of the box that the answer is put in, and marks are no answers.
                if [&answer_a, &answer_b].iter().any(|it| it.contains(['{', '}', '<', '#'])) {
                    continue;
                }
                let right = |gold, answer| boxed(gold, answer) == "right";
                prop_assert_eq!(right(&answer_a, &answer_b), right(&answer_b, &answer_a), "{:?} {:?}", answer_a, answer_b);
            }
        }
    }

    #[test]
    fn units_and_per_cent_are_symmetric(
        a in 0..30_i64, b in 0..30_i64,
        unit_a in prop::sample::select(vec!["", "%", " cm", " m", " apples", " red apples", " dollars", " km/h"]),
        unit_b in prop::sample::select(vec!["", "%", " cm", " m", " apples", " oranges", " cents", " km"]),
    ) {
        let (a, b) = (format!("{a}{unit_a}"), format!("{b}{unit_b}"));
        prop_assert_eq!(boxed(&a, &b), boxed(&b, &a), "{} {}", a, b);
        prop_assert_eq!(boxed(&a, &a), "right");
    }
}

/// On a thread's usual stack, in a build without optimizations of its own, as a user's first test would run it.
#[test]
fn no_nesting_overflows_a_stack() {
    let pieces = [
        r"\frac",
        r"\frac{1}",
        r"\frac{",
        r"\binom",
        r"\overline",
        r"\sqrt",
        r"\sqrt{",
        r"\sqrt[3]",
        "√",
        r"\sin",
        r"\log_",
        "x!",
        "!",
        "(",
        "[",
        r"\{",
        "{",
        "|",
        "x^",
        "2^{",
        "-",
        "1+(",
        "1/",
        "x_",
        "'",
        "%",
        "°",
        r"\left(",
        "⌊",
        r"\ln^",
        r"\text{",
        r"\begin{pmatrix}",
        "1,",
        "(1,",
        "x=",
        "x<",
        r"\cup",
        "±",
    ];
    for piece in pieces {
        for (start, end) in [("x", ""), ("", "2"), ("", "")] {
            let text = format!("{start}{}{end}", piece.repeat(4090 / piece.len()));
            if let Ok(judge_of) = bind(&text, &Value::Null) {
                judge(&judge_of, &format!("#### {text}"));
            }
            assert_ne!(
                judge(&bind("77", &Value::Null).unwrap(), &format!("#### {text}")).kind_name(),
                "right",
                "{piece}"
            );
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
        fill(r"\boxed{1}"),
        fill(r"\boxed{1},"),
        fill(r"not \boxed{1}"),
        fill("#### x "),
        fill("#### x\n"),
        fill("#"),
        fill("The answer is "),
        fill("The answer is 1 "),
        fill("the answer is not 42. "),
        fill("answer "),
        fill("answer:\n\n"),
        fill("A: 1\n"),
        fill("9"),
        fill("1,000,"),
        fill("1 000 "),
        fill(r"\frac{1}{"),
        fill("<think>"),
        fill("</think>"),
        fill("1/"),
        fill("-"),
        fill("½"),
        fill(" "),
        fill("\n"),
        format!("The answer is {}", fill("9")),
        format!("The answer is 42{}", fill(" ")),
        format!("#### {}", fill("1")),
        format!(r"\boxed{{{}}}", fill(r"\frac{1}{2}")),
        format!(r"\boxed{{1e{}}}", fill("9")),
    ];
    let judge_of = bind("77", &json!({"fallback": "last-number"})).unwrap();
    for text in nasty {
        let start = Instant::now();
        let verdict = judge(&judge_of, &text);
        let shown = &text.chars().take(40).collect::<String>();
        assert_ne!(verdict.kind_name(), "right", "{shown}");
        // A tenth of this on a quiet machine.
        assert!(start.elapsed() < Duration::from_secs(2), "{shown}: {:?}", start.elapsed());
    }
}
