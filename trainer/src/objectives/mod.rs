//! The formulas: advantages, returns, KL estimators, losses with their gradients, divisors, pass@k. Everything here is
//! a pure function over `f64`, so that each formula can be checked by hand and has one home.
//!
//! Notation, as in the papers: `lp` is a token's log-probability under the weights being trained, `old` under the
//! weights that the update started from, `mu` under the weights that sampled, `reference` under the frozen base
//! model; r = exp(lp − old) is the importance ratio, A the advantage (a sample's weight), R a response's reward, l its
//! number of learned tokens. All log-probabilities are in nats.
//!
//! The update goes through three calls, and through nothing else:
//!
//! 1. [`Divisors::new`] over every sample of the optimizer step, before any forward pass;
//! 2. [`Learned::new`] for each sample, which checks it against the [`LossSpec`] once;
//! 3. [`sequence_terms`] (or, where [`is_separable`], [`token_term`] token by token) for each token's loss and its
//!    derivative with respect to `lp`, both multiplied with [`Divisors::weight_of`] the sample.

mod advantages;
mod correction;
mod divisors;
mod kl;
mod loss;
mod pass_at_k;
mod returns;
mod terms;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod golden;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod gradients;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod properties;

pub use advantages::{
    BaselineError, dr_grpo, grpo, has_spread, leave_one_out, max_rl, mean, opo, opo_baseline, sample_std,
};
pub use correction::{Bound, Correction, Level};
pub use divisors::Divisors;
pub use kl::{estimate, penalized_reward, slope};
pub use loss::{CispoBound, Loss};
pub use pass_at_k::pass_at_k;
pub use returns::{Gae, Variance, gae, reinforce_plus_plus_baseline, token_returns, whiten};
pub use terms::{
    KlTerm, Learned, LossError, LossSpec, Sequence, Term, Token, is_separable, sequence_terms, token_term,
};
