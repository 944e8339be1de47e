//! Recursors and quotients: how they compute on what constructors made.

use std::rc::Rc;

use super::KernelError;
use super::checker::Checker;
use crate::constant::{Constant, ConstantKind, ConstructorInfo, QuotKind, RecursorInfo};
use crate::terms::{Expr, ExprId, LevelId, LevelsId, NameId};

impl Checker<'_, '_> {
    /// One step of a recursor or of a function on quotients at the head of an application.
    pub(super) fn reduce_recursor(&mut self, e: ExprId, name: NameId) -> Result<Option<ExprId>, KernelError> {
        let Some(constant) = self.env.get(name)? else { return Ok(None) };
        match &constant.kind {
            ConstantKind::Recursor(info) => self.reduce_inductive(e, &constant, info),
            ConstantKind::Quot(QuotKind::Lift) => self.reduce_quotient(e, 5, 3),
            ConstantKind::Quot(QuotKind::Ind) => self.reduce_quotient(e, 4, 3),
            _ => Ok(None),
        }
    }

    /// `Quot.lift f h (Quot.mk r a)` and `Quot.ind f (Quot.mk r a)` are `f a`. The quotient is argument `major`, the
    /// function argument `function`.
    fn reduce_quotient(
        &mut self,
        e: ExprId,
        major: usize,
        function: usize,
    ) -> Result<Option<ExprId>, KernelError> {
        let (_, arguments) = self.spine(e)?;
        let Some(&quotient) = arguments.get(major) else { return Ok(None) };
        let quotient = self.whnf(quotient)?;
        let (head, parts) = self.spine(quotient)?;
        let Expr::Const(name, _) = self.env.terms.expr(head) else { return Ok(None) };
        let Some(constant) = self.env.get(name)? else { return Ok(None) };
        let [_, _, representative] = parts[..] else { return Ok(None) };
        if constant.kind != ConstantKind::Quot(QuotKind::Ctor) {
            return Ok(None);
        }
        let result = self.env.terms.app(arguments[function], representative);
        Ok(Some(self.env.terms.apps(result, &arguments[major + 1..])))
    }

    fn reduce_inductive(
        &mut self,
        e: ExprId,
        constant: &Constant,
        info: &RecursorInfo,
    ) -> Result<Option<ExprId>, KernelError> {
        let (head, arguments) = self.spine(e)?;
        let Expr::Const(name, levels) = self.env.terms.expr(head) else { return Ok(None) };
        let before_indices = info.num_params as usize + info.num_motives as usize + info.num_minors as usize;
        let major_at = before_indices + info.num_indices as usize;
        let Some(&major) = arguments.get(major_at) else { return Ok(None) };
        if self.env.terms.level_list(levels).len() != constant.level_params.len() {
            return Ok(None);
        }
        let Some(major) = self.major_constructor(major, info)? else { return Ok(None) };
        let (maker, parts) = self.spine(major)?;
        let Expr::Const(maker, _) = self.env.terms.expr(maker) else { return Ok(None) };
        let Some(place) = info.rules.iter().position(|rule| rule.constructor == maker) else {
            return Ok(None);
        };
        let rule = &info.rules[place];
        let Some(first_field) = parts.len().checked_sub(rule.num_fields as usize) else { return Ok(None) };
        if !self.is_complete(maker, parts.len(), rule.num_fields)? {
            return Ok(None);
        }
        let rhs = match self.env.caches.rules.get(&(name, place, levels)) {
            Some(&known) => known,
            None => {
                let list = self.env.terms.level_list(levels).to_vec();
                let rhs = self.instantiate_level_params(rule.rhs, &constant.level_params, &list)?;
                self.env.caches.rules.insert((name, place, levels), rhs);
                rhs
            }
        };
        let mut given = arguments[..before_indices].to_vec();
        given.extend_from_slice(&parts[first_field..]);
        given.extend_from_slice(&arguments[major_at + 1..]);
        Ok(Some(self.apply(rhs, &given)?))
    }

    /// Whether a constructor has all of its arguments, and as many fields as a rule says.
    fn is_complete(
        &mut self,
        maker: NameId,
        arguments: usize,
        rule_fields: u32,
    ) -> Result<bool, KernelError> {
        let Some(constant) = self.env.get(maker)? else { return Ok(false) };
        let ConstantKind::Constructor(info) = &constant.kind else { return Ok(false) };
        Ok(info.num_fields == rule_fields && arguments == info.num_params as usize + info.num_fields as usize)
    }

    /// The value that a recursor looks at, as an application of a constructor, if it can be made one.
    fn major_constructor(
        &mut self,
        major: ExprId,
        info: &RecursorInfo,
    ) -> Result<Option<ExprId>, KernelError> {
        let mut major = major;
        if info.k
            && let Some(made) = self.constructor_of_k(major, info)?
        {
            return Ok(Some(made));
        }
        major = self.whnf(major)?;
        match self.env.terms.expr(major) {
            Expr::Nat(value) => self.expand_nat(value).map(Some),
            Expr::Str(text) => match self.expand_string(text)? {
                Some(expanded) => Ok(Some(self.whnf(expanded)?)),
                None => Ok(None),
            },
            _ => {
                if let Some(expanded) = self.expand_structure(major, info)? {
                    major = expanded;
                }
                Ok(Some(major))
            }
        }
    }

    /// The only constructor of a recursor that has one rule, and the type it is of.
    fn only_constructor(
        &mut self,
        info: &RecursorInfo,
    ) -> Result<Option<(NameId, ConstructorInfo)>, KernelError> {
        let [rule] = &info.rules[..] else { return Ok(None) };
        let Some(constant) = self.env.get(rule.constructor)? else { return Ok(None) };
        match &constant.kind {
            ConstantKind::Constructor(found) => Ok(Some((rule.constructor, found.clone()))),
            _ => Ok(None),
        }
    }

    /// For a proposition with one constructor without fields: that constructor, if the type of the value is the type
    /// that it makes. The value itself is not looked at.
    fn constructor_of_k(
        &mut self,
        major: ExprId,
        info: &RecursorInfo,
    ) -> Result<Option<ExprId>, KernelError> {
        let Some((maker, constructor)) = self.only_constructor(info)? else { return Ok(None) };
        let ty = self.infer_only(major)?;
        let ty = self.whnf(ty)?;
        let (head, arguments) = self.spine(ty)?;
        let Expr::Const(name, levels) = self.env.terms.expr(head) else { return Ok(None) };
        let num_params = constructor.num_params as usize;
        if name != constructor.inductive || constructor.num_fields != 0 || arguments.len() < num_params {
            return Ok(None);
        }
        let maker = self.env.terms.constant(maker, levels);
        let made = self.env.terms.apps(maker, &arguments[..num_params]);
        let made_type = self.infer_only(made)?;
        Ok(self.is_def_eq(ty, made_type)?.then_some(made))
    }

    /// A value of a structure that no constructor made, as the constructor applied to its projections.
    fn expand_structure(
        &mut self,
        value: ExprId,
        info: &RecursorInfo,
    ) -> Result<Option<ExprId>, KernelError> {
        let Some((maker, constructor)) = self.only_constructor(info)? else { return Ok(None) };
        if !self.is_structure(constructor.inductive)? {
            return Ok(None);
        }
        if let Expr::Const(name, _) = self.head_expr(value)? {
            let found = self.env.get(name)?;
            if found.is_some_and(|found| matches!(found.kind, ConstantKind::Constructor(_))) {
                return Ok(None);
            }
        }
        let ty = self.infer_only(value)?;
        let ty = self.whnf(ty)?;
        let (head, arguments) = self.spine(ty)?;
        let Expr::Const(name, levels) = self.env.terms.expr(head) else { return Ok(None) };
        if name != constructor.inductive || arguments.len() != constructor.num_params as usize {
            return Ok(None);
        }
        if self.is_declared_prop(name, levels)? || self.is_prop(ty)? {
            return Ok(None);
        }
        let made = self.env.terms.constant(maker, levels);
        let mut made = self.env.terms.apps(made, &arguments);
        for index in 0..constructor.num_fields {
            self.tick()?;
            let field = self.env.terms.proj(name, index, value);
            made = self.env.terms.app(made, field);
        }
        Ok(Some(made))
    }

    /// Whether a type has eta: one constructor, no indices, not recursive.
    pub(super) fn is_structure(&mut self, inductive: NameId) -> Result<bool, KernelError> {
        let Some(constant) = self.env.get(inductive)? else { return Ok(false) };
        Ok(match &constant.kind {
            ConstantKind::Inductive(info) => {
                info.constructors.len() == 1 && info.num_indices == 0 && !info.is_rec
            }
            _ => false,
        })
    }

    /// Whether an inductive type was declared as a proposition, at these levels.
    ///
    /// The declaration decides, not the type of an instance: an instance's universe may fail to reduce to `Prop` where
    /// the declared one did, because reduction is not kept by all substitutions. Fields taken out of such an instance
    /// would prove anything.
    pub(super) fn is_declared_prop(
        &mut self,
        inductive: NameId,
        levels: LevelsId,
    ) -> Result<bool, KernelError> {
        let Some(constant) = self.env.get(inductive)? else {
            return Err(self.refuse("an inductive type is not there"));
        };
        let level = match self.env.caches.declared_levels.get(&inductive) {
            Some(&known) => known,
            None => {
                let level = self.find_declared_level(&constant)?;
                self.env.caches.declared_levels.insert(inductive, level);
                level
            }
        };
        let list = self.env.terms.level_list(levels).to_vec();
        self.spend(list.len() as u64 / 16)?;
        let level = self.instantiate_level(level, &constant.level_params, &list)?;
        self.is_zero_level(level)
    }

    /// The level of the universe that an inductive type was declared in.
    fn find_declared_level(&mut self, constant: &Rc<Constant>) -> Result<LevelId, KernelError> {
        let ConstantKind::Inductive(info) = &constant.kind else {
            return Err(self.refuse("a constructor belongs to something that is no inductive type"));
        };
        let mut ty = constant.ty;
        let mut locals = Vec::new();
        for _ in 0..u64::from(info.num_params) + u64::from(info.num_indices) {
            self.tick()?;
            if !matches!(self.env.terms.expr(ty), Expr::Pi(..)) {
                ty = self.instantiate(ty, &locals)?;
                locals.clear();
            }
            let (domain, body) = match self.env.terms.expr(ty) {
                Expr::Pi(domain, body) => (domain, body),
                _ => self.ensure_pi(ty)?,
            };
            let domain = self.instantiate(domain, &locals)?;
            let local = self.new_local(domain);
            locals.push(local);
            ty = body;
        }
        let ty = self.instantiate(ty, &locals)?;
        self.ensure_sort(ty)
    }
}
