//! A word problem's form: what is given, in which words, and which sums lead to the answer.
//!
//! In texts `{a}` is a number, `{A}` a person with `{A.he}`, `{A.He}`, `{A.him}`, `{A.his}` and `{A.His}`, `{item}` and
//! `{items}` one and many of the thing in the slot `item`, and `{=}` the step's sum, as in `2 + 3 = 5`. All numbers are
//! at least 2, given or worked out, so that every counted thing is plural.

use rand_chacha::ChaCha8Rng;

use super::words::{Noun, PEOPLE, Person};
use crate::seeds::{between, pick};

/// The form of a problem.
pub(super) struct Template {
    /// Unique.
    pub(super) name: &'static str,
    /// Whether training sees it.
    pub(super) trained: bool,
    /// The slots for things and what may fill them; no two slots of a problem hold the same thing.
    pub(super) nouns: &'static [(&'static str, &'static [Noun])],
    /// The given numbers with the least and the greatest sensible value.
    pub(super) given: &'static [(&'static str, u64, u64)],
    /// Ways to tell it.
    pub(super) texts: &'static [&'static str],
    /// The sums in their order; the last result is the answer.
    pub(super) steps: &'static [Step],
}

/// One sum: the name of its result, two numbers (given, worked out, or literal) around a sign, and the sentence that
/// states it.
pub(super) struct Step(pub(super) &'static str, pub(super) &'static str, pub(super) &'static str);

/// The numbers of one problem.
pub(super) struct Numbers {
    /// The given ones, then the results, by name.
    named: Vec<(&'static str, u64)>,
    /// Each step's sum, written out.
    sums: Vec<String>,
    num_given: usize,
}

/// A problem in words.
pub(super) struct Told {
    pub(super) text: String,
    pub(super) solution: String,
}

impl Template {
    /// Draws the given numbers. None where a sum does not come out even, or any number is below 2 or above `max`.
    pub(super) fn numbers(&self, rng: &mut ChaCha8Rng, max: u64) -> Option<Numbers> {
        let mut named = Vec::with_capacity(self.given.len() + self.steps.len());
        for (name, low, high) in self.given {
            if *low > max {
                return None;
            }
            named.push((*name, between(rng, *low, (*high).min(max))));
        }
        let mut numbers = Numbers { named, sums: Vec::new(), num_given: self.given.len() };
        for Step(result, sum, _) in self.steps {
            let mut parts = sum.split(' ');
            let (a, sign, b) = (numbers.value(parts.next()?)?, parts.next()?, numbers.value(parts.next()?)?);
            let value = match sign {
                "+" => a.checked_add(b),
                "-" => a.checked_sub(b),
                "*" => a.checked_mul(b),
                "/" => a.is_multiple_of(b).then(|| a / b),
                _ => None,
            };
            let value = value.filter(|value| (2..=max).contains(value))?;
            numbers.sums.push(format!("{a} {sign} {b} = {value}"));
            numbers.named.push((result, value));
        }
        Some(numbers)
    }

    /// Tells the problem with people, things and words drawn from `rng`.
    pub(super) fn tell(&self, numbers: &Numbers, rng: &mut ChaCha8Rng) -> Told {
        let mut people: Vec<Person> = Vec::new();
        while people.len() < 3 {
            let person = *pick(rng, PEOPLE);
            if !people.contains(&person) {
                people.push(person);
            }
        }
        let mut things: Vec<(&str, Noun)> = Vec::new();
        for (slot, nouns) in self.nouns {
            let noun = loop {
                let noun = *pick(rng, nouns);
                if things.iter().all(|(_, other)| *other != noun) {
                    break noun;
                }
            };
            things.push((slot, noun));
        }
        let scene = Scene { numbers, people, things };
        let text: &&str = pick(rng, self.texts);
        let text = scene.fill(text, "");
        let sentences =
            self.steps.iter().zip(&numbers.sums).map(|(Step(_, _, say), sum)| scene.fill(say, sum));
        let mut solution = sentences.collect::<Vec<_>>().join("\n");
        solution.push_str(&format!("\n#### {}", numbers.answer()));
        Told { text, solution }
    }
}

impl Numbers {
    /// The given numbers, which tell the problems of a template apart.
    pub(super) fn given(&self) -> impl Iterator<Item = u64> {
        self.named.iter().take(self.num_given).map(|(_, value)| *value)
    }

    /// The last result.
    pub(super) fn answer(&self) -> u64 {
        self.named.last().map_or(0, |(_, value)| *value)
    }

    /// A number by its name, or the literal that the name is.
    fn value(&self, name: &str) -> Option<u64> {
        let named = self.named.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        named.or_else(|| name.parse().ok())
    }
}

struct Scene<'a> {
    numbers: &'a Numbers,
    people: Vec<Person>,
    things: Vec<(&'a str, Noun)>,
}

impl Scene<'_> {
    /// The text with every `{...}` replaced; what is unknown stays as it is, which the tests look for.
    fn fill(&self, text: &str, sum: &str) -> String {
        let mut filled = String::with_capacity(text.len() * 2);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((key, after)) = after.split_once('}') else { break };
            filled.push_str(before);
            match if key == "=" { Some(sum.to_string()) } else { self.word(key) } {
                Some(word) => filled.push_str(&word),
                None => filled.push_str(&format!("{{{key}}}")),
            }
            rest = after;
        }
        filled + rest
    }

    fn word(&self, key: &str) -> Option<String> {
        let (key, form) = key.split_once('.').unwrap_or((key, ""));
        if let Some(index) = ["A", "B", "C"].iter().position(|letter| *letter == key) {
            let person = self.people.get(index)?;
            return pronoun(person, form).map(String::from);
        }
        if let Some((_, (one, many))) =
            self.things.iter().find(|(slot, _)| key.trim_end_matches('s') == *slot)
        {
            return Some(if key.ends_with('s') { *many } else { *one }.to_string());
        }
        self.numbers.named.iter().find(|(name, _)| *name == key).map(|(_, value)| value.to_string())
    }
}

fn pronoun(person: &Person, form: &str) -> Option<&'static str> {
    Some(match (form, person.is_she) {
        ("", _) => person.name,
        ("he", true) => "she",
        ("he", false) => "he",
        ("He", true) => "She",
        ("He", false) => "He",
        ("him" | "his", true) => "her",
        ("him", false) => "him",
        ("his", false) => "his",
        ("His", true) => "Her",
        ("His", false) => "His",
        _ => return None,
    })
}
