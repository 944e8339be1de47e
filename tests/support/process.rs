//! Runs that are stopped at a stage: the binary says in a file which stage it is in, and is signalled there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{Done, polestar};

/// Longer than any tiny run takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// A run in the background.
pub struct Running {
    child: Child,
    command: Command,
    stages: PathBuf,
    /// Lines of the stage file that are older than this process.
    old: usize,
}

/// One stage that a run entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// The step.
    pub step: u64,
    /// The stage's name.
    pub stage: String,
}

/// The stages that runs with this stage file entered, in order.
#[must_use]
pub fn stages(file: &Path) -> Vec<Entered> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .map(|line| {
            let (step, stage) = line.split_once(' ').unwrap();
            Entered { step: step.parse().unwrap(), stage: stage.to_owned() }
        })
        .collect()
}

impl Running {
    /// Starts the binary; its stages go to `stages`.
    #[must_use]
    pub fn start(args: &[String], stages_file: &Path) -> Self {
        let mut command = polestar(args);
        command.env("POLESTAR_STAGE_FILE", stages_file).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        Self { child, command, stages: stages_file.to_path_buf(), old: stages(stages_file).len() }
    }

    /// The stages that this process entered so far.
    #[must_use]
    pub fn entered(&self) -> Vec<Entered> {
        stages(&self.stages).split_off(self.old)
    }

    /// Waits until the process enters a stage for the `times`th time; false if it ends before.
    ///
    /// # Panics
    /// When that takes minutes.
    pub fn wait_for(&mut self, stage: &str, times: usize) -> bool {
        let start = Instant::now();
        loop {
            if self.entered().iter().filter(|entered| entered.stage == stage).count() >= times {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if start.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("{:?} never entered {stage}", self.command);
            }
            std::thread::sleep(Duration::from_micros(50));
        }
    }

    /// Sends a signal by its name: KILL, TERM, INT, USR1.
    ///
    /// # Panics
    /// When it cannot be sent.
    pub fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Kills the process (SIGKILL) and gives the name of the stage that it was in, `loading` before the first; or what
    /// the process came to if it had ended before.
    ///
    /// # Errors
    /// The process had ended.
    ///
    /// # Panics
    /// When the process cannot be waited for.
    pub fn kill(mut self) -> Result<String, Done> {
        // Fails only for a process that has been waited for, which then has an exit code.
        let _ = self.child.kill();
        let entered = self.entered();
        let done = self.finish();
        if done.code.is_some() {
            return Err(done);
        }
        Ok(entered.last().map_or("loading", |entered| entered.stage.as_str()).to_owned())
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn finish(self) -> Done {
        let output = self.child.wait_with_output().unwrap();
        Done::new(&self.command, &output)
    }
}

/// How often each stage is in a list, for people.
#[must_use]
pub fn histogram(stages: &[String]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for stage in stages {
        *counts.entry(stage).or_default() += 1;
    }
    counts.iter().map(|(stage, count)| format!("{stage:>16} {}  {count}\n", "#".repeat(*count))).collect()
}
