//! Which axioms a proof rests on.

use super::depends::first_user;
use super::{Goal, Imports, JudgeError, MOST_SHOWN, Refusal, SORRY, Stop, claimed};
use crate::kernel::Environment;
use crate::replay::Claimed;
use crate::terms::NameId;

/// The axioms that a proof rests on, all of them allowed.
pub(super) fn allowed(
    goal: &Goal<'_>,
    env: &mut Environment<'_>,
    submission: &dyn Claimed,
    imports: &dyn Imports,
    own: &[NameId],
    reached: &[NameId],
) -> Result<Vec<String>, Stop> {
    let mut all: Vec<String> = Vec::new();
    let mut refused: Vec<String> = Vec::new();
    let mut unseen: Vec<String> = Vec::new();
    for name in own {
        let text = env.terms.show_name(*name);
        let reference = goal.reference.constant(&mut env.terms, *name);
        let reference = reference.map_err(|error| JudgeError::Reference(error.to_string()))?;
        let is_given = reference.is_some() && reference == claimed(submission, &mut env.terms, *name)?;
        if is_given && goal.axioms.contains(&text) {
            all.push(text);
        } else {
            refused.push(text);
        }
    }
    let mut sorry = None;
    for name in reached {
        let grounds = imports.grounds(&env.terms, *name).map_err(JudgeError::Library)?;
        for axiom in grounds.axioms.iter() {
            if goal.axioms.contains(axiom) {
                all.push(axiom.clone());
            } else if axiom == SORRY {
                sorry = sorry.or(Some(*name));
            } else {
                refused.push(axiom.clone());
            }
        }
        unseen.extend(grounds.unseen);
    }
    if let Some(name) = sorry {
        let name = env.terms.show_name(name);
        let through = if name == SORRY { String::new() } else { format!(" in `{name}` of the library") };
        return Err(Refusal::Sorry { through }.into());
    }
    for names in [&mut all, &mut refused, &mut unseen] {
        names.sort();
        names.dedup();
    }
    if !refused.is_empty() {
        return Err(Refusal::Axioms { names: refused }.into());
    }
    if !unseen.is_empty() {
        unseen.truncate(MOST_SHOWN);
        return Err(JudgeError::Unseen { names: unseen }.into());
    }
    Ok(all)
}

/// Why a proof was stopped, or, where the kernel refused it and it would rest on axioms of the library that are not allowed,
/// that. Native evaluation is such: the kernel does not run the program on whose result the axiom's argument depends,
/// and what it says of that helps nobody.
pub(super) fn or_forbidden(
    goal: &Goal<'_>,
    env: &mut Environment<'_>,
    submission: &dyn Claimed,
    imports: &dyn Imports,
    target: NameId,
    stop: Stop,
) -> Stop {
    if !matches!(stop, Stop::Refused(Refusal::Kernel { .. })) {
        return stop;
    }
    let mut used = Vec::new();
    let walked = first_user(&mut env.terms, submission, vec![target], |name| {
        used.push(name);
        false
    });
    let mut names: Vec<String> = Vec::new();
    for name in used {
        let Ok(grounds) = imports.grounds(&env.terms, name) else { return stop };
        names.extend(grounds.axioms.iter().filter(|axiom| !goal.axioms.contains(axiom)).cloned());
    }
    names.sort();
    names.dedup();
    match walked {
        Ok(_) if !names.is_empty() => Refusal::Axioms { names }.into(),
        _ => stop,
    }
}
