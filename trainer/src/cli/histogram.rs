//! Counts of lengths as a plot of text and as numbers.

use std::fmt::Write as _;

use serde::Serialize;

/// The plot has about so many bars.
const BARS: usize = 12;
/// The longest bar, in columns.
const WIDTH: usize = 40;
/// A column in eighths, from one to eight.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// How lengths are spread.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Histogram {
    /// The shortest.
    pub min: usize,
    /// The length that half are at most.
    pub median: usize,
    /// The length that 9 of 10 are at most.
    pub p90: usize,
    /// The length that 99 of 100 are at most.
    pub p99: usize,
    /// The longest.
    pub max: usize,
    /// The mean.
    pub mean: f64,
    /// The bars: ranges of one width that follow each other, from the shortest to the longest length.
    pub bars: Vec<Bar>,
}

/// How many lengths are in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// The range's first length.
    pub from: usize,
    /// Its last.
    pub to: usize,
    /// How many lengths lie in it.
    pub count: usize,
}

impl Histogram {
    /// Of lengths in any order; none of no lengths.
    #[must_use]
    pub fn of(lengths: &[usize]) -> Option<Self> {
        let mut sorted = lengths.to_vec();
        sorted.sort_unstable();
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        // The smallest length that at least so many of 100 do not pass.
        let share = |percent: usize| sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1];
        let width = round_width((max - min) / BARS + 1);
        let start = min / width * width;
        let mut bars: Vec<Bar> =
            (start..=max).step_by(width).map(|from| Bar { from, to: from + width - 1, count: 0 }).collect();
        for length in &sorted {
            bars[(length - start) / width].count += 1;
        }
        let mean = sorted.iter().sum::<usize>() as f64 / sorted.len() as f64;
        Some(Self { min, median: share(50), p90: share(90), p99: share(99), max, mean, bars })
    }

    /// The plot, a line a bar; the longest bar is that of the largest count.
    #[must_use]
    pub fn plot(&self) -> String {
        let most = self.bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
        let digits = self.bars.last().map_or(1, |bar| bar.to.to_string().len());
        let mut text = String::new();
        for bar in &self.bars {
            let range = if bar.from == bar.to {
                format!("{:>width$}", bar.to, width = 2 * digits + 1)
            } else {
                format!("{:>digits$}-{:>digits$}", bar.from, bar.to)
            };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{range} {} {}", block(bar.count, most), bar.count);
        }
        text
    }
}

/// A bar for `count` of at most `most`; what is there is seen, however little.
fn block(count: usize, most: usize) -> String {
    let eighths = (count * WIDTH * 8).div_ceil(most);
    let mut text: String = std::iter::repeat_n(EIGHTHS[7], eighths / 8).collect();
    if !eighths.is_multiple_of(8) {
        text.push(EIGHTHS[eighths % 8 - 1]);
    }
    text
}

/// The smallest of 1, 2, 5, 10, 20, 50, ... that is at least `width`.
fn round_width(width: usize) -> usize {
    let mut unit = 1;
    loop {
        for step in [1, 2, 5] {
            if step * unit >= width {
                return step * unit;
            }
        }
        unit *= 10;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantiles_bars_and_plot() {
        let lengths: Vec<usize> = (1..=100).collect();
        let found = Histogram::of(&lengths).unwrap();
        assert_eq!((found.min, found.median, found.p90, found.p99, found.max), (1, 50, 90, 99, 100));
        assert_eq!(found.mean, 50.5);
        assert_eq!(found.bars.len(), 11);
        assert_eq!(found.bars[0], Bar { from: 0, to: 9, count: 9 });
        assert_eq!(found.bars[10], Bar { from: 100, to: 109, count: 1 });
        let plot = found.plot();
        assert!(plot.starts_with(&format!("  0-  9 {} 9\n", "█".repeat(36))), "{plot}");
        assert!(plot.ends_with("100-109 ████ 1\n"), "{plot}");
    }

    #[test]
    fn few_lengths_have_bars_of_one_and_none_have_no_histogram() {
        assert_eq!(Histogram::of(&[]), None);
        let found = Histogram::of(&[7, 7]).unwrap();
        assert_eq!(found.bars, [Bar { from: 7, to: 7, count: 2 }]);
        assert_eq!(found.plot(), format!("  7 {} 2\n", "█".repeat(40)));
    }

    #[test]
    fn a_bar_of_one_in_many_is_still_seen_and_none_is_empty() {
        assert_eq!(block(1, 1_000_000), "▏");
        assert_eq!(block(0, 5), "");
    }

    proptest! {
        #[test]
        fn every_length_is_in_a_bar(lengths in prop::collection::vec(0usize..5000, 1..60)) {
            let found = Histogram::of(&lengths).unwrap();
            prop_assert_eq!(found.bars.iter().map(|bar| bar.count).sum::<usize>(), lengths.len());
            prop_assert!(found.bars.len() <= BARS + 1);
            for bar in &found.bars {
                let inside = lengths.iter().filter(|length| (bar.from..=bar.to).contains(*length)).count();
                prop_assert_eq!(inside, bar.count);
            }
        }
    }
}
