//! Loading from files, folders, a cache and generators, and every way in which a source can be refused.

use std::fs;

use serde_json::{Value, json};

use super::*;

/// A folder with these files in it.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn source(path: &Path) -> SourceConfig {
    SourceConfig::new(path.to_str().unwrap())
}

fn load_text(text: &str, change: impl FnOnce(&mut SourceConfig)) -> Result<Dataset, String> {
    let folder = folder(&[("a.jsonl", text)]);
    let mut config = source(&folder.path().join("a.jsonl"));
    change(&mut config);
    let shorten = |error: DataError| error.to_string().replace(&format!("{}/", folder.path().display()), "");
    Dataset::load(&config, "train").map_err(shorten)
}

const THREE: &str = "{\"prompt\":\"a\",\"answer\":\"1\"}\n{\"prompt\":\"b\",\"answer\":\"2\"}\n{\"prompt\":\"c\",\"answer\":\"3\"}\n";

#[test]
fn a_file_is_loaded_in_its_order_with_ids_from_file_and_line() {
    let dataset = load_text(THREE, |_| ()).unwrap();
    let ids: Vec<&str> = dataset.problems.iter().map(|problem| problem.id.as_str()).collect();
    assert_eq!(ids, ["a:1", "a:2", "a:3"]);
    assert_eq!(dataset.problems[1].origin.line, 2);
    assert_eq!(dataset.layout, "prompt from `prompt`, reference from `answer`");
    assert_eq!((dataset.bad_lines.len(), dataset.files.len()), (0, 1));
}

#[test]
fn a_bad_line_is_an_error_with_its_place_and_the_number_of_others() {
    let text = format!("{THREE}{{\"prompt\": \n[]\n{{\"prompt\":\"d\"}}\n");
    let message = load_text(&text, |_| ()).unwrap_err();
    let expected = "a.jsonl:4: expected one JSON object, found EOF while parsing a value at column 10: `{\"prompt\":`; \
                    2 more lines are bad";
    assert_eq!(message, expected);
}

#[test]
fn bad_lines_are_left_out_only_where_allowed_and_then_counted() {
    let text = format!("oops\n{THREE}{{\"prompt\":\"d\"}}\n");
    let dataset = load_text(&text, |config| config.max_bad_lines = 2).unwrap();
    assert_eq!((dataset.problems.len(), dataset.bad_lines.len()), (3, 2));
    let message = load_text(&text, |config| config.max_bad_lines = 1).unwrap_err();
    assert!(message.starts_with("a.jsonl:1: ") && message.ends_with("1 more line is bad"), "{message}");
}

#[test]
fn an_empty_file_is_an_error() {
    for text in ["", "\n \n"] {
        let message = load_text(text, |_| ()).unwrap_err();
        let expected = "a.jsonl: no problems: expected at least one JSON object, one a line, found nothing but empty \
                        lines in a.jsonl";
        assert_eq!(message, expected);
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let message = Dataset::load(&SourceConfig::new("no/such.jsonl"), "train").unwrap_err().to_string();
    assert!(message.starts_with("cannot read no/such.jsonl: No such file"), "{message}");
}

#[test]
fn two_problems_with_one_id_are_an_error() {
    let text = "{\"id\":\"x\",\"prompt\":\"a\"}\n{\"prompt\":\"b\"}\n{\"id\":\"x\",\"prompt\":\"c\"}\n";
    let message = load_text(text, |_| ()).unwrap_err();
    assert!(message.starts_with("a.jsonl:3: the id \"x\" is already that of a.jsonl:1; "), "{message}");
    let dataset = load_text(text, |config| config.columns.id = Some(String::new())).unwrap();
    assert_eq!(dataset.problems[2].id, "a:3");
}

#[test]
fn the_limit_takes_the_first_and_reads_no_further() {
    let dataset = load_text(&format!("{THREE}oops\n"), |config| config.limit = Some(3)).unwrap();
    assert_eq!(dataset.problems.len(), 3);
    assert_eq!(
        load_text(THREE, |config| config.limit = Some(0)).unwrap_err(),
        "limit: expected at least 1, found 0"
    );
}

#[test]
fn settings_that_would_do_nothing_are_refused() {
    let refused = |change: fn(&mut SourceConfig)| load_text(THREE, change).unwrap_err();
    assert!(refused(|config| config.n = Some(2)).contains("n: only generators have it"));
    assert!(refused(|config| config.seed = Some(2)).contains("seed: only generators have it"));
    assert!(
        refused(|config| config.split = Some("test".into())).contains("split: a single file has no splits")
    );
    assert!(
        refused(|config| drop(config.options.insert("digits".into(), json!(2)))).contains("options: only")
    );
    let config = SourceConfig { answer_regex: Some("(.)".into()), ..SourceConfig::new("builtin:arithmetic") };
    let message = Dataset::load(&config, "train").unwrap_err().to_string();
    assert_eq!(message, "answer_regex: generated problems need none");
}

#[test]
fn a_folder_is_read_by_split() {
    let row = |prompt: &str| format!("{{\"prompt\":\"{prompt}\"}}\n");
    let folder =
        folder(&[("train.jsonl", &row("a")), ("test/x.jsonl", &row("b")), ("test/y.jsonl", &row("c"))]);
    let train = Dataset::load(&source(folder.path()), "train").unwrap();
    assert_eq!(train.problems[0].id, "train:1");
    let eval = Dataset::load(&source(folder.path()), "eval").unwrap();
    let ids: Vec<&str> = eval.problems.iter().map(|problem| problem.id.as_str()).collect();
    assert_eq!(ids, ["test/x:1", "test/y:1"]);
    assert!(eval.name.ends_with("/eval"));
}

#[test]
fn a_hub_source_is_read_from_the_cache() {
    let root = "datasets--openai--gsm8k";
    let row = "{\"question\":\"How many?\",\"answer\":\"So.\\n#### 5\"}\n";
    let cache = folder(&[
        (&format!("{root}/refs/main"), "abc"),
        (&format!("{root}/snapshots/abc/main/test.jsonl"), row),
        (&format!("{root}/snapshots/abc/socratic/test.jsonl"), row),
    ]);
    let load = |source: &str| Dataset::load_with_cache(&SourceConfig::new(source), "eval", cache.path());
    let dataset = load("hf:openai/gsm8k:main/test").unwrap();
    assert_eq!(dataset.problems[0].reference, "5");
    assert_eq!(
        (dataset.name.as_str(), dataset.problems[0].id.as_str()),
        ("hf:openai/gsm8k:main/test", "main/test:1")
    );
    assert_eq!(load("hf:openai/gsm8k:main").unwrap().name, "hf:openai/gsm8k:main/eval");
    assert!(load("hf:openai/gsm8k").unwrap_err().to_string().contains("several subsets (main, socratic)"));
    assert!(
        load("hf:openai/gsm8k:main/train").unwrap_err().to_string().contains("no files of split \"train\"")
    );
    let config =
        SourceConfig { split: Some("train".into()), ..SourceConfig::new("hf:openai/gsm8k:main/test") };
    let message = Dataset::load_with_cache(&config, "eval", cache.path()).unwrap_err().to_string();
    assert_eq!(message, "split: \"train\", but the source says \"test\"");
}

#[test]
fn a_cache_that_holds_only_parquet_says_so() {
    let root = "datasets--openai--gsm8k";
    let cache = folder(&[
        (&format!("{root}/refs/main"), "abc"),
        (&format!("{root}/snapshots/abc/main/train-00000-of-00001.parquet"), "PAR1"),
    ]);
    let config = SourceConfig::new("hf:openai/gsm8k:main");
    let message = Dataset::load_with_cache(&config, "train", cache.path()).unwrap_err().to_string();
    let expected = "hf:openai/gsm8k:main: only Parquet is there (main/train-00000-of-00001.parquet), which is not read yet";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn generated_problems_are_read_back_as_they_were_written() {
    for name in ["arithmetic", "word-problems"] {
        let made = Dataset::load(
            &SourceConfig { n: Some(40), ..SourceConfig::new(format!("builtin:{name}")) },
            "train",
        );
        let made = made.unwrap();
        let lines: String =
            made.problems.iter().map(|problem| serde_json::to_string(problem).unwrap() + "\n").collect();
        let read = load_text(&lines, |_| ()).unwrap();
        assert_eq!(read.problems.len(), 40);
        for (made, read) in made.problems.iter().zip(read.problems) {
            assert_eq!(*made, Problem { origin: made.origin.clone(), ..read });
        }
    }
}

#[test]
fn the_fingerprint_sees_every_problem() {
    let one = load_text(THREE, |_| ()).unwrap();
    let other = load_text(&THREE.replace('3', "4"), |_| ()).unwrap();
    assert_eq!(one.fingerprint(), load_text(THREE, |_| ()).unwrap().fingerprint());
    assert_ne!(one.fingerprint(), other.fingerprint());
}

/// GSM8K as published, where this machine has it.
#[test]
fn gsm8k_as_published_is_read_without_conversion() {
    let shared = std::env::var_os("POLESTAR_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"));
    let gsm8k = shared.join("gsm8k");
    if !gsm8k.is_dir() {
        println!(
            "SKIPPED: no GSM8K at {}; set POLESTAR_SHARED to the folder that holds gsm8k/",
            gsm8k.display()
        );
        return;
    }
    let train = Dataset::load(&source(&gsm8k), "train").unwrap();
    let eval = Dataset::load(&source(&gsm8k), "eval").unwrap();
    assert_eq!(train.problems.len(), 7473);
    for problem in train.problems.iter().chain(&eval.problems) {
        let Value::String(answer) = &problem.reference else {
            panic!("{}: {}", problem.origin, problem.reference)
        };
        let digits = answer.replace([',', '-', '.'], "");
        assert!(
            digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty(),
            "{}: {answer}",
            problem.origin
        );
        let response = problem.response.as_deref().unwrap();
        assert!(response.ends_with(&format!("#### {answer}")), "{}", problem.origin);
    }
    println!("{}", crate::overlap(&train, &eval));
}
