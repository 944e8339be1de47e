//! The client against a server that answers as a Kimina Lean Server does, and against what else may answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::*;
use crate::lock::lock;

const HEADER: &str = "import Mathlib\nimport Aesop\n";

/// What was asked: the path, the key, the body.
type Asked = Arc<Mutex<Vec<(String, Option<String>, Value)>>>;

/// A server that gives its answers in turn, the last one for ever: statuses and bodies, in which `ID` stands for the id of
/// the snippet. An empty body is never sent.
fn serve(answers: &'static [(&'static str, &'static str)]) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Asked::default();
    let all = Arc::clone(&asked);
    // Ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let all = Arc::clone(&all);
            std::thread::spawn(move || answer(stream.unwrap(), answers, &all));
        }
    });
    (url, asked)
}

fn answer(mut stream: TcpStream, answers: &[(&str, &str)], asked: &Asked) -> Option<()> {
    let mut source = BufReader::new(stream.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if source.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let value = |name: &str| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name))?;
        Some(line[name.len()..].trim().to_owned())
    };
    let mut body = vec![0; value("content-length:").map_or(0, |length| length.parse().unwrap())];
    source.read_exact(&mut body).ok()?;
    let (status, text) = if head.starts_with("HEAD") {
        ("200 OK", "{}".to_owned())
    } else {
        let body: Value = serde_json::from_slice(&body).unwrap();
        let id = [&body["snippets"][0]["id"], &body["codes"][0]["custom_id"]].map(Value::as_str);
        let id = id.into_iter().flatten().next().unwrap().to_owned();
        let path = head.split(' ').nth(1)?.to_owned();
        let mut asked = lock(asked);
        asked.push((path, value("authorization:"), body));
        let (status, text) = answers[(asked.len() - 1).min(answers.len() - 1)];
        (status, text.replace("ID", &id))
    };
    if text.is_empty() {
        std::thread::sleep(Duration::from_secs(60));
    }
    let length = text.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}").ok()
}

fn config(url: &str) -> KiminaConfig {
    KiminaConfig {
        url: url.to_owned(),
        key: None,
        retries: 2,
        max_output_kb: 64,
        time: Duration::from_millis(2500),
    }
}

fn ask(answers: &'static [(&'static str, &'static str)]) -> (Result<Screened, Fault>, usize) {
    let (url, asked) = serve(answers);
    let kimina = Kimina::new(config(&url)).unwrap();
    let found =
        kimina.screen(HEADER, "theorem a : True := x\n", &Budget::starting_now(Duration::from_secs(20)));
    let count = lock(&asked).len();
    (found, count)
}

#[track_caller]
fn assert_undecided(
    answers: &'static [(&'static str, &'static str)],
    kind: CauseKind,
    reason: &str,
    num_asked: usize,
) {
    let (found, count) = ask(answers);
    let Err(Fault::Undecided { kind: found, message, .. }) = found else { panic!("{found:?}") };
    assert_eq!((found, count), (kind, num_asked), "{message}");
    assert!(message.contains(reason), "{reason} is not in: {message}");
}

#[test]
fn a_proof_is_a_snippet_and_its_messages_have_places_in_the_body() {
    let (url, asked) = serve(&[(
        "200 OK",
        r#"{"results": [{"id": "ID", "time": 0.5, "response": {"env": 1, "messages": [
            {"severity": "error", "pos": {"line": 3, "column": 20}, "endPos": null, "data": "unknown identifier 'x'"},
            {"severity": "warning", "pos": {"line": 4, "column": 0}, "endPos": null, "data": "declaration uses `sorry`"},
            {"severity": "info", "pos": {"line": 1, "column": 0}, "endPos": null, "data": "old"}]}}]}"#,
    )]);
    let kimina =
        Kimina::new(KiminaConfig { key: Some("secret-key".to_owned()), ..config(&(url + "/")) }).unwrap();
    let body = "theorem a : True := x\ntheorem b : 1 = 2 := by sorry";
    let screened = kimina.screen(HEADER, body, &Budget::starting_now(Duration::from_secs(20))).unwrap();
    let places: Vec<_> = screened.messages.iter().map(|message| (message.line, message.column)).collect();
    assert_eq!(places, [(1, 20), (2, 0), (1, 0)]);
    assert_eq!(screened.error().unwrap().text, "unknown identifier 'x'");
    assert_eq!((screened.num_sorries, screened.is_fresh), (1, false));
    let (path, key, request) = lock(&asked).remove(0);
    assert_eq!((path.as_str(), key.as_deref()), ("/api/check", Some("Bearer secret-key")));
    assert_eq!(request["snippets"][0]["code"], format!("{HEADER}{body}"));
    assert_eq!(request["snippets"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&request["timeout"], &request["reuse"], &request["debug"]),
        (&json!(3), &json!(true), &json!(false))
    );
}

#[test]
fn a_sorry_is_seen_in_any_words_and_in_the_list() {
    for (answer, num_sorries) in [
        (r#"{"results": [{"id": "ID", "time": 1, "response": {"env": 0}}]}"#, 0),
        (
            r#"{"results": [{"id": "ID", "time": 1, "response": {"env": 0, "sorries": [{"goal": "⊢ P", "proofState": 0}]}}]}"#,
            1,
        ),
        (
            r#"{"results": [{"id": "ID", "response": {"env": 0, "messages": [{"severity": "warning",
                "pos": {"line": 3, "column": 8}, "data": "declaration uses 'sorry'"}]}}]}"#,
            1,
        ),
    ] {
        let answers = Box::leak(Box::new([("200 OK", answer)]));
        let screened = ask(answers).0.unwrap();
        assert_eq!((screened.num_sorries, screened.error()), (num_sorries, None));
    }
}

#[test]
fn an_old_server_is_asked_as_it_knows_it() {
    let (url, asked) = serve(&[
        ("404 Not Found", "{\"detail\": \"Not Found\"}"),
        (
            "200 OK",
            r#"{"results": [{"custom_id": "ID", "error": null, "response": {"env": 0, "time": 0.1}}]}"#,
        ),
    ]);
    let kimina = Kimina::new(config(&url)).unwrap();
    let budget = Budget::starting_now(Duration::from_secs(20));
    assert_eq!(kimina.screen(HEADER, "body", &budget), Ok(Screened::default()));
    // It need not be asked twice which it is.
    assert_eq!(kimina.screen("import A", "body", &budget), Ok(Screened::default()));
    let asked = lock(&asked);
    let paths: Vec<_> = asked.iter().map(|(path, ..)| path.as_str()).collect();
    assert_eq!(paths, ["/api/check", "/verify", "/verify"]);
    let request = &asked[2].2;
    assert_eq!(request["codes"][0]["proof"], "import A\nbody");
    assert_eq!(request["timeout"], 3);
}

#[test]
fn only_the_time_of_the_proof_is_the_proofs() {
    let (found, _) = ask(&[(
        "200 OK",
        r#"{"results": [{"id": "ID", "time": 3, "error": "Lean REPL command timed out in 3 seconds"}]}"#,
    )]);
    let Err(Fault::Judged { kind: Kind::Timeout, reason }) = found else { panic!("{found:?}") };
    assert_eq!(reason, "Lean REPL command timed out in 3 seconds");
    let header = r#"{"results": [{"id": "ID", "error": "Lean REPL header command timed out in 3 seconds"}]}"#;
    let header = Box::leak(Box::new([("200 OK", header)]));
    assert_undecided(
        header,
        CauseKind::Timeout,
        "header command timed out in 3 seconds; given up after 3 tries",
        3,
    );
    let crash =
        ("200 OK", r#"{"results": [{"id": "ID", "error": "REPL closed; it said: command timed out"}]}"#);
    let twice: &[_; 2] =
        Box::leak(Box::new([crash, ("200 OK", r#"{"results": [{"id": "ID", "response": {"env": 0}}]}"#)]));
    assert_eq!(ask(twice), (Ok(Screened::default()), 2));
    assert_undecided(&twice[..1], CauseKind::Crash, "failed: REPL closed", 3);
    let lean =
        ("200 OK", r#"{"results": [{"id": "ID", "response": {"message": "Lean error:\nbad import"}}]}"#);
    let lean = Box::leak(Box::new([lean]));
    assert_eq!(ask(lean).0.unwrap().error().unwrap().text, "bad import");
}

#[test]
fn faults_that_may_pass_are_tried_again() {
    let right = ("200 OK", r#"{"results": [{"id": "ID", "response": {"env": 0}}]}"#);
    let answers: &[_; 3] = Box::leak(Box::new([
        ("500 Internal Server Error", "{}"),
        ("429 Too Many Requests", "no REPL free"),
        right,
    ]));
    assert_eq!(ask(answers), (Ok(Screened::default()), 3));
    assert_undecided(
        &answers[..1],
        CauseKind::Unreachable,
        "answered 500 Internal Server Error: `{}`; given up after 3",
        3,
    );
    assert_undecided(&answers[1..2], CauseKind::Unreachable, "no REPL free", 3);
    assert_undecided(
        &[("401 Unauthorized", "Invalid API key")],
        CauseKind::Declined,
        "401 Unauthorized: `Invalid API key`",
        1,
    );
    assert_undecided(&[("422 Unprocessable Entity", "{}")], CauseKind::Declined, "422", 1);
    assert_undecided(&[("404 Not Found", "{}")], CauseKind::Declined, "/verify answered 404", 2);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let kimina = Kimina::new(config(&format!("http://{closed}"))).unwrap();
    let found = kimina.screen("", "", &Budget::starting_now(Duration::from_secs(20)));
    assert!(matches!(found, Err(Fault::Undecided { kind: CauseKind::Unreachable, .. })), "{found:?}");
    assert!(kimina.ready().unwrap_err().contains("nothing answers at"));
}

#[test]
fn a_server_that_stalls_is_given_up() {
    let (url, _) = serve(&[("200 OK", "")]);
    let kimina = Kimina::new(config(&url)).unwrap();
    let before = Instant::now();
    let found = kimina.screen("", "", &Budget::starting_now(Duration::from_millis(400)));
    assert!(matches!(found, Err(Fault::Undecided { kind: CauseKind::Timeout, .. })), "{found:?}");
    assert!(before.elapsed() < Duration::from_secs(5));
}

#[test]
fn what_is_no_answer_is_told() {
    for (answer, reason) in [
        ("hello", "expected value at line 1 column 1, found `hello`"),
        ("{}", "missing field `results`"),
        (r#"{"results": []}"#, "it must have 1 result, found 0"),
        (
            r#"{"results": [{"id": "ID", "response": {"env": 0}}, {"id": "ID", "response": {"env": 0}}]}"#,
            "found 2",
        ),
        (
            r#"{"results": [{"id": "other", "response": {"env": 0}}]}"#,
            "its id is \"other\", that of the request",
        ),
        (r#"{"results": [{"id": 3, "response": {"env": 0}}]}"#, "its id is 3"),
        (r#"{"results": [{"response": {"env": 0}}]}"#, "missing field `id`"),
        (r#"{"results": [{"id": "ID"}]}"#, "found neither"),
        (r#"{"results": [{"id": "ID", "error": "x", "response": {"env": 0}}]}"#, "found both"),
        (r#"{"results": [{"id": "ID", "response": {}}]}"#, "missing field `env`"),
        (r#"{"results": [{"id": "ID", "response": [0]}]}"#, "must be an object"),
        (
            r#"{"results": [{"id": "ID", "response": {"message": "Unknown environment."}}]}"#,
            "does not understand",
        ),
    ] {
        let answers = Box::leak(Box::new([("200 OK", answer)]));
        assert_undecided(answers, CauseKind::Rubbish, reason, 1);
    }
    let long = "x".repeat(65 << 10).leak();
    let answers = Box::leak(Box::new([("200 OK", &*long)]));
    assert_undecided(answers, CauseKind::Rubbish, "sent more than 64 KiB, the most that is read", 1);
}

#[test]
fn a_server_is_ready_that_proves_what_is_true() {
    let right = ("200 OK", r#"{"results": [{"id": "ID", "response": {"env": 0}}]}"#);
    let (url, _) = serve(Box::leak(Box::new([right])));
    assert_eq!(Kimina::new(config(&url)).unwrap().ready(), Ok(()));
    let wrong = r#"{"results": [{"id": "ID", "response": {"env": 0, "messages": [{"severity": "error",
        "pos": {"line": 1, "column": 0}, "data": "unknown identifier"}]}}]}"#;
    let (url, _) = serve(Box::leak(Box::new([("200 OK", wrong)])));
    let problem = Kimina::new(config(&url)).unwrap().ready().unwrap_err();
    assert!(problem.contains("does not prove `True`: line 1, column 0: unknown identifier"), "{problem}");
    let (url, _) = serve(&[("401 Unauthorized", "Invalid API key")]);
    assert!(Kimina::new(config(&url)).unwrap().ready().unwrap_err().contains("Invalid API key"));
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let good = config("http://localhost:8000");
    let key = |key: &str| KiminaConfig { key: Some(key.to_owned()), ..good.clone() };
    for (config, expected) in [
        (config(""), "`url` must be as http://localhost:8000, found none"),
        (config("https://localhost"), "TLS is not built in"),
        (KiminaConfig { max_output_kb: 0, ..good.clone() }, "`max_output_kb` must be at least 1"),
        (key(""), "`api_key` must be printable"),
        (key("secret\nkey"), "`api_key` must be printable"),
        (key("env:POLESTAR_NO_SUCH"), "`POLESTAR_NO_SUCH`, which is not set"),
    ] {
        let error = Kimina::new(config).unwrap_err();
        assert!(error.contains(expected) && !error.contains("secret"), "{error}");
    }
}
