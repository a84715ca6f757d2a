//! HTML fragments as plain text, and the rule of the text part: every URL stands alone on its line.

use scraper::{ElementRef, Html, Node};

use super::slots::Slot;

/// Plain text of a sanitised fragment: paragraphs parted by a blank line, list items on lines of
/// their own, and the address of every link on a line after the paragraph it stands in.
pub(super) fn from_html(html: &str) -> String {
    let fragment = Html::parse_fragment(html);
    let mut writer = Writer::default();
    writer.children(fragment.root_element());
    writer.end_block(2);
    writer.done.trim().to_owned()
}

/// The same in one line, without the links' addresses.
pub(super) fn line_from_html(html: &str) -> String {
    let fragment = Html::parse_fragment(html);
    let mut writer = Writer {
        without_links: true,
        ..Writer::default()
    };
    writer.children(fragment.root_element());
    writer.end_block(2);
    crate::domain::text::one_line(&writer.done)
}

#[derive(Default)]
struct Writer {
    done: String,
    block: String,
    links: Vec<String>,
    lists: Vec<Option<usize>>,
    without_links: bool,
    depth: usize,
}

/// Elements nested deeper than this are read as mere text, so that no input exhausts the stack.
const MAX_DEPTH: usize = 100;

impl Writer {
    fn children(&mut self, element: ElementRef<'_>) {
        if self.depth == MAX_DEPTH {
            element.text().for_each(|text| self.words(text));
            return;
        }
        self.depth += 1;
        for child in element.children() {
            match child.value() {
                Node::Text(text) => self.words(text),
                Node::Element(_) => {
                    if let Some(child) = ElementRef::wrap(child) {
                        self.element(child);
                    }
                }
                _ => {}
            }
        }
        self.depth -= 1;
    }

    fn words(&mut self, text: &str) {
        for c in text.chars() {
            if !c.is_whitespace() || c == '\u{A0}' {
                self.block.push(c);
            } else if !self.block.is_empty() && !self.block.ends_with([' ', '\n']) {
                self.block.push(' ');
            }
        }
    }

    fn element(&mut self, element: ElementRef<'_>) {
        match element.value().name() {
            "br" => {
                self.block.truncate(self.block.trim_end_matches(' ').len());
                self.block.push('\n');
            }
            "a" => {
                let start = self.block.len();
                self.children(element);
                let address = element.value().attr("href").unwrap_or_default();
                let shown = self.block.get(start..).unwrap_or_default().trim();
                if is_web(address) && shown != address {
                    self.links.push(address.to_owned());
                }
            }
            "sup" => {
                self.block.push('^');
                self.children(element);
            }
            "ul" | "ol" => {
                self.end_block(1);
                self.lists.push((element.value().name() == "ol").then_some(0));
                self.children(element);
                self.lists.pop();
                self.end_block(if self.lists.is_empty() { 2 } else { 1 });
            }
            "li" => {
                self.end_block(1);
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{number}. ")
                    }
                    _ => "- ".to_owned(),
                };
                self.block.push_str(&mark);
                self.children(element);
                self.end_block(1);
            }
            "tr" => {
                self.end_block(1);
                self.children(element);
                self.end_block(1);
            }
            "td" | "th" => {
                if !self.block.is_empty() {
                    self.block.push_str("; ");
                }
                self.children(element);
                self.block.truncate(self.block.trim_end().len());
            }
            "p" | "div" | "blockquote" | "pre" | "table" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dl"
            | "dt" | "dd" | "hr" | "section" | "figure" => {
                // A paragraph inside a list item goes on after the item's mark.
                let after_mark = !self.lists.is_empty() && self.block.ends_with(". ") || self.block == "- ";
                if !after_mark {
                    self.end_block(2);
                }
                self.children(element);
                self.end_block(if self.lists.is_empty() { 2 } else { 1 });
            }
            "script" | "style" | "template" => {}
            _ => self.children(element),
        }
    }

    fn end_block(&mut self, line_ends: usize) {
        let block = std::mem::take(&mut self.block);
        self.done.push_str(block.trim());
        for link in self.links.drain(..).filter(|_| !self.without_links) {
            self.done.push('\n');
            self.done.push_str(&link);
        }
        if self.done.is_empty() {
            return;
        }
        let present = self.done.len() - self.done.trim_end_matches('\n').len();
        for _ in present..line_ends {
            self.done.push('\n');
        }
    }
}

fn is_web(address: &str) -> bool {
    let starts_with = |scheme: &str| {
        let head = address.as_bytes().get(..scheme.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(scheme.as_bytes()))
    };
    starts_with("https://") || starts_with("http://")
}

/// The text part in its final form: every URL alone on its line, no line ends in a space,
/// no two blank lines in a row, one line end at the end.
pub(super) fn tidy(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        isolate(line.trim_end(), &mut lines);
    }
    let mut tidied = String::with_capacity(text.len());
    let mut blank = true;
    for line in lines {
        if !(line.is_empty() && blank) {
            tidied.push_str(&line);
            tidied.push('\n');
        }
        blank = line.is_empty();
    }
    tidied.truncate(tidied.trim_end().len());
    tidied.push('\n');
    tidied
}

/// Breaks `line` before and after each URL in it.
fn isolate(line: &str, lines: &mut Vec<String>) {
    const OPENING: [char; 5] = ['(', '<', '[', '"', '“'];
    const CLOSING: [char; 11] = [')', '>', ']', '"', '”', '.', ',', ';', ':', '!', '?'];
    let mut rest = line;
    while let Some((start, end)) = find_url(rest) {
        let part = |range: std::ops::Range<usize>| rest.get(range).unwrap_or_default();
        let before = part(0..start).trim_end().trim_end_matches(OPENING).trim_end();
        if before.chars().any(char::is_alphanumeric) {
            lines.push(before.to_owned());
        }
        lines.push(part(start..end).to_owned());
        rest = part(end..rest.len()).trim_start_matches(CLOSING).trim_start();
        if rest.is_empty() {
            return;
        }
    }
    lines.push(rest.to_owned());
}

/// The byte range of the first URL, a slot that will hold one included.
fn find_url(line: &str) -> Option<(usize, usize)> {
    for (at, c) in line.char_indices() {
        if matches!(
            Slot::of_marker(c),
            Some(Slot::UnsubscribeUrl | Slot::PreferencesUrl)
        ) {
            return Some((at, at + c.len_utf8()));
        }
        let rest = line.get(at..).unwrap_or_default();
        if matches!(c, 'h' | 'H') && is_web(rest) {
            let stop = |c: char| {
                c.is_whitespace() || matches!(c, '<' | '>' | '"' | '“' | '”') || Slot::of_marker(c).is_some()
            };
            let mut url = rest
                .get(..rest.find(stop).unwrap_or(rest.len()))
                .unwrap_or_default();
            loop {
                let unbalanced = url.ends_with(')') && url.matches(')').count() > url.matches('(').count();
                let trimmed = url.trim_end_matches(['.', ',', ';', ':', '!', '?', ']', '\'']);
                let trimmed = if unbalanced {
                    trimmed.trim_end_matches(')')
                } else {
                    trimmed
                };
                if trimmed.len() == url.len() {
                    break;
                }
                url = trimmed;
            }
            // A scheme alone is a word, not an address.
            if url.find("://").is_some_and(|scheme| url.len() > scheme + 3) {
                return Some((at, at + url.len()));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_follow_their_paragraph() {
        assert_eq!(
            from_html("<p>See <a href=\"https://a.example.org/x\">the trial</a>, <b>now</b>.</p><p>Next</p>"),
            "See the trial, now.\nhttps://a.example.org/x\n\nNext"
        );
        assert_eq!(
            from_html("<ol><li>One</li><li><p>Two<br>lines</p></li></ol>end 10<sup>2</sup>"),
            "1. One\n2. Two\nlines\n\nend 10^2"
        );
        assert_eq!(
            line_from_html("<p>a <a href=\"https://x.example.org\">b</a></p><p>c</p>"),
            "a b c"
        );
    }

    #[test]
    fn deep_nesting_is_read_as_text() {
        let deep = format!("{}deep{}", "<div>".repeat(5_000), "</div>".repeat(5_000));
        assert_eq!(from_html(&deep), "deep");
    }

    #[test]
    fn a_link_that_shows_its_address_is_not_repeated() {
        let url = "https://a.example.org/x_(y)";
        assert_eq!(
            tidy(&from_html(&format!("See <a href=\"{url}\">{url}</a>."))),
            format!("See\n{url}\n")
        );
    }

    #[test]
    fn every_url_stands_alone() {
        assert_eq!(
            tidy(
                "Unsubscribe: \u{FDD1}\n\n\n\na (https://a.example.org/b?c=d), e http://f.example.org. \nhttps:// is a scheme"
            ),
            "Unsubscribe:\n\u{FDD1}\n\na\nhttps://a.example.org/b?c=d\ne\nhttp://f.example.org\nhttps:// is a scheme\n"
        );
    }
}
