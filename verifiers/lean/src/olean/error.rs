//! What can be wrong with a compiled module, and at which byte.

use std::fmt;

use super::region::Addr;

/// Why a compiled module was not read: what was found, in which part of the module, at which byte.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", Place { part: *part, offset: *offset })]
pub struct OleanError {
    /// Which part of the module: 0 is the `.olean` file, then those that come after it.
    pub part: usize,
    /// The byte of that part.
    pub offset: u64,
    /// What is wrong there.
    pub problem: Problem,
}

impl OleanError {
    pub(crate) fn at(addr: Addr, problem: Problem) -> Self {
        Self { part: addr.part as usize, offset: u64::from(addr.offset), problem }
    }

    pub(super) fn in_part(part: usize, problem: Problem) -> Self {
        Self { part, offset: 0, problem }
    }
}

/// A place in a module, as people read it.
struct Place {
    part: usize,
    offset: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            0 => write!(f, "byte {:#x}", self.offset),
            part => write!(f, "byte {:#x} of part {}", self.offset, part + 1),
        }
    }
}

/// What is wrong with the bytes of a compiled module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The module has no file at all.
    #[error("a module has at least one part, but none was given")]
    NoParts,
    /// The file is smaller than its own beginning.
    #[error("the file has {len} bytes, but a compiled module has at least {needed}: it was cut short")]
    TooShort {
        /// The bytes there are.
        len: u64,
        /// The fewest there can be.
        needed: u64,
    },
    /// The file is bigger than the limit.
    #[error("the module has {len} bytes, but the limit is {limit}")]
    TooLong {
        /// The bytes there are, in all parts.
        len: u64,
        /// The most there may be.
        limit: u64,
    },
    /// The file does not begin as compiled modules do.
    #[error("expected a compiled Lean module, which begins with \"olean\", but found {found:?}")]
    NotOlean {
        /// How it begins.
        found: String,
    },
    /// A format that is not known here.
    #[error("format version {found} is not known; those known are {known}")]
    UnknownFormat {
        /// What the file says.
        found: u8,
        /// Those that can be read.
        known: &'static str,
    },
    /// The first pointers fit neither 32-bit nor 64-bit words.
    #[error(
        "neither with 8-byte nor with 4-byte words does the header point to a module in the file: it was cut short, or is damaged"
    )]
    NoRoot,
    /// The first pointers fit both 32-bit and 64-bit words.
    #[error("the header can be read both with 8-byte and with 4-byte words")]
    TwoRoots,
    /// The parts do not belong together.
    #[error("the parts of the module do not belong together: {why}")]
    Parts {
        /// What differs.
        why: &'static str,
    },
    /// A pointer that leaves the module, or its part.
    #[error("the pointer {pointer:#x} leads out of the module")]
    Outside {
        /// The pointer, as stored.
        pointer: u64,
    },
    /// A pointer to no place where an object can begin.
    #[error("the pointer {pointer:#x} leads to a place where no object can begin")]
    Unaligned {
        /// The pointer, as stored.
        pointer: u64,
    },
    /// An object that does not end within the file.
    #[error("{what} of {size} bytes does not end within the file")]
    CutShort {
        /// What it is.
        what: &'static str,
        /// What it says its size is.
        size: u64,
    },
    /// Not the kind of object that belongs there.
    #[error("expected {expected}, but found {found}")]
    Unexpected {
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A text that is not UTF-8, or has no end.
    #[error("the text is not UTF-8 with a zero byte at its end")]
    BadText,
    /// A number too big for what it counts.
    #[error("{what} is too big a number: {found}")]
    TooBig {
        /// What it counts.
        what: &'static str,
        /// The number.
        found: String,
    },
    /// An object that contains itself.
    #[error("the {what} contains itself")]
    Cycle {
        /// What it is.
        what: &'static str,
    },
    /// A list or a name beyond any sense.
    #[error("the {what} has more than {limit} parts")]
    TooDeep {
        /// What it is.
        what: &'static str,
        /// The most parts one may have.
        limit: usize,
    },
    /// More to read than the limit allows.
    #[error("the module holds more than the {limit} objects that may be read")]
    Budget {
        /// The limit.
        limit: u64,
    },
    /// Something that no finished constant holds.
    #[error("a finished constant holds no {what}")]
    Unfinished {
        /// What it is.
        what: &'static str,
    },
    /// The list of names and the list of constants disagree.
    #[error("there are {names} names, but {constants} constants")]
    Lengths {
        /// How many names there are.
        names: usize,
        /// How many constants there are.
        constants: usize,
    },
    /// The name listed is not that of the constant.
    #[error("the constant is listed as {listed}, but names itself {own}")]
    WrongName {
        /// The name in the list.
        listed: String,
        /// The name in the constant.
        own: String,
    },
    /// Two constants of one part have the same name.
    #[error("there are two constants of the name {name}")]
    Duplicate {
        /// The name.
        name: String,
    },
}
