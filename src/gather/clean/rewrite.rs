//! Writes any HTML anew in the narrow form: paragraphs, lists, quotes, light markup; nothing empty.

use scraper::{Html, Node, node::Element};
use url::Url;

use super::super::tree::{self, Visitor};
use super::elements::{Inline, is_block, is_dropped};
use crate::domain::text::is_allowed;

/// Whether blocks are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Paragraphs, lists and quotes.
    Blocks,
    /// One run of text and light markup.
    Inline,
}

/// Lists and quotes nested deeper than this are flattened.
const MAX_DEPTH: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    List(&'static str),
    /// An item; `true` once text or a list stands in it that a following text must be parted from.
    Item {
        after_text: bool,
    },
    Quote,
}

#[derive(Debug)]
struct Container {
    kind: Kind,
    /// Whether the start tag is written: that waits for the first text, so that nothing is empty.
    written: bool,
    /// How many elements were open when it began.
    depth: usize,
}

struct Rewriter<'a> {
    base: Option<&'a Url>,
    shape: Shape,
    out: String,
    containers: Vec<Container>,
    paragraph: bool,
    /// Inline elements around the present place, each with its depth.
    wanted: Vec<(usize, Inline)>,
    /// Those of them whose start tag is written.
    opened: Vec<Inline>,
    space: bool,
    breaks: usize,
    /// Whether text was written since the last block began.
    text: bool,
    depth: usize,
}

/// `html` in the narrow form.
pub(super) fn rewrite(html: &str, base: Option<&Url>, shape: Shape) -> String {
    let mut rewriter = Rewriter {
        base,
        shape,
        out: String::with_capacity(html.len()),
        containers: Vec::new(),
        paragraph: false,
        wanted: Vec::new(),
        opened: Vec::new(),
        space: false,
        breaks: 0,
        text: false,
        depth: 0,
    };
    tree::walk(&Html::parse_fragment(html), &mut rewriter);
    rewriter.leave(0);
    rewriter.boundary();
    rewriter.close_inlines(0);
    rewriter.out
}

impl Visitor for Rewriter<'_> {
    fn open(&mut self, node: &Node) -> bool {
        match node {
            Node::Text(text) => self.write(text),
            Node::Element(element) => {
                if is_dropped(element.name()) {
                    return false;
                }
                self.depth += 1;
                self.enter(element);
            }
            _ => {}
        }
        true
    }

    fn close(&mut self, node: &Node) {
        let Node::Element(element) = node else { return };
        if is_dropped(element.name()) {
            return;
        }
        if is_block(element.name()) {
            self.boundary();
        }
        if matches!(element.name(), "td" | "th") {
            self.space = true;
        }
        while self.wanted.last().is_some_and(|(depth, _)| *depth >= self.depth) {
            self.wanted.pop();
        }
        self.leave(self.depth);
        self.depth = self.depth.saturating_sub(1);
    }
}

impl Rewriter<'_> {
    fn enter(&mut self, element: &Element) {
        let name = element.name();
        if is_block(name) {
            self.boundary();
        }
        let inline = match element.attr("href").filter(|_| name == "a") {
            Some(href) => self.absolute(href).map(Inline::Link),
            None => Inline::of(name, self.shape == Shape::Blocks),
        };
        let within = |inline: &Inline| self.wanted.iter().any(|(_, other)| other.name() == inline.name());
        if let Some(inline) = inline.filter(|inline| !within(inline)) {
            self.wanted.push((self.depth, inline));
        }
        if self.shape == Shape::Inline {
            self.space |= name == "br";
            return;
        }
        match name {
            "br" => {
                self.breaks += usize::from(self.text);
                self.space = false;
            }
            "ul" => self.enter_list("ul"),
            "ol" => self.enter_list("ol"),
            "li" => self.enter_item(),
            "blockquote" if self.containers.len() < MAX_DEPTH && self.all_quotes() => self.push(Kind::Quote),
            _ => {}
        }
    }

    fn all_quotes(&self) -> bool {
        self.containers
            .iter()
            .all(|container| container.kind == Kind::Quote)
    }

    fn push(&mut self, kind: Kind) {
        let depth = self.depth;
        self.containers.push(Container {
            kind,
            written: false,
            depth,
        });
    }

    fn enter_list(&mut self, tag: &'static str) {
        if self.containers.len() >= 2 * MAX_DEPTH {
            return;
        }
        if matches!(
            self.containers.last(),
            Some(Container {
                kind: Kind::List(_),
                ..
            })
        ) {
            self.push(Kind::Item { after_text: false });
        }
        self.breaks = 0;
        self.push(Kind::List(tag));
    }

    fn enter_item(&mut self) {
        // An item that loose text in the list had begun ends here.
        if let [.., list, item] = self.containers.as_slice()
            && matches!((list.kind, item.kind), (Kind::List(_), Kind::Item { .. }))
            && item.depth == list.depth
        {
            self.pop();
        }
        if matches!(
            self.containers.last(),
            Some(Container {
                kind: Kind::List(_),
                ..
            })
        ) {
            self.push(Kind::Item { after_text: false });
        }
    }

    /// Ends the containers that began at `depth` or deeper.
    fn leave(&mut self, depth: usize) {
        while self
            .containers
            .last()
            .is_some_and(|container| container.depth >= depth)
        {
            self.pop();
        }
    }

    fn pop(&mut self) {
        self.boundary();
        let Some(container) = self.containers.pop() else {
            return;
        };
        if container.written {
            self.out.push_str(match container.kind {
                Kind::List("ol") => "</ol>",
                Kind::List(_) => "</ul>",
                Kind::Item { .. } => "</li>",
                Kind::Quote => "</blockquote>",
            });
        }
        self.breaks = 0;
        if let Some(Container {
            kind: Kind::Item { after_text },
            ..
        }) = self.containers.last_mut()
        {
            // A list parts the texts around it by itself, unless it was empty.
            *after_text &= !container.written;
            self.breaks = usize::from(*after_text);
        }
    }

    /// Ends whatever run of text is open.
    fn boundary(&mut self) {
        if self.shape == Shape::Inline {
            self.space = true;
            return;
        }
        self.close_inlines(0);
        if self.paragraph {
            self.out.push_str("</p>");
            self.paragraph = false;
        }
        self.space = false;
        self.text = false;
        self.breaks = 0;
        if let Some(Container {
            kind: Kind::Item { after_text: true },
            ..
        }) = self.containers.last()
        {
            self.breaks = 1;
        }
    }

    fn close_inlines(&mut self, keep: usize) {
        for inline in self.opened.drain(keep.min(self.opened.len())..).rev() {
            self.out.push_str(&format!("</{}>", inline.name()));
        }
    }

    fn write(&mut self, text: &str) {
        // A parser takes a byte order mark off, so none may stay.
        for c in text.chars().filter(|&c| is_allowed(c) && c != '\u{FEFF}') {
            if c.is_whitespace() {
                self.space |= self.text && self.breaks == 0;
                continue;
            }
            if !self.text || self.space || self.breaks > 0 || !self.in_step() {
                self.prepare();
            }
            match c {
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '&' => self.out.push_str("&amp;"),
                c => self.out.push(c),
            }
        }
    }

    fn in_step(&self) -> bool {
        self.opened.len() == self.wanted.len()
            && self
                .opened
                .iter()
                .zip(&self.wanted)
                .all(|(open, (_, want))| open == want)
    }

    /// Writes every tag, space and break that must stand before the next character.
    fn prepare(&mut self) {
        if self.shape == Shape::Blocks {
            if self.breaks >= 2 && self.paragraph {
                self.boundary();
            }
            if !self.text {
                self.begin();
            }
        }
        let same = self
            .opened
            .iter()
            .zip(&self.wanted)
            .take_while(|(open, (_, want))| *open == want)
            .count();
        self.close_inlines(same);
        if self.breaks > 0 {
            self.close_inlines(0);
            self.out.push_str("<br>");
        } else if self.space && self.text {
            self.out.push(' ');
        }
        (self.breaks, self.space, self.text) = (0, false, true);
        let opened = self.opened.len();
        for (_, inline) in self.wanted.iter().skip(opened) {
            self.out.push_str(&inline.to_string());
            self.opened.push(inline.clone());
        }
    }

    /// Writes the start tags of the containers around the place, and of a paragraph where one is needed.
    fn begin(&mut self) {
        if let Some(Container {
            kind: Kind::List(_),
            depth,
            ..
        }) = self.containers.last()
        {
            let depth = *depth;
            self.containers.push(Container {
                kind: Kind::Item { after_text: false },
                written: false,
                depth,
            });
        }
        for container in self.containers.iter_mut().filter(|container| !container.written) {
            container.written = true;
            self.out.push_str(match container.kind {
                Kind::List("ol") => "<ol>",
                Kind::List(_) => "<ul>",
                Kind::Item { .. } => "<li>",
                Kind::Quote => "<blockquote>",
            });
        }
        match self.containers.last_mut() {
            Some(Container {
                kind: Kind::Item { after_text },
                ..
            }) => *after_text = true,
            _ => {
                self.out.push_str("<p>");
                self.paragraph = true;
            }
        }
    }

    fn absolute(&self, href: &str) -> Option<String> {
        let href = href.trim();
        let url = match self.base {
            Some(base) => base.join(href).ok()?,
            None => Url::parse(href).ok()?,
        };
        matches!(url.scheme(), "http" | "https" | "mailto").then(|| url.to_string())
    }
}
