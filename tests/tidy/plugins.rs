//! A plug-in is its own file and one line in a list: nothing else in the product may know it by name, or adding the next
//! one would mean finding all such places.

use super::{Text, assert_none, sources};

/// A kind of plug-in: the trait, the room, the file with the list.
struct Slot {
    implements: &'static str,
    room: &'static str,
    list: &'static str,
}

const SLOTS: &[Slot] = &[
    Slot { implements: "impl Verifier for ", room: "verifiers/src/", list: "verifiers/src/kinds.rs" },
    Slot {
        implements: "impl Algorithm for ",
        room: "trainer/src/algorithms/",
        list: "trainer/src/algorithms/mod.rs",
    },
    Slot { implements: "impl Generator for ", room: "data/src/", list: "data/src/tasks.rs" },
];

/// Where the name of a kind of verifier is in the product's code beside the verifier's own files, with the reason.
const KIND_NAMES: &[(&str, &str, &str)] = &[
    ("trainer/src/cli/eval.rs", "math", "the default of --verifier"),
    ("verifiers/examples/fuzz.rs", "choice", "what its references need"),
    ("verifiers/examples/fuzz.rs", "math", "what must equal itself"),
    ("verifiers/examples/soak.rs", "process", "what it soaks"),
];

/// Kinds whose names are everyday words: such a word is a kind's name only on a line that speaks of kinds.
const EVERYDAY: &[&str] = &["code", "digits", "format", "lean", "length", "repetition", "text"];

/// A plug-in's type and the module that it lies in.
struct Plugin<'a> {
    file: &'a Text,
    module: &'a str,
    name: &'a str,
}

fn plugins<'a>(sources: &'a [Text], slot: &Slot) -> Vec<Plugin<'a>> {
    let mut found = Vec::new();
    for file in sources.iter().filter(|file| file.path.starts_with(slot.room)) {
        for line in file.product_lines() {
            if let Some(rest) = line.strip_prefix(slot.implements) {
                let name = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
                found.push(Plugin { file, module: module(&file.path), name });
            }
        }
    }
    found
}

/// `math` for both `math.rs` and `math/mod.rs`.
fn module(path: &str) -> &str {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    stem.rsplit('/').next().unwrap_or(stem)
}

#[test]
fn a_plug_in_is_known_to_its_list_and_to_nobody_else() {
    let sources = sources();
    let mut wrong = Vec::new();
    for slot in SLOTS {
        let plugins = plugins(&sources, slot);
        assert!(plugins.len() >= 2, "{}: only {} found", slot.implements, plugins.len());
        for Plugin { file, module, name } in plugins {
            let path = format!("{module}::{name}");
            let own = |text: &Text| text.path == file.path || text.path.contains(&format!("/{module}/"));
            let names = |text: &Text| text.product_lines().any(|line| has_word(line, &path));
            for text in sources.iter().filter(|text| names(text) && !own(text) && text.path != slot.list) {
                wrong.push(format!("{}: {path}", text.path));
            }
            if !sources.iter().any(|text| text.path == slot.list && names(text)) {
                wrong.push(format!("{}: {path} is not in the list", slot.list));
            }
        }
    }
    assert_none("plug-ins that are not in their list, or known elsewhere", &wrong);
}

/// Whether a path is in a line, and is not the beginning of a longer name.
fn has_word(line: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(is_name) && !line[at + word.len()..].starts_with(is_name)
    })
}

#[test]
fn no_code_asks_for_a_verifier_by_name() {
    let sources = sources();
    let mut wrong = Vec::new();
    let mut num_kinds = 0;
    for verifier in plugins(&sources, &SLOTS[0]) {
        let constant = "const NAME: &'static str = \"";
        let kind = verifier.file.product_lines().find_map(|line| line.trim().strip_prefix(constant)).unwrap();
        let kind = kind.trim_end_matches("\";");
        num_kinds += 1;
        let quoted = format!("\"{kind}\"");
        let own = |text: &Text| text.path == verifier.file.path || text.path.starts_with("data/");
        let excused =
            |text: &Text| KIND_NAMES.iter().any(|(path, name, _)| *path == text.path && *name == kind);
        for text in sources.iter().filter(|text| !own(text) && !excused(text)) {
            let is_meant = |line: &str| !EVERYDAY.contains(&kind) || line.contains("kind");
            if text.product_lines().any(|line| line.contains(&quoted) && is_meant(line)) {
                wrong.push(format!("{}: {quoted}", text.path));
            }
        }
    }
    assert!(num_kinds >= 2);
    assert_none("code that treats one kind of verifier in its own way", &wrong);
}
