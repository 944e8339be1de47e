//! What a case is: a file with a TOML head between `+++` lines and, under it, the response as a model would give it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// The tasks by name, each a reference of the kind `code`.
pub(crate) type Tasks = BTreeMap<String, Value>;

/// The head of a case.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// The name of a task in `tasks.toml`.
    pub(crate) task: String,
    /// The verdicts that are allowed.
    pub(crate) expect: Expect,
    /// What the verdict's reason must hold.
    pub(crate) reason: Option<String>,
    /// For a hostile case, what must not happen.
    #[serde(default)]
    pub(crate) why: String,
    /// Settings of the kind beside those that every case has.
    #[serde(default)]
    pub(crate) settings: toml::Table,
    /// What is looked at after the verdict: see `looks.rs`.
    #[serde(default)]
    pub(crate) looks: Vec<String>,
    /// The verification's deadline, in seconds.
    #[serde(default = "default_timeout")]
    pub(crate) timeout_s: f64,
    /// A case whose response is judged before this one, as the one that lays the trap.
    pub(crate) after: Option<String>,
    /// Long or unprintable parts of the response.
    #[serde(default)]
    pub(crate) fill: Vec<Fill>,
    /// Whether the response's lines end as on Windows.
    #[serde(default)]
    pub(crate) crlf: bool,
    /// What is different at the weaker level of isolation.
    pub(crate) landlock: Option<Weaker>,
}

fn default_timeout() -> f64 {
    20.0
}

/// One verdict or several. A name alone is a judged verdict's kind, `undecided:NAME` is an undecided one's.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Expect {
    One(String),
    Any(Vec<String>),
}

impl Expect {
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Any(names) => names,
        }
    }
}

/// A text that stands for `times` copies of another.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fill {
    pub(crate) mark: String,
    pub(crate) text: String,
    #[serde(default = "once")]
    pub(crate) times: usize,
}

fn once() -> usize {
    1
}

/// What a weaker level of isolation cannot hold. What is not written here stays as it is.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Weaker {
    pub(crate) expect: Option<Expect>,
    pub(crate) looks: Option<Vec<String>>,
}

/// A case as its file has it; `{NAMES}` in its texts are not filled in yet.
#[derive(Clone)]
pub(crate) struct Case {
    /// `honest/NAME` or `hostile/NAME`.
    pub(crate) name: String,
    pub(crate) head: Head,
    pub(crate) response: String,
}

impl Case {
    fn parse(name: String, text: &str) -> Self {
        let parts = text.strip_prefix("+++\n").and_then(|rest| rest.split_once("\n+++\n"));
        let (head, body) = parts.unwrap_or_else(|| panic!("{name}: the head must stand between `+++` lines"));
        let head: Head = toml::from_str(head).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut response = body.to_owned();
        for fill in &head.fill {
            assert!(response.contains(&fill.mark), "{name}: `{}` is nowhere", fill.mark);
            response = response.replace(&fill.mark, &fill.text.repeat(fill.times));
        }
        if head.crlf {
            response = response.replace('\n', "\r\n");
        }
        Self { name, head, response }
    }

    pub(crate) fn is_hostile(&self) -> bool {
        self.name.starts_with("hostile/")
    }

    /// The case as it is at the level `landlock`.
    pub(crate) fn weakened(mut self) -> Self {
        if let Some(Weaker { expect, looks }) = self.head.landlock.take() {
            self.head.expect = expect.unwrap_or(self.head.expect);
            self.head.looks = looks.unwrap_or(self.head.looks);
        }
        self
    }

    /// The names in braces that the case's texts use.
    pub(crate) fn marks(&self) -> impl Iterator<Item = &str> {
        static NAME: std::sync::LazyLock<regex::Regex> =
            std::sync::LazyLock::new(|| regex::Regex::new(r"\{([A-Z_]{3,})\}").unwrap());
        let texts = self.head.looks.iter().chain(&self.head.reason).chain([&self.response]);
        texts.flat_map(|text| NAME.captures_iter(text)).filter_map(|found| Some(found.get(1)?.as_str()))
    }
}

/// The tasks and the cases below `folder`, the cases by name.
pub(crate) fn load(folder: &Path) -> (Tasks, Vec<Case>) {
    let tasks = std::fs::read_to_string(folder.join("tasks.toml")).unwrap();
    let tasks: Tasks = toml::from_str(&tasks).unwrap_or_else(|error| panic!("tasks.toml: {error}"));
    let mut cases = Vec::new();
    for side in ["honest", "hostile"] {
        for entry in std::fs::read_dir(folder.join(side)).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{side}/{}", path.file_stem().unwrap().to_str().unwrap());
            cases.push(Case::parse(name, &std::fs::read_to_string(&path).unwrap()));
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    (tasks, cases)
}
