//! The run folder: where everything lies, who may write it, and whether it is the run that is asked for.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::RunError;
use super::atomic;
use crate::recipe::Plan;

/// A run folder that this process holds.
#[derive(Debug)]
pub struct RunDir {
    root: PathBuf,
    /// Held open for as long as the process writes: two writers would destroy each other's work.
    _lock: File,
}

/// The recipe as it was typed.
pub const RECIPE: &str = "recipe.toml";
/// The resolved plan.
pub const PLAN: &str = "plan.json";

impl RunDir {
    /// Creates the folder for `plan`, or opens it if it holds the same run.
    ///
    /// # Errors
    /// The folder belongs to another run or another process, or cannot be written.
    pub fn open_or_create(root: &Path, recipe_text: &str, plan: &Plan) -> Result<Self, RunError> {
        let plan_path = root.join(PLAN);
        if plan_path.is_file() {
            let saved = read_plan(root)?;
            saved.same_run(plan)?;
            let dir = Self::lock(root)?;
            // `run.steps` may have been raised.
            if saved.run.steps != plan.run.steps {
                atomic::write_file(&root.join(RECIPE), recipe_text.as_bytes())?;
                atomic::write_file(&plan_path, plan.to_json().as_bytes())?;
            }
            return Ok(dir);
        }
        if root.is_dir()
            && fs::read_dir(root).is_ok_and(|mut entries| entries.any(|e| e.is_ok_and(is_foreign)))
        {
            return Err(RunError::Folder {
                path: root.to_path_buf(),
                problem: "the folder is not empty and holds no plan.json: it is not a run of this program, or one that was cut off before its first file was whole".into(),
                next: "choose another folder with --run, or remove this one".into(),
            });
        }
        let create = |path: &Path| {
            fs::create_dir_all(path).map_err(|error| RunError::Folder {
                path: path.to_path_buf(),
                problem: format!("the run folder cannot be made: {error}"),
                next: "choose a folder that can be written with --run".into(),
            })
        };
        create(root)?;
        let dir = Self::lock(root)?;
        for folder in [dir.checkpoints(), dir.rollouts(), dir.journal(), dir.evals()] {
            create(&folder)?;
        }
        atomic::write_file(&root.join(RECIPE), recipe_text.as_bytes())?;
        // The plan comes last: a folder with a plan is a whole one.
        atomic::write_file(&plan_path, plan.to_json().as_bytes())?;
        Ok(dir)
    }

    fn lock(root: &Path) -> Result<Self, RunError> {
        let path = root.join("lock");
        let held = |problem: String, next: &str| RunError::Folder {
            path: path.clone(),
            problem,
            next: next.to_string(),
        };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(|error| {
            held(format!("the run cannot be locked: {error}"), "check the folder's permissions")
        })?;
        file.try_lock().map_err(|_| {
            held(
                "another process is writing this run".into(),
                "wait for it or stop it; two writers would destroy each other's work",
            )
        })?;
        Ok(Self { root: root.to_path_buf(), _lock: file })
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Checkpoints, one folder a step.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.root.join("checkpoints")
    }

    /// Sampled texts, one file a step.
    #[must_use]
    pub fn rollouts(&self) -> PathBuf {
        self.root.join("rollouts")
    }

    /// The journal's segments.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// Evaluations in full, one file each.
    #[must_use]
    pub fn evals(&self) -> PathBuf {
        self.root.join("evals")
    }

    /// TensorBoard's event files.
    #[must_use]
    pub fn tensorboard(&self) -> PathBuf {
        self.root.join("tensorboard")
    }
}

/// Whether an entry of a new run's folder is somebody else's.
fn is_foreign(entry: fs::DirEntry) -> bool {
    let name = entry.file_name();
    let name = name.to_string_lossy();
    // What a run that was cut off while it made its folder may have left.
    !(["lock", RECIPE, "checkpoints", "rollouts", "journal", "evals"].contains(&name.as_ref())
        || name.contains(".tmp"))
}

/// The plan saved in a run folder.
///
/// # Errors
/// There is none, or it is not a plan of this version.
pub fn read_plan(root: &Path) -> Result<Plan, RunError> {
    let path = root.join(PLAN);
    let text = fs::read_to_string(&path).map_err(|error| RunError::Folder {
        path: path.clone(),
        problem: format!("no plan can be read: {error}"),
        next: "name the folder of a run (it holds plan.json); a run that was cut off before its plan was written is started again by `polestar train`".into(),
    })?;
    Plan::from_json(&text).map_err(|source| RunError::Plan { path, source })
}

/// The checkpoint folders of a run, by step.
#[must_use]
pub fn checkpoint_steps(checkpoints: &Path) -> Vec<(u64, PathBuf)> {
    let mut found: Vec<(u64, PathBuf)> = fs::read_dir(checkpoints)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let step = name.strip_prefix("step-")?.parse().ok()?;
            // A folder without its state is not a checkpoint of ours.
            entry.path().join(super::checkpoint::STATE).is_file().then(|| (step, entry.path()))
        })
        .collect();
    found.sort();
    found
}
