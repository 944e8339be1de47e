//! Kills the programs' process groups should this program be killed itself, when nothing of it can run any more.
//!
//! A small shell holds the read end of a pipe of which only this program has the write end. It is told which groups
//! run; when the pipe ends, it kills those that still do. (The kernel's own signal at a parent's death is sent when the
//! *thread* that started the process ends, reaches one process and no group, and needs code between fork and exec.)
//! Where no shell can be started, programs that read their standard input still see its end.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::Pid;

/// Reads `+ N` and `- N`; at the end kills what was added and not taken away.
const SCRIPT: &str = r#"
groups=' '
while read -r change group; do
    case $change in
        +) groups="$groups$group " ;;
        -) case $groups in *" $group "*) groups="${groups%% $group *} ${groups#* $group }" ;; esac ;;
    esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
"#;

static GUARD: Mutex<Guard> = Mutex::new(Guard { groups: BTreeSet::new(), shell: None });

struct Guard {
    /// The groups that run, to tell a new shell should the old one be gone.
    groups: BTreeSet<i32>,
    shell: Option<(Child, OwnedFd)>,
}

/// A process group was started.
pub(super) fn watch(group: Pid) {
    let mut guard = GUARD.lock().unwrap_or_else(PoisonError::into_inner);
    let group = group.as_raw_nonzero().get();
    guard.groups.insert(group);
    guard.tell(&format!("+ {group}\n"));
}

/// A process group was killed. To be called before its leader is reaped, while its number is still its own.
pub(super) fn forget(group: Pid) {
    let mut guard = GUARD.lock().unwrap_or_else(PoisonError::into_inner);
    let group = group.as_raw_nonzero().get();
    guard.groups.remove(&group);
    guard.tell(&format!("- {group}\n"));
}

impl Guard {
    fn tell(&mut self, change: &str) {
        if let Some((shell, pipe)) = &mut self.shell {
            // A write this short is done whole or not at all.
            if rustix::io::write(&*pipe, change.as_bytes()) == Ok(change.len()) {
                return;
            }
            let _ = shell.kill();
            let _ = shell.wait();
        }
        self.shell = start();
        let all: String = self.groups.iter().map(|group| format!("+ {group}\n")).collect();
        if let Some((_, pipe)) = &self.shell {
            let _ = rustix::io::write(pipe, all.as_bytes());
        }
    }
}

/// Starts the shell, in a group of its own so that a Ctrl-C at the terminal is not for it, and holding nothing open
/// that others wait for.
fn start() -> Option<(Child, OwnedFd)> {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(SCRIPT).current_dir("/").process_group(0);
    let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let pipe = OwnedFd::from(shell.stdin.take()?);
    // A shell that was stopped must not stop this program.
    fcntl_setfl(&pipe, fcntl_getfl(&pipe).ok()? | OFlags::NONBLOCK).ok()?;
    Some((shell, pipe))
}
