//! A dataset: the problems of one source, each with an id of its own, and nothing lost on the way unsaid.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::columns::Mapping;
use crate::config::{Columns, SourceConfig};
use crate::error::{BadLine, DataError};
use crate::files::{self, Wanted};
use crate::hub::{self, HubName, RepoKind};
use crate::jsonl;
use crate::problem::Problem;
use crate::tasks;

/// How many problems a generator makes where the configuration does not say.
const DEFAULT_N: usize = 1000;

/// The problems of one source, never none.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The source, and the split where there is one.
    pub name: String,
    /// In the order of the files and their lines.
    pub problems: Vec<Problem>,
    /// Bad lines, left out because the configuration allowed so many.
    pub bad_lines: Vec<BadLine>,
    /// The files that were read; none for a generator.
    pub files: Vec<PathBuf>,
    /// How the columns were read, in words, for logs.
    pub layout: String,
}

impl Dataset {
    /// Loads what the configuration describes. `default_split` is taken where neither the source nor `split` names one.
    ///
    /// # Errors
    /// Anything that is not as expected, with file, line and what to do; see [`DataError`].
    pub fn load(config: &SourceConfig, default_split: &str) -> Result<Self, DataError> {
        Self::load_with_cache(config, default_split, &hub::cache_dir())
    }

    /// As [`Dataset::load`], with the Hugging Face cache at `cache`.
    ///
    /// # Errors
    /// As [`Dataset::load`].
    pub fn load_with_cache(
        config: &SourceConfig,
        default_split: &str,
        cache: &Path,
    ) -> Result<Self, DataError> {
        if config.limit == Some(0) {
            return Err(setting("limit", "expected at least 1, found 0"));
        }
        let source = config.source.as_str();
        if let Some(name) = source.strip_prefix("builtin:") {
            return generated(config, name, config.split.as_deref().unwrap_or(default_split));
        }
        refuse_generator_settings(config)?;
        if let Some(name) = source.strip_prefix("hf:") {
            let name = HubName::parse(name)?;
            let split = one_split(config, name.split.as_deref())?;
            let folder = hub::snapshot(cache, RepoKind::Dataset, &name)?;
            let wanted = wanted(name.subset.as_deref(), split, default_split);
            return from_folder(config, &folder, wanted);
        }
        let path = Path::new(source);
        if path.is_dir() {
            return from_folder(config, path, wanted(None, config.split.as_deref(), default_split));
        }
        if config.split.is_some() {
            return Err(setting(
                "split",
                "a single file has no splits; leave it out, or name the folder as the source",
            ));
        }
        if source.is_empty() {
            return Err(DataError::Source { text: source.into(), reason: "it is empty".into() });
        }
        let stem = files::stem(&path.file_name().unwrap_or_default().to_string_lossy()).to_string();
        if source.ends_with(".parquet") && path.is_file() {
            return Err(DataError::Parquet { place: source.into(), files: stem });
        }
        from_files(config, source.to_string(), vec![(path.to_path_buf(), stem)])
    }

    /// A hash of every problem, so that a resumed run can tell that its data is still the same.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for problem in &self.problems {
            let row = serde_json::to_vec(problem).unwrap_or_default();
            hash.update((row.len() as u64).to_le_bytes());
            hash.update(&row);
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn wanted<'a>(subset: Option<&'a str>, split: Option<&'a str>, default: &'a str) -> Wanted<'a> {
    Wanted { subset, split: split.unwrap_or(default), is_explicit: split.is_some() }
}

/// The split of the source or of the `split` key, which must not contradict each other.
fn one_split<'a>(config: &'a SourceConfig, in_source: Option<&'a str>) -> Result<Option<&'a str>, DataError> {
    match (in_source, config.split.as_deref()) {
        (Some(a), Some(b)) if a != b => {
            Err(setting("split", &format!("\"{b}\", but the source says \"{a}\"")))
        }
        (a, b) => Ok(a.or(b)),
    }
}

fn refuse_generator_settings(config: &SourceConfig) -> Result<(), DataError> {
    let set =
        [("n", config.n.is_some()), ("seed", config.seed.is_some()), ("options", !config.options.is_empty())];
    match set.iter().find(|(_, is_set)| *is_set) {
        Some((key, _)) => {
            let advice = if *key == "n" { "; limit takes the first so many problems of a file" } else { "" };
            Err(setting(key, &format!("only generators have it, and {} is none{advice}", config.source)))
        }
        None => Ok(()),
    }
}

fn generated(config: &SourceConfig, name: &str, split: &str) -> Result<Dataset, DataError> {
    let set =
        [("columns", config.columns != Columns::default()), ("answer_regex", config.answer_regex.is_some())];
    if let Some((key, _)) = set.iter().find(|(_, is_set)| *is_set) {
        return Err(setting(key, "generated problems need none"));
    }
    let (n, seed) = (config.n.unwrap_or(DEFAULT_N), config.seed.unwrap_or(0));
    if n == 0 {
        return Err(setting("n", "expected at least 1, found 0"));
    }
    let mut problems = tasks::generate(name, n, seed, split, &config.options)?;
    problems.truncate(config.limit.unwrap_or(usize::MAX));
    let layout = format!("generated with seed {seed}");
    Ok(Dataset {
        name: format!("{}/{split}", config.source),
        problems,
        bad_lines: Vec::new(),
        files: Vec::new(),
        layout,
    })
}

fn from_folder(config: &SourceConfig, folder: &Path, wanted: Wanted<'_>) -> Result<Dataset, DataError> {
    let chosen = files::choose(folder, &config.source, wanted)?;
    let with_stem = |path: PathBuf| {
        let stem = files::stem(&path.to_string_lossy()).to_string();
        (folder.join(path), stem)
    };
    let name = match &config.source {
        source if source.ends_with(&format!("/{}", wanted.split)) => source.clone(),
        source => format!("{}/{}", source.trim_end_matches('/'), wanted.split),
    };
    from_files(config, name, chosen.into_iter().map(with_stem).collect())
}

/// Reads files, each with what its problems' ids begin with.
fn from_files(
    config: &SourceConfig,
    name: String,
    files: Vec<(PathBuf, String)>,
) -> Result<Dataset, DataError> {
    let most = config.limit.map_or(usize::MAX, |limit| limit.saturating_add(config.max_bad_lines));
    let mut rows = Vec::new();
    for (path, stem) in &files {
        jsonl::read(path, stem, most, &mut rows)?;
    }
    let good: Vec<&jsonl::Row> = rows.iter().filter_map(|row| row.as_ref().ok()).collect();
    if good.is_empty() {
        let bad: Vec<BadLine> = rows.into_iter().filter_map(Result::err).collect();
        refuse_beyond(0, &bad)?;
        let paths: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
        let found = format!("nothing but empty lines in {}", crate::error::listed(&paths));
        return Err(DataError::Empty { name, found });
    }
    let mapping = Mapping::resolve(config, &good)?;
    let (mut problems, mut bad) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        if Some(problems.len()) == config.limit {
            break;
        }
        match row.and_then(|row| mapping.problem(row)) {
            Ok(problem) => problems.push(problem),
            Err(line) => bad.push(line),
        }
    }
    refuse_beyond(config.max_bad_lines, &bad)?;
    if problems.is_empty() {
        return Err(DataError::Empty { name, found: format!("{} bad lines", bad.len()) });
    }
    refuse_duplicates(&problems)?;
    let files = files.into_iter().map(|(path, _)| path).collect();
    Ok(Dataset { name, problems, bad_lines: bad, files, layout: mapping.describe() })
}

fn refuse_beyond(allowed: usize, bad: &[BadLine]) -> Result<(), DataError> {
    let more = bad.len().saturating_sub(1);
    match bad.first() {
        Some(first) if more >= allowed => Err(DataError::BadLines { first: Box::new(first.clone()), more }),
        _ => Ok(()),
    }
}

fn refuse_duplicates(problems: &[Problem]) -> Result<(), DataError> {
    let mut seen: HashMap<&str, &Problem> = HashMap::with_capacity(problems.len());
    for problem in problems {
        if let Some(first) = seen.insert(&problem.id, problem) {
            let (first, second) = (first.origin.clone(), problem.origin.clone());
            return Err(DataError::DuplicateId { id: problem.id.clone(), first, second });
        }
    }
    Ok(())
}

fn setting(key: &str, reason: &str) -> DataError {
    DataError::Setting { key: key.into(), reason: reason.into() }
}

#[cfg(test)]
mod tests;
