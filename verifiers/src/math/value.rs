//! A plain number with its unit: how one is read from an answer's text, and when two are the same.

use num_rational::BigRational;

use super::lex::{Token, lex};
use super::number::{Cursor, NotPlain, is_blank, is_brace, number, scale, sign};
use super::unit::{Unit, known};
use crate::answer::{NUMBER_WORDS, trim};

/// Bytes of one answer.
pub(super) const MAX_BYTES: usize = 4096;
/// Words beside one number.
const MAX_WORDS: usize = 10;

/// Words before a number that do not change it.
const FILLERS: &[&str] = &[
    "a",
    "about",
    "also",
    "approximately",
    "around",
    "clearly",
    "equal",
    "exactly",
    "hence",
    "indeed",
    "just",
    "now",
    "obviously",
    "of",
    "only",
    "precisely",
    "roughly",
    "simply",
    "the",
    "then",
    "therefore",
    "thus",
    "to",
    "total",
];

/// Words behind a number after which no unit follows any more.
const STOPS: &[&str] = &[
    "after", "as", "at", "because", "before", "by", "during", "for", "from", "hence", "in", "is", "of", "on",
    "since", "so", "that", "the", "when", "where", "which", "while", "with", "within",
];

/// Words behind a number that say that it is not the answer, not the only one, or not the whole of it.
const DENIALS: &[&str] = &[
    "about",
    "almost",
    "and",
    "approximately",
    "base",
    "but",
    "cubed",
    "divided",
    "either",
    "eighths",
    "factorial",
    "false",
    "fifths",
    "fourths",
    "half",
    "halves",
    "hundredths",
    "if",
    "incorrect",
    "infinity",
    "least",
    "maybe",
    "minus",
    "mod",
    "modulo",
    "most",
    "nearly",
    "ninths",
    "no",
    "nor",
    "not",
    "or",
    "over",
    "perhaps",
    "pi",
    "plus",
    "possibly",
    "probably",
    "root",
    "roughly",
    "sevenths",
    "sixths",
    "sqrt",
    "squared",
    "tenths",
    "than",
    "thirds",
    "thousandths",
    "through",
    "to",
    "unless",
    "until",
    "wrong",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
];

/// Words behind a number that multiply it, as exponents of ten.
const SCALES: &[(&str, i64)] =
    &[("hundred", 2), ("thousand", 3), ("million", 6), ("billion", 9), ("trillion", 12)];

/// A number with its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// What is written: for `5 %` this is 5.
    pub(super) number: BigRational,
    pub(super) unit: Unit,
}

impl Value {
    /// Reads one plain number with its unit; the whole text must be that.
    pub(super) fn parse(text: &str) -> Result<Self, NotPlain> {
        let text = trim(text);
        if text.len() > MAX_BYTES {
            return Err(NotPlain::OverBudget(format!(
                "it is {} bytes; at most {MAX_BYTES} are read",
                text.len()
            )));
        }
        let tokens = lex(text);
        let mut cursor = Cursor { tokens: unwrap_parens(&tokens), at: 0 };
        skip_name(&mut cursor)?;
        let mut unit = Unit::default();
        let negative = prefix(&mut cursor, &mut unit)?;
        let value = number(&mut cursor)?;
        let value = if negative { -value } else { value };
        let number = suffix(&mut cursor, value, &mut unit)?;
        Ok(Self { number, unit })
    }
}

/// `(42)` is 42, and so is `42)`, which the end of a sentence in brackets leaves.
fn unwrap_parens(tokens: &[super::lex::Spanned]) -> &[super::lex::Spanned] {
    match tokens {
        [first, inner @ .., last] if first.token == Token::ParenOpen && last.token == Token::ParenClose => {
            inner
        }
        [inner @ .., last]
            if last.token == Token::ParenClose && inner.iter().all(|it| it.token != Token::ParenOpen) =>
        {
            inner
        }
        all => all,
    }
}

/// Skips the left side of `x = 42` and `\text{Total cost} = 42`.
fn skip_name(cursor: &mut Cursor<'_>) -> Result<(), NotPlain> {
    let mut ahead = *cursor;
    ahead.skip(|token| is_brace(token) || is_blank(token) || matches!(token, Token::Word(_)));
    if matches!(ahead.peek(), Some(Token::Equals | Token::Approx)) {
        for spanned in &cursor.tokens[cursor.at..ahead.at] {
            if let Token::Word(word) = &spanned.token {
                refuse(word)?;
            }
        }
        ahead.at += 1;
        *cursor = ahead;
    }
    Ok(())
}

/// Reads sign, currency and filling words before the number; true for a minus sign.
fn prefix(cursor: &mut Cursor<'_>, unit: &mut Unit) -> Result<bool, NotPlain> {
    let mut minus = None;
    loop {
        match cursor.peek() {
            Some(Token::Minus | Token::Plus) if minus.is_none() => minus = sign(cursor),
            Some(Token::Money(name)) if unit.is_bare() => {
                unit.currency(name);
                cursor.at += 1;
            }
            Some(Token::Word(word)) => {
                let lower = word.to_lowercase();
                match currency_word(&lower) {
                    None if minus.is_none() && matches!(lower.as_str(), "minus" | "negative") => {
                        minus = Some(true)
                    }
                    Some(name) if unit.is_bare() => unit.currency(name),
                    // "US$5" names one currency twice.
                    None if lower == "us" && matches!(cursor.peek_at(1), Some(Token::Money("dollar"))) => {}
                    None if FILLERS.contains(&lower.as_str()) && minus.is_none() => {}
                    _ => return Err(NotPlain::Words),
                }
                cursor.at += 1;
            }
            Some(Token::Open | Token::Close | Token::Space | Token::Thin | Token::Approx) => cursor.at += 1,
            _ => return Ok(minus == Some(true)),
        }
    }
}

/// Codes of currencies that stand before a number.
fn currency_word(lower: &str) -> Option<&'static str> {
    match lower {
        "usd" => Some("dollar"),
        "eur" => Some("euro"),
        "gbp" => Some("sterling"),
        "jpy" => Some("yen"),
        "inr" | "rs" => Some("rupee"),
        _ => None,
    }
}

pub(super) fn refuse(word: &str) -> Result<(), NotPlain> {
    let lower = word.to_lowercase();
    if lower == "and" || lower == "or" {
        return Err(NotPlain::Several(format!("several answers, joined by \"{lower}\"")));
    }
    if lower.contains("n't") || DENIALS.contains(&lower.as_str()) || NUMBER_WORDS.contains(&lower.as_str()) {
        return Err(NotPlain::unclear(format!("the word \"{word}\" makes it more, or less, than a number")));
    }
    Ok(())
}

/// What has been read behind the number.
#[derive(Default)]
struct Tail {
    /// Behind "per" or a slash.
    per: bool,
    /// From "square" and "cubic": the next measure's exponent.
    power: Option<i32>,
    /// The measure read last, with its sign, for an exponent that follows.
    last: Option<(&'static str, i32)>,
    /// Behind a word after which no unit follows.
    stopped: bool,
    num_words: usize,
}

/// Reads per cent, unit, scale and remarks behind the number, to the end; gives the number, scaled.
fn suffix(cursor: &mut Cursor<'_>, value: BigRational, unit: &mut Unit) -> Result<BigRational, NotPlain> {
    let mut value = value;
    let mut tail = Tail::default();
    let mut attached = true;
    while let Some(token) = cursor.peek() {
        match token {
            Token::ParenOpen if is_sum_of_money(cursor, unit) => break,
            Token::Open
            | Token::Close
            | Token::Space
            | Token::Thin
            | Token::ParenOpen
            | Token::ParenClose => {}
            Token::Percent if unit.is_bare() && !unit.percent => unit.percent = true,
            Token::Money(name) => unit.currency(name),
            Token::Degree => degree(cursor, unit),
            Token::Slash => tail.per = true,
            // A product of units.
            Token::Times if tail.last.is_some() => {}
            // The point of an abbreviation, or of the sentence.
            Token::Dot if tail.num_words > 0 && !matches!(cursor.peek_at(1), Some(Token::Digits(_))) => {}
            Token::Dot if cursor.tokens[cursor.at + 1..].iter().all(|it| is_brace(&it.token)) => {}
            Token::Caret => caret(cursor, unit, &mut tail)?,
            Token::Word(word) if tail.num_words == 0 && is_dozen(word) => {
                value *= BigRational::from_integer(12.into());
            }
            Token::Word(word) => match scale_of(word).filter(|_| tail.num_words == 0) {
                Some(exponent) => value = scale(value, exponent)?,
                None => self::word(cursor, word, attached, unit, &mut tail)?,
            },
            other => return Err(explain(other)),
        }
        attached = false;
        cursor.at += 1;
    }
    Ok(value)
}

/// Whether a bracket explains an amount of money by amounts, "$10 ($5 + $5)", and ends the text: that changes nothing.
/// Behind a bare number or without a space it could be a product.
fn is_sum_of_money(cursor: &Cursor<'_>, unit: &Unit) -> bool {
    let spaced = cursor.at > 0 && cursor.tokens[cursor.at - 1].token == Token::Space;
    let rest = &cursor.tokens[cursor.at + 1..];
    let closes = rest.iter().position(|it| it.token == Token::ParenClose);
    let ends = closes.is_some_and(|at| {
        rest[at + 1..].iter().all(|it| is_brace(&it.token) || is_blank(&it.token) || it.token == Token::Dot)
    });
    let inner = &rest[..closes.unwrap_or(0)];
    let plain = |token: &Token| {
        let operator = matches!(token, Token::Plus | Token::Minus | Token::Times | Token::Slash);
        let number = matches!(token, Token::Digits(_) | Token::Money(_) | Token::Dot | Token::Comma);
        operator || number || matches!(token, Token::Equals | Token::Space | Token::Thin)
    };
    let has_money = inner.iter().any(|it| matches!(it.token, Token::Money(_)));
    spaced && ends && !unit.is_bare() && has_money && inner.iter().all(|it| plain(&it.token))
}

fn is_dozen(word: &str) -> bool {
    word.eq_ignore_ascii_case("dozen") || word.eq_ignore_ascii_case("dozens")
}

/// Why a token cannot follow a number.
fn explain(token: &Token) -> NotPlain {
    match token {
        Token::Comma => NotPlain::Several("a list, or digits that are not grouped by threes".to_owned()),
        Token::Equals | Token::Approx => NotPlain::unclear("an equation"),
        Token::Plus | Token::Minus | Token::Times | Token::Slash => {
            NotPlain::unclear("an expression that is not worked out")
        }
        Token::Digits(_) | Token::Vulgar(..) | Token::Frac => {
            NotPlain::Several("more than one number".to_owned())
        }
        Token::Other(text) => NotPlain::unclear(format!("\"{text}\" is part of no plain number")),
        _ => NotPlain::unclear("something follows the number that is no unit"),
    }
}

fn scale_of(word: &str) -> Option<i64> {
    SCALES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, exponent)| *exponent)
}

/// `°`, `°C`, `°F`; the cursor is left on the last token of it.
fn degree(cursor: &mut Cursor<'_>, unit: &mut Unit) {
    let mut ahead = *cursor;
    ahead.at += 1;
    ahead.skip(|token| is_brace(token) || is_blank(token));
    let name = match ahead.peek() {
        Some(Token::Word(word)) if word == "C" => "celsius",
        Some(Token::Word(word)) if word == "F" => "fahrenheit",
        _ => return unit.measure("degree", 1),
    };
    unit.measure(name, 1);
    cursor.at = ahead.at;
}

/// The exponent of a unit, `m^2`, or the raised ring of degrees, `90^\circ`; the cursor is left on its last token.
fn caret(cursor: &mut Cursor<'_>, unit: &mut Unit, tail: &mut Tail) -> Result<(), NotPlain> {
    let mut ahead = *cursor;
    ahead.at += 1;
    ahead.skip(|token| *token == Token::Open);
    if ahead.peek() == Some(&Token::Degree) {
        *cursor = ahead;
        degree(cursor, unit);
        return Ok(());
    }
    if let (None, Some(Token::Digits(power))) = (tail.last, ahead.peek())
        && tail.num_words > 0
        && matches!(power.as_str(), "2" | "3")
    {
        // "units^2": a noun with its power.
        unit.noun(&format!("^{power}"), tail.per);
        *cursor = ahead;
        return Ok(());
    }
    let Some((name, exponent)) = tail.last.take() else {
        return Err(NotPlain::unclear("a power that is not worked out"));
    };
    let negative = sign(&mut ahead).unwrap_or(false);
    match ahead.peek() {
        Some(Token::Digits(digits)) if digits == "1" || digits == "2" || digits == "3" => {
            let power = i32::from(digits.as_bytes()[0] - b'0');
            // The measure has been counted once already.
            unit.measure(name, exponent * (if negative { -power } else { power }) - exponent);
            *cursor = ahead;
            Ok(())
        }
        _ => Err(NotPlain::unclear("a power that is not worked out")),
    }
}

/// One word behind the number.
fn word(
    cursor: &mut Cursor<'_>,
    word: &str,
    attached: bool,
    unit: &mut Unit,
    tail: &mut Tail,
) -> Result<(), NotPlain> {
    tail.num_words += 1;
    if tail.num_words > MAX_WORDS {
        return Err(NotPlain::unclear("a sentence follows the number"));
    }
    let lower = word.to_lowercase();
    let measures = known(word);
    if (lower == "squared" || lower == "cubed")
        && let Some((name, exponent)) = tail.last.take()
    {
        unit.measure(name, if lower == "squared" { exponent } else { 2 * exponent });
        return Ok(());
    }
    refuse(word)?;
    if tail.stopped {
        return Ok(());
    }
    match lower.as_str() {
        "percent" | "pct" if tail.num_words == 1 => unit.percent = true,
        "per" if tail.num_words == 1 && next_word_is(cursor, "cent") => {
            cursor.skip(|token| !matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("cent")));
            unit.percent = true;
        }
        "per" => tail.per = true,
        "a" | "an" | "each" | "every" => tail.per = !unit.is_bare(),
        "square" | "sq" => tail.power = Some(2),
        "cubic" | "cu" => tail.power = Some(3),
        stop if STOPS.contains(&stop) => tail.stopped = true,
        _ => match measures {
            Some(factors) => {
                let sign = if tail.per { -1 } else { 1 };
                let power = tail.power.take().unwrap_or(1);
                for (name, exponent) in factors {
                    if sign * exponent * power == 1 {
                        unit_or_currency(unit, name);
                    } else {
                        unit.measure(name, sign * exponent * power);
                    }
                }
                tail.last = factors.first().map(|(name, exponent)| (*name, sign * exponent));
            }
            None if attached || lower.chars().count() == 1 => {
                return Err(NotPlain::unclear(format!(
                    "\"{word}\" beside the number is no unit that is known"
                )));
            }
            None => {
                unit.noun(word, tail.per);
                tail.last = None;
            }
        },
    }
    Ok(())
}

fn next_word_is(cursor: &Cursor<'_>, word: &str) -> bool {
    let mut ahead = *cursor;
    ahead.at += 1;
    ahead.skip(is_blank);
    matches!(ahead.peek(), Some(Token::Word(next)) if next.eq_ignore_ascii_case(word))
}

/// "$5 dollars" names its currency twice; other measures multiply.
fn unit_or_currency(unit: &mut Unit, name: &'static str) {
    match name {
        "dollar" | "cent" | "sterling" | "euro" | "yen" | "rupee" | "won" => unit.currency(name),
        other => unit.measure(other, 1),
    }
}
