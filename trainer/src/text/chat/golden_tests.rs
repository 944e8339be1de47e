//! Compares renders with those of Python's jinja2, byte for byte (`scripts/golden_templates.py` writes them).

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{ChatTemplates, RenderOptions};
use crate::text::TextError;

/// Every template of a folder of goldens against every golden; gives how many agree and what does not.
fn compare(folder: &Path) -> (usize, Vec<String>) {
    let read = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
    };
    let (cases, expected) = (read("cases.json"), read("expected.json"));
    let special = cases["special_tokens"].as_object().unwrap();
    let mut num_same = 0;
    let mut differences = Vec::new();
    for (name, golden) in expected.as_object().unwrap() {
        let (template, conversation) = name.split_once('/').unwrap();
        let path = folder.join(format!("{template}.jinja"));
        let source = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        let mut chat = ChatTemplates::new(folder, vec![("default".into(), path, source)]);
        assert_eq!(cases["now"], "2024-07-04T09:05:06");
        chat.set_now(1_720_083_906);
        let got = render(&chat, &cases["conversations"][conversation], special);
        match difference(golden, &got) {
            None => num_same += 1,
            Some(difference) => differences.push(format!("{name}: {difference}")),
        }
    }
    (num_same, differences)
}

fn render(chat: &ChatTemplates, conversation: &Value, special: &Map<String, Value>) -> Result<String, TextError> {
    let options = RenderOptions {
        add_generation_prompt: conversation["add_generation_prompt"] == true,
        tools: conversation.get("tools").cloned(),
        extra: conversation.get("extra").and_then(Value::as_object).cloned().unwrap_or_default(),
    };
    chat.render(conversation["messages"].as_array().unwrap(), special, &options)
}

fn difference(golden: &Value, got: &Result<String, TextError>) -> Option<String> {
    match (golden["text"].as_str(), golden["raises"].as_str(), got) {
        (Some(text), _, Ok(got)) if text == got => None,
        (Some(text), _, Ok(got)) => {
            let line = text.lines().zip(got.lines()).position(|(a, b)| a != b);
            let (a, b) = line.map_or((text, got.as_str()), |n| {
                (text.lines().nth(n).unwrap(), got.lines().nth(n).unwrap())
            });
            Some(format!("line {line:?}\n  jinja2: {a:?}\n  here:   {b:?}"))
        }
        (_, Some(message), Err(TextError::Raised { message: got, .. })) if message == got => None,
        // Another error of Python's: any error but the template's own will do here.
        (None, None, Err(TextError::Template { .. })) => None,
        (_, _, got) => Some(format!("jinja2: {:.200}, here: {got:.300?}", golden.to_string())),
    }
}

#[test]
fn own_templates_render_as_in_jinja2() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/templates");
    let (num_same, differences) = compare(&folder);
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
    assert!(num_same > 100, "only {num_same} goldens");
}

/// The templates of trl are not ours to keep, so their goldens are made outside of the repository.
#[test]
fn trl_templates() {
    let Some(folder) = std::env::var_os("POLESTAR_TRL_GOLDENS") else {
        println!("SKIPPED: trl_templates: make goldens with scripts/golden_templates.py --out DIR --trl-wheel FILE.whl and set POLESTAR_TRL_GOLDENS=DIR");
        return;
    };
    let (num_same, differences) = compare(Path::new(&folder));
    println!("{num_same} of {} renders are identical", num_same + differences.len());
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
    assert!(num_same > 0, "no goldens in {}", folder.display());
}
