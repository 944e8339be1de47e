//! Reads one plain number, exactly, from tokens: integer, decimal, fraction, mixed number, scientific notation.
//!
//! Numbers are exact rationals, so that nothing is rounded. The digits of one answer and the size of its exponent are
//! bounded: what lies beyond is over budget, and never worked out.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Pow, Zero};

use super::lex::{Spanned, Token};

/// Digits of one number, and the largest exponent of ten.
pub(super) const MAX_DIGITS: usize = 1000;

/// Why a text is not one plain number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotPlain {
    /// There is nothing.
    Empty,
    /// It begins with words that belong to no number.
    Words,
    /// It may be a number, but working it out takes more than is allowed.
    OverBudget(String),
    /// Several answers, or a list.
    Several(String),
    /// Something else: an expression, an equation, a sentence.
    Unclear(String),
}

impl NotPlain {
    pub(super) fn unclear(why: impl Into<String>) -> Self {
        Self::Unclear(why.into())
    }

    /// Why, for people.
    pub(super) fn why(&self) -> &str {
        match self {
            Self::Empty => "it is empty",
            Self::Words => "it does not begin with a number",
            Self::OverBudget(why) | Self::Several(why) | Self::Unclear(why) => why,
        }
    }
}

/// A place in a sequence of tokens.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) tokens: &'a [Spanned],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.peek_at(0)
    }

    /// The token that many places ahead.
    pub(super) fn peek_at(&self, ahead: usize) -> Option<&'a Token> {
        self.tokens.get(self.at.checked_add(ahead)?).map(|spanned| &spanned.token)
    }

    /// Skips tokens of a sort.
    pub(super) fn skip(&mut self, skip: impl Fn(&Token) -> bool) {
        while self.peek().is_some_and(&skip) {
            self.at += 1;
        }
    }

    /// Skips the next token if it is this one.
    pub(super) fn eat(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }
}

pub(super) fn is_brace(token: &Token) -> bool {
    matches!(token, Token::Open | Token::Close)
}

pub(super) fn is_blank(token: &Token) -> bool {
    matches!(token, Token::Space | Token::Thin)
}

/// Reads a number without a sign where the cursor stands, and leaves the cursor behind it.
pub(super) fn number(cursor: &mut Cursor<'_>) -> Result<BigRational, NotPlain> {
    cursor.skip(|token| *token == Token::Open);
    match cursor.peek() {
        Some(Token::Frac) => fraction_command(cursor),
        Some(Token::Vulgar(numerator, denominator)) => {
            cursor.at += 1;
            Ok(ratio(*numerator, *denominator))
        }
        Some(Token::Digits(_) | Token::Dot) => {
            let decimal = decimal(cursor)?;
            after_decimal(cursor, decimal)
        }
        None => Err(NotPlain::Empty),
        Some(_) => Err(NotPlain::unclear("it does not begin with a number")),
    }
}

fn ratio(numerator: u8, denominator: u8) -> BigRational {
    BigRational::new(numerator.into(), denominator.into())
}

/// A decimal with what tells how to read on.
struct Decimal {
    value: BigRational,
    /// A run of digits alone: no separators, no point.
    is_plain: bool,
}

/// What may follow a decimal and belongs to the number.
fn after_decimal(cursor: &mut Cursor<'_>, decimal: Decimal) -> Result<BigRational, NotPlain> {
    if let Some(exponent) = exponent(cursor, &decimal)? {
        return scale(decimal.value, exponent);
    }
    if let Some(fraction) = mixed(cursor, &decimal)? {
        return Ok(decimal.value + fraction);
    }
    let mut ahead = *cursor;
    ahead.skip(|token| is_brace(token) || *token == Token::Space);
    if ahead.eat(&Token::Slash) {
        ahead.skip(|token| is_brace(token) || *token == Token::Space);
        let negative = ahead.eat(&Token::Minus);
        if matches!(ahead.peek(), Some(Token::Digits(_) | Token::Dot)) {
            let denominator = self::decimal(&mut ahead)?.value;
            *cursor = ahead;
            return divide(decimal.value, if negative { -denominator } else { denominator });
        }
    }
    Ok(decimal.value)
}

fn divide(numerator: BigRational, denominator: BigRational) -> Result<BigRational, NotPlain> {
    if denominator.is_zero() {
        return Err(NotPlain::unclear("it divides by zero"));
    }
    Ok(numerator / denominator)
}

/// `1 1/2`, `1½`, `1\frac{1}{2}`: the fraction, if there is one.
fn mixed(cursor: &mut Cursor<'_>, decimal: &Decimal) -> Result<Option<BigRational>, NotPlain> {
    if !decimal.value.is_integer() {
        return Ok(None);
    }
    let mut ahead = *cursor;
    ahead.skip(|token| is_blank(token) || is_brace(token));
    let spaced = matches!(cursor.peek(), Some(Token::Space));
    let fraction = match ahead.peek() {
        Some(Token::Vulgar(numerator, denominator)) => {
            ahead.at += 1;
            ratio(*numerator, *denominator)
        }
        Some(Token::Frac) => fraction_command(&mut ahead)?,
        Some(Token::Digits(numerator)) if spaced && ahead.peek_at(1) == Some(&Token::Slash) => {
            let Some(Token::Digits(denominator)) = ahead.peek_at(2) else { return Ok(None) };
            ahead.at += 3;
            divide(integer(numerator)?, integer(denominator)?)?
        }
        _ => return Ok(None),
    };
    let is_proper = fraction >= BigRational::zero() && fraction < BigRational::one();
    if !is_proper {
        return Err(NotPlain::unclear("a whole number beside a fraction that is not below 1"));
    }
    *cursor = ahead;
    Ok(Some(fraction))
}

/// `\frac{3}{4}`, `\frac34`, `\frac{-3}{4}`: two decimals.
fn fraction_command(cursor: &mut Cursor<'_>) -> Result<BigRational, NotPlain> {
    cursor.at += 1;
    let (numerator, rest) = argument(cursor)?;
    let denominator = match rest {
        Some(denominator) => denominator,
        None => argument_alone(cursor)?,
    };
    divide(numerator, denominator)
}

/// An argument of `\frac`; of two bare digits the second is the next argument.
fn argument(cursor: &mut Cursor<'_>) -> Result<(BigRational, Option<BigRational>), NotPlain> {
    cursor.skip(is_blank);
    match cursor.peek() {
        Some(Token::Digits(digits)) => {
            cursor.at += 1;
            match digits.len() {
                1 => Ok((integer(digits)?, None)),
                2 => Ok((integer(&digits[..1])?, Some(integer(&digits[1..])?))),
                _ => Err(NotPlain::unclear(r"\frac with three or more digits and no braces")),
            }
        }
        Some(Token::Open) => Ok((braced(cursor)?, None)),
        _ => Err(NotPlain::unclear(r"\frac without its two numbers")),
    }
}

/// A decimal in braces.
fn braced(cursor: &mut Cursor<'_>) -> Result<BigRational, NotPlain> {
    let not_plain = || NotPlain::unclear(r"\frac of something other than plain numbers");
    let mut num_open = 0;
    while let Some(token @ (Token::Open | Token::Space)) = cursor.peek() {
        num_open += usize::from(*token == Token::Open);
        cursor.at += 1;
    }
    let negative = cursor.eat(&Token::Minus);
    if !matches!(cursor.peek(), Some(Token::Digits(_) | Token::Dot)) {
        return Err(not_plain());
    }
    let value = decimal(cursor)?.value;
    for _ in 0..num_open {
        cursor.skip(|token| *token == Token::Space);
        if !cursor.eat(&Token::Close) {
            return Err(not_plain());
        }
    }
    Ok(if negative { -value } else { value })
}

fn argument_alone(cursor: &mut Cursor<'_>) -> Result<BigRational, NotPlain> {
    match argument(cursor)? {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(NotPlain::unclear(r"\frac with three or more digits and no braces")),
    }
}

/// The exponent of ten, for `1e5`, `3 \times 10^{5}`, and `10^5` itself (where the mantissa is that ten).
fn exponent(cursor: &mut Cursor<'_>, decimal: &Decimal) -> Result<Option<i64>, NotPlain> {
    let mut ahead = *cursor;
    let mut own_ten = false;
    match ahead.peek() {
        Some(Token::Word(e)) if e == "e" || e == "E" => {
            ahead.at += 1;
            let negative = sign(&mut ahead).unwrap_or(false);
            let Some(Token::Digits(digits)) = ahead.peek() else { return Ok(None) };
            ahead.at += 1;
            *cursor = ahead;
            return power(digits, negative).map(Some);
        }
        Some(Token::Caret) if decimal.is_plain && decimal.value == ten() => own_ten = true,
        _ => {
            ahead.skip(|token| is_blank(token) || is_brace(token));
            let times = match ahead.peek() {
                Some(Token::Times) => true,
                Some(Token::Word(x)) => x == "x" || x == "X",
                _ => false,
            };
            if !times {
                return Ok(None);
            }
            ahead.at += 1;
            ahead.skip(|token| is_blank(token) || is_brace(token));
            if !matches!(ahead.peek(), Some(Token::Digits(ten)) if ten == "10") {
                return Ok(None);
            }
            ahead.at += 1;
        }
    }
    ahead.skip(|token| *token == Token::Close);
    if !ahead.eat(&Token::Caret) {
        return Ok(None);
    }
    ahead.skip(|token| matches!(token, Token::Open | Token::ParenOpen));
    let negative = sign(&mut ahead).unwrap_or(false);
    let Some(Token::Digits(digits)) = ahead.peek() else { return Ok(None) };
    ahead.at += 1;
    ahead.skip(|token| matches!(token, Token::Close | Token::ParenClose));
    *cursor = ahead;
    let exponent = power(digits, negative)?;
    Ok(Some(if own_ten { exponent - 1 } else { exponent }))
}

/// A sign, true if it is a minus.
pub(super) fn sign(cursor: &mut Cursor<'_>) -> Option<bool> {
    let negative = match cursor.peek()? {
        Token::Minus => true,
        Token::Plus => false,
        _ => return None,
    };
    cursor.at += 1;
    Some(negative)
}

fn ten() -> BigRational {
    BigRational::from_integer(10.into())
}

fn power(digits: &str, negative: bool) -> Result<i64, NotPlain> {
    let significant = digits.trim_start_matches('0');
    let value = if significant.is_empty() { Ok(0) } else { significant.parse::<i64>() };
    match value {
        Ok(value) if value.unsigned_abs() <= MAX_DIGITS as u64 => Ok(if negative { -value } else { value }),
        _ => Err(NotPlain::OverBudget(format!("its exponent is beyond {MAX_DIGITS}"))),
    }
}

/// `value` times ten to the power of `exponent`.
pub(super) fn scale(value: BigRational, exponent: i64) -> Result<BigRational, NotPlain> {
    // `power` bounds what gets here.
    let size = u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX);
    if size as usize > MAX_DIGITS {
        return Err(NotPlain::OverBudget(format!("its exponent is beyond {MAX_DIGITS}")));
    }
    let factor = BigRational::from_integer(Pow::pow(BigInt::from(10), size));
    Ok(if exponent < 0 { value / factor } else { value * factor })
}

fn integer(digits: &str) -> Result<BigRational, NotPlain> {
    if digits.len() > MAX_DIGITS {
        return Err(NotPlain::OverBudget(format!(
            "it has {} digits; at most {MAX_DIGITS} are read",
            digits.len()
        )));
    }
    match BigInt::parse_bytes(digits.as_bytes(), 10) {
        Some(value) => Ok(BigRational::from_integer(value)),
        None => Err(NotPlain::Empty),
    }
}

/// Digits, with thousands separators of one sort, and decimals after a point.
fn decimal(cursor: &mut Cursor<'_>) -> Result<Decimal, NotPlain> {
    let mut digits = String::new();
    let mut is_plain = true;
    if let Some(Token::Digits(first)) = cursor.peek() {
        cursor.at += 1;
        digits.push_str(first);
        if first.len() <= 3 && !first.starts_with('0') {
            let groups = thousands(cursor);
            is_plain = groups.is_empty();
            groups.iter().for_each(|group| digits.push_str(group));
        }
    }
    let mut num_decimals = 0;
    if cursor.peek() == Some(&Token::Dot)
        && let Some(Token::Digits(decimals)) = cursor.peek_at(1)
    {
        cursor.at += 2;
        num_decimals = decimals.len();
        digits.push_str(decimals);
        is_plain = false;
    }
    if digits.is_empty() {
        return Err(NotPlain::unclear("a point without digits"));
    }
    let value = integer(&digits)?;
    // The digits are bounded, so that their count fits.
    let exponent = -i64::try_from(num_decimals).unwrap_or(i64::MAX);
    Ok(Decimal { value: if num_decimals == 0 { value } else { scale(value, exponent)? }, is_plain })
}

/// The groups of three digits behind the first group, where one sort of separator stands between all of them.
fn thousands<'a>(cursor: &mut Cursor<'a>) -> Vec<&'a str> {
    let mut groups = Vec::new();
    let Some(separator @ (Token::Comma | Token::Thin | Token::Space)) = cursor.peek() else { return groups };
    let mut ahead = *cursor;
    while ahead.peek() == Some(separator) {
        let Some(Token::Digits(group)) = ahead.peek_at(1) else { break };
        // A fraction's numerator behind a space belongs to a mixed number.
        let is_numerator = *separator == Token::Space && ahead.peek_at(2) == Some(&Token::Slash);
        if group.len() != 3 || is_numerator {
            break;
        }
        ahead.at += 2;
        groups.push(group.as_str());
    }
    *cursor = ahead;
    groups
}
