//! Values as Python prints them: `str()` outside of containers, `repr()` inside.

use std::fmt::Write;

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

/// Python's `str(value)`; a name that is undefined prints as nothing.
pub(super) fn to_str(value: &Value) -> Result<String, Error> {
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None if value.is_undefined() => Ok(String::new()),
        None => {
            let mut out = String::new();
            write_repr(&mut out, value)?;
            Ok(out)
        }
    }
}

fn write_repr(out: &mut String, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Number => out.push_str(&number(value)),
        ValueKind::Undefined => out.push_str("Undefined"),
        ValueKind::Map => {
            write_items(out, '{', '}', value, |out, key| {
                write_repr(out, key)?;
                out.push_str(": ");
                write_repr(out, &value.get_item(key)?)
            })?;
        }
        ValueKind::Seq if value.is_tuple() => {
            let len = write_items(out, '(', ')', value, write_repr)?;
            if len == 1 {
                out.insert(out.len() - 1, ',');
            }
        }
        ValueKind::Seq => {
            write_items(out, '[', ']', value, write_repr)?;
        }
        ValueKind::String => write_text_repr(out, value.as_str().unwrap_or_default()),
        // Of booleans, none and functions the engine's form will do.
        _ => {
            // Writing to a String cannot fail.
            let _ = write!(out, "{value:?}");
        }
    }
    Ok(())
}

/// Python's `repr` of a string: single quotes unless only those occur, escapes for what cannot be seen.
fn write_text_repr(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            _ if c == quote => out.extend(['\\', c]),
            _ if is_printable(c) => out.push(c),
            '\0'..='\u{ff}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            '\u{100}'..='\u{ffff}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push(quote);
}

/// `str.isprintable` of one character. Rust's `Debug` has the same notion (neither a separator other than space nor of
/// the categories "other"), but of a first character also escapes marks; so it is asked about a second one.
fn is_printable(c: char) -> bool {
    c == '"' || c == '\'' || String::from_iter(['a', c]).escape_debug().nth(1) != Some('\\')
}

/// Writes what a container iterates over, and gives how much that was.
fn write_items(
    out: &mut String,
    open: char,
    close: char,
    container: &Value,
    write: impl Fn(&mut String, &Value) -> Result<(), Error>,
) -> Result<usize, Error> {
    out.push(open);
    let mut len = 0;
    for item in container.try_iter()? {
        if len > 0 {
            out.push_str(", ");
        }
        write(out, &item)?;
        len += 1;
    }
    out.push(close);
    Ok(len)
}

/// Python's `repr` of an integer or a float.
pub(super) fn number(value: &Value) -> String {
    if value.is_integer() {
        return value.to_string();
    }
    match f64::try_from(value.clone()) {
        Ok(float) => self::float(float),
        Err(_) => value.to_string(),
    }
}

/// Python's `repr` of a float: the shortest digits that round-trip, with an exponent below 1e-4 and from 1e16 on.
pub(super) fn float(x: f64) -> String {
    if x.is_nan() {
        return "nan".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let scientific = format!("{x:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if x != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let plain = format!("{x}");
    if plain.contains('.') { plain } else { plain + ".0" }
}

#[cfg(test)]
mod tests {
    use super::float;

    /// Expectations from Python's `repr`.
    #[test]
    fn floats_print_as_in_python() {
        for (x, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
            (1e16, "1e+16"),
            (-1.25e100, "-1.25e+100"),
            (5e-324, "5e-324"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(float(x), expected);
        }
    }
}
