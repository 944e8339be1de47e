//! The cgroup of one zygote and everything that it forks.

use std::os::fd::OwnedFd;
use std::time::Duration;

use super::folder::{Folder, Version};
use super::hierarchy::Controller;
use super::{CgroupError, Parent};

/// How long killed processes and a folder that is held are waited for. A process that does not end by then hangs in the
/// kernel.
const PATIENCE: Duration = Duration::from_secs(2);

/// A cgroup with limits on memory and on tasks, as far as the [`Parent`] has the controllers. Dropped, it kills what is
/// in it and removes itself.
#[derive(Debug)]
pub(crate) struct Slot {
    /// One for version 2, one for each controller for version 1.
    folders: Vec<Folder>,
    num_tasks: u64,
}

impl Slot {
    /// Makes a cgroup whose processes may have `memory_bytes` bytes of memory together, without swap, and may be
    /// `num_tasks` processes and threads.
    pub(crate) fn create(parent: &Parent, memory_bytes: u64, num_tasks: u64) -> Result<Self, CgroupError> {
        let mut slot = Self { folders: Vec::new(), num_tasks };
        parent.make_folders(&mut slot.folders)?;
        slot.limit_memory(memory_bytes)?;
        if let Some(folder) = slot.with(Controller::Pids) {
            folder.limit_tasks(num_tasks)?;
        }
        Ok(slot)
    }

    /// Sets another limit on memory.
    pub(crate) fn limit_memory(&self, bytes: u64) -> Result<(), CgroupError> {
        let Some(folder) = self.with(Controller::Memory) else { return Ok(()) };
        folder.limit_memory(bytes)
    }

    /// Descriptors, one for each folder: a process joins by writing `0` to each. They are closed on exec.
    pub(crate) fn procs(&self) -> Result<Vec<OwnedFd>, CgroupError> {
        self.folders.iter().map(Folder::procs).collect()
    }

    /// How many processes the kernel has killed because the memory did not suffice. None are counted without the
    /// controller for memory.
    pub(crate) fn oom_kills(&self) -> u64 {
        let count = |folder: &Folder| match folder.version() {
            Version::One => folder.count("memory.oom_control", "oom_kill"),
            Version::Two => folder.count("memory.events", "oom_kill"),
        };
        self.with(Controller::Memory).and_then(count).unwrap_or(0)
    }

    /// The most bytes that were in use at once, where the kernel says.
    #[cfg(test)]
    pub(crate) fn peak_bytes(&self) -> Option<u64> {
        let folder = self.with(Controller::Memory)?;
        match folder.version() {
            Version::One => folder.number("memory.max_usage_in_bytes"),
            Version::Two => folder.number("memory.peak"),
        }
    }

    /// The number of processes and threads now. A process that has ended counts until its parent has asked for its end.
    #[cfg(test)]
    pub(crate) fn num_tasks(&self) -> Option<u64> {
        self.with(Controller::Pids).or(self.folders.first())?.num_tasks()
    }

    /// Kills every process in the cgroup and waits until there is none. Until it is killed a process cannot fork.
    pub(crate) fn kill(&self) -> Result<(), CgroupError> {
        // Otherwise some could fork faster than they are found.
        let pids = self.with(Controller::Pids);
        if let Some(folder) = pids {
            folder.limit_tasks(0)?;
        }
        let killed = self.folders.iter().try_for_each(|folder| folder.kill(PATIENCE));
        if let Some(folder) = pids {
            folder.limit_tasks(self.num_tasks)?;
        }
        killed
    }

    /// A slot of folders made otherwise.
    #[cfg(test)]
    pub(super) fn of(folders: Vec<Folder>) -> Self {
        Self { folders, num_tasks: 0 }
    }

    #[cfg(test)]
    pub(super) fn paths(&self) -> Vec<std::path::PathBuf> {
        self.folders.iter().map(Folder::path).collect()
    }

    fn with(&self, controller: Controller) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.has(controller))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // A folder that cannot be removed now is removed by the next start of the program.
        let _ = self.kill();
        for folder in &self.folders {
            let _ = folder.remove(PATIENCE);
        }
    }
}
