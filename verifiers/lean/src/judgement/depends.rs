//! What constants of a module depend on.

use rustc_hash::FxHashSet;

use super::SORRY;
use crate::constant::{Constant, ConstantKind};
use crate::kernel::ReadError;
use crate::kernel::inductive::parts;
use crate::replay::Claimed;
use crate::terms::{Expr, ExprId, NameId, Terms};

/// Everything that a constant's meaning depends on, but for what is only in terms that were `visited` before.
pub(super) fn depends_on(
    terms: &Terms,
    constant: &Constant,
    of_texts: &[NameId],
    visited: &mut FxHashSet<ExprId>,
) -> Vec<NameId> {
    let mut used = used_constants(terms, constant.ty, of_texts, visited);
    if let Some(value) = constant.value() {
        used.extend(used_constants(terms, value, of_texts, visited));
    }
    match &constant.kind {
        ConstantKind::Inductive(info) => {
            used.extend(info.all.iter().chain(&info.constructors));
        }
        ConstantKind::Constructor(info) => used.push(info.inductive),
        ConstantKind::Recursor(info) => used.extend(&info.all),
        _ => {}
    }
    used
}

/// A constant of a module that mentions `sorryAx`, among these and all that they depend on there.
pub(super) fn user_of_sorry(
    terms: &mut Terms,
    module: &dyn Claimed,
    open: Vec<NameId>,
) -> Result<Option<NameId>, ReadError> {
    let sorry = terms.str_name(NameId::ANONYMOUS, SORRY);
    first_user(terms, module, open, |used| used == sorry)
}

/// A constant of a module that mentions what is wanted, among these and all that they depend on there.
pub(super) fn first_user(
    terms: &mut Terms,
    module: &dyn Claimed,
    mut open: Vec<NameId>,
    mut is_wanted: impl FnMut(NameId) -> bool,
) -> Result<Option<NameId>, ReadError> {
    let mut seen = FxHashSet::from_iter(open.iter().copied());
    // Each term is walked once: a file may have one huge term in each of many constants.
    let mut visited = FxHashSet::default();
    while let Some(name) = open.pop() {
        let Some(constant) = module.constant(terms, name)? else { continue };
        for used in depends_on(terms, &constant, &[], &mut visited) {
            if is_wanted(used) {
                return Ok(Some(name));
            }
            if seen.insert(used) {
                open.push(used);
            }
        }
    }
    Ok(None)
}

/// The constants that a term mentions, each once, but for what is only in terms that were `visited` before; `of_texts`
/// are those that a string literal mentions.
pub(super) fn used_constants(
    terms: &Terms,
    term: ExprId,
    of_texts: &[NameId],
    visited: &mut FxHashSet<ExprId>,
) -> Vec<NameId> {
    let (mut found, mut open) = (Vec::new(), vec![term]);
    while let Some(at) = open.pop() {
        if !visited.insert(at) {
            continue;
        }
        let expr = terms.expr(at);
        match expr {
            Expr::Const(name, _) | Expr::Proj(name, _, _) => found.push(name),
            Expr::Str(_) => found.extend(of_texts),
            _ => {}
        }
        open.extend(parts(expr));
    }
    found.sort();
    found.dedup();
    found
}
