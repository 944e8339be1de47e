//! Definitional equality.
//!
//! The order of the rules follows Lean's own kernel, because that order decides how long proofs take. Results are
//! remembered pair by pair, not closed under transitivity, and apart for the two ways in which numbers are computed: no
//! answer is put together from answers to other questions.

use super::KernelError;
use super::checker::Checker;
use crate::constant::{ConstantKind, Hints};
use crate::terms::{Expr, ExprId, LevelId, LevelsId, NameId};

/// What one step of unfolding came to.
enum Unfolded {
    /// Both sides are these now.
    Both(ExprId, ExprId),
    /// Neither side has a definition at its head.
    Stuck,
    Decided(bool),
}

impl Checker<'_, '_> {
    /// Whether two terms that have types are definitionally equal.
    pub(crate) fn is_def_eq(&mut self, a: ExprId, b: ExprId) -> Result<bool, KernelError> {
        if a == b {
            return Ok(true);
        }
        if let Some(&known) = self.reductions.equal.get(&pair(a, b)) {
            return Ok(known);
        }
        self.tick()?;
        self.enter()?;
        let equal = self.compare(a, b);
        self.leave();
        let equal = equal?;
        self.reductions.remember_equal(pair(a, b), equal);
        Ok(equal)
    }

    /// Whether two levels are equal whatever the parameters stand for.
    pub(crate) fn is_level_eq(&mut self, a: LevelId, b: LevelId) -> Result<bool, KernelError> {
        let equal = super::levels::equal(&self.env.terms, &mut self.env.meter, a, b);
        equal.map_err(|what| self.exhausted(what))
    }

    /// Whether `a` is at most `b` whatever the parameters stand for.
    pub(crate) fn is_level_leq(&mut self, a: LevelId, b: LevelId) -> Result<bool, KernelError> {
        let leq = super::levels::leq(&self.env.terms, &mut self.env.meter, a, b);
        leq.map_err(|what| self.exhausted(what))
    }

    fn are_levels_eq(&mut self, a: LevelsId, b: LevelsId) -> Result<bool, KernelError> {
        if a == b {
            return Ok(true);
        }
        let count = self.env.terms.level_list(a).len();
        if count != self.env.terms.level_list(b).len() {
            return Ok(false);
        }
        self.spend(count as u64 / 16)?;
        for place in 0..count {
            let (left, right) = (self.env.terms.level_list(a)[place], self.env.terms.level_list(b)[place]);
            if !self.is_level_eq(left, right)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What can be said without reducing anything.
    fn quick(&mut self, a: ExprId, b: ExprId) -> Result<Option<bool>, KernelError> {
        if a == b {
            return Ok(Some(true));
        }
        match (self.env.terms.expr(a), self.env.terms.expr(b)) {
            (Expr::Lam(..), Expr::Lam(..)) | (Expr::Pi(..), Expr::Pi(..)) => {
                self.are_bindings_eq(a, b).map(Some)
            }
            (Expr::Sort(left), Expr::Sort(right)) => self.is_level_eq(left, right).map(Some),
            // Equal literals have equal ids.
            (Expr::Nat(_), Expr::Nat(_)) | (Expr::Str(_), Expr::Str(_)) => Ok(Some(false)),
            _ => Ok(self.reductions.equal.get(&pair(a, b)).copied().filter(|&equal| equal)),
        }
    }

    fn are_bindings_eq(&mut self, a: ExprId, b: ExprId) -> Result<bool, KernelError> {
        let mut locals = Vec::new();
        let (mut a, mut b) = (a, b);
        while let (Expr::Lam(a_domain, a_body), Expr::Lam(b_domain, b_body))
        | (Expr::Pi(a_domain, a_body), Expr::Pi(b_domain, b_body)) =
            (self.env.terms.expr(a), self.env.terms.expr(b))
        {
            self.tick()?;
            let left = self.instantiate(a_domain, &locals)?;
            if a_domain != b_domain {
                let right = self.instantiate(b_domain, &locals)?;
                if !self.is_def_eq(left, right)? {
                    return Ok(false);
                }
            }
            let local = self.new_local(left);
            locals.push(local);
            (a, b) = (a_body, b_body);
        }
        let left = self.instantiate(a, &locals)?;
        let right = self.instantiate(b, &locals)?;
        self.is_def_eq(left, right)
    }

    fn compare(&mut self, a: ExprId, b: ExprId) -> Result<bool, KernelError> {
        if let Some(equal) = self.quick(a, b)? {
            return Ok(equal);
        }
        if self.is_proved_by_computation(a, b)? || self.is_proved_by_computation(b, a)? {
            return Ok(true);
        }
        let left = self.whnf_core_with(a, true)?;
        let right = self.whnf_core_with(b, true)?;
        if (left, right) != (a, b)
            && let Some(equal) = self.quick(left, right)?
        {
            return Ok(equal);
        }
        if let Some(equal) = self.are_proofs_eq(left, right)? {
            return Ok(equal);
        }
        let (left, right) = match self.unfold_lazily(left, right)? {
            Unfolded::Decided(equal) => return Ok(equal),
            Unfolded::Both(left, right) => (left, right),
            Unfolded::Stuck => (left, right),
        };
        if self.are_stuck_heads_eq(left, right)? {
            return Ok(true);
        }
        let (left_full, right_full) = (self.whnf_core(left)?, self.whnf_core(right)?);
        if (left_full, right_full) != (left, right) {
            return self.is_def_eq(left_full, right_full);
        }
        self.compare_stuck(left, right)
    }

    /// A closed term against `Bool.true`: proofs by decision are computed at once.
    fn is_proved_by_computation(&mut self, a: ExprId, truth: ExprId) -> Result<bool, KernelError> {
        let is_true = |checker: &Self, e| matches!(checker.env.terms.expr(e), Expr::Const(name, _) if name == checker.env.known.bool_true);
        if self.env.terms.has_fvar(a) || !is_true(self, truth) {
            return Ok(false);
        }
        let reduced = self.whnf(a)?;
        Ok(reduced == truth)
    }

    /// Two proofs are equal if they prove the same; `None` where the first is no proof.
    fn are_proofs_eq(&mut self, a: ExprId, b: ExprId) -> Result<Option<bool>, KernelError> {
        let a_type = self.infer_only(a)?;
        if !self.is_prop(a_type)? {
            return Ok(None);
        }
        let b_type = self.infer_only(b)?;
        self.is_def_eq(a_type, b_type).map(Some)
    }

    /// Unfolds definitions on both sides, the higher first, until it is decided or nothing is left to unfold.
    fn unfold_lazily(&mut self, a: ExprId, b: ExprId) -> Result<Unfolded, KernelError> {
        let (mut a, mut b) = (a, b);
        loop {
            self.tick()?;
            if let Some(equal) = self.compare_offsets(a, b)? {
                return Ok(Unfolded::Decided(equal));
            }
            let closed = !self.env.terms.has_fvar(a) && !self.env.terms.has_fvar(b);
            if closed || self.is_eager() {
                if let Some(value) = self.reduce_nat(a)? {
                    return self.is_def_eq(value, b).map(Unfolded::Decided);
                }
                if let Some(value) = self.reduce_nat(b)? {
                    return self.is_def_eq(a, value).map(Unfolded::Decided);
                }
            }
            if self.are_strings_eq(a, b)? {
                return Ok(Unfolded::Decided(true));
            }
            match self.unfold_step(a, b)? {
                Unfolded::Both(left, right) => (a, b) = (left, right),
                Unfolded::Stuck => return Ok(Unfolded::Both(a, b)),
                decided => return Ok(decided),
            }
        }
    }

    fn unfold_step(&mut self, a: ExprId, b: ExprId) -> Result<Unfolded, KernelError> {
        let (mut left, mut right) = (a, b);
        match (self.delta(a)?, self.delta(b)?) {
            (None, None) => return Ok(Unfolded::Stuck),
            (Some(_), None) => match self.reduce_projection_head(b)? {
                Some(reduced) => right = reduced,
                None => left = self.unfold_cheaply(a)?,
            },
            (None, Some(_)) => match self.reduce_projection_head(a)? {
                Some(reduced) => left = reduced,
                None => right = self.unfold_cheaply(b)?,
            },
            (Some(a_constant), Some(b_constant)) => {
                let (a_height, b_height) = (Self::height(&a_constant), Self::height(&b_constant));
                let regular =
                    matches!(a_constant.kind, ConstantKind::Definition { hints: Hints::Regular(_), .. });
                if a_height > b_height {
                    left = self.unfold_cheaply(a)?;
                } else if a_height < b_height {
                    right = self.unfold_cheaply(b)?;
                } else {
                    let same = a_constant.name == b_constant.name && regular;
                    if same && self.are_arguments_eq(a, b)? {
                        return Ok(Unfolded::Decided(true));
                    }
                    left = self.unfold_cheaply(a)?;
                    right = self.unfold_cheaply(b)?;
                }
            }
        }
        Ok(match self.quick(left, right)? {
            Some(equal) => Unfolded::Decided(equal),
            None => Unfolded::Both(left, right),
        })
    }

    fn unfold_cheaply(&mut self, e: ExprId) -> Result<ExprId, KernelError> {
        match self.unfold(e)? {
            Some(unfolded) => self.whnf_core_with(unfolded, true),
            None => Ok(e),
        }
    }

    /// An application whose head is a projection, reduced with definitions unfolded below the projection.
    fn reduce_projection_head(&mut self, e: ExprId) -> Result<Option<ExprId>, KernelError> {
        let Expr::Proj(..) = self.head_expr(e)? else { return Ok(None) };
        let reduced = self.whnf_core(e)?;
        Ok((reduced != e).then_some(reduced))
    }

    /// Whether two applications of the same constant have equal levels and arguments; a failure is remembered.
    fn are_arguments_eq(&mut self, a: ExprId, b: ExprId) -> Result<bool, KernelError> {
        let (a_head, a_arguments) = self.spine(a)?;
        let (b_head, b_arguments) = self.spine(b)?;
        let (Expr::Const(_, a_levels), Expr::Const(_, b_levels)) =
            (self.env.terms.expr(a_head), self.env.terms.expr(b_head))
        else {
            return Ok(false);
        };
        if a_arguments.is_empty() || self.reductions.failed.contains(&pair(a, b)) {
            return Ok(false);
        }
        let equal = self.are_levels_eq(a_levels, b_levels)? && self.are_all_eq(&a_arguments, &b_arguments)?;
        if !equal {
            self.reductions.remember_failed(pair(a, b));
        }
        Ok(equal)
    }

    fn are_all_eq(&mut self, a: &[ExprId], b: &[ExprId]) -> Result<bool, KernelError> {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (&left, &right) in a.iter().zip(b) {
            if !self.is_def_eq(left, right)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Numbers that are both zero, or both a successor.
    ///
    /// Only of the natural numbers: a `Nat.succ` of a prelude of one's own may be any function, with universe levels
    /// that its value depends on.
    fn compare_offsets(&mut self, a: ExprId, b: ExprId) -> Result<Option<bool>, KernelError> {
        if !self.is_nat_form(a) || !self.is_nat_form(b) || !self.has_nat_literals()? {
            return Ok(None);
        }
        if self.is_nat_zero(a) && self.is_nat_zero(b) {
            return Ok(Some(true));
        }
        let (Some(left), Some(right)) = (self.nat_predecessor(a)?, self.nat_predecessor(b)?) else {
            return Ok(None);
        };
        self.is_def_eq(left, right).map(Some)
    }

    /// A string literal against the constant that makes strings, applied to an equal list.
    fn are_strings_eq(&mut self, a: ExprId, b: ExprId) -> Result<bool, KernelError> {
        let (literal, made) = match (self.env.terms.expr(a), self.env.terms.expr(b)) {
            (Expr::Str(text), Expr::App(..)) => (text, b),
            (Expr::App(..), Expr::Str(text)) => (text, a),
            _ => return Ok(false),
        };
        if !self.is_made_string(made)? {
            return Ok(false);
        }
        match self.expand_string(literal)? {
            Some(expanded) => self.are_applications_eq(expanded, made),
            None => Ok(false),
        }
    }

    /// The same constant, local, or field of equal values at the head of both sides, with nothing left to unfold.
    fn are_stuck_heads_eq(&mut self, a: ExprId, b: ExprId) -> Result<bool, KernelError> {
        match (self.env.terms.expr(a), self.env.terms.expr(b)) {
            (Expr::Const(a_name, a_levels), Expr::Const(b_name, b_levels)) if a_name == b_name => {
                self.are_levels_eq(a_levels, b_levels)
            }
            (Expr::Proj(a_name, a_index, a_value), Expr::Proj(b_name, b_index, b_value))
                if (a_name, a_index) == (b_name, b_index) =>
            {
                self.are_projected_eq(a_value, b_value, a_name, a_index)
            }
            _ => Ok(false),
        }
    }

    /// Whether a field of two values is equal: because the values are, or the fields once the values are unfolded.
    fn are_projected_eq(
        &mut self,
        a: ExprId,
        b: ExprId,
        structure: NameId,
        index: u32,
    ) -> Result<bool, KernelError> {
        let (mut a, mut b) = (a, b);
        loop {
            self.tick()?;
            match self.unfold_step(a, b)? {
                Unfolded::Both(left, right) => (a, b) = (left, right),
                Unfolded::Decided(true) => return Ok(true),
                Unfolded::Decided(false) | Unfolded::Stuck => break,
            }
        }
        let fields = (self.project(structure, index, a)?, self.project(structure, index, b)?);
        if let (Some(left), Some(right)) = fields {
            return self.is_def_eq(left, right);
        }
        self.is_def_eq(a, b)
    }

    /// Both sides in weak head normal form: congruence, eta, strings, types with one value.
    fn compare_stuck(&mut self, a: ExprId, b: ExprId) -> Result<bool, KernelError> {
        if self.are_applications_eq(a, b)? {
            return Ok(true);
        }
        if self.is_eta_eq(a, b)? || self.is_eta_eq(b, a)? {
            return Ok(true);
        }
        if self.is_structure_eta_eq(a, b)? || self.is_structure_eta_eq(b, a)? {
            return Ok(true);
        }
        if self.is_string_expansion_eq(a, b)? || self.is_string_expansion_eq(b, a)? {
            return Ok(true);
        }
        self.are_units(a, b)
    }

    fn are_applications_eq(&mut self, a: ExprId, b: ExprId) -> Result<bool, KernelError> {
        let (Expr::App(..), Expr::App(..)) = (self.env.terms.expr(a), self.env.terms.expr(b)) else {
            return Ok(false);
        };
        let (a_head, a_arguments) = self.spine(a)?;
        let (b_head, b_arguments) = self.spine(b)?;
        Ok(a_arguments.len() == b_arguments.len()
            && self.is_def_eq(a_head, b_head)?
            && self.are_all_eq(&a_arguments, &b_arguments)?)
    }

    /// A function against something that is no `fun`, which is then applied to a variable.
    fn is_eta_eq(&mut self, function: ExprId, other: ExprId) -> Result<bool, KernelError> {
        if !matches!(self.env.terms.expr(function), Expr::Lam(..))
            || matches!(self.env.terms.expr(other), Expr::Lam(..))
        {
            return Ok(false);
        }
        let ty = self.infer_only(other)?;
        let ty = self.whnf(ty)?;
        let Expr::Pi(domain, _) = self.env.terms.expr(ty) else { return Ok(false) };
        let variable = self.env.terms.bvar(0);
        let body = self.env.terms.app(other, variable);
        let expanded = self.env.terms.lam(domain, body);
        self.is_def_eq(function, expanded)
    }

    /// A value of a structure against the constructor applied to its fields.
    fn is_structure_eta_eq(&mut self, value: ExprId, made: ExprId) -> Result<bool, KernelError> {
        let (head, arguments) = self.spine(made)?;
        let Expr::Const(name, levels) = self.env.terms.expr(head) else { return Ok(false) };
        let Some(constant) = self.env.get(name)? else { return Ok(false) };
        let ConstantKind::Constructor(info) = &constant.kind else { return Ok(false) };
        let num_params = info.num_params as usize;
        if arguments.len() != num_params + info.num_fields as usize || !self.is_structure(info.inductive)? {
            return Ok(false);
        }
        if self.is_declared_prop(info.inductive, levels)? {
            return Ok(false);
        }
        let value_type = self.infer_only(value)?;
        let made_type = self.infer_only(made)?;
        if !self.is_def_eq(value_type, made_type)? {
            return Ok(false);
        }
        for (index, &field) in (0u32..).zip(&arguments[num_params..]) {
            let projected = self.env.terms.proj(info.inductive, index, value);
            if !self.is_def_eq(projected, field)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A string literal against something else that is in normal form.
    fn is_string_expansion_eq(&mut self, literal: ExprId, other: ExprId) -> Result<bool, KernelError> {
        let (Expr::Str(text), Expr::App(..)) = (self.env.terms.expr(literal), self.env.terms.expr(other))
        else {
            return Ok(false);
        };
        let Some(expanded) = self.expand_string(text)? else { return Ok(false) };
        let expanded = self.whnf(expanded)?;
        if matches!(self.env.terms.expr(expanded), Expr::Str(_)) {
            return Ok(false);
        }
        self.is_def_eq(expanded, other)
    }

    /// Two values of a structure without fields.
    fn are_units(&mut self, a: ExprId, b: ExprId) -> Result<bool, KernelError> {
        let ty = self.infer_only(a)?;
        let ty = self.whnf(ty)?;
        let Expr::Const(name, _) = self.head_expr(ty)? else { return Ok(false) };
        if !self.is_structure(name)? {
            return Ok(false);
        }
        let Some(constant) = self.env.get(name)? else { return Ok(false) };
        let ConstantKind::Inductive(info) = &constant.kind else { return Ok(false) };
        let Some(maker) = self.env.get(info.constructors[0])? else { return Ok(false) };
        let ConstantKind::Constructor(maker) = &maker.kind else { return Ok(false) };
        if maker.num_fields != 0 {
            return Ok(false);
        }
        let b_type = self.infer_only(b)?;
        self.is_def_eq(ty, b_type)
    }
}

/// The same pair for both orders.
fn pair(a: ExprId, b: ExprId) -> (ExprId, ExprId) {
    if a <= b { (a, b) } else { (b, a) }
}
