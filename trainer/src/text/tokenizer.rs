//! Everything that a model's folder says about text, behind one type.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::chat::{ChatMessage, ChatTemplates, RenderOptions};
use super::codec::Codec;
use super::folder::JsonFile;
use super::special::SpecialTokens;
use super::stop_ids::StopIds;
use super::stop_strings::{StopStrings, StopWatch};
use super::{StreamDecoder, TextError};

/// A model's tokenizer, chat templates and stop ids.
pub struct Tokenizer {
    folder: PathBuf,
    codec: Arc<Codec>,
    special: SpecialTokens,
    chat: ChatTemplates,
    stops: StopIds,
    /// What a prompt without chat begins with.
    prefix: Vec<u32>,
    /// The token that the chat template writes after an assistant's message.
    terminator: Option<u32>,
    fingerprint: String,
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer")
            .field("folder", &self.folder)
            .field("vocab_size", &self.vocab_size())
            .field("stops", &self.stops)
            .finish_non_exhaustive()
    }
}

impl Tokenizer {
    /// Loads a Hugging Face folder: tokenizer.json, and where they are there tokenizer_config.json,
    /// special_tokens_map.json, chat_template.jinja, generation_config.json and config.json.
    ///
    /// # Errors
    /// When tokenizer.json is missing, a file is not what it should be, or a special token is not in the vocabulary.
    /// A chat template that cannot be parsed is an error only once it is used.
    pub fn load(folder: &Path) -> Result<Self, TextError> {
        let path = folder.join("tokenizer.json");
        let bytes = std::fs::read(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => TextError::NoTokenizer { path: path.clone() },
            _ => TextError::Read { path: path.clone(), source },
        })?;
        let codec = Arc::new(Codec::new(folder, &bytes)?);
        let config = JsonFile::read(folder, "tokenizer_config.json")?;
        let special = SpecialTokens::load(folder, &config, &codec)?;
        let chat = ChatTemplates::load(folder, &config)?;
        let stops = StopIds::load(folder, &special, &codec)?;
        let prefix = prefix(&special, codec.prefix()?);
        let fingerprint = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut tokenizer = Self {
            folder: folder.into(),
            codec,
            special,
            chat,
            stops,
            prefix,
            terminator: None,
            fingerprint,
        };
        tokenizer.terminator = tokenizer.find_terminator();
        Ok(tokenizer)
    }

    /// Ids of a text. Nothing is added; special tokens that stand in the text become their ids.
    ///
    /// # Errors
    /// When the tokenizer has no way to encode the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TextError> {
        self.codec.encode(text)
    }

    /// Ids of a prompt without chat: as [`Self::encode`], after what the tokenizer puts before a text (`bos`, for models
    /// that want one). Nothing is put after it, since the model goes on from there.
    ///
    /// # Errors
    /// When the tokenizer has no way to encode the text.
    pub fn encode_plain_prompt(&self, text: &str) -> Result<Vec<u32>, TextError> {
        let mut ids = self.prefix.clone();
        ids.extend(self.encode(text)?);
        Ok(ids)
    }

    /// Text of ids, special tokens included. Ids past the vocabulary have no text.
    #[must_use]
    pub fn decode(&self, ids: &[u32]) -> String {
        self.codec.decode(ids, false)
    }

    /// Text of ids without the special tokens.
    #[must_use]
    pub fn decode_skip_special(&self, ids: &[u32]) -> String {
        self.codec.decode(ids, true)
    }

    /// One more than the largest id: the rows that the model's embedding needs at least.
    #[must_use]
    pub fn vocab_size(&self) -> usize {
        self.codec.vocab_size()
    }

    /// A token as the vocabulary spells it.
    #[must_use]
    pub fn token(&self, id: u32) -> Option<String> {
        self.codec.token(id)
    }

    /// The id of a token as the vocabulary spells it.
    #[must_use]
    pub fn id(&self, token: &str) -> Option<u32> {
        self.codec.id(token)
    }

    /// Whether an id is a special token.
    #[must_use]
    pub fn is_special(&self, id: u32) -> bool {
        self.codec.is_special(id)
    }

    /// The token that begins a text.
    #[must_use]
    pub fn bos_id(&self) -> Option<u32> {
        self.special.bos.as_ref().map(|token| token.id)
    }

    /// The token that ends a text, by the tokenizer alone: to know where responses end, use [`Self::stop_ids`].
    #[must_use]
    pub fn eos_id(&self) -> Option<u32> {
        self.special.eos.as_ref().map(|token| token.id)
    }

    /// The padding token. It is often the same as `eos`, so nothing may be masked by it.
    #[must_use]
    pub fn pad_id(&self) -> Option<u32> {
        self.special.pad.as_ref().map(|token| token.id)
    }

    /// The ids that end a response.
    #[must_use]
    pub fn stop_ids(&self) -> &StopIds {
        &self.stops
    }

    /// SHA-256 of tokenizer.json as it was loaded, in hexadecimal.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Whether the folder has a chat template.
    #[must_use]
    pub fn has_chat_template(&self) -> bool {
        !self.chat.is_empty()
    }

    /// The special token that the chat template writes after an assistant's message, if it writes one.
    #[must_use]
    pub fn terminator(&self) -> Option<u32> {
        self.terminator
    }

    /// Checks that chat can be used: there is a template, and generation stops where the template ends a turn.
    ///
    /// # Errors
    /// When there is no template, or its terminator is not a stop id.
    pub fn check_chat(&self) -> Result<(), TextError> {
        if self.chat.is_empty() {
            return Err(TextError::NoTemplate { folder: self.folder.clone() });
        }
        match self.terminator {
            Some(id) if !self.stops.contains(id) => Err(TextError::Terminator {
                folder: self.folder.clone(),
                token: self.token(id).unwrap_or_default(),
                id,
                stops: self.stops.to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// A conversation as the text that the model was trained on.
    ///
    /// # Errors
    /// When there is no template, it refuses the conversation, or it cannot be rendered.
    pub fn render_chat(
        &self,
        messages: &[ChatMessage],
        options: &RenderOptions,
    ) -> Result<String, TextError> {
        let messages: Vec<Value> = messages.iter().map(ChatMessage::to_json).collect();
        self.chat.render(&messages, &self.special.variables, options)
    }

    /// Ids of a conversation; `bos` is there only if the template writes it.
    ///
    /// # Errors
    /// As [`Self::check_chat`], [`Self::render_chat`] and [`Self::encode`].
    pub fn encode_chat(
        &self,
        messages: &[ChatMessage],
        options: &RenderOptions,
    ) -> Result<Vec<u32>, TextError> {
        self.check_chat()?;
        self.encode(&self.render_chat(messages, options)?)
    }

    /// Whether a chat template asks for the time, so that renders depend on [`Self::set_now`].
    #[must_use]
    pub fn chat_uses_clock(&self) -> bool {
        self.chat.use_clock()
    }

    /// Sets the time that chat templates see, in Unix seconds (UTC). Until then it is the time of loading.
    pub fn set_now(&mut self, unix_s: i64) {
        self.chat.set_now(unix_s);
    }

    /// Checks that the model has a row for each of the tokenizer's ids. More rows are fine: they are padding.
    ///
    /// # Errors
    /// Names the sizes and a token or stop id that the model lacks.
    pub fn check_vocab(&self, model_vocab_size: usize) -> Result<(), TextError> {
        if let Some((token, id, num_past)) = self.codec.past(model_vocab_size) {
            let folder = self.folder.clone();
            return Err(TextError::Vocabulary { folder, model_vocab_size, token, id, num_past });
        }
        match self.stops.iter().find(|&id| id as usize >= model_vocab_size) {
            Some(id) => Err(TextError::StopIdPastVocabulary {
                folder: self.folder.clone(),
                id,
                source_keys: self.stops.sources(id).join(", "),
                model_vocab_size,
            }),
            None => Ok(()),
        }
    }

    /// A decoder for one growing response.
    #[must_use]
    pub fn stream(&self, skip_special: bool) -> StreamDecoder {
        StreamDecoder::new(Arc::clone(&self.codec), skip_special)
    }

    /// A watch for stop strings in one growing response, special tokens included in its text.
    #[must_use]
    pub fn watch(&self, strings: &Arc<StopStrings>) -> StopWatch {
        StopWatch::new(Arc::clone(strings), self.stream(false))
    }

    /// Renders a made-up conversation and takes the first special token after the assistant's words. Templates that
    /// refuse it, or that write no special token there, have no terminator.
    fn find_terminator(&self) -> Option<u32> {
        let words = "Polestar-terminator-probe";
        let messages = [ChatMessage::new("user", "Hello"), ChatMessage::new("assistant", words)];
        let rendered = self.render_chat(&messages, &RenderOptions::default()).ok()?;
        let after = rendered.rfind(words)? + words.len();
        let ids = self.encode(&rendered[after..]).ok()?;
        ids.into_iter().find(|&id| self.codec.is_special(id))
    }
}

/// `add_bos_token` decides where it is given; else the post-processor, whose prefix this is.
fn prefix(special: &SpecialTokens, from_post_processor: Vec<u32>) -> Vec<u32> {
    let bos = special.bos.as_ref().map(|token| token.id);
    match (special.add_bos, bos) {
        (Some(true), Some(bos)) if !from_post_processor.contains(&bos) => vec![bos],
        (Some(false), Some(bos)) => from_post_processor.into_iter().filter(|&id| id != bos).collect(),
        _ => from_post_processor,
    }
}
