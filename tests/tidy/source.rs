//! The shape of Rust files: lengths, headers, and what does not belong in a change that is done.

use super::{assert_none, sources, texts};

const MOST_LINES_OF_A_FILE: usize = 600;
const MOST_LINES_OF_A_FUNCTION: usize = 100;

/// Functions that may be longer, with the reason.
const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[(
    "trainer/src/recipe/check_tests.rs",
    "a_type_is_named",
    "one table of bad recipes with the message that each must give",
)];

#[test]
fn files_are_short() {
    let long: Vec<String> = sources()
        .iter()
        .map(|text| (&text.path, text.content.lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES_OF_A_FILE)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    assert_none(
        &format!("files of more than {MOST_LINES_OF_A_FILE} lines; split them by what they do"),
        &long,
    );
}

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    let mut used = 0;
    for text in sources() {
        for (name, lines) in functions(&text.content) {
            if lines <= MOST_LINES_OF_A_FUNCTION {
                continue;
            }
            if LONG_FUNCTIONS.iter().any(|(path, function, _)| *path == text.path && *function == name) {
                used += 1;
            } else {
                long.push(format!("{}: {name}: {lines} lines", text.path));
            }
        }
    }
    assert_none(&format!("functions of more than {MOST_LINES_OF_A_FUNCTION} lines"), &long);
    assert_eq!(used, LONG_FUNCTIONS.len(), "an entry of LONG_FUNCTIONS is no longer needed: remove it");
}

/// Name and number of lines of each function whose body has lines of its own. rustfmt puts the brace that ends it
/// under its first line, which is all that this looks at.
fn functions(content: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = content.lines().collect();
    let mut found = Vec::new();
    for (first, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some(name) = function_name(code) else { continue };
        if code.ends_with('}') || code.ends_with(';') {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - code.len()]);
        if let Some(rest) = lines[first..].iter().position(|line| **line == end) {
            found.push((name.to_owned(), rest + 1));
        }
    }
    found
}

/// The name, where a line begins a function.
fn function_name(code: &str) -> Option<&str> {
    let (qualifiers, rest) = code.split_once("fn ")?;
    let known = |word: &str| {
        ["pub", "const", "async", "unsafe", "extern"].contains(&word)
            || word.starts_with("pub(")
            || word.starts_with('"')
    };
    if !qualifiers.split_whitespace().all(known) {
        return None;
    }
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())
}

#[test]
fn functions_are_measured() {
    let content = "impl A {\n    pub(super) const fn long() {\n        1\n    }\n}\nfn short() {}\nfn f(\n) -> u8 {\n}\n";
    assert_eq!(functions(content), [("long".to_owned(), 3), ("f".to_owned(), 3)]);
}

#[test]
fn every_file_says_why_it_exists() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|text| !text.content.starts_with("//! "))
        .map(|text| text.path)
        .collect();
    assert_none("files that do not begin with a `//!` comment", &silent);
}

#[test]
fn nothing_is_left_undone() {
    // Put together here, so that this file does not find itself.
    let needles = [
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("db", "g!("),
        concat!("#[ig", "nore"),
    ];
    let mut found = Vec::new();
    for text in sources() {
        for (index, line) in text.content.lines().enumerate() {
            for needle in needles.iter().filter(|needle| line.contains(**needle)) {
                found.push(format!("{}:{}: {needle}", text.path, index + 1));
            }
        }
    }
    assert_none("left undone", &found);
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    let needles = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let mut found = Vec::new();
    for text in texts() {
        for (index, line) in text.content.lines().enumerate() {
            // A web address may have such a folder; a path follows white space, a quote or a bracket.
            let starts_a_path =
                |at: usize| line[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '.');
            if needles.iter().any(|needle| line.match_indices(needle).any(|(at, _)| starts_a_path(at))) {
                found.push(format!("{}:{}", text.path, index + 1));
            }
        }
    }
    assert_none("paths that only one machine has", &found);
}
