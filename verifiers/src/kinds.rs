//! The list of verifiers. A new verifier is its own file, its `mod` line in `lib.rs`, and one line of [`KINDS`].

use serde_json::Value;

use crate::choice::Choice;
use crate::code::Code;
use crate::digits::Digits;
use crate::error::VerifierError;
use crate::format::Format;
use crate::http::Http;
use crate::lean::Lean;
use crate::length::Length;
use crate::math::Math;
use crate::process::Process;
use crate::repetition::Repetition;
use crate::rubric;
use crate::text::Text;
use crate::verifier::{Configured, Verifier, configure as configure_as};

/// Every verifier there is.
static KINDS: &[KindEntry] = &[
    KindEntry::of::<Math>(),
    KindEntry::of::<Choice>(),
    KindEntry::of::<Text>(),
    KindEntry::of::<Digits>(),
    KindEntry::of::<Format>(),
    KindEntry::of::<Length>(),
    KindEntry::of::<Repetition>(),
    KindEntry { name: rubric::NAME, about: rubric::ABOUT, lenient: None, configure: rubric::configure },
    KindEntry::of::<Code>(),
    KindEntry::of::<Lean>(),
    KindEntry::of::<Process>(),
    KindEntry::of::<Http>(),
];

/// One kind of verifier, its type forgotten.
#[derive(Clone, Copy, Debug)]
pub struct KindEntry {
    /// The kind, as recipes and the command line name it.
    pub name: &'static str,
    /// One line for help texts.
    pub about: &'static str,
    /// The setting, and its value, that takes answers as leniently as the kind can.
    pub lenient: Option<(&'static str, &'static str)>,
    configure: fn(&Value) -> Result<Box<dyn Configured>, VerifierError>,
}

impl KindEntry {
    /// The entry of a verifier type.
    pub const fn of<V: Verifier>() -> Self {
        Self { name: V::NAME, about: V::ABOUT, lenient: V::LENIENT, configure: configure_as::<V> }
    }

    /// A verifier of this kind with these settings, a JSON object; null stands for no settings.
    ///
    /// # Errors
    /// A setting is unknown or has a value that it cannot have: [`VerifierError::Settings`].
    pub fn configure(&self, options: &Value) -> Result<Box<dyn Configured>, VerifierError> {
        (self.configure)(options)
    }
}

/// Every kind of verifier there is.
pub fn kinds() -> &'static [KindEntry] {
    KINDS
}

/// A verifier of the kind of that name with these settings, a JSON object; null stands for no settings.
///
/// # Errors
/// [`VerifierError::UnknownKind`], which lists the kinds, or [`VerifierError::Settings`].
pub fn configure(kind: &str, options: &Value) -> Result<Box<dyn Configured>, VerifierError> {
    match KINDS.iter().find(|entry| entry.name == kind) {
        Some(entry) => entry.configure(options),
        None => {
            let known = KINDS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ");
            Err(VerifierError::UnknownKind { kind: kind.to_owned(), known })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::verifier::RawItem;

    #[test]
    fn names_are_unique_and_every_kind_has_defaults_or_says_what_it_needs() {
        for (i, entry) in kinds().iter().enumerate() {
            assert!(kinds()[..i].iter().all(|other| other.name != entry.name), "{}", entry.name);
            assert!(!entry.about.is_empty() && !entry.about.contains('\n'), "{}", entry.name);
            match entry.configure(&Value::Null) {
                Ok(configured) => assert_eq!(configured.name(), entry.name),
                Err(error) => assert!(error.to_string().contains("` must be "), "{}: {error}", entry.name),
            }
        }
    }

    #[test]
    fn an_unknown_kind_lists_the_kinds() {
        let error = configure("coq", &Value::Null).err().unwrap().to_string();
        assert_eq!(
            error,
            "there is no verifier of kind `coq`; the kinds are: math, choice, text, digits, format, length, repetition, rubric, code, lean, process, http"
        );
    }

    #[test]
    fn unknown_settings_are_named() {
        let error = configure("math", &json!({"fallbak": "none"})).err().unwrap().to_string();
        assert!(
            error.contains("`math`") && error.contains("`fallbak`") && error.contains("`fallback`"),
            "{error}"
        );
        let error = configure("math", &json!({"fallback": "first"})).err().unwrap().to_string();
        assert!(error.contains(r#"{"fallback":"first"}"#) && error.contains("`last-number`"), "{error}");
        let error = configure("math", &json!("last-number")).err().unwrap().to_string();
        assert!(error.contains("they must be an object"), "{error}");
    }

    #[test]
    fn a_bad_reference_names_the_problem() {
        let math = configure("math", &Value::Null).unwrap();
        let item = RawItem { id: "gsm-17".into(), reference: json!({"answr": "3"}), ..RawItem::default() };
        let error = math.bind(item).err().unwrap().to_string();
        assert!(
            error.contains("`gsm-17`")
                && error.contains("`answr`")
                && error.contains("leave the problem out"),
            "{error}"
        );
    }
}
