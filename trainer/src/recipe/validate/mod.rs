//! The rules that types cannot express: numbers within their ranges (`ranges`) and keys that must go together
//! (`rules`). All are checked and all violations are reported, before anything is loaded.

mod ranges;
mod rules;

use std::fmt::Display;

use super::types::Recipe;
use crate::complaint::{Complaint, Place};

impl Recipe {
    /// Every rule that the recipe breaks, none if it is sound. The places are keys;
    /// [`super::Loaded::validate`] adds file and line.
    #[must_use]
    pub fn violations(&self) -> Vec<Complaint> {
        let mut violations = Violations::default();
        ranges::check(self, &mut violations);
        // Rules between keys would only repeat what is wrong with a number out of range.
        if violations.0.is_empty() {
            rules::check(self, &mut violations);
        }
        violations.0
    }
}

/// Violations found so far.
#[derive(Default)]
struct Violations(Vec<Complaint>);

impl Violations {
    /// Adds what is wrong between `keys`; the first is the one to change.
    fn add(&mut self, keys: &[&str], complaint: Complaint) {
        let places = keys.iter().map(|key| Place::Key((*key).to_owned()));
        self.0.push(places.fold(complaint, Complaint::at));
    }

    /// Adds a violation unless `holds`: `key` must be `expected`, and `typical` is one such value.
    fn range(&mut self, holds: bool, key: &str, found: impl Display, expected: &str, typical: &str) {
        if !holds {
            let complaint = Complaint::call(format!("{key} is out of range"))
                .expected(expected)
                .found(found.to_string())
                .next(format!("set it within the range, for instance {key} = {typical}"));
            self.add(&[key], complaint);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;

#[cfg(test)]
mod range_tests;
