//! What the templates of the feeds see.

use serde::Serialize;

use super::{ItemContext, sample_site};
use crate::domain::summary::StoredSummary;
use crate::domain::{Category, Site};

/// A feed: of all summaries, or of one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelContext {
    /// Who publishes.
    pub site: Site,
    /// The category, or null for the feed of all summaries: `slug`, `name`, `description`.
    pub category: Option<Category>,
}

impl ChannelContext {
    /// The context of a feed.
    pub fn new(site: Site, category: Option<Category>) -> Self {
        Self { site, category }
    }

    /// The feed of a category.
    pub fn sample() -> Self {
        let category = crate::domain::Slug::from_title("First Category").map(|slug| Category {
            slug,
            name: "First Category".to_owned(),
            description: "Where the category's description stands.".to_owned(),
        });
        Self {
            site: sample_site(),
            category,
        }
    }

    /// The feed of all summaries.
    pub fn bare_sample() -> Self {
        Self {
            site: sample_site(),
            category: None,
        }
    }
}

/// An entry of a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryContext {
    /// Who publishes.
    pub site: Site,
    /// The summary.
    pub item: ItemContext,
}

impl EntryContext {
    /// The context of a summary's entry; `categories` are names.
    pub fn new(site: Site, stored: &StoredSummary, categories: Vec<String>) -> Self {
        let item = ItemContext::in_feed(&site, stored, categories);
        Self { site, item }
    }

    /// A corrected summary with every value present.
    pub fn sample() -> Self {
        Self {
            site: sample_site(),
            item: ItemContext {
                is_correction: true,
                status: "corrected",
                ..ItemContext::sample()
            },
        }
    }

    /// A summary with nothing but its title.
    pub fn bare_sample() -> Self {
        Self {
            site: sample_site(),
            item: ItemContext::bare_sample(),
        }
    }
}
