//! Estimators of the KL divergence to the reference from one sampled token, with x = lp − ref
//! (J. Schulman, "Approximating KL divergence", 2020).

use crate::recipe::KlEstimator;

/// The estimate, in nats: k1 = x, k2 = x²/2, k3 = exp(−x) + x − 1.
#[must_use]
pub fn estimate(estimator: KlEstimator, x: f64) -> f64 {
    match estimator {
        KlEstimator::K1 => x,
        KlEstimator::K2 => x * x / 2.0,
        // exp(−x) − 1 loses every digit at small x unless it is computed as one function.
        KlEstimator::K3 => (-x).exp_m1() + x,
    }
}

/// The estimate's derivative with respect to `lp`.
#[must_use]
pub fn slope(estimator: KlEstimator, x: f64) -> f64 {
    match estimator {
        KlEstimator::K1 => 1.0,
        KlEstimator::K2 => x,
        KlEstimator::K3 => -(-x).exp_m1(),
    }
}

/// KL in the reward, as RLOO has it (Ahmadian et al. 2024, arXiv:2402.14740): R − β·Σ(old − ref) over the
/// response's sampled tokens, taken before any baseline. `old` and `reference` are aligned.
#[must_use]
pub fn penalized_reward(reward: f64, beta: f64, old: &[f64], reference: &[f64]) -> f64 {
    let kl: f64 =
        old.iter().zip(reference).map(|(old, reference)| estimate(KlEstimator::K1, old - reference)).sum();
    reward - beta * kl
}
