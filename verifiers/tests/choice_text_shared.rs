//! `choice` and `text` against the real benchmarks: every reference can be read, the right answer is right in many words,
//! and every other option is wrong. Skipped where the data is not on the machine.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use polestar_verifiers::{Budget, Judge, RawItem, Verdict, configure};
use serde_json::{Value, json};

use common::shared_data::shared;

fn read(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    if path.extension().is_some_and(|it| it == "gz") {
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
        return text;
    }
    String::from_utf8(bytes).unwrap()
}

fn json_lines(path: &Path) -> Vec<Value> {
    read(path)
        .split('\n')
        .filter(|line| !line.is_empty())
        .map(|it| serde_json::from_str(it).unwrap())
        .collect()
}

/// Judges many responses, keeps the failures and how long each took.
#[derive(Default)]
struct Tally {
    failures: Vec<String>,
    times: Vec<Duration>,
    num_items: usize,
}

impl Tally {
    fn bind(&mut self, kind: &str, reference: &Value) -> Option<Arc<dyn Judge>> {
        self.num_items += 1;
        let item =
            RawItem { id: format!("{}", self.num_items), reference: reference.clone(), ..RawItem::default() };
        configure(kind, &Value::Null)
            .unwrap()
            .bind(item)
            .map_err(|error| self.failures.push(error.to_string()))
            .ok()
    }

    fn verdict(&mut self, judge: &Arc<dyn Judge>, response: &str) -> Verdict {
        let start = Instant::now();
        let verdict = judge.judge(&response.into(), &Budget::starting_now(Duration::from_secs(60)));
        self.times.push(start.elapsed());
        verdict
    }

    fn expect(&mut self, judge: &Arc<dyn Judge>, response: &str, is_right: bool, about: &Value) {
        let verdict = self.verdict(judge, response);
        if (verdict.kind_name() == "right") != is_right {
            self.failures.push(format!("{response:?} must be right: {is_right}; {about}: {verdict:?}"));
        }
    }

    /// Says how many and how fast, and fails where anything failed.
    fn report(mut self, about: &str, num_items: usize) {
        self.times.sort_unstable();
        let mean = self.times.iter().sum::<Duration>() / u32::try_from(self.times.len().max(1)).unwrap();
        let p99 = self.times.get(self.times.len() * 99 / 100).copied().unwrap_or_default();
        let max = self.times.last().copied().unwrap_or_default();
        println!(
            "{about}: {} items, {} verdicts, mean {mean:?}, p99 {p99:?}, max {max:?}",
            self.num_items,
            self.times.len()
        );
        assert_eq!(self.num_items, num_items, "{about}");
        let shown = self.failures.iter().take(25).cloned().collect::<Vec<_>>().join("\n");
        assert!(self.failures.is_empty(), "{about}: {} failures\n{shown}", self.failures.len());
    }
}

/// Texts of the options by letter, and the letter of the right one.
struct Question {
    options: Vec<(char, String)>,
    gold: char,
}

/// Every option in every form: right where it is the gold one, not right where it is another.
fn every_option_in_every_form(tally: &mut Tally, question: &Question) {
    let by_letter: serde_json::Map<String, Value> =
        question.options.iter().map(|(letter, text)| (letter.to_string(), json!(text))).collect();
    let reference = json!({"answer": question.gold.to_string(), "options": by_letter});
    let Some(judge) = tally.bind("choice", &reference) else { return };
    let fold = |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    for (letter, text) in &question.options {
        let is_gold = *letter == question.gold;
        for response in [
            format!("So the answer is ({letter})."),
            format!("It is clear.\n#### {letter}"),
            format!(r"Thus $\boxed{{\text{{({letter})}}}}$"),
            format!("**Answer:** {letter}) {text}"),
            format!("The correct choice is {letter}: {text}."),
        ] {
            tally.expect(&judge, &response, is_gold, &reference);
        }
        // Texts that are alike but for case, or that read as a letter, name no option by themselves.
        let is_alone = question.options.iter().filter(|(_, other)| fold(other) == fold(text)).count() == 1;
        let is_letter = text.trim().chars().filter(|c| c.is_alphanumeric()).count() <= 1;
        if is_alone && !is_letter && !text.contains('\n') {
            tally.expect(&judge, &format!("Therefore, the answer is {text}."), is_gold, &reference);
            tally.expect(
                &judge,
                &format!("Therefore, the answer is {text} ({letter})."),
                is_gold,
                &reference,
            );
        }
    }
    // One item of BIG-Bench Hard has one option only.
    let other =
        question.options.iter().map(|(letter, _)| *letter).find(|it| *it != question.gold).unwrap_or('B');
    let both = format!("The answer is ({}). The answer is ({other}).", question.gold);
    tally.expect(&judge, &both, false, &reference);
    tally.expect(&judge, &format!("The answer is {} or {other}.", question.gold), false, &reference);
    tally.expect(&judge, &format!("The answer is not {}.", question.gold), false, &reference);
}

fn letter(value: &Value) -> char {
    value.as_str().unwrap().trim_start_matches('(').chars().next().unwrap()
}

fn lettered(texts: impl Iterator<Item = String>) -> Vec<(char, String)> {
    ('A'..='Z').zip(texts).collect()
}

#[test]
fn mmlu_can_be_judged() {
    let Some(shared) = shared("mmlu") else { return };
    let mut tally = Tally::default();
    for file in ["dev", "val", "test"] {
        for row in json_lines(&shared.join(format!("mmlu/{file}.jsonl.gz"))) {
            let texts = row["choices"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned());
            let question = Question { options: lettered(texts), gold: letter(&row["answer"]) };
            every_option_in_every_form(&mut tally, &question);
        }
    }
    tally.report("MMLU", 15858);
}

#[test]
fn commonsense_qa_can_be_judged() {
    let Some(shared) = shared("commonsense_qa") else { return };
    let mut tally = Tally::default();
    for file in ["train", "dev"] {
        for row in json_lines(&shared.join(format!("commonsense_qa/{file}.jsonl.gz"))) {
            let options = &row["question"]["choices"];
            let as_it_is = json!({"answer": row["answerKey"], "options": options});
            tally.bind("choice", &as_it_is);
            let options = options.as_array().unwrap().iter();
            let options =
                options.map(|it| (letter(&it["label"]), it["text"].as_str().unwrap().to_owned())).collect();
            every_option_in_every_form(&mut tally, &Question { options, gold: letter(&row["answerKey"]) });
        }
    }
    tally.report("CommonsenseQA", 21924);
}

#[test]
fn aqua_and_prontoqa_can_be_judged() {
    let Some(shared) = shared("aqua") else { return };
    let sources = [
        ("AQuA", "aqua/test.jsonl.gz", "correct", 508),
        ("PrOntoQA", "prontoqa/dev.jsonl.gz", "answer", 1000),
    ];
    for (name, file, answer, num_items) in sources {
        let mut tally = Tally::default();
        for row in json_lines(&shared.join(file)) {
            let as_it_is = json!({"answer": row[answer], "options": row["options"]});
            tally.bind("choice", &as_it_is);
            let texts = row["options"].as_array().unwrap().iter().map(|option| {
                let text = option.as_str().unwrap();
                text[text.find(')').unwrap() + 1..].trim().to_owned()
            });
            let question = Question { options: lettered(texts), gold: letter(&row[answer]) };
            every_option_in_every_form(&mut tally, &question);
        }
        tally.report(name, num_items);
    }
}

/// The options in a task's text, by their letters; none where it lists none.
fn listed_options(input: &str) -> Vec<(char, String)> {
    let Some((_, list)) = input.split_once("Options:\n") else { return Vec::new() };
    let option = |line: &str| {
        let rest = line.strip_prefix('(')?;
        let letter = rest.chars().next()?;
        Some((letter, rest[1..].strip_prefix(')')?.trim().to_owned()))
    };
    list.lines().filter_map(option).collect()
}

/// A target of BIG-Bench Hard as a reference: its kind and the JSON, and another answer that is wrong.
fn bbh_reference(task: &str, target: &str) -> (Value, String) {
    let swap = |a: &str, b: &str| if target == a { b.to_owned() } else { a.to_owned() };
    match target {
        "Yes" | "No" => (json!(target), swap("Yes", "No")),
        "yes" | "no" => (json!(target), swap("yes", "no")),
        "True" | "False" => (json!(target), swap("True", "False")),
        "valid" | "invalid" => (json!(target), swap("valid", "invalid")),
        _ if task == "word_sorting" => {
            let mut words: Vec<&str> = target.split_whitespace().collect();
            words.reverse();
            (json!({"answer": target, "type": "words"}), words.join(" "))
        }
        _ if task == "dyck_languages" => (json!(target), format!("{target} )")),
        _ if target.parse::<i64>().is_ok() => (json!(target), format!("{target}1")),
        _ => (json!(target), "something else".to_owned()),
    }
}

#[test]
fn big_bench_hard_can_be_judged() {
    let Some(shared) = shared("bbh") else { return };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(shared.join("bbh")).unwrap().map(|it| it.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "json"));
    files.sort();
    assert_eq!(files.len(), 27);
    let (mut choices, mut texts) = (Tally::default(), Tally::default());
    for file in files {
        let task = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let examples: Value = serde_json::from_str(&read(&file)).unwrap();
        for example in examples["examples"].as_array().unwrap() {
            let (input, target) = (example["input"].as_str().unwrap(), example["target"].as_str().unwrap());
            let options = listed_options(input);
            let is_letter =
                target.len() == 3 && target.starts_with('(') && target.ends_with(')') && !options.is_empty();
            if is_letter {
                let question = Question { options, gold: target.chars().nth(1).unwrap() };
                every_option_in_every_form(&mut choices, &question);
                continue;
            }
            let (reference, other) = bbh_reference(&task, target);
            let Some(judge) = texts.bind("text", &reference) else { continue };
            for form in [
                "So the answer is {}.",
                "#### {}",
                "Hence the final answer is: **{}**",
                "Answer:\n\n{}",
                "{}",
            ] {
                texts.expect(&judge, &form.replace("{}", target), true, &reference);
                texts.expect(&judge, &form.replace("{}", &other), false, &reference);
            }
            let both = format!("So the answer is {target}. So the answer is {other}.");
            texts.expect(&judge, &both, false, &reference);
            texts.expect(&judge, &format!("So the answer is not {target}."), false, &reference);
            texts.expect(&judge, &format!("Maybe the answer is {target}."), false, &reference);
        }
    }
    choices.report("BIG-Bench Hard, choices", 4071);
    texts.report("BIG-Bench Hard, texts", 2440);
}

#[test]
fn worked_examples_of_big_bench_hard_are_right() {
    let Some(shared) = shared("bbh") else { return };
    let mut tally = Tally::default();
    for file in std::fs::read_dir(shared.join("bbh/cot-prompts")).unwrap() {
        let path = file.unwrap().path();
        let task = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let prompt = read(&path);
        let examples: Vec<&str> = prompt.split("\nQ: ").skip(1).collect();
        assert_eq!(examples.len(), 3, "{task}");
        for example in examples {
            let (input, response) = example.split_once("\nA: ").unwrap();
            let said = response.rsplit_once("So the answer is ").unwrap().1;
            let target = said.trim().trim_end_matches('.').trim();
            let options = listed_options(input);
            let (kind, reference) = if target.starts_with('(') && !options.is_empty() {
                let by_letter: serde_json::Map<String, Value> =
                    options.iter().map(|(letter, text)| (letter.to_string(), json!(text))).collect();
                ("choice", json!({"answer": target, "options": by_letter}))
            } else {
                ("text", bbh_reference(&task, target).0)
            };
            if let Some(judge) = tally.bind(kind, &reference) {
                tally.expect(&judge, response, true, &json!([task, target]));
            }
        }
    }
    tally.report("BIG-Bench Hard, worked examples", 81);
}

#[test]
fn worked_examples_of_star_are_right() {
    let Some(shared) = shared("star_prompts") else { return };
    let mut tally = Tally::default();
    let prompts = read(&shared.join("star_prompts/commonsenseqa_prompts.txt"));
    for example in prompts.split("Q: ").skip(1) {
        let (input, response) = example.split_once("\nA: ").unwrap();
        let list = input.split_once("Answer Choices:\n").unwrap().1;
        let option = |line: &str| {
            let (name, text) = line.strip_prefix('(').unwrap().split_once(") ").unwrap();
            (name.to_owned(), json!(text))
        };
        let options: serde_json::Map<String, Value> = list.lines().map(option).collect();
        let gold = response.rsplit_once('(').unwrap().1.chars().next().unwrap().to_string();
        for name in options.keys() {
            let reference = json!({"answer": name, "options": options});
            if let Some(judge) = tally.bind("choice", &reference) {
                tally.expect(&judge, response, *name == gold, &reference);
            }
        }
    }
    tally.report("STaR, worked examples", 35);
}
