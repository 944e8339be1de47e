//! Verifiers: what a response to a problem is worth, by its reference answer.
//!
//! ```
//! use std::time::Duration;
//! use polestar_verifiers::{configure, Budget, Job, RawItem, Supervisor, SupervisorConfig};
//! use serde_json::json;
//!
//! let math = configure("math", &json!({"fallback": "none"}))?;
//! let judge = math.bind(RawItem { id: "p1".into(), problem: "6 * 7?".into(), reference: json!("42") })?;
//!
//! // One response on this thread:
//! let verdict = judge.judge(&"6 * 7 is 42. The answer is 42.".into(), &Budget::starting_now(Duration::from_secs(1)));
//! assert_eq!(verdict.kind_name(), "right");
//!
//! // Many, on threads, with deadlines:
//! let supervisor = Supervisor::new(SupervisorConfig { jobs: 2, timeout: Duration::from_secs(10), queue: 64 });
//! let outcomes = supervisor.judge_all(vec![Job::new(judge, r"\boxed{43}")], None);
//! assert_eq!(outcomes[0].verdict.reason(), "43 differs from 42");
//! # Ok::<(), polestar_verifiers::VerifierError>(())
//! ```
//!
//! # Adding a verifier
//!
//! One file with a type that implements [`Verifier`], its `mod` line below, and one line in the list in `kinds.rs`:
//! `KindEntry::of::<Parity>()`. Everything else (settings from recipes and the command line, errors that name the
//! problem, threads, deadlines, `polestar verify`) follows from that.
//!
//! ```
//! use polestar_verifiers::{Budget, Item, KindEntry, RawItem, Response, Verdict, Verifier};
//! use serde::Deserialize;
//!
//! /// Right is any text whose number of words is even, or odd, as the reference says.
//! struct Parity;
//!
//! #[derive(Default, Deserialize)]
//! #[serde(deny_unknown_fields, default)]
//! struct Settings {}
//!
//! /// Parsed once at load. What cannot be parsed is an error that names the problem.
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Reference {
//!     answer: Side,
//! }
//!
//! #[derive(Clone, Copy, PartialEq, Deserialize)]
//! #[serde(rename_all = "kebab-case")]
//! enum Side {
//!     Even,
//!     Odd,
//! }
//!
//! impl Verifier for Parity {
//!     const NAME: &'static str = "parity";
//!     const ABOUT: &'static str = "the number of words is even or odd";
//!     type Settings = Settings;
//!     type Reference = Reference;
//!
//!     fn new(_settings: Settings) -> Result<Self, String> {
//!         Ok(Self)
//!     }
//!
//!     fn verify(&self, item: &Item<Reference>, response: &Response<'_>, _budget: &Budget) -> Verdict {
//!         let n_words = response.split_whitespace().count();
//!         let side = if n_words % 2 == 0 { Side::Even } else { Side::Odd };
//!         let reason = format!("{n_words} words");
//!         if side == item.reference.answer { Verdict::right(reason, None) } else { Verdict::wrong(reason, None) }
//!     }
//! }
//!
//! let parity = KindEntry::of::<Parity>().configure(&serde_json::Value::Null)?;
//! let item = |reference: &str| RawItem { id: "p1".into(), reference: reference.into(), ..RawItem::default() };
//! assert!(parity.bind(item("odd")).is_ok());
//! let error = parity.bind(item("strange")).err().map(|error| error.to_string()).unwrap_or_default();
//! assert!(error.contains("`p1`") && error.contains("expected `even` or `odd`"));
//! # Ok::<(), polestar_verifiers::VerifierError>(())
//! ```
//!
//! A verifier in another language is a program ([`process`]) or a server ([`http`]) that is named in the settings and
//! needs no line here.
//!
//! # What is judged and what is not
//!
//! A response that is wrong, empty, garbage, or takes too much to work out is *judged*, with score 0. A verifier that
//! hangs, crashes, cannot be reached or answers rubbish is *undecided*: no reward at all. A reference answer that cannot be read is an
//! error at load. The three never pass for each other; see [`Verdict`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answer;
mod budget;
mod cache;
pub mod choice;
mod client;
pub mod code;
mod command;
mod digits;
mod error;
mod fault;
pub mod format;
pub mod http;
mod kinds;
pub mod lean;
pub mod length;
mod lock;
pub mod math;
mod pipe;
pub mod process;
mod protocol;
pub mod repetition;
pub mod rubric;
mod sandbox;
#[cfg(test)]
mod shared_data;
mod supervisor;
pub mod text;
mod verdict;
mod verifier;

pub use budget::{Budget, MAX_TIMEOUT_S, timeout};
pub use code::{SandboxReport, sandbox_report};
pub use command::{VERIFY_ABOUT, VerifyArgs, run_verify, verify_help};
pub use digits::{Digits, DigitsReference, DigitsSettings};
pub use error::VerifierError;
pub use kinds::{KindEntry, configure, kinds};
pub use lean::{LeanReport, lean_report};
pub use supervisor::{Job, Outcome, StreamError, Supervisor, SupervisorConfig};
pub use verdict::{Cause, CauseKind, Kind, Score, Verdict};
pub use verifier::{Configured, Item, Judge, RawItem, Response, Verifier};
