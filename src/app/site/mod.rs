//! The pages of the site, for everybody.

mod archive;
mod contact;
mod helpful;
mod missing;
mod research;
mod schema;
mod sitemap;
mod texts;

pub use contact::ContactForm;
pub use research::Shown;

use super::App;
use crate::domain::summary::StoredSummary;
use crate::domain::text::hex;
use crate::domain::{Problem, Result, Slug};
use crate::render::{CategoryContext, CategoryLink, Crumb, ItemContext, Page, SummaryContext};
use aws_lc_rs::digest::{SHA256, digest};

/// A page for everybody, or another document of the site.
#[derive(Debug)]
pub struct PublicDocument {
    /// What it is.
    pub media_type: &'static str,
    /// The whole of it.
    pub text: String,
    /// A strong validator of its bytes, quoted.
    pub etag: String,
}

impl PublicDocument {
    fn new(media_type: &'static str, text: String) -> Self {
        let hash = digest(&SHA256, text.as_bytes());
        let etag = format!("\"{}\"", hex(hash.as_ref().get(..16).unwrap_or_default()));
        Self {
            media_type,
            text,
            etag,
        }
    }
}

impl App {
    fn public_page(&self, page: &impl Page) -> Result<PublicDocument> {
        let html = self.templates.page(page)?;
        Ok(PublicDocument::new("text/html; charset=utf-8", html))
    }

    fn nothing_here(&self) -> Problem {
        Problem::not_found("there is nothing at this address")
    }

    fn category_link(&self, slug: &Slug) -> CategoryLink {
        let known = self.categories.iter().find(|category| category.slug == *slug);
        CategoryLink {
            slug: slug.to_string(),
            name: known.map_or_else(|| slug.to_string(), |category| category.name.clone()),
            has_page: known.is_some(),
        }
    }

    fn shown(&self, stored: &StoredSummary) -> SummaryContext {
        let item = ItemContext::in_feed(&self.config.site, stored, Vec::new());
        SummaryContext::new(item, stored, self.category_links(stored))
    }

    fn category_links(&self, stored: &StoredSummary) -> Vec<CategoryLink> {
        let slugs = stored.summary.categories.iter();
        slugs.map(|slug| self.category_link(slug)).collect()
    }

    /// Every category of the configuration with the number of its summaries.
    async fn category_list(&self) -> Result<Vec<CategoryContext>> {
        let counts = self.store.summaries_by_category().await?;
        let list = self.categories.iter().map(|category| CategoryContext {
            slug: category.slug.to_string(),
            name: category.name.clone(),
            description: category.description.clone(),
            count: counts.get(category.slug.as_str()).copied().unwrap_or_default(),
        });
        Ok(list.collect())
    }
}

fn crumb(name: &str, href: Option<String>) -> Crumb {
    Crumb {
        name: name.to_owned(),
        href,
    }
}
