//! The output folder: everything is written beside the destination and moved there in one rename at the end, so that a
//! folder of that name is always a whole model.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::error::GgufError;

/// A folder being filled; removed again when dropped before [`StagedFolder::commit`].
#[derive(Debug)]
pub(super) struct StagedFolder {
    staging: PathBuf,
    destination: PathBuf,
    committed: bool,
}

impl StagedFolder {
    /// Makes the staging folder beside `destination`, which must not exist or be an empty folder.
    pub(super) fn create(destination: &Path) -> Result<Self, GgufError> {
        match fs::read_dir(destination) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(GgufError::OutputNotEmpty(destination.to_owned()));
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(GgufError::io("read", destination)(error)),
        }
        // Absolute, because `out` and `out/` and `.` must all have a parent and a name.
        let destination = std::path::absolute(destination).map_err(GgufError::io("create", destination))?;
        let (Some(parent), Some(name)) = (destination.parent(), destination.file_name()) else {
            let source = std::io::Error::new(std::io::ErrorKind::InvalidInput, "expected a folder's name");
            return Err(GgufError::io("create", destination)(source));
        };
        fs::create_dir_all(parent).map_err(GgufError::io("create", parent))?;
        let staging = parent.join(format!(".{}.partial-{}", name.to_string_lossy(), std::process::id()));
        fs::create_dir(&staging).map_err(GgufError::io("create", &staging))?;
        Ok(Self { staging, destination, committed: false })
    }

    /// The folder that files are written to; committing renames it to the destination.
    pub(super) fn path(&self) -> &Path {
        &self.staging
    }

    /// Writes a JSON file, indented.
    pub(super) fn write_json(&self, name: &str, value: &Json) -> Result<(), GgufError> {
        // Cannot fail for a `Value`: its keys are strings.
        let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
        text.push('\n');
        self.write_text(name, &text)
    }

    /// Writes a text file.
    pub(super) fn write_text(&self, name: &str, text: &str) -> Result<(), GgufError> {
        let path = self.staging.join(name);
        fs::write(&path, text).map_err(GgufError::io("write", &path))?;
        sync(&path)
    }

    /// Gives a file that another writer made the folder's usual permissions (safetensors makes private files) and
    /// forces it to disk.
    pub(super) fn settle(&self, name: &str) -> Result<(), GgufError> {
        use std::os::unix::fs::PermissionsExt;
        let path = self.staging.join(name);
        let folder = fs::metadata(&self.staging).map_err(GgufError::io("read", &self.staging))?;
        // The folder was made under the user's umask; a file is that without the right to enter.
        let mode = folder.permissions().mode() & 0o666;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
            .map_err(GgufError::io("write", &path))?;
        sync(&path)
    }

    /// Moves the folder to its destination.
    pub(super) fn commit(mut self) -> Result<(), GgufError> {
        fs::rename(&self.staging, &self.destination).map_err(GgufError::io("create", &self.destination))?;
        self.committed = true;
        Ok(())
    }
}

fn sync(path: &Path) -> Result<(), GgufError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(GgufError::io("write", path))
}

impl Drop for StagedFolder {
    fn drop(&mut self) {
        if !self.committed {
            // Best effort: there is an error on its way already, and it says more than this one would.
            let _ = fs::remove_dir_all(&self.staging);
        }
    }
}
