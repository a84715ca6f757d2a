//! A publication, as the configuration defines it.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::slug::Slug;

/// What readers get who chose no category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Unchosen {
    /// Every summary.
    #[default]
    All,
    /// Nothing, until they choose.
    None,
}

/// A digest: what it is called, when it goes out, and how much it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Stands on the command line, in lists and addresses.
    pub name: Slug,
    /// What readers see.
    pub title: String,
    /// A cron expression; blank: only by hand.
    pub schedule: String,
    /// The zone in which the schedule is read.
    pub timezone: chrono_tz::Tz,
    /// How late a missed run may start.
    pub grace: Duration,
    /// Fewer new summaries wait for the next edition.
    pub min_items: u32,
    /// More new summaries wait for the next edition.
    pub max_items: u32,
    /// How many the first edition takes, newest first; the rest counts as skipped.
    pub first_edition_items: u32,
    /// Whether an edition waits as a draft until an admin approves it.
    pub approve: bool,
    /// What readers get who chose no category.
    pub unchosen: Unchosen,
    /// The mail's folder below `templates/email`.
    pub templates: String,
}
