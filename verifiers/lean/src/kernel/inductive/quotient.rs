//! The four constants of quotients: a module may declare them as the kernel knows them, and no other way.

use super::refused;
use crate::constant::{Constant, ConstantKind, QuotKind};
use crate::kernel::{Environment, KernelError};
use crate::terms::{ExprId, LevelId, LevelsId, NameId, Terms};

impl Environment<'_> {
    /// Adds the constants of quotients, which must be claimed exactly as the kernel makes them; `Eq` must have been
    /// checked, or be trusted, and be the usual equality.
    ///
    /// # Errors
    /// [`KernelError::Refused`] with the constant that is wrong, what was expected and what was claimed.
    pub fn add_quotients(&mut self, claimed: &[Constant]) -> Result<(), KernelError> {
        self.require_usual_eq()?;
        let made = Builder::new(&mut self.terms).quotients();
        for constant in &made {
            let Some(claim) = claimed.iter().find(|claim| claim.name == constant.name) else {
                let problem =
                    "the module has some of the constants of quotients but not this one: they come together";
                return Err(refused(&self.terms, constant.name, problem));
            };
            if claim != constant {
                let problem = format!(
                    "it must be the kernel's constant of quotients, of type `{}`; the module claims the {} of type `{}`",
                    self.terms.show(constant.ty),
                    claim.kind_name(),
                    self.terms.show(claim.ty)
                );
                return Err(refused(&self.terms, constant.name, problem));
            }
            self.require_new(constant.name)?;
        }
        if let Some(extra) =
            claimed.iter().find(|claim| made.iter().all(|constant| constant.name != claim.name))
        {
            return Err(refused(&self.terms, extra.name, "it is none of the four constants of quotients"));
        }
        for constant in made {
            self.insert_checked(constant);
        }
        Ok(())
    }

    fn require_usual_eq(&mut self) -> Result<(), KernelError> {
        let eq = self.terms.str_name(NameId::ANONYMOUS, "Eq");
        let refl = self.terms.str_name(eq, "refl");
        let (found, found_refl) = (self.get(eq)?, self.get(refl)?);
        let usual = match (&found, &found_refl) {
            (Some(found), Some(found_refl)) => match (found.level_params.as_slice(), &found.kind) {
                (&[u], ConstantKind::Inductive(info)) => {
                    let (ty, refl_ty) = Builder::new(&mut self.terms).eq_types(u);
                    info.constructors == [refl]
                        && found.ty == ty
                        && found_refl.level_params == [u]
                        && matches!(&found_refl.kind, ConstantKind::Constructor(info) if info.inductive == eq)
                        && found_refl.ty == refl_ty
                }
                _ => false,
            },
            _ => false,
        };
        if usual {
            return Ok(());
        }
        let quot = self.terms.str_name(NameId::ANONYMOUS, "Quot");
        let problem =
            "quotients need the usual `Eq`, with the one constructor `Eq.refl`, to be declared before them";
        Err(refused(&self.terms, quot, problem))
    }
}

/// Builds the types, whose bound variables are numbered by hand.
struct Builder<'a> {
    terms: &'a mut Terms,
    eq: NameId,
    quot: NameId,
}

impl<'a> Builder<'a> {
    fn new(terms: &'a mut Terms) -> Self {
        let eq = terms.str_name(NameId::ANONYMOUS, "Eq");
        let quot = terms.str_name(NameId::ANONYMOUS, "Quot");
        Self { terms, eq, quot }
    }

    fn var(&mut self, index: u32) -> ExprId {
        self.terms.bvar(index)
    }

    fn prop(&mut self) -> ExprId {
        let zero = self.terms.zero();
        self.terms.sort(zero)
    }

    /// `(binders) → result`, outermost binder first.
    fn pis(&mut self, binders: &[ExprId], result: ExprId) -> ExprId {
        binders.iter().rev().fold(result, |body, &binder| self.terms.pi(binder, body))
    }

    /// `name arguments`, where each argument is a variable.
    fn apply(&mut self, name: NameId, levels: LevelsId, arguments: &[u32]) -> ExprId {
        let head = self.terms.constant(name, levels);
        arguments.iter().fold(head, |applied, &index| {
            let argument = self.terms.bvar(index);
            self.terms.app(applied, argument)
        })
    }

    /// `α → α → Prop`, where `α` is the variable at `index`.
    fn relation(&mut self, index: u32) -> ExprId {
        let (first, second, prop) = (self.var(index), self.var(index + 1), self.prop());
        self.pis(&[first, second], prop)
    }

    /// The types of `Eq` and of `Eq.refl`, whose universe parameter is `u`.
    fn eq_types(&mut self, u: NameId) -> (ExprId, ExprId) {
        let level = self.terms.param(u);
        let levels = self.terms.levels(&[level]);
        let sort = self.terms.sort(level);
        let relation = self.relation(0);
        let eq = self.terms.pi(sort, relation);
        let (alpha, refl) = (self.var(0), self.apply(self.eq, levels, &[1, 0, 0]));
        (eq, self.pis(&[sort, alpha], refl))
    }

    fn quotients(&mut self) -> [Constant; 4] {
        let u = self.terms.str_name(NameId::ANONYMOUS, "u");
        let v = self.terms.str_name(NameId::ANONYMOUS, "v");
        let (level_u, level_v) = (self.terms.param(u), self.terms.param(v));
        let levels = self.terms.levels(&[level_u]);
        let sort = self.terms.sort(level_u);
        let relation = self.relation(0);
        let names = ["mk", "lift", "ind"].map(|name| self.terms.str_name(self.quot, name));
        let constant = |name, level_params: &[NameId], ty, kind| Constant {
            name,
            level_params: level_params.to_vec(),
            ty,
            kind: ConstantKind::Quot(kind),
        };
        let (quot, mk) = (self.pis(&[sort, relation], sort), self.mk(sort, relation, levels));
        let (lift, ind) = (self.lift(sort, relation, levels, level_v), self.ind(sort, relation, levels));
        [
            constant(self.quot, &[u], quot, QuotKind::Type),
            constant(names[0], &[u], mk, QuotKind::Ctor),
            constant(names[1], &[u, v], lift, QuotKind::Lift),
            constant(names[2], &[u], ind, QuotKind::Ind),
        ]
    }

    /// `{α : Sort u} (r : α → α → Prop) (a : α) → Quot r`.
    fn mk(&mut self, sort: ExprId, relation: ExprId, levels: LevelsId) -> ExprId {
        let (alpha, result) = (self.var(1), self.apply(self.quot, levels, &[2, 1]));
        self.pis(&[sort, relation, alpha], result)
    }

    /// `{α : Sort u} {r : α → α → Prop} {β : Sort v} (f : α → β) (h : ∀ a b, r a b → f a = f b) (q : Quot r) → β`.
    fn lift(&mut self, sort: ExprId, relation: ExprId, levels: LevelsId, v: LevelId) -> ExprId {
        let (sort_v, levels_v) = (self.terms.sort(v), self.terms.levels(&[v]));
        let (alpha, beta) = (self.var(2), self.var(1));
        let f = self.pis(&[alpha], beta);
        // Under α, r, β, f, a, b.
        let related = {
            let (r, a, b) = (self.var(4), self.var(1), self.var(0));
            self.terms.apps(r, &[a, b])
        };
        // One deeper: under the proof that they are related.
        let equal = {
            let (f, a, b) = (self.var(3), self.var(2), self.var(1));
            let (f_a, f_b) = (self.terms.app(f, a), self.terms.app(f, b));
            let (head, beta) = (self.terms.constant(self.eq, levels_v), self.var(4));
            self.terms.apps(head, &[beta, f_a, f_b])
        };
        let (a, b) = (self.var(3), self.var(4));
        let respects = self.pis(&[a, b, related], equal);
        let (quot, result) = (self.apply(self.quot, levels, &[4, 3]), self.var(3));
        self.pis(&[sort, relation, sort_v, f, respects, quot], result)
    }

    /// `{α : Sort u} {r : α → α → Prop} {β : Quot r → Prop} (mk : ∀ a, β (Quot.mk r a)) (q : Quot r) → β q`.
    fn ind(&mut self, sort: ExprId, relation: ExprId, levels: LevelsId) -> ExprId {
        let (quot, prop) = (self.apply(self.quot, levels, &[1, 0]), self.prop());
        let beta = self.pis(&[quot], prop);
        let mk_name = self.terms.str_name(self.quot, "mk");
        // Under α, r, β, a.
        let (made, applied) = (self.apply(mk_name, levels, &[3, 2, 0]), self.var(1));
        let applied = self.terms.app(applied, made);
        let alpha = self.var(2);
        let mk = self.pis(&[alpha], applied);
        let quot = self.apply(self.quot, levels, &[3, 2]);
        let (beta_var, q) = (self.var(2), self.var(0));
        let result = self.terms.app(beta_var, q);
        self.pis(&[sort, relation, beta, mk, quot], result)
    }
}
