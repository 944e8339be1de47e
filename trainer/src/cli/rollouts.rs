//! `polestar rollouts`: what a run's model wrote, and why it was scored so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::common::{CliError, written};
use super::rollouts_view::{Filter, Look, ViewError, show};
use crate::complaint::Complaint;
use crate::run::rollout_log::{self, RolloutLine, RolloutLogError, RolloutReader};

/// Shows the texts that a run sampled, each with its verdict and the reason for it.
///
/// All steps, unless --step picks one; a table of counts comes last. With --json the lines of the log as they are.
///
///   polestar rollouts runs/word-problems-quickstart --step 3 --wrong | less -R
///   polestar rollouts runs/word-problems-quickstart --json | jq -r .reason | sort | uniq -c
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct RolloutsArgs {
    /// The run folder.
    #[arg(value_name = "RUN_DIR")]
    run: PathBuf,
    /// Only this step.
    #[arg(long, value_name = "N")]
    step: Option<u64>,
    /// Only the problem with this id.
    #[arg(long, value_name = "ID")]
    problem: Option<String>,
    /// Only what was judged wrong.
    #[arg(long)]
    wrong: bool,
    /// One JSON object a line, for machines.
    #[arg(long)]
    json: bool,
}

/// `polestar rollouts`.
///
/// # Errors
/// The folder has no such rollouts, or a file cannot be read.
pub fn run(args: &RolloutsArgs) -> Result<(), CliError> {
    let files = files(&args.run, args.step)?;
    let filter = Filter { problem: args.problem.clone(), wrong: args.wrong };
    let look = if args.json { Look::Json } else { Look::of_stdout() };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match show(files.iter().flat_map(|path| lines(path)), &filter, look, &mut out) {
        Ok(counts) if counts.n == 0 => {
            super::common::say("no rollout is as asked for");
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(ViewError::Write(error)) => written(Err(error)),
        Err(error @ ViewError::Read(_)) => Err(CliError::work(&error)),
    }
}

/// The lines of one file; a file that cannot be opened is an error in their place.
fn lines(path: &Path) -> Box<dyn Iterator<Item = Result<RolloutLine, RolloutLogError>>> {
    match RolloutReader::open(path) {
        Ok(reader) => Box::new(reader),
        Err(error) => Box::new(std::iter::once(Err(error))),
    }
}

/// The rollout files of a run, in the order of their steps.
fn files(run: &Path, step: Option<u64>) -> Result<Vec<PathBuf>, CliError> {
    let folder = run.join("rollouts");
    let mut found = rollout_log::steps(&folder).map_err(|error| CliError::work(&error))?;
    if found.is_empty() {
        let what = if run.is_dir() { "a folder without rollouts/step-*.jsonl.zst" } else { "no folder" };
        return Err(CliError::Complaints(vec![
            Complaint::call(format!("{} has no rollouts", run.display()))
                .expected(
                    "a run folder with at least one finished step, and log.rollouts = true in its recipe",
                )
                .found(what)
                .next("name the folder that `polestar train` wrote, runs/NAME"),
        ]));
    }
    match step {
        None => Ok(found.into_values().collect()),
        Some(step) => found.remove(&step).map(|path| vec![path]).ok_or_else(|| {
            CliError::Complaints(vec![
                Complaint::call(format!("{} has no rollouts of step {step}", run.display()))
                    .found(format!("those of {}", in_words(&found)))
                    .next("ask for one of these steps, or leave out --step for all"),
            ])
        }),
    }
}

/// `step 1`, `steps 1 to 40`, `steps 1, 2, 7 (...)`: never empty.
fn in_words(found: &BTreeMap<u64, PathBuf>) -> String {
    let steps: Vec<u64> = found.keys().copied().collect();
    match steps.as_slice() {
        [] => "no step".into(),
        [step] => format!("step {step}"),
        [first, .., last] if last - first + 1 == steps.len() as u64 => format!("steps {first} to {last}"),
        [first, .., last] => format!("{} steps from {first} to {last}", steps.len()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn files_come_by_step_and_what_is_not_there_is_told() {
        let run = tempfile::tempdir().unwrap();
        let told = |step| format!("{:?}", files(run.path(), step).unwrap_err());
        assert!(told(None).contains("a folder without rollouts"));
        for step in [10, 2, 3] {
            rollout_log::write_step(&run.path().join("rollouts"), step, &[]).unwrap();
        }
        let names = |step| -> Vec<String> {
            let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
            files(run.path(), step).unwrap().into_iter().map(name).collect()
        };
        assert_eq!(names(None), ["step-000002.jsonl.zst", "step-000003.jsonl.zst", "step-000010.jsonl.zst"]);
        assert_eq!(names(Some(3)), ["step-000003.jsonl.zst"]);
        assert!(told(Some(4)).contains("those of 3 steps from 2 to 10"));
        rollout_log::remove_after(&run.path().join("rollouts"), 3).unwrap();
        assert!(told(Some(4)).contains("those of steps 2 to 3"));
        assert!(lines(Path::new("no/such")).next().unwrap().is_err());
    }
}
