//! The rebuilt tokenizers, loaded and used, against what the format's rules make of the text.

use serde_json::Value as Json;
use tokenizers::Tokenizer;

use super::testfile::{TestFile, VOCAB, byte_level_tokenizer, sentencepiece_tokenizer};
use crate::gguf::container::Container;
use crate::gguf::error::GgufError;
use crate::gguf::tokenizer::{TokenizerFiles, rebuild};
use crate::gguf::vocab::Vocab;

fn files(file: &TestFile) -> Result<(TokenizerFiles, Vec<u32>, Vec<String>), GgufError> {
    let bytes = file.bytes();
    let container = Container::parse(&bytes).unwrap();
    let vocab = Vocab::read(&container.metadata, VOCAB)?;
    let mut warnings = Vec::new();
    let files = rebuild(&container.metadata, &vocab, 128, &mut warnings)?;
    Ok((files, vocab.ids.stop, warnings))
}

fn load(file: &TestFile) -> Tokenizer {
    let (files, ..) = files(file).unwrap();
    Tokenizer::from_bytes(files.tokenizer.to_string()).unwrap()
}

fn tokens(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    tokenizer.encode(text, true).unwrap().get_tokens().to_vec()
}

fn byte_level(pre: &str) -> TestFile {
    byte_level_tokenizer(TestFile::default(), pre)
}

#[test]
fn byte_level_merges_and_special_tokens() {
    let tokenizer = load(&byte_level("smollm"));
    assert_eq!(tokens(&tokenizer, "the the"), ["the", "Ġthe"]);
    assert_eq!(tokens(&tokenizer, "<|im_end|>\n<think>"), ["<|im_end|>", "Ċ", "<think>"]);
    assert_eq!(tokenizer.encode("<|start|>", false).unwrap().get_ids(), [259]);
    for text in ["naïve 漢字 🙂", "  two  spaces\t\n\nx", "a\u{301} é", ""] {
        let ids = tokenizer.encode(text, false).unwrap();
        assert_eq!(tokenizer.decode(ids.get_ids(), false).unwrap(), text);
    }
    let ids = tokenizer.encode("a<|im_end|><think>", false).unwrap();
    assert_eq!(tokenizer.decode(ids.get_ids(), true).unwrap(), "a<think>", "what users defined is text");
    // The filler `[PAD262]` is no token.
    assert_eq!(tokenizer.get_vocab_size(true), VOCAB - 1);
    assert_eq!(tokenizer.id_to_token(262), None);
}

/// The words that a pre-tokenizer cuts, seen through merges that would join across the cuts: none may.
fn words(pre: &str, text: &str) -> Vec<String> {
    use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};
    let (files, ..) = files(&byte_level(pre)).unwrap();
    let tokenizer = Tokenizer::from_bytes(files.tokenizer.to_string()).unwrap();
    let mut pieces = PreTokenizedString::from(text);
    tokenizer.get_pre_tokenizer().unwrap().pre_tokenize(&mut pieces).unwrap();
    let splits = pieces.get_splits(OffsetReferential::Original, OffsetType::Byte);
    splits.into_iter().map(|(_, (begin, end), _)| text[begin..end].to_owned()).collect()
}

#[test]
fn each_pre_tokenizer_cuts_as_its_name_says() {
    let text = "I'LL pay 1234/y";
    assert_eq!(words("smollm", text), ["I", "'", "LL", " pay", " ", "1", "2", "3", "4", "/", "y"]);
    assert_eq!(words("gpt-2", text), ["I", "'", "LL", " pay", " 1234", "/", "y"]);
    assert_eq!(words("llama-bpe", text), ["I", "'LL", " pay", " ", "123", "4", "/y"]);
    assert_eq!(words("qwen2", text), ["I", "'LL", " pay", " ", "1", "2", "3", "4", "/y"]);
    assert_eq!(words("tekken", "aB CamelCase/\n9"), ["a", "B", " Camel", "Case", "/\n", "9"]);
}

#[test]
fn unknown_and_missing_pre_tokenizers() {
    let error = files(&byte_level("viking")).unwrap_err();
    assert!(error.to_string().contains("viking") && error.to_string().contains("smollm"), "{error}");
    for file in [byte_level("default"), byte_level("x").without("tokenizer.ggml.pre")] {
        let (.., warnings) = files(&file).unwrap();
        assert!(warnings.iter().any(|warning| warning.contains("tokenizer.ggml.pre")), "{warnings:?}");
    }
    assert!(files(&byte_level("smollm")).unwrap().2.is_empty());
}

#[test]
fn beginnings_are_marked_as_the_file_says_or_the_name_implies() {
    let said = |pre: &str, add_bos: Option<bool>| {
        let file = byte_level(pre).without("tokenizer.ggml.add_bos_token");
        let file = match add_bos {
            Some(add_bos) => file.bool("tokenizer.ggml.add_bos_token", add_bos),
            None => file,
        };
        tokens(&load(&file), "a")
    };
    assert_eq!(said("smollm", None), ["a"]);
    assert_eq!(said("smollm", Some(true)), ["<|start|>", "a"]);
    assert_eq!(said("llama-bpe", None), ["<|start|>", "a"]);
    assert_eq!(said("llama-bpe", Some(false)), ["a"]);
    let both = byte_level("smollm")
        .bool("tokenizer.ggml.add_bos_token", true)
        .bool("tokenizer.ggml.add_eos_token", true);
    assert_eq!(tokens(&load(&both), "a"), ["<|start|>", "a", "<|im_end|>"]);
    let nothing_to_add = byte_level("smollm")
        .bool("tokenizer.ggml.add_bos_token", true)
        .without("tokenizer.ggml.bos_token_id");
    assert!(matches!(files(&nothing_to_add), Err(GgufError::MissingKey { .. })));
}

#[test]
fn words_that_are_tokens_are_taken_whole_only_where_the_name_says() {
    // `ab` is a token that no merge makes: in the place of `th`, with the merges that need it gone.
    let with_whole_word = |pre: &str| {
        let mut alphabet: Vec<char> =
            tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet().into_iter().collect();
        alphabet.sort_unstable();
        let mut tokens: Vec<String> = alphabet.into_iter().map(String::from).collect();
        tokens.extend(["ab", "x1", "x2", "<s>", "</s>"].map(String::from));
        let kinds: Vec<i32> = (0..261).map(|id| if id < 259 { 1 } else { 3 }).collect();
        byte_level(pre)
            .texts("tokenizer.ggml.tokens", &tokens)
            .i32s("tokenizer.ggml.token_type", &kinds)
            .texts::<&str>("tokenizer.ggml.merges", &[])
    };
    assert_eq!(tokens(&load(&with_whole_word("qwen2")), "ab"), ["a", "b"]);
    assert_eq!(tokens(&load(&with_whole_word("llama-bpe")), "ab"), ["ab"]);
}

#[test]
fn the_files_beside_the_tokenizer() {
    let (files, stop, _) = files(&byte_level("smollm").u32("tokenizer.ggml.eot_token_id", 259)).unwrap();
    assert_eq!(stop, [260, 259], "eos first, each id once");
    let config = &files.config;
    assert_eq!(config["tokenizer_class"], "PreTrainedTokenizerFast");
    assert_eq!(config["bos_token"], "<|start|>");
    assert_eq!(config["eos_token"], "<|im_end|>");
    assert_eq!(config["pad_token"], "<|im_end|>");
    assert_eq!(config.get("unk_token"), None);
    assert_eq!(config["add_bos_token"], false);
    assert_eq!(config["model_max_length"], 128);
    assert_eq!(config["chat_template"], "{{ messages[0]['content'] }}");
    assert_eq!(files.chat_template.as_deref(), Some("{{ messages[0]['content'] }}"));
    assert_eq!(files.special_tokens_map["eos_token"], "<|im_end|>");
    assert_eq!(files.special_tokens_map.get("chat_template"), None);
}

#[test]
fn sentencepiece_scores_become_merges_and_bytes_the_fallback() {
    let tokenizer = load(&sentencepiece_tokenizer(TestFile::default()));
    assert_eq!(tokens(&tokenizer, "ab a"), ["<s>", "▁", "ab", "▁", "a"]);
    assert_eq!(tokens(&tokenizer, "é"), ["<s>", "▁", "<0xC3>", "<0xA9>"]);
    assert_eq!(tokens(&tokenizer, "a</s>b"), ["<s>", "▁", "a", "</s>", "▁", "b"]);
    for text in ["ab ba", "naïve 漢字 🙂\n\t", " led by a space"] {
        let ids = tokenizer.encode(text, false).unwrap();
        assert_eq!(tokenizer.decode(ids.get_ids(), false).unwrap(), text);
    }
    let no_prefix =
        sentencepiece_tokenizer(TestFile::default()).bool("tokenizer.ggml.add_space_prefix", false);
    assert_eq!(tokens(&load(&no_prefix), "ab a"), ["<s>", "ab", "▁", "a"]);
}

/// The vocabulary of [`sentencepiece_tokenizer`] with its last four tokens replaced.
fn sentencepiece_with(pieces: [(&str, f32, i32); 4]) -> TestFile {
    let mut tokens = vec!["<unk>".to_owned(), "<s>".to_owned(), "</s>".to_owned()];
    tokens.extend((0..256).map(|byte| format!("<0x{byte:02X}>")));
    tokens.extend(pieces.map(|(token, ..)| token.to_owned()));
    let kinds = [&[2, 3, 3][..], &[6; 256], &pieces.map(|(.., kind)| kind)].concat();
    let scores = [&[0.0; 259][..], &pieces.map(|(_, score, _)| score)].concat();
    sentencepiece_tokenizer(TestFile::default())
        .texts("tokenizer.ggml.tokens", &tokens)
        .i32s("tokenizer.ggml.token_type", &kinds)
        .f32s("tokenizer.ggml.scores", &scores)
        .bool("tokenizer.ggml.add_space_prefix", false)
}

#[test]
fn better_scores_merge_first() {
    let merges = |file: &TestFile| files(file).unwrap().0.tokenizer["model"]["merges"].clone();
    let file = sentencepiece_with([("a", -9.0, 1), ("aa", -2.0, 1), ("aaa", -1.0, 1), ("▁", -9.0, 1)]);
    let expected: Json = serde_json::json!([["aa", "a"], ["a", "aa"], ["a", "a"]]);
    assert_eq!(merges(&file), expected, "by score, then the longer left part");
    // Tokens that users defined take no part.
    let file = sentencepiece_with([("a", -9.0, 1), ("aa", -2.0, 4), ("aaa", -1.0, 1), ("▁", -9.0, 1)]);
    assert_eq!(merges(&file), serde_json::json!([]));
}

#[test]
fn what_users_defined_is_found_with_its_spaces() {
    let file = sentencepiece_with([("▁▁", -1000.0, 4), ("▁", -1.0, 1), ("a", -2.0, 1), ("\n\n", -1000.0, 4)]);
    let tokenizer = load(&file);
    assert_eq!(tokens(&tokenizer, "a  a\n\na"), ["<s>", "a", "  ", "a", "\n\n", "a"]);
    let ids = tokenizer.encode("a  a\n\na", false).unwrap();
    assert_eq!(tokenizer.decode(ids.get_ids(), true).unwrap(), "a  a\n\na");
    let prefixed = load(&file.bool("tokenizer.ggml.add_space_prefix", true));
    assert_eq!(tokens(&prefixed, "a\n\na"), ["<s>", "▁", "a", "\n\n", "▁", "a"], "as llama.cpp has it");
}

#[test]
fn bytes_without_a_token_are_told() {
    let mut symbols: Vec<String> = (0u8..=255).map(|byte| format!("<0x{byte:02X}>")).collect();
    symbols[0x04] = "[rare]".to_owned();
    symbols[0xff] = "[never]".to_owned();
    let mut tokens = vec!["<unk>".to_owned(), "<s>".to_owned(), "</s>".to_owned()];
    tokens.extend(symbols);
    tokens.extend(["▁", "a", "b", "ab"].map(String::from));
    let file = sentencepiece_tokenizer(TestFile::default()).texts("tokenizer.ggml.tokens", &tokens);
    let (.., warnings) = files(&file).unwrap();
    assert_eq!(warnings.len(), 2, "no template, and {warnings:?}");
    assert!(warnings[0].contains("1 of the bytes") && warnings[0].contains("0x04"), "0xff is in no text");

    assert!(files(&byte_level("smollm")).unwrap().2.is_empty(), "all 256 are there");
}

#[test]
fn contradictions_are_errors() {
    let message = |file: TestFile| files(&file).unwrap_err().to_string();
    let merges = |merge: &str| byte_level("smollm").texts("tokenizer.ggml.merges", &[merge]);
    assert!(message(merges("t q")).contains("merge 0") && message(merges("t q")).contains("\"tq\""));
    assert!(message(merges("th")).contains("two tokens with a space"));
    assert!(message(byte_level("smollm").i32s("tokenizer.ggml.token_type", &[1])).contains("token_type"));
    assert!(message(byte_level("smollm").u32("tokenizer.ggml.eos_token_id", 900)).contains("found 900"));
    assert!(message(byte_level("smollm").without("tokenizer.ggml.eos_token_id")).contains("eos_token_id"));
    assert!(message(byte_level("smollm").text("tokenizer.ggml.model", "bert")).contains("\"bert\""));
    assert!(
        message(byte_level("smollm").texts("tokenizer.ggml.tokens", &vec!["x"; 263]))
            .contains("tokens 0 and 1")
    );
    let long = "x".repeat(5000);
    assert!(
        message(byte_level("smollm").texts("tokenizer.ggml.tokens", &[&long])).contains("expected one value")
    );
    assert!(
        message(byte_level("smollm").texts("tokenizer.ggml.tokens", &vec!["x"; 264])).contains("264 tokens")
    );
    let spm = sentencepiece_tokenizer(TestFile::default());
    assert!(message(spm.clone().without("tokenizer.ggml.scores")).contains("tokenizer.ggml.scores"));
    assert!(message(spm.f32s("tokenizer.ggml.scores", &[f32::NAN; 263])).contains("not a number"));
}
