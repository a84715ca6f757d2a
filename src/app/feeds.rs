//! The feeds: made from the store when something changed, else taken from the shelf.

use super::App;
use crate::domain::summary::StoredSummary;
use crate::domain::text::hex;
use crate::domain::{Category, Problem, Result, Site, Timestamp};
use crate::feed::{Channel, Entry};
use crate::render::{ChannelContext, EntryContext, Templates};
use aws_lc_rs::digest::{SHA256, digest};
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

pub use crate::feed::Format;

/// Entries in a feed, the newest; a reader that polls once a year still misses none of a small site.
const ENTRIES: i64 = 500;

/// A feed as it is served.
#[derive(Debug)]
pub struct FeedDocument {
    /// The document.
    pub bytes: Vec<u8>,
    /// The same, gzip-compressed.
    pub gzip: Vec<u8>,
    /// A strong validator of `bytes`, quoted; [`FeedDocument::gzip_etag`] is the other coding's.
    pub etag: String,
    /// When the bytes last changed.
    pub modified: Timestamp,
    /// The value of `Content-Type`.
    pub media_type: &'static str,
}

impl FeedDocument {
    /// The validator of the compressed bytes: they are other bytes, so it is another one.
    pub fn gzip_etag(&self) -> String {
        format!("{}-gzip\"", self.etag.trim_end_matches('"'))
    }
}

/// A document, and the state of the store that it was made from.
type Made = (i64, Arc<FeedDocument>);

/// A document's place on the shelf; whoever holds its lock makes it, and others wait for that.
type Place = Arc<Mutex<Option<Made>>>;

/// Places by the names of their files.
#[derive(Default)]
pub(super) struct Shelf(Mutex<HashMap<String, Place>>);

impl Shelf {
    async fn place(&self, file: &str) -> Place {
        Arc::clone(self.0.lock().await.entry(file.to_owned()).or_default())
    }
}

/// The document on `place`, if it was made from `version`.
fn up_to_date(place: &Option<Made>, version: i64) -> Option<Arc<FeedDocument>> {
    place
        .as_ref()
        .filter(|(made_from, _)| *made_from == version)
        .map(|(_, document)| Arc::clone(document))
}

impl App {
    /// The feed of `category` (of all summaries, when `all`) in `format`.
    ///
    /// # Errors
    /// When there is no such category, or a template fails.
    pub async fn feed(&self, name: &str, format: Format) -> Result<Arc<FeedDocument>> {
        let category = self.feed_category(name)?;
        let file = format!("{name}.{}", format.extension());
        let version = self.store.content_version().await?;
        let place = self.feeds.place(&file).await;
        let mut place = place.lock().await;
        if let Some(document) = up_to_date(&place, version) {
            return Ok(document);
        }
        // Another request may have made a newer one while this one waited.
        let version = self.store.content_version().await?;
        if let Some(document) = up_to_date(&place, version) {
            return Ok(document);
        }
        let document = Arc::new(self.make_feed(&file, category, format).await?);
        *place = Some((version, Arc::clone(&document)));
        Ok(document)
    }

    /// Writes every feed into `folder`, each whole or not at all.
    ///
    /// # Errors
    /// When a template fails or a file can't be written.
    pub async fn write_feeds(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let trouble = |path: &Path, error: std::io::Error| {
            Problem::failed(format!("{} can't be written", path.display())).because(error)
        };
        std::fs::create_dir_all(folder).map_err(|error| trouble(folder, error))?;
        let mut written = Vec::new();
        let names =
            std::iter::once("all").chain(self.categories.iter().map(|category| category.slug.as_str()));
        for name in names {
            for format in Format::ALL {
                let document = self.feed(name, format).await?;
                let path = folder.join(format!("{name}.{}", format.extension()));
                let unfinished = folder.join(format!(".{name}.{}.tmp", format.extension()));
                std::fs::write(&unfinished, &document.bytes)
                    .and_then(|()| std::fs::rename(&unfinished, &path))
                    .map_err(|error| trouble(&path, error))?;
                written.push(path);
            }
        }
        Ok(written)
    }

    fn feed_category(&self, name: &str) -> Result<Option<&Category>> {
        if name == "all" {
            return Ok(None);
        }
        self.categories
            .iter()
            .find(|category| category.slug.as_str() == name)
            .map(Some)
            .ok_or_else(|| Problem::not_found(format!("there is no category {name:?}")))
    }

    async fn make_feed(
        &self,
        file: &str,
        category: Option<&Category>,
        format: Format,
    ) -> Result<FeedDocument> {
        let summaries = match category {
            Some(category) => self.store.latest_summaries_in(&category.slug, ENTRIES).await?,
            None => self.store.latest_summaries(ENTRIES).await?,
        };
        let press = Press {
            templates: Arc::clone(&self.templates),
            site: self.config.site.clone(),
            categories: Arc::clone(&self.categories),
        };
        let (name, category) = (file.to_owned(), category.cloned());
        // Hundreds of entries take a while; the threads that answer other requests must not wait.
        let printed =
            tokio::task::spawn_blocking(move || press.print(&name, category.as_ref(), format, &summaries))
                .await
                .map_err(|error| Problem::failed("a feed could not be made").because(error))??;
        let modified = self
            .store
            .feed_modified(file, &printed.etag, self.clock.now())
            .await?;
        Ok(FeedDocument {
            bytes: printed.bytes,
            gzip: printed.gzip,
            etag: printed.etag,
            modified,
            media_type: format.media_type(),
        })
    }
}

/// The bytes of a feed, and what follows from them.
struct Printed {
    bytes: Vec<u8>,
    gzip: Vec<u8>,
    etag: String,
}

/// What feeds are made with.
struct Press {
    templates: Arc<Templates>,
    site: Site,
    categories: Arc<[Category]>,
}

impl Press {
    fn print(
        &self,
        file: &str,
        category: Option<&Category>,
        format: Format,
        summaries: &[StoredSummary],
    ) -> Result<Printed> {
        let site = &self.site;
        let text = self
            .templates
            .feed_channel(&ChannelContext::new(site.clone(), category.cloned()))?;
        let channel = Channel {
            title: text.title,
            description: text.description,
            home_url: match category {
                Some(category) => site.link(&format!("/categories/{}", category.slug)),
                None => site.link("/"),
            },
            feed_url: site.link(&format!("/feeds/{file}")),
            language: site.language.clone(),
            copyright: site.copyright.clone(),
            author_name: site.name.clone(),
            author_url: site.link("/"),
        };
        let entries = summaries
            .iter()
            .map(|stored| self.entry(stored))
            .collect::<Result<Vec<_>>>()?;
        let bytes = format.document(&channel, &entries)?;
        let hash = digest(&SHA256, &bytes);
        let etag = hex(hash.as_ref().get(..16).unwrap_or_default());
        Ok(Printed {
            gzip: compressed(&bytes)?,
            etag: format!("\"{etag}\""),
            bytes,
        })
    }

    fn entry(&self, stored: &StoredSummary) -> Result<Entry> {
        let names: Vec<String> = stored
            .summary
            .categories
            .iter()
            .map(|slug| super::name_of(&self.categories, slug))
            .collect();
        let text = self
            .templates
            .feed_entry(&EntryContext::new(self.site.clone(), stored, names.clone()))
            .map_err(|problem| problem.at(format!("summary {:?}", stored.summary.slug.as_str())))?;
        Ok(Entry {
            id: stored.entry_id.clone(),
            url: self.site.summary_url(&stored.summary),
            title: text.title,
            summary: text.summary,
            body_html: text.body,
            categories: names,
            published: stored.first_seen,
            updated: stored.updated,
        })
    }
}

fn compressed(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .map_err(|error| Problem::failed("a feed can't be compressed").because(error))
}
