//! Weak head normal form: a term reduced until its outermost shape can no longer change.

use super::KernelError;
use super::checker::Checker;
use crate::constant::{Constant, ConstantKind, Hints};
use crate::terms::{Expr, ExprId, NameId};
use std::rc::Rc;

impl Checker<'_, '_> {
    /// The weak head normal form of `e`, definitions unfolded.
    pub(crate) fn whnf(&mut self, e: ExprId) -> Result<ExprId, KernelError> {
        match self.env.terms.expr(e) {
            Expr::BVar(_) | Expr::FVar(_) | Expr::Sort(_) | Expr::Pi(..) | Expr::Lam(..) => return Ok(e),
            Expr::Nat(_) | Expr::Str(_) => return Ok(e),
            Expr::Const(..) | Expr::App(..) | Expr::Let(..) | Expr::Proj(..) => {}
        }
        if let Some(&known) = self.reductions.whnf.get(&e) {
            return Ok(known);
        }
        self.enter()?;
        let reduced = self.whnf_loop(e);
        self.leave();
        let reduced = reduced?;
        self.reductions.whnf.insert(e, reduced);
        Ok(reduced)
    }

    fn whnf_loop(&mut self, e: ExprId) -> Result<ExprId, KernelError> {
        let mut at = e;
        loop {
            self.tick()?;
            at = self.whnf_core(at)?;
            if let Some(value) = self.reduce_nat(at)? {
                return Ok(value);
            }
            match self.unfold(at)? {
                Some(unfolded) => at = unfolded,
                None => return Ok(at),
            }
        }
    }

    /// The weak head normal form of `e` without unfolding of definitions at its head.
    pub(crate) fn whnf_core(&mut self, e: ExprId) -> Result<ExprId, KernelError> {
        self.whnf_core_with(e, false)
    }

    /// [`Checker::whnf_core`]; a projection is `cheap` if the value it is of is reduced without unfolding too.
    pub(super) fn whnf_core_with(&mut self, e: ExprId, cheap: bool) -> Result<ExprId, KernelError> {
        match self.env.terms.expr(e) {
            Expr::App(..) | Expr::Let(..) | Expr::Proj(..) => {}
            _ => return Ok(e),
        }
        if let Some(&known) = self.reductions.whnf_core.get(&e) {
            return Ok(known);
        }
        self.enter()?;
        let reduced = self.whnf_core_loop(e, cheap);
        self.leave();
        let reduced = reduced?;
        if !cheap {
            self.reductions.whnf_core.insert(e, reduced);
        }
        Ok(reduced)
    }

    fn whnf_core_loop(&mut self, e: ExprId, cheap: bool) -> Result<ExprId, KernelError> {
        let mut at = e;
        loop {
            self.tick()?;
            let next = match self.env.terms.expr(at) {
                Expr::App(..) => self.step_app(at, cheap)?,
                Expr::Let(_, value, body) => Some(self.instantiate(body, &[value])?),
                Expr::Proj(structure, index, value) => {
                    let value = if cheap { self.whnf_core_with(value, true)? } else { self.whnf(value)? };
                    self.project(structure, index, value)?
                }
                _ => None,
            };
            match next {
                Some(next) => at = next,
                None => return Ok(at),
            }
            if let Some(&known) = self.reductions.whnf_core.get(&at) {
                return Ok(known);
            }
        }
    }

    /// One step of an application: its head reduced, its arguments put in, or its recursor computed.
    fn step_app(&mut self, e: ExprId, cheap: bool) -> Result<Option<ExprId>, KernelError> {
        let head = self.head(e)?;
        if let Expr::Const(name, _) = self.env.terms.expr(head) {
            return self.reduce_recursor(e, name);
        }
        let reduced = self.whnf_core_with(head, cheap)?;
        if let Expr::Lam(..) = self.env.terms.expr(reduced) {
            let (_, arguments) = self.spine(e)?;
            return Ok(Some(self.apply(reduced, &arguments)?));
        }
        if reduced == head {
            return Ok(None);
        }
        let (_, arguments) = self.spine(e)?;
        Ok(Some(self.env.terms.apps(reduced, &arguments)))
    }

    /// A function applied to arguments, put into its body as far as it has binders.
    pub(super) fn apply(&mut self, function: ExprId, arguments: &[ExprId]) -> Result<ExprId, KernelError> {
        let mut body = function;
        let mut used = 0;
        while used < arguments.len() {
            let Expr::Lam(_, inner) = self.env.terms.expr(body) else { break };
            body = inner;
            used += 1;
        }
        let body = self.instantiate(body, &arguments[..used])?;
        Ok(self.env.terms.apps(body, &arguments[used..]))
    }

    /// A field of a value that is in weak head normal form, if it is made by the constructor of the structure.
    pub(super) fn project(
        &mut self,
        structure: NameId,
        index: u32,
        value: ExprId,
    ) -> Result<Option<ExprId>, KernelError> {
        let mut value = value;
        if let Expr::Str(text) = self.env.terms.expr(value) {
            let Some(expanded) = self.expand_string(text)? else { return Ok(None) };
            value = self.whnf(expanded)?;
        }
        let Expr::Const(name, _) = self.head_expr(value)? else { return Ok(None) };
        let Some(constant) = self.env.get(name)? else { return Ok(None) };
        let ConstantKind::Constructor(info) = &constant.kind else { return Ok(None) };
        // Terms that were checked are never of another structure: this keeps one that was not from doing harm.
        if index >= info.num_fields || info.inductive != structure {
            return Ok(None);
        }
        let (_, arguments) = self.spine(value)?;
        Ok(arguments.get(info.num_params as usize + index as usize).copied())
    }

    /// The definition at the head of a term, if it can be unfolded.
    pub(super) fn delta(&mut self, e: ExprId) -> Result<Option<Rc<Constant>>, KernelError> {
        let Expr::Const(name, levels) = self.head_expr(e)? else { return Ok(None) };
        let Some(constant) = self.env.get(name)? else { return Ok(None) };
        let unfolds = matches!(constant.kind, ConstantKind::Definition { .. } | ConstantKind::Theorem { .. })
            && constant.level_params.len() == self.env.terms.level_list(levels).len();
        Ok(unfolds.then_some(constant))
    }

    /// A term with the definition at its head unfolded.
    pub(super) fn unfold(&mut self, e: ExprId) -> Result<Option<ExprId>, KernelError> {
        let head = self.head(e)?;
        let Expr::Const(name, levels) = self.env.terms.expr(head) else { return Ok(None) };
        let value = match self.env.caches.values.get(&(name, levels)) {
            Some(&known) => known,
            None => {
                let Some(constant) = self.delta(head)? else { return Ok(None) };
                let Some(value) = constant.value() else { return Ok(None) };
                let list = self.env.terms.level_list(levels).to_vec();
                let value = self.instantiate_level_params(value, &constant.level_params, &list)?;
                self.env.caches.values.insert((name, levels), value);
                value
            }
        };
        if head == e {
            return Ok(Some(value));
        }
        let (_, arguments) = self.spine(e)?;
        Ok(Some(self.apply(value, &arguments)?))
    }

    /// How early a definition is unfolded: the greater first.
    pub(super) fn height(constant: &Constant) -> u64 {
        match constant.kind {
            ConstantKind::Definition { hints: Hints::Abbreviation, .. } => u64::MAX,
            ConstantKind::Definition { hints: Hints::Regular(height), .. } => u64::from(height) + 1,
            _ => 0,
        }
    }

    /// The type of a constant at a list of levels, whose number is right.
    pub(super) fn type_at(
        &mut self,
        name: NameId,
        constant: &Constant,
        levels: crate::terms::LevelsId,
    ) -> Result<ExprId, KernelError> {
        if let Some(&known) = self.env.caches.types.get(&(name, levels)) {
            return Ok(known);
        }
        let list = self.env.terms.level_list(levels).to_vec();
        let ty = self.instantiate_level_params(constant.ty, &constant.level_params, &list)?;
        self.env.caches.types.insert((name, levels), ty);
        Ok(ty)
    }
}
