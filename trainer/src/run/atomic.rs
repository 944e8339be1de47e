//! Crash-safe writing: whatever instant a process is killed at, or the machine loses power, a reader finds a file or
//! folder as it was before or as it was meant to be, never half of it. Everything that writes into a run folder
//! writes through here.
//!
//! Whole files and folders are built under a temporary name beside the final one, synced, and renamed. Logs grow at
//! their end only and are durable up to the last commit. A write that fails leaves what was there as it was.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What is being built; a leftover of it is worthless.
const TEMP_MARK: &str = ".tmp-";
/// What is being replaced, where the file system cannot exchange two names; a leftover may be the only copy.
const OLD_MARK: &str = ".old-";
/// The name of the link that [`point_latest`] moves.
pub const LATEST: &str = "latest";

/// A write that failed. What was complete before still is.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}{}: {}{}. Nothing that was complete before is damaged. {}",
    path.display(), bytes(" (", *needed, " bytes)"), problem.words(source), bytes(", ", *free, " bytes are free there"),
    problem.advice())]
pub struct WriteError {
    /// What was being done: "write", "append to", "link", ...
    pub action: &'static str,
    /// The final path of what was being written.
    pub path: PathBuf,
    /// The class of the failure.
    pub problem: WriteProblem,
    /// How many bytes were to be written, where that is known.
    pub needed: Option<u64>,
    /// How many bytes the file system has left, where it was full.
    pub free: Option<u64>,
    /// What the operating system said.
    pub source: io::Error,
}

/// Why a write failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteProblem {
    /// No space is left on the file system.
    DiskFull,
    /// The user's quota is used up.
    Quota,
    /// The file would pass the process's file-size limit.
    FileTooLarge,
    /// The file system is mounted read-only.
    ReadOnly,
    /// The permissions of the file or its folder forbid it.
    NotPermitted,
    /// A file, or something else that is no folder, stands where a folder is needed.
    NotAFolder,
    /// A folder stands where a file or link is to be written.
    IsAFolder,
    /// The folder to write into, or what a link should point to, does not exist.
    Missing,
    /// Anything else; the source says what.
    Other,
}

impl WriteProblem {
    fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull => Self::DiskFull,
            io::ErrorKind::QuotaExceeded => Self::Quota,
            io::ErrorKind::FileTooLarge => Self::FileTooLarge,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            io::ErrorKind::PermissionDenied => Self::NotPermitted,
            io::ErrorKind::NotADirectory => Self::NotAFolder,
            io::ErrorKind::IsADirectory => Self::IsAFolder,
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Other,
        }
    }

    fn words(self, source: &io::Error) -> String {
        match self {
            Self::DiskFull => "no space is left on the file system".into(),
            Self::Quota => "the disk quota is used up".into(),
            Self::FileTooLarge => "the file would pass the process's file-size limit".into(),
            Self::ReadOnly => "the file system is read-only".into(),
            Self::NotPermitted => "permission denied".into(),
            Self::NotAFolder => "expected a folder, found something else".into(),
            Self::IsAFolder => "expected a file or nothing, found a folder".into(),
            Self::Missing => "the folder to write into, or what is pointed to, does not exist".into(),
            Self::Other => source.to_string(),
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::DiskFull => "Free space there, then run the same command again",
            Self::Quota => "Delete files or have the quota raised, then run the same command again",
            Self::FileTooLarge => "Raise the limit (`ulimit -f unlimited`), then run the same command again",
            Self::ReadOnly => "Choose a folder on a writable file system, or remount this one",
            Self::NotPermitted => {
                "Give yourself write access to it (`ls -ld` shows the owner), or choose another folder"
            }
            Self::NotAFolder | Self::IsAFolder => "Move away what stands there, or choose another folder",
            Self::Missing => "Create it, or correct the path",
            Self::Other => "Check the path and the disk, then run the same command again",
        }
    }
}

fn bytes(before: &str, count: Option<u64>, after: &str) -> String {
    count.map_or_else(String::new, |count| format!("{before}{count}{after}"))
}

impl WriteError {
    pub(crate) fn new(action: &'static str, path: &Path, needed: Option<u64>, source: io::Error) -> Self {
        let problem = WriteProblem::of(&source);
        let free = if problem == WriteProblem::DiskFull { free_bytes(path) } else { None };
        Self { action, path: path.to_path_buf(), problem, needed, free, source }
    }
}

fn free_bytes(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(parent_of(path)).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Writes a whole file: after a crash the old content or the new is there, nothing between.
///
/// # Errors
/// When any step fails; the old file is then unchanged.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), WriteError> {
    let fail = |error| WriteError::new("write", path, Some(content.len() as u64), error);
    let temp = marked(path, TEMP_MARK).map_err(fail)?;
    let written = write_new(&temp, content).and_then(|()| fs::rename(&temp, path));
    if let Err(error) = written {
        // Best effort: a leftover is harmless and `clean_leftovers` finds it.
        let _ = fs::remove_file(&temp);
        return Err(fail(error));
    }
    sync_folder(parent_of(path)).map_err(fail)
}

/// Builds a folder under a temporary name and puts it in place whole. Dropped without [`commit`](Self::commit), it
/// removes what it built.
#[derive(Debug)]
pub struct FolderWriter {
    target: PathBuf,
    temp: PathBuf,
    num_bytes: u64,
}

impl FolderWriter {
    /// Begins a folder that will be `target`, in a parent that exists.
    ///
    /// # Errors
    /// When the temporary folder beside `target` cannot be made.
    pub fn new(target: &Path) -> Result<Self, WriteError> {
        let fail = |error| WriteError::new("create the folder", target, None, error);
        let temp = marked(target, TEMP_MARK).map_err(fail)?;
        fs::create_dir(&temp).map_err(fail)?;
        Ok(Self { target: target.to_path_buf(), temp, num_bytes: 0 })
    }

    /// The temporary folder, for writers that make their files themselves; whatever is in it at commit is synced.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.temp
    }

    /// Writes one file of the folder.
    ///
    /// # Errors
    /// When the file cannot be written or exists already.
    pub fn write(&mut self, name: &str, content: &[u8]) -> Result<(), WriteError> {
        self.num_bytes += content.len() as u64;
        write_new(&self.temp.join(name), content).map_err(|error| {
            WriteError::new("write", &self.target.join(name), Some(content.len() as u64), error)
        })
    }

    /// Syncs everything and puts the folder in place. A folder of the same name is replaced, and is there, whole,
    /// until the new one is.
    ///
    /// # Errors
    /// When any step fails; what stood at the final name is then unchanged.
    pub fn commit(self) -> Result<(), WriteError> {
        let needed = (self.num_bytes > 0).then_some(self.num_bytes);
        self.put_in_place().map_err(|error| WriteError::new("write the folder", &self.target, needed, error))
        // Dropping self removes what the temporary name now stands for: nothing, the replaced folder, or a failure's rest.
    }

    fn put_in_place(&self) -> io::Result<()> {
        sync_tree(&self.temp)?;
        let parent = parent_of(&self.target);
        match fs::symlink_metadata(&self.target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(&self.temp, &self.target)?,
            Err(error) => return Err(error),
            Ok(found) if !found.is_dir() => return Err(io::ErrorKind::NotADirectory.into()),
            Ok(_) => {
                let old = exchange(&self.temp, &self.target)?;
                sync_folder(parent)?;
                if let Some(old) = old {
                    fs::remove_dir_all(old)?;
                }
            }
        }
        sync_folder(parent)
    }
}

impl Drop for FolderWriter {
    fn drop(&mut self) {
        // Best effort: a leftover is harmless and `clean_leftovers` finds it.
        let _ = fs::remove_dir_all(&self.temp);
    }
}

/// Puts `new` at the name of `current`. Gives the path where the old folder went, if that is not `new`'s own name.
fn exchange(new: &Path, current: &Path) -> io::Result<Option<PathBuf>> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, new, CWD, current, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(None),
        // File systems (some network ones) and kernels without the exchange: two renames, and clean_leftovers() puts
        // the old one back if the process dies between them.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => replace_by_two_renames(new, current).map(Some),
        Err(error) => Err(error.into()),
    }
}

fn replace_by_two_renames(new: &Path, current: &Path) -> io::Result<PathBuf> {
    let old = marked(current, OLD_MARK)?;
    fs::rename(current, &old)?;
    if let Err(error) = fs::rename(new, current) {
        fs::rename(&old, current)?;
        return Err(error);
    }
    Ok(old)
}

/// Removes a folder. It is renamed first: one that is half gone never stands at its own name, and
/// [`clean_leftovers`] finds it.
///
/// # Errors
/// When the folder cannot be renamed or removed.
pub fn remove_folder(path: &Path) -> Result<(), WriteError> {
    let fail = |error| WriteError::new("remove", path, None, error);
    let doomed = marked(path, TEMP_MARK).map_err(fail)?;
    fs::rename(path, &doomed).and_then(|()| fs::remove_dir_all(&doomed)).map_err(fail)
}

/// Removes what killed writers left in a folder, and puts back what one was replacing. Call it when nothing else
/// writes there. Returns what was removed.
///
/// # Errors
/// When the folder cannot be read or a leftover not removed. A folder that does not exist has no leftovers.
pub fn clean_leftovers(parent: &Path) -> Result<Vec<PathBuf>, WriteError> {
    let fail = |error| WriteError::new("clean", parent, None, error);
    let entries = match fs::read_dir(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(fail)?,
    };
    let mut removed = Vec::new();
    for entry in entries {
        let path = entry.map_err(fail)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if let Some(original) = unmarked(name, OLD_MARK).map(|original| parent.join(original)) {
            if fs::symlink_metadata(&original).is_err() {
                fs::rename(&path, &original).map_err(fail)?;
                continue;
            }
        } else if unmarked(name, TEMP_MARK).is_none() {
            continue;
        }
        let is_folder = fs::symlink_metadata(&path).map_err(fail)?.is_dir();
        if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.map_err(fail)?;
        removed.push(path);
    }
    sync_folder(parent).map_err(fail)?;
    removed.sort();
    Ok(removed)
}

/// Makes the link `latest` in `folder` point to `target`, an entry of the same folder, in one step.
///
/// # Errors
/// When `target` does not exist, when something that is no link stands at `latest`, or when the link cannot be made.
pub fn point_latest(folder: &Path, target: &str) -> Result<(), WriteError> {
    let link = folder.join(LATEST);
    let fail = |error| WriteError::new("link", &link, None, error);
    fs::metadata(folder.join(target))
        .map_err(|error| WriteError::new("link to", &folder.join(target), None, error))?;
    if fs::symlink_metadata(&link).is_ok_and(|found| !found.is_symlink()) {
        let found = io::Error::new(io::ErrorKind::AlreadyExists, "expected a symbolic link or nothing there");
        return Err(fail(found));
    }
    let temp = marked(&link, TEMP_MARK).map_err(fail)?;
    let moved = std::os::unix::fs::symlink(target, &temp).and_then(|()| fs::rename(&temp, &link));
    if let Err(error) = moved {
        // Best effort: a leftover is harmless and `clean_leftovers` finds it.
        let _ = fs::remove_file(&temp);
        return Err(fail(error));
    }
    sync_folder(folder).map_err(fail)
}

/// A file that grows at its end only. What [`commit`](Self::commit) returned from is durable; what was appended since
/// is kept in memory, and a failed commit may be tried again.
#[derive(Debug)]
pub struct AppendLog {
    path: PathBuf,
    file: File,
    num_committed: u64,
    pending: Vec<u8>,
    /// A commit failed part-way, so the file may be longer than `num_committed`.
    torn: bool,
}

impl AppendLog {
    /// Opens a log, made empty if it is not there.
    ///
    /// # Errors
    /// When the file cannot be opened for writing or made.
    pub fn open(path: &Path) -> Result<Self, WriteError> {
        let fail = |error| WriteError::new("open for appending", path, None, error);
        let is_new = fs::symlink_metadata(path).is_err();
        let file = OpenOptions::new().append(true).create(true).open(path).map_err(fail)?;
        if is_new {
            sync_folder(parent_of(path)).map_err(fail)?;
        }
        let num_committed = file.metadata().map_err(fail)?.len();
        Ok(Self { path: path.to_path_buf(), file, num_committed, pending: Vec::new(), torn: false })
    }

    /// Where the log lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes are durable.
    #[must_use]
    pub fn committed_len(&self) -> u64 {
        self.num_committed
    }

    /// Adds bytes to what the next commit writes.
    pub fn append(&mut self, content: &[u8]) {
        self.pending.extend_from_slice(content);
    }

    /// Writes what was appended and waits until it is on the disk.
    ///
    /// # Errors
    /// When writing fails. The file is cut back to the last commit, what was appended is kept for another try.
    pub fn commit(&mut self) -> Result<(), WriteError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let num_pending = self.pending.len() as u64;
        if let Err(error) = self.write_pending() {
            // Best effort, and tried again before the next write: readers of these logs cut a torn end themselves.
            self.torn = self.file.set_len(self.num_committed).is_err();
            return Err(WriteError::new("append to", &self.path, Some(num_pending), error));
        }
        self.num_committed += num_pending;
        self.pending.clear();
        Ok(())
    }

    fn write_pending(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.num_committed)?;
            self.torn = false;
        }
        self.file.write_all(&self.pending)?;
        self.file.sync_data()
    }

    /// Drops what was appended but not committed.
    pub fn discard(&mut self) {
        self.pending.clear();
    }

    /// Cuts the log to its first `len` bytes and drops what was appended but not committed.
    ///
    /// # Errors
    /// When `len` is more than is committed, or the file cannot be cut.
    pub fn truncate_to(&mut self, len: u64) -> Result<(), WriteError> {
        let fail = |error| WriteError::new("truncate", &self.path, None, error);
        if len > self.num_committed {
            let words = format!("expected a length up to {}, found {len}", self.num_committed);
            return Err(fail(io::Error::new(io::ErrorKind::InvalidInput, words)));
        }
        self.file.set_len(len).and_then(|()| self.file.sync_data()).map_err(fail)?;
        self.num_committed = len;
        self.discard();
        self.torn = false;
        Ok(())
    }
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            sync_tree(&entry.path())?;
        } else if kind.is_file() {
            File::open(entry.path())?.sync_all()?;
        }
    }
    sync_folder(folder)
}

fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A name beside `path` that no other writer has: its name, the mark, and 16 hex digits.
fn marked(path: &Path, mark: &str) -> io::Result<PathBuf> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "expected a path that ends in a name"));
    };
    loop {
        let count = COUNTER.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff;
        let mut temp = name.to_os_string();
        temp.push(format!("{mark}{:08x}{count:08x}", std::process::id()));
        let temp = path.with_file_name(temp);
        // A killed process with the same id, on this machine or another, may have left one.
        if fs::symlink_metadata(&temp).is_err() {
            return Ok(temp);
        }
    }
}

/// The name that a marked name stands for, if it is one of ours.
fn unmarked<'a>(name: &'a str, mark: &str) -> Option<&'a str> {
    let (original, digits) = name.rsplit_once(mark)?;
    let ours = digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    (ours && !original.is_empty()).then_some(original)
}

#[cfg(test)]
#[path = "atomic_tests.rs"]
mod tests;
