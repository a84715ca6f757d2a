//! Pages of the site, saved as text or as HTML, become summaries. Pure.

mod assemble;
mod facts;
mod html;
mod text;

use url::Url;

use crate::domain::text::hex;
use crate::domain::{Category, Result, Slug, Summary};
use aws_lc_rs::digest::{SHA256, digest};

/// Reads a page that was saved as plain text.
///
/// The slug is made from the title; who knows a better one, sets it.
///
/// # Errors
/// Names the line and the text that could not be understood.
pub fn parse_text(page: &str, categories: &[Category]) -> Result<Summary> {
    let page = page.strip_prefix('\u{FEFF}').unwrap_or(page);
    assemble::assemble(text::read(page)?, None, categories)
}

/// Reads a page in HTML that lies at `base`.
///
/// The slug is the last step of the page's own address, when it states or has one, else made from the title.
///
/// # Errors
/// Names the text that could not be understood.
pub fn parse_html(page: &str, base: Option<&Url>, categories: &[Category]) -> Result<Summary> {
    let draft = html::read(page, base)?;
    // A saved page does not know where it lay, but it may state its own address.
    let stated = draft.url.as_deref().and_then(|url| Url::parse(url).ok());
    let mut summary = assemble::assemble(draft, base.or(stated.as_ref()), categories)?;
    if let Some(slug) = summary.url.as_deref().and_then(slug_of_address) {
        summary.slug = slug;
    }
    Ok(summary)
}

/// The slug in the last step of an address.
pub(super) fn slug_of_address(address: &str) -> Option<Slug> {
    let url = Url::parse(address).ok()?;
    let step = url.path_segments()?.rfind(|step| !step.is_empty())?;
    let stem = step
        .strip_suffix(".html")
        .or_else(|| step.strip_suffix(".htm"))
        .unwrap_or(step);
    Slug::parse(&stem.to_lowercase()).ok()
}

/// The slug for a title; one from its hash where no letter of it can stand in a slug.
pub(super) fn slug_of_title(title: &str) -> Result<Slug> {
    match Slug::from_title(title) {
        Some(slug) => Ok(slug),
        None => {
            let hash = hex(digest(&SHA256, title.as_bytes()).as_ref());
            Slug::parse(&format!("summary-{}", hash.get(..12).unwrap_or(&hash)))
        }
    }
}

/// What a page is made of before its meaning is looked at.
#[derive(Debug, Default)]
struct Draft {
    title: String,
    /// The steps of the breadcrumb.
    steps: Vec<String>,
    /// The page's own address, when it states one.
    url: Option<String>,
    /// Everything after the title.
    blocks: Vec<Block>,
}

/// How a piece of a page looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Paragraph,
    Item,
    /// A heading that HTML marks as one, with its level.
    Heading(u8),
}

/// A piece of a page.
#[derive(Debug)]
struct Block {
    look: Look,
    /// One line of plain text.
    text: String,
    /// The same with its markup.
    html: String,
    /// The line of a text page.
    line: Option<usize>,
    /// Whether it is a link to a category's page.
    category_link: bool,
}
