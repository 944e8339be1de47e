//! `text`: answers that are words: yes or no, true or false, valid or invalid, an integer, a list of words, brackets, or
//! any text.
//!
//! # Which answer
//!
//! As for [`crate::choice`]: boxes, `####` lines and sentences that say what the answer is must all agree, and the last one
//! counts; an earlier one that differs must be taken back. Where nothing commits, a response that is one line and nothing
//! but an answer of the item's type is one. With `fallback = "last"`, the last line is looked at: its last word that is an
//! answer of the type (yes, no, true, an integer, a run of brackets), the whole line for `words` and `free`.
//!
//! # Types
//!
//! `type` says what an answer is. Left out, it follows from the answer: yes or no, true or false, valid or invalid, an
//! integer, nothing but brackets, else `free`. `words` is taken only where it is asked for.
//!
//! * `yesno`, `bool`, `validity`: the word as a whole, whatever its case. "invalid" does not hold "valid", nor "cannot" a
//!   "no". Both values at once are no answer. "not valid" is invalid; any other "not" is no answer, and so is "the answer is
//!   not valid", which says only what the answer is not.
//! * `int`: an integer of any length, exactly, with a sign and thousands separators if any, `8.0` for 8, or a word from
//!   zero to twenty. Up to three words may follow ("8 apples"), unless they change the number ("8 dozen"). Sums are not
//!   worked out.
//! * `words`: the same words in the same order, whatever their case. Spaces, commas, semicolons and "and" separate them.
//! * `brackets`: the same brackets in the same order; white space between them does not count. The answer is exactly the
//!   reference: a whole sequence where only its end is asked for is wrong.
//! * `free`: the same text, whatever its case, white space, dress, quotes and final punctuation. A comma does not end it.

mod read;
mod types;

use serde::Deserialize;

use crate::answer::{
    Found, MAX_BYTES, Reader, Unsettled, after_thinking, settled, single_line, speaks_of_answer, trim,
};
use crate::budget::Budget;
use crate::error::shorten;
use crate::verdict::{Kind, Verdict};
use crate::verifier::{Item, Response, Verifier, one_spaced};
use read::{Reading, Texts};
pub use types::TextType;

/// Bytes of an answer that a reason shows.
const SHOWN_BYTES: usize = 120;

/// What happens where a response commits to no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextFallback {
    /// It has no answer.
    #[default]
    None,
    /// The last answer in the last line is taken.
    Last,
}

/// The settings of `text`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TextSettings {
    /// What happens where a response commits to no answer.
    pub fallback: TextFallback,
}

/// The gold answers of `text`, of one type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawReference")]
pub struct TextReference {
    texts: Texts,
}

/// The gold answer as the data has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReference {
    answer: Option<serde_json::Value>,
    answers: Option<Vec<serde_json::Value>>,
    r#type: Option<TextType>,
}

impl TryFrom<RawReference> for TextReference {
    type Error = String;

    fn try_from(raw: RawReference) -> Result<Self, String> {
        let given: Vec<serde_json::Value> =
            raw.answer.into_iter().chain(raw.answers.into_iter().flatten()).collect();
        if given.is_empty() {
            return Err("`answer`, or `answers` with at least one text, is missing".to_owned());
        }
        let answers = given.iter().map(gold_text).collect::<Result<Vec<String>, String>>()?;
        let inferred = TextType::of(&answers[0]);
        let r#type = raw.r#type.unwrap_or(inferred);
        let texts = Texts::new(r#type, answers)?;
        Ok(Self { texts })
    }
}

/// An answer of the reference as a text.
fn gold_text(value: &serde_json::Value) -> Result<String, String> {
    let text = match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Bool(true) => "True".to_owned(),
        serde_json::Value::Bool(false) => "False".to_owned(),
        serde_json::Value::Number(number) if !number.is_f64() => number.to_string(),
        other => return Err(format!("an answer must be a text, an integer or true or false, found {other}")),
    };
    match text.trim() {
        "" => Err("an answer is empty".to_owned()),
        long if long.len() > MAX_BYTES => {
            Err(format!("an answer may have {MAX_BYTES} bytes, found {}", long.len()))
        }
        text => Ok(text.to_owned()),
    }
}

/// The verifier `text`: see the module's documentation.
#[derive(Clone, Debug)]
pub struct Text {
    settings: TextSettings,
}

impl Verifier for Text {
    const NAME: &'static str = "text";
    const ABOUT: &'static str =
        "yes or no, true or false, valid or invalid, an integer, words, brackets, or any text";
    const LENIENT: Option<(&'static str, &'static str)> = Some(("fallback", "last"));
    type Settings = TextSettings;
    type Reference = TextReference;

    fn new(settings: TextSettings) -> Result<Self, String> {
        Ok(Self { settings })
    }

    fn verify(&self, item: &Item<TextReference>, response: &Response<'_>, _budget: &Budget) -> Verdict {
        let texts = &item.reference.texts;
        match settled(response, texts) {
            Ok(Found::One(text)) => judge(texts, text),
            Ok(Found::Several(several)) => judge_several(texts, &several),
            Err(Unsettled::Contradiction(earlier, later)) => {
                let (earlier, later) = (shorten(trim(earlier), 40), shorten(trim(later), 40));
                Verdict::no_answer(format!("two different answers: {earlier}, and later {later}"))
            }
            Err(Unsettled::Nothing(why)) => match self.unmarked(texts, response) {
                Some(text) => judge(texts, text),
                None => Verdict::no_answer(why),
            },
        }
    }

    fn answer(reference: &TextReference) -> Option<String> {
        Some(reference.texts.first().to_owned())
    }

    /// The answer's meaning: "8" for "eight", "invalid" for "not valid", the first gold answer for each of them.
    fn canonical(reference: &TextReference, extracted: &str) -> String {
        match reference.texts.read(extracted) {
            Reading::Answer(answer) if reference.texts.is_gold(&answer) => {
                reference.texts.canonical_gold().to_owned()
            }
            Reading::Answer(answer) => answer,
            Reading::Both | Reading::Unreadable => one_spaced(extracted),
        }
    }
}

impl Text {
    /// The answer of a response that no rule finds one in: the whole of it, or the last in it if that is asked for.
    fn unmarked<'a>(&self, texts: &Texts, response: &'a str) -> Option<&'a str> {
        let text = after_thinking(response).ok()?;
        let whole = single_line(text).filter(|line| texts.is_answer(line) && !speaks_of_answer(line));
        whole.or_else(|| match self.settings.fallback {
            TextFallback::None => None,
            TextFallback::Last => texts.last_in(text),
        })
    }
}

/// Judges a text that the response gives as its answer.
fn judge(texts: &Texts, text: &str) -> Verdict {
    let shown = shorten(trim(text), SHOWN_BYTES);
    let gold = shorten(texts.first(), SHOWN_BYTES);
    let extracted = Some(shown.clone());
    match texts.read(text) {
        Reading::Answer(answer) if texts.is_gold(&answer) => {
            Verdict::right(format!("{shown} is {gold}"), extracted)
        }
        Reading::Answer(_) => Verdict::wrong(format!("{shown} is not {gold}"), extracted),
        Reading::Both => {
            let reason = format!("both answers at once: {shown}");
            Verdict::zero(Kind::NoAnswer, reason, extracted)
        }
        Reading::Unreadable if shown.is_empty() => Verdict::no_answer("the answer is empty"),
        Reading::Unreadable => {
            let expected = texts.r#type().expected();
            Verdict::wrong(format!("{shown} is not {expected}"), extracted)
        }
    }
}

/// Judges answers that stand side by side.
fn judge_several(texts: &Texts, several: &[&str]) -> Verdict {
    match several {
        [first, others @ ..] if others.iter().all(|other| texts.same(first, other)) => judge(texts, first),
        _ => {
            let shown: Vec<String> = several.iter().map(|text| shorten(trim(text), 40)).collect();
            let shown = shown.join(", ");
            let reason = format!("several answers where one is asked for: {shown}");
            Verdict::zero(Kind::NoAnswer, reason, Some(shown))
        }
    }
}
