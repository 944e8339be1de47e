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
    /// Nothing to learn.
    #[error(
        "{origin}: problem {problem} has no response to learn: name the column that holds worked solutions (data.train.columns.response), or leave the problem out"
    )]
    NoResponse {
        /// The problem's id.
        problem: String,
        /// Where the problem stands.
        origin: String,
    },
    /// What is learned would be longer than what the model can see.
    #[error(
        "{what} of problem {problem} ({origin}) have {tokens} tokens; the model's context is {context}: {next}"
    )]
    LearnedTooLong {
        /// Which texts.
        what: &'static str,
        /// The problem's id.
        problem: String,
        /// Where the problem stands.
        origin: String,
        /// Their tokens.
        tokens: usize,
        /// The model's context.
        context: usize,
        /// What to do about it.
        next: &'static str,
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

    /// A problem's prompt and its own response, as supervised training learns them.
    ///
    /// # Errors
    /// As [`Prompter::ids`]; a problem without a response, or one that with its prompt does not fit the model's context.
    pub fn supervised(&self, problem: &Problem) -> Result<(Vec<TokenId>, Vec<TokenId>), PromptError> {
        let (id, origin) = (|| problem.id.clone(), || problem.origin.to_string());
        let Some(response) = &problem.response else {
            return Err(PromptError::NoResponse { problem: id(), origin: origin() });
        };
        let prompt = self.ids(problem, 0, Form::Plain)?;
        let mut ids = self.tokenizer.encode(response)?;
        // What ends a response must be learned, or the model never stops.
        ids.extend(self.tokenizer.terminator().or(self.tokenizer.eos_id()));
        let tokens = prompt.len() + ids.len();
        if tokens > self.context {
            return Err(PromptError::LearnedTooLong {
                what: "the prompt and the response",
                problem: id(),
                origin: origin(),
                tokens,
                context: self.context,
                next: "leave the problem out, or take a model with a longer context",
            });
        }
        Ok((prompt, ids))
    }

    /// The prompt that gives the answer as a hint, behind the first `num_examples` worked examples. What is sampled
    /// after it, up to `max_new_tokens`, is learned after `trained`, where it must fit, too.
    ///
    /// # Errors
    /// As [`Prompter::ids`], and responses that may fit behind the hint and not behind `trained`.
    pub fn hinted(
        &self,
        problem: &Problem,
        num_examples: usize,
        answer: &str,
        trained: &[TokenId],
        max_new_tokens: usize,
    ) -> Result<Vec<TokenId>, PromptError> {
        let shown = self.ids(problem, num_examples, Form::Hinted { answer })?;
        let tokens = trained.len() + max_new_tokens.min(self.context - shown.len());
        if tokens > self.context {
            return Err(PromptError::LearnedTooLong {
                what: "the prompt without the hint and a response of full length",
                problem: problem.id.clone(),
                origin: problem.origin.to_string(),
                tokens,
                context: self.context,
                next: "lower rollout.max_new_tokens, or leave the problem out",
            });
        }
        Ok(shown)
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
            (ProblemPrompt::Messages(turns), Form::Hinted { .. }) => {
                let own = turns.iter().filter(|turn| turn.role == "system");
                let own: Vec<_> = own.map(|turn| ChatMessage::new(&turn.role, &turn.content)).collect();
                if !own.is_empty() {
                    messages.retain(|message| message.role != "system");
                    messages.splice(0..0, own);
                }
                messages.push(ChatMessage::new("user", &self.render(problem, form)?));
            }
            (ProblemPrompt::Text(_), _) => {
                messages.push(ChatMessage::new("user", &self.render(problem, form)?))
            }
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

#[cfg(test)]
mod tests {
    use polestar_data::{Message, Origin};
    use serde_json::{Map, json};

    use super::*;

    fn prompter(config: &PromptConfig, context: usize) -> Prompter {
        let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/models/llama-tied");
        let tokenizer = Tokenizer::load(std::path::Path::new(model)).unwrap();
        Prompter::new(Arc::new(tokenizer), config, context).unwrap()
    }

    fn conversation(turns: &[(&str, &str)]) -> Problem {
        let turns =
            turns.iter().map(|(role, content)| Message { role: (*role).into(), content: (*content).into() });
        Problem {
            id: "p".into(),
            prompt: ProblemPrompt::Messages(turns.collect()),
            reference: json!("6"),
            response: None,
            fields: Map::new(),
            origin: Origin { file: "f.jsonl".into(), line: 3 },
        }
    }

    #[test]
    fn a_template_asks_whether_a_field_is_there_and_joins_lists() {
        let template = "{{ prompt }}{% if tests is defined %}\n{{ tests | join('\n') }}{% endif %}";
        let prompter = prompter(&PromptConfig { template: template.into(), ..PromptConfig::default() }, 512);
        for (fields, expected) in [
            (json!({"tests": ["assert a", "assert b"]}), "Say.\nassert a\nassert b"),
            (json!({"other": 1}), "Say."),
        ] {
            let fields = fields.as_object().unwrap().clone();
            let problem = Problem { fields, prompt: ProblemPrompt::Text("Say.".into()), ..conversation(&[]) };
            assert_eq!(prompter.render(&problem, Form::Plain).unwrap(), expected);
        }
    }

    #[test]
    fn a_hinted_try_keeps_the_conversations_own_system_message() {
        let config = PromptConfig { system: Some("The recipe speaks.".into()), ..PromptConfig::default() };
        let prompter = prompter(&config, 256);
        let text =
            |problem: &Problem, form| prompter.tokenizer.decode(&prompter.ids(problem, 0, form).unwrap());
        let hinted = Form::Hinted { answer: "6" };
        let own = conversation(&[("system", "Be brief."), ("user", "What is 2 + 4?")]);
        for form in [Form::Plain, hinted] {
            let text = text(&own, form);
            assert!(text.contains("Be brief.") && !text.contains("The recipe speaks."), "{text}");
            assert!(text.find("Be brief.") < text.find("What is 2 + 4?"), "{text}");
        }
        assert!(text(&own, hinted).contains("the final answer is 6"));
        let bare = conversation(&[("user", "What is 2 + 4?")]);
        assert!(text(&bare, hinted).contains("The recipe speaks."));
    }
}
