//! A walk through parsed HTML that no depth of nesting can overflow.

use scraper::{Html, Node};

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
