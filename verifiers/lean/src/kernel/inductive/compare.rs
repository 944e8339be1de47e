//! What a module claims of a block against what the kernel made of its declaration.

use rustc_hash::{FxHashMap, FxHashSet};

use super::block::Block;
use super::generate::Made;
use super::{refused, walk};
use crate::constant::{Constant, ConstantKind, ConstructorInfo, InductiveInfo, RecursorInfo};
use crate::kernel::{Checker, Environment, KernelError};
use crate::terms::{Expr, ExprId, LevelId, NameId};

/// Refuses the claim unless it is exactly what was made.
pub(super) fn compare(env: &mut Environment<'_>, block: &Block, made: &Made) -> Result<(), KernelError> {
    all_of(env, &block.types, &made.types)?;
    all_of(env, &block.constructors, &made.constructors)?;
    all_of(env, &block.recursors, &made.recursors)
}

/// The same constants on both sides, in any order.
fn all_of(env: &mut Environment<'_>, claimed: &[Constant], made: &[Constant]) -> Result<(), KernelError> {
    let mut claims: FxHashMap<NameId, &Constant> =
        claimed.iter().map(|constant| (constant.name, constant)).collect();
    for constant in made {
        match claims.remove(&constant.name) {
            Some(claim) => one(env, claim, constant)?,
            None => {
                let problem = format!("the {} is missing from the claimed block", constant.kind_name());
                return Err(refused(&env.terms, constant.name, problem));
            }
        }
    }
    match claims.values().map(|constant| constant.name).min() {
        None => Ok(()),
        Some(extra) => {
            Err(refused(&env.terms, extra, "it does not follow from the declaration of its block"))
        }
    }
}

fn one(env: &mut Environment<'_>, claim: &Constant, made: &Constant) -> Result<(), KernelError> {
    let checker = &mut Checker::new(env, made.name, made.level_params.clone());
    let mut compared = Compared { checker, name: made.name };
    if claim.level_params != made.level_params {
        let terms = &compared.checker.env.terms;
        let list = |params: &[NameId]| {
            params.iter().map(|&name| terms.show_name(name)).collect::<Vec<_>>().join(", ")
        };
        let (claimed, expected) = (list(&claim.level_params), list(&made.level_params));
        return Err(compared.differs(
            "universe parameters",
            &format!("[{expected}]"),
            &format!("[{claimed}]"),
        ));
    }
    compared.same_term("type", made.ty, claim.ty)?;
    match (&made.kind, &claim.kind) {
        (ConstantKind::Inductive(made), ConstantKind::Inductive(claim)) => compared.inductive(made, claim),
        (ConstantKind::Constructor(made), ConstantKind::Constructor(claim)) => {
            compared.constructor(made, claim)
        }
        (ConstantKind::Recursor(made), ConstantKind::Recursor(claim)) => compared.recursor(made, claim),
        _ => Err(compared.differs("kind", made.kind_name(), claim.kind_name())),
    }
}

struct Compared<'c, 'e, 't> {
    checker: &'c mut Checker<'e, 't>,
    name: NameId,
}

impl Compared<'_, '_, '_> {
    fn inductive(&mut self, made: &InductiveInfo, claim: &InductiveInfo) -> Result<(), KernelError> {
        self.same("number of parameters", made.num_params, claim.num_params)?;
        self.same("number of indices", made.num_indices, claim.num_indices)?;
        self.same("number of nested types", made.num_nested, claim.num_nested)?;
        self.same("mark as recursive", made.is_rec, claim.is_rec)?;
        self.same("mark as reflexive", made.is_reflexive, claim.is_reflexive)?;
        self.same("mark as unsafe", made.is_unsafe, claim.is_unsafe)?;
        self.names("types of the block", &made.all, &claim.all)?;
        self.names("constructors", &made.constructors, &claim.constructors)
    }

    fn constructor(&mut self, made: &ConstructorInfo, claim: &ConstructorInfo) -> Result<(), KernelError> {
        self.names("type", &[made.inductive], &[claim.inductive])?;
        self.same("place among the constructors", made.index, claim.index)?;
        self.same("number of parameters", made.num_params, claim.num_params)?;
        self.same("number of fields", made.num_fields, claim.num_fields)?;
        self.same("mark as unsafe", made.is_unsafe, claim.is_unsafe)
    }

    fn recursor(&mut self, made: &RecursorInfo, claim: &RecursorInfo) -> Result<(), KernelError> {
        self.names("types of the block", &made.all, &claim.all)?;
        self.same("number of parameters", made.num_params, claim.num_params)?;
        self.same("number of indices", made.num_indices, claim.num_indices)?;
        self.same("number of motives", made.num_motives, claim.num_motives)?;
        self.same("number of minor premises", made.num_minors, claim.num_minors)?;
        self.same("mark for K", made.k, claim.k)?;
        self.same("mark as unsafe", made.is_unsafe, claim.is_unsafe)?;
        let constructors =
            |info: &RecursorInfo| info.rules.iter().map(|rule| rule.constructor).collect::<Vec<_>>();
        self.names("constructors of the rules", &constructors(made), &constructors(claim))?;
        for (made, claim) in made.rules.iter().zip(&claim.rules) {
            let constructor = self.checker.env.terms.show_name(made.constructor);
            self.same(
                &format!("number of fields of the rule for `{constructor}`"),
                made.num_fields,
                claim.num_fields,
            )?;
            self.same_term(&format!("rule for `{constructor}`"), made.rhs, claim.rhs)?;
        }
        Ok(())
    }

    fn same<T: PartialEq + std::fmt::Display>(
        &self,
        what: &str,
        made: T,
        claim: T,
    ) -> Result<(), KernelError> {
        if made == claim { Ok(()) } else { Err(self.differs(what, &made.to_string(), &claim.to_string())) }
    }

    fn names(&self, what: &str, made: &[NameId], claim: &[NameId]) -> Result<(), KernelError> {
        if made == claim {
            return Ok(());
        }
        let show = |names: &[NameId]| {
            let shown = names.iter().take(20).map(|&name| self.checker.env.terms.show_name(name));
            format!("[{}]", shown.collect::<Vec<_>>().join(", "))
        };
        Err(self.differs(what, &show(made), &show(claim)))
    }

    /// The same term, up to the way in which levels are written.
    fn same_term(&mut self, what: &str, made: ExprId, claim: ExprId) -> Result<(), KernelError> {
        let mut seen = FxHashSet::default();
        let mut open = vec![(made, claim)];
        while let Some((a, b)) = open.pop() {
            if a == b || !seen.insert((a, b)) {
                continue;
            }
            self.checker.tick()?;
            let terms = &self.checker.env.terms;
            let (left, right) = (terms.expr(a), terms.expr(b));
            let same = match (left, right) {
                (Expr::Sort(x), Expr::Sort(y)) => self.same_levels(&[x], &[y])?,
                (Expr::Const(f, xs), Expr::Const(g, ys)) => {
                    let (xs, ys) = (terms.level_list(xs).to_vec(), terms.level_list(ys).to_vec());
                    f == g && self.same_levels(&xs, &ys)?
                }
                (Expr::Proj(f, i, _), Expr::Proj(g, j, _)) => f == g && i == j,
                (Expr::App(..), Expr::App(..))
                | (Expr::Lam(..), Expr::Lam(..))
                | (Expr::Pi(..), Expr::Pi(..))
                | (Expr::Let(..), Expr::Let(..)) => true,
                // Leaves that are equal have the same id.
                _ => false,
            };
            if !same {
                let (made, claim) = (terms_shown(self.checker, made, a), terms_shown(self.checker, claim, b));
                return Err(self.differs(what, &made, &claim));
            }
            open.extend(walk::parts(left).zip(walk::parts(right)));
        }
        Ok(())
    }

    fn same_levels(&mut self, a: &[LevelId], b: &[LevelId]) -> Result<bool, KernelError> {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (&a, &b) in a.iter().zip(b) {
            if !self.checker.is_level_eq(a, b)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn differs(&self, what: &str, made: &str, claim: &str) -> KernelError {
        let problem = format!("its {what} must be {made}, the module claims {claim}");
        refused(&self.checker.env.terms, self.name, problem)
    }
}

/// A term and the part of it in which a difference was found.
fn terms_shown(checker: &Checker<'_, '_>, whole: ExprId, part: ExprId) -> String {
    let terms = &checker.env.terms;
    if whole == part {
        return format!("`{}`", terms.show(whole));
    }
    format!("`{}` (here: `{}`)", terms.show(whole), terms.show(part))
}
