//! The one HTTP client: polite, bounded, and unable to reach what it may not.

use reqwest::header::{
    ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE,
};
use reqwest::header::{IF_NONE_MATCH, LAST_MODIFIED, LOCATION, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, redirect};
use std::error::Error;
use std::time::Duration;
use url::Url;

use super::FetchMemory;
use super::reach::{Filtered, Refused, Rule, check_literal};
use crate::domain::{FetchState, Problem, Result, Timestamp};

/// The name under which we ask, also in robots.txt.
pub const USER_AGENT: &str = "Postrider";

/// The longest wait that a `Retry-After` can order.
const MAX_WAIT: Duration = Duration::from_secs(7 * 24 * 3600);

/// What one fetch may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the body after decompression.
    pub bytes: usize,
    /// From the first look-up to the last byte, redirects included.
    pub time: Duration,
    /// Redirects that are followed.
    pub redirects: usize,
}

impl Default for Limits {
    /// 10 MB, 30 s, 5 redirects.
    fn default() -> Self {
        Self {
            bytes: 10_000_000,
            time: Duration::from_secs(30),
            redirects: 5,
        }
    }
}

/// One address to be fetched.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The source for which it is fetched; what is remembered is kept per source.
    pub source: &'a str,
    /// The address as the configuration or a sitemap gives it.
    pub address: &'a Url,
    /// The `Accept` header.
    pub accept: &'a str,
    /// Whether a 304 will do, because the caller has the content already.
    pub conditional: bool,
    /// Whether a redirect to another host is refused.
    pub same_host: bool,
    /// Whether a 410 is believed for ever.
    pub final_when_gone: bool,
    /// The present instant.
    pub now: Timestamp,
}

/// What came of it.
#[derive(Debug)]
pub struct Answer {
    /// The content, or why there is none.
    pub fetched: Fetched,
    /// Where the address lives from now on, when a server just said so for good.
    pub moved: Option<String>,
}

/// The content, or why there is none.
#[derive(Debug)]
pub enum Fetched {
    /// A new document.
    Document(Box<Document>),
    /// The same as last time (304).
    Unchanged,
    /// The server wants to be left alone until then.
    NotYet(Timestamp),
    /// Gone for good (410), now or since earlier; not asked again.
    Gone,
    /// Any other status; [`refusal`] makes an error of it.
    Status(u16),
}

/// A body with what belongs to it.
#[derive(Debug)]
pub struct Document {
    /// Where it was found after redirects.
    pub address: Url,
    /// The decompressed bytes.
    pub body: Vec<u8>,
    /// `Content-Type`, verbatim.
    pub content_type: Option<String>,
    /// What to remember, under which address, **after** the content is stored.
    pub validators: (String, FetchState),
}

/// The HTTP client.
pub struct Fetcher {
    client: Client,
    limits: Limits,
    rule: Rule,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Fetcher {
    /// A client that connects only where `rule` allows.
    ///
    /// # Errors
    /// When the machine's certificate authorities can't be read.
    pub fn new(limits: Limits, rule: Rule) -> Result<Self> {
        let client = Client::builder()
            .user_agent(concat!("Postrider/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            // A proxy would connect for us, and where to is what has to be checked.
            .no_proxy()
            .dns_resolver(std::sync::Arc::new(Filtered { rule: rule.clone() }))
            .build()
            .map_err(|error| {
                Problem::failed("the HTTP client can't be made")
                    .because(error)
                    .hint("install the package ca-certificates")
            })?;
        Ok(Self { client, limits, rule })
    }

    /// Fetches one address, and remembers at once what can't lose content: moves, waits, and that it is gone.
    ///
    /// # Errors
    /// When there is neither content nor one of the expected reasons for none; names the address.
    pub async fn get(&self, memory: &dyn FetchMemory, ask: &Ask<'_>) -> Result<Answer> {
        let origin = shown(ask.address);
        let known = memory.recall(ask.source, &origin).await?;
        if known.gone && ask.final_when_gone {
            return Ok(Answer {
                fetched: Fetched::Gone,
                moved: None,
            });
        }
        if let Some(until) = known.not_before.filter(|until| *until > ask.now) {
            return Ok(Answer {
                fetched: Fetched::NotYet(until),
                moved: None,
            });
        }
        let start = known.moved_to.as_deref().and_then(|moved| Url::parse(moved).ok());
        let chase = self.chase(memory, ask, start.as_ref().unwrap_or(ask.address));
        let seconds = self.limits.time.as_secs_f32();
        let outcome = tokio::time::timeout(self.limits.time, chase)
            .await
            .unwrap_or_else(|_| {
                Err(Problem::failed(format!("no whole answer within {seconds} s"))
                    .hint("the server may be overloaded; the next run tries again"))
            });
        let mut state = FetchState {
            not_before: None,
            ..known.clone()
        };
        // A move that led into nothing is forgotten, so that the next run asks the first address.
        if matches!(outcome, Err(_) | Ok((Fetched::Status(_), _))) {
            state.moved_to = None;
        }
        let (fetched, moved) = match outcome {
            Ok(found) => found,
            Err(problem) => {
                if state != known {
                    memory.remember(ask.source, &origin, &state).await?;
                }
                return Err(problem.at(origin));
            }
        };
        let mut news = None;
        match &fetched {
            Fetched::Gone => state.gone = ask.final_when_gone,
            Fetched::NotYet(until) => state.not_before = Some(*until),
            Fetched::Status(_) => {}
            Fetched::Document(_) | Fetched::Unchanged => {
                let moved = moved.map(|url| shown(&url));
                if moved.is_some() && moved != known.moved_to {
                    news.clone_from(&moved);
                }
                state.moved_to = moved.or(state.moved_to);
            }
        }
        if state != known {
            memory.remember(ask.source, &origin, &state).await?;
        }
        Ok(Answer { fetched, moved: news })
    }

    /// Follows redirects to an outcome, and says where the address has moved for good.
    async fn chase(
        &self,
        memory: &dyn FetchMemory,
        ask: &Ask<'_>,
        start: &Url,
    ) -> Result<(Fetched, Option<Url>)> {
        let mut url = start.clone();
        let (mut permanent, mut moved) = (true, None);
        for _ in 0..=self.limits.redirects {
            self.check(&url, ask)?;
            let known = if ask.conditional {
                memory.recall(ask.source, &shown(&url)).await?
            } else {
                FetchState::default()
            };
            let response = self.send(&url, &known, ask.accept).await?;
            let status = response.status();
            match status.as_u16() {
                200 => return Ok((self.document(response, url).await?, moved)),
                304 if known.etag.is_some() || known.last_modified.is_some() => {
                    return Ok((Fetched::Unchanged, moved));
                }
                // Behind a redirect for the time being, only the target is gone.
                410 if permanent => return Ok((Fetched::Gone, None)),
                301 | 302 | 303 | 307 | 308 => {
                    permanent &= matches!(status.as_u16(), 301 | 308);
                    let target = header(response.headers(), LOCATION).unwrap_or_default();
                    let next = url.join(&target).ok().filter(|_| !target.is_empty());
                    url = next.ok_or_else(|| {
                        Problem::failed(format!("answered {status} with no usable address: {target:?}"))
                            .hint("open the address in a browser, and write the one it ends at")
                    })?;
                    url.set_fragment(None);
                    if permanent {
                        moved = Some(url.clone());
                    }
                }
                429 | 503 if response.headers().contains_key(RETRY_AFTER) => {
                    let order = header(response.headers(), RETRY_AFTER).unwrap_or_default();
                    let until = retry_after(&order, ask.now);
                    return Ok((
                        until.map_or(Fetched::Status(status.as_u16()), Fetched::NotYet),
                        None,
                    ));
                }
                other => return Ok((Fetched::Status(other), None)),
            }
        }
        Err(Problem::failed(format!(
            "more than {} redirects, the last to {}",
            self.limits.redirects,
            shown(&url)
        ))
        .hint("open the address in a browser, and write the one it ends at"))
    }

    fn check(&self, url: &Url, ask: &Ask<'_>) -> Result<()> {
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(Problem::failed(format!(
                "not an http or https address: {}",
                shown(url)
            )));
        }
        if ask.same_host && url.host() != ask.address.host() {
            return Err(Problem::failed(format!("leads to another host: {}", shown(url)))
                .hint("write the address at that host, if its pages are meant"));
        }
        check_literal(url, &self.rule).map_err(refused)
    }

    async fn send(&self, url: &Url, known: &FetchState, accept: &str) -> Result<Response> {
        let mut request = self.client.get(url.clone()).header(ACCEPT, accept);
        if let Some(etag) = &known.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(date) = &known.last_modified {
            request = request.header(IF_MODIFIED_SINCE, date);
        }
        request.send().await.map_err(|error| {
            let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
            while let Some(inner) = cause {
                if let Some(Refused { .. }) = inner.downcast_ref::<Refused>() {
                    return refused(inner);
                }
                cause = inner.source();
            }
            Problem::failed("can't be fetched")
                .because(error.without_url())
                .hint("see whether the address is right and the server up")
        })
    }

    async fn document(&self, mut response: Response, address: Url) -> Result<Fetched> {
        let headers = response.headers().clone();
        if let Some(coding) = header(&headers, CONTENT_ENCODING).filter(|coding| coding != "identity") {
            return Err(Problem::failed(format!(
                "compressed in a way that was not asked for: {coding:?}"
            )));
        }
        let limit = self.limits.bytes;
        let mut body = Vec::new();
        // The chunks are decompressed ones, so a small bomb is cut off as well.
        while let Some(chunk) = response.chunk().await.map_err(|error| {
            Problem::failed("the answer broke off")
                .because(error.without_url())
                .hint("the next run tries again")
        })? {
            if body.len() + chunk.len() > limit {
                return Err(Problem::failed(format!("larger than {limit} bytes"))
                    .hint("a source must be smaller; ask for a shorter feed"));
            }
            body.extend_from_slice(&chunk);
        }
        let state = FetchState {
            etag: header(&headers, ETAG),
            last_modified: header(&headers, LAST_MODIFIED),
            ..FetchState::default()
        };
        let validators = (shown(&address), state);
        Ok(Fetched::Document(Box::new(Document {
            address,
            body,
            content_type: header(&headers, CONTENT_TYPE),
            validators,
        })))
    }
}

/// An address without name, password and fragment: the form for messages and for memory.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    // Both fail only where there is nothing to take away.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// The error of a status that gives no content.
pub fn refusal(status: u16) -> Problem {
    let reason = StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or_default();
    Problem::failed(format!("answered {status} {reason}").trim_end())
        .hint("open the address in a browser, and correct it if it is wrong")
}

fn refused(error: impl std::fmt::Display) -> Problem {
    Problem::failed(error.to_string())
        .hint("set allow_private = true for the source, if it is meant to reach your own network")
}

/// The instant that a `Retry-After` names: seconds from now, or an HTTP date (RFC 9110 10.2.3).
fn retry_after(order: &str, now: Timestamp) -> Option<Timestamp> {
    let order = order.trim();
    let until = match order.parse() {
        Ok(seconds) => now.plus(Duration::from_secs(seconds)),
        Err(_) => Timestamp(
            chrono::DateTime::parse_from_rfc2822(order)
                .ok()?
                .timestamp_millis(),
        ),
    };
    Some(until.clamp(now, now.plus(MAX_WAIT)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_has_an_end() {
        let now = Timestamp(1_600_000_000_000);
        let seconds = |order| retry_after(order, now).map(|until| until.since(now).as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("Sun, 13 Sep 2020 12:27:40 GMT"), Some(60));
        assert_eq!(seconds("Sun, 13 Sep 2009 12:27:40 GMT"), Some(0));
        assert_eq!(seconds("99999999999999999999"), None);
        assert_eq!(seconds("999999999999"), Some(7 * 24 * 3600));
        assert_eq!(seconds("soon"), None);
    }
}
