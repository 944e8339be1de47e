//! Every recipe that comes with Polestar is sound: it is read, validated, resolved, and its plan survives plan.json.

use std::path::{Path, PathBuf};

use polestar_data::Dataset;

use super::{Dtype, Loaded, Plan, Recipe, World};
use crate::complaint::Complain;

/// The repository's root.
pub(super) fn repository() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().unwrap_or(crate_folder).to_owned()
}

fn shipped() -> Vec<Loaded> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(repository().join("configs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    let load = |path: &PathBuf| Recipe::load(path, &[]).unwrap_or_else(|error| panic!("{error}"));
    paths.iter().map(load).collect()
}

fn name(loaded: &Loaded) -> String {
    loaded.file.file_stem().unwrap().to_string_lossy().into_owned()
}

#[test]
fn every_shipped_recipe_resolves_on_a_gpu_and_cpu_recipes_without_one() {
    let recipes = shipped();
    assert!(recipes.len() >= 5, "configs/ has only {} recipes", recipes.len());
    for loaded in &recipes {
        let gpu = World { cores: 8, num_gpus: 1, checkpoint_dtype: Dtype::Bf16, slots: 64 };
        let plan = loaded.resolve(&gpu).unwrap_or_else(|error| panic!("{error}"));
        let copy = Plan::from_json(&plan.to_json()).unwrap();
        assert_eq!(copy, plan);
        assert_eq!(copy.to_json(), plan.to_json());
        plan.same_run(&copy).unwrap();
        let cpu = World { num_gpus: 0, ..gpu };
        match loaded.resolve(&cpu) {
            Ok(_) => assert_ne!(loaded.recipe.model.device, "cuda"),
            Err(error) => {
                assert_eq!(loaded.recipe.model.device, "cuda", "{error}");
                assert_eq!(error.complaints().len(), 1);
            }
        }
    }
}

#[test]
fn every_shipped_recipe_is_named_as_its_file_and_its_head_says_what_to_expect() {
    for loaded in shipped() {
        assert_eq!(loaded.recipe.run.name, name(&loaded));
        let command = format!("polestar train configs/{}.toml", name(&loaded));
        for head in ["# Command:   ", &command, "# Hardware:  ", "# Time:      ", "# Score:     "] {
            assert!(loaded.text.contains(head), "configs/{}.toml lacks {head:?} in its head", name(&loaded));
        }
    }
}

#[test]
fn every_generated_set_of_a_shipped_recipe_can_be_made() {
    let mut num_sets = 0;
    for loaded in shipped() {
        for (set, config) in
            loaded.recipe.data.iter().filter(|(_, config)| config.source.starts_with("builtin:"))
        {
            let split = if set == "train" { "train" } else { "eval" };
            let dataset =
                Dataset::load(config, split).unwrap_or_else(|error| panic!("{}: {error}", name(&loaded)));
            assert_eq!(Some(dataset.problems.len()), config.n, "{}: data.{set}", name(&loaded));
            num_sets += 1;
        }
    }
    assert!(num_sets >= 4, "only {num_sets} generated sets were found");
}
