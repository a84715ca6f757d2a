//! Atom 1.0 (RFC 4287).

use atom_syndication::{
    Category, Content, Entry as AtomEntry, Feed, FixedDateTime, Link, Person, Text, WriteConfig,
};

use super::{Channel, Entry, clean, last_change};
use crate::domain::{Problem, Result, Timestamp};

/// The document in Atom 1.0.
///
/// # Errors
/// When the document can't be written.
pub fn atom(channel: &Channel, entries: &[Entry]) -> Result<Vec<u8>> {
    let (channel, entries) = clean(channel, entries);
    let feed = Feed {
        title: Text::plain(channel.title.clone()),
        id: channel.feed_url.clone(),
        updated: time(last_change(&entries)),
        authors: vec![author(&channel)],
        links: vec![
            link("self", &channel.feed_url, "application/atom+xml"),
            link("alternate", &channel.home_url, "text/html"),
        ],
        rights: filled(&channel.copyright).map(Text::plain),
        subtitle: filled(&channel.description).map(Text::plain),
        lang: filled(&channel.language),
        entries: entries.iter().map(|one| entry(&channel, one)).collect(),
        ..Feed::default()
    };
    let config = WriteConfig {
        write_document_declaration: true,
        indent_size: Some(1),
    };
    feed.write_with_config(Vec::new(), config).map_err(|error| {
        Problem::failed(format!("the Atom feed can't be written: {}", channel.feed_url)).because(error)
    })
}

fn author(channel: &Channel) -> Person {
    Person {
        name: channel.author_name.clone(),
        uri: filled(&channel.author_url),
        ..Person::default()
    }
}

fn entry(channel: &Channel, entry: &Entry) -> AtomEntry {
    AtomEntry {
        title: Text::plain(entry.title.clone()),
        id: entry.id.clone(),
        updated: time(entry.updated),
        published: Some(time(entry.published)),
        // An entry that is copied out of its feed keeps its author.
        authors: vec![author(channel)],
        links: vec![link("alternate", &entry.url, "text/html")],
        categories: entry
            .categories
            .iter()
            .map(|name| Category {
                term: name.clone(),
                scheme: None,
                label: None,
            })
            .collect(),
        summary: filled(&entry.summary).map(Text::plain),
        content: Some(Content {
            value: Some(entry.body_html.clone()),
            content_type: Some("html".to_owned()),
            ..Content::default()
        }),
        ..AtomEntry::default()
    }
}

fn link(rel: &str, href: &str, media_type: &str) -> Link {
    Link {
        href: href.to_owned(),
        rel: rel.to_owned(),
        mime_type: Some(media_type.to_owned()),
        ..Link::default()
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whole seconds: RSS has no finer ones, and the formats should agree.
fn time(time: Timestamp) -> FixedDateTime {
    Timestamp(time.0.div_euclid(1000) * 1000).utc().fixed_offset()
}
