//! What a step is remembered by: metrics that repeat exactly, and timings that do not.

use super::metric_names as names;
use super::metrics::{StepMetrics, StepTimings};
use super::setup::Session;
use super::stages::Sampled;
use crate::algorithms::{CreditReport, Family};
use crate::recipe::KlPlace;
use crate::rollout::{Finish, Sample};
use crate::update::StepReport;

/// Mean, least and greatest of some numbers; NaN where there are none, which is written as null.
fn spread(values: &[f64]) -> (f64, f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let min = values.iter().copied().fold(f64::NAN, f64::min);
    let max = values.iter().copied().fold(f64::NAN, f64::max);
    (mean, min, max)
}

fn std(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

/// Rewards, lengths and verdicts.
pub(super) fn sampling(
    session: &Session,
    sampled: &Sampled,
    credit: &CreditReport,
    record: &mut StepMetrics,
) {
    let first: Vec<_> =
        sampled.entries.iter().filter(|e| e.purpose == crate::seeds::Purpose::Train).collect();
    record.set(names::REWARD, credit.reward);
    record.set(names::REWARD_STD, credit.reward_std);
    record.set(names::FRAC_REWARD_ZERO_STD, credit.frac_reward_zero_std);
    if let (Some(of_response), Some(of_token)) = (credit.reward_kl, credit.reward_kl_token) {
        record.set(names::KL, of_token);
        record.set(names::Metric::of_algorithm("credit/reward_kl"), of_response);
    }
    for (index, name) in session.rubric.names().enumerate() {
        // Of the first tries, as the reward: entries and judgements are in the same order.
        let scores: Vec<f64> = sampled
            .judgements
            .iter()
            .zip(&sampled.entries)
            .filter(|(_, entry)| entry.purpose == crate::seeds::Purpose::Train)
            .filter_map(|(judgement, _)| judgement.parts[index].as_ref()?.score())
            .map(polestar_verifiers::Score::get)
            .collect();
        record.set(names::verifier_mean(name), spread(&scores).0);
        record.set(names::verifier_std(name), std(&scores));
    }
    let lengths: Vec<f64> = first.iter().map(|e| e.num_tokens as f64).collect();
    let (mean, min, max) = spread(&lengths);
    record.set(names::COMPLETIONS_MEAN_LENGTH, mean);
    record.set(names::COMPLETIONS_MIN_LENGTH, min);
    record.set(names::COMPLETIONS_MAX_LENGTH, max);
    let ended: Vec<f64> =
        first.iter().filter(|e| e.finish == Finish::Stop).map(|e| e.num_tokens as f64).collect();
    let (mean, min, max) = spread(&ended);
    record.set(names::COMPLETIONS_MEAN_TERMINATED_LENGTH, mean);
    record.set(names::COMPLETIONS_MIN_TERMINATED_LENGTH, min);
    record.set(names::COMPLETIONS_MAX_TERMINATED_LENGTH, max);
    record.set(names::COMPLETIONS_CLIPPED_RATIO, 1.0 - ended.len() as f64 / first.len() as f64);
    record.set(names::PROMPTS_MEAN_LENGTH, sampled.prompt_tokens as f64 / sampled.num_prompts as f64);
    let undecided = sampled.judgements.iter().filter(|j| j.verdict.score().is_none()).count() as f64;
    let ratio = undecided / sampled.judgements.len() as f64;
    record.set(names::VERDICTS_UNDECIDED_RATIO, ratio);
    record.set(names::VERDICTS_JUDGED_RATIO, 1.0 - ratio);
    for (name, value) in [
        ("credit/num_kept", credit.num_kept),
        ("credit/num_right", credit.num_right),
        ("credit/num_duplicates", credit.num_duplicates),
        ("credit/num_rationalized", credit.num_rationalized),
        ("credit/num_overlong_masked", credit.num_overlong_masked),
        ("credit/num_groups_dropped_undecided", credit.num_groups_dropped_undecided),
        ("credit/num_groups_dropped_zero_spread", credit.num_groups_dropped_zero_spread),
    ] {
        record.set(names::Metric::of_algorithm(name), value as f64);
    }
}

/// Losses, norms, ratios, and the gap between sampler and trainer. Returns each token's gap, nats.
pub(super) fn update(
    session: &Session,
    samples: &[Sample],
    reports: &[StepReport],
    record: &mut StepMetrics,
) -> Vec<f64> {
    let steps: Vec<&StepReport> = reports.iter().filter(|r| r.skipped.is_none()).collect();
    let of = |value: fn(&StepReport) -> f64| -> Vec<f64> { steps.iter().map(|r| value(r)).collect() };
    record.set(names::LOSS, spread(&of(|r| r.loss)).0);
    record.set(names::GRAD_NORM, spread(&of(|r| r.grad_norm)).0);
    record.set(names::LEARNING_RATE, steps.last().map_or(f64::NAN, |r| r.learning_rate));
    record.set(names::Metric::of_algorithm("update/num_steps"), steps.len() as f64);
    record.set(names::Metric::of_algorithm("update/num_skipped"), (reports.len() - steps.len()) as f64);

    let tokens = || steps.iter().flat_map(|r| &r.reports);
    let entropies: Vec<f64> = tokens().flat_map(|r| &r.entropies).map(|&h| f64::from(h)).collect();
    record.set(names::ENTROPY, spread(&entropies).0);
    // One in the reward was measured when credit was assigned.
    if session.update_kl().is_some_and(|kl| kl.place == KlPlace::Loss) {
        let kls: Vec<f64> = tokens().flat_map(|r| &r.terms).map(|t| t.kl).collect();
        record.set(names::KL, spread(&kls).0);
    }
    if session.algorithm.family() == Family::PolicyGradient {
        clip_ratios(&steps, record);
    }
    // A likelihood is learned at temperature 1: log-probabilities at another are of another distribution. And training
    // that begins at the base weights is not at those that sampled.
    let comparable = session.algorithm.family() == Family::PolicyGradient
        || (session.plan.rollout.temperature == 1.0 && !session.starts_from_base());
    if comparable { gap(samples, &steps, record) } else { Vec::new() }
}

fn clip_ratios(steps: &[&StepReport], record: &mut StepMetrics) {
    let share = |held: fn(&crate::objectives::Term) -> bool| -> Vec<f64> {
        steps
            .iter()
            .map(|step| {
                let terms = step.reports.iter().flat_map(|r| &r.terms);
                let count = terms.clone().count().max(1);
                terms.filter(|t| held(t)).count() as f64 / count as f64
            })
            .collect()
    };
    let (mean, min, _) = spread(&share(|t| t.clipped_low));
    record.set(names::CLIP_RATIO_LOW_MEAN, mean);
    record.set(names::CLIP_RATIO_LOW_MIN, min);
    let (mean, _, max) = spread(&share(|t| t.clipped_high));
    record.set(names::CLIP_RATIO_HIGH_MEAN, mean);
    record.set(names::CLIP_RATIO_HIGH_MAX, max);
    record.set(names::CLIP_RATIO_REGION_MEAN, spread(&share(|t| t.clipped_low || t.clipped_high)).0);
    let minus_log_ratios: Vec<f64> =
        steps.iter().flat_map(|s| &s.reports).flat_map(|r| &r.terms).map(|t| -t.ratio.ln()).collect();
    record.set(names::PPO_KL, spread(&minus_log_ratios).0);
}

/// The trainer's log-probabilities against the sampler's, where both are of the same weights: a sample's first pass,
/// before the step's first optimizer step.
fn gap(samples: &[Sample], steps: &[&StepReport], record: &mut StepMetrics) -> Vec<f64> {
    let Some(first) = steps.first() else { return Vec::new() };
    let mut gaps = Vec::new();
    for (&index, report) in first.samples.iter().zip(&first.reports) {
        let sample = &samples[index];
        let Some(mu) = &sample.mu else { continue };
        let learned = mu.iter().zip(&sample.learned).filter(|(_, learned)| **learned);
        for ((mu, _), lp) in learned.zip(&report.logprobs) {
            gaps.push(f64::from(lp - mu));
        }
    }
    if gaps.is_empty() {
        return gaps;
    }
    let absolute: Vec<f64> = gaps.iter().map(|g| g.abs()).collect();
    let (mean, _, max) = spread(&absolute);
    record.set(names::SAMPLING_LOGP_DIFFERENCE_MEAN, mean);
    record.set(names::SAMPLING_LOGP_DIFFERENCE_MAX, max);
    let ratios: Vec<f64> = gaps.iter().map(|g| g.exp()).collect();
    let (mean, min, max) = spread(&ratios);
    record.set(names::IMPORTANCE_SAMPLING_RATIO_MIN, min);
    record.set(names::IMPORTANCE_SAMPLING_RATIO_MEAN, mean);
    record.set(names::IMPORTANCE_SAMPLING_RATIO_MAX, max);
    gaps
}

/// How long the judges took.
pub(super) fn judging(sampled: &Sampled, timings: &mut StepTimings) {
    let mut run: Vec<f64> = sampled.judgements.iter().map(|j| j.run_s).collect();
    let queue: Vec<f64> = sampled.judgements.iter().map(|j| j.queue_s).collect();
    run.sort_by(f64::total_cmp);
    timings.set(names::VERDICTS_QUEUE_S, spread(&queue).0);
    timings.set(names::VERDICTS_RUN_S_MEAN, spread(&run).0);
    if let Some(p99) = run.get((run.len() * 99 / 100).min(run.len().saturating_sub(1))) {
        timings.set(names::VERDICTS_RUN_S_P99, *p99);
    }
}

/// Peak memory of this process in bytes: resident, as the kernel counts it.
#[must_use]
pub fn peak_resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|kb| kb.parse::<u64>().ok())
        .map_or(0, |kb| kb * 1024)
}
