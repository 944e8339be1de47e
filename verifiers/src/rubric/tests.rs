//! Tests of the rule, of the settings and of how the parts are asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::budget::Budget;
use crate::verifier::{Judge, RawItem, Response};
use crate::{VerifierError, configure};

fn rule(name: &str, weight: f64, success: f64, gate: bool) -> PartRule {
    PartRule { name: name.to_owned(), weight, success, gate }
}

fn part(name: &str) -> PartRule {
    rule(name, 1.0, 1.0, false)
}

fn gate(name: &str) -> PartRule {
    rule(name, 0.0, 1.0, true)
}

fn scored(score: f64) -> Verdict {
    Verdict::graded(Score::new(score).unwrap(), format!("scored {score}"))
}

fn stuck() -> Verdict {
    Verdict::undecided(CauseKind::Timeout, "too slow")
}

/// What a table writes for a verdict: a score, `?` for undecided, `-` for not asked.
fn read(text: &str) -> Option<Verdict> {
    match text {
        "-" => None,
        "?" => Some(stuck()),
        score => Some(scored(score.parse().unwrap())),
    }
}

#[test]
fn the_rule_as_a_table() {
    let format = || gate("format");
    let half = |name| rule(name, 1.0, 0.5, false);
    let shaping = || rule("length", 0.25, 0.0, false);
    // Rules, verdicts, and the score (or ?), the kind and whether it is right.
    let cases: Vec<(Vec<PartRule>, &str, &str)> = vec![
        (vec![part("a")], "1", "1 right true"),
        (vec![part("a")], "0.5", "0.5 partial false"),
        (vec![half("a")], "0.5", "0.5 partial true"),
        (vec![part("a")], "?", "? timeout false"),
        (vec![part("a")], "-", "? declined false"),
        (vec![rule("a", 0.0, 1.0, false)], "1", "1 right true"),
        (vec![part("a"), part("b")], "1 0", "0.5 partial false"),
        (vec![part("a"), part("b")], "0 0", "0 partial false"),
        (vec![part("a"), part("b")], "1 1", "1 right true"),
        (vec![half("a"), half("b")], "0.5 0.5", "0.5 right true"),
        (vec![part("a"), part("b")], "1 ?", "? timeout false"),
        (vec![part("a"), part("b")], "? -", "? timeout false"),
        (vec![part("a"), part("b")], "1 -", "? declined false"),
        (vec![part("a"), rule("b", 3.0, 1.0, false)], "1 0", "0.25 partial false"),
        (vec![part("a"), shaping()], "1 0.5", "0.9 right true"),
        (vec![part("a"), shaping()], "0 1", "0.2 partial false"),
        (vec![rule("a", 0.0, 1.0, false), rule("b", 0.0, 1.0, false)], "1 1", "0 right true"),
        (vec![format(), part("a")], "1 1", "1 right true"),
        (vec![format(), part("a")], "1 0", "0 wrong false"),
        (vec![format(), part("a")], "0 -", "0 wrong false"),
        (vec![format(), part("a")], "0 1", "0 wrong false"),
        (vec![format(), part("a")], "0 ?", "0 wrong false"),
        (vec![format(), part("a")], "0.5 1", "0 wrong false"),
        (vec![format(), part("a")], "? 1", "? timeout false"),
        (vec![format(), part("a")], "1 ?", "? timeout false"),
        (vec![format(), part("a")], "1 -", "? declined false"),
        (vec![part("a"), format()], "1 0", "0 wrong false"),
        (vec![part("a"), format()], "? 0", "? timeout false"),
        (vec![part("a"), gate("g"), part("b")], "1 0 -", "0 wrong false"),
        (vec![part("a"), gate("g"), part("b")], "1 1 0", "0.5 partial false"),
        (vec![gate("f"), gate("g"), part("b")], "1 0 -", "0 wrong false"),
        (vec![rule("f", 1.0, 1.0, true), part("a")], "1 0", "0.5 partial false"),
        (vec![rule("f", 1.0, 0.5, true), part("a")], "0.5 1", "0.75 right true"),
        (vec![rule("f", 1.0, 0.5, true), part("a")], "0.4 1", "0 wrong false"),
        (vec![gate("f"), gate("g")], "1 1", "0 right true"),
        (vec![gate("f")], "1", "1 right true"),
        (vec![gate("f")], "0.5", "0 wrong false"),
        (vec![gate("f")], "?", "? timeout false"),
        (vec![], "", "? declined false"),
    ];
    for (rules, verdicts, expected) in cases {
        let given: Vec<_> = verdicts.split_whitespace().map(read).collect();
        let Combined { verdict, right } = combine(&rules, &given);
        let score = verdict.score().map_or("?".to_owned(), |score| score.get().to_string());
        assert_eq!(format!("{score} {} {right}", verdict.kind_name()), expected, "{rules:?} {verdicts}");
    }
}

#[test]
fn reasons_kinds_and_answers_are_those_of_the_parts() {
    let none = Verdict::no_answer("no answer found");
    let found = Verdict::right("42 equals 42", Some("42".into()));
    let also = Verdict::right("41 is close", Some("41".into()));
    let both =
        combine(&[part("a"), part("b"), part("c")], &[Some(scored(1.0)), Some(found.clone()), Some(also)]);
    assert_eq!(both.verdict.reason(), "a: scored 1; b: 42 equals 42; c: 41 is close");
    assert_eq!(both.verdict.extracted(), Some("42"));
    // Behind a gate that is passed, and alone, a part's verdict is the whole's.
    for only in [&none, &found, &stuck()] {
        assert_eq!(&combine(&[part("a")], &[Some(only.clone())]).verdict, only);
    }
    for only in [&none, &found] {
        assert_eq!(&combine(&[gate("f"), part("a")], &[Some(scored(1.0)), Some(only.clone())]).verdict, only);
    }
    let shut = combine(&[gate("f"), part("a")], &[Some(none), None]).verdict;
    assert_eq!(shut.kind_name(), "no-answer");
    assert_eq!(shut.reason(), "the gate `f` is not passed: no answer found");
    let undecided = combine(&[part("a"), part("b")], &[Some(found), Some(stuck())]).verdict;
    assert_eq!(undecided, Verdict::undecided(CauseKind::Timeout, "part `b`: too slow"));
}

/// Without gates, what the trainer's own rule gave before there were any: the weighted mean in the same order of
/// operations.
fn weighted_mean(rules: &[PartRule], scores: &[f64]) -> f64 {
    let total: f64 = rules.iter().map(|rule| rule.weight).sum();
    let mut sum = 0.0;
    for (rule, score) in rules.iter().zip(scores) {
        sum += rule.weight * score;
    }
    (sum / total).clamp(0.0, 1.0)
}

fn any_rules() -> impl Strategy<Value = Vec<(f64, f64, bool, f64)>> {
    prop::collection::vec((0.0..10.0_f64, 0.0..=1.0_f64, any::<bool>(), 0.0..=1.0_f64), 1..6)
}

proptest! {
    #[test]
    fn without_gates_it_is_the_weighted_mean_to_the_last_bit(parts in any_rules()) {
        let rules: Vec<_> = parts.iter().map(|(weight, success, ..)| rule("p", *weight, *success, false)).collect();
        let scores: Vec<_> = parts.iter().map(|(.., score)| *score).collect();
        let verdicts: Vec<_> = scores.iter().map(|score| Some(scored(*score))).collect();
        let Combined { verdict, right } = combine(&rules, &verdicts);
        let expected = if scores.len() == 1 { scores[0] } else { weighted_mean(&rules, &scores) };
        prop_assert_eq!(verdict.score().unwrap().get().to_bits(), expected.to_bits());
        prop_assert_eq!(right, rules.iter().zip(&scores).all(|(rule, score)| *score >= rule.success));
    }

    #[test]
    fn parts_behind_one_that_ends_it_change_nothing(parts in any_rules(), stuck_at in 0_usize..8) {
        let name = |index: usize| format!("p{index}");
        let rules: Vec<_> = parts
            .iter()
            .enumerate()
            .map(|(index, (weight, success, gate, _))| rule(&name(index), *weight, *success, *gate))
            .collect();
        let all: Vec<_> = parts
            .iter()
            .enumerate()
            .map(|(index, (.., score))| Some(if index == stuck_at { stuck() } else { scored(*score) }))
            .collect();
        let mut asked = all.clone();
        let is_end = |(rule, verdict): (&PartRule, &Option<Verdict>)| rule.ends(verdict.as_ref().unwrap());
        if let Some(end) = rules.iter().zip(&all).position(is_end) {
            asked[end + 1..].fill(None);
            prop_assert!(!combine(&rules, &all).right);
        }
        prop_assert_eq!(combine(&rules, &all), combine(&rules, &asked));
    }
}

fn refused(settings: &Value) -> String {
    configure("rubric", settings).err().unwrap().to_string()
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let math = |more: Value| {
        let mut part = json!({"name": "answer", "kind": "math"});
        part.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"parts": [part]})
    };
    let cases = [
        (Value::Null, "`parts` must be a list of at least one verifier"),
        (json!({"parts": []}), "`parts` must be a list of at least one verifier"),
        (json!({"parts": "math"}), "expected a sequence"),
        (json!({"parts": ["math"]}), "expected a map"),
        (json!([]), "`parts`"),
        (json!({"part": []}), "unknown field `part`"),
        (
            json!({"parts": [{"kind": "math"}, {"weight": 1}]}),
            "part 2: `kind` must be the name of a verifier",
        ),
        (json!({"parts": [{"kind": 1}]}), "part 1: `kind` must be the name of a verifier, found 1"),
        (json!({"parts": [{"name": 1}]}), "part 1: `name` must be a text, found 1"),
        (json!({"parts": [{"kind": "math"}, {"kind": "math"}]}), "two parts have the name `math`"),
        (
            json!({"parts": [{"kind": "digits", "name": "math"}, {"kind": "math"}]}),
            "two parts have the name `math`",
        ),
        (
            json!({"parts": [{"kind": "coq"}]}),
            "part `coq`: there is no verifier of kind `coq`; the kinds are",
        ),
        (
            json!({"parts": [{"kind": "rubric", "name": "inner"}]}),
            "part `inner`: `kind` must be another than `rubric`",
        ),
        (math(json!({"weight": -1})), "part `answer`: `weight` must be a number from 0, found -1"),
        (math(json!({"weight": "1"})), "part `answer`: `weight` must be a number, found \"1\""),
        (math(json!({"weight": 0})), "`weight` must be above 0 for at least one of the parts `answer`"),
        (math(json!({"gate": true})), "a gate has weight 0 unless set"),
        (math(json!({"gate": 1})), "part `answer`: `gate` must be true or false, found 1"),
        (math(json!({"success": 1.1})), "part `answer`: `success` must be from 0 to 1, found 1.1"),
        (math(json!({"success": -0.1})), "part `answer`: `success` must be from 0 to 1"),
        (math(json!({"gate": true, "success": 0})), "part `answer`: `success` of a gate must be above 0"),
        (math(json!({"timeout_s": 3})), "part `answer`: `timeout_s` must be given to the whole rubric"),
        (math(json!({"jobs": 3})), "part `answer`: `jobs` must be given to the whole rubric"),
        (
            math(json!({"fallbak": "none"})),
            "part `answer`: verifier `math`: its settings {\"fallbak\":\"none\"}",
        ),
    ];
    for (settings, expected) in cases {
        let error = refused(&settings);
        assert!(error.starts_with("verifier `rubric`: ") && error.contains(expected), "{settings}: {error}");
    }
    let error = check(&[rule("a", f64::MAX, 1.0, false), rule("b", f64::MAX, 1.0, false)]).unwrap_err();
    assert!(error.contains("must be smaller"), "{error}");
    assert!(check(&[rule("a", f64::NAN, 1.0, false)]).is_err());
    assert!(check(&[rule("a", 1.0, f64::NAN, false)]).is_err());
}

/// The recipe of the documentation: format first, then the answer, with a little for length and repetition.
fn recipe() -> Value {
    json!({"parts": [
        {"name": "format", "kind": "format", "shape": "think-answer", "gate": true},
        {"name": "answer", "kind": "math", "weight": 1.0},
        {"name": "length", "kind": "length", "max": 100, "buffer": 20, "weight": 0.2, "success": 0},
        {"name": "repetition", "kind": "repetition", "weight": 0.1, "success": 0},
    ]})
}

fn bind(settings: &Value, reference: Value) -> Arc<dyn Judge> {
    let item = RawItem { id: "p1".into(), problem: "6 * 7?".into(), reference };
    configure("rubric", settings).unwrap().bind(item).unwrap()
}

fn judge(judge: &dyn Judge, text: &str, num_tokens: Option<usize>) -> Verdict {
    judge.judge(&Response { text, num_tokens }, &Budget::starting_now(Duration::from_secs(60)))
}

#[test]
fn format_first_then_the_answer_with_length_and_repetition() {
    let bound = bind(&recipe(), json!("42"));
    let close = |verdict: &Verdict, score: f64| {
        assert!((verdict.score().unwrap().get() - score).abs() < 1e-12, "{verdict:?}");
    };
    let good = "<think>6 * 7</think>The answer is 42.";
    let verdict = judge(&*bound, good, Some(80));
    close(&verdict, 1.0);
    assert_eq!((verdict.kind_name(), verdict.extracted()), ("right", Some("42")));
    assert_eq!(
        verdict.reason(),
        "answer: 42 equals 42; length: 80 tokens are at most 80; repetition: repeated: 0 of 3 runs of 4 words (0.0 %)"
    );
    let long = judge(&*bound, good, Some(90));
    close(&long, 1.2 / 1.3);
    assert_eq!(long.kind_name(), "right");
    let wrong = judge(&*bound, "<think>6 * 7</think>The answer is 43.", Some(90));
    close(&wrong, 0.2 / 1.3);
    assert_eq!(wrong.kind_name(), "partial");
    let unformatted = judge(&*bound, "The answer is 42.", None);
    assert_eq!(
        unformatted,
        Verdict::wrong("the gate `format` is not passed: the response does not begin with <think>", None)
    );
    let unknown = judge(&*bound, good, None);
    assert_eq!(unknown.kind_name(), "declined");
    assert!(unknown.reason().starts_with("part `length`: the number of tokens is not known"), "{unknown:?}");
    assert_eq!(bound.answer().as_deref(), Some("42"));
    assert_eq!(bound.canonical("42.0"), "42");
}

#[test]
fn each_part_takes_its_reference_by_name_or_the_whole() {
    let two = json!({"parts": [{"kind": "math"}, {"name": "sum", "kind": "digits"}]});
    let text = "7 1 1\n#### 711\n7 1 1";
    let by_name = bind(&two, json!({"math": {"answer": "711"}, "sum": "7 1 1"}));
    assert_eq!(judge(&*by_name, text, None).score(), Some(Score::ONE));
    assert_eq!(judge(&*bind(&two, json!("711")), text, None).score(), Some(Score::ONE));
    // Alone, a part takes the whole reference, as a recipe's only verifier does.
    let named_answer = json!({"parts": [{"name": "answer", "kind": "math"}]});
    let tolerant = bind(&named_answer, json!({"answer": "100", "tolerance": 0.1}));
    assert_eq!(judge(&*tolerant, "#### 101", None).score(), Some(Score::ONE));
    let rubric = configure("rubric", &two).unwrap();
    let item =
        RawItem { id: "p7".into(), reference: json!({"math": "42", "sum": "x"}), ..RawItem::default() };
    let error = rubric.bind(item).err().unwrap();
    assert!(matches!(error, VerifierError::Reference { kind: "digits", .. }));
    let error = error.to_string();
    assert!(error.contains("`p7`") && error.contains("part `sum` of the rubric: "), "{error}");
    assert!(error.contains("found \"x\""), "{error}");
}

#[test]
fn what_is_not_ready_names_its_part() {
    let settings = json!({"parts": [
        {"kind": "math"},
        {"name": "server", "kind": "process", "command": ["/no/such/program"]},
    ]});
    let mut rubric = configure("rubric", &settings).unwrap();
    let error = rubric.ready().err().unwrap().to_string();
    assert!(error.contains("`process` is not ready: part `server` of the rubric: "), "{error}");
    assert!(rubric.is_external() && rubric.take_complaints().is_empty());
    rubric.forget_verdicts();
    assert!(!configure("rubric", &recipe()).unwrap().is_external());
    assert!(configure("rubric", &recipe()).unwrap().ready().is_ok());
}

/// A judge that takes its time and counts how often it is asked.
struct Slow {
    millis: u64,
    asked: Arc<AtomicUsize>,
}

impl Judge for Slow {
    fn judge(&self, _response: &Response<'_>, _budget: &Budget) -> Verdict {
        self.asked.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(self.millis));
        scored(1.0)
    }

    fn answer(&self) -> Option<String> {
        None
    }
}

/// Judges by parts that take so many milliseconds, some of them outside, within 20 ms: the verdict's kind, and how many
/// were asked.
fn within_20_ms(parts: &[(u64, bool)]) -> (&'static str, usize) {
    let asked = Arc::new(AtomicUsize::new(0));
    let rules: Vec<_> = (0..parts.len()).map(|index| part(&format!("p{index}"))).collect();
    let parts: Vec<_> = parts
        .iter()
        .map(|&(millis, outside)| (Slow { millis, asked: Arc::clone(&asked) }, outside))
        .collect();
    let bound = parts::bound_for_tests(rules, parts);
    let verdict = bound.judge(&"".into(), &Budget::starting_now(Duration::from_millis(20)));
    (verdict.kind_name(), asked.load(Ordering::SeqCst))
}

#[test]
fn the_time_is_shared_and_is_the_fault_of_who_took_it() {
    // Nothing took too long: the slow part is the last.
    assert_eq!(within_20_ms(&[(0, true), (0, false), (40, true)]), ("right", 3));
    // Something outside took it: nobody after it is judged.
    assert_eq!(within_20_ms(&[(40, true), (0, false)]), ("timeout", 1));
    assert_eq!(within_20_ms(&[(40, true), (0, true)]), ("timeout", 1));
    // The response took it: what is outside is not asked, and the response pays.
    assert_eq!(within_20_ms(&[(40, false), (0, true)]), ("partial", 1));
    assert_eq!(within_20_ms(&[(40, false), (0, false)]), ("right", 2));
}
