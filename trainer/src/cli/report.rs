//! Prints complaints to standard error's shape and chooses the exit code: every command ends through here.

use std::io::Write;

use crate::complaint::{Blame, Complaint};

/// The command did what it was asked to.
pub const EXIT_OK: u8 = 0;
/// The work failed.
pub const EXIT_WORK: u8 = 1;
/// The call or a configuration is wrong.
pub const EXIT_CALL: u8 = 2;

/// Writes the complaints, with an empty line between two, and returns the exit code: 2 if any of them is about the call
/// or a configuration, else 1. With no complaint it writes nothing and returns 0.
///
/// A writer that fails changes nothing: there is nowhere left to complain to.
pub fn report(complaints: &[Complaint], out: &mut impl Write) -> u8 {
    for (i, complaint) in complaints.iter().enumerate() {
        let gap = if i == 0 { "" } else { "\n" };
        // Ignored on purpose: see above.
        let _ = writeln!(out, "{gap}{complaint}");
    }
    exit_code(complaints)
}

/// The exit code that complaints call for.
#[must_use]
pub fn exit_code(complaints: &[Complaint]) -> u8 {
    if complaints.iter().any(|complaint| complaint.blame == Blame::Call) {
        EXIT_CALL
    } else if complaints.is_empty() {
        EXIT_OK
    } else {
        EXIT_WORK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_printed_apart_and_the_call_decides_the_exit_code() {
        let mut out = Vec::new();
        let code = report(&[Complaint::work("a").next("b"), Complaint::call("c")], &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "error: a\n  next: b\n\nerror: c\n");
        assert_eq!(code, EXIT_CALL);
        assert_eq!(report(&[Complaint::work("a")], &mut Vec::new()), EXIT_WORK);
        assert_eq!(report(&[], &mut Vec::new()), EXIT_OK);
    }
}
