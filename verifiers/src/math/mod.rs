//! `math`: numeric answers, exactly.
//!
//! # Which answer
//!
//! One place in the response counts, found by the first of these rules that finds any:
//!
//! 1. Only the text after the last end-of-thinking mark (`</think>`, `</thinking>`, `[/THINK]`) is looked at. Thinking
//!    that begins and never ends holds no answer.
//! 2. The last `\boxed{...}` (or `\fbox{...}`) whose braces are closed, and which is not denied by the words before it
//!    ("not \boxed{42}"). Boxes joined by a comma, "and" or "or" are several answers, which no single number is equal
//!    to: wrong.
//! 3. The rest of the line after the last `####`. Markdown headings, which begin with words or an ordinal
//!    (`#### Step 2`), are passed over.
//! 4. The last sentence that commits: "the answer is 42", "final answer: 42", "Answer: 42", or a line that begins with
//!    "A: 42". The answer ends with its sentence or clause. A sentence does not count where it denies ("the answer is
//!    not 42"), doubts ("the answer might be 42", "maybe the answer is 42", "the answer is 42, I guess"), supposes ("if
//!    the answer is 42"), asks ("is 42 the answer?"), reports ("Bob said the answer is 42"), or is taken back in the
//!    next ("That is wrong."). An answer that a later sentence denies does not count either.
//! 5. With `fallback = "last-number"` only: the last number in the text.
//!
//! # Which values
//!
//! The answer must be one plain number, which is read exactly: integers of any length up to 1000 digits, decimals,
//! fractions (`3/4`, `\frac{3}{4}`, `¾`), mixed numbers (`1 1/2`), scientific notation (`1.5e3`, `3 \times 10^4`),
//! thousands separators (groups of three behind commas, spaces, underscores, `\,` or `{,}`; `1,2` is a list and not 12),
//! signs and digits of other scripts, currency, per cent, `x = 42`, and the usual dress of LaTeX and Markdown.
//!
//! * Nothing is rounded. `tolerance` in the reference allows a relative difference.
//! * `hundred`, `thousand`, ..., `dozen` behind a number multiply it: 6 dozen is 72.
//! * A bracket of amounts behind an amount, "$10 ($5 + $5)", is an explanation.
//! * `p %` is a hundredth of p, and equals p as well where the other side is a bare number.
//! * A unit or currency that is missing on one side is ignored; two different ones are wrong and are not converted.
//! * What is no plain number (`2+3`, `\sqrt{2}`, `10:30`) is judged wrong, with kind `unproven`. What is too large to
//!   read (`1e999999999`) is judged wrong, with kind `over-budget`. A *reference* of either sort is an error at load.
//!
//! Text is read once, with fixed limits of bytes and digits, without recursion, backtracking or clocks.

mod extract;
mod lex;
mod number;
mod unit;
mod value;

use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use serde::Deserialize;

use crate::budget::Budget;
use crate::error::shorten;
use crate::verdict::{Kind, Verdict};
use crate::verifier::{Item, Verifier, one_spaced};
use extract::Answer;
use number::NotPlain;
use value::{Match, Value, trim};

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

/// The gold answer of `math`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawReference")]
pub struct MathReference {
    /// As it is written, without what surrounds it.
    answer: String,
    value: Value,
    /// Relative to the gold number.
    tolerance: BigRational,
}

/// The gold answer as the data has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReference {
    answer: serde_json::Value,
    tolerance: Option<serde_json::Value>,
    unit: Option<String>,
    form: Option<serde_json::Value>,
}

impl TryFrom<RawReference> for MathReference {
    type Error = String;

    fn try_from(raw: RawReference) -> Result<Self, String> {
        if raw.form.is_some() {
            return Err("`form` is not supported; remove it to accept every form of the number".to_owned());
        }
        let text = match &raw.answer {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) => exact_text(number)?,
            other => return Err(format!("`answer` must be a text or a number, found {other}")),
        };
        let (answer, mut value) = gold(&text)?;
        if let Some(unit) = raw.unit {
            // The reader of values knows units only beside a number.
            let beside = Value::parse(&format!("1 {unit}"))
                .ok()
                .filter(|it| it.number.is_one() && (it.unit.percent || !it.unit.is_bare()))
                .ok_or_else(|| format!("`unit` must be a unit such as \"cm\" or \"km/h\", found {unit:?}"))?;
            if !value.unit.agrees(&beside.unit) || (value.unit.percent && !beside.unit.percent) {
                return Err(format!("`unit` is {unit:?}, but `answer` has another unit: {answer:?}"));
            }
            value.unit = beside.unit;
        }
        Ok(Self { answer, value, tolerance: tolerance(raw.tolerance.as_ref())? })
    }
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

/// The gold text and its value: the whole text, or what it marks by a box or `####`.
fn gold(text: &str) -> Result<(String, Value), String> {
    let whole = Value::parse(text);
    if let Ok(value) = whole {
        return Ok((trim(text).to_owned(), value));
    }
    let is_marked = text.contains("####") || text.contains(r"\boxed") || text.contains(r"\fbox");
    let marked = match extract::answer(text, false) {
        Ok(Answer::One(marked)) if is_marked => {
            Value::parse(marked).map(|value| (trim(marked).to_owned(), value))
        }
        _ => Err(NotPlain::Empty),
    };
    marked.map_err(|_| {
        let why = whole.err().unwrap_or(NotPlain::Empty);
        format!(
            "`answer` must be one plain number such as \"42\", \"3/4\" or \"$1,200.50\", but {}",
            why.why()
        )
    })
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
        r"a number, exactly: \boxed{}, ####, or a sentence that says the answer; units, fractions, per cent";
    type Settings = MathSettings;
    type Reference = MathReference;

    fn new(settings: MathSettings) -> Result<Self, String> {
        Ok(Self { settings })
    }

    fn verify(&self, item: &Item<MathReference>, response: &str, _budget: &Budget) -> Verdict {
        let found = match extract::answer(response, self.settings.fallback == Fallback::LastNumber) {
            Ok(found) => found,
            Err(why) => return Verdict::no_answer(why),
        };
        match found {
            Answer::One(text) => match Value::parse(text) {
                Ok(value) => compare(&item.reference, &value, trim(text)),
                Err(why) => refuse(&why, trim(text)),
            },
            Answer::Several(texts) => {
                let shown: Vec<String> = texts.iter().map(|text| shorten(trim(text), 40)).collect();
                let reason = format!("{} boxed answers where one number is asked for", texts.len());
                Verdict::wrong(reason, Some(shown.join(", ")))
            }
            Answer::Last(value, text) => compare(&item.reference, &value, text),
        }
    }

    fn answer(reference: &MathReference) -> Option<String> {
        Some(reference.answer.clone())
    }

    /// The number without its dress: "$18" and "18.0" are one answer. What equals the gold number is the gold answer; a
    /// unit counts only where it is not the one that was asked for.
    fn canonical(reference: &MathReference, extracted: &str) -> String {
        let gold = &reference.value;
        let Ok(given) = Value::parse(extracted) else { return one_spaced(extracted) };
        if gold.matches(&given, &reference.tolerance) == Match::Equal {
            return gold.number.to_string();
        }
        let percent = if given.unit.percent { "%" } else { "" };
        let unit = if gold.unit.agrees(&given.unit) { String::new() } else { given.unit.to_string() };
        format!("{}{percent}{unit}", given.number)
    }
}

/// Judges an answer that has been read.
fn compare(reference: &MathReference, given: &Value, text: &str) -> Verdict {
    let shown = shorten(text, SHOWN_BYTES);
    let gold = &reference.answer;
    let extracted = Some(shown.clone());
    match reference.value.matches(given, &reference.tolerance) {
        Match::Equal if reference.value.number == given.number || reference.tolerance.is_zero() => {
            Verdict::right(format!("{shown} equals {gold}"), extracted)
        }
        Match::Equal => Verdict::right(format!("{shown} is within the tolerance of {gold}"), extracted),
        Match::Differs => Verdict::wrong(format!("{shown} differs from {gold}"), extracted),
        Match::UnitsDiffer => Verdict::wrong(format!("the unit of {shown} is not that of {gold}"), extracted),
    }
}

/// Judges an answer that is no plain number.
fn refuse(why: &NotPlain, text: &str) -> Verdict {
    let extracted = Some(shorten(text, SHOWN_BYTES));
    let reason = format!("not a plain number: {}", why.why());
    match why {
        NotPlain::Empty => Verdict::no_answer("the answer is empty"),
        NotPlain::OverBudget(_) => Verdict::zero(Kind::OverBudget, why.why(), extracted),
        NotPlain::Several(_) => Verdict::wrong(reason, extracted),
        NotPlain::Words | NotPlain::Unclear(_) => Verdict::zero(Kind::Unproven, reason, extracted),
    }
}
