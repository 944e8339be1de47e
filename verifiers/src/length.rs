//! `length`: whether a response is as long as it may be: a part for a rubric.
//!
//! The soft overlong punishment of DAPO (Yu et al. 2025, arXiv 2503.14476, section 3.4, equation 13) takes nothing off up
//! to L_max - L_cache tokens, from there linearly more, and 1 from L_max on:
//!
//! ```text
//! R_length(y) = 0                                   |y| <= L_max - L_cache
//!             = ((L_max - L_cache) - |y|) / L_cache     up to |y| = L_max
//!             = -1                                  L_max < |y|
//! ```
//!
//! The score is 1 + R_length, so that it lies in [0, 1] as every score does. Adding the same number to all rewards changes
//! no advantage that is taken against a baseline. Their rewards for the answer are 1 and -1, twice as far apart as the
//! scores 1 and 0: in a rubric their proportion is weight 2 for the answer beside weight 1 for the length.
//!
//! Too short a response can be scored in the same way: linearly from 1 at `min` down to 0 for nothing.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::budget::Budget;
use crate::verdict::{CauseKind, Score, Verdict};
use crate::verifier::{Item, Response, Verifier};

/// The longest that can be asked for: up to here every number is exact as a float.
const MOST: u64 = 1 << 53;
/// `buffer` is this part of `max` unless set: 4,096 of 20,480 tokens in the paper.
const BUFFER_DIVISOR: u64 = 5;

/// What a length is counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LengthUnit {
    /// Tokens of the model that wrote the response.
    #[default]
    Tokens,
    /// Unicode characters.
    Characters,
    /// Pieces between white space.
    Words,
}

/// The settings of [`Length`]. At least one of `max` and `min` is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LengthSettings {
    /// What is counted.
    pub unit: LengthUnit,
    /// The length from which on the score is 0: L_max. No limit unless set.
    pub max: Option<u64>,
    /// How long before `max` the score begins to fall: L_cache. With 0 it falls at once, beyond `max`. Unless set a fifth
    /// of `max`, rounded down, as in the paper.
    pub buffer: Option<u64>,
    /// The length below which the score falls. Default 0: none is too short.
    pub min: u64,
}

/// Judges the length of a response: see the module's documentation.
#[derive(Clone, Debug)]
pub struct Length {
    unit: LengthUnit,
    min: u64,
    /// None: no response is too long.
    limit: Option<Limit>,
}

/// Where long begins, and where it ends.
#[derive(Clone, Copy, Debug)]
struct Limit {
    max: u64,
    /// At most `max`.
    buffer: u64,
}

impl Limit {
    /// Where the score begins to fall.
    fn soft(self) -> u64 {
        self.max - self.buffer
    }

    fn score(self, length: u64) -> f64 {
        match length {
            _ if length <= self.soft() => 1.0,
            _ if length < self.max => ratio(self.max - length, self.buffer),
            _ => 0.0,
        }
    }
}

/// A quotient of two numbers that floats hold exactly, rounded once.
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

impl Verifier for Length {
    const NAME: &'static str = "length";
    const ABOUT: &'static str =
        "the response is not too long (DAPO's soft overlong punishment), nor too short";
    const FIRST_FIELD: &'static str = "";
    type Settings = LengthSettings;
    type Reference = IgnoredAny;

    fn new(settings: LengthSettings) -> Result<Self, String> {
        let LengthSettings { unit, max, buffer, min } = settings;
        let limit = match (max, buffer) {
            (Some(max), _) if max == 0 || max > MOST => {
                return Err(format!("`max` must be from 1 to {MOST}, found {max}"));
            }
            (Some(max), Some(buffer)) if buffer > max => {
                return Err(format!("`buffer` must be at most `max`, {max}, found {buffer}"));
            }
            (Some(max), buffer) => Some(Limit { max, buffer: buffer.unwrap_or(max / BUFFER_DIVISOR) }),
            (None, Some(_)) => return Err("`buffer` must be together with `max`, found alone".to_owned()),
            (None, None) if min == 0 => {
                return Err(
                    "`max` must be given, the length from which on the score is 0, or `min`".to_owned()
                );
            }
            (None, None) => None,
        };
        let most = limit.map_or(MOST, Limit::soft);
        if min > most {
            let what = if limit.is_some() { " (`max` less `buffer`)" } else { "" };
            return Err(format!("`min` must be at most {most}{what}, found {min}"));
        }
        Ok(Self { unit, min, limit })
    }

    fn verify(&self, _item: &Item<IgnoredAny>, response: &Response<'_>, _budget: &Budget) -> Verdict {
        let (length, unit) = match self.unit {
            LengthUnit::Tokens => match response.num_tokens {
                Some(length) => (length, "tokens"),
                None => {
                    let advice = "the number of tokens is not known: give it with the response (`num_tokens` in a \
                                  line for polestar-verify), or set `unit` to \"characters\" or \"words\"";
                    return Verdict::undecided(CauseKind::Declined, advice);
                }
            },
            LengthUnit::Characters => (response.chars().count(), "characters"),
            LengthUnit::Words => (response.split_whitespace().count(), "words"),
        };
        self.judge(u64::try_from(length).unwrap_or(u64::MAX), unit)
    }
}

impl Length {
    fn judge(&self, length: u64, unit: &str) -> Verdict {
        let min = self.min;
        if length < min {
            let reason = format!("too short: {length} {unit}, fewer than {min}");
            return Verdict::graded(Score::clamped(ratio(length, min)), reason);
        }
        let Some(limit) = self.limit else {
            return Verdict::right(format!("{length} {unit} are at least {min}"), None);
        };
        let reason = match (length, limit.max, limit.soft()) {
            (_, _, soft) if length <= soft => format!("{length} {unit} are at most {soft}"),
            (_, max, soft) if length <= max => format!("long: {length} {unit}, over {soft} of at most {max}"),
            (_, max, _) => format!("too long: {length} {unit}, more than {max}"),
        };
        Verdict::graded(Score::clamped(limit.score(length)), reason)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{RawItem, configure};

    fn judged(settings: Value, response: Response<'_>) -> Verdict {
        let length = configure("length", &settings).unwrap();
        let judge = length.bind(RawItem { reference: json!([1, null]), ..RawItem::default() }).unwrap();
        judge.judge(&response, &Budget::starting_now(Duration::from_secs(60)))
    }

    fn tokens(settings: Value, num_tokens: usize) -> f64 {
        let response = Response { text: "", num_tokens: Some(num_tokens) };
        judged(settings, response).score().unwrap().get()
    }

    /// Equation 13 as it stands in the paper, plus 1.
    fn paper(max: u64, cache: u64, length: u64) -> f64 {
        let (max, cache, length) = (max as f64, cache as f64, length as f64);
        if length <= max - cache {
            1.0
        } else if length <= max {
            1.0 + ((max - cache) - length) / cache
        } else {
            0.0
        }
    }

    #[test]
    fn golden_values_of_the_soft_overlong_punishment() {
        let papers = json!({"max": 20_480, "buffer": 4096});
        let golden = [
            (0, 1.0),
            (16_384, 1.0),
            (16_385, 4095.0 / 4096.0),
            (17_408, 0.75),
            (18_432, 0.5),
            (20_479, 1.0 / 4096.0),
            (20_480, 0.0),
            (20_481, 0.0),
            (usize::MAX, 0.0),
        ];
        for (length, score) in golden {
            assert_eq!(tokens(papers.clone(), length), score, "{length}");
            assert_eq!(tokens(json!({"max": 20_480}), length), score, "{length}: the default buffer");
        }
    }

    #[test]
    fn without_a_buffer_the_limit_is_hard() {
        let hard = json!({"max": 10, "buffer": 0});
        assert_eq!([9, 10, 11].map(|length| tokens(hard.clone(), length)), [1.0, 1.0, 0.0]);
        let soft = json!({"max": 10, "buffer": 10});
        assert_eq!([0, 1, 5, 10].map(|length| tokens(soft.clone(), length)), [1.0, 0.9, 0.5, 0.0]);
        assert_eq!([0, 1, 2].map(|length| tokens(json!({"max": 1}), length)), [1.0, 1.0, 0.0]);
    }

    #[test]
    fn too_short_falls_to_nothing() {
        let short = json!({"min": 10});
        assert_eq!(
            [0, 1, 9, 10, 1 << 40].map(|length| tokens(short.clone(), length)),
            [0.0, 0.1, 0.9, 1.0, 1.0]
        );
        let both = json!({"min": 8, "max": 10, "buffer": 2});
        assert_eq!([4, 8, 9, 10].map(|length| tokens(both.clone(), length)), [0.5, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn characters_and_words_are_counted_without_the_model() {
        let in_unit = |unit: &str, text: &str| {
            judged(json!({"max": 4, "buffer": 4, "unit": unit}), text.into()).score().unwrap().get()
        };
        assert_eq!(in_unit("characters", "añ\u{301}"), 0.25);
        assert_eq!(in_unit("characters", ""), 1.0);
        assert_eq!(in_unit("words", " one  two\n\tthree\u{a0}"), 0.25);
        let verdict = judged(json!({"max": 5}), "one two".into());
        assert_eq!(verdict.kind_name(), "declined");
        assert!(verdict.reason().contains("`num_tokens`") && verdict.reason().contains("`unit`"));
    }

    #[test]
    fn reasons_and_kinds_say_where_the_length_lies() {
        let settings = json!({"max": 100, "buffer": 20, "min": 10});
        let cases = [
            (0, "wrong", "too short: 0 tokens, fewer than 10"),
            (5, "partial", "too short: 5 tokens, fewer than 10"),
            (80, "right", "80 tokens are at most 80"),
            (85, "partial", "long: 85 tokens, over 80 of at most 100"),
            (100, "wrong", "long: 100 tokens, over 80 of at most 100"),
            (101, "wrong", "too long: 101 tokens, more than 100"),
        ];
        for (num_tokens, kind, reason) in cases {
            let response = Response { text: "", num_tokens: Some(num_tokens) };
            let verdict = judged(settings.clone(), response);
            assert_eq!((verdict.kind_name(), verdict.reason()), (kind, reason));
        }
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused() {
        let cases = [
            (json!({}), "`max` must be given"),
            (json!({"max": 0}), "`max` must be from 1 to"),
            (json!({"max": u64::MAX}), "`max` must be from 1 to"),
            (json!({"max": -1}), "u64"),
            (json!({"max": 1.5}), "u64"),
            (json!({"max": 5, "buffer": 6}), "`buffer` must be at most `max`, 5, found 6"),
            (json!({"buffer": 6}), "`buffer` must be together with `max`"),
            (
                json!({"max": 10, "buffer": 2, "min": 9}),
                "`min` must be at most 8 (`max` less `buffer`), found 9",
            ),
            (json!({"min": u64::MAX}), "`min` must be at most"),
            (json!({"max": 5, "unit": "bytes"}), "expected one of `tokens`, `characters`, `words`"),
            (json!({"maximum": 5}), "unknown field `maximum`"),
        ];
        for (settings, expected) in cases {
            let error = configure("length", &settings).err().unwrap().to_string();
            assert!(error.contains(expected), "{settings}: {error}");
        }
    }

    proptest! {
        #[test]
        fn longer_is_never_better_and_the_paper_agrees(
            max in 1_u64..100_000, share in 0.0..=1.0_f64, first in 0_u64..120_000, more in 0_u64..10_000,
        ) {
            let buffer = (max as f64 * share) as u64;
            let limit = Limit { max, buffer };
            let (score, later) = (limit.score(first), limit.score(first + more));
            prop_assert!((0.0..=1.0).contains(&score) && later <= score);
            if buffer > 0 {
                prop_assert!((score - paper(max, buffer, first)).abs() < 1e-12);
            }
        }

        #[test]
        fn more_of_too_little_is_never_worse(min in 1_u64..1000, length in 0_u64..1100) {
            let settings = LengthSettings { min, ..LengthSettings::default() };
            let length_of = Length::new(settings).unwrap();
            let score = |length| length_of.judge(length, "tokens").score().unwrap();
            prop_assert!(score(length) <= score(length + 1));
        }
    }
}
