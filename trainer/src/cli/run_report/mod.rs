//! `polestar report`: what training changed, in numbers that do not flatter.
//!
//! `summary` makes the figures of a run's files, `compare` sets two evaluations against each other, `text` shows
//! the figures to people.

mod compare;
mod summary;
#[cfg(test)]
mod testing;
mod text;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use super::common::{CliError, pretty, print_out};
use super::progress::colors;
use super::rollouts_view::DEFAULT_WIDTH;
use crate::complaint::{Complaint, Place};
use crate::eval::EvalReport;
use crate::run::RunError;
use crate::run::checkpoint;
use crate::run::folder::{checkpoint_steps, read_plan};
use crate::run::metrics::{METRICS_FILE, TIMINGS_FILE, read_records};
use summary::{Checkpoint, Evaluation, Source, Summary};

/// Shows what training changed: accuracy before and after, the reward by step, time, and answers side by side.
///
/// Accuracy comes with 95 % intervals. The last line on each evaluation set compares the trained model, zero-shot and
/// by the recipe's own strict rule, with the best that the base model showed there in any way: with worked examples,
/// or with answers taken leniently.
///
///   polestar report runs/word-problems-quickstart
///   polestar report runs/word-problems-quickstart --json | jq '.sets[].claim'
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ReportArgs {
    /// The run folder.
    #[arg(value_name = "RUN_DIR")]
    run: PathBuf,
    /// One JSON object, for machines.
    #[arg(long)]
    json: bool,
}

/// `polestar report`.
///
/// # Errors
/// The folder is no run, or one of its files cannot be read.
pub fn run(args: &ReportArgs) -> Result<(), CliError> {
    let summary = Summary::new(read(&args.run)?);
    if args.json {
        return print_out(&pretty(&summary));
    }
    let terminal = std::io::stdout().is_terminal();
    let size = if terminal { console::Term::stdout().size_checked() } else { None };
    let width = size.map_or(DEFAULT_WIDTH, |(_, columns)| columns.into());
    print_out(&text::text(&summary, width, colors(terminal)))
}

/// Everything of a run that the report is made from.
fn read(run: &Path) -> Result<Source, CliError> {
    let plan = read_plan(run)?;
    let steps = evaluation_steps(&run.join("evals"));
    let load = |(step, path): (&u64, &PathBuf)| -> Result<Evaluation, CliError> {
        Ok(Evaluation { step: *step, reports: read_evaluation(path)? })
    };
    let first = steps.first_key_value().map(load).transpose()?;
    let last = steps.last_key_value().filter(|_| steps.len() > 1).map(load).transpose()?;
    let records = |name: &str| -> Result<Vec<Map<String, Value>>, CliError> {
        let path = run.join(name);
        // A run that was cut off early has none.
        if !path.is_file() {
            return Ok(Vec::new());
        }
        Ok(read_records(&path).map_err(RunError::from)?)
    };
    let checkpoints = checkpoint_steps(&run.join("checkpoints"));
    let latest = match checkpoints.last() {
        Some((step, path)) => {
            let best = checkpoint::read_state(path)?.best;
            Some(Checkpoint { step: *step, path: path.clone(), best })
        }
        None => None,
    };
    Ok(Source {
        run: run.to_path_buf(),
        plan,
        first,
        last,
        metrics: records(METRICS_FILE)?,
        timings: records(TIMINGS_FILE)?,
        checkpoint: latest,
    })
}

/// The evaluation files of a run, by step.
fn evaluation_steps(folder: &Path) -> BTreeMap<u64, PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let step = |path: PathBuf| {
        let name = path.file_name()?.to_str()?;
        let step = name.strip_prefix("step-")?.strip_suffix(".json")?.parse().ok()?;
        Some((step, path))
    };
    entries.filter_map(|entry| step(entry.path())).collect()
}

fn read_evaluation(path: &Path) -> Result<BTreeMap<String, EvalReport>, CliError> {
    let place = || Place::File { path: path.to_path_buf(), line: None, key: None };
    let bad =
        |what: String, next: &str| CliError::Complaints(vec![Complaint::call(what).at(place()).next(next)]);
    let text = std::fs::read(path).map_err(|error| {
        bad(format!("an evaluation cannot be read: {error}"), "check the file's permissions")
    })?;
    serde_json::from_slice(&text).map_err(|error| {
        bad(
            format!("expected an object of evaluations by set, found something else: {error}"),
            "the file was changed, or written by another version (plan.json names it); move it away to leave it out",
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn evaluations_are_found_by_step_and_bad_ones_named() {
        let folder = tempfile::tempdir().unwrap();
        let evals = folder.path().join("evals");
        assert!(evaluation_steps(&evals).is_empty());
        std::fs::create_dir(&evals).unwrap();
        let reports = BTreeMap::from([("eval", testing::report(0, &[("a", true, true)]))]);
        std::fs::write(evals.join("step-000010.json"), serde_json::to_string(&reports).unwrap()).unwrap();
        std::fs::write(evals.join("step-000000.json"), "{\"eval\": 1}").unwrap();
        std::fs::write(evals.join("notes.txt"), "").unwrap();
        let found = evaluation_steps(&evals);
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), [0, 10]);
        assert_eq!(read_evaluation(&found[&10]).unwrap()["eval"], reports["eval"]);
        let told = format!("{:?}", read_evaluation(&found[&0]).unwrap_err());
        assert!(
            told.contains("step-000000.json") && told.contains("expected an object of evaluations"),
            "{told}"
        );
        assert!(matches!(read(folder.path()), Err(CliError::Complaints(_))), "no plan, no run");
    }
}
