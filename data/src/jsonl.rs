//! Reads JSONL, plain or gzip: one JSON object a line, lines end with `\n` and with nothing else (texts may hold U+0085
//! and U+2028). A line that is no object is handed on as what is wrong with it, so that none disappears.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use serde_json::{Map, Value};

use crate::error::{BadLine, DataError};

/// One line's columns and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The file's name in messages.
    pub(crate) file: Rc<str>,
    /// What ids of this file's problems begin with.
    pub(crate) stem: Rc<str>,
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) columns: Map<String, Value>,
}

impl Row {
    /// What is wrong with this row.
    pub(crate) fn bad(&self, expected: impl Into<String>, found: impl Into<String>) -> BadLine {
        BadLine {
            file: self.file.to_string(),
            line: self.line,
            expected: expected.into(),
            found: found.into(),
        }
    }
}

/// Appends the file's lines to `rows` until there are `most`; lines of white space are no rows.
///
/// # Errors
/// Where the file cannot be read, its gzip stream is damaged, or it is Parquet.
pub(crate) fn read(
    path: &Path,
    stem: &str,
    most: usize,
    rows: &mut Vec<Result<Row, BadLine>>,
) -> Result<(), DataError> {
    let failed = |lines: usize| move |source| DataError::Io { path: path.to_path_buf(), lines, source };
    let mut file = BufReader::new(File::open(path).map_err(failed(0))?);
    let start = file.fill_buf().map_err(failed(0))?;
    if start.starts_with(b"PAR1") {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Err(DataError::Parquet { place: path.display().to_string(), files: name });
    }
    // By content, not by name: what the Hugging Face cache links to has no extension.
    let mut reader: Box<dyn BufRead> = if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(BufReader::new(MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    };
    let (name, stem): (Rc<str>, Rc<str>) = (path.display().to_string().into(), stem.into());
    let mut bytes = Vec::new();
    let mut line = 0;
    while rows.len() < most {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes).map_err(failed(line))? == 0 {
            break;
        }
        line += 1;
        // A bad line's column is counted within the line.
        let bytes = bytes.trim_ascii_end();
        let text = if line == 1 { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes) } else { bytes };
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        rows.push(match object(text) {
            Ok(columns) => Ok(Row { file: name.clone(), stem: stem.clone(), line, columns }),
            Err(found) => {
                Err(BadLine { file: name.to_string(), line, expected: "one JSON object".into(), found })
            }
        });
    }
    Ok(())
}

/// The object in a line, or what is there instead.
fn object(text: &[u8]) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(text) {
        Ok(Value::Object(columns)) => Ok(columns),
        Ok(other) => Err(kind(&other).into()),
        Err(error) => {
            if let Err(utf8) = std::str::from_utf8(text) {
                return Err(format!("bytes that are not UTF-8 at column {}", utf8.valid_up_to() + 1));
            }
            let message = error.to_string();
            let what = message.split(" at line ").next().unwrap_or(&message);
            let list = if text.trim_ascii() == b"[" {
                " (a JSON list over several lines; `jq -c .[]` makes it JSONL)"
            } else {
                ""
            };
            Err(format!("{what} at column {}: `{}`{list}", error.column(), beginning(text)))
        }
    }
}

fn beginning(text: &[u8]) -> String {
    const SHOWN: usize = 60;
    let text = String::from_utf8_lossy(text.trim_ascii());
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    shown
}

/// What kind of JSON value this is, as messages say it.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn read_bytes(bytes: &[u8]) -> Result<Vec<Result<Row, BadLine>>, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        std::fs::write(&path, bytes).unwrap();
        let mut rows = Vec::new();
        read(&path, "a", usize::MAX, &mut rows)?;
        Ok(rows)
    }

    fn found(bytes: &[u8]) -> String {
        let rows = read_bytes(bytes).unwrap();
        rows.into_iter().find_map(Result::err).expect("a bad line").found
    }

    #[test]
    fn lines_are_counted_and_blank_ones_are_no_rows() {
        let rows = read_bytes(b"{\"a\":1}\r\n\n  \n{\"a\":2}").unwrap();
        let lines: Vec<usize> = rows.iter().map(|row| row.as_ref().unwrap().line).collect();
        assert_eq!(lines, [1, 4]);
    }

    #[test]
    fn only_newline_ends_a_line() {
        let rows = read_bytes("{\"a\":\"x\u{85}y\u{2028}z\"}\n".as_bytes()).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].as_ref().unwrap().columns["a"], "x\u{85}y\u{2028}z");
    }

    #[test]
    fn gzip_is_known_by_its_content_and_may_have_several_members() {
        let bytes = [gzip("{\"a\":1}\n"), gzip("{\"a\":2}\n")].concat();
        assert_eq!(read_bytes(&bytes).unwrap().len(), 2);
    }

    #[test]
    fn a_damaged_gzip_stream_is_an_error_not_an_early_end() {
        let long: String = (0..5000).map(|i| format!("{{\"a\":{}}}\n", i * 7919 % 4999)).collect();
        let mut bytes = gzip(&long);
        bytes.truncate(bytes.len() / 2);
        let message = read_bytes(&bytes).unwrap_err().to_string();
        assert!(message.contains("a.jsonl after line "), "{message}");
    }

    #[test]
    fn a_bad_line_says_what_is_there() {
        assert_eq!(found(b"[1]\n"), "a list");
        assert_eq!(found(b"\"a\"\n"), "text");
        assert_eq!(found(b"{\"a\": tru}\n"), "expected ident at column 10: `{\"a\": tru}`");
        assert_eq!(found(b"{\"a\": 1} {\n"), "trailing characters at column 10: `{\"a\": 1} {`");
        assert_eq!(found(b"{\"a\": \"\xff\"}\n"), "bytes that are not UTF-8 at column 8");
        assert!(found(b"[\n{}\n]").contains("jq -c"));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        assert!(read_bytes(b"\xef\xbb\xbf{\"a\":1}\n").unwrap()[0].is_ok());
    }

    #[test]
    fn parquet_is_named_as_such() {
        let message = read_bytes(b"PAR1\x15\x04").unwrap_err().to_string();
        assert!(message.contains("Parquet") && message.contains("to_json"), "{message}");
    }
}
