//! What each HTML element is to the narrow form.

use crate::domain::text::escape_html;

/// Elements that go with all that they hold.
pub(in crate::gather) fn is_dropped(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "iframe"
            | "object"
            | "embed"
            | "svg"
            | "math"
            | "template"
            | "noscript"
            | "head"
            | "title"
            | "textarea"
            | "select"
            | "button"
            | "video"
            | "audio"
            | "canvas"
            | "img"
            | "noembed"
            | "noframes"
            | "xmp"
            | "plaintext"
    )
}

pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "main"
            | "aside"
            | "nav"
            | "address"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "pre"
            | "table"
            | "tr"
            | "caption"
            | "figure"
            | "figcaption"
            | "dl"
            | "dt"
            | "dd"
            | "hr"
            | "center"
            | "details"
            | "summary"
            | "form"
            | "fieldset"
            | "ul"
            | "ol"
            | "li"
            | "blockquote"
            | "body"
            | "html"
    )
}

/// Light markup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Inline {
    Tag(&'static str),
    Link(String),
}

/// The start tag.
impl std::fmt::Display for Inline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tag(tag) => write!(f, "<{tag}>"),
            Self::Link(href) => {
                write!(f, "<a href=\"{}\">", escape_html(href))
            }
        }
    }
}

impl Inline {
    /// The name of the element.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Tag(tag) => tag,
            Self::Link(_) => "a",
        }
    }

    /// The markup that an element other than a link stands for; `blocks` says whether headings count.
    pub(super) fn of(element: &str, blocks: bool) -> Option<Self> {
        Some(Self::Tag(match element {
            "em" | "i" | "cite" | "dfn" | "var" => "em",
            "strong" | "b" => "strong",
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "dt" | "th" if blocks => "strong",
            "code" | "kbd" | "samp" | "tt" => "code",
            "sub" => "sub",
            "sup" => "sup",
            _ => return None,
        }))
    }
}
