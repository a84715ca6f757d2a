//! `[subscribe]`: signing up on the site, and what keeps it from being abused.

use std::time::Duration;

use super::section::Section;
use crate::domain::Result;

pub(super) const KEYS: &[&str] = &[
    "enabled",
    "minimum_time",
    "per_network_per_hour",
    "total_per_hour",
];

/// How readers sign up by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// Whether the form and the API take sign-ups.
    pub enabled: bool,
    /// A form that comes back sooner was hardly filled in by a person.
    pub minimum_time: Duration,
    /// How many forms of all kinds are taken from one network (/24, /48) in an hour.
    pub per_network_per_hour: u32,
    /// How many forms of one kind are taken in all in an hour.
    pub total_per_hour: u32,
}

pub(super) fn read(mut section: Section<'_>) -> Result<Subscribe> {
    Ok(Subscribe {
        enabled: section.flag("enabled")?.unwrap_or(true),
        minimum_time: section
            .duration("minimum_time", Duration::ZERO)?
            .unwrap_or(Duration::from_secs(3)),
        per_network_per_hour: section
            .number("per_network_per_hour", 1..1_000_000_001)?
            .unwrap_or(30),
        total_per_hour: section
            .number("total_per_hour", 1..1_000_000_001)?
            .unwrap_or(1_000),
    })
}
