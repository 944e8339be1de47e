//! `http`: a server that judges. One request is one POST of `{"id", "problem", "reference", "response"}`; the answer's
//! body is `{"score", "reason"?, "extracted"?, "kind"?}` or `{"undecided": cause}`, with the request's `id` or without.
//! Plain HTTP only: a judge stands in the same cluster, and TLS would bring fifteen more crates, a C compiler and its
//! own list of authorities.
//!
//! | the server | the verdict |
//! | --- | --- |
//! | answers 2xx with an answer | what it says |
//! | answers 5xx, 408 or 429, or the connection fails | asked again, later each time or when `Retry-After` says, then undecided (unreachable) |
//! | answers 4xx otherwise, 3xx, or `undecided` | undecided (declined) at once |
//! | does not answer in time | undecided (timeout) |
//! | sends what is no answer, or too much | undecided (rubbish) |

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Response, Uri};
use ureq::{Agent, Body};

use crate::budget::Budget;
use crate::protocol::{Answer, Ids, request, shown};
use crate::verdict::{CauseKind, Verdict};
use crate::verifier::{self, Item, Verifier};

/// The wait before the first retry; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait between two tries, unless the server asks for more.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long a server may take to show that it is there.
const READY_WAIT: Duration = Duration::from_secs(5);
/// What stands before the name of an environment variable in a header's value.
const FROM_ENVIRONMENT: &str = "env:";
/// Connections kept open for the next requests.
const IDLE_CONNECTIONS: usize = 256;

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
    headers: HeaderMap,
    retries: u32,
    max_output_bytes: u64,
    agent: Agent,
    ids: Ids,
}

/// Why a try gave no verdict.
struct Fault {
    kind: CauseKind,
    message: String,
    /// Whether another try may do better; with the wait that the server asks for.
    retry: Option<Option<Duration>>,
}

impl Fault {
    fn last(kind: CauseKind, message: String) -> Self {
        Self { kind, message, retry: None }
    }

    fn passing(message: String, wait: Option<Duration>) -> Self {
        Self { kind: CauseKind::Unreachable, message, retry: Some(wait) }
    }
}

impl Verifier for Http {
    const NAME: &'static str = "http";
    const ABOUT: &'static str = "a server that answers POSTs";
    const FIRST_FIELD: &'static str = "";
    const EXTERNAL: bool = true;
    type Settings = HttpSettings;
    type Reference = Value;

    fn new(settings: HttpSettings) -> Result<Self, String> {
        check_url(&settings.url)?;
        if settings.max_output_kb == 0 {
            return Err("`max_output_kb` must be at least 1, found 0".to_owned());
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .user_agent("polestar")
            .build();
        Ok(Self {
            url: settings.url,
            headers: headers(&settings.headers)?,
            retries: settings.retries,
            max_output_bytes: settings.max_output_kb.saturating_mul(1024),
            agent: config.new_agent(),
            ids: Ids::default(),
        })
    }

    fn ready(&self) -> Result<(), String> {
        let mut head = self.agent.head(&self.url);
        if let Some(headers) = head.headers_mut() {
            headers.extend(self.headers.clone());
        }
        // Any status will do: a server that judges need not know HEAD.
        let answer = head.config().timeout_global(Some(READY_WAIT)).build().call();
        answer.map(drop).map_err(|error| {
            format!("nothing answers at {}: {error}; start the server, or correct `url`", self.url)
        })
    }

    fn verify(&self, item: &Item<Value>, response: &verifier::Response<'_>, budget: &Budget) -> Verdict {
        let id = self.ids.next();
        let body = request(&id, item, response);
        let mut num_tries = 0;
        loop {
            let fault = match self.ask(&id, &body, budget) {
                Ok(verdict) => return verdict,
                Err(fault) => fault,
            };
            num_tries += 1;
            let Fault { kind, message, retry } = fault;
            let Some(asked) = retry else { return Verdict::undecided(kind, message) };
            let give_up = |why: String| Verdict::undecided(kind, format!("{message}; {why}"));
            if num_tries > self.retries {
                return give_up(format!("given up after {num_tries} tries"));
            }
            // 100 ms times 2, 4, ..., as far as that fits.
            let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(num_tries - 1));
            let wait = asked.unwrap_or_else(|| doubled.min(LONGEST_WAIT));
            let left = budget.remaining();
            if wait >= left {
                return give_up(format!(
                    "given up after {num_tries} tries: the next is due in {:.1} s, and {:.1} s are left",
                    wait.as_secs_f64(),
                    left.as_secs_f64()
                ));
            }
            std::thread::sleep(wait);
        }
    }
}

impl Http {
    /// One try.
    fn ask(&self, id: &str, body: &str, budget: &Budget) -> Result<Verdict, Fault> {
        let mut post = self.agent.post(&self.url).content_type("application/json");
        if let Some(headers) = post.headers_mut() {
            headers.extend(self.headers.clone());
        }
        let limit = budget.deadline().map(|_| budget.remaining());
        let sent = post.config().timeout_global(limit).build().send(body);
        let mut answer = sent.map_err(|error| self.fault(error, budget))?;
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(self.max_output_bytes).read_to_vec();
        if !status.is_success() {
            let said = body.map(|body| format!(": {}", shown(&body))).unwrap_or_default();
            let message = format!("{} answered {status}{said}", self.url);
            if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
                return Err(Fault::passing(message, retry_after(&answer)));
            }
            return Err(Fault::last(CauseKind::Declined, message));
        }
        let body = body.map_err(|error| self.fault(error, budget))?;
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

    fn fault(&self, error: ureq::Error, budget: &Budget) -> Fault {
        let url = &self.url;
        match error {
            ureq::Error::Timeout(_) => {
                let seconds = budget.started().elapsed().as_secs_f64();
                Fault::last(CauseKind::Timeout, format!("{url} gave no whole answer in {seconds:.3} s"))
            }
            ureq::Error::BodyExceedsLimit(limit) => Fault::last(
                CauseKind::Rubbish,
                format!("{url} sent more than {} KiB (`max_output_kb`)", limit / 1024),
            ),
            ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => {
                Fault::last(CauseKind::Rubbish, format!("{url} does not speak HTTP as it should: {error}"))
            }
            _ => Fault::passing(format!("{url} cannot be reached: {error}"), None),
        }
    }
}

/// The wait that the server asks for, where it says it in seconds.
fn retry_after(answer: &Response<Body>) -> Option<Duration> {
    let value = answer.headers().get("retry-after")?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

fn check_url(url: &str) -> Result<(), String> {
    let refuse = |found: &str| Err(format!("`url` must be as http://localhost:8000/judge, found {found}"));
    match url.parse::<Uri>() {
        Ok(uri) if uri.host().is_some() && uri.scheme_str() == Some("http") => Ok(()),
        Ok(uri) if uri.scheme_str() == Some("https") => Err(format!(
            "`url` must begin with http://, found `{url}`: TLS is not built in; reach the server through a tunnel or a \
             proxy on this machine"
        )),
        _ if url.is_empty() => refuse("none"),
        _ => refuse(&format!("`{url}`")),
    }
}

/// The headers, with what the environment holds put in.
fn headers(settings: &BTreeMap<String, String>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in settings {
        let key: HeaderName =
            name.parse().map_err(|_| format!("`headers` must have names of headers, found `{name}`"))?;
        let value = match value.strip_prefix(FROM_ENVIRONMENT) {
            Some(variable) => std::env::var(variable).map_err(|_| {
                format!("the header `{name}` must have its value in the environment variable `{variable}`, which is not set")
            })?,
            None => value.clone(),
        };
        // The value is not shown: it may be a key.
        let mut value = HeaderValue::from_str(&value)
            .map_err(|_| format!("the value of the header `{name}` must be printable and in one line"))?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
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
