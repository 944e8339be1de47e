//! Whatever the bytes, the import returns: an error, and nothing left behind, or a whole folder.

use proptest::prelude::*;

use super::testfile::{gemma3, llama};
use crate::gguf::import_bytes;

/// Imports bytes into a fresh folder; checks that a failure leaves nothing, not even a staging folder.
fn import_anything(bytes: &[u8]) -> bool {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("model");
    let result = import_bytes(bytes, &out, None, u64::MAX);
    let left: Vec<_> =
        std::fs::read_dir(parent.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    match &result {
        Ok(_) => assert_eq!(left, ["model"]),
        Err(error) => {
            assert!(left.is_empty(), "left behind: {left:?}");
            assert!(!error.to_string().is_empty());
        }
    }
    result.is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(!import_anything(&bytes));
    }

    #[test]
    fn arbitrary_bytes_after_a_header_never_panic(
        version in 2u32..4,
        tensors in 0u64..4,
        entries in 0u64..4,
        rest in prop::collection::vec(prop_oneof![Just(0u8), 0u8..16, any::<u8>()], 0..512),
    ) {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(version.to_le_bytes());
        bytes.extend(tensors.to_le_bytes());
        bytes.extend(entries.to_le_bytes());
        bytes.extend(rest);
        prop_assert!(!import_anything(&bytes));
    }

    #[test]
    fn truncated_files_are_errors(gemma in any::<bool>(), at in any::<prop::sample::Index>()) {
        let bytes = if gemma { gemma3().bytes() } else { llama().bytes() };
        prop_assert!(!import_anything(&bytes[..at.index(bytes.len())]));
    }

    #[test]
    fn changed_bytes_never_panic(
        gemma in any::<bool>(),
        // Most of the interest is in the metadata and the table, which come first.
        changes in prop::collection::vec((0usize..24_000, any::<u8>()), 1..4),
    ) {
        let mut bytes = if gemma { gemma3().bytes() } else { llama().bytes() };
        for (at, value) in changes {
            bytes[at] = value;
        }
        import_anything(&bytes);
    }
}

#[test]
fn the_unchanged_files_are_imported() {
    assert!(import_anything(&llama().bytes()));
    assert!(import_anything(&gemma3().bytes()));
}
