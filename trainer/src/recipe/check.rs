//! Checks the shape of a recipe against its schema before it is made into types: unknown keys, missing keys, wrong types,
//! unknown words. It finds all of them at once and says where each was written, which a deserializer cannot: it stops at
//! the first and knows no lines inside tagged tables or for `--set`.

use serde_json::Value as Schema;
use toml::{Table, Value};

use super::origins::{Origins, join};
use super::schema::{self, alternatives, properties, type_in_words, variants, words};
use super::set::describe;
use crate::complaint::{Complaint, Place};

/// Everything in `recipe` that the schema does not allow, in the order of the lines.
#[must_use]
pub fn check(recipe: &Table, origins: &Origins) -> Vec<Complaint> {
    let mut checker = Checker { origins, complaints: Vec::new() };
    checker.table("", recipe, schema::schema(), "the recipe");
    checker.complaints.sort_by_key(|complaint| match complaint.places.first() {
        Some(Place::File { line: Some(line), .. } | Place::LeftOut { line: Some(line), .. }) => *line,
        _ => usize::MAX,
    });
    checker.complaints
}

struct Checker<'a> {
    origins: &'a Origins,
    complaints: Vec<Complaint>,
}

impl Checker<'_> {
    fn complain(&mut self, key: &str, complaint: Complaint) {
        self.complaints.push(complaint.at(self.origins.place(key)));
    }

    fn value(&mut self, key: &str, value: &Value, node: &'static Schema) {
        let all = alternatives(node);
        let node = match all[..] {
            [node] => node,
            // Of several types the one that fits decides; if none does the value has a wrong type.
            _ => match all.iter().find(|node| fits(value, node)) {
                Some(node) => node,
                None => return self.wrong_type(key, value, node),
            },
        };
        if let Some(words) = words(node) {
            return self.word(key, value, &words);
        }
        if let Some((tag, kinds)) = variants(node) {
            return self.union(key, value, tag, &kinds);
        }
        if !fits(value, node) {
            return self.wrong_type(key, value, node);
        }
        match value {
            Value::Table(table) => self.table(key, table, node, &format!("[{key}]")),
            Value::Array(list) => {
                for (index, element) in list.iter().enumerate() {
                    let element_key = join(key, &self.origins.element_name(key, index));
                    match node.get("items") {
                        Some(items) => self.value(&element_key, element, items),
                        None => self.free(&element_key, element),
                    }
                }
            }
            other => self.free(key, other),
        }
    }

    fn table(&mut self, key: &str, table: &Table, node: &'static Schema, name: &str) {
        let known = properties(node);
        for (part, value) in table {
            let path = join(key, part);
            match (known.and_then(|known| known.get(part)), node.get("additionalProperties")) {
                (Some(inner), _) => self.value(&path, value, inner),
                (None, Some(Schema::Bool(false))) => {
                    let keys =
                        known.map_or_else(Vec::new, |known| known.keys().map(String::as_str).collect());
                    self.unknown_key(&path, part, &keys, name);
                }
                (None, Some(inner)) if inner.is_object() => self.value(&path, value, inner),
                (None, _) => self.free(&path, value),
            }
        }
        let required = node.get("required").and_then(Schema::as_array);
        for part in required.into_iter().flatten().filter_map(Schema::as_str) {
            let Some(inner) = known.and_then(|known| known.get(part)).filter(|_| !table.contains_key(part))
            else {
                continue;
            };
            let path = join(key, part);
            let takes = variants(alternatives(inner)[0]).map_or_else(
                || type_in_words(inner),
                |(tag, kinds)| {
                    format!("a table whose `{tag}` is one of {}", quoted(kinds.iter().map(|kind| kind.0)))
                },
            );
            let complaint = Complaint::call(format!("{path} is missing"))
                .expected(format!("{takes} (it has no default)"))
                .found(format!("no `{part}` in {name}"))
                .next(format!("write `{part}` into {name}, or pass --set {path}=..."));
            self.complain(&path, complaint);
        }
    }

    fn union(&mut self, key: &str, value: &Value, tag: &str, kinds: &[(&'static str, &'static Schema)]) {
        let Value::Table(table) = value else {
            let kind = kinds
                .iter()
                .map(|kind| kind.0)
                .find(|kind| value.as_str() == Some(kind))
                .unwrap_or(kinds[0].0);
            let complaint = Complaint::call(format!("{key} has the wrong type"))
                .expected(format!(
                    "a table whose `{tag}` is one of {}",
                    quoted(kinds.iter().map(|kind| kind.0))
                ))
                .found(describe(value))
                .next(format!("write {key} = {{ {tag} = \"{kind}\" }}, or pass --set {key}.{tag}={kind}"));
            return self.complain(key, complaint);
        };
        let path = join(key, tag);
        let names: Vec<&str> = kinds.iter().map(|kind| kind.0).collect();
        let Some(found) = table.get(tag) else {
            let complaint = Complaint::call(format!("{path} is missing"))
                .expected(format!("one of {}", quoted(names.iter().copied())))
                .found(format!("no `{tag}` in [{key}]"))
                .next(format!("write `{tag}` into [{key}], or pass --set {path}=..."));
            return self.complain(&path, complaint);
        };
        let Some((kind, variant)) = kinds.iter().find(|kind| found.as_str() == Some(kind.0)) else {
            return self.word(&path, found, &names);
        };
        let before = self.complaints.len();
        self.table(key, table, variant, &format!("[{key}] of {tag} = \"{kind}\""));
        // A key that another kind has is better explained by naming that kind.
        for complaint in &mut self.complaints[before..] {
            let part =
                complaint.found.as_deref().and_then(|found| found.strip_prefix('`')?.strip_suffix('`'));
            let Some(part) = part else { continue };
            let owners: Vec<&str> = kinds
                .iter()
                .filter(|(_, node)| properties(node).is_some_and(|known| known.contains_key(part)))
                .map(|kind| kind.0)
                .collect();
            if !owners.is_empty() {
                let owners = quoted(owners.into_iter());
                complaint.next = Some(format!("remove `{part}`: it is a key of {tag} = {owners}"));
            }
        }
    }

    fn word(&mut self, key: &str, value: &Value, words: &[&str]) {
        if value.as_str().is_some_and(|text| words.contains(&text)) {
            return;
        }
        let complaint = Complaint::call(format!("{key} has an unknown value"))
            .expected(format!("one of {}", quoted(words.iter().copied())))
            .found(describe(value));
        let complaint = match value.as_str().and_then(|text| nearest(text, words.iter().copied())) {
            Some(word) => complaint.next(format!("did you mean \"{word}\"?")),
            None => complaint.next("choose one of them"),
        };
        self.complain(key, complaint);
    }

    fn wrong_type(&mut self, key: &str, value: &Value, node: &'static Schema) {
        let takes = type_in_words(node);
        let next = match value {
            Value::String(_) if takes == "a string" => "write another value".to_owned(),
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_)
                if takes == "a string" =>
            {
                match self.origins.place(key) {
                    Place::Set { .. } => format!("quote it for TOML: --set '{key}=\"{value}\"'"),
                    _ => format!("put it in quotes: \"{value}\""),
                }
            }
            _ => format!("write {takes}"),
        };
        let complaint = Complaint::call(format!("{key} has the wrong type"))
            .expected(takes)
            .found(describe(value))
            .next(next);
        self.complain(key, complaint);
    }

    fn unknown_key(&mut self, path: &str, part: &str, known: &[&str], name: &str) {
        let elsewhere = sections_with(part);
        let next = match nearest(part, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if !elsewhere.is_empty() => {
                format!("move it: `{part}` is a key of {}", elsewhere.join(" and of "))
            }
            None => "remove it; docs/recipes.md describes every key".to_owned(),
        };
        let complaint = Complaint::call(format!("unknown key {path}"))
            .expected(format!("a key of {name}: {}", known.join(", ")))
            .found(format!("`{part}`"))
            .next(next);
        self.complain(path, complaint);
    }

    /// Values that no key restricts: only what a plan cannot carry is refused.
    fn free(&mut self, key: &str, value: &Value) {
        let complaint = match value {
            Value::Datetime(_) => Complaint::call(format!("{key} is a date"))
                .expected("a string, a number, true or false, a list or a table")
                .found(describe(value))
                .next("put it in quotes"),
            Value::Float(number) if !number.is_finite() => Complaint::call(format!("{key} is not finite"))
                .expected("a finite number")
                .found(describe(value))
                .next("write a finite number"),
            Value::Array(list) => {
                for (index, element) in list.iter().enumerate() {
                    self.free(&join(key, &index.to_string()), element);
                }
                return;
            }
            Value::Table(table) => {
                for (part, value) in table {
                    self.free(&join(key, part), value);
                }
                return;
            }
            _ => return,
        };
        self.complain(key, complaint);
    }
}

/// Whether a value's type is the node's; what is inside is not looked at.
fn fits(value: &Value, node: &Schema) -> bool {
    let fits_name = |name: &str| match (name, value) {
        ("string", Value::String(_))
        | ("number", Value::Float(_) | Value::Integer(_))
        | ("boolean", Value::Boolean(_))
        | ("object", Value::Table(_))
        | ("array", Value::Array(_)) => true,
        ("integer", Value::Integer(number)) => *number >= 0 || node.get("minimum").is_none(),
        _ => false,
    };
    match node.get("type") {
        Some(Schema::String(name)) => fits_name(name),
        Some(Schema::Array(names)) => names.iter().filter_map(Schema::as_str).any(fits_name),
        _ => true,
    }
}

fn quoted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// The sections that have a key of this name.
fn sections_with(part: &str) -> Vec<String> {
    let sections = properties(schema::schema()).into_iter().flatten();
    sections
        .filter_map(|(section, node)| {
            let node = alternatives(node).into_iter().next()?;
            let (head, node) = match (node.get("items"), node.get("additionalProperties")) {
                (Some(items), _) => (format!("[[{section}]]"), schema::follow(items)),
                (None, Some(each)) if each.is_object() => (format!("[{section}.NAME]"), schema::follow(each)),
                _ => (format!("[{section}]"), node),
            };
            let tables = variants(node)
                .map_or(vec![node], |(_, kinds)| kinds.into_iter().map(|kind| kind.1).collect());
            let has =
                |table: &&'static Schema| properties(table).is_some_and(|known| known.contains_key(part));
            tables.iter().any(has).then_some(head)
        })
        .collect()
}

/// The word that was probably meant: the nearest by edits, if no more than a third of its letters (at least one) differ.
fn nearest<'a>(found: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance =
        |word: &str| edits(&found.to_lowercase().replace('-', "_"), &word.to_lowercase().replace('-', "_"));
    words
        .map(|word| (distance(word), word))
        .filter(|(edits, word)| *edits <= (word.chars().count() / 3).max(1) && *edits < word.chars().count())
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, word)| word)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
fn edits(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for i in 0..=from.len() {
        for j in 0..=to.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
                let swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
                let best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if swapped { best.min(rows[i - 2][j - 2] + 1) } else { best }
            };
        }
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod shape_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_count_swaps_as_one() {
        assert_eq!(edits("temprature", "temperature"), 1);
        assert_eq!(edits("seedx", "seed"), 1);
        assert_eq!(edits("sede", "seed"), 1);
        assert_eq!(edits("", "ab"), 2);
    }

    #[test]
    fn only_a_near_word_is_suggested() {
        let words = ["prompts", "n", "temperature", "dr-grpo"];
        assert_eq!(nearest("promts", words.into_iter()), Some("prompts"));
        assert_eq!(nearest("Temperatur", words.into_iter()), Some("temperature"));
        assert_eq!(nearest("dr_grpo", words.into_iter()), Some("dr-grpo"));
        assert_eq!(nearest("m", words.into_iter()), None);
        assert_eq!(nearest("learning_rate", words.into_iter()), None);
    }
}
