//! The `pages` source: pages of the site, saved in a folder or asked for over HTTP.

mod listing;
mod visit;

use async_trait::async_trait;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

use super::decode::{Markup, to_text};
use super::fetch::Fetcher;
use super::folder::{Found, files_in, off_thread, read_bytes};
use super::page::{parse_html, parse_text};
use super::{FetchMemory, Item, Pulled, Source};
use crate::domain::{Category, Problem, Result, Slug, Summary, Timestamp};
use visit::Visit;

/// The largest saved page, in bytes.
const MAX_PAGE: u64 = 10_000_000;

/// Where the list of pages comes from.
#[derive(Debug, Clone)]
pub enum Start {
    /// A sitemap, or an index of sitemaps.
    Sitemap(Url),
    /// The pages themselves; all at the host of the first.
    Addresses(Vec<Url>),
}

/// How a site is asked.
#[derive(Debug, Clone)]
pub struct PageOptions {
    /// The pause between two requests; robots.txt can make it longer, up to a minute.
    pub delay: Duration,
    /// At most so many pages in one pull; the next one goes on where it ended.
    pub max_pages: usize,
    /// How long one pull may take, but for the request that is under way; the next one goes on where it ended.
    pub time: Duration,
}

impl Default for PageOptions {
    /// One second, 1,000 pages, ten minutes.
    fn default() -> Self {
        Self {
            delay: Duration::from_secs(1),
            max_pages: 1000,
            time: Duration::from_secs(600),
        }
    }
}

#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    Site {
        start: Start,
        options: PageOptions,
        fetcher: Arc<Fetcher>,
    },
}

/// Pages of the site.
#[derive(Debug)]
pub struct PagesSource {
    name: String,
    place: Place,
    categories: Arc<[Category]>,
}

impl PagesSource {
    /// A source that reads the `.txt`, `.html` and `.htm` files directly in `path`.
    pub fn folder(name: impl Into<String>, path: impl Into<PathBuf>, categories: Arc<[Category]>) -> Self {
        Self {
            name: name.into(),
            place: Place::Folder(path.into()),
            categories,
        }
    }

    /// A source that asks a site for its pages.
    pub fn site(
        name: impl Into<String>,
        start: Start,
        options: PageOptions,
        categories: Arc<[Category]>,
        fetcher: Arc<Fetcher>,
    ) -> Self {
        Self {
            name: name.into(),
            place: Place::Site {
                start,
                options,
                fetcher,
            },
            categories,
        }
    }
}

#[async_trait]
impl Source for PagesSource {
    fn name(&self) -> &str {
        &self.name
    }

    async fn pull(&self, memory: &dyn FetchMemory, now: Timestamp) -> Result<Pulled> {
        match &self.place {
            Place::Folder(path) => self.pull_folder(path).await,
            Place::Site {
                start,
                options,
                fetcher,
            } => {
                let visit = Visit {
                    source: self,
                    memory,
                    now,
                    options,
                    fetcher,
                    begun: Instant::now(),
                    pulled: Pulled::default(),
                };
                visit.run(start).await
            }
        }
    }
}

impl PagesSource {
    async fn pull_folder(&self, path: &Path) -> Result<Pulled> {
        let mut pulled = Pulled::default();
        for file in files_in(&self.name, path, &["txt", "html", "htm"]).await? {
            let bytes = match read_bytes(&file.path, MAX_PAGE).await {
                Ok(Some(bytes)) => Ok(bytes),
                Ok(None) => continue,
                Err(problem) => Err(problem),
            };
            let place = file.path.display().to_string();
            let key = file.stem.clone();
            let categories = Arc::clone(&self.categories);
            let outcome = match bytes {
                Ok(bytes) => off_thread(move || saved_page(&file, bytes, &categories)).await,
                Err(problem) => Err(problem),
            };
            let outcome = outcome.map_err(|problem| problem.at(&place));
            pulled.items.push(Item::new(key, place, outcome));
        }
        Ok(pulled)
    }
}

/// A saved page; its slug is in its own address, else in the name of the file, else made from the title.
fn saved_page(file: &Found, bytes: Vec<u8>, categories: &[Category]) -> Result<Summary> {
    let mut summary = if file.extension == "txt" {
        let text = String::from_utf8(bytes)
            .map_err(|_| Problem::failed("not UTF-8 text").hint("save the page as UTF-8"))?;
        parse_text(&text, categories)?
    } else {
        parse_html(&to_text(&bytes, None, Markup::Html), None, categories)?
    };
    if summary.url.is_none()
        && let Ok(slug) = Slug::parse(&file.stem)
    {
        summary.slug = slug;
    }
    Ok(summary)
}
