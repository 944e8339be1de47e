//! A look at the machine's processes.

use std::fs;

/// The living processes, with what `/proc` says about each.
fn all() -> impl Iterator<Item = (i32, Stat)> {
    let pids =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?)))
}

struct Stat {
    name: String,
    parent: i32,
}

/// None for a process that is gone, and for one that has ended and only waits to be reaped.
fn stat(pid: i32) -> Option<Stat> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name may hold anything, brackets too.
    let (head, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let name = head.split_once('(')?.1.to_owned();
    Some(Stat { name, parent: fields.next()?.parse().ok()? })
}

/// Whether the process lives.
pub(crate) fn is_alive(pid: i32) -> bool {
    stat(pid).is_some()
}

/// The processes with the text in the name of a thread, the arguments or the environment.
pub(crate) fn with_text(text: &str) -> Vec<i32> {
    let has = |bytes: Vec<u8>| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let has_text = |pid: i32| {
        let file = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        has(file("cmdline"))
            || has(file("environ"))
            || threads.map(|it| fs::read(it.path().join("comm")).unwrap_or_default()).any(has)
    };
    all().map(|(pid, _)| pid).filter(|pid| has_text(*pid)).collect()
}

/// The processes below this one, as `pid name`. Whoever has lost its parent counts if this process has become its
/// parent: see `set_child_subreaper`.
pub(crate) fn descendants() -> Vec<String> {
    let all: Vec<_> = all().collect();
    let mut found = Vec::new();
    let mut parents = vec![std::process::id().cast_signed()];
    while let Some(parent) = parents.pop() {
        for (pid, stat) in all.iter().filter(|(_, stat)| stat.parent == parent) {
            parents.push(*pid);
            found.push(format!("{pid} {}", stat.name));
        }
    }
    found
}
