//! Expressions: what an answer's formula says, with numbers folded exactly as far as they stay small.
//!
//! The constructors keep sums and products flat and fold numbers, so that `2 + 3` is 5 and `2 \cdot 3x` is `6x`. Nothing
//! else is rewritten: whether two expressions are the same is decided by [`super::equal`], which evaluates them.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};

/// Bits of an integer that is worked out; larger powers stay powers.
const MAX_INTEGER_BITS: u64 = 1 << 16;
/// Bits of a fraction that is worked out, less because fractions are reduced.
const MAX_FRACTION_BITS: u64 = 1 << 12;
/// The largest factorial that is worked out.
const MAX_FACTORIAL: u32 = 5000;

/// A function of one argument, unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Function {
    Sin,
    Cos,
    Tan,
    Cot,
    Sec,
    Csc,
    Asin,
    Acos,
    Atan,
    Acot,
    Asec,
    Acsc,
    Sinh,
    Cosh,
    Tanh,
    /// Only by name: its value is written as a power of e.
    Exp,
    Ln,
    /// A logarithm whose base is not written: 10 or e.
    Log,
    Abs,
    Floor,
    Ceil,
    Factorial,
    /// Binomial coefficient, of two arguments.
    Binomial,
    Gcd,
    Lcm,
    Max,
    Min,
    /// Real part, imaginary part, conjugate.
    Re,
    Im,
    Conjugate,
}

/// What a number may be counted in and an expression may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Mark {
    /// pi / 180.
    Degree,
    /// 1 / 100.
    Percent,
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expr {
    Number(BigRational),
    Pi,
    E,
    I,
    /// Plus infinity, which only equals itself.
    Infinity,
    Mark(Mark),
    Variable(Box<str>),
    Sum(Vec<Expr>),
    Product(Vec<Expr>),
    Power(Box<Expr>, Box<Expr>),
    Call(Function, Vec<Expr>),
}

/// Bits of numerator and denominator.
pub(super) fn bits(number: &BigRational) -> u64 {
    number.numer().bits() + number.denom().bits()
}

/// Whether numbers of so many bits are still worked out.
fn is_small(num_bits: u64, is_integer: bool) -> bool {
    num_bits <= if is_integer { MAX_INTEGER_BITS } else { MAX_FRACTION_BITS }
}

impl Expr {
    pub(super) fn integer(value: i64) -> Self {
        Self::Number(BigRational::from_integer(value.into()))
    }

    pub(super) fn variable(name: impl Into<Box<str>>) -> Self {
        Self::Variable(name.into())
    }

    /// The number, if it is one.
    pub(super) fn as_number(&self) -> Option<&BigRational> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.as_number().is_some_and(Zero::is_zero)
    }

    fn is_one(&self) -> bool {
        self.as_number().is_some_and(One::is_one)
    }

    /// The sum of two expressions.
    pub(super) fn add(self, other: Self) -> Self {
        let parts = |expr| match expr {
            Self::Sum(terms) => terms,
            one => vec![one],
        };
        let mut terms = fold(parts(self), parts(other), |a, b| a + b, |a, b| a + b);
        if terms.len() > 1 {
            terms.retain(|term| !term.is_zero());
        }
        match terms.len() {
            0 => Self::integer(0),
            1 => terms.swap_remove(0),
            _ => Self::Sum(terms),
        }
    }

    /// The product of two expressions.
    pub(super) fn mul(self, other: Self) -> Self {
        let parts = |expr| match expr {
            Self::Product(factors) => factors,
            one => vec![one],
        };
        let mut factors = fold(parts(self), parts(other), |a, b| a * b, |a, b| a * b);
        if factors.len() > 1 {
            factors.retain(|factor| !factor.is_one());
        }
        match factors.len() {
            0 => Self::integer(1),
            1 => factors.swap_remove(0),
            _ => Self::Product(factors),
        }
    }

    pub(super) fn neg(self) -> Self {
        Self::integer(-1).mul(self)
    }

    pub(super) fn sub(self, other: Self) -> Self {
        self.add(other.neg())
    }

    /// The quotient; division by zero stays written and has no value.
    pub(super) fn div(self, other: Self) -> Self {
        self.mul(other.pow(Self::integer(-1)))
    }

    /// A power; numbers are worked out where the result stays small.
    pub(super) fn pow(self, exponent: Self) -> Self {
        if exponent.is_one() {
            return self;
        }
        let folded = match (&self, &exponent) {
            (Self::Number(base), Self::Number(exponent)) if exponent.is_integer() => {
                fold_power(base, exponent.numer())
            }
            _ => None,
        };
        match folded {
            Some(number) => Self::Number(number),
            None => Self::Power(Box::new(self), Box::new(exponent)),
        }
    }

    /// A function's value; of numbers it is worked out where it is a small number.
    pub(super) fn call(function: Function, mut arguments: Vec<Self>) -> Self {
        if function == Function::Exp && arguments.len() == 1 {
            return Self::E.pow(arguments.swap_remove(0));
        }
        let numbers: Option<Vec<&BigRational>> = arguments.iter().map(Self::as_number).collect();
        match numbers.and_then(|numbers| fold_call(function, &numbers)) {
            Some(number) => Self::Number(number),
            None => Self::Call(function, arguments),
        }
    }

    /// Calls `visit` with this expression and all its parts.
    pub(super) fn walk(&self, visit: &mut impl FnMut(&Self)) {
        visit(self);
        match self {
            Self::Sum(parts) | Self::Product(parts) | Self::Call(_, parts) => {
                parts.iter().for_each(|part| part.walk(visit));
            }
            Self::Power(base, exponent) => {
                base.walk(visit);
                exponent.walk(visit);
            }
            _ => {}
        }
    }

    /// Whether some part of it satisfies a condition.
    pub(super) fn any(&self, holds: impl Fn(&Self) -> bool) -> bool {
        let mut found = false;
        self.walk(&mut |part| found |= holds(part));
        found
    }

    /// Whether it is plus or minus infinity: true for plus.
    pub(super) fn infinity(&self) -> Option<bool> {
        match self {
            Self::Infinity => Some(true),
            Self::Product(factors) => match factors.as_slice() {
                [Self::Number(sign), Self::Infinity] | [Self::Infinity, Self::Number(sign)]
                    if !sign.is_zero() =>
                {
                    Some(sign.is_positive())
                }
                _ => None,
            },
            _ => None,
        }
    }
}

fn can_fold(a: &BigRational, b: &BigRational) -> bool {
    is_small(bits(a) + bits(b), a.is_integer() && b.is_integer())
}

/// The parts of a sum or a product and those that come to it. At most one number is kept, but for those that are too large
/// to be put together. Whole numbers go their own way, since reducing a fraction of large ones is slow.
fn fold(
    mut parts: Vec<Expr>,
    added: Vec<Expr>,
    integers: impl Fn(&BigInt, &BigInt) -> BigInt,
    fractions: impl Fn(&BigRational, &BigRational) -> BigRational,
) -> Vec<Expr> {
    for part in added {
        let known = parts.iter_mut().find_map(|it| match it {
            Expr::Number(known) => Some(known),
            _ => None,
        });
        match (&part, known) {
            (Expr::Number(number), Some(known)) if can_fold(known, number) => {
                *known = if known.is_integer() && number.is_integer() {
                    BigRational::from_integer(integers(known.numer(), number.numer()))
                } else {
                    fractions(known, number)
                };
            }
            _ => parts.push(part),
        }
    }
    parts
}

/// A number to an integer power, if the result is small and there is one.
fn fold_power(base: &BigRational, exponent: &BigInt) -> Option<BigRational> {
    if base.is_one() || exponent.is_zero() {
        // 0 to the power of 0 has no value.
        return (!base.is_zero()).then(BigRational::one);
    }
    if base.is_zero() {
        return exponent.is_positive().then(BigRational::zero);
    }
    if (-base).is_one() {
        return Some(if exponent.bit(0) { -BigRational::one() } else { BigRational::one() });
    }
    let size = exponent.magnitude().to_u32()?;
    let num_bits = bits(base).saturating_mul(u64::from(size));
    if !is_small(num_bits, base.is_integer() && exponent.is_positive()) {
        return None;
    }
    let raised = BigRational::new_raw(base.numer().pow(size), base.denom().pow(size));
    Some(if exponent.is_negative() { raised.recip() } else { raised })
}

/// The value of a function of numbers, if it is a small number.
fn fold_call(function: Function, numbers: &[&BigRational]) -> Option<BigRational> {
    let natural = |number: &BigRational| number.is_integer().then(|| number.numer().to_u32()).flatten();
    match (function, numbers) {
        (Function::Abs, [number]) => Some(number.abs()),
        (Function::Floor, [number]) => Some(number.floor()),
        (Function::Ceil, [number]) => Some(number.ceil()),
        (Function::Re | Function::Conjugate, [number]) => Some((*number).clone()),
        (Function::Im, [_]) => Some(BigRational::zero()),
        (Function::Factorial, [number]) => {
            let last = natural(number).filter(|last| *last <= MAX_FACTORIAL)?;
            Some(BigRational::from_integer((1..=last).map(BigInt::from).product()))
        }
        (Function::Binomial, [n, k]) => {
            let n = natural(n).filter(|n| *n <= MAX_FACTORIAL)?;
            let k = natural(k)?;
            if k > n {
                return Some(BigRational::zero());
            }
            let product = (0..k.min(n - k)).fold(BigInt::one(), |product, i| product * (n - i) / (i + 1));
            Some(BigRational::from_integer(product))
        }
        (Function::Max, numbers) => numbers.iter().max().map(|it| (*it).clone()),
        (Function::Min, numbers) => numbers.iter().min().map(|it| (*it).clone()),
        (Function::Gcd | Function::Lcm, numbers) => {
            if numbers.is_empty() || !numbers.iter().all(|it| it.is_integer() && bits(it) <= 4096) {
                return None;
            }
            let start = numbers[0].numer().abs();
            let value = numbers[1..].iter().fold(start, |known, it| {
                let divisor = gcd(known.clone(), it.numer().abs());
                match function {
                    Function::Gcd => divisor,
                    _ if divisor.is_zero() => divisor,
                    _ => known / divisor * it.numer().abs(),
                }
            });
            Some(BigRational::from_integer(value))
        }
        _ => None,
    }
}

fn gcd(mut a: BigInt, mut b: BigInt) -> BigInt {
    while !b.is_zero() {
        let rest = a % &b;
        a = std::mem::replace(&mut b, rest);
    }
    a
}
