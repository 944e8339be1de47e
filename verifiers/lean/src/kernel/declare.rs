//! Declarations: what has to hold of an axiom, a definition, a theorem or an opaque constant before it is added.

use rustc_hash::FxHashSet;

use super::KernelError;
use super::checker::Checker;
use super::environment::Environment;
use crate::constant::{Constant, ConstantKind};
use crate::terms::ExprId;

impl Environment<'_> {
    /// Checks an axiom, a definition, a theorem or an opaque constant, and adds it.
    ///
    /// # Errors
    /// [`KernelError::Refused`] if the constant is wrong, or of a kind that this does not add: inductive types come in
    /// blocks, and unsafe and partial constants take no part in the logic. [`KernelError::Exhausted`] if the budget
    /// ended, [`KernelError::Unreadable`] if a trusted module could not be read. Nothing is added then.
    pub fn add(&mut self, constant: Constant) -> Result<(), KernelError> {
        self.require_new(constant.name)?;
        self.check(&constant)?;
        self.insert_checked(constant);
        Ok(())
    }

    /// Checks what [`Environment::add`] checks, but for the name being free, and adds nothing.
    ///
    /// # Errors
    /// As [`Environment::add`].
    pub fn check(&mut self, constant: &Constant) -> Result<(), KernelError> {
        if constant.is_unsafe() {
            let problem = format!("an unsafe or partial {} takes no part in proofs", constant.kind_name());
            return Err(self.refused(constant.name, problem));
        }
        let value = match &constant.kind {
            ConstantKind::Axiom { .. } => None,
            ConstantKind::Definition { value, .. }
            | ConstantKind::Theorem { value }
            | ConstantKind::Opaque { value, .. } => Some(*value),
            _ => {
                let problem = format!("a {} is not declared by itself", constant.kind_name());
                return Err(self.refused(constant.name, problem));
            }
        };
        let mut checker = Checker::new(self, constant.name, constant.level_params.clone());
        checker.check_signature(constant)?;
        match value {
            None => Ok(()),
            Some(value) => checker.check_value(value, constant.ty),
        }
    }
}

impl Checker<'_, '_> {
    /// Checks the universe parameters and the type of a declaration; the type of a theorem is a proposition.
    pub(crate) fn check_signature(&mut self, constant: &Constant) -> Result<(), KernelError> {
        self.check_level_params(constant)?;
        self.require_closed(constant.ty, "type")?;
        let sort = self.infer(constant.ty)?;
        let level = self.ensure_sort(sort)?;
        if matches!(constant.kind, ConstantKind::Theorem { .. }) && !self.is_zero_level(level)? {
            let shown = self.env.terms.show(constant.ty);
            return Err(self.refuse(format!("the type of a theorem should be a proposition, not {shown}")));
        }
        Ok(())
    }

    /// Refuses universe parameters of which two have the same name.
    pub(crate) fn check_level_params(&mut self, constant: &Constant) -> Result<(), KernelError> {
        let mut seen = FxHashSet::default();
        match constant.level_params.iter().find(|&&param| !seen.insert(param)) {
            None => Ok(()),
            Some(&twice) => {
                let shown = self.env.terms.show_name(twice);
                Err(self.refuse(format!("the universe parameter {shown} is listed twice")))
            }
        }
    }

    fn check_value(&mut self, value: ExprId, ty: ExprId) -> Result<(), KernelError> {
        self.require_closed(value, "value")?;
        let found = self.infer(value)?;
        if self.is_def_eq(found, ty)? {
            return Ok(());
        }
        let terms = &self.env.terms;
        let (expected, found) = (terms.show(ty), terms.show(found));
        Err(self.refuse(format!("its type should be {expected}, but its value has type {found}")))
    }

    /// Refuses a term with bound variables outside of binders, or with locals.
    pub(crate) fn require_closed(&mut self, e: ExprId, what: &str) -> Result<(), KernelError> {
        if self.env.terms.loose_bvar_range(e) > 0 {
            return Err(self.refuse(format!("its {what} has a bound variable outside of its binder")));
        }
        if self.env.terms.has_fvar(e) {
            return Err(self.refuse(format!("its {what} has a free variable")));
        }
        Ok(())
    }
}
