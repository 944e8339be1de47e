//! The text of a theorem whose proof is missing, and of the theorem with tactics in its place.

/// A theorem that ends in a proof that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Up to the end of `:=`.
    head: String,
}

/// What stands in front of tactics.
const INDENT: &str = "  ";

impl Statement {
    /// Reads a text that ends in `:= by sorry` or `:= sorry`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let refuse = || "its text must end in `:= by sorry` or `:= sorry`".to_owned();
        let head = text.trim_end().strip_suffix("sorry").ok_or_else(refuse)?;
        let head = match head.trim_end().strip_suffix("by") {
            // `sorry` is a word of its own.
            Some(before) if head.ends_with(char::is_whitespace) => before.trim_end(),
            _ => head.trim_end(),
        };
        if !head.ends_with(":=") {
            return Err(refuse());
        }
        Ok(Self { head: head.to_owned() })
    }

    /// With the proof missing.
    pub(crate) fn with_sorry(&self) -> String {
        format!("{} by sorry\n", self.head)
    }
}

/// The theorem with these tactics, one after another, as its proof.
///
/// A tactic of several lines stands in parentheses, where Lean reads it as it did alone: what the lines of its blocks are
/// aligned with is then in it. They keep their own indentation.
pub(crate) fn assemble(statement: &Statement, tactics: &[&str]) -> String {
    let mut text = format!("{} by\n", statement.head);
    for tactic in tactics {
        let tactic = tactic.trim_end();
        let mut lines = tactic.lines();
        let first = lines.next().unwrap_or_default();
        if lines.clone().next().is_none() {
            text.push_str(INDENT);
            text.push_str(first.trim_start());
            text.push('\n');
            continue;
        }
        text.push_str(INDENT);
        text.push('(');
        text.push_str(first);
        text.push('\n');
        for line in lines {
            // As far as the parenthesis has moved the first one.
            text.push_str(INDENT);
            text.push(' ');
            text.push_str(line);
            text.push('\n');
        }
        text.push_str(INDENT);
        text.push_str(")\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_in_a_missing_proof() {
        for text in [
            "theorem a : 1 = 1 := by sorry",
            "theorem a : 1 = 1 := sorry\n\n",
            "theorem a : 1 = 1 :=\n  by\n    sorry\n",
            "theorem a : 1 = 1 :=sorry",
            "theorem a : 1 = 1 := by\n  sorry",
        ] {
            let statement = Statement::read(text).unwrap();
            assert_eq!(statement.with_sorry(), "theorem a : 1 = 1 := by sorry\n");
        }
        for text in [
            "",
            "sorry",
            "theorem a : 1 = 1 := by simp",
            "theorem a : 1 = 1 := bysorry",
            "theorem a : 1 = 1 := by simp; sorry",
            "theorem a : 1 = 1 := standby sorry",
            "theorem a : 1 = 1 := by sorry -- later",
        ] {
            assert!(Statement::read(text).unwrap_err().contains("`:= by sorry`"), "{text}");
        }
    }

    #[test]
    fn tactics_stand_under_each_other_and_keep_their_own_indentation() {
        let statement = Statement::read("theorem a (n : Nat) : n = n := by sorry").unwrap();
        let tactics =
            ["  intro x ", "induction n with\n| zero => rfl\n| succ n ih =>\n  rfl", "simp -- done\n"];
        let expected = "theorem a (n : Nat) : n = n := by\n  intro x\n  (induction n with\n   | zero => rfl\n   \
                        | succ n ih =>\n     rfl\n  )\n  simp -- done\n";
        assert_eq!(assemble(&statement, &tactics), expected);
    }
}
