//! Imported modules: found on a search path, indexed by name, their constants read on demand.
//!
//! An installed library is trusted: its modules were checked by the kernel that made them, and no submission could write
//! to them. Its files are mapped into memory, and of a constant nothing but the name is read until it is asked for.

mod axioms;
mod error;
mod files;
mod index;
mod references;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use memmap2::Mmap;

use crate::constant::Constant;
use crate::kernel::{ReadError, Trusted};
use crate::olean::{Component, Limits, Module, ModuleName, Origin};
use crate::terms::{Name, NameId, Terms};

pub use axioms::Axioms;
pub use error::LibraryError;
pub use files::open_module;

use axioms::AxiomCache;
use index::{EntryId, Index};

/// One module of the library.
struct Loaded {
    name: ModuleName,
    path: PathBuf,
    module: Module<Mmap>,
}

/// The modules that a text imports, with all that they import, ready to be asked for constants by several threads.
///
/// The files must not change while it lives.
pub struct Library {
    modules: Vec<Loaded>,
    index: Index,
    axioms: Mutex<AxiomCache>,
}

impl Library {
    /// Finds the modules of the given names and all that they import on the search path, as Lean does, and lists their
    /// constants. Lean itself imports `Init` where a text does not begin with `prelude`: here it must be named.
    ///
    /// # Errors
    ///
    /// If a module is missing or cannot be read, or if they were made by different versions of Lean.
    pub fn open(search_path: &[PathBuf], imports: &[&str]) -> Result<Self, LibraryError> {
        let modules = files::load(search_path, imports)?;
        let index = Index::build(&modules)?;
        Ok(Self { modules, index, axioms: Mutex::default() })
    }

    /// Which Lean made the library, and in which form; none if it has no modules.
    pub fn origin(&self) -> Option<&Origin> {
        self.modules.first().map(|loaded| loaded.module.origin())
    }

    /// How many modules it has.
    pub fn num_modules(&self) -> usize {
        self.modules.len()
    }

    /// How many constants it has.
    pub fn num_constants(&self) -> usize {
        self.index.len()
    }

    /// Whether a module is among those that were opened.
    pub fn has_module(&self, name: &ModuleName) -> bool {
        self.modules.iter().any(|loaded| loaded.name == *name)
    }

    /// The file of the module that has the constant of this name.
    pub fn module_of(
        &self,
        terms: &Terms,
        name: NameId,
    ) -> Result<Option<(&ModuleName, &Path)>, LibraryError> {
        let entry = self.find(terms, name)?;
        Ok(entry.map(|id| {
            let loaded = &self.modules[self.index.entry(id).module as usize];
            (&loaded.name, loaded.path.as_path())
        }))
    }

    /// The axioms that the constant of this name rests on, by its type and its value and those of all it mentions. None
    /// if there is no such constant. The answers are remembered.
    ///
    /// # Errors
    ///
    /// If a module cannot be read.
    pub fn axioms(&self, terms: &Terms, name: NameId) -> Result<Option<Axioms>, LibraryError> {
        let Some(entry) = self.find(terms, name)? else { return Ok(None) };
        // What is in the cache is right even if a thread died while it held it: sets are added when they are whole.
        let mut cache = self.axioms.lock().unwrap_or_else(PoisonError::into_inner);
        cache.closure(&self.modules, &self.index, entry).map(Some)
    }

    /// Where the constant of a name is.
    fn find(&self, terms: &Terms, name: NameId) -> Result<Option<EntryId>, LibraryError> {
        let mut components = Vec::new();
        let mut rest = name;
        loop {
            match terms.name(rest) {
                Name::Anonymous => break,
                Name::Str(prefix, text) => {
                    components.push(Component::Text(text));
                    rest = prefix;
                }
                Name::Num(prefix, number) => {
                    components.push(Component::Number(number));
                    rest = prefix;
                }
            }
        }
        components.reverse();
        self.index.find(&self.modules, &components)
    }

    fn read(&self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, LibraryError> {
        let Some(id) = self.find(terms, name)? else { return Ok(None) };
        let entry = self.index.entry(id);
        let loaded = &self.modules[entry.module as usize];
        let mut reader = loaded.module.reader(Limits::TRUSTED);
        reader.constant_at(terms, entry.position).map(Some).map_err(|error| loaded.unreadable(error))
    }
}

impl Trusted for Library {
    fn constant(&self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, ReadError> {
        self.read(terms, name).map_err(|error| ReadError { message: error.to_string() })
    }
}
