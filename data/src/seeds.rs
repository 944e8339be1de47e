//! Random numbers by coordinates: what is drawn depends on the names and numbers in its key alone, never on what was
//! drawn before. ChaCha8 keyed with SHA-256 is the same on every machine.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

/// The generator whose key is the hash of `parts`; parts are told apart by their lengths.
pub(crate) fn keyed_rng(parts: &[&[u8]]) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(digest(parts))
}

/// A hash of `parts` as a number.
pub(crate) fn keyed_hash(parts: &[&[u8]]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = digest(parts);
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// A number below `end` (at least 1), each as likely as the others.
pub(crate) fn below(rng: &mut ChaCha8Rng, end: u64) -> u64 {
    let end = end.max(1);
    // The draws above the largest multiple of `end` would favour small remainders.
    let fair = u64::MAX - u64::MAX % end;
    loop {
        let draw = rng.next_u64();
        if draw < fair {
            return draw % end;
        }
    }
}

/// A number from `low` to `high`, both included.
pub(crate) fn between(rng: &mut ChaCha8Rng, low: u64, high: u64) -> u64 {
    low + below(rng, high.saturating_sub(low).saturating_add(1))
}

/// One of `items`.
///
/// # Panics
/// Where there are none: callers draw from tables that are part of the code.
pub(crate) fn pick<'a, T>(rng: &mut ChaCha8Rng, items: &'a [T]) -> &'a T {
    &items[below(rng, items.len() as u64) as usize]
}

/// The numbers below `len` in random order.
pub(crate) fn permutation(rng: &mut ChaCha8Rng, len: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    for end in (2..=len).rev() {
        order.swap(end - 1, below(rng, end as u64) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_key_decides_and_its_parts_are_told_apart() {
        let first = |parts: &[&[u8]]| keyed_rng(parts).next_u64();
        assert_eq!(first(&[b"ab", b"c"]), first(&[b"ab", b"c"]));
        let keys: [&[&[u8]]; 4] = [&[b"ab", b"c"], &[b"a", b"bc"], &[b"abc"], &[b"abc", b""]];
        let draws: HashSet<u64> = keys.iter().map(|parts| first(parts)).collect();
        assert_eq!(draws.len(), keys.len());
    }

    #[test]
    fn draws_are_in_range_and_even() {
        let mut rng = keyed_rng(&[b"range"]);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[below(&mut rng, 7) as usize] += 1;
        }
        // Each is 10,000 give or take 93 (one standard deviation); five of them never happen by chance.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 465), "{counts:?}");
        assert!((0..1000).map(|_| between(&mut rng, 5, 6)).all(|draw| draw == 5 || draw == 6));
    }

    #[test]
    fn a_permutation_holds_every_number_once() {
        let mut order = permutation(&mut keyed_rng(&[b"permutation"]), 100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
