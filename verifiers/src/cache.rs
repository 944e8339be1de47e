//! Verdicts that were given, by a hash of everything that they depend on, so that a verifier that costs something is
//! asked once for each request and gives equal verdicts to equal requests. What is undecided is never kept.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::verdict::Verdict;

/// Verdicts in one generation; at most two generations are held.
const GENERATION: usize = 16_384;
/// Bytes of text of a verdict that is kept: what bounds the memory, with the number of verdicts.
const MOST_TEXT_BYTES: usize = 4096;

/// A hash of texts, of which each counts with its length, so that no two lists of texts look alike.
#[derive(Clone, Default)]
pub(crate) struct Key(Sha256);

impl Key {
    /// The same with one more text.
    pub(crate) fn with(mut self, text: &str) -> Self {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
        self
    }

    fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// A bounded number of verdicts; those that were asked for longest ago go first, roughly.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Generations>);

/// When the young generation is full it becomes the old one, and what was old is forgotten.
#[derive(Default)]
struct Generations {
    young: HashMap<[u8; 32], Verdict>,
    old: HashMap<[u8; 32], Verdict>,
}

impl Generations {
    fn get(&mut self, key: &[u8; 32]) -> Option<Verdict> {
        if let Some(verdict) = self.young.get(key) {
            return Some(verdict.clone());
        }
        let verdict = self.old.remove(key)?;
        self.put(*key, verdict.clone());
        Some(verdict)
    }

    fn put(&mut self, key: [u8; 32], verdict: Verdict) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, verdict);
    }
}

impl Cache {
    /// The verdict of that key, or what `judge` says. Two threads may ask at once: both get what the first one says.
    pub(crate) fn verdict(&self, key: Key, judge: impl FnOnce() -> Verdict) -> Verdict {
        let key = key.finish();
        if let Some(known) = self.generations().get(&key) {
            return known;
        }
        let verdict = judge();
        let text_bytes = verdict.reason().len() + verdict.extracted().map_or(0, str::len);
        if verdict.score().is_none() || text_bytes > MOST_TEXT_BYTES {
            return verdict;
        }
        let mut generations = self.generations();
        if let Some(first) = generations.get(&key) {
            return first;
        }
        generations.put(key, verdict.clone());
        verdict
    }

    /// The verdicts. A panic while they are locked leaves whole verdicts.
    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::CauseKind;

    fn key(text: &str) -> Key {
        Key::default().with(text)
    }

    #[test]
    fn texts_count_with_their_lengths() {
        assert_ne!(key("ab").with("c").finish(), key("a").with("bc").finish());
        assert_ne!(key("a").finish(), key("a").with("").finish());
        assert_eq!(key("a").with("b").finish(), key("a").with("b").finish());
    }

    #[test]
    fn a_verdict_is_asked_for_once_and_an_undecided_one_again() {
        let cache = Cache::default();
        let mut asked = 0;
        for _ in 0..3 {
            let verdict = cache.verdict(key("undecided"), || {
                asked += 1;
                Verdict::undecided(CauseKind::Timeout, "")
            });
            assert_eq!(verdict.kind_name(), "timeout");
        }
        assert_eq!(asked, 3);
        assert_eq!(cache.verdict(key("a"), || Verdict::right("first", None)).reason(), "first");
        let again = cache.verdict(key("a"), || panic!("this verdict is known"));
        assert_eq!(again, Verdict::right("first", None));
        assert_eq!(cache.verdict(key("b"), || Verdict::wrong("other", None)).reason(), "other");
    }

    #[test]
    fn two_who_ask_at_once_get_the_verdict_of_the_first() {
        let cache = Cache::default();
        let slow = cache.verdict(key("a"), || {
            cache.verdict(key("a"), || Verdict::right("fast", None));
            Verdict::wrong("slow", None)
        });
        assert_eq!(slow.reason(), "fast");
    }

    #[test]
    fn it_holds_a_bounded_number_and_keeps_what_is_asked_for() {
        let cache = Cache::default();
        let mut asked = 0;
        for i in 0..5 * GENERATION {
            cache.verdict(key(&i.to_string()), || Verdict::right("", None));
            if i % 1000 == 0 {
                cache.verdict(key("often"), || {
                    asked += 1;
                    Verdict::right("", None)
                });
            }
        }
        let generations = cache.generations();
        assert!(generations.young.len() + generations.old.len() <= 2 * GENERATION);
        assert_eq!(asked, 1);
    }

    #[test]
    fn long_verdicts_are_not_kept() {
        let cache = Cache::default();
        let long = "x".repeat(MOST_TEXT_BYTES + 1);
        for _ in 0..2 {
            assert_eq!(cache.verdict(key("a"), || Verdict::right(&long, None)).reason(), long);
        }
        assert!(cache.generations().young.is_empty());
    }
}
