//! What Lean says about a file: one JSON object a line. Only for reasons; nothing that a message says makes a proof right.

use serde::Deserialize;

use super::screen::{Message, Severity};

#[derive(Deserialize)]
struct Raw {
    severity: Grade,
    pos: Place,
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Grade {
    Error,
    Warning,
    #[serde(alias = "info", alias = "trace")]
    Information,
}

#[derive(Deserialize)]
struct Place {
    line: u32,
    column: u32,
}

impl Raw {
    fn message(self) -> Message {
        let severity = match self.severity {
            Grade::Error => Severity::Error,
            Grade::Warning => Severity::Warning,
            Grade::Information => Severity::Info,
        };
        Message { severity, line: self.pos.line, column: self.pos.column, text: self.data }
    }
}

/// The messages among the lines that Lean wrote, with their lines in the whole file. Whatever is none was written by
/// something else.
pub(super) fn messages(said: &[u8]) -> Vec<Message> {
    let lines = said.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{"));
    let read = lines.filter_map(|line| serde_json::from_slice::<Raw>(line).ok());
    read.map(Raw::message).collect()
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
        assert_eq!((found[1].severity, found[1].text.as_str()), (Severity::Info, "so"));
    }
}
