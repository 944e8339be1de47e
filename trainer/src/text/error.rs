//! What can go wrong with a tokenizer's files, chat templates and vocabularies, and what to do about each.

use std::path::PathBuf;

/// An error of tokenizers, chat templates and stop ids.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The folder has no tokenizer.
    #[error(
        "expected a tokenizer at {path}, found no such file; point model.path at a Hugging Face folder that holds \
         tokenizer.json (a model with only tokenizer.model must be converted first)"
    )]
    NoTokenizer {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A file is there but cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not the JSON that it should be.
    #[error("expected a JSON object in {path}, found: {found}; restore the file from the model's source")]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser says, or which other kind of value is there.
        found: String,
    },
    /// The tokenizers library refuses tokenizer.json.
    #[error("{path} is no tokenizer that this version reads: {message}")]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What the library says.
        message: String,
    },
    /// A key has a value of the wrong kind.
    #[error("{path}: expected {expected} at `{key}`, found {found}")]
    Field {
        /// The file.
        path: PathBuf,
        /// The key, dotted.
        key: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A special token is not in the vocabulary.
    #[error(
        "{path}: `{key}` is {token:?}, which is no token of the tokenizer.json beside it; the files are from different \
         tokenizers, take both from one source"
    )]
    UnknownToken {
        /// The file that names the token.
        path: PathBuf,
        /// The key that names it.
        key: String,
        /// The token.
        token: String,
    },
    /// Text could not be encoded.
    #[error("the tokenizer in {folder} cannot encode {excerpt:?}: {message}")]
    Encode {
        /// The model's folder.
        folder: PathBuf,
        /// The start of the text.
        excerpt: String,
        /// What the library says.
        message: String,
    },
    /// Chat was asked of a folder without a template.
    #[error(
        "{folder} has no chat template (chat_template.jinja, or `chat_template` in tokenizer_config.json); add one, or \
         prompt this model without chat"
    )]
    NoTemplate {
        /// The model's folder.
        folder: PathBuf,
    },
    /// There are several templates, but not the one that is needed.
    #[error("{folder} has the chat templates {names}, but none is called \"default\"; rename the one to use")]
    NoDefaultTemplate {
        /// The model's folder.
        folder: PathBuf,
        /// Their names.
        names: String,
    },
    /// The template itself refused the conversation (`raise_exception`).
    #[error("the chat template {place} refuses this conversation: {message}")]
    Raised {
        /// File and line, as far as known.
        place: String,
        /// The template's own message.
        message: String,
    },
    /// The template has a mistake, or uses what is not supported.
    #[error("the chat template {place} cannot be rendered: {message}")]
    Template {
        /// File and line, as far as known.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// The template ends the assistant's turn with a token at which generation would not stop.
    #[error(
        "the chat template of {folder} ends an assistant's turn with {token:?} (id {id}), at which generation would not \
         stop: the stop ids are {stops}; add {id} to `eos_token_id` in {folder}/generation_config.json, or prompt this \
         model without chat"
    )]
    Terminator {
        /// The model's folder.
        folder: PathBuf,
        /// The template's terminator.
        token: String,
        /// Its id.
        id: u32,
        /// The stop ids and where they come from.
        stops: String,
    },
    /// The tokenizer has ids that the model lacks.
    #[error(
        "the tokenizer in {folder} does not fit the model: the model's vocabulary has {model_vocab_size} entries (ids \
         below {model_vocab_size}), but {token:?} has id {id} (ids past the end: {num_past}); take tokenizer and weights \
         from the same source, or resize the embeddings"
    )]
    Vocabulary {
        /// The tokenizer's folder.
        folder: PathBuf,
        /// Rows of the model's embedding.
        model_vocab_size: usize,
        /// The token with the largest id.
        token: String,
        /// Its id.
        id: u32,
        /// How many of the tokenizer's ids the model lacks.
        num_past: usize,
    },
    /// A stop id that the model cannot sample.
    #[error(
        "the stop id {id} ({source_keys}) is past the model's vocabulary of {model_vocab_size} entries; correct the key \
         in {folder}"
    )]
    StopIdPastVocabulary {
        /// The model's folder.
        folder: PathBuf,
        /// The id.
        id: u32,
        /// The keys that name it.
        source_keys: String,
        /// Rows of the model's embedding.
        model_vocab_size: usize,
    },
    /// An empty stop string would end every response at once.
    #[error("expected stop strings with at least one character, found an empty one (number {index}); remove it")]
    EmptyStopString {
        /// Its place in the list, from 0.
        index: usize,
    },
}
