//! `polestar doctor`: what this machine has, what would not work, and the command that mends it.

use std::fmt::Write as _;
use std::io::IsTerminal;

use clap::Args;

use super::common::{CliError, pretty, print_out};
use super::progress::colors;
use super::report::EXIT_WORK;
use crate::doctor::{Diagnosis, State, examine};

/// Says what this machine has, what would not work, and the command that mends it.
///
/// Nothing is changed and nothing is fetched. Exit code 0 where training on the CPU works, else 1.
///
///   polestar doctor
///   polestar doctor --json | jq '.findings[] | select(.state != "good")'
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct DoctorArgs {
    /// One JSON object, for machines.
    #[arg(long)]
    json: bool,
}

/// `polestar doctor`.
///
/// # Errors
/// Exit code 1 where something is broken that training on the CPU needs.
pub fn run(args: &DoctorArgs) -> Result<(), CliError> {
    let found = examine();
    let color = colors(std::io::stdout().is_terminal());
    print_out(&if args.json { pretty(&found) } else { text(&found, color) })?;
    if found.can_train_on_cpu { Ok(()) } else { Err(CliError::Exit(EXIT_WORK)) }
}

fn text(found: &Diagnosis, color: bool) -> String {
    let mut text = format!("polestar {}\n", found.version);
    let width = found.findings.iter().map(|finding| finding.name.len()).max().unwrap_or(0);
    let mut area = "";
    // Writing to a String cannot fail.
    for finding in &found.findings {
        if finding.area != area {
            area = finding.area;
            let _ = writeln!(text, "\n{}", painted(area, "1", color));
        }
        let (mark, code) = match finding.state {
            State::Good => ("ok  ", "32"),
            State::Absent => ("none", "33"),
            State::Broken => ("BAD ", "1;31"),
        };
        let _ =
            writeln!(text, "  {}  {:<width$}  {}", painted(mark, code, color), finding.name, finding.value);
        let indent = " ".repeat(width + 10);
        if let Some(without) = &finding.without {
            let _ = writeln!(text, "{indent}as it is: {without}");
        }
        if let Some(mend) = &finding.mend {
            let _ = writeln!(text, "{indent}to mend:  {mend}");
        }
    }
    let verdict = match (found.can_train_on_cpu, found.num_gpus) {
        (false, _) => "Training does not work here: see what is BAD above.".into(),
        (true, 0) => "Training works here, on the CPU.".into(),
        (true, gpus) => format!("Training works here, on the CPU and on {gpus} GPUs."),
    };
    let _ =
        writeln!(text, "\n{}", painted(&verdict, if found.can_train_on_cpu { "32" } else { "1;31" }, color));
    text
}

fn painted(text: &str, code: &str, color: bool) -> String {
    if color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::doctor::Finding;

    fn finding(area: &'static str, state: State) -> Finding {
        let lack = |text: &str| (state != State::Good).then(|| text.to_owned());
        let (without, mend) = (lack("no speed"), lack("run it"));
        Finding { area, name: "CPU", state, value: "an abacus".into(), without, mend, data: Value::Null }
    }

    #[test]
    fn each_finding_has_its_mark_and_each_lack_its_cure() {
        let findings = vec![finding("machine", State::Good), finding("machine", State::Absent)];
        let mut found = Diagnosis { version: "1.0", can_train_on_cpu: true, num_gpus: 0, findings };
        let plain = text(&found, false);
        assert_eq!(
            plain,
            "polestar 1.0\n\nmachine\n  ok    CPU  an abacus\n  none  CPU  an abacus\n             as it is: no speed\n             \
             to mend:  run it\n\nTraining works here, on the CPU.\n"
        );
        assert!(text(&found, true).contains("\u{1b}[32mok  \u{1b}[0m"));
        found.findings.push(finding("libtorch", State::Broken));
        found.can_train_on_cpu = false;
        let plain = text(&found, false);
        assert!(
            plain.contains("\nlibtorch\n  BAD   CPU") && plain.contains("see what is BAD above"),
            "{plain}"
        );
    }
}
