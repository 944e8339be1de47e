//! An answer without its dress: LaTeX's text commands and math delimiters, Markdown's emphasis, quotes, final punctuation.

/// Commands that only dress their argument up.
const DRESS: &[&str] = &[
    "boxed",
    "fbox",
    "text",
    "textbf",
    "textit",
    "textrm",
    "textsf",
    "texttt",
    "textnormal",
    "mathrm",
    "mathbf",
    "mathit",
    "mathsf",
    "mathtt",
    "mathnormal",
    "boldsymbol",
    "bm",
    "mbox",
    "hbox",
    "underline",
    "operatorname",
    "emph",
];
/// Commands without an argument that only dress up.
const SWITCHES: &[&str] = &["left", "right", "displaystyle", "textstyle", "bf", "rm", "it", "big", "Big"];

/// A text without its dress, with single spaces and without quotes and punctuation at its ends. What is nothing but
/// punctuation is kept.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(256));
    // Open braces, true where they belong to a command that was dropped.
    let mut braces: Vec<bool> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at + c.len_utf8()..];
        at += c.len_utf8();
        match c {
            '\\' => at += command(rest, &mut out, &mut braces),
            '{' => {
                braces.push(false);
                out.push(c);
            }
            '}' => {
                if braces.pop() != Some(true) {
                    out.push(c);
                }
            }
            '$' | '`' | '\u{FEFF}' | '\u{200B}' => {}
            '*' if rest.starts_with('*') => {
                let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                // Between two letters or digits it is a power.
                if joins(out.chars().next_back()) && joins(rest[1..].chars().next()) {
                    out.push_str("**");
                }
                at += 1;
            }
            '“' | '”' => out.push('"'),
            '‘' | '’' => out.push('\''),
            '\u{2212}' => out.push('-'),
            _ if c.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            _ => out.push(c),
        }
    }
    let trimmed = ends_trimmed(&out);
    // "**" by itself is no emphasis.
    if trimmed.is_empty() { text.trim().to_owned() } else { trimmed.to_owned() }
}

/// Reads what follows a backslash: how many bytes of it are dealt with.
fn command(rest: &str, out: &mut String, braces: &mut Vec<bool>) -> usize {
    let name = &rest[..rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len())];
    if name.is_empty() {
        let Some(escaped) = rest.chars().next() else {
            out.push('\\');
            return 0;
        };
        match escaped {
            '(' | ')' | '[' | ']' | '!' => {}
            ',' | ';' | ':' | ' ' | '\n' => out.push(' '),
            '$' | '%' | '{' | '}' | '&' | '#' | '_' | '*' => out.push(escaped),
            _ => {
                out.push('\\');
                out.push(escaped);
            }
        }
        return escaped.len_utf8();
    }
    if DRESS.contains(&name) && rest[name.len()..].starts_with('{') {
        braces.push(true);
        return name.len() + 1;
    }
    if !(SWITCHES.contains(&name) || DRESS.contains(&name)) {
        out.push('\\');
        out.push_str(name);
    }
    name.len()
}

/// A text without white space, quotes, emphasis and final punctuation around, unless it is nothing else.
fn ends_trimmed(text: &str) -> &str {
    let is_around = |c: char| c.is_whitespace() || matches!(c, '*' | '_' | '"' | '\'');
    let trimmed = text
        .trim_start_matches(is_around)
        .trim_end_matches(|c: char| is_around(c) || matches!(c, '.' | ',' | ';' | ':' | '!' | '。'));
    if trimmed.is_empty() { text.trim() } else { trimmed }
}

/// A plain text in lower case, to compare.
pub(crate) fn folded(text: &str) -> String {
    plain(text).to_lowercase()
}

/// The length of the prefix of a text that is the wanted one, given in lower case, whatever its case and white space, and ends with a word.
pub(crate) fn prefix_len(text: &str, wanted: &str) -> Option<usize> {
    let mut wanted = wanted.chars().peekable();
    let mut at = 0;
    while let Some(next) = wanted.peek().copied() {
        let c = text[at..].chars().next()?;
        if c.is_whitespace() && next == ' ' {
            at += text[at..].len() - text[at..].trim_start().len();
            wanted.next();
            continue;
        }
        // What dresses a text up is no part of it.
        if c != next && matches!(c, '$' | '`' | '*' | '}' | '\\') {
            at += c.len_utf8();
            let name_len = text[at..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(0);
            if c == '\\' && DRESS.contains(&&text[at..at + name_len]) {
                at += name_len + usize::from(text[at + name_len..].starts_with('{'));
            }
            continue;
        }
        for lower in fold_quote(c).to_lowercase() {
            wanted.next_if_eq(&lower)?;
        }
        at += c.len_utf8();
    }
    (!text[at..].starts_with(char::is_alphanumeric)).then_some(at)
}

fn fold_quote(c: char) -> char {
    match c {
        '’' | '‘' => '\'',
        '“' | '”' => '"',
        '\u{2212}' => '-',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dress_is_dropped_and_content_kept() {
        let cases = [
            (r"\boxed{\text{(B)}}", "(B)"),
            (r"$\textbf{B}$.", "B"),
            ("**B**: the  red\none", "B: the red one"),
            (r"\frac{5}{12}", r"\frac{5}{12}"),
            (r"\text{a {b} c}", "a {b} c"),
            (r"\(x\%\)", "x%"),
            ("2**3", "2**3"),
            ("“No.”", "No"),
            ("...", "..."),
            ("\\", "\\"),
            ("**", "**"),
            ("}", "}"),
            ("O’Neil's", "O'Neil's"),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected, "{text}");
        }
    }
}
