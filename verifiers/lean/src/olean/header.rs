//! The beginning of a compiled module: who wrote it, in which format, with words of which size.
//!
//! The format does not say how big its words are. They are told apart by the first two: the address that the file was
//! made for, and the pointer to the module's data, which must lead to an object of the right shape within the file.
//! Format 2 is what real files of Lean 4.28 and 4.35 have, format 1 what the sources of Lean 4.9 write.

use std::ops::Range;

use super::error::{OleanError, Problem};

/// The format versions that can be read, for messages.
pub(super) const KNOWN_FORMATS: &str = "1 (up to Lean 4.11) and 2 (later ones)";

/// Every format begins with the same bytes, and then its version.
const MAGIC: &[u8] = b"olean";

/// Where the fields of a format are, in bytes from the beginning.
struct Layout {
    /// Lean's version, which format 1 does not have.
    lean_version: Range<usize>,
    /// The commit.
    git_hash: Range<usize>,
    /// The base address, and the end of what does not depend on the size of words.
    base: usize,
}

const FORMAT_1: Layout = Layout { lean_version: 0..0, git_hash: 6..48, base: 48 };
const FORMAT_2: Layout = Layout { lean_version: 7..40, git_hash: 40..80, base: 80 };

/// How many pointers the root object has, whose type is `ModuleData`.
pub(super) const ROOT_FIELDS: u8 = 5;

/// The size of pointers, and of the counts in objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordSize {
    /// 4 bytes, as for WebAssembly.
    Four,
    /// 8 bytes.
    Eight,
}

impl WordSize {
    /// The size in bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::Four => 4,
            Self::Eight => 8,
        }
    }
}

/// Which Lean made a module, and in which form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Lean's version, such as `4.28.0`; empty in format 1, which does not name it.
    pub lean_version: String,
    /// The commit Lean was built from, in hexadecimal digits; may be empty.
    pub git_hash: String,
    /// The version of the file format.
    pub format: u8,
    /// The size of pointers.
    pub word_size: WordSize,
    /// Whether big numbers are in the form of the GMP library.
    pub gmp: bool,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hash = self.git_hash.get(..12).unwrap_or(&self.git_hash);
        let bits = 8 * self.word_size.bytes();
        let version = if self.lean_version.is_empty() { "of an old version" } else { &self.lean_version };
        write!(f, "Lean {version} ({bits} bit, commit {hash}, format {})", self.format)
    }
}

/// A header that was read.
pub(super) struct Header {
    pub(super) origin: Origin,
    /// The address that the first byte of the file had when the pointers in it were made.
    pub(super) base: u64,
    /// The pointer to the module's data.
    pub(super) root: u64,
    /// The first byte at which an object may begin.
    pub(super) start: usize,
}

impl Header {
    /// Reads the header of one part.
    pub(super) fn read(bytes: &[u8], part: usize) -> Result<Self, OleanError> {
        let fail = |offset: usize, problem| OleanError { part, offset: offset as u64, problem };
        let short = |needed: usize| Problem::TooShort { len: bytes.len() as u64, needed: needed as u64 };
        if !bytes.starts_with(MAGIC) {
            let start = bytes.get(..16).unwrap_or(bytes);
            return Err(fail(0, Problem::NotOlean { found: start.escape_ascii().to_string() }));
        }
        let Some(&[format, flags]) = bytes.get(MAGIC.len()..MAGIC.len() + 2) else {
            return Err(fail(0, short(FORMAT_1.base)));
        };
        let (layout, gmp) = match format {
            // The releases of those days all had GMP.
            1 => (FORMAT_1, true),
            2 => (FORMAT_2, flags & 1 == 1),
            found => return Err(fail(MAGIC.len(), Problem::UnknownFormat { found, known: KNOWN_FORMATS })),
        };
        let field = |range: Range<usize>| bytes.get(range).map(padded_text);
        let (Some(lean_version), Some(git_hash)) = (field(layout.lean_version), field(layout.git_hash))
        else {
            return Err(fail(0, short(layout.base)));
        };
        let found = (root(bytes, layout.base, WordSize::Eight), root(bytes, layout.base, WordSize::Four));
        let (base, root, word_size) = match found {
            (Some((base, root)), None) => (base, root, WordSize::Eight),
            (None, Some((base, root))) => (base, root, WordSize::Four),
            (None, None) => return Err(fail(layout.base, Problem::NoRoot)),
            (Some(_), Some(_)) => return Err(fail(layout.base, Problem::TwoRoots)),
        };
        let origin = Origin { lean_version, git_hash, format, word_size, gmp };
        Ok(Self { origin, base, root, start: layout.base + word_size.bytes() })
    }
}

/// The base address and the pointer to the root object, where words of this size make sense of them. The pointer comes
/// first of all or, in files of older versions of Lean, last.
fn root(bytes: &[u8], layout_base: usize, word_size: WordSize) -> Option<(u64, u64)> {
    let start = layout_base + word_size.bytes();
    let base = word(bytes, layout_base, word_size)?;
    base.checked_add(bytes.len() as u64)?;
    let places = [Some(start), bytes.len().checked_sub(word_size.bytes())];
    places.into_iter().flatten().find_map(|place| {
        let root = word(bytes, place, word_size)?;
        let offset = usize::try_from(root.checked_sub(base)?).ok()?;
        if offset < start || !offset.is_multiple_of(word_size.bytes()) {
            return None;
        }
        let head = bytes.get(offset..offset.checked_add(8)?)?;
        let is_root = head[6] == ROOT_FIELDS && head[7] == 0;
        is_root.then_some((base, root))
    })
}

/// The word at a byte, or none if it is not all there.
pub(super) fn word(bytes: &[u8], offset: usize, word_size: WordSize) -> Option<u64> {
    let bytes = bytes.get(offset..offset.checked_add(word_size.bytes())?)?;
    match word_size {
        WordSize::Four => bytes.try_into().ok().map(|b| u64::from(u32::from_le_bytes(b))),
        WordSize::Eight => bytes.try_into().ok().map(u64::from_le_bytes),
    }
}

/// The text before the first zero byte; what cannot be printed is replaced, since it only serves messages and comparison.
fn padded_text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    bytes[..end].iter().map(|&b| if b.is_ascii_graphic() { char::from(b) } else { '?' }).collect()
}
