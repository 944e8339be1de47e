//! Text of a response while it grows. Tokens do not end where characters end, so a token's text is given out only once
//! no later token can change it; what was given out, put together, is then the decoding of all ids.

use std::sync::Arc;

use super::codec::Codec;

/// Decodes one response token by token.
pub struct StreamDecoder {
    codec: Arc<Codec>,
    skip_special: bool,
    /// The ids of the last piece that was given out (decoders treat the first token of a text differently, so the new
    /// ones need a predecessor), then those not given out yet.
    window: Vec<u32>,
    /// How many of the window's ids were given out.
    num_settled: usize,
    /// Bytes of their text.
    settled_len: usize,
    text: String,
    pending: String,
}

impl StreamDecoder {
    pub(super) fn new(codec: Arc<Codec>, skip_special: bool) -> Self {
        Self {
            codec,
            skip_special,
            window: Vec::new(),
            num_settled: 0,
            settled_len: 0,
            text: String::new(),
            pending: String::new(),
        }
    }

    /// Takes the next id and gives the text that became certain, if any did.
    pub fn push(&mut self, id: u32) -> Option<String> {
        let is_silent = self.codec.token(id).is_none() || (self.skip_special && self.codec.is_special(id));
        if is_silent {
            return None;
        }
        self.window.push(id);
        let view = self.codec.decode(&self.window, self.skip_special);
        let new = view.get(self.settled_len..).unwrap_or_default();
        self.pending.clear();
        // U+FFFD at the end stands for the first bytes of a character whose rest may follow.
        if new.is_empty() || new.ends_with(char::REPLACEMENT_CHARACTER) || self.codec.is_fallback_byte(id) {
            self.pending.push_str(new);
            return None;
        }
        self.text.push_str(new);
        self.window.drain(..self.num_settled);
        self.num_settled = self.window.len();
        self.settled_len = self.codec.decode(&self.window, self.skip_special).len();
        Some(new.to_owned())
    }

    /// The text that is certain so far: everything that [`Self::push`] gave.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What would follow [`Self::text`] if the response ended here, such as U+FFFD for half a character.
    #[must_use]
    pub fn pending(&self) -> &str {
        &self.pending
    }

    /// Ends the response: gives the text that was still uncertain, if any.
    pub fn finish(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.pending);
        self.text.push_str(&rest);
        self.window.clear();
        self.num_settled = 0;
        self.settled_len = 0;
        (!rest.is_empty()).then_some(rest)
    }
}

impl std::fmt::Debug for StreamDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamDecoder")
            .field("text", &self.text)
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}
