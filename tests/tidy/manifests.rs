//! The crates and the arrows between them: versions in one place, libtorch in one crate.

use std::collections::{BTreeMap, BTreeSet};

use super::{assert_none, root, texts};

#[test]
fn every_dependency_comes_from_the_workspace() {
    let mut own = Vec::new();
    let mut num_dependencies = 0;
    for text in texts().iter().filter(|text| text.path.ends_with("/Cargo.toml")) {
        let mut in_dependencies = false;
        for (index, line) in text.content.lines().enumerate() {
            let line = line.trim();
            if let Some(section) = line.strip_prefix('[') {
                in_dependencies = section.ends_with("dependencies]");
                // `[dependencies.x]` and `[target.'...'.dependencies]` would hide a version from this test.
                if section.contains("dependencies.") || section.starts_with("target.") {
                    own.push(format!("{}:{}: write it in [dependencies], in one line", text.path, index + 1));
                }
            } else if in_dependencies && !line.is_empty() && !line.starts_with('#') {
                num_dependencies += 1;
                if !line.contains(".workspace = true") && !line.contains("workspace = true") {
                    own.push(format!("{}:{}: {line}", text.path, index + 1));
                }
            }
        }
    }
    assert!(num_dependencies > 30, "only {num_dependencies} dependencies were found");
    assert_none("dependencies that do not come from [workspace.dependencies]", &own);
}

#[test]
fn data_and_verifiers_need_neither_libtorch_nor_each_other() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let graph = dependencies(&lock);
    for (name, other) in [("polestar-data", "polestar-verifiers"), ("polestar-verifiers", "polestar-data")] {
        let all = reachable(&graph, name);
        assert!(all.len() > 10, "{name} has only {} dependencies in Cargo.lock", all.len());
        for forbidden in ["tch", "torch-sys", "polestar", other] {
            assert!(!all.contains(forbidden), "{name} depends on {forbidden}");
        }
    }
    assert!(reachable(&graph, "polestar").contains("torch-sys"), "the graph was not read right");
}

#[test]
fn the_tidy_checks_link_no_libtorch() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    assert!(!reachable(&dependencies(&lock), "polestar-tests").contains("torch-sys"));
}

/// Each package's direct dependencies, by name; several versions of one crate are taken together.
fn dependencies(lock: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut graph: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let name = package.lines().find_map(|line| line.strip_prefix("name = ")).unwrap().trim_matches('"');
        let list = package.split_once("dependencies = [").map_or("", |(_, list)| list);
        let needs = list.lines().filter_map(|line| line.trim().strip_prefix('"'));
        // `"name version",`
        graph.entry(name).or_default().extend(needs.map(|line| line.split(['"', ' ']).next().unwrap()));
    }
    graph
}

fn reachable<'a>(graph: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        for next in &graph[name] {
            if found.insert(*next) {
                open.push(next);
            }
        }
    }
    found
}

#[test]
fn a_lock_file_is_read() {
    let lock = "[[package]]\nname = \"a\"\ndependencies = [\n \"b 1.0\",\n]\n\n[[package]]\nname = \"b\"\nversion = \"1.0\"\n";
    let graph = dependencies(lock);
    assert_eq!(reachable(&graph, "a"), BTreeSet::from(["b"]));
    assert!(reachable(&graph, "b").is_empty());
}
