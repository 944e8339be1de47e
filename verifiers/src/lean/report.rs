//! What a Lean on this machine is good for: for whoever has to mend what is missing.

use std::path::{Path, PathBuf};

use polestar_lean::library::Library;

use super::settings::LeanSettings;
use super::toolchain::Toolchain;

/// What the kind `lean` finds out about a Lean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeanReport {
    /// As it says itself, as in `4.28.0`.
    pub version: String,
    /// The folder that it is installed in.
    pub prefix: PathBuf,
    /// Whether its compiled library can be read here, so that proofs can be checked again: which form it has, or why not.
    pub library: Result<String, String>,
}

/// Asks the `lean` of a path, which must be a binary itself and not elan's stand-in where nothing may be fetched.
///
/// # Errors
/// It is no Lean 4 that can be used.
pub fn lean_report(lean: &Path) -> Result<LeanReport, String> {
    let settings = LeanSettings { command: lean.display().to_string(), ..LeanSettings::default() };
    let found = Toolchain::find(&settings)?;
    let library = Library::open(&found.search_path(), &["Init"]);
    let library = library
        .map(|library| library.origin().map(ToString::to_string).unwrap_or_default())
        .map_err(|error| error.to_string());
    Ok(LeanReport { version: found.version, prefix: found.prefix, library })
}
