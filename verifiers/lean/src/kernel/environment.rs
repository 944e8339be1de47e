//! The constants that a check may use: those checked before, and the trusted ones of the imported modules.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::budget::{Budget, Exhausted, Meter};
use super::caches::ConstantCaches;
use super::known::Known;
use super::literals::Literals;
use super::{KernelError, Trusted};
use crate::constant::Constant;
use crate::terms::{NameId, Terms};

/// Checked constants on top of trusted ones, and the budget for checking more.
pub struct Environment<'t> {
    /// The arena of everything in the environment.
    pub terms: Terms,
    pub(crate) meter: Meter,
    trusted: &'t dyn Trusted,
    /// What was looked up among the trusted constants, found or not, and what was checked.
    constants: FxHashMap<NameId, Option<Entry>>,
    pub(crate) known: Known,
    pub(crate) literals: Literals,
    pub(crate) caches: ConstantCaches,
}

struct Entry {
    constant: Rc<Constant>,
    trusted: bool,
}

impl<'t> Environment<'t> {
    /// An environment of the trusted constants alone. `terms` is the arena in which they, and what is to be checked,
    /// are built; what it holds already counts against the budget.
    pub fn new(mut terms: Terms, trusted: &'t dyn Trusted, budget: Budget) -> Self {
        let known = Known::new(&mut terms);
        Self {
            terms,
            meter: Meter::new(budget),
            trusted,
            constants: FxHashMap::default(),
            known,
            literals: Literals::default(),
            caches: ConstantCaches::default(),
        }
    }

    /// What is left of the budget.
    pub fn budget(&self) -> Budget {
        self.meter.budget
    }

    /// Gives a new budget.
    pub fn set_budget(&mut self, budget: Budget) {
        self.meter = Meter::new(budget);
    }

    /// A constant that was checked, or is trusted.
    ///
    /// # Errors
    /// If a trusted module cannot be read.
    pub fn get(&mut self, name: NameId) -> Result<Option<Rc<Constant>>, KernelError> {
        Ok(self.entry(name)?.map(|entry| Rc::clone(&entry.constant)))
    }

    /// Whether a constant of that name is one of the imported modules.
    ///
    /// # Errors
    /// If a trusted module cannot be read.
    pub fn is_trusted(&mut self, name: NameId) -> Result<bool, KernelError> {
        Ok(self.entry(name)?.is_some_and(|entry| entry.trusted))
    }

    fn entry(&mut self, name: NameId) -> Result<Option<&Entry>, KernelError> {
        if !self.constants.contains_key(&name) {
            let found = self.trusted.constant(&mut self.terms, name)?;
            let entry = found.map(|constant| Entry { constant: Rc::new(constant), trusted: true });
            self.constants.insert(name, entry);
        }
        Ok(self.constants.get(&name).and_then(Option::as_ref))
    }

    /// Adds a constant that was checked, and whose name [`Environment::require_new`] found free.
    pub(crate) fn insert_checked(&mut self, constant: Constant) {
        let entry = Entry { constant: Rc::new(constant), trusted: false };
        self.constants.insert(entry.constant.name, Some(entry));
    }

    /// Takes back constants that were inserted, and what was found out while they were there.
    pub(crate) fn withdraw(&mut self, names: &[NameId]) {
        for name in names {
            self.constants.remove(name);
        }
        self.literals = Literals::default();
        self.caches = ConstantCaches::default();
    }

    /// Adds a constant that nobody checked: the inductive types of tests.
    #[cfg(test)]
    pub(crate) fn add_unchecked(&mut self, constant: Constant) {
        self.insert_checked(constant);
    }

    /// Refuses a name that is taken, by a trusted constant or a checked one.
    pub(crate) fn require_new(&mut self, name: NameId) -> Result<(), KernelError> {
        match self.entry(name)? {
            None => Ok(()),
            Some(entry) => {
                let whose = if entry.trusted { "an imported module" } else { "this module" };
                let problem =
                    format!("the name is taken: {whose} has a constant of that name; choose another name");
                Err(self.refused(name, problem))
            }
        }
    }

    /// The error that says that a constant is wrong.
    pub(crate) fn refused(&self, constant: NameId, problem: String) -> KernelError {
        KernelError::Refused { constant: self.terms.show_name(constant), problem }
    }

    /// The error that says that the budget ended.
    pub(crate) fn exhausted(&self, constant: NameId, what: Exhausted) -> KernelError {
        KernelError::Exhausted { what, constant: self.terms.show_name(constant) }
    }
}
