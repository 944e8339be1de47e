//! Random numbers by coordinates: what a draw gives depends on where it stands (run seed, step, problem, sample,
//! position), never on what was drawn before it or beside it. That is what makes a resumed run the same run.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

/// Where a rollout stands in a run; together with the position of a token it names one random number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Coords {
    /// The run's seed.
    pub seed: u64,
    /// The training step, or 0 outside of training.
    pub step: u64,
    /// The problem's id.
    pub problem: String,
    /// The sample's index within its group.
    pub sample: u64,
    /// What the draw is for, so that a hinted second try does not repeat the first try's draws.
    pub purpose: Purpose,
}

/// What a rollout is sampled for; part of its coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A training rollout.
    Train,
    /// A hinted second try (STaR's rationalization).
    Retry,
    /// An evaluation.
    Eval,
    /// The `generate` command and benchmarks.
    Generate,
}

impl Coords {
    /// The uniform numbers in [0, 1) of this rollout, one for each position, in order.
    #[must_use]
    pub fn uniforms(&self) -> Uniforms {
        Uniforms { rng: keyed_rng("rollout", &[&self.key()]) }
    }

    fn key(&self) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.problem.len() + 32);
        key.extend_from_slice(&self.seed.to_le_bytes());
        key.extend_from_slice(&self.step.to_le_bytes());
        key.extend_from_slice(&self.sample.to_le_bytes());
        key.push(self.purpose as u8);
        key.extend_from_slice(self.problem.as_bytes());
        key
    }
}

/// A rollout's own stream of uniform numbers, addressed by position.
#[derive(Clone, Debug)]
pub struct Uniforms {
    rng: ChaCha8Rng,
}

impl Uniforms {
    /// The number at `position`, in [0, 1), with 53 random bits.
    pub fn at(&mut self, position: u64) -> f64 {
        // Two 32-bit words a position.
        self.rng.set_word_pos(u128::from(position) * 2);
        unit(self.rng.next_u64())
    }
}

/// A generator whose key is the hash of a name and of `parts`; different names never share a stream.
#[must_use]
pub fn keyed_rng(name: &str, parts: &[&[u8]]) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update((name.len() as u64).to_le_bytes());
    hash.update(name.as_bytes());
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    ChaCha8Rng::from_seed(hash.finalize().into())
}

/// A 53-bit uniform in [0, 1).
#[must_use]
pub fn unit(bits: u64) -> f64 {
    // Exact: a 53-bit integer times a power of two.
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coords(sample: u64) -> Coords {
        Coords { seed: 1, step: 2, problem: "p".into(), sample, purpose: Purpose::Train }
    }

    #[test]
    fn a_draw_depends_on_its_position_not_on_the_order_of_calls() {
        let mut forward = coords(0).uniforms();
        let mut backward = coords(0).uniforms();
        let first: Vec<f64> = (0..50).map(|p| forward.at(p)).collect();
        let second: Vec<f64> = (0..50).rev().map(|p| backward.at(p)).collect();
        assert!(first.iter().eq(second.iter().rev()));
        assert!(first.iter().all(|u| (0.0..1.0).contains(u)));
    }

    #[test]
    fn every_coordinate_matters() {
        let mut seen = std::collections::HashSet::new();
        let base = coords(0);
        let variants = [
            base.clone(),
            Coords { seed: 9, ..base.clone() },
            Coords { step: 9, ..base.clone() },
            Coords { problem: "q".into(), ..base.clone() },
            Coords { sample: 9, ..base.clone() },
            Coords { purpose: Purpose::Retry, ..base },
        ];
        for variant in variants {
            assert!(seen.insert(variant.uniforms().at(0).to_bits()), "{variant:?} repeats another's draw");
        }
    }
}
