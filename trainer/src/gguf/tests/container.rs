//! The container's parser: what it accepts, and that each defect is named with its place.

use super::testfile::{TestFile, llama};
use crate::gguf::container::Container;

fn error_of(bytes: &[u8]) -> String {
    Container::parse(bytes).unwrap_err().to_string()
}

/// Header of version 3 with one metadata entry `k` of a value type, then raw bytes.
fn with_value(value_type: u32, rest: &[u8]) -> Vec<u8> {
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend(0u64.to_le_bytes());
    bytes.extend(1u64.to_le_bytes());
    bytes.extend(1u64.to_le_bytes());
    bytes.push(b'k');
    bytes.extend(value_type.to_le_bytes());
    bytes.extend(rest);
    bytes
}

#[test]
fn values_and_tensors_are_read_back() {
    let file = TestFile::default()
        .u32("a", 7)
        .f32("b", 1e-5)
        .bool("c", true)
        .text("d", "té")
        .texts("e", &["x", ""])
        .i32s("f", &[-1, 2])
        .f32s("g", &[0.5])
        .raw("h", 1, &[0xff])
        .raw("i", 11, &(-5i64).to_le_bytes())
        .raw("j", 12, &2.5f64.to_le_bytes())
        .tensor_f32("t", &[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
        .tensor("u", &[1, 32], 8, vec![0; 34]);
    let bytes = file.bytes();
    let parsed = Container::parse(&bytes).unwrap();
    let metadata = &parsed.metadata;
    assert_eq!(metadata.u32("a").unwrap(), Some(7));
    assert_eq!(metadata.float("b").unwrap(), Some(1e-5), "the decimal that was meant, not f32's neighbour");
    assert_eq!(metadata.bool("c").unwrap(), Some(true));
    assert_eq!(metadata.text("d").unwrap(), Some("té"));
    assert_eq!(metadata.texts("e").unwrap(), Some(&["x", ""][..]));
    assert_eq!(metadata.i32s("f").unwrap(), Some(vec![-1, 2]));
    assert_eq!(metadata.f32s("g").unwrap(), Some(vec![0.5]));
    assert!(metadata.u32("h").unwrap_err().to_string().contains("the integer -1"));
    assert!(metadata.u32("i").unwrap_err().to_string().contains("the integer -5"));
    assert_eq!(metadata.float("j").unwrap(), Some(2.5));
    assert_eq!(metadata.u32("none").unwrap(), None);
    assert!(
        metadata.text("a").unwrap_err().to_string().contains("`a`: expected a string, found the integer 7")
    );
    let tensor = parsed.tensor("t").unwrap();
    assert_eq!(tensor.shape, [2, 3]);
    assert_eq!(tensor.data[4..8], 1f32.to_le_bytes());
    assert_eq!(parsed.tensor("u").unwrap().data.len(), 34);
}

#[test]
fn headers_of_other_formats_are_refused() {
    assert!(error_of(b"PK\x03\x04 not a model").contains("GGUF"));
    assert!(error_of(b"GG").contains("too early"));
    assert!(error_of(b"GGUF\x01\0\0\0\0\0\0\0\0\0\0\0").contains("version 1"));
    assert!(error_of(b"GGUF\x04\0\0\0\0\0\0\0\0\0\0\0").contains("version 4"));
    assert!(error_of(b"GGUF\0\0\0\x03\0\0\0\0\0\0\0\0").contains("big-endian"));
}

#[test]
fn absurd_counts_are_refused_before_anything_is_allocated() {
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend(u64::MAX.to_le_bytes());
    bytes.extend(0u64.to_le_bytes());
    assert!(error_of(&bytes).contains("the number of tensors (18446744073709551615) at byte 16"));
    let mut bytes = b"GGUF\x03\0\0\0".to_vec();
    bytes.extend(0u64.to_le_bytes());
    bytes.extend((1u64 << 60).to_le_bytes());
    assert!(error_of(&bytes).contains("the number of metadata entries"));
    // Arrays of strings and of integers, and a string.
    let huge = (1u64 << 62).to_le_bytes();
    assert!(
        error_of(&with_value(9, &[&8u32.to_le_bytes()[..], &huge].concat())).contains("the length of `k`")
    );
    assert!(
        error_of(&with_value(9, &[&10u32.to_le_bytes()[..], &huge].concat())).contains("the length of `k`")
    );
    assert!(error_of(&with_value(8, &huge)).contains("the value of `k`"));
}

#[test]
fn bad_values_are_named() {
    assert!(
        error_of(&with_value(13, &[0; 8]))
            .contains("the value type of `k` at byte 33: expected 0 to 12, found 13")
    );
    assert!(error_of(&with_value(7, &[2])).contains("0 or 1 for a boolean"));
    assert!(
        error_of(&with_value(9, &[&9u32.to_le_bytes()[..], &[0; 16]].concat()))
            .contains("the element type of `k`")
    );
    let not_utf8 = [&2u64.to_le_bytes()[..], &[b'a', 0xff]].concat();
    assert!(error_of(&with_value(8, &not_utf8)).contains("UTF-8"));
    let mut twice = with_value(7, &[1]);
    twice[16] = 2;
    twice.extend(1u64.to_le_bytes());
    twice.extend(b"k\x07\0\0\0\0");
    assert!(error_of(&twice).contains("`k` again"));
    let alignment = TestFile::default().u32("general.alignment", 24);
    assert!(error_of(&alignment.bytes()).contains("general.alignment"));
}

#[test]
fn bad_tensors_are_named() {
    let one = |shape: &[usize], ggml_type: u32, bytes: usize| {
        TestFile::default().tensor("w", shape, ggml_type, vec![0; bytes]).bytes()
    };
    assert!(error_of(&one(&[2, 2, 2, 2, 2], 0, 128)).contains("the number of dimensions of tensor `w`"));
    assert!(error_of(&one(&[4, 0], 0, 0)).contains("the dimensions of tensor `w`"));
    assert!(error_of(&one(&[1, 33], 8, 34)).contains("the row length of tensor `w`"));
    assert!(error_of(&one(&[4, 4], 0, 60)).contains("tensor `w` (F32 [4, 4])"));
    assert!(error_of(&one(&[usize::MAX, usize::MAX], 0, 0)).contains("2^64"));
    let unreadable = error_of(&one(&[1, 256], 23, 136));
    assert!(unreadable.contains("`w` is stored as IQ4_XS") && unreadable.contains("Q4_1"), "{unreadable}");
    assert!(error_of(&one(&[1, 256], 4, 136)).contains("ggml type 4"));

    let two = TestFile::default().tensor_f32("w", &[8], &[0.0; 8]).tensor_f32("x", &[8], &[0.0; 8]).bytes();
    // The second tensor's offset is the last field of the table.
    let table_end = two.windows(8).rposition(|window| window == 32u64.to_le_bytes()).unwrap();
    let mut misaligned = two.clone();
    misaligned[table_end] = 16;
    assert!(error_of(&misaligned).contains("the offset of tensor `x`"));
    let mut overlapping = two.clone();
    overlapping[table_end] = 0;
    let error = error_of(&overlapping);
    assert!(error.contains("bytes shared with"), "{error}");
    let mut far = two;
    far[table_end + 7] = 0xff;
    assert!(error_of(&far).contains("too early"));
}

#[test]
fn other_alignments_are_followed() {
    // Alignment 64, where the tensors of the test writer lie at multiples of 32: one tensor, padded by hand.
    let file = TestFile::default().u32("general.alignment", 64).tensor_f32("w", &[1], &[3.0]);
    let plain = file.bytes();
    let table_end = plain.len() - 4;
    let header = table_end.next_multiple_of(64);
    let mut bytes = plain[..table_end].to_vec();
    bytes.resize(header, 0);
    bytes.extend(3f32.to_le_bytes());
    let parsed = Container::parse(&bytes).unwrap();
    assert_eq!(parsed.tensor("w").unwrap().data, 3f32.to_le_bytes());
}

#[test]
fn every_truncation_of_a_valid_file_is_an_error() {
    let bytes = llama().bytes();
    // Every length of the header, then some of the data.
    let lengths = (0..4096).chain((4096..bytes.len()).step_by(997));
    for length in lengths {
        assert!(Container::parse(&bytes[..length]).is_err(), "{length} of {} bytes", bytes.len());
    }
    assert!(Container::parse(&bytes).is_ok());
}
