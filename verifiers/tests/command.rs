//! The binary `polestar-verify`, driven as people drive it.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_polestar-verify"))
}

fn run(args: &[&str], input: impl Into<Vec<u8>>) -> Output {
    let mut child = binary()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.into();
    // A call that is refused does not read its input.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn records(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn line(id: &str, reference: &str, response: &str) -> String {
    json!({"id": id, "reference": reference, "response": response}).to_string() + "\n"
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn one_line_out_for_each_line_in_in_order() {
    let input: String =
        (0..500).map(|i| line(&i.to_string(), "42", &format!("#### {}", 40 + i % 4))).collect();
    let output = run(&["--verifier", "math", "--jobs", "3"], input);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let records = records(&output);
    assert_eq!(records.len(), 500);
    for (i, record) in records.iter().enumerate() {
        assert_eq!(record["id"], i.to_string());
        assert_eq!(record["score"], if i % 4 == 2 { 1.0 } else { 0.0 });
        assert_eq!(record["extracted"], (40 + i % 4).to_string());
        assert!(record["ms"].as_f64().unwrap() >= 0.0);
    }
    assert_eq!(stderr(&output), "");
    let text = String::from_utf8(output.stdout).unwrap();
    let first = text.lines().next().unwrap();
    let (before, after) = first.split_once(r#""ms":"#).unwrap();
    assert_eq!(
        before,
        r#"{"id":"0","verdict":"judged","score":0.0,"reason":"40 differs from 42","extracted":"40","#
    );
    assert!(after.ends_with(r#","kind":"wrong"}"#), "{first}");
}

#[test]
fn lines_that_cannot_be_read_keep_their_place() {
    let mut input = Vec::new();
    input.extend(line("a", "42", "#### 42").into_bytes());
    input.extend(b"not json\n");
    input.extend(line("b", "1/0", "#### 42").into_bytes());
    input.extend(b"\n");
    input.extend(b"{\"id\": [1, {\"x\": 2}], \"reference\": \"42\", \"response\": \"\xff\"}\n");
    input.extend(b"{\"id\": 7, \"reference\": \"42\"}\n");
    input.extend(b"{\"id\": 8, \"reference\": \"42\", \"response\": 42}\n");
    input.extend(b"[1, 2]\n");
    input.extend(b"{\"reference\": \"42\", \"response\": \"#### 42\", \"more\": 1}");
    let output = run(&["--verifier", "math"], input);
    assert_eq!(output.status.code(), Some(1));
    let records = records(&output);
    let column = |key: &str| records.iter().map(|record| record[key].clone()).collect::<Vec<_>>();
    let null = Value::Null;
    assert_eq!(
        column("id"),
        [
            json!("a"),
            null.clone(),
            json!("b"),
            null.clone(),
            json!([1, {"x": 2}]),
            json!(7),
            json!(8),
            null.clone(),
            null
        ]
    );
    assert_eq!(
        column("kind"),
        [
            "right",
            "bad-input",
            "bad-reference",
            "bad-input",
            "bad-input",
            "bad-input",
            "bad-input",
            "bad-input",
            "right"
        ]
    );
    for record in &records[1..8] {
        assert_eq!((&record["verdict"], &record["score"]), (&json!("undecided"), &Value::Null), "{record}");
        assert!(record["reason"].as_str().unwrap().len() > 10, "{record}");
    }
    assert!(records[2]["reason"].as_str().unwrap().contains("`b`"), "{}", records[2]);
    assert!(records[5]["reason"].as_str().unwrap().contains("missing field `response`"), "{}", records[5]);
    let error = stderr(&output);
    assert!(error.starts_with("error: 7 of 9 lines could not be judged; the first: line 2: "), "{error}");
}

#[test]
fn ids_are_echoed_as_they_are() {
    let ids =
        ["12345678901234567890123", "1.50", "\"a\\u0041\"", "null", "true", "{\"b\": 1, \"a\": [ ]}", "-0"];
    let input: String = ids
        .iter()
        .map(|id| format!("{{\"id\": {id}, \"reference\": \"1\", \"response\": \"#### 1\"}}\n"))
        .collect();
    let output = run(&["--verifier", "math"], input);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    for (line, id) in text.lines().zip(ids) {
        assert!(line.starts_with(&format!("{{\"id\":{id},\"verdict\"")), "{line}");
    }
    assert_eq!((text.lines().count(), output.status.code()), (7, Some(0)));
}

#[test]
fn settings_come_from_file_and_set() {
    let input = line("a", "42", "6 * 7 makes 42");
    assert_eq!(records(&run(&["--verifier", "math"], input.clone()))[0]["kind"], "no-answer");
    let set = run(&["--verifier", "math", "--set", "fallback=last-number"], input.clone());
    assert_eq!(records(&set)[0]["kind"], "right");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("math.toml");
    std::fs::write(&config, "kind = \"math\"\nfallback = \"last-number\"\ntimeout_s = 2.5\njobs = 1\n")
        .unwrap();
    let config = config.to_str().unwrap();
    assert_eq!(records(&run(&["--verifier", "math", "--config", config], input.clone()))[0]["kind"], "right");
    let both = run(&["--verifier", "math", "--config", config, "--set", "fallback=none"], input);
    assert_eq!(records(&both)[0]["kind"], "no-answer");
}

#[test]
fn digits_is_a_verifier_of_its_own() {
    let input = line("a", "711", "<scratch>\n6 2\n</scratch>\n7 1 1") + &line("b", "711", "#### 711");
    let output = run(&["--verifier", "digits"], input);
    let kinds: Vec<Value> = records(&output).iter().map(|record| record["kind"].clone()).collect();
    assert_eq!(kinds, ["right", "no-answer"]);
}

#[test]
fn a_wrong_call_exits_with_2_and_says_what_to_do() {
    let cases: [(&[&str], &str); 7] = [
        (
            &[],
            "say --verifier NAME with one of: math, choice, text, digits, format, length, repetition, rubric, code, lean, process, http",
        ),
        (
            &["--verifier", "coq"],
            "there is no verifier of kind `coq`; the kinds are: math, choice, text, digits, format, length, repetition, rubric, code, lean, process, http",
        ),
        (&["--verifier", "math", "--set", "fallback=first"], "`last-number`"),
        (&["--verifier", "math", "--set", "colour=red"], "unknown field `colour`"),
        (&["--verifier", "math", "--config", "/no/such/file.toml"], "/no/such/file.toml"),
        (&["--verifier", "math", "--timeout-s", "0"], "`timeout_s` must be a number of seconds above 0"),
        (&["--verifer", "math"], "--verifier"),
    ];
    for (args, expected) in cases {
        let output = run(args, line("a", "1", "#### 1"));
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        assert!(error.starts_with("error: ") && error.contains(expected), "{args:?}: {error}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn help_teaches() {
    let output = binary().arg("--help").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).unwrap();
    for part in ["--verifier", "--set", "reference", "Example", "math", "digits", "Exit code"] {
        assert!(help.contains(part), "{part} is missing in\n{help}");
    }
    // The example's input, as a shell's echo would pass it on.
    let example = help.lines().find(|line| line.contains("$ echo")).unwrap();
    let (input, _) = example.split_once('\'').unwrap().1.split_once('\'').unwrap();
    let output = run(&["--verifier", "math"], input);
    assert_eq!(records(&output)[0]["reason"], "42 equals 42", "{input}");
}

/// The arguments for a verifier that is a program of its own, whose references are bound several at once.
fn external() -> [String; 4] {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/puppet.py");
    let command = format!("command={}", json!(["python3", "-S", "-E", program, "plain"]));
    ["--verifier".into(), "process".into(), "--set".into(), command]
}

#[test]
fn an_answer_comes_before_the_next_question() {
    for arguments in [["--verifier", "math"].map(String::from).to_vec(), external().to_vec()] {
        let mut child =
            binary().args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        for answer in ["41", "42"] {
            stdin.write_all(line(answer, "42", &format!("#### {answer}")).as_bytes()).unwrap();
            let mut record = String::new();
            stdout.read_line(&mut record).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&record).unwrap()["id"], answer);
        }
        drop(stdin);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn lines_for_another_program_keep_their_order_and_the_unread_their_place() {
    let mut input = String::new();
    for i in 0..60 {
        input += &match i % 3 {
            0 => line(&i.to_string(), "42", "late 0.01"),
            1 => line(&i.to_string(), "42", "wrong"),
            _ => format!("{{\"id\": \"{i}\", \"response\": 7}}\n"),
        };
    }
    let external = external();
    let mut arguments: Vec<&str> = external.iter().map(String::as_str).collect();
    arguments.extend(["--jobs", "3"]);
    let output = run(&arguments, input);
    assert_eq!(output.status.code(), Some(1));
    let says = stderr(&output);
    assert!(says.contains("20 of 60 lines could not be judged; the first: line 3: "), "{says}");
    for (i, record) in records(&output).iter().enumerate() {
        let score = [json!(1.0), json!(0.0), Value::Null][i % 3].clone();
        assert_eq!((&record["id"], &record["score"]), (&json!(i.to_string()), &score), "{record}");
    }
}

#[test]
fn a_reader_that_goes_away_is_a_quiet_end() {
    let mut child = binary()
        .args(["--verifier", "math"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    let text: String = (0..1000).map(|_| line("a", "1", "#### 1")).collect();
    // Fails once the other side is gone.
    let _ = stdin.write_all(text.as_bytes());
    // The input stays open: the end of the output must be enough.
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    drop(stdin);
}

#[test]
fn a_line_that_is_too_long_is_skipped_and_not_held() {
    let mut child = binary()
        .args(["--verifier", "math"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let block = vec![b'x'; 1 << 20];
        stdin.write_all(b"{\"id\": 1, \"response\": \"").unwrap();
        for _ in 0..70 {
            stdin.write_all(&block).unwrap();
        }
        stdin.write_all(b"\"}\n").unwrap();
        stdin.write_all(line("2", "42", "#### 42").as_bytes()).unwrap();
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let records = records(&output);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(records.len(), 2);
    assert!(
        records[0]["reason"].as_str().unwrap().contains("73400345 bytes; at most 67108864"),
        "{}",
        records[0]
    );
    assert_eq!(records[1]["kind"], "right");
}

#[test]
fn a_recipe_s_verifiers_judge_together() {
    let recipe = "[run]\nname = \"x\"\n\
                  [[verifier]]\nname = \"format\"\nkind = \"format\"\nshape = \"think-answer\"\ngate = true\n\
                  [[verifier]]\nname = \"answer\"\nkind = \"math\"\n\
                  [[verifier]]\nkind = \"length\"\nmax = 100\nbuffer = 20\nweight = 0.25\nsuccess = 0\n";
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("recipe.toml");
    std::fs::write(&config, recipe).unwrap();
    let config = config.to_str().unwrap();
    let request = |response: &str, num_tokens: Value| {
        let object = json!({"reference": "42", "response": response, "num_tokens": num_tokens});
        object.to_string() + "\n"
    };
    let good = "<think>6 * 7</think>#### 42";
    let input = [
        request(good, json!(80)),
        request(good, json!(90)),
        request("<think>6 * 7</think>#### 41", json!(100)),
        request("#### 42", json!(80)),
        request(good, Value::Null),
    ];
    let output = run(&["--verifier", "rubric", "--config", config], input.concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let records = records(&output);
    let brief: Vec<_> = records.iter().map(|it| format!("{} {}", it["score"], it["kind"])).collect();
    let expected =
        ["1.0 \"right\"", "0.9 \"right\"", "0.0 \"partial\"", "0.0 \"wrong\"", "null \"declined\""];
    assert_eq!(brief, expected);
    let reason = records[1]["reason"].as_str().unwrap();
    assert_eq!(reason, "answer: 42 equals 42; length: long: 90 tokens, over 80 of at most 100");
    let checked = run(&["--verifier", "rubric", "--config", config, "--check"], input[0].as_str());
    let table = String::from_utf8(checked.stdout.clone()).unwrap();
    assert_eq!(checked.status.code(), Some(0), "{table}");
}
