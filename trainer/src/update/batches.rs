//! Which samples make an optimizer step, and which of those go through the model together. Micro-batches bound memory
//! and change no result beyond rounding: divisors come from the whole optimizer step.

use rand_core::RngCore;

use crate::rollout::Sample;
use crate::seeds::keyed_rng;

/// The samples of each optimizer step of one training step, as indices into its samples.
///
/// A pass over the samples is shuffled by (seed, step, pass). Without `steps` there are `epochs` passes, each cut into
/// batches of `batch`, a last short one kept. With `steps` so many batches are cut from passes laid end to end: all are
/// full, and no sample is left out of a pass or comes again before every other has come.
#[must_use]
pub fn optimizer_steps(
    num_samples: usize,
    batch: Option<usize>,
    epochs: u64,
    steps: Option<u64>,
    seed: u64,
    step: u64,
) -> Vec<Vec<usize>> {
    if num_samples == 0 {
        return Vec::new();
    }
    let batch = batch.unwrap_or(num_samples).clamp(1, num_samples);
    let passes = (0u64..).map(|pass| shuffled(num_samples, seed, step, pass));
    match steps {
        None => {
            let cut = |order: Vec<usize>| order.chunks(batch).map(<[usize]>::to_vec).collect::<Vec<_>>();
            (0..epochs).zip(passes).flat_map(|(_, order)| cut(order)).collect()
        }
        Some(steps) => {
            let mut samples = passes.flatten();
            (0..steps).map(|_| samples.by_ref().take(batch).collect()).collect()
        }
    }
}

fn shuffled(n: usize, seed: u64, step: u64, pass: u64) -> Vec<usize> {
    let mut rng = keyed_rng("samples", &[&seed.to_le_bytes(), &step.to_le_bytes(), &pass.to_le_bytes()]);
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        // The bias of a remainder of 64 random bits is far below anything a run could notice.
        let j = (rng.next_u64() % (i as u64 + 1)) as usize;
        order.swap(i, j);
    }
    order
}

/// Groups samples of similar length so that each group holds at most `max_tokens` tokens (or one sample).
#[must_use]
pub fn micro_batches(samples: &[&Sample], max_tokens: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..samples.len()).collect();
    order.sort_by_key(|&index| (samples[index].ids.len(), index));
    let mut out: Vec<Vec<usize>> = Vec::new();
    let mut tokens = 0;
    for index in order {
        let length = samples[index].ids.len();
        match out.last_mut() {
            Some(last) if tokens + length <= max_tokens => last.push(index),
            _ => {
                out.push(vec![index]);
                tokens = 0;
            }
        }
        tokens += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::Ratio;

    fn sample(length: usize) -> Sample {
        Sample {
            problem: "p".into(),
            ids: vec![0; length],
            learned: vec![false; length],
            weights: vec![0.0; length],
            old: None,
            mu: None,
            reference: None,
            ratio: Ratio::None,
        }
    }

    #[test]
    fn every_pass_holds_every_sample_once() {
        let steps = optimizer_steps(10, Some(4), 2, None, 1, 1);
        assert_eq!(steps.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2, 4, 4, 2]);
        let mut first: Vec<usize> = steps[..3].concat();
        first.sort_unstable();
        assert_eq!(first, (0..10).collect::<Vec<_>>());
        assert_ne!(steps[..3].concat(), steps[3..].concat(), "passes are shuffled apart");
    }

    #[test]
    fn counted_steps_are_exactly_counted() {
        for (n, batch) in [(3, Some(8)), (10, Some(4)), (1, None)] {
            let steps = optimizer_steps(n, batch, 1, Some(7), 1, 1);
            assert_eq!(steps.len(), 7);
            let size = batch.unwrap_or(n).min(n);
            assert!(steps.iter().all(|s| s.len() == size), "{n} {batch:?}");
            let passes = steps.concat();
            for pass in passes.chunks_exact(n) {
                let mut pass = pass.to_vec();
                pass.sort_unstable();
                assert_eq!(pass, (0..n).collect::<Vec<_>>(), "no sample is left out: {n} {batch:?}");
            }
        }
        assert!(optimizer_steps(0, None, 1, Some(7), 1, 1).is_empty());
    }

    #[test]
    fn micro_batches_hold_every_sample_within_the_limit() {
        let samples: Vec<Sample> = [5, 30, 7, 7, 100, 1].map(sample).into();
        let all: Vec<&Sample> = samples.iter().collect();
        let cut = micro_batches(&all, 40);
        let mut seen: Vec<usize> = cut.concat();
        seen.sort_unstable();
        assert_eq!(seen, (0..6).collect::<Vec<_>>());
        for group in cut {
            let tokens: usize = group.iter().map(|&i| samples[i].ids.len()).sum();
            assert!(tokens <= 40 || group.len() == 1);
        }
    }
}
