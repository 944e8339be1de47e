//! Stop strings: texts that end a response where they appear, wherever the tokens' borders lie.

use std::sync::Arc;

use super::{StreamDecoder, TextError};

/// The texts that end a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopStrings {
    stops: Vec<String>,
    /// Bytes of the longest.
    longest: usize,
}

/// Where a stop string appeared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopMatch {
    /// Which of the stop strings, from 0.
    pub index: usize,
    /// The byte of the text at which it starts.
    pub start: usize,
    /// The byte of the text at which it ends.
    pub end: usize,
    /// The character of the text at which it starts.
    pub start_char: usize,
}

impl StopStrings {
    /// Takes the stop strings; an empty list never stops.
    ///
    /// # Errors
    /// When one of them is empty.
    pub fn new(stops: &[String]) -> Result<Self, TextError> {
        if let Some(index) = stops.iter().position(String::is_empty) {
            return Err(TextError::EmptyStopString { index });
        }
        Ok(Self { longest: stops.iter().map(String::len).max().unwrap_or(0), stops: stops.to_vec() })
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stops.is_empty()
    }

    /// The first match in `text`: the one that starts earliest, and of several there the one listed first.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<StopMatch> {
        self.find_from(text, 0)
    }

    /// As [`Self::find`], where everything before byte `clean` is known to hold no match.
    fn find_from(&self, text: &str, clean: usize) -> Option<StopMatch> {
        // A match may begin before `clean` by all but one of its bytes.
        let mut from = clean.min(text.len()).saturating_sub(self.longest.saturating_sub(1));
        while !text.is_char_boundary(from) {
            from -= 1;
        }
        let hits = self.stops.iter().enumerate().filter_map(|(index, stop)| {
            text[from..].find(stop.as_str()).map(|at| (from + at, index, from + at + stop.len()))
        });
        let (start, index, end) = hits.min()?;
        Some(StopMatch { index, start, end, start_char: text[..start].chars().count() })
    }
}

/// Watches one response for stop strings.
#[derive(Debug)]
pub struct StopWatch {
    strings: Arc<StopStrings>,
    decoder: StreamDecoder,
    /// The text as it would be if the response ended here.
    view: String,
    /// Bytes of `view` that are certain and hold no match.
    clean: usize,
}

impl StopWatch {
    /// A watch over the text that `decoder` gives.
    #[must_use]
    pub fn new(strings: Arc<StopStrings>, decoder: StreamDecoder) -> Self {
        Self { strings, decoder, view: String::new(), clean: 0 }
    }

    /// Takes the next id and tells whether a stop string is now in the text.
    ///
    /// Costs about one decoding of a few tokens and one search of a few characters, however long the text is.
    pub fn push(&mut self, id: u32) -> Option<StopMatch> {
        let certain = self.decoder.push(id);
        self.view.truncate(self.clean);
        self.view.push_str(certain.as_deref().unwrap_or_default());
        let num_certain = self.view.len();
        self.view.push_str(self.decoder.pending());
        let hit = self.strings.find_from(&self.view, self.clean);
        self.clean = num_certain;
        hit
    }

    /// The text so far, the stop string included: the decoding of all ids pushed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.view
    }
}
