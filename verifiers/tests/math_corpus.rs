//! `math` against a file of answers, at least two in five of them wrong or dishonest. Each line says what the verdict
//! must be and why.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use polestar_verifiers::{Budget, RawItem, configure};
use serde::Deserialize;
use serde_json::Value;

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

fn lines() -> Vec<Line> {
    let text = include_str!("math_corpus.jsonl");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

#[test]
fn every_line_gets_its_verdict() {
    let mut failures = Vec::new();
    for (i, line) in lines().iter().enumerate() {
        let math = configure("math", &line.options).unwrap();
        let item = RawItem {
            id: format!("line {}", i + 1),
            reference: line.reference.clone(),
            ..RawItem::default()
        };
        let judge = match math.bind(item) {
            Ok(judge) => judge,
            Err(error) => {
                failures.push(error.to_string());
                continue;
            }
        };
        let verdict = judge.judge(&line.response, &Budget::starting_now(Duration::from_secs(60)));
        let score = verdict.score().map(|score| score.get());
        let expected_score = if line.kind == "right" { 1.0 } else { 0.0 };
        let found_ok = line.extracted.as_deref().is_none_or(|expected| verdict.extracted() == Some(expected));
        if verdict.kind_name() != line.kind || score != Some(expected_score) || !found_ok {
            failures.push(format!(
                "line {}: {} against {:?} must be {} ({}), found {verdict:?}",
                i + 1,
                line.reference,
                line.response.chars().take(100).collect::<String>(),
                line.kind,
                line.why
            ));
        }
        assert!(!verdict.reason().is_empty() && verdict.reason().len() < 600, "{verdict:?}");
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_file_is_large_and_mostly_about_wrong_answers() {
    let lines = lines();
    let num_wrong = lines.iter().filter(|line| line.kind != "right").count();
    assert!(lines.len() >= 120 && num_wrong * 5 >= lines.len() * 2, "{num_wrong} of {}", lines.len());
    assert!(lines.iter().all(|line| line.why.len() >= 4));
    for kind in ["wrong", "no-answer", "unproven", "over-budget"] {
        assert!(lines.iter().any(|line| line.kind == kind), "{kind}");
    }
}
