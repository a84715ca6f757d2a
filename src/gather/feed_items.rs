//! Cuts a feed into its items, so that a bad one never costs the others.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

use crate::domain::{Problem, Result};

/// One item as a whole feed of its own, for the parser.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    /// A document that holds this item alone.
    pub(super) document: String,
    /// What the parser leaves out of it.
    pub(super) extras: Extras,
}

/// Elements of scholarly feeds that the parser does not know.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Extras {
    /// Texts that may be DOIs: `prism:doi`, `dc:identifier`, and their like in JSON.
    pub(super) identifiers: Vec<String>,
    /// `prism:publicationName`.
    pub(super) journal: Option<String>,
    /// `prism:publicationDate`, `prism:coverDate`.
    pub(super) dated: Option<String>,
    /// Every `xml:base` around the text, from the outside in.
    pub(super) bases: Vec<String>,
}

/// A feed in pieces.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pub(super) pieces: Vec<Piece>,
    /// Why the rest of the document could not be read, when it breaks off.
    pub(super) broken: Option<String>,
}

/// Cuts the text of a feed.
///
/// # Errors
/// When it is no feed at all, or one that may not be read.
pub(super) fn cut(text: &str) -> Result<Pieces> {
    match text.trim_start().chars().next() {
        Some('{') => cut_json(text),
        Some('<') => cut_xml(text),
        Some(_) => Err(no_feed("it begins neither with < nor with {")),
        None => Err(no_feed("it is empty")),
    }
}

fn no_feed(what: &str) -> Problem {
    Problem::failed(format!("not a feed: {what}")).hint("give the address of an RSS, Atom or JSON feed")
}

/// An element that is open, or an item that is being read.
struct Cutter<'a> {
    text: &'a str,
    /// The start tags above the items, verbatim, and their names.
    above: Vec<(&'a str, String)>,
    bases: Vec<String>,
    item: Option<Item>,
    pieces: Vec<Piece>,
}

struct Item {
    name: String,
    start: usize,
    extra: Option<(String, String)>,
    extras: Extras,
}

fn cut_xml(text: &str) -> Result<Pieces> {
    let mut reader = Reader::from_str(text);
    // An item with a tag that is not closed ends all the same where its own end tag stands.
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut cutter = Cutter {
        text,
        above: Vec::new(),
        bases: Vec::new(),
        item: None,
        pieces: Vec::new(),
    };
    let mut broken = None;
    loop {
        let before = position(&reader);
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(Event::DocType(doctype)) => {
                let doctype = doctype.to_ascii_lowercase();
                if doctype.contains("<!entity") {
                    return Err(Problem::failed("not read: the document declares entities").hint(
                        "entities are never expanded; ask the publisher for a feed without a DOCTYPE",
                    ));
                }
                if doctype.trim_start().starts_with("html") {
                    return Err(no_feed("it is a web page (HTML)"));
                }
            }
            Ok(event) => cutter.take(&event, before, position(&reader))?,
            Err(error) => {
                broken = Some(format!(
                    "not well-formed at byte {}: {error}",
                    reader.error_position()
                ));
                break;
            }
        }
    }
    if cutter.item.is_some() && broken.is_none() {
        broken = Some("it ends within an item".to_owned());
    }
    if cutter.above.is_empty() && cutter.pieces.is_empty() {
        return Err(no_feed(
            &broken.unwrap_or_else(|| "it has no RSS or Atom element".to_owned()),
        ));
    }
    Ok(Pieces {
        pieces: cutter.pieces,
        broken,
    })
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

impl Cutter<'_> {
    fn take(&mut self, event: &Event<'_>, before: usize, after: usize) -> Result<()> {
        match event {
            Event::Start(start) => self.start(start, before, after)?,
            Event::Empty(start) if self.item.is_none() && is_item(&local(start)) => {
                self.start(start, before, after)?;
                self.end(start.name().as_ref(), after);
            }
            Event::End(end) => self.end(end.name().as_ref(), after),
            Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                let raw = match event {
                    Event::CData(data) => data.to_string(),
                    _ => self.text.get(before..after).unwrap_or_default().to_owned(),
                };
                if let Some((_, value)) = self.item.as_mut().and_then(|item| item.extra.as_mut()) {
                    value.push_str(&raw);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, start: &BytesStart<'_>, before: usize, after: usize) -> Result<()> {
        let local = local(start);
        if let Some(item) = &mut self.item {
            let wanted = matches!(
                local.as_str(),
                "doi" | "identifier" | "publicationname" | "publicationdate" | "coverdate"
            );
            if wanted {
                item.extra = Some((local, String::new()));
            }
            return Ok(());
        }
        let base = start
            .attributes()
            .flatten()
            .find(|attribute| attribute.key.as_ref() == "xml:base");
        let base = base.map(|attribute| super::clean::line_from_html(&attribute.value));
        if is_item(&local) && !self.above.is_empty() {
            let bases = self.bases.iter().cloned().chain(base).collect();
            let extras = Extras {
                bases,
                ..Extras::default()
            };
            let name = start.name().as_ref().to_owned();
            self.item = Some(Item {
                name,
                start: before,
                extra: None,
                extras,
            });
            return Ok(());
        }
        if self.above.is_empty() {
            match local.as_str() {
                "rss" | "rdf" | "feed" => {}
                "html" => return Err(no_feed("it is a web page (HTML)")),
                other => return Err(no_feed(&format!("its root element is <{other}>"))),
            }
        }
        // Items stand in the root or in its channel; nothing else above them matters.
        if self.above.is_empty() || (local == "channel" && self.above.len() == 1) {
            self.bases.extend(base);
            self.above.push((
                self.text.get(before..after).unwrap_or_default(),
                start.name().as_ref().to_owned(),
            ));
        }
        Ok(())
    }

    fn end(&mut self, name: &str, after: usize) {
        let Some(item) = &mut self.item else {
            // RSS 1.0 closes its channel before the items come.
            if self.above.len() == 2 && self.above.last().is_some_and(|(_, open)| open == name) {
                self.above.pop();
            }
            return;
        };
        if name != item.name {
            if let Some((key, value)) = item.extra.take() {
                let value = super::clean::line_from_html(&value);
                match key.as_str() {
                    "doi" | "identifier" => item.extras.identifiers.push(value),
                    "publicationname" => item.extras.journal = Some(value).filter(|value| !value.is_empty()),
                    _ => item.extras.dated = Some(value),
                }
            }
            return;
        }
        let Some(item) = self.item.take() else { return };
        let mut document: String = self.above.iter().map(|(tag, _)| *tag).collect();
        document.push_str(self.text.get(item.start..after).unwrap_or_default());
        for (_, open) in self.above.iter().rev() {
            document.push_str(&format!("</{open}>"));
        }
        self.pieces.push(Piece {
            document,
            extras: item.extras,
        });
    }
}

fn is_item(local: &str) -> bool {
    matches!(local, "item" | "entry")
}

fn local(start: &BytesStart<'_>) -> String {
    start.local_name().as_ref().to_ascii_lowercase()
}

fn cut_json(text: &str) -> Result<Pieces> {
    let feed: Value = serde_json::from_str(text)
        .map_err(|error| no_feed(&format!("it is not well-formed JSON: {error}")))?;
    let version = feed.get("version").and_then(Value::as_str).unwrap_or_default();
    if !version.starts_with("https://jsonfeed.org/version/1") {
        return Err(no_feed(&format!(
            "its JSON has no version of JSON Feed 1: {version:?}"
        )));
    }
    let items = feed
        .get("items")
        .and_then(Value::as_array)
        .ok_or_else(|| no_feed("its JSON has no list of items"))?;
    let piece = |item: &Value| {
        let mut item = item.clone();
        // JSON Feed wants readers to take a number as an id all the same.
        if let Some(id) = item.get_mut("id").filter(|id| id.is_number()) {
            *id = Value::String(id.to_string());
        }
        let text = |key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
        let identifiers = ["_doi", "doi", "external_url"]
            .into_iter()
            .filter_map(text)
            .collect();
        let document = serde_json::json!({ "version": version, "title": "", "items": [item] }).to_string();
        Piece {
            document,
            extras: Extras {
                identifiers,
                ..Extras::default()
            },
        }
    };
    Ok(Pieces {
        pieces: items.iter().map(piece).collect(),
        broken: None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_bad_item_does_not_spoil_its_neighbours() {
        let feed = "<rss version='2.0' xmlns:p='urn:p'><channel><title>t</title><item><title>a</item>\
                    <item><b>x</c></item><item/><item><p:doi>10.1234/x</p:doi></item></channel></rss>";
        let cut = cut(feed).unwrap();
        assert_eq!(cut.broken, None);
        let documents: Vec<&str> = cut.pieces.iter().map(|piece| piece.document.as_str()).collect();
        let wrap = |item: &str| format!("<rss version='2.0' xmlns:p='urn:p'><channel>{item}</channel></rss>");
        assert_eq!(
            documents,
            [
                wrap("<item><title>a</item>"),
                wrap("<item><b>x</c></item>"),
                wrap("<item/>"),
                wrap("<item><p:doi>10.1234/x</p:doi></item>")
            ]
        );
        assert_eq!(cut.pieces[3].extras.identifiers, ["10.1234/x"]);
    }

    #[test]
    fn what_breaks_off_keeps_what_came_before() {
        let cut = cut("<feed><entry><id>1</id></entry><entry><id>2</id>").unwrap();
        assert_eq!(cut.pieces.len(), 1);
        assert_eq!(cut.broken.as_deref(), Some("it ends within an item"));
    }

    #[test]
    fn what_is_no_feed_says_why() {
        for (text, reason) in [
            (
                "<!DOCTYPE html><html></html>",
                "not a feed: it is a web page (HTML)",
            ),
            (
                "<html><body></body></html>",
                "not a feed: it is a web page (HTML)",
            ),
            ("<svg></svg>", "not a feed: its root element is <svg>"),
            ("hello", "not a feed: it begins neither with < nor with {"),
            ("", "not a feed: it is empty"),
            (
                "{\"version\": \"2\"}",
                "not a feed: its JSON has no version of JSON Feed 1: \"2\"",
            ),
            (
                "<!DOCTYPE r [<!ENTITY a \"b\">]><rss/>",
                "not read: the document declares entities",
            ),
        ] {
            assert_eq!(cut(text).unwrap_err().message(), reason, "{text}");
        }
    }
}
