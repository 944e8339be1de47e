//! Words as answers, in a form that is alike for what is the same.

/// Words in lower case with single spaces, without what only dresses them.
pub(super) fn fold_text(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        match next {
            '\\' => {
                let name = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
                // Commands dress, and an escaped character is not wanted.
                let skipped = if name > 0 { name } else { rest.chars().next().map_or(0, char::len_utf8) };
                rest = &rest[skipped..];
                folded.push(' ');
            }
            '$' | '{' | '}' | '*' | '`' | '"' | '“' | '”' | '~' | '.' | '(' | ')' => {}
            '’' => folded.push('\''),
            other => folded.extend(other.to_lowercase()),
        }
    }
    let words: Vec<&str> = folded.split_whitespace().collect();
    let articles = words.iter().take_while(|word| matches!(**word, "the" | "a" | "an")).count();
    let from = if articles < words.len() { articles } else { 0 };
    words[from..].join(" ")
}
