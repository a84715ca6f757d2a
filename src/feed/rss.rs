//! RSS 2.0, with `atom:link`, `content:encoded` and `dc:creator`.

use crate::domain::text::escape_html;
use rss::extension::atom::{AtomExtension, Link};
use rss::extension::dublincore::DublinCoreExtension;
use rss::{Category, Channel as RssChannel, Guid, Item};

use super::{Channel, Entry, Format, clean, last_change};
use crate::domain::{Problem, Result};

/// The document in RSS 2.0.
///
/// # Errors
/// When the document can't be written.
pub fn rss(channel: &Channel, entries: &[Entry]) -> Result<Vec<u8>> {
    let (channel, entries) = clean(channel, entries);
    let changed = last_change(&entries).rfc2822();
    let link = |rel: &str, href: &str, media_type: &str| Link {
        rel: rel.to_owned(),
        href: href.to_owned(),
        mime_type: Some(media_type.to_owned()),
        ..Link::default()
    };
    let document = RssChannel {
        title: channel.title.clone(),
        link: channel.home_url.clone(),
        description: channel.description.clone(),
        language: filled(&channel.language),
        copyright: filled(&channel.copyright),
        pub_date: entries
            .iter()
            .map(|entry| entry.published)
            .max()
            .map(|time| time.rfc2822()),
        last_build_date: (!entries.is_empty()).then_some(changed),
        atom_ext: Some(AtomExtension {
            links: vec![
                link("self", &channel.feed_url, bare(Format::Rss.media_type())),
                link("alternate", &channel.home_url, "text/html"),
            ],
        }),
        items: entries.iter().map(|entry| item(&channel, entry)).collect(),
        ..RssChannel::default()
    };
    document.pretty_write_to(Vec::new(), b' ', 1).map_err(|error| {
        Problem::failed(format!("the RSS feed can't be written: {}", channel.feed_url)).because(error)
    })
}

fn item(channel: &Channel, entry: &Entry) -> Item {
    Item {
        title: Some(entry.title.clone()),
        link: Some(entry.url.clone()),
        // Readers take a description for HTML.
        description: filled(&entry.summary).map(|summary| escape_html(&summary)),
        categories: entry
            .categories
            .iter()
            .map(|name| Category {
                name: name.clone(),
                domain: None,
            })
            .collect(),
        guid: Some(Guid {
            value: entry.id.clone(),
            permalink: false,
        }),
        pub_date: Some(entry.published.rfc2822()),
        content: Some(entry.body_html.clone()),
        dublin_core_ext: Some(DublinCoreExtension {
            creators: vec![channel.author_name.clone()],
            ..DublinCoreExtension::default()
        }),
        ..Item::default()
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A media type without its parameters.
fn bare(media_type: &'static str) -> &'static str {
    media_type.split_once(';').map_or(media_type, |(bare, _)| bare)
}
