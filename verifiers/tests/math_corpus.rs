//! `math` against two files of answers, one about plain numbers and one about everything else, at least two in five of
//! them wrong or dishonest. Each line says what the verdict must be and why.

#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::time::Duration;

use polestar_verifiers::{Budget, RawItem, configure};
use serde::Deserialize;
use serde_json::Value;

/// The kind of a line for which only the score 0 matters, whatever the verdict calls it.
const ZERO: &str = "zero";

const NUMBERS: (&str, &str) = ("math_corpus.jsonl", include_str!("math_corpus.jsonl"));
const EXPRESSIONS: (&str, &str) = ("math_expressions.jsonl", include_str!("math_expressions.jsonl"));

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    reference: Value,
    response: String,
    #[serde(default)]
    options: Value,
    kind: String,
    extracted: Option<String>,
    why: String,
}

fn lines(text: &str) -> Vec<Line> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

/// What is wrong with the verdict on this line, if anything.
fn failure(line: &Line, id: String) -> Option<String> {
    let math = configure("math", &line.options).unwrap();
    let item = RawItem { id, reference: line.reference.clone(), ..RawItem::default() };
    let judge = match math.bind(item) {
        Ok(judge) => judge,
        Err(error) => return Some(error.to_string()),
    };
    let verdict = judge.judge(&line.response.as_str().into(), &Budget::starting_now(Duration::from_secs(60)));
    assert!(!verdict.reason().is_empty() && verdict.reason().len() < 600, "{verdict:?}");
    let score = verdict.score().map(|score| score.get());
    let expected_score = if line.kind == "right" { 1.0 } else { 0.0 };
    let kind_ok = line.kind == ZERO || verdict.kind_name() == line.kind;
    let found_ok = line.extracted.as_deref().is_none_or(|expected| verdict.extracted() == Some(expected));
    if kind_ok && score == Some(expected_score) && found_ok {
        return None;
    }
    let response: String = line.response.chars().take(100).collect();
    let (reference, kind, why) = (&line.reference, &line.kind, &line.why);
    Some(format!("{reference} against {response:?} must be {kind} ({why}), found {verdict:?}"))
}

fn assert_verdicts((name, text): (&str, &str)) {
    let failures: Vec<String> = (1..)
        .zip(lines(text))
        .filter_map(|(i, line)| failure(&line, format!("{name}:{i}")).map(|it| format!("{name}:{i}: {it}")))
        .collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_line_about_numbers_gets_its_verdict() {
    assert_verdicts(NUMBERS);
}

#[test]
fn every_line_about_expressions_gets_its_verdict() {
    assert_verdicts(EXPRESSIONS);
}

#[test]
fn the_files_are_large_and_mostly_about_wrong_answers() {
    let both: Vec<Line> = lines(NUMBERS.1).into_iter().chain(lines(EXPRESSIONS.1)).collect();
    let num_wrong = both.iter().filter(|line| line.kind != "right").count();
    assert!(both.len() >= 800 && num_wrong * 2 >= both.len(), "{num_wrong} of {}", both.len());
    assert!(both.iter().all(|line| line.why.len() >= 4));
    for kind in ["wrong", "no-answer", "over-budget", ZERO] {
        assert!(both.iter().any(|line| line.kind == kind), "{kind}");
    }
    let mut seen = HashSet::new();
    for line in &both {
        let pair = (line.reference.to_string(), line.response.as_str(), line.options.to_string());
        assert!(seen.insert(pair), "twice: {} {:?}", line.reference, line.response);
    }
}
