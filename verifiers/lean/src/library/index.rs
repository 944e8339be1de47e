//! Which module has the constant of a name: small and quick for hundreds of thousands of names.
//!
//! Names are hashed component by component where they stand in the files. An entry has no name: a name that is found by
//! its hash is compared with the one in the file.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{LibraryError, Loaded};
use crate::olean::{
    Addr, Component, EMPTY_HASH, MAX_COMPONENTS, Module, OleanError, Position, Problem, Value, extend_hash,
};

/// Which entry of the index: constants are numbered.
pub(super) type EntryId = u32;

/// Ends a chain of entries of the same hash.
const NONE: EntryId = EntryId::MAX;

/// Where a constant is.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// Which of the library's modules.
    pub(super) module: u32,
    /// Where in the module.
    pub(super) position: Position,
    /// Another entry of the same hash.
    next: EntryId,
}

/// Where all constants of a library are.
pub(super) struct Index {
    entries: Vec<Entry>,
    /// From the hash of a name to the first of the entries.
    first: FxHashMap<u64, EntryId>,
}

impl Index {
    /// Lists the constants of all modules. Of two constants of the same name, that of the earlier module counts.
    pub(super) fn build(modules: &[Loaded]) -> Result<Self, LibraryError> {
        let num_threads =
            std::thread::available_parallelism().map_or(1, usize::from).min(modules.len().max(1));
        let per_thread = modules.len().div_ceil(num_threads).max(1);
        let listed: Vec<Vec<(u64, Position)>> = std::thread::scope(|scope| {
            let workers: Vec<_> = modules
                .chunks(per_thread)
                .map(|chunk| scope.spawn(move || chunk.iter().map(hashes).collect::<Result<Vec<_>, _>>()))
                .collect();
            let results = workers.into_iter().map(|worker| match worker.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            results.collect::<Result<Vec<_>, _>>()
        })?
        .into_iter()
        .flatten()
        .collect();
        let total = listed.iter().map(Vec::len).sum();
        let mut index = Self { entries: Vec::with_capacity(total), first: FxHashMap::default() };
        index.first.reserve(total);
        for (module, positions) in listed.into_iter().enumerate() {
            for (hash, position) in positions {
                index.add(modules, hash, Entry { module: module as u32, position, next: NONE })?;
            }
        }
        Ok(index)
    }

    /// How many constants there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Where a constant is. The id must be one of this index.
    pub(super) fn entry(&self, id: EntryId) -> Entry {
        self.entries[id as usize]
    }

    fn add(&mut self, modules: &[Loaded], hash: u64, mut entry: Entry) -> Result<(), LibraryError> {
        // 2^32 names do not fit into memory.
        let id = self.entries.len() as EntryId;
        if let Some(first) = self.first.get_mut(&hash) {
            let mut other = *first;
            while other != NONE {
                let known = self.entries[other as usize];
                if name_of(modules, known)? == name_of(modules, entry)? {
                    return Ok(());
                }
                other = known.next;
            }
            entry.next = std::mem::replace(first, id);
        } else {
            self.first.insert(hash, id);
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Finds the constant of a name.
    pub(super) fn find(
        &self,
        modules: &[Loaded],
        name: &[Component<'_>],
    ) -> Result<Option<EntryId>, LibraryError> {
        let hash = name.iter().fold(EMPTY_HASH, |hash, &component| extend_hash(hash, component));
        let mut id = self.first.get(&hash).copied().unwrap_or(NONE);
        while id != NONE {
            let entry = self.entries[id as usize];
            if name_of(modules, entry)? == name {
                return Ok(Some(id));
            }
            id = entry.next;
        }
        Ok(None)
    }
}

/// The name of a constant, from its module's list.
pub(super) fn name_of(modules: &[Loaded], entry: Entry) -> Result<Vec<Component<'_>>, LibraryError> {
    let loaded = &modules[entry.module as usize];
    let name = || {
        let (from, name) = loaded.module.listed_name(entry.position)?;
        loaded.module.regions().trusted_name(from, name)
    };
    name().map_err(|error| loaded.unreadable(error))
}

/// The hashes of the names of a module's constants, each name once.
fn hashes(loaded: &Loaded) -> Result<Vec<(u64, Position)>, LibraryError> {
    let mut hasher = Hasher { module: &loaded.module, known: FxHashMap::default() };
    let (mut listed, mut seen) = (Vec::new(), FxHashSet::default());
    for position in loaded.module.positions() {
        let (hash, name) = hasher.hash_at(position).map_err(|error| loaded.unreadable(error))?;
        // The parts of a module share the names that all of them list. Others are compared when they come into the index.
        if seen.insert(name) {
            listed.push((hash, position));
        }
    }
    Ok(listed)
}

/// Hashes names, each prefix once.
struct Hasher<'m, B> {
    module: &'m Module<B>,
    known: FxHashMap<Addr, u64>,
}

impl<B: AsRef<[u8]>> Hasher<'_, B> {
    fn hash_at(&mut self, position: Position) -> Result<(u64, Value), OleanError> {
        let (from, name) = self.module.listed_name(position)?;
        let (mut steps, mut rest, mut hash) = (Vec::new(), name, EMPTY_HASH);
        while let Value::Object(addr) = rest {
            if let Some(&known) = self.known.get(&addr) {
                hash = known;
                break;
            }
            let Some(step) = self.module.regions().name_step(from, rest)? else { break };
            if steps.len() == MAX_COMPONENTS {
                return Err(OleanError::at(from, Problem::TooDeep { what: "name", limit: MAX_COMPONENTS }));
            }
            steps.push((addr, step.last));
            rest = step.prefix;
        }
        for (addr, last) in steps.into_iter().rev() {
            hash = extend_hash(hash, last);
            self.known.insert(addr, hash);
        }
        Ok((hash, name))
    }
}
