//! One folder of a cgroup: made, locked, given limits, emptied and removed.
//!
//! The lock says that the program that made the folder lives, also to programs that cannot see its process.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use super::CgroupError;
use super::hierarchy::Controller;

/// How a folder's files are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// A tree for each controller.
    One,
    /// One tree.
    Two,
}

/// The most processes that are held at once while they are killed.
const MOST_AT_ONCE: usize = 64;

/// A folder that this program made and holds.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    version: Version,
    controllers: Vec<Controller>,
    /// Kept for its lock.
    _lock: File,
}

impl Folder {
    /// Makes the folder. It must not be there.
    pub(super) fn make(
        path: PathBuf,
        version: Version,
        controllers: &[Controller],
    ) -> Result<Self, CgroupError> {
        let failed = |source| CgroupError::Make { dir: path.clone(), source };
        fs::create_dir(&path).map_err(failed)?;
        let lock =
            lock(&path).and_then(|lock| lock.ok_or_else(|| io::Error::other("another program holds it")));
        match lock {
            Ok(lock) => Ok(Self { version, controllers: controllers.to_vec(), _lock: lock, path }),
            Err(source) => {
                let _ = fs::remove_dir(&path);
                Err(failed(source))
            }
        }
    }

    /// Whether it has the controller.
    pub(super) fn has(&self, controller: Controller) -> bool {
        self.controllers.contains(&controller)
    }

    #[cfg(test)]
    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }

    pub(super) fn limit_memory(&self, bytes: u64) -> Result<(), CgroupError> {
        match self.version {
            Version::Two => {
                self.write("memory.max", bytes)?;
                self.write_if_there("memory.swap.max", 0)?;
                // Out of memory is the end of one process, not of the program that forks them.
                self.write_if_there("memory.oom.group", 0)
            }
            Version::One => {
                // Memory and swap together, so no swap. It must never be less than the limit on memory: raised before it,
                // lowered after it.
                let _ = self.write_if_there("memory.memsw.limit_in_bytes", bytes);
                self.write("memory.limit_in_bytes", bytes)?;
                self.write_if_there("memory.memsw.limit_in_bytes", bytes)?;
                // For kernels that do not count swap.
                self.write_if_there("memory.swappiness", 0)
            }
        }
    }

    pub(super) fn limit_tasks(&self, num_tasks: u64) -> Result<(), CgroupError> {
        self.write("pids.max", num_tasks)
    }

    /// Opens the file through which a process joins by writing 0 to it.
    pub(super) fn procs(&self) -> Result<OwnedFd, CgroupError> {
        open_procs(&self.path)
    }

    /// The number that a file consists of.
    #[cfg(test)]
    pub(super) fn number(&self, file: &str) -> Option<u64> {
        fs::read_to_string(self.path.join(file)).ok()?.trim().parse().ok()
    }

    /// The number after a name, in a file of such lines.
    pub(super) fn count(&self, file: &str, name: &str) -> Option<u64> {
        let text = fs::read_to_string(self.path.join(file)).ok()?;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// The number of processes and threads.
    #[cfg(test)]
    pub(super) fn num_tasks(&self) -> Option<u64> {
        let file = match self.version {
            Version::One => "tasks",
            Version::Two => "cgroup.threads",
        };
        let counted = || Some(fs::read_to_string(self.path.join(file)).ok()?.lines().count() as u64);
        self.number("pids.current").or_else(counted)
    }

    /// Kills every process in the folder and waits until there is none.
    pub(super) fn kill(&self, patience: Duration) -> Result<(), CgroupError> {
        empty(&self.path, patience)
    }

    /// Removes the folder, which must be empty.
    pub(super) fn remove(&self, patience: Duration) -> io::Result<()> {
        remove(&self.path, patience)
    }

    fn write(&self, file: &str, value: u64) -> Result<(), CgroupError> {
        write(&self.path.join(file), &value.to_string())
    }

    /// For what not every kernel has.
    fn write_if_there(&self, file: &str, value: u64) -> Result<(), CgroupError> {
        if self.path.join(file).exists() { self.write(file, value) } else { Ok(()) }
    }
}

/// Writes to a file of a cgroup, which is there already.
pub(super) fn write(file: &Path, value: &str) -> Result<(), CgroupError> {
    let written =
        OpenOptions::new().write(true).open(file).and_then(|mut open| open.write_all(value.as_bytes()));
    written.map_err(|source| CgroupError::Write { file: file.to_owned(), value: value.to_owned(), source })
}

/// Opens the list of processes of a cgroup for writing.
pub(super) fn open_procs(dir: &Path) -> Result<OwnedFd, CgroupError> {
    let file = dir.join("cgroup.procs");
    match OpenOptions::new().write(true).open(&file) {
        Ok(open) => Ok(open.into()),
        Err(source) => Err(CgroupError::Open { file, source }),
    }
}

/// Locks the folder; none where another holds the lock. The end of the descriptor is the end of the lock.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let folder = File::open(path)?;
    match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(folder)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Removes a folder that no living program holds, with what runs in it. What cannot be removed is left.
pub(super) fn clear(path: &Path, patience: Duration) {
    if let Ok(Some(_lock)) = lock(path)
        && empty(path, patience).is_ok()
    {
        let _ = remove(path, patience);
    }
}

fn empty(path: &Path, patience: Duration) -> Result<(), CgroupError> {
    let start = Instant::now();
    loop {
        // Only newer kernels of version 2 have this. It is asked again, since a process may join at any time.
        let at_once = write(&path.join("cgroup.kill"), "1").is_ok();
        let pids = processes(path);
        if pids.is_empty() {
            return Ok(());
        }
        if !at_once {
            kill_each(path, &pids);
        }
        if start.elapsed() > patience {
            return Err(CgroupError::LiveOn { dir: path.to_owned(), milliseconds: patience.as_millis() });
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Numbers of processes are used again. So a process is first held, then looked for in the folder again: what is held
/// is in it, or has ended and cannot be hit.
fn kill_each(path: &Path, pids: &BTreeSet<i32>) {
    // Zero is a process that this program cannot see.
    let pids = pids.iter().filter_map(|&pid| Pid::from_raw(pid)).take(MOST_AT_ONCE);
    let held: Vec<_> = pids.map(|pid| (pid, pidfd_open(pid, PidfdFlags::empty()))).collect();
    let still_there = processes(path);
    for (pid, held) in held {
        if !still_there.contains(&pid.as_raw_nonzero().get()) {
            continue;
        }
        // Either fails only where the process has ended, and whoever lives on is seen by the caller.
        let _ = match held {
            Ok(held) => pidfd_send_signal(held, Signal::KILL),
            Err(rustix::io::Errno::NOSYS) => kill_process(pid, Signal::KILL),
            Err(_) => Ok(()),
        };
    }
}

/// The numbers of the processes. A folder that is gone has none.
fn processes(path: &Path) -> BTreeSet<i32> {
    let text = fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// The kernel may hold a folder for a moment after its last process.
fn remove(path: &Path, patience: Duration) -> io::Result<()> {
    let start = Instant::now();
    loop {
        match fs::remove_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && start.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(1));
            }
            done => return done,
        }
    }
}
