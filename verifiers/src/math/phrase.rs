//! Finds the last sentence that says what the answer is, and leaves out those that deny, doubt or only report one.

use std::collections::VecDeque;
use std::sync::LazyLock;

use num_rational::BigRational;
use num_traits::Zero;
use regex::Regex;

use super::extract::tail;
use super::lex::has_number;
use super::number::NotPlain;
use super::value::{MAX_BYTES, Match, Value};

/// Mentions of an answer that are looked at, from the last.
const MAX_MENTIONS: usize = 64;
/// Bytes before a mention that are looked at for doubt.
const BEFORE_BYTES: usize = 240;
/// Bytes between the word "answer" and what it is.
const BETWEEN_BYTES: usize = 120;

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
    "wrong",
    "incorrect",
    "false",
    "mistaken",
    "wait",
    "actually",
    "sorry",
    "scratch",
    "unless",
    "otherwise",
];

/// Words after which a sentence no longer says what the answer is, but why.
const CONNECTIVES: &[&str] = &[
    "because", "since", "which", "so", "as", "but", "when", "where", "while", "if", "unless", "maybe",
    "perhaps", "i",
];

/// Whether a mention counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Committed,
    /// Says that the answer is another one.
    Denied,
    /// Doubts, supposes, reports.
    Doubted,
}

/// The text of the last answer that a sentence commits to, if no later sentence denies that same answer.
pub(super) fn committed(text: &str) -> Option<&str> {
    let mut denied: Vec<Value> = Vec::new();
    for (start, end) in mentions(text).into_iter().rev() {
        let Some((answer, standing)) = mention(text, start, end) else { continue };
        match standing {
            Standing::Denied => denied.extend(Value::parse(answer)),
            Standing::Doubted => {}
            Standing::Committed => {
                let is_denied = Value::parse(answer).is_ok_and(|value| {
                    denied.iter().any(|other| other.matches(&value, &BigRational::zero()) == Match::Equal)
                });
                if !is_denied {
                    return Some(answer);
                }
            }
        }
    }
    None
}

/// Where the last words "answer", and `A:` at the start of a line, stand.
fn mentions(text: &str) -> VecDeque<(usize, usize)> {
    // The pattern is constant and tested, so that it compiles.
    #[allow(clippy::unwrap_used)]
    static MENTION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)(?-u:\b)answer(?-u:\b)|(?m:^)[ \t>*_#-]*(?-u:\b)(?-i:A)[ \t*]*:").unwrap()
    });
    let mut last = VecDeque::with_capacity(MAX_MENTIONS);
    for found in MENTION.find_iter(text) {
        if last.len() == MAX_MENTIONS {
            last.pop_front();
        }
        // What follows `A` is read again from its colon.
        let end = if text[..found.end()].ends_with(':') { found.end() - 1 } else { found.end() };
        last.push_back((found.start(), end));
    }
    last
}

/// The first bytes of a text, up to a whole character.
fn head(text: &str, num_bytes: usize) -> &str {
    let mut end = num_bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// What one mention says the answer is, if it says so.
fn mention(text: &str, start: usize, end: usize) -> Option<(&str, Standing)> {
    // The pattern is constant and tested, so that it compiles.
    #[allow(clippy::unwrap_used)]
    static SAYS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"^[*_]{0,2}(?:\s+\([^()\n0-9]{1,40}\)|\s+(?:to|for|of|in)\s[^.:;,!?=\n]{1,80}?)?\s*[*_]{0,2}",
            r"(?i:",
            r"(?P<denied>\b(?:is\s*n['’]t|is\s+not|is\s+never|cannot\s+be|can['’]?t\s+be|could\s*n['’]t\s+be|was\s+not)\b)",
            r"|(?P<doubted>\b(?:might|may|could|can|would|should)\s+be\b|\bseems\s+to\s+be\b)",
            r"|\b(?:is|equals)\b\s*[:=]?|[:=]",
            r")[ \t]*[*_]{0,2}[ \t]*",
        ))
        .unwrap()
    });
    let says = SAYS.captures(head(&text[end..], BETWEEN_BYTES))?;
    let rest = &text[end + says.get(0)?.end()..];
    let (answer, remainder, asked) = split(rest);
    // "The answer is easy", "A: He has 3 apples": words, and no answer.
    if !has_number(answer) || Value::parse(answer) == Err(NotPlain::Words) {
        return None;
    }
    let standing = if says.name("denied").is_some() {
        Standing::Denied
    } else if says.name("doubted").is_some() || asked {
        Standing::Doubted
    } else {
        standing(&text[..start], remainder)
    };
    Some((answer, standing))
}

/// Whether what stands before and behind an answer leaves it a commitment.
fn standing(before: &str, remainder: &str) -> Standing {
    let sentence_end = remainder.find(['.', '!', '?', '\n']).unwrap_or(remainder.len());
    let behind = words(head(&remainder[..sentence_end], 200));
    let taken_back = behind.iter().any(|word| RETRACTIONS.contains(&word.as_str()));
    let refused = behind.first().is_some_and(|word| word == "no");
    if taken_back || refused || is_rejected_next(remainder) || is_doubted(before) {
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

/// Whether the next sentence rejects what was just said.
fn is_rejected_next(remainder: &str) -> bool {
    // The pattern is constant and tested, so that it compiles.
    #[allow(clippy::unwrap_used)]
    static REJECTION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i)^[^.!?\n]*[.!?\s]+(?:no\b[,.!]|wait\b|actually\b|",
            r"(?:but\s+)?(?:that|this|it|which)(?:\s+(?:is|was|must\s+be|can)|['’]s)?\s*(?:is|be)?\s*",
            r"(?:n['’]t\s+right|not\s+right|not\s+correct|wrong|incorrect|false|a\s+mistake|mistaken))",
        ))
        .unwrap()
    });
    REJECTION.is_match(head(remainder, 200))
}

/// The words of a text, in lower case, with their apostrophes.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_alphabetic() || matches!(c, '\'' | '’')))
        .filter(|word| !word.is_empty())
        .map(|word| word.to_lowercase().replace('’', "'"))
        .collect()
}

/// A line's text: up to its end or a mark of the tokenizer's that is no text.
pub(super) fn line(text: &str) -> &str {
    let end = text.find('\n').unwrap_or(text.len());
    let end = text[..end].find("<|").unwrap_or(end);
    text[..end].trim()
}

/// Splits what follows "the answer is" into the answer, the text behind it, and whether the sentence is a question.
/// The answer ends with its sentence or its clause; on an empty line it is taken from the next that is not.
fn split(rest: &str) -> (&str, &str, bool) {
    let bare = |c: char| c.is_whitespace() || matches!(c, '*' | '_' | '$' | '`');
    let mut text = rest;
    while let Some(end) = text.find('\n') {
        let first = text[..end].trim_matches(bare);
        if !(first.is_empty() || first == r"\[" || first == r"\(") {
            break;
        }
        text = &text[end + 1..];
    }
    // One byte more than an answer may have, so that a longer one is seen to be too long and not cut to another.
    let window = head(text, MAX_BYTES + 4);
    let end = clause_end(window);
    let behind = &text[end..];
    let asked = head(behind, 400).find(['.', '?', '!', '\n']).is_some_and(|at| behind[at..].starts_with('?'));
    (&text[..end], behind, asked)
}

/// Where the clause that states an answer ends.
fn clause_end(text: &str) -> usize {
    let mut before = ' ';
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let rest = &text[at + c.len_utf8()..];
        let next = chars.peek().map(|(_, next)| *next);
        let next_is_digit = next.is_some_and(char::is_numeric);
        let ends = match c {
            '\n' | ';' | '?' | '—' => true,
            '.' | '。' => !next_is_digit,
            '!' => {
                next.is_none_or(|next| !(next.is_alphanumeric() || matches!(next, '}' | ')' | '!')))
                    && before != '\\'
            }
            '<' => rest.starts_with('|') || rest.starts_with('/'),
            ',' => starts_clause(rest, &["or", "and", "nor"]),
            '(' => next.is_some_and(char::is_alphabetic) && before == ' ',
            ' ' => {
                let word = first_word(rest);
                CONNECTIVES.contains(&word.as_str())
            }
            _ => false,
        };
        if ends {
            return at;
        }
        before = c;
    }
    text.len()
}

/// Whether what follows a comma is words, and not the next of several answers.
fn starts_clause(rest: &str, joining: &[&str]) -> bool {
    let word = first_word(rest.trim_start_matches(' '));
    rest.starts_with(' ') && !word.is_empty() && !joining.contains(&word.as_str())
}

/// The word that a text begins with, in lower case; empty where it begins with something else.
fn first_word(text: &str) -> String {
    head(text, 24).chars().take_while(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect()
}
