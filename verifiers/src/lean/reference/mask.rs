//! Lean text with everything covered that is not code, so that words can be looked for where they mean something.

use crate::lean::header::comment_len;

/// What covers strings, characters, quoted names and documentation.
const COVER: char = '_';

/// A text with its comments as spaces, and what stands in strings, characters, quoted names and documentation as `_`. It
/// has as many bytes as the text, so that places in the one are places in the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Masked {
    pub(super) code: String,
    /// Whether a comment is open at the end.
    pub(super) is_open: bool,
}

/// Covers what is not code.
pub(super) fn masked(text: &str) -> Masked {
    let mut mask = Masked { code: String::with_capacity(text.len()), is_open: false };
    let mut is_after_word = false;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let starts = |with: &str| rest.starts_with(with);
        let (len, is_comment) = match c {
            '-' if starts("--") => (rest.find('\n').unwrap_or(rest.len()), true),
            '/' if starts("/-") => {
                let len = comment_len(rest);
                mask.is_open |= len.is_none();
                // Documentation belongs to what follows it.
                (len.unwrap_or(rest.len()), !starts("/--") && !starts("/-!"))
            }
            // A minus after the sign of subtypes begins no comment.
            '/' if starts("//") => (2, false),
            '"' => (string_len(rest), false),
            'r' if !is_after_word => (raw_string_len(rest), false),
            '\'' if !is_after_word => (character_len(rest), false),
            '«' => (rest.find('»').map_or(rest.len(), |end| end + '»'.len_utf8()), false),
            _ => (c.len_utf8(), false),
        };
        match is_comment {
            true => mask.code.extend(std::iter::repeat_n(' ', len)),
            false => cover(&mut mask.code, &rest[..len]),
        }
        is_after_word = is_of_word(c) && len == c.len_utf8();
        at += len;
    }
    mask
}

/// Whether a word may have this in it.
pub(super) fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || "_.'!?".contains(c)
}

/// Writes a text with all but its first and its last character covered.
fn cover(code: &mut String, text: &str) {
    let mut chars = text.chars();
    let (first, last) = (chars.next(), chars.next_back());
    code.extend(first);
    code.extend(std::iter::repeat_n(COVER, chars.as_str().len()));
    code.extend(last);
}

/// Bytes of the string that a text begins with.
fn string_len(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Bytes of the raw string, as in `r"\"` or `r#"""#`, that a text begins with; 1 where it is none.
fn raw_string_len(text: &str) -> usize {
    let num_signs = text[1..].len() - text[1..].trim_start_matches('#').len();
    let Some(inside) = text[1 + num_signs..].strip_prefix('"') else { return 1 };
    let end = format!("\"{}", "#".repeat(num_signs));
    inside.find(&end).map_or(text.len(), |at| text.len() - inside.len() + at + end.len())
}

/// Bytes of the character, as in `'a'` or `'\"'`, that a text begins with; 1 where it is none.
fn character_len(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    // The longest escape is as `\u03b1`.
    let most = match chars.next() {
        Some((_, '\\')) => {
            chars.next();
            5
        }
        _ => 1,
    };
    chars.take(most).find(|&(_, c)| c == '\'').map_or(1, |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_code_is_covered() {
        for (text, code) in [
            ("a -- b\nc", "a     \nc"),
            ("a /- b /- c -/ d -/ e", "a                   e"),
            ("/-- a -- b -/ c", "/___________/ c"),
            ("\"-- \\\" /-\" a", "\"________\" a"),
            ("r\"\\\" -- a", "r__\"     "),
            ("r#\"\"--\"# -- a", "r______#     "),
            ("for\"--\" --", "for\"__\"   "),
            ("«a -- b» -- c", "«______»     "),
            ("'\"' -- '\"'", "'_'       "),
            ("'\\'' '\\\"' '\\u03b1' -- a", "'__' '__' '______'     "),
            ("h' x' 'ab --", "h' x' 'ab   "),
            ("{x //-1 < x} --", "{x //-1 < x}   "),
            ("α → «β»", "α → «__»"),
            ("\"a", "\"a"),
        ] {
            let found = masked(text);
            assert_eq!(
                (found.code.as_str(), found.code.len(), found.is_open),
                (code, text.len(), false),
                "{text}"
            );
        }
        assert!(masked("a /- b /- c -/").is_open);
    }
}
