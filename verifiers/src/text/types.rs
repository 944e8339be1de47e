//! The types of answers, and how an answer of each is read.

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use crate::answer::{NUMBER_WORDS, folded, is_hedged, plain};

/// Words behind an integer that change it, doubt it or add another.
const CHANGES: &[&str] = &[
    "and",
    "billion",
    "by",
    "divided",
    "dozen",
    "dozens",
    "either",
    "factorial",
    "fewer",
    "half",
    "halves",
    "hundred",
    "hundreds",
    "hundredths",
    "if",
    "less",
    "maybe",
    "million",
    "millions",
    "minus",
    "mod",
    "modulo",
    "more",
    "no",
    "nor",
    "not",
    "of",
    "or",
    "over",
    "per",
    "pi",
    "percent",
    "perhaps",
    "plus",
    "point",
    "possibly",
    "probably",
    "quarters",
    "squared",
    "cubed",
    "tenths",
    "than",
    "thirds",
    "thousand",
    "thousands",
    "times",
    "to",
    "trillion",
    "unless",
    "until",
    "wrong",
];

/// What sort of text an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextType {
    /// Yes or no.
    Yesno,
    /// True or false.
    Bool,
    /// Valid or invalid.
    Validity,
    /// An integer.
    Int,
    /// A list of words, in order.
    Words,
    /// A sequence of brackets.
    Brackets,
    /// Any text.
    Free,
}

/// What an answer of one of the two-valued types says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Value(&'static str),
    Both,
}

impl TextType {
    /// The type that an answer is of where the reference names none.
    pub(super) fn of(answer: &str) -> Self {
        let is_one_of = |values: [&str; 2]| values.contains(&folded(answer).as_str());
        match () {
            () if is_one_of(["yes", "no"]) => Self::Yesno,
            () if is_one_of(["true", "false"]) => Self::Bool,
            () if is_one_of(["valid", "invalid"]) => Self::Validity,
            () if brackets(answer).is_some() => Self::Brackets,
            () if plain_integer(&plain(answer)).is_some() => Self::Int,
            () => Self::Free,
        }
    }

    /// What an answer must be, for messages.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Yesno => "yes or no",
            Self::Bool => "true or false",
            Self::Validity => "valid or invalid",
            Self::Int => "an integer",
            Self::Words => "a list of words",
            Self::Brackets => "a sequence of brackets",
            Self::Free => "a text",
        }
    }

    /// The two values of a type that has two: the one that affirms first.
    pub(super) fn sides(self) -> Option<[&'static str; 2]> {
        match self {
            Self::Yesno => Some(["yes", "no"]),
            Self::Bool => Some(["true", "false"]),
            Self::Validity => Some(["valid", "invalid"]),
            Self::Int | Self::Words | Self::Brackets | Self::Free => None,
        }
    }
}

/// Reads an answer of a type with two values: the value, with words before it that change nothing.
pub(super) fn side(kind: TextType, text: &str) -> Option<Side> {
    const FILLERS: &[&str] = &[
        "argument",
        "clearly",
        "deductively",
        "definitely",
        "formally",
        "indeed",
        "is",
        "it",
        "logically",
        "simply",
        "statement",
        "the",
        "that",
        "therefore",
        "thus",
    ];
    let [affirmed, denied] = kind.sides()?;
    let text = folded(text);
    // "yes - he can": a remark, unless it doubts.
    let remark = [" - ", " – "].iter().find_map(|dash| text.find(dash)).unwrap_or(text.len());
    let (text, remark) = text.split_at(remark);
    if is_hedged(remark) {
        return None;
    }
    let words: Vec<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '-' | '_')))
        .filter(|word| !word.is_empty())
        .collect();
    let rest = &words[words.iter().take_while(|word| FILLERS.contains(word)).count()..];
    let (value, rest) = match rest {
        [first, rest @ ..] if *first == affirmed => (affirmed, rest),
        [first, rest @ ..] if *first == denied => (denied, rest),
        ["not", "deductively" | "logically", "valid", rest @ ..] if kind == TextType::Validity => {
            (denied, rest)
        }
        ["not", "valid", rest @ ..] if kind == TextType::Validity => (denied, rest),
        ["both" | "either", ..] if words.contains(&affirmed) && words.contains(&denied) => {
            return Some(Side::Both);
        }
        _ => return None,
    };
    let other = if value == affirmed { denied } else { affirmed };
    match rest {
        [] => Some(Side::Value(value)),
        _ if rest.contains(&other) || rest.contains(&"not") => Some(Side::Both),
        // "yes she can", "no they do not agree": only one word more is read, so that no sentence passes for an answer.
        [same] if *same == value => Some(Side::Value(value)),
        _ => None,
    }
}

/// Reads an integer, with up to three words behind it that do not change it: its digits, with a minus sign if there is one.
pub(super) fn integer(text: &str) -> Option<String> {
    let text = plain(text);
    let text = text.trim_start_matches("= ");
    let end = text.find(' ').unwrap_or(text.len());
    // Spaces may separate thousands; then all of the text is the number.
    if let Some(number) = plain_integer(text) {
        return Some(number);
    }
    let (number, words) = (&text[..end], &text[end..]);
    let words: Vec<&str> = words.split_whitespace().collect();
    let is_harmless = |word: &&str| {
        let word = word.to_lowercase();
        word.chars().all(|c| c.is_alphabetic() || c == '-' || c == '\'')
            && !CHANGES.contains(&word.as_str())
            && !NUMBER_WORDS.contains(&word.as_str())
            && !word.ends_with("n't")
            // An unknown, as in "8 x".
            && word.chars().nth(1).is_some()
    };
    (words.len() <= 3 && words.iter().all(is_harmless)).then(|| plain_integer(number)).flatten()
}

/// Reads a text that is an integer and nothing else.
fn plain_integer(text: &str) -> Option<String> {
    // The pattern is constant and tested, so that it compiles.
    #[allow(clippy::unwrap_used)]
    static INTEGER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?P<sign>[-+\u{2010}\u{2011}\u{2013}]?)\s?(?P<digits>[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]{0,2}(?:[ _][0-9]{3})+)(?:\.0+)?$").unwrap()
    });
    let lower = text.to_lowercase();
    let (minus, word) = match lower.strip_prefix("minus ").or_else(|| lower.strip_prefix("negative ")) {
        Some(rest) => (true, rest),
        None => (false, lower.as_str()),
    };
    let (minus, digits) = match NUMBER_WORDS.iter().position(|name| *name == word) {
        Some(number) => (minus, number.to_string()),
        None => {
            let found = INTEGER.captures(word)?;
            let sign = &found["sign"];
            // "minus -5" is no way to write a number.
            if minus && !sign.is_empty() {
                return None;
            }
            let digits: String = found["digits"].chars().filter(char::is_ascii_digit).collect();
            (minus || !matches!(sign, "" | "+"), digits)
        }
    };
    let digits = digits.trim_start_matches('0');
    Some(match digits {
        "" => "0".to_owned(),
        _ if minus => format!("-{digits}"),
        _ => digits.to_owned(),
    })
}

/// Reads a sequence of brackets, without white space.
pub(super) fn brackets(text: &str) -> Option<String> {
    let is_around =
        |c: char| c.is_whitespace() || matches!(c, '*' | '`' | '"' | '\'' | '“' | '”' | '$' | '.' | ',');
    let text = text.trim_matches(is_around);
    let text = text.strip_prefix(r"\text{").and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    let mut found = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' => found.push(c),
            '\\' if matches!(chars.peek(), Some('{' | '}')) => {}
            _ if c.is_whitespace() => {}
            _ => return None,
        }
    }
    (!found.is_empty()).then_some(found)
}

/// The words of a list, in lower case.
pub(super) fn words(text: &str) -> Vec<String> {
    let folded = folded(text);
    let separates = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '[' | ']' | '"');
    let is_around = |c: char| matches!(c, '\'' | '`' | '*' | '.' | '(' | ')');
    folded
        .split(separates)
        .map(|word| word.trim_matches(is_around))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
