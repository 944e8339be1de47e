//! `format`: whether a response is written as it is asked for, whatever its answer: a gate or a part for a rubric.
//!
//! # Shapes
//!
//! | `shape` | the response is |
//! | --- | --- |
//! | `think-answer` | `<think>`, thinking, `</think>`, and text after it |
//! | `think-answer-tag` | the same, where the text after it is `<answer>`, text, `</answer>` and nothing else |
//! | `answer-tag` | anything, then `<answer>`, text, `</answer>` at the end |
//! | `boxed` | anything with one `\boxed{...}` (or `\fbox`) whose braces are closed |
//! | `hashes` | lines, of which the last and no other begins with `####`, with text after it |
//!
//! White space around the parts is free, and no part may be empty. Each tag must stand exactly once: a tag that is
//! repeated, nested, never closed or closed before it is opened is not the shape. Tags are as written here, in small
//! letters. The last three shapes look at the text after the end of thinking only (see "Which answer" of [`crate::math`]):
//! tags, boxes and hashes in the thinking count for nothing, and thinking that begins and never ends is not the shape.
//! With `opened = true` the prompt has opened the thinking: a response begins within it and must end it with `</think>`,
//! and a `<think>` of its own is one too many.
//!
//! # Patterns
//!
//! `pattern` is a regular expression of the crate `regex` that must match the whole response. A dot matches line ends
//! too. The time is linear in the response; one above 4 MiB does not match.
//!
//! The score is 1 or 0, and the reason says what is missing.

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::answer::{opened_boxes, outside_thinking};
use crate::budget::Budget;
use crate::verdict::{Kind, Verdict};
use crate::verifier::{Item, Response, Verifier};

/// Bytes of a compiled pattern.
const MOST_PATTERN_BYTES: usize = 10 << 20;
/// Bytes of a response that a pattern is looked for in.
const MOST_MATCHED_BYTES: usize = 4 << 20;

/// How a response is to be written. See the module's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Thinking between tags, then text.
    ThinkAnswer,
    /// Thinking between tags, then the answer between tags.
    ThinkAnswerTag,
    /// The answer between tags at the end.
    AnswerTag,
    /// One closed box.
    Boxed,
    /// The last line and no other begins with `####`.
    Hashes,
}

/// The settings of [`Format`]. Exactly one of `shape` and `pattern` is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FormatSettings {
    /// One of the shapes.
    pub shape: Option<Shape>,
    /// A regular expression for the whole response.
    pub pattern: Option<String>,
    /// Whether the prompt ends with `<think>` already.
    pub opened: bool,
}

/// Judges how a response is written: see the module's documentation.
#[derive(Clone, Debug)]
pub struct Format {
    rule: Rule,
}

#[derive(Clone, Debug)]
enum Rule {
    Shape { shape: Shape, opened: bool },
    Pattern(Regex),
}

impl Verifier for Format {
    const NAME: &'static str = "format";
    const ABOUT: &'static str = "the response is written as asked for: tags, one box, or a pattern";
    const FIRST_FIELD: &'static str = "";
    type Settings = FormatSettings;
    type Reference = IgnoredAny;

    fn new(settings: FormatSettings) -> Result<Self, String> {
        let FormatSettings { shape, pattern, opened } = settings;
        let rule = match (shape, pattern) {
            (Some(shape), None) => Rule::Shape { shape, opened },
            (None, Some(_)) if opened => {
                return Err("`opened` must be together with `shape`: a pattern says all by itself".to_owned());
            }
            (None, Some(pattern)) => Rule::Pattern(compile(&pattern)?),
            (Some(_), Some(_)) => return Err("`shape` must be left out beside `pattern`".to_owned()),
            (None, None) => {
                return Err(
                    "`shape` must be one of `think-answer`, `think-answer-tag`, `answer-tag`, `boxed`, \
                            `hashes`, or `pattern` a regular expression"
                        .to_owned(),
                );
            }
        };
        Ok(Self { rule })
    }

    fn verify(&self, _item: &Item<IgnoredAny>, response: &Response<'_>, _budget: &Budget) -> Verdict {
        match &self.rule {
            Rule::Pattern(_) if response.len() > MOST_MATCHED_BYTES => {
                let found = response.len();
                let reason =
                    format!("{found} bytes are too many to match: at most {MOST_MATCHED_BYTES} are read");
                Verdict::zero(Kind::OverBudget, reason, None)
            }
            Rule::Pattern(pattern) if pattern.is_match(response.text) => {
                Verdict::right("the response matches the pattern", None)
            }
            Rule::Pattern(_) => Verdict::wrong("the response does not match the pattern", None),
            Rule::Shape { shape, opened } => match shape.fault(response.text, *opened) {
                None => Verdict::right("the response is written as asked for", None),
                Some(fault) => Verdict::wrong(fault, None),
            },
        }
    }
}

/// The pattern for a whole response.
fn compile(pattern: &str) -> Result<Regex, String> {
    let build = |pattern: &str| {
        RegexBuilder::new(pattern).dot_matches_new_line(true).size_limit(MOST_PATTERN_BYTES).build()
    };
    // Alone first, so that a bracket too many cannot end the group below.
    let alone = build(pattern);
    // A comment at the end of a pattern in verbose mode ends with its line.
    let whole =
        || build(&format!(r"\A(?:{pattern})\z")).or_else(|_| build(&format!("\\A(?:{pattern}\n)\\z")));
    alone.and_then(|_| whole()).map_err(|error| format!("`pattern` must be a regular expression: {error}"))
}

impl Shape {
    /// What is missing for a response to have this shape.
    fn fault(self, response: &str, opened: bool) -> Option<String> {
        let fault = match self {
            Self::ThinkAnswer => thought(response, opened).map(drop),
            Self::ThinkAnswerTag => thought(response, opened).and_then(|rest| {
                if !rest.trim_start().starts_with(ANSWER.open) && rest.contains(ANSWER.open) {
                    return Err(format!("there is text between {} and {}", THINK.close, ANSWER.open));
                }
                ANSWER.at_the_end(rest)
            }),
            Self::AnswerTag => outside(response, opened).and_then(|text| ANSWER.at_the_end(text)),
            Self::Boxed => outside(response, opened).and_then(one_box),
            Self::Hashes => outside(response, opened).and_then(one_hashed_line),
        };
        fault.err()
    }
}

/// A mark that opens a part of a response, and the one that closes it.
struct Tag {
    open: &'static str,
    close: &'static str,
}

const THINK: Tag = Tag { open: "<think>", close: "</think>" };
const ANSWER: Tag = Tag { open: "<answer>", close: "</answer>" };

impl Tag {
    /// Checks that text between these tags, each exactly once, ends `text`.
    fn at_the_end(&self, text: &str) -> Result<(), String> {
        let Self { open, close } = self;
        once(text, open)?;
        once(text, close)?;
        let (_, from_open) = text.split_once(open).unwrap_or_default();
        let Some((content, after)) = from_open.split_once(close) else {
            return Err(format!("{close} stands before {open}"));
        };
        if content.trim().is_empty() {
            return Err(format!("there is nothing between {open} and {close}"));
        }
        if !after.trim().is_empty() {
            return Err(format!("there is text after {close}"));
        }
        Ok(())
    }
}

/// Checks that a mark is in a text exactly once.
fn once(text: &str, mark: &str) -> Result<(), String> {
    match text.matches(mark).count() {
        0 => Err(format!("there is no {mark}")),
        1 => Ok(()),
        count => Err(format!("{mark} stands {count} times, where once is asked for")),
    }
}

/// Checks the thinking that a response begins with. The result is the text after it, which is not empty.
fn thought(response: &str, opened: bool) -> Result<&str, String> {
    let Tag { open, close } = THINK;
    if opened && response.contains(open) {
        return Err(format!("{open} stands in the response, though the prompt ends with it"));
    }
    let body = if opened { Some(response) } else { response.trim_start().strip_prefix(open) };
    let body = body.ok_or_else(|| format!("the response does not begin with {open}"))?;
    if body.contains(open) {
        let count = 1 + body.matches(open).count();
        return Err(format!("{open} stands {count} times, where once is asked for"));
    }
    once(body, close)?;
    let (thinking, rest) = body.split_once(close).unwrap_or_default();
    if thinking.trim().is_empty() {
        return Err(format!("there is nothing between {open} and {close}"));
    }
    if rest.trim().is_empty() {
        return Err(format!("there is nothing after {close}"));
    }
    Ok(rest)
}

/// The text after the thinking, which may be missing unless the prompt has opened it.
fn outside(response: &str, opened: bool) -> Result<&str, String> {
    let is_open = opened && !response.contains(THINK.close);
    let text = if is_open { None } else { outside_thinking(response) };
    text.ok_or_else(|| "the thinking never ends".to_owned())
}

/// Checks that there is one box, closed and not empty.
fn one_box(text: &str) -> Result<(), String> {
    match opened_boxes(text) {
        (0, _) => Err(r"there is no \boxed{...}".to_owned()),
        (1, None) => Err("the box is never closed".to_owned()),
        (1, Some(content)) if content.trim().is_empty() => Err("the box is empty".to_owned()),
        (1, Some(_)) => Ok(()),
        (count, _) => Err(format!("there are {count} boxes, where one is asked for")),
    }
}

/// Checks that the last line that is not empty begins with `####`, and no other line does.
fn one_hashed_line(text: &str) -> Result<(), String> {
    let after_hashes = |line: &str| {
        let rest = line.trim_start().strip_prefix("####")?;
        (!rest.starts_with('#')).then(|| rest.trim().to_owned())
    };
    let last = text.lines().rfind(|line| !line.trim().is_empty()).and_then(after_hashes);
    let count = text.lines().filter_map(after_hashes).count();
    match last {
        None => Err("the last line does not begin with ####".to_owned()),
        Some(rest) if rest.is_empty() => Err("there is nothing after ####".to_owned()),
        Some(_) if count > 1 => Err(format!("{count} lines begin with ####, where only the last should")),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{RawItem, configure};

    fn judged(settings: &Value, response: &str) -> Verdict {
        let format = configure("format", settings).unwrap();
        let judge = format.bind(RawItem { reference: json!("42"), ..RawItem::default() }).unwrap();
        judge.judge(&response.into(), &Budget::starting_now(Duration::from_secs(60)))
    }

    /// Each response is of the shape, or not for a reason that holds the words given.
    fn check(settings: Value, cases: &[(&str, &str)]) {
        for (response, fault) in cases {
            let verdict = judged(&settings, response);
            let expected = if fault.is_empty() { "right" } else { "wrong" };
            assert_eq!(verdict.kind_name(), expected, "{response:?}: {}", verdict.reason());
            assert!(verdict.reason().contains(fault), "{response:?}: {}", verdict.reason());
        }
    }

    #[test]
    fn thinking_and_then_an_answer() {
        let cases = [
            ("<think>6 * 7</think>42", ""),
            (" \n<think>\n6 * 7\n</think>\n\nThe answer is 42.\n", ""),
            ("<think>It is <b>bold</b>, <thinking>even</thinking>.</think>42", ""),
            ("<think>a < b, </ think></think>42", ""),
            ("42", "does not begin with <think>"),
            ("", "does not begin with <think>"),
            ("Sure. <think>6 * 7</think>42", "does not begin with <think>"),
            ("<Think>6 * 7</Think>42", "does not begin with <think>"),
            ("<think >6 * 7</think>42", "does not begin with <think>"),
            ("6 * 7</think>42", "does not begin with <think>"),
            ("</think><think>42", "does not begin with <think>"),
            ("<think>6 * 7", "there is no </think>"),
            ("<think>6 * 7<think>42", "<think> stands 2 times"),
            ("<think>a</think><think>b</think>42", "<think> stands 2 times"),
            ("<think>a<think>b</think>c</think>42", "<think> stands 2 times"),
            ("<think>a</think>42</think>", "</think> stands 2 times"),
            ("<think>a</think>42 <think>", "<think> stands 2 times"),
            ("<think></think>42", "nothing between <think> and </think>"),
            ("<think> \n </think>42", "nothing between"),
            ("<think>6 * 7</think>", "nothing after </think>"),
            ("<think>6 * 7</think> \n\t", "nothing after </think>"),
        ];
        check(json!({"shape": "think-answer"}), &cases);
        let cases = [
            ("6 * 7</think>42", ""),
            ("<think>6 * 7</think>42", "though the prompt ends with it"),
            ("6 * 7</think>42 <think>", "though the prompt ends with it"),
            ("6 * 7", "there is no </think>"),
            ("</think>42", "nothing between"),
            ("6 * 7</think>", "nothing after"),
            ("a</think>b</think>42", "</think> stands 2 times"),
        ];
        check(json!({"shape": "think-answer", "opened": true}), &cases);
    }

    #[test]
    fn the_answer_between_tags() {
        let cases = [
            ("<think>6 * 7</think><answer>42</answer>", ""),
            ("<think>6 * 7</think>\n<answer> 42 </answer>\n", ""),
            ("<think>Is <answer>41</answer> right?</think><answer>42</answer>", ""),
            ("<think>a</think>So: <answer>42</answer>", "text between </think> and <answer>"),
            ("<think>a</think>42", "there is no <answer>"),
            ("<think>a</think></answer>", "there is no <answer>"),
            ("<think>a</think><answer>42</answer>.", "text after </answer>"),
            ("<answer>42</answer>", "does not begin with <think>"),
            ("<think><answer>42</answer></think>", "nothing after </think>"),
            ("<think><answer>42</think></answer>", "there is no <answer>"),
            ("<think>a<answer>42</answer>", "there is no </think>"),
        ];
        check(json!({"shape": "think-answer-tag"}), &cases);
        let cases = [
            ("<answer>42</answer>", ""),
            ("6 * 7 is\n<answer>\n42\n</answer>\n", ""),
            ("<think><answer>41</answer></think>So <answer>42</answer>", ""),
            ("thought <answer>41</answer> </think> <answer>42</answer>", ""),
            ("[THINK]<answer>41[/THINK]<answer>42</answer>", ""),
            ("42", "there is no <answer>"),
            ("", "there is no <answer>"),
            ("<answer>42", "there is no </answer>"),
            ("42</answer>", "there is no <answer>"),
            ("</answer>42<answer>", "</answer> stands before <answer>"),
            ("<answer>41</answer><answer>42</answer>", "<answer> stands 2 times"),
            ("<answer><answer>42</answer></answer>", "<answer> stands 2 times"),
            ("<answer>42</answer></answer>", "</answer> stands 2 times"),
            ("<answer> </answer>", "nothing between <answer> and </answer>"),
            ("<answer>42</answer> I hope", "text after </answer>"),
            ("<ANSWER>42</ANSWER>", "there is no <answer>"),
            ("<think><answer>42</answer>", "the thinking never ends"),
            ("<answer>42</answer><think>", "the thinking never ends"),
        ];
        check(json!({"shape": "answer-tag"}), &cases);
        let open = json!({"shape": "answer-tag", "opened": true});
        check(open, &[("<answer>42</answer>", "never ends"), ("a</think><answer>42</answer>", "")]);
    }

    #[test]
    fn one_closed_box() {
        let cases = [
            (r"\boxed{42}", ""),
            (r"It is $\boxed{\frac{1}{2}}$, I think.", ""),
            (r"\fbox {42}", ""),
            (r"<think>\boxed{41}</think> \boxed{42}", ""),
            (r"\boxed{\{1, 2\}}", ""),
            (r"\boxed{4\}}", ""),
            ("42", "there is no"),
            (r"\boxed 42", "there is no"),
            (r"\\boxed{42}", "there is no"),
            (r"<think>\boxed{42}</think> 42", "there is no"),
            (r"\boxed{42", "never closed"),
            (r"\boxed{42\}", "never closed"),
            (r"\boxed{ }", "the box is empty"),
            (r"\boxed{41} \boxed{42}", "2 boxes"),
            (r"\boxed{\boxed{42}}", "2 boxes"),
            (r"\boxed{42} \boxed{", "2 boxes"),
            (r"<think>\boxed{42}", "the thinking never ends"),
            (r"\boxed{42} <think> no", "the thinking never ends"),
        ];
        check(json!({"shape": "boxed"}), &cases);
    }

    #[test]
    fn one_line_of_hashes_at_the_end() {
        let cases = [
            ("6 * 7\n#### 42", ""),
            ("####42\n\n", ""),
            ("  #### 42 \r\n", ""),
            ("<think>\n#### 41\n</think>\n#### 42", ""),
            ("##### Step\n#### 42", ""),
            ("42", "does not begin with ####"),
            ("", "does not begin with ####"),
            ("#### 42\nas said", "does not begin with ####"),
            ("so #### 42", "does not begin with ####"),
            ("##### 42", "does not begin with ####"),
            ("####", "nothing after ####"),
            ("#### 41\n#### 42", "2 lines begin with ####"),
            ("<think>\n#### 42", "the thinking never ends"),
        ];
        check(json!({"shape": "hashes"}), &cases);
    }

    #[test]
    fn a_pattern_is_for_the_whole_response() {
        check(
            json!({"pattern": "<a>.*</a>"}),
            &[("<a>1\n2</a>", ""), ("<a>1</a>\n", "not match"), ("", "not match")],
        );
        check(json!({"pattern": "yes|yes, sir"}), &[("yes, sir", ""), ("yes", ""), ("yes sir", "not match")]);
        check(json!({"pattern": ""}), &[("", ""), (" ", "not match")]);
        check(json!({"pattern": "(?x) a b # c"}), &[("ab", ""), ("ab # c", "not match")]);
        check(json!({"pattern": "(?m)^a$\n^b$"}), &[("a\nb", ""), ("a\nb\n", "not match")]);
        let long = judged(&json!({"pattern": ".*"}), &"a".repeat(MOST_MATCHED_BYTES + 1));
        assert_eq!(long.kind_name(), "over-budget");
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused() {
        let cases = [
            (json!({}), "`shape` must be one of `think-answer`, "),
            (json!({"shape": "xml"}), "unknown variant `xml`, expected one of `think-answer`"),
            (json!({"shape": "boxed", "pattern": "a"}), "`shape` must be left out beside `pattern`"),
            (json!({"pattern": "a", "opened": true}), "`opened` must be together with `shape`"),
            (json!({"pattern": "a)(b"}), "`pattern` must be a regular expression"),
            (json!({"pattern": "(a"}), "unclosed group"),
            (json!({"pattern": r"(a)\1"}), "backreferences are not supported"),
            (json!({"pattern": r"\w{1000}{1000}"}), "size limit"),
            (json!({"regex": "a"}), "unknown field `regex`"),
        ];
        for (settings, expected) in cases {
            let error = configure("format", &settings).err().unwrap().to_string();
            assert!(error.contains(expected), "{settings}: {error}");
        }
    }

    const SHAPES: [&str; 5] = ["think-answer", "think-answer-tag", "answer-tag", "boxed", "hashes"];

    proptest! {
        #[test]
        fn any_text_is_of_a_shape_or_not(
            pieces in prop::collection::vec("<think>|</think>|<answer>|</answer>|\\\\boxed\\{|\\{|\\}|\n#### |é| |x|\\\\", 0..12),
            opened: bool,
        ) {
            let text = pieces.concat();
            for shape in SHAPES {
                let verdict = judged(&json!({"shape": shape, "opened": opened}), &text);
                let score = verdict.score().unwrap().get();
                prop_assert!(score == 0.0 || score == 1.0);
                // White space around a response never changes how it is judged.
                let spaced = judged(&json!({"shape": shape, "opened": opened}), &format!(" \n{text}\n "));
                prop_assert_eq!(&spaced, &verdict, "{} {:?}", shape, text);
            }
        }
    }
}
