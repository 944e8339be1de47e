//! Functions on natural numbers, computed on literals instead of unfolded.
//!
//! That is right only for the functions of the library: in a prelude of one's own `Nat.add` could be anything. So only
//! functions that are trusted are computed; all others are unfolded like any definition.

use num_bigint::BigUint;
use num_traits::{One, ToPrimitive, Zero};

use super::KernelError;
use super::budget::Exhausted;
use super::checker::Checker;
use super::known::NatOp;
use crate::terms::{Expr, ExprId, LevelsId, NameId, NatId};

/// The greatest exponent, and the greatest distance of a shift to the left, that is computed.
const MAX_EXPONENT: u64 = 1 << 24;
/// How many bits a result may have.
const MAX_BITS: u64 = 1 << 27;

enum Computed {
    Number(BigUint),
    Truth(bool),
}

impl Checker<'_, '_> {
    /// The value of a function of natural numbers applied to literals; `None` for anything else.
    pub(super) fn reduce_nat(&mut self, e: ExprId) -> Result<Option<ExprId>, KernelError> {
        let Expr::App(function, last) = self.env.terms.expr(e) else { return Ok(None) };
        if self.env.terms.has_fvar(e) && !self.is_eager() {
            return Ok(None);
        }
        match self.env.terms.expr(function) {
            Expr::Const(name, LevelsId::EMPTY) if name == self.env.known.nat_succ => {
                if !self.has_nat_literals()? {
                    return Ok(None);
                }
                let Some(value) = self.nat_value(last)? else { return Ok(None) };
                Ok(Some(self.env.terms.nat(value + 1u32)))
            }
            Expr::Const(name, LevelsId::EMPTY) => match self.nat_op(name)? {
                Some(NatOp::Log2) => {
                    let Some(value) = self.nat_value(last)? else { return Ok(None) };
                    let log = value.bits().saturating_sub(1);
                    Ok(Some(self.env.terms.nat(log.into())))
                }
                _ => Ok(None),
            },
            Expr::App(inner, first) => {
                let Expr::Const(name, LevelsId::EMPTY) = self.env.terms.expr(inner) else { return Ok(None) };
                match self.nat_op(name)? {
                    None | Some(NatOp::Log2) => Ok(None),
                    Some(op) => self.reduce_binary(op, first, last),
                }
            }
            _ => Ok(None),
        }
    }

    fn nat_op(&mut self, name: NameId) -> Result<Option<NatOp>, KernelError> {
        let Some(&op) = self.env.known.nat_ops.get(&name) else { return Ok(None) };
        let right = self.env.is_trusted(name)? && self.has_nat_literals()?;
        Ok(right.then_some(op))
    }

    /// The number that a term reduces to, if it reduces to a literal or to `Nat.zero`.
    fn nat_value(&mut self, e: ExprId) -> Result<Option<BigUint>, KernelError> {
        let reduced = self.whnf(e)?;
        match self.env.terms.expr(reduced) {
            Expr::Nat(value) => {
                self.spend(self.env.terms.nat_value(value).bits() / 1024)?;
                Ok(Some(self.env.terms.nat_value(value).clone()))
            }
            Expr::Const(name, _) if name == self.env.known.nat_zero => Ok(Some(BigUint::zero())),
            _ => Ok(None),
        }
    }

    fn reduce_binary(
        &mut self,
        op: NatOp,
        first: ExprId,
        last: ExprId,
    ) -> Result<Option<ExprId>, KernelError> {
        let Some(a) = self.nat_value(first)? else { return Ok(None) };
        let Some(b) = self.nat_value(last)? else { return Ok(None) };
        let Some(computed) = self.compute(op, a, &b)? else { return Ok(None) };
        Ok(Some(match computed {
            Computed::Number(value) => self.env.terms.nat(value),
            Computed::Truth(truth) => {
                let name = if truth { self.env.known.bool_true } else { self.env.known.bool_false };
                self.env.terms.constant(name, LevelsId::EMPTY)
            }
        }))
    }

    fn compute(&mut self, op: NatOp, a: BigUint, b: &BigUint) -> Result<Option<Computed>, KernelError> {
        let (a_words, b_words) = (a.bits() / 64 + 1, b.bits() / 64 + 1);
        self.spend((a_words + b_words) / 16)?;
        let number = match op {
            NatOp::Add => a + b,
            NatOp::Sub if a < *b => BigUint::zero(),
            NatOp::Sub => a - b,
            NatOp::Mul => {
                self.require_bits(a.bits() + b.bits())?;
                self.spend(product_steps(a_words, b_words))?;
                a * b
            }
            NatOp::Div | NatOp::Mod => {
                self.spend(a_words.saturating_mul(b_words) / 32)?;
                match (op, b.is_zero()) {
                    (NatOp::Div, true) => BigUint::zero(),
                    (_, true) => a,
                    (NatOp::Div, false) => a / b,
                    (_, false) => a % b,
                }
            }
            NatOp::Gcd => self.gcd(a, b.clone())?,
            NatOp::Pow => match b.to_u64() {
                Some(exponent) if exponent <= MAX_EXPONENT => self.pow(&a, exponent)?,
                _ => return Ok(None),
            },
            NatOp::ShiftLeft => match b.to_u64() {
                Some(distance) if distance <= MAX_EXPONENT => {
                    self.require_bits(a.bits() + distance)?;
                    self.spend(distance / 1024)?;
                    a << distance
                }
                _ => return Ok(None),
            },
            NatOp::ShiftRight => match b.to_u64() {
                Some(distance) => a >> distance,
                // No number has so many bits.
                None => BigUint::zero(),
            },
            NatOp::Land => a & b,
            NatOp::Lor => a | b,
            NatOp::Xor => a ^ b,
            NatOp::Beq => return Ok(Some(Computed::Truth(a == *b))),
            NatOp::Ble => return Ok(Some(Computed::Truth(a <= *b))),
            NatOp::Log2 => return Ok(None),
        };
        Ok(Some(Computed::Number(number)))
    }

    fn gcd(&mut self, mut a: BigUint, mut b: BigUint) -> Result<BigUint, KernelError> {
        while !b.is_zero() {
            self.spend(1 + (a.bits() / 64).saturating_mul(b.bits() / 64) / 32)?;
            let rest = a % &b;
            a = std::mem::replace(&mut b, rest);
        }
        Ok(a)
    }

    fn pow(&mut self, base: &BigUint, exponent: u64) -> Result<BigUint, KernelError> {
        if base.is_zero() || base.is_one() {
            return Ok(if exponent == 0 { BigUint::one() } else { base.clone() });
        }
        let bits = base.bits().saturating_mul(exponent);
        self.require_bits(bits)?;
        if base.count_ones() == 1 {
            self.spend(bits / 1024)?;
            return Ok(BigUint::one() << ((base.bits() - 1) * exponent));
        }
        self.spend(product_steps(bits / 64, bits / 64))?;
        // Its square root has 32 bits: the exponent is at most 2^24.
        Ok(base.pow(exponent as u32))
    }

    fn require_bits(&self, bits: u64) -> Result<(), KernelError> {
        if bits > MAX_BITS { Err(self.exhausted(Exhausted::Memory)) } else { Ok(()) }
    }

    /// The literal before a literal other than zero, or the argument of `Nat.succ`.
    pub(super) fn nat_predecessor(&mut self, e: ExprId) -> Result<Option<ExprId>, KernelError> {
        Ok(match self.env.terms.expr(e) {
            Expr::Nat(value) if !self.env.terms.nat_value(value).is_zero() => {
                Some(self.literal_before(value)?)
            }
            Expr::App(function, argument) => match self.env.terms.expr(function) {
                Expr::Const(name, _) if name == self.env.known.nat_succ => Some(argument),
                _ => None,
            },
            _ => None,
        })
    }

    /// The literal before a literal other than zero.
    pub(super) fn literal_before(&mut self, value: NatId) -> Result<ExprId, KernelError> {
        self.spend(self.env.terms.nat_value(value).bits() / 1024)?;
        let before = self.env.terms.nat_value(value) - 1u32;
        Ok(self.env.terms.nat(before))
    }

    /// Whether a term is a literal, or made by a constructor of `Nat`.
    pub(super) fn is_nat_form(&self, e: ExprId) -> bool {
        match self.env.terms.expr(e) {
            Expr::Nat(_) => true,
            Expr::Const(name, _) => name == self.env.known.nat_zero,
            Expr::App(function, _) => {
                matches!(self.env.terms.expr(function), Expr::Const(name, _) if name == self.env.known.nat_succ)
            }
            _ => false,
        }
    }

    /// Whether a term is the literal zero or `Nat.zero`.
    pub(super) fn is_nat_zero(&self, e: ExprId) -> bool {
        match self.env.terms.expr(e) {
            Expr::Nat(value) => self.env.terms.nat_value(value).is_zero(),
            Expr::Const(name, _) => name == self.env.known.nat_zero,
            _ => false,
        }
    }
}

/// What the product of two numbers of so many words takes: less than the product of the counts.
fn product_steps(a_words: u64, b_words: u64) -> u64 {
    a_words.max(b_words).saturating_mul(a_words.min(b_words).isqrt()) / 16
}
