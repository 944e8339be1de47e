//! Advantages of one group: the rewards of the responses to one problem in, one number a response out. They differ
//! in their baseline and in what they divide by, which is all that tells the policy-gradient algorithms apart.

use thiserror::Error;

/// A group for which no baseline is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BaselineError {
    /// The mean of one reward is that reward; the mean of the others does not exist.
    #[error(
        "a baseline needs at least 2 responses to the same problem, but the group has {0}; raise rollout.n"
    )]
    TooFew(usize),
    /// Lengths must be given for every reward and not all be 0.
    #[error(
        "a length-weighted baseline needs one length a reward, not all 0: {rewards} rewards, {lengths} lengths"
    )]
    Lengths {
        /// How many rewards there are.
        rewards: usize,
        /// How many lengths there are.
        lengths: usize,
    },
}

/// The mean; 0 for an empty slice.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The standard deviation with Bessel's correction; 0 for fewer than two values.
#[must_use]
pub fn sample_std(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

/// Whether any two values differ. A group without spread carries no policy gradient.
#[must_use]
pub fn has_spread(values: &[f64]) -> bool {
    values.windows(2).any(|pair| pair[0] != pair[1])
}

/// GRPO (Shao et al. 2024, arXiv:2402.03300, §4.1.2): (R − mean) / (std + `eps`), std with Bessel's correction.
/// `eps` is 1e-4 in TRL, 1e-6 in verl, 1e-9 in OpenRLHF.
///
/// # Errors
/// [`BaselineError::TooFew`] below two rewards.
pub fn grpo(rewards: &[f64], eps: f64) -> Result<Vec<f64>, BaselineError> {
    let scale = sample_std(rewards) + eps;
    // Without spread every difference is 0, which a scale of 0 must not turn into NaN.
    Ok(centered(rewards)?.into_iter().map(|a| if a == 0.0 { 0.0 } else { a / scale }).collect())
}

/// Dr. GRPO (Liu et al. 2025, arXiv:2503.20783, §3.2): R − mean, divided by nothing.
///
/// # Errors
/// [`BaselineError::TooFew`] below two rewards.
pub fn dr_grpo(rewards: &[f64]) -> Result<Vec<f64>, BaselineError> {
    centered(rewards)
}

/// RLOO (Ahmadian et al. 2024, arXiv:2402.14740): R minus the mean of the group's other rewards.
///
/// # Errors
/// [`BaselineError::TooFew`] below two rewards.
pub fn leave_one_out(rewards: &[f64]) -> Result<Vec<f64>, BaselineError> {
    // R − (ΣR − R)/(G − 1) is (R − mean)·G/(G − 1), which is exactly 0 where the group has no spread.
    let size = rewards.len() as f64;
    Ok(centered(rewards)?.into_iter().map(|a| a * size / (size - 1.0)).collect())
}

/// OPO's baseline (Hao et al. 2025, arXiv:2505.23585): the length-weighted mean Σ l·R / Σ l, which has the least
/// variance where a response's squared gradient grows with its length. `lengths` are in learned tokens.
///
/// # Errors
/// [`BaselineError::TooFew`] below two rewards; [`BaselineError::Lengths`] where lengths are missing or all 0.
pub fn opo_baseline(rewards: &[f64], lengths: &[usize]) -> Result<f64, BaselineError> {
    enough(rewards)?;
    let total: usize = lengths.iter().sum();
    if lengths.len() != rewards.len() || total == 0 {
        return Err(BaselineError::Lengths { rewards: rewards.len(), lengths: lengths.len() });
    }
    if !has_spread(rewards) {
        return Ok(rewards[0]);
    }
    let weighted: f64 = rewards.iter().zip(lengths).map(|(reward, &length)| reward * length as f64).sum();
    Ok(weighted / total as f64)
}

/// OPO's advantages: R minus [`opo_baseline`].
///
/// # Errors
/// As [`opo_baseline`].
pub fn opo(rewards: &[f64], lengths: &[usize]) -> Result<Vec<f64>, BaselineError> {
    let baseline = opo_baseline(rewards, lengths)?;
    Ok(rewards.iter().map(|reward| reward - baseline).collect())
}

/// MaxRL (Tajwar et al. 2026, arXiv:2602.02710): (R − mean) / mean, for rewards of at least 0; 0 where the mean is 0, since no response was right.
///
/// # Errors
/// [`BaselineError::TooFew`] below two rewards.
pub fn max_rl(rewards: &[f64]) -> Result<Vec<f64>, BaselineError> {
    let mean = mean(rewards);
    Ok(centered(rewards)?.into_iter().map(|a| if mean == 0.0 { 0.0 } else { a / mean }).collect())
}

fn enough(rewards: &[f64]) -> Result<(), BaselineError> {
    if rewards.len() < 2 { Err(BaselineError::TooFew(rewards.len())) } else { Ok(()) }
}

/// R − mean, exactly 0 where the group has no spread (a mean of equal numbers need not equal them in `f64`).
fn centered(rewards: &[f64]) -> Result<Vec<f64>, BaselineError> {
    enough(rewards)?;
    if !has_spread(rewards) {
        return Ok(vec![0.0; rewards.len()]);
    }
    let mean = mean(rewards);
    Ok(rewards.iter().map(|reward| reward - mean).collect())
}
