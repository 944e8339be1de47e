//! Evaluates expressions numerically, as complex numbers with a bound on their error, at points for their variables.

use std::cell::Cell;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};

use super::ball::{Ball, NoValue};
use super::expr::{Expr, Function, Mark};
use super::residue::scramble;

/// What one verification may cost, in about microseconds.
const MAX_COST: u64 = 200_000;
/// The largest whole number whose factorial is worked out as a product.
const MAX_WHOLE: u32 = 1000;
/// The largest root that is taken as one.
const MAX_ROOT: u32 = 64;

type Result<T> = std::result::Result<T, NoValue>;

/// A complex number. Without imaginary part it is certainly real.
#[derive(Clone, Debug)]
pub(super) struct Complex {
    pub(super) re: Ball,
    pub(super) im: Option<Ball>,
}

/// The base of a logarithm that is written without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogBase {
    Ten,
    E,
}

/// How expressions are evaluated.
pub(super) struct Numeric<'a> {
    /// In bits.
    pub(super) precision: usize,
    pub(super) log: LogBase,
    /// Which values the variables have.
    pub(super) point: u64,
    /// How far out and how close to zero the last points lie, in bits.
    pub(super) reach: u64,
    /// The variables are whole numbers.
    pub(super) whole: bool,
    /// What has been spent, over all evaluations of one verification.
    pub(super) cost: &'a Cell<u64>,
    /// The largest exponent, up or down, of a number met on the way.
    pub(super) extent: &'a Cell<i64>,
}

impl Numeric<'_> {
    /// Pays for an operation.
    fn pay(&self, is_series: bool) -> Result<()> {
        let words = (self.precision as u64).div_ceil(64);
        let cost = self.cost.get() + if is_series { 20 * words + words * words * 4 } else { 1 + words / 16 };
        self.cost.set(cost);
        if cost > MAX_COST { Err(NoValue::TooLarge) } else { Ok(()) }
    }

    fn integer(&self, value: i64) -> Ball {
        Ball::integer(value, self.precision)
    }

    fn real(re: Ball) -> Complex {
        Complex { re, im: None }
    }

    /// The value of an expression.
    pub(super) fn evaluate(&self, expr: &Expr) -> Result<Complex> {
        let value = self.value(expr)?;
        for part in [Some(&value.re), value.im.as_ref()].into_iter().flatten() {
            if part.is_nonzero() {
                self.extent.set(self.extent.get().max(part.size().abs()));
            }
        }
        Ok(value)
    }

    fn value(&self, expr: &Expr) -> Result<Complex> {
        self.pay(false)?;
        let p = self.precision;
        match expr {
            Expr::Number(number) => Ok(Self::real(Ball::rational(number, p)?)),
            Expr::Pi => Ok(Self::real(Ball::pi(p)?)),
            Expr::E => self.exp(&Self::real(self.integer(1))),
            Expr::I => Ok(Complex { re: self.integer(0), im: Some(self.integer(1)) }),
            Expr::Infinity => Err(NoValue::Undefined),
            Expr::Mark(Mark::Percent) => Ok(Self::real(self.integer(100).inverse(p)?)),
            Expr::Mark(Mark::Degree) => Ok(Self::real(Ball::pi(p)?.mul(&self.integer(180).inverse(p)?, p)?)),
            Expr::Variable(name) => Ok(Self::real(Ball::rational(&self.variable(name), p)?)),
            Expr::Sum(terms) => terms
                .iter()
                .try_fold(Self::real(self.integer(0)), |sum, term| self.add(&sum, &self.evaluate(term)?)),
            Expr::Product(factors) => factors
                .iter()
                .try_fold(Self::real(self.integer(1)), |product, it| self.mul(&product, &self.evaluate(it)?)),
            Expr::Power(base, exponent) => self.power(base, exponent),
            Expr::Call(function, arguments) => {
                let values = arguments.iter().map(|it| self.evaluate(it)).collect::<Result<Vec<_>>>()?;
                self.call(*function, &values)
            }
        }
    }

    /// A variable's value at this point, a function of its name alone: between 0.2 and 4 at the first points, then
    /// larger, then close to zero, then far out. At odd points some are negative, at two of them all.
    fn variable(&self, name: &str) -> BigRational {
        let hash = name.bytes().fold(scramble(self.point), |state, byte| scramble(state ^ u64::from(byte)));
        if self.whole {
            // Small where the next are large, so that there are some for `n - k`.
            return BigRational::from_integer((1 + (hash >> 8) % (4 + 2 * self.point)).into());
        }
        let size = 205 + (hash >> 8) % 3892;
        // Beyond every number that is written, and below.
        let far = BigInt::from(1) << (self.reach + 8);
        let value = match self.point {
            0..4 => BigRational::new(size.into(), 1024.into()),
            4 => BigRational::new(size.into(), 32.into()),
            5 => BigRational::from_integer(size.into()),
            6 => BigRational::new(size.into(), far),
            7 => return -BigRational::new(size.into(), far),
            8 => BigRational::from_integer(far * size),
            _ => return -BigRational::from_integer(far * size),
        };
        if self.point % 2 == 1 && hash & 1 == 1 { -value } else { value }
    }

    pub(super) fn add(&self, a: &Complex, b: &Complex) -> Result<Complex> {
        let p = self.precision;
        let im = match (&a.im, &b.im) {
            (Some(a), Some(b)) => Some(a.add(b, p)?),
            (one, other) => one.clone().or_else(|| other.clone()),
        };
        Ok(Complex { re: a.re.add(&b.re, p)?, im })
    }

    pub(super) fn neg(a: &Complex) -> Complex {
        Complex { re: a.re.neg(), im: a.im.as_ref().map(Ball::neg) }
    }

    pub(super) fn mul(&self, a: &Complex, b: &Complex) -> Result<Complex> {
        let p = self.precision;
        self.pay(false)?;
        Ok(match (&a.im, &b.im) {
            (None, None) => Self::real(a.re.mul(&b.re, p)?),
            (Some(im), None) => Complex { re: a.re.mul(&b.re, p)?, im: Some(im.mul(&b.re, p)?) },
            (None, Some(im)) => Complex { re: a.re.mul(&b.re, p)?, im: Some(im.mul(&a.re, p)?) },
            (Some(ai), Some(bi)) => Complex {
                re: a.re.mul(&b.re, p)?.add(&ai.mul(bi, p)?.neg(), p)?,
                im: Some(a.re.mul(bi, p)?.add(&ai.mul(&b.re, p)?, p)?),
            },
        })
    }

    fn inverse(&self, a: &Complex) -> Result<Complex> {
        let p = self.precision;
        let Some(im) = &a.im else { return Ok(Self::real(a.re.inverse(p)?)) };
        let norm = a.re.mul(&a.re, p)?.add(&im.mul(im, p)?, p)?.inverse(p)?;
        Ok(Complex { re: a.re.mul(&norm, p)?, im: Some(im.mul(&norm, p)?.neg()) })
    }

    fn abs(&self, a: &Complex) -> Result<Ball> {
        let p = self.precision;
        match &a.im {
            None => Ok(a.re.abs()),
            Some(im) => a.re.mul(&a.re, p)?.add(&im.mul(im, p)?, p)?.root(2, p),
        }
    }

    fn exp(&self, a: &Complex) -> Result<Complex> {
        self.pay(true)?;
        let scale = a.re.exp(self.precision)?;
        let Some(im) = &a.im else { return Ok(Self::real(scale)) };
        self.pay(true)?;
        let (sin, cos) = im.sin_cos(self.precision)?;
        Ok(Complex { re: scale.mul(&cos, self.precision)?, im: Some(scale.mul(&sin, self.precision)?) })
    }

    /// The principal logarithm.
    fn ln(&self, a: &Complex) -> Result<Complex> {
        self.pay(true)?;
        let p = self.precision;
        let size = self.abs(a)?.ln(p)?;
        match &a.im {
            None if a.re.sign() == Some(true) => Ok(Self::real(size)),
            None => Ok(Complex { re: size, im: Some(Ball::pi(p)?) }),
            Some(im) => Ok(Complex { re: size, im: Some(self.angle(&a.re, im)?) }),
        }
    }

    /// The angle of a number with an imaginary part, above -pi and at most pi.
    fn angle(&self, re: &Ball, im: &Ball) -> Result<Ball> {
        self.pay(true)?;
        let p = self.precision;
        let quarter = || Ball::pi(p)?.mul(&self.integer(2).inverse(p)?, p);
        match (re.sign(), im.sign()) {
            (Some(true), _) => im.mul(&re.inverse(p)?, p)?.atan(p),
            (_, Some(up)) => {
                let angle = quarter()?.add(&re.mul(&im.abs().inverse(p)?, p)?.atan(p)?.neg(), p)?;
                Ok(if up { angle } else { angle.neg() })
            }
            // At the cut or at zero.
            _ => Err(NoValue::Undefined),
        }
    }

    fn power(&self, base: &Expr, exponent: &Expr) -> Result<Complex> {
        if let Expr::Number(exponent) = exponent {
            let base = self.evaluate(base)?;
            return self.rational_power(&base, exponent);
        }
        let exponent = self.evaluate(exponent)?;
        if *base == Expr::E {
            return self.exp(&exponent);
        }
        let base = self.evaluate(base)?;
        if base.im.is_none() && base.re.is_exact_zero() {
            let is_positive = exponent.im.is_none() && exponent.re.sign() == Some(true);
            return if is_positive { Ok(base) } else { Err(NoValue::Undefined) };
        }
        let ln = self.ln(&base)?;
        self.exp(&self.mul(&ln, &exponent)?)
    }

    fn rational_power(&self, base: &Complex, exponent: &BigRational) -> Result<Complex> {
        if exponent.is_integer() {
            let times = exponent.numer().magnitude().to_u64().ok_or(NoValue::TooLarge)?;
            if times == 0 {
                return if base.re.is_nonzero() {
                    Ok(Self::real(self.integer(1)))
                } else {
                    Err(NoValue::Undefined)
                };
            }
            let raised = self.whole_power(base, times)?;
            return if exponent.is_negative() { self.inverse(&raised) } else { Ok(raised) };
        }
        let degree = exponent.denom().to_u32().filter(|degree| *degree <= MAX_ROOT);
        let is_negative = base.re.sign() == Some(false);
        if let (Some(degree), None) = (degree, &base.im)
            && (!is_negative || degree % 2 == 1)
        {
            // The real root of a negative number, where the degree is odd.
            self.pay(false)?;
            let root = base.re.abs().root(degree as usize, self.precision)?;
            let root = if is_negative { root.neg() } else { root };
            let numerator = BigRational::from_integer(exponent.numer().clone());
            return self.rational_power(&Self::real(root), &numerator);
        }
        if degree == Some(2) && base.im.is_none() {
            let root = base.re.abs().root(2, self.precision)?;
            let numerator = BigRational::from_integer(exponent.numer().clone());
            return self.rational_power(&Complex { re: self.integer(0), im: Some(root) }, &numerator);
        }
        let ln = self.ln(base)?;
        let exponent = Self::real(Ball::rational(exponent, self.precision)?);
        self.exp(&self.mul(&ln, &exponent)?)
    }

    fn whole_power(&self, base: &Complex, times: u64) -> Result<Complex> {
        let (mut result, mut square, mut rest) = (None, base.clone(), times);
        loop {
            if rest & 1 == 1 {
                result = Some(match result {
                    None => square.clone(),
                    Some(known) => self.mul(&known, &square)?,
                });
            }
            rest >>= 1;
            if rest == 0 {
                return result.ok_or(NoValue::Undefined);
            }
            square = self.mul(&square, &square)?;
        }
    }

    fn call(&self, function: Function, values: &[Complex]) -> Result<Complex> {
        use Function as F;
        let p = self.precision;
        let [first, rest @ ..] = values else { return Err(NoValue::Unknown) };
        match function {
            F::Binomial => return self.binomial(first, rest.first().ok_or(NoValue::Unknown)?),
            F::Factorial => return self.factorial(first),
            F::Max | F::Min => return self.extreme(first, rest, function == F::Max),
            F::Gcd | F::Lcm => return Err(NoValue::Unknown),
            _ => {}
        }
        let inverse_of = |value: Result<Complex>| self.inverse(&value?);
        match function {
            F::Sin => Ok(self.sin_cos(first)?.0),
            F::Cos => Ok(self.sin_cos(first)?.1),
            F::Csc => inverse_of(Ok(self.sin_cos(first)?.0)),
            F::Sec => inverse_of(Ok(self.sin_cos(first)?.1)),
            F::Tan | F::Cot => {
                let (sin, cos) = self.sin_cos(first)?;
                let (above, below) = if function == F::Tan { (sin, cos) } else { (cos, sin) };
                self.mul(&above, &self.inverse(&below)?)
            }
            F::Sinh | F::Cosh | F::Tanh => self.hyperbolic(function, first),
            F::Asin => self.asin(first),
            F::Acos => self.acos(first),
            F::Asec => self.acos(&self.inverse(first)?),
            F::Acsc => self.asin(&self.inverse(first)?),
            F::Atan => self.atan(first),
            F::Acot => self.atan(&self.inverse(first)?),
            F::Ln => self.ln(first),
            F::Log if self.log == LogBase::E => self.ln(first),
            F::Log => {
                let ten = self.ln(&Self::real(self.integer(10)))?;
                self.mul(&self.ln(first)?, &self.inverse(&ten)?)
            }
            F::Abs => Ok(Self::real(self.abs(first)?)),
            F::Floor if first.im.is_none() => Ok(Self::real(first.re.floor(p)?)),
            F::Ceil if first.im.is_none() => Ok(Self::real(first.re.neg().floor(p)?.neg())),
            F::Re => Ok(Self::real(first.re.clone())),
            F::Im => Ok(Self::real(first.im.clone().unwrap_or_else(|| self.integer(0)))),
            F::Conjugate => Ok(Complex { re: first.re.clone(), im: first.im.as_ref().map(Ball::neg) }),
            _ => Err(NoValue::Unknown),
        }
    }

    fn sin_cos(&self, a: &Complex) -> Result<(Complex, Complex)> {
        self.pay(true)?;
        let p = self.precision;
        let (sin, cos) = a.re.sin_cos(p)?;
        let Some(im) = &a.im else { return Ok((Self::real(sin), Self::real(cos))) };
        let (sinh, cosh) = self.sinh_cosh(im)?;
        let first = Complex { re: sin.mul(&cosh, p)?, im: Some(cos.mul(&sinh, p)?) };
        let second = Complex { re: cos.mul(&cosh, p)?, im: Some(sin.mul(&sinh, p)?.neg()) };
        Ok((first, second))
    }

    fn sinh_cosh(&self, a: &Ball) -> Result<(Ball, Ball)> {
        self.pay(true)?;
        let p = self.precision;
        let (up, half) = (a.exp(p)?, self.integer(2).inverse(p)?);
        let down = up.inverse(p)?;
        Ok((up.add(&down.neg(), p)?.mul(&half, p)?, up.add(&down, p)?.mul(&half, p)?))
    }

    fn hyperbolic(&self, function: Function, a: &Complex) -> Result<Complex> {
        let up = self.exp(a)?;
        let down = self.inverse(&up)?;
        let half = Self::real(self.integer(2).inverse(self.precision)?);
        let sinh = self.mul(&self.add(&up, &Self::neg(&down))?, &half)?;
        let cosh = self.mul(&self.add(&up, &down)?, &half)?;
        match function {
            Function::Sinh => Ok(sinh),
            Function::Cosh => Ok(cosh),
            _ => self.mul(&sinh, &self.inverse(&cosh)?),
        }
    }

    fn atan(&self, a: &Complex) -> Result<Complex> {
        if a.im.is_some() {
            return Err(NoValue::Unknown);
        }
        self.pay(true)?;
        Ok(Self::real(a.re.atan(self.precision)?))
    }

    /// The arc sine of a number from -1 to 1: twice the arc tangent of `x / (1 + sqrt(1 - x^2))`.
    fn asin(&self, a: &Complex) -> Result<Complex> {
        if a.im.is_some() {
            return Err(NoValue::Unknown);
        }
        self.pay(true)?;
        let p = self.precision;
        let other = self.integer(1).add(&a.re.mul(&a.re, p)?.neg(), p)?.root(2, p)?;
        let half = a.re.mul(&self.integer(1).add(&other, p)?.inverse(p)?, p)?.atan(p)?;
        Ok(Self::real(half.mul(&self.integer(2), p)?))
    }

    fn acos(&self, a: &Complex) -> Result<Complex> {
        let p = self.precision;
        let quarter = Ball::pi(p)?.mul(&self.integer(2).inverse(p)?, p)?;
        self.add(&Self::real(quarter), &Self::neg(&self.asin(a)?))
    }

    /// The binomial coefficient of any number over a small whole one.
    fn binomial(&self, n: &Complex, k: &Complex) -> Result<Complex> {
        let k = k.re.whole().filter(|k| *k <= MAX_WHOLE).ok_or(NoValue::Unknown)?;
        (0..i64::from(k)).try_fold(Self::real(self.integer(1)), |product, i| {
            let factor = self.add(n, &Self::real(self.integer(-i)))?;
            let share = Self::real(self.integer(i + 1).inverse(self.precision)?);
            self.mul(&self.mul(&product, &factor)?, &share)
        })
    }

    /// The factorial of a small whole number.
    fn factorial(&self, n: &Complex) -> Result<Complex> {
        let n = n.re.whole().filter(|n| *n <= MAX_WHOLE).ok_or(NoValue::Unknown)?;
        (2..=i64::from(n)).try_fold(Self::real(self.integer(1)), |product, i| {
            self.mul(&product, &Self::real(self.integer(i)))
        })
    }

    fn extreme(&self, first: &Complex, rest: &[Complex], largest: bool) -> Result<Complex> {
        rest.iter().try_fold(first.clone(), |best, it| {
            if best.im.is_some() || it.im.is_some() {
                return Err(NoValue::Unknown);
            }
            let above = it.re.add(&best.re.neg(), self.precision)?.sign().ok_or(NoValue::Undefined)?;
            Ok(if above == largest { it.clone() } else { best })
        })
    }
}

/// A literal's bits, each of which may be what two expressions differ by.
pub(super) fn literal_bits(expr: &Expr) -> u64 {
    let mut total = 0_u64;
    expr.walk(&mut |part| {
        total += 4;
        if let Expr::Number(number) = part
            && !number.is_one()
            && !number.is_zero()
        {
            total = total.saturating_add(super::expr::bits(number));
        }
    });
    total
}

/// Whether evaluating it takes series, which are dear at high precision.
pub(super) fn is_transcendental(expr: &Expr) -> bool {
    expr.any(|part| match part {
        Expr::Call(..) | Expr::E => true,
        Expr::Power(_, exponent) => !matches!(&**exponent, Expr::Number(_)),
        _ => false,
    })
}

/// Whether its variables must be whole numbers for it to have a meaning: `n!`, `(-1)^n`.
pub(super) fn wants_whole(expr: &Expr) -> bool {
    let is_constant = |part: &Expr| !part.any(|it| matches!(it, Expr::Variable(_)));
    expr.any(|part| match part {
        Expr::Call(Function::Factorial | Function::Binomial, arguments) => !arguments.iter().all(is_constant),
        Expr::Power(base, exponent) => {
            base.as_number().is_some_and(Signed::is_negative) && !is_constant(exponent)
        }
        _ => false,
    })
}
