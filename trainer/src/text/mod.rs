//! Text at the borders of a run: prompts become token ids here, and ids become text that people and verifiers read.
//!
//! * [`Tokenizer`] loads everything that a model's folder says about text: the vocabulary, special tokens, the chat
//!   template and the ids that end a response;
//! * [`StreamDecoder`] and [`StopWatch`] follow a response token by token, for stop strings;
//! * [`bytes`] makes a tokenizer of one token a byte;
//! * [`chat`] renders conversations as Python's jinja2 would.
//!
//! Text is a view of ids: nothing here takes generated text and encodes it again.

pub mod bytes;
pub mod chat;
mod codec;
mod error;
mod folder;
mod special;
mod stop_ids;
mod stop_strings;
mod stream;
#[cfg(test)]
mod stream_tests;
#[cfg(test)]
pub(crate) mod testing;
mod tokenizer;
#[cfg(test)]
mod tokenizer_tests;

pub use chat::{ChatMessage, RenderOptions};
pub use error::TextError;
pub use stop_ids::StopIds;
pub use stop_strings::{StopMatch, StopStrings, StopWatch};
pub use stream::StreamDecoder;
pub use tokenizer::Tokenizer;
