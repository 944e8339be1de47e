//! Rewrites a template's source where the engine's syntax falls short of what templates use, before it is parsed:
//!
//! * line ends become `\n`, as jinja2 reads them;
//! * `{% generation %}` ... `{% endgeneration %}`, with which templates mark what the assistant wrote, become
//!   `{% with %}` ... `{% endwith %}`: the text between passes through, in the same scope for `set`;
//! * slices, `x[a:b:c]`, become calls of a method, `x.__slice__(a, b, c)`: the engine's own do not give lists, and panic
//!   or go wrong for some negative steps.
//!
//! Comments, raw blocks and strings stay as they are, and lines keep their numbers.

/// The method that slices become; [`super::methods`] has it.
pub(super) const SLICE_METHOD: &str = "__slice__";

/// The source as the engine should parse it.
pub(super) fn rewrite(source: &str) -> String {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while let Some(open) = source[at..].find('{').map(|offset| at + offset) {
        out.push_str(&source[at..open]);
        let rest = &source[open..];
        at = open
            + if rest.starts_with("{#") {
                copy(&mut out, rest, rest.find("#}").map_or(rest.len(), |end| end + 2))
            } else if rest.starts_with("{{") {
                let end = expression_end(rest, "}}");
                out.push_str(&rewrite_slices(&rest[..end]));
                end
            } else if rest.starts_with("{%") {
                rewrite_tag(&mut out, rest)
            } else {
                copy(&mut out, rest, 1)
            };
    }
    out.push_str(&source[at..]);
    out
}

/// Copies the first bytes and gives their number.
fn copy(out: &mut String, text: &str, len: usize) -> usize {
    out.push_str(&text[..len]);
    len
}

/// Writes the tag (or raw block) that `rest` begins with, and gives its length in `rest`.
fn rewrite_tag(out: &mut String, rest: &str) -> usize {
    let end = expression_end(rest, "%}");
    let tag = &rest[..end];
    match tag_name(tag) {
        Some("raw") => return copy(out, rest, end + raw_end(&rest[end..])),
        Some("generation") => out.push_str(&tag.replacen("generation", "with", 1)),
        Some("endgeneration") => out.push_str(&tag.replacen("endgeneration", "endwith", 1)),
        _ => out.push_str(&rewrite_slices(tag)),
    }
    end
}

/// What stands alone between the delimiters of a complete tag, without whitespace control.
fn tag_name(tag: &str) -> Option<&str> {
    let inner = tag.strip_prefix("{%")?.strip_suffix("%}")?;
    let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner);
    Some(inner.strip_suffix(['-', '+']).unwrap_or(inner).trim())
}

/// Bytes up to and including the `{% endraw %}` of a raw block whose opening tag ends where `text` begins.
fn raw_end(text: &str) -> usize {
    let mut at = 0;
    while let Some(open) = text[at..].find("{%").map(|offset| at + offset) {
        let Some(close) = text[open..].find("%}").map(|offset| open + offset + 2) else { break };
        if tag_name(&text[open..close]) == Some("endraw") {
            return close;
        }
        at = open + 2;
    }
    text.len()
}

/// The characters outside of string literals, with their places and the number of brackets open before each.
fn code(text: &str) -> impl Iterator<Item = (usize, char, usize)> + '_ {
    let mut quote = None;
    let mut escaped = false;
    let mut depth = 0_usize;
    text.char_indices().filter_map(move |(at, c)| {
        if let Some(open) = quote {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if c == open => quote = None,
                _ => {}
            }
            return None;
        }
        let before = depth;
        match c {
            '\'' | '"' => quote = Some(c),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        Some((at, c, before))
    })
}

/// Bytes of an expression or tag, its delimiters included; one inside a string or a bracket does not close.
fn expression_end(text: &str, close: &str) -> usize {
    let inner = &text[2..];
    let end = code(inner).find(|&(at, _, depth)| depth == 0 && inner[at..].starts_with(close));
    end.map_or(text.len(), |(at, ..)| 2 + at + close.len())
}

/// Writes each `[a:b:c]` as a method call. A colon directly inside square brackets is a slice and nothing else.
fn rewrite_slices(text: &str) -> String {
    struct Bracket {
        open: usize,
        is_square: bool,
        colons: Vec<usize>,
    }
    let mut stack: Vec<Bracket> = Vec::new();
    // Byte ranges to replace.
    let mut edits: Vec<(usize, usize, String)> = Vec::new();
    for (at, c, _) in code(text) {
        match c {
            '(' | '[' | '{' => stack.push(Bracket { open: at, is_square: c == '[', colons: Vec::new() }),
            ':' => {
                if let Some(bracket) = stack.last_mut() {
                    bracket.colons.push(at);
                }
            }
            ')' | ']' | '}' => {
                if let Some(bracket) = stack.pop()
                    && bracket.is_square
                    && (1..=2).contains(&bracket.colons.len())
                {
                    slice_edits(text, bracket.open, &bracket.colons, at, &mut edits);
                }
            }
            _ => {}
        }
    }
    edits.sort_by_key(|&(start, ..)| start);
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (start, end, replacement) in edits {
        out.push_str(&text[copied..start]);
        out.push_str(&replacement);
        copied = end;
    }
    out.push_str(&text[copied..]);
    out
}

/// `[` becomes the method's name, each colon a comma, what is left out `none`, and `]` a parenthesis.
fn slice_edits(
    text: &str,
    open: usize,
    colons: &[usize],
    close: usize,
    edits: &mut Vec<(usize, usize, String)>,
) {
    edits.push((open, open + 1, format!(".{SLICE_METHOD}(")));
    let mut start = open + 1;
    for &end in colons.iter().chain([&close]) {
        if text[start..end].trim().is_empty() {
            edits.push((start, start, "none".into()));
        }
        edits.push((end, end + 1, if end == close { ")" } else { "," }.into()));
        start = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    #[test]
    fn generation_tags_keep_their_whitespace_control() {
        assert_eq!(rewrite("a{%- generation -%}b{%endgeneration%}c"), "a{%- with -%}b{%endwith%}c");
        assert_eq!(rewrite("{%+ generation %}\n{%  endgeneration  +%}"), "{%+ with %}\n{%  endwith  +%}");
    }

    #[test]
    fn slices_become_calls() {
        assert_eq!(rewrite("{{ m[1:] }}"), "{{ m.__slice__(1,none) }}");
        assert_eq!(rewrite("{% set x = a[::-1][b[0]: c ] %}"), "{% set x = a.__slice__(none,none,-1).__slice__(b[0], c ) %}");
        assert_eq!(rewrite("{{ m[x[:2]:] }}"), "{{ m.__slice__(x.__slice__(none,2),none) }}");
    }

    #[test]
    fn comments_strings_dicts_and_raw_blocks_are_left_alone() {
        for source in [
            "{# {% generation %} x[1:] #} x[1:]",
            "{{ '{% generation %}' ~ 'x[1:]' }}",
            "{{ {'a': {'b': \"it's }} {% generation %}\"}} }}",
            "{{ [{'a': 1}, x['k:'], f(a)[0]] }}",
            "{% raw %}{% generation %} {{ x[1:] }}{%- endraw -%}",
            "{% set x = 'a\\'{% generation %}' %}",
            "{% if generation %}{% endif %}",
        ] {
            assert_eq!(rewrite(source), source);
        }
    }

    #[test]
    fn unfinished_templates_do_not_panic() {
        for source in ["{", "{%", "{% generation", "{{ 'é", "{# é", "{% raw %}é{%", "é{% 'é\\", "{{ x[é", "{{ x]:[", "{{"] {
            assert_eq!(rewrite(source), source);
        }
        assert_eq!(rewrite("{% generation %}é{% raw %}{% x"), "{% with %}é{% raw %}{% x");
    }

    #[test]
    fn line_ends_become_newlines() {
        assert_eq!(rewrite("a\r\nb\rc\n"), "a\nb\nc\n");
    }
}
