//! Small looks at a text: its ends, a line of it, its words.

/// The first bytes of a text, up to a whole character.
pub(super) fn head(text: &str, num_bytes: usize) -> &str {
    let mut end = num_bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The last bytes of a text, from a whole character on.
pub(crate) fn tail(text: &str, num_bytes: usize) -> &str {
    let mut start = text.len().saturating_sub(num_bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// A line's text: up to its end or a mark of the tokenizer's that is no text.
pub(super) fn line(text: &str) -> &str {
    let end = text.find('\n').unwrap_or(text.len());
    let end = text[..end].find("<|").unwrap_or(end);
    text[..end].trim()
}

/// The words of a text, in lower case, with their apostrophes.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_alphabetic() || matches!(c, '\'' | '’')))
        .filter(|word| !word.is_empty())
        .map(|word| word.to_lowercase().replace('’', "'"))
        .collect()
}

/// The word that a text begins with, in lower case; empty where it begins with something else.
pub(super) fn first_word(text: &str) -> String {
    head(text, 24).chars().take_while(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

/// Drops what surrounds an answer in prose: white space, quotes, emphasis, final punctuation.
pub(crate) fn trim(text: &str) -> &str {
    let is_around =
        |c: char| c.is_whitespace() || matches!(c, '*' | '_' | '`' | '"' | '“' | '”' | '\u{FEFF}');
    text.trim_start_matches(is_around)
        .trim_end_matches(|c: char| is_around(c) || matches!(c, '.' | ',' | ';' | ':' | '。'))
}
