//! What a list of tactics closes, for credit where a proof is not right: the tactics are run one by one by the REPL until
//! one fails, and goals are counted.

use super::header::blank_len;
use super::session::{Session, SessionError, StateId, Step};
use crate::budget::Budget;

/// Goals that were closed, and all that there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closed {
    pub(super) num_closed: usize,
    pub(super) num_goals: usize,
}

/// Runs tactics from a state with one goal, until one fails.
///
/// # Errors
/// There is no REPL any more.
pub(super) fn closed(
    session: &mut Session,
    root: StateId,
    text: &str,
    budget: &Budget,
) -> Result<Closed, SessionError> {
    let (mut state, mut num_open, mut num_closed) = (root, 1, 0);
    for tactic in tactics(text) {
        match session.run(state, &tactic, budget) {
            Ok(Step::State(next)) => {
                let n = next.goals.len();
                num_closed += usize::saturating_sub(num_open, n);
                (state, num_open) = (next.id, n);
            }
            Ok(Step::Finished { .. }) => {
                num_closed += num_open;
                num_open = 0;
                break;
            }
            // A tactic that fails, or kills what runs it, closes nothing, and what comes after it has no state to run in.
            Ok(Step::Error(_) | Step::GivenUp)
            | Err(SessionError::Crash { .. } | SessionError::Timeout(_)) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(Closed { num_closed, num_goals: num_closed + num_open })
}

/// The tactics of a block: a line, with the lines below it that are indented more. A `by` at the beginning is left out.
pub(super) fn tactics(text: &str) -> Vec<String> {
    let start = blank_len(text);
    let line_start = text[..start].rfind('\n').map_or(0, |end| end + 1);
    let is_by = text[start..].strip_prefix("by").is_some_and(|rest| rest.starts_with(char::is_whitespace));
    let body =
        if is_by { text[start + 2..].trim_start_matches([' ', '\t', '\n']) } else { &text[line_start..] };
    // After a `by` on the same line the first tactic's own column is lost; those below tell it.
    let indent = |line: &str| line.len() - line.trim_start().len();
    let first = if is_by { None } else { body.lines().find(|line| !line.trim().is_empty()).map(indent) };
    let rest = body.lines().skip(1).filter(|line| !line.trim().is_empty()).map(indent);
    let column = first.or_else(|| rest.min()).unwrap_or(0);
    let mut found: Vec<String> = Vec::new();
    for (number, line) in body.lines().enumerate() {
        if line.trim().is_empty() || line.trim_start().starts_with("--") {
            continue;
        }
        match found.last_mut() {
            // The alternatives of `cases` may stand where it stands.
            Some(tactic) if number > 0 && (indent(line) > column || line.trim_start().starts_with('|')) => {
                tactic.push('\n');
                tactic.push_str(line.get(column..).unwrap_or(line));
            }
            _ => found.push(line.trim().to_owned()),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tactic_is_a_line_with_what_is_indented_below_it() {
        for (text, expected) in [
            ("intro h\nexact h", vec!["intro h", "exact h"]),
            ("by\n  intro h\n\n  -- so\n  exact h", vec!["intro h", "exact h"]),
            ("by intro h\n   exact h", vec!["intro h", "exact h"]),
            ("by simp", vec!["simp"]),
            (
                "-- first\n  cases h with\n  | inl a =>\n    exact a\n  | inr b => exact b\n  done",
                vec!["cases h with\n| inl a =>\n  exact a\n| inr b => exact b", "done"],
            ),
            (
                "  constructor\n  · exact a\n    done\n  · exact b",
                vec!["constructor", "· exact a\n  done", "· exact b"],
            ),
            ("", vec![]),
        ] {
            assert_eq!(tactics(text), expected, "{text}");
        }
    }
}
