//! Feed documents from entries: RSS 2.0, Atom 1.0 and JSON Feed 1.1.
//!
//! A document is a function of its channel and entries: it holds no time but theirs, so that the
//! same entries give the same bytes.

mod atom;
mod json;
mod rss;

pub use atom::atom;
pub use json::json;
pub use rss::rss;

use crate::domain::text::{one_line, strip_illegal};
use crate::domain::{Result, Timestamp};

/// A format of feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// RSS 2.0.
    Rss,
    /// Atom 1.0 (RFC 4287).
    Atom,
    /// JSON Feed 1.1.
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Rss, Self::Atom, Self::Json];

    /// The ending of file names and addresses, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Rss => "rss",
            Self::Atom => "atom",
            Self::Json => "json",
        }
    }

    /// The format whose extension is `extension`.
    pub fn of_extension(extension: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.extension() == extension)
    }

    /// The value of `Content-Type`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml; charset=utf-8",
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Json => "application/feed+json; charset=utf-8",
        }
    }

    /// The document of `channel` with `entries`, in the order given.
    ///
    /// # Errors
    /// When the document can't be written.
    pub fn document(self, channel: &Channel, entries: &[Entry]) -> Result<Vec<u8>> {
        match self {
            Self::Rss => rss(channel, entries),
            Self::Atom => atom(channel, entries),
            Self::Json => json(channel, entries),
        }
    }
}

/// What a feed says of itself. All addresses are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Plain text.
    pub title: String,
    /// Plain text.
    pub description: String,
    /// The page for people that the feed belongs to.
    pub home_url: String,
    /// The address of this document, in its own format.
    pub feed_url: String,
    /// BCP 47.
    pub language: String,
    /// Plain text.
    pub copyright: String,
    /// Who writes the entries.
    pub author_name: String,
    /// The author's page.
    pub author_url: String,
}

/// One entry of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Permanent, the same in every format and category; never reused.
    pub id: String,
    /// The page of the summary; absolute.
    pub url: String,
    /// Plain text.
    pub title: String,
    /// Plain text.
    pub summary: String,
    /// Sanitised HTML without relative references.
    pub body_html: String,
    /// Names; the main category first.
    pub categories: Vec<String>,
    /// When the entry was first seen.
    pub published: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// `channel` and `entries` without what XML forbids; the crates that write XML let it through.
fn clean(channel: &Channel, entries: &[Entry]) -> (Channel, Vec<Entry>) {
    let channel = Channel {
        title: one_line(&channel.title),
        description: one_line(&channel.description),
        home_url: one_line(&channel.home_url),
        feed_url: one_line(&channel.feed_url),
        language: one_line(&channel.language),
        copyright: one_line(&channel.copyright),
        author_name: one_line(&channel.author_name),
        author_url: one_line(&channel.author_url),
    };
    let entries = entries
        .iter()
        .map(|entry| Entry {
            id: one_line(&entry.id),
            url: one_line(&entry.url),
            title: one_line(&entry.title),
            summary: one_line(&entry.summary),
            body_html: strip_illegal(&entry.body_html)
                .replace("\r\n", "\n")
                .replace('\r', "\n"),
            categories: entry.categories.iter().map(|name| one_line(name)).collect(),
            published: entry.published,
            updated: entry.updated.max(entry.published),
        })
        .collect();
    (channel, entries)
}

/// When the feed last changed: the newest entry's time; 1970 for a feed without entries.
fn last_change(entries: &[Entry]) -> Timestamp {
    entries
        .iter()
        .map(|entry| entry.updated)
        .max()
        .unwrap_or_default()
}
