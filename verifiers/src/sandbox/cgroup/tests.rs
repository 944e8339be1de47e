//! Slots against the kernel. Where no cgroup can be made, the tests say so and are left out.

use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::folder::{Folder, Version};
use super::hierarchy::{Controller, Hierarchies};
use super::{Parent, Slot};

const MIB: u64 = 1 << 20;

/// The parent; says so if there is none with both controllers.
fn parent(test: &str) -> Option<Parent> {
    let reason = match Parent::find() {
        Ok(parent) if parent.to_string().contains("not available") => parent.to_string(),
        Ok(parent) => return Some(parent),
        Err(reason) => reason.to_string(),
    };
    println!("SKIPPED: {test}: {reason}");
    None
}

/// A shell command that joins the slot before it begins.
fn start(slot: &Slot, script: &str) -> Child {
    let procs = slot.procs().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: the closure runs between fork and exec and only writes to open descriptors; it allocates nothing.
    unsafe {
        command.pre_exec(move || {
            for file in &procs {
                rustix::io::write(file, b"0")?;
            }
            Ok(())
        });
    }
    command.spawn().unwrap()
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(10), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn what_takes_too_much_memory_is_killed_and_counted() {
    let Some(parent) = parent("what_takes_too_much_memory_is_killed_and_counted") else { return };
    let slot = Slot::create(&parent, 48 * MIB, 20).unwrap();
    assert_eq!((slot.oom_kills(), slot.num_tasks()), (0, Some(0)));
    // Less than the limit is fine.
    let mut child = start(&slot, "head -c 8M /dev/zero | tail -c 8M");
    assert!(child.wait().unwrap().success());
    assert_eq!(slot.oom_kills(), 0);
    // Looking for the last line of an endless one takes all there is.
    let mut child = start(&slot, "exec tail /dev/zero");
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert_eq!(slot.oom_kills(), 1);
    if let Some(peak) = slot.peak_bytes() {
        assert!((40 * MIB..=48 * MIB).contains(&peak), "{peak}");
    }
    // The slot is as good as before.
    let mut child = start(&slot, "exit 3");
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert_eq!(slot.oom_kills(), 1);
}

#[test]
fn a_storm_of_forks_meets_the_limit_and_is_killed() {
    let Some(parent) = parent("a_storm_of_forks_meets_the_limit_and_is_killed") else { return };
    let slot = Slot::create(&parent, 256 * MIB, 12).unwrap();
    // Some shells give up at the limit and some try again, so one is left out of the storm.
    let mut child = start(&slot, "(while :; do sleep 100 & done); exec sleep 100");
    wait_until("the limit is met", || slot.num_tasks() >= Some(11));
    for _ in 0..50 {
        assert!(slot.num_tasks() <= Some(12));
        std::thread::sleep(Duration::from_millis(1));
    }
    slot.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    let limits: Vec<_> =
        slot.paths().iter().filter_map(|path| fs::read_to_string(path.join("pids.max")).ok()).collect();
    assert_eq!(limits, ["12\n"], "it is as before");
}

#[test]
fn those_that_fork_on_and_on_are_killed() {
    let Some(parent) = parent("those_that_fork_on_and_on_are_killed") else { return };
    let slot = Slot::create(&parent, 256 * MIB, 100).unwrap();
    let mut children: Vec<_> =
        (0..4).map(|_| start(&slot, "while :; do (sleep 0.01 & sleep 0.01 &) done")).collect();
    wait_until("they run", || slot.num_tasks() > Some(20));
    slot.kill().unwrap();
    // A shell that could not fork in its last moment has left by itself.
    for child in &mut children {
        assert!(!child.wait().unwrap().success());
    }
}

#[test]
fn a_dropped_slot_leaves_nothing() {
    let Some(parent) = parent("a_dropped_slot_leaves_nothing") else { return };
    let slot = Slot::create(&parent, 256 * MIB, 20).unwrap();
    let mut child = start(&slot, "sleep 100 & sleep 100");
    wait_until("both run", || slot.num_tasks() >= Some(2));
    let folders = slot.paths();
    assert!(!folders.is_empty() && folders.iter().all(|folder| folder.exists()));
    drop(slot);
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert_eq!(folders.iter().find(|folder| folder.exists()), None);
}

/// Kills and removes by the files of version 2, which may be mounted with no controller that matters.
#[test]
fn version_2_kills_at_once() {
    let read = |file| fs::read_to_string(file).unwrap_or_default();
    let trees = Hierarchies::parse(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
    let own = trees.unified.and_then(|tree| tree.own).unwrap_or_default();
    let path = own.join(format!("polestar-{}-{}", std::process::id(), 987_654_321));
    let folder = match Folder::make(path, Version::Two, &[]) {
        Ok(folder) => folder,
        Err(error) => {
            println!("SKIPPED: version_2_kills_at_once: {error}");
            return;
        }
    };
    let slot = Slot::of(vec![folder]);
    let mut child = start(&slot, "sleep 100 & sleep 100 & wait");
    wait_until("all run", || slot.num_tasks() == Some(3));
    slot.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert_eq!((slot.num_tasks(), slot.oom_kills(), slot.peak_bytes()), (Some(0), 0, None));
    let folders = slot.paths();
    drop(slot);
    assert!(!folders[0].exists());
}

#[test]
fn reasons_name_the_place_and_the_cause() {
    let reason = Parent::among(&Hierarchies::default()).unwrap_err().to_string();
    assert_eq!(
        reason,
        "cgroups are not available because no tree of version 2 is mounted; \
         no tree of version 1 for memory is mounted; no tree of version 1 for pids is mounted"
    );
    // A folder like any other, so its children do not become cgroups.
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().display();
    let mountinfo = format!(
        "1 1 0:1 / {place}/a rw - cgroup2 cgroup2 rw\n2 1 0:2 / {place} rw - cgroup cgroup rw,memory,pids\n"
    );
    let trees = Hierarchies::parse("0::/\n1:memory,pids:/\n", &mountinfo);
    let reason = Parent::among(&trees).unwrap_err().to_string();
    for part in
        ["/a/cgroup.controllers: No such file", "/memory.limit_in_bytes: No such file", "/pids.max: No such"]
    {
        assert!(reason.contains(part), "{part}: {reason}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A tree of version 2 made of files: the controllers that are given, and that are not but could be.
#[test]
fn version_2_needs_controllers_for_children() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own");
    fs::create_dir(&own).unwrap();
    for dir in [folder.path(), &own] {
        fs::write(dir.join("cgroup.controllers"), "cpu memory\n").unwrap();
        fs::write(dir.join("cgroup.subtree_control"), "").unwrap();
    }
    let mountinfo = format!("1 1 0:1 / {} rw - cgroup2 cgroup2 rw\n", folder.path().display());
    let reason = Parent::among(&Hierarchies::parse("0::/own\n", &mountinfo)).unwrap_err().to_string();
    for dir in [folder.path(), &own] {
        let lacks = format!("{} of version 2 has no controller for pids", dir.display());
        assert!(reason.contains(&lacks), "{reason}");
        assert_eq!(fs::read_to_string(dir.join("cgroup.subtree_control")).unwrap(), "+memory");
    }
}

/// File access of this thread only is that of another user, as `setfsuid` is for a thread.
#[test]
fn an_ordinary_user_is_told_why() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED: an_ordinary_user_is_told_why: needs root to become another user");
        return;
    }
    let found = std::thread::spawn(|| {
        // SAFETY: takes a number and changes this thread alone, which ends soon.
        unsafe { libc::syscall(libc::SYS_setfsuid, 65534) };
        Parent::find()
    });
    match found.join().unwrap() {
        Ok(parent) => println!("SKIPPED: an_ordinary_user_is_told_why: any user may use {parent}"),
        Err(reason) => {
            let reason = reason.to_string();
            assert!(
                reason.contains("not available because") && reason.contains("ermission denied"),
                "{reason}"
            );
        }
    }
}

#[test]
fn the_parent_is_told_in_words() {
    let Some(parent) = parent("the_parent_is_told_in_words") else { return };
    let text = parent.to_string();
    for controller in Controller::ALL {
        assert!(text.contains(controller.name()), "{text}");
    }
    assert!(text.starts_with("version ") && text.contains(" at /"), "{text}");
    println!("{text}");
}
