//! The report for people.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::super::rollouts_view::{visible, wrap};
use super::compare::{Comparison, Verdict};
use super::summary::{Answer, Claim, Figures, Rationale, SetSummary, Summary, Time};
use crate::eval::Share;

/// The longest sparkline, in columns.
const SPARKS: usize = 60;
/// A rationale is cut after so many lines.
const MOST_LINES: usize = 12;
/// Two columns of text narrower than this cannot be read.
const MIN_COLUMN: usize = 20;
/// Between two columns of text.
const GAP: &str = " | ";

const BOLD: &str = "1";
const GREEN: &str = "32";
const RED: &str = "31";
const YELLOW: &str = "33";

/// The whole report, in `width` columns.
pub(super) fn text(summary: &Summary, width: usize, color: bool) -> String {
    let paint = |text: &str, code: &str| {
        if color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    };
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{}: {} on {}, {} of {} steps",
        paint(&summary.name, BOLD),
        summary.algorithm,
        summary.base_model,
        summary.steps_done,
        summary.steps
    );
    if !summary.sets.is_empty() {
        let _ = writeln!(out, "\n{}", paint(&heading(summary), BOLD));
        out.push_str(&table(&summary.sets));
        out.push('\n');
    }
    for set in &summary.sets {
        if let Some(change) = &set.change {
            let _ =
                writeln!(out, "{}: zero-shot strict, after minus before: {}", set.name, difference(change));
        }
        if let Some(claim) = &set.claim {
            let (words, code) = match claim.comparison.verdict {
                Verdict::Better => ("better", GREEN),
                Verdict::Worse => ("worse", RED),
                Verdict::NoDifferenceShown => ("no difference shown", YELLOW),
            };
            let _ = writeln!(out, "{}: {} {}", set.name, honest(claim), paint(words, code));
        }
    }
    for note in &summary.notes {
        let _ = writeln!(out, "note: {note}");
    }
    if !summary.reward.is_empty() {
        let _ = writeln!(out, "\n{}", reward(&summary.reward));
    }
    let _ = writeln!(out, "{}", time(&summary.time));
    if let Some(rationales) = summary.rationales.as_ref().filter(|found| !found.problems.is_empty()) {
        let _ = writeln!(
            out,
            "\n{}\nThe first {} problems of `{}`, zero-shot; they were not picked.",
            paint("Answers before and after", BOLD),
            rationales.problems.len(),
            rationales.set
        );
        for problem in &rationales.problems {
            out.push_str(&side_by_side(problem, width, &paint));
        }
    }
    out.push_str(&checkpoint(summary));
    out
}

fn heading(summary: &Summary) -> String {
    let step = |step: Option<u64>| match step {
        Some(0) => "the base model".to_owned(),
        Some(step) => format!("step {step}"),
        None => "not there yet".to_owned(),
    };
    format!(
        "Accuracy in % of n problems, 95 % intervals: before is {}, after is {}",
        step(summary.before_step),
        step(summary.after_step)
    )
}

/// Rows of sets and worked examples, columns of strict and lenient before and after.
fn table(sets: &[SetSummary]) -> String {
    let titles = ["set", "shots", "n", "strict before", "lenient before", "strict after", "lenient after"];
    let mut rows = vec![titles.map(str::to_owned)];
    for set in sets {
        for row in &set.rows {
            let cells = |figures: Option<&Figures>| {
                let share = |share: fn(&Figures) -> &Share| {
                    figures.map_or_else(|| "-".into(), |it| percent(share(it)))
                };
                [share(|it| &it.strict), share(|it| &it.lenient)]
            };
            let n =
                [&row.before, &row.after].into_iter().flatten().map(|figures| figures.n).max().unwrap_or(0);
            let [strict_before, lenient_before] = cells(row.before.as_ref());
            let [strict_after, lenient_after] = cells(row.after.as_ref());
            let shots = row.shots.to_string();
            rows.push([
                set.name.clone(),
                shots,
                n.to_string(),
                strict_before,
                lenient_before,
                strict_after,
                lenient_after,
            ]);
        }
    }
    let mut out = String::new();
    let widths: Vec<usize> = (0..titles.len())
        .map(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or(0))
        .collect();
    for row in &rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            // Names to the left, numbers to the right.
            if column == 0 {
                pad(cell, *width)
            } else {
                format!("{}{cell}", " ".repeat(width - cell.width()))
            }
        });
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  {}", cells.collect::<Vec<_>>().join("  "));
    }
    out
}

/// `34.0 (25.5–43.7)`.
fn percent(share: &Share) -> String {
    let [low, high] = share.ci;
    format!("{:.1} ({:.1}–{:.1})", share.value * 100.0, low * 100.0, high * 100.0)
}

/// `+22.0 points (95 %: +12.1 to +31.0; 25 became right, 3 wrong; p = 0.0001)`.
fn difference(change: &Comparison) -> String {
    let [low, high] = change.ci.map(|end| end * 100.0);
    let mut out = format!("{:+.1} points (95 %: {low:+.1} to {high:+.1}", change.difference * 100.0);
    // Writing to a String cannot fail.
    if let Some([gained, lost]) = change.gained_lost {
        let _ = write!(out, "; {gained} became right, {lost} wrong");
    }
    if let Some(p) = change.p_value {
        let _ = if p < 0.0001 { write!(out, "; p < 0.0001") } else { write!(out, "; p = {p:.4}") };
    }
    out + ")"
}

fn honest(claim: &Claim) -> String {
    let best = format!("{}-shot {}", claim.best_shots, claim.best_rule.word());
    format!(
        "{:.1} % after, zero-shot strict, against {:.1} %, the best of {} figures before ({best}): {}:",
        claim.after * 100.0,
        claim.best_before * 100.0,
        claim.of_figures,
        difference(&claim.comparison)
    )
}

/// The mean reward by step, from the lowest to the highest.
fn reward(reward: &[(u64, f64)]) -> String {
    let values: Vec<f64> = reward.iter().map(|(_, value)| *value).collect();
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)));
    let (first, last) = (reward.first().map_or(0, |it| it.0), reward.last().map_or(0, |it| it.0));
    format!("reward  {}  {low:.3} to {high:.3}, steps {first} to {last}", sparkline(&values, SPARKS))
}

/// Values as blocks of eight heights, at most `most` of them: where there are more, each stands for the mean of some.
fn sparkline(values: &[f64], most: usize) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let bars = values.len().min(most);
    let means: Vec<f64> = (0..bars)
        .map(|bar| {
            let part = &values[bar * values.len() / bars..(bar + 1) * values.len() / bars];
            part.iter().sum::<f64>() / part.len() as f64
        })
        .collect();
    let low = means.iter().copied().fold(f64::INFINITY, f64::min);
    let high = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let height =
        |value: f64| if high > low { ((value - low) / (high - low) * 7.0).round() as usize } else { 3 };
    means.into_iter().map(|mean| HEIGHTS[height(mean).min(7)]).collect()
}

fn time(time: &Time) -> String {
    let parts = [
        ("sampling", time.rollout_s),
        ("waiting for verdicts", time.verify_s),
        ("scoring", time.score_s),
        ("updating", time.update_s),
        ("evaluating", time.eval_s),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(_, seconds)| *seconds > 0.0)
        .map(|(name, seconds)| format!("{name} {}", super::super::progress::duration(seconds)))
        .collect();
    let mut out =
        format!("time    {} in steps and evaluations", super::super::progress::duration(time.total_s));
    // Writing to a String cannot fail.
    if !parts.is_empty() {
        let _ = write!(out, ": {}", parts.join(", "));
    }
    for (name, rate) in [("sampled", time.rollout_tokens_per_s), ("trained", time.update_tokens_per_s)] {
        if let Some(rate) = rate {
            let _ = write!(out, "\n        {rate:.0} tokens/s {name}");
        }
    }
    out
}

fn side_by_side(problem: &Rationale, width: usize, paint: &dyn Fn(&str, &str) -> String) -> String {
    let column = (width.saturating_sub(GAP.len()) / 2).max(MIN_COLUMN);
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "\n{}", paint(&visible(&problem.id), BOLD));
    for line in lines(&problem.prompt, width.max(MIN_COLUMN)) {
        let _ = writeln!(out, "{line}");
    }
    let title = |name: &str, answer: &Answer| {
        let (word, code) = if answer.right { ("right", GREEN) } else { ("wrong", RED) };
        let title = format!("{name}: {word}");
        let space = " ".repeat(column - title.len());
        (paint(&title, code), space)
    };
    let ((before, space), (after, _)) = (title("before", &problem.before), title("after", &problem.after));
    let _ = writeln!(out, "{before}{space}{GAP}{after}");
    let (left, right) = (lines(&problem.before.text, column), lines(&problem.after.text, column));
    for row in 0..left.len().max(right.len()) {
        let cell = |lines: &[String]| lines.get(row).cloned().unwrap_or_default();
        let _ = writeln!(out, "{}", format!("{}{GAP}{}", pad(&cell(&left), column), cell(&right)).trim_end());
    }
    out
}

/// A text's lines in a column, cut where they are too many, without what a terminal would obey.
fn lines(text: &str, column: usize) -> Vec<String> {
    let mut lines: Vec<String> =
        text.trim_end().split('\n').flat_map(|line| wrap(&visible(line), column)).collect();
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES + 1;
        lines.truncate(MOST_LINES - 1);
        lines.push(format!("... {more} more lines"));
    }
    lines
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

fn checkpoint(summary: &Summary) -> String {
    let Some(checkpoint) = &summary.checkpoint else {
        return "\nThere is no checkpoint yet.\n".into();
    };
    let run = summary.run.display();
    let mut out = format!("\nThe model of step {} is {}\n", checkpoint.step, checkpoint.path.display());
    // Writing to a String cannot fail.
    if let Some((step, accuracy)) = checkpoint.best.filter(|(step, _)| *step != checkpoint.step) {
        let _ = writeln!(
            out,
            "The best evaluation was that of step {step} ({:.1} %): polestar export {run} --best --out DIR",
            accuracy * 100.0
        );
    }
    let _ = writeln!(out, "polestar rollouts {run} shows what was sampled, and why it was scored so.");
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::summary::Source;
    use super::super::testing::source;
    use super::*;

    #[test]
    fn the_report_says_what_changed() {
        let shown = text(&Summary::new(source()), 60, false);
        let has = |line: &str| assert!(shown.contains(line), "expected {line:?} in\n{shown}");
        has("t: grpo on base, 2 of 10 steps\n");
        has("Accuracy in % of n problems, 95 % intervals: before is the base model, after is step 10\n");
        has("  eval        0  20   5.0 (0.9–23.6)   20.0 (8.1–41.6)  90.0 (69.9–97.2)");
        has("  eval        5  20  15.0 (5.2–36.0)");
        has("eval: zero-shot strict, after minus before: +85.0 points (95 %: ");
        has("; 17 became right, 0 wrong; p < 0.0001)\n");
        has(
            "eval: 90.0 % after, zero-shot strict, against 30.0 %, the best of 4 figures before (5-shot lenient): +60.0",
        );
        has("; p = 0.0005): better\n");
        has("; 1 became right, 0 wrong; p = 1.0000): no difference shown\n");
        has("reward  ▄  0.250 to 0.250, steps 1 to 1\n");
        has(
            "time    35.0 s in steps and evaluations: sampling 4.0 s, evaluating 9.0 s\n        175 tokens/s sampled\n",
        );
        has("The first 3 problems of `eval`, zero-shot; they were not picked.\n");
        has("before: wrong                | after: right\nBad words of p1              | Good words of p1\n");
        has("The model of step 10 is runs/t/checkpoints/step-000010\n");
        assert!(!shown.contains('\u{1b}'));
    }

    #[test]
    fn a_run_that_has_not_begun_has_a_report_too() {
        let empty = Source {
            first: None,
            last: None,
            metrics: Vec::new(),
            timings: Vec::new(),
            checkpoint: None,
            ..source()
        };
        let shown = text(&Summary::new(empty), 60, true);
        assert!(shown.contains("0 of 10 steps") && shown.contains("There is no checkpoint yet"), "{shown}");
        assert!(shown.contains("note: there is no evaluation"), "{shown}");
        assert!(!shown.contains("Accuracy") && !shown.contains("reward"), "{shown}");
        let half = text(&Summary::new(Source { last: None, ..source() }), 60, false);
        assert!(half.contains("after is not there yet"), "{half}");
    }

    #[test]
    fn what_the_model_wrote_commands_no_terminal_and_is_cut() {
        let mut source = source();
        let first = source.first.as_mut().unwrap().reports.get_mut("eval").unwrap();
        first.problems[0].samples[0].text = format!("\u{1b}[2J{}", "a line\n".repeat(30));
        let shown = text(&Summary::new(source), 60, true);
        assert!(!shown.contains("\u{1b}[2J") && shown.contains("\\u{1b}[2Ja line"), "{shown}");
        assert!(shown.contains("... 19 more lines"), "{shown}");
    }

    #[test]
    fn sparklines_rise_where_values_do_and_stand_for_means_where_they_are_many() {
        assert_eq!(sparkline(&[0.0, 0.5, 1.0], 60), "▁▅█");
        assert_eq!(sparkline(&[0.2; 4], 60), "▄▄▄▄");
        assert_eq!(sparkline(&[0.0, 0.0, 1.0, 1.0], 2), "▁█");
        let many: Vec<f64> = (0..1000).map(f64::from).collect();
        assert_eq!(sparkline(&many, 60).chars().count(), 60);
        assert_eq!(sparkline(&[], 60), "");
    }
}
