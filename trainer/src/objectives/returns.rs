//! Advantages that vary within a response: discounted token returns, whitening over a batch, and GAE. Tokens that the
//! environment put into a response are stepped over: they earn no advantage and discount nothing.

use super::advantages::{BaselineError, dr_grpo, mean};

/// Which variance whitening divides by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variance {
    /// Σ(x − mean)² / (n − 1), plus 1e-8 inside the root: verl's convention.
    Bessel,
    /// Σ(x − mean)² / n, at least 1e-8: OpenRLHF's convention.
    Population,
}

/// REINFORCE++'s token returns (Hu 2025, arXiv:2501.03262): R_t = r_t + γ·R_{t+1} over the sampled tokens of one
/// response; 0 at the environment's tokens, whose rewards are not seen. `rewards` and `sampled` are aligned.
#[must_use]
pub fn token_returns(rewards: &[f64], sampled: &[bool], gamma: f64) -> Vec<f64> {
    let mut returns = vec![0.0; rewards.len()];
    let mut next = 0.0;
    for t in (0..rewards.len()).rev().filter(|&t| sampled[t]) {
        next = rewards[t] + gamma * next;
        returns[t] = next;
    }
    returns
}

/// Whitening over all sampled tokens of a batch: (x − mean) / √variance. Fewer than two values whiten to 0.
#[must_use]
pub fn whiten(values: &[f64], variance: Variance) -> Vec<f64> {
    if values.len() < 2 {
        return vec![0.0; values.len()];
    }
    let center = mean(values);
    let squares: f64 = values.iter().map(|value| (value - center).powi(2)).sum();
    let scale = match variance {
        Variance::Bessel => (squares / (values.len() - 1) as f64 + 1e-8).sqrt(),
        Variance::Population => (squares / values.len() as f64).max(1e-8).sqrt(),
    };
    values.iter().map(|value| (value - center) / scale).collect()
}

/// REINFORCE++-baseline (Hu 2025, arXiv:2501.03262): R minus the group's mean, given to each of the response's tokens,
/// then whitened over the tokens of the whole batch. A group is its responses' rewards with their lengths in sampled
/// tokens; what comes back is one advantage a response (all its tokens have the same), group after group.
///
/// # Errors
/// [`BaselineError::TooFew`] if a group has fewer than two responses.
pub fn reinforce_plus_plus_baseline(
    groups: &[Vec<(f64, usize)>],
    variance: Variance,
) -> Result<Vec<f64>, BaselineError> {
    let mut tokens = Vec::new();
    let mut firsts = Vec::new();
    for group in groups {
        let rewards: Vec<f64> = group.iter().map(|&(reward, _)| reward).collect();
        for (advantage, &(_, length)) in dr_grpo(&rewards)?.into_iter().zip(group) {
            firsts.push((length > 0).then_some(tokens.len()));
            tokens.extend(std::iter::repeat_n(advantage, length));
        }
    }
    let whitened = whiten(&tokens, variance);
    // A response without tokens has no place in the batch, and nothing that an advantage could act on.
    Ok(firsts.into_iter().map(|first| first.map_or(0.0, |first| whitened[first])).collect())
}

/// What [`gae`] computes, aligned with its input; 0 at the environment's tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Gae {
    /// A_t, not whitened.
    pub advantages: Vec<f64>,
    /// A_t + V_t, what a critic regresses on.
    pub returns: Vec<f64>,
}

/// Generalised advantage estimation (Schulman et al. 2016, arXiv:1506.02438, eq. 16) over one response:
/// δ_t = r_t + γ·V_{t+1} − V_t and A_t = δ_t + γ·λ·A_{t+1}, with 0 after the last sampled token. At the environment's
/// tokens V_{t+1} and A_{t+1} are carried across; their rewards and values are not seen. All slices are aligned.
#[must_use]
pub fn gae(rewards: &[f64], values: &[f64], sampled: &[bool], gamma: f64, lambda: f64) -> Gae {
    let mut advantages = vec![0.0; rewards.len()];
    let mut returns = vec![0.0; rewards.len()];
    let (mut next_value, mut next_advantage) = (0.0, 0.0);
    for t in (0..rewards.len()).rev().filter(|&t| sampled[t]) {
        let delta = rewards[t] + gamma * next_value - values[t];
        next_advantage = delta + gamma * lambda * next_advantage;
        next_value = values[t];
        advantages[t] = next_advantage;
        returns[t] = next_advantage + next_value;
    }
    Gae { advantages, returns }
}
