//! Why a library could not be opened, and what to do about it.

use std::io;
use std::path::PathBuf;

use crate::olean::{OleanError, Origin};

use super::Loaded;

/// Why a library could not be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// Not the name of a module.
    #[error("expected the name of a module, such as \"Mathlib.Order.Basic\", but found {name:?}")]
    BadName {
        /// What stands in its place.
        name: String,
    },
    /// No folder of the search path has anything of the name.
    #[error(
        "no folder of the search path has the module {module}{}: expected {package}.olean or a folder {package} in one of \
         {}. Add the folder that has it to the search path (`lake env printenv LEAN_PATH` shows a project's)",
        imported_by(importer),
        folders(searched)
    )]
    NotFound {
        /// The module.
        module: String,
        /// The module that imports it.
        importer: Option<String>,
        /// The first component of its name.
        package: String,
        /// The search path.
        searched: Vec<PathBuf>,
    },
    /// The module's package is there, but not compiled, or not all of it.
    #[error(
        "the module {module}{} is not compiled: expected {}. Run `lake build` in its project, or `lake exe cache get` for \
         Mathlib",
        imported_by(importer), path.display()
    )]
    NotBuilt {
        /// The module.
        module: String,
        /// The module that imports it.
        importer: Option<String>,
        /// The file that should be there.
        path: PathBuf,
    },
    /// A file cannot be opened.
    #[error("{} cannot be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is not a compiled module, or damaged.
    #[error("{} cannot be read: {source}. If it is damaged, remove it and run `lake build`, or `lake exe cache get!` for Mathlib", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: OleanError,
    },
    /// Two modules were made by different versions of Lean.
    #[error(
        "the modules are of different versions: {} was made by {found}, but {} by {expected}. Build all of them with one \
         version (`lake update`, then `lake build`)",
        path.display(), first_path.display()
    )]
    Mixed {
        /// The module that differs.
        path: PathBuf,
        /// What made it.
        found: Box<Origin>,
        /// The module that was read first.
        first_path: PathBuf,
        /// What made that.
        expected: Box<Origin>,
    },
}

impl Loaded {
    /// An error in the bytes of this module.
    pub(super) fn unreadable(&self, source: OleanError) -> LibraryError {
        LibraryError::Unreadable { path: self.path.clone(), source }
    }
}

fn imported_by(importer: &Option<String>) -> String {
    importer.as_ref().map(|importer| format!(", which {importer} imports,")).unwrap_or_default()
}

fn folders(searched: &[PathBuf]) -> String {
    if searched.is_empty() {
        return "no folders, since the search path is empty".to_owned();
    }
    searched.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}
