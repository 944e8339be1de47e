//! Where this process may make cgroups: found by trying, since who may do what is decided in many places.
//!
//! Version 2 gives a controller to the children of a cgroup only where that cgroup has no processes itself, or is the
//! top. The own cgroup has this process, so its parent is tried next (a user's service manager owns that too), then
//! the top of what is mounted. Version 1 has no such rule.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, test_kill_process};

use super::folder::{self, Folder, Version};
use super::hierarchy::{Controller, Hierarchies, Hierarchy};
use super::{CgroupError, NoCgroup, Slot};

/// The folders are called this, the number of the process, and a number that counts.
const PREFIX: &str = "polestar-";

/// How long what a crashed program left behind is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// Limits for a try.
const TRY_BYTES: u64 = 1 << 30;
const TRY_TASKS: u64 = 64;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Held while folders are made and left ones are looked for, so that one that is not locked yet is not taken for left.
static MAKING: Mutex<()> = Mutex::new(());

/// The cgroups under which slots are made, and in words ([`fmt::Display`]) which they are.
#[derive(Clone, Debug)]
pub(crate) struct Parent {
    places: Vec<Place>,
    /// Why a controller is missing.
    missing: Vec<String>,
}

/// One folder under which folders can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    dir: PathBuf,
    version: Version,
    controllers: Vec<Controller>,
}

impl Parent {
    /// Looks where cgroups can be made, and removes what programs that crashed have left there. To be called once, since
    /// it makes and removes cgroups.
    pub(crate) fn find() -> Result<Self, NoCgroup> {
        let read = |file: &str| {
            fs::read_to_string(file).map_err(|error| NoCgroup { reasons: vec![format!("{file}: {error}")] })
        };
        let hierarchies = Hierarchies::parse(&read("/proc/self/cgroup")?, &read("/proc/self/mountinfo")?);
        let parent = Self::among(&hierarchies)?;
        parent.remove_left();
        Ok(parent)
    }

    fn remove_left(&self) {
        for place in &self.places {
            remove_left(&place.dir);
        }
    }

    pub(super) fn among(hierarchies: &Hierarchies) -> Result<Self, NoCgroup> {
        let mut places: Vec<Place> = Vec::new();
        let mut reasons = Vec::new();
        match &hierarchies.unified {
            Some(tree) => places.extend(unified(tree, &mut reasons)),
            None => reasons.push("no tree of version 2 is mounted".to_owned()),
        }
        for controller in Controller::ALL {
            if places.iter().any(|place| place.controllers.contains(&controller)) {
                continue;
            }
            let Some(tree) = hierarchies.separate(controller) else {
                reasons.push(format!("no tree of version 1 for {} is mounted", controller.name()));
                continue;
            };
            let Some(place) = separate(tree, controller, &mut reasons) else { continue };
            // One tree may have both controllers.
            match places.iter_mut().find(|other| other.dir == place.dir) {
                Some(other) => other.controllers.push(controller),
                None => places.push(place),
            }
        }
        if places.is_empty() {
            return Err(NoCgroup { reasons });
        }
        let num_controllers: usize = places.iter().map(|place| place.controllers.len()).sum();
        if num_controllers == Controller::ALL.len() {
            reasons.clear();
        }
        Ok(Self { places, missing: reasons })
    }

    /// Makes a folder in each place, with one name that no other has. Those that were made before one failed are in
    /// `folders` too.
    pub(super) fn make_folders(&self, folders: &mut Vec<Folder>) -> Result<(), CgroupError> {
        let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("{PREFIX}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        for place in &self.places {
            folders.push(Folder::make(place.dir.join(&name), place.version, &place.controllers)?);
        }
        Ok(())
    }
}

impl fmt::Display for Parent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, place) in self.places.iter().enumerate() {
            let version = match place.version {
                Version::One => 1,
                Version::Two => 2,
            };
            let names: Vec<_> = place.controllers.iter().map(|controller| controller.name()).collect();
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}version {version} for {} at {}", names.join(" and "), place.dir.display())?;
        }
        if !self.missing.is_empty() {
            write!(f, "; the rest is not available because {}", self.missing.join("; "))?;
        }
        Ok(())
    }
}

/// The place in the tree of version 2 with most of the controllers, and why others have not all.
fn unified(tree: &Hierarchy, reasons: &mut Vec<String>) -> Option<Place> {
    let mut dirs: Vec<&Path> = Vec::new();
    let own = tree.own.as_deref();
    let above = own.filter(|own| *own != tree.mount).and_then(Path::parent);
    for dir in [own, above, Some(&*tree.mount)].into_iter().flatten() {
        if !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }
    let mut best: Option<Place> = None;
    for dir in dirs {
        let controllers = given_to_children(dir, reasons);
        let more = controllers.len() > best.as_ref().map_or(0, |best| best.controllers.len());
        let place = Place { dir: dir.to_owned(), version: Version::Two, controllers };
        if more && tried(&place, reasons) {
            best = Some(place);
        }
        if best.as_ref().is_some_and(|best| best.controllers.len() == Controller::ALL.len()) {
            break;
        }
    }
    best
}

/// The controllers that children of this cgroup have, with those that can be given to them now.
fn given_to_children(dir: &Path, reasons: &mut Vec<String>) -> Vec<Controller> {
    let words = |file: &str| -> Result<Vec<String>, String> {
        let file = dir.join(file);
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(text.split_whitespace().map(str::to_owned).collect())
    };
    let (known, given) = match (words("cgroup.controllers"), words("cgroup.subtree_control")) {
        (Ok(known), Ok(given)) => (known, given),
        (Err(reason), _) | (_, Err(reason)) => {
            reasons.push(reason);
            return Vec::new();
        }
    };
    let mut controllers = Vec::new();
    for controller in Controller::ALL {
        let is = |name: &String| name == controller.name();
        if !known.iter().any(is) {
            reasons.push(format!(
                "{} of version 2 has no controller for {}",
                dir.display(),
                controller.name()
            ));
        } else if given.iter().any(is) {
            controllers.push(controller);
        } else {
            match folder::write(&dir.join("cgroup.subtree_control"), &format!("+{}", controller.name())) {
                Ok(()) => controllers.push(controller),
                Err(CgroupError::Write { file, value, source })
                    if source.kind() == io::ErrorKind::ResourceBusy =>
                {
                    reasons
                        .push(format!("{} does not take {value}: the cgroup has processes", file.display()));
                }
                Err(error) => reasons.push(error.to_string()),
            }
        }
    }
    controllers
}

/// The place in a tree of version 1.
fn separate(tree: &Hierarchy, controller: Controller, reasons: &mut Vec<String>) -> Option<Place> {
    let own = tree.own.as_ref().filter(|own| **own != tree.mount);
    let dirs = own.into_iter().chain([&tree.mount]);
    let places =
        dirs.map(|dir| Place { dir: dir.clone(), version: Version::One, controllers: vec![controller] });
    places.into_iter().find(|place| tried(place, reasons))
}

/// Whether a slot can be made and joined there, else why not.
fn tried(place: &Place, reasons: &mut Vec<String>) -> bool {
    let tried = try_place(place);
    reasons.extend(tried.as_ref().err().map(ToString::to_string));
    tried.is_ok()
}

/// Makes a slot and removes it. In version 2 a process needs to be allowed to write to the cgroup above both the old
/// and the new one too; each place is above the own cgroup.
fn try_place(place: &Place) -> Result<(), CgroupError> {
    let parent = Parent { places: vec![place.clone()], missing: Vec::new() };
    Slot::create(&parent, TRY_BYTES, TRY_TASKS)?.procs()?;
    if place.version == Version::Two {
        folder::open_procs(&place.dir)?;
    }
    Ok(())
}

/// Removes the folders of programs that do not live any more.
fn remove_left(dir: &Path) {
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_str().and_then(maker).is_some_and(is_gone) {
            folder::clear(&entry.path(), PATIENCE);
        }
    }
}

/// The process in the name of a folder.
fn maker(name: &str) -> Option<Pid> {
    let (pid, count) = name.strip_prefix(PREFIX)?.split_once('-')?;
    count.parse::<u64>().ok()?;
    Pid::from_raw(pid.parse().ok()?)
}

/// This process is gone too: a folder with its number that is not locked was made by an earlier one of that number.
fn is_gone(pid: Pid) -> bool {
    pid == rustix::process::getpid() || test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use super::*;

    /// In folders of its own, since other tests look for what is left at any time.
    #[test]
    fn what_a_crash_left_is_removed_and_what_lives_is_not() {
        let parent = match Parent::find() {
            Ok(parent) => parent,
            Err(reason) => {
                println!("SKIPPED: what_a_crash_left_is_removed_and_what_lives_is_not: {reason}");
                return;
            }
        };
        let mut ended = Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        let (ended, own) = (ended.id(), std::process::id());
        for place in &parent.places {
            let dir = place.dir.join(format!("{PREFIX}test-{own}"));
            let make = |name: String| {
                let folder = dir.join(name);
                fs::create_dir(&folder).unwrap();
                folder
            };
            fs::create_dir(&dir).unwrap();
            let left = [
                make(format!("{PREFIX}{ended}-0")),
                // As by an earlier process with this number.
                make(format!("{PREFIX}{own}-0")),
            ];
            let living = std::os::unix::process::parent_id();
            let kept = [make(format!("{PREFIX}{living}-0")), make(format!("{PREFIX}notes"))];
            // Of this process, and of one that lives where it cannot be seen.
            let locked = [own, ended]
                .map(|pid| Folder::make(dir.join(format!("{PREFIX}{pid}-1")), place.version, &[]).unwrap());
            // Something still runs in what was left.
            let mut child = Command::new("sleep").arg("100").spawn().unwrap();
            fs::write(left[0].join("cgroup.procs"), child.id().to_string()).unwrap();

            remove_left(&dir);

            assert_eq!(child.wait().unwrap().signal(), Some(9));
            assert_eq!(left.iter().find(|folder| folder.exists()), None);
            let mut all_kept = kept.into_iter().chain(locked.iter().map(Folder::path)).collect::<Vec<_>>();
            assert_eq!(all_kept.iter().find(|folder| !folder.exists()), None);
            all_kept.push(dir);
            for folder in all_kept {
                fs::remove_dir(folder).unwrap();
            }
        }
    }
}
