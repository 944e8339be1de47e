//! What can be wrong with data: each error says what was expected, what was found, where, and what to do next.

use std::path::PathBuf;

use crate::problem::Origin;

/// Why data could not be loaded or made.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    // === What the configuration asks for ===
    /// A source that cannot be understood.
    #[error(
        "source = \"{text}\": {reason}; expected a file, a folder, hf:owner/name[@revision][:subset][/split] or builtin:NAME"
    )]
    Source {
        /// As it was written.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting whose value is wrong, or which means nothing for this kind of source.
    #[error("{key}: {reason}")]
    Setting {
        /// The key within the data table.
        key: String,
        /// What was expected and what was found.
        reason: String,
    },

    // === Files and their lines ===
    /// A file or folder that cannot be read.
    #[error("cannot read {}{}: {source}", path.display(), after(*lines))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// How many lines were read before.
        lines: usize,
        /// What the system said.
        source: std::io::Error,
    },
    /// Lines that are no problems.
    #[error("{first}; {}", others(*more))]
    BadLines {
        /// The first of them.
        first: Box<BadLine>,
        /// How many more there are.
        more: usize,
    },
    /// A source without a single problem.
    #[error("{name}: no problems: expected at least one JSON object, one a line, found {found}")]
    Empty {
        /// The source.
        name: String,
        /// What is there instead.
        found: String,
    },
    /// A column that no row has.
    #[error(
        "{file}: no column for the {what}: looked for {wanted}, found the columns {found}; name it in columns.{what}"
    )]
    NoColumn {
        /// The first file of the source.
        file: String,
        /// `prompt`, `reference`, `response` or `id`.
        what: &'static str,
        /// The names that were looked for.
        wanted: String,
        /// The columns there are.
        found: String,
    },
    /// Two problems with one id.
    #[error(
        "{second}: the id \"{id}\" is already that of {first}; make ids unique, or set columns.id (\"\" makes ids from file and line)"
    )]
    DuplicateId {
        /// The id.
        id: String,
        /// Where it stands first.
        first: Origin,
        /// Where it stands again.
        second: Origin,
    },
    /// Parquet, which is not read.
    #[error(
        "{place}: only Parquet is there ({files}), which is not read yet; convert it to JSONL, for instance with Python's \
         datasets: load_dataset(\"parquet\", data_files=FILES, split=\"train\").to_json(\"problems.jsonl\"), and use that file as the source"
    )]
    Parquet {
        /// The file, folder or hub source.
        place: String,
        /// The Parquet files.
        files: String,
    },
    /// A folder or hub source in which no file, or no single set of files, answers to the subset and split.
    #[error("{place}: {reason}; looked for {wanted}; there is {found}")]
    NoFiles {
        /// The folder or hub source.
        place: String,
        /// What is wrong.
        reason: String,
        /// The patterns that were looked for.
        wanted: String,
        /// The files that are there.
        found: String,
    },
    /// A hub repository or revision that the cache does not hold.
    #[error("hf:{repo}: not in the Hugging Face cache: looked for {wanted}, {found}; {advice}")]
    NotCached {
        /// `owner/name`, with the revision where one was asked for.
        repo: String,
        /// The path that was looked for.
        wanted: String,
        /// What is there.
        found: String,
        /// How to put it there.
        advice: String,
    },

    // === Generators ===
    /// A generator that does not exist.
    #[error("builtin:{name}: no such generator; there are {known}")]
    UnknownGenerator {
        /// As it was asked for.
        name: String,
        /// The generators there are.
        known: String,
    },
    /// A knob that the generator does not have.
    #[error("options.{knob}: {generator} has no such knob; it has {known}")]
    UnknownKnob {
        /// The generator.
        generator: &'static str,
        /// As it was asked for.
        knob: String,
        /// The generator's knobs with their defaults.
        known: String,
    },
    /// A split that the generator does not have.
    #[error("split = \"{split}\": {generator} has no such split; it has {known}")]
    UnknownSplit {
        /// The generator.
        generator: &'static str,
        /// As it was asked for.
        split: String,
        /// The generator's splits.
        known: String,
    },
    /// More problems than there are.
    #[error(
        "n = {asked}: {generator} has at most {max} different problems in split \"{split}\" with these options; {advice}"
    )]
    TooMany {
        /// The generator.
        generator: &'static str,
        /// The split.
        split: String,
        /// How many were asked for.
        asked: usize,
        /// How many there are.
        max: u64,
        /// What to do.
        advice: &'static str,
    },
}

/// A line that is no problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: expected {expected}, found {found}")]
pub struct BadLine {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

fn after(lines: usize) -> String {
    if lines == 0 { String::new() } else { format!(" after line {lines}") }
}

fn others(more: usize) -> String {
    match more {
        0 => "no other line is bad".into(),
        1 => "1 more line is bad".into(),
        _ => format!("{more} more lines are bad"),
    }
}

/// Names as a list in a sentence, cut where there are too many to read.
pub(crate) fn listed<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 12;
    if names.is_empty() {
        return "nothing".into();
    }
    let mut text = names.iter().take(SHOWN).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_lines_say_where_what_and_how_many_more() {
        let first = BadLine {
            file: "a.jsonl".into(),
            line: 3,
            expected: "a JSON object".into(),
            found: "a list".into(),
        };
        let message = |more| DataError::BadLines { first: Box::new(first.clone()), more }.to_string();
        assert_eq!(message(0), "a.jsonl:3: expected a JSON object, found a list; no other line is bad");
        assert_eq!(message(1), "a.jsonl:3: expected a JSON object, found a list; 1 more line is bad");
        assert_eq!(message(9), "a.jsonl:3: expected a JSON object, found a list; 9 more lines are bad");
    }

    #[test]
    fn long_lists_are_cut_with_a_count() {
        let names: Vec<String> = (0..15).map(|i| format!("f{i}")).collect();
        assert_eq!(listed(&names[..2]), "f0, f1");
        assert!(listed(&names).ends_with("f11 and 3 more"));
        assert_eq!(listed::<&str>(&[]), "nothing");
    }
}
