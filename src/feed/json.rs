//! JSON Feed 1.1 (<https://www.jsonfeed.org/version/1.1/>).

use serde::Serialize;

use super::{Channel, Entry, clean};
use crate::domain::{Problem, Result};

#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    title: &'a str,
    home_page_url: &'a str,
    feed_url: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    language: &'a str,
    authors: [Author<'a>; 1],
    items: Vec<Item<'a>>,
}

#[derive(Serialize, Clone, Copy)]
struct Author<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    url: &'a str,
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    url: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    summary: &'a str,
    content_html: &'a str,
    date_published: String,
    date_modified: String,
    authors: [Author<'a>; 1],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
}

/// The document in JSON Feed 1.1.
///
/// # Errors
/// When the document can't be written.
pub fn json(channel: &Channel, entries: &[Entry]) -> Result<Vec<u8>> {
    let (channel, entries) = clean(channel, entries);
    let author = Author {
        name: &channel.author_name,
        url: &channel.author_url,
    };
    let document = Document {
        version: "https://jsonfeed.org/version/1.1",
        title: &channel.title,
        home_page_url: &channel.home_url,
        feed_url: &channel.feed_url,
        description: &channel.description,
        language: &channel.language,
        authors: [author],
        items: entries
            .iter()
            .map(|entry| Item {
                id: &entry.id,
                url: &entry.url,
                title: &entry.title,
                summary: &entry.summary,
                content_html: &entry.body_html,
                date_published: entry.published.rfc3339(),
                date_modified: entry.updated.rfc3339(),
                authors: [author],
                tags: &entry.categories,
            })
            .collect(),
    };
    let mut bytes = serde_json::to_vec_pretty(&document).map_err(|error| {
        Problem::failed(format!("the JSON feed can't be written: {}", channel.feed_url)).because(error)
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}
