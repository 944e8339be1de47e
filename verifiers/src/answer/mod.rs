//! Finds the place in a response that commits to an answer. What an answer is, each verifier says by a [`Reader`].
//!
//! # The rule
//!
//! 1. Only the text after the last end-of-thinking mark (`</think>`, `</thinking>`, `[/THINK]`) is looked at. Thinking
//!    that begins and never ends holds no answer.
//! 2. A `\boxed{...}` (or `\fbox{...}`) whose braces are closed, and which is not denied by the words before it ("not
//!    \boxed{42}"). Boxes joined by a comma, "and" or "or" are several answers.
//! 3. The rest of the line after `####`. Markdown headings are passed over: a line that begins with an ordinal
//!    (`#### 1. Add`) or with words, unless the verifier takes these for an answer, they name no section (`#### Step 2`)
//!    and no text but another such line follows.
//! 4. A sentence that commits: "the answer is 42", "final answer: 42", "Answer: 42", "the correct choice is B", or a line
//!    that begins with "A: 42". The answer ends with its sentence or clause; math, braces and brackets are not cut in
//!    two. A sentence does not count where it denies ("the answer is not 42"), doubts ("the answer might be 42", "maybe
//!    the answer is 42", "the answer is 42, I guess"), supposes ("if the answer is 42"), asks ("is 42 the answer?"),
//!    reports ("Bob said the answer is 42"), or is taken back in the next ("That is wrong."). An answer that a later
//!    sentence denies does not count either.
//!
//! There are two ways to choose among several places. [`committed`] takes the last of the first of these rules that finds
//! any. [`settled()`] takes the last of all, and no answer where an earlier one differs and is not taken back.
//!
//! Everything is linear in the response: one pass for each rule, and a bounded number of places each looked at within a
//! bounded stretch of text.

mod block;
mod boxes;
mod clause;
mod doubt;
mod fences;
mod hashes;
mod phrase;
mod plain;
mod settled;
mod text;
mod thinking;

pub(crate) use block::{no_text, source_text, with_plain_line_ends, without_blank_start};
pub(crate) use boxes::opened_boxes;
pub(crate) use doubt::is_hedged;
pub(crate) use phrase::speaks_of_answer;
pub(crate) use plain::{folded, plain, prefix_len};
pub(crate) use settled::{Unsettled, settled};
pub(crate) use text::{NUMBER_WORDS, head, single_line, tail, trim};
pub(crate) use thinking::{after_thinking, outside_thinking};

/// Bytes of one answer. A longer one is handed on with a few bytes more than that, so that it is seen to be too long.
pub(crate) const MAX_BYTES: usize = 4096;

/// Places of one sort that are looked at, from the last.
const MAX_PLACES: usize = 64;

/// What a verifier knows about its answers.
pub(crate) trait Reader {
    /// Whether a text that a sentence gives as its answer can be one: "easy" in "the answer is easy" is none.
    fn is_answer(&self, text: &str) -> bool;

    /// Whether two answers are the same, to see that a later sentence denies or contradicts the one before.
    fn same(&self, a: &str, b: &str) -> bool;

    /// How many bytes at the start of a text are known to belong to one answer, so that no clause ends within them:
    /// an option such as "Monsters, Inc".
    fn known(&self, text: &str) -> usize {
        let _ = text;
        0
    }

    /// Whether a comma and a word end an answer: "42, he said". Where answers may hold commas themselves they do not.
    fn comma_ends(&self) -> bool {
        true
    }

    /// Whether what follows the comma behind an answer names another one: "yes, no".
    fn is_other(&self, answer: &str, next: &str) -> bool {
        let _ = (answer, next);
        false
    }

    /// Whether "A:" at the start of a line says the answer, and is not an option's letter.
    fn has_short_label(&self) -> bool {
        true
    }
}

/// An answer, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// One text.
    One(&'a str),
    /// Several boxes, joined, or several answers of one sentence.
    Several(Vec<&'a str>),
}

/// A place that commits to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place<'a> {
    start: usize,
    end: usize,
    found: Found<'a>,
    /// The answer to a part only, or a condition: "the answer to the first question is", "the answer must be".
    of_part: bool,
}

/// The answer of a response by the first rule that finds any, or why there is none.
pub(crate) fn committed<'a>(response: &'a str, reader: &impl Reader) -> Result<Found<'a>, &'static str> {
    let text = after_thinking(response)?;
    if let Some(place) = boxes::boxes(text, 1).pop() {
        return Ok(place.found);
    }
    if let Some(place) = hashes::hashes(text, reader, 1).pop() {
        return Ok(place.found);
    }
    if let Some(place) = phrase::sentences(text, reader, 1).pop() {
        return Ok(place.found);
    }
    Err(NOTHING)
}

/// Why there is no answer where no rule finds any.
pub(crate) const NOTHING: &str =
    r"no answer found: no \boxed{}, no #### line, no sentence that says what the answer is";

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes anything but "easy" for an answer.
    struct Any;

    impl Reader for Any {
        fn is_answer(&self, text: &str) -> bool {
            !trim(text).is_empty() && trim(text) != "easy"
        }

        fn same(&self, a: &str, b: &str) -> bool {
            trim(a) == trim(b)
        }

        fn known(&self, text: &str) -> usize {
            if text.starts_with("Monsters, Inc") { "Monsters, Inc".len() } else { 0 }
        }
    }

    fn one(response: &str) -> Option<&str> {
        match committed(response, &Any) {
            Ok(Found::One(text)) => Some(text),
            _ => None,
        }
    }

    #[test]
    fn a_clause_ends_outside_of_math_and_brackets() {
        let cases = [
            ("The answer is $x^2 + 3x - 1$ because it is.", "$x^2 + 3x - 1$"),
            ("The answer is $(1, \\text{so it is}; 2)$, since.", "$(1, \\text{so it is}; 2)$"),
            (r"The answer is \(a. b\). Done.", r"\(a. b\)"),
            ("The answer is \\[a\n; b\\]. Done.", "\\[a\n; b\\]"),
            ("The answer is $10, because she pays $4 + $6.", "$10"),
            ("The answer is Evelyn.", "Evelyn"),
            ("The answer is (B) the red one, since it is.", "(B) the red one"),
            (r"So the answer is $\text{(A)}$.", r"$\text{(A)}$"),
            ("So the answer is: **no**.", "no**"),
            ("The answer is red (as you see).", "red "),
            ("The answer is (1, 2], as you see.", "(1, 2]"),
            ("The answer is {1; 2}; the rest is wrong.", "{1; 2}"),
            ("The answer is (1, 2.", "(1, 2"),
            ("The answer is ( a; b", "( a"),
            ("The answer is 3 + 2 i.", "3 + 2 i"),
            ("The answer is 5 i think.", "5"),
            ("The answer is Monsters, Inc, as all know.", "Monsters, Inc"),
            ("The answer is Monsters, Incorporated.", "Monsters, Incorporated"),
            ("The answer is Monsters, he said.", "Monsters"),
            ("The answer is } ] >.", "} ] >"),
            ("The correct choice is B.", "B"),
            ("Answer:\n\n**B**", "**B**"),
        ];
        for (response, answer) in cases {
            assert_eq!(one(response), Some(answer), "{response}");
        }
    }

    #[test]
    fn a_line_of_words_behind_the_mark_is_an_answer_at_the_end_only() {
        assert_eq!(one("#### Evelyn"), Some("Evelyn"));
        assert_eq!(one("#### Evelyn\n <|im_end|>"), Some("Evelyn"));
        for heading in ["#### Evelyn\nShe is.", "#### Step two", "#### Conclusion", "#### easy"] {
            assert_eq!(one(heading), None, "{heading}");
        }
    }

    #[test]
    fn a_reason_for_an_answer_does_not_take_it_back() {
        assert_eq!(one("The answer is B, since A is wrong."), Some("B"));
        assert_eq!(one("The answer is B because it is false that A holds. No other fits."), Some("B"));
        for taken_back in [
            "The answer is B, which is wrong.",
            "The answer is B, but that is not right.",
            "The answer is B (wrong).",
            "The answer is B. Wait.",
            "The answer is B. No wait.",
            "The answer is B, because I guess.",
        ] {
            assert_eq!(one(taken_back), None, "{taken_back}");
        }
    }

    #[test]
    fn places_that_contradict_settle_nothing_unless_one_is_taken_back() {
        let last = |response| match settled(response, &Any) {
            Ok(Found::One(text)) => Ok(text),
            Ok(Found::Several(_)) => Err("several"),
            Err(Unsettled::Nothing(_)) => Err("nothing"),
            Err(Unsettled::Contradiction(..)) => Err("contradiction"),
        };
        let cases = [
            ("The answer is A. The answer is A.", Ok("A")),
            ("The answer is A. The answer is B.", Err("contradiction")),
            (r"\boxed{A} \boxed{B}", Err("contradiction")),
            (r"The answer is A. So \boxed{B}.", Err("contradiction")),
            ("The answer is A. No wait, the answer is B.", Ok("B")),
            (r"\boxed{A}. Correction: \boxed{B}", Ok("B")),
            (r"\boxed{A}, \boxed{B}", Err("several")),
            (r"The answer is \boxed{A}.", Ok("A")),
            (r"\boxed{A} and \boxed{B}. The answer is B.", Err("contradiction")),
            ("The answer to the first step is A. The answer is B.", Ok("B")),
            ("The answer to the question is A. The answer is B.", Err("contradiction")),
            ("The answer must be a tool. The answer is B.", Ok("B")),
            ("The answer is A. So the answer is not A. The answer is B.", Ok("B")),
            ("Nothing.", Err("nothing")),
        ];
        for (response, expected) in cases {
            assert_eq!(last(response), expected, "{response}");
        }
    }
}
