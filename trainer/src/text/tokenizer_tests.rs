//! Tokenizer folders, right and wrong.

use serde_json::{Value, json};

use super::testing::{byte_fallback, byte_level, folder, write};
use super::{ChatMessage, RenderOptions, TextError, Tokenizer};

const CHATML: &str = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}\
                      {% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
const SPECIAL: [&str; 3] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
const END_OF_TEXT: u32 = 259;
const IM_START: u32 = 260;
const IM_END: u32 = 261;

fn load(files: &[(&str, Value)]) -> Result<Tokenizer, TextError> {
    let dir = folder(&[("tokenizer.json", byte_level(&SPECIAL))]);
    for (name, content) in files {
        write(dir.path(), name, content);
    }
    Tokenizer::load(dir.path())
}

fn error(files: &[(&str, Value)]) -> String {
    load(files).unwrap_err().to_string()
}

fn hello() -> Vec<ChatMessage> {
    vec![ChatMessage::new("user", "hello")]
}

#[test]
fn text_makes_the_round_trip_and_special_tokens_become_ids() {
    let tokenizer = load(&[]).unwrap();
    for text in ["hello", "Grüße, 中文 😀", "", "a<|im_end|>\n<|im_start|>b", "\0\u{7f}"] {
        assert_eq!(tokenizer.decode(&tokenizer.encode(text).unwrap()), text);
    }
    let ids = tokenizer.encode("he<|im_end|>he").unwrap();
    assert_eq!(ids, [256, IM_END, 256]);
    assert_eq!(tokenizer.decode_skip_special(&ids), "hehe");
    assert_eq!(tokenizer.token(IM_END).unwrap(), "<|im_end|>");
    assert_eq!(tokenizer.id("<|im_end|>"), Some(IM_END));
    assert!(tokenizer.is_special(IM_END) && !tokenizer.is_special(256));
    assert_eq!(tokenizer.vocab_size(), 262);
    // Rows that pad a model's vocabulary have no text.
    assert_eq!(tokenizer.decode(&[256, 5000]), "he");
}

#[test]
fn truncation_in_the_file_does_not_cut_prompts() {
    assert_eq!(load(&[]).unwrap().encode("abcdefgh").unwrap().len(), 8);
}

#[test]
fn a_plain_prompt_begins_as_the_post_processor_says() {
    let dir = folder(&[("tokenizer.json", byte_fallback())]);
    let tokenizer = Tokenizer::load(dir.path()).unwrap();
    let plain = tokenizer.encode("ab").unwrap();
    assert_eq!(tokenizer.encode_plain_prompt("ab").unwrap(), [&[1], plain.as_slice()].concat());

    // add_bos_token false takes it away, where the configuration names the token.
    write(dir.path(), "tokenizer_config.json", &json!({"bos_token": "<s>", "add_bos_token": false}));
    let tokenizer = Tokenizer::load(dir.path()).unwrap();
    assert_eq!(tokenizer.bos_id(), Some(1));
    assert_eq!(tokenizer.encode_plain_prompt("ab").unwrap(), plain);
}

#[test]
fn a_plain_prompt_begins_with_bos_where_the_configuration_says_so() {
    let config = json!({"bos_token": {"content": "<|endoftext|>", "special": true}, "add_bos_token": true});
    let tokenizer = load(&[("tokenizer_config.json", config)]).unwrap();
    assert_eq!(tokenizer.encode_plain_prompt("he").unwrap(), [END_OF_TEXT, 256]);
    assert_eq!(load(&[]).unwrap().encode_plain_prompt("he").unwrap(), [256]);
}

#[test]
fn stop_ids_are_the_union_of_all_sources() {
    let tokenizer = load(&[
        ("generation_config.json", json!({"eos_token_id": [IM_END, 7]})),
        ("config.json", json!({"eos_token_id": END_OF_TEXT, "text_config": {"eos_token_id": 8}})),
        ("tokenizer_config.json", json!({"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"})),
    ])
    .unwrap();
    let stops = tokenizer.stop_ids();
    assert_eq!(stops.to_vec(), [7, 8, END_OF_TEXT, IM_END]);
    assert_eq!(stops.len(), 4);
    assert!(stops.contains(8) && !stops.contains(IM_START));
    assert_eq!(
        stops.sources(IM_END),
        ["generation_config.json eos_token_id", "tokenizer_config.json eos_token"]
    );
    assert_eq!(stops.sources(8), ["config.json text_config.eos_token_id"]);
    assert!(
        stops.to_string().contains("261 (\"<|im_end|>\"; generation_config.json eos_token_id, "),
        "{stops}"
    );
    assert_eq!((tokenizer.eos_id(), tokenizer.pad_id()), (Some(IM_END), Some(END_OF_TEXT)));
}

#[test]
fn special_tokens_map_fills_what_the_configuration_leaves_open() {
    let tokenizer = load(&[
        ("tokenizer_config.json", json!({"eos_token": "<|im_end|>", "bos_token": null})),
        (
            "special_tokens_map.json",
            json!({"eos_token": "<|endoftext|>", "bos_token": {"content": "<|im_start|>"}}),
        ),
    ])
    .unwrap();
    assert_eq!((tokenizer.eos_id(), tokenizer.bos_id()), (Some(IM_END), Some(IM_START)));
}

#[test]
fn no_stop_ids_are_none() {
    let tokenizer = load(&[("generation_config.json", json!({"eos_token_id": null}))]).unwrap();
    assert!(tokenizer.stop_ids().is_empty());
    assert_eq!(tokenizer.stop_ids().to_string(), "none");
}

#[test]
fn chat_is_rendered_and_encoded_without_a_second_bos() {
    let template = format!("{{{{ bos_token }}}}{CHATML}");
    let config = json!({"bos_token": "<|endoftext|>", "add_bos_token": true, "eos_token": "<|im_end|>", "chat_template": template});
    let tokenizer = load(&[("tokenizer_config.json", config)]).unwrap();
    let options = RenderOptions { add_generation_prompt: true, ..RenderOptions::default() };
    let text = tokenizer.render_chat(&hello(), &options).unwrap();
    assert_eq!(text, "<|endoftext|><|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n");
    let ids = tokenizer.encode_chat(&hello(), &options).unwrap();
    assert_eq!(ids, tokenizer.encode(&text).unwrap());
    assert_eq!(ids.iter().filter(|&&id| id == END_OF_TEXT).count(), 1);
    assert_eq!(tokenizer.terminator(), Some(IM_END));
    assert!(tokenizer.has_chat_template() && !tokenizer.chat_uses_clock());
}

#[test]
fn a_template_whose_terminator_does_not_stop_is_refused_for_chat_only() {
    let files = [
        ("chat_template.jinja", Value::from(CHATML)),
        ("tokenizer_config.json", json!({"eos_token": "<|endoftext|>"})),
    ];
    let tokenizer = load(&files).unwrap();
    tokenizer.encode_plain_prompt("hello").unwrap();
    let refusal = tokenizer.encode_chat(&hello(), &RenderOptions::default()).unwrap_err().to_string();
    assert!(
        refusal.contains("\"<|im_end|>\" (id 261)") && refusal.contains("259 (\"<|endoftext|>\""),
        "{refusal}"
    );
    assert!(
        refusal.contains("add 261 to `eos_token_id`") && refusal.contains("generation_config.json"),
        "{refusal}"
    );

    let generation = ("generation_config.json", json!({"eos_token_id": [IM_END]}));
    load(&[files[0].clone(), files[1].clone(), generation]).unwrap().check_chat().unwrap();
}

#[test]
fn a_template_without_a_terminator_is_accepted() {
    let template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}";
    let tokenizer = load(&[("chat_template.jinja", template.into())]).unwrap();
    assert_eq!(tokenizer.terminator(), None);
    tokenizer.encode_chat(&hello(), &RenderOptions::default()).unwrap();
}

#[test]
fn chat_template_jinja_wins_and_named_templates_are_chosen() {
    let list = json!({"chat_template": [
        {"name": "default", "template": "plain"}, {"name": "tool_use", "template": "tools {{ tools | tojson }}"}]});
    let tokenizer = load(&[("tokenizer_config.json", list.clone())]).unwrap();
    let with_tools = RenderOptions { tools: Some(json!([{"name": "f"}])), ..RenderOptions::default() };
    assert_eq!(tokenizer.render_chat(&hello(), &RenderOptions::default()).unwrap(), "plain");
    assert_eq!(tokenizer.render_chat(&hello(), &with_tools).unwrap(), "tools [{\"name\": \"f\"}]");

    let tokenizer = load(&[
        ("tokenizer_config.json", list),
        ("chat_template.jinja", "file".into()),
        ("additional_chat_templates/rag.jinja", "rag".into()),
    ])
    .unwrap();
    assert_eq!(tokenizer.render_chat(&hello(), &with_tools).unwrap(), "file");

    let tokenizer = load(&[("additional_chat_templates/rag.jinja", "rag".into())]).unwrap();
    let refusal = tokenizer.render_chat(&hello(), &RenderOptions::default()).unwrap_err().to_string();
    assert!(refusal.contains("\"rag\", but none is called \"default\""), "{refusal}");
}

#[test]
fn options_reach_the_template() {
    let template =
        "{{ enable_thinking }} {{ strftime_now('%Y-%m-%d') }} {{ messages[0].name }} {{ eos_token }}";
    let config = json!({"eos_token": "<|im_end|>"});
    let mut tokenizer =
        load(&[("chat_template.jinja", template.into()), ("tokenizer_config.json", config)]).unwrap();
    assert!(tokenizer.chat_uses_clock());
    tokenizer.set_now(0);
    let extra = json!({"enable_thinking": false}).as_object().unwrap().clone();
    let options = RenderOptions { extra, ..RenderOptions::default() };
    let message = serde_json::from_value(json!({"role": "user", "content": null, "name": "Ada"})).unwrap();
    assert_eq!(tokenizer.render_chat(&[message], &options).unwrap(), "False 1970-01-01 Ada <|im_end|>");
}

#[test]
fn messages_keep_null_apart_from_absent() {
    let tokenizer = load(&[("chat_template.jinja", "{{ messages | tojson }}".into())]).unwrap();
    let source = json!([{"role": "a", "content": null}, {"role": "b", "x": 1}, {"role": "c", "content": [{"text": "t"}]}]);
    let messages: Vec<ChatMessage> = serde_json::from_value(source.clone()).unwrap();
    let text = tokenizer.render_chat(&messages, &RenderOptions::default()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), source);
}

#[test]
fn a_raising_template_gives_its_own_message_and_its_place() {
    let template = "{{ 1 }}\n{%- macro check(m) %}{{ raise_exception('Only ' ~ m.role ~ 's may speak') }}{% endmacro %}\n{{ check(messages[0]) }}";
    let tokenizer = load(&[("chat_template.jinja", template.into())]).unwrap();
    let refusal = tokenizer.encode_chat(&hello(), &RenderOptions::default()).unwrap_err();
    assert!(
        matches!(&refusal, TextError::Raised { message, .. } if message == "Only users may speak"),
        "{refusal}"
    );
    assert!(refusal.to_string().contains("chat_template.jinja:"), "{refusal}");
}

#[test]
fn a_broken_template_is_an_error_once_it_is_used() {
    let tokenizer = load(&[("chat_template.jinja", "a\n{% if %}".into())]).unwrap();
    tokenizer.encode_plain_prompt("hello").unwrap();
    let refusal = tokenizer.encode_chat(&hello(), &RenderOptions::default()).unwrap_err();
    assert!(matches!(refusal, TextError::Template { .. }), "{refusal}");
    assert!(refusal.to_string().contains("chat_template.jinja:2"), "{refusal}");
}

#[test]
fn chat_without_a_template_says_so() {
    let tokenizer = load(&[]).unwrap();
    assert!(!tokenizer.has_chat_template());
    let refusal = tokenizer.encode_chat(&hello(), &RenderOptions::default()).unwrap_err();
    assert!(matches!(refusal, TextError::NoTemplate { .. }), "{refusal}");
}

#[test]
fn vocabularies_that_disagree_are_an_error() {
    let tokenizer = load(&[]).unwrap();
    tokenizer.check_vocab(262).unwrap();
    tokenizer.check_vocab(320).unwrap();
    let refusal = tokenizer.check_vocab(260).unwrap_err().to_string();
    assert!(
        refusal.contains("has 260 entries") && refusal.contains("\"<|im_end|>\" has id 261"),
        "{refusal}"
    );
    assert!(refusal.contains("past the end: 2"), "{refusal}");

    let tokenizer = load(&[("generation_config.json", json!({"eos_token_id": 300}))]).unwrap();
    tokenizer.check_vocab(301).unwrap();
    let refusal = tokenizer.check_vocab(300).unwrap_err().to_string();
    assert!(refusal.contains("stop id 300 (generation_config.json eos_token_id)"), "{refusal}");
}

#[test]
fn bad_files_are_named() {
    let empty = folder(&[]);
    let refusal = Tokenizer::load(empty.path()).unwrap_err();
    assert!(matches!(refusal, TextError::NoTokenizer { .. }), "{refusal}");
    assert!(refusal.to_string().contains("tokenizer.json"));

    for (name, content, says) in [
        ("tokenizer.json", json!({"version": "1.0"}), "is no tokenizer"),
        ("tokenizer.json", "{".into(), "is no tokenizer"),
        ("tokenizer_config.json", "{]".into(), "line 1"),
        ("config.json", json!([1]), "a list"),
        (
            "generation_config.json",
            json!({"eos_token_id": "</s>"}),
            "`eos_token_id`, found a string (\"</s>\")",
        ),
        ("generation_config.json", json!({"eos_token_id": [1, -1]}), "found a number (-1)"),
        ("tokenizer_config.json", json!({"eos_token": 5}), "`eos_token`, found a number"),
        (
            "tokenizer_config.json",
            json!({"eos_token": "</s>"}),
            "\"</s>\", which is no token of the tokenizer.json",
        ),
        ("tokenizer_config.json", json!({"chat_template": {"a": 1}}), "`chat_template`, found an object"),
        (
            "tokenizer_config.json",
            json!({"chat_template": [{"name": "x"}]}),
            "`chat_template`, found an object",
        ),
        ("tokenizer_config.json", json!({"add_bos_token": "yes"}), "`add_bos_token`, found a string"),
    ] {
        let refusal = error(&[(name, content)]);
        assert!(refusal.contains(name) && refusal.contains(says), "{refusal}");
    }
}

#[test]
fn the_fingerprint_is_of_the_vocabulary() {
    let plain = load(&[]).unwrap();
    assert_eq!(plain.fingerprint().len(), 64);
    assert_eq!(plain.fingerprint(), load(&[("chat_template.jinja", CHATML.into())]).unwrap().fingerprint());
    let other = folder(&[("tokenizer.json", byte_level(&SPECIAL[..2]))]);
    assert_ne!(plain.fingerprint(), Tokenizer::load(other.path()).unwrap().fingerprint());
}

/// Prompts are encoded while rollouts decode.
#[test]
fn a_tokenizer_is_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&load(&[]).unwrap());
}
