//! `[retention]`: how long is kept what tells of single readers.

use std::time::Duration;

use super::section::Section;
use crate::domain::Result;

pub(super) const KEYS: &[&str] = &["deliveries", "notices", "networks"];

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long rows about readers are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Who received an edition, after it ended; its counts stay.
    pub deliveries: Duration,
    /// What became of a mail to a single reader, after it ended.
    pub notices: Duration,
    /// How many requests came from a network.
    pub networks: Duration,
}

pub(super) fn read(mut section: Section<'_>) -> Result<Retention> {
    Ok(Retention {
        deliveries: section.duration("deliveries", DAY)?.unwrap_or(400 * DAY),
        // Mails of the last 24 hours are counted, so that nobody is flooded.
        notices: section.duration("notices", 2 * DAY)?.unwrap_or(30 * DAY),
        networks: section.duration("networks", DAY)?.unwrap_or(30 * DAY),
    })
}
