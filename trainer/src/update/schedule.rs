//! The learning rate at each optimizer step: a linear warm-up, then constant, a cosine or a line down to 0.

use crate::recipe::{OptimizerConfig, Schedule};

/// The learning rate of optimizer step `step` (from 1) of `total`.
#[must_use]
pub fn learning_rate(config: &OptimizerConfig, step: u64, total: u64) -> f64 {
    if step <= config.warmup {
        return config.lr * step as f64 / config.warmup as f64;
    }
    let after = (step - config.warmup - 1) as f64;
    let length = total.saturating_sub(config.warmup).max(1) as f64;
    let done = (after / length).min(1.0);
    match config.schedule {
        Schedule::Constant => config.lr,
        Schedule::Cosine => config.lr * 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
        Schedule::Linear => config.lr * (1.0 - done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(schedule: Schedule) -> OptimizerConfig {
        OptimizerConfig { lr: 1.0, warmup: 2, schedule, ..OptimizerConfig::default() }
    }

    fn rates(schedule: Schedule) -> Vec<f64> {
        (1..=7).map(|step| learning_rate(&config(schedule), step, 6)).collect()
    }

    #[test]
    fn each_schedule_warms_up_and_ends_as_named() {
        assert_eq!(rates(Schedule::Constant), [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(rates(Schedule::Linear), [0.5, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]);
        let cosine = rates(Schedule::Cosine);
        assert!((cosine[4] - 0.5).abs() < 1e-12 && cosine[6].abs() < 1e-12, "{cosine:?}");
    }
}
