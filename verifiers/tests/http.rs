//! Servers as verifiers: the example, and servers that refuse, stall, lie, flood and come back.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{job, judge, kinds, path, python, supervisor};
use polestar_verifiers::{Configured, Outcome, configure};
use serde_json::{Value, json};

const LONG_MS: u64 = 20_000;

fn http(url: &str, more: Value) -> Box<dyn Configured> {
    let mut settings = json!({"url": url});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    configure("http", &settings).unwrap()
}

/// A server that gives its answers in turn, the last one for ever, and writes down what it was asked.
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Each answer is what is sent as it is. `ID` stands for the request's id; one that ends with `STALL` is followed by
    /// nothing, with the connection left open.
    fn new(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/judge", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (all, count) = (Arc::clone(&requests), Arc::clone(&connections));
        let answers = Arc::new(answers);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                let (all, answers) = (Arc::clone(&all), Arc::clone(&answers));
                std::thread::spawn(move || serve(stream.unwrap(), &all, &answers));
            }
        });
        Self { url, requests, connections }
    }

    fn num_requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

/// Answers requests of one connection until either side closes it.
fn serve(stream: TcpStream, requests: &Mutex<Vec<String>>, answers: &[String]) -> Option<()> {
    let mut source = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if source.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length: ").map(|length| length.parse().unwrap())
        });
        let mut body = vec![0; length.unwrap_or(0)];
        source.read_exact(&mut body).ok()?;
        let body = String::from_utf8(body).unwrap();
        let count = {
            let mut requests = requests.lock().unwrap();
            requests.push(format!("{head}{body}"));
            requests.len()
        };
        let id = serde_json::from_str::<Value>(&body).map_or(Value::Null, |body| body["id"].clone());
        let answer = answers[(count - 1).min(answers.len() - 1)].replace("ID", &id.to_string());
        let (answer, stalls) = match answer.strip_suffix("STALL") {
            Some(start) => (start.to_owned(), true),
            None => (answer, false),
        };
        stream.write_all(answer.as_bytes()).ok()?;
        if stalls {
            std::thread::sleep(Duration::from_secs(60));
        }
        if answer.contains("Connection: close") || answer.is_empty() {
            return None;
        }
    }
}

/// A whole answer; the id has as many letters as what stands for it where it is counted.
fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n{body}")
}

fn right() -> String {
    answer("200 OK", "", r#"{"id": ID, "score": 1, "reason": "fine", "extracted": "42"}"#)
}

/// What a server with these answers comes to, and how many requests it got.
fn with(answers: Vec<String>, more: Value, timeout_ms: u64) -> (Outcome, usize) {
    let server = Server::new(answers);
    let verifier = http(&server.url, more);
    let outcome = judge(&*verifier, timeout_ms, &["so it is 42"]).remove(0);
    (outcome, server.num_requests())
}

#[track_caller]
fn assert_verdict(outcome: &Outcome, kind: &str, reason: &str) {
    assert_eq!(outcome.verdict.kind_name(), kind, "{}", outcome.verdict.reason());
    assert!(outcome.verdict.reason().contains(reason), "{reason} is not in: {}", outcome.verdict.reason());
}

struct Example(Child);

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_example_judges() {
    let server = path("verifiers/examples/http/server.py");
    let mut server = Command::new(python()).arg(server).stdout(Stdio::piped()).spawn().map(Example).unwrap();
    let mut url = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let verifier = http(url.trim(), json!({}));
    verifier.ready().unwrap();
    let jobs = (0..40).map(|i| job(&*verifier, json!("é42"), &format!("so\né{}", 40 + i % 4))).collect();
    let outcomes = supervisor(4, LONG_MS).judge_all(jobs, None);
    for (i, outcome) in outcomes.iter().enumerate() {
        assert_verdict(outcome, if i % 4 == 2 { "right" } else { "wrong" }, "é42");
    }
}

#[test]
fn a_request_is_a_post_of_one_object() {
    let server = Server::new(vec![right()]);
    let home = std::env::var("HOME").unwrap();
    let verifier = http(&server.url, json!({"headers": {"X-Key": "env:HOME", "X-More": "1"}}));
    assert_verdict(&judge(&*verifier, LONG_MS, &["é"])[0], "right", "fine");
    let request = server.requests.lock().unwrap()[0].clone();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("post /judge http/1.1\r\n"), "{head}");
    let key = format!("x-key: {}", home.to_ascii_lowercase());
    for line in ["content-type: application/json", "x-more: 1", key.as_str()] {
        assert!(head.lines().any(|found| found == line), "{line} is not in {head}");
    }
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        (&body["response"], &body["reference"], &body["problem"]),
        (&json!("é"), &json!("42"), &json!("What?"))
    );
    // Equal requests are asked once.
    judge(&*verifier, LONG_MS, &["é", "é", "e"]);
    assert_eq!(server.num_requests(), 2);
}

#[test]
fn connections_are_kept() {
    let body = r#"{"score": 1}"#;
    let kept = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let server = Server::new(vec![kept]);
    let verifier = http(&server.url, json!({}));
    let responses: Vec<String> = (0..10).map(|i| i.to_string()).collect();
    let outcomes = judge(&*verifier, LONG_MS, &responses.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(kinds(&outcomes), ["right"; 10]);
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn faults_that_may_pass_are_tried_again() {
    for fault in [
        answer("503 Service Unavailable", "", "busy"),
        answer("500 Internal Server Error", "", ""),
        answer("429 Too Many Requests", "Retry-After: 0\r\n", ""),
        answer("429 Too Many Requests", "Retry-After: next week\r\n", ""),
        answer("408 Request Timeout", "", ""),
        // The connection is closed.
        String::new(),
        answer("200 OK", "Content-Length: 1000\r\n", r#"{"score": 1"#),
    ] {
        let (outcome, num_requests) = with(vec![fault.clone(), fault.clone(), right()], json!({}), LONG_MS);
        assert_verdict(&outcome, "right", "fine");
        assert_eq!(num_requests, 3, "{fault}");
        let (outcome, num_requests) = with(vec![fault.clone()], json!({"retries": 1}), LONG_MS);
        assert_verdict(&outcome, "unreachable", "given up after 2 tries");
        assert_eq!(num_requests, 2, "{fault}");
    }
    let (outcome, _) =
        with(vec![answer("503 Service Unavailable", "", "busy now")], json!({"retries": 0}), LONG_MS);
    assert_verdict(&outcome, "unreachable", "answered 503 Service Unavailable: `busy now`");
}

#[test]
fn a_server_is_given_the_time_that_it_asks_for_within_the_limit() {
    let wait = answer("429 Too Many Requests", "Retry-After: 1\r\n", "");
    let (outcome, _) = with(vec![wait, right()], json!({}), LONG_MS);
    assert_verdict(&outcome, "right", "fine");
    assert!(outcome.run_s >= 1.0, "{outcome:?}");
    let too_long = answer("503 Service Unavailable", "Retry-After: 99999999999\r\n", "");
    let (outcome, num_requests) = with(vec![too_long], json!({}), 2000);
    assert_verdict(&outcome, "unreachable", "the next is due in 99999999999.0 s");
    assert!(num_requests == 1 && outcome.run_s < 1.0, "{outcome:?}");
}

#[test]
fn a_refusal_is_final() {
    for status in ["400 Bad Request", "401 Unauthorized", "404 Not Found", "422 Unprocessable", "302 Found"] {
        let refusal = answer(status, "Location: /elsewhere\r\n", "no such thing");
        let (outcome, num_requests) = with(vec![refusal, right()], json!({}), LONG_MS);
        assert_verdict(&outcome, "declined", status.split(' ').next().unwrap());
        assert_eq!(num_requests, 1, "{status}");
    }
    let said = answer("200 OK", "", r#"{"id": ID, "undecided": "no licence"}"#);
    let (outcome, num_requests) = with(vec![said, right()], json!({}), LONG_MS);
    assert_verdict(&outcome, "declined", "no licence");
    assert_eq!(num_requests, 1);
}

#[test]
fn a_server_that_stalls_is_left_at_the_deadline() {
    let start = r#"{"score": 1"#;
    for stall in ["STALL".to_owned(), "HTTP/1.1 200STALL".to_owned(), answer("200 OK", "", start) + "STALL"] {
        let (outcome, _) = with(vec![stall.clone()], json!({}), 600);
        assert_verdict(&outcome, "timeout", "no whole answer in 0.6");
        assert!(outcome.run_s < 0.9, "{stall}: {outcome:?}");
    }
}

#[test]
fn what_is_no_answer_is_rubbish() {
    let cases = [
        (answer("200 OK", "", "<html>"), "found `<html>`"),
        (answer("200 OK", "", ""), "EOF"),
        (answer("200 OK", "", r#"{"score": 2}"#), "from 0 to 1, found 2"),
        (answer("200 OK", "", r#"{"id": "other", "score": 1}"#), "its id is \"other\""),
        (answer("200 OK", "", r#"{"score": 1}{"score": 1}"#), "trailing"),
        (answer("200 OK", "", &"x".repeat(3 << 20)), "more than 1024 KiB"),
        ("SSH-2.0-OpenSSH_9.6\r\nConnection: close\r\n\r\n".to_owned(), "does not speak HTTP"),
    ];
    for (rubbish, reason) in cases {
        let (outcome, num_requests) = with(vec![rubbish, right()], json!({}), LONG_MS);
        assert_verdict(&outcome, "rubbish", reason);
        assert_eq!(num_requests, 1);
    }
    let (outcome, _) = with(vec![answer("200 OK", "", r#"{"score": 0.5}"#)], json!({}), LONG_MS);
    assert_verdict(&outcome, "partial", "no reason");
}

#[test]
fn a_server_that_is_not_there_is_found_before_any_work() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let verifier = http(&format!("http://{free}/"), json!({"retries": 2}));
    let error = verifier.ready().unwrap_err().to_string();
    assert!(error.contains("nothing answers at") && error.contains("start the server"), "{error}");
    let start = Instant::now();
    let outcome = judge(&*verifier, LONG_MS, &["42"]).remove(0);
    assert_verdict(&outcome, "unreachable", "given up after 3 tries");
    assert!(start.elapsed() < Duration::from_secs(5));
    // A server that knows no HEAD is there.
    let server = Server::new(vec![answer("501 Not Implemented", "", "")]);
    http(&server.url, json!({})).ready().unwrap();
}
