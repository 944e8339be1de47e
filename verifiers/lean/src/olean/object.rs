//! Objects in a module, each read as what it should be or refused.

use num_bigint::BigUint;

use super::error::{OleanError, Problem};
use super::meter::Meter;
use super::region::{Addr, Regions, Value};

const MAX_CONSTRUCTOR: u8 = 244;
const TAG_ARRAY: u8 = 246;
const TAG_STRING: u8 = 249;
const TAG_BIG: u8 = 250;

/// The most elements a list may have: constructors of a type, types of a block, universe parameters.
const MAX_LIST: usize = 1 << 16;

/// Bytes of the header that every object has: reference count, size, count of pointers, tag.
const HEADER: u64 = 8;

/// What an object says it is.
#[derive(Clone, Copy)]
struct Head {
    /// Its size in bytes, of a small object.
    size: u16,
    /// How many pointers a constructor has.
    pointers: u8,
    tag: u8,
}

/// A constructor with fields.
#[derive(Clone, Copy)]
pub(crate) struct Ctor {
    /// Where it is.
    pub(crate) addr: Addr,
    /// Which of its type's constructors it is.
    pub(crate) tag: u8,
    /// How many pointers it holds.
    pub(crate) pointers: u8,
    size: u16,
}

/// An array of objects.
#[derive(Clone, Copy)]
pub(crate) struct Array {
    addr: Addr,
    len: u32,
}

impl Array {
    /// How many elements it has.
    pub(crate) fn len(self) -> usize {
        self.len as usize
    }
}

impl<B: AsRef<[u8]>> Regions<B> {
    fn head(&self, addr: Addr) -> Result<Head, OleanError> {
        let bytes = self.bytes(addr, 0, HEADER, "an object")?;
        // Eight bytes were asked for.
        let [rc0, rc1, rc2, rc3, size0, size1, pointers, tag] = *bytes else {
            return Err(OleanError::at(addr, Problem::CutShort { what: "an object", size: HEADER }));
        };
        if [rc0, rc1, rc2, rc3] != [0; 4] {
            return Err(OleanError::at(
                addr,
                Problem::Unexpected {
                    expected: "an object, which begins with four zero bytes",
                    found: "others".into(),
                },
            ));
        }
        Ok(Head { size: u16::from_le_bytes([size0, size1]), pointers, tag })
    }

    /// The constructor that `value` leads to; `expected` says for messages what belongs there.
    pub(crate) fn ctor(&self, from: Addr, value: Value, expected: &'static str) -> Result<Ctor, OleanError> {
        match value {
            Value::Object(addr) => self.ctor_at(addr, expected),
            Value::Scalar(n) => Err(unexpected(from, expected, format!("the number {n}"))),
        }
    }

    /// The constructor at an address.
    pub(crate) fn ctor_at(&self, addr: Addr, expected: &'static str) -> Result<Ctor, OleanError> {
        let head = self.head(addr)?;
        if head.tag > MAX_CONSTRUCTOR {
            return Err(unexpected(addr, expected, kind_of(head.tag).to_owned()));
        }
        let needed = HEADER + u64::from(head.pointers) * u64::from(self.word_bytes());
        if u64::from(head.size) < needed {
            return Err(unexpected(
                addr,
                expected,
                format!("an object of {} bytes with {} pointers", head.size, head.pointers),
            ));
        }
        self.bytes(addr, 0, u64::from(head.size), expected)?;
        Ok(Ctor { addr, tag: head.tag, pointers: head.pointers, size: head.size })
    }

    /// The constructor that `value` leads to, of the given tag with the given number of pointers.
    pub(crate) fn exact(
        &self,
        from: Addr,
        value: Value,
        (tag, pointers): (u8, u8),
        expected: &'static str,
    ) -> Result<Ctor, OleanError> {
        let ctor = self.ctor(from, value, expected)?;
        if (ctor.tag, ctor.pointers) != (tag, pointers) {
            return Err(unexpected(ctor.addr, expected, ctor.describe()));
        }
        Ok(ctor)
    }

    /// A pointer field of a constructor.
    pub(crate) fn field(&self, ctor: Ctor, index: u8) -> Result<Value, OleanError> {
        if index >= ctor.pointers {
            return Err(unexpected(ctor.addr, "an object with more fields", ctor.describe()));
        }
        let offset = HEADER + u64::from(index) * u64::from(self.word_bytes());
        self.value(ctor.addr, self.word(ctor.addr, offset, "an object")?)
    }

    /// Scalar bytes of a constructor, `offset` bytes after its pointers.
    fn scalar<const N: usize>(
        &self,
        ctor: Ctor,
        offset: u8,
        what: &'static str,
    ) -> Result<[u8; N], OleanError> {
        let start = HEADER + u64::from(ctor.pointers) * u64::from(self.word_bytes()) + u64::from(offset);
        if start + N as u64 > u64::from(ctor.size) {
            return Err(unexpected(ctor.addr, what, ctor.describe()));
        }
        let bytes = self.bytes(ctor.addr, start, N as u64, what)?;
        bytes.try_into().map_err(|_| unexpected(ctor.addr, what, ctor.describe()))
    }

    /// A byte among a constructor's scalars.
    pub(crate) fn byte(&self, ctor: Ctor, offset: u8, what: &'static str) -> Result<u8, OleanError> {
        self.scalar::<1>(ctor, offset, what).map(|[byte]| byte)
    }

    /// Whether a constructor has any scalars. In structures without them, older versions of Lean lack a field.
    pub(crate) fn has_scalars(&self, ctor: Ctor) -> bool {
        u64::from(ctor.size) > HEADER + u64::from(ctor.pointers) * u64::from(self.word_bytes())
    }

    /// A truth value among a constructor's scalars.
    pub(crate) fn flag(&self, ctor: Ctor, offset: u8, what: &'static str) -> Result<bool, OleanError> {
        match self.byte(ctor, offset, what)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(unexpected(ctor.addr, what, format!("the byte {other} instead of 0 or 1"))),
        }
    }

    /// A number of four bytes among a constructor's scalars.
    pub(crate) fn u32_scalar(&self, ctor: Ctor, offset: u8, what: &'static str) -> Result<u32, OleanError> {
        self.scalar(ctor, offset, what).map(u32::from_le_bytes)
    }

    /// The array that `value` leads to.
    pub(crate) fn array(
        &self,
        from: Addr,
        value: Value,
        expected: &'static str,
    ) -> Result<Array, OleanError> {
        let addr = self.big_object(from, value, TAG_ARRAY, expected)?;
        let word = u64::from(self.word_bytes());
        let len = self.word(addr, HEADER, expected)?;
        let size = len.saturating_mul(word);
        self.bytes(addr, HEADER + 2 * word, size, expected)?;
        // The elements lie within the file, which has fewer than 2^32 bytes.
        Ok(Array { addr, len: len as u32 })
    }

    /// An element of an array, which must be one of its elements.
    pub(crate) fn element(&self, array: Array, index: usize) -> Result<Value, OleanError> {
        if index >= array.len() {
            let found = format!("no element {index} in an array of {}", array.len);
            return Err(unexpected(array.addr, "an element of an array", found));
        }
        let offset = HEADER + (2 + index as u64) * u64::from(self.word_bytes());
        self.value(array.addr, self.word(array.addr, offset, "an array")?)
    }

    /// The elements of a list, first to last, each with the object that holds it.
    pub(crate) fn list(
        &self,
        from: Addr,
        list: Value,
        what: &'static str,
        meter: &mut Meter,
    ) -> Result<Vec<(Addr, Value)>, OleanError> {
        let (mut elements, mut rest) = (Vec::new(), list);
        while rest != Value::Scalar(0) {
            let cell = self.exact(from, rest, (1, 2), what)?;
            meter.charge(cell.addr, 0)?;
            if elements.len() == MAX_LIST {
                return Err(OleanError::at(from, Problem::TooDeep { what, limit: MAX_LIST }));
            }
            elements.push((cell.addr, self.field(cell, 0)?));
            rest = self.field(cell, 1)?;
        }
        Ok(elements)
    }

    /// The text that `value` leads to.
    pub(crate) fn text(&self, from: Addr, value: Value, expected: &'static str) -> Result<&str, OleanError> {
        let addr = self.big_object(from, value, TAG_STRING, expected)?;
        let word = u64::from(self.word_bytes());
        let size = self.word(addr, HEADER, expected)?;
        let bytes = self.bytes(addr, HEADER + 3 * word, size, expected)?;
        let Some((0, text)) = bytes.split_last() else {
            return Err(OleanError::at(addr, Problem::BadText));
        };
        std::str::from_utf8(text).map_err(|_| OleanError::at(addr, Problem::BadText))
    }

    /// A natural number of any size. Its digits are charged before they are looked at: many objects may share one.
    pub(crate) fn natural(
        &self,
        from: Addr,
        value: Value,
        expected: &'static str,
        meter: &mut Meter,
    ) -> Result<BigUint, OleanError> {
        match value {
            Value::Scalar(n) => Ok(BigUint::from(n)),
            Value::Object(_) => {
                let (addr, digits) = self.digits(from, value, expected)?;
                let digits = self.bytes(addr, digits.start, digits.end - digits.start, expected)?;
                meter.charge(addr, digits.len())?;
                Ok(BigUint::from_bytes_le(digits))
            }
        }
    }

    /// Where the digits of a big number are: bytes after its address, lowest first.
    fn digits(
        &self,
        from: Addr,
        value: Value,
        expected: &'static str,
    ) -> Result<(Addr, std::ops::Range<u64>), OleanError> {
        let addr = self.big_object(from, value, TAG_BIG, expected)?;
        let word = u64::from(self.word_bytes());
        let (negative, start, len) = if self.origin().gmp {
            // Two C ints, allocated and used limbs, of which the second has the sign, and the address of the limbs.
            let bytes = self.bytes(addr, HEADER + 4, 4, expected)?;
            let size = bytes.try_into().map(i32::from_le_bytes).unwrap_or_default();
            (size < 0, HEADER + 8 + word, u64::from(size.unsigned_abs()) * word)
        } else {
            // A sign padded to a word, the number of 32-bit digits, and their address.
            let negative = self.word(addr, HEADER, expected)? & 0xff != 0;
            let size = self.word(addr, HEADER + word, expected)?;
            (negative, HEADER + 3 * word, size.saturating_mul(4))
        };
        if negative {
            return Err(unexpected(addr, expected, "a negative number".to_owned()));
        }
        let end = start.saturating_add(len);
        self.bytes(addr, start, len, expected)?;
        Ok((addr, start..end))
    }

    /// A number that counts something: at most 2^32 - 1.
    pub(crate) fn small(&self, from: Addr, value: Value, what: &'static str) -> Result<u32, OleanError> {
        let number = self.number(from, value, what)?;
        u32::try_from(number)
            .map_err(|_| OleanError::at(from, Problem::TooBig { what, found: number.to_string() }))
    }

    /// A number below 2^64. A bigger one is refused by the length of its digits: showing them could take hours.
    pub(crate) fn number(&self, from: Addr, value: Value, what: &'static str) -> Result<u64, OleanError> {
        match value {
            Value::Scalar(n) => Ok(n),
            // On 32-bit machines, numbers from 2^31 on are objects.
            Value::Object(_) => {
                let (addr, digits) = self.digits(from, value, what)?;
                let len = digits.end - digits.start;
                let mut number = [0; 8];
                match number.get_mut(..usize::try_from(len).unwrap_or(usize::MAX)) {
                    Some(low) => low.copy_from_slice(self.bytes(addr, digits.start, len, what)?),
                    None => {
                        let found = format!("one of {len} bytes");
                        return Err(OleanError::at(from, Problem::TooBig { what, found }));
                    }
                }
                Ok(u64::from_le_bytes(number))
            }
        }
    }

    /// The object that `value` leads to, of a kind that is no constructor.
    fn big_object(
        &self,
        from: Addr,
        value: Value,
        tag: u8,
        expected: &'static str,
    ) -> Result<Addr, OleanError> {
        let Value::Object(addr) = value else {
            return Err(unexpected(from, expected, "a number".to_owned()));
        };
        let head = self.head(addr)?;
        if head.tag != tag {
            return Err(unexpected(addr, expected, kind_of(head.tag).to_owned()));
        }
        Ok(addr)
    }
}

impl Ctor {
    /// What it is, for messages.
    pub(crate) fn describe(self) -> String {
        format!("constructor {} with {} pointers in {} bytes", self.tag, self.pointers, self.size)
    }
}

/// An error that says what belongs at an address and what is there.
pub(crate) fn unexpected(addr: Addr, expected: &'static str, found: String) -> OleanError {
    OleanError::at(addr, Problem::Unexpected { expected, found })
}

/// What an object of a tag is, for messages.
fn kind_of(tag: u8) -> &'static str {
    match tag {
        0..=MAX_CONSTRUCTOR => "a constructor",
        TAG_ARRAY => "an array",
        TAG_STRING => "a text",
        TAG_BIG => "a big number",
        245 => "a closure",
        247 | 248 => "an array of scalars",
        _ => "an object that belongs into no module",
    }
}
