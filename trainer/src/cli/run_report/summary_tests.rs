//! What the figures of made-up runs come to.

#![allow(clippy::unwrap_used)]

use super::super::compare::Verdict;
use super::super::testing::{report, source};
use super::*;

fn set<'a>(summary: &'a Summary, name: &str) -> &'a SetSummary {
    summary.sets.iter().find(|set| set.name == name).unwrap()
}

#[test]
fn the_claim_is_against_the_best_of_all_figures_before() {
    let summary = Summary::new(source());
    let eval = set(&summary, "eval");
    assert_eq!(eval.rows.iter().map(|row| row.shots).collect::<Vec<_>>(), [0, 5]);
    assert_eq!(eval.rows[1].before.as_ref().unwrap().lenient.value, 0.3);
    assert!((eval.change.as_ref().unwrap().difference - 0.85).abs() < 1e-12);
    let claim = eval.claim.as_ref().unwrap();
    assert_eq!(
        (claim.best_before, claim.best_shots, claim.best_rule, claim.of_figures),
        (0.3, 5, Rule::Lenient, 4)
    );
    assert!((claim.comparison.difference - 0.6).abs() < 1e-12);
    assert_eq!(claim.comparison.verdict, Verdict::Better);
    let unseen = set(&summary, "unseen").claim.as_ref().unwrap();
    // Of equal figures the plainest is named.
    assert_eq!((unseen.best_rule, unseen.of_figures), (Rule::Strict, 2));
    assert_eq!(unseen.comparison.verdict, Verdict::NoDifferenceShown);
    assert!(summary.notes.is_empty(), "{:?}", summary.notes);
}

#[test]
fn nothing_is_claimed_against_a_model_that_was_trained_already() {
    let mut source = source();
    source.first.as_mut().unwrap().step = 5;
    let summary = Summary::new(source);
    assert!(set(&summary, "eval").claim.is_none() && set(&summary, "eval").change.is_some());
    assert!(summary.notes[0].contains("that of step 5, not of the base model"), "{:?}", summary.notes);
}

#[test]
fn what_cannot_be_compared_is_a_note_and_no_claim() {
    let mut other = source();
    let after = other.last.as_mut().unwrap();
    after.reports.insert("unseen".into(), report(0, &[("another", true, true)]));
    after.reports.remove("eval");
    after.reports.get_mut("eval@5-shot").unwrap().undecided = 2;
    let summary = Summary::new(other);
    assert!(summary.sets.iter().all(|set| set.claim.is_none() && set.change.is_none()));
    assert_eq!(summary.notes.len(), 3, "{:?}", summary.notes);
    assert!(summary.notes[0].contains("eval was not evaluated zero-shot after training"));
    assert!(summary.notes[1].contains("2 answers of eval could not be judged"));
    assert!(summary.notes[2].contains("unseen cannot be compared problem by problem: problem another"));

    let one = Source { last: None, ..source() };
    assert!(Summary::new(one).notes[0].contains("one evaluation only, of step 0"));
    let none = Source { first: None, last: None, ..source() };
    assert!(Summary::new(none).notes[0].contains("there is no evaluation"));
}

#[test]
fn rates_are_weighted_by_time_and_the_evaluation_before_training_counts() {
    let summary = Summary::new(source());
    let time = &summary.time;
    assert_eq!((time.total_s, time.eval_s, time.rollout_s), (35.0, 9.0, 4.0));
    assert_eq!((time.rollout_tokens_per_s, time.update_tokens_per_s), (Some(175.0), None));
    assert_eq!(summary.reward, [(1, 0.25)]);
    assert_eq!(summary.steps_done, 2);
}

#[test]
fn the_rationales_are_those_of_the_first_problems_whatever_became_of_them() {
    let mut source = source();
    // Another order after; the one that is right stands first.
    source.last.as_mut().unwrap().reports.get_mut("eval").unwrap().problems.reverse();
    let found = Summary::new(source).rationales.unwrap();
    assert_eq!(found.set, "eval");
    let ids: Vec<&str> = found.problems.iter().map(|problem| problem.id.as_str()).collect();
    assert_eq!(ids, ["p0", "p1", "p2"]);
    assert!(found.problems[1].after.right && !found.problems[1].before.right);
    assert_eq!(found.problems[1].before.text, "Bad words of p1");
}
