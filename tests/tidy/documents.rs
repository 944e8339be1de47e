//! Documents say what is there: links lead somewhere, files that are named exist, and the head of each recipe tells what
//! running it costs.

use std::collections::BTreeSet;

use super::{Text, assert_none, root, texts};

/// What a path may begin with where text names a file of the project.
const NAMED: &[&str] =
    &["docs/", "scripts/", "configs/", "tests/", "data/src/", "verifiers/src/", "trainer/src/"];

fn documents() -> Vec<Text> {
    texts().into_iter().filter(|text| text.has_extension("md") && !text.path.starts_with("tests/")).collect()
}

#[test]
fn the_readme_names_the_two_commands() {
    let texts = texts();
    let of = |path: &str| &texts.iter().find(|text| text.path == path).unwrap().content;
    let lines: Vec<&str> = of("README.md").lines().map(str::trim).collect();
    for command in ["scripts/quickstart.sh", "scripts/test.sh"] {
        assert!(
            lines.iter().any(|line| line.starts_with(command)),
            "README.md has no line that runs {command}"
        );
    }
    assert!(of(".ci/run").contains("scripts/test.sh"), ".ci/run does not call scripts/test.sh");
}

#[test]
fn every_recipe_tells_how_to_run_it_and_what_it_costs() {
    let mut silent = Vec::new();
    let texts = texts();
    let recipes = texts.iter().filter(|text| text.path.starts_with("configs/") && text.has_extension("toml"));
    for recipe in recipes {
        let head: Vec<&str> = recipe.content.lines().take_while(|line| line.starts_with('#')).collect();
        for field in ["Command:", "Hardware:", "Time:", "Score:"] {
            if !head.iter().any(|line| line.trim_start_matches(['#', ' ']).starts_with(field)) {
                silent.push(format!("{}: no {field}", recipe.path));
            }
        }
    }
    assert_none("recipes whose head does not say it all", &silent);
}

#[test]
fn links_lead_somewhere() {
    let documents = documents();
    let mut broken = Vec::new();
    let mut num_links = 0;
    for document in &documents {
        for link in links(&document.content) {
            num_links += 1;
            if !resolves(&documents, document, link) {
                broken.push(format!("{}: {link}", document.path));
            }
        }
    }
    assert!(num_links > 10, "only {num_links} links were found");
    assert_none("links that lead nowhere", &broken);
}

/// The targets of `[text](target)`.
fn links(content: &str) -> impl Iterator<Item = &str> {
    content.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

fn resolves(documents: &[Text], from: &Text, link: &str) -> bool {
    if ["https://", "http://", "mailto:"].iter().any(|scheme| link.starts_with(scheme)) {
        return true;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let folder = from.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = if file.is_empty() { from.path.clone() } else { joined(folder, file) };
    if anchor.is_empty() {
        return root().join(&path).exists();
    }
    documents.iter().any(|target| target.path == path && anchors(&target.content).contains(anchor))
}

/// `folder/file` without `.` and `..`.
fn joined(folder: &str, file: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What the headings of a document are called in links: lower case, spaces become hyphens, other signs disappear.
fn anchors(content: &str) -> BTreeSet<String> {
    let headings =
        content.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || ['-', '_', ' '].contains(c);
    headings
        .map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-"))
        .collect()
}

#[test]
fn links_and_anchors_are_read() {
    let page = Text {
        path: "docs/a.md".into(),
        content: "# What `x.y` is, in short\n[a](#what-xy-is-in-short) [b](../README.md)".into(),
    };
    assert_eq!(links(&page.content).collect::<Vec<_>>(), ["#what-xy-is-in-short", "../README.md"]);
    let pages = [page];
    assert!(resolves(&pages, &pages[0], "#what-xy-is-in-short"));
    assert!(!resolves(&pages, &pages[0], "#what"));
    assert!(resolves(&pages, &pages[0], "../README.md") && !resolves(&pages, &pages[0], "none.md"));
}

#[test]
fn files_that_are_named_exist() {
    let mut missing = BTreeSet::new();
    let mut num_named = 0;
    for text in texts() {
        // The change log also tells of what was.
        if text.path.starts_with("tests/") || text.path == "CHANGELOG.md" || text.path == "Cargo.lock" {
            continue;
        }
        for name in named_files(&text.content) {
            num_named += 1;
            if !root().join(name).exists() {
                missing.insert(format!("{}: {name}", text.path));
            }
        }
    }
    assert!(num_named > 50, "only {num_named} files are named");
    assert_none("files that are named and are not there", &missing.into_iter().collect::<Vec<_>>());
}

/// Paths of the project's files in a text: words that begin like one and end in a name with an extension. Words with a
/// variable part (`{}`, `*`, `<`) and paths below another folder are none.
fn named_files(content: &str) -> impl Iterator<Item = &str> {
    let is_sign = |c: char| c.is_alphanumeric() || "_-./{}*<>$~\"".contains(c);
    content.split(move |c: char| !is_sign(c)).filter_map(|word| {
        let word = word.trim_matches(['"', '.']);
        let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
        let (_, extension) = word.rsplit_once('.')?;
        let is_file = ["md", "sh", "py", "toml", "rs", "json", "jsonl"].contains(&extension);
        (plain && is_file && NAMED.iter().any(|start| word.starts_with(start))).then_some(word)
    })
}

#[test]
fn named_files_are_found() {
    let text =
        "see docs/a.md, `scripts/b.sh` and (configs/c.toml). Not configs/{name}.toml, x/docs/d.md or docs/";
    assert_eq!(named_files(text).collect::<Vec<_>>(), ["docs/a.md", "scripts/b.sh", "configs/c.toml"]);
}
