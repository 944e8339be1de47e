//! Inductive types: a block of them is checked, its recursors are made, and what a module claims of it is compared with
//! that.
//!
//! What enters the environment is what was made here, never what was claimed. The steps, in their order:
//!
//! 1. `block`: the declaration, names and types, is taken out of the claim; `source`: what it must satisfy as written.
//! 2. `open`: types and constructors have types, agree about parameters, and are opened up: parameters are locals.
//! 3. `nested`: types nested in others (`List Tree` in `Tree`) are replaced by types of their own for a while.
//! 4. `fields`: universes of fields, positive occurrences, results of constructors.
//! 5. `elimination`: where the recursors may eliminate to; `recursor`: their types and rules, with the nested types
//!    back in their places.
//! 6. `compare`: the claim is what was made. Then it is added, and the recursors are type-checked as everything else.

mod block;
mod compare;
mod elimination;
mod fields;
mod generate;
mod nested;
mod open;
mod quotient;
mod recursor;
mod source;
#[cfg(test)]
pub(crate) mod tests;
mod walk;

pub use block::Block;
pub(crate) use walk::parts;

use super::{Checker, Environment, KernelError};
use crate::constant::{Constant, ConstantKind};
use crate::terms::{ExprId, NameId, Terms};

impl Environment<'_> {
    /// Checks an inductive block, compares what is claimed of it with what follows from its declaration, and adds it:
    /// types, constructors and recursors.
    ///
    /// # Errors
    /// [`KernelError::Refused`] with the constant that is wrong, what was expected and what was claimed;
    /// [`KernelError::Exhausted`] where the budget ends first. The environment is then as it was.
    pub fn add_inductive(&mut self, block: &Block) -> Result<(), KernelError> {
        let declaration = block::declaration(&self.terms, block)?;
        let made = generate::generate(self, &declaration)?;
        compare::compare(self, block, &made)?;
        let names: Vec<NameId> = made.constants().map(|constant| constant.name).collect();
        for &name in &names {
            self.require_new(name)?;
        }
        for constant in made.constants() {
            self.insert_checked(constant.clone());
        }
        let checked = made.recursors.iter().try_for_each(|recursor| check_recursor(self, recursor));
        if checked.is_err() {
            self.withdraw(&names);
        }
        checked
    }
}

/// Types a recursor as if it had been claimed. What was made here should pass: this guards against mistakes in the
/// making, above all in putting nested types back.
fn check_recursor(env: &mut Environment<'_>, recursor: &Constant) -> Result<(), KernelError> {
    let mut checker = Checker::new(env, recursor.name, recursor.level_params.clone());
    let sort = checker.infer(recursor.ty)?;
    checker.ensure_sort(sort)?;
    if let ConstantKind::Recursor(info) = &recursor.kind {
        for rule in &info.rules {
            checker.infer(rule.rhs)?;
        }
    }
    Ok(())
}

/// The error that says that a constant of the block is wrong.
fn refused(terms: &Terms, constant: NameId, problem: impl Into<String>) -> KernelError {
    KernelError::Refused { constant: terms.show_name(constant), problem: problem.into() }
}

/// Types a closed term of the block in the name of the constant that it belongs to.
fn infer_closed(
    checker: &mut Checker<'_, '_>,
    name: NameId,
    level_params: &[NameId],
    term: ExprId,
) -> Result<ExprId, KernelError> {
    Checker::new(checker.env, name, level_params.to_vec()).infer(term)
}
