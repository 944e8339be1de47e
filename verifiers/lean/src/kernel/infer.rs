//! Types of terms (being written: every function refuses).

use super::KernelError;
use super::checker::Checker;
use crate::terms::{ExprId, LevelId};

impl Checker<'_, '_> {
    /// The type of `e`, which is checked throughout: every argument, level and projection.
    pub(crate) fn infer(&mut self, e: ExprId) -> Result<ExprId, KernelError> {
        Err(self.refuse(format!("infer {e:?}")))
    }

    /// The type of `e`, which is known to have one.
    pub(crate) fn infer_only(&mut self, e: ExprId) -> Result<ExprId, KernelError> {
        Err(self.refuse(format!("infer_only {e:?}")))
    }

    /// The weak head normal form of `e`, definitions unfolded.
    pub(crate) fn whnf(&mut self, e: ExprId) -> Result<ExprId, KernelError> {
        Err(self.refuse(format!("whnf {e:?}")))
    }

    /// The weak head normal form of `e` without unfolding of definitions.
    pub(crate) fn whnf_core(&mut self, e: ExprId) -> Result<ExprId, KernelError> {
        Err(self.refuse(format!("whnf_core {e:?}")))
    }

    /// Whether two terms that have types are definitionally equal.
    pub(crate) fn is_def_eq(&mut self, a: ExprId, b: ExprId) -> Result<bool, KernelError> {
        Err(self.refuse(format!("is_def_eq {a:?} {b:?}")))
    }

    /// Whether two levels are equal whatever the parameters stand for.
    pub(crate) fn is_level_eq(&mut self, a: LevelId, b: LevelId) -> Result<bool, KernelError> {
        Err(self.refuse(format!("is_level_eq {a:?} {b:?}")))
    }

    /// Whether `a` is at most `b` whatever the parameters stand for.
    pub(crate) fn is_level_leq(&mut self, a: LevelId, b: LevelId) -> Result<bool, KernelError> {
        Err(self.refuse(format!("is_level_leq {a:?} {b:?}")))
    }

    /// The level of `e`, which must reduce to a universe.
    pub(crate) fn ensure_sort(&mut self, e: ExprId) -> Result<LevelId, KernelError> {
        Err(self.refuse(format!("ensure_sort {e:?}")))
    }

    /// The argument's type and the result's type (one loose bound variable) of `e`, which must reduce to a type of
    /// functions.
    pub(crate) fn ensure_pi(&mut self, e: ExprId) -> Result<(ExprId, ExprId), KernelError> {
        Err(self.refuse(format!("ensure_pi {e:?}")))
    }

    /// Refuses a level with a universe parameter that the declaration does not have.
    pub(crate) fn check_level(&mut self, level: LevelId) -> Result<(), KernelError> {
        Err(self.refuse(format!("check_level {level:?}")))
    }
}
