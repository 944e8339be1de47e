//! The statistics of an evaluation: accuracy, pass@k and maj@k with 95 % intervals, and before against after.
//!
//! No resampling: every number here is a formula of its input, the same on every machine and every call.

use std::collections::BTreeMap;

use serde::Serialize;

/// The 0.975 quantile of the normal distribution: intervals cover 95 %.
pub const Z: f64 = 1.959_963_984_540_054;

/// An interval that covers the true value in 95 % of experiments.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// How an interval was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Wilson's score interval: for shares of right and wrong.
    Wilson,
    /// Mean ± z · standard error over problems: for values between.
    Normal,
}

/// A mean over problems.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Where the mean over all problems of this kind lies.
    pub interval: Interval,
    /// How the interval was made.
    pub method: Method,
    /// How many problems.
    pub n: usize,
}

/// The Wilson score interval of `num_right` in `n` (Wilson 1927), z = [`Z`]. Without any trial it is [0, 1].
/// A `num_right` above `n` counts as `n`.
#[must_use]
pub fn wilson(num_right: u64, n: u64) -> Interval {
    if n == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    wilson_of_share(num_right.min(n) as f64 / n as f64, n as f64)
}

fn wilson_of_share(share: f64, n: f64) -> Interval {
    let z2 = Z * Z;
    let center = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    // At a share of 0 or 1 the end is the share itself; rounding would leave it a hair beside.
    let low = if share == 0.0 { 0.0 } else { (center - half).max(0.0) };
    let high = if share == 1.0 { 1.0 } else { (center + half).min(1.0) };
    Interval { low, high }
}

/// The mean of one value in [0, 1] a problem, with an interval over problems: Wilson's where every value is 0 or 1 or
/// all are the same (a standard error of 0 would claim certainty; values in [0, 1] never vary more than 0s and 1s of the same mean),
/// else the normal one, cut to [0, 1]. Samples of one problem are not independent: average them first. None without a
/// problem.
#[must_use]
pub fn mean_over_problems(values: &[f64]) -> Option<Mean> {
    let n = values.len() as f64;
    let first = *values.first()?;
    let mean = values.iter().sum::<f64>() / n;
    let binary = values.iter().all(|value| *value == 0.0 || *value == 1.0);
    let same = values.iter().all(|value| *value == first);
    let (interval, method) = if binary || same {
        (wilson_of_share(mean.clamp(0.0, 1.0), n), Method::Wilson)
    } else {
        let half = Z * standard_error(values, mean);
        (Interval { low: (mean - half).max(0.0), high: (mean + half).min(1.0) }, Method::Normal)
    };
    Some(Mean { mean, interval, method, n: values.len() })
}

/// The standard error of the mean of at least two values, from the sample variance (divisor n − 1).
fn standard_error(values: &[f64], mean: f64) -> f64 {
    let n = values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (squares / (n - 1.0) / n).sqrt()
}

/// The unbiased estimate of the chance that at least one of `k` samples is right, from `n` samples of which
/// `num_right` are: 1 − C(n − c, k) / C(n, k) (Chen et al. 2021, §2.1), as a product that never overflows. None where
/// the samples cannot say: `k` is 0 or above `n`, or `num_right` above `n`.
#[must_use]
pub fn pass_at_k(n: u64, num_right: u64, k: u64) -> Option<f64> {
    if k == 0 || k > n || num_right > n {
        return None;
    }
    if n - num_right < k {
        return Some(1.0); // Every draw of k holds a right one.
    }
    let all_wrong: f64 = (n - num_right + 1..=n).map(|i| 1.0 - k as f64 / i as f64).product();
    Some(1.0 - all_wrong)
}

/// One sample as a voter: the answer it gives, and whether that is right. A sample without an answer does not vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// The extracted answer, in a form in which equal answers are equal strings.
    pub answer: Option<String>,
    /// Whether the verifier found it right.
    pub right: bool,
}

/// Whether the majority of the first `k` votes is right: 1, 0, or between where several answers tie for the most votes, which
/// share the credit evenly (as a draw among them would, on average; a tie never favours the right answer). Votes for
/// one answer that differ in `right` count it right by their share. 0 where nobody votes. None where there are fewer
/// than `k` samples or `k` is 0.
#[must_use]
pub fn majority_of_first(votes: &[Vote], k: usize) -> Option<f64> {
    let first = votes.get(..k).filter(|first| !first.is_empty())?;
    let answers = answers_of(first);
    let most = answers.iter().map(|answer| answer.count).max().unwrap_or(0);
    let tied: Vec<&Answer> = answers.iter().filter(|answer| answer.count == most).collect();
    if tied.is_empty() {
        return Some(0.0);
    }
    Some(tied.iter().map(|answer| answer.right).sum::<f64>() / tied.len() as f64)
}

/// The mean of [`majority_of_first`] over every choice of `k` of the votes: maj@k without the luck of the order. None
/// where there are fewer than `k` votes, `k` is 0, or there are more than 1000 votes (the counts of choices pass f64).
#[must_use]
pub fn majority_at_k(votes: &[Vote], k: usize) -> Option<f64> {
    const MAX_VOTES: usize = 1000;
    if k == 0 || k > votes.len() || votes.len() > MAX_VOTES {
        return None;
    }
    let choose = binomials(votes.len());
    let answers = answers_of(votes);
    let num_silent = votes.iter().filter(|vote| vote.answer.is_none()).count();
    // Answers with as many votes fare alike: what one wins is worked out once for each count.
    let mut rights: BTreeMap<usize, f64> = BTreeMap::new();
    for answer in &answers {
        *rights.entry(answer.count).or_default() += answer.right;
    }
    let won: f64 = rights
        .iter()
        .filter(|(_, right)| **right > 0.0)
        .map(|(count, right)| right * credit_of(*count, &answers, num_silent, k, &choose))
        .sum();
    Some(won / choose[votes.len()][k])
}

/// The credit that an answer with `count` votes wins, summed over every choice of `k` votes.
fn credit_of(count: usize, answers: &[Answer], num_silent: usize, k: usize, choose: &[Vec<f64>]) -> f64 {
    let mut others: Vec<usize> = answers.iter().map(|answer| answer.count).collect();
    if let Some(own) = others.iter().position(|other| *other == count) {
        others.swap_remove(own);
    }
    let mut credit = 0.0;
    for most in 1..=count.min(k) {
        let rest = k - most;
        // ways[t][p]: choices of p votes of the others seen so far, none with more than `most`, t of them with `most`.
        let mut ways = vec![vec![0.0; rest + 1]; rest / most + 1];
        for (picked, way) in ways[0].iter_mut().enumerate().take(num_silent + 1) {
            *way = choose[num_silent][picked];
        }
        for &other in &others {
            let mut next = vec![vec![0.0; rest + 1]; ways.len()];
            for (tied, row) in ways.iter().enumerate() {
                for (picked, way) in row.iter().enumerate().filter(|(_, way)| **way > 0.0) {
                    for more in 0..=other.min(most).min(rest - picked) {
                        next[tied + usize::from(more == most)][picked + more] += way * choose[other][more];
                    }
                }
            }
            ways = next;
        }
        let shared: f64 = ways.iter().enumerate().map(|(tied, row)| row[rest] / (tied + 1) as f64).sum();
        credit += choose[count][most] * shared;
    }
    credit
}

/// C(n, k) for n up to `max`: `[n][k]`, k from 0 to n.
fn binomials(max: usize) -> Vec<Vec<f64>> {
    let mut rows = vec![vec![1.0]];
    for n in 1..=max {
        let above: &Vec<f64> = &rows[n - 1];
        let inner = above.windows(2).map(|pair| pair[0] + pair[1]);
        rows.push(std::iter::once(1.0).chain(inner).chain([1.0]).collect());
    }
    rows
}

struct Answer {
    count: usize,
    /// The share of its votes that are right.
    right: f64,
}

/// The distinct answers, in the order of their text.
fn answers_of(votes: &[Vote]) -> Vec<Answer> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for vote in votes {
        if let Some(answer) = &vote.answer {
            let (count, num_right) = counts.entry(answer).or_default();
            *count += 1;
            *num_right += usize::from(vote.right);
        }
    }
    counts
        .into_values()
        .map(|(count, num_right)| Answer { count, right: num_right as f64 / count as f64 })
        .collect()
}

/// The same problems before and after.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// Right both times.
    pub both: u64,
    /// Wrong before, right after.
    pub gained: u64,
    /// Right before, wrong after.
    pub lost: u64,
    /// Wrong both times.
    pub neither: u64,
    /// Accuracy after minus accuracy before.
    pub difference: f64,
    /// Of the difference: Agresti and Min's (2005) adjusted Wald interval, which adds ½ to each of the four counts.
    pub interval: Interval,
    /// McNemar's exact two-sided test: how likely at least so uneven a split of gained and lost is by chance alone.
    pub p_value: f64,
}

/// Two evaluations that cannot be compared problem by problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairError {
    /// Different numbers of problems.
    #[error(
        "expected the same problems before and after, found {before} and {after}: evaluate both on the same set"
    )]
    Lengths {
        /// Problems before.
        before: usize,
        /// Problems after.
        after: usize,
    },
    /// Too few problems for an interval.
    #[error("expected at least {needed} problems to compare, found {found}")]
    TooFew {
        /// How many it takes.
        needed: usize,
        /// How many there are.
        found: usize,
    },
}

fn check_pairs<T>(before: &[T], after: &[T], needed: usize) -> Result<(), PairError> {
    if before.len() != after.len() {
        return Err(PairError::Lengths { before: before.len(), after: after.len() });
    }
    if before.len() < needed {
        return Err(PairError::TooFew { needed, found: before.len() });
    }
    Ok(())
}

/// Compares two evaluations with one answer a problem; entry i of both is the same problem.
///
/// # Errors
/// When the lengths differ or there is no problem.
pub fn paired(before: &[bool], after: &[bool]) -> Result<Paired, PairError> {
    check_pairs(before, after, 1)?;
    let count = |b: bool, a: bool| before.iter().zip(after).filter(|pair| *pair == (&b, &a)).count() as u64;
    let (both, gained, lost, neither) =
        (count(true, true), count(false, true), count(true, false), count(false, false));
    let n = before.len() as f64;
    let change = gained as f64 - lost as f64;
    let adjusted = n + 2.0;
    let variance = (gained + lost) as f64 + 1.0 - change * change / adjusted;
    let half = Z * variance.sqrt() / adjusted;
    let center = change / adjusted;
    let interval = Interval { low: (center - half).max(-1.0), high: (center + half).min(1.0) };
    Ok(Paired {
        both,
        gained,
        lost,
        neither,
        difference: change / n,
        interval,
        p_value: mcnemar(gained, lost),
    })
}

/// Twice the chance that a fair coin thrown gained + lost times shows its rarer side at most min(gained, lost) times.
fn mcnemar(gained: u64, lost: u64) -> f64 {
    let n = gained + lost;
    // ln C(n, i) − n ln 2, from one i to the next; logarithms, because 2^−n leaves f64 at n = 1075.
    let mut ln_term = -(n as f64) * std::f64::consts::LN_2;
    let mut tail = ln_term.exp();
    for i in 1..=gained.min(lost) {
        ln_term += ((n - i + 1) as f64 / i as f64).ln();
        tail += ln_term.exp();
    }
    (2.0 * tail).min(1.0)
}

/// Compares two evaluations with a value in [0, 1] a problem (the mean of several samples): the mean difference with
/// its normal interval over problems, within [−1, 1].
///
/// # Errors
/// When the lengths differ or there are fewer than two problems.
pub fn paired_means(before: &[f64], after: &[f64]) -> Result<Mean, PairError> {
    check_pairs(before, after, 2)?;
    let differences: Vec<f64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    let n = differences.len();
    let mean = differences.iter().sum::<f64>() / n as f64;
    let half = Z * standard_error(&differences, mean);
    let interval = Interval { low: (mean - half).max(-1.0), high: (mean + half).min(1.0) };
    Ok(Mean { mean, interval, method: Method::Normal, n })
}

#[cfg(test)]
#[path = "stats_tests.rs"]
mod tests;
