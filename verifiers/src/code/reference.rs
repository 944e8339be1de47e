//! What the tests of a problem are: the reference of `code`, read once at load.
//!
//! | form | fields |
//! | --- | --- |
//! | a function `check(candidate)`, as in HumanEval | `test`, `entry_point`, optional `prompt` |
//! | assert statements, as in MBPP | `tests`, optional `setup`, `prompt`, `entry_point` |
//! | standard input and output | `cases`, or `inputs` and `outputs`: see [`case_list`]; optional `compare`, `tolerance` |
//! | files for pytest | `files`: names and texts, optional `module` |
//!
//! Every form may have `limits`, and `language`. The first, second and last are Python whatever the settings say, for the
//! tests are. A field that is null counts as left out, as data sets with columns have it. The whole may be a text that
//! is the JSON of such an object, as a column of APPS is.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::case_list;
use super::cases::{Comparison, Layout};
use super::language::PYTHON;
use crate::budget::{MAX_TIMEOUT_S, timeout};
use crate::error::shorten;

/// The name under which pytest files import the solution, unless they say another.
const MODULE: &str = "solution";
/// The least and the most memory that a reference may ask for, in MiB.
const MEMORY_MB: (u64, u64) = (16, 1 << 20);
/// The least and the most output that a reference may ask for, in KiB.
const OUTPUT_KB: (u64, u64) = (1, 1 << 20);
/// Bytes of a value that an error message shows.
const SHOWN_BYTES: usize = 80;
/// What Python keeps for itself: no name can be one of these.
const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];
/// Modules whose names the solution cannot take: the tests and what runs them need these themselves.
const TAKEN_MODULES: &[&str] = &["__main__", "builtins", "conftest", "pytest", "sys"];

/// The tests of one problem, and what holds for them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub struct Reference {
    /// The tests.
    pub form: Form,
    /// What the settings' limits are replaced by.
    pub limits: Limits,
    /// The language that the reference names.
    language: Option<String>,
}

/// The four forms of tests.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// A test that defines `check(candidate)`.
    Check {
        /// The code that the answer continues or stands under; may be empty.
        prompt: String,
        /// The name that `check` is called with.
        entry_point: String,
        /// The source that defines `check`.
        test: String,
    },
    /// Assert statements, run in order.
    Asserts {
        /// The statements, at least one, each a source of its own.
        tests: Vec<String>,
        /// Run after the solution is loaded and before the tests; may be empty.
        setup: String,
        /// The code that the answer continues or stands under; may be empty.
        prompt: String,
        /// The name that the answer defines. Without one the answer stands under the prompt.
        entry_point: Option<String>,
    },
    /// A program that reads and writes.
    Cases {
        /// At least one, of which at least one expects some output.
        cases: Vec<Case>,
        /// When an output counts as the expected one.
        comparison: Comparison,
    },
    /// Files for pytest.
    Files {
        /// By their names, which have no folders and end in `.py`. At least one is one that pytest looks for tests in.
        files: BTreeMap<String, String>,
        /// The name by which they import the solution.
        module: String,
    },
}

/// What a program reads, and what it must write then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Standard input; may be empty.
    pub stdin: String,
    /// Standard output.
    pub stdout: String,
}

/// Limits that hold in place of those of the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Time for the whole verification.
    pub timeout: Option<Duration>,
    /// Memory of the program, in MiB.
    pub memory_mb: Option<u64>,
    /// What the program may write, in KiB.
    pub output_kb: Option<u64>,
}

impl Reference {
    /// The language of the answer. `default` is that of the settings; it counts for cases alone.
    pub fn language<'a>(&'a self, default: &'a str) -> &'a str {
        match (&self.form, &self.language) {
            (Form::Cases { .. }, Some(language)) => language,
            (Form::Cases { .. }, None) => default,
            _ => PYTHON,
        }
    }

    /// The code that the answer continues or stands under, empty where there is none, and the name that it defines.
    pub fn given(&self) -> (&str, Option<&str>) {
        match &self.form {
            Form::Check { prompt, entry_point, .. } => (prompt, Some(entry_point)),
            Form::Asserts { prompt, entry_point, .. } => (prompt, entry_point.as_deref()),
            Form::Cases { .. } | Form::Files { .. } => ("", None),
        }
    }
}

/// The reference as the data has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReference {
    prompt: Option<Value>,
    entry_point: Option<Value>,
    test: Option<Value>,
    tests: Option<Value>,
    setup: Option<Value>,
    cases: Option<Value>,
    inputs: Option<Value>,
    outputs: Option<Value>,
    fn_name: Option<Value>,
    compare: Option<Value>,
    tolerance: Option<Value>,
    files: Option<Value>,
    module: Option<Value>,
    language: Option<Value>,
    limits: Option<Value>,
}

impl TryFrom<Value> for Reference {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let object = match value {
            Value::String(text) => serde_json::from_str(&text)
                .ok()
                .filter(Value::is_object)
                .ok_or("it must be an object with tests, or a text that is the JSON of one")?,
            other => other,
        };
        if !object.is_object() {
            return Err("it must be an object with tests".to_owned());
        }
        let raw: RawReference = serde_json::from_value(object).map_err(|error| error.to_string())?;
        let raw = raw.with_cases()?;
        let form = raw.form()?;
        let language = match &raw.language {
            None => None,
            Some(value) => {
                let language = text("language", value)?;
                let is_python_only = !matches!(form, Form::Cases { .. });
                if is_python_only && language != PYTHON {
                    return Err(format!(
                        "`language` must be \"python\" or left out where the tests are Python; only `cases` can \
                         test a program in {language:?}"
                    ));
                }
                Some(filled("language", language)?)
            }
        };
        let limits = raw.limits.as_ref().map(limits).transpose()?.unwrap_or_default();
        Ok(Self { form, limits, language })
    }
}

impl RawReference {
    /// Takes inputs and outputs for cases.
    fn with_cases(mut self) -> Result<Self, String> {
        if let Some(name) = &self.fn_name {
            return Err(case_list::calls_a_function(name));
        }
        let (inputs, outputs) = (self.inputs.take(), self.outputs.take());
        if inputs.is_none() && outputs.is_none() {
            return Ok(self);
        }
        if self.cases.is_some() {
            return Err("it has `cases` beside `inputs` and `outputs`, which are another spelling of them; leave one out"
                .to_owned());
        }
        self.cases = Some(json!({"inputs": inputs, "outputs": outputs}));
        Ok(self)
    }

    fn form(&self) -> Result<Form, String> {
        let forms =
            [("test", &self.test), ("tests", &self.tests), ("cases", &self.cases), ("files", &self.files)];
        let given: Vec<&str> =
            forms.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| *name).collect();
        let [form] = given.as_slice() else {
            let found =
                if given.is_empty() { "none".to_owned() } else { format!("`{}`", given.join("` and `")) };
            return Err(format!(
                "it must have exactly one of `test` (defines check(candidate)), `tests` (assert statements), \
                 `cases` (standard input and output) and `files` (for pytest), found {found}"
            ));
        };
        self.check_belonging(form)?;
        match (&self.test, &self.tests, &self.cases, &self.files) {
            (Some(test), ..) => self.check_form(test),
            (_, Some(tests), ..) => self.asserts_form(tests),
            (_, _, Some(cases), _) => self.cases_form(cases),
            (.., files) => self.files_form(files.as_ref().unwrap_or(&Value::Null)),
        }
    }

    /// Refuses fields that another form has.
    fn check_belonging(&self, form: &str) -> Result<(), String> {
        let fields: [(&str, &Option<Value>, &[&str]); 6] = [
            ("prompt", &self.prompt, &["test", "tests"]),
            ("entry_point", &self.entry_point, &["test", "tests"]),
            ("setup", &self.setup, &["tests"]),
            ("compare", &self.compare, &["cases"]),
            ("tolerance", &self.tolerance, &["cases"]),
            ("module", &self.module, &["files"]),
        ];
        for (name, value, forms) in fields {
            if value.is_some() && !forms.contains(&form) {
                let forms = forms.join("` or `");
                return Err(format!(
                    "`{name}` belongs to `{forms}`, but the tests are in `{form}`; leave it out"
                ));
            }
        }
        Ok(())
    }

    fn check_form(&self, test: &Value) -> Result<Form, String> {
        let Some(entry_point) = self.entry_point()? else {
            return Err(
                "`entry_point` must be given beside `test`: the name of the function to check".to_owned()
            );
        };
        let test = filled("test", text("test", test)?)?;
        Ok(Form::Check { prompt: self.prompt()?, entry_point, test })
    }

    fn asserts_form(&self, tests: &Value) -> Result<Form, String> {
        let tests = texts("tests", tests)?;
        if tests.is_empty() {
            return Err("`tests` must have at least one assert statement, found an empty list".to_owned());
        }
        for (i, test) in tests.iter().enumerate() {
            if test.trim().is_empty() {
                return Err(format!("`tests` must be assert statements, but number {} is empty", i + 1));
            }
        }
        let setup = match &self.setup {
            None => String::new(),
            Some(setup) => texts("setup", setup)?.join("\n"),
        };
        Ok(Form::Asserts { tests, setup, prompt: self.prompt()?, entry_point: self.entry_point()? })
    }

    fn cases_form(&self, cases: &Value) -> Result<Form, String> {
        let cases = case_list::read(cases)?;
        if cases.is_empty() {
            return Err("`cases` must have at least one case, found an empty list".to_owned());
        }
        if cases.iter().all(|case| case.stdout.trim().is_empty()) {
            return Err(
                "`cases` must expect some output: every `stdout` is empty, so a program that does nothing \
                        would pass"
                    .to_owned(),
            );
        }
        let layout = match self.compare.as_ref().map(|value| text("compare", value)).transpose()? {
            None | Some("tokens") => Layout::Tokens,
            Some("lines") => Layout::Lines,
            Some(other) => return Err(format!("`compare` must be \"tokens\" or \"lines\", found {other:?}")),
        };
        let tolerance = match &self.tolerance {
            None => None,
            Some(value) => match value.as_f64() {
                Some(tolerance) if tolerance > 0.0 && tolerance < 1.0 => Some(tolerance),
                _ => {
                    let found = shown(value);
                    return Err(format!("`tolerance` must be a number above 0 and below 1, found {found}"));
                }
            },
        };
        if tolerance.is_some() && layout == Layout::Lines {
            return Err("`tolerance` needs `compare` to be \"tokens\"".to_owned());
        }
        Ok(Form::Cases { cases, comparison: Comparison { layout, tolerance } })
    }

    fn files_form(&self, files: &Value) -> Result<Form, String> {
        let Value::Object(files) = files else {
            let found = shown(files);
            return Err(format!("`files` must be an object of file names and their texts, found {found}"));
        };
        let module = match &self.module {
            None => MODULE.to_owned(),
            Some(value) => name("module", text("module", value)?)?,
        };
        if TAKEN_MODULES.contains(&module.as_str()) || module.starts_with("polestar_") {
            return Err(format!("`module` must not be {module:?}: the tests need the module of that name"));
        }
        let mut read = BTreeMap::new();
        for (file, content) in files {
            check_file_name(file)?;
            if file.strip_suffix(".py") == Some(&module) {
                return Err(format!(
                    "`files` must not have {file:?}, for the solution is the module {module:?}; rename the file \
                     or set `module`"
                ));
            }
            let Value::String(content) = content else {
                return Err(format!("`files`: {file:?} must be the file's text, found {}", shown(content)));
            };
            read.insert(file.clone(), content.clone());
        }
        if !read.keys().any(|file| file.starts_with("test_") || file.ends_with("_test.py")) {
            return Err(
                "`files` must have a file that pytest looks into, `test_*.py` or `*_test.py`, found none"
                    .to_owned(),
            );
        }
        Ok(Form::Files { files: read, module })
    }

    fn prompt(&self) -> Result<String, String> {
        self.prompt.as_ref().map_or(Ok(String::new()), |value| text("prompt", value).map(str::to_owned))
    }

    fn entry_point(&self) -> Result<Option<String>, String> {
        let entry_point = self.entry_point.as_ref().map(|value| text("entry_point", value)).transpose()?;
        entry_point.map(|text| name("entry_point", text)).transpose()
    }
}

fn check_file_name(file: &str) -> Result<(), String> {
    let shown = shorten(file, SHOWN_BYTES);
    if file.contains(['/', '\\']) || file == ".." {
        return Err(format!("`files` must have plain names without folders, found {shown:?}"));
    }
    match file.strip_suffix(".py") {
        Some(stem) if is_name(stem) => Ok(()),
        Some(_) => {
            Err(format!("`files` must have names that can be imported, as \"test_it.py\", found {shown:?}"))
        }
        None => Err(format!("`files` must have names that end in \".py\", found {shown:?}")),
    }
}

fn limits(value: &Value) -> Result<Limits, String> {
    let Value::Object(fields) = value else {
        return Err(format!("`limits` must be an object, found {}", shown(value)));
    };
    let mut limits = Limits::default();
    for (key, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let whole = |(least, most): (u64, u64)| {
            value.as_u64().filter(|number| (least..=most).contains(number)).ok_or_else(|| {
                let found = shown(value);
                format!("`limits.{key}` must be a whole number from {least} to {most}, found {found}")
            })
        };
        match key.as_str() {
            "timeout_s" => {
                let timeout = value.as_f64().and_then(timeout).ok_or_else(|| {
                    let found = shown(value);
                    format!("`limits.timeout_s` must be above 0 and at most {MAX_TIMEOUT_S} seconds, found {found}")
                })?;
                limits.timeout = Some(timeout);
            }
            "memory_mb" => limits.memory_mb = Some(whole(MEMORY_MB)?),
            "output_kb" => limits.output_kb = Some(whole(OUTPUT_KB)?),
            _ => {
                let key = shorten(key, SHOWN_BYTES);
                return Err(format!(
                    "`limits` has no {key:?}; there are `timeout_s`, `memory_mb` and `output_kb`"
                ));
            }
        }
    }
    Ok(limits)
}

/// A value as an error message shows it.
pub(super) fn shown(value: &Value) -> String {
    shorten(&value.to_string(), SHOWN_BYTES)
}

fn text<'a>(field: &str, value: &'a Value) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| format!("`{field}` must be a text, found {}", shown(value)))
}

fn filled(field: &str, text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err(format!("`{field}` must not be empty")) } else { Ok(text.to_owned()) }
}

/// A list of texts, or one text that stands for a list of it alone.
fn texts(field: &str, value: &Value) -> Result<Vec<String>, String> {
    let refuse =
        |found: &Value| format!("`{field}` must be a text or a list of texts, found {}", shown(found));
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(list) => {
            list.iter().map(|text| text.as_str().map(str::to_owned).ok_or_else(|| refuse(text))).collect()
        }
        other => Err(refuse(other)),
    }
}

fn name(field: &str, text: &str) -> Result<String, String> {
    if is_name(text) {
        return Ok(text.to_owned());
    }
    let found = shorten(text, SHOWN_BYTES);
    Err(format!("`{field}` must be a name in Python (letters, digits and `_`, no keyword), found {found:?}"))
}

/// Whether a text can name something in Python.
fn is_name(text: &str) -> bool {
    let is_letter = |c: char| c.is_alphabetic() || c == '_';
    text.starts_with(is_letter)
        && text.chars().all(|c| is_letter(c) || c.is_ascii_digit())
        && !KEYWORDS.contains(&text)
}

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;
