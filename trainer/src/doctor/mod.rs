//! What this machine has, what would not work, and the command that mends it.
//!
//! [`examine`] looks at everything; each part is one file: `torch` (libtorch and GPUs), `machine` (processor,
//! memory, disk), `tools` (programs), `cluster` (variables of launchers), `sandbox` (isolation for programs), `lean`.
//! `parse` reads the texts that they come from. Nothing here reaches the network, and what it
//! makes to try the sandbox is gone when it is done.

mod cluster;
mod lean;
mod machine;
mod parse;
mod sandbox;
mod tools;
mod torch;

use serde::Serialize;
use serde_json::Value;

pub use machine::{address_space_limit, available_memory};
pub use tools::free_gpu_memory;

/// What a finding means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is there.
    Good,
    /// It is not there, and something does not work, or not as well, without it.
    Absent,
    /// Training does not work, not even on a CPU.
    Broken,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What it belongs to.
    pub area: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub state: State,
    /// What was found, for people.
    pub value: String,
    /// What does not work as it is.
    pub without: Option<String>,
    /// The command that mends it.
    pub mend: Option<String>,
    /// What was found, for machines: bytes, counts, versions.
    pub data: Value,
}

impl Finding {
    fn good(area: &'static str, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        Self { area, name, state: State::Good, value, without: None, mend: None, data: Value::Null }
    }

    fn absent(self, without: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { state: State::Absent, without: Some(without.into()), mend: Some(mend.into()), ..self }
    }

    fn broken(self, without: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { state: State::Broken, ..self.absent(without, mend) }
    }

    fn data(self, data: Value) -> Self {
        Self { data, ..self }
    }
}

/// Everything that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Diagnosis {
    /// This program's version.
    pub version: &'static str,
    /// Whether training on the CPU works.
    pub can_train_on_cpu: bool,
    /// How many GPUs training can use.
    pub num_gpus: usize,
    /// In the order in which people read it.
    pub findings: Vec<Finding>,
}

/// Looks at the machine.
#[must_use]
pub fn examine() -> Diagnosis {
    let parts =
        [torch::findings(), machine::findings(), tools::findings(), cluster::findings(), sandbox::findings(), lean::findings()];
    let findings = parts.concat();
    Diagnosis {
        version: env!("CARGO_PKG_VERSION"),
        can_train_on_cpu: findings.iter().all(|finding| finding.state != State::Broken),
        num_gpus: crate::model::device::num_gpus(),
        findings,
    }
}

/// A small file's text without the line end, if it can be read.
fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim_end().to_owned())
}

/// Bytes as people say them, in powers of ten.
fn gb(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_these_tests_can_train_and_every_lack_comes_with_its_cure() {
        let found = examine();
        assert!(found.can_train_on_cpu, "{:#?}", found.findings);
        for finding in &found.findings {
            let lacks = finding.state != State::Good;
            assert_eq!((finding.without.is_some(), finding.mend.is_some()), (lacks, lacks), "{finding:?}");
        }
        let value = serde_json::to_value(&found).unwrap();
        assert!(value["findings"][0]["name"].is_string());
    }
}
