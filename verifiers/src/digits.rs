//! `digits`: the sum of two numbers as its digits, written out with spaces between them, as in the arithmetic task of
//! STaR (Zelikman et al. 2022, section 4.1), whose answers look like
//!
//! ```text
//! <scratch>
//! 6 2 , 9 , C: 1
//! </scratch>
//! 7 1 1
//! ```
//!
//! The answer is the last line that is not empty, after the last `</scratch>` if there is one; scratch work that begins
//! and never ends holds no answer. That line must be digits with exactly one space between them (white space around the
//! line is ignored), and must be the reference's digits: a zero too many in front is wrong.

use serde::Deserialize;

use crate::budget::Budget;
use crate::error::shorten;
use crate::verdict::Verdict;
use crate::verifier::{Item, Response, Verifier};

/// Bytes of an answer that a reason shows.
const SHOWN_BYTES: usize = 120;

/// `digits` has no settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DigitsSettings {}

/// The gold digits.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawReference")]
pub struct DigitsReference {
    /// With one space between digits, as the answer must be.
    spaced: String,
}

/// The gold digits as the data has them: `"711"`, `"7 1 1"` or 711.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReference {
    answer: serde_json::Value,
}

impl TryFrom<RawReference> for DigitsReference {
    type Error = String;

    fn try_from(raw: RawReference) -> Result<Self, String> {
        let text = match &raw.answer {
            serde_json::Value::String(text) => text.trim().to_owned(),
            serde_json::Value::Number(number) if number.is_u64() => number.to_string(),
            other => return Err(format!("`answer` must be digits as a text, found {other}")),
        };
        let joined = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if joined {
            let digits: Vec<String> = text.chars().map(String::from).collect();
            return Ok(Self { spaced: digits.join(" ") });
        }
        if is_spaced(&text) {
            return Ok(Self { spaced: text });
        }
        Err(format!("`answer` must be digits such as \"711\" or \"7 1 1\", found {text:?}"))
    }
}

/// Whether a text is digits with exactly one space between them.
fn is_spaced(text: &str) -> bool {
    text.split(' ').all(|piece| piece.len() == 1 && piece.as_bytes()[0].is_ascii_digit())
}

/// The verifier `digits`: see the module's documentation.
#[derive(Clone, Debug)]
pub struct Digits;

impl Verifier for Digits {
    const NAME: &'static str = "digits";
    const ABOUT: &'static str =
        "the last line is the digits of a number with one space between them (\"7 1 1\")";
    type Settings = DigitsSettings;
    type Reference = DigitsReference;

    fn new(_settings: DigitsSettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn verify(&self, item: &Item<DigitsReference>, response: &Response<'_>, _budget: &Budget) -> Verdict {
        let text = response.text.rsplit_once("</scratch>").map_or(response.text, |(_, after)| after);
        if text.contains("<scratch>") {
            return Verdict::no_answer("no answer found: the scratch work never ends");
        }
        let Some(line) = text.lines().rev().map(str::trim).find(|line| !line.is_empty()) else {
            return Verdict::no_answer("no answer found: there is no line that is not empty");
        };
        let shown = shorten(line, SHOWN_BYTES);
        let gold = &item.reference.spaced;
        if !is_spaced(line) {
            return Verdict::no_answer(format!(
                "the last line is not digits with one space between them: {shown:?}"
            ));
        }
        if line == gold {
            Verdict::right(format!("{shown} equals {gold}"), Some(shown))
        } else {
            Verdict::wrong(format!("{shown} differs from {gold}"), Some(shown))
        }
    }

    fn answer(reference: &DigitsReference) -> Option<String> {
        Some(reference.spaced.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::{RawItem, configure};

    fn kind(reference: Value, response: &str) -> &'static str {
        let digits = configure("digits", &Value::Null).unwrap();
        let judge = digits.bind(RawItem { id: "sum".into(), reference, ..RawItem::default() }).unwrap();
        judge.judge(&response.into(), &Budget::starting_now(Duration::from_secs(60))).kind_name()
    }

    #[test]
    fn the_last_line_must_be_the_digits() {
        let cases = [
            ("<scratch>\n6 2 , 9 , C: 1\n</scratch>\n7 1 1", "right"),
            ("7 1 1", "right"),
            ("1 2 3\n7 1 1 \r\n\n", "right"),
            ("711", "no-answer"),
            ("7  1 1", "no-answer"),
            ("7 1 1.", "no-answer"),
            ("7 11", "no-answer"),
            ("７ １ １", "no-answer"),
            ("0 7 1 1", "wrong"),
            ("7 1 2", "wrong"),
            ("7 1", "wrong"),
            ("7 1 1\n7 1 2", "wrong"),
            ("7 1 1\n</scratch>\n", "no-answer"),
            ("<scratch>\n7 1 1", "no-answer"),
            ("<scratch>\n1\n</scratch>\n7 1 1\n<scratch>", "no-answer"),
            ("", "no-answer"),
        ];
        for (response, expected) in cases {
            for reference in [json!("711"), json!("7 1 1"), json!(711), json!({"answer": "7 1 1"})] {
                assert_eq!(kind(reference, response), expected, "{response:?}");
            }
        }
    }

    #[test]
    fn a_reference_that_is_no_digits_is_an_error() {
        let digits = configure("digits", &Value::Null).unwrap();
        for bad in [
            json!(""),
            json!("7  1"),
            json!("-7"),
            json!("7 1a"),
            json!(7.5),
            json!([7]),
            json!({}),
            Value::Null,
        ] {
            let item = RawItem { id: "sum-3".into(), reference: bad.clone(), ..RawItem::default() };
            let error = digits.bind(item).err().unwrap().to_string();
            assert!(error.contains("`sum-3`"), "{bad}: {error}");
        }
    }

    #[test]
    fn the_hint_is_the_spaced_digits() {
        let digits = configure("digits", &Value::Null).unwrap();
        let item = RawItem { reference: json!("711"), ..RawItem::default() };
        assert_eq!(digits.bind(item).unwrap().answer().as_deref(), Some("7 1 1"));
    }
}
