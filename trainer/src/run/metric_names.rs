//! The name of everything that a run measures, in one place, so that none is misspelt: TRL's flat name where it has
//! one, verl's for `timing_s` and `perf`, our own for what neither has. Dashboards made for those trainers fit.
//!
//! Two types, because two files: a [`Metric`] repeats exactly from run to run, a [`Timing`] does not.

use std::borrow::Cow;

/// The name of a value that two runs of one recipe have in common to the last bit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metric(Cow<'static, str>);

/// The name of a value that depends on the machine and the moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timing(Cow<'static, str>);

/// Either kind of name.
pub trait Name: Ord {
    /// The name as it stands in the files.
    fn as_str(&self) -> &str;
}

impl Name for Metric {
    fn as_str(&self) -> &str {
        &self.0
    }
}

impl Name for Timing {
    fn as_str(&self) -> &str {
        &self.0
    }
}

impl Metric {
    const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// A name that only one algorithm has; shared ones are constants of this module.
    #[must_use]
    pub fn of_algorithm(name: &'static str) -> Self {
        Self::new(name)
    }

    /// A name that was saved.
    pub(super) fn saved(name: String) -> Self {
        Self(Cow::Owned(name))
    }
}

impl Timing {
    /// A stage's own figure, with a name that no table lists.
    #[must_use]
    pub fn of_stage(name: &'static str) -> Self {
        Self::new(name)
    }

    const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }
}

/// Declares constants: the name's identifier, its text, its meaning.
macro_rules! names {
    ($kind:ident: $($ident:ident = $text:literal, $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $ident: $kind = $kind::new($text);)*
    };
}

names! { Metric:
    REWARD = "reward", "The mean score over the judged responses.";
    REWARD_STD = "reward_std", "The mean over groups of the standard deviation of their scores.";
    FRAC_REWARD_ZERO_STD = "frac_reward_zero_std",
        "The share of groups whose scores are all the same: they give no policy gradient.";
    COMPLETIONS_MEAN_LENGTH = "completions/mean_length", "The mean length of the responses, tokens.";
    COMPLETIONS_MIN_LENGTH = "completions/min_length", "The shortest response, tokens.";
    COMPLETIONS_MAX_LENGTH = "completions/max_length", "The longest response, tokens.";
    COMPLETIONS_MEAN_TERMINATED_LENGTH = "completions/mean_terminated_length",
        "The mean length of the responses that ended themselves, tokens.";
    COMPLETIONS_MIN_TERMINATED_LENGTH = "completions/min_terminated_length",
        "The shortest response that ended itself, tokens.";
    COMPLETIONS_MAX_TERMINATED_LENGTH = "completions/max_terminated_length",
        "The longest response that ended itself, tokens.";
    COMPLETIONS_CLIPPED_RATIO = "completions/clipped_ratio",
        "The share of responses that the token limit cut off.";
    PROMPTS_MEAN_LENGTH = "prompts/mean_length", "The mean length of the prompts, tokens.";
    ENTROPY = "entropy", "The mean entropy of the policy at learned tokens, nats.";
    KL = "kl", "The mean estimate of the KL divergence to the reference at learned tokens, nats.";
    CLIP_RATIO_LOW_MEAN = "clip_ratio/low_mean", "The share of learned tokens that the lower clip holds.";
    CLIP_RATIO_LOW_MIN = "clip_ratio/low_min", "The least such share of an optimizer step.";
    CLIP_RATIO_HIGH_MEAN = "clip_ratio/high_mean", "The share of learned tokens that the upper clip holds.";
    CLIP_RATIO_HIGH_MAX = "clip_ratio/high_max", "The greatest such share of an optimizer step.";
    CLIP_RATIO_REGION_MEAN = "clip_ratio/region_mean", "The share of learned tokens that either clip holds.";
    PPO_KL = "ppo_kl", "The mean of old minus new log-probability at learned tokens, nats.";
    LOSS = "loss", "The loss, as the optimizer saw it.";
    GRAD_NORM = "grad_norm", "The gradient's L2 norm before it was scaled down.";
    LEARNING_RATE = "learning_rate", "The learning rate of the step's last optimizer step.";
    EPOCH = "epoch", "Passes over the training data so far.";
    SAMPLING_LOGP_DIFFERENCE_MEAN = "sampling/sampling_logp_difference/mean",
        "The mean absolute difference of the sampler's and trainer's log-probabilities, nats.";
    SAMPLING_LOGP_DIFFERENCE_MAX = "sampling/sampling_logp_difference/max",
        "The greatest such difference, nats.";
    IMPORTANCE_SAMPLING_RATIO_MIN = "sampling/importance_sampling_ratio/min",
        "The least ratio of the trainer's to the sampler's probability.";
    IMPORTANCE_SAMPLING_RATIO_MEAN = "sampling/importance_sampling_ratio/mean", "The mean of that ratio.";
    IMPORTANCE_SAMPLING_RATIO_MAX = "sampling/importance_sampling_ratio/max", "The greatest such ratio.";
    NUM_TOKENS = "num_tokens", "Tokens so far, prompts and responses.";
    VERDICTS_JUDGED_RATIO = "verdicts/judged_ratio", "The share of responses that got a score.";
    VERDICTS_UNDECIDED_RATIO = "verdicts/undecided_ratio",
        "The share of responses that did not, through no fault of theirs.";
}

names! { Timing:
    STEP_TIME = "step_time", "Seconds of the whole step.";
    TIMING_ROLLOUT = "timing_s/rollout", "Seconds of sampling.";
    TIMING_VERIFY = "timing_s/verify", "Seconds of waiting for verdicts after sampling was done.";
    TIMING_SCORE = "timing_s/score", "Seconds of log-probabilities under old and reference weights.";
    TIMING_UPDATE = "timing_s/update", "Seconds of the update.";
    TIMING_SAVE = "timing_s/save", "Seconds of writing a checkpoint.";
    TIMING_EVAL = "timing_s/eval", "Seconds of evaluation.";
    PERF_THROUGHPUT = "perf/throughput",
        "Tokens a second a GPU (or a process, without one), over the whole step.";
    PERF_MAX_MEMORY_ALLOCATED_GB = "perf/max_memory_allocated_gb",
        "Peak resident memory of the process, 10^9 bytes, where the model is on the CPU.";
    PERF_CPU_MEMORY_USED_GB = "perf/cpu_memory_used_gb",
        "Peak resident memory of the process, 10^9 bytes, where the model is on a GPU, whose own memory is not measured.";
    VERDICTS_QUEUE_S = "verdicts/queue_s", "Mean seconds that a response waited for a judge.";
    VERDICTS_RUN_S_MEAN = "verdicts/run_s/mean", "Mean seconds that a judge took.";
    VERDICTS_RUN_S_P99 = "verdicts/run_s/p99", "The 99th percentile of the seconds that a judge took.";
}

/// TensorBoard's tag for the histogram of the sampler gap of each token, nats. Histograms are in no JSONL file.
pub const SAMPLING_LOGP_DIFFERENCE_HISTOGRAM: &str = "sampling/sampling_logp_difference/histogram";

/// The mean score of one verifier, by its name in the recipe.
#[must_use]
pub fn verifier_mean(verifier: &str) -> Metric {
    Metric(format!("rewards/{verifier}/mean").into())
}

/// The standard deviation of one verifier's scores.
#[must_use]
pub fn verifier_std(verifier: &str) -> Metric {
    Metric(format!("rewards/{verifier}/std").into())
}

/// The accuracy on an evaluation set, by its name in the recipe.
#[must_use]
pub fn eval_acc(set: &str) -> Metric {
    Metric(format!("eval/{set}/acc").into())
}

/// The chance that one of `k` samples is right, on an evaluation set.
#[must_use]
pub fn eval_pass_at(set: &str, k: usize) -> Metric {
    Metric(format!("eval/{set}/pass@{k}").into())
}

/// The chance that the majority of `k` samples is right, on an evaluation set.
#[must_use]
pub fn eval_maj_at(set: &str, k: usize) -> Metric {
    Metric(format!("eval/{set}/maj@{k}").into())
}
