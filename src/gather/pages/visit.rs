//! One pull of a site over HTTP: robots.txt, the sitemap, then page after page.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use texting_robots::Robot;
use url::Url;

use super::{PageOptions, PagesSource, Start};
use crate::domain::{Category, FetchState, Problem, Result, Summary, Timestamp};
use crate::gather::decode::{Markup, charset_of, to_text};
use crate::gather::feed::gone;
use crate::gather::fetch::{Answer, Ask, Document, Fetched, Fetcher, USER_AGENT, refusal, shown};
use crate::gather::folder::off_thread;
use crate::gather::page::{parse_html, parse_text, slug_of_address};
use crate::gather::sitemap::{self, Sitemap};
use crate::gather::{FetchMemory, Item, Pulled};

/// What of a robots.txt is read, in bytes (RFC 9309 2.5 wants at least 500 KiB).
const MAX_ROBOTS: usize = 512 * 1024;

/// The longest delay that a robots.txt can order.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// One pull of a site.
pub(super) struct Visit<'a> {
    pub(super) source: &'a PagesSource,
    pub(super) memory: &'a dyn FetchMemory,
    pub(super) now: Timestamp,
    pub(super) options: &'a PageOptions,
    pub(super) fetcher: &'a Fetcher,
    pub(super) pulled: Pulled,
}

impl Visit<'_> {
    /// Pulls everything that `start` leads to.
    pub(super) async fn run(mut self, start: &Start) -> Result<Pulled> {
        let first = match start {
            Start::Sitemap(url) => url,
            Start::Addresses(list) => match list.first() {
                Some(url) => url,
                None => return Ok(self.pulled),
            },
        };
        let robots_address = first
            .join("/robots.txt")
            .map_err(|_| Problem::failed(format!("not an http or https address: {}", shown(first))))?;
        let Some(robots) = self.robots(&robots_address).await? else {
            return Ok(self.pulled);
        };
        let ordered = robots.as_ref().and_then(|robot| robot.delay).unwrap_or(0.0);
        let ordered = Duration::try_from_secs_f32(ordered)
            .unwrap_or(MAX_DELAY)
            .min(MAX_DELAY);
        let delay = self.options.delay.max(ordered);

        let listed = match start {
            Start::Addresses(list) => list.clone(),
            Start::Sitemap(url) => match self.sitemap(url, delay).await? {
                Some(listed) => listed,
                None => return Ok(self.pulled),
            },
        };
        let pages = self.chosen(first, listed, robots.as_ref());
        let count = pages.len();
        for (index, page) in pages.into_iter().enumerate() {
            tokio::time::sleep(delay).await;
            if let Some(until) = self.page(&page, robots.as_ref()).await? {
                // Who is told to wait, leaves the whole site alone: the next pull asks for robots.txt first.
                let state = FetchState {
                    not_before: Some(until),
                    ..FetchState::default()
                };
                self.memory
                    .remember(&self.source.name, &shown(&robots_address), &state)
                    .await?;
                self.wait(&shown(&page), until);
                self.pulled.untouched += count - index;
                break;
            }
        }
        Ok(self.pulled)
    }

    fn wait(&mut self, place: &str, until: Timestamp) {
        self.pulled
            .notes
            .push(format!("{place} asks to be left alone until {until}"));
    }

    async fn get(&self, address: &Url, conditional: bool) -> Result<Answer> {
        let ask = Ask {
            source: &self.source.name,
            address,
            accept: "text/html, application/xhtml+xml, application/xml;q=0.9, text/plain;q=0.8",
            conditional,
            same_host: true,
            now: self.now,
        };
        self.fetcher.get(self.memory, &ask).await
    }

    /// The rules of the site: `None` when it wants to be left alone, `Some(None)` when it has none.
    async fn robots(&mut self, address: &Url) -> Result<Option<Option<Robot>>> {
        let hint = "nothing is asked of a site whose robots.txt can't be read; the next run tries again";
        let document = match self.get(address, false).await {
            Ok(Answer {
                fetched: Fetched::Document(document),
                ..
            }) => document,
            Ok(Answer {
                fetched: Fetched::NotYet(until),
                ..
            }) => {
                self.wait(&shown(address), until);
                self.pulled.untouched += 1;
                return Ok(None);
            }
            // RFC 9309 2.3.1.3: a robots.txt that is not there forbids nothing; 429 is no "not there".
            Ok(Answer {
                fetched: Fetched::Status(status),
                ..
            }) if status == 429 || status >= 500 => {
                return Err(refusal(status).at(shown(address)).hint(hint));
            }
            Ok(_) => return Ok(Some(None)),
            Err(problem) => return Err(problem.hint(hint)),
        };
        let body = document
            .body
            .get(..document.body.len().min(MAX_ROBOTS))
            .unwrap_or_default()
            .to_vec();
        let place = shown(address);
        let read = move || {
            Robot::new(USER_AGENT, &body).map_err(|error| Problem::failed(error.to_string()).at(place))
        };
        off_thread(read)
            .await
            .map(|robot| Some(Some(robot)))
            .map_err(|problem| problem.hint(hint))
    }

    /// The addresses in a sitemap and, one level down, in those that it lists; `None` when told to wait.
    async fn sitemap(&mut self, url: &Url, delay: Duration) -> Result<Option<Vec<Url>>> {
        let Some(first) = self.one_sitemap(url, delay).await? else {
            return Ok(None);
        };
        let mut pages = Vec::new();
        match first {
            Sitemap::Pages(found) => pages = found,
            Sitemap::Index(parts) => {
                for part in parts {
                    let address = url
                        .join(&part)
                        .map_err(|_| Problem::failed(format!("{}: not an address: {part:?}", shown(url))))?;
                    match self.one_sitemap(&address, delay).await? {
                        Some(Sitemap::Pages(found)) => pages.extend(found),
                        Some(Sitemap::Index(_)) => {
                            self.pulled.notes.push(format!(
                                "{} is an index within an index, and left out",
                                shown(&address)
                            ));
                        }
                        None => return Ok(None),
                    }
                    if pages.len() > 4 * self.options.max_pages {
                        break;
                    }
                }
            }
        }
        Ok(Some(
            pages.iter().filter_map(|page| url.join(page).ok()).collect(),
        ))
    }

    async fn one_sitemap(&mut self, url: &Url, delay: Duration) -> Result<Option<Sitemap>> {
        tokio::time::sleep(delay).await;
        // Never "not modified": only the sitemap itself says which pages there are.
        let answer = self.get(url, false).await?;
        match answer.fetched {
            Fetched::Document(document) => {
                let charset = document
                    .content_type
                    .as_deref()
                    .and_then(charset_of)
                    .map(str::to_owned);
                let text = to_text(&document.body, charset.as_deref(), Markup::Xml);
                sitemap::read(&text)
                    .map(Some)
                    .map_err(|problem| problem.at(shown(url)))
            }
            Fetched::NotYet(until) => {
                self.wait(&shown(url), until);
                self.pulled.untouched += 1;
                Ok(None)
            }
            Fetched::Gone => Err(gone(&self.source.name, &shown(url))),
            Fetched::Status(status) => Err(refusal(status).at(shown(url))),
            Fetched::Unchanged => Err(Problem::failed(format!(
                "{}: answered 304 to a plain request",
                shown(url)
            ))),
        }
    }

    /// The pages that may and shall be asked for, each once.
    fn chosen(&mut self, first: &Url, listed: Vec<Url>, robots: Option<&Robot>) -> Vec<Url> {
        let (mut foreign, mut forbidden, mut over) = (0_usize, 0_usize, 0_usize);
        let mut seen = BTreeSet::new();
        let mut pages = Vec::new();
        for mut page in listed {
            page.set_fragment(None);
            if page.host() != first.host() || !matches!(page.scheme(), "http" | "https") {
                foreign += 1;
            } else if !page.path().starts_with(&self.options.path_prefix) || !seen.insert(shown(&page)) {
            } else if robots.is_some_and(|robot| !robot.allowed(page.as_str())) {
                forbidden += 1;
            } else if pages.len() >= self.options.max_pages {
                over += 1;
            } else {
                pages.push(page);
            }
        }
        let mut note = |count: usize, what: &str| {
            if count > 0 {
                self.pulled.notes.push(format!("left out {count} pages {what}"));
            }
        };
        note(foreign, "at other hosts");
        note(forbidden, "that robots.txt forbids");
        note(
            over,
            &format!("beyond the limit of {} (max_pages)", self.options.max_pages),
        );
        pages
    }

    /// Asks for one page; gives the instant when the site wants to be left alone until then.
    async fn page(&mut self, page: &Url, robots: Option<&Robot>) -> Result<Option<Timestamp>> {
        let place = shown(page);
        let answer = match self.get(page, true).await {
            Ok(answer) => answer,
            Err(problem) => {
                self.pulled
                    .items
                    .push(Item::new(place.clone(), place, Err(problem)));
                return Ok(None);
            }
        };
        if let Some(moved) = answer.moved {
            self.pulled
                .notes
                .push(format!("{place} has moved for good to {moved}"));
        }
        match answer.fetched {
            Fetched::Document(document)
                if robots.is_some_and(|robot| !robot.allowed(document.address.as_str())) =>
            {
                self.pulled.notes.push(format!(
                    "{place} leads to a page that robots.txt forbids, and is left out"
                ));
            }
            Fetched::Document(document) => {
                let validators = document.validators.clone();
                let categories = Arc::clone(&self.source.categories);
                let outcome = off_thread(move || fetched_page(&document, &categories)).await;
                // A page that was refused is asked for again in full: config or program may know it by then.
                if outcome.is_ok() {
                    self.pulled.fetched.push(validators);
                }
                let outcome = outcome.map_err(|problem| problem.at(&place));
                self.pulled.items.push(Item::new(place.clone(), place, outcome));
            }
            Fetched::Unchanged => self.pulled.untouched += 1,
            Fetched::Gone => {
                self.pulled.untouched += 1;
                self.pulled.notes.push(format!(
                    "{place} is gone for good (410) and not asked for any more"
                ));
            }
            Fetched::NotYet(until) => return Ok(Some(until)),
            Fetched::Status(status) => {
                let problem = refusal(status).at(&place);
                self.pulled
                    .items
                    .push(Item::new(place.clone(), place, Err(problem)));
            }
        }
        Ok(None)
    }
}

fn fetched_page(document: &Document, categories: &[Category]) -> Result<Summary> {
    let content_type = document.content_type.as_deref().unwrap_or("text/html");
    let text = to_text(&document.body, charset_of(content_type), Markup::Html);
    if content_type
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("text/plain")
    {
        let mut summary = parse_text(&text, categories)?;
        let address = shown(&document.address);
        if let Some(slug) = slug_of_address(&address) {
            summary.slug = slug;
        }
        summary.url = Some(address);
        return Ok(summary);
    }
    parse_html(&text, Some(&document.address), categories)
}
