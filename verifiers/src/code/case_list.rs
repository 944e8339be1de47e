//! The cases of a reference, in the spellings that data sets have.
//!
//! | spelling | where |
//! | --- | --- |
//! | `[{"stdin": "1 2\n", "stdout": "3\n"}]` | our own |
//! | `{"inputs": ["1 2\n"], "outputs": ["3\n"]}` | APPS and TACO; one may be a list of lines instead of a text |
//! | either as a text that is JSON | data sets whose columns hold no objects |

use serde_json::Value;

use super::reference::{Case, shown};
use crate::error::shorten;

/// Bytes of a name that an error message shows.
const SHOWN_BYTES: usize = 80;

/// The cases in a value of one of these spellings.
///
/// # Errors
/// Says what was expected and what was found, with the number of the case.
pub(super) fn read(value: &Value) -> Result<Vec<Case>, String> {
    match value {
        Value::String(text) => {
            let inner: Value = serde_json::from_str(text).map_err(|error| {
                format!(
                    "`cases` is a text and must be JSON then, but it is not: {error}; found {}",
                    shown(value)
                )
            })?;
            // A text within a text is nobody's spelling.
            if inner.is_string() { Err(refusal(&inner)) } else { read(&inner) }
        }
        Value::Array(cases) => {
            cases.iter().enumerate().map(|(index, case)| read_case(index + 1, case)).collect()
        }
        Value::Object(lists) => read_lists(lists),
        other => Err(refusal(other)),
    }
}

fn refusal(found: &Value) -> String {
    let found = shown(found);
    format!(
        "`cases` must be a list of objects with \"stdin\" and \"stdout\", or an object with the lists \"inputs\" and \
         \"outputs\", found {found}"
    )
}

/// Inputs and outputs side by side.
fn read_lists(lists: &serde_json::Map<String, Value>) -> Result<Vec<Case>, String> {
    for (key, value) in lists.iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "inputs" | "outputs" => {}
            "fn_name" => return Err(calls_a_function(value)),
            _ => {
                let key = shorten(key, SHOWN_BYTES);
                return Err(format!("`cases` has the field {key:?}; there are `inputs` and `outputs`"));
            }
        }
    }
    let list = |name: &str| match lists.get(name) {
        Some(Value::Array(list)) => Ok(list),
        None | Some(Value::Null) => {
            Err(format!("`inputs` and `outputs` belong together, but there is no `{name}`"))
        }
        Some(other) => Err(format!("`{name}` must be a list of texts, found {}", shown(other))),
    };
    let (inputs, outputs) = (list("inputs")?, list("outputs")?);
    if inputs.len() != outputs.len() {
        return Err(format!(
            "`inputs` and `outputs` must be as many, found {} and {}",
            inputs.len(),
            outputs.len()
        ));
    }
    let pairs = inputs.iter().zip(outputs).enumerate();
    let case = |(index, (input, output))| {
        Ok(Case { stdin: text("inputs", index, input)?, stdout: text("outputs", index, output)? })
    };
    pairs.map(case).collect()
}

/// What to say of tests that call a function, which such data sets have beside those of standard input.
pub(super) fn calls_a_function(name: &Value) -> String {
    format!(
        "`fn_name` is {}, so that inputs are arguments and outputs values; only programs that read standard input can \
         be tested so: write assert statements in `tests`, or leave the problem out",
        shown(name)
    )
}

/// A text, or the lines of one.
fn text(field: &str, index: usize, value: &Value) -> Result<String, String> {
    let lines = match value {
        Value::String(text) => return Ok(text.clone()),
        Value::Array(lines) => lines.iter().map(Value::as_str).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    lines.map(|lines| lines.join("\n")).ok_or_else(|| {
        format!("`{field}`: number {} must be a text or a list of lines, found {}", index + 1, shown(value))
    })
}

fn read_case(number: usize, case: &Value) -> Result<Case, String> {
    let Value::Object(fields) = case else {
        let found = shown(case);
        return Err(format!(
            "`cases`: case {number} must be an object with \"stdin\" and \"stdout\", found {found}"
        ));
    };
    if let Some(unknown) = fields.keys().find(|key| !["stdin", "stdout"].contains(&key.as_str())) {
        return Err(format!(
            "`cases`: case {number} has the field {:?}; there are `stdin` and `stdout`",
            shorten(unknown, SHOWN_BYTES)
        ));
    }
    let read = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => {
            Err(format!("`cases`: `{name}` of case {number} must be a text, found {}", shown(other)))
        }
    };
    let stdout = read("stdout")?.ok_or_else(|| format!("`cases`: case {number} must have `stdout`"))?;
    Ok(Case { stdin: read("stdin")?.unwrap_or_default(), stdout })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn case(stdin: &str, stdout: &str) -> Case {
        Case { stdin: stdin.into(), stdout: stdout.into() }
    }

    #[test]
    fn every_spelling_is_read() {
        let expected = vec![case("1 2\n", "3"), case("", "0\n1")];
        let own = json!([{"stdin": "1 2\n", "stdout": "3"}, {"stdin": null, "stdout": "0\n1"}]);
        let lists = json!({"inputs": ["1 2\n", []], "outputs": ["3", ["0", "1"]], "fn_name": null});
        for value in [own, lists] {
            assert_eq!(read(&value).as_ref(), Ok(&expected), "{value}");
            assert_eq!(read(&value.to_string().into()).as_ref(), Ok(&expected), "{value} as text");
        }
    }

    #[test]
    fn what_is_no_list_of_cases_is_refused() {
        for (value, expected) in [
            (json!(5), "found 5"),
            (json!("x"), "must be JSON then, but it is not"),
            (json!("\"[]\""), "\"stdin\" and \"stdout\", or an object with the lists"),
            (json!({"inputs": ["1"]}), "there is no `outputs`"),
            (json!({"outputs": ["1"], "inputs": null}), "there is no `inputs`"),
            (json!({"inputs": "1", "outputs": ["1"]}), "`inputs` must be a list of texts, found \"1\""),
            (json!({"inputs": ["1", "2"], "outputs": ["1"]}), "as many, found 2 and 1"),
            (
                json!({"inputs": ["1", 2], "outputs": ["1", "2"]}),
                "`inputs`: number 2 must be a text or a list",
            ),
            (json!({"inputs": ["1"], "outputs": [[1]]}), "`outputs`: number 1 must be a text or a list"),
            (json!({"inputs": [[1]], "outputs": [[1]], "fn_name": "f"}), "`fn_name` is \"f\""),
            (json!({"inputs": [], "outputs": [], "more": 1}), "the field \"more\""),
        ] {
            let error = read(&value).unwrap_err();
            assert!(error.contains(expected), "{value}: {error}");
        }
    }
}
