//! `--set key.path=value`: one key of a recipe from the command line. Shared by every command that takes settings.
//!
//! The value is parsed as TOML, and taken as a string where it is not. The path is dotted, as TOML writes keys; through
//! a list it goes by index, and through `[[verifier]]` by the verifier's name.

use toml::{Table, Value};

use crate::complaint::{Complaint, Place};

/// One `--set`, read but not yet applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// As typed.
    pub typed: String,
    /// The parts of the key.
    pub path: Vec<String>,
    /// The value.
    pub value: Value,
}

impl Setting {
    /// Reads `key=value`.
    ///
    /// # Errors
    /// There is no `=`, or what stands before it is no TOML key.
    pub fn parse(typed: &str) -> Result<Self, Box<Complaint>> {
        let wrong = |found: &str| {
            Complaint::call("a --set cannot be read")
                .expected("key.path=value, for instance rollout.temperature=0.7")
                .found(found)
                .at(Place::Set { setting: typed.to_owned() })
        };
        let Some((key, value)) = typed.split_once('=') else {
            let complaint = wrong("no `=`").next("write the key, `=` and the value, without spaces");
            return Err(complaint.into());
        };
        let path = parse_key(key).ok_or_else(|| {
            let next = "a key is made of letters, digits, `-` and `_`; put any other part in double quotes";
            Box::new(wrong(&format!("`{key}` is not a dotted key")).next(next))
        })?;
        Ok(Self { typed: typed.to_owned(), path, value: parse_value(value) })
    }

    /// Sets the key in `table`, making tables that are missing on the way. Returns the key's parts with verifiers
    /// addressed by index.
    ///
    /// # Errors
    /// The path leads through something that is neither a table nor a list, past a list's end, or to a verifier that
    /// does not exist. The table may then hold empty tables made on the way.
    pub fn apply(&self, table: &mut Table) -> Result<Vec<String>, Box<Complaint>> {
        let mut canonical = Vec::with_capacity(self.path.len());
        self.apply_in_table(table, 0, &mut canonical)?;
        Ok(canonical)
    }

    fn apply_in_table(
        &self,
        table: &mut Table,
        depth: usize,
        canonical: &mut Vec<String>,
    ) -> Result<(), Box<Complaint>> {
        let part = &self.path[depth];
        canonical.push(part.clone());
        if depth + 1 == self.path.len() {
            table.insert(part.clone(), self.value.clone());
            return Ok(());
        }
        if depth == 0 && part == "verifier" && !table.contains_key(part) {
            return Err(self.no_such_verifier(&[]).into());
        }
        let inner = table.entry(part.clone()).or_insert_with(|| Value::Table(Table::new()));
        self.apply_in_value(inner, depth + 1, canonical)
    }

    fn apply_in_value(
        &self,
        value: &mut Value,
        depth: usize,
        canonical: &mut Vec<String>,
    ) -> Result<(), Box<Complaint>> {
        match value {
            Value::Table(table) => self.apply_in_table(table, depth, canonical),
            Value::Array(list) => {
                let index = self.index_in(list, depth)?;
                canonical.push(index.to_string());
                if depth + 1 == self.path.len() {
                    list[index] = self.value.clone();
                    return Ok(());
                }
                self.apply_in_value(&mut list[index], depth + 1, canonical)
            }
            other => {
                let through = self.path[..depth].join(".");
                Err(Complaint::call(format!("{through} has no keys of its own"))
                    .expected(format!("a table or a list at {through}"))
                    .found(describe(other))
                    .at(Place::Set { setting: self.typed.clone() })
                    .next(format!("set {through} itself, or correct the path"))
                    .into())
            }
        }
    }

    fn index_in(&self, list: &[Value], depth: usize) -> Result<usize, Box<Complaint>> {
        let part = &self.path[depth];
        let list_key = self.path[..depth].join(".");
        let names: Vec<String> = if list_key == "verifier" {
            (0..list.len()).map(|i| verifier_name(list, i)).collect()
        } else {
            Vec::new()
        };
        let by_name: Vec<usize> = (0..names.len()).filter(|&i| names[i] == *part).collect();
        match by_name[..] {
            [index] => return Ok(index),
            [] => {}
            _ => {
                return Err(Complaint::call(format!("{} verifiers are named `{part}`", by_name.len()))
                    .expected("a name that only one [[verifier]] has")
                    .at(Place::Set { setting: self.typed.clone() })
                    .next("give each [[verifier]] a `name` of its own")
                    .into());
            }
        }
        match part.parse::<usize>() {
            Ok(index) if index < list.len() => Ok(index),
            _ if list_key == "verifier" => Err(self.no_such_verifier(&names).into()),
            _ => Err(Complaint::call(format!("{list_key} is a list and has no element `{part}`"))
                .expected(match list.len() {
                    0 => "nothing: the list is empty".to_owned(),
                    len => format!("an index from 0 to {}", len - 1),
                })
                .found(format!("`{part}`"))
                .at(Place::Set { setting: self.typed.clone() })
                .next(format!("set the whole list, {list_key}=[...], or correct the index"))
                .into()),
        }
    }

    fn no_such_verifier(&self, names: &[String]) -> Complaint {
        let asked = self.path.get(1).map_or("", String::as_str);
        let expected = match names {
            [] => "nothing: the recipe has no [[verifier]]".to_owned(),
            names => format!("the name of one of the recipe's verifiers: {}", names.join(", ")),
        };
        Complaint::call(format!("no [[verifier]] is named `{asked}`"))
            .expected(expected)
            .found(format!("`{asked}`"))
            .at(Place::Set { setting: self.typed.clone() })
            .next("correct the name, or write the [[verifier]] into the recipe")
    }
}

/// The name by which a verifier is addressed: its `name`, else its `kind`, else its index.
#[must_use]
pub fn verifier_name(list: &[Value], index: usize) -> String {
    let text = |key: &str| list[index].get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    text("name").or_else(|| text("kind")).map_or_else(|| index.to_string(), str::to_owned)
}

/// A TOML value in words, for `found:` lines. Long texts are cut.
#[must_use]
pub fn describe(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let mut shown: String = text.chars().take(40).collect();
            if shown.len() < text.len() {
                shown.push('…');
            }
            format!("the string {shown:?}")
        }
        Value::Integer(number) => format!("the whole number {number}"),
        Value::Float(number) => format!("the number {number}"),
        Value::Boolean(truth) => format!("{truth}"),
        Value::Datetime(date) => format!("the date {date}"),
        Value::Array(_) => "a list".to_owned(),
        Value::Table(_) => "a table".to_owned(),
    }
}

/// The parts of a dotted TOML key, or nothing if it is none.
fn parse_key(key: &str) -> Option<Vec<String>> {
    if key.contains(['\n', '\r', '=', '#', '[', ']']) {
        return None;
    }
    let mut table: Table = toml::from_str(&format!("{key} = 0")).ok()?;
    let mut parts = Vec::new();
    loop {
        // One line with one `=` makes exactly one key in each table.
        let (part, value) = table.into_iter().next()?;
        parts.push(part);
        match value {
            Value::Table(inner) => table = inner,
            _ => return Some(parts),
        }
    }
}

/// The value as TOML if it is one value, else as a string.
fn parse_value(text: &str) -> Value {
    let as_string = || Value::String(text.to_owned());
    match toml::from_str::<Table>(&format!("value = {text}")) {
        Ok(mut table) if table.len() == 1 => table.remove("value").unwrap_or_else(as_string),
        _ => as_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(toml: &str, typed: &str) -> Result<String, String> {
        let mut table: Table = toml::from_str(toml).unwrap();
        let setting = Setting::parse(typed).map_err(|complaint| complaint.to_string())?;
        setting.apply(&mut table).map_err(|complaint| complaint.to_string())?;
        Ok(toml::to_string(&table).unwrap())
    }

    #[test]
    fn a_value_is_toml_where_it_can_be_and_a_string_elsewhere() {
        let value = |typed: &str| Setting::parse(typed).unwrap().value;
        assert_eq!(value("a=0.7"), Value::Float(0.7));
        assert_eq!(value("a=7"), Value::Integer(7));
        assert_eq!(value("a=true"), Value::Boolean(true));
        assert_eq!(value("a=[1, 2]"), Value::Array(vec![Value::Integer(1), Value::Integer(2)]));
        assert_eq!(value("a={kind='clip'}")["kind"], Value::String("clip".into()));
        assert_eq!(value("a=cuda:1"), Value::String("cuda:1".into()));
        assert_eq!(value("a=\"7\""), Value::String("7".into()));
        assert_eq!(value("a="), Value::String(String::new()));
        assert_eq!(value("a=x=y"), Value::String("x=y".into()));
        assert_eq!(value("a=1\nb=2"), Value::String("1\nb=2".into()));
        assert_eq!(value("a=1 two"), Value::String("1 two".into()));
    }

    #[test]
    fn a_key_is_dotted_and_may_be_quoted() {
        let path = |typed: &str| Setting::parse(typed).unwrap().path;
        assert_eq!(path("rollout.n=1"), ["rollout", "n"]);
        assert_eq!(path("data.train.columns.\"a.b\"=x"), ["data", "train", "columns", "a.b"]);
        assert_eq!(path("prompt.examples.0.prompt=x"), ["prompt", "examples", "0", "prompt"]);
    }

    #[test]
    fn missing_tables_are_made_and_the_last_part_is_replaced() {
        assert_eq!(applied("", "update.kl.coef=0.1").unwrap(), "[update.kl]\ncoef = 0.1\n");
        assert_eq!(applied("[rollout]\nn = 8", "rollout.n=2").unwrap(), "[rollout]\nn = 2\n");
    }

    #[test]
    fn verifiers_go_by_name_by_kind_or_by_index_and_other_lists_by_index() {
        let two = "[[verifier]]\nkind = \"math\"\n[[verifier]]\nkind = \"text\"\nname = \"style\"";
        assert!(
            applied(two, "verifier.math.weight=0.5")
                .unwrap()
                .starts_with("[[verifier]]\nkind = \"math\"\nweight")
        );
        assert!(
            applied(two, "verifier.style.weight=0.5").unwrap().ends_with("name = \"style\"\nweight = 0.5\n")
        );
        assert!(applied(two, "verifier.1.weight=0.5").unwrap().ends_with("name = \"style\"\nweight = 0.5\n"));
        let examples = "[[prompt.examples]]\nprompt = \"a\"\nresponse = \"b\"";
        assert!(applied(examples, "prompt.examples.0.response=c").unwrap().ends_with("response = \"c\"\n"));
        assert_eq!(applied("a = [1, 2]", "a.1=3").unwrap(), "a = [1, 3]\n");
    }

    #[test]
    fn what_cannot_be_set_says_why() {
        let wrong = |toml: &str, typed: &str| applied(toml, typed).unwrap_err();
        assert_eq!(
            wrong("", "rollout.n"),
            "error: a --set cannot be read\n  expected: key.path=value, for instance rollout.temperature=0.7\n  found: no `=`\n  \
             where: --set rollout.n\n  next: write the key, `=` and the value, without spaces"
        );
        for typed in ["=1", "a..b=1", "a b=1", "a#b=1", "a\nb=1"] {
            assert!(wrong("", typed).contains("is not a dotted key"), "{typed}");
        }
        assert_eq!(
            wrong("[run]\nname = \"a\"", "run.name.first=b"),
            "error: run.name has no keys of its own\n  expected: a table or a list at run.name\n  found: the string \"a\"\n  \
             where: --set run.name.first=b\n  next: set run.name itself, or correct the path"
        );
        assert_eq!(
            wrong("[[verifier]]\nkind = \"math\"", "verifier.code.weight=1"),
            "error: no [[verifier]] is named `code`\n  expected: the name of one of the recipe's verifiers: math\n  \
             found: `code`\n  where: --set verifier.code.weight=1\n  \
             next: correct the name, or write the [[verifier]] into the recipe"
        );
        assert!(wrong("", "verifier.math.weight=1").contains("the recipe has no [[verifier]]"));
        assert_eq!(
            wrong("a = [1, 2]", "a.2=3"),
            "error: a is a list and has no element `2`\n  expected: an index from 0 to 1\n  found: `2`\n  \
             where: --set a.2=3\n  next: set the whole list, a=[...], or correct the index"
        );
        let twins = "[[verifier]]\nkind = \"math\"\n[[verifier]]\nkind = \"math\"";
        assert!(wrong(twins, "verifier.math.weight=1").contains("2 verifiers are named `math`"));
    }
}
