//! `rubric`: several verifiers as one, with weights and gates. This file is the rule that makes one verdict of many, and
//! [`rubric`](crate::configure) is the kind of verifier that judges by it; a trainer that asks the parts itself combines
//! their verdicts by the same rule.
//!
//! # The rule
//!
//! The parts are taken in their order.
//!
//! * A part that is undecided makes the whole undecided, with the part's name in the cause.
//! * A **gate** whose score is below its `success` ends it: the whole is judged with score 0, with the part's kind (`wrong`
//!   where that is `partial`), and the reason says which gate. What the parts after it say does not count, and they need not be asked.
//! * A gate that is passed leaves no trace where its weight is 0, which is the default for gates. With a weight it is a part
//!   like others beside.
//! * What is left is judged by the mean of the scores with the parts' weights. It is `right` where every part reaches its
//!   `success`, gates too; otherwise `partial`. Where only one part is left, its own verdict is the whole's.
//!
//! A part that shapes the reward and has no say in what is right, a length penalty for example, has `success = 0`.

mod parts;
#[cfg(test)]
mod tests;

use crate::verdict::{CauseKind, Kind, Score, Verdict};

pub(crate) use parts::configure;

/// The kind's name in recipes and on the command line.
pub(crate) const NAME: &str = "rubric";
/// One line for help texts.
pub(crate) const ABOUT: &str = "several verifiers as one, with weights and gates";

/// What a part of a rubric has a say in.
#[derive(Clone, Debug, PartialEq)]
pub struct PartRule {
    /// Names the part in reasons, and its reference in the data.
    pub name: String,
    /// Its share in the mean, not negative. See [`default_weight`].
    pub weight: f64,
    /// The score, in [0, 1], from which it counts as reached.
    pub success: f64,
    /// Whether the whole is worth nothing where this part does not reach its `success`.
    pub gate: bool,
}

impl PartRule {
    /// Whether the whole is decided by this part's verdict, or cannot be decided, so that the parts after it need not be
    /// asked.
    #[must_use]
    pub fn ends(&self, verdict: &Verdict) -> bool {
        verdict.score().is_none_or(|score| self.gate && score.get() < self.success)
    }

    /// Whether a part that is reached has no say in the mean.
    fn is_only_gate(&self) -> bool {
        self.gate && self.weight == 0.0
    }
}

/// The weight of a part that is given none: 0 for a gate, 1 for any other.
#[must_use]
pub fn default_weight(gate: bool) -> f64 {
    if gate { 0.0 } else { 1.0 }
}

/// Refuses rules that cannot be meant.
///
/// # Errors
/// Says which part has what and what it should be: no parts, two of one name, a weight that is negative or no number, no
/// weight above 0, a success outside of [0, 1], a gate that everything passes.
pub fn check(rules: &[PartRule]) -> Result<(), String> {
    if rules.is_empty() {
        return Err("`parts` must be a list of at least one verifier, found none".to_owned());
    }
    for (index, PartRule { name, weight, success, gate }) in rules.iter().enumerate() {
        if rules[..index].iter().any(|other| other.name == *name) {
            return Err(format!("two parts have the name `{name}`: give each a `name` of its own"));
        }
        if !(weight.is_finite() && *weight >= 0.0) {
            return Err(format!("part `{name}`: `weight` must be a number from 0, found {weight}"));
        }
        if !(0.0..=1.0).contains(success) {
            return Err(format!("part `{name}`: `success` must be from 0 to 1, found {success}"));
        }
        if *gate && *success == 0.0 {
            return Err(format!("part `{name}`: `success` of a gate must be above 0: each score would pass"));
        }
    }
    let total: f64 = rules.iter().map(|rule| rule.weight).sum();
    if total == 0.0 {
        let names = rules.iter().map(|rule| format!("`{}`", rule.name)).collect::<Vec<_>>().join(", ");
        return Err(format!(
            "`weight` must be above 0 for at least one of the parts {names}; a gate has weight 0 unless set"
        ));
    }
    if !total.is_finite() {
        return Err("`weight` must be smaller: the sum of the parts' weights is no number".to_owned());
    }
    Ok(())
}

/// What the parts of a rubric come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Combined {
    /// The whole's verdict.
    pub verdict: Verdict,
    /// Whether every part reaches its `success`.
    pub right: bool,
}

impl Combined {
    fn not_right(verdict: Verdict) -> Self {
        Self { verdict, right: false }
    }
}

/// Makes one verdict of the parts' by the rule of the [module](self). `verdicts` are in the order of `rules`, which pass
/// [`check`]; none for a part that was not asked because one before it [ends](PartRule::ends) it. One that is missing
/// otherwise is undecided.
#[must_use]
pub fn combine(rules: &[PartRule], verdicts: &[Option<Verdict>]) -> Combined {
    let is_alone = rules.len() == 1;
    let mut right = true;
    let mut left: Vec<(&PartRule, &Verdict, Score)> = Vec::with_capacity(rules.len());
    for (index, rule) in rules.iter().enumerate() {
        let name = &rule.name;
        let Some(verdict) = verdicts.get(index).and_then(Option::as_ref) else {
            let cause = format!("part `{name}` has not been asked");
            return Combined::not_right(Verdict::undecided(CauseKind::Declined, cause));
        };
        let (score, kind) = match verdict {
            Verdict::Judged { score, kind, .. } => (*score, *kind),
            Verdict::Undecided { .. } if is_alone => return Combined::not_right(verdict.clone()),
            Verdict::Undecided { cause } => {
                let message = format!("part `{name}`: {}", cause.message);
                return Combined::not_right(Verdict::undecided(cause.kind, message));
            }
        };
        if rule.ends(verdict) {
            let reason = format!("the gate `{name}` is not passed: {}", verdict.reason());
            let extracted = verdict.extracted().map(str::to_owned);
            // A score of 0 is not partly right, as the part's own may have been.
            let kind = if matches!(kind, Kind::Right | Kind::Partial) { Kind::Wrong } else { kind };
            return Combined::not_right(Verdict::zero(kind, reason, extracted));
        }
        right &= score.get() >= rule.success;
        left.push((rule, verdict, score));
    }
    if left.iter().any(|(rule, ..)| !rule.is_only_gate()) {
        left.retain(|(rule, ..)| !rule.is_only_gate());
    }
    let verdict = match left.as_slice() {
        [] => return Combined::not_right(Verdict::undecided(CauseKind::Declined, "there are no parts")),
        [(_, only, _)] => (*only).clone(),
        parts => mean(parts, right),
    };
    Combined { verdict, right }
}

/// The weighted mean of several parts.
fn mean(parts: &[(&PartRule, &Verdict, Score)], right: bool) -> Verdict {
    let total: f64 = parts.iter().map(|(rule, ..)| rule.weight).sum();
    let sum: f64 = parts.iter().map(|(rule, _, score)| rule.weight * score.get()).sum();
    let reasons: Vec<String> =
        parts.iter().map(|(rule, verdict, _)| format!("{}: {}", rule.name, verdict.reason())).collect();
    Verdict::Judged {
        score: Score::clamped(sum / total),
        kind: if right { Kind::Right } else { Kind::Partial },
        reason: reasons.join("; "),
        extracted: parts.iter().find_map(|(_, verdict, _)| verdict.extracted().map(str::to_owned)),
    }
}
