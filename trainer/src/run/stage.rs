//! Tells the tests that kill runs which stage a run is in. Where POLESTAR_STAGE_FILE names a file, a line `STEP STAGE`
//! is appended at each stage's beginning; nothing reads it back and no result depends on it.

use std::fs::File;
use std::io::Write;
use std::sync::OnceLock;

/// A part of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Sampling,
    Verifying,
    HintedSampling,
    HintedVerifying,
    Updating,
    Evaluating,
    Recording,
    Saving,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Sampling => "sampling",
            Self::Verifying => "verifying",
            Self::HintedSampling => "hinted-sampling",
            Self::HintedVerifying => "hinted-verifying",
            Self::Updating => "updating",
            Self::Evaluating => "evaluating",
            Self::Recording => "recording",
            Self::Saving => "saving",
        }
    }
}

/// Says that `stage` of `step` begins.
pub(super) fn enter(step: u64, stage: Stage) {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let path = std::env::var_os("POLESTAR_STAGE_FILE")?;
        File::options().create(true).append(true).open(path).ok()
    });
    if let Some(mut file) = file.as_ref() {
        // One write a line, so that a reader sees whole lines. Ignored on purpose: a run does not fail over this.
        let _ = file.write_all(format!("{step} {}\n", stage.name()).as_bytes());
    }
}
