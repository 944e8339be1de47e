//! The fields of constructors: their universes, where they mention types of the block, and the constructors' results.

use super::open::{Opened, OpenedConstructor, local_of};
use super::refused;
use crate::kernel::{Checker, KernelError};
use crate::terms::{Expr, ExprId, LevelId, NameId};

/// A constructor whose fields were checked.
pub(super) struct CheckedConstructor {
    pub(super) name: NameId,
    /// The constructor applied to its parameters.
    pub(super) applied: ExprId,
    pub(super) fields: Vec<Field>,
    /// The indices of the type that it makes a value of.
    pub(super) indices: Vec<ExprId>,
}

/// A field of a constructor.
pub(super) struct Field {
    pub(super) local: ExprId,
    /// Its type as written.
    pub(super) ty: ExprId,
    /// The universe of its type.
    pub(super) level: LevelId,
    /// Whether, and how, it is of a type of the block.
    pub(super) recursion: Option<Recursion>,
}

/// A field `(arguments) → T params indices` for a type `T` of the block.
pub(super) struct Recursion {
    pub(super) arguments: Vec<ExprId>,
    /// The place of `T` in the block.
    pub(super) target: usize,
    pub(super) indices: Vec<ExprId>,
}

/// Checks a constructor of the type at `index` of the block.
pub(super) fn check(
    checker: &mut Checker<'_, '_>,
    opened: &mut Opened,
    index: usize,
    constructor: &OpenedConstructor,
) -> Result<CheckedConstructor, KernelError> {
    let name = constructor.name;
    let is_prop = is_zero(checker, opened.level)?;
    let mut fields: Vec<Field> = Vec::new();
    let mut locals = Vec::new();
    let mut at = constructor.body;
    while let Expr::Pi(domain, body) = checker.env.terms.expr(at) {
        let ty = checker.instantiate(domain, &locals)?;
        let sort = checker.infer_only(ty)?;
        let level = checker.ensure_sort(sort)?;
        if !is_prop && !checker.is_level_leq(level, opened.level)? {
            let problem = format!(
                "its field {} lives in a universe that is too big for its type: a field of a type of `Sort u` has a \
                 type of `Sort u` at most",
                fields.len() + 1
            );
            return Err(refused(&checker.env.terms, name, problem));
        }
        let recursion = positive(checker, opened, name, fields.len() + 1, ty)?;
        let local = local_of(checker, ty)?;
        fields.push(Field { local, ty, level, recursion });
        locals.push(local);
        at = body;
    }
    let result = checker.instantiate(at, &locals)?;
    match valid_application(checker, opened, result)? {
        Some((target, indices)) if target == index => {
            Ok(CheckedConstructor { name, applied: constructor.applied, fields, indices })
        }
        _ => {
            let problem = format!(
                "its result must be `{}` applied to its parameters and to indices without types of the block, it is \
                 `{}`",
                checker.env.terms.show_name(opened.types[index].name),
                checker.env.terms.show(result)
            );
            Err(refused(&checker.env.terms, name, problem))
        }
    }
}

/// Whether a level is zero whatever the parameters stand for.
pub(super) fn is_zero(checker: &mut Checker<'_, '_>, level: LevelId) -> Result<bool, KernelError> {
    let zero = checker.env.terms.zero();
    checker.is_level_eq(level, zero)
}

/// Checks that a field mentions types of the block in positive places only.
fn positive(
    checker: &mut Checker<'_, '_>,
    opened: &mut Opened,
    constructor: NameId,
    number: usize,
    ty: ExprId,
) -> Result<Option<Recursion>, KernelError> {
    let mut arguments = Vec::new();
    let mut at = checker.whnf(ty)?;
    loop {
        if !opened.occurrences.occur(checker, at)? {
            return Ok(None);
        }
        let Expr::Pi(domain, body) = checker.env.terms.expr(at) else { break };
        if opened.occurrences.occur(checker, domain)? {
            let problem = format!(
                "its field {number} has a type of the block to the left of an arrow: such an occurrence is not positive"
            );
            return Err(refused(&checker.env.terms, constructor, problem));
        }
        let local = local_of(checker, domain)?;
        arguments.push(local);
        let body = checker.instantiate(body, &[local])?;
        at = checker.whnf(body)?;
    }
    match valid_application(checker, opened, at)? {
        Some((target, indices)) => Ok(Some(Recursion { arguments, target, indices })),
        None => {
            let problem = format!(
                "its field {number} mentions a type of the block in a place that is not valid: `{}`",
                checker.env.terms.show(at)
            );
            Err(refused(&checker.env.terms, constructor, problem))
        }
    }
}

/// The place in the block of the type `T` and its indices, where `e` is `T params indices` and no index mentions a
/// type of the block.
fn valid_application(
    checker: &mut Checker<'_, '_>,
    opened: &mut Opened,
    e: ExprId,
) -> Result<Option<(usize, Vec<ExprId>)>, KernelError> {
    let (head, arguments) = checker.env.terms.spine(e);
    checker.spend((arguments.len() + opened.types.len()) as u64)?;
    let Some(target) = opened.types.iter().position(|ty| ty.constant == head) else { return Ok(None) };
    let num_params = opened.params.len();
    if arguments.len() != num_params + opened.types[target].indices.len()
        || !arguments.starts_with(&opened.params)
    {
        return Ok(None);
    }
    let indices = arguments[num_params..].to_vec();
    for &index in &indices {
        if opened.occurrences.occur(checker, index)? {
            return Ok(None);
        }
    }
    Ok(Some((target, indices)))
}
