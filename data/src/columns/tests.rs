//! Each recognised shape once, each way to map columns once, and each way in which a row can be wrong.

use serde_json::json;

use super::*;

fn row(columns: Value) -> Row {
    let Value::Object(columns) = columns else { panic!("a row is an object") };
    Row { file: "d/a.jsonl".into(), stem: "a".into(), line: 3, columns }
}

fn read_with(config: &SourceConfig, columns: Value) -> Result<Problem, String> {
    let row = row(columns);
    let mapping = Mapping::resolve(config, &[&row]).map_err(|error| error.to_string())?;
    mapping.problem(row).map_err(|bad| bad.to_string())
}

fn read(columns: Value) -> Result<Problem, String> {
    read_with(&SourceConfig::new("d/a.jsonl"), columns)
}

fn mapped(columns: Columns) -> SourceConfig {
    SourceConfig { columns, ..SourceConfig::new("d/a.jsonl") }
}

fn text(text: &str) -> ProblemPrompt {
    ProblemPrompt::Text(text.into())
}

fn turns(turns: &[(&str, &str)]) -> ProblemPrompt {
    let turn = |(role, content): &(&str, &str)| Message { role: (*role).into(), content: (*content).into() };
    ProblemPrompt::Messages(turns.iter().map(turn).collect())
}

#[test]
fn gsm8k_needs_no_conversion() {
    let solution = "He has 3 + 69 = <<3+69=72>>72.\n#### 72";
    let problem = read(json!({"question": "How many?", "answer": solution})).unwrap();
    assert_eq!(problem.prompt, text("How many?"));
    assert_eq!(problem.reference, "72");
    assert_eq!(problem.response.as_deref(), Some(solution));
    assert_eq!(problem.id, "a:3");
    assert!(problem.fields.is_empty());
}

#[test]
fn trl_prompt_only_keeps_every_other_column_as_a_field() {
    let problem = read(json!({"prompt": "2+2?", "solution": "4", "level": 1})).unwrap();
    assert_eq!((problem.prompt, problem.reference, problem.response), (text("2+2?"), json!("4"), None));
    assert_eq!(Value::Object(problem.fields), json!({"level": 1}));
}

#[test]
fn trl_prompt_and_completion_as_text_and_as_messages() {
    let plain = read(json!({"prompt": "The sky is", "completion": " blue."})).unwrap();
    assert_eq!((plain.response.as_deref(), &plain.reference), (Some(" blue."), &Value::Null));
    let chat = read(json!({
        "prompt": [{"role": "user", "content": "Colour?"}],
        "completion": [{"role": "assistant", "content": "Blue.", "tool_calls": null}],
    }))
    .unwrap();
    assert_eq!(chat.prompt, turns(&[("user", "Colour?")]));
    assert_eq!(chat.response.as_deref(), Some("Blue."));
}

#[test]
fn trl_messages_are_split_before_the_last_answer() {
    let said = json!([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]);
    let problem = read(json!({"messages": said})).unwrap();
    assert_eq!((problem.prompt, problem.response.as_deref()), (turns(&[("user", "Hi")]), Some("Hello")));
}

#[test]
fn verl_reads_the_ground_truth_and_keeps_the_rest() {
    let problem = read(json!({
        "data_source": "openai/gsm8k",
        "prompt": [{"role": "user", "content": "How many?"}],
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": "72"},
        "extra_info": {"index": 0, "answer": "long"},
    }))
    .unwrap();
    assert_eq!((problem.prompt, problem.reference), (turns(&[("user", "How many?")]), json!("72")));
    let kept: Vec<&str> = problem.fields.keys().map(String::as_str).collect();
    assert_eq!(kept, ["data_source", "ability", "reward_model", "extra_info"]);
}

#[test]
fn our_own_shape_goes_before_other_columns_of_similar_meaning() {
    let problem =
        read(json!({"id": 7, "prompt": "2+2?", "reference": {"answer": "4"}, "answer": "four"})).unwrap();
    assert_eq!((problem.id.as_str(), problem.reference), ("7", json!({"answer": "4"})));
    assert_eq!(Value::Object(problem.fields), json!({"answer": "four"}));
}

#[test]
fn a_worked_solution_beside_an_answer_is_the_response() {
    let problem = read(json!({"problem": "2+2?", "solution": "It is \\boxed{4}.", "answer": "4"})).unwrap();
    assert_eq!((problem.reference, problem.response.as_deref()), (json!("4"), Some("It is \\boxed{4}.")));
}

#[test]
fn columns_are_mapped_through_objects_and_lists() {
    let config = mapped(Columns {
        prompt: Some("question.stem".into()),
        reference: Some("question.choices.1.label".into()),
        ..Columns::default()
    });
    let question = json!({"stem": "Which?", "choices": [{"label": "A"}, {"label": "B"}]});
    let problem = read_with(&config, json!({"question": question})).unwrap();
    assert_eq!((problem.prompt, problem.reference), (text("Which?"), json!("B")));
    assert!(problem.fields.contains_key("question"), "nested columns stay whole");
}

#[test]
fn several_columns_make_an_object_reference() {
    let reference = Some("name, statement = formal_statement".into());
    let config = mapped(Columns { prompt: Some("text".into()), reference, ..Columns::default() });
    let problem =
        read_with(&config, json!({"text": "Prove.", "name": "t", "formal_statement": "1 = 1"})).unwrap();
    assert_eq!(problem.reference, json!({"name": "t", "statement": "1 = 1"}));
}

#[test]
fn a_part_of_an_object_reference_may_be_empty_but_not_all_of_them() {
    let reference = Some("tests=test_list, setup=test_setup_code".into());
    let config = mapped(Columns { prompt: Some("text".into()), reference, ..Columns::default() });
    let row =
        |tests, setup: &str| json!({"text": "Square it.", "test_list": tests, "test_setup_code": setup});
    let problem = read_with(&config, row(json!(["assert f(2) == 4"]), "")).unwrap();
    assert_eq!(problem.reference, json!({"tests": ["assert f(2) == 4"], "setup": ""}));
    assert_eq!(problem.fields["test_list"], json!(["assert f(2) == 4"]), "templates can show the tests");
    let message = read_with(&config, row(json!(" "), "")).unwrap_err();
    let expected = "d/a.jsonl:3: expected a reference answer in the columns test_list, test_setup_code, \
                    found empty text in each";
    assert_eq!(message, expected);
    let message = read_with(&config, row(Value::Null, "")).unwrap_err();
    assert!(message.ends_with("in column `test_list`, found null"), "{message}");
}

#[test]
fn the_prompt_column_can_be_a_part_of_the_reference() {
    let config = mapped(Columns {
        prompt: Some("prompt".into()),
        reference: Some("prompt, entry_point, test".into()),
        id: Some("task_id".into()),
        ..Columns::default()
    });
    let row = json!({
        "task_id": "HumanEval/0",
        "prompt": "def f(x):\n",
        "entry_point": "f",
        "canonical_solution": "    return x\n",
        "test": "def check(candidate):\n    assert candidate(1) == 1\n",
    });
    let problem = read_with(&config, row.clone()).unwrap();
    assert_eq!((problem.id.as_str(), problem.prompt), ("HumanEval/0", text("def f(x):\n")));
    let expected = json!({"prompt": row["prompt"], "entry_point": "f", "test": row["test"]});
    assert_eq!(problem.reference, expected);
}

#[test]
fn the_answer_regex_takes_its_group_and_leaves_the_text_as_the_response() {
    let config = SourceConfig { answer_regex: Some(r"answer is (-?\d+)".into()), ..SourceConfig::new("a") };
    let problem = read_with(&config, json!({"question": "?", "answer": "So the answer is -5."})).unwrap();
    assert_eq!((problem.reference, problem.response.as_deref()), (json!("-5"), Some("So the answer is -5.")));
}

#[test]
fn a_regex_that_cannot_work_is_refused_at_once() {
    for (regex, part) in [("(", "regex parse error"), ("#### .+", "capture group")] {
        let config = SourceConfig { answer_regex: Some(regex.into()), ..SourceConfig::new("a") };
        let message = read_with(&config, json!({"prompt": "?", "answer": "1"})).unwrap_err();
        assert!(message.starts_with("answer_regex: ") && message.contains(part), "{message}");
    }
    let config = SourceConfig { answer_regex: Some("(.)".into()), ..SourceConfig::new("a") };
    let message = read_with(&config, json!({"prompt": "?"})).unwrap_err();
    assert!(message.contains("columns.reference"), "{message}");
}

#[test]
fn a_column_that_is_not_there_is_named_with_those_that_are() {
    let message = read(json!({"text": "?", "gold": "1"})).unwrap_err();
    let expected = "d/a.jsonl: no column for the prompt: looked for prompt, messages, problem, question, \
                    found the columns text, gold; name it in columns.prompt";
    assert_eq!(message, expected);
    let config = mapped(Columns { reference: Some("anser".into()), ..Columns::default() });
    let message = read_with(&config, json!({"prompt": "?", "answer": "1"})).unwrap_err();
    assert!(message.contains("looked for anser, found the columns prompt, answer"), "{message}");
}

#[test]
fn an_empty_id_mapping_makes_ids_from_file_and_line() {
    let config = mapped(Columns { id: Some(String::new()), ..Columns::default() });
    let problem = read_with(&config, json!({"id": "same", "prompt": "?"})).unwrap();
    assert_eq!(problem.id, "a:3");
}

/// Reads `wrong` as a row of a dataset whose columns `right` decides.
fn bad(right: Value, wrong: Value) -> String {
    let (right, wrong) = (row(right), row(wrong));
    let mapping = Mapping::resolve(&SourceConfig::new("a"), &[&right, &wrong]).unwrap();
    mapping.problem(wrong).unwrap_err().to_string()
}

#[test]
fn a_wrong_row_says_where_what_was_expected_and_what_was_found() {
    let right = json!({"prompt": "2+2?", "answer": "4"});
    assert_eq!(
        bad(right.clone(), json!({"prompt": "2+2?"})),
        "d/a.jsonl:3: expected a reference answer in column `answer`, found the columns prompt"
    );
    let expected_prompt =
        "d/a.jsonl:3: expected a prompt in column `prompt`: text or a list of messages, found ";
    for (prompt, found) in [
        (json!(5), "a number"),
        (json!(" "), "empty text"),
        (json!([]), "a list without a message to answer"),
        (json!(["hi"]), "text as message 1"),
        (json!([{"role": "user"}]), "no `content` in message 1"),
        (json!([{"role": "user", "content": [1]}]), "a list as `content` of message 1"),
        (
            json!([{"role": "user", "content": "a", "name": "b"}]),
            "`name` beside role and content in message 1",
        ),
    ] {
        assert_eq!(
            bad(right.clone(), json!({"prompt": prompt, "answer": "4"})),
            format!("{expected_prompt}{found}")
        );
    }
    for (answer, found) in [
        (json!(null), "null"),
        (json!(""), "empty text"),
        (
            json!(123_456_789_012_345_678_901.0),
            "the number 1.2345678901234568e+20, which JSON readers round; write it as text",
        ),
    ] {
        let message = bad(right.clone(), json!({"prompt": "?", "answer": answer}));
        assert!(message.ends_with(&format!("in column `answer`, found {found}")), "{message}");
    }
}

#[test]
fn a_row_without_the_answer_mark_is_a_bad_line() {
    let right = json!({"question": "?", "answer": "So.\n#### 4"});
    let message = bad(right, json!({"question": "?", "answer": "So 4."}));
    assert!(message.contains("d/a.jsonl:3: expected text that matches /####"), "{message}");
    assert!(message.ends_with("in column `answer`, found `So 4.`"), "{message}");
}

#[test]
fn a_response_of_several_messages_is_a_bad_line() {
    let said = json!([{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}]);
    let message = bad(json!({"prompt": "?", "completion": "a"}), json!({"prompt": "?", "completion": said}));
    assert!(message.ends_with("found 2 messages"), "{message}");
}
