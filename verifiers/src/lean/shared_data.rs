//! The statements and worked proofs of miniF2F and ProofNet, where the data are there: every statement is read, and
//! every proof is put together as the file that a person would write.

use std::io::Read;

use serde_json::{Value, json};

use super::header::head;
use super::reference::Reference;
use super::source::{self, Found};
use crate::shared_data::shared;

/// The rows of a file; none after saying so.
fn rows(name: &str) -> Option<Vec<Value>> {
    let file = std::fs::File::open(shared("minif2f")?.join("minif2f").join(name)).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

fn reference(row: &Value) -> Result<Reference, serde_json::Error> {
    serde_json::from_value(json!({
        "name": row["name"],
        "header": text(row, "header"),
        "statement": row["formal_statement"],
    }))
}

#[test]
fn statements_are_read_with_their_names_and_headers() {
    for (file, num_read, num_refused) in [
        ("minif2f_lean4.jsonl.gz", 488, 0),
        ("minif2f_lean4_v4.24.jsonl.gz", 488, 0),
        ("proofnet_lean4.jsonl.gz", 357, 14),
    ] {
        let Some(rows) = rows(file) else { return };
        let (mut read, mut refused) = (0, 0);
        for row in &rows {
            match reference(row) {
                Ok(reference) => {
                    read += 1;
                    assert_eq!(reference.name, text(row, "name"));
                    let statement = text(row, "formal_statement").trim_end();
                    assert!(statement.starts_with(&reference.statement), "{statement}");
                    let rest = statement[reference.statement.len()..].split_whitespace().collect::<String>();
                    assert!([":=", ":=by", ":=bysorry"].contains(&rest.as_str()), "{statement}");
                    let header = reference.header.as_deref().unwrap();
                    assert!(head(header).imports.contains(&"Mathlib".to_owned()), "{header}");
                    let source = source::statement(header, &reference);
                    assert!(source.text().starts_with(header.trim_end()), "{header}");
                }
                // Definitions, which ProofNet has among its statements.
                Err(error) => {
                    refused += 1;
                    assert!(error.to_string().contains("must be a theorem"), "{error}");
                    assert!(text(row, "formal_statement").contains("def "), "{row}");
                }
            }
        }
        assert_eq!((read, refused), (num_read, num_refused), "{file}");
    }
}

#[test]
fn worked_proofs_make_the_files_that_people_write() {
    const HEADER: &str =
        "import Mathlib\nimport Aesop\n\nset_option maxHeartbeats 400000\n\nopen BigOperators Real\n";
    let Some(rows) = rows("minif2f_valid_few_shot.jsonl.gz") else { return };
    assert_eq!(rows.len(), 67);
    for row in &rows {
        let reference = reference(row).unwrap();
        let (statement, proof) = (text(row, "formal_statement"), text(row, "formal_proof").trim_end());
        let by_hand = format!("{HEADER}{}\n{proof}\n", statement.trim_end());
        let fenced = format!("So:\n\n```lean4\n{statement}{proof}\n```\n");
        let continued = format!("{proof}\n```");
        for response in [proof, fenced.as_str(), continued.as_str()] {
            let Found::Source(source) = source::find(response, HEADER, &reference) else {
                panic!("{response}")
            };
            assert_eq!(source.text(), by_hand, "{response}");
        }
    }
}
