//! The `tojson` filter as Python's `json.dumps` writes it. The engine's own filter escapes `<`, `>`, `&` and `'`, which
//! changes what a model reads.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, Value};

use super::python;

/// How `json.dumps` was asked to write.
struct Style {
    ensure_ascii: bool,
    /// One level's indentation; none writes everything on one line.
    indent: Option<String>,
    between_items: String,
    after_key: String,
    sort_keys: bool,
}

/// The filter: `tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False)`, the last one
/// by name only.
pub(super) fn tojson(
    value: &Value,
    ensure_ascii: Option<Value>,
    indent: Option<Value>,
    separators: Option<Value>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let argument = |positional: Option<Value>, name: &str| -> Result<Option<Value>, Error> {
        let named = if kwargs.has(name) { Some(kwargs.get::<Value>(name)?) } else { None };
        Ok(positional.or(named).filter(|value| !value.is_none() && !value.is_undefined()))
    };
    let is_true = |value: Option<Value>| value.is_some_and(|value| value.is_true());
    let ensure_ascii = is_true(argument(ensure_ascii, "ensure_ascii")?);
    let sort_keys = is_true(argument(None, "sort_keys")?);
    let indent = argument(indent, "indent")?.map(|value| indentation(&value)).transpose()?;
    let separators = argument(separators, "separators")?.map(|value| pair(&value)).transpose()?;
    kwargs.assert_all_used()?;
    let (between_items, after_key) = separators
        .unwrap_or_else(|| (if indent.is_some() { "," } else { ", " }.to_owned(), ": ".to_owned()));
    let style = Style { ensure_ascii, indent, between_items, after_key, sort_keys };
    let mut out = String::new();
    style.write(&mut out, value, 0)?;
    Ok(out)
}

/// What one level is indented by: so many spaces, or the given text.
pub(super) fn indentation(value: &Value) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let width = value.as_i64().or_else(|| bool::try_from(value.clone()).ok().map(i64::from));
    match width {
        // Past this no reader is served, and memory is at stake.
        Some(width) if width <= 1_000 => Ok(" ".repeat(usize::try_from(width).unwrap_or(0))),
        _ => Err(refuse(format!("expected a small number or a string to indent by, found {value}"))),
    }
}

fn pair(value: &Value) -> Result<(String, String), Error> {
    let items: Vec<Value> = value.try_iter()?.collect();
    match items.as_slice() {
        [items, keys] if items.as_str().is_some() && keys.as_str().is_some() => {
            Ok((items.to_string(), keys.to_string()))
        }
        _ => Err(refuse(format!("tojson: expected two strings for separators, found {value}"))),
    }
}

fn refuse(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

impl Style {
    fn write(&self, out: &mut String, value: &Value, level: usize) -> Result<(), Error> {
        match value.kind() {
            ValueKind::None => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => out.push_str(&json_number(value)),
            ValueKind::String => self.write_string(out, value.as_str().unwrap_or_default()),
            ValueKind::Seq => {
                let items: Vec<Value> = value.try_iter()?.collect();
                self.write_container(out, ['[', ']'], &items, level, |out, item| {
                    self.write(out, item, level + 1)
                })?;
            }
            ValueKind::Map => self.write_map(out, value, level)?,
            kind => return Err(refuse(format!("tojson: expected a value that JSON has, found {kind}"))),
        }
        Ok(())
    }

    fn write_map(&self, out: &mut String, map: &Value, level: usize) -> Result<(), Error> {
        let mut keys: Vec<Value> = map.try_iter()?.collect();
        if self.sort_keys {
            keys.sort();
        }
        self.write_container(out, ['{', '}'], &keys, level, |out, key| {
            match key.kind() {
                ValueKind::String => self.write_string(out, key.as_str().unwrap_or_default()),
                ValueKind::None | ValueKind::Bool | ValueKind::Number => {
                    out.push('"');
                    self.write(out, key, level + 1)?;
                    out.push('"');
                }
                kind => return Err(refuse(format!("tojson: expected text as a key, found {kind}"))),
            }
            out.push_str(&self.after_key);
            self.write(out, &map.get_item(key)?, level + 1)
        })
    }

    fn write_container(
        &self,
        out: &mut String,
        [open, close]: [char; 2],
        items: &[Value],
        level: usize,
        write: impl Fn(&mut String, &Value) -> Result<(), Error>,
    ) -> Result<(), Error> {
        out.push(open);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push_str(&self.between_items);
            }
            self.new_line(out, level + 1);
            write(out, item)?;
        }
        if !items.is_empty() {
            self.new_line(out, level);
        }
        out.push(close);
        Ok(())
    }

    fn new_line(&self, out: &mut String, level: usize) {
        if let Some(indent) = &self.indent {
            out.push('\n');
            for _ in 0..level {
                out.push_str(indent);
            }
        }
    }

    fn write_string(&self, out: &mut String, text: &str) {
        out.push('"');
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                _ if c < ' ' || (self.ensure_ascii && !(' '..='~').contains(&c)) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                _ => out.push(c),
            }
        }
        out.push('"');
    }
}

/// As `repr`, but JSON's names for what is not finite are Python's own.
fn json_number(value: &Value) -> String {
    match python::number(value).as_str() {
        "nan" => "NaN".into(),
        "inf" => "Infinity".into(),
        "-inf" => "-Infinity".into(),
        number => number.into(),
    }
}
