//! `[[source]]`: where summaries are gathered from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::relay::twice;
use super::section::Section;
use super::site::web_address;
use crate::domain::{Problem, Result, Slug};

pub(super) const KEYS: &[&str] = &[
    "name",
    "kind",
    "path",
    "url",
    "urls",
    "delay",
    "max_pages",
    "allow_private",
    "category",
    "map",
];

/// A place that summaries are gathered from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Stands in reports and the store.
    pub name: Slug,
    /// What it is and where.
    pub origin: Origin,
    /// The pause between two requests for pages.
    pub delay: Duration,
    /// How many pages are asked for in one run.
    pub max_pages: u32,
    /// Whether private and loopback addresses may be asked.
    pub allow_private: bool,
    /// Feeds: the category of items that would have none.
    pub category: Option<Slug>,
    /// Feeds: their category names, and ours.
    pub map: BTreeMap<String, Slug>,
}

/// What a source reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A folder of Markdown files.
    Folder(PathBuf),
    /// A folder of saved pages.
    SavedPages(PathBuf),
    /// The pages that a sitemap lists.
    Sitemap(Url),
    /// Pages of the site, one by one.
    Pages(Vec<Url>),
    /// An RSS, Atom or JSON feed.
    Feed(Url),
}

/// What a `kind` allows beside `name` and `kind`.
const OF_FOLDER: &[&str] = &["path"];
const OF_PAGES: &[&str] = &["path", "url", "urls", "delay", "max_pages", "allow_private"];
const OF_FEED: &[&str] = &["url", "allow_private", "category", "map"];

pub(super) fn read(sections: Vec<Section<'_>>, categories: &BTreeSet<Slug>) -> Result<Vec<Source>> {
    let mut sources: Vec<Source> = Vec::new();
    for mut section in sections {
        let source = one(&mut section, categories)?;
        if sources.iter().any(|other| other.name == source.name) {
            return Err(twice(&section, "name", source.name.as_str()));
        }
        sources.push(source);
    }
    Ok(sources)
}

fn one(section: &mut Section<'_>, categories: &BTreeSet<Slug>) -> Result<Source> {
    let name = section.required("name", "\"content\"", |text| Slug::parse(text.trim()))?;
    let (kind, allowed) = section.required("kind", "\"folder\"", |text| match text.trim() {
        "folder" => Ok(("folder", OF_FOLDER)),
        "pages" => Ok(("pages", OF_PAGES)),
        "feed" => Ok(("feed", OF_FEED)),
        _ => Err(Problem::configuration(format!(
            "expected \"folder\", \"pages\" or \"feed\", got {text:?}"
        ))
        .hint(
            "\"folder\" reads Markdown files, \"pages\" the pages of a site, \"feed\" RSS, Atom or JSON Feed",
        )),
    })?;
    let known = |text: &str| {
        let slug = Slug::parse(text.trim())?;
        if categories.contains(&slug) {
            return Ok(slug);
        }
        let near = super::nearest::to(slug.as_str(), categories.iter().map(Slug::as_str));
        let near = near.map_or(String::new(), |near| format!("did you mean {near}? "));
        Err(Problem::configuration(format!("unknown category {text:?}"))
            .hint(format!("{near}write the slug of a [[category]]")))
    };
    let path = section.path("path")?;
    let url = section.parsed("url", web_address)?;
    let urls = section.list("urls", web_address)?;
    let (delay, max_pages) = (
        section.duration("delay", Duration::ZERO)?,
        section.number("max_pages", 1..100_001)?,
    );
    let allow_private = section.flag("allow_private")?;
    let (category, map) = (section.parsed("category", known)?, section.map("map", known)?);
    for (key, given) in [
        ("path", path.is_some()),
        ("url", url.is_some()),
        ("urls", urls.is_some()),
        ("delay", delay.is_some()),
        ("max_pages", max_pages.is_some()),
        ("allow_private", allow_private.is_some()),
        ("category", category.is_some()),
        ("map", map.is_some()),
    ] {
        if given && !allowed.contains(&key) {
            return Err(Problem::configuration(format!(
                "{}: not for a source of kind {kind:?}",
                section.place_of(key)
            ))
            .hint(format!("remove it; {kind} takes {}", allowed.join(", "))));
        }
    }
    if let Some(path) = &path
        && !path.is_dir()
    {
        return Err(Problem::configuration(format!(
            "{}: there is no folder {}",
            section.place_of("path"),
            path.display()
        ))
        .hint("make the folder, or write the path of the one that you have"));
    }
    let origin = match (kind, path, url, urls) {
        ("folder", Some(path), None, None) => Origin::Folder(path),
        ("folder", ..) => return Err(section.missing("path", "\"content\"")),
        ("pages", Some(path), None, None) => Origin::SavedPages(path),
        ("pages", None, Some(url), None) => Origin::Sitemap(url),
        ("pages", None, None, Some(urls)) if !urls.is_empty() => Origin::Pages(urls),
        ("pages", ..) => {
            return Err(Problem::configuration(format!(
                "{}: expected one of path, url and urls",
                section.place()
            ))
            .hint("path names a folder of saved pages, url a sitemap, urls a list of pages"));
        }
        (_, None, Some(url), None) => Origin::Feed(url),
        _ => return Err(section.missing("url", "\"https://example.org/feed.xml\"")),
    };
    Ok(Source {
        name,
        origin,
        delay: delay.unwrap_or(Duration::from_secs(1)),
        max_pages: max_pages.unwrap_or(500),
        allow_private: allow_private.unwrap_or(false),
        category,
        map: map.unwrap_or_default(),
    })
}
