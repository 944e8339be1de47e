//! Reads the container: header, metadata and the table of tensors. Knows nothing of models.
//!
//! The layout is header, metadata, tensor table, padding, tensor data, all little-endian. Every count and length is
//! checked against the bytes that are left before anything is allocated for it, so that memory and time stay in
//! proportion to the file's size whatever its fields claim.

use std::collections::HashMap;

use super::error::GgufError;
use super::ggml::GgmlType;
use super::metadata::{Metadata, Scalar, Value};

/// The format's limit on a key's length.
const MAX_KEY_BYTES: u64 = 65_535;
/// ggml's limit on the number of dimensions.
const MAX_DIMENSIONS: u32 = 4;
/// Alignment of tensor data where `general.alignment` does not say otherwise.
const DEFAULT_ALIGNMENT: usize = 32;
/// A string's length field; also the least that an array element of strings takes.
const LENGTH_BYTES: u64 = 8;
/// The least that one metadata entry takes: a key's length, a value's type and one byte of value.
const MIN_ENTRY_BYTES: u64 = LENGTH_BYTES + 4 + 1;
/// The least that one table entry takes: name length, dimension count, one dimension, type, offset.
const MIN_TENSOR_BYTES: u64 = LENGTH_BYTES + 4 + 8 + 4 + 8;

/// A parsed file.
#[derive(Debug)]
pub(super) struct Container<'a> {
    /// The key-value pairs.
    pub(super) metadata: Metadata<'a>,
    /// The tensors, in the file's order.
    pub(super) tensors: Vec<Tensor<'a>>,
    by_name: HashMap<&'a str, usize>,
}

/// One tensor of the file.
#[derive(Clone, Debug)]
pub(super) struct Tensor<'a> {
    /// The name, for instance `blk.0.attn_q.weight`.
    pub(super) name: &'a str,
    /// Outermost dimension first, as everywhere outside of ggml (the file has them the other way round).
    pub(super) shape: Vec<usize>,
    /// How the values are stored.
    pub(super) kind: GgmlType,
    /// The stored bytes: whole blocks, row after row.
    pub(super) data: &'a [u8],
}

impl Tensor<'_> {
    /// Values in a row, the innermost dimension.
    pub(super) fn row_len(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }
}

impl<'a> Container<'a> {
    /// The place of the tensor of that name in [`Container::tensors`].
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The tensor of that name.
    pub(super) fn tensor(&self, name: &str) -> Option<&Tensor<'a>> {
        self.position(name).and_then(|index| self.tensors.get(index))
    }

    /// Parses the whole file.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, GgufError> {
        let mut cursor = Cursor { bytes, at: 0 };
        let num_tensors = read_header(&mut cursor)?;
        let num_entries = cursor.count("the number of metadata entries", MIN_ENTRY_BYTES)?;
        let mut metadata = Metadata::default();
        for index in 0..num_entries {
            read_entry(&mut cursor, index, &mut metadata)?;
        }
        let alignment = alignment(&metadata)?;
        // Counted again now that the metadata is behind us; the first look was at the header's claim alone.
        cursor.check_count("the number of tensors", num_tensors, MIN_TENSOR_BYTES)?;
        let table = (0..num_tensors)
            .map(|index| read_tensor_entry(&mut cursor, index))
            .collect::<Result<Vec<_>, _>>()?;
        let data_start = cursor.at.next_multiple_of(alignment);
        locate(bytes, data_start, alignment, table, metadata)
    }
}

/// Checks magic and version; returns the number of tensors.
fn read_header(cursor: &mut Cursor<'_>) -> Result<u64, GgufError> {
    let magic = cursor.array::<4>("the magic bytes")?;
    if &magic != b"GGUF" {
        return Err(GgufError::Magic(magic));
    }
    let version = cursor.u32("the version")?;
    // Big-endian files have the version byte at the other end.
    if version != 0 && version & 0xffff == 0 {
        return Err(GgufError::BigEndian(version));
    }
    if !(2..=3).contains(&version) {
        return Err(GgufError::Version(version));
    }
    cursor.count("the number of tensors", MIN_TENSOR_BYTES)
}

/// `general.alignment`, a power of two.
fn alignment(metadata: &Metadata<'_>) -> Result<usize, GgufError> {
    let key = "general.alignment";
    match metadata.u32(key)? {
        None => Ok(DEFAULT_ALIGNMENT),
        Some(value) if value.is_power_of_two() && value <= 1 << 20 => Ok(value as usize),
        Some(value) => Err(GgufError::BadKey {
            key: key.to_owned(),
            expected: "a power of two up to 1048576".to_owned(),
            found: format!("the integer {value}"),
        }),
    }
}

/// Reads one key and its value.
fn read_entry<'a>(cursor: &mut Cursor<'a>, index: u64, metadata: &mut Metadata<'a>) -> Result<(), GgufError> {
    let at = cursor.at;
    let key = cursor.text(&format!("the key of metadata entry {index}"), MAX_KEY_BYTES)?;
    let value = read_value(cursor, key)?;
    if metadata.insert(key, value) {
        Ok(())
    } else {
        Err(corrupt(
            at,
            format!("metadata entry {index}"),
            "a key that is not there yet",
            format!("`{key}` again"),
        ))
    }
}

/// Reads a value's type and the value.
fn read_value<'a>(cursor: &mut Cursor<'a>, key: &str) -> Result<Value<'a>, GgufError> {
    let at = cursor.at;
    let what = || format!("the value of `{key}`");
    match cursor.u32(&what())? {
        8 => Ok(Value::Text(cursor.text(&what(), u64::MAX)?)),
        9 => read_array(cursor, key),
        id => {
            let kind = Scalar::from_id(id).ok_or_else(|| {
                corrupt(at, format!("the value type of `{key}`"), "0 to 12", id.to_string())
            })?;
            let value_at = cursor.at;
            let raw = cursor.take(kind.size() as u64, &what())?;
            kind.read(raw)
                .ok_or_else(|| corrupt(value_at, what(), "0 or 1 for a boolean", format!("{raw:?}")))
        }
    }
}

/// Reads an array's element type, its length and its elements.
fn read_array<'a>(cursor: &mut Cursor<'a>, key: &str) -> Result<Value<'a>, GgufError> {
    let at = cursor.at;
    let id = cursor.u32(&format!("the element type of `{key}`"))?;
    if id == 8 {
        let count = cursor.count(&format!("the length of `{key}`"), LENGTH_BYTES)?;
        let texts = (0..count)
            .map(|index| cursor.text(&format!("element {index} of `{key}`"), u64::MAX))
            .collect::<Result<_, _>>()?;
        return Ok(Value::Texts(texts));
    }
    let kind = Scalar::from_id(id).ok_or_else(|| {
        corrupt(
            at,
            format!("the element type of `{key}`"),
            "a scalar or string type (0 to 8, 10 to 12)",
            id.to_string(),
        )
    })?;
    let count = cursor.count(&format!("the length of `{key}`"), kind.size() as u64)?;
    // No overflow: `count` elements fit into the bytes that are left.
    Ok(Value::Scalars(kind, cursor.take(count * kind.size() as u64, &format!("the elements of `{key}`"))?))
}

/// A row of the tensor table before its data is located.
struct TableEntry<'a> {
    at: usize,
    name: &'a str,
    shape: Vec<usize>,
    kind: GgmlType,
    offset: u64,
}

/// Reads one row of the tensor table.
fn read_tensor_entry<'a>(cursor: &mut Cursor<'a>, index: u64) -> Result<TableEntry<'a>, GgufError> {
    let at = cursor.at;
    let name = cursor.text(&format!("the name of tensor {index}"), MAX_KEY_BYTES)?;
    let what = |part: &str| format!("the {part} of tensor `{name}`");
    let dimensions_at = cursor.at;
    let num_dimensions = cursor.u32(&what("number of dimensions"))?;
    if !(1..=MAX_DIMENSIONS).contains(&num_dimensions) {
        let found = num_dimensions.to_string();
        return Err(corrupt(dimensions_at, what("number of dimensions"), "1 to 4", found));
    }
    let mut shape = Vec::new();
    for _ in 0..num_dimensions {
        let dimension_at = cursor.at;
        let size = cursor.u64(&what("dimensions"))?;
        let fits = usize::try_from(size).ok().filter(|&size| size > 0);
        shape.push(
            fits.ok_or_else(|| {
                corrupt(dimension_at, what("dimensions"), "a positive size", size.to_string())
            })?,
        );
    }
    shape.reverse();
    let type_id = cursor.u32(&what("type"))?;
    let kind = GgmlType::from_id(type_id).map_err(|found| GgufError::TensorType {
        tensor: name.to_owned(),
        found,
        supported: GgmlType::supported_names(),
    })?;
    let offset = cursor.u64(&what("offset"))?;
    Ok(TableEntry { at, name, shape, kind, offset })
}

/// Finds each tensor's bytes; refuses tensors that lie outside the file, misaligned, or over one another.
fn locate<'a>(
    bytes: &'a [u8],
    data_start: usize,
    alignment: usize,
    table: Vec<TableEntry<'a>>,
    metadata: Metadata<'a>,
) -> Result<Container<'a>, GgufError> {
    let mut tensors = Vec::with_capacity(table.len());
    let mut by_name = HashMap::with_capacity(table.len());
    let mut ranges = Vec::with_capacity(table.len());
    for (index, entry) in table.into_iter().enumerate() {
        let name = entry.name;
        let size = stored_size(&entry)?;
        if entry.offset % alignment as u64 != 0 {
            let expected = format!("a multiple of the alignment {alignment}");
            let what = format!("the offset of tensor `{name}`");
            return Err(corrupt(entry.at, what, &expected, entry.offset.to_string()));
        }
        let begin = (data_start as u64).saturating_add(entry.offset);
        let end = begin.saturating_add(size);
        let data = usize::try_from(begin).ok().zip(usize::try_from(end).ok());
        let data =
            data.and_then(|(begin, end)| bytes.get(begin..end)).ok_or_else(|| GgufError::Truncated {
                what: format!("tensor `{name}` ({} {:?})", entry.kind.name(), entry.shape),
                offset: usize::try_from(begin).unwrap_or(usize::MAX),
                needed: size,
                available: (bytes.len() as u64).saturating_sub(begin),
            })?;
        if by_name.insert(name, index).is_some() {
            let what = format!("the name of tensor {index}");
            return Err(corrupt(entry.at, what, "a name that is not there yet", format!("`{name}` again")));
        }
        ranges.push((begin, end, name, entry.at));
        tensors.push(Tensor { name, shape: entry.shape, kind: entry.kind, data });
    }
    ranges.sort_unstable();
    for pair in ranges.windows(2) {
        if let [(_, end, first, _), (begin, _, second, at)] = pair
            && begin < end
        {
            let what = format!("the data of tensor `{second}`");
            return Err(corrupt(*at, what, "bytes of its own", format!("bytes shared with `{first}`")));
        }
    }
    Ok(Container { metadata, tensors, by_name })
}

/// Bytes that a tensor takes: whole blocks in each row.
fn stored_size(entry: &TableEntry<'_>) -> Result<u64, GgufError> {
    let (block_len, block_bytes) = entry.kind.block();
    let row_len = entry.shape.last().copied().unwrap_or(1);
    if row_len % block_len != 0 {
        let what = format!("the row length of tensor `{}`", entry.name);
        let expected = format!("a multiple of {}'s block of {block_len} values", entry.kind.name());
        return Err(corrupt(entry.at, what, &expected, row_len.to_string()));
    }
    let size = entry.shape.iter().try_fold(1u64, |product, &size| product.checked_mul(size as u64));
    size.and_then(|values| (values / block_len as u64).checked_mul(block_bytes as u64)).ok_or_else(|| {
        let what = format!("the size of tensor `{}`", entry.name);
        corrupt(entry.at, what, "fewer than 2^64 bytes", format!("{:?}", entry.shape))
    })
}

fn corrupt(offset: usize, what: String, expected: &str, found: String) -> GgufError {
    GgufError::Corrupt { what, offset, expected: expected.to_owned(), found }
}

/// A place in the file, moved forward by reading.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn left(&self) -> u64 {
        self.bytes.len().saturating_sub(self.at) as u64
    }

    fn take(&mut self, count: u64, what: &str) -> Result<&'a [u8], GgufError> {
        let end = usize::try_from(count).ok().and_then(|count| self.at.checked_add(count));
        match end.and_then(|end| self.bytes.get(self.at..end).map(|taken| (end, taken))) {
            Some((end, taken)) => {
                self.at = end;
                Ok(taken)
            }
            None => Err(self.truncated(what, count)),
        }
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], GgufError> {
        let at = self.at;
        let taken = self.take(N as u64, what)?;
        // Cannot fail: `take` returned exactly N bytes.
        taken.try_into().map_err(|_| corrupt(at, what.to_owned(), "bytes", String::new()))
    }

    fn u32(&mut self, what: &str) -> Result<u32, GgufError> {
        self.array(what).map(u32::from_le_bytes)
    }

    fn u64(&mut self, what: &str) -> Result<u64, GgufError> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A number of things that take at least `least` bytes each.
    fn count(&mut self, what: &str, least: u64) -> Result<u64, GgufError> {
        let count = self.u64(what)?;
        self.check_count(what, count, least)?;
        Ok(count)
    }

    fn check_count(&self, what: &str, count: u64, least: u64) -> Result<(), GgufError> {
        let needed = count.saturating_mul(least);
        if needed <= self.left() { Ok(()) } else { Err(self.truncated(&format!("{what} ({count})"), needed)) }
    }

    /// A length and that many bytes of UTF-8.
    fn text(&mut self, what: &str, limit: u64) -> Result<&'a str, GgufError> {
        let at = self.at;
        let length = self.u64(what)?;
        if length > limit {
            let expected = format!("at most {limit} bytes");
            return Err(corrupt(at, what.to_owned(), &expected, format!("{length} bytes")));
        }
        let raw = self.take(length, what)?;
        std::str::from_utf8(raw).map_err(|error| {
            corrupt(
                at,
                what.to_owned(),
                "UTF-8",
                format!("an invalid sequence after {} bytes", error.valid_up_to()),
            )
        })
    }

    fn truncated(&self, what: &str, needed: u64) -> GgufError {
        GgufError::Truncated { what: what.to_owned(), offset: self.at, needed, available: self.left() }
    }
}
