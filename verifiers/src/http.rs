//! `http`: a server that judges. One request is one POST of `{"id", "problem", "reference", "response"}`; the answer's
//! body is `{"score", "reason"?, "extracted"?, "kind"?}` or `{"undecided": cause}`, with the request's `id` or without.
//! Plain HTTP only.
//!
//! | the server | the verdict |
//! | --- | --- |
//! | answers 2xx with an answer | what it says |
//! | answers 5xx, 408 or 429, or the connection fails | asked again, later each time or when `Retry-After` says, then undecided (unreachable) |
//! | answers 4xx otherwise, 3xx, or `undecided` | undecided (declined) at once |
//! | does not answer in time | undecided (timeout) |
//! | sends what is no answer, or too much | undecided (rubbish) |

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::budget::Budget;
use crate::client::{Client, Fault, check_url};
use crate::protocol::{Answer, Ids, request};
use crate::verdict::{CauseKind, Verdict};
use crate::verifier::{self, Item, Verifier};

/// The settings of [`Http`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// Where requests are posted. Required.
    pub url: String,
    /// Headers of each request. A value `env:NAME` is taken from the environment variable, so that keys stay out of
    /// recipes and run folders.
    pub headers: BTreeMap<String, String>,
    /// How often a request is sent again after a fault that may pass. Default 3.
    pub retries: u32,
    /// KiB that an answer may have, at least 1. Default 1024.
    pub max_output_kb: u64,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self { url: String::new(), headers: BTreeMap::new(), retries: 3, max_output_kb: 1024 }
    }
}

/// Judges by a server: see the module's documentation.
pub struct Http {
    url: String,
    client: Client,
    ids: Ids,
}

impl Verifier for Http {
    const NAME: &'static str = "http";
    const ABOUT: &'static str = "a server that answers POSTs";
    const FIRST_FIELD: &'static str = "";
    const EXTERNAL: bool = true;
    type Settings = HttpSettings;
    type Reference = Value;

    fn new(settings: HttpSettings) -> Result<Self, String> {
        check_url(&settings.url, "http://localhost:8000/judge")?;
        let client = Client::new(&settings.headers, settings.retries, settings.max_output_kb)?;
        Ok(Self { url: settings.url, client, ids: Ids::default() })
    }

    fn ready(&self) -> Result<(), String> {
        self.client.ready(&self.url)
    }

    fn verify(&self, item: &Item<Value>, response: &verifier::Response<'_>, budget: &Budget) -> Verdict {
        let id = self.ids.next();
        let body = request(&id, item, response);
        let asked = self.client.retry(budget, || self.ask(&id, &body, budget));
        asked.unwrap_or_else(|fault| Verdict::undecided(fault.kind, fault.message))
    }
}

impl Http {
    /// One try.
    fn ask(&self, id: &str, body: &str, budget: &Budget) -> Result<Verdict, Fault> {
        let body = self.client.post(&self.url, body, budget)?;
        let rubbish = |problem: String| {
            let message = format!("the body that {} sent is no answer: {problem}", self.url);
            Fault::last(CauseKind::Rubbish, message)
        };
        let answer = Answer::parse(&body).map_err(rubbish)?;
        match answer.id {
            Some(found) if found != *id && !found.is_null() => {
                Err(rubbish(format!("its id is {found}, that of the request \"{id}\"")))
            }
            _ => Ok(answer.verdict),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_that_cannot_be_meant_are_refused() {
        let url = "http://127.0.0.1:1/";
        let cases = [
            (json!({}), "`url` must be as http://localhost:8000/judge, found none"),
            (json!({"url": "localhost:8000"}), "found `localhost:8000`"),
            (json!({"url": "ftp://x/"}), "found `ftp://x/`"),
            (json!({"url": "/judge"}), "`url` must be"),
            (json!({"url": "https://x/judge"}), "found `https://x/judge`: TLS is not built in"),
            (json!({"url": url, "headers": {"a b": "c"}}), "found `a b`"),
            (json!({"url": url, "headers": {"a": "c\nd"}}), "the value of the header `a`"),
            (
                json!({"url": url, "headers": {"a": "env:POLESTAR_NO_SUCH"}}),
                "`POLESTAR_NO_SUCH`, which is not set",
            ),
            (json!({"url": url, "retries": -1}), "u32"),
            (json!({"url": url, "max_output_kb": 0}), "`max_output_kb` must be at least 1"),
            (json!({"url": url, "timeout": 3}), "unknown field `timeout`"),
        ];
        for (settings, expected) in cases {
            let made = serde_json::from_value(settings.clone()).map_err(|error| error.to_string());
            let error = made.and_then(Http::new).err().unwrap();
            assert!(error.contains(expected), "{settings}: {error}");
        }
    }
}
