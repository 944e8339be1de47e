//! Limits on the memory and the tasks of all processes of a sandbox together, where the kernel's cgroups let them be
//! set. Nothing depends on it: without, each process has limits of its own, and [`NoCgroup`] says why.

mod folder;
mod hierarchy;
mod parent;
mod slot;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;

pub(crate) use parent::Parent;
pub(crate) use slot::Slot;

/// What went wrong with a cgroup that should be usable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CgroupError {
    /// The folder cannot be made.
    #[error("cannot make the cgroup {}: {source}", dir.display())]
    Make {
        /// The folder.
        dir: PathBuf,
        /// The kernel's reason.
        source: io::Error,
    },
    /// A limit cannot be set.
    #[error("cannot write {value} to {}: {source}", file.display())]
    Write {
        /// The file of the cgroup.
        file: PathBuf,
        /// What was to be written.
        value: String,
        /// The kernel's reason.
        source: io::Error,
    },
    /// A file cannot be opened.
    #[error("cannot open {}: {source}", file.display())]
    Open {
        /// The file of the cgroup.
        file: PathBuf,
        /// The kernel's reason.
        source: io::Error,
    },
    /// Processes were killed and are still there.
    #[error("processes in the cgroup {} live on {milliseconds} ms after they were killed", dir.display())]
    LiveOn {
        /// The folder.
        dir: PathBuf,
        /// How long they were waited for.
        milliseconds: u128,
    },
}

/// Why no cgroup can be used on this machine by this user.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cgroups are not available because {}", reasons.join("; "))]
pub(crate) struct NoCgroup {
    /// One for each place that was tried.
    reasons: Vec<String>,
}
