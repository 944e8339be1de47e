//! Which part of a response is source text: programs and proofs are taken from it by the same rule.
//!
//! The last fenced block that has the language's label; without one, the last that has no label; without one, the last
//! of any label. Empty blocks are passed over. Without a fence, the whole text. One fence without a label that nothing
//! ends is the end of a block that the prompt began, if nothing follows it or what stands before it is source text by
//! its looks.

use std::borrow::Cow;

use super::fences::{Block, blocks};

/// Of how many characters one may be a control character before a text is no text.
const CHARS_FOR_ONE_CONTROL: usize = 10;

/// The part of a text that is source text of a language, by the rules of the module's documentation; none where all
/// blocks are empty. `is_label` knows the language's labels, `is_source` its looks.
pub(crate) fn source_text<'a>(
    text: &'a str,
    is_label: impl Fn(&str) -> bool,
    is_source: impl Fn(&str) -> bool,
) -> Option<Cow<'a, str>> {
    let mut is_fenced = false;
    let mut labelled: Option<Block> = None;
    let mut unlabelled: Option<Block> = None;
    let mut other: Option<Block> = None;
    for block in blocks(text, &is_label) {
        let is_empty = text[block.content.clone()].trim().is_empty();
        let before = &text[..block.start];
        let is_lone = !is_fenced && !block.is_closed && block.label.is_empty();
        if is_lone && (is_empty || is_source(before)) && !before.trim().is_empty() {
            return Some(Cow::Borrowed(before));
        }
        is_fenced = true;
        let place = match block.label.as_str() {
            _ if is_empty => continue,
            label if is_label(label) => &mut labelled,
            "" => &mut unlabelled,
            _ => &mut other,
        };
        *place = Some(block);
    }
    match labelled.or(unlabelled).or(other) {
        Some(block) => Some(Cow::Owned(block.text(text))),
        None if is_fenced => None,
        None => Some(Cow::Borrowed(text)),
    }
}

/// A text whose line ends are `\n`: compilers take `\r` alone for one too, which nothing here should overlook.
pub(crate) fn with_plain_line_ends(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A text from its first line that is not blank, without a byte order mark.
pub(crate) fn without_blank_start(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let blank = text.len() - text.trim_start().len();
    let line_start = text[..blank].rfind('\n').map_or(0, |end| end + 1);
    &text[line_start..]
}

/// Why a text is none: a NUL, or too many characters that no text has. Nothing where it is one.
pub(crate) fn no_text(text: &str) -> Option<String> {
    if let Some(at) = text.find('\0') {
        return Some(format!("has a NUL character, at byte {at}"));
    }
    let is_rubbish = |c: &char| *c == '\u{fffd}' || (c.is_control() && !c.is_ascii_whitespace());
    let (num_chars, num_rubbish) = (text.chars().count(), text.chars().filter(is_rubbish).count());
    (num_rubbish > num_chars / CHARS_FOR_ONE_CONTROL).then(|| {
        format!(
            "is no text: {num_rubbish} of its {num_chars} characters are control or replacement characters"
        )
    })
}
