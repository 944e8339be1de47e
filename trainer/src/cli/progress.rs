//! Progress on standard error: a bar with rate and time left on a terminal, a plain line every few seconds elsewhere
//! (log files, CI, cluster jobs), nothing with `--quiet`. Standard output is for results and never touched.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::style::TemplateError;
use indicatif::{ProgressBar, ProgressStyle};

/// Between two plain lines there is at least so much time.
const LINE_EVERY: Duration = Duration::from_secs(5);

static QUIET: AtomicBool = AtomicBool::new(false);

/// Silences (or not) every [`Progress`] made after the call: for `--quiet`, and for all ranks but the first.
pub fn set_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Whether output may be coloured: it goes to a terminal that can, and `NO_COLOR` (<https://no-color.org>) is unset or
/// empty.
#[must_use]
pub fn colors(to_terminal: bool) -> bool {
    to_terminal && !is_dumb() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// How far a piece of work is. Threads may share it. Dropped without [`finish`](Self::finish), as an error does, its
/// bar disappears and no closing line is written.
pub struct Progress {
    sink: Sink,
}

enum Sink {
    Silent,
    Bar(ProgressBar, Mutex<Count>),
    Lines(Mutex<Lines>),
}

impl Progress {
    /// Begins `label` ("rollout"), which is done after `total` units, if that is known; `unit` is a plural ("samples").
    #[must_use]
    pub fn new(label: &str, total: Option<u64>, unit: &str) -> Self {
        let count = Count::new(label, total, unit, Instant::now());
        let sink = if QUIET.load(Ordering::Relaxed) {
            Sink::Silent
        } else if std::io::stderr().is_terminal() && !is_dumb() {
            Sink::Bar(bar(&count), Mutex::new(count))
        } else {
            let last = count.began;
            Sink::Lines(Mutex::new(Lines { count, last, out: Box::new(std::io::stderr()) }))
        };
        Self { sink }
    }

    /// So many more units are done.
    pub fn inc(&self, n: u64) {
        match &self.sink {
            Sink::Silent => {}
            Sink::Bar(bar, count) => {
                lock(count).done += n;
                bar.inc(n);
            }
            Sink::Lines(lines) => lock(lines).inc(n, Instant::now()),
        }
    }

    /// Says something beside the progress, on a line of its own.
    pub fn note(&self, text: &str) {
        match &self.sink {
            Sink::Silent => {}
            Sink::Bar(bar, count) => bar.println(format!("{}: {text}", lock(count).label)),
            Sink::Lines(lines) => lock(lines).note(text),
        }
    }

    /// Ends the work with one line: how much was done, how long it took, how fast it was.
    pub fn finish(self) {
        match self.sink {
            Sink::Silent => {}
            Sink::Bar(bar, count) => {
                bar.finish_and_clear();
                write_line(&mut std::io::stderr(), &lock(&count).closing(Instant::now()));
            }
            Sink::Lines(lines) => lock(&lines).finish(Instant::now()),
        }
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}

/// A thread that panicked while it counted leaves a count that is still fit to show.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn bar(count: &Count) -> ProgressBar {
    let bar = count.total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let style = style(count.total.is_some(), colors(true)).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.set_prefix(count.label.clone());
    bar.set_message(count.unit.clone());
    // The time goes on where nothing is counted for long.
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

fn style(has_total: bool, colored: bool) -> Result<ProgressStyle, TemplateError> {
    ProgressStyle::with_template(match (has_total, colored) {
        (true, true) => {
            "{prefix:.bold} {bar:30.cyan/dim} {human_pos}/{human_len} {msg}, {per_sec}, {eta} left"
        }
        (true, false) => "{prefix} {bar:30} {human_pos}/{human_len} {msg}, {per_sec}, {eta} left",
        (false, true) => "{prefix:.bold} {spinner:.cyan} {human_pos} {msg}, {per_sec}, {elapsed}",
        (false, false) => "{prefix} {spinner} {human_pos} {msg}, {per_sec}, {elapsed}",
    })
}

struct Count {
    label: String,
    unit: String,
    total: Option<u64>,
    done: u64,
    began: Instant,
}

impl Count {
    fn new(label: &str, total: Option<u64>, unit: &str, began: Instant) -> Self {
        Self { label: label.into(), unit: unit.into(), total, done: 0, began }
    }

    /// Units a second; 0 before any time has passed.
    fn rate(&self, now: Instant) -> f64 {
        let seconds = now.duration_since(self.began).as_secs_f64();
        if seconds > 0.0 { self.done as f64 / seconds } else { 0.0 }
    }

    fn so_far(&self, now: Instant) -> String {
        let (rate, unit) = (self.rate(now), &self.unit);
        let mut text = format!("{}: {}", self.label, self.done);
        // Writing to a String cannot fail.
        if let Some(total) = self.total {
            let _ = write!(text, "/{total}");
        }
        let _ = write!(text, " {unit}, {} {unit}/s", three_digits(rate));
        if let Some(left) = self.total.map(|total| total.saturating_sub(self.done)).filter(|_| rate > 0.0) {
            let _ = write!(text, ", {} left", duration(left as f64 / rate));
        }
        text
    }

    fn closing(&self, now: Instant) -> String {
        let took = duration(now.duration_since(self.began).as_secs_f64());
        let (label, done, unit) = (&self.label, self.done, &self.unit);
        format!("{label}: {done} {unit} in {took}, {} {unit}/s", three_digits(self.rate(now)))
    }
}

struct Lines {
    count: Count,
    last: Instant,
    out: Box<dyn Write + Send>,
}

impl Lines {
    fn inc(&mut self, n: u64, now: Instant) {
        self.count.done += n;
        if now.duration_since(self.last) >= LINE_EVERY {
            self.last = now;
            write_line(&mut self.out, &self.count.so_far(now));
        }
    }

    fn note(&mut self, text: &str) {
        write_line(&mut self.out, &format!("{}: {text}", self.count.label));
    }

    fn finish(&mut self, now: Instant) {
        write_line(&mut self.out, &self.count.closing(now));
    }
}

/// Progress that cannot be shown (standard error is closed) is no reason to stop the work.
fn write_line(out: &mut dyn Write, line: &str) {
    let _ = writeln!(out, "{line}");
}

fn three_digits(value: f64) -> String {
    let decimals = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.decimals$}")
}

/// Seconds as people say them: `4.2 s`, `3 min 20 s`, `2 h 5 min`.
pub(super) fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    if whole < 3600 {
        format!("{} min {} s", whole / 60, whole % 60)
    } else {
        format!("{} h {} min", whole / 3600, whole % 3600 / 60)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn lines(total: Option<u64>) -> (Lines, Shared, Instant) {
        let (out, began) = (Shared::default(), Instant::now());
        let count = Count::new("rollout", total, "samples", began);
        (Lines { count, last: began, out: Box::new(out.clone()) }, out, began)
    }

    fn text(out: &Shared) -> String {
        String::from_utf8(out.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn plain_lines_come_every_few_seconds_and_once_at_the_end() {
        let (mut lines, out, began) = lines(Some(600));
        for second in 1..=11 {
            lines.inc(50, began + Duration::from_secs(second));
        }
        lines.note("3 verdicts are undecided");
        lines.inc(50, began + Duration::from_secs(12));
        lines.finish(began + Duration::from_secs(12));
        assert_eq!(
            text(&out),
            "rollout: 250/600 samples, 50.0 samples/s, 7.0 s left\n\
             rollout: 500/600 samples, 50.0 samples/s, 2.0 s left\n\
             rollout: 3 verdicts are undecided\n\
             rollout: 600 samples in 12.0 s, 50.0 samples/s\n"
        );
    }

    #[test]
    fn without_a_total_there_is_no_time_left_and_without_time_no_rate() {
        let (mut lines, out, began) = lines(None);
        lines.inc(5, began + LINE_EVERY);
        assert_eq!(text(&out), "rollout: 5 samples, 1.00 samples/s\n");
        assert_eq!(lines.count.so_far(began), "rollout: 5 samples, 0.00 samples/s");
        let empty = Count::new("x", Some(3), "y", began);
        assert_eq!(empty.so_far(began + LINE_EVERY), "x: 0/3 y, 0.00 y/s");
    }

    #[test]
    fn more_done_than_the_total_is_shown_as_it_is() {
        let (lines, _, began) = lines(Some(3));
        let count = Count { done: 7, ..lines.count };
        assert_eq!(
            count.so_far(began + Duration::from_secs(7)),
            "rollout: 7/3 samples, 1.00 samples/s, 0.0 s left"
        );
    }

    #[test]
    fn numbers_read_easily() {
        assert_eq!(["0.00", "1.23", "12.3", "1234"], [0.0, 1.234, 12.34, 1234.4].map(three_digits));
        assert_eq!(["4.2 s", "3 min 20 s", "2 h 5 min"], [4.2, 199.7, 7530.0].map(duration));
    }

    #[test]
    fn the_bars_templates_are_valid() {
        for (has_total, colored) in [(true, true), (true, false), (false, true), (false, false)] {
            assert!(style(has_total, colored).is_ok());
        }
    }
}
