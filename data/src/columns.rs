//! From a row's columns to a problem. The columns are mapped by the recipe or recognised by their names: TRL's shapes
//! (`prompt` as text or messages, `completion`, `messages`), verl's (`reward_model.ground_truth`), GSM8K's (`question`,
//! `answer` after `####`) and the project's own (`id`, `prompt`, `reference`, `response`).

use regex::Regex;
use serde_json::{Map, Value};

use crate::config::{Columns, SourceConfig};
use crate::error::{BadLine, DataError, listed};
use crate::jsonl::{Row, kind};
use crate::problem::{Message, Origin, Problem, ProblemPrompt};

const PROMPTS: &[&str] = &["prompt", "messages", "problem", "question"];
const REFERENCES: &[&str] = &["reference", "ground_truth", "answer", "solution", "label"];
const RESPONSES: &[&str] = &["response", "completion", "solution"];
/// What stands before the final answer in GSM8K's worked solutions.
const GSM8K_ANSWER: &str = r"####[ \t]*([^\n]*[^\s])";

/// A column, or a place in a nested one.
#[derive(Clone, Debug, PartialEq)]
struct Place(String);

/// Which columns hold what, the same for every row of a dataset.
#[derive(Debug)]
pub(crate) struct Mapping {
    prompt: Place,
    reference: Vec<(String, Place)>,
    /// Whether the reference is an object of several columns.
    reference_is_object: bool,
    response: Option<Place>,
    id: Option<Place>,
    answer: Option<Regex>,
}

impl Place {
    fn get<'a>(&self, columns: &'a Map<String, Value>) -> Option<&'a Value> {
        // A column whose name holds a dot goes before a path of that spelling.
        if let Some(value) = columns.get(&self.0) {
            return Some(value);
        }
        let mut steps = self.0.split('.');
        let mut value = columns.get(steps.next()?)?;
        for step in steps {
            value = match value {
                Value::Object(inner) => inner.get(step)?,
                Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(value)
    }
}

impl Mapping {
    /// Decides from the configuration and from the columns that there are.
    ///
    /// # Errors
    /// Where there is no prompt, a mapped column is in no row, or the answer regex is not one.
    pub(crate) fn resolve(config: &SourceConfig, rows: &[&Row]) -> Result<Self, DataError> {
        let Columns { prompt, reference, response, id } = &config.columns;
        let known = Known::new(rows);
        let prompt =
            known.one("prompt", prompt.as_deref(), PROMPTS)?.ok_or_else(|| known.none("prompt", PROMPTS))?;
        let mut answer = config.answer_regex.as_deref().map(answer_regex).transpose()?;
        let mut reference_is_object = false;
        let reference = match reference.as_deref() {
            Some(several) if several.contains([',', '=']) => {
                reference_is_object = true;
                known.several(several)?
            }
            Some(one) => known.one("reference", Some(one), &[])?.into_iter().map(named).collect(),
            None if known.has(&Place("reward_model.ground_truth".into())) => {
                vec![named(Place("reward_model.ground_truth".into()))]
            }
            None => {
                let found = known.one("reference", None, REFERENCES)?;
                let is_gsm8k = found.as_ref().is_some_and(|place| known.text_holds(place, "#### "));
                if is_gsm8k && answer.is_none() {
                    answer = Some(answer_regex(GSM8K_ANSWER)?);
                }
                found.into_iter().map(named).collect()
            }
        };
        if answer.is_some() && (reference_is_object || reference.is_empty()) {
            let reason =
                "it is applied to the text of one reference column; name that column in columns.reference";
            return Err(DataError::Setting { key: "answer_regex".into(), reason: reason.into() });
        }
        let taken = reference.first().filter(|_| !reference_is_object).map(|(_, place)| place.clone());
        let response = match response.as_deref() {
            Some(wanted) => known.one("response", Some(wanted), &[])?,
            None => RESPONSES
                .iter()
                .map(|name| Place((*name).into()))
                .find(|place| known.has(place) && Some(place) != taken.as_ref() && *place != prompt),
        };
        let id = match id.as_deref() {
            Some("") => None,
            wanted => known.one("id", wanted, &["id"])?,
        };
        Ok(Self { prompt, reference, reference_is_object, response, id, answer })
    }

    /// How the columns are read, in words, for logs.
    pub(crate) fn describe(&self) -> String {
        let mut text = format!("prompt from `{}`", self.prompt.0);
        match self.reference.iter().map(|(_, place)| place.0.as_str()).collect::<Vec<_>>() {
            places if places.is_empty() => text.push_str(", no reference"),
            places => text.push_str(&format!(", reference from `{}`", places.join("`, `"))),
        }
        if let Some(answer) = &self.answer {
            text.push_str(&format!(" by /{answer}/"));
        }
        if let Some(response) = &self.response {
            text.push_str(&format!(", response from `{}`", response.0));
        } else if self.answer.is_some() {
            text.push_str(", response from the same column");
        }
        text
    }

    /// The problem in a row.
    ///
    /// # Errors
    /// What was expected of the row, and what it holds.
    pub(crate) fn problem(&self, mut row: Row) -> Result<Problem, BadLine> {
        let (prompt, said) = self.prompt(&row)?;
        let (reference, worked) = self.reference(&row)?;
        let response = self.response(&row)?.or(said).or(worked);
        let id = self.id(&row)?.unwrap_or_else(|| format!("{}:{}", row.stem, row.line));
        let used = [Some(&self.prompt), self.response.as_ref(), self.id.as_ref()].into_iter().flatten();
        let reference_column =
            self.reference.iter().filter(|_| !self.reference_is_object).map(|(_, place)| place);
        for place in used.chain(reference_column) {
            row.columns.shift_remove(&place.0);
        }
        let origin = Origin { file: row.file.to_string(), line: row.line };
        Ok(Problem { id, prompt, reference, response, fields: row.columns, origin })
    }

    /// The prompt, and the last assistant turn where the column is a whole conversation.
    fn prompt(&self, row: &Row) -> Result<(ProblemPrompt, Option<String>), BadLine> {
        let expected = format!("a prompt in column `{}`: text or a list of messages", self.prompt.0);
        match self.prompt.get(&row.columns) {
            Some(Value::String(text)) if !text.trim().is_empty() => {
                Ok((ProblemPrompt::Text(text.clone()), None))
            }
            Some(Value::String(_)) => Err(row.bad(expected, "empty text")),
            Some(Value::Array(list)) => {
                let mut turns = messages(list).map_err(|found| row.bad(&expected, found))?;
                // TRL's `messages` column holds the response too; a `prompt` ends where the response begins.
                let whole = self.prompt.0 == "messages" && self.response.is_none();
                let said = turns.pop_if(|last| whole && last.role == "assistant").map(|last| last.content);
                if turns.is_empty() {
                    return Err(row.bad(expected, "a list without a message to answer"));
                }
                Ok((ProblemPrompt::Messages(turns), said))
            }
            other => Err(row.bad(expected, found(other, row))),
        }
    }

    /// The reference, and the whole text where the answer is only a part of it.
    fn reference(&self, row: &Row) -> Result<(Value, Option<String>), BadLine> {
        let value = |place: &Place| {
            let expected = || format!("a reference answer in column `{}`", place.0);
            match place.get(&row.columns) {
                Some(value) if is_empty_text(value) && !self.reference_is_object => {
                    Err(row.bad(expected(), "empty text"))
                }
                Some(Value::Number(number))
                    if number.is_f64() && number.as_f64().is_some_and(|x| x.abs() > 9e15) =>
                {
                    Err(row.bad(
                        expected(),
                        format!("the number {number}, which JSON readers round; write it as text"),
                    ))
                }
                None | Some(Value::Null) => Err(row.bad(expected(), found(place.get(&row.columns), row))),
                Some(value) => Ok(value.clone()),
            }
        };
        if self.reference_is_object {
            let parts = self.reference.iter().map(|(name, place)| Ok((name.clone(), value(place)?)));
            let parts = parts.collect::<Result<Map<_, _>, BadLine>>()?;
            // One part may well be empty, as MBPP's set-up mostly is; what the whole must hold its verifier knows.
            if parts.values().all(is_empty_text) {
                let places: Vec<_> = self.reference.iter().map(|(_, place)| &place.0).collect();
                let expected = format!("a reference answer in the columns {}", listed(&places));
                return Err(row.bad(expected, "empty text in each"));
            }
            return Ok((Value::Object(parts), None));
        }
        let Some((_, place)) = self.reference.first() else { return Ok((Value::Null, None)) };
        let value = value(place)?;
        let Some(answer) = &self.answer else { return Ok((value, None)) };
        let expected = format!("text that matches /{answer}/ in column `{}`", place.0);
        let Value::String(text) = value else { return Err(row.bad(expected, kind(&value))) };
        match answer.captures(&text).and_then(|groups| groups.get(1)) {
            Some(group) if !group.as_str().trim().is_empty() => {
                Ok((group.as_str().trim().into(), Some(text.clone())))
            }
            _ => Err(row.bad(expected, format!("`{}`", ending(&text)))),
        }
    }

    fn response(&self, row: &Row) -> Result<Option<String>, BadLine> {
        let Some(place) = &self.response else { return Ok(None) };
        let expected = format!("a response in column `{}`: text or a list of one assistant message", place.0);
        match place.get(&row.columns) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Array(list)) => {
                let turns = messages(list).map_err(|found| row.bad(&expected, found))?;
                match <[Message; 1]>::try_from(turns) {
                    Ok([only]) if only.role == "assistant" => Ok(Some(only.content)),
                    Ok([only]) => Err(row.bad(expected, format!("a message of the {}", only.role))),
                    Err(turns) => Err(row.bad(expected, format!("{} messages", turns.len()))),
                }
            }
            Some(other) => Err(row.bad(expected, kind(other))),
        }
    }

    fn id(&self, row: &Row) -> Result<Option<String>, BadLine> {
        match self.id.as_ref().and_then(|place| place.get(&row.columns)) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
            Some(Value::Number(number)) if !number.is_f64() => Ok(Some(number.to_string())),
            Some(other) => Err(row.bad("an id: text or a whole number", kind(other))),
        }
    }
}

/// The columns that the rows have.
struct Known<'a> {
    rows: &'a [&'a Row],
}

impl<'a> Known<'a> {
    fn new(rows: &'a [&'a Row]) -> Self {
        Self { rows }
    }

    fn has(&self, place: &Place) -> bool {
        self.rows.iter().any(|row| place.get(&row.columns).is_some())
    }

    fn text_holds(&self, place: &Place, part: &str) -> bool {
        let first = self.rows.iter().find_map(|row| place.get(&row.columns));
        first.and_then(Value::as_str).is_some_and(|text| text.contains(part))
    }

    /// The wanted column, which must be there, or the first of `names` that is.
    fn one(
        &self,
        what: &'static str,
        wanted: Option<&str>,
        names: &[&str],
    ) -> Result<Option<Place>, DataError> {
        let Some(wanted) = wanted else {
            return Ok(names.iter().map(|name| Place((*name).into())).find(|place| self.has(place)));
        };
        let place = Place(wanted.trim().into());
        if self.has(&place) { Ok(Some(place)) } else { Err(self.none(what, &[&place.0])) }
    }

    /// `a, b=c.d` as the object `{"a": a, "b": c.d}`.
    fn several(&self, list: &str) -> Result<Vec<(String, Place)>, DataError> {
        let parts = list.split(',').map(|part| {
            let (name, place) = part.split_once('=').unwrap_or((part, part));
            let place = Place(place.trim().into());
            if self.has(&place) {
                Ok((name.trim().to_string(), place))
            } else {
                Err(self.none("reference", &[&place.0]))
            }
        });
        parts.collect()
    }

    fn none(&self, what: &'static str, wanted: &[&str]) -> DataError {
        let mut names: Vec<&str> = Vec::new();
        for name in self.rows.iter().flat_map(|row| row.columns.keys()) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let file = self.rows.first().map_or_else(String::new, |row| row.file.to_string());
        DataError::NoColumn { file, what, wanted: listed(wanted), found: listed(&names) }
    }
}

fn is_empty_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn named(place: Place) -> (String, Place) {
    (String::new(), place)
}

fn answer_regex(text: &str) -> Result<Regex, DataError> {
    let wrong = |reason: String| DataError::Setting { key: "answer_regex".into(), reason };
    let regex = Regex::new(text).map_err(|error| wrong(error.to_string()))?;
    if regex.captures_len() < 2 {
        return Err(wrong(format!(
            "expected a capture group around the answer, as in `#### (.+)`; found `{text}`"
        )));
    }
    Ok(regex)
}

/// The messages in a list, or what is there instead.
fn messages(list: &[Value]) -> Result<Vec<Message>, String> {
    let message = |(i, value): (usize, &Value)| {
        let Value::Object(keys) = value else { return Err(format!("{} as message {}", kind(value), i + 1)) };
        let text = |key: &str| match keys.get(key) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => Err(format!("{} as `{key}` of message {}", kind(other), i + 1)),
            None => Err(format!("no `{key}` in message {}", i + 1)),
        };
        // Exports from tables fill in every key any row has; only one that says something would be lost.
        let extra = keys.iter().find(|(key, value)| !value.is_null() && *key != "role" && *key != "content");
        match extra {
            Some((key, _)) => Err(format!("`{key}` beside role and content in message {}", i + 1)),
            None => Ok(Message { role: text("role")?, content: text("content")? }),
        }
    };
    list.iter().enumerate().map(message).collect()
}

fn found(value: Option<&Value>, row: &Row) -> String {
    match value {
        Some(value) => kind(value).into(),
        None => format!("the columns {}", listed(&row.columns.keys().collect::<Vec<_>>())),
    }
}

fn ending(text: &str) -> String {
    const SHOWN: usize = 60;
    let skipped = text.chars().count().saturating_sub(SHOWN);
    let end: String = text.chars().skip(skipped).collect();
    if skipped > 0 { format!("...{end}") } else { end }
}

#[cfg(test)]
mod tests;
