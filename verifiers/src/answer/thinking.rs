//! Leaves the thinking out: what a model thinks is no answer.

/// Marks that begin the thinking part of a response, and those that end it.
const THINKING: &[(&str, &str)] =
    &[("<think>", "</think>"), ("<thinking>", "</thinking>"), ("[THINK]", "[/THINK]")];

/// The part of a response that may hold its answer, without white space behind it, or why there is none.
pub(crate) fn after_thinking(response: &str) -> Result<&str, &'static str> {
    let mut text = after_last_end(response);
    for (begin, _) in THINKING {
        if let Some(at) = text.find(begin) {
            text = &text[..at];
            if text.trim().is_empty() {
                return Err("no answer found: the thinking never ends");
            }
        }
    }
    Ok(text.trim_end())
}

/// The part of a response after its thinking; none where thinking begins there and never ends.
pub(crate) fn outside_thinking(response: &str) -> Option<&str> {
    let text = after_last_end(response);
    let begins = THINKING.iter().any(|(begin, _)| text.contains(begin));
    (!begins).then_some(text)
}

/// What follows the last mark that ends thinking.
fn after_last_end(response: &str) -> &str {
    let mut text = response;
    for (_, end) in THINKING {
        if let Some(at) = text.rfind(end) {
            text = &text[at + end.len()..];
        }
    }
    text
}
