//! Real numbers known up to an error: a big float and a bound on how far the true number is from it.
//!
//! Every operation bounds its own error from those of its operands, so that two numbers whose balls do not touch are
//! certainly different. Bounds are powers of two and generous by a bit or two; that costs precision and never truth.

use dashu_float::FBig;
use dashu_float::round::mode::Zero;
use dashu_int::{IBig, UBig};
use num_bigint::{BigInt, Sign};
use num_rational::BigRational;

/// A big float, rounded towards zero.
type Float = FBig<Zero, 2>;

/// The exponent that stands for no error, and for the size of zero. Sums of a few of it do not overflow.
const NONE: i64 = i64::MIN / 16;
/// Angles and tangents beyond 2 to this power are given up.
const MAX_ANGLE: i64 = 4096;
/// Numbers beyond 2 to this power, and errors beyond it, are given up.
const MAX_EXPONENT: i64 = 1 << 40;

/// Why a number cannot be worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoValue {
    /// It has no value, or its sign or branch cannot be told at this precision.
    Undefined,
    /// It is too large, too small or too long.
    TooLarge,
    /// It holds a function that is not evaluated.
    Unknown,
}

/// A real number within `2^error` of `middle`.
#[derive(Clone, Debug)]
pub(super) struct Ball {
    middle: Float,
    error: i64,
}

/// The smallest known power of two above a float's absolute value.
fn size(float: &Float) -> i64 {
    let repr = float.repr();
    if repr.significand().is_zero() {
        return NONE;
    }
    // The digits of a number in memory fit.
    i64::try_from(repr.digits()).unwrap_or(MAX_EXPONENT) + repr.exponent() as i64
}

fn big(value: &BigInt) -> IBig {
    let magnitude = IBig::from(UBig::from_le_bytes(&value.magnitude().to_bytes_le()));
    if value.sign() == Sign::Minus { -magnitude } else { magnitude }
}

impl Ball {
    /// A ball around a freshly rounded float.
    fn rounded(middle: Float, error: i64, precision: usize) -> Result<Self, NoValue> {
        let size = size(&middle);
        // Truncation is off by less than one unit of the last place.
        let rounding = if size == NONE { NONE } else { size - bits(precision) };
        let error = error.max(rounding) + 1;
        if size > MAX_EXPONENT || error > MAX_EXPONENT || middle.repr().is_infinite() {
            return Err(NoValue::TooLarge);
        }
        Ok(Self { middle, error })
    }

    pub(super) fn integer(value: i64, precision: usize) -> Self {
        Self { middle: Float::from(IBig::from(value)).with_precision(precision.max(64)).value(), error: NONE }
    }

    pub(super) fn rational(value: &BigRational, precision: usize) -> Result<Self, NoValue> {
        let float = |part: &BigInt| Float::from(big(part)).with_precision(precision).value();
        let middle = if value.is_integer() {
            float(value.numer())
        } else {
            float(value.numer()) / float(value.denom())
        };
        let error = size(&middle).saturating_add(2 - bits(precision));
        Self::rounded(middle, error.max(NONE), precision)
    }

    pub(super) fn pi(precision: usize) -> Result<Self, NoValue> {
        Self::rounded(Float::pi(precision), NONE, precision)
    }

    /// An exponent that its size does not exceed: `|x| < 2^size`.
    pub(super) fn size(&self) -> i64 {
        size(&self.middle).max(self.error) + 1
    }

    /// The whole number that it is, as far as can be told: within 2^-32 of it, and small.
    pub(super) fn whole(&self) -> Option<u32> {
        if self.size() > 32 {
            return None;
        }
        let nearest = self.middle.round();
        let off = size(&(&self.middle - &nearest)).max(self.error);
        let value = nearest.to_f64().value();
        // Checked to be a small whole number.
        ((0.0..=f64::from(u16::MAX)).contains(&value) && off < -32).then_some(value as u32)
    }

    /// The exponent of its error.
    #[cfg(test)]
    fn error(&self) -> i64 {
        self.error
    }

    /// Whether it is certainly not zero.
    pub(super) fn is_nonzero(&self) -> bool {
        let size = size(&self.middle);
        size != NONE && size > self.error + 2
    }

    pub(super) fn is_exact_zero(&self) -> bool {
        self.middle.repr().significand().is_zero() && self.error <= NONE / 2
    }

    /// Its sign, true for plus, where that is certain.
    pub(super) fn sign(&self) -> Option<bool> {
        self.is_nonzero().then(|| self.middle > Float::ZERO)
    }

    pub(super) fn neg(&self) -> Self {
        Self { middle: -self.middle.clone(), error: self.error }
    }

    pub(super) fn add(&self, other: &Self, precision: usize) -> Result<Self, NoValue> {
        let error = self.error.max(other.error) + 1;
        Self::rounded(&self.middle + &other.middle, error, precision)
    }

    pub(super) fn mul(&self, other: &Self, precision: usize) -> Result<Self, NoValue> {
        let (a, b) = (size(&self.middle), size(&other.middle));
        let error = (a + other.error).max(b + self.error).max(self.error + other.error).max(NONE) + 2;
        Self::rounded(&self.middle * &other.middle, error, precision)
    }

    pub(super) fn inverse(&self, precision: usize) -> Result<Self, NoValue> {
        if !self.is_nonzero() {
            return Err(NoValue::Undefined);
        }
        let one = Float::ONE.with_precision(precision).value();
        let error = (self.error - 2 * size(&self.middle) + 3).max(NONE);
        Self::rounded(one / &self.middle, error, precision)
    }

    /// The root of a number that is not negative, by a degree of at least 2.
    pub(super) fn root(&self, degree: usize, precision: usize) -> Result<Self, NoValue> {
        // The degree is small.
        let n = i64::try_from(degree).unwrap_or(i64::MAX);
        match self.sign() {
            Some(true) => {
                let root = if degree == 2 { self.middle.sqrt() } else { self.middle.nth_root(degree) };
                // The slope is at most root / (n x), and x is at least a quarter of its size.
                let error = (self.error + size(&root) - (size(&self.middle) - 2)).max(NONE);
                Self::rounded(root, error, precision)
            }
            Some(false) => Err(NoValue::Undefined),
            None if self.is_exact_zero() => Ok(self.clone()),
            None => {
                let error = self.size().div_euclid(n) + 1;
                Ok(Self { middle: Float::ZERO.with_precision(precision).value(), error })
            }
        }
    }

    pub(super) fn exp(&self, precision: usize) -> Result<Self, NoValue> {
        if self.size() > 40 || self.error > -1 {
            return Err(NoValue::TooLarge);
        }
        let size_of_it = size(&self.middle);
        if size_of_it < -bits(precision) - 8 {
            // So close to 1 that the float's own rounding would take for ever.
            let one = Float::ONE.with_precision(precision).value();
            return Self::rounded(one, size_of_it.max(self.error).max(NONE) + 1, precision);
        }
        let middle = self.middle.exp();
        let error = (size(&middle) + self.error + 2).max(NONE);
        Self::rounded(middle, error, precision)
    }

    pub(super) fn ln(&self, precision: usize) -> Result<Self, NoValue> {
        if self.sign() != Some(true) {
            return Err(NoValue::Undefined);
        }
        let error = (self.error - size(&self.middle) + 3).max(NONE);
        Self::rounded(self.middle.ln(), error, precision)
    }

    /// Sine and cosine.
    pub(super) fn sin_cos(&self, precision: usize) -> Result<(Self, Self), NoValue> {
        if self.size() > MAX_ANGLE {
            return Err(NoValue::TooLarge);
        }
        if size(&self.middle) < -bits(precision) - 8 {
            // The sine is the number itself and the cosine 1, but for less than the number.
            let off = size(&self.middle).max(self.error).max(NONE);
            let one = Float::ONE.with_precision(precision).value();
            return Ok((
                Self::rounded(self.middle.clone(), off, precision)?,
                Self::rounded(one, off, precision)?,
            ));
        }
        let (sin, cos) = self.middle.sin_cos();
        Ok((Self::rounded(sin, self.error, precision)?, Self::rounded(cos, self.error, precision)?))
    }

    pub(super) fn atan(&self, precision: usize) -> Result<Self, NoValue> {
        if size(&self.middle) < -bits(precision) - 8 {
            let off = size(&self.middle).max(self.error).max(NONE);
            return Self::rounded(self.middle.clone(), off, precision);
        }
        if self.size() > MAX_ANGLE {
            return Err(NoValue::TooLarge);
        }
        Self::rounded(self.middle.atan(), self.error, precision)
    }

    pub(super) fn abs(&self) -> Self {
        if self.middle < Float::ZERO { self.neg() } else { self.clone() }
    }

    /// The largest whole number that is not above it, where that is certain.
    pub(super) fn floor(&self, precision: usize) -> Result<Self, NoValue> {
        if self.size() > bits(precision) {
            return Err(NoValue::TooLarge);
        }
        let floor = self.middle.floor().with_precision(precision.max(64)).value();
        let above = &self.middle - &floor;
        // The distances to the whole numbers below and above.
        let room = |distance: &Float| size(distance) > self.error + 2 || self.error <= NONE / 2;
        let below = Float::ONE.with_precision(precision).value() - &above;
        if !room(&above) || !room(&below) {
            return Err(NoValue::Undefined);
        }
        Ok(Self { middle: floor, error: NONE })
    }

    /// Whether the two are certainly different.
    pub(super) fn differs(&self, other: &Self, precision: usize) -> bool {
        self.add(&other.neg(), precision).is_ok_and(|difference| difference.is_nonzero())
    }
}

/// A precision as an exponent.
fn bits(precision: usize) -> i64 {
    i64::try_from(precision).unwrap_or(MAX_EXPONENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRECISION: usize = 128;

    fn rational(numerator: i64, denominator: i64) -> Ball {
        Ball::rational(&BigRational::new(numerator.into(), denominator.into()), PRECISION).unwrap()
    }

    fn close(a: &Ball, b: &Ball) {
        let difference = a.add(&b.neg(), PRECISION).unwrap();
        assert!(!difference.is_nonzero(), "{a:?} {b:?}");
        assert!(difference.error() < -100, "{difference:?}");
    }

    #[test]
    fn known_values_lie_in_their_balls() {
        let p = PRECISION;
        let root = rational(2, 1).root(2, p).unwrap();
        close(&root.mul(&root, p).unwrap(), &rational(2, 1));
        close(&rational(-1, 3).mul(&rational(3, 1), p).unwrap(), &rational(-1, 1));
        close(&rational(7, 3).exp(p).unwrap().ln(p).unwrap(), &rational(7, 3));
        let (sin, cos) = rational(5, 7).sin_cos(p).unwrap();
        let one = sin.mul(&sin, p).unwrap().add(&cos.mul(&cos, p).unwrap(), p).unwrap();
        close(&one, &rational(1, 1));
        close(&rational(1, 1).atan(p).unwrap().mul(&rational(4, 1), p).unwrap(), &Ball::pi(p).unwrap());
        close(&rational(27, 8).root(3, p).unwrap(), &rational(3, 2));
        close(&rational(7, 2).floor(p).unwrap(), &rational(3, 1));
        close(&rational(-7, 2).floor(p).unwrap(), &rational(-4, 1));
    }

    #[test]
    fn errors_grow_with_those_of_the_operands() {
        let p = PRECISION;
        // 1 / (1 + 2^-100 - 1) is known to few bits only.
        let tiny = rational(1, 1)
            .add(&Ball::rational(&BigRational::new(1.into(), BigInt::from(1) << 100), p).unwrap(), p);
        let tiny = tiny.unwrap().add(&rational(-1, 1), p).unwrap();
        assert!(tiny.is_nonzero() && tiny.inverse(p).unwrap().error() > 60);
        let nothing = rational(1, 3).add(&rational(-1, 3), p).unwrap();
        assert!(!nothing.is_nonzero());
        assert_eq!(nothing.inverse(p).map(|it| it.error()), Err(NoValue::Undefined));
        assert_eq!(nothing.ln(p).map(|it| it.error()), Err(NoValue::Undefined));
        assert!(nothing.root(2, p).unwrap().error() > -70);
        assert_eq!(rational(2, 1).neg().root(2, p).map(|it| it.error()), Err(NoValue::Undefined));
        assert_eq!(
            Ball::rational(&BigRational::from_integer(BigInt::from(1) << 50), p)
                .unwrap()
                .exp(p)
                .map(|it| it.error()),
            Err(NoValue::TooLarge)
        );
    }

    #[test]
    fn tiny_numbers_take_no_time() {
        let p = PRECISION;
        let tiny = rational(1, 3)
            .mul(
                &Ball {
                    middle: Float::from_parts(IBig::ONE, -(1 << 39)).with_precision(p).value(),
                    error: NONE,
                },
                p,
            )
            .unwrap();
        assert!(!tiny.exp(p).unwrap().differs(&rational(1, 1), p));
        let (sin, cos) = tiny.sin_cos(p).unwrap();
        assert!(!cos.differs(&rational(1, 1), p) && !sin.differs(&rational(0, 1), p));
        assert!(!tiny.atan(p).unwrap().differs(&rational(0, 1), p));
        let large = tiny.inverse(p).unwrap();
        assert_eq!(large.floor(p).map(|it| it.error()), Err(NoValue::TooLarge));
        assert_eq!(large.whole(), None);
    }

    #[test]
    fn what_differs_is_told_apart_and_what_does_not_is_not() {
        let third = rational(1, 3);
        assert!(third.differs(&rational(333_333_333, 1_000_000_000), PRECISION));
        assert!(!third.differs(&rational(2, 6), PRECISION));
    }
}
