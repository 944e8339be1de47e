//! What a constant of the library mentions, found by walking its expressions where they stand in the file.

use rustc_hash::{FxHashMap, FxHashSet};

use super::axioms::show;
use super::index::{EntryId, Index};
use super::{LibraryError, Loaded};
use crate::olean::{Addr, Ctor, EXPR_CONST, EXPR_PROJ, Meter, OleanError, Regions, Value, expr_parts};

/// What a constant is, as far as axioms are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is assumed.
    Axiom,
    /// It stands there as an axiom, but is something else: the rest of it is in a part that is not there.
    Hidden,
    /// It is made of what it mentions.
    Other,
}

/// What a constant is, and what it mentions.
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) references: Vec<EntryId>,
    /// Names it mentions that the library does not have.
    pub(super) missing: Vec<String>,
}

/// Looks up the names that constants mention. It remembers each name of each module.
pub(super) struct Walker<'l> {
    pub(super) modules: &'l [Loaded],
    pub(super) index: &'l Index,
    names: FxHashMap<(u32, Addr), Option<EntryId>>,
    /// For modules of which only the public part is there: the constants that are no axioms, though they look so.
    hidden: FxHashMap<u32, Disguised>,
    visited: FxHashSet<Addr>,
}

/// The constants of a public part that are shown as axioms and are none.
enum Disguised {
    /// Those listed.
    Some(FxHashSet<EntryId>),
    /// The module does not say which.
    Unknown,
}

impl<'l> Walker<'l> {
    pub(super) fn new(modules: &'l [Loaded], index: &'l Index) -> Self {
        Self {
            modules,
            index,
            names: FxHashMap::default(),
            hidden: FxHashMap::default(),
            visited: FxHashSet::default(),
        }
    }

    /// What a constant mentions: in its type, its value, and as parts of an inductive type.
    pub(super) fn references(&mut self, id: EntryId) -> Result<Found, LibraryError> {
        let entry = self.index.entry(id);
        let loaded = &self.modules[entry.module as usize];
        let regions = loaded.module.regions();
        let scan = || {
            let (from, value) = loaded.module.listed_constant(entry.position)?;
            Scan::constant(regions, from, value)
        };
        let (tag, scan) = scan().map_err(|error| loaded.unreadable(error))?;
        let names = self.mentioned(regions, scan).map_err(|error| loaded.unreadable(error))?;
        let (mut references, mut missing) = (Vec::new(), Vec::new());
        for (from, name) in names {
            match self.resolve(entry.module, from, name)? {
                Some(reference) => references.push(reference),
                None => {
                    let components =
                        regions.trusted_name(from, name).map_err(|error| loaded.unreadable(error))?;
                    missing.push(show(&components));
                }
            }
        }
        references.sort_unstable();
        references.dedup();
        let kind = match tag {
            0 if self.is_hidden(entry.module, id)? => Kind::Hidden,
            0 => Kind::Axiom,
            _ => Kind::Other,
        };
        Ok(Found { kind, references, missing })
    }

    /// The names in what is to be scanned, each object once.
    fn mentioned(
        &mut self,
        regions: &Regions<memmap2::Mmap>,
        scan: Scan,
    ) -> Result<Vec<(Addr, Value)>, OleanError> {
        let (mut names, mut stack) = (scan.names, scan.exprs);
        self.visited.clear();
        while let Some(addr) = stack.pop() {
            if !self.visited.insert(addr) {
                continue;
            }
            let ctor = regions.ctor_at(addr, "an expression")?;
            if matches!(ctor.tag, EXPR_CONST | EXPR_PROJ) {
                let name = regions.field(ctor, 0)?;
                if let Value::Object(at) = name
                    && self.visited.insert(at)
                {
                    names.push((addr, name));
                }
            }
            for index in expr_parts(ctor)? {
                if let Value::Object(part) = regions.field(ctor, index)? {
                    stack.push(part);
                }
            }
        }
        Ok(names)
    }

    fn resolve(&mut self, module: u32, from: Addr, name: Value) -> Result<Option<EntryId>, LibraryError> {
        let key = match name {
            Value::Object(addr) => (module, addr),
            Value::Scalar(_) => return Ok(None),
        };
        if let Some(&known) = self.names.get(&key) {
            return Ok(known);
        }
        let loaded = &self.modules[module as usize];
        let components =
            loaded.module.regions().trusted_name(from, name).map_err(|error| loaded.unreadable(error))?;
        let found = self.index.find(self.modules, &components)?;
        self.names.insert(key, found);
        Ok(found)
    }

    /// Whether what stands as an axiom in a module is none in truth.
    fn is_hidden(&mut self, module: u32, id: EntryId) -> Result<bool, LibraryError> {
        let loaded = &self.modules[module as usize];
        if !loaded.module.is_module() || loaded.module.num_parts() > 1 {
            return Ok(false);
        }
        if !self.hidden.contains_key(&module) {
            let disguised = self.read_disguised(module, loaded)?;
            self.hidden.insert(module, disguised);
        }
        Ok(match self.hidden.get(&module) {
            Some(Disguised::Some(ids)) => ids.contains(&id),
            Some(Disguised::Unknown) | None => true,
        })
    }

    /// Reads the list in which Lean notes what a constant was before the public part made an axiom of it.
    fn read_disguised(&mut self, module: u32, loaded: &'l Loaded) -> Result<Disguised, LibraryError> {
        const WHAT: &str = "the kind of a constant";
        const AXIOM: u64 = 2;
        let regions = loaded.module.regions();
        let names = || {
            let Some((from, array)) = loaded.module.entries("privateConstKindsExt")? else { return Ok(None) };
            let mut names = Vec::new();
            for index in 0..array.len() {
                let pair = regions.exact(from, regions.element(array, index)?, (0, 2), WHAT)?;
                if regions.field(pair, 1)? != Value::Scalar(AXIOM) {
                    names.push((pair.addr, regions.field(pair, 0)?));
                }
            }
            Ok(Some(names))
        };
        let Some(names) = names().map_err(|error| loaded.unreadable(error))? else {
            return Ok(Disguised::Unknown);
        };
        let mut ids = FxHashSet::default();
        for (from, name) in names {
            ids.extend(self.resolve(module, from, name)?);
        }
        Ok(Disguised::Some(ids))
    }
}

/// What of a constant is to be scanned.
struct Scan {
    exprs: Vec<Addr>,
    names: Vec<(Addr, Value)>,
}

impl Scan {
    /// The expressions of a constant, and the names it lists; with them, the tag of its kind.
    fn constant<B: AsRef<[u8]>>(
        regions: &Regions<B>,
        from: Addr,
        value: Value,
    ) -> Result<(u8, Self), OleanError> {
        let mut meter = Meter::new(u64::MAX);
        let info = regions.ctor(from, value, "a constant")?;
        let ctor = regions.ctor(info.addr, regions.field(info, 0)?, "a constant of its kind")?;
        let common =
            regions.exact(ctor.addr, regions.field(ctor, 0)?, (0, 3), "a constant's name and type")?;
        let expr = |from: Ctor, index| -> Result<Addr, OleanError> {
            Ok(regions.ctor(from.addr, regions.field(from, index)?, "an expression")?.addr)
        };
        let mut scan = Self { exprs: vec![expr(common, 2)?], names: Vec::new() };
        match info.tag {
            1..=3 => scan.exprs.push(expr(ctor, 1)?),
            5 => {
                scan.names =
                    regions.list(ctor.addr, regions.field(ctor, 4)?, "list of constructors", &mut meter)?
            }
            6 => scan.names.push((ctor.addr, regions.field(ctor, 1)?)),
            7 => {
                let rules = regions.field(ctor, 6)?;
                for (cell, rule) in
                    regions.list(ctor.addr, rules, "list of a recursor's rules", &mut meter)?
                {
                    let rule = regions.exact(cell, rule, (0, 3), "a recursor's rule")?;
                    scan.exprs.push(expr(rule, 2)?);
                }
            }
            _ => {}
        }
        Ok((info.tag, scan))
    }
}
