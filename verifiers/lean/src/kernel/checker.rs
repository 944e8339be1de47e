//! What the check of one declaration needs: its universe parameters, its locals, and what was found out already.

use rustc_hash::FxHashMap;

use super::budget::Exhausted;
use super::caches::{Caches, Reductions};
use super::environment::Environment;
use super::{KernelError, subst};
use crate::terms::{Expr, ExprId, LevelId, NameId};

/// Checks one declaration, or one block of inductive types.
pub(crate) struct Checker<'e, 't> {
    pub(crate) env: &'e mut Environment<'t>,
    /// The constant that is being checked, for messages.
    constant: NameId,
    /// The declaration's universe parameters: the only ones that may occur.
    level_params: Vec<NameId>,
    /// The types of all locals made so far, by the number of their variable.
    locals: Vec<ExprId>,
    pub(crate) caches: Caches,
    /// What was found out in the present mode.
    pub(crate) reductions: Reductions,
    /// What was found out in the other mode.
    other_reductions: Reductions,
    /// Whether numbers are computed even beside locals: inside an argument that is marked as a proof by computation.
    eager: bool,
}

impl<'e, 't> Checker<'e, 't> {
    /// A checker of the declaration `constant`, whose universe parameters are `level_params`.
    pub(crate) fn new(env: &'e mut Environment<'t>, constant: NameId, level_params: Vec<NameId>) -> Self {
        Self {
            env,
            constant,
            level_params,
            locals: Vec::new(),
            caches: Caches::default(),
            reductions: Reductions::default(),
            other_reductions: Reductions::default(),
            eager: false,
        }
    }

    /// Whether numbers are computed even beside locals.
    pub(crate) fn is_eager(&self) -> bool {
        self.eager
    }

    /// Sets whether numbers are computed even beside locals. What is equal in one mode need not be found equal in the
    /// other, so each remembers its own answers.
    pub(crate) fn set_eager(&mut self, eager: bool) {
        if self.eager != eager {
            std::mem::swap(&mut self.reductions, &mut self.other_reductions);
            self.eager = eager;
        }
    }

    /// The error that says what is wrong with the declaration.
    pub(crate) fn refuse(&self, problem: impl Into<String>) -> KernelError {
        self.env.refused(self.constant, problem.into())
    }

    /// The error that says that the budget ended.
    pub(crate) fn exhausted(&self, what: Exhausted) -> KernelError {
        self.env.exhausted(self.constant, what)
    }

    /// Takes one step of the budget. Every loop over untrusted data calls it.
    pub(crate) fn tick(&mut self) -> Result<(), KernelError> {
        self.env.meter.tick(&self.env.terms).map_err(|what| self.exhausted(what))
    }

    /// Takes several steps of the budget.
    pub(crate) fn spend(&mut self, steps: u64) -> Result<(), KernelError> {
        self.env.meter.spend(steps, &self.env.terms).map_err(|what| self.exhausted(what))
    }

    /// Goes one level of recursion deeper. Every success is followed by one [`Checker::leave`].
    pub(crate) fn enter(&mut self) -> Result<(), KernelError> {
        self.env.meter.enter().map_err(|what| self.exhausted(what))
    }

    /// Comes back from one level of recursion.
    pub(crate) fn leave(&mut self) {
        self.env.meter.leave();
    }

    /// The head of an application and its arguments, first to last. Long ones cost steps.
    pub(crate) fn spine(&mut self, e: ExprId) -> Result<(ExprId, Vec<ExprId>), KernelError> {
        let (head, arguments) = self.env.terms.spine(e);
        self.spend(arguments.len() as u64 / 16)?;
        Ok((head, arguments))
    }

    /// The function at the head of an application; the term itself where it is none. Long ones cost steps.
    pub(crate) fn head(&mut self, e: ExprId) -> Result<ExprId, KernelError> {
        let mut at = e;
        let mut count = 0u64;
        while let Expr::App(function, _) = self.env.terms.expr(at) {
            at = function;
            count += 1;
        }
        self.spend(count / 16)?;
        Ok(at)
    }

    /// The node at the head of an application.
    pub(crate) fn head_expr(&mut self, e: ExprId) -> Result<Expr, KernelError> {
        let head = self.head(e)?;
        Ok(self.env.terms.expr(head))
    }

    /// The declaration's universe parameters.
    pub(crate) fn level_params(&self) -> &[NameId] {
        &self.level_params
    }

    /// A new local of type `ty`, which has no loose bound variables.
    pub(crate) fn new_local(&mut self, ty: ExprId) -> ExprId {
        // Each local is a node of the arena, and those have ids of 32 bits.
        let index = self.locals.len() as u32;
        self.locals.push(ty);
        self.env.terms.fvar(index)
    }

    /// The type of a local; refuses what is no local of this checker.
    pub(crate) fn local_type(&self, local: ExprId) -> Result<ExprId, KernelError> {
        match self.env.terms.expr(local) {
            Expr::FVar(index) if (index as usize) < self.locals.len() => Ok(self.locals[index as usize]),
            _ => Err(self.refuse("a free variable occurs that no binder introduces")),
        }
    }

    /// `body` with its innermost binders' variables replaced by `values`, which have no loose bound variables: in the order
    /// of the binders, outermost first, so the last value replaces variable 0.
    pub(crate) fn instantiate(&mut self, body: ExprId, values: &[ExprId]) -> Result<ExprId, KernelError> {
        let made = subst::instantiate(&mut self.env.terms, &mut self.env.meter, body, values);
        made.map_err(|what| self.exhausted(what))
    }

    /// `e` with `locals` replaced by loose bound variables, the last by variable 0.
    pub(crate) fn abstract_locals(&mut self, e: ExprId, locals: &[ExprId]) -> Result<ExprId, KernelError> {
        let places: FxHashMap<ExprId, u32> = locals.iter().copied().zip(0..).collect();
        // Each local is a node of the arena, and those have ids of 32 bits.
        self.abstract_first(e, &places, locals.len() as u32)
    }

    /// `(locals) → e`, with the types that the locals have.
    pub(crate) fn mk_pi(&mut self, locals: &[ExprId], e: ExprId) -> Result<ExprId, KernelError> {
        self.bind(locals, e, Expr::Pi)
    }

    /// `fun (locals) => e`, with the types that the locals have.
    pub(crate) fn mk_lambda(&mut self, locals: &[ExprId], e: ExprId) -> Result<ExprId, KernelError> {
        self.bind(locals, e, Expr::Lam)
    }

    fn bind(
        &mut self,
        locals: &[ExprId],
        e: ExprId,
        binder: fn(ExprId, ExprId) -> Expr,
    ) -> Result<ExprId, KernelError> {
        let places: FxHashMap<ExprId, u32> = locals.iter().copied().zip(0..).collect();
        // Each local is a node of the arena, and those have ids of 32 bits.
        let mut made = self.abstract_first(e, &places, locals.len() as u32)?;
        for (index, &local) in locals.iter().enumerate().rev() {
            self.tick()?;
            let ty = self.local_type(local)?;
            let ty = self.abstract_first(ty, &places, index as u32)?;
            made = self.env.terms.intern(binder(ty, made));
        }
        Ok(made)
    }

    /// `e` with the first `count` of the locals that have `places` replaced by loose bound variables, the last of them
    /// by variable 0.
    fn abstract_first(
        &mut self,
        e: ExprId,
        places: &FxHashMap<ExprId, u32>,
        count: u32,
    ) -> Result<ExprId, KernelError> {
        let made = subst::abstract_first(&mut self.env.terms, &mut self.env.meter, e, places, count);
        made.map_err(|what| self.exhausted(what))
    }

    /// `e` with each universe parameter of `params` replaced by the level at the same place in `levels`.
    pub(crate) fn instantiate_level_params(
        &mut self,
        e: ExprId,
        params: &[NameId],
        levels: &[LevelId],
    ) -> Result<ExprId, KernelError> {
        let (terms, meter) = (&mut self.env.terms, &mut self.env.meter);
        let made = subst::instantiate_level_params(terms, meter, e, params, levels);
        made.map_err(|what| self.exhausted(what))
    }

    /// `level` with each universe parameter of `params` replaced by the level at the same place in `levels`.
    pub(crate) fn instantiate_level(
        &mut self,
        level: LevelId,
        params: &[NameId],
        levels: &[LevelId],
    ) -> Result<LevelId, KernelError> {
        let (terms, meter) = (&mut self.env.terms, &mut self.env.meter);
        let made = subst::instantiate_level(terms, meter, level, params, levels, &mut FxHashMap::default());
        made.map_err(|what| self.exhausted(what))
    }
}
