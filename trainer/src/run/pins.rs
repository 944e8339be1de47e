//! What a run's results depend on beside its recipe and its weights: the data, the base model's text files, and the day
//! that its chat template sees. All are in the plan, so that a resumed run finds them as they were, or says what changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::RunError;
use super::checkpoint::TEXT_FILES;
use super::folder::{PLAN, read_plan};
use crate::recipe::{ChatChoice, PromptConfig};
use crate::text::Tokenizer;

const SECONDS_OF_A_DAY: u64 = 24 * 60 * 60;

/// The SHA-256 of each file of the base model that says what ids mean, what a prompt looks like, what ends a response
/// and what the weights compute, by its name.
///
/// # Errors
/// A file that is there cannot be read.
pub(super) fn model_files(base: &Path, tokenizer: &Tokenizer) -> Result<BTreeMap<String, String>, RunError> {
    let mut found = BTreeMap::new();
    for name in TEXT_FILES.into_iter().chain(["config.json"]) {
        // Its tokenizer.json may be large, and was read when it was loaded.
        if name == "tokenizer.json" {
            found.insert(name.to_owned(), tokenizer.fingerprint().to_owned());
        } else if base.join(name).is_file() {
            found.insert(name.to_owned(), file_hash(&base.join(name))?);
        }
    }
    let folder = "additional_chat_templates";
    for entry in fs::read_dir(base.join(folder)).into_iter().flatten().flatten() {
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        found.insert(name, file_hash(&entry.path())?);
    }
    Ok(found)
}

fn file_hash(path: &Path) -> Result<String, RunError> {
    let bytes = fs::read(path).map_err(|error| RunError::Folder {
        path: PathBuf::from(path),
        problem: format!("the base model's file cannot be read: {error}"),
        next: "check its permissions".into(),
    })?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The day that the chat template sees in the run in `root`, as the Unix seconds of its midnight (UTC): the day on which
/// the run was begun, whenever it goes on. Nothing where no template asks for the time.
///
/// # Errors
/// The run's plan cannot be read.
pub(super) fn chat_day(
    root: &Path,
    prompt: &PromptConfig,
    tokenizer: &Tokenizer,
) -> Result<Option<i64>, RunError> {
    if prompt.chat == ChatChoice::Off || !tokenizer.chat_uses_clock() {
        return Ok(None);
    }
    let saved = if root.join(PLAN).is_file() { read_plan(root)?.chat_day } else { None };
    Ok(Some(saved.unwrap_or_else(today)))
}

fn today() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(now - now % SECONDS_OF_A_DAY).unwrap_or(i64::MAX)
}
