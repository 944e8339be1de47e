//! The trait that an author of a verifier implements, and how it becomes the object-safe [`Judge`] that runs.
//!
//! Three steps, each of which can fail only at load: a kind and its settings make a [`Configured`] verifier
//! ([`crate::configure`]); binding it to a problem parses the reference answer and makes a [`Judge`]; a judge judges
//! any number of responses and cannot fail, only decide or not.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::budget::Budget;
use crate::cache::{Cache, Key};
use crate::error::{VerifierError, shorten};
use crate::verdict::{Kind, Score, Verdict};

/// How much of a reference or of settings an error message shows, in bytes.
pub(crate) const SHOWN_BYTES: usize = 300;

/// A problem with its reference answer parsed.
#[derive(Clone, Debug)]
pub struct Item<R> {
    /// The problem's id, to name it in messages.
    pub id: String,
    /// The problem as it was posed, for verifiers that need it.
    pub problem: String,
    /// The gold answer.
    pub reference: R,
}

/// What is judged. It stands for its text wherever a text is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// What was answered.
    pub text: &'a str,
    /// How many tokens of the model it is, where that is known.
    pub num_tokens: Option<usize>,
}

impl<'a> From<&'a str> for Response<'a> {
    fn from(text: &'a str) -> Self {
        Self { text, num_tokens: None }
    }
}

impl std::ops::Deref for Response<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.text
    }
}

/// A problem with its reference answer as the data has it.
#[derive(Clone, Debug, Default)]
pub struct RawItem {
    /// The problem's id, to name it in messages.
    pub id: String,
    /// The problem as it was posed.
    pub problem: String,
    /// The gold answer; a bare string or number stands for the reference's first field.
    pub reference: Value,
}

/// Judges responses by reference answers. See the crate's documentation for an example.
///
/// A verifier must be a function of its settings, the item and the response: no clock, no random numbers, no memory of
/// other responses, so that a run can be repeated.
pub trait Verifier: Sized + Send + Sync + 'static {
    /// The kind, as recipes and the command line name it.
    const NAME: &'static str;
    /// One line for help texts.
    const ABOUT: &'static str;
    /// The reference's first field, for which a bare string or number stands. Empty where the reference is no object:
    /// it is then taken as it is.
    const FIRST_FIELD: &'static str = "answer";
    /// Whether the judging is done by something outside of this process. Its verdicts are then kept, so that equal
    /// requests are asked once and have equal verdicts; and it keeps the deadline itself: time that it takes is not
    /// the response's fault.
    const EXTERNAL: bool = false;
    /// The setting, and its value, that takes answers as leniently as the kind can, to measure what strictness costs.
    const LENIENT: Option<(&'static str, &'static str)> = None;
    /// The kind's own settings. Should derive `Deserialize` with `#[serde(deny_unknown_fields)]` and defaults.
    type Settings: DeserializeOwned;
    /// The gold answer, parsed once at load: a bad reference is a load error, never a zero reward. Where parsing needs
    /// more than field types, `#[serde(try_from = "...")]` does it.
    type Reference: DeserializeOwned + Send + Sync + 'static;

    /// A verifier with these settings.
    ///
    /// # Errors
    /// Says which setting has which value and what it should be.
    fn new(settings: Self::Settings) -> Result<Self, String>;

    /// Whether the verifier can judge: what it runs is there and starts, who it asks answers. Called once before any
    /// work; may take seconds.
    ///
    /// # Errors
    /// Says what was found and what to install, start or correct.
    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    /// What of a reference can only be seen with the settings: called once for each problem at load, by several threads
    /// at once.
    ///
    /// # Errors
    /// Says what is wrong with the reference, and what to correct.
    fn check(&self, reference: &Self::Reference) -> Result<(), String> {
        let _ = reference;
        Ok(())
    }

    /// What went wrong beside the verdicts since this was last asked, for `--check`: a second answer to a question
    /// that was decided already, or a question that had to be asked again.
    fn take_complaints(&self) -> Vec<String> {
        Vec::new()
    }

    /// Judges one response. What the response is to blame for is judged; what the verifier is to blame for is
    /// undecided.
    fn verify(&self, item: &Item<Self::Reference>, response: &Response<'_>, budget: &Budget) -> Verdict;

    /// The gold answer as text, to be shown as a hint; none where there is no such text.
    fn answer(reference: &Self::Reference) -> Option<String> {
        let _ = reference;
        None
    }

    /// An answer found in a response ([`Verdict::extracted`]) in a form that is alike for answers that are the same to
    /// this verifier: what majority votes are counted by.
    fn canonical(reference: &Self::Reference, extracted: &str) -> String {
        let _ = reference;
        one_spaced(extracted)
    }
}

/// A text with single spaces and none around.
pub(crate) fn one_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A verifier bound to one problem: what the supervisor runs.
pub trait Judge: Send + Sync {
    /// Judges one response to the problem.
    fn judge(&self, response: &Response<'_>, budget: &Budget) -> Verdict;

    /// The gold answer as text, for hints.
    fn answer(&self) -> Option<String>;

    /// An answer found in a response, alike for answers that are the same to the verifier: see [`Verifier::canonical`].
    fn canonical(&self, extracted: &str) -> String {
        one_spaced(extracted)
    }
}

/// A verifier with its settings, to be bound to problems.
pub trait Configured: Send + Sync {
    /// The verifier's kind.
    fn name(&self) -> &'static str;

    /// Parses the problem's reference answer and makes the problem's judge.
    ///
    /// # Errors
    /// The reference cannot be read: [`VerifierError::Reference`], which names the problem.
    fn bind(&self, item: RawItem) -> Result<Arc<dyn Judge>, VerifierError>;

    /// Whether it can judge: see [`Verifier::ready`].
    ///
    /// # Errors
    /// [`VerifierError::NotReady`], which says what to install, start or correct.
    fn ready(&self) -> Result<(), VerifierError> {
        Ok(())
    }

    /// See [`Verifier::take_complaints`].
    fn take_complaints(&self) -> Vec<String> {
        Vec::new()
    }

    /// Keeps no verdicts from now on: problems that are bound later are judged anew each time.
    fn forget_verdicts(&mut self) {}

    /// Whether something outside of this process judges: see [`Verifier::EXTERNAL`].
    fn is_external(&self) -> bool {
        false
    }
}

/// A verifier of one type with its settings.
struct Ready<V> {
    verifier: Arc<V>,
    /// The verdicts that were given, and the settings' part of their keys.
    cache: Option<(Arc<Cache>, Key)>,
}

/// A verifier of one type, bound to one problem.
struct Bound<V: Verifier> {
    verifier: Arc<V>,
    item: Item<V::Reference>,
    /// The verdicts that were given, and the settings' and the problem's part of their keys.
    cache: Option<(Arc<Cache>, Key)>,
}

/// Makes a verifier of one type from untyped settings; null stands for none.
pub(crate) fn configure<V: Verifier>(options: &Value) -> Result<Box<dyn Configured>, VerifierError> {
    let refuse = |problem: String| VerifierError::Settings {
        kind: V::NAME,
        problem,
        found: shorten(&options.to_string(), SHOWN_BYTES),
    };
    let settings = match options {
        Value::Null => Value::Object(serde_json::Map::new()),
        Value::Object(_) => options.clone(),
        _ => return Err(refuse("they must be an object, or left out".to_owned())),
    };
    let settings = serde_json::from_value(settings).map_err(|error| refuse(error.to_string()))?;
    let verifier = V::new(settings).map_err(refuse)?;
    let cache =
        V::EXTERNAL.then(|| (Arc::default(), Key::default().with(V::NAME).with(&options.to_string())));
    Ok(Box::new(Ready { verifier: Arc::new(verifier), cache }))
}

impl<V: Verifier> Configured for Ready<V> {
    fn name(&self) -> &'static str {
        V::NAME
    }

    fn bind(&self, item: RawItem) -> Result<Arc<dyn Judge>, VerifierError> {
        let RawItem { id, problem, reference } = item;
        let cache = self
            .cache
            .as_ref()
            .map(|(cache, key)| (Arc::clone(cache), key.clone().with(&problem).with(&reference.to_string())));
        let found = shorten(&reference.to_string(), SHOWN_BYTES);
        let refuse =
            |problem: String| VerifierError::Reference { kind: V::NAME, id: id.clone(), problem, found };
        let reference = match reference {
            as_it_is if V::FIRST_FIELD.is_empty() => as_it_is,
            bare @ (Value::String(_) | Value::Number(_)) => {
                Value::Object(serde_json::Map::from_iter([(V::FIRST_FIELD.to_owned(), bare)]))
            }
            object @ Value::Object(_) => object,
            _ => {
                let field = V::FIRST_FIELD;
                return Err(refuse(format!(
                    "it must be an object with \"{field}\", or a text that stands for it"
                )));
            }
        };
        let reference = serde_json::from_value(reference).map_err(|error| error.to_string());
        let checked = reference.and_then(|reference| self.verifier.check(&reference).map(|()| reference));
        let reference = match checked {
            Ok(reference) => reference,
            Err(problem) => return Err(refuse(problem)),
        };
        let verifier = Arc::clone(&self.verifier);
        Ok(Arc::new(Bound { verifier, item: Item { id, problem, reference }, cache }))
    }

    fn ready(&self) -> Result<(), VerifierError> {
        self.verifier.ready().map_err(|problem| VerifierError::NotReady { kind: V::NAME, problem })
    }

    fn take_complaints(&self) -> Vec<String> {
        self.verifier.take_complaints()
    }

    fn forget_verdicts(&mut self) {
        self.cache = None;
    }

    fn is_external(&self) -> bool {
        V::EXTERNAL
    }
}

impl<V: Verifier> Judge for Bound<V> {
    fn judge(&self, response: &Response<'_>, budget: &Budget) -> Verdict {
        let verify = || self.verifier.verify(&self.item, response, budget);
        let verdict = match &self.cache {
            Some((cache, key)) => cache.verdict(key.clone().with(response), verify),
            None => verify(),
        };
        match verdict {
            Verdict::Judged { score, extracted, .. }
                if !V::EXTERNAL && score > Score::ZERO && budget.expired() =>
            {
                let reason = "working it out took longer than allowed, so that it does not count";
                Verdict::zero(Kind::OverBudget, reason, extracted)
            }
            verdict => verdict,
        }
    }

    fn answer(&self) -> Option<String> {
        V::answer(&self.item.reference)
    }

    fn canonical(&self, extracted: &str) -> String {
        V::canonical(&self.item.reference, extracted)
    }
}
