//! Which pages of a site one pull may ask for, and which of them come first.

use std::collections::BTreeSet;
use std::time::Duration;
use texting_robots::Robot;
use url::Url;

use super::visit::Visit;
use crate::domain::{Problem, Result};
use crate::gather::decode::{Markup, charset_of, to_text};
use crate::gather::feed::gone;
use crate::gather::fetch::{Fetched, refusal, shown};
use crate::gather::sitemap::{self, Sitemap};

/// The most parts of a sitemap's index that one pull reads.
const MAX_PARTS: usize = 100;

/// The pages that one pull may ask for.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) pages: Vec<Url>,
    /// The part of the sitemap that this list begins with, when an earlier one did not come so far.
    pub(super) from: Option<String>,
    /// The part that the next list begins with.
    pub(super) next: Option<String>,
}

impl Listing {
    /// Whether it holds every page of the site.
    pub(super) fn is_whole(&self) -> bool {
        self.from.is_none() && self.next.is_none()
    }
}

impl Visit<'_> {
    /// The addresses in a sitemap and, one level down, in those that it lists; `None` when told to wait.
    pub(super) async fn sitemap(&mut self, url: &Url, delay: Duration) -> Result<Option<Listing>> {
        let parts = match self.one_sitemap(url, delay).await? {
            Some(Sitemap::Index(parts)) => parts,
            Some(Sitemap::Pages(found)) => {
                return Ok(Some(Listing {
                    pages: found.iter().filter_map(|page| url.join(page).ok()).collect(),
                    ..Listing::default()
                }));
            }
            None => return Ok(None),
        };
        let resume = self.memory.recall(&self.source.name, &shown(url)).await?.resume;
        let begin = resume
            .and_then(|resume| parts.iter().position(|part| *part == resume))
            .unwrap_or(0);
        let mut listing = Listing {
            from: parts.get(begin).filter(|_| begin > 0).cloned(),
            ..Listing::default()
        };
        for (count, part) in parts.iter().skip(begin).enumerate() {
            // Half of the time is for the pages.
            if count >= MAX_PARTS
                || listing.pages.len() > self.options.max_pages.saturating_mul(4)
                || (count > 0 && self.begun.elapsed() + delay > self.options.time / 2)
            {
                let left = parts.len() - begin - count;
                self.pulled
                    .notes
                    .push(format!("left {left} parts of {} for a later pull", shown(url)));
                listing.next = Some(part.clone());
                break;
            }
            let address = url
                .join(part)
                .map_err(|_| Problem::failed(format!("{}: not an address: {part:?}", shown(url))))?;
            match self.one_sitemap(&address, delay).await? {
                Some(Sitemap::Pages(found)) => {
                    listing
                        .pages
                        .extend(found.iter().filter_map(|page| url.join(page).ok()));
                }
                Some(Sitemap::Index(_)) => {
                    self.pulled.notes.push(format!(
                        "{} is an index within an index, and left out",
                        shown(&address)
                    ));
                }
                None => return Ok(None),
            }
        }
        Ok(Some(listing))
    }

    async fn one_sitemap(&mut self, url: &Url, delay: Duration) -> Result<Option<Sitemap>> {
        tokio::time::sleep(delay).await;
        // Never "not modified": only the sitemap itself says which pages there are.
        let answer = self.get(url, false, true).await?;
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

    /// The pages that may be asked for, each once, those first that the last pull left.
    pub(super) async fn chosen(
        &mut self,
        first: &Url,
        listing: &Listing,
        robots: Option<&Robot>,
        site: &str,
    ) -> Result<Vec<Url>> {
        let (mut foreign, mut forbidden) = (0_usize, 0_usize);
        let mut seen = BTreeSet::new();
        let mut pages = Vec::new();
        for page in &listing.pages {
            let mut page = page.clone();
            page.set_fragment(None);
            if page.host() != first.host() || !matches!(page.scheme(), "http" | "https") {
                foreign += 1;
            } else if !seen.insert(shown(&page)) {
            } else if robots.is_some_and(|robot| !robot.allowed(page.as_str())) {
                forbidden += 1;
            } else {
                pages.push(page);
            }
        }
        for (count, what) in [
            (foreign, "at other hosts"),
            (forbidden, "that robots.txt forbids"),
        ] {
            if count > 0 {
                self.pulled.notes.push(format!("left out {count} pages {what}"));
            }
        }
        let resume = self.memory.recall(&self.source.name, site).await?.resume;
        let begin = resume.and_then(|resume| pages.iter().position(|page| shown(page) == resume));
        pages.rotate_left(begin.unwrap_or(0));
        if !listing.is_whole() {
            // What came before was asked for by the last pull, and the next parts wait.
            let done = pages.split_off(pages.len() - begin.unwrap_or(0));
            self.pulled.others.extend(done.iter().map(shown));
        }
        Ok(pages)
    }
}
