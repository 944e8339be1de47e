//! Reads an answer's text as one of the options, and finds options in a response.

use std::sync::LazyLock;

use regex::Regex;

use super::options::{Options, Text};
use crate::answer::{
    MAX_BYTES, Reader, folded, head, is_hedged, plain, prefix_len, speaks_of_answer, tail, trim,
};

/// Texts joined by commas, "and" or "or" that are told apart.
const MAX_PARTS: usize = 32;

/// What an answer's text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// This option.
    Option(usize),
    /// The letter of this option, with a text that no option has.
    Letter(usize),
    /// The letter of one option and the text of another.
    Mismatch(usize, usize),
    /// More than one option.
    Several,
    /// A text that more than one option has.
    Ambiguous,
    /// No option: another letter, or "none of the above".
    Outside,
    /// Nothing that could be meant for an option.
    Unreadable,
}

/// Which options have a text.
enum ByText {
    None,
    One(usize),
    Several,
}

/// A pattern that is constant and tested, so that it compiles.
macro_rules! pattern {
    ($($part:expr),+ $(,)?) => {{
        #[allow(clippy::unwrap_used)]
        static PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new(concat!($($part),+)).unwrap());
        &*PATTERN
    }};
}

impl Options {
    /// What a text says that is given as the answer.
    pub(super) fn read(&self, text: &str) -> Reading {
        match self.read_closely(text) {
            Reading::Letter(option) => Reading::Option(option),
            reading => reading,
        }
    }

    /// Whether a whole response is nothing but an answer. A letter with any text may be a list's, or the "A:" of a dialogue.
    pub(super) fn is_only_answer(&self, line: &str) -> bool {
        let correct = is_correct().captures(line).and_then(|found| found.get(1));
        let bare = correct.map_or(line, |inner| inner.as_str());
        let is_option = !matches!(self.read_closely(bare), Reading::Unreadable | Reading::Letter(_));
        is_option && !speaks_of_answer(bare)
    }

    fn read_closely(&self, text: &str) -> Reading {
        if text.len() > MAX_BYTES {
            return Reading::Unreadable;
        }
        let text = plain(text);
        match self.read_plain(&text) {
            Reading::Unreadable => match is_correct().captures(&text).and_then(|found| found.get(1)) {
                Some(inner) => self.read_plain(inner.as_str()),
                None => Reading::Unreadable,
            },
            reading => reading,
        }
    }

    fn read_plain(&self, text: &str) -> Reading {
        if let Some(letter) = letter(text) {
            // "S" may be an option's text, and a small "c" is one before it is a letter.
            let by_text = match self.by_exact_text(text) {
                ByText::None => None,
                ByText::One(option) => Some(Reading::Option(option)),
                ByText::Several => Some(Reading::Ambiguous),
            };
            let is_small = text.starts_with(char::is_lowercase);
            let by_letter = self.by_letter(letter).map(Reading::Option);
            let found = if is_small { by_text.or(by_letter) } else { by_letter.or(by_text) };
            return found.unwrap_or(Reading::Outside);
        }
        match self.by_text(text) {
            ByText::One(option) => return Reading::Option(option),
            ByText::Several => return Reading::Ambiguous,
            ByText::None => {}
        }
        if let Some(reading) =
            self.text_and_letter(text).or_else(|| self.joined(text)).or_else(|| self.letter_and_text(text))
        {
            return reading;
        }
        let outside = pattern!(
            r"(?i)^(?:none|neither|either|both|all|any)",
            r"(?:\s+of\s+(?:the\s+)?(?:above|these|those|them|options|choices|answers)(?:\s+(?:options|choices|answers))?)?$"
        );
        if outside.is_match(text) { Reading::Outside } else { Reading::Unreadable }
    }

    /// The option that has a text. Case counts only where options differ in nothing else.
    fn by_text(&self, text: &str) -> ByText {
        let lower = text.to_lowercase();
        match self.only(|option| option.folded == lower) {
            ByText::Several => match self.by_exact_text(text) {
                ByText::One(option) => ByText::One(option),
                ByText::None | ByText::Several => ByText::Several,
            },
            found => found,
        }
    }

    /// The option that has a text in that very case.
    fn by_exact_text(&self, text: &str) -> ByText {
        self.only(|option| option.plain == text)
    }

    fn only(&self, is_it: impl Fn(&Text) -> bool) -> ByText {
        let mut found = (0..self.texts().len()).filter(|option| is_it(&self.texts()[*option]));
        match (found.next(), found.next()) {
            (None, _) => ByText::None,
            (Some(option), None) => ByText::One(option),
            (Some(_), Some(_)) => ByText::Several,
        }
    }

    /// Reads "the red one (B)". In front of its letter only an option's text is read: "it could be (B)" is none.
    fn text_and_letter(&self, text: &str) -> Option<Reading> {
        let followed = pattern!(r"(?s)^(?P<text>.+?)\s+[(\[](?P<letter>[A-Za-z])[)\]]$");
        let found = followed.captures(text)?;
        let given = plain(&found["text"]);
        if matches!(self.by_text(&given), ByText::None) {
            return None;
        }
        let letter = found["letter"].chars().next()?.to_ascii_uppercase();
        Some(self.by_letter(letter).map_or(Reading::Outside, |own| self.with_text(own, &given)))
    }

    /// Reads "(B) the red one", "B: the red one" and "B the red one".
    fn letter_and_text(&self, text: &str) -> Option<Reading> {
        let led = pattern!(
            r"(?s)^(?i:(?:the\s+)?(?:(?:correct|right|best|final)\s+)?(?:answer|option|choice|letter)\s*:?\s+)?",
            r"(?:[(\[](?P<a>[A-Za-z])[)\]][.:,]?\s*(?:[-–—=]\s*)?|(?P<b>[A-Za-z])(?:[)\]][.:,]?\s*|[.:,]\s+|\s*[-–—=]\s+)",
            r"|(?P<bare>[A-Z])\s+)(?P<text>.+)$"
        );
        let found = led.captures(text)?;
        let given = found.name("text")?.as_str().trim();
        let is_bare = found.name("a").is_none() && found.name("b").is_none();
        let letter = found.name("a").or(found.name("b")).or(found.name("bare"))?.as_str();
        let letter = letter.chars().next()?.to_ascii_uppercase();
        let own = self.by_letter(letter);
        // Without a mark behind it, "A" may be an article: only its own text makes it a letter.
        if is_bare {
            let is_own = own.is_some_and(|own| {
                self.texts().get(own).is_some_and(|text| text.folded == given.to_lowercase())
            });
            return own.filter(|_| is_own).map(Reading::Option);
        }
        let Some(own) = own else { return Some(Reading::Outside) };
        Some(self.with_text(own, given))
    }

    /// What the letter of the option `own` says together with a text.
    fn with_text(&self, own: usize, given: &str) -> Reading {
        let lower = folded(given);
        let is_own = self.texts().get(own).is_some_and(|text| text.folded == lower);
        if let Some(other) = letter(given).filter(|_| !is_own) {
            return match (self.by_letter(other), self.by_text(given)) {
                (Some(same), _) if same == own => Reading::Option(own),
                (None, ByText::One(text)) => Reading::Mismatch(own, text),
                _ => Reading::Several,
            };
        }
        let begins = |long: &str, short: &str| {
            long.strip_prefix(short).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        if let Some(text) = self.texts().get(own) {
            if begins(&text.folded, &lower) {
                return Reading::Option(own);
            }
            if begins(&lower, &text.folded) {
                let rest = &lower[text.folded.len()..];
                return if is_hedged(rest) { Reading::Unreadable } else { Reading::Option(own) };
            }
        }
        let other = (0..self.texts().len())
            .filter(|option| begins(&lower, &self.texts()[*option].folded))
            .max_by_key(|option| self.texts()[*option].folded.len());
        if let Some(other) = other {
            return Reading::Mismatch(own, other);
        }
        if is_hedged(given) || self.names_other(own, given) {
            return Reading::Unreadable;
        }
        Reading::Letter(own)
    }

    /// Whether the letter of another option stands in a text; "A" and "I" only in brackets or behind "option".
    fn names_other(&self, own: usize, text: &str) -> bool {
        let named =
            pattern!(r"[(\[](?P<a>[A-Z])[)\]]|(?i:option|choice)\s+(?P<b>[A-Z])\b|\b(?P<c>[B-HJ-Z])\b");
        named.captures_iter(text).any(|found| {
            let letter = found
                .name("a")
                .or(found.name("b"))
                .or(found.name("c"))
                .and_then(|it| it.as_str().chars().next());
            letter.and_then(|letter| self.by_letter(letter)).is_some_and(|option| option != own)
        })
    }

    /// Reads "A and B", "either A or the red one".
    fn joined(&self, text: &str) -> Option<Reading> {
        let joiner = pattern!(r"(?i)\s*(?:,\s*(?:and|or)\b|[,/&;+]|\b(?:and/or|and|or|as\s+well\s+as)\b)\s*");
        let lead = pattern!(r"(?i)^(?:(?:either|both|neither|options?|choices?)\s+)+");
        let text = &text[lead.find(text).map_or(0, |found| found.end())..];
        let mut first = None;
        let mut num_parts = 0;
        for part in joiner.split(text).take(MAX_PARTS) {
            num_parts += 1;
            let part = plain(part);
            let option = match letter(&part) {
                Some(letter) => self.by_letter(letter)?,
                None => match self.by_text(&part) {
                    ByText::One(option) => option,
                    _ => return None,
                },
            };
            match first {
                Some(first) if first != option => return Some(Reading::Several),
                _ => first = Some(option),
            }
        }
        first.filter(|_| num_parts > 1).map(Reading::Option)
    }

    /// The last option in the last line of a text that stands alone and is not denied.
    pub(super) fn last_in<'a>(&self, text: &'a str) -> Option<&'a str> {
        let line = text.lines().rfind(|line| !trim(line).is_empty())?;
        let line = tail(line, MAX_BYTES);
        let lower = line.to_ascii_lowercase();
        let is_apart = |start: usize, end: usize| {
            let joins = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '’');
            !line[..start].ends_with(joins) && !line[end..].starts_with(joins)
        };
        let is_article = |at: usize| {
            let behind = &line[at + 1..];
            matches!(&line[at..=at], "A" | "I")
                && behind.strip_prefix(' ').is_some_and(|rest| rest.starts_with(char::is_lowercase))
        };
        let letters = line
            .match_indices(|c: char| self.by_letter(c).is_some())
            .map(|(at, _)| (at, at + 1))
            .filter(|(at, _)| !is_article(*at));
        let texts = self.texts().iter().flat_map(|text| {
            let wanted = text.plain.to_ascii_lowercase();
            lower.match_indices(wanted.as_str()).map(|(at, it)| (at, at + it.len())).collect::<Vec<_>>()
        });
        let (start, end) = letters
            .chain(texts)
            .filter(|(start, end)| is_apart(*start, *end))
            .max_by_key(|(start, end)| (*end, usize::MAX - start))?;
        let denied = pattern!(
            r"(?i)(?:\bnot|n['’]t|\bnor|\bneither|\bnever|\bcannot\s+be)\s+(?:(?:the|option|choice|be)\s+)*[(\[]?$"
        );
        (!denied.is_match(tail(&line[..start], 48))).then(|| &line[start..end])
    }
}

impl Reader for Options {
    fn is_answer(&self, text: &str) -> bool {
        // In a sentence a small "a" is an article, or the sentence was cut off.
        trim(text) != "a" && self.read(text) != Reading::Unreadable
    }

    fn same(&self, a: &str, b: &str) -> bool {
        match (self.read(a), self.read(b)) {
            (Reading::Option(a), Reading::Option(b)) => a == b,
            (Reading::Option(_), _) | (_, Reading::Option(_)) => false,
            _ => folded(a) == folded(b),
        }
    }

    fn known(&self, text: &str) -> usize {
        let dress = pattern!(
            r#"^(?:[\s*_"“'$]|\\(?:text|textbf|mathrm|mathbf|boxed)\{|\\[(\[])*"#,
            r"(?P<named>(?i:(?:the\s+)?(?:correct\s+)?(?:option|choice|letter)\s+))?",
            r"(?P<letter>[(\[]?[A-Za-z]\b[)\]]?\**[.:),]*[\s*]*(?:[-–—]\s*)?)?"
        );
        let Some(found) = dress.captures(text) else { return 0 };
        let from = found.name("named").or(found.name("letter")).map_or(found[0].len(), |it| it.start());
        if let Some(len) = self.text_at(&text[from..]) {
            let behind = &text[from + len..];
            let letter = pattern!(r#"^[\s*"”']*[(\[][A-Za-z][)\]]"#);
            return from + len + letter.find(behind).map_or(0, |found| found.end());
        }
        let Some(letter) = found.name("letter") else { return 0 };
        match self.text_at(&text[letter.end()..]) {
            Some(len) => letter.end() + len,
            // "option I": not the word "I".
            None if found.name("named").is_some() => {
                letter.start() + letter.as_str().trim_end_matches([' ', '.', ',', ':', '\n']).len()
            }
            None => 0,
        }
    }

    fn is_other(&self, answer: &str, next: &str) -> bool {
        // The "i" of "i.e." is no option.
        let is_small = trim(next).len() == 1 && trim(next).starts_with(char::is_lowercase);
        !is_small && self.is_answer(next) && !self.same(answer, next)
    }

    fn has_short_label(&self) -> bool {
        false
    }
}

impl Options {
    /// The length of the longest option's text that a text begins with, as whole words.
    fn text_at(&self, text: &str) -> Option<usize> {
        self.texts().iter().filter_map(|option| prefix_len(head(text, MAX_BYTES), &option.folded)).max()
    }
}

/// "B is the correct answer."
fn is_correct() -> &'static Regex {
    pattern!(
        r"(?i)^(.+?)\s+(?:is|would\s+be)\s+(?:the\s+)?(?:correct|right|best)",
        r"(?:\s+(?:answer|option|choice|one))?[\s.!*]*$"
    )
}

/// The letter that a whole text is: `B`, `(B)`, `B)`, `option B`.
fn letter(text: &str) -> Option<char> {
    let alone = pattern!(
        r"^(?:(?i:(?:the\s+)?(?:(?:correct|right|best|final)\s+)?(?:answer|option|choice|letter)(?:\s*:\s*|\s+))[(\[]?",
        r"|(?i:option|choice)[(\[]|[(\[]?)([A-Za-z])[)\]]?[.:]?$"
    );
    let found = alone.captures(text)?;
    found.get(1)?.as_str().chars().next().map(|letter| letter.to_ascii_uppercase())
}
