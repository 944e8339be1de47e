//! What a verifier says about a response: a score with a reason, or that it could not decide.
//!
//! The two must never be mixed up. A response that is wrong, empty, garbage or too large to work out is *judged*, with
//! score 0. A verifier that hangs, crashes or cannot be reached is *undecided*: never a reward, and left out of every
//! baseline. [`Kind`] and [`CauseKind`] say the same for machines.

use serde::{Deserialize, Serialize};

/// A score in [0, 1]: 0 is wrong, 1 is right.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Score(f64);

impl Score {
    /// Wrong.
    pub const ZERO: Self = Self(0.0);
    /// Right.
    pub const ONE: Self = Self(1.0);

    /// A score, or none if `value` is not a number in [0, 1].
    pub fn new(value: f64) -> Option<Self> {
        // Adding 0.0 turns -0.0 into 0.0, so that equal scores print alike.
        (0.0..=1.0).contains(&value).then_some(Self(value + 0.0))
    }

    /// A number that is in [0, 1] but for rounding; 0 for one that is none.
    pub(crate) fn clamped(value: f64) -> Self {
        Self::new(value.clamp(0.0, 1.0)).unwrap_or(Self::ZERO)
    }

    /// The number, in [0, 1].
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Score {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        Self::new(value).ok_or_else(|| format!("a score is a number from 0 to 1, found {value}"))
    }
}

impl From<Score> for f64 {
    fn from(score: Score) -> Self {
        score.0
    }
}

/// Why a judged response has the score that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong,
    /// Some of it is right: a score between 0 and 1.
    Partial,
    /// It commits to no answer.
    NoAnswer,
    /// Working it out takes more than the verifier allows.
    OverBudget,
    /// It could not be shown to be right.
    Unproven,
    /// What the response asked to be run did not end in time.
    Timeout,
    /// What the response asked to be run took more memory than allowed.
    Memory,
    /// What the response asked to be run crashed.
    Crash,
    /// The response tried something that is not allowed.
    Refused,
}

impl Kind {
    /// What a score alone says.
    pub(crate) fn of(score: Score) -> Self {
        match score {
            Score::ONE => Self::Right,
            Score::ZERO => Self::Wrong,
            _ => Self::Partial,
        }
    }

    /// The name that machines read, as in serialized verdicts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::Partial => "partial",
            Self::NoAnswer => "no-answer",
            Self::OverBudget => "over-budget",
            Self::Unproven => "unproven",
            Self::Timeout => "timeout",
            Self::Memory => "memory",
            Self::Crash => "crash",
            Self::Refused => "refused",
        }
    }
}

/// Why there is no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CauseKind {
    /// The verifier did not answer in time.
    Timeout,
    /// The verifier crashed.
    Crash,
    /// The verifier could not be reached.
    Unreachable,
    /// The reference answer cannot be read.
    BadReference,
    /// The request is not one: not JSON, too long, or a field is missing.
    BadInput,
    /// Too many verifications hang already; no further one was started.
    Exhausted,
    /// The verifier answered with something that is no verdict.
    Rubbish,
    /// The verifier said itself that it cannot decide.
    Declined,
}

impl CauseKind {
    /// The name that machines read, as in serialized verdicts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Crash => "crash",
            Self::Unreachable => "unreachable",
            Self::BadReference => "bad-reference",
            Self::BadInput => "bad-input",
            Self::Exhausted => "exhausted",
            Self::Rubbish => "rubbish",
            Self::Declined => "declined",
        }
    }
}

/// Why there is no verdict, for machines and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// For machines.
    pub kind: CauseKind,
    /// For people: what happened and what to do about it.
    pub message: String,
}

/// What a verifier says about one response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// The response has a score.
    Judged {
        /// In [0, 1].
        score: Score,
        /// Why, for machines.
        kind: Kind,
        /// Why, for people.
        reason: String,
        /// The answer that was found in the response, as it is written there.
        extracted: Option<String>,
    },
    /// The verifier could not decide: this is nobody's reward.
    Undecided {
        /// Why not.
        cause: Cause,
    },
}

impl Verdict {
    /// Judged right, score 1.
    pub fn right(reason: impl Into<String>, extracted: Option<String>) -> Self {
        Self::Judged { score: Score::ONE, kind: Kind::Right, reason: reason.into(), extracted }
    }

    /// Judged wrong, score 0.
    pub fn wrong(reason: impl Into<String>, extracted: Option<String>) -> Self {
        Self::zero(Kind::Wrong, reason, extracted)
    }

    /// Judged to hold no answer, score 0.
    pub fn no_answer(reason: impl Into<String>) -> Self {
        Self::zero(Kind::NoAnswer, reason, None)
    }

    /// Judged with score 0 for another reason than a plainly wrong answer.
    pub fn zero(kind: Kind, reason: impl Into<String>, extracted: Option<String>) -> Self {
        Self::Judged { score: Score::ZERO, kind, reason: reason.into(), extracted }
    }

    /// Judged by a measure: right with score 1, wrong with score 0, partial between.
    pub(crate) fn graded(score: Score, reason: impl Into<String>) -> Self {
        Self::Judged { score, kind: Kind::of(score), reason: reason.into(), extracted: None }
    }

    /// Not decided.
    pub fn undecided(kind: CauseKind, message: impl Into<String>) -> Self {
        Self::Undecided { cause: Cause { kind, message: message.into() } }
    }

    /// The score, if there is one.
    pub fn score(&self) -> Option<Score> {
        match self {
            Self::Judged { score, .. } => Some(*score),
            Self::Undecided { .. } => None,
        }
    }

    /// The reason of a judged verdict, the cause of an undecided one.
    pub fn reason(&self) -> &str {
        match self {
            Self::Judged { reason, .. } => reason,
            Self::Undecided { cause } => &cause.message,
        }
    }

    /// The name of the [`Kind`] of a judged verdict, of the [`CauseKind`] of an undecided one.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Judged { kind, .. } => kind.name(),
            Self::Undecided { cause } => cause.kind.name(),
        }
    }

    /// The answer that was found in the response.
    pub fn extracted(&self) -> Option<&str> {
        match self {
            Self::Judged { extracted, .. } => extracted.as_deref(),
            Self::Undecided { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_between_zero_and_one() {
        assert_eq!(Score::new(0.5).map(Score::get), Some(0.5));
        for bad in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Score::new(bad), None, "{bad}");
        }
        assert!(Score::new(-0.0).unwrap().get().is_sign_positive());
        let error = serde_json::from_str::<Score>("2").unwrap_err();
        assert!(error.to_string().contains("from 0 to 1, found 2"), "{error}");
    }

    #[test]
    fn verdicts_survive_json() {
        let verdicts = [
            Verdict::right("42 equals 42", Some("42".into())),
            Verdict::zero(Kind::OverBudget, "too many digits", None),
            Verdict::undecided(CauseKind::BadReference, "not a number"),
        ];
        for verdict in verdicts {
            let json = serde_json::to_value(&verdict).unwrap();
            let kind = json.pointer("/kind").or(json.pointer("/cause/kind")).unwrap();
            assert_eq!(kind, verdict.kind_name());
            assert_eq!(serde_json::from_value::<Verdict>(json).unwrap(), verdict);
        }
    }

    #[test]
    fn kind_names_are_the_serialized_ones() {
        use Kind::*;
        for kind in [Right, Wrong, Partial, NoAnswer, OverBudget, Unproven, Timeout, Memory, Crash, Refused] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        use CauseKind as C;
        let given = [C::Timeout, C::Crash, C::Unreachable, C::BadReference, C::BadInput, C::Exhausted];
        for cause in given.into_iter().chain([C::Rubbish, C::Declined]) {
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.name());
        }
    }
}
