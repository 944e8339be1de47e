//! Generated tasks: problems without end, with knobs for their difficulty and splits that share nothing by construction.
//! A generator is one file in `tasks/` and one line in [`generators`].
//!
//! What is made depends on the generator, the seed, the split and the index of the problem, never on how many are asked
//! for: the first hundred of a thousand are the hundred that one gets by asking for a hundred.

mod arithmetic;
mod knobs;
mod word_problems;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{DataError, listed};
use crate::problem::{Origin, Problem};
use crate::seeds::{keyed_hash, keyed_rng, permutation};

/// A generator's settings, as the recipe's `options` has them.
pub type Options = BTreeMap<String, Value>;

/// Makes problems.
pub trait Generator: Sync {
    /// What `builtin:NAME` calls it.
    fn name(&self) -> &'static str;

    /// One line on what it makes.
    fn about(&self) -> &'static str;

    /// Its settings.
    fn knobs(&self) -> &'static [Knob];

    /// Its splits, `train` among them; no problem is in two of them, whatever the seeds.
    fn splits(&self) -> &'static [&'static str];

    /// The first `n` problems of a split under a seed, all different.
    ///
    /// # Errors
    /// An unknown split or knob, a knob's value out of range, or more problems than there are.
    fn generate(
        &self,
        n: usize,
        seed: u64,
        split: &str,
        options: &Options,
    ) -> Result<Vec<Problem>, DataError>;
}

/// A setting of a generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Knob {
    /// Its key in the recipe's `options`.
    pub name: &'static str,
    /// The value it has unless set.
    pub default: &'static str,
    /// What it does and which values it takes.
    pub doc: &'static str,
}

/// All generators.
#[must_use]
pub fn generators() -> &'static [&'static dyn Generator] {
    &[&arithmetic::Arithmetic, &word_problems::WordProblems]
}

/// The first `n` problems of `name`'s split under a seed.
///
/// # Errors
/// An unknown generator, split or knob, a knob's value out of range, or more problems than there are.
pub fn generate(
    name: &str,
    n: usize,
    seed: u64,
    split: &str,
    options: &Options,
) -> Result<Vec<Problem>, DataError> {
    let generator = generator(name)?;
    if !generator.splits().contains(&split) {
        return Err(DataError::UnknownSplit {
            generator: generator.name(),
            split: split.into(),
            known: listed(generator.splits()),
        });
    }
    generator.generate(n, seed, split, options)
}

/// `k` worked examples for few-shot prompts, from what the training split is drawn from; a seed gives other examples
/// than the training problems of that seed.
///
/// # Errors
/// As [`generate`].
pub fn demonstrations(name: &str, k: usize, seed: u64, options: &Options) -> Result<Vec<Problem>, DataError> {
    let own_seed = keyed_hash(&[b"demonstrations", &seed.to_le_bytes()]);
    let mut problems = generate(name, k, own_seed, "train", options)?;
    for (i, problem) in problems.iter_mut().enumerate() {
        problem.id = format!("{name}-demo-{seed}-{i}");
    }
    Ok(problems)
}

fn generator(name: &str) -> Result<&'static dyn Generator, DataError> {
    generators().iter().copied().find(|generator| generator.name() == name).ok_or_else(|| {
        let known: Vec<&str> = generators().iter().map(|generator| generator.name()).collect();
        DataError::UnknownGenerator { name: name.into(), known: listed(&known) }
    })
}

/// The coordinates of the problems of one call.
#[derive(Clone, Copy, Debug)]
struct Series<'a> {
    generator: &'static str,
    seed: u64,
    split: &'a str,
}

impl Series<'_> {
    /// The random numbers for one purpose at one index.
    fn rng(&self, purpose: &str, index: usize) -> rand_chacha::ChaCha8Rng {
        let Self { generator, seed, split } = self;
        let (seed, index) = (seed.to_le_bytes(), (index as u64).to_le_bytes());
        keyed_rng(&[generator.as_bytes(), &seed, split.as_bytes(), purpose.as_bytes(), &index])
    }

    /// Which of `len` kinds the problem at `index` is: every kind once in each run of `len`, in a random order.
    fn turn(&self, purpose: &str, index: usize, len: usize) -> Vec<usize> {
        let mut order = permutation(&mut self.rng(purpose, index / len), len);
        order.rotate_left(index % len);
        order
    }

    fn id(&self, index: usize) -> String {
        format!("{}-{}-{}-{index}", self.generator, self.split, self.seed)
    }

    fn origin(&self, index: usize) -> Origin {
        Origin { file: format!("builtin:{}", self.generator), line: index + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::HashSet;

    #[test]
    fn fewer_problems_are_the_first_of_more() {
        for generator in generators() {
            for split in generator.splits() {
                let few = generator.generate(100, 7, split, &Options::new()).unwrap();
                let many = generator.generate(400, 7, split, &Options::new()).unwrap();
                assert_eq!(few, many[..100], "{} {split}", generator.name());
            }
        }
    }

    #[test]
    fn problems_are_different_and_complete() {
        for generator in generators() {
            let problems = generator.generate(1000, 1, "train", &Options::new()).unwrap();
            let prompts: HashSet<String> = problems.iter().map(|problem| problem.prompt.text()).collect();
            let ids: HashSet<&str> = problems.iter().map(|problem| problem.id.as_str()).collect();
            assert_eq!((prompts.len(), ids.len()), (1000, 1000), "{}", generator.name());
            assert!(problems.iter().all(|problem| problem.reference["answer"].is_string()));
            assert!(problems.iter().all(|problem| problem.response.is_some()));
        }
    }

    #[test]
    fn a_seed_gives_other_problems() {
        for generator in generators() {
            let prompts = |seed| generator.generate(50, seed, "train", &Options::new()).unwrap();
            assert_ne!(prompts(1)[0].prompt, prompts(2)[0].prompt, "{}", generator.name());
        }
    }

    #[test]
    fn demonstrations_are_worked_and_not_the_training_problems_of_the_seed() {
        for generator in generators() {
            let shown = demonstrations(generator.name(), 4, 0, &Options::new()).unwrap();
            let first = generator.generate(4, 0, "train", &Options::new()).unwrap();
            assert_eq!(shown.len(), 4);
            assert!(shown.iter().all(|problem| problem.response.is_some()));
            assert!(shown.iter().zip(first).all(|(demo, problem)| demo.prompt != problem.prompt));
        }
    }

    #[test]
    fn unknown_names_are_answered_with_the_known_ones() {
        let message = |name: &str, split: &str, options: Value| {
            let options: Options = serde_json::from_value(options).unwrap();
            generate(name, 1, 0, split, &options).unwrap_err().to_string()
        };
        assert_eq!(
            message("arithmetics", "train", json!({})),
            "builtin:arithmetics: no such generator; there are arithmetic, word-problems"
        );
        assert_eq!(
            message("arithmetic", "unseen", json!({})),
            "split = \"unseen\": arithmetic has no such split; it has train, eval"
        );
        assert_eq!(
            message("arithmetic", "train", json!({"digit": 3})),
            "options.digit: arithmetic has no such knob; it has digits = \"1-5\", repeat = false, hinted = 0, \
             hinted_digits = digits"
        );
    }
}
