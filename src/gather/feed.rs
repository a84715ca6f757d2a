//! The `feed` source: RSS, Atom and JSON Feed.

use async_trait::async_trait;
use chrono::Datelike;
use feed_rs::model::{Entry, FeedType, Text};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use url::Url;

use super::decode::{Markup, charset_of, to_text};
use super::feed_items::{Extras, MAX_ITEMS, Piece, cut};
use super::fetch::{Ask, Document, Fetched, Fetcher, refusal};
use super::folder::off_thread;
use super::page::slug_of_title;
use super::{FetchMemory, Item, Pulled, Source, categories, clean, dedupe};
use crate::domain::text::strip_illegal;
use crate::domain::{Category, Doi, Problem, Prose, Result, Slug, Summary, Timestamp};

const ACCEPT: &str = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, \
                      application/json;q=0.9, */*;q=0.5";

/// The longest text of one item, in bytes.
const MAX_TEXT: usize = 256_000;

/// How the terms of a feed become categories of ours.
#[derive(Debug, Clone, Default)]
pub struct FeedOptions {
    /// From a term of the feed to a slug of ours.
    pub map: BTreeMap<String, Slug>,
    /// The category of an item of which no term is known.
    pub category: Option<Slug>,
}

/// A feed at an address.
#[derive(Debug)]
pub struct FeedSource {
    name: String,
    url: Url,
    options: FeedOptions,
    categories: Arc<[Category]>,
    fetcher: Arc<Fetcher>,
}

impl FeedSource {
    /// A source that reads the feed at `url`.
    pub fn new(
        name: impl Into<String>,
        url: Url,
        options: FeedOptions,
        categories: Arc<[Category]>,
        fetcher: Arc<Fetcher>,
    ) -> Self {
        Self {
            name: name.into(),
            url,
            options,
            categories,
            fetcher,
        }
    }
}

#[async_trait]
impl Source for FeedSource {
    fn name(&self) -> &str {
        &self.name
    }

    async fn pull(&self, memory: &dyn FetchMemory, now: Timestamp) -> Result<Pulled> {
        let ask = Ask {
            source: &self.name,
            address: &self.url,
            accept: ACCEPT,
            conditional: true,
            same_host: false,
            final_when_gone: true,
            now,
        };
        let place = super::fetch::shown(&self.url);
        let answer = self.fetcher.get(memory, &ask).await?;
        let mut pulled = Pulled::default();
        if let Some(moved) = answer.moved {
            pulled.notes.push(format!(
                "{place} has moved for good: write {moved} in the configuration"
            ));
        }
        let document = match answer.fetched {
            Fetched::Document(document) => document,
            Fetched::Unchanged => {
                pulled.untouched = 1;
                return Ok(pulled);
            }
            Fetched::NotYet(until) => {
                pulled.untouched = 1;
                pulled
                    .notes
                    .push(format!("{place} asks to be left alone until {until}"));
                return Ok(pulled);
            }
            Fetched::Gone => return Err(gone(&self.name, &place)),
            Fetched::Status(status) => return Err(refusal(status).at(place)),
        };
        let validators = document.validators.clone();
        let (options, categories) = (self.options.clone(), Arc::clone(&self.categories));
        let read = off_thread(move || read(&document, &options, &categories)).await;
        let read = read.map_err(|problem| problem.at(&place))?;
        pulled.items = read.items;
        pulled.notes.extend(read.notes);
        // With its validators remembered, a feed would not be looked at again after a mapping was corrected.
        if pulled.items.iter().all(|item| item.outcome.is_ok()) {
            pulled.fetched.push(validators);
        }
        Ok(pulled)
    }
}

/// The error of an address that answered 410, then and ever after.
pub(super) fn gone(source: &str, place: &str) -> Problem {
    Problem::failed(format!("gone for good (410), not asked any more: {place}")).hint(format!(
        "take the [[source]] with name = {source:?} out of the configuration, or give it its new address"
    ))
}

/// Reads a fetched feed.
///
/// # Errors
/// When the document as a whole is no feed.
pub fn read(document: &Document, options: &FeedOptions, categories: &[Category]) -> Result<Pulled> {
    let charset = document.content_type.as_deref().and_then(charset_of);
    let text = strip_illegal(&to_text(&document.body, charset, Markup::Xml));
    let mut items = Vec::new();
    let mut reader = Reader {
        address: &document.address,
        options,
        categories,
        dropped: BTreeMap::new(),
        typed: false,
    };
    let mut take = |piece: Piece| {
        let (key, named, outcome) = reader.item(&piece);
        let key = key.unwrap_or_else(|| format!("item {}", items.len() + 1));
        let place = format!("{} ({key})", super::fetch::shown(&document.address));
        let outcome = outcome.map_err(|problem| problem.at(&place));
        items.push(Item {
            named,
            ..Item::new(key, place, outcome)
        });
    };
    let rest = cut(&text, &mut take).map_err(|problem| match alternate(&text, &document.address) {
        Some(address) => problem.hint(format!("the page names this feed: {address}")),
        None => problem,
    })?;
    let mut pulled = Pulled {
        items,
        ..Pulled::default()
    };
    if rest.over {
        pulled.notes.push(format!(
            "the feed has more than {MAX_ITEMS} items, and what follows them was left out: ask for a shorter feed"
        ));
    }
    if let Some(broken) = rest.broken {
        let place = super::fetch::shown(&document.address);
        let problem = Problem::failed(format!("{place}: the rest of the feed can't be read: {broken}"))
            .hint("tell the publisher; what came before was taken");
        pulled.items.push(Item::new("rest", place, Err(problem)));
    }
    if !reader.dropped.is_empty() {
        let count: usize = reader.dropped.values().sum();
        let names: Vec<String> = reader
            .dropped
            .keys()
            .take(10)
            .map(|term| format!("{term:?}"))
            .collect();
        pulled.notes.push(format!(
            "dropped {count} unknown categories: {}",
            names.join(", ")
        ));
    }
    Ok(pulled)
}

/// The feed that a web page names in its head.
fn alternate(text: &str, base: &Url) -> Option<Url> {
    let css = scraper::Selector::parse("link[rel~=alternate][type][href]").ok()?;
    let head = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default();
    let page = super::tree::parse(head).ok()?;
    page.select(&css)
        .find(|link| {
            let kind = link.attr("type").unwrap_or_default();
            kind.contains("rss") || kind.contains("atom") || kind.contains("feed+json")
        })
        .and_then(|link| base.join(link.attr("href")?).ok())
}

struct Reader<'a> {
    address: &'a Url,
    options: &'a FeedOptions,
    categories: &'a [Category],
    /// Terms that nobody knows, each with how often it was met.
    dropped: BTreeMap<String, usize>,
    /// Whether the format says which texts are plain: RSS does not.
    typed: bool,
}

impl Reader<'_> {
    /// What an item is called, when anything, and whether by an id of its own; and the summary in it.
    fn item(&mut self, piece: &Piece) -> (Option<String>, bool, Result<Summary>) {
        if let Some(reason) = &piece.refused {
            let problem = Problem::failed(format!("the item is not read: {reason}"));
            return (None, false, Err(problem.hint("tell the publisher")));
        }
        // The parser is known to panic on some input, and a panic must not end the program.
        let parsed = catch_unwind(AssertUnwindSafe(|| {
            feed_rs::parser::Builder::new()
                .base_uri(Some(self.address.as_str()))
                .id_generator(|_, _, _| String::new())
                .build()
                .parse(piece.document.as_bytes())
        }));
        let entry = match parsed {
            Ok(Ok(feed)) => {
                self.typed = matches!(feed.feed_type, FeedType::Atom | FeedType::JSON);
                feed.entries.into_iter().next()
            }
            Ok(Err(error)) => {
                let problem =
                    Problem::failed(format!("the item can't be read: {error}")).hint("tell the publisher");
                return (None, false, Err(problem));
            }
            Err(_) => None,
        };
        let Some(entry) = entry else {
            return (
                None,
                false,
                Err(Problem::failed("the item can't be read").hint("tell the publisher")),
            );
        };
        let url = self.link(&entry);
        let id = Some(clean::line(&entry.id)).filter(|id| !id.is_empty());
        let doi = doi(&entry, &piece.extras, id.as_deref());
        // Many feeds give a link alone, and it does what an id does.
        let key = id
            .clone()
            .or_else(|| doi.as_ref().map(Doi::url))
            .or_else(|| url.as_deref().and_then(dedupe::canonical_url));
        let outcome = match key {
            Some(_) => self.summary(&entry, &piece.extras, url, doi),
            None => Err(Problem::failed("the item has neither an id nor a link").hint("tell the publisher")),
        };
        (key, id.is_some(), outcome)
    }

    fn link(&self, entry: &Entry) -> Option<String> {
        let is_page = |rel: &Option<String>| rel.as_deref().is_none_or(|rel| rel == "alternate");
        entry
            .links
            .iter()
            .filter(|link| is_page(&link.rel) && link.target.is_none())
            .filter_map(|link| self.address.join(link.href.trim()).ok())
            .find(|url| matches!(url.scheme(), "http" | "https"))
            .map(String::from)
    }

    fn summary(
        &mut self,
        entry: &Entry,
        extras: &Extras,
        url: Option<String>,
        doi: Option<Doi>,
    ) -> Result<Summary> {
        let title = entry
            .title
            .as_ref()
            .map(|title| self.plain(title))
            .unwrap_or_default();
        if title.is_empty() {
            return Err(Problem::failed("the item has no title").hint("tell the publisher"));
        }
        let mut summary = Summary::new(slug_of_title(&title)?, title);
        summary.categories = self.categories_of(entry)?;
        summary.published = entry.published.or(entry.updated).map(|time| time.date_naive());
        summary.journal = extras.journal.clone();
        let dated = extras
            .dated
            .as_deref()
            .and_then(|date| date.get(..4)?.parse().ok());
        summary.year = dated.or_else(|| {
            extras
                .journal
                .as_ref()
                .and_then(|_| summary.published.map(|date| date.year()))
        });
        summary.doi = doi;
        summary.explanation = self.explanation(entry, &extras.bases, url.as_deref())?;
        summary.url = url;
        Ok(summary)
    }

    /// A title without markup, which some feeds have in it.
    fn plain(&self, text: &Text) -> String {
        if (self.typed && text.content_type.to_string() == "text/plain") || !clean::has_markup(&text.content)
        {
            clean::line(&text.content)
        } else {
            clean::line_from_html(&text.content)
        }
    }

    /// The item's text: its content, else its summary.
    fn explanation(&self, entry: &Entry, bases: &[String], url: Option<&str>) -> Result<Prose> {
        let stated = bases
            .iter()
            .fold(self.address.clone(), |base, next| base.join(next).unwrap_or(base));
        // Where no base is stated, relative addresses in the wild start at the item's own page.
        let page = url
            .filter(|_| bases.is_empty())
            .and_then(|url| Url::parse(url).ok());
        let base = page.unwrap_or(stated);
        let content = entry.content.as_ref().and_then(|content| {
            let body = content.body.as_deref().filter(|body| !body.trim().is_empty())?;
            Some((body, content.content_type.to_string()))
        });
        let text = content.or_else(|| {
            entry
                .summary
                .as_ref()
                .map(|text| (text.content.as_str(), text.content_type.to_string()))
        });
        let Some((body, kind)) = text else {
            return Ok(Prose::default());
        };
        if body.len() > MAX_TEXT {
            return Err(
                Problem::failed(format!("the item's text is longer than {MAX_TEXT} bytes"))
                    .hint("tell the publisher"),
            );
        }
        if (self.typed && kind == "text/plain") || !clean::has_markup(body) {
            return Ok(clean::prose_from_text(body));
        }
        Ok(clean::prose_from_html(body, Some(&base)))
    }

    fn categories_of(&mut self, entry: &Entry) -> Result<Vec<Slug>> {
        let mut slugs = Vec::new();
        let mut unknown = Vec::new();
        for category in &entry.categories {
            let label = category.label.as_deref().unwrap_or(&category.term);
            let ours = [category.term.as_str(), label]
                .into_iter()
                .find_map(|term| categories::find(term, self.categories));
            let mapped = || {
                self.options
                    .map
                    .get(category.term.trim())
                    .or_else(|| self.options.map.get(label.trim()))
            };
            match ours.map(|category| &category.slug).or_else(mapped) {
                Some(slug) => categories::add(&mut slugs, slug),
                None => unknown.push(clean::line(label)),
            }
        }
        let names: Vec<String> = unknown.iter().map(|term| format!("{term:?}")).collect();
        for term in unknown {
            *self.dropped.entry(term).or_default() += 1;
        }
        if slugs.is_empty() {
            let lacking = || {
                let names = if names.is_empty() {
                    "it names none".to_owned()
                } else {
                    names.join(", ")
                };
                Problem::failed(format!("the item has no known category: {names}"))
                    .hint("set `category` of the source as the default, or translate with its `map`")
            };
            slugs.push(self.options.category.clone().ok_or_else(lacking)?);
        }
        Ok(slugs)
    }
}

/// The DOI that an item states, links to, or has for its id.
fn doi(entry: &Entry, extras: &Extras, id: Option<&str>) -> Option<Doi> {
    let stated = extras.identifiers.iter().map(String::as_str);
    stated
        .chain(entry.links.iter().map(|link| link.href.as_str()))
        .chain(id)
        .find_map(|text| Doi::parse(text).ok())
}
