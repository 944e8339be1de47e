//! `code` as a user meets it: what is told before any work, what each kind of bad input comes to, other languages, shares
//! of tests, and that nothing is left behind. What programs may not do is in `code_corpus`.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use polestar_verifiers::{Budget, Configured, Judge, RawItem, Verdict, configure};
use serde_json::{Value, json};

fn code(settings: &Value) -> Box<dyn Configured> {
    configure("code", settings).unwrap()
}

fn bind(verifier: &dyn Configured, reference: &Value) -> Result<Arc<dyn Judge>, String> {
    let item = RawItem { id: "p1".into(), reference: reference.clone(), ..RawItem::default() };
    verifier.bind(item).map_err(|error| error.to_string())
}

fn judge(verifier: &dyn Configured, reference: &Value, response: &str) -> Verdict {
    let budget = Budget::starting_now(Duration::from_secs(60));
    bind(verifier, reference).unwrap().judge(&response.into(), &budget)
}

fn adds() -> Value {
    json!({"tests": ["assert add(1, 2) == 3", "assert add(2, 2) == 4"]})
}

/// A file that can be run, with this text.
fn program(folder: &Path, text: &str) -> String {
    let path = folder.join("python3");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[test]
fn a_python_that_cannot_be_used_is_an_error_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let old = r#"{"version": [3, 8, 1], "executable": "/usr/bin/python3", "folders": [], "missing": []}"#;
    let poor = r#"{"version": [3, 12, 1], "executable": "/x", "folders": [], "missing": ["ctypes"]}"#;
    let cases = [
        ("/nonexistent/python3".to_owned(), "No such file"),
        (
            program(folder.path(), &format!("#!/bin/sh\necho '{old}'\n")),
            "it is version 3.8.1, and 3.9 or later",
        ),
    ];
    for (python, expected) in cases {
        let error = code(&json!({"python": python})).ready().unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("correct `python`"), "{error}");
    }
    let python = program(folder.path(), &format!("#!/bin/sh\necho '{poor}'\n"));
    let error = code(&json!({"python": python})).ready().unwrap_err().to_string();
    assert!(error.contains("its standard library lacks ctypes"), "{error}");
    let python = program(folder.path(), "#!/bin/sh\necho broken >&2\nexit 3\n");
    let error = code(&json!({"python": python})).ready().unwrap_err().to_string();
    assert!(error.contains("it is no Python 3") && error.contains("it said: broken"), "{error}");
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let cases = [
        (json!({"time_s": 0}), "`time_s` must be above 0"),
        (json!({"memory_mb": 1}), "`memory_mb` must be at least 64"),
        (json!({"isolation": "chroot"}), "unknown variant `chroot`"),
        (
            json!({"language": "cobol"}),
            "there is no language \"cobol\"; the languages are: python, cpp, rust",
        ),
        (json!({"readable": ["here"]}), "`readable` must be absolute"),
        (json!({"uses": 0}), "`uses` must be at least 1"),
        (json!({"timeout": 3}), "unknown field `timeout`"),
    ];
    for (settings, expected) in cases {
        let error = configure("code", &settings).err().unwrap().to_string();
        assert!(error.contains(expected), "{settings}: {error}");
    }
}

#[test]
fn tests_that_cannot_be_run_are_errors_at_load() {
    let verifier = code(&Value::Null);
    let cases = [
        (json!({"tests": ["import no_such_module\nassert f()"]}), "no_such_module"),
        (json!({"tests": ["assert f( == 1"]}), "f( == 1"),
        (json!({"tests": ["f()"]}), "assert"),
        (json!({"test": "def chek(candidate): pass", "entry_point": "f"}), "check"),
        (
            json!({"cases": [{"stdin": "1", "stdout": "2"}], "language": "cobol"}),
            "there is no language \"cobol\"",
        ),
        (json!("assert f() == 1"), "it must be an object with tests"),
    ];
    for (reference, expected) in cases {
        let error = bind(&*verifier, &reference).err().unwrap();
        assert!(error.contains("`p1`") && error.contains(expected), "{reference}: {error}");
    }
}

#[test]
fn what_is_no_program_is_judged_and_not_run() {
    let verifier = code(&Value::Null);
    let started = Instant::now();
    for (response, kind) in [
        (String::new(), "no-answer"),
        (" \n\t\n".to_owned(), "no-answer"),
        ("```python\n```".to_owned(), "no-answer"),
        ("x = 1\n".repeat(8 << 20), "refused"),
        ("\u{0}\u{1}\u{2}\u{fffd}".repeat(500), "refused"),
    ] {
        let verdict = judge(&*verifier, &adds(), &response);
        assert_eq!(verdict.kind_name(), kind, "{} bytes: {verdict:?}", response.len());
    }
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn the_share_of_tests_counts_where_asked_for() {
    let half = "def add(a, b):\n    return 3";
    let verdict = judge(&*code(&Value::Null), &adds(), half);
    assert_eq!((verdict.kind_name(), verdict.score().unwrap().get()), ("wrong", 0.0));
    assert_eq!(verdict.reason(), "`assert add(2, 2) == 4`: got 3, expected 4");
    let partial = code(&json!({"partial": true}));
    let verdict = judge(&*partial, &adds(), half);
    assert_eq!((verdict.kind_name(), verdict.score().unwrap().get()), ("partial", 0.5));
    assert!(verdict.reason().starts_with("1 of 2 tests passed; `assert add(2, 2) == 4`"), "{verdict:?}");
    // Who leaves after the first test has not passed the others.
    let leaves = "import os\ndef add(a, b):\n    if a == 2:\n        os._exit(0)\n    return a + b";
    let verdict = judge(&*partial, &adds(), leaves);
    assert_eq!(verdict.score().unwrap().get(), 0.5, "{verdict:?}");
    let cases = json!({"cases": [{"stdin": "1", "stdout": "1"}, {"stdin": "2", "stdout": "3"}]});
    let verdict = judge(&*partial, &cases, "print(input())");
    assert_eq!((verdict.kind_name(), verdict.score().unwrap().get()), ("partial", 0.5));
    assert!(verdict.reason().contains("case 2 of 2"), "{verdict:?}");
}

#[test]
fn programs_in_other_languages_are_compiled_and_run() {
    let cases = json!([{"stdin": "1 2\n", "stdout": "3\n"}, {"stdin": "20 22\n", "stdout": "42\n"}]);
    let cpp =
        "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b << '\\n'; }";
    let rust = "fn main() {\n    let text = std::io::read_to_string(std::io::stdin()).unwrap();\n    \
                println!(\"{}\", text.split_whitespace().map(|it| it.parse::<i64>().unwrap()).sum::<i64>());\n}";
    for (language, compiler, sum) in [("cpp", "g++", cpp), ("rust", "rustc", rust)] {
        if Command::new(compiler).arg("--version").output().is_err() {
            println!("SKIPPED: programs_in_other_languages_are_compiled_and_run: there is no {compiler}");
            continue;
        }
        let verifier = code(&json!({"time_s": 20}));
        let reference = json!({"language": language, "cases": cases});
        let verdict = judge(&*verifier, &reference, &format!("```{language}\n{sum}\n```"));
        assert_eq!(verdict.kind_name(), "right", "{language}: {verdict:?}");
        let verdict =
            judge(&*verifier, &reference, &sum.replace("a + b", "a - b").replace("sum::", "product::"));
        assert_eq!(verdict.kind_name(), "wrong", "{language}: {verdict:?}");
        assert!(verdict.reason().starts_with("case 1 of 2: "), "{language}: {verdict:?}");
        let verdict = judge(&*verifier, &reference, &sum.replace("main", "mian"));
        assert_eq!(verdict.kind_name(), "crash", "{language}: {verdict:?}");
        assert!(verdict.reason().contains("does not compile"), "{language}: {verdict:?}");
    }
}

#[test]
fn a_language_of_the_settings_is_run_by_its_command() {
    let shell =
        json!({"language": "shell", "languages": {"shell": {"source": "main.sh", "run": ["sh", "main.sh"]}}});
    let verifier = code(&shell);
    let reference = json!({"cases": [{"stdin": "a\nb\n", "stdout": "2\n"}]});
    let verdict = judge(&*verifier, &reference, "```sh\nwc -l\n```");
    assert_eq!(verdict.kind_name(), "right", "{verdict:?}");
    let verdict = judge(&*verifier, &reference, "```sh\necho 2; exit 3\n```");
    assert_eq!(verdict.kind_name(), "crash", "{verdict:?}");
    assert!(verdict.reason().contains("exit code 3"), "{verdict:?}");
}

#[test]
fn an_output_without_end_is_refused_and_not_waited_for() {
    let cases = json!({"cases": [{"stdin": "", "stdout": "x"}], "limits": {"output_kb": 64}});
    let started = Instant::now();
    let verdict = judge(&*code(&json!({"time_s": 50})), &cases, "while True:\n    print('x' * 1000)");
    assert_eq!(verdict.kind_name(), "refused", "{verdict:?}");
    assert!(verdict.reason().contains("more than 64 KiB"), "{verdict:?}");
    assert!(started.elapsed() < Duration::from_secs(40));
}

#[test]
fn limits_of_a_reference_hold_in_place_of_the_settings() {
    let verifier = code(&json!({"time_s": 50}));
    let mut reference = adds();
    reference["limits"] = json!({"timeout_s": 0.5});
    let started = Instant::now();
    let verdict = judge(&*verifier, &reference, "def add(a, b):\n    while True:\n        pass");
    assert_eq!(verdict.kind_name(), "timeout", "{verdict:?}");
    assert!(verdict.reason().contains("during `assert add(1, 2) == 3`"), "{verdict:?}");
    assert!(started.elapsed() < Duration::from_secs(40));
    reference["limits"] = json!({"memory_mb": 80});
    let verdict =
        judge(&*verifier, &reference, "def add(a, b):\n    return len(bytes(700 << 20)) * 0 + a + b");
    assert_eq!(verdict.kind_name(), "memory", "{verdict:?}");
    reference["limits"] = json!({"memory_mb": 2000});
    let verdict =
        judge(&*verifier, &reference, "def add(a, b):\n    return len(bytes(1400 << 20)) * 0 + a + b");
    assert_eq!(verdict.kind_name(), "right", "{verdict:?}");
}

#[test]
fn what_is_to_be_readable_is_wherever_it_lies() {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let (shown, other) = (folder.path().join("shown"), folder.path().join("other"));
    for place in [&shown, &other] {
        std::fs::create_dir(place).unwrap();
        std::fs::write(place.join("file"), "found").unwrap();
    }
    let program = format!(
        "import os\nprint(open({0:?} + '/file').read(), os.path.exists({1:?}))\ntry:\n    open({0:?} + '/new', 'w')\n\
         except OSError:\n    print('refused')",
        shown.display().to_string(),
        other.display().to_string()
    );
    let verifier = code(&json!({"readable": [shown]}));
    let reference = json!({"cases": [{"stdin": "", "stdout": "found False\nrefused"}]});
    let verdict = judge(&*verifier, &reference, &program);
    assert_eq!(verdict.kind_name(), "right", "{verdict:?}");
    assert!(!shown.join("new").exists());
}

#[test]
fn the_level_of_isolation_is_told_where_it_is_not_the_best() {
    for level in ["landlock", "none"] {
        let verifier = code(&json!({"isolation": level, "python": "/usr/bin/python3"}));
        if let Err(error) = verifier.ready() {
            println!("SKIPPED: the_level_of_isolation_is_told_where_it_is_not_the_best: {error}");
            continue;
        }
        let verdict = judge(&*verifier, &adds(), "def add(a, b):\n    return a + b");
        assert_eq!(verdict.kind_name(), "right", "{verdict:?}");
        assert!(verdict.reason().ends_with(&format!("(isolation: {level})")), "{verdict:?}");
    }
}

#[test]
fn nothing_is_left_when_the_verifier_is_gone() {
    let verifier = code(&Value::Null);
    let verdict = judge(&*verifier, &adds(), "def add(a, b):\n    return a + b");
    assert_eq!(verdict.kind_name(), "right", "{verdict:?}");
    assert!(!children().is_empty());
    drop(verifier);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !children().is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(children(), Vec::<u32>::new());
}

/// The processes that this one has started and that are there.
fn children() -> Vec<u32> {
    let own = std::process::id().to_string();
    let parent = |stat: &str| stat.rsplit(')').next()?.split_whitespace().nth(1).map(str::to_owned);
    let numbers =
        std::fs::read_dir("/proc").unwrap().flatten().filter_map(|it| it.file_name().to_str()?.parse().ok());
    let is_own = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        parent(&stat).as_deref() == Some(&own)
    };
    numbers.filter(is_own).collect()
}
