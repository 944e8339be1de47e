//! Chat templates: conversations become the text that a model was trained to continue.
//!
//! Templates are written for Python's jinja2 inside transformers; here they are rendered by minijinja, taught what
//! they lean on there. `scripts/golden_templates.py` makes the renders of jinja2 that the tests compare with.

mod clock;
mod environment;
#[cfg(test)]
mod golden_tests;
mod json;
mod methods;
mod python;
mod source;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use minijinja::Environment;
use serde_json::{Map, Value};

use super::TextError;
use super::folder::{JsonFile, read_optional};

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ChatMessage {
    /// Who speaks: `system`, `user`, `assistant`, `tool`.
    pub role: String,
    /// What is said: text, or a list of parts, or null or absent beside tool calls.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub content: Option<Value>,
    /// Everything else that the template may ask for (`tool_calls`, `name`, `reasoning_content`).
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ChatMessage {
    /// A message of plain text.
    #[must_use]
    pub fn new(role: &str, content: &str) -> Self {
        Self { role: role.into(), content: Some(content.into()), extra: Map::new() }
    }

    /// The message as the template sees it.
    pub(super) fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("role".into(), self.role.clone().into());
        if let Some(content) = &self.content {
            object.insert("content".into(), content.clone());
        }
        object.extend(self.extra.clone());
        Value::Object(object)
    }
}

/// Keeps null apart from absent, which templates can tell from each other.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Some)
}

/// What is given to a template beside the messages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RenderOptions {
    /// Ends with the head of an assistant's turn, for the model to go on.
    pub add_generation_prompt: bool,
    /// Schemas of the tools that the model may call.
    pub tools: Option<Value>,
    /// Further variables, such as `enable_thinking`; they win over the special tokens.
    pub extra: Map<String, Value>,
}

/// A folder's chat templates, parsed.
#[derive(Debug)]
pub(super) struct ChatTemplates {
    folder: PathBuf,
    env: Environment<'static>,
    templates: Vec<Template>,
}

#[derive(Debug)]
struct Template {
    name: String,
    /// Where it was read, for messages.
    file: PathBuf,
    source: String,
    /// What the engine says if it cannot be parsed; told when the template is used, so that a model whose template is
    /// broken can still be prompted without chat.
    broken: Option<Problem>,
}

impl ChatTemplates {
    /// Finds the folder's templates: chat_template.jinja (and additional_chat_templates/NAME.jinja), else
    /// `chat_template` in tokenizer_config.json, a string or a list of `{name, template}`.
    pub(super) fn load(folder: &Path, config: &JsonFile) -> Result<Self, TextError> {
        let mut found = from_files(folder)?;
        if found.is_empty() {
            found = from_config(config)?;
        }
        Ok(Self::new(folder, found))
    }

    fn new(folder: &Path, found: Vec<(String, PathBuf, String)>) -> Self {
        let mut env = environment::environment(now());
        let mut templates = Vec::with_capacity(found.len());
        for (name, file, source) in found {
            let broken = env.add_template_owned(name.clone(), source::rewrite(&source)).err();
            let broken = broken.map(|error| Problem::new(&file, &error));
            templates.push(Template { name, file, source, broken });
        }
        Self { folder: folder.into(), env, templates }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.templates.is_empty()
    }

    /// Whether a template asks for the time.
    pub(super) fn use_clock(&self) -> bool {
        self.templates.iter().any(|template| template.source.contains("strftime_now"))
    }

    pub(super) fn set_now(&mut self, unix_s: i64) {
        environment::set_now(&mut self.env, unix_s);
    }

    /// Renders a conversation of raw messages, whose keys keep their order.
    pub(super) fn render(
        &self,
        messages: &[Value],
        special_tokens: &Map<String, Value>,
        options: &RenderOptions,
    ) -> Result<String, TextError> {
        let template = self.choose(options.tools.is_some())?;
        if let Some(broken) = &template.broken {
            return Err(broken.clone().into());
        }
        let mut variables = special_tokens.clone();
        variables.extend(options.extra.clone());
        variables.insert("messages".into(), messages.into());
        variables.insert("tools".into(), options.tools.clone().unwrap_or(Value::Null));
        variables.insert("documents".into(), options.extra.get("documents").cloned().unwrap_or(Value::Null));
        variables.insert("add_generation_prompt".into(), options.add_generation_prompt.into());
        let context = minijinja::Value::from(minijinja::value::Serde(&variables));
        let render = || self.env.get_template(&template.name).and_then(|parsed| parsed.render(context));
        // The engine has had panics on odd but legal templates. A template is a user's file, so they are its errors;
        // nothing of the environment is left half changed, since a render only reads it.
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(render)) {
            Ok(rendered) => rendered.map_err(|error| Problem::new(&template.file, &error).into()),
            Err(_) => Err(TextError::Template {
                place: template.file.display().to_string(),
                message: "the template engine failed inside (a panic, reported above)".into(),
            }),
        }
    }

    /// "tool_use" where tools are given and there is one, else "default".
    fn choose(&self, with_tools: bool) -> Result<&Template, TextError> {
        let named = |name: &str| self.templates.iter().find(|template| template.name == name);
        if self.is_empty() {
            return Err(TextError::NoTemplate { folder: self.folder.clone() });
        }
        named("tool_use").filter(|_| with_tools).or_else(|| named("default")).ok_or_else(|| {
            let names: Vec<String> =
                self.templates.iter().map(|template| format!("{:?}", template.name)).collect();
            TextError::NoDefaultTemplate { folder: self.folder.clone(), names: names.join(", ") }
        })
    }
}

/// A template's error, in words.
#[derive(Clone, Debug)]
struct Problem {
    /// The file, and the line where the engine knows it.
    place: String,
    message: String,
    /// Whether the template said it itself, by `raise_exception`.
    raised: bool,
}

impl Problem {
    fn new(file: &Path, error: &minijinja::Error) -> Self {
        let line = error.line().map_or_else(String::new, |line| format!(":{line}"));
        let place = format!("{}{line}", file.display());
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(cause) = source {
            if let Some(raised) = cause.downcast_ref::<environment::Raised>() {
                return Self { place, message: raised.0.clone(), raised: true };
            }
            source = cause.source();
        }
        let message = match error.detail() {
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        };
        Self { place, message, raised: false }
    }
}

impl From<Problem> for TextError {
    fn from(Problem { place, message, raised }: Problem) -> Self {
        if raised { Self::Raised { place, message } } else { Self::Template { place, message } }
    }
}

/// Name, file and source of the templates that stand in files of their own.
fn from_files(folder: &Path) -> Result<Vec<(String, PathBuf, String)>, TextError> {
    let mut found = Vec::new();
    let path = folder.join("chat_template.jinja");
    if let Some(source) = read_optional(&path)? {
        found.push(("default".into(), path, source));
    }
    let Ok(entries) = std::fs::read_dir(folder.join("additional_chat_templates")) else { return Ok(found) };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| path.extension().is_some_and(|end| end == "jinja")) {
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        if let Some(source) = read_optional(&path)? {
            found.push((name, path, source));
        }
    }
    Ok(found)
}

/// Name, file and source of the templates in tokenizer_config.json.
fn from_config(config: &JsonFile) -> Result<Vec<(String, PathBuf, String)>, TextError> {
    let expected = "a template, or a list of {\"name\", \"template\"}";
    match config.object.get("chat_template") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(source)) => Ok(vec![("default".into(), config.path.clone(), source.clone())]),
        Some(Value::Array(list)) => list
            .iter()
            .map(|item| match (item["name"].as_str(), item["template"].as_str()) {
                (Some(name), Some(source)) => Ok((name.to_owned(), config.path.clone(), source.to_owned())),
                _ => Err(config.field_error("chat_template", expected, item)),
            })
            .collect(),
        Some(other) => Err(config.field_error("chat_template", expected, other)),
    }
}

/// The time of loading, in Unix seconds: one run renders one date, whichever midnight it passes.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
