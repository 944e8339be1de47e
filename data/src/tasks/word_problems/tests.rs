//! The problems from outside: texts and solutions are read as a person would, with routines of their own.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use regex::Regex;
use serde_json::{Value, json};

use super::*;

fn make(n: usize, seed: u64, split: &str, options: Value) -> Result<Vec<Problem>, String> {
    let options: Options = serde_json::from_value(options).unwrap();
    WordProblems.generate(n, seed, split, &options).map_err(|error| error.to_string())
}

fn hard() -> Value {
    json!({"steps": "1-4", "max_number": 500})
}

fn field<'a>(problem: &'a Problem, name: &str) -> &'a Value {
    &problem.fields[name]
}

fn numbers(text: &str) -> Vec<i64> {
    let number = Regex::new(r"\d+").unwrap();
    number.find_iter(text).map(|found| found.as_str().parse().unwrap()).collect()
}

/// The template and every number of the question, in the order in which the text names them, sorted: the same for two
/// tellings of one problem.
fn question(problem: &Problem) -> (String, Vec<i64>) {
    let mut given = numbers(&problem.prompt.text());
    given.sort_unstable();
    (field(problem, "template").to_string(), given)
}

/// The sums of a solution, worked out again. Gives the last result.
fn work_out(solution: &str, max: i64) -> (usize, i64) {
    let sum = Regex::new(r"(\d+) ([-+*/]) (\d+) = (\d+)").unwrap();
    let mut last = None;
    let mut count = 0;
    for found in sum.captures_iter(solution) {
        let number = |group: usize| found[group].parse::<i64>().unwrap();
        let (a, b, stated) = (number(1), number(3), number(4));
        let right = match &found[2] {
            "+" => a + b == stated,
            "-" => a - b == stated,
            "*" => a * b == stated,
            _ => b * stated == a,
        };
        assert!(right, "{} in {solution}", &found[0]);
        assert!([a, b, stated].iter().all(|value| (2..=max).contains(value)), "{}", &found[0]);
        last = Some(stated);
        count += 1;
    }
    (count, last.expect("a solution has a sum"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_solution_works_out_to_its_reference(seed: u64, steps in 1..=4_u64, max in 20..1000_i64, split in 0..3_usize) {
        let split = WordProblems.splits()[split];
        for problem in make(10, seed, split, json!({"steps": steps, "max_number": max})).unwrap() {
            let (text, solution) = (problem.prompt.text(), problem.response.clone().unwrap());
            let (count, last) = work_out(&solution, max);
            prop_assert_eq!(count as u64, steps);
            prop_assert_eq!(field(&problem, "steps"), &json!(steps));
            prop_assert_eq!(&problem.reference, &json!({"answer": last.to_string()}));
            let (worked, end) = solution.rsplit_once('\n').unwrap();
            prop_assert_eq!(end, format!("#### {last}"));
            prop_assert!(worked.lines().all(|line| line.ends_with('.')));
            prop_assert!(text.ends_with('?') && !text.contains(['{', '}', '=']), "{}", text);
            prop_assert!(!solution.contains(['{', '}']), "{}", solution);
            prop_assert!(numbers(&text).iter().all(|number| *number <= max));
        }
    }
}

#[test]
fn the_question_holds_every_number_that_the_solution_starts_from() {
    let sum = Regex::new(r"(\d+) [-+*/] (\d+) = (\d+)").unwrap();
    for problem in
        make(2000, 5, "train", hard()).unwrap().iter().chain(&make(1000, 5, "unseen", hard()).unwrap())
    {
        let mut known = numbers(&problem.prompt.text());
        // "Twice", "there and back" and "half" are a 2 that the text does not spell in digits.
        known.push(2);
        for found in sum.captures_iter(problem.response.as_deref().unwrap()) {
            let number = |group: usize| found[group].parse::<i64>().unwrap();
            assert!(known.contains(&number(1)) && known.contains(&number(2)), "{problem:?}");
            known.push(number(3));
        }
    }
}

#[test]
fn no_problem_of_training_is_held_out_whatever_the_seeds() {
    for options in [json!({}), hard()] {
        let train: Vec<Problem> =
            (0..3).flat_map(|seed| make(5000, seed, "train", options.clone()).unwrap()).collect();
        let questions: HashSet<_> = train.iter().map(question).collect();
        let texts: HashSet<String> = train.iter().map(|problem| problem.prompt.text()).collect();
        let templates: HashSet<&Value> = train.iter().map(|problem| field(problem, "template")).collect();
        for seed in 2..4 {
            let eval = make(1500, seed, "eval", options.clone()).unwrap();
            assert!(eval.iter().all(|problem| !texts.contains(&problem.prompt.text())));
            assert!(eval.iter().all(|problem| templates.contains(field(problem, "template"))));
            let unseen = make(1500, seed, "unseen", options.clone()).unwrap();
            assert!(unseen.iter().all(|problem| !templates.contains(field(problem, "template"))));
            assert!(unseen.iter().all(|problem| !questions.contains(&question(problem))));
        }
    }
}

#[test]
fn numbers_of_a_template_are_in_one_split_only() {
    // Templates whose texts name the given numbers in one order, so that they can be read back.
    for (template, order) in [("two-gifts", [0, 1, 2]), ("three-days", [0, 1, 2])] {
        let of = |split: &str, seed: u64| -> HashSet<Vec<i64>> {
            let made = make(3000, seed, split, hard()).unwrap();
            let made = made.into_iter().filter(|problem| field(problem, "template") == template);
            made.map(|problem| {
                let text = problem.prompt.text();
                let given = numbers(&text);
                order.iter().map(|at| given[*at]).chain(given.get(3).copied()).collect()
            })
            .collect()
        };
        let (train, eval) = (of("train", 1), of("eval", 2));
        assert!(train.len() > 50 && eval.len() > 50, "{template}: {} and {}", train.len(), eval.len());
        assert!(train.is_disjoint(&eval), "{template}");
    }
}

#[test]
fn there_are_many_templates_for_every_number_of_steps() {
    let count = |steps: usize, trained: bool| {
        all().filter(|template| template.steps.len() == steps && template.trained == trained).count()
    };
    for (steps, least_trained, least_unseen) in [(1, 10, 4), (2, 10, 4), (3, 6, 3), (4, 6, 3)] {
        assert!(count(steps, true) >= least_trained, "{steps} steps: {}", count(steps, true));
        assert!(count(steps, false) >= least_unseen, "{steps} steps: {}", count(steps, false));
    }
    let names: HashSet<&str> = all().map(|template| template.name).collect();
    assert_eq!(names.len(), all().count(), "names are unique");
}

#[test]
fn every_template_is_well_formed() {
    let slot = Regex::new(r"\{([^{}.]+)").unwrap();
    for template in all() {
        assert!(template.given.iter().all(|(_, low, high)| *low >= 2 && low < high), "{}", template.name);
        for text in template.texts {
            let used: HashSet<&str> =
                slot.captures_iter(text).map(|found| found.get(1).unwrap().as_str()).collect();
            for (name, _, _) in template.given {
                assert!(used.contains(name), "{}: {text:?} does not tell {name}", template.name);
            }
        }
        let sentences = template.steps.iter().map(|step| step.2);
        assert!(sentences.into_iter().all(|say| say.matches("{=}").count() == 1), "{}", template.name);
    }
}

#[test]
fn every_template_is_used_also_with_small_numbers() {
    for max in [20, 100] {
        for split in WordProblems.splits() {
            let limits = Limits { max, split };
            for steps in 1..=4 {
                let possible = limits.templates(steps).len();
                let of_split = all().filter(|template| template.trained == (*split != "unseen"));
                let all = of_split.filter(|template| template.steps.len() as u64 == steps).count();
                assert_eq!(possible, all, "{split}, {steps} steps, up to {max}");
            }
        }
    }
}

#[test]
fn steps_and_templates_are_drawn_evenly() {
    let mut steps: HashMap<String, usize> = HashMap::new();
    let mut templates: HashMap<String, usize> = HashMap::new();
    for problem in make(1300, 0, "train", json!({"steps": "1-2"})).unwrap() {
        *steps.entry(field(&problem, "steps").to_string()).or_default() += 1;
        *templates.entry(field(&problem, "template").to_string()).or_default() += 1;
    }
    assert_eq!(steps, HashMap::from([("1".into(), 650), ("2".into(), 650)]));
    assert!(templates.values().all(|count| (45..=55).contains(count)), "{templates:?}");
}

#[test]
fn a_limit_that_leaves_nothing_is_an_error_that_names_it() {
    assert_eq!(
        make(1, 0, "unseen", json!({"steps": 4, "max_number": 4})).unwrap_err(),
        "options.max_number: no problem of 4 steps has all its numbers up to 4; expected a greater limit"
    );
    let message = make(1, 0, "train", json!({"max_number": 3})).unwrap_err();
    assert_eq!(message, "options.max_number: expected a whole number from 4 to 10000, found 3");
}

#[test]
fn a_problem_reads_like_one() {
    let problem = &make(1, 0, "train", json!({"steps": 2})).unwrap()[0];
    println!("{}\n{}", problem.prompt.text(), problem.response.as_deref().unwrap());
    assert_eq!(problem.id, "word-problems-train-0-0");
}

#[test]
fn more_than_there_are_is_an_error_with_the_maximum() {
    // Up to 6: getting on 12, saving 288, equal teams 6, tricycles 49, age 96 different texts.
    let few = json!({"steps": 1, "max_number": 6});
    assert_eq!(make(451, 0, "unseen", few.clone()).unwrap().len(), 451);
    let message = make(452, 0, "unseen", few).unwrap_err();
    assert!(
        message.starts_with("n = 452: word-problems has at most 451 different problems in split \"unseen\""),
        "{message}"
    );
}
