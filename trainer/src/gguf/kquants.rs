//! Blocks of the K-quants: 256 values in sub-blocks of 16 or 32 whose scales are themselves quantised.
//!
//! All formats walk the values in the order of the block; the layouts differ in which bits of which byte a value's
//! parts lie in, which each function says. Products are taken in the order (super-scale · sub-scale) · q, as ggml
//! does, so that results agree to the last bit.

use super::ggml::half_at;

/// 16 sub-blocks of 16; `q·(d·s) − dmin·m` with 2-bit q, 4-bit s and m.
///
/// Bytes: 16 of scales (s low half, m high half), 64 of q, d, dmin. Values come in two halves of 128 with 32 bytes of
/// q each; within a half, bit pair k of all 32 bytes holds values 32k to 32k + 31.
pub(super) fn q2_k(block: &[u8; 84], values: &mut [f32; 256]) {
    let (d, dmin) = (half_at(block, 80), half_at(block, 82));
    for (i, value) in values.iter_mut().enumerate() {
        let (half, pair, column) = (i / 128, i % 128 / 32, i % 32);
        let q = (block[16 + 32 * half + column] >> (2 * pair)) & 3;
        let scales = block[i / 16];
        *value = (d * f32::from(scales & 0x0f)) * f32::from(q) - dmin * f32::from(scales >> 4);
    }
}

/// 16 sub-blocks of 16; `(q − 4)·d·(s − 32)` with 3-bit q and 6-bit s.
///
/// Bytes: 32 of high bits of q, 64 of low bit pairs (laid out as in [`q2_k`]), 12 of scales, d. The high bit of value
/// i is bit i / 32 of byte i mod 32. Scales 0 to 15 have their low four bits in the halves of the first eight bytes
/// (0 to 7 low, 8 to 15 high) and their high two bits in the last four bytes, byte i mod 4, bit pair i / 4.
pub(super) fn q3_k(block: &[u8; 110], values: &mut [f32; 256]) {
    let d = half_at(block, 108);
    let scales = &block[96..108];
    for (i, value) in values.iter_mut().enumerate() {
        let (half, pair, column) = (i / 128, i % 128 / 32, i % 32);
        let low = (block[32 + 32 * half + column] >> (2 * pair)) & 3;
        let high = (block[column] >> (i / 32)) & 1;
        let q = f32::from(low | high << 2) - 4.0;
        let s = i / 16;
        let scale_low = (scales[s % 8] >> (4 * (s / 8))) & 0x0f;
        let scale_high = (scales[8 + s % 4] >> (2 * (s / 4))) & 3;
        *value = d * (f32::from(scale_low | scale_high << 4) - 32.0) * q;
    }
}

/// The 6-bit scale and minimum of sub-block j of 8, from the 12 bytes that [`q4_k`] and [`q5_k`] share.
///
/// The first four sub-blocks have theirs in the low six bits of bytes j and j + 4; the others have the low four bits
/// in the halves of byte j + 4 and the high two bits on top of bytes j − 4 and j.
fn scale_and_min(packed: &[u8], j: usize) -> (f32, f32) {
    let (scale, min) = if j < 4 {
        (packed[j] & 63, packed[j + 4] & 63)
    } else {
        (packed[j + 4] & 0x0f | (packed[j - 4] >> 6) << 4, packed[j + 4] >> 4 | (packed[j] >> 6) << 4)
    };
    (f32::from(scale), f32::from(min))
}

/// 8 sub-blocks of 32; `q·(d·s) − dmin·m` with 4-bit q.
///
/// Bytes: d, dmin, 12 of scales and minima, 128 of q. Sub-blocks 2k and 2k + 1 are the low and the high halves of the
/// k-th 32 bytes of q.
pub(super) fn q4_k(block: &[u8; 144], values: &mut [f32; 256]) {
    let (d, dmin) = (half_at(block, 0), half_at(block, 2));
    for (j, sub_block) in values.chunks_exact_mut(32).enumerate() {
        let (scale, min) = scale_and_min(&block[4..16], j);
        let (scale, min) = (d * scale, dmin * min);
        for (column, value) in sub_block.iter_mut().enumerate() {
            let q = (block[16 + 32 * (j / 2) + column] >> (4 * (j % 2))) & 0x0f;
            *value = scale * f32::from(q) - min;
        }
    }
}

/// As [`q4_k`] with 5-bit q.
///
/// Bytes: d, dmin, 12 of scales and minima, 32 of fifth bits, 128 of low halves. The fifth bit of a value in sub-block
/// j is bit j of its column's byte.
pub(super) fn q5_k(block: &[u8; 176], values: &mut [f32; 256]) {
    let (d, dmin) = (half_at(block, 0), half_at(block, 2));
    for (j, sub_block) in values.chunks_exact_mut(32).enumerate() {
        let (scale, min) = scale_and_min(&block[4..16], j);
        let (scale, min) = (d * scale, dmin * min);
        for (column, value) in sub_block.iter_mut().enumerate() {
            let low = (block[48 + 32 * (j / 2) + column] >> (4 * (j % 2))) & 0x0f;
            let high = (block[16 + column] >> j) & 1;
            *value = scale * f32::from(low | high << 4) - min;
        }
    }
}

/// 16 sub-blocks of 16; `(q − 32)·(d·s)` with 6-bit q and signed 8-bit s.
///
/// Bytes: 128 of low halves of q, 64 of high bit pairs, 16 of scales, d. Values come in two halves of 128, each with
/// 64 bytes of low halves and 32 of high pairs: the quarter k of a half takes its low half from bytes 32·(k mod 2)
/// onwards, low or high half of the byte by k / 2, and its high pair from bit pair k.
pub(super) fn q6_k(block: &[u8; 210], values: &mut [f32; 256]) {
    let d = half_at(block, 208);
    for (i, value) in values.iter_mut().enumerate() {
        let (half, quarter, column) = (i / 128, i % 128 / 32, i % 32);
        let low = (block[64 * half + 32 * (quarter % 2) + column] >> (4 * (quarter / 2))) & 0x0f;
        let high = (block[128 + 32 * half + column] >> (2 * quarter)) & 3;
        let scale = f32::from(block[192 + i / 16] as i8);
        *value = d * scale * (f32::from(low | high << 4) - 32.0);
    }
}
