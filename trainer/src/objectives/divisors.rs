//! What token losses are divided by. The counts are those of the whole optimizer step, taken before any forward pass,
//! so that how the step is cut into micro-batches changes no result.

use super::LossSpec;
use crate::recipe::Aggregation;
use crate::rollout::Sample;

/// The counts of one optimizer step and what is made of them. Counts of several processes add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divisors {
    /// How token losses become one number.
    pub aggregation: Aggregation,
    /// Learned tokens of the step.
    pub num_tokens: usize,
    /// Samples of the step that have a learned token; a sample with nothing to average is not in the mean.
    pub num_responses: usize,
    /// The limit of new tokens, for [`Aggregation::Constant`].
    pub max_new_tokens: usize,
}

impl Divisors {
    /// Counts all samples of one optimizer step.
    #[must_use]
    pub fn new<'a>(spec: &LossSpec, samples: impl IntoIterator<Item = &'a Sample>) -> Self {
        let mut divisors = Self {
            aggregation: spec.aggregation,
            num_tokens: 0,
            num_responses: 0,
            max_new_tokens: spec.max_new_tokens,
        };
        for num_learned in samples.into_iter().map(num_learned) {
            divisors.num_tokens += num_learned;
            divisors.num_responses += usize::from(num_learned > 0);
        }
        divisors
    }

    /// The factor of each token's loss, and of its derivative, in a sample that was counted; 0 if nothing is learned.
    #[must_use]
    pub fn weight_of(&self, sample: &Sample) -> f64 {
        self.weight_of_length(num_learned(sample))
    }

    /// [`weight_of`](Self::weight_of) a sample with so many learned tokens.
    #[must_use]
    pub fn weight_of_length(&self, num_learned: usize) -> f64 {
        if num_learned == 0 {
            return 0.0;
        }
        let (tokens, responses) = (self.num_tokens as f64, self.num_responses as f64);
        let divisor = match self.aggregation {
            Aggregation::TokenMean => tokens,
            Aggregation::SequenceMean => responses * num_learned as f64,
            Aggregation::Constant => responses * self.max_new_tokens as f64,
            Aggregation::SequenceSum => responses,
        };
        1.0 / divisor
    }
}

fn num_learned(sample: &Sample) -> usize {
    sample.learned.iter().filter(|&&learned| learned).count()
}
