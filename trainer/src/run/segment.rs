//! The frames that journal segments are made of, and how a torn end is told from damage.
//!
//! A frame is `length: u32, durable: u64, crc32c: u32, payload`, little-endian. `durable` is how much of the segment
//! was known to be on the disk when the frame was made; the checksum covers length, durable and payload. The first
//! frame's payload is the segment's [`Header`], which names the segment before it and its length.
//!
//! A frame that does not check out may be a crash's torn end: what was being written may be there in any part. It is
//! damage if a later frame, or the next segment's header, says that it was durable once.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

const PREFIX: usize = 16;
/// Changes when old journals cannot be read any more.
const VERSION: u32 = 1;

/// The first frame of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    journal: u32,
    /// The segment before this one, when this one was begun.
    pub(super) previous: Option<Previous>,
}

/// The segment before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Previous {
    /// Its step.
    pub(super) step: u64,
    /// How long it was at least, all of it durable.
    pub(super) bytes: u64,
}

/// A segment that is not as it was written.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// A record that was durable does not check out.
    #[error("{}: the record at byte {offset} is damaged, and whole records follow it. {RESTORE}", path.display())]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
    },
    /// Durable records are missing at the end.
    #[error("{}: expected at least {expected} bytes of whole records, found {found}. {RESTORE}", path.display())]
    Shortened {
        /// The segment.
        path: PathBuf,
        /// What the next segment says.
        expected: u64,
        /// What is whole.
        found: u64,
    },
    /// A record checks out but is none of this version's.
    #[error("{}: the record at byte {offset} is whole but not one that this version of polestar knows: {reason}. \
             Resume with the version that wrote the run (plan.json names it)", path.display())]
    Unknown {
        /// The segment.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
        /// What the parser said.
        reason: String,
    },
}

const RESTORE: &str = "The disk or something else changed it. Restore it from a copy of the run folder, or delete \
                       the journal folder to resume from the last checkpoint and ask for verdicts anew";

/// A segment's whole frames.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    /// The first frame; none in a segment that is empty or torn before its first frame's end.
    pub(super) header: Option<Header>,
    /// The other frames: offset and payload.
    pub(super) payloads: Vec<(u64, &'a [u8])>,
    /// Where the whole frames end; what follows is a torn end.
    pub(super) num_whole: u64,
}

/// A frame around `payload`, made when the first `durable` bytes of the segment were on the disk.
pub(super) fn frame(payload: &[u8], durable: u64) -> Vec<u8> {
    let mut frame = Vec::with_capacity(PREFIX + payload.len());
    // A payload is one record; 4 GiB of one response's ids do not exist.
    frame.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    frame.extend_from_slice(&durable.to_le_bytes());
    let crc = crc32c::crc32c_append(crc32c::crc32c(&frame), payload);
    frame.extend_from_slice(&crc.to_le_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// The first frame of a segment that is begun after `previous`.
pub(super) fn header(previous: Option<Previous>) -> Vec<u8> {
    // A struct of two integers and no map always serializes; an empty payload would be refused at reading.
    let payload = serde_json::to_vec(&Header { journal: VERSION, previous }).unwrap_or_default();
    frame(&payload, 0)
}

/// Takes a segment apart.
///
/// # Errors
/// When a frame does not check out that was durable once, or the header is of another version.
pub(super) fn scan<'a>(path: &Path, content: &'a [u8]) -> Result<Scan<'a>, SegmentError> {
    let mut payloads = Vec::new();
    let mut at = 0;
    while let Some(frame) = frame_at(content, at) {
        payloads.push((at as u64, frame.payload));
        at = frame.end;
    }
    let was_durable = || {
        (at + 1..content.len())
            .filter_map(|later| frame_at(content, later))
            .any(|frame| frame.durable > at as u64)
    };
    if at < content.len() && was_durable() {
        return Err(SegmentError::Damaged { path: path.to_path_buf(), offset: at as u64 });
    }
    let header =
        if payloads.is_empty() { None } else { Some(parse::<Header>(path, 0, payloads.remove(0).1)?) };
    if let Some(Header { journal, .. }) = header.filter(|header| header.journal != VERSION) {
        let reason = format!("expected journal version {VERSION}, found {journal}");
        return Err(SegmentError::Unknown { path: path.to_path_buf(), offset: 0, reason });
    }
    Ok(Scan { header, payloads, num_whole: at as u64 })
}

/// A whole frame's payload as what it should be.
///
/// # Errors
/// When it is not JSON of that kind, which its checksum makes the work of another version, not of the disk.
pub(super) fn parse<T: serde::de::DeserializeOwned>(
    path: &Path,
    offset: u64,
    payload: &[u8],
) -> Result<T, SegmentError> {
    serde_json::from_slice(payload).map_err(|error| SegmentError::Unknown {
        path: path.to_path_buf(),
        offset,
        reason: error.to_string(),
    })
}

struct Frame<'a> {
    payload: &'a [u8],
    durable: u64,
    end: usize,
}

/// The whole frame that begins at `at`, if one does. Every payload is a JSON object; checking its first byte before
/// its checksum keeps the search for frames in a torn end fast, and rejects the zeros that a crash may leave.
fn frame_at(content: &[u8], at: usize) -> Option<Frame<'_>> {
    let rest = content.get(at..)?;
    let (prefix, rest) = rest.split_first_chunk::<PREFIX>()?;
    let (covered, crc) = prefix.split_at(PREFIX - 4);
    let (length, durable) = covered.split_at(4);
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    let payload = rest.get(..length).filter(|payload| payload.first() == Some(&b'{'))?;
    let found = crc32c::crc32c_append(crc32c::crc32c(covered), payload);
    if found != u32::from_le_bytes(crc.try_into().ok()?) {
        return None;
    }
    Some(Frame { payload, durable: u64::from_le_bytes(durable.try_into().ok()?), end: at + PREFIX + length })
}
