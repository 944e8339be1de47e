//! `word-problems`: grade-school problems of one to four steps, with worked solutions that end like GSM8K's.
//!
//! Two held-out splits. `eval` shares its templates with training and none of its numbers: of the given numbers that a
//! template can have, those are held out of which a fixed hash says so, one set in five. `unseen` has templates that
//! training never sees. Neither depends on a seed.

mod four_steps;
mod one_step;
mod template;
mod three_steps;
mod two_steps;
mod words;

use std::collections::HashSet;

use rand_chacha::ChaCha8Rng;
use serde_json::{Map, json};

use self::template::{Numbers, Template};
use super::knobs::Settings;
use super::{Generator, Knob, Options, Series};
use crate::error::DataError;
use crate::problem::{Problem, ProblemPrompt};
use crate::seeds::{keyed_hash, keyed_rng};

/// One set of given numbers in so many is held out.
const HELD_OUT: u64 = 5;
/// Draws after which a template counts as having no (new) problem within the limits.
const MOST_DRAWS: usize = 50_000;

/// The generator.
pub(super) struct WordProblems;

impl Generator for WordProblems {
    fn name(&self) -> &'static str {
        "word-problems"
    }

    fn about(&self) -> &'static str {
        "grade-school word problems of one to four steps with worked solutions"
    }

    fn knobs(&self) -> &'static [Knob] {
        &[
            Knob {
                name: "steps",
                default: "\"1-2\"",
                doc: "sums that lead to the answer: a number, a range or a list, 1 to 4; each as often",
            },
            Knob {
                name: "max_number",
                default: "20",
                doc: "the greatest number in a problem and in its solution, 4 to 10000; small numbers with one or two \
                      steps are the easy problems",
            },
        ]
    }

    fn splits(&self) -> &'static [&'static str] {
        &["train", "eval", "unseen"]
    }

    fn generate(
        &self,
        n: usize,
        seed: u64,
        split: &str,
        options: &Options,
    ) -> Result<Vec<Problem>, DataError> {
        let settings = Settings::new(self, options)?;
        let steps = settings.levels("steps", 1..=2, 1..=4)?;
        let limits = Limits { max: settings.number("max_number", 20, 4..=10_000)?, split };
        let levels: Vec<Vec<&Template>> = steps.iter().map(|steps| limits.templates(*steps)).collect();
        if let Some((steps, _)) = steps.iter().zip(&levels).find(|(_, templates)| templates.is_empty()) {
            let reason = format!(
                "no problem of {steps} steps has all its numbers up to {}; expected a greater limit",
                limits.max
            );
            return Err(DataError::Setting { key: "options.max_number".into(), reason });
        }
        let series = Series { generator: self.name(), seed, split };
        let mut seen = HashSet::new();
        let mut used_up = HashSet::new();
        let mut problems = Vec::with_capacity(n);
        for index in 0..n {
            let level = series.turn("steps", index, levels.len())[0];
            let templates = &levels[level];
            let turn =
                series.turn(&format!("template {}", steps[level]), index / levels.len(), templates.len());
            let mut rng = series.rng("problem", index);
            // Nearly always the template whose turn it is: another only where that one has no new problem left.
            let mut made = None;
            for template in turn.iter().map(|at| templates[*at]) {
                if !used_up.contains(template.name) {
                    made = limits.fresh(template, &mut rng, &mut seen);
                    if made.is_some() {
                        break;
                    }
                    used_up.insert(template.name);
                }
            }
            let Some((template, told, answer)) = made else {
                let advice = "ask for fewer, or for greater numbers with options.max_number";
                let max = problems.len() as u64;
                return Err(DataError::TooMany {
                    generator: self.name(),
                    split: split.into(),
                    asked: n,
                    max,
                    advice,
                });
            };
            problems.push(Problem {
                id: series.id(index),
                prompt: ProblemPrompt::Text(told.text),
                reference: json!({"answer": answer.to_string()}),
                response: Some(told.solution),
                fields: Map::from_iter([
                    ("steps".to_string(), json!(template.steps.len())),
                    ("template".to_string(), json!(template.name)),
                ]),
                origin: series.origin(index),
            });
        }
        Ok(problems)
    }
}

/// What a problem must keep to.
struct Limits<'a> {
    max: u64,
    split: &'a str,
}

impl Limits<'_> {
    /// The split's templates of so many steps that have problems within the limits.
    fn templates(&self, steps: u64) -> Vec<&'static Template> {
        let of_split = all().filter(|template| template.trained == (self.split != "unseen"));
        let of_steps = of_split.filter(|template| template.steps.len() as u64 == steps);
        let possible = |template: &&Template| {
            let key: [&[u8]; 4] = [
                b"word problems possible",
                template.name.as_bytes(),
                self.split.as_bytes(),
                &self.max.to_le_bytes(),
            ];
            let mut rng = keyed_rng(&key);
            (0..MOST_DRAWS).any(|_| self.draw(template, &mut rng).is_some())
        };
        of_steps.filter(possible).collect()
    }

    /// Numbers within the limits and of the split.
    fn draw(&self, template: &Template, rng: &mut ChaCha8Rng) -> Option<Numbers> {
        let numbers = template.numbers(rng, self.max)?;
        (self.split == "unseen" || is_held_out(template.name, numbers.given()) == (self.split == "eval"))
            .then_some(numbers)
    }

    /// A problem that is not among those already `seen`.
    fn fresh<'t>(
        &self,
        template: &'t Template,
        rng: &mut ChaCha8Rng,
        seen: &mut HashSet<String>,
    ) -> Option<(&'t Template, template::Told, u64)> {
        (0..MOST_DRAWS).find_map(|_| {
            let numbers = self.draw(template, rng)?;
            let told = template.tell(&numbers, rng);
            seen.insert(told.text.clone()).then(|| (template, told, numbers.answer()))
        })
    }
}

fn all() -> impl Iterator<Item = &'static Template> {
    [one_step::TEMPLATES, two_steps::TEMPLATES, three_steps::TEMPLATES, four_steps::TEMPLATES]
        .into_iter()
        .flatten()
}

/// Whether a template's problems with these given numbers belong to `eval`.
fn is_held_out(template: &str, given: impl Iterator<Item = u64>) -> bool {
    let given: Vec<u8> = given.flat_map(u64::to_le_bytes).collect();
    keyed_hash(&[b"word problems split", template.as_bytes(), &given]).is_multiple_of(HELD_OUT)
}

#[cfg(test)]
mod tests;
