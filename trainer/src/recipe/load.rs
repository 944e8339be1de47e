//! From a recipe file and `--set` settings to typed sections.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::check::check;
use super::error::RecipeError;
use super::origins::{Origins, syntax_complaint};
use super::plan::Plan;
use super::resolve::World;
use super::set::Setting;
use super::types::Recipe;
use crate::complaint::{Complaint, Place};

/// A recipe that has been read, and where each of its keys was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The typed sections, not yet validated.
    pub recipe: Recipe,
    /// The file that it came from.
    pub file: PathBuf,
    /// What the run folder keeps as recipe.toml: the file's text, or, where settings were passed, the recipe with the
    /// settings applied (without the file's comments).
    pub text: String,
    /// Where each key was written.
    pub origins: Origins,
}

impl Recipe {
    /// Reads a recipe file and applies `--set` settings in their order.
    ///
    /// # Errors
    /// The file cannot be read or is not TOML, a setting cannot be applied, or keys are unknown, missing or of the wrong
    /// type. Of the last all are reported at once.
    pub fn load(path: &Path, sets: &[String]) -> Result<Loaded, RecipeError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| RecipeError::Read { path: path.to_owned(), source })?;
        Self::parse(path, text, sets)
    }

    /// [`Recipe::load`] of a text that has been read from `path` already.
    ///
    /// # Errors
    /// As [`Recipe::load`].
    pub fn parse(path: &Path, text: String, sets: &[String]) -> Result<Loaded, RecipeError> {
        let mut origins = Origins::read(path, &text).map_err(RecipeError::Syntax)?;
        let mut table: Table = toml::from_str(&text)
            .map_err(|error| RecipeError::Syntax(Box::new(syntax_complaint(path, &text, &error))))?;
        let mut wrong = Vec::new();
        for typed in sets {
            let applied =
                Setting::parse(typed).and_then(|setting| setting.apply(&mut table).map(|key| (key, setting)));
            match applied {
                Ok((key, setting)) => origins.note_set(&key, &setting.typed),
                Err(complaint) => wrong.push(*complaint),
            }
        }
        if !wrong.is_empty() {
            return Err(RecipeError::Set(wrong));
        }
        origins.note_verifiers(&table);
        let complaints = check(&table, &origins);
        if !complaints.is_empty() {
            return Err(RecipeError::Keys(complaints));
        }
        let text = if sets.is_empty() { text } else { effective_text(path, &table, sets) };
        let recipe = Recipe::deserialize(Value::Table(table)).map_err(|error| {
            // The check above speaks first; what it lets through (a number too large for its type) ends here.
            let place = Place::File { path: path.to_owned(), line: None, key: None };
            let next = "correct the value; docs/recipes.md describes every key";
            RecipeError::Keys(vec![Complaint::call(error.message().to_owned()).at(place).next(next)])
        })?;
        Ok(Loaded { recipe, file: path.to_owned(), text, origins })
    }
}

impl Loaded {
    /// Checks every rule, as [`Recipe::violations`], with the places of the keys.
    ///
    /// # Errors
    /// All rules that the recipe breaks.
    pub fn validate(&self) -> Result<(), RecipeError> {
        let violations = self.recipe.violations();
        if violations.is_empty() { Ok(()) } else { Err(self.located(RecipeError::Rules(violations))) }
    }

    /// [`Recipe::resolve`], with the places of the keys in its errors.
    ///
    /// # Errors
    /// As [`Recipe::resolve`].
    pub fn resolve(&self, world: &World) -> Result<Plan, RecipeError> {
        self.recipe.resolve(world).map_err(|error| self.located(error))
    }

    /// Where a key was written, for complaints about the recipe that come from elsewhere (a verifier's own settings,
    /// data that cannot be found).
    #[must_use]
    pub fn place(&self, key: &str) -> Place {
        self.origins.place(key)
    }

    fn located(&self, error: RecipeError) -> RecipeError {
        let locate = |complaints: Vec<Complaint>| -> Vec<Complaint> {
            complaints.into_iter().map(|complaint| self.origins.locate(complaint)).collect()
        };
        match error {
            RecipeError::Rules(complaints) => RecipeError::Rules(locate(complaints)),
            RecipeError::World(complaints) => RecipeError::World(locate(complaints)),
            other => other,
        }
    }
}

fn effective_text(path: &Path, table: &Table, sets: &[String]) -> String {
    let name =
        path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into());
    let mut text = format!("# {name} with these settings applied:\n");
    for set in sets {
        text.push_str(&format!("#   --set {}\n", set.replace('\n', "\\n")));
    }
    text + &table.to_string()
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
