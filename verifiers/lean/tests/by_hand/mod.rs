//! Modules made by hand, as a submission may have forged them.

use std::cell::RefCell;
use std::collections::HashMap;

use polestar_lean::constant::{Constant, ConstantKind, Hints, Safety};
use polestar_lean::kernel::{Budget, ReadError};
use polestar_lean::replay::Claimed;
use polestar_lean::terms::{ExprId, LevelsId, NameId, Terms};

pub(crate) const BUDGET: Budget = Budget::new(2_000_000, 2_000_000, 500);

/// A module whose constants are built in the arena of whoever asks first.
pub(crate) struct Module<F> {
    build: F,
    built: RefCell<Option<HashMap<NameId, Constant>>>,
}

pub(crate) fn module<F: Fn(&mut Terms) -> Vec<Constant>>(build: F) -> Module<F> {
    Module { build, built: RefCell::new(None) }
}

impl<F: Fn(&mut Terms) -> Vec<Constant>> Claimed for Module<F> {
    fn constant(&self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, ReadError> {
        let mut built = self.built.borrow_mut();
        let constants = built
            .get_or_insert_with(|| (self.build)(terms).into_iter().map(|made| (made.name, made)).collect());
        Ok(constants.get(&name).cloned())
    }
}

pub(crate) fn named(terms: &mut Terms, name: &str) -> ExprId {
    let name = terms.read_name(name).unwrap();
    terms.constant(name, LevelsId::EMPTY)
}

pub(crate) fn constant(
    terms: &mut Terms,
    name: &str,
    params: &[&str],
    ty: ExprId,
    kind: ConstantKind,
) -> Constant {
    let name = terms.read_name(name).unwrap();
    let level_params = params.iter().map(|param| terms.read_name(param).unwrap()).collect();
    Constant { name, level_params, ty, kind }
}

pub(crate) fn definition(terms: &mut Terms, name: &str, ty: ExprId, value: ExprId) -> Constant {
    let kind = ConstantKind::Definition { value, hints: Hints::Abbreviation, safety: Safety::Safe };
    constant(terms, name, &[], ty, kind)
}
