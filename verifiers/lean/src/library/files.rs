//! Finds modules on the search path and maps them into memory, with all that they import.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{LibraryError, Loaded};
use crate::olean::{Limits, Module, ModuleName, OleanError};

/// Reads the modules of the given names and all that they import, each once.
pub(super) fn load(search_path: &[PathBuf], imports: &[&str]) -> Result<Vec<Loaded>, LibraryError> {
    let mut finder = Finder { search_path, roots: FxHashMap::default() };
    let mut loaded: Vec<Loaded> = Vec::new();
    let (mut wanted, mut seen) = (Vec::new(), FxHashSet::default());
    for name in imports {
        let name =
            ModuleName::parse(name).ok_or_else(|| LibraryError::BadName { name: (*name).to_owned() })?;
        if seen.insert(name.clone()) {
            wanted.push((name, None));
        }
    }
    let mut next = 0;
    while let Some((name, importer)) = wanted.get(next).cloned() {
        next += 1;
        let path = finder.find(&name, importer.map(|at: usize| &loaded[at].name))?;
        let module = open_module(&path, Limits::TRUSTED)?;
        if let Some(first) = loaded.first()
            && first.module.origin() != module.origin()
        {
            return Err(LibraryError::Mixed {
                path,
                found: Box::new(module.origin().clone()),
                first_path: first.path.clone(),
                expected: Box::new(first.module.origin().clone()),
            });
        }
        for import in module.imports() {
            if seen.insert(import.module.clone()) {
                wanted.push((import.module.clone(), Some(loaded.len())));
            }
        }
        loaded.push(Loaded { name, path, module });
    }
    Ok(loaded)
}

/// Knows in which folder of the search path each package is: the first that has a folder or a module of its name.
struct Finder<'p> {
    search_path: &'p [PathBuf],
    roots: FxHashMap<String, Option<PathBuf>>,
}

impl Finder<'_> {
    fn find(&mut self, name: &ModuleName, importer: Option<&ModuleName>) -> Result<PathBuf, LibraryError> {
        let search_path = self.search_path;
        let importer = importer.map(ModuleName::to_string);
        let package = name.components().first().cloned().unwrap_or_default();
        let root = self.roots.entry(package.clone()).or_insert_with(|| {
            let has = |root: &&PathBuf| {
                root.join(&package).is_dir() || module_file(root, std::slice::from_ref(&package)).exists()
            };
            search_path.iter().find(has).cloned()
        });
        let Some(root) = root else {
            let searched = search_path.to_vec();
            return Err(LibraryError::NotFound { module: name.to_string(), importer, package, searched });
        };
        let path = module_file(root, name.components());
        if !path.exists() {
            return Err(LibraryError::NotBuilt { module: name.to_string(), importer, path });
        }
        Ok(path)
    }
}

/// The file of a module under a folder of the search path.
fn module_file(root: &Path, components: &[String]) -> PathBuf {
    let mut path = components.iter().fold(root.to_owned(), |path, component| path.join(component));
    path.as_mut_os_string().push(".olean");
    path
}

/// Maps the module whose first part is the file `path`, with those of its further parts that there are. The files must
/// not change while it lives, and no more of them is read than the limits allow.
///
/// # Errors
///
/// A part cannot be opened, or is no part of a compiled module.
pub fn open_module(path: &Path, limits: Limits) -> Result<Module<Mmap>, LibraryError> {
    let mut paths = vec![path.to_owned()];
    for suffix in [".server", ".private"] {
        let mut part = path.as_os_str().to_owned();
        part.push(suffix);
        if Path::new(&part).exists() {
            paths.push(PathBuf::from(part));
        }
    }
    let files = paths.iter().map(|path| map(path)).collect::<Result<Vec<_>, _>>()?;
    Module::read(files, limits).map_err(|source| {
        let path = paths.get(source.part).cloned().unwrap_or_else(|| path.to_owned());
        LibraryError::Unreadable { path, source: OleanError { part: 0, ..source } }
    })
}

fn map(path: &Path) -> Result<Mmap, LibraryError> {
    let io = |source: io::Error| LibraryError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    if file.metadata().map_err(io)?.len() == 0 {
        // Nothing of no length can be mapped.
        return Err(io(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is empty")));
    }
    // SAFETY: the files of an installed library are not changed while it is in use; builds replace them by renaming new
    // ones. Who shortens one in place makes this process end; the bytes themselves are checked whenever they are read.
    unsafe { Mmap::map(&file) }.map_err(io)
}
