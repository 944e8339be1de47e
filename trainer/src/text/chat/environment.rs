//! The template engine, set up so that it gives what Python's jinja2 gives under transformers' settings.
//!
//! Where the engine and jinja2 are known to differ still: `~` and `+` on floats print those below 1e-4 or from 1e16 on
//! without an exponent, and `%` does not format strings (use the `format` filter).

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::{clock, json, methods, python};

/// What `raise_exception` throws, to be found again among the sources of the engine's error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Raised(pub(super) String);

/// An environment without templates.
pub(super) fn environment(unix_s: i64) -> Environment<'static> {
    let mut env = Environment::new();
    minijinja_contrib::add_to_environment(&mut env);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    // The delimiters are the defaults, which are valid.
    if let Ok(syntax) = syntax {
        env.set_syntax(syntax);
    }
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_undefined_behavior(UndefinedBehavior::Lenient);
    env.set_unknown_method_callback(methods::call);
    env.set_formatter(|out, _, value| {
        // Writing into the engine's buffer cannot fail.
        let _ = out.write_str(&python::to_str(value)?);
        Ok(())
    });
    env.add_filter("tojson", json::tojson);
    env.add_function("raise_exception", |message: &Value| -> Result<Value, Error> {
        let message = python::to_str(message)?;
        Err(Error::new(ErrorKind::InvalidOperation, message.clone()).with_source(Raised(message)))
    });
    set_now(&mut env, unix_s);
    add_filters(&mut env);
    add_tests(&mut env);
    env
}

/// Sets the time that `strftime_now` tells, in Unix seconds.
pub(super) fn set_now(env: &mut Environment<'static>, unix_s: i64) {
    env.add_function("strftime_now", move |format: &str| {
        clock::strftime(format, unix_s).map_err(|message| Error::new(ErrorKind::InvalidOperation, message))
    });
}

fn add_filters(env: &mut Environment<'static>) {
    env.add_filter("string", |value: &Value| python::to_str(value));
    env.add_filter("join", join);
    env.add_filter("trim", |value: &Value, chars: Option<&str>| -> Result<String, Error> {
        let text = python::to_str(value)?;
        let trims = |c: char| chars.map_or_else(|| methods::is_space(c), |chars| chars.contains(c));
        Ok(text.trim_matches(trims).to_owned())
    });
    for name in ["length", "count"] {
        env.add_filter(name, |value: &Value| match value.is_undefined() {
            true => Ok(0),
            false => minijinja::filters::length(value),
        });
    }
    env.add_filter("replace", |value: &Value, old: &str, new: &str, count: Option<i64>| {
        python::to_str(value).map(|text| methods::replace_at_most(&text, old, new, count))
    });
    env.add_filter("default", default);
    env.add_filter("d", default);
    env.add_filter("indent", indent);
    env.add_filter("escape", escape);
    env.add_filter("e", escape);
    env.add_filter("wordcount", |text: &str| {
        text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).count()
    });
}

fn add_tests(env: &mut Environment<'static>) {
    // To jinja2 everything with a length and items is a sequence, and booleans are numbers.
    env.add_test("sequence", |value: &Value| {
        matches!(
            value.kind(),
            ValueKind::String | ValueKind::Seq | ValueKind::Map | ValueKind::Undefined | ValueKind::Bytes
        )
    });
    env.add_test("iterable", |value: &Value| {
        !matches!(
            value.kind(),
            ValueKind::None | ValueKind::Bool | ValueKind::Number | ValueKind::Plain | ValueKind::Invalid
        )
    });
    env.add_test("number", |value: &Value| matches!(value.kind(), ValueKind::Number | ValueKind::Bool));
    env.add_test("callable", |value: &Value| matches!(value.kind(), ValueKind::Plain | ValueKind::Undefined));
}

/// `join`, whose items print as in Python.
fn join(list: &Value, separator: Option<Value>, kwargs: Kwargs) -> Result<String, Error> {
    let separator = if kwargs.has("d") { Some(kwargs.get::<Value>("d")?) } else { separator };
    let attribute = if kwargs.has("attribute") { Some(kwargs.get::<String>("attribute")?) } else { None };
    kwargs.assert_all_used()?;
    let separator = separator.map_or_else(|| Ok(String::new()), |separator| python::to_str(&separator))?;
    let mut parts = Vec::new();
    if !list.is_undefined() {
        for item in list.try_iter()? {
            let item = match &attribute {
                Some(name) => item.get_attr(name)?,
                None => item,
            };
            parts.push(python::to_str(&item)?);
        }
    }
    Ok(parts.join(&separator))
}

/// `default(default_value='', boolean=False)`.
fn default(
    value: &Value,
    fallback: Option<Value>,
    boolean: Option<bool>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let fallback = if kwargs.has("default_value") { Some(kwargs.get("default_value")?) } else { fallback };
    let boolean = if kwargs.has("boolean") { Some(kwargs.get("boolean")?) } else { boolean };
    kwargs.assert_all_used()?;
    let is_missing = value.is_undefined() || (boolean.unwrap_or(false) && !value.is_true());
    Ok(if is_missing { fallback.unwrap_or_else(|| Value::from("")) } else { value.clone() })
}

/// `indent(width=4, first=False, blank=False)`, where the width is a number of spaces or the text itself.
fn indent(
    value: &Value,
    width: Option<Value>,
    first: Option<bool>,
    blank: Option<bool>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let flag = |positional: Option<bool>, name: &str| match kwargs.has(name) {
        true => kwargs.get::<bool>(name),
        false => Ok(positional.unwrap_or(false)),
    };
    let (first, blank) = (flag(first, "first")?, flag(blank, "blank")?);
    let width = if kwargs.has("width") { Some(kwargs.get::<Value>("width")?) } else { width };
    kwargs.assert_all_used()?;
    let margin = json::indentation(&width.unwrap_or_else(|| Value::from(4)))?;
    let mut out = String::new();
    for (index, line) in python::to_str(value)?.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if if index == 0 { first } else { blank || !line.is_empty() } {
            out.push_str(&margin);
        }
        out.push_str(line);
    }
    Ok(out)
}

fn escape(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    for c in python::to_str(value)?.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            _ => out.push(c),
        }
    }
    Ok(out)
}
