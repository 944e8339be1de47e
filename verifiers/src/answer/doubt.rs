//! Tells a commitment from a sentence that denies, doubts, supposes, asks or only reports an answer.

use std::sync::LazyLock;

use regex::Regex;

use super::text::{head, tail, words};

/// Bytes before a mention that are looked at for doubt.
const BEFORE_BYTES: usize = 240;
/// Bytes behind an answer that are looked at for doubt.
const BEHIND_BYTES: usize = 200;

/// Words before a mention, in the same clause, that keep it from being a commitment.
const DOUBTS: &[&str] = &[
    "not",
    "never",
    "no",
    "nor",
    "neither",
    "cannot",
    "without",
    "maybe",
    "perhaps",
    "possibly",
    "probably",
    "likely",
    "unlikely",
    "possible",
    "might",
    "may",
    "could",
    "would",
    "if",
    "whether",
    "unless",
    "suppose",
    "supposing",
    "assume",
    "assuming",
    "imagine",
    "pretend",
    "doubt",
    "guess",
    "guessing",
    "unsure",
    "wrong",
    "incorrect",
    "false",
    "said",
    "say",
    "says",
    "claims",
    "claimed",
    "thinks",
    "thought",
    "believes",
    "believed",
    "argues",
    "told",
    "wrote",
    "guesses",
    "guessed",
    "seems",
    "seemingly",
    "allegedly",
    "supposedly",
    "previous",
    "old",
    "first",
    "initial",
    "tempting",
];

/// Words of a short clause before the one of the mention that doubt it: "Maybe, the answer is".
const HEDGES: &[&str] = &["maybe", "perhaps", "possibly", "probably", "guess", "guessing", "unsure"];

/// Words in the rest of the sentence that take the answer back.
const RETRACTIONS: &[&str] = &[
    "maybe",
    "perhaps",
    "possibly",
    "probably",
    "guess",
    "unsure",
    "wait",
    "actually",
    "sorry",
    "scratch",
    "unless",
    "otherwise",
];

/// Words that begin the reason for an answer. What is denied there is something else.
const REASONS: &[&str] = &["because", "since", "as", "for"];

/// Whether a mention counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Committed,
    /// Says that the answer is another one.
    Denied,
    /// Doubts, supposes, reports.
    Doubted,
}

/// Whether what stands before and behind an answer leaves it a commitment.
pub(super) fn standing(before: &str, remainder: &str) -> Standing {
    // The pattern is constant and tested, so that it compiles.
    #[allow(clippy::unwrap_used)]
    static REFUSED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i)^\W*(?:(?:but|and|or|though)\s+)?(?:(?:is|was)\s+|(?:that|this|it|which|i)\b(?:\s+\w+|['’]\w+){0,4}?\s+)?",
            r"(?:n['’]t\s+right|not\s+right|not\s+correct|wrong|incorrect|false|mistaken|a\s+mistake)\b",
        ))
        .unwrap()
    });
    let sentence_end = remainder.find(['.', '!', '?', '\n']).unwrap_or(remainder.len());
    let sentence = head(&remainder[..sentence_end], BEHIND_BYTES);
    let behind = words(sentence);
    let begins_with = |list: &[&str]| behind.first().is_some_and(|word| list.contains(&word.as_str()));
    let taken_back = if begins_with(REASONS) {
        behind.iter().any(|word| HEDGES.contains(&word.as_str()))
    } else {
        behind.iter().any(|word| RETRACTIONS.contains(&word.as_str())) || REFUSED.is_match(sentence)
    };
    if taken_back
        || begins_with(&["no"])
        || is_rejected_next(&remainder[sentence_end..])
        || is_doubted(before)
    {
        return Standing::Doubted;
    }
    Standing::Committed
}

/// Whether the clause that leads to a mention denies, doubts, supposes or reports it.
fn is_doubted(before: &str) -> bool {
    let near = tail(before, BEFORE_BYTES);
    let ends = |c: char| matches!(c, '.' | '!' | '?' | ';' | ':' | '\n' | ',');
    let (earlier, clause) = match near.char_indices().rfind(|(_, c)| ends(*c)) {
        Some((at, _)) => (&near[..=at], &near[at + 1..]),
        None => ("", near),
    };
    let has = |words: &[String], list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let clause = words(&clause.to_lowercase().replace("no doubt", ""));
    // "so", "thus" and the like begin anew: what was supposed before them is settled.
    let anew = clause.iter().rposition(|word| {
        matches!(word.as_str(), "so" | "thus" | "hence" | "therefore" | "then" | "but" | "however")
    });
    let own = &clause[anew.map_or(0, |at| at + 1)..];
    if has(own, DOUBTS) || own.iter().any(|word| word.ends_with("n't")) {
        return true;
    }
    let Some(earlier) = earlier.strip_suffix(',') else { return false };
    let previous = words(earlier.rsplit(ends).next().unwrap_or_default());
    // "I am not sure, but": a contrast does not settle a doubt.
    let is_open = anew.is_none_or(|at| matches!(clause[at].as_str(), "but" | "however"));
    let unsure = has(&previous, &["sure", "certain"])
        && previous.iter().any(|word| word == "not" || word.ends_with("n't"));
    is_open && previous.len() <= 5 && (unsure || has(&previous, HEDGES))
}

/// Whether the text from the end of a sentence on begins by rejecting what the sentence said.
pub(super) fn is_rejected_next(from_end: &str) -> bool {
    // The pattern is constant and tested, so that it compiles.
    #[allow(clippy::unwrap_used)]
    static REJECTION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i)^[.!?*)\]\\$}\s]+(?:(?:no|oh|hmm|but|or)\b[,.!]?\s+)?",
            r"(?:no\b[,.!]|no\s+wait\b|wait\b|actually\b|maybe\b|perhaps\b|possibly\b|scratch\s+that\b|",
            r"(?:but\s+)?(?:that|this|it|which)(?:\s+(?:is|was|must\s+be|can)|['’]s)?\s*(?:is|be)?\s*",
            r"(?:n['’]t\s+right|not\s+right|not\s+correct|wrong|incorrect|false|a\s+mistake|mistaken))",
        ))
        .unwrap()
    });
    REJECTION.is_match(head(from_end, BEHIND_BYTES))
}

/// Whether a text, such as what stands behind an answer, doubts, denies or takes back, or names an alternative.
pub(crate) fn is_hedged(text: &str) -> bool {
    const OTHERS: &[&str] = &[
        "or",
        "and",
        "could",
        "might",
        "may",
        "would",
        "not",
        "no",
        "nor",
        "neither",
        "either",
        "both",
        "but",
        "wrong",
        "incorrect",
        "false",
    ];
    words(text).iter().any(|word| {
        RETRACTIONS.contains(&word.as_str()) || OTHERS.contains(&word.as_str()) || word.ends_with("n't")
    })
}
