//! Bytes of any content are refused or read within the limits; they never panic and never take long.

use proptest::prelude::*;

use super::super::testing::{sample, sample_parts};
use super::super::{Limits, WordSize};
use super::{WORD_SIZES, read_all};

const TIGHT: Limits = Limits { max_bytes: 1 << 16, max_objects: 2000 };

/// Reads all of a file, right or wrong. The terms must stay within what was charged for.
fn survive(file: Vec<u8>) {
    survive_parts(vec![file]);
}

fn survive_parts(parts: Vec<Vec<u8>>) {
    if let Ok((terms, _)) = read_all(parts, TIGHT) {
        // The arena has a few nodes of its own.
        assert!(terms.num_nodes() as u64 <= TIGHT.max_objects + 16);
    }
}

#[test]
fn files_cut_short_at_any_byte_are_refused() {
    for word_size in WORD_SIZES {
        let whole = sample(word_size);
        assert!(read_all(vec![whole.clone()], TIGHT).is_ok());
        for len in 0..whole.len() - 8 {
            assert!(read_all(vec![whole[..len].to_vec()], TIGHT).is_err(), "cut to {len} bytes");
        }
    }
}

#[test]
fn any_single_bit_may_be_wrong() {
    for word_size in WORD_SIZES {
        let whole = sample(word_size);
        for byte in 0..whole.len() {
            for bit in 0..8 {
                let mut file = whole.clone();
                file[byte] ^= 1 << bit;
                survive(file);
            }
        }
    }
}

#[test]
fn any_single_bit_of_two_parts_may_be_wrong() {
    for word_size in WORD_SIZES {
        let whole = sample_parts(word_size);
        for part in 0..2 {
            for bit in 0..8 * whole[part].len() {
                let mut parts = whole.to_vec();
                parts[part][bit / 8] ^= 1 << (bit % 8);
                survive_parts(parts);
            }
        }
    }
}

fn word_size() -> impl Strategy<Value = WordSize> {
    prop_oneof![Just(WordSize::Four), Just(WordSize::Eight)]
}

proptest! {
    #[test]
    fn random_bytes_are_no_module(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(read_all(vec![bytes], TIGHT).is_err());
    }

    #[test]
    fn random_bytes_after_a_right_header(
        word_size in word_size(),
        bytes in proptest::collection::vec(any::<u8>(), 0..2000),
        root in 96_u64..2000,
    ) {
        let mut file = sample(word_size);
        let start = 80 + 2 * word_size.bytes();
        file.truncate(start);
        file.extend_from_slice(&bytes);
        let at = 80 + word_size.bytes();
        let pointer = (0x5550_0000 + root).to_le_bytes();
        file[at..start].copy_from_slice(&pointer[..word_size.bytes()]);
        survive(file);
    }

    #[test]
    fn several_bytes_may_be_wrong(
        word_size in word_size(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut file = sample(word_size);
        for (place, byte) in changes {
            let place = place.index(file.len());
            file[place] = byte;
        }
        survive(file);
    }

    #[test]
    fn words_may_be_swapped(
        word_size in word_size(),
        swaps in proptest::collection::vec(any::<(proptest::sample::Index, proptest::sample::Index)>(), 1..10),
    ) {
        // Swapped pointers lead to real objects that do not belong there, and make cycles.
        let mut file = sample(word_size);
        let (start, word) = (80 + 2 * word_size.bytes(), word_size.bytes());
        let count = (file.len() - start) / word;
        for (a, b) in swaps {
            let (a, b) = (start + a.index(count) * word, start + b.index(count) * word);
            for byte in 0..word {
                file.swap(a + byte, b + byte);
            }
        }
        survive(file);
    }
}
