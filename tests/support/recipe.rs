//! Small training runs: data that a random model is now and then right about, and recipes of a few seconds.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::run;
use crate::files::{assert_same_run, golden_model, read_jsonl, write_jsonl};

/// A temporary folder with a recipe and its data.
#[derive(Debug)]
pub struct Lab {
    folder: TempDir,
    /// The recipe.
    pub recipe: PathBuf,
}

impl Lab {
    /// A folder for one test, with data and a recipe.
    #[must_use]
    pub fn new(recipe: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The digits that this model says most often where a response holds any number.
        let problem = |split: &str, i: usize| {
            let reference = ["6", "4", "8"][i % 3];
            json!({"id": format!("{split}-{i}"), "prompt": format!("What is {i} + {}?", i % 7), "reference": reference})
        };
        write_jsonl(&folder.path().join("train.jsonl"), (0..40).map(|i| problem("train", i)));
        write_jsonl(&folder.path().join("eval.jsonl"), (0..12).map(|i| problem("eval", i)));
        let path = folder.path().join("recipe.toml");
        fs::write(&path, recipe.replace("FOLDER", folder.path().to_str().unwrap())).unwrap();
        Self { folder, recipe: path }
    }

    /// A folder for one test of another verifier: its lines in the recipe, and the reference of every problem.
    #[must_use]
    pub fn judged_by(verifier: &str, reference: &Value, steps: u64) -> Self {
        let recipe = grpo(steps);
        let with_verifier = recipe.replacen(MATH, verifier, 1);
        assert_ne!(recipe, with_verifier, "the recipe has another verifier by now");
        let lab = Self::new(&with_verifier);
        for (name, n) in [("train", 40), ("eval", 4)] {
            let problem = |i: usize| json!({"id": format!("{name}-{i}"), "prompt": format!("What is {i} + {}?", i % 7), "reference": reference});
            write_jsonl(&lab.path(&format!("{name}.jsonl")), (0..n).map(problem));
        }
        lab
    }

    /// A path in the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Trains twice, and step 1's rollouts as they are shown: both runs are the same, and no verdict was left undecided.
    #[must_use]
    pub fn judged_alike(&self) -> String {
        let runs = [self.path("a"), self.path("b")];
        for root in &runs {
            run(self.train(root)).succeeded();
        }
        assert_same_run(&runs[0], &runs[1]);
        let metrics = read_jsonl(&runs[0].join("metrics.jsonl"));
        assert!(metrics[1..].iter().all(|line| line["verdicts/undecided_ratio"] == 0.0), "{metrics:?}");
        run(["rollouts", runs[0].to_str().unwrap(), "--step", "1"]).succeeded().stdout
    }

    /// The arguments that train into a run folder.
    #[must_use]
    pub fn train(&self, run: &Path) -> Vec<String> {
        ["train", self.recipe.to_str().unwrap(), "--run", run.to_str().unwrap()].map(str::to_owned).to_vec()
    }
}

const HEAD: &str = r#"
[model]
path = "MODEL"
device = "cpu"

[data.train]
source = "FOLDER/train.jsonl"

[data.eval]
source = "FOLDER/eval.jsonl"

[[verifier]]
"#;

const MATH: &str = "kind = \"math\"\nfallback = \"last-number\"\n";

fn head() -> String {
    HEAD.replace("MODEL", golden_model("llama-tied").to_str().unwrap()) + MATH
}

/// GRPO with a KL, several optimizer steps a step, evaluations, and checkpoints every second step.
#[must_use]
pub fn grpo(steps: u64) -> String {
    format!(
        r#"# A comment that the run folder keeps.
[run]
name = "small-grpo"
seed = 7
steps = {steps}
threads = 1
{}
[rollout]
prompts = 8
n = 8
temperature = 0.9
max_new_tokens = 20
slots = 24

[algorithm]
kind = "grpo"

[update]
epochs = 2
batch = 16
micro_batch = 512
overlong = "keep"

[optimizer]
lr = 1e-3
warmup = 3

[checkpoint]
every = 2

[eval]
every = 2
at_start = true
samples = 2
"#,
        head()
    )
}

/// STaR with second tries after a hint, a growing number of optimizer steps, and a checkpoint each step.
#[must_use]
pub fn star(steps: u64) -> String {
    format!(
        r#"
[run]
name = "small-star"
seed = 3
steps = {steps}
threads = 1
{}
[rollout]
prompts = 24
n = 4
max_new_tokens = 20
slots = 24

[algorithm]
kind = "star"
rationalize = true
first_steps = 4
growth = 1.2

[update]
batch = 4
overlong = "keep"

[optimizer]
lr = 1e-3
schedule = "linear"

[checkpoint]
every = 1

[eval]
every = 3
"#,
        head()
    )
}
