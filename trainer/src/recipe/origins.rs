//! Where each key of a recipe was written: a line of the file, a `--set`, or nowhere, so that every message can say it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::set::verifier_name;
use crate::complaint::{Complaint, Place};

/// Where each key of one recipe was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origins {
    file: PathBuf,
    /// Lines (from 1) of the keys in the file; lists by index.
    lines: BTreeMap<String, usize>,
    /// The verifiers' names, in order.
    verifiers: Vec<String>,
    /// Keys set on the command line (lists by index) and the settings as typed, in order.
    sets: Vec<(String, String)>,
}

impl Origins {
    /// Reads the lines of all keys in `text`, which is the content of `file`.
    ///
    /// # Errors
    /// The text is not TOML: the complaint names the line.
    pub fn read(file: &Path, text: &str) -> Result<Self, Box<Complaint>> {
        let document =
            DeTable::parse(text).map_err(|error| Box::new(syntax_complaint(file, text, &error)))?;
        let mut lines = BTreeMap::new();
        collect_table("", document.get_ref(), &LineOf::new(text), &mut lines);
        Ok(Self { file: file.to_owned(), lines, ..Self::default() })
    }

    /// Notes that `--set setting` wrote `key`, whose lists are addressed by index.
    pub fn note_set(&mut self, key: &[String], setting: &str) {
        self.sets.push((key.join("."), setting.to_owned()));
    }

    /// Takes the verifiers' names from the recipe with all settings applied.
    pub fn note_verifiers(&mut self, recipe: &Table) {
        let list = recipe.get("verifier").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        self.verifiers = (0..list.len()).map(|index| verifier_name(list, index)).collect();
    }

    /// The file that the recipe came from.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Where `key` was written; verifiers may be addressed by name or by index.
    #[must_use]
    pub fn place(&self, key: &str) -> Place {
        let indexed = self.by_index(key);
        let within = |outer: &str, inner: &str| {
            inner == outer || (inner.starts_with(outer) && inner[outer.len()..].starts_with('.'))
        };
        let set_place = |(_, setting): &(String, String)| Place::Set { setting: setting.clone() };
        // The last setting that wrote the key or a table around it wins, as it does in the recipe.
        if let Some(set) = self.sets.iter().rev().find(|(set, _)| within(set, &indexed)) {
            return set_place(set);
        }
        if let Some(&line) = self.lines.get(&indexed) {
            return Place::File { path: self.file.clone(), line: Some(line), key: Some(key.to_owned()) };
        }
        if let Some(set) = self.sets.iter().rev().find(|(set, _)| within(&indexed, set)) {
            return set_place(set);
        }
        let mut table = indexed.as_str();
        let mut line = None;
        while let (None, Some((outer, _))) = (line, table.rsplit_once('.')) {
            table = outer;
            line = self.lines.get(outer).copied();
        }
        Place::LeftOut { path: self.file.clone(), line, key: key.to_owned() }
    }

    /// Replaces places of which only the key is known by where the key was written.
    #[must_use]
    pub fn locate(&self, mut complaint: Complaint) -> Complaint {
        for place in &mut complaint.places {
            if let Place::Key(key) = place {
                *place = self.place(key);
            }
        }
        complaint.places.dedup();
        complaint
    }

    /// The name of the element `index` of the list `list_key` in a key: a verifier's name, elsewhere the index.
    #[must_use]
    pub fn element_name(&self, list_key: &str, index: usize) -> String {
        let name = if list_key == "verifier" { self.verifiers.get(index) } else { None };
        name.cloned().unwrap_or_else(|| index.to_string())
    }

    fn by_index(&self, key: &str) -> String {
        let Some(rest) = key.strip_prefix("verifier.") else { return key.to_owned() };
        let (name, rest) = rest.split_once('.').map_or((rest, None), |(name, rest)| (name, Some(rest)));
        match (self.verifiers.iter().position(|verifier| verifier == name), rest) {
            (Some(index), Some(rest)) => format!("verifier.{index}.{rest}"),
            (Some(index), None) => format!("verifier.{index}"),
            (None, _) => key.to_owned(),
        }
    }
}

/// `prefix.part`, or `part` at the root.
pub(super) fn join(prefix: &str, part: &str) -> String {
    if prefix.is_empty() { part.to_owned() } else { format!("{prefix}.{part}") }
}

/// The line of a byte offset, counted from 1.
struct LineOf {
    line_ends: Vec<usize>,
}

impl LineOf {
    fn new(text: &str) -> Self {
        Self { line_ends: text.match_indices('\n').map(|(at, _)| at).collect() }
    }

    fn line(&self, offset: usize) -> usize {
        self.line_ends.partition_point(|&end| end < offset) + 1
    }
}

fn collect_table(prefix: &str, table: &DeTable<'_>, line_of: &LineOf, lines: &mut BTreeMap<String, usize>) {
    for (key, value) in table {
        let path = join(prefix, key.get_ref());
        lines.insert(path.clone(), line_of.line(key.span().start));
        collect_value(&path, value.get_ref(), line_of, lines);
    }
}

fn collect_value(path: &str, value: &DeValue<'_>, line_of: &LineOf, lines: &mut BTreeMap<String, usize>) {
    match value {
        DeValue::Table(table) => collect_table(path, table, line_of, lines),
        DeValue::Array(list) => {
            for (index, element) in list.iter().enumerate() {
                let path = join(path, &index.to_string());
                lines.insert(path.clone(), line_of.line(element.span().start));
                collect_value(&path, element.get_ref(), line_of, lines);
            }
        }
        _ => {}
    }
}

/// What is wrong with a text that is not TOML, and on which line.
pub(super) fn syntax_complaint(file: &Path, text: &str, error: &toml::de::Error) -> Complaint {
    let line = error.span().map(|span| LineOf::new(text).line(span.start));
    let complaint = Complaint::call(format!("{} is not valid TOML: {}", file.display(), error.message()));
    let complaint = match line.and_then(|line| text.lines().nth(line - 1)) {
        Some(shown) => complaint.found(format!("`{}`", shown.trim())),
        None => complaint,
    };
    complaint.at(Place::File { path: file.to_owned(), line, key: None }).next(
        "correct the line; strings need quotes, a table begins with [name], a list element with [[name]]",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# head\nrun.name = \"a\"\n[rollout]\nn = 1\n\nstop = [\n  \"x\",\n  \"y\",\n]\n[[verifier]]\nkind = \"math\"\n\
                        [[verifier]]\nkind = \"text\"\nname = \"style\"\n[update]\nkl = { coef = 0.1 }\n";

    fn origins() -> Origins {
        let mut origins = Origins::read(Path::new("r.toml"), TEXT).unwrap();
        origins.note_verifiers(&toml::from_str(TEXT).unwrap());
        origins
    }

    #[test]
    fn every_key_has_the_line_that_it_was_written_on() {
        let origins = origins();
        for (key, place) in [
            ("run.name", "r.toml:2, run.name"),
            ("rollout", "r.toml:3, rollout"),
            ("rollout.n", "r.toml:4, rollout.n"),
            ("rollout.stop.1", "r.toml:8, rollout.stop.1"),
            ("verifier.math", "r.toml:10, verifier.math"),
            ("verifier.style.kind", "r.toml:13, verifier.style.kind"),
            ("verifier.1.kind", "r.toml:13, verifier.1.kind"),
            ("update.kl.coef", "r.toml:16, update.kl.coef"),
            ("rollout.prompts", "r.toml:3, rollout.prompts (left out)"),
            ("verifier.style.weight", "r.toml:12, verifier.style.weight (left out)"),
            ("optimizer.lr", "r.toml, optimizer.lr (left out)"),
        ] {
            assert_eq!(origins.place(key).to_string(), place);
        }
    }

    #[test]
    fn a_setting_wins_over_the_line() {
        let mut origins = origins();
        origins.note_set(&["rollout".into(), "n".into()], "rollout.n=3");
        origins.note_set(&["verifier".into(), "1".into(), "weight".into()], "verifier.style.weight=2");
        origins.note_set(&["optimiser".into(), "lr".into()], "optimiser.lr=2");
        for (key, place) in [
            ("rollout.n", "--set rollout.n=3"),
            ("rollout", "r.toml:3, rollout"),
            ("verifier.style.weight", "--set verifier.style.weight=2"),
            ("optimiser", "--set optimiser.lr=2"),
        ] {
            assert_eq!(origins.place(key).to_string(), place);
        }
    }

    #[test]
    fn a_syntax_error_names_the_line_and_shows_it() {
        let error = Origins::read(Path::new("r.toml"), "[run]\nname = abc\n").unwrap_err();
        let shown = error.to_string();
        assert!(shown.starts_with("error: r.toml is not valid TOML: "), "{shown}");
        assert!(shown.contains("\n  found: `name = abc`\n  where: r.toml:2\n"), "{shown}");
    }
}
