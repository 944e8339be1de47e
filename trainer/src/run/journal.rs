//! The journal: an append-only record of each step's problems, rollouts and verdicts, so that a run killed inside a
//! step does not ask a judge twice, and so that a resumed run can be compared with what the killed one did.
//!
//! `journal/step-000040.journal` is the segment of step 40: frames, one after another, written by [`segment`]. A
//! process that dies while writing leaves a torn end, which [`Journal::open`] cuts. Damage anywhere else is an error:
//! a record that was once durable never disappears silently.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::atomic::{AppendLog, WriteError};
use super::segment::{self, Scan, SegmentError};
use crate::rollout::{Finish, TokenId, WeightVersion};
use crate::seeds::Purpose;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// A step began with these problems. A step that is done over begins again.
    StepStarted {
        /// The step.
        step: u64,
        /// The problems' ids, in the order in which they are sampled.
        problems: Vec<String>,
    },
    /// A response was sampled.
    Rollout {
        /// The step.
        step: u64,
        /// The problem's id.
        problem: String,
        /// The sample's index within its group.
        sample: u64,
        /// What it was sampled for.
        purpose: Purpose,
        /// The response's token ids.
        ids: Vec<TokenId>,
        /// Aligned with `ids`, nats; stored as the exact bits.
        #[serde(with = "f32_bits")]
        logprobs: Vec<f32>,
        /// Why it ended.
        finish: Finish,
        /// The weights that sampled it.
        version: WeightVersion,
    },
    /// A judge answered.
    Verdict {
        /// The step.
        step: u64,
        /// The problem's id.
        problem: String,
        /// The sample's index within its group.
        sample: u64,
        /// What the rollout was sampled for.
        purpose: Purpose,
        /// [`rollout_sha256`] of the rollout that was judged.
        rollout_sha256: String,
        /// The verdict, as the verifiers serialize it.
        verdict: serde_json::Value,
    },
    /// A step is done: its update was applied and its metrics are durable.
    StepCommitted {
        /// The step.
        step: u64,
        /// Optimizer steps so far.
        update_step: u64,
        /// The hash of the weights after the step.
        weights_sha256: String,
    },
}

impl Record {
    /// The step that the record belongs to.
    #[must_use]
    pub fn step(&self) -> u64 {
        match self {
            Self::StepStarted { step, .. }
            | Self::Rollout { step, .. }
            | Self::Verdict { step, .. }
            | Self::StepCommitted { step, .. } => *step,
        }
    }
}

/// What names a rollout's content in the journal: the SHA-256, in hex, of its token ids as little-endian u32.
#[must_use]
pub fn rollout_sha256(ids: &[TokenId]) -> String {
    let mut hash = Sha256::new();
    for id in ids {
        hash.update(id.to_le_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A step that the journal says is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The step.
    pub step: u64,
    /// Optimizer steps so far.
    pub update_step: u64,
    /// The hash of the weights after the step.
    pub weights_sha256: String,
}

/// A torn end that was cut off when the journal was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The segment.
    pub path: PathBuf,
    /// Where the whole records end.
    pub offset: u64,
    /// How many bytes were cut.
    pub num_bytes: u64,
}

/// A journal that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Writing failed.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A segment is damaged or from another version.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// A segment cannot be read.
    #[error("cannot read {}: {source}. Check the path and its permissions", path.display())]
    Read {
        /// The segment or the journal's folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A segment that another one follows is not there.
    #[error("{} is missing: {} was begun after it. Restore it from a copy of the run folder, or delete the journal \
             folder to resume from the last checkpoint and ask for verdicts anew", missing.display(), next.display())]
    Missing {
        /// The segment that should be there.
        missing: PathBuf,
        /// The one that says so.
        next: PathBuf,
    },
    /// A record that cannot be written as JSON; no record of ours is such, but a verdict's own serializer may fail.
    #[error("cannot serialize a journal record of step {step}: {source}")]
    Serialize {
        /// The record's step.
        step: u64,
        /// What serde said.
        source: serde_json::Error,
    },
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct VerdictKey {
    problem: String,
    sample: u64,
    purpose: Purpose,
    rollout_sha256: String,
}

#[derive(Debug, Default)]
struct StepIndex {
    verdicts: HashMap<VerdictKey, serde_json::Value>,
    committed: Option<Committed>,
}

/// The journal of one run folder, open for appending. One process at a time may hold it.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    /// What is known of each step that has a segment.
    steps: BTreeMap<u64, StepIndex>,
    current: Option<(u64, AppendLog)>,
    cuts: Vec<Cut>,
}

impl Journal {
    /// Opens the journal in `folder`, made if it is not there; reads every segment and cuts torn ends.
    ///
    /// # Errors
    /// When the folder cannot be read or written, or a segment is damaged elsewhere than at its torn end.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        fs::create_dir_all(folder)
            .map_err(|error| WriteError::new("create the folder", folder, None, error))?;
        let mut journal =
            Self { folder: folder.to_path_buf(), steps: BTreeMap::new(), current: None, cuts: Vec::new() };
        let mut previous: Option<(u64, u64)> = None;
        for (step, path) in segments(folder)? {
            previous = Some((step, journal.load(step, &path, previous)?));
        }
        Ok(journal)
    }

    /// Reads one segment, given the step and length of the one before it; gives its length without a torn end.
    fn load(&mut self, step: u64, path: &Path, previous: Option<(u64, u64)>) -> Result<u64, JournalError> {
        let content = read(path)?;
        let Scan { header, payloads, num_whole } = segment::scan(path, &content)?;
        if let (Some(named), Some((found_step, found_len))) =
            (header.and_then(|header| header.previous), previous)
        {
            let named_path = segment_path(&self.folder, named.step);
            if named.step > found_step {
                return Err(JournalError::Missing { missing: named_path, next: path.to_path_buf() });
            }
            if named.step == found_step && named.bytes > found_len {
                let error =
                    SegmentError::Shortened { path: named_path, expected: named.bytes, found: found_len };
                return Err(error.into());
            }
        }
        let index = self.steps.entry(step).or_default();
        for (offset, payload) in payloads {
            index.add(segment::parse(path, offset, payload)?);
        }
        if num_whole < content.len() as u64 {
            AppendLog::open(path)?.truncate_to(num_whole)?;
            let num_bytes = content.len() as u64 - num_whole;
            self.cuts.push(Cut { path: path.to_path_buf(), offset: num_whole, num_bytes });
        }
        Ok(num_whole)
    }

    /// The torn ends that were cut when the journal was opened: worth a line in the log.
    #[must_use]
    pub fn cuts(&self) -> &[Cut] {
        &self.cuts
    }

    /// Adds a record, durable after the next [`sync`](Self::sync). A record of another step than the last one's syncs
    /// what came before.
    ///
    /// # Errors
    /// When the segment cannot be opened, or the sync fails.
    pub fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        let step = record.step();
        let payload =
            serde_json::to_vec(record).map_err(|source| JournalError::Serialize { step, source })?;
        let log = self.log_of(step)?;
        let frame = segment::frame(&payload, log.committed_len());
        log.append(&frame);
        self.steps.entry(step).or_default().add(record.clone());
        Ok(())
    }

    fn log_of(&mut self, step: u64) -> Result<&mut AppendLog, JournalError> {
        if self.current.as_ref().is_none_or(|(current, _)| *current != step) {
            self.sync()?;
            let path = segment_path(&self.folder, step);
            if !path.exists() {
                self.drop_after(step)?;
            }
            let mut log = AppendLog::open(&path)?;
            if log.committed_len() == 0 {
                log.append(&segment::header(self.previous_of(step)?));
            }
            self.current = Some((step, log));
        }
        // Set to this step just above, if it was not before.
        #[allow(clippy::expect_used)]
        let (_, log) = self.current.as_mut().expect("the segment was opened above");
        Ok(log)
    }

    /// Removes later segments, which exist when a run goes back further than the journal does: they were not begun
    /// after the segment that is about to be.
    fn drop_after(&mut self, step: u64) -> Result<(), JournalError> {
        // The newest first: a death in between leaves segments that follow each other.
        while let Some(&later) = self.steps.range(step + 1..).next_back().map(|(later, _)| later) {
            self.remove(later)?;
        }
        Ok(())
    }

    fn remove(&mut self, step: u64) -> Result<(), JournalError> {
        let path = segment_path(&self.folder, step);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(WriteError::new("remove", &path, None, error).into())
            }
            _ => {
                self.steps.remove(&step);
                Ok(())
            }
        }
    }

    /// The last segment before `step` and its length now, which is durable.
    fn previous_of(&self, step: u64) -> Result<Option<segment::Previous>, JournalError> {
        let Some((&previous, _)) = self.steps.range(..step).next_back() else { return Ok(None) };
        let path = segment_path(&self.folder, previous);
        let bytes = fs::metadata(&path).map_err(|source| JournalError::Read { path, source })?.len();
        Ok(Some(segment::Previous { step: previous, bytes }))
    }

    /// Waits until every record appended so far is on the disk.
    ///
    /// # Errors
    /// When writing fails; the records stay pending and the next sync tries again.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        if let Some((_, log)) = &mut self.current {
            log.commit()?;
        }
        Ok(())
    }

    /// The verdict on a rollout, if a judge has given it before, whether or not the step was committed.
    #[must_use]
    pub fn verdict(
        &self,
        step: u64,
        problem: &str,
        sample: u64,
        purpose: Purpose,
        rollout_sha256: &str,
    ) -> Option<&serde_json::Value> {
        let (problem, rollout_sha256) = (problem.to_owned(), rollout_sha256.to_owned());
        self.steps.get(&step)?.verdicts.get(&VerdictKey { problem, sample, purpose, rollout_sha256 })
    }

    /// The commit of `step`, if it is in the journal; of a step done over, the last one.
    #[must_use]
    pub fn committed(&self, step: u64) -> Option<&Committed> {
        self.steps.get(&step)?.committed.as_ref()
    }

    /// The last step that the journal says is done.
    #[must_use]
    pub fn last_committed(&self) -> Option<&Committed> {
        self.steps.values().rev().find_map(|index| index.committed.as_ref())
    }

    /// Every durable record of a step, in the order in which it was appended; none if the step has no segment.
    ///
    /// # Errors
    /// When the segment cannot be read or is damaged.
    pub fn records(&self, step: u64) -> Result<Vec<Record>, JournalError> {
        let path = segment_path(&self.folder, step);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let content = read(&path)?;
        let payloads = segment::scan(&path, &content)?.payloads;
        Ok(payloads
            .into_iter()
            .map(|(offset, payload)| segment::parse(&path, offset, payload))
            .collect::<Result<_, _>>()?)
    }

    /// Removes the segments of steps before `from_step`: those that a checkpoint makes needless.
    ///
    /// # Errors
    /// When a segment cannot be removed.
    pub fn retain(&mut self, from_step: u64) -> Result<(), JournalError> {
        if self.current.as_ref().is_some_and(|(step, _)| *step < from_step) {
            self.sync()?;
            self.current = None;
        }
        // The oldest first: a death in between leaves a journal that begins later.
        while let Some(&step) = self.steps.range(..from_step).next().map(|(step, _)| step) {
            self.remove(step)?;
        }
        Ok(())
    }
}

impl StepIndex {
    fn add(&mut self, record: Record) {
        match record {
            Record::Verdict { problem, sample, purpose, rollout_sha256, verdict, .. } => {
                self.verdicts.insert(VerdictKey { problem, sample, purpose, rollout_sha256 }, verdict);
            }
            Record::StepCommitted { step, update_step, weights_sha256 } => {
                self.committed = Some(Committed { step, update_step, weights_sha256 });
            }
            Record::StepStarted { .. } | Record::Rollout { .. } => {}
        }
    }
}

fn segment_path(folder: &Path, step: u64) -> PathBuf {
    folder.join(format!("step-{step:06}.journal"))
}

/// The segments by step; other files are not ours and are left alone.
fn segments(folder: &Path) -> Result<BTreeMap<u64, PathBuf>, JournalError> {
    let fail = |source| JournalError::Read { path: folder.to_path_buf(), source };
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let step = name.strip_prefix("step-").and_then(|rest| rest.strip_suffix(".journal")?.parse().ok());
        if let Some(step) = step.filter(|step| segment_path(folder, *step) == path) {
            found.insert(step, path);
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, JournalError> {
    fs::read(path).map_err(|source| JournalError::Read { path: path.to_path_buf(), source })
}

/// `f32`s as one string of eight hex digits each: exact for every value, NaN and infinities included.
mod f32_bits {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(values: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
        let digits: String = values.iter().map(|value| format!("{:08x}", value.to_bits())).collect();
        serializer.serialize_str(&digits)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
        let digits = String::deserialize(deserializer)?;
        if digits.len() % 8 != 0 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(D::Error::custom("expected eight hex digits for each log-probability"));
        }
        (0..digits.len() / 8)
            .map(|i| {
                u32::from_str_radix(&digits[8 * i..8 * i + 8], 16)
                    .map(f32::from_bits)
                    .map_err(D::Error::custom)
            })
            .collect()
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
