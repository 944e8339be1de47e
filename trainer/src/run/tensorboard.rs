//! TensorBoard event files: TFRecord frames around hand-encoded protobuf messages, as few of each as a run needs
//! (scalars, histograms, and the mark that makes TensorBoard forget what a resumed run does over).
//!
//! The messages are `Event`, `Summary` and `HistogramProto` of TensorFlow's `event.proto`, `summary.proto` and
//! `histogram.proto`; the numbers in [`field`] are theirs. `scripts/check_tensorboard.py` reads a run's files with
//! TensorBoard's own reader and compares them with `metrics.jsonl`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::atomic::WriteError;

/// Field numbers of the protobuf messages.
mod field {
    pub(super) const EVENT_WALL_TIME: u64 = 1;
    pub(super) const EVENT_STEP: u64 = 2;
    pub(super) const EVENT_FILE_VERSION: u64 = 3;
    pub(super) const EVENT_SUMMARY: u64 = 5;
    pub(super) const EVENT_SESSION_LOG: u64 = 7;
    pub(super) const SUMMARY_VALUE: u64 = 1;
    pub(super) const VALUE_TAG: u64 = 1;
    pub(super) const VALUE_SIMPLE: u64 = 2;
    pub(super) const VALUE_HISTOGRAM: u64 = 5;
    pub(super) const SESSION_STATUS: u64 = 1;
    pub(super) const HISTOGRAM_MIN: u64 = 1;
    pub(super) const HISTOGRAM_MAX: u64 = 2;
    pub(super) const HISTOGRAM_NUM: u64 = 3;
    pub(super) const HISTOGRAM_SUM: u64 = 4;
    pub(super) const HISTOGRAM_SUM_SQUARES: u64 = 5;
    pub(super) const HISTOGRAM_LIMITS: u64 = 6;
    pub(super) const HISTOGRAM_COUNTS: u64 = 7;
}

/// `SessionLog.SessionStatus.START`.
const SESSION_START: u64 = 1;
/// From this version on, TensorBoard goes by session starts to find what was done over.
const FILE_VERSION: &str = "brain.Event:2";
/// TensorBoard wants `tfevents` in a file's name, and reads a folder's files in the order of their names: the second
/// at which a file was begun, then a number.
const FILE_PREFIX: &str = "events.out.tfevents.";

/// Appends events to one file of a run's `tensorboard/` folder. Each process that runs or resumes makes its own file;
/// TensorBoard joins them.
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: File,
    pending: Vec<u8>,
}

impl EventWriter {
    /// Begins a file in `folder` (made if it is not there), for the steps from `first_step` on. TensorBoard drops what
    /// earlier files of the folder say about those steps.
    ///
    /// # Errors
    /// When the folder or the file cannot be made or written.
    pub fn create(folder: &Path, first_step: u64) -> Result<Self, WriteError> {
        fs::create_dir_all(folder)
            .map_err(|error| WriteError::new("create the folder", folder, None, error))?;
        let now = wall_time();
        let last = last_second(folder).map_err(|error| WriteError::new("list", folder, None, error))?;
        let second = last.unwrap_or(0).max(now as u64);
        let mut number = 0;
        let (path, file) = loop {
            let path = folder.join(format!("{FILE_PREFIX}{second:010}.{number:04}.polestar"));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                file => {
                    let file = file.map_err(|error| WriteError::new("create", &path, None, error))?;
                    break (path, file);
                }
            }
        };
        let mut writer = Self { path, file, pending: Vec::new() };
        writer.push(&file_version_event(now));
        writer.push(&session_start_event(now, first_step));
        writer.flush()?;
        Ok(writer)
    }

    /// Where the file lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a step's scalars, by tag.
    pub fn scalars<'a>(&mut self, step: u64, scalars: impl IntoIterator<Item = (&'a str, f64)>) {
        self.push(&scalars_event(wall_time(), step, scalars));
    }

    /// Adds a histogram.
    pub fn histogram(&mut self, step: u64, tag: &str, histogram: &Histogram) {
        self.push(&histogram_event(wall_time(), step, tag, histogram));
    }

    fn push(&mut self, event: &[u8]) {
        self.pending.extend_from_slice(&record(event));
    }

    /// Hands what was added to the operating system. Call it once a step. Nothing waits for the disk: these files
    /// repeat what `metrics.jsonl` and `timings.jsonl` keep safe, and TensorBoard reads up to a torn end.
    ///
    /// # Errors
    /// When writing fails; what was added is dropped, so that a full disk does not fill the memory too.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        let pending = std::mem::take(&mut self.pending);
        self.file
            .write_all(&pending)
            .map_err(|error| WriteError::new("append to", &self.path, Some(pending.len() as u64), error))
    }
}

/// The latest second in the names of a folder's event files: a new file's must not be earlier, whatever the clock says.
fn last_second(folder: &Path) -> io::Result<Option<u64>> {
    let mut last = None;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let second =
            name.to_str().and_then(|name| name.strip_prefix(FILE_PREFIX)?.split('.').next()?.parse().ok());
        last = last.max(second);
    }
    Ok(last)
}

/// Seconds since 1970.
fn wall_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// Counts of values by size, in buckets whose limits grow by about a tenth of a decade from 1e-12 to 1e12, mirrored
/// for negative values. NaN and infinities are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    min: f64,
    max: f64,
    num: f64,
    sum: f64,
    sum_squares: f64,
    /// Bucket i counts the values from limit i − 1 up to, not including, limit i.
    limits: Vec<f64>,
    counts: Vec<f64>,
}

impl Histogram {
    /// Counts values; none without a finite one.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let limits = bucket_limits();
        let mut counts = vec![0.0; limits.len()];
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut num, mut sum, mut sum_squares) = (0.0, 0.0, 0.0);
        for value in values.into_iter().filter(|value| value.is_finite()) {
            (min, max) = (value.min(min), value.max(max));
            (num, sum, sum_squares) = (num + 1.0, sum + value, sum_squares + value * value);
            let bucket = limits.partition_point(|limit| *limit <= value);
            // The last limit is f64::MAX, which alone is in no bucket below it.
            counts[bucket.min(limits.len() - 1)] += 1.0;
        }
        let first = counts.iter().position(|count| *count > 0.0)?;
        let last = counts.iter().rposition(|count| *count > 0.0)?;
        let (mut kept_limits, mut kept_counts) = (Vec::new(), Vec::<f64>::new());
        // One empty bucket before the first gives TensorBoard its lower edge; a run of empty ones becomes one.
        for i in first.saturating_sub(1)..=last {
            if counts[i] == 0.0 && kept_counts.last() == Some(&0.0) {
                kept_limits.pop();
                kept_counts.pop();
            }
            kept_limits.push(limits[i]);
            kept_counts.push(counts[i]);
        }
        Some(Self { min, max, num, sum, sum_squares, limits: kept_limits, counts: kept_counts })
    }
}

/// In ascending order. Made by one product each, whose rounding is the same on every machine.
fn bucket_limits() -> Vec<f64> {
    const TENTHS: [f64; 10] = [1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.3, 8.0];
    const DECADES: [f64; 24] = [
        1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4,
        1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
    ];
    let positive: Vec<f64> =
        DECADES.into_iter().flat_map(|decade| TENTHS.map(|tenth| tenth * decade)).chain([1e12]).collect();
    let negative = positive.iter().rev().map(|limit| -limit);
    negative.chain([0.0]).chain(positive.iter().copied()).chain([f64::MAX]).collect()
}

/// A TFRecord frame: length, its masked checksum, data, its masked checksum.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut frame = Vec::with_capacity(data.len() + 16);
    frame.extend_from_slice(&length);
    frame.extend_from_slice(&masked_crc(&length).to_le_bytes());
    frame.extend_from_slice(data);
    frame.extend_from_slice(&masked_crc(data).to_le_bytes());
    frame
}

/// CRC-32C, rotated and shifted as TFRecord does it, so that a checksum of data that holds checksums stays useful.
fn masked_crc(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

fn file_version_event(wall_time: f64) -> Vec<u8> {
    let mut event = Message::default();
    event.double(field::EVENT_WALL_TIME, wall_time);
    event.bytes(field::EVENT_FILE_VERSION, FILE_VERSION.as_bytes());
    event.0
}

fn session_start_event(wall_time: f64, first_step: u64) -> Vec<u8> {
    let mut session = Message::default();
    session.varint(field::SESSION_STATUS, SESSION_START);
    let mut event = Message::default();
    event.double(field::EVENT_WALL_TIME, wall_time);
    event.varint(field::EVENT_STEP, first_step);
    event.bytes(field::EVENT_SESSION_LOG, &session.0);
    event.0
}

fn scalars_event<'a>(
    wall_time: f64,
    step: u64,
    scalars: impl IntoIterator<Item = (&'a str, f64)>,
) -> Vec<u8> {
    let mut summary = Message::default();
    for (tag, scalar) in scalars {
        let mut value = Message::default();
        value.bytes(field::VALUE_TAG, tag.as_bytes());
        value.float(field::VALUE_SIMPLE, scalar as f32);
        summary.bytes(field::SUMMARY_VALUE, &value.0);
    }
    summary_event(wall_time, step, &summary)
}

fn histogram_event(wall_time: f64, step: u64, tag: &str, histogram: &Histogram) -> Vec<u8> {
    let mut proto = Message::default();
    proto.double(field::HISTOGRAM_MIN, histogram.min);
    proto.double(field::HISTOGRAM_MAX, histogram.max);
    proto.double(field::HISTOGRAM_NUM, histogram.num);
    proto.double(field::HISTOGRAM_SUM, histogram.sum);
    proto.double(field::HISTOGRAM_SUM_SQUARES, histogram.sum_squares);
    proto.packed_doubles(field::HISTOGRAM_LIMITS, &histogram.limits);
    proto.packed_doubles(field::HISTOGRAM_COUNTS, &histogram.counts);
    let mut value = Message::default();
    value.bytes(field::VALUE_TAG, tag.as_bytes());
    value.bytes(field::VALUE_HISTOGRAM, &proto.0);
    let mut summary = Message::default();
    summary.bytes(field::SUMMARY_VALUE, &value.0);
    summary_event(wall_time, step, &summary)
}

fn summary_event(wall_time: f64, step: u64, summary: &Message) -> Vec<u8> {
    let mut event = Message::default();
    event.double(field::EVENT_WALL_TIME, wall_time);
    event.varint(field::EVENT_STEP, step);
    event.bytes(field::EVENT_SUMMARY, &summary.0);
    event.0
}

/// A protobuf message under construction. A field's key is its number and how its value is laid out.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    const VARINT: u64 = 0;
    const FIXED_64: u64 = 1;
    const LENGTH_DELIMITED: u64 = 2;
    const FIXED_32: u64 = 5;

    fn key(&mut self, field: u64, layout: u64) {
        self.raw_varint(field << 3 | layout);
    }

    /// Seven bits a byte, the lowest first; the high bit says that more follow.
    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn varint(&mut self, field: u64, value: u64) {
        self.key(field, Self::VARINT);
        self.raw_varint(value);
    }

    fn double(&mut self, field: u64, value: f64) {
        self.key(field, Self::FIXED_64);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn float(&mut self, field: u64, value: f32) {
        self.key(field, Self::FIXED_32);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.key(field, Self::LENGTH_DELIMITED);
        self.raw_varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    fn packed_doubles(&mut self, field: u64, values: &[f64]) {
        let packed: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.bytes(field, &packed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A fixed list of events as a file's bytes.
    fn golden_events() -> Vec<u8> {
        let wall_time = 1_700_000_000.25;
        let histogram = Histogram::of([0.0, 0.001, 0.0015, 0.25, f64::NAN]).unwrap();
        [
            file_version_event(wall_time),
            session_start_event(wall_time, 1),
            scalars_event(wall_time, 1, [("reward", 0.5), ("rewards/math/mean", -1.0 / 3.0)]),
            scalars_event(wall_time, 300, [("kl", f64::NAN)]),
            histogram_event(wall_time, 300, "gap", &histogram),
        ]
        .iter()
        .flat_map(|event| record(event))
        .collect()
    }

    /// Bytes that TensorBoard's own reader has read: with them in a file, `EventAccumulator(file).Reload()` of
    /// `tensorboard.backend.event_processing.event_accumulator` (version 2.21.0) gave, all at wall time 1700000000.25:
    /// at step 1 the scalars reward 0.5 and rewards/math/mean -0.3333333432674408; at step 300 the scalar kl nan and the
    /// histogram gap with min 0.0, max 0.25, num 4.0, sum 0.2525, sum_squares 0.06250325,
    /// limits [0, 1e-12, 0.001, 0.00125, 0.0016, 0.25, 0.32000000000000006] and counts [0, 1, 0, 1, 1, 0, 1].
    #[test]
    fn the_bytes_are_those_that_tensorboard_read() {
        let golden = [
            "1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9",
            "0f000000000000006d532b090900001040fc54d94110013a020801d161c2b9",
            "36000000000000004f578cef0900001040fc54d94110012a290a0d0a06726577617264150000003f0a180a1172657761\
             7264732f6d6174682f6d65616e15abaaaabe866211e5",
            "19000000000000008bf108280900001040fc54d94110ac022a0b0a090a026b6c150000c07fdc1359d7",
            "bb00000000000000193b64390900001040fc54d94110ac022aac010aa9010a036761702aa10109000000000000000011\
             000000000000d03f19000000000000104021295c8fc2f528d03f294fcaa4863600b03f3238000000000000000011ea2d\
             819997713dfca9f1d24d62503f7b14ae47e17a543f2d431cebe2365a3f000000000000d03f7c14ae47e17ad43f3a3800\
             00000000000000000000000000f03f0000000000000000000000000000f03f000000000000f03f000000000000000000\
             0000000000f03f332a0bd6",
        ];
        let hex: String = golden_events().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, golden.concat());
    }

    #[test]
    fn a_histogram_counts_every_finite_value_once() {
        assert_eq!(Histogram::of([]), None);
        assert_eq!(Histogram::of([f64::NAN, f64::INFINITY]), None);
        let limits = bucket_limits();
        assert!(limits.is_sorted_by(|a, b| a < b));
        let values = [-1e300, -1.0, -0.0, 0.0, 1e-300, 0.3, 0.3, 1.0, 1e12, f64::MAX];
        let histogram = Histogram::of(values).unwrap();
        assert_eq!((histogram.num, histogram.min, histogram.max), (10.0, -1e300, f64::MAX));
        // Below -1e12; empty; [-1, -0.8); empty; [0, 1e-12); empty; [0.25, 0.32); empty; [1, 1.25); empty; from 1e12.
        assert_eq!(histogram.counts, [1.0, 0.0, 1.0, 0.0, 3.0, 0.0, 2.0, 0.0, 1.0, 0.0, 2.0]);
        assert_eq!(histogram.limits[2], -0.8);
        assert_eq!(histogram.limits[6], 3.2 * 0.1);
    }

    /// The events of a file, each frame's checksums checked.
    fn events(path: &Path) -> Vec<Vec<u8>> {
        let content = fs::read(path).unwrap();
        let mut rest = &content[..];
        let mut events = Vec::new();
        while !rest.is_empty() {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            events.push(rest[12..12 + length].to_vec());
            assert_eq!(record(&events[events.len() - 1]), rest[..16 + length]);
            rest = &rest[16 + length..];
        }
        events
    }

    #[test]
    fn each_process_has_a_file_after_the_last_one_and_says_where_it_begins() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("tensorboard");
        fs::create_dir(&folder).unwrap();
        // Written when the clock stood in the year 2200.
        fs::write(folder.join("events.out.tfevents.7258118400.0000.polestar"), "").unwrap();
        let mut writer = EventWriter::create(&folder, 1).unwrap();
        writer.scalars(1, [("reward", 0.5)]);
        assert_eq!(events(writer.path()).len(), 2, "nothing is written before the flush");
        writer.histogram(1, "gap", &Histogram::of([0.1]).unwrap());
        writer.flush().unwrap();
        assert_eq!(events(writer.path()).len(), 4);
        let resumed = EventWriter::create(&folder, 300).unwrap();
        assert!(resumed.path().ends_with("events.out.tfevents.7258118400.0002.polestar"), "{resumed:?}");
        let start = &events(resumed.path())[1];
        // Step 300 as field 2; then field 7, a message of two bytes: status (field 1) is START (1).
        assert_eq!(start[9..], [0x10, 0xac, 0x02, 0x3a, 0x02, 0x08, 0x01]);
    }

    #[test]
    fn a_failed_flush_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(folder.path(), 1).unwrap();
        writer.file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        writer.scalars(1, [("reward", 0.5)]);
        let words = writer.flush().unwrap_err().to_string();
        assert!(words.contains("tfevents") && words.contains("no space is left"), "{words}");
        writer.flush().unwrap();
    }
}
