//! What a compiled module holds: what it imports, and a list of constants with their names.

use rustc_hash::FxHashSet;

use super::error::{OleanError, Problem};
use super::header::{Origin, ROOT_FIELDS};
use super::meter::Meter;
use super::name::{Component, ModuleName, show};
use super::object::Array;
use super::read::Reader;
use super::region::{Addr, Regions, Value};

/// How much of a module may be read.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most bytes that all parts together may have. Never more than 4 GiB.
    pub max_bytes: u64,
    /// The most objects (and list cells, and eight bytes of texts and numbers each) that one [`Reader`] reads.
    pub max_objects: u64,
}

impl Limits {
    /// For modules from a library that is trusted: no limit that a real one meets.
    pub const TRUSTED: Self = Self { max_bytes: u32::MAX as u64, max_objects: u64::MAX };
}

/// A module that is imported.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Import {
    /// Its name.
    pub module: ModuleName,
    /// Whether its private part is imported too (`import all`).
    pub import_all: bool,
    /// Whether those who import this module import that one too (`public import`).
    pub is_exported: bool,
    /// Whether it is for running code at compile time (`meta import`).
    pub is_meta: bool,
}

/// Where one part of a module has its lists.
struct Data {
    addr: Addr,
    imports: Array,
    names: Array,
    constants: Array,
    entries: Array,
    is_module: bool,
}

/// A compiled module, of one part or several. Nothing in it is trusted: what is asked for is checked when it is read.
///
/// A module of several parts has the `.olean` file first, then `.olean.server` and `.olean.private`. Later parts hold
/// more, and where a constant is in two parts, the later part counts.
pub struct Module<B> {
    regions: Regions<B>,
    parts: Vec<Data>,
    imports: Vec<Import>,
    limits: Limits,
}

/// Where a constant is: in which part, and at which place of its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The part of the module.
    pub(crate) part: u32,
    /// The place in the part's list.
    pub(crate) index: u32,
}

impl<B: AsRef<[u8]>> Module<B> {
    /// Reads the headers of a module's parts and where their lists are.
    ///
    /// # Errors
    ///
    /// Those of bytes that are no compiled module of a known format, or of parts that do not belong together.
    pub fn read(parts: Vec<B>, limits: Limits) -> Result<Self, OleanError> {
        let (regions, roots) = Regions::read(parts, limits.max_bytes)?;
        let parts: Vec<Data> =
            roots.into_iter().map(|root| Data::read(&regions, root)).collect::<Result<_, _>>()?;
        let mut meter = Meter::new(limits.max_objects);
        let (mut imports, mut seen) = (Vec::new(), FxHashSet::default());
        for data in &parts {
            for import in data.imports(&regions, &mut meter)? {
                if seen.insert(import.clone()) {
                    imports.push(import);
                }
            }
        }
        Ok(Self { regions, parts, imports, limits })
    }

    /// Which Lean made it, and in which form.
    pub fn origin(&self) -> &Origin {
        self.regions.origin()
    }

    /// Whether the source begins with `module`: its `.olean` file then holds only what others may see.
    pub fn is_module(&self) -> bool {
        self.parts.iter().any(|part| part.is_module)
    }

    /// How many parts it was read from.
    pub fn num_parts(&self) -> usize {
        self.parts.len()
    }

    /// The modules it imports itself.
    pub fn imports(&self) -> &[Import] {
        &self.imports
    }

    /// The limits that it was read with.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// A reader of its constants, which reads at most as much as the limits allow.
    pub fn reader(&self, limits: Limits) -> Reader<'_, B> {
        Reader::new(self, limits)
    }

    /// Where all its constants are, later parts first, so that the first of a name is the one that counts.
    pub(crate) fn positions(&self) -> impl Iterator<Item = Position> + use<'_, B> {
        self.parts.iter().enumerate().rev().flat_map(|(part, data)| {
            (0..data.names.len()).map(move |index| Position { part: part as u32, index: index as u32 })
        })
    }

    /// The pointer to the name under which a constant is listed, and where that pointer is.
    pub(crate) fn listed_name(&self, position: Position) -> Result<(Addr, Value), OleanError> {
        let data = self.data(position)?;
        Ok((data.addr, self.regions.element(data.names, position.index as usize)?))
    }

    /// The pointer to a constant, and where that pointer is.
    pub(crate) fn listed_constant(&self, position: Position) -> Result<(Addr, Value), OleanError> {
        let data = self.data(position)?;
        Ok((data.addr, self.regions.element(data.constants, position.index as usize)?))
    }

    fn data(&self, position: Position) -> Result<&Data, OleanError> {
        let missing = || OleanError::in_part(position.part as usize, Problem::NoParts);
        self.parts.get(position.part as usize).ok_or_else(missing)
    }

    /// The entries of the first part for an extension of Lean whose name ends in `last`, and where they stand.
    pub(crate) fn entries(&self, last: &str) -> Result<Option<(Addr, Array)>, OleanError> {
        let Some(data) = self.parts.first() else { return Ok(None) };
        for index in 0..data.entries.len() {
            let entry = self.regions.element(data.entries, index)?;
            let entry = self.regions.exact(data.addr, entry, (0, 2), "the entries of an extension")?;
            let name = self.regions.name_step(entry.addr, self.regions.field(entry, 0)?)?;
            if name.is_some_and(|name| name.last == Component::Text(last)) {
                let entries = self.regions.field(entry, 1)?;
                return self
                    .regions
                    .array(entry.addr, entries, "an array of entries")
                    .map(|array| Some((entry.addr, array)));
            }
        }
        Ok(None)
    }

    /// The bytes.
    pub(crate) fn regions(&self) -> &Regions<B> {
        &self.regions
    }
}

impl Data {
    fn read<B: AsRef<[u8]>>(regions: &Regions<B>, root: Addr) -> Result<Self, OleanError> {
        const WHAT: &str = "a module's data";
        let ctor = regions.exact(root, Value::Object(root), (0, ROOT_FIELDS), WHAT)?;
        let array = |index, what| regions.array(root, regions.field(ctor, index)?, what);
        array(3, "an array of names")?;
        let data = Self {
            addr: root,
            imports: array(0, "an array of imports")?,
            names: array(1, "an array of names")?,
            constants: array(2, "an array of constants")?,
            entries: array(4, "an array of entries")?,
            is_module: regions.has_scalars(ctor) && regions.flag(ctor, 0, WHAT)?,
        };
        let (names, constants) = (data.names.len(), data.constants.len());
        if names != constants {
            return Err(OleanError::at(root, Problem::Lengths { names, constants }));
        }
        Ok(data)
    }

    fn imports<B: AsRef<[u8]>>(
        &self,
        regions: &Regions<B>,
        meter: &mut Meter,
    ) -> Result<Vec<Import>, OleanError> {
        const WHAT: &str = "an import";
        let mut imports = Vec::new();
        for index in 0..self.imports.len() {
            let import = regions.exact(self.addr, regions.element(self.imports, index)?, (0, 1), WHAT)?;
            let components = regions.name_components(import.addr, regions.field(import, 0)?, meter)?;
            meter.charge(import.addr, 0)?;
            let texts = components.iter().map(|component| match component {
                Component::Text(text) => Some((*text).to_owned()),
                Component::Number(_) => None,
            });
            let module = texts.collect::<Option<Vec<_>>>().and_then(ModuleName::new).ok_or_else(|| {
                super::object::unexpected(import.addr, "the name of a module", show(&components))
            })?;
            imports.push(Import {
                module,
                import_all: regions.flag(import, 0, WHAT)?,
                is_exported: regions.flag(import, 1, WHAT)?,
                is_meta: regions.flag(import, 2, WHAT)?,
            });
        }
        Ok(imports)
    }
}
