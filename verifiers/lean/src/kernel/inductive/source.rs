//! What is asked of a declaration as it is written, before anything in it is reduced or typed.
//!
//! Reduction never makes an occurrence of a type that is being declared, so what holds of the written ones holds of
//! all. Later steps rest on it: types that stand for nested ones drop arguments, and weak head normal forms drop
//! whatever a definition ignores.

use rustc_hash::FxHashSet;

use super::block::{Declaration, is_reserved};
use super::refused;
use super::walk::{Occurrences, parts};
use crate::kernel::{Checker, KernelError};
use crate::terms::{Expr, ExprId, LevelsId, NameId};

/// Types and constructors are closed, name nothing of the kernel's own, and mention the types of the block only in
/// constructors, at the block's universe parameters and applied to the block's parameters.
pub(super) fn check(checker: &mut Checker<'_, '_>, declaration: &Declaration) -> Result<(), KernelError> {
    let params: Vec<_> =
        declaration.level_params.iter().map(|&param| checker.env.terms.param(param)).collect();
    let levels = checker.env.terms.levels(&params);
    let mut occurrences = Occurrences::of(declaration.names());
    for ty in &declaration.types {
        closed(checker, ty.name, ty.ty)?;
        names(checker, &occurrences, ty.name, ty.ty)?;
        if occurrences.occur(checker, ty.ty)? {
            return Err(refused(
                &checker.env.terms,
                ty.name,
                "its type mentions a type of the block that it is declared in",
            ));
        }
        for constructor in &ty.constructors {
            closed(checker, constructor.name, constructor.ty)?;
            names(checker, &occurrences, constructor.name, constructor.ty)?;
            let mut uniform = Uniform {
                constructor: constructor.name,
                levels,
                num_params: declaration.num_params,
                occurrences: &mut occurrences,
            };
            uniform.check(checker, constructor.ty)?;
        }
    }
    Ok(())
}

fn closed(checker: &Checker<'_, '_>, name: NameId, ty: ExprId) -> Result<(), KernelError> {
    let terms = &checker.env.terms;
    if terms.loose_bvar_range(ty) > 0 || terms.has_fvar(ty) {
        return Err(refused(terms, name, "its type is not closed: it has variables that nothing binds"));
    }
    Ok(())
}

/// No constant of the kernel's own, no projection out of a type that is being declared.
fn names(
    checker: &mut Checker<'_, '_>,
    block: &Occurrences,
    name: NameId,
    ty: ExprId,
) -> Result<(), KernelError> {
    let (mut seen, mut seen_names) = (FxHashSet::default(), FxHashSet::default());
    let mut open = vec![ty];
    while let Some(at) = open.pop() {
        if !seen.insert(at) {
            continue;
        }
        checker.tick()?;
        let expr = checker.env.terms.expr(at);
        if let Expr::Const(used, _) | Expr::Proj(used, _, _) = expr
            && seen_names.insert(used)
            && is_reserved(&checker.env.terms, used)
        {
            let problem = format!(
                "its type uses `{}`: names that begin with `_nested` are kept for the kernel",
                checker.env.terms.show_name(used)
            );
            return Err(refused(&checker.env.terms, name, problem));
        }
        if let Expr::Proj(used, _, _) = expr
            && block.has(used)
        {
            return Err(refused(
                &checker.env.terms,
                name,
                "its type projects out of a type that is being declared",
            ));
        }
        open.extend(parts(expr));
    }
    Ok(())
}

/// The check that a constructor's type mentions the types of the block with their parameters only.
struct Uniform<'d> {
    constructor: NameId,
    levels: LevelsId,
    num_params: u32,
    occurrences: &'d mut Occurrences,
}

impl Uniform<'_> {
    fn check(&mut self, checker: &mut Checker<'_, '_>, ty: ExprId) -> Result<(), KernelError> {
        // A term may be shared between places under different numbers of binders.
        let mut seen = FxHashSet::default();
        let mut open = vec![(ty, 0_u32)];
        while let Some((at, depth)) = open.pop() {
            if !self.occurrences.occur(checker, at)? || !seen.insert((at, depth)) {
                continue;
            }
            checker.tick()?;
            match checker.env.terms.expr(at) {
                Expr::App(..) => {
                    let (head, arguments) = checker.env.terms.spine(at);
                    checker.spend(arguments.len() as u64)?;
                    let skip = match checker.env.terms.expr(head) {
                        Expr::Const(name, levels) if self.occurrences.has(name) => {
                            self.applied(checker, levels, &arguments, depth)?;
                            self.num_params as usize
                        }
                        _ => {
                            open.push((head, depth));
                            0
                        }
                    };
                    open.extend(arguments[skip..].iter().map(|&argument| (argument, depth)));
                }
                Expr::Const(name, levels) if self.occurrences.has(name) => {
                    self.applied(checker, levels, &[], depth)?
                }
                Expr::Lam(ty, body) | Expr::Pi(ty, body) => {
                    open.extend([(ty, depth), (body, depth.saturating_add(1))]);
                }
                Expr::Let(ty, value, body) => {
                    open.extend([(ty, depth), (value, depth), (body, depth.saturating_add(1))]);
                }
                Expr::Proj(_, _, value) => open.push((value, depth)),
                _ => {}
            }
        }
        Ok(())
    }

    /// One occurrence of a type of the block, `depth` binders deep.
    fn applied(
        &self,
        checker: &Checker<'_, '_>,
        levels: LevelsId,
        arguments: &[ExprId],
        depth: u32,
    ) -> Result<(), KernelError> {
        let terms = &checker.env.terms;
        if levels != self.levels {
            let problem =
                "its type mentions a type of the block at universes other than the block's parameters";
            return Err(refused(terms, self.constructor, problem));
        }
        let is_param = |index: u32| {
            let argument = arguments.get(index as usize).map(|&argument| terms.expr(argument));
            depth > index && argument == Some(Expr::BVar(depth - 1 - index))
        };
        if let Some(index) = (0..self.num_params).find(|&index| !is_param(index)) {
            let problem = format!(
                "its type applies a type of the block to something other than the block's parameters (parameter {})",
                index + 1
            );
            return Err(refused(terms, self.constructor, problem));
        }
        Ok(())
    }
}
