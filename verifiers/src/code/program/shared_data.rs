//! Programs of the real benchmarks, given in many ways: what is run compiles, and is what it would be without the
//! dress. Skipped where the data or python3 is not on the machine.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::*;
use crate::shared_data::shared;

/// Compiles and runs nothing: says for each line `[expected, sources]` what does not compile, or which code differs from
/// the expected one. What is expected is null where it is enough that the sources compile.
const COMPILE: &str = r#"
import ast, json, sys
for number, line in enumerate(sys.stdin):
    expected, sources = json.loads(line)
    try:
        for source in sources:
            compile(source["text"], source["name"], "exec", dont_inherit=True)
        if expected is not None and ast.dump(ast.parse(sources[-1]["text"])) != ast.dump(ast.parse(expected)):
            print(number, "differs")
    except (SyntaxError, ValueError) as error:
        print(number, repr(error))
"#;

fn rows(path: &Path) -> Vec<Value> {
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    match path.extension().is_some_and(|it| it == "gz") {
        true => flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap(),
        false => bytes.as_slice().read_to_string(&mut text).unwrap(),
    };
    text.split('\n').filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Responses with what they must become, to be compiled together by one interpreter.
#[derive(Default)]
struct Trial {
    lines: String,
    about: Vec<String>,
}

impl Trial {
    /// `expected` is the code that the last source must be.
    fn add(&mut self, reference: &Reference, response: &str, num_sources: usize, expected: Option<&str>) {
        let found = find(response, reference, "python").program();
        assert_eq!(found.sources.len(), num_sources, "{response}");
        self.lines.push_str(&json!([expected, found.sources]).to_string());
        self.lines.push('\n');
        self.about.push(response.to_owned());
    }

    fn finish(self, about: &str) {
        let mut command = Command::new("python3");
        command.args(["-I", "-c", COMPILE]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut python = match command.spawn() {
            Ok(python) => python,
            Err(error) => return println!("SKIPPED: python3 cannot be started: {error}"),
        };
        let mut input = python.stdin.take().unwrap();
        let lines = self.lines;
        let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
        let output = python.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert!(output.status.success());
        let complaints = String::from_utf8(output.stdout).unwrap();
        if let Some(first) = complaints.lines().next() {
            let number: usize = first.split(' ').next().unwrap().parse().unwrap();
            panic!("{about}: {} complaints; {first}: {}", complaints.lines().count(), self.about[number]);
        }
        println!("{about}: {} responses", self.about.len());
        assert!(!self.about.is_empty());
    }
}

/// The ways to hand over a whole program.
fn dressed(program: &str) -> Vec<String> {
    let indented: String = program.split_inclusive('\n').map(|line| format!("   {line}")).collect();
    vec![
        program.to_owned(),
        format!("<think>\n```python\nraise\n```\n</think>\n\n{program}\n"),
        format!("```python\n{program}\n```"),
        format!(
            "Let us see.\r\n\r\n~~~Python\r\n{}\r\n~~~\r\n",
            program.replace('\r', "").replace('\n', "\r\n")
        ),
        format!(
            "First try:\n```python\nraise\n```\nBetter:\n```py\n{program}\n```\nOutput:\n```\n1 2\n```\n```bash\nls\n```"
        ),
        format!("Before.\n\n1. So:\n\n   ```python\n{indented}\n   ```\n\nAfter."),
        format!("{program}\n```\n\nThis is it."),
        format!("So we have\n\n````\n{program}"),
    ]
}

#[test]
fn solutions_of_humaneval_are_found() {
    let Some(shared) = shared("humaneval") else { return };
    let mut trial = Trial::default();
    for row in rows(&shared.join("humaneval/HumanEval.jsonl.gz")) {
        let (prompt, body) = (row["prompt"].as_str().unwrap(), row["canonical_solution"].as_str().unwrap());
        let fields = json!({"prompt": prompt, "entry_point": row["entry_point"], "test": row["test"]});
        let reference: Reference = serde_json::from_value(fields).unwrap();
        let whole = format!("{prompt}{body}");
        for response in dressed(&whole) {
            trial.add(&reference, &response, 2, Some(&whole));
        }
        let flush: String =
            body.split_inclusive('\n').map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
        for body in [body, body.trim(), &flush] {
            for response in dressed(body) {
                // A fence that the prompt began is told by what begins a program or is indented.
                let is_guess = response.ends_with("This is it.") && !given::is_code(body);
                if !is_guess {
                    trial.add(&reference, &response, 1, Some(&whole));
                }
            }
        }
    }
    trial.finish("HumanEval");
}

#[test]
fn solutions_of_mbpp_are_found() {
    let Some(shared) = shared("mbpp") else { return };
    let mut trial = Trial::default();
    for file in ["prompt.jsonl", "train.jsonl.gz", "validation.jsonl.gz", "test.jsonl.gz"] {
        for row in rows(&shared.join("mbpp").join(file)) {
            let fields = json!({"tests": row["test_list"], "setup": row["test_setup_code"]});
            let reference: Reference = serde_json::from_value(fields).unwrap();
            let program = row["code"].as_str().unwrap();
            for response in dressed(program) {
                let is_guess =
                    response.ends_with("This is it.") && !given::is_code(&program.replace('\r', ""));
                if !is_guess {
                    trial.add(&reference, &response, 1, Some(program));
                }
            }
        }
    }
    trial.finish("MBPP");
}
