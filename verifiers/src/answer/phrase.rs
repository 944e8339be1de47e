//! Finds the sentences that say what the answer is, and leaves out those that deny, doubt or only report one.

use std::collections::VecDeque;
use std::sync::LazyLock;

use regex::Regex;

use super::clause::split;
use super::doubt::{Standing, standing};
use super::text::{head, words};
use super::{Found, MAX_BYTES, MAX_PLACES, Place, Reader};

/// Bytes between the word "answer" and what it is.
const BETWEEN_BYTES: usize = 120;

/// What one mention of an answer says.
struct Mention<'a> {
    standing: Standing,
    place: Place<'a>,
}

/// The last answers that sentences commit to and that no later sentence denies, in order, at most `limit`.
pub(super) fn sentences<'a>(text: &'a str, reader: &impl Reader, limit: usize) -> Vec<Place<'a>> {
    let mut denied: Vec<&str> = Vec::new();
    let mut places = Vec::new();
    for (start, end) in mentions(text, reader.has_short_label()).into_iter().rev() {
        let Some(Mention { standing, place }) = mention(text, start, end, reader) else { continue };
        match (standing, &place.found) {
            (Standing::Denied, Found::One(answer)) => denied.push(answer),
            (Standing::Committed, Found::One(answer)) if denied.iter().any(|it| reader.same(it, answer)) => {}
            (Standing::Committed, _) => places.push(place),
            _ => {}
        }
        if places.len() == limit {
            break;
        }
    }
    places.reverse();
    places
}

/// The words that introduce an answer, and `A:` at the start of a line.
// The pattern is constant and tested, so that it compiles.
#[allow(clippy::unwrap_used)]
static MENTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)(?-u:\b)(?:answer|(?:correct|right|best|final|my)\s+(?:choice|option|letter))(?-u:\b)",
        r"|(?m:^)[ \t>*_#-]*(?-u:\b)(?-i:A)[ \t*]*:",
    ))
    .unwrap()
});

/// Words between "is" and the answer that change neither.
// The pattern is constant and tested, so that it compiles.
#[allow(clippy::unwrap_used)]
static ADVERBS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)^(?:\s*(?:also|certainly|clearly|definitely|hence|indeed|instead|just|now|obviously|of\s+course|simply|",
        r"surely|then|therefore|thus|undoubtedly),?\s+)+",
    ))
    .unwrap()
});

/// Whether a text speaks of an answer at all, be it to deny or to doubt it.
pub(crate) fn speaks_of_answer(text: &str) -> bool {
    MENTION.find_iter(text).any(|found| !found.as_str().ends_with(':'))
}

/// Where the last words that introduce an answer, and `A:` at the start of a line, stand.
fn mentions(text: &str, short_label: bool) -> VecDeque<(usize, usize)> {
    let mut last = VecDeque::with_capacity(MAX_PLACES);
    for found in MENTION.find_iter(text) {
        let is_label = found.as_str().ends_with(':');
        if is_label && !short_label {
            continue;
        }
        if last.len() == MAX_PLACES {
            last.pop_front();
        }
        // What follows `A` is read again from its colon.
        let end = if is_label { found.end() - 1 } else { found.end() };
        last.push_back((found.start(), end));
    }
    last
}

/// What one mention says the answer is, if it says so.
fn mention<'a>(text: &'a str, start: usize, end: usize, reader: &impl Reader) -> Option<Mention<'a>> {
    // The pattern is constant and tested, so that it compiles.
    #[allow(clippy::unwrap_used)]
    static SAYS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"^[*_]{0,2}(?:\s+(?:choice|option|letter|here)\b)?(?:\s+\([^()\n0-9]{1,40}\)|(?P<of>\s+(?:to|for|of|in)\s[^.:;,!?=\n]{1,80}?))?\s*[*_]{0,2}",
            r"(?i:",
            r"(?P<denied>\b(?:is\s*n['’]t|is\s+(?P<no>not|never)|cannot\s+be|can['’]?t\s+be|could\s*n['’]t\s+be|was\s+not)\b)",
            r"|(?P<doubted>\b(?:might|may|could|can|would|should)\s+be\b|\bseems\s+to\s+be\b)",
            r"|\b(?:is|equals|(?P<must>must\s+be|has\s+to\s+be))\b\s*[:=]?|[:=]",
            r")[ \t]*[*_]{0,2}[ \t]*",
        ))
        .unwrap()
    });
    let says = SAYS.captures(head(&text[end..], BETWEEN_BYTES))?;
    let no = says.name("no").map(|no| end + no.start());
    // "The answer is not guilty": words of the answer itself, where that is known.
    let own = no.filter(|no| reader.known(head(&text[*no..], MAX_BYTES)) > 0);
    let mut from = own.unwrap_or(end + says.get(0)?.end());
    if reader.known(head(&text[from..], MAX_BYTES)) == 0 {
        from += ADVERBS.find(head(&text[from..], BETWEEN_BYTES)).map_or(0, |found| found.end());
    }
    let (skipped, answer, asked) = split(&text[from..], reader);
    // "The answer is easy", "A: He has 3 apples": words, and no answer.
    if !reader.is_answer(answer) {
        return None;
    }
    let at = from + skipped;
    let behind = &text[at + answer.len()..];
    let standing = if says.name("denied").is_some() && own.is_none() {
        Standing::Denied
    } else if says.name("doubted").is_some() || asked {
        Standing::Doubted
    } else {
        standing(&text[..start], behind)
    };
    if standing == Standing::Denied
        && let Some(other) = but(text, at + answer.len(), reader)
    {
        return Some(other);
    }
    // "The answer must be a tool" leads to an answer more often than it is one.
    let of_part = says.name("must").is_some() || says.name("of").is_some_and(|of| !is_whole(of.as_str()));
    let mut end = at + answer.len();
    let mut found = Found::One(answer);
    for joiner in [",", " but"] {
        let Some(next) = behind.strip_prefix(joiner) else { continue };
        let (skipped, next, _) = split(head(next, MAX_BYTES), reader);
        if reader.is_other(answer, next) {
            found = Found::Several(vec![answer, next]);
            end += joiner.len() + skipped + next.len();
        }
    }
    Some(Mention { standing, place: Place { start, end, found, of_part } })
}

/// What a denial names instead, from its end on: "not A but B".
fn but<'a>(text: &'a str, denied_end: usize, reader: &impl Reader) -> Option<Mention<'a>> {
    let behind = &text[denied_end..];
    let next = behind.strip_prefix(',').unwrap_or(behind).strip_prefix(" but ")?;
    let (skipped, answer, asked) = split(next, reader);
    if asked || !reader.is_answer(answer) {
        return None;
    }
    let start = text.len() - next.len() + skipped;
    let end = start + answer.len();
    let place = Place { start, end, found: Found::One(answer), of_part: false };
    Some(Mention { standing: standing("", &text[end..]), place })
}

/// Whether "the answer to ..." speaks of all that was asked.
fn is_whole(of: &str) -> bool {
    let words = words(of);
    let is_all = |word: &String| {
        matches!(
            word.as_str(),
            "to" | "for" | "of" | "in" | "the" | "this" | "your" | "given" | "above" | "problem" | "question"
        )
    };
    words.iter().all(is_all)
}
