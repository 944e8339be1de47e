//! `bench verify`: a verifier under its supervisor, on given responses.

use std::convert::Infallible;

use polestar_verifiers::{Job, Outcome, Supervisor, SupervisorConfig};
use serde::Serialize;
use tch::Device;

use super::memory::Baseline;
use super::{Report, rate, timed};

/// Verdicts and how long each took.
#[derive(Debug, Serialize)]
pub struct VerifyFigures {
    /// Verdicts.
    pub verdicts: usize,
    /// Verdicts a second of the whole run.
    pub verdicts_per_s: f64,
    /// Verdicts that were undecided.
    pub undecided: usize,
    /// Milliseconds of one verification: the mean.
    pub mean_ms: f64,
    /// Half take at most so long.
    pub p50_ms: f64,
    /// 99 of 100 take at most so long.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// Measures judging `jobs`. Binding problems to references happened before, as in a run.
#[must_use]
pub fn verify(jobs: &[Job], config: SupervisorConfig, warmup: usize) -> Report<VerifyFigures> {
    let supervisor = Supervisor::new(config);
    let baseline = Baseline::take(Device::Cpu);
    let judge = |_| Ok::<_, Infallible>(supervisor.judge_all(jobs.to_vec(), None));
    let Ok((outcomes, clock)) = timed(&baseline, warmup, judge);
    let figures = figures(&outcomes, clock.seconds);
    Report::new("verify", clock, None, figures)
}

fn figures(outcomes: &[Outcome], seconds: f64) -> VerifyFigures {
    let mut ms: Vec<f64> = outcomes.iter().map(|outcome| outcome.run_s * 1e3).collect();
    ms.sort_by(f64::total_cmp);
    VerifyFigures {
        verdicts: ms.len(),
        verdicts_per_s: rate(ms.len() as u64, seconds),
        undecided: outcomes.iter().filter(|outcome| outcome.verdict.score().is_none()).count(),
        mean_ms: if ms.is_empty() { 0.0 } else { ms.iter().sum::<f64>() / ms.len() as f64 },
        p50_ms: quantile(&ms, 0.5),
        p99_ms: quantile(&ms, 0.99),
        max_ms: ms.last().copied().unwrap_or(0.0),
    }
}

/// The smallest value that a share `q` of the sorted values does not exceed; 0 of none.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    // A share of a length is below it and not negative.
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use polestar_verifiers::Verdict;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let outcome = |ms: f64| Outcome { verdict: Verdict::right("", None), queue_s: 0.0, run_s: ms / 1e3 };
        let outcomes: Vec<Outcome> = (1..=200).rev().map(|ms| outcome(f64::from(ms))).collect();
        let found = figures(&outcomes, 4.0);
        assert_eq!((found.verdicts, found.verdicts_per_s, found.undecided), (200, 50.0, 0));
        for (found, expected) in
            [(found.mean_ms, 100.5), (found.p50_ms, 100.0), (found.p99_ms, 198.0), (found.max_ms, 200.0)]
        {
            assert!((found - expected).abs() < 1e-9, "{found} against {expected}");
        }
        assert_eq!(figures(&[], 1.0).p99_ms, 0.0);
    }
}
