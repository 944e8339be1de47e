//! Whether two statements are the same up to the names of definitions that Lean makes by itself.
//!
//! A `match` in a statement becomes a definition of its own, and Lean uses the one that an earlier lemma of the file had
//! made of the same `match`: `lemma.match_1` where the statement alone has `theorem.match_1`. Both are definitions with
//! the same value, so the statements mean the same. Names of nothing else may differ.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::constant::{Constant, ConstantKind, Safety};
use crate::kernel::inductive::parts;
use crate::kernel::{Environment, KernelError, ReadError, instantiate_level_params};
use crate::replay::Claimed;
use crate::terms::{Expr, ExprId, NameId};

/// The definitions of the submission that stand for others of the reference, by the names of those.
pub(crate) type Renamed = FxHashMap<NameId, NameId>;

/// Why it is not known whether statements are the same.
pub(crate) enum Unknown {
    /// The reference or the library cannot be read, or the budget ended.
    Kernel(KernelError),
    /// The submission cannot be read.
    Submission(ReadError),
}

impl From<KernelError> for Unknown {
    fn from(error: KernelError) -> Self {
        Self::Kernel(error)
    }
}

/// What stands for what, if the types are the same but for that. `target` is the theorem, for messages.
pub(crate) fn renamed(
    env: &mut Environment<'_>,
    target: NameId,
    reference: &dyn Claimed,
    submission: &dyn Claimed,
    types: (ExprId, ExprId),
) -> Result<Option<Renamed>, Unknown> {
    let mut renamed = Renamed::default();
    let (mut open, mut seen) = (vec![types], FxHashSet::default());
    while let Some((a, b)) = open.pop() {
        if a == b || !seen.insert((a, b)) {
            continue;
        }
        if let Err(what) = env.meter.tick(&env.terms) {
            return Err(env.exhausted(target, what).into());
        }
        let (left, right) = (env.terms.expr(a), env.terms.expr(b));
        let is_same_so_far = match (left, right) {
            (Expr::Const(a, a_levels), Expr::Const(b, b_levels)) if a_levels == b_levels => {
                match renamed.get(&a) {
                    _ if a == b => true,
                    Some(&known) => known == b,
                    None => {
                        renamed.insert(a, b);
                        let Some(more) = definitions(env, target, reference, submission, (a, b))? else {
                            return Ok(None);
                        };
                        open.extend(more);
                        true
                    }
                }
            }
            (Expr::Proj(a, i, _), Expr::Proj(b, j, _)) => (a, i) == (b, j),
            (Expr::App(..), Expr::App(..))
            | (Expr::Lam(..), Expr::Lam(..))
            | (Expr::Pi(..), Expr::Pi(..))
            | (Expr::Let(..), Expr::Let(..)) => true,
            _ => false,
        };
        if !is_same_so_far {
            return Ok(None);
        }
        open.extend(parts(left).zip(parts(right)));
    }
    Ok(Some(renamed))
}

/// The types and the values of two definitions, at the same universe parameters; `None` where one is something else.
fn definitions(
    env: &mut Environment<'_>,
    target: NameId,
    reference: &dyn Claimed,
    submission: &dyn Claimed,
    (a, b): (NameId, NameId),
) -> Result<Option<[(ExprId, ExprId); 2]>, Unknown> {
    if env.is_trusted(a)? || env.is_trusted(b)? {
        return Ok(None);
    }
    let left = reference.constant(&mut env.terms, a).map_err(KernelError::Unreadable)?;
    let right = submission.constant(&mut env.terms, b).map_err(Unknown::Submission)?;
    let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
    let (Some(left_value), Some(right_value)) = (value(&left), value(&right)) else { return Ok(None) };
    if left.level_params.len() != right.level_params.len() {
        return Ok(None);
    }
    let levels: Vec<_> = left.level_params.iter().map(|&param| env.terms.param(param)).collect();
    let mut at_params = |e| {
        let (terms, meter) = (&mut env.terms, &mut env.meter);
        instantiate_level_params(terms, meter, e, &right.level_params, &levels)
            .map_err(|what| env.exhausted(target, what))
    };
    Ok(Some([(left.ty, at_params(right.ty)?), (left_value, at_params(right_value)?)]))
}

/// The value of what unfolds.
fn value(constant: &Constant) -> Option<ExprId> {
    match constant.kind {
        ConstantKind::Definition { value, safety: Safety::Safe, .. } => Some(value),
        _ => None,
    }
}
