//! A page in HTML: the same blocks as a text page has, from headings, paragraphs and lists.

use scraper::{ElementRef, Html, Node, Selector};
use url::Url;

use super::{Block, Draft, Look};
use crate::domain::text::{escape_html, one_line};
use crate::domain::{Problem, Result};
use crate::gather::sections::Section;
use crate::gather::tree::{self, Visitor};

/// The most nodes in one step of a breadcrumb.
const MAX_STEP: usize = 64;

/// Reads the layout of the page.
///
/// # Errors
/// When it has no title.
pub(super) fn read(page: &str, base: Option<&Url>) -> Result<Draft> {
    draft(&tree::parse(page)?, base)
}

fn draft(document: &Html, base: Option<&Url>) -> Result<Draft> {
    let select = |css: &str| Selector::parse(css).ok();
    let text_of = |element: ElementRef<'_>| one_line(&element.text().collect::<Vec<_>>().join(" "));
    let no_title =
        || Problem::failed("the page has no title: no h1 with text").hint("is this a page of a summary?");

    let headings: Vec<_> = select("h1")
        .map(|css| document.select(&css).collect())
        .unwrap_or_default();
    let inner =
        select("main h1, article h1").and_then(|css| document.select(&css).find(|h| !text_of(*h).is_empty()));
    let chosen = inner
        .or_else(|| headings.iter().copied().find(|h| !text_of(*h).is_empty()))
        .ok_or_else(no_title)?;
    let index = headings.iter().position(|h| h.id() == chosen.id()).unwrap_or(0);
    let title = text_of(chosen);

    let steps = select("ol, ul")
        .and_then(|css| document.select(&css).find_map(|list| trail(list, &title)))
        .unwrap_or_default();
    let canonical = select("link[rel~=canonical][href]")
        .and_then(|css| document.select(&css).next().and_then(|link| link.attr("href")))
        .and_then(|href| base.map_or_else(|| Url::parse(href), |base| base.join(href)).ok())
        .filter(|url| matches!(url.scheme(), "http" | "https"));

    let mut reader = Reader {
        headings_before: index + 1,
        ..Reader::default()
    };
    tree::walk(document, &mut reader);
    reader.flush();
    let url = canonical.as_ref().or(base).map(|url| {
        let mut url = url.clone();
        url.set_fragment(None);
        url.to_string()
    });
    Ok(Draft {
        title,
        steps,
        url,
        blocks: reader.blocks,
    })
}

/// The steps of a list, when it is a breadcrumb that leads to `title`.
fn trail(list: ElementRef<'_>, title: &str) -> Option<Vec<String>> {
    // Only the list's own items, the last one first: lists within lists must not be read again and again.
    let items = list
        .children()
        .filter_map(ElementRef::wrap)
        .filter(|item| item.value().name() == "li");
    let is_edge = |c: char| c.is_whitespace() || matches!(c, '/' | '›' | '»' | '>');
    let mut steps = Vec::new();
    for item in items.rev() {
        let step = step_of(item)?.trim_matches(is_edge).to_owned();
        if steps.is_empty() && step != title {
            return None;
        }
        steps.push(step);
    }
    steps.reverse();
    (steps.len() >= 3).then_some(steps)
}

/// The text of a breadcrumb's step; `None` for an item that holds more than a step does.
fn step_of(item: ElementRef<'_>) -> Option<String> {
    let mut nodes = item.descendants();
    let texts: Vec<&str> = nodes
        .by_ref()
        .take(MAX_STEP)
        .filter_map(|node| node.value().as_text().map(|text| &**text))
        .collect();
    nodes.next().is_none().then(|| one_line(&texts.join(" ")))
}

/// Gathers blocks while the document is walked.
#[derive(Default)]
struct Reader {
    /// How many `h1` are still to end before the text begins.
    headings_before: usize,
    /// Whether a known heading was seen.
    in_sections: bool,
    heading: Option<u8>,
    /// How many list items are open; blocks within one belong to it.
    items: usize,
    /// The number of the present item in its section.
    count: usize,
    category_link: bool,
    text: String,
    html: String,
    blocks: Vec<Block>,
}

impl Visitor for Reader {
    fn open(&mut self, node: &Node) -> bool {
        let element = match node {
            Node::Text(text) if self.headings_before == 0 => {
                // Without white space in front, so that a long run of it is not trimmed at every element's end.
                let seen: &str = if self.text.is_empty() {
                    text.trim_start()
                } else {
                    text
                };
                self.text.push_str(seen);
                self.html.push_str(&escape_html(text));
                return true;
            }
            Node::Element(element) => element,
            _ => return true,
        };
        let name = element.name();
        if matches!(
            name,
            "nav"
                | "footer"
                | "form"
                | "aside"
                | "script"
                | "style"
                | "template"
                | "noscript"
                | "svg"
                | "button"
                | "iframe"
                | "head"
        ) {
            return false;
        }
        if self.headings_before > 0 {
            return true;
        }
        if let Some(level) = level(name) {
            self.flush();
            self.heading = Some(level);
        } else if name == "li" {
            if self.items == 0 {
                self.flush();
                self.count += 1;
            }
            self.items += 1;
        } else if self.parts(name) {
            self.part();
        }
        match name {
            "a" => {
                let href = element.attr("href").unwrap_or_default();
                self.category_link = !self.in_sections && href.contains("/categor");
                self.html.push_str(&format!("<a href=\"{}\">", escape_html(href)));
            }
            "em" | "i" | "strong" | "b" | "sub" | "sup" | "code" | "br" => {
                self.html.push_str(&format!("<{name}>"))
            }
            _ => {}
        }
        true
    }

    fn close(&mut self, node: &Node) {
        let Node::Element(element) = node else { return };
        let name = element.name();
        if self.headings_before > 0 {
            self.headings_before -= usize::from(name == "h1");
            return;
        }
        if matches!(name, "a" | "em" | "i" | "strong" | "b" | "sub" | "sup" | "code") {
            self.html.push_str(&format!("</{name}>"));
        }
        if level(name).is_some() {
            self.flush();
        } else if name == "li" {
            if self.items == 1 {
                self.flush();
            }
            self.items = self.items.saturating_sub(1);
        } else if self.parts(name) {
            self.part();
        }
        if name == "a" {
            self.category_link = false;
        }
        // The number of an item that stands in an element of its own.
        let is_short = self.text.len() < 100;
        if is_short
            && self.items > 0
            && self.in_sections
            && self.text.trim().parse() == Ok(self.count)
            && name != "a"
        {
            self.text.clear();
            self.html.clear();
        }
    }
}

impl Reader {
    /// Whether an element of this name parts what is before it from what is in it.
    fn parts(&self, name: &str) -> bool {
        let inline = matches!(
            name,
            "em" | "i"
                | "strong"
                | "b"
                | "sub"
                | "sup"
                | "code"
                | "br"
                | "u"
                | "small"
                | "abbr"
                | "cite"
                | "wbr"
        );
        let inline_in_sections = matches!(name, "a" | "span" | "time" | "label" | "mark" | "q");
        !(inline || self.in_sections && inline_in_sections || self.heading.is_some())
    }

    fn part(&mut self) {
        if self.items > 0 && self.in_sections {
            if !self.text.is_empty() && !self.text.ends_with(' ') {
                self.text.push(' ');
            }
            self.html.push(' ');
        } else {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let text = one_line(&std::mem::take(&mut self.text));
        let html = std::mem::take(&mut self.html);
        let heading = self.heading.take();
        if text.is_empty() {
            return;
        }
        let look = match heading {
            Some(level) => Look::Heading(level),
            None if self.items > 0 && self.in_sections => Look::Item,
            None => Look::Paragraph,
        };
        if look != Look::Item && Section::find(&text).is_some() {
            self.in_sections = true;
            self.count = 0;
        }
        let category_link = self.category_link;
        self.blocks.push(Block {
            look,
            text,
            html,
            line: None,
            category_link,
        });
    }
}

fn level(name: &str) -> Option<u8> {
    match name {
        "h1" => Some(1),
        "h2" => Some(2),
        "h3" => Some(3),
        "h4" => Some(4),
        "h5" => Some(5),
        "h6" => Some(6),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn lists_within_lists_cost_no_time() {
        for (open, close) in [
            ("<ul><li>", ""),
            ("<ul><li>a</li><li>b</li><li>", "</li></ul>"),
            ("<ol><li><b></b>", "</li><li>T</li><li>T</li></ol>"),
        ] {
            let page = |depth| {
                let (open, close) = (open.repeat(depth), close.repeat(depth));
                format!("<h1>T</h1><h2>Key Findings</h2>{open}x{close}")
            };
            let begun = Instant::now();
            assert_eq!(read(&page(200), None).unwrap().title, "T");
            let problem = read(&page(10_000), None).unwrap_err();
            assert_eq!(
                problem.message(),
                "the page's elements lie more than 1000 deep",
                "{open}"
            );
            let time = begun.elapsed();
            assert!(time < Duration::from_secs(5), "{open}: {time:?}");
        }
    }

    #[test]
    fn a_breadcrumb_is_a_list_that_ends_at_the_title() {
        let page = "<ul><li>Menu<ul><li>A</li><li>B</li><li>Tea</li></ul></li></ul>\
                    <ol><li><a>Home</a> /</li><li><a>Urology</a> ›</li><li>Tea</li></ol><h1>Tea</h1>";
        assert_eq!(read(page, None).unwrap().steps, ["A", "B", "Tea"]);
        let page = page.replace("<li>B</li>", "");
        assert_eq!(read(&page, None).unwrap().steps, ["Home", "Urology", "Tea"]);
    }
}
