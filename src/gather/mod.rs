//! Gathering: sources give summaries, cleaned and checked; nothing here knows how they are stored.
//!
//! [`folder`], [`pages`] and [`feed`] are sources; [`page`], [`clean`], [`decode`] and [`dedupe`] are
//! pure; [`fetch`] is the one HTTP client.

use async_trait::async_trait;

use crate::domain::{FetchState, Result, Summary, Timestamp};

mod body;
mod categories;
pub mod clean;
pub mod decode;
pub mod dedupe;
pub mod feed;
mod feed_items;
pub mod fetch;
pub mod folder;
mod front_matter;
pub mod page;
pub mod pages;
pub mod reach;
pub mod run;
mod sections;
mod sitemap;
mod tree;

/// A place that summaries are gathered from.
#[async_trait]
pub trait Source: Send + Sync {
    /// The name that the configuration gives it.
    fn name(&self) -> &str;

    /// Pulls everything that the source has now.
    ///
    /// # Errors
    /// When the source as a whole could not be read; a bad item is an [`Item`] instead.
    async fn pull(&self, memory: &dyn FetchMemory, now: Timestamp) -> Result<Pulled>;
}

/// What is remembered of an address between fetches.
#[async_trait]
pub trait FetchMemory: Send + Sync {
    /// What is known of `address` in `source`; the default when nothing is.
    ///
    /// # Errors
    /// When the store can't be read.
    async fn recall(&self, source: &str, address: &str) -> Result<FetchState>;

    /// Replaces what is known of `address` in `source`.
    ///
    /// # Errors
    /// When the store can't be written.
    async fn remember(&self, source: &str, address: &str, state: &FetchState) -> Result<()>;
}

/// What one pull of a source gave.
#[derive(Debug, Default)]
pub struct Pulled {
    /// The summaries, and the items that are none, in the source's order.
    pub items: Vec<Item>,
    /// Addresses that answered "not modified", are gone, or may not be asked yet.
    pub untouched: usize,
    /// The keys of items that the source has as well, and that were not read: unchanged, or left for later.
    pub others: Vec<String>,
    /// What an operator should know, a sentence each.
    pub notes: Vec<String>,
    /// Validators to remember **after** the items are stored: earlier, a crash would lose the items for ever.
    pub fetched: Vec<(String, FetchState)>,
}

/// One thing that a source offered.
#[derive(Debug)]
pub struct Item {
    /// Stable within the source: file stem, page address, entry id.
    pub key: String,
    /// Whether the key is a name that the publisher gave it: items with one address and two names are two.
    pub named: bool,
    /// File or address, for messages.
    pub place: String,
    /// The summary, or why there is none, with a hint.
    pub outcome: std::result::Result<Summary, String>,
}

impl Item {
    /// An item from what reading it gave.
    fn new(key: impl Into<String>, place: impl Into<String>, outcome: Result<Summary>) -> Self {
        Self {
            key: key.into(),
            named: false,
            place: place.into(),
            outcome: outcome.map_err(|problem| problem.to_string()),
        }
    }
}
