//! Small looks at a text: its ends, a line of it, its words.

/// Words for the integers from zero on.
pub(crate) const NUMBER_WORDS: [&str; 21] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];

/// The first bytes of a text, up to a whole character.
pub(crate) fn head(text: &str, num_bytes: usize) -> &str {
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

/// The one line of a text that has no other, if it is short enough to be an answer.
pub(crate) fn single_line(text: &str) -> Option<&str> {
    let text = text.trim();
    let text = text.find("<|").map_or(text, |at| text[..at].trim_end());
    (!text.is_empty() && text.len() <= super::MAX_BYTES && !text.contains('\n')).then_some(text)
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
    let text = text.trim_start_matches(is_around);
    let end = text.trim_end_matches(|c: char| is_around(c) || matches!(c, '.' | ',' | ';' | ':' | '。'));
    // Dots that go on are part of what goes on.
    if text[end.len()..].starts_with("..") {
        let dots = text[end.len()..].chars().take_while(|c| *c == '.').count();
        return &text[..end.len() + dots];
    }
    // A space of LaTeX keeps its backslash company: `\\;`.
    let escaped = text[end.len()..].chars().next().filter(|_| end.ends_with('\\')).map_or(0, char::len_utf8);
    &text[..end.len() + escaped]
}
