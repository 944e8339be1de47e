//! The beginning of a compiled module: who wrote it, in which format, with words of which size.
//!
//! The format does not say how big its words are. They are told apart by the first two: the address that the file was
//! made for, and the pointer to the module's data, which must lead to an object of the right shape within the file.

use super::error::{OleanError, Problem};

/// The format versions that can be read, for messages.
pub(super) const KNOWN_FORMATS: &str = "2 (Lean 4.12 and later)";

/// Bytes before the base address: magic, version, flags, Lean's version, git hash.
const PREFIX: usize = 5 + 1 + 1 + VERSION_LEN + HASH_LEN;
const VERSION_LEN: usize = 33;
const HASH_LEN: usize = 40;

/// How many pointers the root object has, whose type is `ModuleData`.
pub(super) const ROOT_FIELDS: usize = 5;

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
    /// Lean's version, such as `4.28.0`.
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
        write!(f, "Lean {} ({bits} bit, commit {hash}, format {})", self.lean_version, self.format)
    }
}

/// A header that was read.
pub(super) struct Header {
    pub(super) origin: Origin,
    /// The address that the first byte of the file had when the pointers in it were made.
    pub(super) base: u64,
    /// The pointer to the module's data.
    pub(super) root: u64,
    /// The first byte after the header, where objects begin.
    pub(super) start: usize,
}

impl Header {
    /// Reads the header of one part.
    pub(super) fn read(bytes: &[u8], part: usize) -> Result<Self, OleanError> {
        let fail = |problem| OleanError::in_part(part, problem);
        if !bytes.starts_with(b"olean") {
            let start = bytes.get(..bytes.len().min(16)).unwrap_or_default();
            return Err(fail(Problem::NotOlean { found: String::from_utf8_lossy(start).into_owned() }));
        }
        let needed = PREFIX + 4 * WordSize::Eight.bytes();
        if bytes.len() < needed {
            return Err(fail(Problem::TooShort { len: bytes.len() as u64, needed: needed as u64 }));
        }
        let (format, flags) = (bytes[5], bytes[6]);
        if format != 2 {
            return Err(OleanError {
                part,
                offset: 5,
                problem: Problem::UnknownFormat { found: format, known: KNOWN_FORMATS },
            });
        }
        let (base, root, word_size) = match (roots(bytes, WordSize::Eight), roots(bytes, WordSize::Four)) {
            (Some((base, root)), None) => (base, root, WordSize::Eight),
            (None, Some((base, root))) => (base, root, WordSize::Four),
            (None, None) => return Err(OleanError { part, offset: PREFIX as u64, problem: Problem::NoRoot }),
            (Some(_), Some(_)) => {
                return Err(OleanError { part, offset: PREFIX as u64, problem: Problem::TwoRoots });
            }
        };
        Ok(Self {
            origin: Origin {
                lean_version: padded_text(&bytes[7..7 + VERSION_LEN]),
                git_hash: padded_text(&bytes[7 + VERSION_LEN..PREFIX]),
                format,
                word_size,
                gmp: flags & 1 == 1,
            },
            base,
            root,
            start: PREFIX + 2 * word_size.bytes(),
        })
    }
}

/// The base address and the root pointer, where words of this size make sense of them.
fn roots(bytes: &[u8], word_size: WordSize) -> Option<(u64, u64)> {
    let base = word(bytes, PREFIX, word_size)?;
    let root = word(bytes, PREFIX + word_size.bytes(), word_size)?;
    base.checked_add(bytes.len() as u64)?;
    let offset = usize::try_from(root.checked_sub(base)?).ok()?;
    let start = PREFIX + 2 * word_size.bytes();
    let end = offset.checked_add(8 + ROOT_FIELDS * word_size.bytes() + 1)?;
    if !offset.is_multiple_of(word_size.bytes()) || offset < start || end > bytes.len() {
        return None;
    }
    let (fields, tag) = (bytes[offset + 6], bytes[offset + 7]);
    (fields as usize == ROOT_FIELDS && tag == 0).then_some((base, root))
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
