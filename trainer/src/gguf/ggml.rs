//! The storage types of ggml tensors: their numbers in the file, names, block sizes, and the way back to `f32`.
//!
//! A quantised row is a sequence of blocks; a block holds a fixed number of values with their common scales.

use half::{bf16, f16};

use super::kquants;

/// A storage type that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GgmlType {
    F32,
    F16,
    Bf16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2K,
    Q3K,
    Q4K,
    Q5K,
    Q6K,
}

/// Every readable type with its number in the file, its name, values in a block and bytes in a block.
const TYPES: [(GgmlType, u32, &str, usize, usize); 13] = [
    (GgmlType::F32, 0, "F32", 1, 4),
    (GgmlType::F16, 1, "F16", 1, 2),
    (GgmlType::Bf16, 30, "BF16", 1, 2),
    (GgmlType::Q4_0, 2, "Q4_0", 32, 2 + 16),
    (GgmlType::Q4_1, 3, "Q4_1", 32, 2 + 2 + 16),
    (GgmlType::Q5_0, 6, "Q5_0", 32, 2 + 4 + 16),
    (GgmlType::Q5_1, 7, "Q5_1", 32, 2 + 2 + 4 + 16),
    (GgmlType::Q8_0, 8, "Q8_0", 32, 2 + 32),
    (GgmlType::Q2K, 10, "Q2_K", 256, 16 + 64 + 2 + 2),
    (GgmlType::Q3K, 11, "Q3_K", 256, 32 + 64 + 12 + 2),
    (GgmlType::Q4K, 12, "Q4_K", 256, 2 + 2 + 12 + 128),
    (GgmlType::Q5K, 13, "Q5_K", 256, 2 + 2 + 12 + 32 + 128),
    (GgmlType::Q6K, 14, "Q6_K", 256, 128 + 64 + 16 + 2),
];

/// Names of types that are not read, so that an error can name them.
const OTHERS: [(u32, &str); 20] = [
    (9, "Q8_1"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (29, "IQ1_M"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (39, "MXFP4"),
    (40, "NVFP4"),
];

impl GgmlType {
    /// The type of a number in the file; the error is the name of a type that is not read.
    pub(super) fn from_id(id: u32) -> Result<Self, String> {
        if let Some((kind, ..)) = TYPES.iter().find(|entry| entry.1 == id) {
            return Ok(*kind);
        }
        let name = OTHERS.iter().find(|(other, _)| *other == id).map(|(_, name)| (*name).to_owned());
        Err(name.unwrap_or_else(|| format!("ggml type {id}")))
    }

    /// The names of all readable types, for error messages.
    pub(super) fn supported_names() -> String {
        TYPES.map(|(_, _, name, ..)| name).join(", ")
    }

    /// ggml's name.
    pub(super) fn name(self) -> &'static str {
        self.entry().2
    }

    /// Values and bytes in a block; 1 and the value's size where nothing is quantised.
    pub(super) fn block(self) -> (usize, usize) {
        let (.., values, bytes) = self.entry();
        (*values, *bytes)
    }

    /// Whether values are integers times a scale that a block shares.
    pub(super) fn is_quantised(self) -> bool {
        self.block().0 > 1
    }

    fn entry(self) -> &'static (Self, u32, &'static str, usize, usize) {
        // `TYPES` lists every variant, so the fallback is never taken; a test walks the variants.
        TYPES.iter().find(|entry| entry.0 == self).unwrap_or(&TYPES[0])
    }

    /// Dequantises whole blocks: `values` holds as many values as `blocks` has blocks for. A shorter slice on either
    /// side ends the work early; callers pass matching ones.
    pub(super) fn dequantise(self, blocks: &[u8], values: &mut [f32]) {
        match self {
            Self::F32 => each::<4, 1>(blocks, values, |b, y| y[0] = f32::from_le_bytes(*b)),
            Self::F16 => each::<2, 1>(blocks, values, |b, y| y[0] = f16::from_le_bytes(*b).to_f32()),
            Self::Bf16 => each::<2, 1>(blocks, values, |b, y| y[0] = bf16::from_le_bytes(*b).to_f32()),
            Self::Q4_0 => each(blocks, values, q4_0),
            Self::Q4_1 => each(blocks, values, q4_1),
            Self::Q5_0 => each(blocks, values, q5_0),
            Self::Q5_1 => each(blocks, values, q5_1),
            Self::Q8_0 => each(blocks, values, q8_0),
            Self::Q2K => each(blocks, values, kquants::q2_k),
            Self::Q3K => each(blocks, values, kquants::q3_k),
            Self::Q4K => each(blocks, values, kquants::q4_k),
            Self::Q5K => each(blocks, values, kquants::q5_k),
            Self::Q6K => each(blocks, values, kquants::q6_k),
        }
    }
}

/// Applies a block's dequantiser to each block.
fn each<const BYTES: usize, const VALUES: usize>(
    blocks: &[u8],
    values: &mut [f32],
    dequantise: impl Fn(&[u8; BYTES], &mut [f32; VALUES]),
) {
    for (block, out) in blocks.as_chunks().0.iter().zip(values.as_chunks_mut().0) {
        dequantise(block, out);
    }
}

/// The half-precision number at a place in a block.
pub(super) fn half_at(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// Scale d, then 16 bytes: value j in the low half of byte j, value j + 16 in its high half; `(q − 8)·d`.
fn q4_0(block: &[u8; 18], values: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for j in 0..16 {
        let byte = block[2 + j];
        values[j] = (f32::from(byte & 0x0f) - 8.0) * d;
        values[j + 16] = (f32::from(byte >> 4) - 8.0) * d;
    }
}

/// Scale d and minimum m, then 16 bytes as in [`q4_0`]; `q·d + m`.
fn q4_1(block: &[u8; 20], values: &mut [f32; 32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    for j in 0..16 {
        let byte = block[4 + j];
        values[j] = f32::from(byte & 0x0f) * d + m;
        values[j + 16] = f32::from(byte >> 4) * d + m;
    }
}

/// The fifth bits of a block of 32: bit j belongs to value j.
fn fifth_bit(block: &[u8], at: usize, value: usize) -> u8 {
    ((block[at + value / 8] >> (value % 8)) & 1) << 4
}

/// Scale d, 32 fifth bits, 16 bytes of low halves; `(q − 16)·d`.
fn q5_0(block: &[u8; 22], values: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for j in 0..16 {
        let byte = block[6 + j];
        values[j] = (f32::from(byte & 0x0f | fifth_bit(block, 2, j)) - 16.0) * d;
        values[j + 16] = (f32::from(byte >> 4 | fifth_bit(block, 2, j + 16)) - 16.0) * d;
    }
}

/// Scale d and minimum m, 32 fifth bits, 16 bytes of low halves; `q·d + m`.
fn q5_1(block: &[u8; 24], values: &mut [f32; 32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    for j in 0..16 {
        let byte = block[8 + j];
        values[j] = f32::from(byte & 0x0f | fifth_bit(block, 4, j)) * d + m;
        values[j + 16] = f32::from(byte >> 4 | fifth_bit(block, 4, j + 16)) * d + m;
    }
}

/// Scale d, then 32 signed bytes; `q·d`.
fn q8_0(block: &[u8; 34], values: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for (value, &byte) in values.iter_mut().zip(&block[2..]) {
        *value = f32::from(byte as i8) * d;
    }
}
