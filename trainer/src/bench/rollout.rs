//! `bench rollout`: sampling alone.

use serde::Serialize;

use super::memory::Baseline;
use super::{Report, Workload, timed};
use crate::engine::{EngineStats, generate};
use crate::model::Decoder;
use crate::run::RunError;

/// What sampling did.
#[derive(Debug, Serialize)]
pub struct RolloutFigures {
    /// The engine's own figures.
    #[serde(flatten)]
    pub stats: EngineStats,
    /// The share of slots in use, over all decode steps.
    pub occupancy: f64,
    /// Responses sampled.
    pub responses: usize,
}

/// Measures sampling. `tokens_per_s` counts sampled tokens.
///
/// # Errors
/// A prompt that does not fit, or libtorch's refusal.
pub fn rollout(
    workload: &Workload,
    decoder: &Decoder,
    baseline: &Baseline,
) -> Result<Report<RolloutFigures>, RunError> {
    let how = workload.sampling();
    let (figures, clock) = timed(baseline, workload.warmup, |run| {
        let mut stats = EngineStats::default();
        let requests = workload.requests(run);
        let groups = generate(decoder, Some(&workload.tokenizer), &requests, &how, &mut (), &mut stats)?;
        let responses = groups.iter().map(Vec::len).sum();
        Ok::<_, RunError>(RolloutFigures { occupancy: stats.occupancy(), stats, responses })
    })?;
    let tokens = figures.stats.generated_tokens;
    Ok(Report::new("rollout", clock, Some(tokens), figures))
}
