//! A problem to the token ids that are sampled after or learned after: the recipe's template, worked examples, the
//! hint of a second try, and the model's chat template where it has one.

use std::sync::Arc;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use polestar_data::{Problem, ProblemPrompt};

use crate::recipe::{ChatChoice, PromptConfig};
use crate::rollout::TokenId;
use crate::text::{ChatMessage, RenderOptions, TextError, Tokenizer};

/// Why a problem could not become a prompt.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// A template of the recipe.
    #[error("{key} does not render for problem {problem} ({origin}): {reason}. Its fields are: {fields}")]
    Template {
        /// The recipe's key.
        key: &'static str,
        /// The problem's id.
        problem: String,
        /// Where the problem stands.
        origin: String,
        /// What the engine says.
        reason: String,
        /// What a template may use.
        fields: String,
    },
    /// The model's text files.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Chat was asked for.
    #[error(
        "prompt.chat = \"on\", but the model has no chat template: add chat_template.jinja to its folder, or set prompt.chat = \"off\""
    )]
    NoChatTemplate,
    /// Too long.
    #[error(
        "the prompt of problem {problem} ({origin}) has {tokens} tokens; the model's context is {context}, and at least one new token must fit: leave the problem out, show fewer `prompt.examples`, or take a model with a longer context"
    )]
    TooLong {
        /// The problem's id.
        problem: String,
        /// Where the problem stands.
        origin: String,
        /// Its tokens.
        tokens: usize,
        /// The model's context.
        context: usize,
    },
}

/// Which prompt of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form<'a> {
    /// The problem.
    Plain,
    /// The problem with its answer as a hint.
    Hinted {
        /// The answer as text.
        answer: &'a str,
    },
}

/// Makes prompts of problems.
#[derive(Debug)]
pub struct Prompter {
    tokenizer: Arc<Tokenizer>,
    config: PromptConfig,
    chat: bool,
    context: usize,
}

impl Prompter {
    /// A prompter for a model with a context of `context` tokens.
    ///
    /// # Errors
    /// Chat is asked for and the model has no chat template, or one whose end of turn would never stop a response.
    pub fn new(
        tokenizer: Arc<Tokenizer>,
        config: &PromptConfig,
        context: usize,
    ) -> Result<Self, PromptError> {
        let chat = match config.chat {
            ChatChoice::Auto => tokenizer.has_chat_template(),
            ChatChoice::Off => false,
            ChatChoice::On if tokenizer.has_chat_template() => true,
            ChatChoice::On => return Err(PromptError::NoChatTemplate),
        };
        if chat {
            tokenizer.check_chat()?;
        }
        Ok(Self { tokenizer, config: config.clone(), chat, context })
    }

    /// The model's tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> &Arc<Tokenizer> {
        &self.tokenizer
    }

    /// Worked examples that the recipe has.
    #[must_use]
    pub fn num_examples(&self) -> usize {
        self.config.examples.len()
    }

    /// The token ids of a problem's prompt behind the first `num_examples` worked examples.
    ///
    /// # Errors
    /// A template that does not render, or a prompt that fills the model's context.
    pub fn ids(
        &self,
        problem: &Problem,
        num_examples: usize,
        form: Form<'_>,
    ) -> Result<Vec<TokenId>, PromptError> {
        let ids = if self.chat {
            let options = RenderOptions { add_generation_prompt: true, ..RenderOptions::default() };
            let mut text =
                self.tokenizer.render_chat(&self.messages(problem, num_examples, form)?, &options)?;
            text.push_str(&self.config.response_prefix);
            self.tokenizer.encode(&text)?
        } else {
            self.tokenizer.encode_plain_prompt(&self.plain(problem, num_examples, form)?)?
        };
        if ids.len() >= self.context {
            return Err(PromptError::TooLong {
                problem: problem.id.clone(),
                origin: problem.origin.to_string(),
                tokens: ids.len(),
                context: self.context,
            });
        }
        Ok(ids)
    }

    fn messages(
        &self,
        problem: &Problem,
        num_examples: usize,
        form: Form<'_>,
    ) -> Result<Vec<ChatMessage>, PromptError> {
        let mut messages = Vec::new();
        messages.extend(self.config.system.iter().map(|system| ChatMessage::new("system", system)));
        for example in self.config.examples.iter().take(num_examples) {
            messages.push(ChatMessage::new("user", &example.prompt));
            messages.push(ChatMessage::new("assistant", &example.response));
        }
        match (&problem.prompt, form) {
            // A conversation speaks for itself; its own system message wins.
            (ProblemPrompt::Messages(turns), Form::Plain) => {
                if turns.iter().any(|turn| turn.role == "system") {
                    messages.retain(|message| message.role != "system");
                }
                messages.extend(turns.iter().map(|turn| ChatMessage::new(&turn.role, &turn.content)));
            }
            _ => messages.push(ChatMessage::new("user", &self.render(problem, form)?)),
        }
        Ok(messages)
    }

    fn plain(&self, problem: &Problem, num_examples: usize, form: Form<'_>) -> Result<String, PromptError> {
        let mut text = String::new();
        if let Some(system) = &self.config.system {
            text.push_str(system);
            text.push_str("\n\n");
        }
        for example in self.config.examples.iter().take(num_examples) {
            text.push_str(&example.prompt);
            text.push_str(&example.response);
            text.push_str("\n\n");
        }
        text.push_str(&self.render(problem, form)?);
        text.push_str(&self.config.response_prefix);
        Ok(text)
    }

    /// What the user says: the recipe's template over the problem's fields.
    fn render(&self, problem: &Problem, form: Form<'_>) -> Result<String, PromptError> {
        let mut fields = problem.fields.clone();
        fields.insert("prompt".into(), problem.prompt.text().into());
        let (key, template) = match form {
            Form::Plain => ("prompt.template", &self.config.template),
            Form::Hinted { answer } => {
                fields.entry("hint").or_insert_with(|| answer.into());
                fields.insert("answer".into(), answer.into());
                ("prompt.hint", &self.config.hint)
            }
        };
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        render(&environment, template, &fields).map_err(|error| PromptError::Template {
            key,
            problem: problem.id.clone(),
            origin: problem.origin.to_string(),
            reason: error.to_string(),
            fields: fields.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }
}

/// Renders a template; unlike the engine alone it keeps a newline at the template's end.
fn render(
    environment: &Environment<'_>,
    template: &str,
    fields: &serde_json::Map<String, serde_json::Value>,
) -> Result<String, minijinja::Error> {
    let mut text = environment.render_str(template, Value::from(Serde(fields)))?;
    if template.ends_with('\n') && !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}
