//! What is said between this program and verifiers outside of it: the request as one JSON object, and the answer, which
//! is read as strictly as the data of a stranger.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::shorten;
use crate::verdict::{CauseKind, Kind, Score, Verdict};
use crate::verifier::Item;

/// Bytes of a reason, an extracted answer or a cause that are kept.
const TEXT_BYTES: usize = 2048;
/// Bytes of what is no answer that a message shows.
const SHOWN_BYTES: usize = 200;

/// Makes ids of requests that nobody can guess, so that a response whose code is run by a verifier cannot answer in the
/// verifier's place without having seen the request. No verdict depends on them.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    secret: RandomState,
    count: AtomicU64,
}

impl Ids {
    pub(crate) fn next(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        format!("{count}-{:016x}", self.secret.hash_one(count))
    }
}

/// The request as JSON in one line without its end, in ASCII, so that no program can read it in the wrong encoding.
pub(crate) fn request(id: &str, item: &Item<Value>, response: &str) -> String {
    let object = json!({
        "id": id,
        "problem": item.problem,
        "reference": item.reference,
        "response": response,
    });
    in_ascii(&object.to_string())
}

/// The same JSON with everything beyond ASCII escaped; such characters stand only within its strings.
fn in_ascii(json: &str) -> String {
    if json.is_ascii() {
        return json.to_owned();
    }
    let mut text = String::with_capacity(json.len() * 2);
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

/// An answer that is one.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    /// The request's id, where the answer has one.
    pub(crate) id: Option<Value>,
    pub(crate) verdict: Verdict,
}

#[derive(Deserialize)]
struct Fields {
    id: Option<Value>,
    score: Option<f64>,
    reason: Option<String>,
    extracted: Option<Value>,
    kind: Option<Kind>,
    undecided: Option<String>,
}

impl Answer {
    /// Reads an answer.
    ///
    /// # Errors
    /// Says what an answer must be and shows what was found, shortened.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let refuse = |problem: String| format!("{problem}; found {}", shown(bytes));
        let fields: Fields = serde_json::from_slice(bytes).map_err(|error| {
            let expected = r#"an answer is an object like {"id": "...", "score": 1.0, "reason": "..."}"#;
            refuse(format!("{expected}: {error}"))
        })?;
        let reason = fields.reason.map(|reason| shorten(&reason, TEXT_BYTES));
        let verdict = match (fields.score, fields.undecided) {
            (Some(score), None) => {
                let score = Score::try_from(score).map_err(refuse)?;
                let kind = kind_of(score, fields.kind).map_err(refuse)?;
                let extracted = match fields.extracted {
                    None | Some(Value::Null) => None,
                    Some(Value::String(text)) => Some(text),
                    Some(other) => Some(other.to_string()),
                };
                let extracted = extracted.map(|text| shorten(&text, TEXT_BYTES));
                let reason = reason.unwrap_or_else(|| "the verifier gave no reason".to_owned());
                Verdict::Judged { score, kind, reason, extracted }
            }
            (None, Some(cause)) => {
                let cause = shorten(&cause, TEXT_BYTES);
                Verdict::undecided(CauseKind::Declined, format!("the verifier cannot decide: {cause}"))
            }
            (Some(_), Some(_)) => {
                return Err(refuse("an answer has a score or is undecided, not both".into()));
            }
            (None, None) => {
                let expected = r#"an answer has "score", a number from 0 to 1, or "undecided", a text"#;
                return Err(refuse(expected.into()));
            }
        };
        Ok(Self { id: fields.id, verdict })
    }
}

/// The kind of a judged verdict: what the answer says if that fits the score, else what the score says.
fn kind_of(score: Score, said: Option<Kind>) -> Result<Kind, String> {
    let by_score = Kind::of(score);
    match said {
        None => Ok(by_score),
        Some(said) if said == by_score => Ok(said),
        Some(said) if score == Score::ZERO && !matches!(said, Kind::Right | Kind::Partial) => Ok(said),
        Some(said) => Err(format!(
            "the kind `{}` does not fit the score {}, whose kind is `{}`",
            said.name(),
            score.get(),
            by_score.name()
        )),
    }
}

/// Bytes as a message shows them: as text, in quotes, shortened.
pub(crate) fn shown(bytes: &[u8]) -> String {
    // A character has at most four bytes, so that what is shown is all there before it is cut.
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_BYTES)]);
    let more = if bytes.len() > SHOWN_BYTES { format!("… ({} bytes)", bytes.len()) } else { String::new() };
    format!("`{}`{more}", start.trim_end().escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(answer: &str) -> Result<Verdict, String> {
        Answer::parse(answer.as_bytes()).map(|answer| answer.verdict)
    }

    #[test]
    fn a_request_is_one_line_of_ascii() {
        let item = Item { id: "p".into(), problem: "é\u{2028}".into(), reference: json!({"a": "𝄞"}) };
        let line = request("7", &item, "a\nb\r\u{0}\u{7f}\u{85}\u{feff}😀");
        assert!(line.is_ascii() && !line.contains(['\n', '\r']), "{line}");
        let back: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(back["response"], "a\nb\r\u{0}\u{7f}\u{85}\u{feff}😀");
        assert_eq!((&back["reference"]["a"], &back["problem"]), (&json!("𝄞"), &json!("é\u{2028}")));
        assert!(line.starts_with(r#"{"id":"7","#), "{line}");
    }

    #[test]
    fn ids_differ_and_hold_a_secret() {
        let (a, b) = (Ids::default(), Ids::default());
        let first = a.next();
        assert!(first.starts_with("0-") && first.len() == 18, "{first}");
        assert_ne!(first, a.next());
        assert_ne!(first, b.next());
    }

    #[test]
    fn answers_are_verdicts() {
        let judged = |score: f64, kind, reason: &str, extracted: Option<&str>| Verdict::Judged {
            score: Score::new(score).unwrap(),
            kind,
            reason: reason.into(),
            extracted: extracted.map(str::to_owned),
        };
        let none = "the verifier gave no reason";
        let cases = [
            (r#"{"id": 1, "score": 1}"#, judged(1.0, Kind::Right, none, None)),
            (r#"{"score": 0.0, "reason": "no"}"#, judged(0.0, Kind::Wrong, "no", None)),
            (r#"{"score": 0.25, "extracted": "x"}"#, judged(0.25, Kind::Partial, none, Some("x"))),
            (r#"{"score": 0, "kind": "no-answer"}"#, judged(0.0, Kind::NoAnswer, none, None)),
            (
                r#"{"score": 1, "extracted": [1, 2], "more": {}}"#,
                judged(1.0, Kind::Right, none, Some("[1,2]")),
            ),
            (r#"{"score": 1, "extracted": null, "reason": null}"#, judged(1.0, Kind::Right, none, None)),
        ];
        for (answer, expected) in cases {
            assert_eq!(verdict(answer).unwrap(), expected, "{answer}");
        }
        let declined = verdict(r#"{"id": 1, "undecided": "no licence"}"#).unwrap();
        assert_eq!(declined.kind_name(), "declined");
        assert_eq!(declined.reason(), "the verifier cannot decide: no licence");
        let long = verdict(&json!({"score": 1, "reason": "x".repeat(1 << 20)}).to_string()).unwrap();
        assert!(long.reason().len() < TEXT_BYTES + 50);
    }

    #[test]
    fn what_is_no_answer_is_shown() {
        let cases = [
            ("loading the model", "expected value at line 1 column 1; found `loading the model`"),
            (r#"{"score": NaN}"#, "expected value"),
            (r#"{"score": 1.5}"#, "from 0 to 1, found 1.5"),
            (r#"{"score": -0.1}"#, "from 0 to 1, found -0.1"),
            (r#"{"score": 1e999}"#, "number out of range"),
            (r#"{"score": true}"#, "invalid type: boolean `true`, expected f64"),
            (r#"{"score": "1"}"#, "invalid type: string"),
            (r#"{"score": 1, "score": 0}"#, "duplicate field `score`"),
            (r#"{"score": null}"#, r#"has "score", a number from 0 to 1, or "undecided", a text"#),
            ("{}", r#"or "undecided", a text; found `{}`"#),
            (r#"{"score": 1, "undecided": "x"}"#, "not both"),
            (r#"{"undecided": true}"#, "invalid type: boolean"),
            (
                r#"{"score": 0.5, "kind": "right"}"#,
                "`right` does not fit the score 0.5, whose kind is `partial`",
            ),
            (r#"{"score": 1, "kind": "wrong"}"#, "`wrong` does not fit"),
            (r#"{"score": 1, "kind": "great"}"#, "unknown variant `great`"),
            ("[1]", "found `[1]`"),
            ("1 2", "invalid type: integer"),
            (r#"{"score": 1} {"score": 1}"#, "trailing characters"),
            ("", "EOF while parsing"),
        ];
        for (answer, expected) in cases {
            let error = verdict(answer).unwrap_err();
            assert!(error.contains(expected), "{answer}: {error}");
        }
        let error = Answer::parse(b"{\"reason\": \"\xff\xfe\", \"score\": 1}").unwrap_err();
        assert!(error.contains("found `{\\\"reason\\\": \\\"\u{fffd}\u{fffd}"), "{error}");
        let error = Answer::parse("é".repeat(1 << 20).as_bytes()).unwrap_err();
        assert!(error.len() < 600 && error.ends_with("… (2097152 bytes)"), "{error}");
        let error = Answer::parse("[".repeat(1 << 20).as_bytes()).unwrap_err();
        assert!(error.contains("expected") || error.contains("recursion"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_a_short_error(bytes in proptest::collection::vec(0_u8.., 0..600)) {
            match Answer::parse(&bytes) {
                Ok(answer) => assert!(answer.verdict.reason().len() <= TEXT_BYTES + 100),
                Err(problem) => assert!(problem.len() < 4000, "{problem}"),
            }
        }

        #[test]
        fn any_text_comes_through(text in ".*") {
            let item = Item { id: String::new(), problem: text.clone(), reference: json!([text]) };
            let line = request("1", &item, &text);
            assert!(line.is_ascii() && !line.contains('\n'));
            let back: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(back, json!({"id": "1", "problem": text, "reference": [text], "response": text}));
        }
    }
}
