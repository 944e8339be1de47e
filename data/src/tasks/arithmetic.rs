//! `arithmetic`: addition of two n-digit numbers, worked on a scratchpad in the form of STaR (Zelikman et al. 2022,
//! arXiv:2203.14465, section 4.1): the sum, then from the units up what is still to be added, the digits so far and the
//! carry.
//!
//! Problems are told apart by their two numbers in either order, and so are the splits: a pair is held out where a
//! fixed hash of it says so, one in ten. Of the 55 pairs of one digit the 11 with the smallest hashes are held out, one
//! in five, so that a handful of sums is left to measure.

use std::collections::HashSet;
use std::sync::OnceLock;

use serde_json::{Map, json};

use super::knobs::Settings;
use super::{Generator, Knob, Options, Series};
use crate::error::DataError;
use crate::problem::{Problem, ProblemPrompt};
use crate::seeds::{between, keyed_hash};

/// More digits would not fit the sum's 64 bits.
const MOST_DIGITS: u64 = 18;
/// One pair of numbers in so many is held out.
const HELD_OUT: u64 = 10;
/// How many of the 55 pairs of one digit are held out.
const HELD_OUT_SINGLE: usize = 11;

/// The generator.
pub(super) struct Arithmetic;

impl Generator for Arithmetic {
    fn name(&self) -> &'static str {
        "arithmetic"
    }

    fn about(&self) -> &'static str {
        "addition of two n-digit numbers with STaR's scratchpad"
    }

    fn knobs(&self) -> &'static [Knob] {
        &[
            Knob {
                name: "digits",
                default: "\"1-5\"",
                doc: "digits of both numbers: a number, a range or a list, 1 to 18; every length as often, until the \
                      different problems of a short one are used up",
            },
            Knob {
                name: "repeat",
                default: "false",
                doc: "whether training problems may come more than once, so that any number can be made",
            },
            Knob {
                name: "hinted",
                default: "0",
                doc: "the share of training problems, 0 to 1, whose prompt already shows the sum, as the second try of \
                      rationalization does: a small model must see some to make use of the hint",
            },
            Knob {
                name: "hinted_digits",
                default: "digits",
                doc: "digits of the problems whose prompt shows the sum, in the same forms; needs repeat = true",
            },
        ]
    }

    fn splits(&self) -> &'static [&'static str] {
        &["train", "eval"]
    }

    fn generate(
        &self,
        n: usize,
        seed: u64,
        split: &str,
        options: &Options,
    ) -> Result<Vec<Problem>, DataError> {
        let settings = Settings::new(self, options)?;
        let lengths = settings.levels("digits", 1..=5, 1..=MOST_DIGITS)?;
        let repeat = settings.flag("repeat")?;
        let hinted = settings.share("hinted")?;
        let has_own_lengths = settings.has("hinted_digits");
        let hinted_lengths = match has_own_lengths {
            true => settings.levels("hinted_digits", 1..=5, 1..=MOST_DIGITS)?,
            false => lengths.clone(),
        };
        let held_out = split == "eval";
        if repeat && held_out {
            let reason = "only training problems may repeat; leave it out for evaluation".into();
            return Err(DataError::Setting { key: "options.repeat".into(), reason });
        }
        if hinted > 0.0 && held_out {
            let reason = "only training problems may show their sum; leave it out for evaluation".into();
            return Err(DataError::Setting { key: "options.hinted".into(), reason });
        }
        if has_own_lengths && !repeat {
            let reason =
                "only problems that may repeat have lengths of their own; set options.repeat = true".into();
            return Err(DataError::Setting { key: "options.hinted_digits".into(), reason });
        }
        let mut left: Vec<u64> = lengths.iter().map(|digits| num_pairs(*digits, held_out)).collect();
        let max = left.iter().sum();
        if !repeat && n as u64 > max {
            let advice = "ask for fewer, for more digits, or (training only) set options.repeat = true";
            return Err(DataError::TooMany {
                generator: self.name(),
                split: split.into(),
                asked: n,
                max,
                advice,
            });
        }
        let series = Series { generator: self.name(), seed, split };
        let mut seen = HashSet::new();
        let mut problems = Vec::with_capacity(n);
        for index in 0..n {
            // In millionths, which is finer than any share that a recipe would ask for.
            let is_hinted = (between(&mut series.rng("hinted", index), 0, 999_999) as f64) < hinted * 1e6;
            let lengths = if is_hinted { &hinted_lengths } else { &lengths };
            // The length whose turn it is, or the next one that has problems left: n was checked, so there is one.
            let turn = series.turn("length", index, lengths.len());
            let Some(&length) = turn.iter().find(|length| repeat || left[**length] > 0) else { break };
            let digits = lengths[length];
            let mut rng = series.rng("operands", index);
            let (a, b) = loop {
                let (low, high) = (smallest(digits), largest(digits));
                let (a, b) = (between(&mut rng, low, high), between(&mut rng, low, high));
                let is_fresh = is_held_out(a, b, digits) == held_out;
                if is_fresh && (repeat || seen.insert((a.min(b), a.max(b)))) {
                    break (a, b);
                }
            };
            if !repeat {
                left[length] -= 1;
            }
            let mut problem = problem(&series, index, a, b, digits);
            if is_hinted {
                problem.prompt = ProblemPrompt::Text(hinted_prompt(a, b));
            }
            problems.push(problem);
        }
        Ok(problems)
    }
}

fn problem(series: &Series<'_>, index: usize, a: u64, b: u64, digits: u64) -> Problem {
    let answer = spaced(a + b);
    let fields = Map::from_iter([
        ("digits".to_string(), json!(digits)),
        ("answer_spaced".to_string(), json!(answer)),
        ("hint".to_string(), json!(answer)),
        ("hinted_prompt".to_string(), json!(hinted_prompt(a, b))),
    ]);
    Problem {
        id: series.id(index),
        prompt: ProblemPrompt::Text(format!("Input:\n{} + {}\nTarget:\n", spaced(a), spaced(b))),
        reference: json!({"answer": (a + b).to_string()}),
        response: Some(scratchpad(a, b, digits)),
        fields,
        origin: series.origin(index),
    }
}

/// The problem with its sum after `Target:`.
fn hinted_prompt(a: u64, b: u64) -> String {
    format!("Input:\n{} + {}\nTarget: {}\n", spaced(a), spaced(b), spaced(a + b))
}

/// The worked response: scratchpad and result.
fn scratchpad(a: u64, b: u64, digits: u64) -> String {
    let mut lines = vec!["<scratch>".to_string(), format!("{} + {} , C: 0", spaced(a), spaced(b))];
    let digit = |number: u64, place: u64| number / 10_u64.pow(place as u32) % 10;
    let (mut done, mut carry) = (String::new(), 0);
    for place in 0..digits {
        if place > 0 {
            lines.push(format!("{} + {} ,{done} C: {carry}", digit(a, place), digit(b, place)));
        }
        let sum = digit(a, place) + digit(b, place) + carry;
        done = format!(" {}{done}", sum % 10);
        carry = sum / 10;
    }
    lines.push(format!(",{done} C: {carry}"));
    lines.push(format!("{carry}{done}"));
    lines.push("</scratch>".to_string());
    lines.push(spaced(a + b));
    lines.join("\n")
}

/// `233` as `2 3 3`.
fn spaced(number: u64) -> String {
    number.to_string().chars().map(String::from).collect::<Vec<_>>().join(" ")
}

fn smallest(digits: u64) -> u64 {
    if digits == 1 { 0 } else { 10_u64.pow(digits as u32 - 1) }
}

fn largest(digits: u64) -> u64 {
    10_u64.pow(digits as u32) - 1
}

/// Whether the pair belongs to `eval`. The same for every seed and whichever number stands first.
fn is_held_out(a: u64, b: u64, digits: u64) -> bool {
    let pair = (a.min(b), a.max(b));
    if digits > 1 {
        return pair_hash(pair).is_multiple_of(HELD_OUT);
    }
    static SINGLE: OnceLock<HashSet<(u64, u64)>> = OnceLock::new();
    let single = SINGLE.get_or_init(|| {
        let mut pairs: Vec<(u64, u64)> = pairs_of(1).collect();
        pairs.sort_by_key(|pair| pair_hash(*pair));
        pairs.into_iter().take(HELD_OUT_SINGLE).collect()
    });
    single.contains(&pair)
}

fn pair_hash((a, b): (u64, u64)) -> u64 {
    keyed_hash(&[b"arithmetic split", &a.to_le_bytes(), &b.to_le_bytes()])
}

fn pairs_of(digits: u64) -> impl Iterator<Item = (u64, u64)> {
    let (low, high) = (smallest(digits), largest(digits));
    (low..=high).flat_map(move |a| (a..=high).map(move |b| (a, b)))
}

/// How many pairs a split has: exactly for up to three digits; beyond, where there are more than forty million, a number
/// that is certainly there.
fn num_pairs(digits: u64, held_out: bool) -> u64 {
    static COUNTED: [OnceLock<u64>; 4] = [const { OnceLock::new() }; 4];
    let numbers = largest(digits) - smallest(digits) + 1;
    let all = u128::from(numbers) * u128::from(numbers + 1) / 2;
    // Capped, so that the sums over all lengths fit; nobody asks for so many.
    let all = u64::try_from(all).unwrap_or(u64::MAX).min(1 << 56);
    let Some(counted) = COUNTED.get(digits as usize) else {
        let share = if held_out { 1 } else { HELD_OUT - 2 };
        return all / (2 * HELD_OUT) * share;
    };
    let num_held_out =
        *counted.get_or_init(|| pairs_of(digits).filter(|(a, b)| is_held_out(*a, *b, digits)).count() as u64);
    if held_out { num_held_out } else { all - num_held_out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn options(value: Value) -> Options {
        serde_json::from_value(value).unwrap()
    }

    fn make(n: usize, seed: u64, split: &str, value: Value) -> Result<Vec<Problem>, String> {
        Arithmetic.generate(n, seed, split, &options(value)).map_err(|error| error.to_string())
    }

    fn pair(problem: &Problem) -> (u64, u64) {
        let text = problem.prompt.text();
        let sum = text.lines().nth(1).unwrap().replace(' ', "");
        let (a, b) = sum.split_once('+').unwrap();
        let (a, b) = (a.parse().unwrap(), b.parse().unwrap());
        (u64::min(a, b), u64::max(a, b))
    }

    #[test]
    fn the_form_is_that_of_star() {
        let expected = "<scratch>\n2 3 3 + 4 7 8 , C: 0\n3 + 7 , 1 C: 1\n2 + 4 , 1 1 C: 1\n, 7 1 1 C: 0\n0 7 1 1\n\
                        </scratch>\n7 1 1";
        assert_eq!(scratchpad(233, 478, 3), expected);
        let carried = "<scratch>\n7 + 8 , C: 0\n, 5 C: 1\n1 5\n</scratch>\n1 5";
        assert_eq!(scratchpad(7, 8, 1), carried);
        assert_eq!(scratchpad(0, 0, 1), "<scratch>\n0 + 0 , C: 0\n, 0 C: 0\n0 0\n</scratch>\n0");
    }

    #[test]
    fn a_problem_has_what_prompts_hints_and_verifiers_need() {
        let series = Series { generator: "arithmetic", seed: 4, split: "train" };
        let problem = problem(&series, 9, 233, 478, 3);
        let row = serde_json::to_value(&problem).unwrap();
        assert_eq!(
            row,
            json!({
                "id": "arithmetic-train-4-9",
                "prompt": "Input:\n2 3 3 + 4 7 8\nTarget:\n",
                "reference": {"answer": "711"},
                "response": scratchpad(233, 478, 3),
                "digits": 3,
                "answer_spaced": "7 1 1",
                "hint": "7 1 1",
                "hinted_prompt": "Input:\n2 3 3 + 4 7 8\nTarget: 7 1 1\n",
            })
        );
        assert_eq!(problem.origin.to_string(), "builtin:arithmetic:10");
    }

    /// Reads `1 2 3` as the number 123.
    fn number(text: &str) -> u128 {
        let digits: Vec<&str> = text.split(' ').collect();
        assert!(digits.iter().all(|digit| digit.len() == 1), "digits are spaced: {text}");
        digits.concat().parse().unwrap()
    }

    /// Checks every line by sums of whole numbers: after k places, the digits and the carry so far are the sum of the
    /// numbers' last k digits.
    fn check(response: &str, a: u64, b: u64, digits: u32) {
        let (a, b) = (u128::from(a), u128::from(b));
        let mut lines = response.split('\n');
        assert_eq!(lines.next(), Some("<scratch>"));
        let (sum, carry) = lines.next().unwrap().split_once(" , C: ").unwrap();
        let (left, right) = sum.split_once(" + ").unwrap();
        assert_eq!((number(left), number(right), carry), (a, b, "0"));
        for places in 1..=digits {
            let (pair, rest) = lines.next().unwrap().split_once(", ").unwrap();
            let (done, carry) = rest.split_once(" C: ").unwrap();
            assert_eq!(done.split(' ').count(), places as usize);
            let unit = 10_u128.pow(places);
            assert_eq!(number(done) + number(carry) * unit, a % unit + b % unit);
            if places < digits {
                let expected = format!("{} + {} ", a / unit % 10, b / unit % 10);
                assert_eq!(pair, expected);
            } else {
                assert_eq!(pair, "");
            }
        }
        let last = lines.next().unwrap();
        assert_eq!((number(last), last.split(' ').count()), (a + b, digits as usize + 1));
        assert_eq!(lines.next(), Some("</scratch>"));
        let answer = lines.next().unwrap();
        assert_eq!(answer, last.strip_prefix("0 ").unwrap_or(last));
        assert_eq!(lines.next(), None);
    }

    proptest! {
        #[test]
        fn every_line_of_a_scratchpad_holds(digits in 1..=18_u32, seed: u64) {
            for problem in make(3, seed, "train", json!({"digits": digits})).unwrap() {
                let text = problem.prompt.text();
                let sum = text.lines().nth(1).unwrap();
                let (a, b) = sum.split_once(" + ").unwrap();
                prop_assert!(a.split(' ').count() == digits as usize && b.split(' ').count() == digits as usize);
                let (a, b) = (number(a) as u64, number(b) as u64);
                check(problem.response.as_deref().unwrap(), a, b, digits);
                prop_assert_eq!(&problem.reference["answer"], &json!((a + b).to_string()));
            }
        }
    }

    #[test]
    fn no_pair_of_numbers_is_in_both_splits_whatever_the_seeds() {
        for digits in [json!(1), json!(2), json!("3-5")] {
            let n = if digits == json!(1) { 11 } else { 400 };
            let pairs = |split: &str, seeds: std::ops::Range<u64>| -> HashSet<(u64, u64)> {
                let made = seeds.flat_map(|seed| make(n, seed, split, json!({"digits": digits})).unwrap());
                made.map(|problem| pair(&problem)).collect()
            };
            assert!(pairs("train", 0..5).is_disjoint(&pairs("eval", 3..8)), "{digits} digits");
        }
    }

    #[test]
    fn about_a_tenth_is_held_out_and_more_of_the_few_short_sums() {
        assert_eq!((num_pairs(1, false), num_pairs(1, true)), (44, 11));
        for digits in [2, 3] {
            let (train, eval) = (num_pairs(digits, false), num_pairs(digits, true));
            let share = eval as f64 / (train + eval) as f64;
            assert!((0.08..0.12).contains(&share), "{digits} digits: {share}");
        }
    }

    #[test]
    fn lengths_are_drawn_evenly_until_one_is_used_up() {
        let count = |problems: &[Problem], digits: u64| {
            problems.iter().filter(|problem| problem.fields["digits"] == digits).count()
        };
        let few = make(200, 3, "train", json!({"digits": "1-5"})).unwrap();
        assert!((1..=5).all(|digits| count(&few, digits) == 40));
        let many = make(1000, 3, "train", json!({"digits": "1-5"})).unwrap();
        assert_eq!(count(&many, 1), 44, "all there are");
        assert!((2..=5).all(|digits| count(&many, digits) >= 230));
    }

    #[test]
    fn more_than_there_are_is_an_error_with_the_maximum() {
        assert_eq!(make(44, 0, "train", json!({"digits": 1})).unwrap().len(), 44);
        assert_eq!(
            make(45, 0, "train", json!({"digits": 1})).unwrap_err(),
            "n = 45: arithmetic has at most 44 different problems in split \"train\" with these options; ask for fewer, \
             for more digits, or (training only) set options.repeat = true"
        );
        assert!(make(12, 0, "eval", json!({"digits": 1})).unwrap_err().contains("at most 11 "));
    }

    #[test]
    fn a_share_of_training_problems_shows_its_sum() {
        let is_hinted = |problem: &Problem| problem.prompt.text() == problem.fields["hinted_prompt"];
        let half = make(1000, 5, "train", json!({"hinted": 0.5})).unwrap();
        assert!((450..550).contains(&half.iter().filter(|problem| is_hinted(problem)).count()));
        let plain = make(1000, 5, "train", json!({})).unwrap();
        assert!(
            plain.iter().zip(&half).all(|(plain, half)| plain.fields == half.fields && !is_hinted(plain))
        );
        assert!(make(100, 5, "train", json!({"hinted": 1})).unwrap().iter().all(is_hinted));
        let message = make(5, 0, "eval", json!({"hinted": 0.5})).unwrap_err();
        assert!(message.starts_with("options.hinted: only training"), "{message}");
        let message = make(5, 0, "train", json!({"hinted": 2})).unwrap_err();
        assert_eq!(message, "options.hinted: expected a number from 0 to 1, found 2");

        let knobs = json!({"digits": "1-2", "hinted": 0.5, "hinted_digits": "4,6", "repeat": true});
        let mixed = make(400, 5, "train", knobs).unwrap();
        let lengths = |hinted: bool| -> HashSet<u64> {
            let of_kind = mixed.iter().filter(|problem| is_hinted(problem) == hinted);
            of_kind.filter_map(|problem| problem.fields["digits"].as_u64()).collect()
        };
        assert_eq!(lengths(true), HashSet::from([4, 6]));
        assert_eq!(lengths(false), HashSet::from([1, 2]));
        let message = make(5, 0, "train", json!({"hinted_digits": 3})).unwrap_err();
        assert!(message.ends_with("set options.repeat = true"), "{message}");
    }

    #[test]
    fn repeats_are_for_training_only() {
        let problems = make(500, 0, "train", json!({"digits": 1, "repeat": true})).unwrap();
        let ids: HashSet<&str> = problems.iter().map(|problem| problem.id.as_str()).collect();
        assert_eq!(ids.len(), 500);
        assert!(problems.iter().all(|problem| !is_held_out(pair(problem).0, pair(problem).1, 1)));
        let message = make(5, 0, "eval", json!({"repeat": true})).unwrap_err();
        assert!(message.starts_with("options.repeat: only training"), "{message}");
    }
}
