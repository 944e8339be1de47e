//! The command line of `verify`: what was typed, and what it comes to with the config file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use thiserror::Error;
use toml::{Table, Value};

use crate::budget::{MAX_TIMEOUT_S, timeout};
use crate::error::VerifierError;
use crate::kinds::{configure, kinds};
use crate::rubric;
use crate::supervisor::SupervisorConfig;
use crate::verifier::Configured;

/// One line for lists of commands.
pub const VERIFY_ABOUT: &str = "Judge responses by reference answers: JSON lines in, JSON lines out";

/// The text behind the options in `--help`: the format of lines, an example, the verifiers.
pub fn verify_help() -> String {
    let mut text = String::from(concat!(
        "Each line of standard input is one JSON object:\n",
        "  id         any JSON value; echoed as it is\n",
        "  reference  the gold answer: the verifier's object, or a bare text for its first field\n",
        "  response   the text to judge\n",
        "  problem    the problem's text, for verifiers that want it\n",
        "  num_tokens how many tokens the response has, for verifiers that want it\n\n",
        "Each line of standard output, in the same order, is\n",
        "  {\"id\", \"verdict\": \"judged\"|\"undecided\", \"score\": 0 to 1 or null, \"reason\", \"extracted\", \"ms\", \"kind\"}\n\n",
        "Example:\n",
        "  $ echo '{\"id\": 1, \"reference\": \"42\", \"response\": \"The answer is 42.\"}' | polestar-verify --verifier math\n",
        "  {\"id\":1,\"verdict\":\"judged\",\"score\":1.0,\"reason\":\"42 equals 42\",\"extracted\":\"42\",\"ms\":0.021,\"kind\":\"right\"}\n\n",
        "A line that is not such an object, or whose reference cannot be read, is undecided; the rest goes on.\n",
        "With --check a table of probes is written instead: PASS or FAIL, what was seen, what training would do.\n",
        "Exit code: 0 done, 1 some lines could not be read or a probe failed, 2 the call or the config is wrong\n",
        "or the verifier cannot start.\n\n",
        "Verifiers:\n",
    ));
    for entry in kinds() {
        text.push_str(&format!("  {:<10} {}\n", entry.name, entry.about));
    }
    text
}

/// The options of `polestar verify` and `polestar-verify`.
#[derive(Args, Clone, Debug, Default)]
pub struct VerifyArgs {
    /// The kind of verifier, or the name of one of the config file's verifiers
    #[arg(long, value_name = "NAME")]
    pub verifier: Option<String>,

    /// A TOML file with the verifier's settings at the top level, or a recipe
    #[arg(long, value_name = "FILE.toml")]
    pub config: Option<PathBuf>,

    /// Verifications at once; 0 takes one for each core [default: 0]
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,

    /// Seconds that one verification may take; past them it is undecided [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub timeout_s: Option<f64>,

    /// A setting of the verifier, over the config file's; the value is read as TOML, else taken as text
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,

    /// Put the verifier itself to the test: send it odd requests, and those of standard input if there are any, and
    /// tell what it does with each
    #[arg(long)]
    pub check: bool,
}

/// What is wrong with the call or the config file.
#[derive(Debug, Error)]
pub(super) enum SettingsError {
    #[error("no verifier is named; say --verifier NAME with one of: {known}")]
    NoVerifier { known: String },
    #[error("the config file {path} cannot be read: {source}")]
    File { path: String, source: std::io::Error },
    #[error("the config file {path} is not TOML: {problem}")]
    Toml { path: String, problem: String },
    #[error("{path} has no [[verifier]] with name or kind `{wanted}`; it has: {known}")]
    NotInFile { path: String, wanted: String, known: String },
    #[error("--set expects KEY=VALUE, found `{found}`")]
    Set { found: String },
    #[error("`{key}` must be {expected}, found {found}")]
    Value { key: &'static str, expected: &'static str, found: String },
    #[error(transparent)]
    Verifier(#[from] VerifierError),
}

/// A call that makes sense.
pub(super) struct Settings {
    pub(super) verifier: Box<dyn Configured>,
    pub(super) supervisor: SupervisorConfig,
}

impl Settings {
    /// Reads the config file, lays `--set` and the options over it, and configures the verifier.
    pub(super) fn resolve(args: &VerifyArgs) -> Result<Self, SettingsError> {
        let mut table = match &args.config {
            Some(path) => read(path, args.verifier.as_deref())?,
            None => Table::new(),
        };
        for setting in &args.set {
            let (key, value) = parse_set(setting)?;
            table.insert(key, value);
        }
        // These say how a verifier's scores are used, not how it judges.
        for elsewhere in ["name", "weight", "success"] {
            table.remove(elsewhere);
        }
        let in_table = match table.remove("kind") {
            Some(Value::String(kind)) => Some(kind),
            None => None,
            Some(found) => return Err(wrong("kind", "the name of a verifier", &found)),
        };
        // A name that is no kind is that of a [[verifier]], which has been found by now.
        let named = args
            .verifier
            .clone()
            .filter(|name| in_table.is_none() || kinds().iter().any(|it| it.name == name));
        let kind = match (named, in_table) {
            (Some(named), Some(kind)) if named != kind => {
                return Err(wrong("kind", "what --verifier says, or left out", &Value::String(kind)));
            }
            (Some(kind), _) | (None, Some(kind)) => kind,
            (None, None) => {
                let known = kinds().iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ");
                return Err(SettingsError::NoVerifier { known });
            }
        };
        let jobs = args.jobs.map(Ok).or_else(|| table.remove("jobs").map(jobs)).unwrap_or(Ok(0))?;
        table.remove("jobs");
        let typed = match args.timeout_s {
            Some(seconds) => Some(Value::Float(seconds)),
            None => table.get("timeout_s").cloned(),
        };
        table.remove("timeout_s");
        let timeout = typed.as_ref().map_or(Ok(DEFAULT_TIMEOUT), timeout_of)?;
        let verifier = configure(&kind, &json(Value::Table(table)))?;
        Ok(Self { verifier, supervisor: SupervisorConfig { jobs, timeout, queue: QUEUE } })
    }
}

/// What one verification may take unless said.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Lines taken in beyond those that are being judged.
const QUEUE: usize = 256;

fn wrong(key: &'static str, expected: &'static str, found: &Value) -> SettingsError {
    SettingsError::Value { key, expected, found: found.to_string() }
}

fn jobs(value: Value) -> Result<usize, SettingsError> {
    let jobs = value.as_integer().and_then(|jobs| usize::try_from(jobs).ok());
    jobs.ok_or_else(|| wrong("jobs", "a whole number that is not negative", &value))
}

fn timeout_of(value: &Value) -> Result<Duration, SettingsError> {
    let seconds = value.as_float().or_else(|| value.as_integer().map(|seconds| seconds as f64));
    seconds
        .and_then(timeout)
        .ok_or_else(|| wrong("timeout_s", "a number of seconds above 0 and at most 86400 (a day)", value))
}

/// The verifier's settings in a config file.
fn read(path: &Path, wanted: Option<&str>) -> Result<Table, SettingsError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|source| SettingsError::File { path: shown.clone(), source })?;
    let mut table: Table = text.parse().map_err(|error: toml::de::Error| SettingsError::Toml {
        path: shown.clone(),
        problem: error.to_string(),
    })?;
    let Some(Value::Array(verifiers)) = table.remove("verifier") else { return Ok(table) };
    let verifiers: Vec<Table> = verifiers
        .into_iter()
        .filter_map(|verifier| match verifier {
            Value::Table(verifier) => Some(verifier),
            _ => None,
        })
        .collect();
    let text_of = |verifier: &Table, key: &str| verifier.get(key).and_then(Value::as_str).map(str::to_owned);
    let label = |verifier: &Table| {
        text_of(verifier, "name").or_else(|| text_of(verifier, "kind")).unwrap_or_default()
    };
    let known = verifiers.iter().map(label).collect::<Vec<_>>().join(", ");
    let by =
        |key: &str| verifiers.iter().find(|it| wanted.is_some() && text_of(it, key).as_deref() == wanted);
    let only = if wanted.is_none() && verifiers.len() == 1 { verifiers.first() } else { None };
    if let Some(found) = by("name").or_else(|| by("kind")).or(only) {
        return Ok(found.clone());
    }
    if wanted == Some(rubric::NAME) && !verifiers.is_empty() {
        return all_as_parts(verifiers);
    }
    let none = format!("(none; say --verifier NAME, or --verifier {} for all together)", rubric::NAME);
    let wanted = wanted.map_or(none, str::to_owned);
    Err(SettingsError::NotInFile { path: shown, wanted, known })
}

/// All verifiers of a recipe as the parts of one. In training each has its own time and its own number of jobs; here they
/// share the sum of the times, and the smallest number that is set.
fn all_as_parts(mut verifiers: Vec<Table>) -> Result<Table, SettingsError> {
    let mut seconds = 0.0;
    let mut num_jobs = 0;
    for verifier in &mut verifiers {
        let typed = verifier.remove("timeout_s");
        seconds += typed.as_ref().map_or(Ok(DEFAULT_TIMEOUT), timeout_of)?.as_secs_f64();
        num_jobs = match (verifier.remove("jobs").map_or(Ok(0), jobs)?, num_jobs) {
            (0, known) | (known, 0) => known,
            (one, other) => one.min(other),
        };
    }
    let mut table = Table::new();
    table.insert("kind".to_owned(), rubric::NAME.into());
    table.insert("timeout_s".to_owned(), seconds.min(MAX_TIMEOUT_S).into());
    table.insert("jobs".to_owned(), i64::try_from(num_jobs).unwrap_or(i64::MAX).into());
    table.insert("parts".to_owned(), Value::Array(verifiers.into_iter().map(Value::Table).collect()));
    Ok(table)
}

/// `KEY=VALUE`: the value as TOML, else as text.
fn parse_set(setting: &str) -> Result<(String, Value), SettingsError> {
    let (key, value) = setting
        .split_once('=')
        .filter(|(key, _)| !key.trim().is_empty())
        .ok_or_else(|| SettingsError::Set { found: setting.to_owned() })?;
    // A line break could smuggle in a second key.
    let parsed = if value.contains('\n') { None } else { format!("value = {value}").parse::<Table>().ok() };
    let value =
        parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(value.to_owned()));
    Ok((key.trim().to_owned(), value))
}

/// TOML as JSON; dates become texts, and numbers that JSON has not become null.
fn json(value: Value) -> serde_json::Value {
    match value {
        Value::String(text) => text.into(),
        Value::Integer(number) => number.into(),
        Value::Float(number) => number.into(),
        Value::Boolean(truth) => truth.into(),
        Value::Datetime(time) => time.to_string().into(),
        Value::Array(values) => values.into_iter().map(json).collect(),
        Value::Table(table) => {
            serde_json::Value::Object(table.into_iter().map(|(key, value)| (key, json(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(args: VerifyArgs) -> Result<Settings, String> {
        Settings::resolve(&args).map_err(|error| error.to_string())
    }

    fn math(set: &[&str]) -> VerifyArgs {
        VerifyArgs {
            verifier: Some("math".into()),
            set: set.iter().map(|it| (*it).to_owned()).collect(),
            ..VerifyArgs::default()
        }
    }

    fn with_file(text: &str, verifier: Option<&str>) -> Result<Settings, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        resolve(VerifyArgs {
            verifier: verifier.map(str::to_owned),
            config: Some(file.path().to_owned()),
            ..VerifyArgs::default()
        })
    }

    #[test]
    fn set_takes_toml_or_text() {
        let value = |setting| parse_set(setting).unwrap().1;
        assert_eq!(value("a=1"), Value::Integer(1));
        assert_eq!(value("a=\"1\""), Value::String("1".into()));
        assert_eq!(value("a=last-number"), Value::String("last-number".into()));
        assert_eq!(value("a=1\nb=2"), Value::String("1\nb=2".into()));
        assert_eq!(value("a=x=y"), Value::String("x=y".into()));
        assert_eq!(value("a=[1, 2]"), Value::Array(vec![Value::Integer(1), Value::Integer(2)]));
        assert!(parse_set("a").is_err() && parse_set("=1").is_err());
    }

    #[test]
    fn options_win_over_set_which_wins_over_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "timeout_s = 1\njobs = 2\nfallback = \"last-number\"").unwrap();
        let mut args = math(&["timeout_s=3", "jobs=4"]);
        args.config = Some(file.path().to_owned());
        let settings = resolve(args.clone()).unwrap();
        assert_eq!((settings.supervisor.timeout, settings.supervisor.jobs), (Duration::from_secs(3), 4));
        args.timeout_s = Some(0.5);
        args.jobs = Some(1);
        let settings = resolve(args).unwrap();
        assert_eq!((settings.supervisor.timeout, settings.supervisor.jobs), (Duration::from_millis(500), 1));
    }

    #[test]
    fn a_recipe_s_verifier_is_found_by_name_or_kind() {
        let recipe = "[run]\nname = \"x\"\n[[verifier]]\nname = \"sum\"\nkind = \"digits\"\nweight = 0.5\n\
                      [[verifier]]\nkind = \"math\"\nsuccess = 1.0\n";
        assert_eq!(with_file(recipe, Some("sum")).unwrap().verifier.name(), "digits");
        assert_eq!(with_file(recipe, Some("digits")).unwrap().verifier.name(), "digits");
        assert_eq!(with_file(recipe, Some("math")).unwrap().verifier.name(), "math");
        let error = with_file(recipe, Some("coq")).err().unwrap();
        assert!(error.contains("`coq`; it has: sum, math"), "{error}");
        let error = with_file(recipe, None).err().unwrap();
        assert!(error.contains("say --verifier NAME, or --verifier rubric for all together"), "{error}");
    }

    #[test]
    fn all_verifiers_of_a_recipe_are_a_rubric() {
        let recipe = "[run]\nname = \"x\"\n\
                      [[verifier]]\nname = \"sum\"\nkind = \"digits\"\nweight = 0.5\ntimeout_s = 2\njobs = 3\n\
                      [[verifier]]\nkind = \"math\"\nsuccess = 1.0\njobs = 2\n";
        let settings = with_file(recipe, Some("rubric")).unwrap();
        assert_eq!(settings.verifier.name(), "rubric");
        assert_eq!((settings.supervisor.timeout, settings.supervisor.jobs), (Duration::from_secs(12), 2));
        // One of that name or kind goes first.
        let named = format!("{recipe}[[verifier]]\nname = \"rubric\"\nkind = \"math\"\n");
        assert_eq!(
            with_file(&named, Some("rubric")).err().unwrap(),
            "`kind` must be what --verifier says, or left out, found \"math\""
        );
        let own = format!("{recipe}[[verifier]]\nkind = \"rubric\"\nparts = [{{kind = \"math\"}}]\n");
        assert_eq!(with_file(&own, Some("rubric")).unwrap().supervisor.timeout, Duration::from_secs(10));
        let one = "[[verifier]]\nkind = \"math\"\n";
        assert_eq!(with_file(one, Some("rubric")).unwrap().verifier.name(), "rubric");
        for (bad, expected) in [
            ("kind = \"math\"", "two parts have the name `math`"),
            ("kind = \"digits\"\ntimeout_s = 0", "`timeout_s` must be a number of seconds above 0"),
            ("kind = \"digits\"\njobs = -1", "`jobs` must be a whole number"),
            ("kind = \"digits\"\nfallback = 1", "part `digits`: verifier `digits`: its settings"),
        ] {
            let error = with_file(&format!("{recipe}[[verifier]]\n{bad}\n"), Some("rubric")).err().unwrap();
            assert!(error.contains(expected), "{bad}: {error}");
        }
    }

    #[test]
    fn wrong_calls_say_what_is_wrong() {
        let cases = [
            (
                VerifyArgs::default(),
                "--verifier NAME with one of: math, choice, text, digits, format, length, repetition, rubric, code, lean, process, http",
            ),
            (math(&["fallback"]), "--set expects KEY=VALUE, found `fallback`"),
            (math(&["fallbak=none"]), "unknown field `fallbak`"),
            (
                math(&["timeout_s=0"]),
                "`timeout_s` must be a number of seconds above 0 and at most 86400 (a day), found 0",
            ),
            (math(&["timeout_s=nan"]), "at most 86400 (a day), found nan"),
            (math(&["timeout_s=1e300"]), "`timeout_s` must be a number of seconds above 0 and at most 86400"),
            (math(&["timeout_s=soon"]), "`timeout_s` must be"),
            (math(&["jobs=-1"]), "`jobs` must be a whole number"),
            (math(&["kind=digits"]), "`kind` must be what --verifier says"),
            (
                VerifyArgs { verifier: Some("coq".into()), ..VerifyArgs::default() },
                "the kinds are: math, choice, text, digits, format, length, repetition, rubric, code, lean, process, http",
            ),
            (VerifyArgs { config: Some("no/such.toml".into()), ..math(&[]) }, "no/such.toml cannot be read"),
        ];
        for (args, expected) in cases {
            let error = resolve(args.clone()).err().unwrap();
            assert!(error.contains(expected), "{args:?}: {error}");
        }
        assert!(with_file("fallback = ", Some("math")).err().unwrap().contains("is not TOML"));
        assert_eq!(with_file("kind = \"math\"", None).unwrap().verifier.name(), "math");
    }
}
