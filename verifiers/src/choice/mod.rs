//! `choice`: one option of several, by its letter or its text.
//!
//! # Which answer
//!
//! The places that commit to an answer are closed boxes, lines after `####` and sentences such as "the answer is B" or
//! "the correct choice is B", after the end of thinking: see "Which answer" of [`crate::math`]. All of them must agree. The
//! last one counts; where an earlier one names another option and is not taken back, there is no answer. An answer is
//! taken back by a sentence between the two that begins with "no,", "wait", "actually", "correction", "sorry", "let me
//! re-check" or the like, by "that is wrong", or by a later "the answer is not A". An answer to a part of the question
//! ("the answer to the first step is 4") and what reads as no option contradict nothing.
//!
//! Where nothing commits, a response that is one line and nothing but an answer is one. With `fallback = "last"`, the last
//! option's letter or text that stands alone in the last line is taken, unless "not" stands before it.
//!
//! # Which option
//!
//! * A letter: `B`, `(B)`, `B)`, `B.`, `option B`, in LaTeX's and Markdown's dress. A small letter counts too where it is
//!   the whole answer; a small "a" in a sentence is an article unless it stands in brackets.
//! * An option's whole text, whatever its case, white space, dress and final punctuation. Where two options differ in case
//!   only, case counts. A text that two options have names neither.
//! * Both: `(B) the red one`, `B: the red one`, `the red one (B)`. A letter with the text of another option is no answer. A
//!   letter with a text that no option has is that letter, unless the text denies, doubts or names an alternative.
//! * A letter that is also an option's text is read as the letter.
//! * Several options ("A and B", "A or B") are no answer. What is no option ("none of the above", `G` of five) is wrong.

mod options;
mod read;

use serde::Deserialize;

use crate::answer::{Found, Reader, Unsettled, after_thinking, folded, settled, single_line, trim};
use crate::budget::Budget;
use crate::error::shorten;
use crate::verdict::{Kind, Verdict};
use crate::verifier::{Item, Response, Verifier};
use options::Options;
use read::Reading;

/// Bytes of an answer that a reason shows.
const SHOWN_BYTES: usize = 120;

/// What happens where a response commits to no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChoiceFallback {
    /// It has no answer.
    #[default]
    None,
    /// The last option that stands alone in the last line is taken.
    Last,
}

/// The settings of `choice`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChoiceSettings {
    /// What happens where a response commits to no answer.
    pub fallback: ChoiceFallback,
}

/// The gold answer of `choice`: one of the options.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawReference")]
pub struct ChoiceReference {
    options: Options,
    /// Which of them.
    gold: usize,
}

/// The gold answer as the data has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReference {
    answer: serde_json::Value,
    options: Option<serde_json::Value>,
}

impl TryFrom<RawReference> for ChoiceReference {
    type Error = String;

    fn try_from(raw: RawReference) -> Result<Self, String> {
        let options = match &raw.options {
            None => Options::letters(),
            Some(options) => Options::parse(options)?,
        };
        let answer = match &raw.answer {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) => number.to_string(),
            other => return Err(format!("`answer` must be an option's letter or text, found {other}")),
        };
        let shown = shorten(&answer, SHOWN_BYTES);
        let among = options.names();
        let expected = format!("`answer` must be the letter or the text of one option ({among})");
        match options.read(&answer) {
            Reading::Option(gold) | Reading::Letter(gold) => Ok(Self { options, gold }),
            Reading::Ambiguous => {
                Err(format!("{expected}, but several options have the text {shown:?}; give the letter"))
            }
            Reading::Mismatch(..) => {
                Err(format!("{expected}, but in {shown:?} the letter and the text are those of two options"))
            }
            Reading::Several => Err(format!("{expected}, but {shown:?} names several")),
            Reading::Outside | Reading::Unreadable => Err(format!("{expected}, found {shown:?}")),
        }
    }
}

/// The verifier `choice`: see the module's documentation.
#[derive(Clone, Debug)]
pub struct Choice {
    settings: ChoiceSettings,
}

impl Verifier for Choice {
    const NAME: &'static str = "choice";
    const ABOUT: &'static str = "one option of several, by its letter or its text";
    const LENIENT: Option<(&'static str, &'static str)> = Some(("fallback", "last"));
    type Settings = ChoiceSettings;
    type Reference = ChoiceReference;

    fn new(settings: ChoiceSettings) -> Result<Self, String> {
        Ok(Self { settings })
    }

    fn verify(&self, item: &Item<ChoiceReference>, response: &Response<'_>, _budget: &Budget) -> Verdict {
        let reference = &item.reference;
        match settled(response, &reference.options) {
            Ok(Found::One(text)) => reference.judge(text),
            Ok(Found::Several(texts)) => reference.judge_several(&texts),
            Err(Unsettled::Contradiction(earlier, later)) => {
                let (earlier, later) = (shorten(trim(earlier), 40), shorten(trim(later), 40));
                Verdict::no_answer(format!("two different answers: {earlier}, and later {later}"))
            }
            Err(Unsettled::Nothing(why)) => match self.unmarked(&reference.options, response) {
                Some(text) => reference.judge(text),
                None => Verdict::no_answer(why),
            },
        }
    }

    fn answer(reference: &ChoiceReference) -> Option<String> {
        Some(reference.options.label(reference.gold).to_string())
    }

    /// The letter, where the answer is an option.
    fn canonical(reference: &ChoiceReference, extracted: &str) -> String {
        match reference.options.read(extracted) {
            Reading::Option(option) => reference.options.label(option).to_string(),
            _ => folded(extracted),
        }
    }
}

impl Choice {
    /// The answer of a response that no rule finds one in: the whole of it, or the last option in it if that is asked for.
    fn unmarked<'a>(&self, options: &Options, response: &'a str) -> Option<&'a str> {
        let text = after_thinking(response).ok()?;
        let whole = single_line(text).filter(|line| options.is_only_answer(line));
        whole.or_else(|| match self.settings.fallback {
            ChoiceFallback::None => None,
            ChoiceFallback::Last => options.last_in(text),
        })
    }
}

impl ChoiceReference {
    /// Judges a text that the response gives as its answer.
    fn judge(&self, text: &str) -> Verdict {
        let shown = shorten(trim(text), SHOWN_BYTES);
        let gold = self.options.label(self.gold);
        let extracted = Some(shown.clone());
        let none = |reason: String| Verdict::zero(Kind::NoAnswer, reason, Some(shown.clone()));
        match self.options.read(text) {
            Reading::Option(option) | Reading::Letter(option) if option == self.gold => {
                Verdict::right(format!("{shown} is option {gold}"), extracted)
            }
            Reading::Option(option) | Reading::Letter(option) => {
                let given = self.options.label(option);
                Verdict::wrong(format!("{shown} is option {given}, not {gold}"), extracted)
            }
            Reading::Mismatch(letter, other) => none(format!(
                "the letter is {}, the text that of option {}: {shown}",
                self.options.label(letter),
                self.options.label(other)
            )),
            Reading::Several => none(format!("several options where one is asked for: {shown}")),
            Reading::Ambiguous => none(format!("several options have the text {shown}")),
            Reading::Outside | Reading::Unreadable if shown.is_empty() => {
                Verdict::no_answer("the answer is empty")
            }
            Reading::Outside | Reading::Unreadable => {
                let names = self.options.names();
                Verdict::wrong(format!("{shown} is none of the options ({names})"), extracted)
            }
        }
    }

    /// Judges answers that stand side by side.
    fn judge_several(&self, texts: &[&str]) -> Verdict {
        match texts {
            [first, others @ ..] if others.iter().all(|other| self.options.same(first, other)) => {
                self.judge(first)
            }
            _ => {
                let shown: Vec<String> = texts.iter().map(|text| shorten(trim(text), 40)).collect();
                let shown = shown.join(", ");
                let reason = format!("several answers where one option is asked for: {shown}");
                Verdict::zero(Kind::NoAnswer, reason, Some(shown))
            }
        }
    }
}
