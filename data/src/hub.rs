//! What the Hugging Face cache already holds: `hf:` names and the layout `datasets--owner--name/{refs,snapshots}`.
//! Nothing is downloaded; what is not there is an error that says how to put it there.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{DataError, listed};

/// A repository on the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubName {
    /// `owner/name`.
    pub repo: String,
    /// A branch, tag or commit; `main` where none is given.
    pub revision: Option<String>,
    /// A dataset's configuration.
    pub subset: Option<String>,
    /// A dataset's split.
    pub split: Option<String>,
}

/// Models and datasets lie side by side in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepoKind {
    /// `models--owner--name`.
    Model,
    /// `datasets--owner--name`.
    Dataset,
}

impl HubName {
    /// Parses `owner/name[@revision][:subset][/split]`, what stands after `hf:`.
    ///
    /// # Errors
    /// [`DataError::Source`] where a part is missing or empty.
    pub fn parse(text: &str) -> Result<Self, DataError> {
        let wrong = |reason: &str| DataError::Source { text: format!("hf:{text}"), reason: reason.into() };
        // A revision may hold slashes only where a colon ends it.
        let (head, subset_and_split) =
            text.split_once(':').map_or((text, None), |(head, rest)| (head, Some(rest)));
        let (repo_part, revision_part) =
            head.split_once('@').map_or((head, None), |(repo, rest)| (repo, Some(rest)));
        let mut parts = repo_part.splitn(3, '/');
        let (owner, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if owner.is_empty() || name.is_empty() {
            return Err(wrong("a hub source needs owner and name"));
        }
        let mut split = parts.next();
        let mut revision = revision_part;
        let mut subset = None;
        if let Some(rest) = subset_and_split {
            if split.is_some() {
                return Err(wrong("the split stands behind the subset"));
            }
            let (name, after) =
                rest.split_once('/').map_or((rest, None), |(name, split)| (name, Some(split)));
            (subset, split) = (Some(name), after);
        } else if let Some((name, after)) = revision_part.and_then(|rest| rest.split_once('/')) {
            (revision, split) = (Some(name), Some(after));
        }
        if [revision, subset, split].contains(&Some("")) {
            return Err(wrong("an empty revision, subset or split"));
        }
        if split.is_some_and(|split| split.contains('/')) {
            return Err(wrong("a split holds no slash"));
        }
        let owned = |part: Option<&str>| part.map(String::from);
        let repo = format!("{owner}/{name}");
        Ok(Self { repo, revision: owned(revision), subset: owned(subset), split: owned(split) })
    }
}

/// The cache folder: `HF_HUB_CACHE`, else `HF_HOME/hub`, else `XDG_CACHE_HOME/huggingface/hub`, else
/// `~/.cache/huggingface/hub`.
#[must_use]
pub fn cache_dir() -> PathBuf {
    cache_dir_in(|name| env::var_os(name))
}

fn cache_dir_in(var: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let home = || PathBuf::from(var("HOME").unwrap_or_default());
    let folder = |name: &str| {
        let path = PathBuf::from(var(name).filter(|value| !value.is_empty())?);
        Some(path.strip_prefix("~").map(|rest| home().join(rest)).unwrap_or(path))
    };
    folder("HF_HUB_CACHE")
        .or_else(|| folder("HUGGINGFACE_HUB_CACHE"))
        .or_else(|| folder("HF_HOME").map(|path| path.join("hub")))
        .or_else(|| folder("XDG_CACHE_HOME").map(|path| path.join("huggingface/hub")))
        .unwrap_or_else(|| home().join(".cache/huggingface/hub"))
}

/// The folder of a repository's files at the wanted revision.
///
/// # Errors
/// [`DataError::NotCached`] with what was looked for, what is there and how to put it there.
pub fn snapshot(cache: &Path, kind: RepoKind, name: &HubName) -> Result<PathBuf, DataError> {
    let (prefix, download) = match kind {
        RepoKind::Model => ("models", ""),
        RepoKind::Dataset => ("datasets", " --repo-type dataset"),
    };
    let repo = cache.join(format!("{prefix}--{}", name.repo.replace('/', "--")));
    let at = name.revision.as_ref().map(|revision| format!(" --revision {revision}")).unwrap_or_default();
    let missing = |wanted: &Path, found: String| DataError::NotCached {
        repo: name.repo.clone() + &name.revision.as_ref().map(|r| format!("@{r}")).unwrap_or_default(),
        wanted: wanted.display().to_string(),
        found,
        advice: format!(
            "download it with `hf download {}{download}{at}`, or set HF_HUB_CACHE or HF_HOME to the cache that has it",
            name.repo
        ),
    };
    if !repo.is_dir() {
        return Err(missing(
            &repo,
            if cache.is_dir() { "not there" } else { "there is no such cache" }.into(),
        ));
    }
    let snapshots = repo.join("snapshots");
    let revision = name.revision.as_deref().unwrap_or("main");
    let reference = repo.join("refs").join(revision);
    let commit = match std::fs::read_to_string(&reference) {
        Ok(commit) => commit.trim().to_string(),
        Err(_) => revision.to_string(),
    };
    let folder = snapshots.join(&commit);
    if !commit.is_empty() && folder.is_dir() {
        return Ok(folder);
    }
    let wanted = if reference.is_file() { folder } else { reference };
    Err(missing(&wanted, format!("the commits there are: {}", listed(&names_in(&snapshots)))))
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(repo: &str, revision: Option<&str>, subset: Option<&str>, split: Option<&str>) -> HubName {
        let owned = |part: Option<&str>| part.map(String::from);
        HubName { repo: repo.into(), revision: owned(revision), subset: owned(subset), split: owned(split) }
    }

    #[test]
    fn every_part_of_a_name_may_be_there_or_not() {
        for (text, expected) in [
            ("o/n", name("o/n", None, None, None)),
            ("o/n/test", name("o/n", None, None, Some("test"))),
            ("o/n:main", name("o/n", None, Some("main"), None)),
            ("o/n:main/test", name("o/n", None, Some("main"), Some("test"))),
            ("o/n@abc", name("o/n", Some("abc"), None, None)),
            ("o/n@abc/test", name("o/n", Some("abc"), None, Some("test"))),
            ("o/n@refs/pr/1:main/test", name("o/n", Some("refs/pr/1"), Some("main"), Some("test"))),
        ] {
            assert_eq!(HubName::parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_name_that_is_none_says_what_a_source_is() {
        for wrong in ["", "gsm8k", "/n", "o/", "o/n@", "o/n:", "o/n:main/", "o/n/test:main", "o/n/a/b"] {
            let message = HubName::parse(wrong).unwrap_err().to_string();
            assert!(
                message.contains(&format!("\"hf:{wrong}\"")) && message.contains("owner/name"),
                "{message}"
            );
        }
    }

    #[test]
    fn the_cache_is_where_the_hub_client_would_look() {
        let with = |set: &[(&str, &str)]| {
            let var =
                |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
            cache_dir_in(var).display().to_string()
        };
        let home = ("HOME", "/u");
        assert_eq!(with(&[home]), "/u/.cache/huggingface/hub");
        assert_eq!(with(&[home, ("XDG_CACHE_HOME", "/x")]), "/x/huggingface/hub");
        assert_eq!(with(&[home, ("HF_HOME", "~/hf"), ("XDG_CACHE_HOME", "/x")]), "/u/hf/hub");
        assert_eq!(with(&[home, ("HF_HUB_CACHE", "/c"), ("HF_HOME", "/h")]), "/c");
        assert_eq!(with(&[home, ("HF_HUB_CACHE", ""), ("HF_HOME", "/h")]), "/h/hub");
    }

    #[test]
    fn a_snapshot_is_found_by_branch_and_by_commit() {
        let cache = tempfile::tempdir().unwrap();
        let repo = cache.path().join("datasets--o--n");
        std::fs::create_dir_all(repo.join("snapshots/abc")).unwrap();
        std::fs::create_dir_all(repo.join("refs")).unwrap();
        std::fs::write(repo.join("refs/main"), "abc\n").unwrap();
        let find = |revision| snapshot(cache.path(), RepoKind::Dataset, &name("o/n", revision, None, None));
        assert_eq!(find(None).unwrap(), repo.join("snapshots/abc"));
        assert_eq!(find(Some("abc")).unwrap(), repo.join("snapshots/abc"));
        let message = find(Some("v2")).unwrap_err().to_string();
        assert!(message.starts_with("hf:o/n@v2: not in the Hugging Face cache: looked for "), "{message}");
        assert!(
            message.contains("refs/v2, the commits there are: abc; download it with `hf download o/n"),
            "{message}"
        );
        assert!(message.contains("--revision v2"), "{message}");
    }

    #[test]
    fn what_is_not_cached_says_how_to_put_it_there() {
        let cache = tempfile::tempdir().unwrap();
        let message =
            |path: &Path, kind| snapshot(path, kind, &name("o/n", None, None, None)).unwrap_err().to_string();
        let dataset = message(cache.path(), RepoKind::Dataset);
        assert!(
            dataset.contains(
                "datasets--o--n, not there; download it with `hf download o/n --repo-type dataset`"
            ),
            "{dataset}"
        );
        let model = message(&cache.path().join("none"), RepoKind::Model);
        assert!(
            model.contains("models--o--n, there is no such cache; download it with `hf download o/n`"),
            "{model}"
        );
    }
}
