//! `choice` and `text` against files of answers, at least two in five of them wrong or dishonest. Each line says what the
//! verdict must be and why.

#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
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

const FILES: [(&str, &str); 2] =
    [("choice", include_str!("choice_corpus.jsonl")), ("text", include_str!("text_corpus.jsonl"))];

fn lines(text: &str) -> Vec<Line> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

#[test]
fn every_line_gets_its_verdict() {
    let mut failures = Vec::new();
    for (verifier, text) in FILES {
        for (i, line) in lines(text).iter().enumerate() {
            let about = format!("{verifier}, line {}", i + 1);
            let item = RawItem { id: about.clone(), reference: line.reference.clone(), ..RawItem::default() };
            let judge = match configure(verifier, &line.options).unwrap().bind(item) {
                Ok(judge) => judge,
                Err(error) => {
                    failures.push(error.to_string());
                    continue;
                }
            };
            let verdict =
                judge.judge(&line.response.as_str().into(), &Budget::starting_now(Duration::from_secs(60)));
            let score = verdict.score().map(|score| score.get());
            let expected_score = if line.kind == "right" { 1.0 } else { 0.0 };
            let found_ok =
                line.extracted.as_deref().is_none_or(|expected| verdict.extracted() == Some(expected));
            if verdict.kind_name() != line.kind || score != Some(expected_score) || !found_ok {
                failures.push(format!(
                    "{about}: {} against {:?} must be {} ({}), found {verdict:?}",
                    line.reference, line.response, line.kind, line.why
                ));
            }
            assert!(!verdict.reason().is_empty() && verdict.reason().len() < 600, "{verdict:?}");
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_files_are_large_and_mostly_about_wrong_answers() {
    let mut num_lines = 0;
    for (verifier, text) in FILES {
        let lines = lines(text);
        num_lines += lines.len();
        let num_wrong = lines.iter().filter(|line| line.kind != "right").count();
        assert!(num_wrong * 5 >= lines.len() * 2, "{verifier}: {num_wrong} of {}", lines.len());
        let mut seen = HashSet::new();
        for line in &lines {
            assert!(line.why.len() >= 4, "{verifier}: {:?} has no reason", line.response);
            let what = format!("{}{}{}", line.reference, line.response, line.options);
            assert!(seen.insert(what), "{verifier}: {:?} stands there twice", line.response);
        }
    }
    assert!(num_lines >= 170, "{num_lines}");
}
