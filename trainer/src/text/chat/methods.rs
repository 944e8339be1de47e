//! Python's methods on strings, lists and dicts, as far as templates call them: those of minijinja-contrib, and here
//! what it lacks or does otherwise (keyword arguments, Python's idea of white space).

use minijinja::value::{Kwargs, Tuple, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::source;

/// The engine's callback for methods that it does not know.
pub(super) fn call(state: &mut State, value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    if name == source::SLICE_METHOD {
        return slice(value, args);
    }
    let own = match value.kind() {
        ValueKind::String => string_method(value.as_str().unwrap_or_default(), name, args)?,
        ValueKind::Seq => list_method(value, name, args)?,
        ValueKind::Map if name == "copy" => Some(value.clone()),
        _ => None,
    };
    match own {
        Some(result) => Ok(result),
        None => minijinja_contrib::pycompat::unknown_method_callback(state, value, name, args),
    }
}

fn string_method(text: &str, name: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    let text_arg = || from_args::<(&str,)>(args).map(|(argument,)| argument);
    Ok(Some(match name {
        "strip" | "lstrip" | "rstrip" => strip(text, name, args)?.into(),
        "split" | "rsplit" => split(text, name == "rsplit", args)?,
        "splitlines" => split_lines(text, args)?,
        "removeprefix" => text.strip_prefix(text_arg()?).unwrap_or(text).into(),
        "removesuffix" => text.strip_suffix(text_arg()?).unwrap_or(text).into(),
        "partition" => {
            let separator = text_arg()?;
            let (before, rest) = text.split_once(separator).map_or((text, None), |(b, a)| (b, Some(a)));
            triple(before, rest.map_or("", |_| separator), rest.unwrap_or(""))
        }
        "rpartition" => {
            let separator = text_arg()?;
            let (before, rest) = text.rsplit_once(separator).map_or((None, text), |(b, a)| (Some(b), a));
            triple(before.unwrap_or(""), before.map_or("", |_| separator), rest)
        }
        "replace" => replace(text, args)?.into(),
        "index" | "rindex" => {
            let needle = text_arg()?;
            let at = if name == "index" { text.find(needle) } else { text.rfind(needle) };
            let at = at.ok_or_else(|| invalid(format!("{name}: {needle:?} is not in the text")))?;
            text[..at].chars().count().into()
        }
        "zfill" => zfill(text, from_args::<(usize,)>(args)?.0)?.into(),
        "center" | "ljust" | "rjust" => justify(text, name, args)?.into(),
        "title" => title(text).into(),
        "swapcase" => text.chars().map(swap_case).collect::<String>().into(),
        "casefold" => text.to_lowercase().into(),
        _ => return Ok(None),
    }))
}

fn list_method(list: &Value, name: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    match name {
        "copy" => Ok(Some(list.clone())),
        "index" => {
            let (needle,) = from_args::<(&Value,)>(args)?;
            let at = list.try_iter()?.position(|item| item == *needle);
            at.map(|at| Some(at.into())).ok_or_else(|| invalid(format!("index: {needle} is not in the list")))
        }
        _ => Ok(None),
    }
}

/// `value[start:stop:step]` of a string (by characters), a list or a tuple.
fn slice(value: &Value, args: &[Value]) -> Result<Value, Error> {
    let (start, stop, step) = from_args::<(Option<i64>, Option<i64>, Option<i64>)>(args)?;
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(invalid("a slice's step cannot be zero".into()));
    }
    match value.kind() {
        ValueKind::String => {
            let chars: Vec<char> = value.as_str().unwrap_or_default().chars().collect();
            Ok(slice_indices(chars.len(), start, stop, step).map(|at| chars[at]).collect::<String>().into())
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<Value> = value.try_iter()?.collect();
            let kept: Vec<Value> =
                slice_indices(items.len(), start, stop, step).map(|at| items[at].clone()).collect();
            Ok(if value.is_tuple() { Value::from(Tuple::new(kept)) } else { Value::from(kept) })
        }
        kind => Err(invalid(format!("expected a string or a list to slice, found {kind}"))),
    }
}

/// The indices that a slice of something with `len` items keeps, by Python's rules; all are below `len`.
fn slice_indices(len: usize, start: Option<i64>, stop: Option<i64>, step: i64) -> impl Iterator<Item = usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    // Backwards, the place before the first item is an end too.
    let (lowest, highest) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let clamp = |index: i64| {
        let from_front = if index < 0 { index.saturating_add(len) } else { index };
        from_front.clamp(lowest, highest)
    };
    let (first, past) = if step > 0 { (lowest, highest) } else { (highest, lowest) };
    let (mut at, stop) = (start.map_or(first, clamp), stop.map_or(past, clamp));
    std::iter::from_fn(move || {
        let is_inside = if step > 0 { at < stop } else { at > stop };
        let index = usize::try_from(at).ok().filter(|_| is_inside)?;
        at = at.saturating_add(step);
        Some(index)
    })
}

/// `str.isspace` of one character: Unicode's white space and the four separators of ASCII.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn strip(text: &str, name: &str, args: &[Value]) -> Result<String, Error> {
    let (chars,) = from_args::<(Option<&str>,)>(args)?;
    let strips = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
    Ok(match name {
        "lstrip" => text.trim_start_matches(strips),
        "rstrip" => text.trim_end_matches(strips),
        _ => text.trim_matches(strips),
    }
    .to_owned())
}

/// `str.split` and `str.rsplit`, `sep` and `maxsplit` by position or by name.
fn split(text: &str, from_right: bool, args: &[Value]) -> Result<Value, Error> {
    let (separator, limit, kwargs) = from_args::<(Option<Value>, Option<i64>, Kwargs)>(args)?;
    let separator = if kwargs.has("sep") { Some(kwargs.get::<Value>("sep")?) } else { separator };
    let limit = if kwargs.has("maxsplit") { Some(kwargs.get::<i64>("maxsplit")?) } else { limit };
    kwargs.assert_all_used()?;
    // A negative number is no limit.
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX - 1);
    let parts: Vec<&str> = match separator.as_ref().and_then(Value::as_str) {
        Some("") => return Err(invalid("split: expected a separator, found an empty string".into())),
        Some(separator) if from_right => {
            let mut parts: Vec<&str> = text.rsplitn(limit + 1, separator).collect();
            parts.reverse();
            parts
        }
        Some(separator) => text.splitn(limit + 1, separator).collect(),
        None => split_space(text, from_right, limit),
    };
    Ok(parts.into_iter().map(Value::from).collect())
}

/// Splits at runs of white space, at most `limit` times.
fn split_space(text: &str, from_right: bool, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = if from_right { text.trim_end_matches(is_space) } else { text.trim_start_matches(is_space) };
    while !rest.is_empty() {
        let cut = if from_right { rest.rfind(is_space) } else { rest.find(is_space) };
        let Some(cut) = cut.filter(|_| parts.len() < limit) else {
            let last = if from_right { rest.trim_start_matches(is_space) } else { rest.trim_end_matches(is_space) };
            // With splits to spare no white space is left in the rest; without, Python trims only its outer end.
            parts.push(if parts.len() < limit { last } else { rest });
            break;
        };
        if from_right {
            let after = cut + rest[cut..].chars().next().map_or(0, char::len_utf8);
            parts.push(&rest[after..]);
            rest = rest[..cut].trim_end_matches(is_space);
        } else {
            parts.push(&rest[..cut]);
            rest = rest[cut..].trim_start_matches(is_space);
        }
    }
    if from_right {
        parts.reverse();
    }
    parts
}

/// Python ends a line at `\n`, `\r`, `\r\n` and at the less known terminators.
fn split_lines(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (keep_ends, kwargs) = from_args::<(Option<bool>, Kwargs)>(args)?;
    let keep_ends = if kwargs.has("keepends") { Some(kwargs.get::<bool>("keepends")?) } else { keep_ends };
    kwargs.assert_all_used()?;
    let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(ends).unwrap_or(rest.len());
        let terminator = if rest[end..].starts_with("\r\n") {
            2
        } else {
            rest[end..].chars().next().map_or(0, char::len_utf8)
        };
        let kept = if keep_ends.unwrap_or(false) { end + terminator } else { end };
        lines.push(Value::from(&rest[..kept]));
        rest = &rest[end + terminator..];
    }
    Ok(lines.into())
}

fn replace(text: &str, args: &[Value]) -> Result<String, Error> {
    let (old, new, count, kwargs) = from_args::<(&str, &str, Option<i64>, Kwargs)>(args)?;
    let count = if kwargs.has("count") { Some(kwargs.get::<i64>("count")?) } else { count };
    kwargs.assert_all_used()?;
    Ok(replace_at_most(text, old, new, count))
}

/// Replaces the first `count` occurrences; all, if there is no count or a negative one.
pub(super) fn replace_at_most(text: &str, old: &str, new: &str, count: Option<i64>) -> String {
    match count.and_then(|count| usize::try_from(count).ok()) {
        Some(count) => text.replacen(old, new, count),
        None => text.replace(old, new),
    }
}

fn triple(before: &str, separator: &str, after: &str) -> Value {
    Value::from(Tuple::new(vec![before.into(), separator.into(), after.into()]))
}

/// Templates pad to columns; past this a width is a mistake that would only eat memory.
const MAX_WIDTH: usize = 100_000;

fn padding(text: &str, width: usize) -> Result<usize, Error> {
    if width > MAX_WIDTH {
        return Err(invalid(format!("expected a width up to {MAX_WIDTH}, found {width}")));
    }
    Ok(width.saturating_sub(text.chars().count()))
}

fn zfill(text: &str, width: usize) -> Result<String, Error> {
    let zeros = "0".repeat(padding(text, width)?);
    Ok(match text.strip_prefix(['-', '+']) {
        Some(digits) => format!("{}{zeros}{digits}", &text[..1]),
        None => zeros + text,
    })
}

fn justify(text: &str, name: &str, args: &[Value]) -> Result<String, Error> {
    let (width, fill) = from_args::<(usize, Option<&str>)>(args)?;
    let fill = fill.unwrap_or(" ");
    let total = padding(text, width)?;
    let left = match name {
        "ljust" => 0,
        "rjust" => total,
        // Python puts the odd one left when the width is odd.
        _ => total / 2 + (total & width & 1),
    };
    Ok(format!("{}{text}{}", fill.repeat(left), fill.repeat(total - left)))
}

/// Capitals after everything that has no case, small letters elsewhere.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut follows_letter = false;
    for c in text.chars() {
        let has_case = c.is_uppercase() || c.is_lowercase();
        if follows_letter {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        follows_letter = has_case;
    }
    out
}

fn swap_case(c: char) -> String {
    if c.is_uppercase() { c.to_lowercase().collect() } else { c.to_uppercase().collect() }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}
