//! What `generate` writes: one line a sample, aligned, ended as asked, and drawn from coordinates alone.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use polestar_tests::command::run;
use polestar_tests::files::{golden_model, read_jsonl, write_jsonl};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn generate(&self, model: &str, rows: &[Value], more: &[&str]) -> Vec<Value> {
        let (input, out) = (self.path("in.jsonl"), self.path("out.jsonl"));
        write_jsonl(&input, rows.iter().cloned());
        let model = golden_model(model);
        let [model, input, out] = [&model, &input, &out].map(|path| path.to_str().unwrap());
        let call = ["generate", "--model", model, "--prompts", input, "--out", out, "--threads", "1"];
        run(call.iter().chain(more)).succeeded();
        read_jsonl(Path::new(out))
    }
}

fn prompt(i: usize) -> Value {
    json!({"id": format!("p{i}"), "prompt": format!("What is {i} and {}?", i * i)})
}

/// Lines by id and index, without what may differ.
fn by_sample(lines: &[Value]) -> HashMap<(String, u64), Value> {
    let key = |line: &Value| (line["id"].to_string(), line["index"].as_u64().unwrap());
    lines.iter().map(|line| (key(line), json!([line["token_ids"], line["text"], line["finish"]]))).collect()
}

#[test]
fn a_line_a_sample_in_order_and_aligned() {
    let bench = Bench::new();
    let rows = [prompt(1), json!({"prompt": "no id"}), json!({"id": 7, "prompt_ids": [5, 6, 7]})];
    let lines = bench.generate("llama-tied", &rows, &["--n", "5", "--max-new-tokens", "30", "--slots", "4"]);
    let keys: Vec<_> =
        lines.iter().map(|line| (line["id"].clone(), line["index"].as_u64().unwrap())).collect();
    let expected =
        [json!("p1"), json!(2), json!(7)].into_iter().flat_map(|id| (0..5).map(move |i| (id.clone(), i)));
    assert_eq!(keys, expected.collect::<Vec<_>>());
    let mut finishes = HashMap::new();
    for line in &lines {
        let object = line.as_object().unwrap();
        let names: Vec<&String> = object.keys().collect();
        assert_eq!(names, ["id", "index", "text", "token_ids", "logprobs", "finish"]);
        let ids: Vec<u64> = serde_json::from_value(line["token_ids"].clone()).unwrap();
        let logprobs: Vec<f64> = serde_json::from_value(line["logprobs"].clone()).unwrap();
        assert_eq!(ids.len(), logprobs.len());
        assert!(logprobs.iter().all(|lp| *lp <= 0.0), "{logprobs:?}");
        let finish = line["finish"].as_str().unwrap();
        *finishes.entry(finish.to_owned()).or_insert(0) += 1;
        // generation_config.json: 2 and 0 end a response, and are among its ids but not in its text.
        let ended = ids.last().is_some_and(|id| [0, 2].contains(id));
        assert_eq!(finish, if ended { "stop" } else { "length" });
        assert_eq!(ids.len() == 30, !ended || ids.len() == 30);
        assert!(!line["text"].as_str().unwrap().ends_with("<|im_end|>"), "{line}");
    }
    assert!(finishes.len() == 2, "expected both ends among the samples: {finishes:?}");
}

#[test]
fn a_sample_depends_on_its_coordinates_alone() {
    let bench = Bench::new();
    let more = ["--n", "3", "--max-new-tokens", "24", "--seed", "11", "--temperature", "0.8"];
    let rows: Vec<Value> = (0..9).map(prompt).collect();
    let all = by_sample(&bench.generate("qwen2", &rows, &[&more[..], &["--slots", "27"]].concat()));
    // The same lines in another file, other company, other order, other slots.
    let few = [
        prompt(7),
        json!({"id": "stranger", "prompt": "A much longer text than all the others are"}),
        prompt(2),
    ];
    for slots in ["1", "4"] {
        let again = by_sample(&bench.generate("qwen2", &few, &[&more[..], &["--slots", slots]].concat()));
        for i in [2, 7] {
            for index in 0..3 {
                let key = (format!("\"p{i}\""), index);
                assert_eq!(again[&key], all[&key], "{key:?}, {slots} slots");
            }
        }
    }
    let changed = more.map(|word| if word == "11" { "12" } else { word });
    let other = by_sample(&bench.generate("qwen2", &few, &changed));
    assert_ne!(other[&("\"p2\"".to_owned(), 0)], all[&("\"p2\"".to_owned(), 0)]);
}

#[test]
fn a_setting_is_the_option_of_its_name() {
    let bench = Bench::new();
    let options = ["--n", "2", "--max-new-tokens", "6", "--temperature", "0.7"];
    let sets = ["--set", "n=2", "--set", "rollout.max_new_tokens=6", "--set", "temperature=0.7"];
    assert_eq!(bench.generate("qwen3", &[prompt(3)], &options), bench.generate("qwen3", &[prompt(3)], &sets));
}

#[test]
fn fewer_samples_are_the_first_of_more() {
    let bench = Bench::new();
    let five = by_sample(&bench.generate("qwen3", &[prompt(3)], &["--n", "5", "--max-new-tokens", "12"]));
    let two = by_sample(&bench.generate("qwen3", &[prompt(3)], &["--n", "2", "--max-new-tokens", "12"]));
    assert_eq!(two.len(), 2);
    for (key, line) in two {
        assert_eq!(five[&key], line);
    }
    assert_ne!(five[&("\"p3\"".to_owned(), 0)], five[&("\"p3\"".to_owned(), 1)]);
}

#[test]
fn a_stop_text_ends_a_response_with_the_token_that_completes_it() {
    let bench = Bench::new();
    let rows: Vec<Value> = (0..6).map(prompt).collect();
    let more = ["--n", "4", "--max-new-tokens", "40", "--slots", "5", "--ignore-eos"];
    let free = bench.generate("llama-tied", &rows, &more);
    let stopped =
        bench.generate("llama-tied", &rows, &[&more[..], &["--stop", "X", "--stop", "66"]].concat());
    let mut cut = 0;
    for (free, stopped) in free.iter().zip(&stopped) {
        let [whole, part] = [free, stopped].map(|line| line["token_ids"].as_array().unwrap());
        assert_eq!(part[..], whole[..part.len()], "what comes before the stop text is the same response");
        let text = stopped["text"].as_str().unwrap();
        if stopped["finish"] == "stop" {
            cut += 1;
            assert!(text.contains('X') || text.contains("66"), "{stopped}");
        } else {
            assert_eq!(part.len(), 40);
            assert!(!text.contains('X') && !text.contains("66"), "{stopped}");
        }
    }
    assert!(cut > 0, "no response held a stop text");
}

#[test]
fn chat_wraps_a_text_and_takes_messages() {
    let bench = Bench::new();
    let more = ["--temperature", "0", "--max-new-tokens", "8"];
    let rendered = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
    let plain = bench.generate("llama-tied", &[json!({"id": 1, "prompt": rendered})], &more);
    let rows =
        [json!({"id": 1, "prompt": "Hi"}), json!({"id": 1, "prompt": [{"role": "user", "content": "Hi"}]})];
    let chat = bench.generate("llama-tied", &rows, &[&more[..], &["--chat"]].concat());
    for line in &chat {
        assert_eq!(line["token_ids"], plain[0]["token_ids"]);
    }
}

#[test]
fn bad_prompts_are_named_by_their_line() {
    let bench = Bench::new();
    let model = golden_model("llama-tied");
    let (input, out) = (bench.path("in.jsonl"), bench.path("out.jsonl"));
    let [model, input, out] = [&model, &input, &out].map(|path| path.to_str().unwrap());
    for (bad, needle) in [
        ("{\"prompt\": [{\"role\": \"user\", \"content\": \"x\"}]}", "--chat"),
        ("{\"text\": \"x\"}", "`prompt`"),
        ("{\"prompt_ids\": [-1]}", "prompt_ids"),
        ("{\"prompt\": \"x\"", "not JSON"),
        ("17", "expected a JSON object"),
    ] {
        std::fs::write(input, format!("{{\"prompt\": \"good\"}}\n\n{bad}\n")).unwrap();
        run(["generate", "--model", model, "--prompts", input, "--out", out])
            .failed(2, &["in.jsonl:3:", needle]);
    }
    for (bad, needle) in [
        ("--temperature=-1", "--temperature"),
        ("--top-p=0", "--top-p"),
        ("--n=0", "--n"),
        ("--set=top_p=0", "--top-p"),
        ("--set=rollout.temprature=1", "temprature"),
        ("--set=prompts=3", "prompts"),
    ] {
        run(["generate", "--model", model, "--prompts", input, "--out", out, bad]).failed(2, &[needle]);
    }
    assert!(!Path::new(out).exists());
}

#[test]
fn prompts_that_do_not_fit_are_refused() {
    let bench = Bench::new();
    let model = golden_model("llama-tied");
    let (input, out) = (bench.path("in.jsonl"), bench.path("out.jsonl"));
    let [model, input, out] = [&model, &input, &out].map(|path| path.to_str().unwrap());
    for (ids, needles) in [
        (vec![7; 256], ["256 tokens", "context is 256"]),
        (vec![280], ["token id 280", "vocabulary of 280"]),
        (vec![], ["no tokens", "at least one"]),
    ] {
        write_jsonl(Path::new(input), [json!({"prompt_ids": [7]}), json!({"prompt_ids": ids})]);
        let done = run(["generate", "--model", model, "--prompts", input, "--out", out]);
        done.failed(2, &[&["in.jsonl:2: "], &needles[..]].concat());
    }
    // One token less leaves room for one new token.
    write_jsonl(Path::new(input), [json!({"prompt_ids": vec![7; 255]})]);
    run(["generate", "--model", model, "--prompts", input, "--out", out, "--ignore-eos"]).succeeded();
    assert_eq!(read_jsonl(Path::new(out))[0]["token_ids"].as_array().unwrap().len(), 1);
}
