//! `polestar train` and `polestar resume`.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clap::Args;

use super::common::{CliError, print_out, require_device, say, stop_flag, world};
use crate::model::device;
use crate::recipe::{Plan, Recipe, schema};
use crate::run::folder::{self, RECIPE};
use crate::run::{RunError, Session};

/// Trains a model by a recipe, or goes on with a run that was cut off.
///
/// The run folder (runs/NAME, or --run) gets checkpoints that transformers, vLLM and llama.cpp load, metrics.jsonl,
/// TensorBoard files and every sampled text with its verdict. The same command again goes on where the run stopped.
///
///   polestar train configs/word-problems-quickstart.toml
///   polestar train my.toml --set run.steps=50 --set rollout.temperature=0.7 --run runs/second
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct TrainArgs {
    /// The recipe, a TOML file.
    #[arg(required_unless_present = "schema")]
    recipe: Option<PathBuf>,
    /// Changes one setting of the recipe; may be given many times.
    #[arg(long = "set", value_name = "KEY.PATH=VALUE")]
    sets: Vec<String>,
    /// The run folder, in place of runs/NAME.
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Resolves everything, prints the plan with its memory, and writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Prints the recipe's JSON schema.
    #[arg(long)]
    schema: bool,
}

/// Goes on with a run exactly where it stopped.
///
///   polestar resume runs/word-problems-quickstart
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ResumeArgs {
    /// The run folder.
    run: PathBuf,
    /// Raises the number of steps; nothing else of a run may change.
    #[arg(long = "set", value_name = "run.steps=N")]
    sets: Vec<String>,
}

/// `polestar train`.
///
/// # Errors
/// The recipe, the data, the model or the run failed.
pub fn train(args: &TrainArgs) -> Result<(), CliError> {
    if args.schema {
        return print_out(&schema::schema_text());
    }
    let Some(path) = &args.recipe else {
        return Err(CliError::call("no recipe was named", "name a TOML file; configs/ has some"));
    };
    let loaded = Recipe::load(path, &args.sets)?;
    loaded.validate()?;
    let world = world(&loaded.recipe.model.path);
    let plan = loaded.resolve(&world)?;
    let root = args.run.clone().unwrap_or_else(|| Path::new("runs").join(&plan.run.name));
    if args.dry_run {
        return super::plan::dry_run(&plan, &root);
    }
    drive(plan, &root, &loaded.text)
}

/// `polestar resume`.
///
/// # Errors
/// The folder is no run, its recipe no longer resolves to its plan, or the run failed.
pub fn resume(args: &ResumeArgs) -> Result<(), CliError> {
    let saved = folder::read_plan(&args.run)?;
    let recipe = args.run.join(RECIPE);
    let loaded = Recipe::load(&recipe, &args.sets)?;
    loaded.validate()?;
    // The saved world keeps the thread count; a base model that changed shows in the weights' hash.
    let plan = loaded.resolve(&saved.world)?;
    saved.same_run(&plan)?;
    drive(plan, &args.run, &loaded.text)
}

fn drive(plan: Plan, root: &Path, recipe_text: &str) -> Result<(), CliError> {
    // A resumed run's device comes from its plan, so nothing has looked for the GPU yet.
    require_device(device::parse(&plan.model.device), "model.device")?;
    let stop = stop_flag();
    let mut session = Session::open(plan, root, recipe_text, &say)?;
    match session.train(&|| stop.load(Ordering::Relaxed), &say) {
        Ok(outcome) => {
            say(&format!("step {} done; the checkpoint is {}", outcome.step, outcome.checkpoint.display()));
            println!("{}", root.display());
            Ok(())
        }
        Err(error @ RunError::Stopped { .. }) => Err(CliError::Stopped(error.to_string())),
        Err(error) => Err(error.into()),
    }
}
