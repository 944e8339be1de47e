//! The bytes of a module's parts, and pointers among them.
//!
//! Pointers are absolute addresses. Each part was made for an address of its own, and may point into itself and into the
//! parts before it. A pointer is checked once, when it becomes an [`Addr`].

use super::error::{OleanError, Problem};
use super::header::{Header, Origin, word};

/// A place in a module where an object may begin: aligned, and with room for an object's header after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Addr {
    /// Which part of the module.
    pub(crate) part: u32,
    /// The byte in that part.
    pub(crate) offset: u32,
}

/// What a field holds: a small number, or a pointer to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    /// A number, or a constructor without fields.
    Scalar(u64),
    /// An object.
    Object(Addr),
}

/// One file of a module.
struct Part<B> {
    bytes: B,
    base: u64,
    start: u32,
}

/// The files of a module.
pub(crate) struct Regions<B> {
    parts: Vec<Part<B>>,
    origin: Origin,
}

impl<B: AsRef<[u8]>> Regions<B> {
    /// Reads the headers of all parts. Also gives where each part's data begins.
    pub(crate) fn read(files: Vec<B>, max_bytes: u64) -> Result<(Self, Vec<Addr>), OleanError> {
        let len: u64 = files.iter().map(|file| file.as_ref().len() as u64).sum();
        // Offsets are stored in 32 bits.
        let limit = max_bytes.min(u64::from(u32::MAX));
        if len > limit {
            return Err(OleanError::in_part(0, Problem::TooLong { len, limit }));
        }
        let mut origin: Option<Origin> = None;
        let mut parts: Vec<Part<B>> = Vec::with_capacity(files.len());
        let mut roots = Vec::with_capacity(files.len());
        for (index, bytes) in files.into_iter().enumerate() {
            let header = Header::read(bytes.as_ref(), index)?;
            let differs = |why| OleanError::in_part(index, Problem::Parts { why });
            if origin.as_ref().is_some_and(|first| *first != header.origin) {
                return Err(differs("they were made by different versions of Lean"));
            }
            if parts.last().is_some_and(|last| header.base < last.base + last.bytes.as_ref().len() as u64) {
                return Err(differs("their addresses overlap"));
            }
            origin = Some(header.origin);
            parts.push(Part { bytes, base: header.base, start: header.start as u32 });
            roots.push(header.root);
        }
        let Some(origin) = origin else { return Err(OleanError::in_part(0, Problem::NoParts)) };
        let regions = Self { parts, origin };
        let mut root_addrs = Vec::with_capacity(roots.len());
        for (part, root) in roots.into_iter().enumerate() {
            let field = Addr { part: part as u32, offset: regions.parts[part].start };
            root_addrs.push(regions.addr(field, root)?);
        }
        Ok((regions, root_addrs))
    }

    /// Which Lean made the module.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The size of a pointer, in bytes.
    pub(super) fn word_bytes(&self) -> u32 {
        self.origin.word_size.bytes() as u32
    }

    /// The bytes from `offset` on, which lie in the part of `addr`; `what` it is that needs them.
    pub(super) fn bytes(
        &self,
        addr: Addr,
        offset: u64,
        len: u64,
        what: &'static str,
    ) -> Result<&[u8], OleanError> {
        let start = u64::from(addr.offset) + offset;
        let range = start
            .checked_add(len)
            .and_then(|end| Some(usize::try_from(start).ok()?..usize::try_from(end).ok()?));
        self.parts
            .get(addr.part as usize)
            .zip(range)
            .and_then(|(part, range)| part.bytes.as_ref().get(range))
            .ok_or_else(|| OleanError::at(addr, Problem::CutShort { what, size: offset.saturating_add(len) }))
    }

    /// The word at a byte of an object.
    pub(super) fn word(&self, addr: Addr, offset: u64, what: &'static str) -> Result<u64, OleanError> {
        let size = self.origin.word_size;
        let bytes = self.bytes(addr, offset, size.bytes() as u64, what)?;
        // The bytes are as many as a word has.
        Ok(word(bytes, 0, size).unwrap_or_default())
    }

    /// What a word in the object at `from` holds.
    pub(super) fn value(&self, from: Addr, word: u64) -> Result<Value, OleanError> {
        if word & 1 == 1 { Ok(Value::Scalar(word >> 1)) } else { self.addr(from, word).map(Value::Object) }
    }

    /// Where a pointer leads that was found in the object at `from`.
    fn addr(&self, from: Addr, pointer: u64) -> Result<Addr, OleanError> {
        for (index, part) in self.parts.iter().enumerate().take(from.part as usize + 1).rev() {
            let Some(offset) = pointer.checked_sub(part.base) else { continue };
            // Room for an object's header must be left.
            if offset < u64::from(part.start) || offset.saturating_add(8) > part.bytes.as_ref().len() as u64 {
                continue;
            }
            // The whole module has fewer than 2^32 bytes.
            let offset = offset as u32;
            // Objects are padded to words.
            if !offset.is_multiple_of(self.word_bytes()) {
                return Err(OleanError::at(from, Problem::Unaligned { pointer }));
            }
            return Ok(Addr { part: index as u32, offset });
        }
        Err(OleanError::at(from, Problem::Outside { pointer }))
    }
}
