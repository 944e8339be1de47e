//! Starts the program: its own process group, pipes for its three streams, its limits.

use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, pidfd_open, prlimit};

use super::ProcessSettings;
use super::child::Child;
use super::guard;

/// How the program is started.
#[derive(Debug)]
pub(super) struct Launch {
    settings: ProcessSettings,
}

impl Launch {
    /// A launch with settings that have been checked.
    pub(super) fn new(settings: ProcessSettings) -> Self {
        Self { settings }
    }

    /// The command line as messages show it.
    pub(super) fn shown(&self) -> String {
        format!("`{}`", self.settings.command.join(" "))
    }

    /// Starts the program once.
    ///
    /// # Errors
    /// What could not be done, and what to do about it.
    pub(super) fn start(&self) -> Result<Child, String> {
        if let Some(cwd) = &self.settings.cwd
            && !cwd.is_dir()
        {
            return Err(format!("`cwd` must be a folder that there is, found {}", cwd.display()));
        }
        let mut command = self.command();
        let mut process = command.spawn().map_err(|error| {
            format!(
                "{} cannot be started: {error}; install the program, make it executable, or correct `command`",
                self.shown()
            )
        })?;
        let pid = Pid::from_child(&process);
        guard::watch(pid);
        let streams = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let pidfd = pidfd_open(pid, PidfdFlags::empty());
        let (Ok(pidfd), (Some(stdin), Some(stdout), Some(stderr))) = (pidfd, streams) else {
            // Without a descriptor of the process nothing here can wait for it: an old kernel, or too many open files.
            let _ = process.kill();
            let _ = process.wait();
            guard::forget(pid);
            let advice = "raise the limit of open files (`ulimit -n`); Linux 5.4 or later is needed";
            return Err(format!("{} was started and cannot be watched: {advice}", self.shown()));
        };
        let child =
            Child::new(pid, pidfd, OwnedFd::from(stdin), OwnedFd::from(stdout), OwnedFd::from(stderr));
        // From here on, dropping the child kills it and reaps it.
        let child = child.map_err(|error| format!("{}: its pipes cannot be used: {error}", self.shown()))?;
        self.limit(pid).map_err(|error| {
            format!("{}: its memory cannot be limited to `memory_mb`: {error}", self.shown())
        })?;
        Ok(child)
    }

    fn command(&self) -> Command {
        let settings = &self.settings;
        let program = settings.command.first().map_or("", String::as_str);
        let mut command = match (&settings.cwd, program.contains('/') && Path::new(program).is_relative()) {
            (Some(cwd), true) => Command::new(absolute(cwd).join(program)),
            _ => Command::new(program),
        };
        command.args(settings.command.iter().skip(1));
        if let Some(cwd) = &settings.cwd {
            command.current_dir(cwd);
        }
        // A Python program that forgets to flush its answers would seem to hang.
        command.env("PYTHONUNBUFFERED", "1");
        command.envs(&settings.env);
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Limits the process from outside, right after it starts: its children inherit the limits.
    fn limit(&self, pid: Pid) -> rustix::io::Result<()> {
        let hard = |bytes| Rlimit { current: Some(bytes), maximum: Some(bytes) };
        // A program that crashes often would fill the disk with its memory. Of no matter where it is refused.
        let _ = prlimit(Some(pid), Resource::Core, hard(0));
        match self.settings.memory_mb {
            // A program that has ended by now is found out when it is asked.
            Some(mb) => match prlimit(Some(pid), Resource::As, hard(mb.saturating_mul(1 << 20))) {
                Err(error) if error != rustix::io::Errno::SRCH => Err(error),
                _ => Ok(()),
            },
            None => Ok(()),
        }
    }
}

/// A folder as seen from the root, so that it means the same to a process that runs elsewhere.
fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}
