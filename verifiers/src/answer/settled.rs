//! The answer where every place that commits must agree: for verifiers whose answers are few enough to name them all.
//!
//! A response that names several different answers commits to none. It may take one back, though: between the one and the
//! other stands a sentence that begins with "no", "wait", "actually", "correction" or the like.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, MAX_PLACES, NOTHING, Place, Reader, after_thinking};
use super::{boxes::boxes, doubt::is_rejected_next, hashes::hashes, phrase::sentences};

/// Why a response settles on nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unsettled<'a> {
    /// Nothing commits.
    Nothing(&'static str),
    /// Two places commit to different answers: the earlier and the later.
    Contradiction(&'a str, &'a str),
}

/// The last of all places that commit to an answer, where those before it are the same or taken back. An answer to a part
/// of the question ("the answer to the first step is 3"), a condition ("the answer must be a tool"), and a text that is no answer for this verifier, contradict
/// nothing.
pub(crate) fn settled<'a>(response: &'a str, reader: &impl Reader) -> Result<Found<'a>, Unsettled<'a>> {
    let text = after_thinking(response).map_err(Unsettled::Nothing)?;
    let mut places = boxes(text, MAX_PLACES);
    places.extend(hashes(text, reader, MAX_PLACES));
    // A box within a sentence is looked at once, as a box.
    let said = sentences(text, reader, MAX_PLACES);
    let is_apart =
        |place: &Place<'_>| places.iter().all(|other| place.end <= other.start || other.end <= place.start);
    let said: Vec<Place<'a>> = said.into_iter().filter(is_apart).collect();
    places.extend(said);
    places.retain(|place| !is_rejected_next(&text[place.end..]));
    places.sort_by_key(|place| place.start);
    let Some(last) = places.pop() else { return Err(Unsettled::Nothing(NOTHING)) };
    if let Found::One(answer) = last.found {
        let mut later_start = last.start;
        for earlier in places.iter().rev() {
            if later_start > earlier.end && is_taken_back(&text[earlier.end..later_start]) {
                break;
            }
            later_start = earlier.start;
            let other = match &earlier.found {
                Found::One(other) if earlier.of_part || !reader.is_answer(other) => continue,
                Found::One(other) => other,
                Found::Several(others) => others.first().map_or("", |first| first),
            };
            if matches!(earlier.found, Found::Several(_)) || !reader.same(other, answer) {
                return Err(Unsettled::Contradiction(other, answer));
            }
        }
    }
    Ok(last.found)
}

/// Whether the text between two answers takes the first one back.
fn is_taken_back(between: &str) -> bool {
    // The pattern is constant and tested, so that it compiles.
    #[allow(clippy::unwrap_used)]
    static TAKEN_BACK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i)(?:^|[.!?:;,\n—])[\s*_.$})\]]*(?:(?:but|oh|hmm|hm|ah|so|and)\b[,.! ]*)?",
            r"(?:no[,.!]|no\s+wait\b|wait\b|actually\b|correction\b|sorry\b|apologies\b|oops\b|scratch\s+that\b|",
            r"on\s+second\s+thoughts?\b|let\s+me\s+(?:re|correct|fix|check\s+again|try\s+again|double)|",
            r"i\s+(?:made\s+(?:a\s+mistake|an\s+error)|was\s+(?:wrong|mistaken)|misread|take\s+(?:that|it)\s+back)|",
            r"(?:that|this|it|which)(?:\s+(?:is|was|must\s+be|cannot\s+be|can\s+not\s+be|can['’]t\s+be)|['’]s)?\s*",
            r"(?:n['’]t\s+right|not\s+right|not\s+correct|right\s+not|wrong|incorrect|false|a\s+mistake|mistaken)\b)",
        ))
        .unwrap()
    });
    TAKEN_BACK.is_match(between)
}
