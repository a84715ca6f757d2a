//! Cuts a feed into its items, so that a bad one never costs the others.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

use crate::domain::{Problem, Result};

/// At most so many items of one feed are read.
pub(super) const MAX_ITEMS: usize = 10_000;

/// The longest start tag above the items, in bytes: every item's document repeats it.
const MAX_TAG: usize = 16 * 1024;

/// The most attributes of one element: the parser compares each with each.
const MAX_ATTRIBUTES: usize = 256;

/// One item as a whole feed of its own, for the parser.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    /// A document that holds this item alone.
    pub(super) document: String,
    /// What the parser leaves out of it.
    pub(super) extras: Extras,
    /// Why the document must not be given to the parser.
    pub(super) refused: Option<String>,
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

/// What cutting a feed met beside its items.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Why the rest of the document could not be read, when it breaks off.
    pub(super) broken: Option<String>,
    /// Whether there are more items than [`MAX_ITEMS`].
    pub(super) over: bool,
}

/// Cuts the text of a feed and gives `take` one item after the other: together they can be far larger
/// than the feed.
///
/// # Errors
/// When it is no feed at all, or one that may not be read.
pub(super) fn cut(text: &str, take: &mut dyn FnMut(Piece)) -> Result<Rest> {
    match text.trim_start().chars().next() {
        Some('{') => cut_json(text, take),
        Some('<') => cut_xml(text, take),
        Some(_) => Err(no_feed("it begins neither with < nor with {")),
        None => Err(no_feed("it is empty")),
    }
}

fn no_feed(what: &str) -> Problem {
    Problem::failed(format!("not a feed: {what}")).hint("give the address of an RSS, Atom or JSON feed")
}

/// An element above the items.
struct Above<'a> {
    /// Its start tag, verbatim.
    tag: &'a str,
    name: String,
    base: Option<String>,
}

/// What is open while a document is read.
struct Cutter<'a> {
    text: &'a str,
    above: Vec<Above<'a>>,
    item: Option<Item>,
    taken: usize,
    over: bool,
    take: &'a mut dyn FnMut(Piece),
}

struct Item {
    name: String,
    start: usize,
    extra: Option<(String, String)>,
    extras: Extras,
    refused: Option<String>,
}

fn cut_xml(text: &str, take: &mut dyn FnMut(Piece)) -> Result<Rest> {
    let mut reader = Reader::from_str(text);
    // An item with a tag that is not closed ends all the same where its own end tag stands.
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut cutter = Cutter {
        text,
        above: Vec::new(),
        item: None,
        taken: 0,
        over: false,
        take,
    };
    let mut broken = None;
    while !cutter.over {
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
    if cutter.above.is_empty() {
        return Err(no_feed(
            &broken.unwrap_or_else(|| "it has no RSS or Atom element".to_owned()),
        ));
    }
    Ok(Rest {
        broken,
        over: cutter.over,
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
            item.refused = item.refused.take().or_else(|| too_many_attributes(start));
            let wanted = matches!(
                local.as_str(),
                "doi" | "identifier" | "publicationname" | "publicationdate" | "coverdate"
            );
            if wanted {
                item.extra = Some((local, String::new()));
            }
            return Ok(());
        }
        let is_item = is_item(&local) && !self.above.is_empty();
        if is_item && self.taken == MAX_ITEMS {
            self.over = true;
            return Ok(());
        }
        // Items stand in the root or in its channel; nothing else above them matters.
        let is_above = self.above.is_empty() || (local == "channel" && self.above.len() == 1);
        if !is_item && !is_above {
            return Ok(());
        }
        if is_above && after - before > MAX_TAG {
            return Err(Problem::failed(format!(
                "not read: a start tag at byte {before} is longer than {MAX_TAG} bytes"
            ))
            .hint("tell the publisher"));
        }
        let base = start
            .attributes()
            .with_checks(false)
            .flatten()
            .find(|attribute| attribute.key.as_ref() == "xml:base");
        let base = base.map(|attribute| super::clean::line_from_html(&attribute.value));
        if is_item {
            let above = self.above.iter().filter_map(|above| above.base.clone());
            let bases = above.chain(base).collect();
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
                refused: too_many_attributes(start),
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
        self.above.push(Above {
            tag: self.text.get(before..after).unwrap_or_default(),
            name: start.name().as_ref().to_owned(),
            base,
        });
        Ok(())
    }

    fn end(&mut self, name: &str, after: usize) {
        let Some(item) = &mut self.item else {
            // RSS 1.0 closes its channel before the items come.
            if self.above.len() == 2 && self.above.last().is_some_and(|above| above.name == name) {
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
        let mut document: String = self.above.iter().map(|above| above.tag).collect();
        document.push_str(self.text.get(item.start..after).unwrap_or_default());
        for above in self.above.iter().rev() {
            document.push_str(&format!("</{}>", above.name));
        }
        self.taken += 1;
        (self.take)(Piece {
            document,
            extras: item.extras,
            refused: item.refused,
        });
    }
}

fn too_many_attributes(start: &BytesStart<'_>) -> Option<String> {
    let many = start
        .attributes()
        .with_checks(false)
        .nth(MAX_ATTRIBUTES)
        .is_some();
    many.then(|| format!("an element has more than {MAX_ATTRIBUTES} attributes"))
}

fn is_item(local: &str) -> bool {
    matches!(local, "item" | "entry")
}

fn local(start: &BytesStart<'_>) -> String {
    start.local_name().as_ref().to_ascii_lowercase()
}

fn cut_json(text: &str, take: &mut dyn FnMut(Piece)) -> Result<Rest> {
    let feed: Value = serde_json::from_str(text)
        .map_err(|error| no_feed(&format!("it is not well-formed JSON: {error}")))?;
    let version = feed.get("version").and_then(Value::as_str).unwrap_or_default();
    // Every item's document repeats the version.
    if !version.starts_with("https://jsonfeed.org/version/1") || version.len() > 64 {
        let version: String = version.chars().take(64).collect();
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
            refused: None,
        }
    };
    items.iter().take(MAX_ITEMS).map(piece).for_each(take);
    Ok(Rest {
        broken: None,
        over: items.len() > MAX_ITEMS,
    })
}

#[cfg(test)]
mod tests;
