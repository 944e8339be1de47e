//! Two evaluations of the same problems against each other, problem by problem.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::eval::stats::{paired, paired_means};
use crate::eval::{EvalReport, EvalSample};

/// Which answers count as right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Rule {
    /// By the recipe's own rule.
    Strict,
    /// With answers taken leniently.
    Lenient,
}

impl Rule {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Lenient => "lenient",
        }
    }

    fn is_right(self, sample: &EvalSample) -> bool {
        match self {
            Self::Strict => sample.right,
            Self::Lenient => sample.lenient,
        }
    }
}

/// What a difference lets one say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// The whole interval is above 0.
    Better,
    /// The whole interval is below 0.
    Worse,
    /// The interval holds 0.
    NoDifferenceShown,
}

/// After against before, over the same problems.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Comparison {
    /// Problems.
    pub(super) n: usize,
    /// The share of right answers after minus that before.
    pub(super) difference: f64,
    /// Its 95 % interval.
    pub(super) ci: [f64; 2],
    /// Problems that became right and that became wrong, where each has one sample.
    pub(super) gained_lost: Option<[u64; 2]>,
    /// McNemar's exact test, where each problem has one sample.
    pub(super) p_value: Option<f64>,
    /// What the interval lets one say.
    pub(super) verdict: Verdict,
}

/// Compares two reports, each by its own rule.
///
/// # Errors
/// Why they cannot be compared, in words.
pub(super) fn compare(
    (before, before_rule): (&EvalReport, Rule),
    (after, after_rule): (&EvalReport, Rule),
) -> Result<Comparison, String> {
    let earlier: BTreeMap<&str, &Vec<EvalSample>> =
        before.problems.iter().map(|problem| (problem.id.as_str(), &problem.samples)).collect();
    let mut pairs = Vec::with_capacity(after.problems.len());
    for problem in &after.problems {
        let Some(samples) = earlier.get(problem.id.as_str()) else {
            return Err(format!("problem {} was not evaluated before", problem.id));
        };
        pairs.push((*samples, &problem.samples));
    }
    if pairs.len() != before.problems.len() {
        return Err(format!(
            "{} problems were evaluated before and {} after",
            before.problems.len(),
            pairs.len()
        ));
    }
    let comparison = if pairs.iter().all(|(before, after)| before.len() == 1 && after.len() == 1) {
        let (old, new): (Vec<bool>, Vec<bool>) =
            pairs.iter().map(|(b, a)| (before_rule.is_right(&b[0]), after_rule.is_right(&a[0]))).unzip();
        let found = paired(&old, &new).map_err(|error| error.to_string())?;
        Comparison {
            n: pairs.len(),
            difference: found.difference,
            ci: [found.interval.low, found.interval.high],
            gained_lost: Some([found.gained, found.lost]),
            p_value: Some(found.p_value),
            verdict: Verdict::NoDifferenceShown,
        }
    } else {
        let share = |samples: &[EvalSample], rule: Rule| {
            let right = samples.iter().filter(|sample| rule.is_right(sample)).count();
            right as f64 / samples.len().max(1) as f64
        };
        let (old, new): (Vec<f64>, Vec<f64>) =
            pairs.iter().map(|(b, a)| (share(b, before_rule), share(a, after_rule))).unzip();
        let found = paired_means(&old, &new).map_err(|error| error.to_string())?;
        Comparison {
            n: pairs.len(),
            difference: found.mean,
            ci: [found.interval.low, found.interval.high],
            gained_lost: None,
            p_value: None,
            verdict: Verdict::NoDifferenceShown,
        }
    };
    let verdict = match comparison.ci {
        [low, _] if low > 0.0 => Verdict::Better,
        [_, high] if high < 0.0 => Verdict::Worse,
        _ => Verdict::NoDifferenceShown,
    };
    Ok(Comparison { verdict, ..comparison })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{problem, report};
    use super::*;

    #[test]
    fn problems_are_matched_by_id_and_not_by_place() {
        let before = report(0, &[("a", true, true), ("b", false, true), ("c", false, false)]);
        let after = report(0, &[("c", true, true), ("a", true, true), ("b", false, false)]);
        let strict = compare((&before, Rule::Strict), (&after, Rule::Strict)).unwrap();
        assert_eq!(strict.gained_lost, Some([1, 0]));
        assert!((strict.difference - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(strict.verdict, Verdict::NoDifferenceShown);
        let honest = compare((&before, Rule::Lenient), (&after, Rule::Strict)).unwrap();
        assert_eq!(honest.gained_lost, Some([1, 1]));
        assert_eq!(honest.difference, 0.0);
    }

    #[test]
    fn a_clear_difference_is_called_so_in_both_directions() {
        let names: Vec<String> = (0..40).map(|i| i.to_string()).collect();
        let of =
            |right: bool| report(0, &names.iter().map(|id| (id.as_str(), right, right)).collect::<Vec<_>>());
        let (bad, good) = (of(false), of(true));
        let verdict = |a, b| compare((a, Rule::Strict), (b, Rule::Strict)).unwrap().verdict;
        assert_eq!(verdict(&bad, &good), Verdict::Better);
        assert_eq!(verdict(&good, &bad), Verdict::Worse);
        assert_eq!(verdict(&good, &good), Verdict::NoDifferenceShown);
    }

    #[test]
    fn several_samples_are_averaged_first() {
        let mut before = report(0, &[("a", false, false), ("b", false, false)]);
        let mut after = before.clone();
        before.problems =
            vec![problem("a", &[(true, true), (false, true)]), problem("b", &[(false, false); 2])];
        after.problems =
            vec![problem("a", &[(true, true); 2]), problem("b", &[(true, true), (false, false)])];
        let found = compare((&before, Rule::Strict), (&after, Rule::Strict)).unwrap();
        assert_eq!((found.difference, found.gained_lost, found.n), (0.5, None, 2));
    }

    #[test]
    fn other_problems_cannot_be_compared() {
        let before = report(0, &[("a", true, true)]);
        let told = |after: &EvalReport| compare((&before, Rule::Strict), (after, Rule::Strict)).unwrap_err();
        assert_eq!(told(&report(0, &[("b", true, true)])), "problem b was not evaluated before");
        let none = EvalReport { problems: Vec::new(), ..before.clone() };
        assert_eq!(told(&none), "1 problems were evaluated before and 0 after");
    }
}
