//! What a judged program may ask of the kernel: a filter on system calls, as bytes that a forked child installs.
//!
//! A call is *allowed*; or *refused* with EPERM, which a program can live with; or *unknown*, which is answered with
//! ENOSYS as by an older kernel, so that a program falls back (the C library from `clone3` to `clone`, others from
//! `io_uring` to threads); or *pretended*, which is not done and no error; or *deadly*: the process is killed with SIGSYS,
//! which the verdict shows as refused. Calls of another machine's numbers (32-bit programs, x32) are deadly too.
//!
//! The list of [`calls`] by name and the rules on [`arguments`] are the policy; [`compile`] makes the program of it. The
//! kernel keeps a table of the calls that are always allowed and does not run the program for them.
//!
//! The filter must be the last wall that is put up: it refuses what the others are made with.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod arguments;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod calls;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod compile;
#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests;

/// What differs between the levels of isolation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// What the program may do to other processes.
    pub(crate) signals: Signals,
    /// Whether it may use memory, queues and semaphores with names.
    pub(crate) ipc: Ipc,
    /// Whether it may change modes, owners, times and attributes of files.
    pub(crate) files: Files,
}

/// Whether the program may send signals and change the scheduling and limits of other processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signals {
    /// It has its own pid namespace: all processes that it sees are its own.
    Any,
    /// It sees processes that are not its own, so it may signal none, and not leave its session and group; a session of
    /// its own is pretended. Not even itself can it signal: a filter cannot tell one number of a process from another.
    /// `abort` still ends the program.
    None,
}

/// Whether the names of System V and POSIX message queues, semaphores and shared memory are the program's own.
/// (POSIX semaphores and shared memory are files in /dev/shm.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ipc {
    /// It has its own ipc namespace.
    Own,
    /// The names are the machine's, and what is made lives on after the program: refused.
    Shared,
}

/// Whose the files are that the program can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files {
    /// It has its own mounts, and what it can write to is its own.
    Own,
    /// The machine's: it may change none of their modes, owners, times and attributes.
    Shared,
}

/// Why there is no filter.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeccompError {
    /// The numbers of system calls of this machine are not known here.
    #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    #[error(
        "the sandbox knows the system calls of Linux on x86_64 and aarch64, this is {} on {}",
        std::env::consts::OS,
        std::env::consts::ARCH
    )]
    UnknownMachine,
    /// The lists do not make a filter.
    #[error("the list of system calls does not make a filter: {0}")]
    Compile(#[from] seccompiler::BackendError),
}

/// The filter as the bytes of the kernel's `struct sock_filter` array, in the order of this machine, 8 bytes an
/// instruction. To be installed in the process that is to be judged, with `PR_SET_NO_NEW_PRIVS` set, through
/// `prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ..)`.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) fn program(rules: Rules) -> Result<Vec<u8>, SeccompError> {
    compile::compile(rules)
}

/// There is no filter for this machine.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub(crate) fn program(_rules: Rules) -> Result<Vec<u8>, SeccompError> {
    Err(SeccompError::UnknownMachine)
}
