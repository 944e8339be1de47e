//! Dequantisation against the formats' definitions: values worked out by hand, and one block of each type against the
//! results of the `gguf` Python package.

use half::f16;

use crate::gguf::ggml::GgmlType;

fn dequantise(kind: GgmlType, block: &[u8]) -> Vec<f32> {
    let (block_len, block_bytes) = kind.block();
    assert_eq!(block.len() % block_bytes, 0, "whole blocks");
    let mut values = vec![f32::NAN; block.len() / block_bytes * block_len];
    kind.dequantise(block, &mut values);
    values
}

fn half(value: f32) -> [u8; 2] {
    f16::from_f32(value).to_le_bytes()
}

const ALL: [GgmlType; 13] = [
    GgmlType::F32,
    GgmlType::F16,
    GgmlType::Bf16,
    GgmlType::Q4_0,
    GgmlType::Q4_1,
    GgmlType::Q5_0,
    GgmlType::Q5_1,
    GgmlType::Q8_0,
    GgmlType::Q2K,
    GgmlType::Q3K,
    GgmlType::Q4K,
    GgmlType::Q5K,
    GgmlType::Q6K,
];

#[test]
fn every_type_has_its_own_entry_and_fills_its_block() {
    for kind in ALL {
        let (block_len, block_bytes) = kind.block();
        let values = dequantise(kind, &vec![0; block_bytes]);
        assert_eq!(values.len(), block_len);
        assert!(values.iter().all(|&value| value == 0.0), "{}: all bits zero is zero", kind.name());
    }
    let names: std::collections::HashSet<&str> = ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names.len(), ALL.len());
    // The numbers are the format's.
    let numbered = [(0, "F32"), (1, "F16"), (2, "Q4_0"), (3, "Q4_1"), (6, "Q5_0"), (7, "Q5_1"), (8, "Q8_0")];
    for (id, name) in numbered.into_iter().chain([(10, "Q2_K"), (12, "Q4_K"), (14, "Q6_K"), (30, "BF16")]) {
        assert_eq!(GgmlType::from_id(id).unwrap().name(), name);
    }
    assert_eq!(GgmlType::from_id(20).unwrap_err(), "IQ4_NL");
    assert_eq!(GgmlType::from_id(4).unwrap_err(), "ggml type 4");
}

#[test]
fn floats_are_read_as_they_are() {
    assert_eq!(dequantise(GgmlType::F32, &[0, 0, 0x20, 0xc0, 0, 0, 0x80, 0x3f]), [-2.5, 1.0]);
    assert_eq!(dequantise(GgmlType::F16, &[0x00, 0x3c, 0x00, 0xc1]), [1.0, -2.5]);
    assert_eq!(dequantise(GgmlType::Bf16, &[0x80, 0x3f, 0x20, 0xc0]), [1.0, -2.5]);
}

#[test]
fn q4_0_by_hand() {
    // d = 0.5; byte 0 is low 3, high 15; byte 15 is low 8, high 0; the others low and high 8, which is zero.
    let mut block = [0x88u8; 18];
    block[..2].copy_from_slice(&half(0.5));
    (block[2], block[17]) = (0xf3, 0x08);
    let values = dequantise(GgmlType::Q4_0, &block);
    assert_eq!((values[0], values[16]), (-2.5, 3.5));
    assert_eq!((values[15], values[31]), (0.0, -4.0));
    assert_eq!(values[1..15], [0.0; 14]);
}

#[test]
fn q4_1_by_hand() {
    // d = 0.5, m = −3; byte 2 is low 7, high 12.
    let mut block = [0u8; 20];
    block[..2].copy_from_slice(&half(0.5));
    block[2..4].copy_from_slice(&half(-3.0));
    block[6] = 0xc7;
    let values = dequantise(GgmlType::Q4_1, &block);
    assert_eq!((values[2], values[18], values[3]), (0.5, 3.0, -3.0));
}

#[test]
fn q5_by_hand() {
    // Fifth bits of values 1 and 17 set: bit 1 of byte 0, bit 1 of byte 2. Byte 1 is low 2, high 9.
    let mut block = [0u8; 22];
    block[..2].copy_from_slice(&half(2.0));
    (block[2], block[4], block[7]) = (0b10, 0b10, 0x92);
    let values = dequantise(GgmlType::Q5_0, &block);
    assert_eq!((values[1], values[17], values[0]), (4.0, 18.0, -32.0));

    let mut block = [0u8; 24];
    block[..2].copy_from_slice(&half(2.0));
    block[2..4].copy_from_slice(&half(1.0));
    (block[4], block[6], block[9]) = (0b10, 0b10, 0x92);
    let values = dequantise(GgmlType::Q5_1, &block);
    assert_eq!((values[1], values[17], values[0]), (37.0, 51.0, 1.0));
}

#[test]
fn q8_0_by_hand() {
    let mut block = [0u8; 34];
    block[..2].copy_from_slice(&half(0.25));
    (block[2], block[33]) = (0x80, 127);
    let values = dequantise(GgmlType::Q8_0, &block);
    assert_eq!((values[0], values[1], values[31]), (-32.0, 0.0, 31.75));
}

#[test]
fn q4_k_by_hand() {
    // d = 1, dmin = 0.5. Sub-block 5 has scale 37 = 0b10_0101 and minimum 26 = 0b01_1010: low halves in byte 9 of the
    // packed twelve, high pairs on top of bytes 1 and 5. Its q are the high halves of q's bytes 64 to 95.
    let mut block = [0u8; 144];
    block[..2].copy_from_slice(&half(1.0));
    block[2..4].copy_from_slice(&half(0.5));
    (block[4 + 9], block[4 + 1], block[4 + 5]) = (0xa5, 0b1000_0000, 0b0100_0000);
    block[16 + 64 + 3] = 0x90;
    let values = dequantise(GgmlType::Q4K, &block);
    assert_eq!((values[5 * 32 + 3], values[5 * 32 + 4]), (37.0 * 9.0 - 13.0, -13.0));
    assert_eq!(values[..5 * 32], [0.0; 160]);
}

#[test]
fn q6_k_by_hand() {
    // d = 0.5. Value 200 is column 8 of quarter 2 of half 1: low half in the high half of byte 64 + 8, high pair in
    // bits 4 and 5 of byte 128 + 32 + 8, scale 12. q = 0b10_0111 = 39, so 0.5 · −3 · 7.
    let mut block = [0u8; 210];
    block[208..].copy_from_slice(&half(0.5));
    (block[72], block[168], block[192 + 12]) = (0x70, 0b10_0000, (-3i8) as u8);
    let values = dequantise(GgmlType::Q6K, &block);
    assert_eq!(values[200], -10.5);
    assert_eq!(values[201], 0.5 * -3.0 * -32.0);
}

/// A block whose byte i is 7i² + 37i + 11 modulo 256, with scales 0.25 and second scales −1.5 or 1.5 put in; the
/// expected numbers are some values, and the sum of (i + 1)·value, that `gguf.quants.dequantize` gives. All of them are
/// dyadic, so that the sum is exact in f64.
#[test]
fn blocks_agree_with_an_independent_reader() {
    type Case = (GgmlType, &'static [(usize, f32)], f64, &'static [(usize, f32)]);
    let cases: [Case; 10] = [
        (GgmlType::Q4_0, &[(0, 0.25)], 13.25, &[(0, -1.75), (15, -0.25), (31, -0.5)]),
        (GgmlType::Q4_1, &[(0, 0.25), (2, -1.5)], 261.5, &[(0, 2.25), (16, -1.5), (31, 1.0)]),
        (GgmlType::Q5_0, &[(0, 0.25)], 166.75, &[(0, 1.25), (16, 3.5), (31, -3.5)]),
        (GgmlType::Q5_1, &[(0, 0.25), (2, -1.5)], 1441.0, &[(0, 3.25), (15, -0.25), (31, 1.75)]),
        (GgmlType::Q8_0, &[(0, 0.25)], -1632.0, &[(0, 28.25), (16, -31.75), (31, -26.25)]),
        (GgmlType::Q2K, &[(80, 0.25), (82, 1.5)], -290_768.0, &[(0, 8.25), (129, -20.25), (255, -7.5)]),
        (GgmlType::Q3K, &[(108, 0.25)], 7766.0, &[(0, 20.25), (200, 22.5), (163, -1.5)]),
        (GgmlType::Q4K, &[(0, 0.25), (2, 1.5)], 306_740.0, &[(0, -35.25), (163, -19.5), (255, 14.75)]),
        (GgmlType::Q5K, &[(0, 0.25), (2, 1.5)], 2_594_140.0, &[(45, 296.25), (163, 75.0), (255, 0.25)]),
        (GgmlType::Q6K, &[(208, 0.25)], -644_776.0, &[(0, -357.75), (163, -15.75), (255, 643.5)]),
    ];
    for (kind, scales, weighted_sum, samples) in cases {
        let mut block: Vec<u8> =
            (0..kind.block().1).map(|i| ((i * i * 7 + i * 37 + 11) % 256) as u8).collect();
        for &(at, scale) in scales {
            block[at..at + 2].copy_from_slice(&half(scale));
        }
        let values = dequantise(kind, &block);
        for &(index, expected) in samples {
            assert_eq!(values[index], expected, "{} at {index}", kind.name());
        }
        let sum: f64 = values.iter().enumerate().map(|(i, &value)| (i + 1) as f64 * f64::from(value)).sum();
        assert_eq!(sum, weighted_sum, "{}", kind.name());
    }
}
