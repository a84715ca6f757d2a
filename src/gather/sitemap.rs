//! Sitemaps (sitemaps.org): the pages of a site, or the sitemaps of its parts.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::clean;
use crate::domain::{Problem, Result};

/// What a sitemap lists.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sitemap {
    /// Addresses of pages.
    Pages(Vec<String>),
    /// Addresses of further sitemaps.
    Index(Vec<String>),
}

/// Reads the text of a sitemap.
///
/// # Errors
/// When it is none.
pub(super) fn read(text: &str) -> Result<Sitemap> {
    let wrong = |what: String| {
        Problem::failed(format!("not a sitemap: {what}"))
            .hint("give the address of the site's sitemap.xml, or list its pages")
    };
    let mut reader = Reader::from_str(text);
    let mut index = None;
    let mut place: Option<String> = None;
    let mut found = Vec::new();
    loop {
        let event = reader
            .read_event()
            .map_err(|error| wrong(format!("not well-formed: {error}")))?;
        match event {
            Event::Eof => break,
            Event::DocType(doctype) if doctype.to_ascii_lowercase().contains("<!entity") => {
                return Err(wrong("it declares entities".to_owned()));
            }
            Event::Start(start) | Event::Empty(start) if index.is_none() => match start.local_name().as_ref()
            {
                "urlset" => index = Some(false),
                "sitemapindex" => index = Some(true),
                other => return Err(wrong(format!("its root element is <{other}>"))),
            },
            // An image's `image:loc` is no page.
            Event::Start(start) if start.name().as_ref() == "loc" => place = Some(String::new()),
            Event::End(end) if end.name().as_ref() == "loc" => {
                found.extend(
                    place
                        .take()
                        .map(|raw| clean::line_from_html(&raw))
                        .filter(|place| !place.is_empty()),
                );
            }
            Event::Text(text) => {
                if let Some(place) = &mut place {
                    place.push_str(&text);
                }
            }
            Event::CData(text) => {
                if let Some(place) = &mut place {
                    place.push_str(&text.replace('&', "&amp;"));
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(place) = &mut place {
                    place.push_str(&format!("&{};", &*reference));
                }
            }
            _ => {}
        }
    }
    match index {
        Some(true) => Ok(Sitemap::Index(found)),
        Some(false) => Ok(Sitemap::Pages(found)),
        None => Err(wrong("it is empty".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_pages_and_indexes() {
        let pages = "<?xml version='1.0'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:image='i'>\
                     <url><loc> https://example.org/a?x=1&amp;y=2 </loc><image:loc>https://example.org/i.png</image:loc></url>\
                     <url><loc><![CDATA[https://example.org/b]]></loc></url></urlset>";
        let found = vec![
            "https://example.org/a?x=1&y=2".to_owned(),
            "https://example.org/b".to_owned(),
        ];
        assert_eq!(read(pages).unwrap(), Sitemap::Pages(found));
        let index = "<sitemapindex><sitemap><loc>https://example.org/s.xml</loc></sitemap></sitemapindex>";
        assert_eq!(
            read(index).unwrap(),
            Sitemap::Index(vec!["https://example.org/s.xml".to_owned()])
        );
        assert_eq!(
            read("<html></html>").unwrap_err().message(),
            "not a sitemap: its root element is <html>"
        );
        assert!(read("<!DOCTYPE x [<!ENTITY a 'b'>]><urlset/>").is_err());
    }
}
