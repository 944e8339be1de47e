//! `metrics.jsonl` and `timings.jsonl`: one JSON record a step.
//!
//! The first holds only what repeats exactly: two runs of one recipe, or a run that was killed and resumed, write the
//! same bytes. The second holds what differs from run to run: seconds, rates, memory. The type of a name,
//! [`Metric`] or [`Timing`], says in which file its value belongs; [`super::metric_names`] has them all.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::atomic::{AppendLog, WriteError};
use super::metric_names::{Metric, Name, Timing};

/// The file of what repeats exactly.
pub const METRICS_FILE: &str = "metrics.jsonl";
/// The file of what differs from run to run.
pub const TIMINGS_FILE: &str = "timings.jsonl";

/// What a step measured, for [`METRICS_FILE`].
pub type StepMetrics = StepRecord<Metric>;
/// What a step took, for [`TIMINGS_FILE`].
pub type StepTimings = StepRecord<Timing>;

/// Named values of one step. It serializes with `step` first and the names sorted after it.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRecord<N> {
    step: u64,
    values: BTreeMap<N, MetricValue>,
}

/// A number: counts stay integers in the files. NaN and infinities are written as null.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MetricValue {
    /// A count.
    Count(u64),
    /// A measurement.
    Real(f64),
}

impl MetricValue {
    /// As a float; a count above 2^53 is rounded.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Real(value) => value,
        }
    }
}

impl From<f64> for MetricValue {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<u64> for MetricValue {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for MetricValue {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

impl From<MetricValue> for Value {
    fn from(value: MetricValue) -> Self {
        match value {
            MetricValue::Count(count) => count.into(),
            MetricValue::Real(value) => Number::from_f64(value).map_or(Self::Null, Self::Number),
        }
    }
}

impl<N: Name> StepRecord<N> {
    /// A step's record, without values yet.
    #[must_use]
    pub fn new(step: u64) -> Self {
        Self { step, values: BTreeMap::new() }
    }

    /// Sets a value, in place of one of the same name.
    pub fn set(&mut self, name: N, value: impl Into<MetricValue>) -> &mut Self {
        self.values.insert(name, value.into());
        self
    }

    /// The step.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }

    /// The value of a name, if it was set.
    #[must_use]
    pub fn get(&self, name: &N) -> Option<f64> {
        self.values.get(name).map(|value| value.as_f64())
    }

    /// The values by name, for [`StepRecord::from_saved`].
    #[must_use]
    pub fn to_saved(&self) -> Map<String, Value> {
        self.values.iter().map(|(name, value)| (name.as_str().to_owned(), (*value).into())).collect()
    }

    /// Every name and value, by name: what TensorBoard's writer takes.
    pub fn scalars(&self) -> impl Iterator<Item = (&str, f64)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_f64()))
    }
}

impl StepMetrics {
    /// A step's record from what [`StepRecord::to_saved`] gave: it writes the same bytes.
    #[must_use]
    pub fn from_saved(step: u64, values: Map<String, Value>) -> Self {
        let value = |value: Value| match value.as_u64() {
            Some(count) => MetricValue::Count(count),
            None => MetricValue::Real(value.as_f64().unwrap_or(f64::NAN)),
        };
        let values = values.into_iter().map(|(name, saved)| (Metric::saved(name), value(saved))).collect();
        Self { step, values }
    }
}

impl<N: Name> Serialize for StepRecord<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let step = std::iter::once(("step", Value::from(self.step)));
        serializer
            .collect_map(step.chain(self.values.iter().map(|(name, value)| (name.as_str(), (*value).into()))))
    }
}

/// A metrics file that cannot be written or is not as it was written.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// Writing failed.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A file cannot be read.
    #[error("cannot read {}: {source}. Check the path and its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A line is not a record.
    #[error("{}:{line}: expected a JSON object with a `step`, found {found}. Correct or remove the line: later steps \
             cannot be told from earlier ones without it", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What stands there instead.
        found: String,
    },
    /// A step out of order.
    #[error("{}: expected a step after {last}, found step {step}. A resumed run cuts the file to the last committed \
             step first (`truncate_after`)", path.display())]
    Order {
        /// The file.
        path: PathBuf,
        /// The last step in the file.
        last: u64,
        /// The step that was to be written.
        step: u64,
    },
}

/// Appends to the two files of a run folder.
#[derive(Debug)]
pub struct MetricsWriter {
    metrics: RecordLog,
    timings: RecordLog,
}

impl MetricsWriter {
    /// Opens both files of `run_dir`, made empty if they are not there.
    ///
    /// # Errors
    /// When a file cannot be opened, or holds a line that is not a record.
    pub fn open(run_dir: &Path) -> Result<Self, MetricsError> {
        let open = |name| RecordLog::open(&run_dir.join(name));
        Ok(Self { metrics: open(METRICS_FILE)?, timings: open(TIMINGS_FILE)? })
    }

    /// Writes what a step measured and waits until it is on the disk.
    ///
    /// # Errors
    /// When the step is not after the last one written, or writing fails.
    pub fn metrics(&mut self, metrics: &StepMetrics) -> Result<(), MetricsError> {
        self.metrics.append(metrics)
    }

    /// Writes what a step took, likewise. A step whose end was cut off may have none.
    ///
    /// # Errors
    /// As [`MetricsWriter::metrics`].
    pub fn timings(&mut self, timings: &StepTimings) -> Result<(), MetricsError> {
        self.timings.append(timings)
    }

    /// Cuts both files to the records up to `step`, the last one committed, so that a resumed run goes on there; cuts
    /// a torn last line too. Gives the last step left in [`METRICS_FILE`].
    ///
    /// # Errors
    /// When a file cannot be cut.
    pub fn truncate_after(&mut self, step: u64) -> Result<Option<u64>, MetricsError> {
        self.timings.truncate_after(Some(step))?;
        self.metrics.truncate_after(Some(step))
    }

    /// Empties both files: for a run that has not committed any step.
    ///
    /// # Errors
    /// When a file cannot be cut.
    pub fn truncate_all(&mut self) -> Result<(), MetricsError> {
        self.timings.truncate_after(None)?;
        self.metrics.truncate_after(None)?;
        Ok(())
    }
}

/// Reads the records of a metrics or timings file, each with its `step`, in ascending order; a torn last line is left out.
///
/// # Errors
/// When the file cannot be read, or a line that is not torn is not a record.
pub fn read_records(path: &Path) -> Result<Vec<Map<String, Value>>, MetricsError> {
    let content = fs::read(path).map_err(|source| MetricsError::Read { path: path.to_path_buf(), source })?;
    Ok(parse(path, &content)?.into_iter().map(|line| line.values).collect())
}

#[derive(Debug)]
struct RecordLog {
    log: AppendLog,
    /// Step and end of each record in the file.
    ends: Vec<(u64, u64)>,
}

impl RecordLog {
    fn open(path: &Path) -> Result<Self, MetricsError> {
        let mut log = AppendLog::open(path)?;
        let content =
            fs::read(path).map_err(|source| MetricsError::Read { path: path.to_path_buf(), source })?;
        let ends: Vec<_> = parse(path, &content)?.into_iter().map(|line| (line.step, line.end)).collect();
        let num_whole = ends.last().map_or(0, |(_, end)| *end);
        if num_whole < log.committed_len() {
            log.truncate_to(num_whole)?;
        }
        Ok(Self { log, ends })
    }

    fn append<N: Name>(&mut self, record: &StepRecord<N>) -> Result<(), MetricsError> {
        let step = record.step;
        if let Some((last, _)) = self.ends.last().filter(|(last, _)| *last >= step) {
            return Err(MetricsError::Order { path: self.log.path().to_path_buf(), last: *last, step });
        }
        // Strings and numbers serialize; Display of a Value cannot fail.
        self.log.append(format!("{}\n", serde_json::json!(record)).as_bytes());
        if let Err(error) = self.log.commit() {
            self.log.discard(); // Another try would append it again.
            return Err(error.into());
        }
        self.ends.push((step, self.log.committed_len()));
        Ok(())
    }

    fn truncate_after(&mut self, step: Option<u64>) -> Result<Option<u64>, MetricsError> {
        let num_kept = step.map_or(0, |step| self.ends.partition_point(|(kept, _)| *kept <= step));
        self.ends.truncate(num_kept);
        let last = self.ends.last();
        self.log.truncate_to(last.map_or(0, |(_, end)| *end))?;
        Ok(last.map(|(step, _)| *step))
    }
}

struct Line {
    step: u64,
    end: u64,
    values: Map<String, Value>,
}

/// The records of a file, without a torn last line (one that no newline ends).
fn parse(path: &Path, content: &[u8]) -> Result<Vec<Line>, MetricsError> {
    let mut lines: Vec<Line> = Vec::new();
    let mut end = 0;
    for (index, text) in content.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if text.last() != Some(&b'\n') {
            break;
        }
        end += text.len() as u64;
        let fail = |found| MetricsError::Line { path: path.to_path_buf(), line: index + 1, found };
        let values: Map<String, Value> =
            serde_json::from_slice(text).map_err(|error| fail(format!("something else ({error})")))?;
        let step = values.get("step").and_then(Value::as_u64).ok_or_else(|| fail("no step number".into()))?;
        if let Some(last) = lines.last().filter(|last| last.step >= step) {
            return Err(fail(format!("step {step} after step {}", last.step)));
        }
        lines.push(Line { step, end, values });
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::metric_names as names;
    use super::*;

    fn metrics(step: u64) -> StepMetrics {
        let mut metrics = StepMetrics::new(step);
        metrics
            .set(names::REWARD, 0.1 + 0.2)
            .set(names::NUM_TOKENS, 12_345_usize)
            .set(names::KL, f64::NAN)
            .set(names::ENTROPY, f64::NEG_INFINITY)
            .set(names::verifier_mean("math"), 1.0);
        metrics
    }

    fn timings(step: u64) -> StepTimings {
        let mut timings = StepTimings::new(step);
        timings.set(names::STEP_TIME, 1.5);
        timings
    }

    fn record(writer: &mut MetricsWriter, step: u64) -> Result<(), MetricsError> {
        writer.metrics(&metrics(step))?;
        writer.timings(&timings(step))
    }

    fn write(run_dir: &Path, steps: std::ops::Range<u64>) {
        let mut writer = MetricsWriter::open(run_dir).unwrap();
        for step in steps {
            record(&mut writer, step).unwrap();
        }
    }

    #[test]
    fn a_record_has_its_step_first_sorted_names_and_null_for_what_is_no_number() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 1..2);
        let text = fs::read_to_string(folder.path().join(METRICS_FILE)).unwrap();
        assert_eq!(
            text,
            "{\"step\":1,\"entropy\":null,\"kl\":null,\"num_tokens\":12345,\"reward\":0.30000000000000004,\
             \"rewards/math/mean\":1.0}\n"
        );
        let text = fs::read_to_string(folder.path().join(TIMINGS_FILE)).unwrap();
        assert_eq!(text, "{\"step\":1,\"step_time\":1.5}\n");
        assert_eq!(metrics(1).get(&names::REWARD), Some(0.1 + 0.2));
        assert_eq!(metrics(1).get(&names::LOSS), None);
        assert!(metrics(1).scalars().map(|(name, _)| name).is_sorted());
    }

    #[test]
    fn a_resumed_run_writes_the_bytes_of_one_never_killed() {
        let (whole, resumed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(whole.path(), 1..6);
        write(resumed.path(), 1..5);
        let mut writer = MetricsWriter::open(resumed.path()).unwrap();
        assert_eq!(writer.truncate_after(3).unwrap(), Some(3));
        for step in 4..6 {
            record(&mut writer, step).unwrap();
        }
        for name in [METRICS_FILE, TIMINGS_FILE] {
            assert_eq!(
                fs::read(whole.path().join(name)).unwrap(),
                fs::read(resumed.path().join(name)).unwrap()
            );
        }
        assert_eq!(writer.truncate_after(9).unwrap(), Some(5));
        assert_eq!(writer.truncate_after(0).unwrap(), None);
        record(&mut writer, 0).unwrap();
        writer.truncate_all().unwrap();
        assert_eq!(fs::read(resumed.path().join(METRICS_FILE)).unwrap(), b"");
    }

    #[test]
    fn a_line_torn_anywhere_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 1..3);
        let path = folder.path().join(METRICS_FILE);
        let whole = fs::read(&path).unwrap();
        let first = whole.len() / 2;
        for len in first..whole.len() {
            fs::write(&path, &whole[..len]).unwrap();
            assert_eq!(read_records(&path).unwrap().len(), 1);
            drop(MetricsWriter::open(folder.path()).unwrap());
            assert_eq!(fs::read(&path).unwrap(), whole[..first], "torn at {len}");
        }
        assert_eq!(read_records(&path).unwrap()[0]["reward"], 0.1 + 0.2);
    }

    #[test]
    fn a_saved_record_writes_the_same_bytes() {
        let saved = serde_json::to_string(&metrics(3).to_saved()).unwrap();
        let again = StepMetrics::from_saved(3, serde_json::from_str(&saved).unwrap());
        assert_eq!(serde_json::json!(again).to_string(), serde_json::json!(metrics(3)).to_string());
    }

    #[test]
    fn steps_only_go_up() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 1..3);
        let mut writer = MetricsWriter::open(folder.path()).unwrap();
        let words = record(&mut writer, 2).unwrap_err().to_string();
        assert!(words.contains("expected a step after 2, found step 2"), "{words}");
    }

    #[test]
    fn a_bad_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(METRICS_FILE);
        for (bad, found) in [
            ("{]", "something else"),
            ("{\"step\":-1}", "no step number"),
            ("{\"step\":1}", "step 1 after step 1"),
        ] {
            fs::write(&path, format!("{{\"step\":1}}\n{bad}\n")).unwrap();
            let words = MetricsWriter::open(folder.path()).unwrap_err().to_string();
            assert!(words.contains("metrics.jsonl:2:") && words.contains(found), "{words}");
        }
    }
}
