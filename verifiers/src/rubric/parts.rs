//! The verifier of kind `rubric`: its settings, its parts bound to a problem, and how they are asked.
//!
//! It is no [`Verifier`](crate::Verifier) with a reference of one type: what a reference is, each part says itself, and it
//! is parsed by the part when the data is loaded.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{NAME, PartRule, check, combine, default_weight};
use crate::budget::Budget;
use crate::error::{VerifierError, shorten};
use crate::kinds;
use crate::verdict::{CauseKind, Kind, Verdict};
use crate::verifier::{Configured, Judge, RawItem, Response, SHOWN_BYTES};

/// The kind's settings.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RubricSettings {
    /// The verifiers, each a table with `kind`, optional `name`, `weight`, `success` and `gate`, and the kind's own
    /// settings.
    parts: Vec<Map<String, Value>>,
}

/// A rubric with its settings, to be bound to problems.
struct Rubric {
    rules: Arc<[PartRule]>,
    /// In the order of the rules.
    parts: Vec<Box<dyn Configured>>,
}

/// A rubric bound to a problem.
struct Bound {
    rules: Arc<[PartRule]>,
    /// In the order of the rules.
    parts: Vec<BoundPart>,
}

struct BoundPart {
    judge: Arc<dyn Judge>,
    /// Whether something outside of this process judges.
    is_external: bool,
}

/// A rubric from untyped settings.
pub(crate) fn configure(options: &Value) -> Result<Box<dyn Configured>, VerifierError> {
    let refuse = |problem: String| VerifierError::Settings {
        kind: NAME,
        problem,
        found: shorten(&options.to_string(), SHOWN_BYTES),
    };
    let settings = match options {
        Value::Null => RubricSettings::default(),
        options => RubricSettings::deserialize(options).map_err(|error| refuse(error.to_string()))?,
    };
    let parts = settings.parts.into_iter().enumerate().map(|(index, table)| part(index + 1, table));
    let parts: Vec<(PartRule, Value, String)> = parts.collect::<Result<_, _>>().map_err(refuse)?;
    let rules: Arc<[PartRule]> = parts.iter().map(|(rule, ..)| rule.clone()).collect();
    check(&rules).map_err(refuse)?;
    let parts = parts.iter().map(|(PartRule { name, .. }, options, kind)| {
        kinds::configure(kind, options).map_err(|error| refuse(format!("part `{name}`: {error}")))
    });
    Ok(Box::new(Rubric { rules, parts: parts.collect::<Result<_, _>>()? }))
}

/// Reads one part: its rule, the settings of its kind, and the kind.
fn part(number: usize, mut table: Map<String, Value>) -> Result<(PartRule, Value, String), String> {
    let unnamed = format!("part {number}");
    let name: Option<String> = take(&mut table, "name", &unnamed, "a text")?;
    let label = name.as_deref().map_or(unnamed, |name| format!("part `{name}`"));
    let kind: Option<String> = take(&mut table, "kind", &label, "the name of a verifier")?;
    let kind = kind.ok_or_else(|| format!("{label}: `kind` must be the name of a verifier, found none"))?;
    let name = name.unwrap_or_else(|| kind.clone());
    let label = format!("part `{name}`");
    if kind == NAME {
        return Err(format!("{label}: `kind` must be another than `{NAME}`: give its parts here instead"));
    }
    if let Some(key) = ["timeout_s", "jobs"].into_iter().find(|key| table.contains_key(*key)) {
        return Err(format!("{label}: `{key}` must be given to the whole rubric: its parts share it"));
    }
    let gate = take(&mut table, "gate", &label, "true or false")?.unwrap_or(false);
    let weight = take(&mut table, "weight", &label, "a number")?.unwrap_or_else(|| default_weight(gate));
    let success = take(&mut table, "success", &label, "a number")?.unwrap_or(1.0);
    Ok((PartRule { name, weight, success, gate }, Value::Object(table), kind))
}

/// Takes a setting out of a part's table.
fn take<T: DeserializeOwned>(
    table: &mut Map<String, Value>,
    key: &str,
    label: &str,
    expected: &str,
) -> Result<Option<T>, String> {
    let Some(value) = table.remove(key) else { return Ok(None) };
    let found = shorten(&value.to_string(), SHOWN_BYTES);
    serde_json::from_value(value)
        .map(Some)
        .map_err(|_| format!("{label}: `{key}` must be {expected}, found {found}"))
}

impl Rubric {
    /// The parts with their names.
    fn named(&self) -> impl Iterator<Item = (&str, &dyn Configured)> {
        let names = self.rules.iter().map(|rule| rule.name.as_str());
        names.zip(self.parts.iter().map(|part| &**part))
    }
}

impl Configured for Rubric {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Of several parts each takes the reference under its own name, if there is one, else the whole.
    fn bind(&self, item: RawItem) -> Result<Arc<dyn Judge>, VerifierError> {
        let bind = |(name, part): (&str, &dyn Configured)| {
            let own = if self.parts.len() > 1 { item.reference.get(name) } else { None };
            let reference = own.unwrap_or(&item.reference).clone();
            let judge =
                part.bind(RawItem { reference, ..item.clone() }).map_err(|error| in_part(name, error))?;
            Ok(BoundPart { judge, is_external: part.is_external() })
        };
        let parts = self.named().map(bind).collect::<Result<_, _>>()?;
        Ok(Arc::new(Bound { rules: Arc::clone(&self.rules), parts }))
    }

    fn ready(&self) -> Result<(), VerifierError> {
        self.named().try_for_each(|(name, part)| part.ready().map_err(|error| in_part(name, error)))
    }

    fn take_complaints(&self) -> Vec<String> {
        let of = |(name, part): (&str, &dyn Configured)| {
            let complaints = part.take_complaints().into_iter();
            complaints.map(|complaint| format!("part `{name}`: {complaint}")).collect::<Vec<_>>()
        };
        self.named().flat_map(of).collect()
    }

    fn forget_verdicts(&mut self) {
        self.parts.iter_mut().for_each(|part| part.forget_verdicts());
    }

    fn is_external(&self) -> bool {
        self.parts.iter().any(|part| part.is_external())
    }
}

/// The same error with the part's name in it.
fn in_part(name: &str, error: VerifierError) -> VerifierError {
    let named = |problem: String| format!("part `{name}` of the rubric: {problem}");
    match error {
        VerifierError::Reference { kind, id, problem, found } => {
            VerifierError::Reference { kind, id, problem: named(problem), found }
        }
        VerifierError::NotReady { kind, problem } => {
            VerifierError::NotReady { kind, problem: named(problem) }
        }
        VerifierError::Settings { kind, problem, found } => {
            VerifierError::Settings { kind, problem: named(problem), found }
        }
        unknown @ VerifierError::UnknownKind { .. } => unknown,
    }
}

impl Judge for Bound {
    /// Asks the parts in order until one ends it. They share the time.
    fn judge(&self, response: &Response<'_>, budget: &Budget) -> Verdict {
        let mut verdicts = Vec::with_capacity(self.parts.len());
        let mut has_asked_outside = false;
        for (rule, part) in self.rules.iter().zip(&self.parts) {
            let verdict = match () {
                // Time that something outside took is not the response's fault.
                () if has_asked_outside && budget.expired() => {
                    let cause = "no time was left for it: the parts before it took all of the rubric's";
                    Verdict::undecided(CauseKind::Timeout, cause)
                }
                // Nor is what the response took from it the fault of something outside.
                () if part.is_external && budget.expired() => {
                    let reason = "not asked: working out the parts before it took longer than allowed";
                    Verdict::zero(Kind::OverBudget, reason, None)
                }
                () => part.judge.judge(response, budget),
            };
            has_asked_outside |= part.is_external;
            let ends = rule.ends(&verdict);
            verdicts.push(Some(verdict));
            if ends {
                break;
            }
        }
        combine(&self.rules, &verdicts).verdict
    }

    fn answer(&self) -> Option<String> {
        self.parts.iter().find_map(|part| part.judge.answer())
    }

    /// As the first part that knows the answer has it.
    fn canonical(&self, extracted: &str) -> String {
        let knows = self.parts.iter().find(|part| part.judge.answer().is_some());
        let first = knows.or(self.parts.first());
        first.map_or_else(|| extracted.to_owned(), |part| part.judge.canonical(extracted))
    }
}

/// A bound rubric of these judges, each with whether it is outside.
#[cfg(test)]
pub(super) fn bound_for_tests<J: Judge + 'static>(rules: Vec<PartRule>, parts: Vec<(J, bool)>) -> impl Judge {
    let part = |(judge, is_external): (J, bool)| BoundPart { judge: Arc::new(judge), is_external };
    Bound { rules: rules.into(), parts: parts.into_iter().map(part).collect() }
}
