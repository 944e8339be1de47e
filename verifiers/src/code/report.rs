//! What the judge's box says: lines of JSON, of which the last one has the outcome.

use serde::Deserialize;

use crate::error::shorten;

/// Bytes of a report that are read; what is longer is none of ours.
const MOST_BYTES: usize = 16 << 20;
/// Bytes of a text of the report that a verdict shows.
const SHOWN_BYTES: usize = 1000;

/// How the tests ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ending {
    /// All passed.
    Pass,
    /// Some did not.
    Fail,
    /// The solution does not compile, or raises while it is loaded.
    LoadError,
    /// The solution's box does not answer any more, or not as it should.
    Gone,
    /// The tests are at fault by themselves.
    TestError,
}

/// The last line.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Outcome {
    #[serde(rename = "outcome")]
    pub(super) ending: Ending,
    pub(super) passed: u64,
    pub(super) total: u64,
    /// The share of the tests that passed, where each statement of a test counts the same.
    pub(super) share: f64,
    /// The source of the first test that failed.
    pub(super) test: Option<String>,
    pub(super) message: Option<String>,
    /// The type of the exception that the solution raised.
    pub(super) raised: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Last(Outcome),
    At { at: String },
}

/// What was said so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    bytes: Vec<u8>,
    /// Up to here lines were read.
    read: usize,
    /// The test that runs.
    pub(super) at: Option<String>,
    pub(super) outcome: Option<Outcome>,
}

impl Report {
    /// Takes in what came.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        if self.bytes.len() + bytes.len() > MOST_BYTES {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        while let Some(length) = self.bytes[self.read..].iter().position(|byte| *byte == b'\n') {
            let line = &self.bytes[self.read..self.read + length];
            match serde_json::from_slice(line) {
                Ok(Line::Last(outcome)) => self.outcome = self.outcome.take().or(Some(outcome)),
                Ok(Line::At { at }) => self.at = Some(at),
                Err(_) => {}
            }
            self.read += length + 1;
        }
    }

    /// The test that ran last, to be put behind what happened; empty where none did.
    pub(super) fn during(&self) -> String {
        self.at.as_ref().map_or_else(String::new, |test| format!(" during {}", quoted(test)))
    }
}

impl Outcome {
    /// The test that failed, and how.
    pub(super) fn told(&self) -> String {
        let message = shorten(self.message.as_deref().unwrap_or("no reason was given"), SHOWN_BYTES);
        match &self.test {
            Some(test) => format!("{}: {message}", quoted(test)),
            None => message,
        }
    }
}

/// A test as a verdict shows it: on one line.
fn quoted(test: &str) -> String {
    let line = test.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("`{}`", shorten(&line, SHOWN_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_come_and_the_first_outcome_counts() {
        let mut report = Report::default();
        report.add(b"{\"at\": \"assert f(1)\\n == 2\", \"n\": 1}\n{\"outcome\": \"fail\", \"pass");
        assert_eq!(report.during(), " during `assert f(1) == 2`");
        assert!(report.outcome.is_none());
        report.add(b"ed\": 1, \"total\": 3, \"share\": 0.3, \"test\": \"assert f(1)\", \"message\": \"no\", \"raised\": null, \"calls\": 2}\n");
        report.add(b"rubbish\n{\"outcome\": \"pass\", \"passed\": 3, \"total\": 3, \"share\": 1, \"test\": null, \"message\": \"\"}\n");
        let outcome = report.outcome.unwrap();
        assert_eq!((outcome.ending, outcome.passed, outcome.total), (Ending::Fail, 1, 3));
        assert_eq!(outcome.told(), "`assert f(1)`: no");
    }

    #[test]
    fn endless_reports_are_not_kept() {
        let mut report = Report::default();
        for _ in 0..40 {
            report.add(&[b'x'; 1 << 20]);
        }
        assert!(report.bytes.len() <= MOST_BYTES && report.outcome.is_none());
    }
}
