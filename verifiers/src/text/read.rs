//! Reads an answer's text by the type of the item, and compares it with the gold answers.

use super::types::{Side, TextType, brackets, integer, side, words};
use crate::answer::{MAX_BYTES, Reader, folded, prefix_len, tail, trim};
use crate::error::shorten;

/// What an answer's text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// An answer, in a form that is alike for answers that are the same.
    Answer(String),
    /// Both values of a type that has two.
    Both,
    /// No answer of the type.
    Unreadable,
}

/// The gold answers and their type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Texts {
    kind: TextType,
    /// As they are written.
    golds: Vec<String>,
    /// As [`Reading::Answer`] has them.
    canonical: Vec<String>,
}

impl Texts {
    /// The gold answers, each of which must be of that type.
    pub(super) fn new(kind: TextType, golds: Vec<String>) -> Result<Self, String> {
        let mut texts = Self { kind, golds: Vec::new(), canonical: Vec::new() };
        for gold in golds {
            let canonical = match texts.read(&gold) {
                Reading::Answer(canonical) => canonical,
                Reading::Both | Reading::Unreadable => {
                    let expected = kind.expected();
                    return Err(format!("`answer` must be {expected}, found {:?}", shorten(&gold, 80)));
                }
            };
            texts.golds.push(gold);
            texts.canonical.push(canonical);
        }
        Ok(texts)
    }

    pub(super) fn r#type(&self) -> TextType {
        self.kind
    }

    /// The first gold answer as it is written.
    pub(super) fn first(&self) -> &str {
        self.golds.first().map_or("", String::as_str)
    }

    /// The form of the first gold answer that stands for all of them.
    pub(super) fn canonical_gold(&self) -> &str {
        self.canonical.first().map_or("", String::as_str)
    }

    pub(super) fn is_gold(&self, answer: &str) -> bool {
        self.canonical.iter().any(|gold| gold == answer)
    }

    /// What an answer's text says.
    pub(super) fn read(&self, text: &str) -> Reading {
        if text.len() > MAX_BYTES {
            return Reading::Unreadable;
        }
        let answer = match self.kind {
            TextType::Yesno | TextType::Bool | TextType::Validity => match side(self.kind, text) {
                Some(Side::Value(value)) => Some(value.to_owned()),
                Some(Side::Both) => return Reading::Both,
                None => None,
            },
            TextType::Int => integer(text),
            TextType::Brackets => brackets(text),
            TextType::Words => Some(self.list(text)).filter(|list| !list.is_empty()),
            TextType::Free => Some(folded(text)).filter(|text| !text.is_empty()),
        };
        answer.map_or(Reading::Unreadable, Reading::Answer)
    }

    /// A list of words with single spaces. "and" separates them, unless it is one of the words asked for.
    fn list(&self, text: &str) -> String {
        let has_and = self.canonical.iter().any(|gold| gold.split(' ').any(|word| word == "and"));
        // The gold answer itself is read before any is known: an "and" in it is a word.
        let keeps_and = has_and || self.canonical.is_empty();
        let words: Vec<String> = words(text).into_iter().filter(|word| keeps_and || word != "and").collect();
        words.join(" ")
    }

    /// The last answer in the last line of a text.
    pub(super) fn last_in<'a>(&self, text: &'a str) -> Option<&'a str> {
        let line = tail(text.lines().rfind(|line| !trim(line).is_empty())?, MAX_BYTES).trim();
        match self.kind {
            TextType::Words | TextType::Free => Some(line),
            TextType::Brackets => {
                let line = line.trim_end_matches(['.', '"', '`', '*', '\'']);
                let is_part = |c: char| c.is_whitespace() || "()[]{}<>".contains(c);
                let start = line.trim_end_matches(is_part).len();
                Some(line[start..].trim()).filter(|run| !run.is_empty())
            }
            TextType::Yesno | TextType::Bool | TextType::Validity | TextType::Int => {
                let mut pieces = line.split_whitespace().rev().peekable();
                while let Some(piece) = pieces.next() {
                    if matches!(self.read(piece), Reading::Answer(_)) {
                        let before = pieces.peek().map(|word| trim(word).to_lowercase()).unwrap_or_default();
                        let is_denied =
                            matches!(before.as_str(), "not" | "nor" | "never") || before.ends_with("n't");
                        return (!is_denied).then_some(piece);
                    }
                }
                None
            }
        }
    }

    /// Bytes at the start of a text that are words of the list asked for, in any order, within one sentence: "so" and
    /// "maybe" end no clause there.
    fn known_words(&self, text: &str) -> usize {
        let gold: Vec<&str> = self.canonical.iter().flat_map(|gold| gold.split(' ')).collect();
        let mut at = 0;
        for piece in text.split_inclusive(char::is_whitespace) {
            let is_known = |word: &String| word == "and" || gold.contains(&word.as_str());
            if !words(piece).iter().all(is_known) {
                break;
            }
            let word = piece.trim_end();
            let bare = word.trim_end_matches(['.', '!', '?', '*', ',']);
            if bare.len() < word.trim_end_matches(['*', ',']).len() || piece.ends_with('\n') {
                return at + bare.len();
            }
            at += piece.len();
        }
        at
    }
}

impl Reader for Texts {
    fn is_answer(&self, text: &str) -> bool {
        match self.kind {
            // What is meant for a number and is none, such as a sum, is an answer and a wrong one.
            TextType::Int => {
                let is_number = |c: char| c.is_ascii_digit();
                integer(text).is_some()
                    || trim(text)
                        .trim_start_matches(['$', '-', '+', '(', ' ', '\u{2212}'])
                        .starts_with(is_number)
            }
            _ => !trim(text).is_empty() && self.read(text) != Reading::Unreadable,
        }
    }

    fn same(&self, a: &str, b: &str) -> bool {
        match (self.read(a), self.read(b)) {
            (Reading::Answer(a), Reading::Answer(b)) => a == b || (self.is_gold(&a) && self.is_gold(&b)),
            (Reading::Unreadable, Reading::Unreadable) => folded(a) == folded(b),
            (a, b) => a == b,
        }
    }

    fn known(&self, text: &str) -> usize {
        match self.kind {
            TextType::Words => self.known_words(text),
            TextType::Free => {
                let start = text.len() - text.trim_start_matches([' ', '*', '_', '"', '“', '\'']).len();
                let longest = self.canonical.iter().filter_map(|gold| prefix_len(&text[start..], gold)).max();
                longest.map_or(0, |len| start + len)
            }
            _ => 0,
        }
    }

    fn comma_ends(&self) -> bool {
        !matches!(self.kind, TextType::Words | TextType::Free)
    }

    fn is_other(&self, answer: &str, next: &str) -> bool {
        self.is_answer(next) && !self.same(answer, next)
    }
}
