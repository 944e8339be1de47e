//! Correction for a sampler whose probabilities differ from the trainer's (another kernel, another precision, older
//! weights): the policy loss is weighted with exp(old − mu), bounded because its variance is not.

/// How a sampler's difference is corrected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correction {
    /// What one weight is computed over.
    pub level: Level,
    /// What bounds the weight.
    pub bound: Bound,
}

/// What one weight is computed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// One weight a token, exp(old − mu).
    Token,
    /// One weight a sequence, exp(Σ(old − mu)), on each of its tokens.
    Sequence,
}

/// What bounds the weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// min(weight, `cap`).
    Truncate {
        /// C, above 0.
        cap: f64,
    },
    /// The weight where it lies in [`low`, `high`], else 0: what was masked teaches nothing but stays in the divisor.
    Mask {
        /// The band's lower end.
        low: f64,
        /// The band's upper end.
        high: f64,
    },
}

impl Correction {
    /// One weight a token. `old` and `mu` are aligned, over the learned tokens of one sequence.
    #[must_use]
    pub fn weights(&self, old: &[f64], mu: &[f64]) -> Vec<f64> {
        let gaps = old.iter().zip(mu).map(|(old, mu)| old - mu);
        match self.level {
            Level::Token => gaps.map(|gap| self.bound.apply(gap.exp())).collect(),
            Level::Sequence => {
                let weight = self.bound.apply(gaps.sum::<f64>().exp());
                vec![weight; old.len()]
            }
        }
    }
}

impl Bound {
    fn apply(self, weight: f64) -> f64 {
        match self {
            Self::Truncate { cap } => weight.min(cap),
            Self::Mask { low, high } if (low..=high).contains(&weight) => weight,
            Self::Mask { .. } => 0.0,
        }
    }
}
