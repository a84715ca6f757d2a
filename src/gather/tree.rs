//! Parsing HTML and walking through it, whatever its depth of nesting.

use html5ever::driver;
use html5ever::tendril::TendrilSink;
use scraper::{Html, HtmlTreeSink, Node};

use crate::domain::{Problem, Result};

/// How deep the elements of a page may lie; real pages stay below fifty.
const MAX_DEPTH: usize = 1000;

/// So much of a page is parsed before its depth is looked at, in bytes.
const STEP: usize = 4096;

/// Parses a page. The parser's time grows with the square of the depth, so the depth has an end.
///
/// # Errors
/// When its elements lie too deep.
pub(super) fn parse(page: &str) -> Result<Html> {
    let mut parser = driver::parse_document(HtmlTreeSink::new(Html::new_document()), Default::default());
    let mut rest = page;
    while !rest.is_empty() {
        let (part, tail) = rest.split_at(rest.floor_char_boundary(STEP));
        parser.process(part.into());
        rest = tail;
        let html = parser.tokenizer.sink.sink.0.borrow();
        let depth = html
            .tree
            .nodes()
            .next_back()
            .map_or(0, |node| node.ancestors().count());
        if depth > MAX_DEPTH {
            return Err(
                Problem::failed(format!("the page's elements lie more than {MAX_DEPTH} deep"))
                    .hint("is this a page of a summary?"),
            );
        }
    }
    Ok(parser.finish())
}

/// What is done with each node on the way.
pub(super) trait Visitor {
    /// Called before a node's children; `false` leaves them out.
    fn open(&mut self, node: &Node) -> bool;
    /// Called after a node's children.
    fn close(&mut self, node: &Node);
}

/// Visits every node of `html` in document order.
pub(super) fn walk(html: &Html, visitor: &mut dyn Visitor) {
    let root = html.tree.root();
    let mut node = root;
    loop {
        if visitor.open(node.value())
            && let Some(child) = node.first_child()
        {
            node = child;
            continue;
        }
        loop {
            visitor.close(node.value());
            if node.id() == root.id() {
                return;
            }
            if let Some(sibling) = node.next_sibling() {
                node = sibling;
                break;
            }
            match node.parent() {
                Some(parent) => node = parent,
                None => return,
            }
        }
    }
}
