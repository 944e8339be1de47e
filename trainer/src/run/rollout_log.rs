//! Every sampled text with its verdict, for people: `rollouts/step-000040.jsonl.zst`, one JSON object a line.
//!
//! A step's file is written whole, in one go, and holds nothing that differs between two runs of the same recipe: no
//! times, no machine names, one compression level, one thread.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::atomic::{self, WriteError};
use crate::rollout::Finish;
use crate::seeds::Purpose;

/// zstd's own default; fixed here because the bytes of a run's files must not depend on a default.
const LEVEL: i32 = 3;

/// One sampled response and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RolloutEntry {
    /// The step.
    pub step: u64,
    /// The problem's id.
    pub problem: String,
    /// The sample's index within its group.
    pub sample: u64,
    /// What it was sampled for.
    pub purpose: Purpose,
    /// The prompt's text, as the model saw it.
    pub prompt: String,
    /// The response's text, without the stop id.
    pub response: String,
    /// The response's length in tokens, the stop id included.
    pub num_tokens: u64,
    /// Why it ended.
    pub finish: Finish,
    /// The verifier's score in [0, 1]; none where it is undecided.
    pub score: Option<f64>,
    /// The verdict's class, for machines: `right`, `wrong`, `no-answer`, `undecided`, ...
    pub kind: String,
    /// Why the verdict is what it is, or the cause that kept it undecided.
    pub reason: String,
    /// The answer that the verifier read from the response.
    pub extracted: Option<String>,
    /// Whether the score reaches the verifier's `success` threshold; none where it is undecided.
    pub right: Option<bool>,
    /// What the algorithm made of it: the weight of its tokens, where they all have the same and it was learned from.
    pub advantage: Option<f64>,
}

/// A rollout log that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RolloutLogError {
    /// Writing failed.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Compressing failed, in memory.
    #[error("cannot compress the rollouts of step {step}: {source}")]
    Compress {
        /// The step.
        step: u64,
        /// What zstd or the serializer said.
        source: io::Error,
    },
    /// A file or folder cannot be read, or is not zstd.
    #[error("cannot read {}: {source}. Check the path, and that it is a rollout log (.jsonl.zst) of polestar's",
        path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system or zstd said.
        source: io::Error,
    },
    /// A line is not an entry.
    #[error("{}:{line}: expected a rollout as one JSON object, found something else: {source}. The file was changed, or \
             written by another version (plan.json names it)", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What the parser said.
        source: serde_json::Error,
    },
}

/// Writes a step's entries, in the order given, to `folder/step-NNNNNN.jsonl.zst`; gives that path. The folder is made
/// if it is not there; a file that an earlier try at the step left is replaced.
///
/// # Errors
/// When writing fails; no part of a file is then left.
pub fn write_step(folder: &Path, step: u64, entries: &[RolloutEntry]) -> Result<PathBuf, RolloutLogError> {
    let bytes = encode(entries).map_err(|source| RolloutLogError::Compress { step, source })?;
    fs::create_dir_all(folder).map_err(|error| WriteError::new("create the folder", folder, None, error))?;
    let path = step_path(folder, step);
    atomic::write_file(&path, &bytes)?;
    Ok(path)
}

fn encode(entries: &[RolloutEntry]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_checksum(true)?;
    for entry in entries {
        serde_json::to_writer(&mut encoder, entry)?;
        io::Write::write_all(&mut encoder, b"\n")?;
    }
    encoder.finish()
}

/// Where a step's entries lie.
#[must_use]
pub fn step_path(folder: &Path, step: u64) -> PathBuf {
    folder.join(format!("step-{step:06}.jsonl.zst"))
}

/// The steps that have a file, in order. A folder that does not exist has none.
///
/// # Errors
/// When the folder cannot be read.
pub fn steps(folder: &Path) -> Result<BTreeMap<u64, PathBuf>, RolloutLogError> {
    let fail = |source| RolloutLogError::Read { path: folder.to_path_buf(), source };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries.map_err(fail)?,
    };
    let mut found = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(fail)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let step = name.strip_prefix("step-").and_then(|rest| rest.strip_suffix(".jsonl.zst")?.parse().ok());
        if let Some(step) = step.filter(|step| step_path(folder, *step) == path) {
            found.insert(step, path);
        }
    }
    Ok(found)
}

/// Removes the files of steps after `step`: those of a killed run that a resumed one samples again.
///
/// # Errors
/// When the folder cannot be read or a file not removed.
pub fn remove_after(folder: &Path, step: u64) -> Result<(), RolloutLogError> {
    for (later, path) in steps(folder)? {
        if later > step {
            fs::remove_file(&path).map_err(|error| WriteError::new("remove", &path, None, error))?;
        }
    }
    Ok(())
}

/// One line of a rollout log: its text as it stands there, and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutLine {
    /// The JSON text, without the newline.
    pub text: String,
    /// The same, parsed.
    pub entry: RolloutEntry,
}

/// Reads a rollout log line by line.
pub struct RolloutReader {
    path: PathBuf,
    lines: io::Lines<BufReader<zstd::Decoder<'static, BufReader<File>>>>,
    num_read: u64,
}

impl RolloutReader {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, RolloutLogError> {
        let fail = |source| RolloutLogError::Read { path: path.to_path_buf(), source };
        let decoder = File::open(path).and_then(zstd::Decoder::new).map_err(fail)?;
        Ok(Self { path: path.to_path_buf(), lines: BufReader::new(decoder).lines(), num_read: 0 })
    }
}

impl Iterator for RolloutReader {
    type Item = Result<RolloutLine, RolloutLogError>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.lines.next()?;
        self.num_read += 1;
        Some(match text {
            Err(source) => Err(RolloutLogError::Read { path: self.path.clone(), source }),
            Ok(text) => match serde_json::from_str(&text) {
                Ok(entry) => Ok(RolloutLine { text, entry }),
                Err(source) => {
                    Err(RolloutLogError::Line { path: self.path.clone(), line: self.num_read, source })
                }
            },
        })
    }
}

impl std::fmt::Debug for RolloutReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RolloutReader").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn entry(sample: u64) -> RolloutEntry {
        RolloutEntry {
            step: 40,
            problem: "p/1".into(),
            sample,
            purpose: Purpose::Train,
            prompt: "Quoth \"x\"\n\u{2028}".into(),
            response: "\u{1b}[31m4 + 4 = 8\0".into(),
            num_tokens: 9,
            finish: Finish::Stop,
            score: Some(0.1 + 0.2),
            kind: "right".into(),
            reason: "8 equals 8".into(),
            extracted: Some("8".into()),
            right: Some(true),
            advantage: Some(-1.0 / 3.0),
        }
    }

    fn undecided() -> RolloutEntry {
        let (kind, reason) = ("undecided".into(), "the judge timed out".into());
        RolloutEntry { score: None, right: None, extracted: None, advantage: None, kind, reason, ..entry(1) }
    }

    #[test]
    fn what_is_written_is_read_and_equal_entries_give_equal_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("rollouts");
        let entries: Vec<_> = (0..50).map(entry).chain([undecided()]).collect();
        let path = write_step(&folder, 40, &entries).unwrap();
        assert!(path.ends_with("step-000040.jsonl.zst"));
        let bytes = fs::read(&path).unwrap();
        let lines: Vec<_> = RolloutReader::open(&path).unwrap().collect::<Result<_, _>>().unwrap();
        assert!(lines.iter().map(|line| &line.entry).eq(&entries));
        assert_eq!(lines[0].text, serde_json::to_string(&entries[0]).unwrap());
        assert!(lines[50].text.contains(r#""score":null,"kind":"undecided""#), "{}", lines[50].text);
        assert_eq!(fs::read(write_step(&folder, 40, &entries).unwrap()).unwrap(), bytes);
        // Magic number, then a frame header whose flag 4 says that a checksum of the content follows it.
        assert_eq!(bytes[..4], [0x28, 0xb5, 0x2f, 0xfd]);
        assert_eq!(bytes[4] & 4, 4);
    }

    #[test]
    fn steps_are_listed_in_order_and_removed_from_the_end() {
        let folder = tempfile::tempdir().unwrap();
        for step in [1_000_000, 2, 10] {
            write_step(folder.path(), step, &[entry(0)]).unwrap();
        }
        fs::write(folder.path().join("step-3.jsonl.zst"), "not ours").unwrap();
        assert_eq!(steps(folder.path()).unwrap().into_keys().collect::<Vec<_>>(), [2, 10, 1_000_000]);
        remove_after(folder.path(), 2).unwrap();
        assert_eq!(steps(folder.path()).unwrap().into_keys().collect::<Vec<_>>(), [2]);
        assert!(folder.path().join("step-3.jsonl.zst").exists());
        assert!(steps(&folder.path().join("none")).unwrap().is_empty());
    }

    #[test]
    fn bad_lines_are_named_with_file_and_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl.zst");
        let text = format!("{}\n{{\"step\": 1}}\n", serde_json::to_string(&entry(0)).unwrap());
        fs::write(&path, zstd::encode_all(text.as_bytes(), 1).unwrap()).unwrap();
        let mut reader = RolloutReader::open(&path).unwrap();
        assert!(reader.next().unwrap().is_ok());
        let words = reader.next().unwrap().unwrap_err().to_string();
        assert!(words.contains("x.jsonl.zst:2: expected a rollout"), "{words}");
        assert!(reader.next().is_none());

        fs::write(&path, "plain text").unwrap();
        let words = RolloutReader::open(&path).unwrap().next().unwrap().unwrap_err().to_string();
        assert!(words.contains("x.jsonl.zst"), "{words}");
    }

    #[test]
    fn a_truncated_file_is_an_error_and_not_a_shorter_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = write_step(folder.path(), 1, &(0..50).map(entry).collect::<Vec<_>>()).unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        assert!(RolloutReader::open(&path).unwrap().any(|line| line.is_err()));
    }
}
