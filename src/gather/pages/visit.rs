//! One pull of a site over HTTP: robots.txt, the sitemap, then page after page.

use std::sync::Arc;
use std::time::{Duration, Instant};
use texting_robots::Robot;
use url::Url;

use super::listing::Listing;
use super::{PageOptions, PagesSource, Start};
use crate::domain::{Category, FetchState, Problem, Result, Summary, Timestamp};
use crate::gather::decode::{Markup, charset_of, to_text};
use crate::gather::fetch::{Answer, Ask, Document, Fetched, Fetcher, USER_AGENT, refusal, shown};
use crate::gather::folder::off_thread;
use crate::gather::page::{parse_html, parse_text, slug_of_address};
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
    pub(super) begun: Instant,
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

        let listing = match start {
            Start::Addresses(list) => Listing {
                pages: list.clone(),
                ..Listing::default()
            },
            Start::Sitemap(url) => match self.sitemap(url, delay).await? {
                Some(listing) => listing,
                None => return Ok(self.pulled),
            },
        };
        let site = shown(&robots_address);
        let pages = self.chosen(first, &listing, robots.as_ref(), &site).await?;
        let resume = self
            .visit(&pages, delay, robots.as_ref(), &site)
            .await?
            .map(shown);
        // The same parts are read until all their pages were asked for: so everything has its turn.
        if let (Start::Sitemap(url), None, false) = (start, &resume, listing.is_whole()) {
            self.go_on_at(&shown(url), listing.next).await?;
        }
        self.go_on_at(&site, resume).await?;
        Ok(self.pulled)
    }

    /// Asks for one page after the other; gives the first one that is left for the next pull.
    async fn visit<'p>(
        &mut self,
        pages: &'p [Url],
        delay: Duration,
        robots: Option<&Robot>,
        site: &str,
    ) -> Result<Option<&'p Url>> {
        for (index, page) in pages.iter().enumerate() {
            let left = pages.get(index..).unwrap_or_default();
            let limit = if index >= self.options.max_pages {
                Some(format!("this one took {index} (max_pages)"))
            } else if index > 0 && self.begun.elapsed() + delay > self.options.time {
                Some(format!("this one had its {} s", self.options.time.as_secs()))
            } else {
                None
            };
            if let Some(limit) = limit {
                let note = format!("left {} pages for the next pull: {limit}", left.len());
                self.pulled.notes.push(note);
                self.pulled.others.extend(left.iter().map(shown));
                return Ok(Some(page));
            }
            tokio::time::sleep(delay).await;
            if let Some(until) = self.page(page, robots).await? {
                // Who is told to wait, leaves the whole site alone: the next pull asks for robots.txt first.
                let state = FetchState {
                    not_before: Some(until),
                    ..self.memory.recall(&self.source.name, site).await?
                };
                self.memory.remember(&self.source.name, site, &state).await?;
                self.wait(&shown(page), until);
                self.pulled.untouched += left.len();
                self.pulled.others.extend(left.iter().map(shown));
                return Ok(Some(page));
            }
        }
        Ok(None)
    }

    /// Has it remembered, when the items are stored, that the next pull goes on at `resume` of `address`.
    async fn go_on_at(&mut self, address: &str, resume: Option<String>) -> Result<()> {
        let known = self.memory.recall(&self.source.name, address).await?;
        if known.resume != resume {
            let state = FetchState { resume, ..known };
            self.pulled.fetched.push((address.to_owned(), state));
        }
        Ok(())
    }

    pub(super) fn wait(&mut self, place: &str, until: Timestamp) {
        self.pulled
            .notes
            .push(format!("{place} asks to be left alone until {until}"));
    }

    pub(super) async fn get(
        &self,
        address: &Url,
        conditional: bool,
        final_when_gone: bool,
    ) -> Result<Answer> {
        let ask = Ask {
            source: &self.source.name,
            address,
            accept: "text/html, application/xhtml+xml, application/xml;q=0.9, text/plain;q=0.8",
            conditional,
            same_host: true,
            final_when_gone,
            now: self.now,
        };
        self.fetcher.get(self.memory, &ask).await
    }

    /// The rules of the site: `None` when it wants to be left alone, `Some(None)` when it has none.
    async fn robots(&mut self, address: &Url) -> Result<Option<Option<Robot>>> {
        let hint = "nothing is asked of a site whose robots.txt can't be read; the next run tries again";
        // A robots.txt that is gone may come back, and its rules hold from then on.
        let document = match self.get(address, false, false).await {
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

    /// Asks for one page; gives the instant when the site wants to be left alone until then.
    async fn page(&mut self, page: &Url, robots: Option<&Robot>) -> Result<Option<Timestamp>> {
        let place = shown(page);
        let answer = match self.get(page, true, true).await {
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
            Fetched::Unchanged => {
                self.pulled.untouched += 1;
                self.pulled.others.push(place);
            }
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
