//! Decides whether two expressions are the same.
//!
//! In this order, each step only where the one before does not decide:
//!
//! 1. Numbers are compared exactly.
//! 2. The same residues in two finite fields of 61 bits ([`super::residue`]): they are formally the same, whatever the
//!    size of their powers.
//! 3. Numeric values with bounds on their error ([`super::numeric`]), at ten points for the variables. Balls that do not
//!    touch prove a difference. Balls that touch at a high precision are taken as equal, where that precision is twice
//!    what all digits written in both expressions and the sizes of all values on the way could account for, and 192 bits
//!    more: no two closed forms of such a length are known that agree so far and differ. Where that precision is beyond
//!    what is spent, it stays unproven.
//!
//! Expressions in variables are the same where they are equal at all points at which both are real. Where one is made of
//! pieces (absolute values, floors and the like of variables), points can show a difference and never equality.

use std::cell::Cell;

use num_rational::BigRational;
use num_traits::Signed;

use super::ball::{Ball, NoValue};
use super::expr::{Expr, Function};
use super::numeric::{Complex, LogBase, Numeric, is_transcendental, literal_bits, wants_whole};
use super::residue::{Field, NoResidue, PRIMES};

/// Bits at which most differences show.
const FIRST_PRECISION: usize = 128;
/// Bits beyond what the expressions' length accounts for.
const EXTRA_PRECISION: u64 = 192;
/// The most bits that are spent, where evaluation takes series, and where not.
const MAX_PRECISION: (u64, u64) = (2048, 1 << 14);
/// Points for variables; the first is even, so that all variables are positive there.
const NUM_POINTS: u64 = 10;
/// How far out the last point lies at most, in bits.
const MAX_REACH: u64 = 4096;
/// Points that are looked at again at high precision.
const NUM_SURE_POINTS: usize = 2;

/// Whether two expressions are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Equality {
    Equal,
    Differs,
    Unproven,
}

/// Whether two expressions are the same.
pub(super) fn equal(a: &Expr, b: &Expr, cost: &Cell<u64>) -> Equality {
    if a == b {
        return Equality::Equal;
    }
    if a.as_number().is_some() && b.as_number().is_some() {
        return Equality::Differs;
    }
    let has_infinity = |expr: &Expr| expr.any(|part| *part == Expr::Infinity);
    if has_infinity(a) || has_infinity(b) {
        let same = a.infinity().is_some() && a.infinity() == b.infinity();
        return if same { Equality::Equal } else { Equality::Differs };
    }
    match same_residues(a, b) {
        Some(true) => return Equality::Equal,
        Some(false) if is_rational_function(a) && is_rational_function(b) => return Equality::Differs,
        _ => {}
    }
    by_log_base(&[a, b], |log| Comparison::new(a, b, log, cost).equal())
}

/// The best of what holds for a logarithm without base as one to base ten, and as a natural one.
fn by_log_base(expressions: &[&Expr], decide: impl Fn(LogBase) -> Equality) -> Equality {
    let ten = decide(LogBase::Ten);
    let has_log = |expr: &&Expr| expr.any(|part| matches!(part, Expr::Call(Function::Log, _)));
    if ten == Equality::Equal || !expressions.iter().any(has_log) {
        return ten;
    }
    decide(LogBase::E)
}

/// Whether the two have the same residues; none where they have none.
fn same_residues(a: &Expr, b: &Expr) -> Option<bool> {
    let mut same = None;
    for prime in PRIMES {
        for salt in 0..2 {
            let field = Field::new(prime, salt);
            match (field.evaluate(a), field.evaluate(b)) {
                (Ok(a), Ok(b)) if a == b => same = Some(true),
                (Ok(_), Ok(_)) => return Some(false),
                // One has a value here and the other has none: different functions, as far as fields go.
                (Ok(_), Err(NoResidue::Undefined)) | (Err(NoResidue::Undefined), Ok(_)) => return None,
                (Err(NoResidue::Undefined), Err(NoResidue::Undefined)) => return None,
                (Err(NoResidue::Unknown), _) | (_, Err(NoResidue::Unknown)) => return None,
            }
        }
    }
    same
}

/// Whether it is made of rational numbers and variables by arithmetic alone, so that residues decide both ways.
fn is_rational_function(expr: &Expr) -> bool {
    !expr.any(|part| match part {
        Expr::Pi | Expr::E | Expr::I | Expr::Infinity | Expr::Mark(_) | Expr::Call(..) => true,
        Expr::Power(_, exponent) => !exponent.as_number().is_some_and(BigRational::is_integer),
        _ => false,
    })
}

/// What a pair of values says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pair {
    /// Certainly different.
    Differ,
    /// Their balls touch; the exponent of what they may differ by, relative to their size.
    Touch(i64),
}

/// Two expressions to be compared numerically.
struct Comparison<'a> {
    a: &'a Expr,
    b: &'a Expr,
    log: LogBase,
    has_variables: bool,
    /// One is made of pieces, such as `|x|`.
    has_pieces: bool,
    whole: bool,
    reach: u64,
    /// What has been spent on the whole verification.
    cost: &'a Cell<u64>,
    extent: Cell<i64>,
}

impl<'a> Comparison<'a> {
    fn new(a: &'a Expr, b: &'a Expr, log: LogBase, cost: &'a Cell<u64>) -> Self {
        let has_variables = a.any(is_variable) || b.any(is_variable);
        let whole = wants_whole(a) || wants_whole(b);
        let reach = literal_bits(a).max(literal_bits(b)).min(MAX_REACH);
        let has_pieces = is_piecewise(a) || is_piecewise(b);
        Self { a, b, log, has_variables, has_pieces, whole, reach, cost, extent: Cell::new(0) }
    }

    fn numeric(&self, precision: usize, point: u64) -> Numeric<'_> {
        Numeric {
            precision,
            log: self.log,
            point,
            reach: self.reach,
            whole: self.whole,
            cost: self.cost,
            extent: &self.extent,
        }
    }

    /// Both values at a point.
    fn values(&self, precision: usize, point: u64) -> Result<(Complex, Complex), NoValue> {
        let numeric = self.numeric(precision, point);
        Ok((numeric.evaluate(self.a)?, numeric.evaluate(self.b)?))
    }

    /// The precision at which what still touches is taken as equal, if it can be spent.
    fn sure_precision(&self) -> Option<usize> {
        let literals = literal_bits(self.a).saturating_add(literal_bits(self.b));
        let extent = self.extent.get().unsigned_abs();
        let needed = EXTRA_PRECISION.saturating_add(2 * literals).saturating_add(extent.saturating_mul(2));
        let series = is_transcendental(self.a) || is_transcendental(self.b);
        let most = if series { MAX_PRECISION.0 } else { MAX_PRECISION.1 };
        (needed <= most).then(|| usize::try_from(needed.max(256)).ok()).flatten()
    }

    fn equal(&self) -> Equality {
        let points = if self.has_variables { NUM_POINTS } else { 1 };
        // Points with the extent of the values met there.
        let (mut real, mut complex) = (Vec::<(u64, i64)>::new(), Vec::<(u64, i64)>::new());
        let mut complex_differ = false;
        for point in 0..points {
            self.extent.set(0);
            let Ok((a, b)) = self.values(FIRST_PRECISION, point) else { continue };
            let pair = pair(&a, &b, FIRST_PRECISION);
            if is_real(&a) && is_real(&b) {
                if pair == Pair::Differ {
                    return Equality::Differs;
                }
                real.push((point, self.extent.get()));
            } else {
                complex_differ |= pair == Pair::Differ;
                complex.push((point, self.extent.get()));
            }
        }
        let enough = if self.has_variables { NUM_SURE_POINTS } else { 1 };
        let mut points = real;
        if points.len() < enough {
            if complex_differ {
                return Equality::Differs;
            }
            points.extend(complex);
        }
        if points.len() < enough {
            return Equality::Unproven;
        }
        if self.has_pieces {
            // Points cannot tell for all the others.
            return Equality::Unproven;
        }
        points.truncate(enough);
        self.confirm(&points, |precision, point| {
            let (a, b) = self.values(precision, point)?;
            Ok(pair(&a, &b, precision))
        })
    }

    /// Looks again at points where values touch, at a precision that makes sure.
    fn confirm(&self, points: &[(u64, i64)], look: impl Fn(usize, u64) -> Result<Pair, NoValue>) -> Equality {
        self.extent.set(points.iter().map(|(_, extent)| *extent).max().unwrap_or(0));
        let Some(precision) = self.sure_precision() else { return Equality::Unproven };
        for (point, _) in points {
            match look(precision, *point) {
                Ok(Pair::Differ) => return Equality::Differs,
                // Half of the bits may have been lost on the way, and what is left is still far beyond chance.
                Ok(Pair::Touch(error)) if error <= -(i64::try_from(precision / 2).unwrap_or(i64::MAX)) => {}
                _ => return Equality::Unproven,
            }
        }
        Equality::Equal
    }

    /// Whether `a` is `b` times a constant that is not zero, and positive if asked for.
    fn proportional(&self, positive: bool) -> Equality {
        let ratio = |precision: usize, point: u64| {
            let (a, b) = self.values(precision, point)?;
            if !is_real(&a) || !is_real(&b) || !a.re.is_nonzero() {
                return Err(NoValue::Undefined);
            }
            a.re.mul(&b.re.inverse(precision)?, precision)
        };
        let mut first: Option<(u64, Ball)> = None;
        let mut points = Vec::new();
        for point in 0..NUM_POINTS {
            self.extent.set(0);
            let Ok(value) = ratio(FIRST_PRECISION, point) else { continue };
            match &first {
                None => first = Some((point, value)),
                Some((_, known)) if known.differs(&value, FIRST_PRECISION) => return Equality::Differs,
                Some(_) => points.push((point, self.extent.get())),
            }
        }
        let Some((first, sign)) = first.map(|(point, value)| (point, value.sign())) else {
            return Equality::Differs;
        };
        if positive && sign != Some(true) {
            return Equality::Differs;
        }
        if points.len() < NUM_SURE_POINTS {
            return Equality::Unproven;
        }
        points.truncate(NUM_SURE_POINTS);
        self.confirm(&points, |precision, point| {
            let (known, value) = (ratio(precision, first)?, ratio(precision, point)?);
            Ok(real_pair(&known, &value, precision))
        })
    }
}

/// Whether it is a different formula for some values of its variables than for others.
fn is_piecewise(expr: &Expr) -> bool {
    use Function as F;
    expr.any(|part| match part {
        Expr::Call(
            F::Abs | F::Floor | F::Ceil | F::Max | F::Min | F::Gcd | F::Lcm | F::Re | F::Im,
            arguments,
        ) => arguments.iter().any(|argument| argument.any(is_variable)),
        _ => false,
    })
}

fn is_variable(expr: &Expr) -> bool {
    matches!(expr, Expr::Variable(_))
}

fn is_real(value: &Complex) -> bool {
    value.im.as_ref().is_none_or(|im| !im.is_nonzero())
}

/// How two real values stand.
fn real_pair(a: &Ball, b: &Ball, precision: usize) -> Pair {
    pair(&Complex { re: a.clone(), im: None }, &Complex { re: b.clone(), im: None }, precision)
}

/// How two values stand.
fn pair(a: &Complex, b: &Complex, precision: usize) -> Pair {
    let zero = Ball::integer(0, precision);
    let parts = [(&a.re, &b.re), (a.im.as_ref().unwrap_or(&zero), b.im.as_ref().unwrap_or(&zero))];
    // A value that may be zero is as large as one: its error counts as it is.
    let certain =
        [&a.re, &b.re].into_iter().chain(a.im.iter()).chain(b.im.iter()).filter(|it| it.is_nonzero());
    let size = certain.map(Ball::size).max().unwrap_or(0);
    let mut error = i64::MIN;
    for (x, y) in parts {
        match x.add(&y.neg(), precision) {
            Ok(difference) if difference.is_nonzero() => return Pair::Differ,
            Ok(difference) => error = error.max(difference.size() - size),
            Err(_) => return Pair::Touch(i64::MAX),
        }
    }
    Pair::Touch(error)
}

/// Whether `a = 0` and `b = 0` say the same: one is the other times a constant that is not zero; for `a > 0` and `b > 0`
/// a positive one.
pub(super) fn proportional(a: &Expr, b: &Expr, positive: bool, cost: &Cell<u64>) -> Equality {
    if !a.any(is_variable) || !b.any(is_variable) {
        return Equality::Differs;
    }
    by_log_base(&[a, b], |log| Comparison::new(a, b, log, cost).proportional(positive))
}

/// Whether `given` is within a relative tolerance of `gold`; both must be numbers.
pub(super) fn within(gold: &Expr, given: &Expr, tolerance: &BigRational, cost: &Cell<u64>) -> Equality {
    if let (Some(gold), Some(given)) = (gold.as_number(), given.as_number()) {
        let near = (gold - given).abs() <= tolerance * gold.abs();
        return if near { Equality::Equal } else { Equality::Differs };
    }
    by_log_base(&[gold, given], |log| {
        let comparison = Comparison::new(gold, given, log, cost);
        if comparison.has_variables {
            return Equality::Unproven;
        }
        let room = || {
            let precision = 2 * FIRST_PRECISION;
            let (a, b) = comparison.values(precision, 0)?;
            if !is_real(&a) || !is_real(&b) {
                return Err(NoValue::Undefined);
            }
            let allowed = a.re.abs().mul(&Ball::rational(tolerance, precision)?, precision)?;
            let distance = a.re.add(&b.re.neg(), precision)?.abs();
            allowed.add(&distance.neg(), precision)?.sign().ok_or(NoValue::Undefined)
        };
        match room() {
            Ok(true) => Equality::Equal,
            Ok(false) => Equality::Differs,
            Err(_) => Equality::Unproven,
        }
    })
}

/// How two numbers lie on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    Equal,
    Greater,
}

/// How two numbers or infinities lie; none where one is neither, or where that cannot be told.
pub(super) fn order(a: &Expr, b: &Expr, cost: &Cell<u64>) -> Option<Order> {
    let by = |above: bool| if above { Order::Greater } else { Order::Less };
    match (a.infinity(), b.infinity()) {
        (Some(a), Some(b)) if a == b => return Some(Order::Equal),
        (Some(up), _) => return Some(by(up)),
        (_, Some(up)) => return Some(by(!up)),
        (None, None) => {}
    }
    if let (Some(a), Some(b)) = (a.as_number(), b.as_number()) {
        return Some(if a == b { Order::Equal } else { by(a > b) });
    }
    if a.any(is_variable) || b.any(is_variable) {
        return None;
    }
    match equal(a, b, cost) {
        Equality::Equal => return Some(Order::Equal),
        Equality::Unproven => return None,
        Equality::Differs => {}
    }
    let comparison = Comparison::new(a, b, LogBase::Ten, cost);
    let precision = 2 * FIRST_PRECISION;
    let (a, b) = comparison.values(precision, 0).ok()?;
    if !is_real(&a) || !is_real(&b) {
        return None;
    }
    a.re.add(&b.re.neg(), precision).ok()?.sign().map(by)
}

/// Whether an expression has a value: false for `1/0`. What is too large to be worked out has one.
pub(super) fn has_value(expr: &Expr, cost: &Cell<u64>) -> bool {
    if expr.infinity().is_some() {
        return true;
    }
    let field = Field::new(PRIMES[0], 0);
    if field.evaluate(expr).is_ok() {
        return true;
    }
    let comparison = Comparison::new(expr, expr, LogBase::Ten, cost);
    let value = |point| comparison.numeric(FIRST_PRECISION, point).evaluate(expr);
    (0..NUM_POINTS).any(|point| !matches!(value(point), Err(NoValue::Undefined)))
}
