//! The project's own measurements: the stages of a training step, one by one and together, through the very functions
//! that `train` calls, with the settings that a recipe would resolve to.
//!
//! * [`rollout`]: [`crate::engine::generate`] alone, tokens sampled a second;
//! * [`update`]: [`crate::update::Updater::update`] alone, sequence tokens learned from a second;
//! * [`step`]: sampling, judging, scoring and updating in a row;
//! * [`verify`]: a verifier under its supervisor, verdicts a second.
//!
//! The clock runs around the last of several equal runs, and stops when the device has nothing left to do.

pub mod memory;
pub mod rollout;
pub mod step;
pub mod update;
pub mod verify;
pub mod workload;

#[cfg(test)]
mod tests;

use std::time::Instant;

use serde::Serialize;
use tch::{Cuda, Device};

use memory::{Baseline, Peak};
pub use workload::Workload;

/// What every measurement tells, and `figures` of its own.
#[derive(Debug, Serialize)]
pub struct Report<F> {
    /// Which measurement.
    pub bench: &'static str,
    /// Wall-clock seconds of the timed run.
    pub seconds: f64,
    /// Tokens a second, each measurement saying which; `None` where there are none.
    pub tokens_per_s: Option<f64>,
    /// Peak memory.
    #[serde(flatten)]
    pub peak: Peak,
    /// What is particular to the measurement.
    #[serde(flatten)]
    pub figures: F,
}

impl<F> Report<F> {
    fn new(bench: &'static str, clock: Clock, tokens: Option<u64>, figures: F) -> Self {
        let Clock { seconds, peak } = clock;
        let tokens_per_s = tokens.map(|tokens| rate(tokens, seconds));
        Self { bench, seconds, tokens_per_s, peak, figures }
    }
}

/// What the clock says of a timed run.
struct Clock {
    seconds: f64,
    peak: Peak,
}

/// Does the work `warmup` times without looking, then once under the clock. `run` counts up.
fn timed<T, E>(
    baseline: &Baseline,
    warmup: usize,
    mut work: impl FnMut(u64) -> Result<T, E>,
) -> Result<(T, Clock), E> {
    for run in 0..warmup {
        work(run as u64)?;
    }
    synchronize(baseline.device());
    let watch = baseline.watch();
    let start = Instant::now();
    let value = work(warmup as u64)?;
    synchronize(baseline.device());
    let seconds = start.elapsed().as_secs_f64();
    Ok((value, Clock { seconds, peak: watch.peak() }))
}

/// Waits until the device has done what it was given: kernels run after the calls that start them have come back.
fn synchronize(device: Device) {
    if let Device::Cuda(index) = device {
        Cuda::synchronize(index as i64);
    }
}

fn rate(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds.max(1e-9)
}
