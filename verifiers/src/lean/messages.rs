//! What Lean says about a file: one JSON object a line. Only for reasons; nothing that a message says makes a proof right.

use serde::Deserialize;

/// How grave a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    Error,
    Warning,
    #[serde(alias = "info", alias = "trace")]
    Information,
}

/// A message, with its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) severity: Severity,
    /// From 1; of the whole file.
    pub(super) line: usize,
    /// Characters from 0.
    pub(super) column: usize,
    pub(super) text: String,
}

#[derive(Deserialize)]
struct Raw {
    severity: Severity,
    pos: Place,
    data: String,
}

#[derive(Deserialize)]
struct Place {
    line: usize,
    column: usize,
}

/// The messages among the lines that Lean wrote. Whatever is none was written by something else.
pub(super) fn messages(said: &[u8]) -> Vec<Message> {
    let lines = said.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{"));
    let read = lines.filter_map(|line| serde_json::from_slice::<Raw>(line).ok());
    read.map(|Raw { severity, pos, data }| Message {
        severity,
        line: pos.line,
        column: pos.column,
        text: data,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_lines_of_json() {
        let said = concat!(
            "hello\n",
            r#"{"severity":"error","pos":{"line":3,"column":2},"endPos":null,"data":"type mismatch","fileName":"a"}"#,
            "\n{\"severity\":\"error\"}\n",
            r#"{"severity":"information","pos":{"line":1,"column":0},"data":"so"}"#
        );
        let found = messages(said.as_bytes());
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].severity, found[0].line, found[0].column), (Severity::Error, 3, 2));
        assert_eq!((found[1].severity, found[1].text.as_str()), (Severity::Information, "so"));
    }
}
