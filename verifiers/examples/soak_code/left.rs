//! What a soak has left on the machine: processes, mounts, cgroups, files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::soak_common::{processes, stat};

/// How long what is on its way out is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
const PREFIX: &str = "polestar-";

/// What was there before.
pub(crate) struct Before {
    mounts: BTreeSet<String>,
    files: BTreeSet<PathBuf>,
}

impl Before {
    pub(crate) fn look() -> Self {
        Self { mounts: mounts(), files: files("") }
    }

    /// What there is beyond that after some patience; files only with the mark or our prefix in their names.
    pub(crate) fn left(&self, mark: &str) -> Vec<String> {
        let pause = Duration::from_millis(100);
        let mut waited = Duration::ZERO;
        loop {
            let found = self.now(mark);
            if found.is_empty() || waited >= PATIENCE {
                return found;
            }
            std::thread::sleep(pause);
            waited += pause;
        }
    }

    fn now(&self, mark: &str) -> Vec<String> {
        let mut found: Vec<String> = descendants().map(|name| format!("process {name}")).collect();
        found.extend(mounts().difference(&self.mounts).map(|mount| format!("mount {mount}")));
        let own = format!("{PREFIX}{}-", std::process::id());
        found.extend(
            folders(Path::new("/sys/fs/cgroup"), &own, 6).map(|path| format!("cgroup {}", path.display())),
        );
        found.extend(files(mark).difference(&self.files).map(|path| format!("file {}", path.display())));
        found
    }
}

/// The living processes below this one.
fn descendants() -> impl Iterator<Item = String> {
    let all: Vec<_> =
        processes().filter_map(stat).filter(|stat| !matches!(stat.state.as_str(), "Z" | "X")).collect();
    let mut below = vec![std::process::id()];
    let mut names = Vec::new();
    let mut next = 0;
    while let Some(parent) = below.get(next).copied() {
        for child in all.iter().filter(|child| child.parent == parent) {
            below.push(child.pid);
            names.push(format!("{} {}", child.pid, child.name));
        }
        next += 1;
    }
    names.into_iter()
}

/// The mounts of this process, without their numbers, which may be used again.
fn mounts() -> BTreeSet<String> {
    let text = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    text.lines().map(|line| line.splitn(4, ' ').last().unwrap_or_default().to_owned()).collect()
}

/// What lies in the folders for files that do not last, if its name has the mark or is one of ours.
fn files(mark: &str) -> BTreeSet<PathBuf> {
    let places = [PathBuf::from("/tmp"), PathBuf::from("/dev/shm"), std::env::temp_dir()];
    let entries = places.iter().filter_map(|place| std::fs::read_dir(place).ok()).flatten().flatten();
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(PREFIX) || name.contains(mark)
    };
    entries.map(|entry| entry.path()).filter(is_one).collect()
}

/// The folders whose name begins so, not deeper than that.
fn folders(place: &Path, beginning: &str, depth: usize) -> Box<dyn Iterator<Item = PathBuf>> {
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let below =
        entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path());
    let beginning = beginning.to_owned();
    Box::new(below.flat_map(move |path| {
        let is_one = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&beginning));
        let deeper: Box<dyn Iterator<Item = PathBuf>> =
            if depth > 0 { folders(&path, &beginning, depth - 1) } else { Box::new(std::iter::empty()) };
        is_one.then_some(path).into_iter().chain(deeper)
    }))
}
