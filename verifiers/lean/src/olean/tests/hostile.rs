//! Bytes of any content are refused or read within the limits; they never panic and never take long.

use proptest::prelude::*;

use super::super::testing::{Builder, Field, sample, sample_parts, scalar};
use super::super::{Limits, Problem, WordSize};
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

/// A module with an axiom of each of these names, each of which is what comes after the one before.
fn chain(components: &[&str]) -> Vec<u8> {
    let mut b = Builder::new(WordSize::Eight);
    let prop = b.prop();
    let mut prefix = scalar(0);
    let (mut names, mut infos): (Vec<Field>, Vec<Field>) = (Vec::new(), Vec::new());
    for component in components {
        let text = b.text(component);
        prefix = b.ctor(1, &[prefix, text], &[0; 8]);
        let common = b.ctor(0, &[prefix, scalar(0), prop], &[]);
        let value = b.ctor(0, &[common], &[0]);
        names.push(prefix);
        infos.push(b.ctor(0, &[value], &[]));
    }
    let lists = [&[], &names[..], &infos[..], &[], &[]].map(|list| b.array(list));
    let root = b.ctor(0, &lists, &[0]);
    b.finish_at(root)
}

/// Names are walked and shown whole. One may not grow without end by beginning with another.
#[test]
fn names_do_not_grow_from_name_to_name() {
    const LIMITS: Limits = Limits { max_bytes: 1 << 24, max_objects: 1 << 20 };
    assert!(read_all(vec![chain(&["x"; 1024])], LIMITS).is_ok());
    let deep = read_all(vec![chain(&["x"; 1025])], LIMITS).err().unwrap();
    assert_eq!(deep.problem, Problem::TooDeep { what: "name", limit: 1024 });
    let long = "x".repeat(1 << 13);
    let long = long.as_str();
    assert!(read_all(vec![chain(&[long; 8])], LIMITS).is_ok());
    let long = read_all(vec![chain(&[long; 9])], LIMITS).err().unwrap();
    assert!(matches!(long.problem, Problem::TooBig { what: "a name's text", .. }), "{long}");
}

/// Digits take time to read, and far more to show. A huge number is neither shown nor read as often as it is mentioned.
#[test]
fn huge_numbers_are_neither_shown_nor_read_again_and_again() {
    const LIMITS: Limits = Limits { max_bytes: 1 << 26, max_objects: 1 << 20 };
    let mut b = Builder::new(WordSize::Eight);
    let number = b.big(false, &[u32::MAX; 1 << 22]);
    let name = b.ctor(2, &[scalar(0), number], &[]);
    let mention = b.expr(4, &[name, scalar(0)]);
    let axiom = b.axiom("a", mention);
    let refused = read_all(vec![b.finish(&[], &[("a", axiom)], &[], false)], LIMITS).err().unwrap();
    let expected = Problem::TooBig { what: "a name's number", found: format!("one of {} bytes", 1 << 24) };
    assert_eq!(refused.problem, expected);

    let mut b = Builder::new(WordSize::Eight);
    // It is worth nothing, and so it has no digits once it is read.
    let zero = b.big(false, &[0; 1 << 18]);
    let mut sum = b.prop();
    for _ in 0..1000 {
        let literal = b.ctor(0, &[zero], &[]);
        let literal = b.expr(9, &[literal]);
        sum = b.expr(5, &[sum, literal]);
    }
    let axiom = b.axiom("a", sum);
    let refused = read_all(vec![b.finish(&[], &[("a", axiom)], &[], false)], LIMITS).err().unwrap();
    assert_eq!(refused.problem, Problem::Budget { limit: LIMITS.max_objects });
}

/// How many nested types an old module has is counted by recursors, for each of its types anew.
#[test]
fn counting_nested_types_is_charged() {
    const MANY: usize = 300;
    let mut b = Builder::new(WordSize::Eight);
    let (prop, main) = (b.prop(), b.name("T"));
    let all = b.list(&[main]);
    let mut constants = Vec::new();
    for number in 1..=MANY {
        let (recursor, ty) = (format!("T.rec_{number}"), format!("T.{number}"));
        let info = b.axiom(&recursor, prop);
        constants.push((recursor, info));
        let info = b.info(5, &ty, prop, &[scalar(0), scalar(0), all, scalar(0)], &[0, 0, 0, 1]);
        constants.push((ty, info));
    }
    let constants: Vec<(&str, Field)> = constants.iter().map(|(name, info)| (name.as_str(), *info)).collect();
    let file = b.finish(&[], &constants, &[], false);
    let limits = |max_objects| Limits { max_bytes: 1 << 20, max_objects };
    assert!(read_all(vec![file.clone()], limits(200_000)).is_ok());
    let refused = read_all(vec![file], limits((MANY * MANY) as u64)).err().unwrap();
    assert_eq!(refused.problem, Problem::Budget { limit: (MANY * MANY) as u64 });
}

/// A file may say that it was made for address zero, and point to the end of all addresses.
#[test]
fn pointers_to_the_end_of_all_addresses() {
    let mut b = Builder::at(0, WordSize::Eight);
    let prop = b.prop();
    let proof = b.expr(5, &[prop, u64::MAX - 7]);
    let theorem = b.theorem("t", prop, proof);
    let file = b.finish(&[], &[("t", theorem)], &[], false);
    let refused = read_all(vec![file], TIGHT).err().unwrap();
    assert_eq!(refused.problem, Problem::Outside { pointer: u64::MAX - 7 });
}
