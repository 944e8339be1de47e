//! What is looked at after a case, from the outside: that what must not happen did not.
//!
//! | look | holds if |
//! | --- | --- |
//! | `no-file PATH` | there is no such file, nor a link of that name |
//! | `no-process TEXT` | no living process has the text in its name, arguments or environment |
//! | `no-connection` | nothing has reached the case's sockets |
//! | `canary` | the secret is not in the verdict |
//! | `alive PID` | the process lives |
//! | `unchanged PATH` | content, owner, mode and number of names are as before |
//! | `no-mount` | this process sees the same mounts as before |
//! | `clock` | the machine's clock was not set |
//! | `space PATH MB` | not much less room is left in the file system than before |
//! | `fast SECONDS` | the verdict took no longer |

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use polestar_verifiers::Outcome;

use crate::processes;
use crate::stage::Stage;

/// How long the effects of a kill may need to show.
const PATIENCE: Duration = Duration::from_secs(5);

/// A look with what it was like before the case.
pub(crate) enum Look {
    NoFile(String),
    NoProcess(String),
    NoConnection,
    Canary,
    Alive(i32),
    Unchanged(String, Option<Shape>),
    NoMount(String),
    Clock(Instant, SystemTime),
    Space(String, u64),
    Fast(f64),
}

/// What a file is like.
#[derive(Debug, PartialEq)]
pub(crate) struct Shape {
    content: Vec<u8>,
    mode: u32,
    owner: u32,
    num_names: u64,
}

impl Look {
    /// Reads the look and notes what there is to compare with later.
    ///
    /// # Errors
    /// The text is no look.
    pub(crate) fn prepare(text: &str) -> Result<Self, String> {
        let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
        let number =
            |text: &str| text.parse::<f64>().map_err(|_| format!("`{text}` in `{name}` is no number"));
        Ok(match (name, rest) {
            ("no-connection", "") => Self::NoConnection,
            ("canary", "") => Self::Canary,
            ("no-mount", "") => Self::NoMount(mounts()),
            ("clock", "") => Self::Clock(Instant::now(), SystemTime::now()),
            ("no-file", path) if path.starts_with('/') => Self::NoFile(path.to_owned()),
            ("no-process", mark) if mark.len() > 3 => Self::NoProcess(mark.to_owned()),
            ("alive", pid) => Self::Alive(pid.parse().map_err(|_| format!("`{pid}` is no process id"))?),
            ("unchanged", path) if path.starts_with('/') => {
                Self::Unchanged(path.to_owned(), shape(Path::new(path)))
            }
            ("space", rest) if rest.contains(' ') => {
                let (path, room_mb) = rest.split_once(' ').unwrap_or_default();
                Self::Space(path.to_owned(), room(path).saturating_sub(number(room_mb)? as u64))
            }
            ("fast", seconds) => Self::Fast(number(seconds)?),
            _ => return Err(format!("there is no look `{text}`")),
        })
    }

    /// What is not as it must be, if anything.
    pub(crate) fn failure(&self, stage: &Stage, outcome: &Outcome, secret: &str) -> Option<String> {
        let verdict = &outcome.verdict;
        match self {
            Self::NoFile(path) => {
                Path::new(path).symlink_metadata().is_ok().then(|| format!("there is a file {path}"))
            }
            Self::NoProcess(text) => in_time(|| {
                let found = processes::with_text(text);
                (!found.is_empty()).then(|| format!("processes are left: {found:?}"))
            }),
            Self::NoConnection => stage.heard().map(|what| format!("was reached: {what}")),
            Self::Canary => {
                let shown = [Some(verdict.reason()), verdict.extracted()];
                let leaks = shown.into_iter().flatten().any(|text| text.contains(secret));
                leaks.then(|| format!("the secret got out: {}", verdict.reason()))
            }
            Self::Alive(pid) => (!processes::is_alive(*pid)).then(|| format!("process {pid} is dead")),
            Self::Unchanged(path, before) => {
                let after = shape(Path::new(path));
                (after != *before).then(|| format!("{path} was changed: {:?}", after.map(|it| it.mode)))
            }
            Self::NoMount(before) => (mounts() != *before).then(|| "the mounts have changed".to_owned()),
            Self::Clock(instant, clock) => {
                let drift = clock.elapsed().map(|it| it.abs_diff(instant.elapsed()));
                let is_set = drift.map_or(true, |drift| drift > Duration::from_secs(30));
                is_set.then(|| "the clock was set".to_owned())
            }
            Self::Space(path, least_mb) => in_time(|| {
                let left = room(path);
                (left < *least_mb).then(|| format!("{left} MiB are left in {path}, expected {least_mb}"))
            }),
            Self::Fast(seconds) => {
                let took = outcome.run_s;
                (took > *seconds).then(|| format!("took {took:.1} s, at most {seconds} s were allowed"))
            }
        }
    }
}

/// Looks again until there is nothing to see, or patience ends.
pub(crate) fn in_time(look: impl Fn() -> Option<String>) -> Option<String> {
    let start = Instant::now();
    loop {
        let found = look()?;
        if start.elapsed() > PATIENCE {
            return Some(found);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn shape(path: &Path) -> Option<Shape> {
    let about = path.symlink_metadata().ok()?;
    let content = std::fs::read(path).unwrap_or_default();
    Some(Shape { content, mode: about.mode(), owner: about.uid(), num_names: about.nlink() })
}

fn mounts() -> String {
    std::fs::read_to_string("/proc/self/mountinfo").unwrap()
}

/// The room that is left, in MiB.
fn room(path: &str) -> u64 {
    rustix::fs::statvfs(path).map_or(0, |it| it.f_bavail * it.f_frsize / (1024 * 1024))
}
