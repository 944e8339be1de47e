//! Reads a number as formulas write it: digits of any script, thousands, decimals, a repeating end, an exponent of ten.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Pow};

use super::lex::{digit, fold};
use super::number::{MAX_DIGITS, NotPlain};

/// A number and how it is written.
pub(super) struct Numeral {
    pub(super) value: BigRational,
    /// Its digits, where it is written with digits alone.
    pub(super) digits: Option<Box<str>>,
    /// The length of its text.
    pub(super) len: usize,
}

/// The number that a text begins with; within brackets a comma separates members, and never thousands.
pub(super) fn numeral(rest: &str, in_brackets: bool) -> Result<Numeral, NotPlain> {
    let (mut digits, mut at) = run_of_digits(rest);
    let first = digits.len();
    let mut is_plain = true;
    if (1..=3).contains(&first) && !digits.starts_with('0') {
        while let Some((group, len)) = thousands(&rest[at..], in_brackets) {
            digits.push_str(&group);
            at += len;
            is_plain = false;
        }
    }
    let mut num_decimals = 0;
    let mut period = String::new();
    if rest[at..].starts_with('.') {
        let (decimals, len) = run_of_digits(&rest[at + 1..]);
        let behind = &rest[at + 1 + len..];
        let repeated = repeating(behind);
        if len > 0 || repeated.is_some() {
            is_plain = false;
            num_decimals = decimals.len();
            digits.push_str(&decimals);
            at += 1 + len;
            if let Some((repeated, len)) = repeated {
                period = repeated;
                at += len;
            }
        }
    }
    if digits.len() + period.len() > MAX_DIGITS {
        return Err(NotPlain::OverBudget(format!("a number has more than {MAX_DIGITS} digits")));
    }
    let mut value = decimal(&digits, num_decimals, &period);
    if let Some((exponent, len)) = exponent(&rest[at..]) {
        if exponent.unsigned_abs() as usize > MAX_DIGITS {
            return Err(NotPlain::OverBudget(format!("an exponent of ten is beyond {MAX_DIGITS}")));
        }
        let power = BigRational::from_integer(Pow::pow(BigInt::from(10), exponent.unsigned_abs()));
        value = if exponent < 0 { value / power } else { value * power };
        at += len;
        is_plain = false;
    }
    let digits = is_plain.then(|| digits.into_boxed_str());
    Ok(Numeral { value, digits, len: at })
}

/// Three digits behind a separator of thousands, and the length of both.
fn thousands(rest: &str, in_brackets: bool) -> Option<(String, usize)> {
    let sure = ["{,}", r"{,\!}", r",\!", r", \!", r"\,", "_"];
    let separator = sure
        .into_iter()
        .find(|it| rest.starts_with(it))
        .or_else(|| (!in_brackets && rest.starts_with(',')).then_some(","))?;
    let blank = rest[separator.len()..].len() - rest[separator.len()..].trim_start_matches(' ').len();
    let blank = if separator.ends_with('!') { blank } else { 0 };
    let (digits, len) = run_of_digits(&rest[separator.len() + blank..]);
    (digits.len() == 3).then_some((digits, separator.len() + blank + len))
}

/// The digits that a text begins with, as ASCII, and their length.
fn run_of_digits(text: &str) -> (String, usize) {
    let mut digits = String::new();
    let mut len = 0;
    for next in text.chars() {
        let Some(value) = digit(fold(next)) else { break };
        digits.push(char::from(b'0' + value));
        len += next.len_utf8();
    }
    (digits, len)
}

/// The digits of `\overline{3}`, `\bar{3}` or `\dot{3}`, where a text begins with that, and its length.
pub(super) fn repeating(text: &str) -> Option<(String, usize)> {
    let name = [r"\overline", r"\bar", r"\dot"].into_iter().find(|name| text.starts_with(name))?;
    let (inner, _) = text[name.len()..].strip_prefix('{')?.split_once('}')?;
    let (digits, len) = run_of_digits(inner);
    (len > 0 && len == inner.len()).then_some((digits, name.len() + 2 + inner.len()))
}

/// The exponent of ten that a text begins with, `e5` or `E-3`, and its length.
fn exponent(text: &str) -> Option<(i32, usize)> {
    let behind = text.strip_prefix(['e', 'E'])?;
    let digits = behind.strip_prefix(['+', '-']).unwrap_or(behind);
    let num_digits = digits.bytes().take_while(u8::is_ascii_digit).count();
    let ends = !digits[num_digits..].starts_with(|c: char| c.is_alphanumeric() || matches!(c, '^' | '.'));
    if num_digits == 0 || !ends {
        return None;
    }
    let len = behind.len() - digits.len() + num_digits;
    // More than fits is beyond any budget.
    let value = behind[..len].trim_start_matches('+').parse().unwrap_or(i32::MAX);
    Some((value, 1 + len))
}

/// The value of digits of which the last `num_decimals` stand behind the point, followed by a period.
pub(super) fn decimal(digits: &str, num_decimals: usize, period: &str) -> BigRational {
    let integer = |digits: &str| BigInt::parse_bytes(digits.as_bytes(), 10).unwrap_or_default();
    let power = |count: usize| Pow::pow(BigInt::from(10), count);
    let value = integer(digits);
    if num_decimals == 0 && period.is_empty() {
        return BigRational::from_integer(value);
    }
    if period.is_empty() {
        return BigRational::new(value, power(num_decimals));
    }
    let nines = power(period.len()) - BigInt::one();
    BigRational::new(value * &nines + integer(period), power(num_decimals) * nines)
}
