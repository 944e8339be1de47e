//! The recipe's JSON schema (2020-12), made from the types: `polestar train --schema` prints it for editors, [`super::check`]
//! reads the rules for keys and types from it, and docs/recipes.md is made from it, so that the three cannot disagree.

use std::fmt::Write as _;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::types::Recipe;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(Recipe).to_value());

/// The schema.
#[must_use]
pub fn schema() -> &'static Value {
    &SCHEMA
}

/// The schema as text, for `polestar train --schema`.
#[must_use]
pub fn schema_text() -> String {
    format!("{:#}\n", *SCHEMA)
}

/// One key of the schema, as documentation wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyDoc {
    /// The key's name within its table.
    pub name: String,
    /// What it takes: a type, or the words that it may be.
    pub takes: String,
    /// Its default as TOML, or what stands for it.
    pub default: String,
    /// What it means.
    pub description: String,
}

/// Follows `$ref`, keeping what stands beside it out of sight.
pub(super) fn follow(mut node: &'static Value) -> &'static Value {
    while let Some(target) = node.get("$ref").and_then(Value::as_str) {
        let name = target.rsplit('/').next().unwrap_or_default();
        match SCHEMA.get("$defs").and_then(|defs| defs.get(name)) {
            Some(next) => node = next,
            None => break,
        }
    }
    node
}

/// A node's alternatives other than null (`anyOf`), or the node itself.
pub(super) fn alternatives(node: &'static Value) -> Vec<&'static Value> {
    let node = follow(node);
    match node.get("anyOf").and_then(Value::as_array) {
        Some(all) => all
            .iter()
            .map(follow)
            .filter(|node| node.get("type").and_then(Value::as_str) != Some("null"))
            .collect(),
        None => vec![node],
    }
}

/// The words that a node allows, if it is a choice between words.
pub(super) fn words(node: &'static Value) -> Option<Vec<&'static str>> {
    if let Some(all) = node.get("enum").and_then(Value::as_array) {
        return all.iter().filter(|word| !word.is_null()).map(Value::as_str).collect();
    }
    if let Some(word) = node.get("const") {
        return word.as_str().map(|word| vec![word]);
    }
    let mut all = Vec::new();
    for variant in node.get("oneOf")?.as_array()? {
        all.extend(words(follow(variant))?);
    }
    Some(all)
}

/// A tagged union's tag and its variants by tag, if the node is one.
pub(super) fn variants(node: &'static Value) -> Option<(&'static str, Vec<(&'static str, &'static Value)>)> {
    let all = node.get("oneOf")?.as_array()?;
    let tag_of = |variant: &'static Value| {
        properties(variant)?
            .iter()
            .find_map(|(key, value)| Some((key.as_str(), value.get("const")?.as_str()?)))
    };
    let tagged: Option<Vec<_>> = all
        .iter()
        .map(|variant| {
            let variant = follow(variant);
            tag_of(variant).map(|(tag, name)| (tag, name, variant))
        })
        .collect();
    let tagged = tagged?;
    let tag = tagged.first()?.0;
    Some((tag, tagged.into_iter().map(|(_, name, variant)| (name, variant)).collect()))
}

/// A table's keys, if the node is a table.
pub(super) fn properties(node: &'static Value) -> Option<&'static Map<String, Value>> {
    node.get("properties").and_then(Value::as_object)
}

/// A node's type in words.
pub(super) fn type_in_words(node: &'static Value) -> String {
    let all = alternatives(node);
    let [node] = all[..] else {
        return all.into_iter().map(type_in_words).collect::<Vec<_>>().join(" or ");
    };
    if let Some(words) = words(node) {
        let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
        return format!("one of {}", quoted.join(", "));
    }
    if variants(node).is_some() {
        return "a table with a `kind`".to_owned();
    }
    let name = match node.get("type") {
        Some(Value::String(name)) => Some(name.as_str()),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    };
    match name {
        Some("string") => "a string".to_owned(),
        Some("integer") => "a whole number from 0".to_owned(),
        Some("number") => "a number".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        Some("object") => "a table".to_owned(),
        Some("array") => match node.get("items").map(type_in_words) {
            Some(of) if of == "a string" => "a list of strings".to_owned(),
            Some(of) if of == "a table" => "a list of tables".to_owned(),
            _ => "a list".to_owned(),
        },
        _ => "any value".to_owned(),
    }
}

/// The keys of a table node in the order of the types.
fn key_docs(node: &'static Value) -> Vec<KeyDoc> {
    let required: Vec<&str> = node
        .get("required")
        .and_then(Value::as_array)
        .map_or_else(Vec::new, |keys| keys.iter().filter_map(Value::as_str).collect());
    let keys = properties(node).into_iter().flatten();
    keys.map(|(name, value)| KeyDoc {
        name: name.clone(),
        takes: type_in_words(value),
        default: match value.get("default") {
            _ if required.contains(&name.as_str()) => "required".to_owned(),
            None | Some(Value::Null) => "left out".to_owned(),
            Some(Value::Object(map)) if map.values().all(Value::is_null) => "empty".to_owned(),
            Some(default) => format!("`{default}`"),
        },
        description: description(value),
    })
    .collect()
}

fn description(node: &'static Value) -> String {
    let own = node.get("description").or_else(|| follow(node).get("description"));
    own.and_then(Value::as_str).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The reference part of docs/recipes.md: a Markdown table for each section.
#[must_use]
pub fn reference() -> String {
    let mut out = String::new();
    for (name, node) in properties(schema()).into_iter().flatten() {
        section(&mut out, name, node);
    }
    out
}

fn section(out: &mut String, path: &str, node: &'static Value) {
    let all = alternatives(node);
    let [inner] = all[..] else { return };
    let about = description(node);
    if let Some((tag, kinds)) = variants(inner) {
        push(out, &format!("\n### `[{path}]`\n\n{about}\n\n`{tag}` is one of:\n\n"));
        for (kind, variant) in kinds {
            push(out, &format!("- `{tag} = \"{kind}\"`: {}\n", description(variant)));
            for key in key_docs(variant).iter().filter(|key| key.name != tag) {
                let KeyDoc { name, takes, default, description } = key;
                push(out, &format!("  - `{name}` ({takes}; {default}): {description}\n"));
            }
        }
        return;
    }
    if let Some(items) = inner.get("items") {
        section_table(out, &format!("[[{path}]]"), path, &about, follow(items));
    } else if let Some(each) = inner.get("additionalProperties").filter(|each| each.is_object()) {
        section_table(out, &format!("[{path}.NAME]"), &format!("{path}.NAME"), &about, follow(each));
    } else {
        section_table(out, &format!("[{path}]"), path, &about, inner);
    }
}

fn section_table(out: &mut String, head: &str, path: &str, about: &str, node: &'static Value) {
    push(
        out,
        &format!(
            "\n### `{head}`\n\n{about}\n\n| key | takes | default | meaning |\n| --- | --- | --- | --- |\n"
        ),
    );
    for KeyDoc { name, takes, default, description } in key_docs(node) {
        let row = [format!("`{name}`"), takes, default, description].map(|cell| cell.replace('|', "\\|"));
        push(out, &format!("| {} |\n", row.join(" | ")));
    }
    if node.get("additionalProperties").and_then(Value::as_bool) == Some(true) {
        push(out, "\nOther keys are the kind's own settings and are checked by the kind.\n");
    }
    for (name, value) in properties(node).into_iter().flatten() {
        let is_table = |node: &'static Value| {
            let node = follow(node);
            properties(node).is_some() || variants(node).is_some()
        };
        let nested = alternatives(value)
            .into_iter()
            .any(|node| is_table(node) || node.get("items").is_some_and(is_table));
        if nested {
            section(out, &format!("{path}.{name}"), value);
        }
    }
}

fn push(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = out.write_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_says_which_draft_it_is_and_refuses_unknown_keys() {
        assert_eq!(schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema()["additionalProperties"], false);
        assert!(schema_text().ends_with("}\n"));
        let parsed: Value = serde_json::from_str(&schema_text()).unwrap();
        assert_eq!(&parsed, schema());
    }

    #[test]
    fn every_key_has_a_description() {
        fn walk(path: &str, node: &'static Value) {
            for node in alternatives(node) {
                let tables = variants(node)
                    .map_or(vec![node], |(_, kinds)| kinds.into_iter().map(|kind| kind.1).collect());
                for table in tables {
                    for (name, value) in properties(table).into_iter().flatten() {
                        let is_tag = value.get("const").is_some();
                        assert!(is_tag || !description(value).is_empty(), "{path}.{name} has no description");
                        walk(&format!("{path}.{name}"), value);
                        for inner in ["items", "additionalProperties"] {
                            value
                                .get(inner)
                                .into_iter()
                                .for_each(|node| walk(&format!("{path}.{name}"), node));
                        }
                    }
                }
            }
        }
        walk("", schema());
    }

    /// docs/recipes.md carries the reference between two marks. `UPDATE_DOCS=1 cargo test` writes it anew.
    #[test]
    fn the_user_page_has_the_reference_of_these_types() {
        const BEGIN: &str = "<!-- reference: begin -->\n";
        const END: &str = "\n<!-- reference: end -->";
        let page = super::super::shipped_tests::repository().join("docs/recipes.md");
        let text = std::fs::read_to_string(&page).unwrap();
        let (head, rest) =
            text.split_once(BEGIN).expect("docs/recipes.md has the mark that begins the reference");
        let (shown, tail) =
            rest.split_once(END).expect("docs/recipes.md has the mark that ends the reference");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&page, format!("{head}{BEGIN}{}{END}{tail}", reference().trim_end())).unwrap();
            return;
        }
        assert!(
            shown.trim_end() == reference().trim_end(),
            "docs/recipes.md is stale: run the tests once with UPDATE_DOCS=1"
        );
    }
}
