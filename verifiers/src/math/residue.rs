//! Evaluates expressions in finite fields: formal identities of any size, in no time.
//!
//! Variables, pi and e are given fixed values that look random in a prime field of 61 bits. Where two expressions have
//! the same residues in two such fields, they are the same rational function of those symbols (Schwartz 1980, Zippel
//! 1979: two that differ agree with a chance of about their degree in 2^61, in each field), so that also
//! `2 \cdot 2^{10^{20}}` and `2^{10^{20}+1}` are seen to be equal without being worked out.
//!
//! A function of something, and a power whose exponent is no whole number, is a symbol of its own, named after the residues
//! of what it is applied to: `|(x-1)^2|` and `|x^2-2x+1|` are one symbol. So equal residues still mean equal expressions,
//! and different ones mean nothing where such symbols are met.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive};

use super::expr::{Expr, Function, Mark};

/// Two primes below 2^61, each 1 more than a multiple of 4, so that -1 has a square root, which stands for i.
pub(super) const PRIMES: [u64; 2] = [2_305_843_009_213_693_921, 2_305_843_009_213_693_669];

/// One field with values for the symbols.
pub(super) struct Field {
    prime: u64,
    /// Tells the points of one field apart.
    salt: u64,
}

/// Why there is no residue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoResidue {
    /// It has parts that this field knows nothing of.
    Unknown,
    /// It divides by zero here.
    Undefined,
}

impl Field {
    pub(super) fn new(prime: u64, salt: u64) -> Self {
        Self { prime, salt }
    }

    /// A square root of -1. Half of all numbers are no squares, and the power of such a one is a root. Found anew each
    /// time: few expressions hold it.
    fn imaginary(&self) -> u64 {
        let exponent = (self.prime - 1) / 4;
        let mut roots = (2..).map(|base| self.power(base, exponent));
        roots.find(|root| self.mul(*root, *root) == self.prime - 1).unwrap_or(0)
    }

    fn mul(&self, a: u64, b: u64) -> u64 {
        // The product is reduced, so that it fits.
        (u128::from(a) * u128::from(b) % u128::from(self.prime)) as u64
    }

    fn add(&self, a: u64, b: u64) -> u64 {
        // Both are below 2^61.
        (a + b) % self.prime
    }

    fn power(&self, base: u64, exponent: u64) -> u64 {
        let (mut result, mut square, mut rest) = (1, base % self.prime, exponent);
        while rest > 0 {
            if rest & 1 == 1 {
                result = self.mul(result, square);
            }
            square = self.mul(square, square);
            rest >>= 1;
        }
        result
    }

    fn inverse(&self, value: u64) -> Result<u64, NoResidue> {
        if value == 0 { Err(NoResidue::Undefined) } else { Ok(self.power(value, self.prime - 2)) }
    }

    fn modulo(&self, value: &BigInt, modulus: u64) -> u64 {
        let rest = value % BigInt::from(modulus);
        let rest = if rest.is_negative() { rest + BigInt::from(modulus) } else { rest };
        rest.to_u64().unwrap_or(0)
    }

    fn number(&self, number: &BigRational) -> Result<u64, NoResidue> {
        let numerator = self.modulo(number.numer(), self.prime);
        if number.is_integer() {
            return Ok(numerator);
        }
        Ok(self.mul(numerator, self.inverse(self.modulo(number.denom(), self.prime))?))
    }

    /// A value that looks random, from a name.
    fn symbol(&self, name: &str) -> u64 {
        let mut state = self.salt ^ 0x9E37_79B9_7F4A_7C15;
        for byte in name.bytes() {
            state = scramble(state ^ u64::from(byte));
        }
        scramble(state) % self.prime
    }

    /// The residue of an expression.
    pub(super) fn evaluate(&self, expr: &Expr) -> Result<u64, NoResidue> {
        match expr {
            Expr::Number(number) => self.number(number),
            // Names with a space are nobody's variables.
            Expr::Pi => Ok(self.symbol("pi ")),
            Expr::E => Ok(self.symbol("e ")),
            Expr::I => Ok(self.imaginary()),
            Expr::Variable(name) => Ok(self.symbol(name)),
            Expr::Mark(Mark::Percent) => self.inverse(100),
            Expr::Mark(Mark::Degree) => Ok(self.mul(self.symbol("pi "), self.inverse(180)?)),
            Expr::Sum(terms) => terms.iter().try_fold(0, |sum, term| Ok(self.add(sum, self.evaluate(term)?))),
            Expr::Product(factors) => {
                factors.iter().try_fold(1, |product, factor| Ok(self.mul(product, self.evaluate(factor)?)))
            }
            Expr::Power(base, exponent) => match &**exponent {
                Expr::Number(exponent) if exponent.is_integer() => {
                    let base = self.evaluate(base)?;
                    if base == 0 && !exponent.is_positive() {
                        return Err(NoResidue::Undefined);
                    }
                    if base == 0 {
                        return Ok(0);
                    }
                    // Fermat: exponents count modulo the prime less one.
                    Ok(self.power(base, self.modulo(exponent.numer(), self.prime - 1)))
                }
                _ => self.other_power(base, exponent),
            },
            Expr::Call(Function::Abs, arguments) => match arguments.as_slice() {
                [argument] => self.absolute(argument),
                _ => Err(NoResidue::Unknown),
            },
            Expr::Call(function, arguments) => {
                let residues = arguments.iter().map(|it| self.evaluate(it)).collect::<Result<Vec<_>, _>>()?;
                Ok(self.symbol(&format!("{function:?} {residues:?}")))
            }
            Expr::Infinity => Err(NoResidue::Unknown),
        }
    }

    /// A power whose exponent is no whole number. That of an even power is one of an absolute value: `\sqrt{x^2}` is `|x|`.
    fn other_power(&self, base: &Expr, exponent: &Expr) -> Result<u64, NoResidue> {
        // Of what is real: \sqrt{i^2} is i.
        if let (Expr::Power(inner, even), Some(outer)) = (base, exponent.as_number())
            && !inner.any(|part| *part == Expr::I)
            && let Some(even) = even.as_number().filter(|even| even.is_integer() && !even.numer().bit(0))
            && let exponent = even * outer
            && exponent.is_integer()
            && exponent.is_positive()
        {
            let exponent = self.modulo(exponent.numer(), self.prime - 1);
            return Ok(self.power(self.absolute(inner)?, exponent));
        }
        let (base, exponent) = (self.evaluate(base)?, self.evaluate(exponent)?);
        Ok(self.symbol(&format!("power {base} {exponent}")))
    }

    /// An absolute value, which is the same for an expression and its negative.
    fn absolute(&self, expr: &Expr) -> Result<u64, NoResidue> {
        let residue = self.evaluate(expr)?;
        let either = residue.min((self.prime - residue) % self.prime);
        Ok(self.symbol(&format!("Abs {either}")))
    }
}

/// A step of SplitMix64.
pub(super) fn scramble(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_prime(n: u64) -> bool {
        // Deterministic below 2^64 with these bases.
        let field = |n| Field { prime: n, salt: 0 };
        let odd = (n - 1) >> (n - 1).trailing_zeros();
        [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37].iter().all(|base| {
            let field = field(n);
            let mut power = field.power(*base, odd);
            let mut exponent = odd;
            while exponent != n - 1 && power != 1 && power != n - 1 {
                power = field.mul(power, power);
                exponent *= 2;
            }
            power == n - 1 || exponent % 2 == 1
        })
    }

    #[test]
    fn the_moduli_are_primes_with_a_root_of_minus_one() {
        for prime in PRIMES {
            assert!(prime < 1 << 61 && prime % 4 == 1 && is_prime(prime), "{prime}");
            let field = Field::new(prime, 0);
            assert_eq!(field.mul(field.imaginary(), field.imaginary()), prime - 1);
        }
    }

    #[test]
    fn huge_powers_are_told_apart() {
        let field = Field::new(PRIMES[0], 0);
        let huge = Expr::Number(BigRational::from_integer(BigInt::from(10).pow(20)));
        let power = |exponent: Expr| Expr::integer(2).pow(exponent);
        let double = Expr::integer(2).mul(power(huge.clone()));
        let next = power(huge.clone().add(Expr::integer(1)));
        assert_eq!(field.evaluate(&double), field.evaluate(&next));
        assert_ne!(field.evaluate(&power(huge.clone())), field.evaluate(&next));
        assert_ne!(field.evaluate(&next), field.evaluate(&next.clone().add(Expr::integer(1))));
    }

    #[test]
    fn division_by_zero_has_no_residue() {
        let field = Field::new(PRIMES[0], 0);
        let x = Expr::variable("x");
        let zero = x.clone().sub(x);
        assert_eq!(field.evaluate(&Expr::integer(1).div(zero)), Err(NoResidue::Undefined));
        assert_eq!(field.evaluate(&Expr::Infinity), Err(NoResidue::Unknown));
    }
}
