//! Cleaning: whatever a source gives becomes one narrow form of HTML, or one line of text.
//!
//! Pure; cleaning twice gives what cleaning once gives.

mod elements;
mod rewrite;

use ammonia::{Builder, UrlRelative};
use scraper::{Html, Node};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use url::Url;

use super::tree::{self, Visitor};
use crate::domain::Prose;
use crate::domain::text::{escape_html, one_line, strip_illegal};
use rewrite::{Shape, rewrite};

/// The elements that survive.
const TAGS: [&str; 11] = [
    "p",
    "br",
    "em",
    "strong",
    "a",
    "ul",
    "ol",
    "li",
    "blockquote",
    "code",
    "sub",
];

static GATE: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .tags(TAGS.into_iter().chain(["sup"]).collect::<HashSet<_>>())
        .tag_attributes(HashMap::from([("a", HashSet::from(["href"]))]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(None);
    builder
});

/// One trimmed line of plain text.
pub fn line(text: &str) -> String {
    one_line(text)
}

/// One trimmed line from text that may hold markup or character references.
pub fn line_from_html(html: &str) -> String {
    struct Texts(String);
    impl Visitor for Texts {
        fn open(&mut self, node: &Node) -> bool {
            if let Node::Text(text) = node {
                self.0.extend(text.chars().filter(|&c| c != '\u{FEFF}'));
            }
            !node
                .as_element()
                .is_some_and(|element| elements::is_dropped(element.name()))
        }
        fn close(&mut self, _: &Node) {}
    }
    let mut texts = Texts(String::new());
    tree::walk(&Html::parse_fragment(html), &mut texts);
    one_line(&texts.0)
}

/// Paragraphs, lists and light markup from HTML; relative addresses need `base` or are dropped.
pub fn prose_from_html(html: &str, base: Option<&Url>) -> Prose {
    pass(html, base, Shape::Blocks)
}

/// One run of light markup from HTML, with no block in it.
pub fn inline_from_html(html: &str, base: Option<&Url>) -> Prose {
    pass(html, base, Shape::Inline)
}

/// Paragraphs, lists and light markup from Markdown (CommonMark).
pub fn prose_from_markdown(markdown: &str) -> Prose {
    prose_from_html(&markdown_to_html(markdown), None)
}

/// Paragraphs from plain text, which blank lines part.
pub fn prose_from_text(text: &str) -> Prose {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut html = String::with_capacity(text.len() + 16);
    let mut open = false;
    for line in text.lines() {
        if line.trim().is_empty() {
            open = false;
            continue;
        }
        html.push_str(if open { "\n" } else { "<p>" });
        open = true;
        html.push_str(&escape_html(line));
    }
    prose_from_html(&html, None)
}

/// Whether text holds what can only be a tag or a character reference.
pub(super) fn has_markup(text: &str) -> bool {
    let tag = text.match_indices('<').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default().trim_start_matches('/');
        rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.contains('>')
    });
    let reference = text.match_indices('&').any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let word = rest.find(';').and_then(|end| rest.get(..end)).unwrap_or_default();
        !word.is_empty()
            && word.len() < 12
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'#')
    });
    tag || reference
}

fn markdown_to_html(markdown: &str) -> String {
    let mut html = String::with_capacity(markdown.len() * 2);
    pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(markdown));
    html
}

/// Structure first, then ammonia as the gate that lets nothing else through.
fn pass(html: &str, base: Option<&Url>, shape: Shape) -> Prose {
    let shaped = rewrite(&strip_illegal(html), base, shape);
    Prose::from_sanitised(GATE.clean(&shaped).to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::text::is_allowed;
    use proptest::prelude::*;

    fn prose(html: &str) -> String {
        prose_from_html(html, None).html().to_owned()
    }

    #[test]
    fn keeps_light_markup_and_drops_the_rest() {
        for (from, to) in [
            ("plain", "<p>plain</p>"),
            ("<div>a</div><div>b</div>", "<p>a</p><p>b</p>"),
            ("<p>a<script>x()</script>b<style>p{}</style></p>", "<p>ab</p>"),
            (
                "<iframe src=https://example.org>x</iframe><img src=https://example.org/a.png alt=x>",
                "",
            ),
            ("<p onclick=x style=y class=z>a</p>", "<p>a</p>"),
            ("<b>a</b> <i>b</i>", "<p><strong>a</strong> <em>b</em></p>"),
            ("<h2>Title</h2>text", "<p><strong>Title</strong></p><p>text</p>"),
            ("a<br>b<br><br>c", "<p>a<br>b</p><p>c</p>"),
            ("<p> </p><p>&nbsp;</p><ul></ul>x", "<p>x</p>"),
            (
                "<ul><li><p>a</p></li><li>b<ul><li>c</ul></ul>",
                "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>",
            ),
            (
                "<blockquote>a</blockquote>b",
                "<blockquote><p>a</p></blockquote><p>b</p>",
            ),
            (
                "H<sub>2</sub>O <code>x</code>",
                "<p>H<sub>2</sub>O <code>x</code></p>",
            ),
            (
                "<strong><p>a</p><p>b</p></strong>",
                "<p><strong>a</strong></p><p><strong>b</strong></p>",
            ),
            ("<table><tr><td>a<td>b<tr><td>c</table>", "<p>a b</p><p>c</p>"),
            ("]]&gt; &lt;b&gt; &amp;amp;", "<p>]]&gt; &lt;b&gt; &amp;amp;</p>"),
            ("a &#1;b\u{1}c\u{FFFE}", "<p>a bc</p>"),
            ("<ul><li>a<ol></ol>b", "<ul><li>a<br>b</li></ul>"),
            ("<ul>\u{FEFF}\t!", "<ul><li>!</li></ul>"),
        ] {
            assert_eq!(prose(from), to, "{from}");
        }
    }

    #[test]
    fn links_are_absolute_or_gone() {
        let base = Url::parse("https://example.org/a/b").unwrap();
        let with = |html| prose_from_html(html, Some(&base)).html().to_owned();
        assert_eq!(
            with("<a href='../c?x=1&y'>t</a>"),
            "<p><a href=\"https://example.org/c?x=1&amp;y\">t</a></p>"
        );
        assert_eq!(prose("<a href=c>t</a>"), "<p>t</p>");
        assert_eq!(prose("<a href=//example.org/c>t</a>"), "<p>t</p>");
        for bad in [
            "javascript:alert(1)",
            "JaVa\tScript:x",
            "data:text/html,x",
            "vbscript:x",
            "file:///x",
        ] {
            let html = format!("<a href=\"{bad}\">t</a>");
            assert_eq!(prose_from_html(&html, Some(&base)).html(), "<p>t</p>", "{bad}");
        }
        assert_eq!(
            prose("<a href='mailto:a@example.org'>t</a>"),
            "<p><a href=\"mailto:a@example.org\">t</a></p>"
        );
    }

    #[test]
    fn inline_has_no_blocks() {
        let inline = |html| inline_from_html(html, None).html().to_owned();
        assert_eq!(
            inline("<p>a <b>b</b></p><ul><li>c<li>d</ul>e<br>f"),
            "a <strong>b</strong> c d e f"
        );
    }

    #[test]
    fn emoji_and_right_to_left_text_survive() {
        let text = "👩\u{200D}⚕️ שלום \u{200F}مرحبا\u{202B}x\u{202C}";
        assert_eq!(prose(text), format!("<p>{text}</p>"));
        assert_eq!(line(text), text);
    }

    #[test]
    fn text_and_markdown_become_paragraphs() {
        assert_eq!(
            prose_from_text(" a\r\nb <i>\r\n\r\n\r\nc ]]> d").html(),
            "<p>a b &lt;i&gt;</p><p>c ]]&gt; d</p>"
        );
        assert_eq!(
            prose_from_markdown("a\nb\n\n- c\n- **d**").html(),
            "<p>a b</p><ul><li>c</li><li><strong>d</strong></li></ul>"
        );
        assert_eq!(
            line_from_html("<i>In&amp;vivo</i>\n a &lt; b<script>x</script>"),
            "In&vivo a < b"
        );
    }

    #[test]
    fn deep_nesting_overflows_nothing() {
        for tag in [
            "div",
            "ul",
            "li",
            "blockquote",
            "b",
            "a href=https://example.org/",
        ] {
            let html = format!("{}x", format!("<{tag}>").repeat(5000));
            assert!(prose(&html).contains('x'), "{tag}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn cleaning_twice_is_cleaning_once(pieces in prop::collection::vec(piece(), 0..24)) {
            let html = pieces.concat();
            let once = prose_from_html(&html, None);
            prop_assert!(once.html().chars().all(is_allowed));
            let twice = prose_from_html(once.html(), None);
            prop_assert_eq!(twice.html(), once.html());
            let inline = inline_from_html(&html, None);
            let again = inline_from_html(inline.html(), None);
            prop_assert_eq!(again.html(), inline.html());
            let title = line_from_html(&html);
            let again = line(&title);
            prop_assert_eq!(again, title);
        }
    }

    fn piece() -> impl Strategy<Value = String> {
        let tags = [
            "p",
            "b",
            "em",
            "ul",
            "ol",
            "li",
            "blockquote",
            "div",
            "h3",
            "br",
            "code",
            "sub",
            "table",
            "td",
            "script",
            "svg",
            "a href='https://example.org/?a=<b>&c'",
            "a href=x",
            "pre",
            "dd",
        ];
        prop_oneof![
            (prop::sample::select(tags.to_vec()), any::<bool>()).prop_map(|(tag, close)| {
                let name = tag.split(' ').next().unwrap_or(tag);
                if close {
                    format!("</{name}>")
                } else {
                    format!("<{tag}>")
                }
            }),
            "[ a-c\n]{0,4}",
            ".{0,6}",
            "&(amp|lt|nbsp|#1|#x2028|zz);?",
        ]
    }
}
