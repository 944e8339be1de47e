//! JSON that is posted to a server, and posted again after a fault that may pass.
//!
//! Plain HTTP only: a judge stands in the same cluster, and TLS would bring fifteen more crates, a C compiler and its own
//! list of authorities.

use std::collections::BTreeMap;
use std::time::Duration;

use ureq::http::uri::Scheme;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri};
use ureq::{Agent, Body};

use crate::budget::Budget;
use crate::protocol::shown;
use crate::verdict::CauseKind;

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

/// Asks servers.
#[derive(Debug)]
pub(crate) struct Client {
    headers: HeaderMap,
    retries: u32,
    max_output_bytes: u64,
    agent: Agent,
}

/// Why a try gave no answer.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: CauseKind,
    pub(crate) message: String,
    /// The status, where the server gave one that is not success.
    pub(crate) status: Option<StatusCode>,
    /// Whether another try may do better; with the wait that the server asks for.
    retry: Option<Option<Duration>>,
}

impl Fault {
    /// One that another try will not mend.
    pub(crate) fn last(kind: CauseKind, message: String) -> Self {
        Self { kind, message, status: None, retry: None }
    }

    /// One that may pass.
    pub(crate) fn passing(kind: CauseKind, message: String) -> Self {
        Self { kind, message, status: None, retry: Some(None) }
    }
}

impl Client {
    /// A client that sends these headers. A value `env:NAME` is taken from the environment variable.
    ///
    /// # Errors
    /// Says what of the settings `headers` and `max_output_kb` cannot be meant.
    pub(crate) fn new(
        headers: &BTreeMap<String, String>,
        retries: u32,
        max_output_kb: u64,
    ) -> Result<Self, String> {
        if max_output_kb == 0 {
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
            headers: read_headers(headers)?,
            retries,
            max_output_bytes: max_output_kb.saturating_mul(1024),
            agent: config.new_agent(),
        })
    }

    /// Whether anything answers.
    ///
    /// # Errors
    /// Nothing does.
    pub(crate) fn ready(&self, url: &str) -> Result<(), String> {
        let mut head = self.agent.head(url);
        if let Some(headers) = head.headers_mut() {
            headers.extend(self.headers.clone());
        }
        // Any status will do: a server that judges need not know HEAD.
        let answer = head.config().timeout_global(Some(READY_WAIT)).build().call();
        answer
            .map(drop)
            .map_err(|error| format!("nothing answers at {url}: {error}; start the server, or correct `url`"))
    }

    /// Tries until there is an answer, a fault that will not pass, or no more retries or time.
    ///
    /// # Errors
    /// The last fault, with why it is the last.
    pub(crate) fn retry<A>(
        &self,
        budget: &Budget,
        mut attempt: impl FnMut() -> Result<A, Fault>,
    ) -> Result<A, Fault> {
        let mut num_tries = 0;
        loop {
            let fault = match attempt() {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            num_tries += 1;
            let Some(asked) = fault.retry else { return Err(fault) };
            let give_up = |why: String| Fault { message: format!("{}; {why}", fault.message), ..fault };
            if num_tries > self.retries {
                return Err(give_up(format!("given up after {num_tries} tries")));
            }
            // 100 ms times 2, 4, ..., as far as that fits.
            let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(num_tries - 1));
            let wait = asked.unwrap_or_else(|| doubled.min(LONGEST_WAIT));
            let left = budget.remaining();
            if wait >= left {
                return Err(give_up(format!(
                    "given up after {num_tries} tries: the next is due in {:.1} s, and {:.1} s are left",
                    wait.as_secs_f64(),
                    left.as_secs_f64()
                )));
            }
            std::thread::sleep(wait);
        }
    }

    /// Posts once: the body of an answer that is a success.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn post(&self, url: &str, body: &str, budget: &Budget) -> Result<Vec<u8>, Fault> {
        let mut post = self.agent.post(url).content_type("application/json");
        if let Some(headers) = post.headers_mut() {
            headers.extend(self.headers.clone());
        }
        let limit = budget.deadline().map(|_| budget.remaining());
        let sent = post.config().timeout_global(limit).build().send(body);
        let mut answer = sent.map_err(|error| fault(url, &error, budget))?;
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(self.max_output_bytes).read_to_vec();
        if !status.is_success() {
            let said = body.map(|body| format!(": {}", shown(&body))).unwrap_or_default();
            let message = format!("{url} answered {status}{said}");
            let may_pass = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
            let kind = if may_pass { CauseKind::Unreachable } else { CauseKind::Declined };
            let retry = may_pass.then(|| retry_after(&answer));
            return Err(Fault { kind, message, status: Some(status), retry });
        }
        body.map_err(|error| fault(url, &error, budget))
    }
}

fn fault(url: &str, error: &ureq::Error, budget: &Budget) -> Fault {
    match error {
        ureq::Error::Timeout(_) => {
            let seconds = budget.started().elapsed().as_secs_f64();
            Fault::last(CauseKind::Timeout, format!("{url} gave no whole answer in {seconds:.3} s"))
        }
        ureq::Error::BodyExceedsLimit(limit) => Fault::last(
            CauseKind::Rubbish,
            format!(
                "{url} sent more than {} KiB, the most that is read of one answer (`max_output_kb`, for a kind that has this \
                 setting)",
                limit / 1024
            ),
        ),
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => {
            Fault::last(CauseKind::Rubbish, format!("{url} does not speak HTTP as it should: {error}"))
        }
        _ => Fault::passing(CauseKind::Unreachable, format!("{url} cannot be reached: {error}")),
    }
}

/// The wait that the server asks for, where it says it in seconds.
fn retry_after(answer: &Response<Body>) -> Option<Duration> {
    let value = answer.headers().get("retry-after")?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

/// Checks the setting `url`, which is as in `example`.
///
/// # Errors
/// It is no URL that can be posted to.
pub(crate) fn check_url(url: &str, example: &str) -> Result<(), String> {
    let refuse = |found: &str| Err(format!("`url` must be as {example}, found {found}"));
    match url.parse::<Uri>() {
        Ok(uri) if uri.host().is_some() && uri.scheme() == Some(&Scheme::HTTP) => Ok(()),
        Ok(uri) if uri.scheme() == Some(&Scheme::HTTPS) => Err(format!(
            "`url` must begin with http://, found `{url}`: TLS is not built in; reach the server through a tunnel or a \
             proxy on this machine"
        )),
        _ if url.is_empty() => refuse("none"),
        _ => refuse(&format!("`{url}`")),
    }
}

/// The headers, with what the environment holds put in.
fn read_headers(settings: &BTreeMap<String, String>) -> Result<HeaderMap, String> {
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
