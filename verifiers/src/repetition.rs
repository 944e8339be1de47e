//! `repetition`: how much of a response was in it before: a part for a rubric.
//!
//! Models that are rewarded for long reasoning learn to fill it with repetitions; a penalty on repeated n-grams stops
//! that (Yeo et al. 2025, arXiv 2502.03373, appendix C.2). Here the score is 1 less the share of n-grams that occurred
//! before in the same response, so that it lies in [0, 1] as every score does:
//!
//! ```text
//! share = n-grams that occurred before / all n-grams        (a response of fewer than n words has none: share 0)
//! score = 1                                where share <= free
//!       = (1 - share) / (1 - free)         beyond
//! ```
//!
//! An n-gram is `n` words in a row; a word is what stands between white space, whatever its case. Text that is written
//! without spaces is one word: `unit = "characters"` counts n characters in a row instead, any white space as one of them.
//! The comparison is exact, not by hash. Of a long response the first 524,288 words (or characters) count.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::budget::Budget;
use crate::verdict::{Score, Verdict};
use crate::verifier::{Item, Response, Verifier};

/// Words or characters of a response that are looked at: what bounds memory (about 60 MiB at worst) and time.
const MOST_PIECES: usize = 1 << 19;
/// Words or characters of one n-gram.
const MOST_N: usize = 64;

/// What n-grams are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RepetitionUnit {
    /// Pieces between white space.
    #[default]
    Words,
    /// Unicode characters.
    Characters,
}

/// The settings of [`Repetition`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RepetitionSettings {
    /// Words (or characters) of an n-gram, from 1 to 64. Default 4.
    pub n: usize,
    /// The share of repeated n-grams that costs nothing, from 0 to below 1. Default 0.
    pub free: f64,
    /// What n-grams are made of.
    pub unit: RepetitionUnit,
}

impl Default for RepetitionSettings {
    fn default() -> Self {
        Self { n: 4, free: 0.0, unit: RepetitionUnit::Words }
    }
}

/// Judges how much a response repeats itself: see the module's documentation.
#[derive(Clone, Debug)]
pub struct Repetition {
    settings: RepetitionSettings,
}

impl Verifier for Repetition {
    const NAME: &'static str = "repetition";
    const ABOUT: &'static str = "the response does not repeat itself: 1 less the share of repeated n-grams";
    const FIRST_FIELD: &'static str = "";
    type Settings = RepetitionSettings;
    type Reference = IgnoredAny;

    fn new(settings: RepetitionSettings) -> Result<Self, String> {
        let RepetitionSettings { n, free, .. } = settings;
        if n == 0 || n > MOST_N {
            return Err(format!("`n` must be from 1 to {MOST_N}, found {n}"));
        }
        if !(0.0..1.0).contains(&free) {
            return Err(format!("`free` must be from 0 to below 1, found {free}"));
        }
        Ok(Self { settings })
    }

    fn verify(&self, _item: &Item<IgnoredAny>, response: &Response<'_>, _budget: &Budget) -> Verdict {
        let RepetitionSettings { n, free, unit } = self.settings;
        let pieces = match unit {
            RepetitionUnit::Words => words(response),
            RepetitionUnit::Characters => characters(response),
        };
        let num_all = pieces.len().saturating_sub(n - 1);
        let num_new = pieces.windows(n).collect::<HashSet<_>>().len();
        let num_repeated = num_all - num_new;
        // Rounded once, as the setting was when it was read, so that a share of exactly `free` is free.
        let share = if num_all == 0 { 0.0 } else { num_repeated as f64 / num_all as f64 };
        let score = if share <= free { 1.0 } else { num_new as f64 / num_all as f64 / (1.0 - free) };
        let unit = match unit {
            RepetitionUnit::Words => "words",
            RepetitionUnit::Characters => "characters",
        };
        let reason =
            format!("repeated: {num_repeated} of {num_all} runs of {n} {unit} ({:.1} %)", share * 100.0);
        Verdict::graded(Score::clamped(score), reason)
    }
}

/// A number for each word, the same for words that differ in case only.
fn words(text: &str) -> Vec<u32> {
    let mut known: HashMap<Cow<'_, str>, u32> = HashMap::new();
    let mut numbers = Vec::new();
    for word in text.split_whitespace().take(MOST_PIECES) {
        let is_folded = word.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
        let word = if is_folded { Cow::Borrowed(word) } else { Cow::Owned(word.to_lowercase()) };
        // At most MOST_PIECES words, which fits.
        let next = known.len() as u32;
        numbers.push(*known.entry(word).or_insert(next));
    }
    numbers
}

/// The code of each character, in small letters, with a single space for any white space.
fn characters(text: &str) -> Vec<u32> {
    let mut codes = Vec::new();
    let mut after_blank = true;
    for character in text.chars() {
        let is_blank = character.is_whitespace();
        match (is_blank, after_blank) {
            (true, true) => {}
            (true, false) => codes.push(u32::from(' ')),
            (false, _) => codes.extend(character.to_lowercase().map(u32::from)),
        }
        after_blank = is_blank;
        if codes.len() >= MOST_PIECES {
            break;
        }
    }
    codes
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{RawItem, configure};

    fn judged(settings: &Value, response: &str) -> Verdict {
        let repetition = configure("repetition", settings).unwrap();
        let judge = repetition.bind(RawItem { reference: json!({"any": 1}), ..RawItem::default() }).unwrap();
        judge.judge(&response.into(), &Budget::starting_now(Duration::from_secs(60)))
    }

    fn score(settings: &Value, response: &str) -> f64 {
        judged(settings, response).score().unwrap().get()
    }

    #[test]
    fn golden_values() {
        let two = json!({"n": 2});
        let cases = [
            (&two, "", 1.0),
            (&two, "a", 1.0),
            (&two, "a b", 1.0),
            // ab ba ab: 1 of 3 was there before.
            (&two, "a b a b", 2.0 / 3.0),
            (&two, "a b a b a b", 0.4),
            (&two, "A b\n a\tB  a b", 0.4),
            (&two, "a a a a a", 0.25),
            (&two, "a b c d e f", 1.0),
            (&two, "a b, a b. a b", 1.0),
            (&two, "É b é b", 2.0 / 3.0),
            (&json!({"n": 1}), "a b a c", 0.75),
            (&json!({"n": 3}), "a a a a a", 1.0 / 3.0),
            (&json!({}), "one two three four one two three four", 0.8),
            (&json!({}), "one two three", 1.0),
            (&json!({"n": 2, "unit": "characters"}), "哈哈哈哈哈", 0.25),
            (&json!({"n": 1, "unit": "characters"}), "a B b A", 3.0 / 7.0),
            (&json!({"n": 2, "unit": "characters"}), "  a \n\t b", 1.0),
            (&json!({"n": 2}), "哈哈哈哈哈", 1.0),
        ];
        for (settings, response, expected) in cases {
            assert_eq!(score(settings, response), expected, "{settings} {response:?}");
        }
    }

    #[test]
    fn a_free_share_costs_nothing_and_the_rest_of_the_scale_is_stretched() {
        // 1 of 4.
        let response = "a b c d a";
        let free = |free: f64| score(&json!({"n": 1, "free": free}), response);
        assert_eq!([0.0, 0.2, 0.25].map(free), [0.8, 1.0, 1.0]);
        assert_eq!(free(0.1), 0.8 / 0.9);
        // 29 of 100 and 7 of 10, which floats hold inexactly, are free at 0.29 and 0.7.
        let of = |new: usize, all: usize| {
            (0..all).map(|i| format!("w{}", i.min(new - 1))).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(score(&json!({"n": 1, "free": 0.29}), &of(71, 100)), 1.0);
        assert_eq!(score(&json!({"n": 1, "free": 0.7}), &of(3, 10)), 1.0);
        assert!(score(&json!({"n": 1, "free": 0.7}), &of(29, 100)) < 1.0);
    }

    #[test]
    fn reasons_and_kinds_say_how_much() {
        let verdict = judged(&json!({"n": 2}), "a b a b");
        assert_eq!(verdict.kind_name(), "partial");
        assert_eq!(verdict.reason(), "repeated: 1 of 3 runs of 2 words (33.3 %)");
        let verdict = judged(&json!({}), "");
        assert_eq!(verdict.kind_name(), "right");
        assert_eq!(verdict.reason(), "repeated: 0 of 0 runs of 4 words (0.0 %)");
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused() {
        let cases = [
            (json!({"n": 0}), "`n` must be from 1 to 64, found 0"),
            (json!({"n": 65}), "`n` must be from 1 to 64, found 65"),
            (json!({"n": -1}), "usize"),
            (json!({"free": 1.0}), "`free` must be from 0 to below 1, found 1"),
            (json!({"free": -0.1}), "`free` must be from 0 to below 1, found -0.1"),
            (json!({"unit": "tokens"}), "expected `words` or `characters`"),
            (json!({"size": 4}), "unknown field `size`"),
        ];
        for (settings, expected) in cases {
            let error = configure("repetition", &settings).err().unwrap().to_string();
            assert!(error.contains(expected), "{settings}: {error}");
        }
    }

    #[test]
    fn huge_responses_are_judged_by_their_beginning() {
        let huge = "w ".repeat(50_000_000);
        let start = Instant::now();
        let verdict = judged(&json!({"n": 64}), &huge);
        let expected = format!("repeated: {0} of {1} runs", MOST_PIECES - 64, MOST_PIECES - 63);
        assert!(verdict.reason().starts_with(&expected), "{}", verdict.reason());
        let distinct: String = (0..3_000_000).map(|i| format!("{i} ")).collect();
        assert_eq!(score(&json!({"n": 64}), &distinct), 1.0);
        assert_eq!(score(&json!({"unit": "characters"}), &"\u{130}".repeat(1 << 20)), 2.0 / 524_285.0);
        // Linear: seconds at most, even on a busy machine.
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    }

    /// The share by comparing each n-gram with all before it.
    fn slow_share(words: &[u8], n: usize) -> f64 {
        let runs: Vec<&[u8]> = words.windows(n).collect();
        let repeated = (0..runs.len()).filter(|&i| runs[..i].contains(&runs[i])).count();
        if runs.is_empty() { 0.0 } else { repeated as f64 / runs.len() as f64 }
    }

    proptest! {
        #[test]
        fn it_is_what_comparing_all_pairs_gives(words in prop::collection::vec(0_u8..4, 0..60), n in 1_usize..6) {
            let text = words.iter().map(u8::to_string).collect::<Vec<_>>().join(" ");
            let score = score(&json!({"n": n}), &text);
            prop_assert!((0.0..=1.0).contains(&score));
            prop_assert!((score - (1.0 - slow_share(&words, n))).abs() < 1e-12);
        }

        #[test]
        fn another_run_of_old_words_is_never_better(text in "[a-c]( [a-c]){8,40}", free in 0.0..0.9_f64) {
            let settings = json!({"n": 1, "free": free});
            let (first, later) = (score(&settings, &text), score(&settings, &format!("{text} {text}")));
            prop_assert!(later <= first, "{first} {later}");
        }

        #[test]
        fn any_text_has_a_score(text in "\\PC*", n in 1_usize..65, characters: bool) {
            let unit = if characters { "characters" } else { "words" };
            let score = score(&json!({"n": n, "unit": unit}), &text);
            prop_assert!(score > 0.0);
        }
    }
}
