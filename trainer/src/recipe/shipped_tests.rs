//! Every recipe that comes with Polestar is sound: it is read, validated, resolved, and its plan survives plan.json.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use polestar_data::Dataset;

use super::{Dtype, Loaded, Plan, Recipe, World};
use crate::complaint::Complain;
use crate::text::Tokenizer;

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

/// `configs/models/arithmetic-tokenizer` has a token for each word of the addition scratchpad, one for each digit, and gives
/// the very text back: prompts, hinted prompts and worked responses.
#[test]
fn the_addition_tokenizer_reads_and_writes_every_sum() {
    let tokenizer = Tokenizer::load(&repository().join("configs/models/arithmetic-tokenizer")).unwrap();
    let recipes = shipped();
    let base = recipes.iter().find(|loaded| name(loaded) == "arithmetic-lengths").unwrap();
    let problems = Dataset::load(&base.recipe.data["train"], "train").unwrap().problems;
    let mut seen = HashSet::new();
    for problem in &problems {
        let hinted = problem.fields["hinted_prompt"].as_str().unwrap();
        for text in [problem.prompt.text().as_str(), hinted, problem.response.as_deref().unwrap()] {
            let ids = tokenizer.encode(text).unwrap();
            assert_eq!(tokenizer.decode_skip_special(&ids), text);
            let num_digits = text.chars().filter(char::is_ascii_digit).count();
            let is_digit = |id: &&u32| tokenizer.token(**id).is_some_and(|t| t.parse::<u8>().is_ok());
            assert_eq!(ids.iter().filter(is_digit).count(), num_digits, "{text}");
            seen.extend(ids);
        }
    }
    // Ten digits, "+", ",", "C:", the newline, and the four words; none of them is the unknown token.
    let seen: HashSet<String> = seen.into_iter().filter_map(|id| tokenizer.token(id)).collect();
    assert_eq!(seen.len(), 18, "{seen:?}");
    assert!(!seen.contains("<|unk|>"));
}
