//! `math`: final answers of mathematics, compared exactly.
//!
//! # Which answer
//!
//! One place in the response counts, by the rule that all verifiers share: the last closed box that is not denied; else
//! the last `####` line; else the last sentence that commits. With `fallback = "last-number"` the last number in the text
//! counts where none of these is found.
//!
//! # Which answers are the same
//!
//! An answer is a number or formula with its unit, a tuple, a set, an interval, a union, a matrix, a relation, a ratio,
//! digits to a base, or words (`answer.rs`). `docs/verifiers.md` lists by example what is the same.
//!
//! * `value.rs` reads one plain number with its unit, which is what most answers are; `parse.rs` reads everything else, by
//!   way of the symbols of `latex.rs` and the grammar of `formula.rs`.
//! * `compare.rs` decides by what the answers are, `equal.rs` whether two expressions are the same: exactly for numbers,
//!   by residues in finite fields (`residue.rs`) for what is formally the same, else by enclosures (`ball.rs`,
//!   `numeric.rs`).
//! * Nothing is rounded. `tolerance` in the reference allows a relative difference.
//! * What can be shown neither equal nor different is judged wrong, with kind `unproven`; what is too long or too large to
//!   be worked out is judged wrong, with kind `over-budget`. A *reference* that cannot be read is an error at load.
//!
//! Text is read once, with fixed limits of bytes, depth, parts and digits, without backtracking or clocks.

mod answer;
mod ball;
mod commands;
mod compare;
mod equal;
mod expr;
mod extract;
mod formula;
mod intervals;
mod latex;
mod lex;
mod number;
mod numeral;
mod numeric;
mod parse;
mod quantity;
mod read;
mod residue;
mod symbols;
mod unit;
mod value;
mod words;

use std::cell::Cell;

use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use serde::Deserialize;

use crate::answer::trim;
use crate::budget::Budget;
use crate::error::shorten;
use crate::verdict::{Kind, Verdict};
use crate::verifier::{Item, Response, Verifier, one_spaced};
use answer::{Answer, Quantity};
use compare::{Comparer, Match};
use expr::Expr;
use extract::Committed;
use number::NotPlain;
use read::{Reading, read};
use value::Value;

/// Bytes of an answer that a reason shows.
const SHOWN_BYTES: usize = 120;

/// What happens where a response commits to no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fallback {
    /// It has no answer.
    #[default]
    None,
    /// The last number in the text is taken.
    LastNumber,
}

/// The settings of `math`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MathSettings {
    /// What happens where a response commits to no answer.
    pub fallback: Fallback,
}

/// What form an answer must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Form {
    /// Worked out: no `2 + 3`, `6/4` or `\\sqrt{8}`.
    Simplified,
}

/// The gold answer of `math`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "RawReference")]
pub struct MathReference {
    /// As it is written, without what surrounds it.
    answer: String,
    reading: Reading,
    /// Relative to the gold number.
    tolerance: BigRational,
    form: Option<Form>,
}

/// The gold answer as the data has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReference {
    answer: serde_json::Value,
    tolerance: Option<serde_json::Value>,
    unit: Option<String>,
    form: Option<Form>,
}

impl TryFrom<RawReference> for MathReference {
    type Error = String;

    fn try_from(raw: RawReference) -> Result<Self, String> {
        let text = match &raw.answer {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) => exact_text(number)?,
            other => return Err(format!("`answer` must be a text or a number, found {other}")),
        };
        let (answer, mut reading) = gold(&text)?;
        if let Some(unit) = raw.unit {
            add_unit(&mut reading.answer, &unit, &answer)?;
        }
        Ok(Self { answer, reading, tolerance: tolerance(raw.tolerance.as_ref())?, form: raw.form })
    }
}

/// Gives the gold answer the unit that stands apart in the data.
fn add_unit(gold: &mut Answer, unit: &str, answer: &str) -> Result<(), String> {
    // The reader of values knows units only beside a number.
    let beside = Value::parse(&format!("1 {unit}"))
        .ok()
        .filter(|it| it.number.is_one() && (it.unit.percent || !it.unit.is_bare()))
        .ok_or_else(|| format!("`unit` must be a unit such as \"cm\" or \"km/h\", found {unit:?}"))?;
    let Answer::Quantity(quantity) = gold else {
        return Err(format!("`unit` is {unit:?}, but `answer` is no single number: {answer:?}"));
    };
    if !quantity.unit.agrees(&beside.unit) || (quantity.unit.percent && !beside.unit.percent) {
        return Err(format!("`unit` is {unit:?}, but `answer` has another unit: {answer:?}"));
    }
    quantity.unit = beside.unit;
    Ok(())
}

/// The text of a JSON number, where that is the number that was written.
fn exact_text(number: &serde_json::Number) -> Result<String, String> {
    // From here on a float no longer holds every integer, so that the number read may not be the one written.
    const LOST: f64 = 9_007_199_254_740_992.0;
    if number.is_f64() && number.as_f64().is_none_or(|value| value.abs() >= LOST) {
        return Err(format!("`answer` is a number too large for JSON ({number}); write it as a text"));
    }
    Ok(number.to_string())
}

/// The gold text and its reading: the whole text, or what it marks by a box or `####`.
fn gold(text: &str) -> Result<(String, Reading), String> {
    let is_marked = text.contains("####") || text.contains(r"\boxed") || text.contains(r"\fbox");
    let marked = match extract::answer(text, false, Some("")) {
        Ok(Committed::One(marked)) if is_marked => Some(marked),
        _ => None,
    };
    let answer = trim(marked.unwrap_or(text));
    let reading = read(answer).map_err(|why| {
        format!("`answer` must be a final answer such as \"42\", \"\\\\frac{{\\\\pi}}{{2}}\" or \"(1, 2)\", but {}", why.why())
    })?;
    let cost = Cell::new(0);
    for found in reading.answers() {
        if found.expressions().into_iter().any(|expr| !equal::has_value(expr, &cost)) {
            return Err(format!("`answer` has no value, or none that can be worked out: {answer:?}"));
        }
    }
    Ok((answer.to_owned(), reading))
}

fn tolerance(raw: Option<&serde_json::Value>) -> Result<BigRational, String> {
    let Some(raw) = raw else { return Ok(BigRational::zero()) };
    let exact = match raw {
        serde_json::Value::Number(number) => Value::parse(&number.to_string()).ok(),
        _ => None,
    };
    exact.map(|value| value.number).filter(|it| !it.is_negative() && *it < BigRational::one()).ok_or_else(
        || format!("`tolerance` must be a number from 0 to below 1, relative to the answer; found {raw}"),
    )
}

/// The verifier `math`: see the module's documentation.
#[derive(Clone, Debug)]
pub struct Math {
    settings: MathSettings,
}

impl Verifier for Math {
    const NAME: &'static str = "math";
    const ABOUT: &'static str =
        "a final answer of mathematics, exactly: numbers, formulas, sets, intervals, matrices, units, words";
    const LENIENT: Option<(&'static str, &'static str)> = Some(("fallback", "last-number"));
    type Settings = MathSettings;
    type Reference = MathReference;

    fn new(settings: MathSettings) -> Result<Self, String> {
        Ok(Self { settings })
    }

    fn verify(&self, item: &Item<MathReference>, response: &Response<'_>, _budget: &Budget) -> Verdict {
        let reference = &item.reference;
        let words = match &reference.reading.answer {
            Answer::Text(words) => Some(words.as_str()),
            _ => None,
        };
        let last_number = self.settings.fallback == Fallback::LastNumber;
        let found = match extract::answer(response, last_number, words) {
            Ok(found) => found,
            Err(why) => return Verdict::no_answer(why),
        };
        match found {
            Committed::One(text) => reference.judge_text(trim(text)),
            Committed::Several(texts) => reference.judge_boxes(&texts),
            Committed::Last(value, text) => {
                let number = Quantity { expr: Expr::Number(value.number), unit: value.unit };
                let reading = Reading::only(Answer::Quantity(number));
                reference.judge(&reading, text)
            }
        }
    }

    fn answer(reference: &MathReference) -> Option<String> {
        Some(reference.answer.clone())
    }

    /// The number without its dress: "$18" and "18.0" are one answer. What equals the gold answer is the gold answer; a
    /// unit counts only where it is not the one that was asked for.
    fn canonical(reference: &MathReference, extracted: &str) -> String {
        let Ok(given) = read(extracted) else { return one_spaced(extracted) };
        let gold = &reference.reading.answer;
        if reference.matches(&given) == Match::Equal {
            return match gold {
                Answer::Quantity(Quantity { expr: Expr::Number(number), .. }) => number.to_string(),
                _ => reference.answer.clone(),
            };
        }
        let Answer::Quantity(Quantity { expr: Expr::Number(number), unit }) = &given.answer else {
            return one_spaced(extracted);
        };
        let percent = if unit.percent { "%" } else { "" };
        let agrees = matches!(gold, Answer::Quantity(gold) if gold.unit.agrees(unit));
        let unit = if agrees { String::new() } else { unit.to_string() };
        format!("{number}{percent}{unit}")
    }
}

impl MathReference {
    /// How an answer stands to the gold one, by the readings that suit best.
    fn matches(&self, given: &Reading) -> Match {
        let mut best = None;
        let cost = Cell::new(0);
        for gold in self.reading.answers() {
            for given in given.answers() {
                let found = Comparer::new(&self.tolerance, &cost).compare(gold, given);
                if found == Match::Equal {
                    return found;
                }
                best.get_or_insert(found);
            }
        }
        best.unwrap_or(Match::Differs)
    }

    /// Judges an answer by its text.
    fn judge_text(&self, text: &str) -> Verdict {
        match read(text) {
            Ok(reading) => self.judge(&reading, text),
            Err(why) => refuse(&why, text),
        }
    }

    /// Judges joined boxes, which are members of one list.
    fn judge_boxes(&self, texts: &[&str]) -> Verdict {
        let shown: Vec<String> = texts.iter().map(|text| shorten(trim(text), 40)).collect();
        let shown = shown.join(", ");
        let mut members = Vec::with_capacity(texts.len());
        for text in texts {
            match read(text) {
                Ok(reading) => members.push(reading.answer),
                Err(why) => return refuse(&why, &shown),
            }
        }
        // Boxes that all hold the same are one answer.
        let (exact, cost) = (BigRational::zero(), Cell::new(0));
        let same = |other: &Answer| Comparer::new(&exact, &cost).compare(&members[0], other) == Match::Equal;
        if members[1..].iter().all(same) {
            return self.judge(&Reading::only(members.swap_remove(0)), &shown);
        }
        if matches!(self.reading.answer, Answer::Quantity(_) | Answer::Text(_)) {
            let reason = format!("{} boxed answers where one is asked for", texts.len());
            return Verdict::wrong(reason, Some(shown));
        }
        self.judge(&Reading::only(Answer::List(members)), &shown)
    }

    /// Judges an answer that has been read.
    fn judge(&self, given: &Reading, text: &str) -> Verdict {
        let shown = shorten(text, SHOWN_BYTES);
        let gold = shorten(&self.answer, SHOWN_BYTES);
        let extracted = Some(shown.clone());
        match self.matches(given) {
            Match::Equal if self.form == Some(Form::Simplified) && given.unevaluated => {
                Verdict::wrong(format!("{shown} equals {gold}, but is not in its simplest form"), extracted)
            }
            Match::Equal if self.tolerance.is_zero() => {
                Verdict::right(format!("{shown} equals {gold}"), extracted)
            }
            Match::Equal => {
                let exact = Self { tolerance: BigRational::zero(), ..self.clone() };
                let how = if exact.matches(given) == Match::Equal {
                    "equals"
                } else {
                    "is within the tolerance of"
                };
                Verdict::right(format!("{shown} {how} {gold}"), extracted)
            }
            Match::Differs => Verdict::wrong(format!("{shown} differs from {gold}"), extracted),
            Match::UnitsDiffer => {
                Verdict::wrong(format!("the unit of {shown} is not that of {gold}"), extracted)
            }
            Match::OtherSort => {
                Verdict::wrong(format!("{shown} is another sort of answer than {gold}"), extracted)
            }
            Match::Unproven => {
                let reason = format!("{shown} could not be shown to equal {gold}");
                Verdict::zero(Kind::Unproven, reason, extracted)
            }
        }
    }
}

/// Judges an answer that cannot be read.
fn refuse(why: &NotPlain, text: &str) -> Verdict {
    let extracted = Some(shorten(text, SHOWN_BYTES));
    let reason = format!("the answer cannot be read: {}", why.why());
    match why {
        NotPlain::Empty => Verdict::no_answer("the answer is empty"),
        NotPlain::OverBudget(_) => Verdict::zero(Kind::OverBudget, why.why(), extracted),
        NotPlain::Several(_) => Verdict::wrong(reason, extracted),
        NotPlain::Words | NotPlain::Unclear(_) => Verdict::zero(Kind::Unproven, reason, extracted),
    }
}
