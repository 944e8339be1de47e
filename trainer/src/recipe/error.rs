//! What can be wrong with a recipe. Every variant but one carries finished [`Complaint`]s, because a recipe is checked as
//! a whole and everything found is reported together.

use std::path::PathBuf;

use crate::complaint::{Complain, Complaint, Place};

/// Why a recipe cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// The file cannot be read.
    #[error("cannot read the recipe {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{0}")]
    Syntax(Box<Complaint>),
    /// A `--set` cannot be applied.
    #[error("{}", joined(.0))]
    Set(Vec<Complaint>),
    /// Unknown keys, wrong types, missing keys.
    #[error("{}", joined(.0))]
    Keys(Vec<Complaint>),
    /// Values that are out of range or do not go together.
    #[error("{}", joined(.0))]
    Rules(Vec<Complaint>),
    /// The recipe is right but this machine cannot run it.
    #[error("{}", joined(.0))]
    World(Vec<Complaint>),
}

fn joined(complaints: &[Complaint]) -> String {
    complaints.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Complain for RecipeError {
    fn complaints(&self) -> Vec<Complaint> {
        match self {
            Self::Read { path, source } => {
                let place = Place::File { path: path.clone(), line: None, key: None };
                let next = "check the path; the recipes that come with Polestar are in configs/";
                let complaint = Complaint::call(self.to_string()).found(source.to_string());
                vec![complaint.at(place).next(next)]
            }
            Self::Syntax(complaint) => vec![(**complaint).clone()],
            Self::Set(complaints)
            | Self::Keys(complaints)
            | Self::Rules(complaints)
            | Self::World(complaints) => complaints.clone(),
        }
    }
}
