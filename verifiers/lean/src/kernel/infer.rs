//! Types of terms, with every part checked or with the term known to have a type.

use super::KernelError;
use super::checker::Checker;
use crate::constant::ConstantKind;
use crate::terms::{Expr, ExprId, Level, LevelId, LevelsId, NameId};

impl Checker<'_, '_> {
    /// The type of `e`, which is checked throughout: every argument, level and projection.
    pub(crate) fn infer(&mut self, e: ExprId) -> Result<ExprId, KernelError> {
        self.infer_with(e, true)
    }

    /// The type of `e`, which is known to have one.
    pub(crate) fn infer_only(&mut self, e: ExprId) -> Result<ExprId, KernelError> {
        self.infer_with(e, false)
    }

    /// The level of `e`, which must reduce to a universe.
    pub(crate) fn ensure_sort(&mut self, e: ExprId) -> Result<LevelId, KernelError> {
        let reduced = self.whnf(e)?;
        match self.env.terms.expr(reduced) {
            Expr::Sort(level) => Ok(level),
            _ => Err(self.refuse(format!(
                "a universe is expected (Prop, Type, Sort u), but this was found: {}",
                self.env.terms.show(e)
            ))),
        }
    }

    /// The argument's type and the result's type (one loose bound variable) of `e`, which must reduce to a type of
    /// functions.
    pub(crate) fn ensure_pi(&mut self, e: ExprId) -> Result<(ExprId, ExprId), KernelError> {
        if let Expr::Pi(domain, body) = self.env.terms.expr(e) {
            return Ok((domain, body));
        }
        let reduced = self.whnf(e)?;
        match self.env.terms.expr(reduced) {
            Expr::Pi(domain, body) => Ok((domain, body)),
            _ => Err(self.refuse(format!(
                "something is applied whose type is not a type of functions: {}",
                self.env.terms.show(e)
            ))),
        }
    }

    /// Whether a type is a proposition.
    pub(crate) fn is_prop(&mut self, ty: ExprId) -> Result<bool, KernelError> {
        let sort = self.infer_only(ty)?;
        let sort = self.whnf(sort)?;
        match self.env.terms.expr(sort) {
            Expr::Sort(level) => self.is_zero_level(level),
            _ => Ok(false),
        }
    }

    /// Refuses a level with a universe parameter that the declaration does not have.
    pub(crate) fn check_level(&mut self, level: LevelId) -> Result<(), KernelError> {
        if !self.env.terms.level_has_param(level) || self.caches.checked_levels.contains(&level) {
            return Ok(());
        }
        self.spend(1 + self.level_params().len() as u64 / 16)?;
        self.enter()?;
        let checked = match self.env.terms.level(level) {
            Level::Zero => Ok(()),
            Level::Succ(below) => self.check_level(below),
            Level::Max(a, b) | Level::IMax(a, b) => self.check_level(a).and_then(|()| self.check_level(b)),
            Level::Param(name) if self.level_params().contains(&name) => Ok(()),
            Level::Param(name) => Err(self.refuse(format!(
                "the universe parameter {} is used, which the declaration does not list",
                self.env.terms.show_name(name)
            ))),
        };
        self.leave();
        checked?;
        self.caches.checked_levels.insert(level);
        Ok(())
    }

    fn infer_with(&mut self, e: ExprId, check: bool) -> Result<ExprId, KernelError> {
        if let Some(&known) = self.caches.checked.get(&e) {
            return Ok(known);
        }
        if !check && let Some(&known) = self.caches.inferred.get(&e) {
            return Ok(known);
        }
        self.tick()?;
        self.enter()?;
        let ty = self.infer_inside(e, check);
        self.leave();
        let ty = ty?;
        let cache = if check { &mut self.caches.checked } else { &mut self.caches.inferred };
        cache.insert(e, ty);
        Ok(ty)
    }

    fn infer_inside(&mut self, e: ExprId, check: bool) -> Result<ExprId, KernelError> {
        match self.env.terms.expr(e) {
            Expr::BVar(_) => Err(self.refuse("a bound variable occurs outside of its binder")),
            Expr::FVar(_) => self.local_type(e),
            Expr::Sort(level) => {
                if check {
                    self.check_level(level)?;
                }
                let above = self.env.terms.succ(level);
                Ok(self.env.terms.sort(above))
            }
            Expr::Const(name, levels) => self.infer_constant(name, levels, check),
            Expr::App(..) => self.infer_app(e, check),
            Expr::Lam(..) => self.infer_lambda(e, check),
            Expr::Pi(..) => self.infer_pi(e, check),
            Expr::Let(..) => self.infer_let(e, check),
            Expr::Nat(_) => self.nat_literal_type(),
            Expr::Str(_) => self.string_literal_type(),
            Expr::Proj(structure, index, value) => self.infer_proj(structure, index, value, check),
        }
    }

    fn infer_constant(&mut self, name: NameId, levels: LevelsId, check: bool) -> Result<ExprId, KernelError> {
        let Some(constant) = self.env.get(name)? else {
            let shown = self.env.terms.show_name(name);
            return Err(self.refuse(format!(
                "the constant {shown} is used, which is neither imported nor declared before"
            )));
        };
        let given = self.env.terms.level_list(levels).len();
        if given != constant.level_params.len() {
            return Err(self.refuse(format!(
                "{} takes {} universe levels, but {given} are given",
                self.env.terms.show_name(name),
                constant.level_params.len()
            )));
        }
        if check {
            if constant.is_unsafe() {
                let shown = self.env.terms.show_name(name);
                return Err(self.refuse(format!(
                    "the {} {shown} is used, which is unsafe or partial: it takes no part in proofs",
                    constant.kind_name()
                )));
            }
            self.spend(given as u64 / 16)?;
            for place in 0..given {
                let level = self.env.terms.level_list(levels)[place];
                self.check_level(level)?;
            }
        }
        self.type_at(name, &constant, levels)
    }

    fn infer_app(&mut self, e: ExprId, check: bool) -> Result<ExprId, KernelError> {
        let (head, arguments) = self.spine(e)?;
        let mut ty = self.infer_with(head, check)?;
        // The arguments from `start` on are still to be put into `ty`.
        let mut start = 0;
        for (index, &argument) in arguments.iter().enumerate() {
            if !matches!(self.env.terms.expr(ty), Expr::Pi(..)) {
                ty = self.instantiate(ty, &arguments[start..index])?;
                start = index;
                let (domain, body) = self.ensure_pi(ty)?;
                ty = self.env.terms.pi(domain, body);
            }
            let Expr::Pi(domain, body) = self.env.terms.expr(ty) else {
                return Err(self.refuse("a type of functions is expected"));
            };
            if check {
                let expected = self.instantiate(domain, &arguments[start..index])?;
                self.check_argument(argument, expected, head, index)?;
            }
            ty = body;
        }
        self.instantiate(ty, &arguments[start..])
    }

    fn check_argument(
        &mut self,
        argument: ExprId,
        expected: ExprId,
        head: ExprId,
        index: usize,
    ) -> Result<(), KernelError> {
        let found = self.infer_with(argument, true)?;
        let outer = self.is_eager();
        self.set_eager(outer || self.is_by_computation(argument));
        let equal = self.is_def_eq(found, expected);
        self.set_eager(outer);
        if equal? {
            return Ok(());
        }
        let terms = &self.env.terms;
        Err(self.refuse(format!(
            "argument {} of {} should have type {}, but {} has type {}",
            index + 1,
            terms.show(head),
            terms.show(expected),
            terms.show(argument),
            terms.show(found)
        )))
    }

    /// Whether a term is marked as a proof by computation: numbers in it are then computed at once.
    fn is_by_computation(&self, e: ExprId) -> bool {
        let terms = &self.env.terms;
        let Expr::App(function, _) = terms.expr(e) else { return false };
        let Expr::App(head, _) = terms.expr(function) else { return false };
        matches!(terms.expr(head), Expr::Const(name, _) if name == self.env.known.eager_reduce)
    }

    fn infer_lambda(&mut self, e: ExprId, check: bool) -> Result<ExprId, KernelError> {
        let mut locals = Vec::new();
        let mut domains = Vec::new();
        let mut at = e;
        while let Expr::Lam(domain, body) = self.env.terms.expr(at) {
            self.tick()?;
            domains.push(domain);
            let domain = self.instantiate(domain, &locals)?;
            if check {
                let sort = self.infer_with(domain, true)?;
                self.ensure_sort(sort)?;
            }
            let local = self.new_local(domain);
            locals.push(local);
            at = body;
        }
        let body = self.instantiate(at, &locals)?;
        let ty = self.infer_with(body, check)?;
        let mut ty = self.abstract_locals(ty, &locals)?;
        // As they stand the domains are what would come out of abstracting the locals' types.
        for &domain in domains.iter().rev() {
            ty = self.env.terms.pi(domain, ty);
        }
        Ok(ty)
    }

    fn infer_pi(&mut self, e: ExprId, check: bool) -> Result<ExprId, KernelError> {
        let mut locals = Vec::new();
        let mut levels = Vec::new();
        let mut at = e;
        while let Expr::Pi(domain, body) = self.env.terms.expr(at) {
            self.tick()?;
            let domain = self.instantiate(domain, &locals)?;
            let sort = self.infer_with(domain, check)?;
            levels.push(self.ensure_sort(sort)?);
            let local = self.new_local(domain);
            locals.push(local);
            at = body;
        }
        let body = self.instantiate(at, &locals)?;
        let sort = self.infer_with(body, check)?;
        let mut level = self.ensure_sort(sort)?;
        for &domain_level in levels.iter().rev() {
            level = self.make_imax(domain_level, level);
        }
        Ok(self.env.terms.sort(level))
    }

    /// `imax a b`, without the `imax` where it is plain what it is.
    fn make_imax(&mut self, a: LevelId, b: LevelId) -> LevelId {
        let terms = &mut self.env.terms;
        match (terms.level(a), terms.level(b)) {
            (_, Level::Zero) | (Level::Zero, _) => b,
            _ if a == b => b,
            (_, Level::Succ(_)) => terms.max(a, b),
            _ => terms.imax(a, b),
        }
    }

    fn infer_let(&mut self, e: ExprId, check: bool) -> Result<ExprId, KernelError> {
        let mut values = Vec::new();
        let mut at = e;
        while let Expr::Let(ty, value, body) = self.env.terms.expr(at) {
            self.tick()?;
            let value = self.instantiate(value, &values)?;
            if check {
                let ty = self.instantiate(ty, &values)?;
                let sort = self.infer_with(ty, true)?;
                self.ensure_sort(sort)?;
                let found = self.infer_with(value, true)?;
                if !self.is_def_eq(found, ty)? {
                    let terms = &self.env.terms;
                    return Err(self.refuse(format!(
                        "a local definition should have type {}, but its value {} has type {}",
                        terms.show(ty),
                        terms.show(value),
                        terms.show(found)
                    )));
                }
            }
            values.push(value);
            at = body;
        }
        let body = self.instantiate(at, &values)?;
        self.infer_with(body, check)
    }

    fn infer_proj(
        &mut self,
        structure: NameId,
        index: u32,
        value: ExprId,
        check: bool,
    ) -> Result<ExprId, KernelError> {
        let ty = self.infer_with(value, check)?;
        let ty = self.whnf(ty)?;
        let (head, arguments) = self.spine(ty)?;
        let Expr::Const(name, levels) = self.env.terms.expr(head) else {
            return Err(self.no_projection(structure, index, ty, "its type is no structure"));
        };
        let Some(constant) = self.env.get(name)? else {
            return Err(self.no_projection(structure, index, ty, "its type is no structure"));
        };
        let ConstantKind::Inductive(info) = &constant.kind else {
            return Err(self.no_projection(structure, index, ty, "its type is no structure"));
        };
        let [maker] = info.constructors[..] else {
            return Err(self.no_projection(structure, index, ty, "its type has not one constructor"));
        };
        if name != structure {
            return Err(self.no_projection(structure, index, ty, "its type is another one"));
        }
        let num_params = info.num_params as usize;
        if arguments.len() != num_params + info.num_indices as usize {
            return Err(self.no_projection(structure, index, ty, "its type lacks arguments"));
        }
        let Some(maker_constant) = self.env.get(maker)? else {
            return Err(self.no_projection(structure, index, ty, "the constructor is not there"));
        };
        if self.env.terms.level_list(levels).len() != maker_constant.level_params.len() {
            return Err(self.no_projection(structure, index, ty, "it has a wrong number of levels"));
        }
        let maker_type = self.type_at(maker, &maker_constant, levels)?;
        let in_prop = check && (self.is_declared_prop(name, levels)? || self.is_prop(ty)?);
        self.field_type(maker_type, &arguments[..num_params], structure, index, value, in_prop)
    }

    /// The type of field `index`, from the type of the constructor. Out of a proposition only propositions can be
    /// taken, and none whose type depends on something else.
    fn field_type(
        &mut self,
        maker_type: ExprId,
        params: &[ExprId],
        structure: NameId,
        index: u32,
        value: ExprId,
        in_prop: bool,
    ) -> Result<ExprId, KernelError> {
        let mut ty = maker_type;
        for &param in params {
            let (_, body) = self.ensure_pi(ty)?;
            ty = self.instantiate(body, &[param])?;
        }
        for before in 0..index {
            self.tick()?;
            let (domain, body) = self.ensure_pi(ty)?;
            if self.env.terms.loose_bvar_range(body) == 0 {
                ty = body;
                continue;
            }
            if in_prop && !self.is_prop(domain)? {
                let problem = "it is of a proposition, and the field depends on data";
                return Err(self.no_projection(structure, index, value, problem));
            }
            let field = self.env.terms.proj(structure, before, value);
            ty = self.instantiate(body, &[field])?;
        }
        let (domain, _) = self.ensure_pi(ty)?;
        if in_prop && !self.is_prop(domain)? {
            let problem = "it is of a proposition, and the field is data";
            return Err(self.no_projection(structure, index, value, problem));
        }
        Ok(domain)
    }

    fn no_projection(&self, structure: NameId, index: u32, of: ExprId, problem: &str) -> KernelError {
        let terms = &self.env.terms;
        self.refuse(format!(
            "field {} of {} cannot be taken of {}: {problem}",
            u64::from(index) + 1,
            terms.show_name(structure),
            terms.show(of)
        ))
    }
}
