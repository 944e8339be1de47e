//! Chooses, among the files of a folder or of a hub snapshot, those of one subset and split, by the conventions in use:
//! `train.jsonl`, `data/train-00000-of-00002.jsonl.gz`, `main/test.jsonl`, `train/part-1.jsonl`, `gsm8k_test.jsonl`.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use crate::error::{DataError, listed};

/// What to choose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) subset: Option<&'a str>,
    pub(crate) split: &'a str,
    /// Whether the user named the split: a default one gives way where no file is named after any split.
    pub(crate) is_explicit: bool,
}

const KNOWN_SPLITS: &[&str] =
    &["train", "training", "validation", "valid", "val", "dev", "test", "testing", "eval", "evaluation"];

/// The files below `root` that are wanted, as paths relative to it, shards in order.
///
/// # Errors
/// Where there are none, only Parquet files, several subsets to choose from, or shards are missing.
pub(crate) fn choose(root: &Path, place: &str, wanted: Wanted<'_>) -> Result<Vec<PathBuf>, DataError> {
    let mut all = Vec::new();
    walk(root, Path::new(""), &mut all)?;
    all.sort_by(|a, b| natural(a, b));
    let chosen = select(&all, place, wanted, is_jsonl);
    match chosen {
        Err(error @ DataError::NoFiles { .. }) => match select(&all, place, wanted, is_parquet) {
            Ok(parquet) => Err(DataError::Parquet { place: place.into(), files: listed(&parquet) }),
            Err(_) => Err(error),
        },
        other => other.map(|files| files.into_iter().map(PathBuf::from).collect()),
    }
}

fn select(
    all: &[String],
    place: &str,
    wanted: Wanted<'_>,
    is_kind: fn(&str) -> bool,
) -> Result<Vec<String>, DataError> {
    let refuse = |reason: String| DataError::NoFiles {
        place: place.into(),
        reason,
        wanted: patterns(wanted),
        found: listed(all),
    };
    let data: Vec<&String> = all.iter().filter(|path| is_kind(path)).collect();
    if data.is_empty() {
        return Err(refuse("no JSONL files".into()));
    }
    let mut files: Vec<(&String, String)> = match wanted.subset {
        Some(subset) => data.iter().filter_map(|path| Some((*path, without_subset(path, subset)?))).collect(),
        None => data.iter().map(|path| (*path, (*path).clone())).collect(),
    };
    if files.is_empty() {
        return Err(refuse(format!("no files of subset \"{}\"", wanted.subset.unwrap_or_default())));
    }
    let has_splits = files.iter().any(|(_, rest)| tokens(rest).any(|token| KNOWN_SPLITS.contains(&token)));
    let splits = aliases(wanted.split);
    let exact = splits.iter().find(|split| files.iter().any(|(_, rest)| is_exactly(rest, split)));
    let loose = splits.iter().find(|split| files.iter().any(|(_, rest)| tokens(rest).any(|t| t == **split)));
    match (exact, loose) {
        (Some(split), _) => files.retain(|(_, rest)| is_exactly(rest, split)),
        (None, Some(split)) => files.retain(|(_, rest)| tokens(rest).any(|token| token == *split)),
        (None, None) if has_splits || wanted.is_explicit => {
            return Err(refuse(format!("no files of split \"{}\"", wanted.split)));
        }
        // Files named after no split at all are one set.
        (None, None) => {}
    }
    one_subset(&mut files, &splits).map_err(refuse)?;
    let files: Vec<String> = files.into_iter().map(|(path, _)| path.clone()).collect();
    all_shards(&files).map_err(refuse)?;
    Ok(files)
}

/// Keeps the files of one folder: those at the top, else of `data`, else of `default`; several others are a question.
fn one_subset(files: &mut Vec<(&String, String)>, splits: &[&str]) -> Result<(), String> {
    let folder = |rest: &str| {
        let parts = rest.rsplit_once('/').map_or("", |(folder, _)| folder).split('/');
        parts.filter(|part| !splits.contains(part)).collect::<Vec<_>>().join("/")
    };
    let mut folders: Vec<String> = files.iter().map(|(_, rest)| folder(rest)).collect();
    folders.sort();
    folders.dedup();
    let Some(kept) = ["", "data", "default"].into_iter().find(|usual| folders.iter().any(|f| f == usual))
    else {
        return match folders.len() {
            1 => Ok(()),
            _ => Err(format!("several subsets ({}); name one: hf:owner/name:SUBSET", listed(&folders))),
        };
    };
    files.retain(|(_, rest)| folder(rest) == kept);
    Ok(())
}

/// The path without what names the subset, or nothing where it does not belong to it.
fn without_subset(path: &str, subset: &str) -> Option<String> {
    if let Some(rest) =
        path.split_once(&format!("{subset}/")).filter(|(head, _)| head.is_empty() || head.ends_with('/'))
    {
        return Some(format!("{}{}", rest.0, rest.1));
    }
    let (folder, name) = path.rsplit_once('/').map_or((None, path), |(folder, name)| (Some(folder), name));
    let rest = name.strip_prefix(subset).filter(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))?;
    let rest = rest.trim_start_matches(['-', '_']);
    Some(folder.map_or_else(|| rest.to_string(), |folder| format!("{folder}/{rest}")))
}

/// Whether the file is the split's own: `train.jsonl`, `train-00000-of-00002.jsonl`, `train/anything.jsonl`.
fn is_exactly(rest: &str, split: &str) -> bool {
    let (folders, name) = rest.rsplit_once('/').map_or(("", rest), |(folders, name)| (folders, name));
    let after = name.strip_prefix(split);
    folders.split('/').any(|folder| folder == split)
        || after.is_some_and(|after| {
            after.starts_with('.')
                || after.trim_start_matches(['-', '_']).starts_with(|c: char| c.is_ascii_digit())
        })
}

fn tokens(rest: &str) -> impl Iterator<Item = &str> {
    rest.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty())
}

/// The names under which a split is looked for, the first that has files wins.
fn aliases(split: &str) -> Vec<&str> {
    match split {
        "train" | "training" => vec!["train", "training"],
        "eval" | "evaluation" => {
            vec!["eval", "evaluation", "validation", "valid", "val", "dev", "test", "testing"]
        }
        "validation" | "valid" | "val" | "dev" => vec!["validation", "valid", "val", "dev"],
        "test" | "testing" => vec!["test", "testing"],
        other => vec![other],
    }
}

fn patterns(wanted: Wanted<'_>) -> String {
    let folder = wanted.subset.map(|subset| format!("{subset}/")).unwrap_or_default();
    format!("{folder}[data/]({})*.jsonl[.gz]", aliases(wanted.split).join("|"))
}

/// A set of shards that says how many it has must have them all.
fn all_shards(files: &[String]) -> Result<(), String> {
    let count = |path: &str| {
        let (head, rest) = path.rsplit_once("-of-")?;
        let of: usize = rest.split('.').next()?.parse().ok()?;
        Some((head.rsplit_once('-')?.0.to_string(), of))
    };
    for path in files {
        if let Some((head, of)) = count(path) {
            let there = files.iter().filter(|other| count(other).is_some_and(|(h, _)| h == head)).count();
            if there < of {
                return Err(format!("only {there} of the {of} shards {head}-*-of-* are there"));
            }
        }
    }
    Ok(())
}

/// The file's name without `.jsonl`, `.jsonl.gz` and the like: what ids begin with.
pub(crate) fn stem(path: &str) -> &str {
    let path = path.strip_suffix(".gz").unwrap_or(path);
    [".jsonl", ".json", ".ndjson"].iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path)
}

fn is_jsonl(path: &str) -> bool {
    let path = path.strip_suffix(".gz").unwrap_or(path);
    path.ends_with(".jsonl") || path.ends_with(".ndjson")
}

fn is_parquet(path: &str) -> bool {
    path.ends_with(".parquet")
}

/// All files below `root`, as `a/b.jsonl`. Links are followed: the cache's snapshots are made of them.
fn walk(root: &Path, below: &Path, files: &mut Vec<String>) -> Result<(), DataError> {
    let folder = root.join(below);
    let failed = |source| DataError::Io { path: folder.clone(), lines: 0, source };
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        let path = below.join(&name);
        // Folders behind links are not entered: a snapshot has none, and elsewhere they may run in circles.
        if entry.file_type().map_err(failed)?.is_dir() {
            walk(root, &path, files)?;
        } else {
            files.push(path.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

/// Orders numbers within names by value: `part-2` before `part-10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (digits_a, rest_a) = digits(a);
        let (digits_b, rest_b) = digits(b);
        if !digits_a.is_empty() && !digits_b.is_empty() {
            let value = |digits: &str| digits.trim_start_matches('0').to_string();
            let (x, y) = (value(digits_a), value(digits_b));
            match x.len().cmp(&y.len()).then(x.cmp(&y)) {
                Ordering::Equal => (a, b) = (rest_a, rest_b),
                unequal => return unequal,
            }
            continue;
        }
        let (mut chars_a, mut chars_b) = (a.chars(), b.chars());
        match (chars_a.next(), chars_b.next()) {
            (None, None) => return Ordering::Equal,
            (x, y) if x != y => return x.cmp(&y),
            _ => (a, b) = (chars_a.as_str(), chars_b.as_str()),
        }
    }
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(
        files: &[&str],
        subset: Option<&str>,
        split: &str,
        is_explicit: bool,
    ) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = choose(folder.path(), "here", Wanted { subset, split, is_explicit });
        let names = |paths: Vec<PathBuf>| paths.iter().map(|path| path.display().to_string()).collect();
        found.map(names).map_err(|error| error.to_string())
    }

    fn split(files: &[&str], name: &str) -> Result<Vec<String>, String> {
        chosen(files, None, name, true)
    }

    #[test]
    fn each_usual_layout_is_understood() {
        for (files, expected) in [
            (vec!["train.jsonl", "test.jsonl", "README.md"], vec!["test.jsonl"]),
            (vec!["train.jsonl.gz", "test.jsonl.gz"], vec!["test.jsonl.gz"]),
            (
                vec!["data/train-00000-of-00001.jsonl", "data/test-00000-of-00001.jsonl"],
                vec!["data/test-00000-of-00001.jsonl"],
            ),
            (vec!["train/a.jsonl", "test/a.jsonl", "test/b.jsonl"], vec!["test/a.jsonl", "test/b.jsonl"]),
            (vec!["gsm8k_train.jsonl", "gsm8k_test.jsonl"], vec!["gsm8k_test.jsonl"]),
            (vec!["test.jsonl", "test_hard.jsonl"], vec!["test.jsonl"]),
        ] {
            assert_eq!(split(&files, "test").unwrap(), expected, "of {files:?}");
        }
    }

    #[test]
    fn a_subset_is_a_folder_or_a_prefix() {
        let folders = ["main/train.jsonl", "main/test.jsonl", "socratic/train.jsonl"];
        assert_eq!(chosen(&folders, Some("main"), "train", true).unwrap(), ["main/train.jsonl"]);
        let prefixes = ["main_train.jsonl", "main-test.jsonl", "mainly_train.jsonl"];
        assert_eq!(chosen(&prefixes, Some("main"), "train", true).unwrap(), ["main_train.jsonl"]);
        let message = chosen(&folders, None, "train", true).unwrap_err();
        assert!(message.contains("several subsets (main, socratic); name one"), "{message}");
        let message = chosen(&folders, Some("other"), "train", true).unwrap_err();
        assert!(
            message.contains("no files of subset \"other\"; looked for other/[data/](train|training)*"),
            "{message}"
        );
    }

    #[test]
    fn eval_takes_validation_before_test() {
        assert_eq!(split(&["val.jsonl", "test.jsonl"], "eval").unwrap(), ["val.jsonl"]);
        assert_eq!(split(&["train.jsonl", "test.jsonl"], "eval").unwrap(), ["test.jsonl"]);
    }

    #[test]
    fn a_split_of_another_name_is_found_by_that_name() {
        let files = ["train.jsonl", "unseen.jsonl", "my_hard_set.jsonl"];
        assert_eq!(split(&files, "unseen").unwrap(), ["unseen.jsonl"]);
        assert_eq!(split(&files, "hard").unwrap(), ["my_hard_set.jsonl"]);
    }

    #[test]
    fn files_named_after_no_split_are_one_set_unless_a_split_was_asked_for() {
        let files = ["b.jsonl", "a.jsonl"];
        assert_eq!(chosen(&files, None, "train", false).unwrap(), ["a.jsonl", "b.jsonl"]);
        let message = chosen(&files, None, "train", true).unwrap_err();
        assert!(
            message.contains("no files of split \"train\"") && message.contains("there is a.jsonl, b.jsonl"),
            "{message}"
        );
        assert!(
            chosen(&["test.jsonl"], None, "train", false).is_err(),
            "a test set is not trained on by default"
        );
    }

    #[test]
    fn shards_come_in_the_order_of_their_numbers_and_all_of_them() {
        let files = ["train-10.jsonl", "train-2.jsonl", "train-1.jsonl"];
        assert_eq!(split(&files, "train").unwrap(), ["train-1.jsonl", "train-2.jsonl", "train-10.jsonl"]);
        let message =
            split(&["train-00000-of-00003.jsonl", "train-00002-of-00003.jsonl"], "train").unwrap_err();
        assert!(message.contains("only 2 of the 3 shards train-*-of-* are there"), "{message}");
    }

    #[test]
    fn parquet_alone_is_said_clearly_and_beside_jsonl_does_not_matter() {
        let message = split(&["data/train-00000-of-00001.parquet"], "train").unwrap_err();
        assert!(message.contains("only Parquet is there (data/train-00000-of-00001.parquet)"), "{message}");
        assert_eq!(split(&["train.parquet", "train.jsonl"], "train").unwrap(), ["train.jsonl"]);
    }

    #[test]
    fn a_stem_is_the_name_without_its_endings() {
        assert_eq!(["a/b.jsonl.gz", "b.json", "b.c.jsonl", "b"].map(stem), ["a/b", "b", "b.c", "b"]);
    }
}
