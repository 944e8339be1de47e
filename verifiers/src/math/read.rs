//! Reads the text of an answer in the ways in which it may be meant.

use super::answer::{Answer, Quantity};
use super::expr::Expr;
use super::number::NotPlain;
use super::parse::parse;
use super::value::Value;
use super::words::fold_text;
use crate::answer::trim;

/// An answer that has been read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) answer: Answer,
    /// Another way to read the same text: `xy` is a word, and a product.
    pub(super) other: Option<Answer>,
    /// Something in it is not worked out: `2 + 3`, `6/4`, `\sqrt{8}`.
    pub(super) unevaluated: bool,
}

impl Reading {
    pub(super) fn only(answer: Answer) -> Self {
        Self { answer, other: None, unevaluated: false }
    }

    /// All ways to read it.
    pub(super) fn answers(&self) -> impl Iterator<Item = &Answer> {
        std::iter::once(&self.answer).chain(&self.other)
    }

    /// Whether it is made of words.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.answer, Answer::Text(_))
    }
}

/// Reads an answer.
pub(super) fn read(text: &str) -> Result<Reading, NotPlain> {
    let text = trim(text);
    if text.starts_with(['≈', '≃']) || text.starts_with(r"\approx") || text.starts_with(r"\sim") {
        return Err(NotPlain::unclear("what is only about equal commits to nothing"));
    }
    // What is named counts: `x = 3` is not `y = 3`.
    let named = if text.contains('=') { parse(text).ok() } else { None };
    if let Some(parsed) = named {
        return Ok(Reading { answer: parsed.answer, other: None, unevaluated: parsed.unevaluated });
    }
    // Within brackets a comma separates members, and a letter right behind digits is a variable.
    let letter = ends_in_letter(text);
    let as_formula = letter == Some(true) || (text.contains(',') && text.starts_with(['(', '[']));
    let plain = Value::parse(text);
    if let Ok(value) = &plain
        && !as_formula
    {
        let unevaluated = !is_simple(value, text);
        let number = Quantity { expr: Expr::Number(value.number.clone()), unit: value.unit.clone() };
        // A letter apart from the digits may be a unit or a variable.
        let other = letter.and_then(|_| parse(text).ok()).map(|parsed| parsed.answer);
        return Ok(Reading { answer: Answer::Quantity(number), other, unevaluated });
    }
    let parsed = parse(text);
    let calculates = |part: &Expr| matches!(part, Expr::Call(..) | Expr::Power(..));
    let is_formula = |answer: &Answer| answer.expressions().into_iter().any(|expr| expr.any(calculates));
    if is_words(text) && !parsed.as_ref().is_ok_and(|parsed| is_formula(&parsed.answer)) {
        let words = Answer::Text(fold_text(text));
        let other = parsed.ok().map(|it| it.answer).filter(|it| is_product_of_letters(it, text));
        return Ok(Reading { answer: words, other, unevaluated: false });
    }
    match parsed {
        Ok(parsed) => Ok(Reading { answer: parsed.answer, other: None, unevaluated: parsed.unevaluated }),
        Err(error @ NotPlain::OverBudget(_)) => Err(error),
        Err(error) => match (words_of(text), plain) {
            (Some(words), _) => Ok(Reading::only(Answer::Text(words))),
            (None, Err(several @ NotPlain::Several(_))) => Err(several),
            (None, _) => Err(error),
        },
    }
}

/// Whether a plain number is written in its simplest form, as far as fractions go.
fn is_simple(value: &Value, text: &str) -> bool {
    if value.number.is_integer() {
        return !text.contains(['/', '\u{2044}']) && !text.contains("frac");
    }
    let denominator = value.number.denom().to_string();
    // A fraction in lowest terms shows its denominator; a decimal has no fraction bar.
    !(text.contains('/') || text.contains("frac")) || text.contains(&denominator)
}

/// Whether a text ends in a single letter of a formula, as `5m`, `$5 m$` and `2x` do, and whether that stands right behind
/// a digit.
fn ends_in_letter(text: &str) -> Option<bool> {
    let text = text.trim_end_matches(r"\right)").trim_end_matches(['$', ')', ' ', '\\']);
    let mut chars = text.chars().rev();
    chars.next().filter(char::is_ascii_alphabetic)?;
    match chars.next() {
        Some(digit) if digit.is_ascii_digit() => Some(true),
        Some(' ' | '~' | '}') => Some(false),
        _ => None,
    }
}

/// Whether a text has words, and nothing that calculates.
fn is_words(text: &str) -> bool {
    let mut longest = 0;
    let mut run = 0;
    // Letters that "and" joins are members.
    let joined = text.replace(" and ", "  ").replace(" or ", "  ");
    let mut rest = joined.as_str();
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        if next.is_alphabetic() {
            run += 1;
            longest = longest.max(run);
            continue;
        }
        match next {
            '\\' => match rest.strip_prefix("text").or_else(|| rest.strip_prefix("mathrm")) {
                Some(behind) => rest = behind.trim_start_matches(|c: char| c.is_ascii_alphabetic()),
                None if rest.starts_with([' ', ',', ';', '(', ')']) => rest = &rest[1..],
                None => return false,
            },
            // A hyphen within a word; elsewhere it subtracts.
            '-' if run >= 2 && rest.starts_with(char::is_alphabetic) => {}
            ' ' | '{' | '}' | '$' | '\'' | '’' | '.' | '*' | '"' | '\n' | '\t' | '~' | '“' | '”' | '('
            | ')' => {}
            _ => return false,
        }
        run = 0;
    }
    // One letter is a variable or a choice, and its case counts.
    longest > 1
}

/// Letters side by side that can hardly be a word.
fn is_product_of_letters(answer: &Answer, text: &str) -> bool {
    let Answer::Quantity(Quantity { expr: Expr::Product(factors), .. }) = answer else { return false };
    let all_letters = factors.iter().all(|it| matches!(it, Expr::Variable(_) | Expr::Pi));
    let vowels = ['a', 'e', 'i', 'o', 'u', 'y'];
    let lower = text.to_lowercase();
    let is_scale = lower.chars().all(|c| !c.is_alphabetic() || ('a'..='d').contains(&c));
    all_letters && !text.contains("text") && (is_scale || lower.contains('x') || !lower.contains(vowels))
}

/// The words of a text that is no formula, if there are any.
fn words_of(text: &str) -> Option<String> {
    let words = fold_text(text);
    let is_word = |word: &str| word.chars().filter(|c| c.is_alphabetic()).count() >= 2;
    words.split(' ').any(is_word).then_some(words)
}
