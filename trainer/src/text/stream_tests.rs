//! Growing responses: what streams is what is decoded at the end, and stop strings are found across tokens.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::testing::{byte_fallback, byte_level, folder};
use super::{StopStrings, Tokenizer};

fn tokenizer(json: Value) -> Tokenizer {
    Tokenizer::load(folder(&[("tokenizer.json", json)]).path()).unwrap()
}

fn stops(texts: &[&str]) -> Arc<StopStrings> {
    let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
    Arc::new(StopStrings::new(&texts).unwrap())
}

/// The pieces that a stream gives, and what it gives at the end.
fn pieces(tokenizer: &Tokenizer, ids: &[u32], skip_special: bool) -> Vec<String> {
    let mut stream = tokenizer.stream(skip_special);
    let mut pieces: Vec<String> = ids.iter().filter_map(|&id| stream.push(id)).collect();
    pieces.extend(stream.finish());
    assert_eq!(stream.text(), pieces.concat());
    pieces
}

#[test]
fn characters_are_never_split() {
    let tokenizer = tokenizer(byte_level(&["<|end|>"]));
    let ids = tokenizer.encode("a中é😀<|end|>").unwrap();
    // 中 takes two tokens here, é two, 😀 four.
    assert_eq!(ids.len(), 1 + 2 + 2 + 4 + 1);
    assert_eq!(pieces(&tokenizer, &ids, false), ["a", "中", "é", "😀", "<|end|>"]);
    assert_eq!(pieces(&tokenizer, &ids, true), ["a", "中", "é", "😀"]);
    let mut stream = tokenizer.stream(false);
    for &id in &ids[..2] {
        stream.push(id);
    }
    assert_eq!((stream.text(), stream.pending()), ("a", "\u{fffd}"));
}

#[test]
fn a_leading_space_is_dropped_once() {
    let tokenizer = tokenizer(byte_fallback());
    let ids = tokenizer.encode("ab c 中\n").unwrap();
    assert_eq!(pieces(&tokenizer, &ids, false).concat(), "ab c 中\n");
    assert_eq!(pieces(&tokenizer, &ids, false).concat(), tokenizer.decode(&ids));
}

#[test]
fn stop_strings_are_found_across_tokens_and_inside_one() {
    let tokenizer = tokenizer(byte_level(&[]));
    let ids = tokenizer.encode("é hello 中 well").unwrap();
    for (stop, start_char, shown) in [
        ("ello", 3, "é hello"),
        ("lo 中", 5, "é hello 中"),
        ("é", 0, "é"),
        // "he" and "ll" are tokens: the stop string begins inside one and ends inside the next.
        ("el", 3, "é hell"),
        ("中 w", 8, "é hello 中 w"),
    ] {
        let mut watch = tokenizer.watch(&stops(&["absent", stop]));
        let hit = ids.iter().find_map(|&id| watch.push(id)).unwrap();
        assert_eq!((hit.index, hit.start_char), (1, start_char), "{stop}");
        assert_eq!(&watch.text()[hit.start..hit.end], stop);
        assert_eq!(watch.text(), shown);
    }
    let mut watch = tokenizer.watch(&stops(&["nowhere"]));
    assert!(ids.iter().all(|&id| watch.push(id).is_none()));
    assert_eq!(watch.text(), tokenizer.decode(&ids));
}

#[test]
fn a_stop_string_of_fallback_bytes_is_found_at_once() {
    let tokenizer = tokenizer(byte_fallback());
    let ids = tokenizer.encode("ab\n\ncd").unwrap();
    let mut watch = tokenizer.watch(&stops(&["\n\n"]));
    let at = ids.iter().position(|&id| watch.push(id).is_some()).unwrap();
    assert_eq!(tokenizer.decode(&ids[..=at]), "ab\n\n");
}

#[test]
fn the_earliest_match_wins_then_the_first_listed() {
    let strings = stops(&["bc", "abcd", "ab"]);
    let hit = strings.find("xabcd").unwrap();
    assert_eq!((hit.index, hit.start, hit.end), (1, 1, 5));
    assert_eq!(strings.find("xbc").unwrap().index, 0);
    assert!(strings.find("a").is_none());
    assert!(stops(&[]).is_empty() && stops(&[]).find("a").is_none());
}

#[test]
fn an_empty_stop_string_is_refused() {
    let refusal = StopStrings::new(&["a".into(), String::new()]).unwrap_err().to_string();
    assert!(refusal.contains("number 1"), "{refusal}");
}

proptest! {
    /// Whatever a model samples, broken characters included: pieces put together are the decoding of all ids, and a
    /// stop string is found exactly when the decoding first holds it.
    #[test]
    fn streams_equal_the_full_decoding(ids in prop::collection::vec(0_u32..290, 0..40), skip in any::<bool>(), byte_level_kind in any::<bool>()) {
        let json = if byte_level_kind { byte_level(&["<|a|>", "<|b|>"]) } else { byte_fallback() };
        let tokenizer = tokenizer(json);
        let full = if skip { tokenizer.decode_skip_special(&ids) } else { tokenizer.decode(&ids) };
        prop_assert_eq!(pieces(&tokenizer, &ids, skip).concat(), full);

        let strings = stops(&["ab", "a", "\u{fffd}b", "\n"]);
        let mut watch = tokenizer.watch(&strings);
        for end in 1..=ids.len() {
            let view = tokenizer.decode(&ids[..end]);
            let hit = watch.push(ids[end - 1]);
            prop_assert_eq!(watch.text(), &view);
            prop_assert_eq!(hit, strings.find(&view));
            if hit.is_some() {
                break;
            }
        }
    }
}
