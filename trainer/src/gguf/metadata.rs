//! The key-value part of a GGUF file: values that borrow from the file, and getters that say what they expected.

use std::collections::HashMap;

use super::error::GgufError;

/// One metadata value. Text and arrays borrow from the file's bytes, so that memory stays in proportion to the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// Any of the eight integer types; `i128` holds both `u64` and `i64`.
    Integer(i128),
    /// `f32` or `f64`.
    Float(Float),
    /// One byte, 0 or 1.
    Bool(bool),
    /// UTF-8.
    Text(&'a str),
    /// An array of strings.
    Texts(Vec<&'a str>),
    /// An array of integers, floats or booleans: the element's kind and the raw little-endian bytes.
    Scalars(Scalar, &'a [u8]),
}

/// A float in the width that it was stored in: the width decides which decimal it is written as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Float {
    /// Stored in four bytes.
    Single(f32),
    /// Stored in eight bytes.
    Double(f64),
}

impl Float {
    /// The `f64` with the shortest decimal that reads back as the stored number: 1e-5 rather than 9.99999974738e-6,
    /// which is what the original config had.
    pub(super) fn shortest(self) -> f64 {
        match self {
            // The shortest decimal of an f32 is a valid f64 literal, and its own value is the fallback.
            Self::Single(value) => value.to_string().parse().unwrap_or(f64::from(value)),
            Self::Double(value) => value,
        }
    }
}

/// The value types of fixed size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    U64,
    I64,
    F64,
}

impl Scalar {
    /// The type of a value-type number of the format, where it is one of fixed size.
    pub(super) fn from_id(id: u32) -> Option<Self> {
        Some(match id {
            0 => Self::U8,
            1 => Self::I8,
            2 => Self::U16,
            3 => Self::I16,
            4 => Self::U32,
            5 => Self::I32,
            6 => Self::F32,
            7 => Self::Bool,
            10 => Self::U64,
            11 => Self::I64,
            12 => Self::F64,
            _ => return None,
        })
    }

    /// Bytes of one value.
    pub(super) fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Reads one value from exactly [`Scalar::size`] bytes; none for a boolean that is neither 0 nor 1.
    pub(super) fn read(self, bytes: &[u8]) -> Option<Value<'static>> {
        let mut word = [0u8; 8];
        word.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let bits = u64::from_le_bytes(word);
        // Truncating casts: the value's own bytes are the low ones of `bits`, the rest are zero.
        Some(match self {
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => Value::Integer(i128::from(bits)),
            Self::I8 => Value::Integer(i128::from(bits as u8 as i8)),
            Self::I16 => Value::Integer(i128::from(bits as u16 as i16)),
            Self::I32 => Value::Integer(i128::from(bits as u32 as i32)),
            Self::I64 => Value::Integer(i128::from(bits as i64)),
            Self::F32 => Value::Float(Float::Single(f32::from_bits(bits as u32))),
            Self::F64 => Value::Float(Float::Double(f64::from_bits(bits))),
            Self::Bool => match bits {
                0 => Value::Bool(false),
                1 => Value::Bool(true),
                _ => return None,
            },
        })
    }
}

impl Value<'_> {
    /// A short description for error messages; long text is cut.
    fn describe(&self) -> String {
        match self {
            Self::Integer(value) => format!("the integer {value}"),
            Self::Float(value) => format!("the number {}", value.shortest()),
            Self::Bool(value) => value.to_string(),
            Self::Text(text) => format!("the text {:?}", text.chars().take(60).collect::<String>()),
            Self::Texts(texts) => format!("an array of {} strings", texts.len()),
            Self::Scalars(kind, bytes) => {
                format!("an array of {} values of type {kind:?}", bytes.len() / kind.size())
            }
        }
    }
}

/// All metadata of a file.
#[derive(Debug, Default)]
pub(super) struct Metadata<'a> {
    values: HashMap<&'a str, Value<'a>>,
}

impl<'a> Metadata<'a> {
    /// Adds a value; false if the key is there already.
    pub(super) fn insert(&mut self, key: &'a str, value: Value<'a>) -> bool {
        self.values.insert(key, value).is_none()
    }

    /// The keys that begin with `prefix`, sorted.
    pub(super) fn keys_under(&self, prefix: &str) -> Vec<&'a str> {
        let mut keys: Vec<&str> = self.values.keys().copied().filter(|key| key.starts_with(prefix)).collect();
        keys.sort_unstable();
        keys
    }

    /// The value of a key, of any type.
    pub(super) fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.values.get(key)
    }

    /// A count, an id or a size: any integer type, from 0 to 2³²−1.
    pub(super) fn u32(&self, key: &str) -> Result<Option<u32>, GgufError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Integer(value)) if u32::try_from(*value).is_ok() => Ok(u32::try_from(*value).ok()),
            Some(other) => Err(bad(key, "an integer from 0 to 4294967295", other)),
        }
    }

    /// A size that must be there and positive.
    pub(super) fn size(&self, key: &str) -> Result<usize, GgufError> {
        match self.u32(key)? {
            None => Err(missing(key, "a positive integer")),
            Some(0) => Err(bad(key, "a positive integer", &Value::Integer(0))),
            Some(value) => Ok(value as usize),
        }
    }

    /// A finite number, in the decimal that it was most likely written as ([`Float::shortest`]).
    pub(super) fn float(&self, key: &str) -> Result<Option<f64>, GgufError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Float(value)) if value.shortest().is_finite() => Ok(Some(value.shortest())),
            Some(other) => Err(bad(key, "a finite number", other)),
        }
    }

    /// True or false.
    pub(super) fn bool(&self, key: &str) -> Result<Option<bool>, GgufError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(bad(key, "a boolean", other)),
        }
    }

    /// A string.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, GgufError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(bad(key, "a string", other)),
        }
    }

    /// An array of strings.
    pub(super) fn texts(&self, key: &str) -> Result<Option<&[&'a str]>, GgufError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Texts(texts)) => Ok(Some(texts)),
            Some(other) => Err(bad(key, "an array of strings", other)),
        }
    }

    /// An array of 32-bit integers.
    pub(super) fn i32s(&self, key: &str) -> Result<Option<Vec<i32>>, GgufError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Scalars(Scalar::I32 | Scalar::U32, bytes)) => {
                Ok(Some(bytes.as_chunks::<4>().0.iter().map(|word| i32::from_le_bytes(*word)).collect()))
            }
            Some(other) => Err(bad(key, "an array of 32-bit integers", other)),
        }
    }

    /// An array of 32-bit floats.
    pub(super) fn f32s(&self, key: &str) -> Result<Option<Vec<f32>>, GgufError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Scalars(Scalar::F32, bytes)) => {
                Ok(Some(bytes.as_chunks::<4>().0.iter().map(|word| f32::from_le_bytes(*word)).collect()))
            }
            Some(other) => Err(bad(key, "an array of 32-bit floats", other)),
        }
    }
}

/// A [`GgufError::MissingKey`].
pub(super) fn missing(key: &str, expected: &str) -> GgufError {
    GgufError::MissingKey { key: key.to_owned(), expected: expected.to_owned() }
}

/// A [`GgufError::BadKey`].
pub(super) fn bad(key: &str, expected: &str, found: &Value<'_>) -> GgufError {
    GgufError::BadKey { key: key.to_owned(), expected: expected.to_owned(), found: found.describe() }
}
