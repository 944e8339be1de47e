//! Tests of the evaluation's statistics against numbers from elsewhere and against brute force.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "found {found}, expected {expected} within {tolerance}");
}

/// Python, `from statistics import NormalDist; NormalDist().inv_cdf(0.975)`, which is right to about 1e-15.
#[test]
fn z_is_the_normal_quantile() {
    close(Z, 1.9599639845400536, 1e-15);
}

/// Wilson's bounds solve (p̂ − p)² = z² p (1 − p) / n for p: put back, both ends must satisfy the equation.
#[test]
fn wilson_bounds_solve_their_equation() {
    for (right, n) in [(1u64, 3u64), (8, 10), (50, 100), (999, 1000), (1, 1_000_000)] {
        let Interval { low, high } = wilson(right, n);
        let share = right as f64 / n as f64;
        assert!(low < share && share < high);
        for p in [low, high] {
            close((share - p).powi(2), Z * Z * p * (1.0 - p) / n as f64, 1e-14);
        }
    }
    // All right: the lower end solves (1 − p)² = z² p (1 − p) / n, so p = n / (n + z²). None right: the mirror image.
    let Interval { low, high } = wilson(10, 10);
    close(low, 10.0 / (10.0 + Z * Z), 1e-15);
    assert_eq!(high, 1.0);
    let Interval { low, high } = wilson(0, 10);
    assert_eq!(low, 0.0);
    close(high, Z * Z / (10.0 + Z * Z), 1e-15);
    assert_eq!(wilson(0, 0), Interval { low: 0.0, high: 1.0 });
    assert_eq!(wilson(7, 5), wilson(5, 5));
}

/// Newcombe 1998 (Statistics in Medicine 17, 857-872), table I, method 3: 81/263, 15/148, 0/20 and 1/29.
#[test]
fn wilson_gives_newcombes_published_numbers() {
    for (right, n, low, high) in
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
    {
        let interval = wilson(right, n);
        close(interval.low, low, 5e-5);
        close(interval.high, high, 5e-5);
    }
}

#[test]
fn means_say_how_their_interval_was_made() {
    assert_eq!(mean_over_problems(&[]), None);
    let binary = mean_over_problems(&[1.0, 0.0, 1.0, 1.0]).unwrap();
    assert_eq!((binary.mean, binary.method, binary.n), (0.75, Method::Wilson, 4));
    assert_eq!(binary.interval, wilson(3, 4));
    let same = mean_over_problems(&[0.5; 4]).unwrap();
    assert_eq!((same.method, same.interval), (Method::Wilson, wilson(2, 4)));
    // Mean 0.5, deviations −0.25, 0, 0.25: sample variance 0.125 / 2 = 0.0625, standard error sqrt(0.0625 / 3).
    let between = mean_over_problems(&[0.25, 0.5, 0.75]).unwrap();
    assert_eq!((between.mean, between.method), (0.5, Method::Normal));
    close(between.interval.low, 0.5 - Z * 0.25 / 3f64.sqrt(), 1e-15);
    close(between.interval.high, 0.5 + Z * 0.25 / 3f64.sqrt(), 1e-15);
    let wide = mean_over_problems(&[0.0, 0.9]).unwrap();
    assert_eq!(wide.interval, Interval { low: 0.0, high: 1.0 });
}

/// The share of the subsets of k of n samples for which `wins` holds, by going through all of them.
fn over_all_subsets(n: usize, k: usize, credit: impl Fn(&[usize]) -> f64) -> f64 {
    let (mut total, mut num_subsets) = (0.0, 0.0);
    for mask in 0u32..1 << n {
        if mask.count_ones() as usize == k {
            let chosen: Vec<usize> = (0..n).filter(|i| mask >> i & 1 == 1).collect();
            total += credit(&chosen);
            num_subsets += 1.0;
        }
    }
    total / num_subsets
}

#[test]
fn pass_at_k_is_the_share_of_subsets_with_a_right_one() {
    // 1 − C(7, 5) / C(10, 5) = 1 − 21 / 252 = 11 / 12, and 1 − 7 / 10.
    close(pass_at_k(10, 3, 5).unwrap(), 0.916667, 5e-7);
    close(pass_at_k(10, 3, 1).unwrap(), 0.300000, 5e-7);
    for n in 1..=9 {
        for right in 0..=n {
            for k in 1..=n {
                let brute =
                    over_all_subsets(n, k, |chosen| f64::from(chosen.iter().any(|sample| *sample < right)));
                close(pass_at_k(n as u64, right as u64, k as u64).unwrap(), brute, 1e-12);
            }
        }
    }
    // C(999999, 1000) / C(1000000, 1000) = 999000 / 1000000: the factorials would overflow.
    close(pass_at_k(1_000_000, 1, 1000).unwrap(), 0.001, 1e-12);
    assert_eq!(pass_at_k(4, 1, 0), None);
    assert_eq!(pass_at_k(4, 1, 5), None);
    assert_eq!(pass_at_k(4, 5, 1), None);
}

/// One vote a letter: a capital is a right answer, `-` is no answer.
fn votes(text: &str) -> Vec<Vote> {
    let vote =
        |letter: char| Vote { answer: (letter != '-').then(|| letter.into()), right: letter.is_uppercase() };
    text.chars().map(vote).collect()
}

#[test]
fn the_majority_wins_and_ties_share_evenly() {
    for (text, k, expected) in [
        ("AAb", 3, 1.0),
        ("bbA", 3, 0.0),
        ("Ab", 2, 0.5),
        ("bA", 2, 0.5),
        ("bA", 1, 0.0),
        ("Abc", 3, 1.0 / 3.0),
        ("AAbbc", 5, 0.5),
        ("ABc", 3, 2.0 / 3.0),
        ("---A", 4, 1.0),
        ("---A", 3, 0.0),
    ] {
        close(majority_of_first(&votes(text), k).unwrap(), expected, 1e-15);
    }
    assert_eq!(majority_of_first(&votes("A"), 2), None);
    assert_eq!(majority_of_first(&votes("A"), 0), None);
    let mixed = [true, false].map(|right| Vote { answer: Some("x".into()), right });
    assert_eq!(majority_of_first(&mixed, 2), Some(0.5));
}

#[test]
fn maj_at_k_by_hand() {
    // AAb, k = 2: AA wins (1 of 3 pairs), Ab ties (2 of 3) for a half each: 1/3 + 2/3 · 1/2 = 2/3.
    close(majority_at_k(&votes("AAb"), 2).unwrap(), 2.0 / 3.0, 1e-15);
    assert_eq!(majority_at_k(&votes("AAb"), 4), None);
    assert_eq!(majority_at_k(&votes("AAb"), 0), None);
    assert_eq!(majority_at_k(&votes(&"A".repeat(1001)), 2), None);
    // The largest size that is taken: all choices still count, and the answer of all is the answer of any.
    close(majority_at_k(&votes(&"A".repeat(1000)), 500).unwrap(), 1.0, 1e-9);
    close(majority_at_k(&votes(&("A".repeat(600) + &"b".repeat(400))), 1).unwrap(), 0.6, 1e-9);
}

#[test]
fn paired_counts_difference_and_test() {
    let before = [true, true, true, false, false, false, false, false, false, false];
    let after = [true, true, false, true, true, true, true, true, false, false];
    let paired = super::paired(&before, &after).unwrap();
    assert_eq!((paired.both, paired.gained, paired.lost, paired.neither), (2, 5, 1, 2));
    close(paired.difference, 0.4, 1e-15);
    // Six that changed, one of them against: 2 · (C(6,0) + C(6,1)) / 2^6 = 14 / 64.
    close(paired.p_value, 14.0 / 64.0, 1e-15);
    // With ½ added to each count: 5.5 gained, 1.5 lost of 12; the difference 4/12 has variance (7 − 4²/12) / 12².
    let half = 1.959963984540054 * ((7.0 - 16.0 / 12.0) / 144.0f64).sqrt();
    close(paired.interval.low, 4.0 / 12.0 - half, 1e-15);
    close(paired.interval.high, 4.0 / 12.0 + half, 1e-15);

    let same = super::paired(&before, &before).unwrap();
    assert_eq!((same.difference, same.p_value), (0.0, 1.0));
    assert!(same.interval.low < 0.0 && same.interval.high > 0.0);
    assert_eq!(super::paired(&before, &after[1..]), Err(PairError::Lengths { before: 10, after: 9 }));
    assert_eq!(super::paired(&[], &[]), Err(PairError::TooFew { needed: 1, found: 0 }));
}

/// Python, `from fractions import Fraction; from math import comb`, then
/// `float(2 * sum(Fraction(comb(n, i), 2**n) for i in range(m + 1)))`.
#[test]
fn mcnemar_is_the_binomial_tail() {
    close(mcnemar(0, 0), 1.0, 0.0);
    close(mcnemar(10, 10), 1.0, 0.0);
    close(mcnemar(3, 12) / 0.03515625, 1.0, 1e-12);
    close(mcnemar(900, 1100) / 8.457089535503927e-06, 1.0, 1e-10);
}

#[test]
fn paired_means_by_hand() {
    // Differences 0.5, 0, 0.25: mean 0.25, sample variance 0.125 / 2, standard error sqrt(0.0625 / 3).
    let mean = paired_means(&[0.25, 0.5, 0.5], &[0.75, 0.5, 0.75]).unwrap();
    assert_eq!((mean.mean, mean.method, mean.n), (0.25, Method::Normal, 3));
    close(mean.interval.low, 0.25 - Z * 0.25 / 3f64.sqrt(), 1e-15);
    close(mean.interval.high, 0.25 + Z * 0.25 / 3f64.sqrt(), 1e-15);
    assert_eq!(paired_means(&[0.5], &[0.5]), Err(PairError::TooFew { needed: 2, found: 1 }));
}

proptest! {
    /// Against the definition: every choice of k votes, each judged by the majority of its own.
    #[test]
    fn maj_at_k_is_the_mean_over_all_choices(text in "[ABcde-]{1,9}", k in 1usize..9) {
        let votes = votes(&text);
        prop_assume!(k <= votes.len());
        let brute = over_all_subsets(votes.len(), k, |chosen| {
            let chosen: Vec<Vote> = chosen.iter().map(|sample| votes[*sample].clone()).collect();
            majority_of_first(&chosen, k).unwrap()
        });
        prop_assert!((majority_at_k(&votes, k).unwrap() - brute).abs() < 1e-12);
    }
}
