//! Where recursors may eliminate to, and which of them compute without looking at the value.

use super::fields::{CheckedConstructor, is_zero};
use super::open::Opened;
use crate::kernel::{Checker, KernelError};
use crate::terms::{Level, LevelId, NameId};

/// The name of the universe parameter of recursors that eliminate to every universe: `u`, or the first of `u_1`,
/// `u_2`, ... that the block does not use itself. `None` where they eliminate to propositions only.
pub(super) fn universe(
    checker: &mut Checker<'_, '_>,
    opened: &Opened,
    constructors: &[Vec<CheckedConstructor>],
) -> Result<Option<NameId>, KernelError> {
    if !is_large(checker, opened, constructors)? {
        return Ok(None);
    }
    let mut name = checker.env.terms.str_name(NameId::ANONYMOUS, "u");
    let mut number = 1_u64;
    while opened.level_params.contains(&name) {
        checker.spend(opened.level_params.len() as u64)?;
        name = checker.env.terms.str_name(NameId::ANONYMOUS, &format!("u_{number}"));
        number += 1;
    }
    Ok(Some(name))
}

/// Whether values of the block may be taken apart to make data. Always where the types are data. Where they are, or
/// may be, propositions, all proofs are equal, so only where there is at most one way to make a proof, all of it
/// propositions or to be seen in the proposition itself.
fn is_large(
    checker: &mut Checker<'_, '_>,
    opened: &Opened,
    constructors: &[Vec<CheckedConstructor>],
) -> Result<bool, KernelError> {
    if is_never_zero(checker, opened.level)? {
        return Ok(true);
    }
    let [constructors] = constructors else { return Ok(false) };
    let constructor = match constructors.as_slice() {
        [] => return Ok(true),
        [constructor] => constructor,
        _ => return Ok(false),
    };
    for field in &constructor.fields {
        checker.spend(constructor.indices.len() as u64)?;
        if !is_zero(checker, field.level)? && !constructor.indices.contains(&field.local) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a level is a successor of something whatever the parameters stand for.
fn is_never_zero(checker: &mut Checker<'_, '_>, level: LevelId) -> Result<bool, KernelError> {
    let mut open = vec![level];
    // Each of these suffices: one side of a maximum, the right side of an impredicative one.
    while let Some(at) = open.pop() {
        checker.tick()?;
        match checker.env.terms.level(at) {
            Level::Zero | Level::Param(_) => {}
            Level::Succ(_) => return Ok(true),
            Level::Max(a, b) => open.extend([a, b]),
            Level::IMax(_, b) => open.push(b),
        }
    }
    Ok(false)
}

/// Whether the recursor computes without looking at the value: a proposition alone in its block, with one constructor
/// that has no fields.
pub(super) fn is_k(
    checker: &mut Checker<'_, '_>,
    opened: &Opened,
    constructors: &[Vec<CheckedConstructor>],
) -> Result<bool, KernelError> {
    let [constructors] = constructors else { return Ok(false) };
    let [constructor] = constructors.as_slice() else { return Ok(false) };
    Ok(constructor.fields.is_empty() && is_zero(checker, opened.level)?)
}
