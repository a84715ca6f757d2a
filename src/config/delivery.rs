//! `[delivery]`: how often and how long a message is tried.

use std::time::Duration;

use super::section::Section;
use crate::domain::{Problem, Result, Site};

pub(super) const KEYS: &[&str] = &[
    "retry_first",
    "retry_max",
    "max_age",
    "uncertain",
    "pause_failed_percent",
    "pause_failed_least",
    "timeout",
    "timeout_data",
    "timeout_block",
    "timeout_final",
    "idle",
    "connections",
    "hello",
    "lease",
];

const SECOND: Duration = Duration::from_secs(1);
/// Renewal and margin are parts of it, and clocks differ.
const LEAST_LEASE: Duration = Duration::from_secs(5);
const MINUTE: Duration = Duration::from_secs(60);

/// How messages are handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The wait before the second attempt; doubled from attempt to attempt.
    pub retry_first: Duration,
    /// The longest wait between two attempts.
    pub retry_max: Duration,
    /// How long after its planning an edition is tried at all.
    pub max_age: Duration,
    /// Whether a message that may have arrived is held for an admin, and not tried again.
    pub hold_uncertain: bool,
    /// Above which share of refused mails, in percent, an edition pauses itself; 0: never.
    pub pause_failed_percent: u32,
    /// After how many mails that share is looked at.
    pub pause_failed_least: u32,
    /// How long a relay may take for the reply to a command.
    pub timeout: Duration,
    /// The same for DATA.
    pub timeout_data: Duration,
    /// How long a relay may take until it takes more of a message.
    pub timeout_block: Duration,
    /// How long a relay may take for the reply to a whole message.
    pub timeout_final: Duration,
    /// How long a connection without work is kept.
    pub idle: Duration,
    /// Connections to each relay that sets no number of its own.
    pub connections: u32,
    /// The host name that is said in EHLO.
    pub hello: String,
    /// How long a process holds a batch without renewing its lease.
    pub lease: Duration,
}

pub(super) fn read(mut section: Section<'_>, site: &Site) -> Result<Delivery> {
    // Whoever sets one limit means all of them; else RFC 5321 4.5.3.2 says how long.
    let timeout = section.duration("timeout", SECOND)?;
    let or = |minutes: u32| timeout.unwrap_or(minutes * MINUTE);
    let delivery = Delivery {
        retry_first: section.duration("retry_first", SECOND)?.unwrap_or(MINUTE),
        retry_max: section.duration("retry_max", SECOND)?.unwrap_or(60 * MINUTE),
        max_age: section.duration("max_age", SECOND)?.unwrap_or(48 * 60 * MINUTE),
        timeout: or(5),
        timeout_data: section.duration("timeout_data", SECOND)?.unwrap_or(or(2)),
        timeout_block: section.duration("timeout_block", SECOND)?.unwrap_or(or(3)),
        timeout_final: section.duration("timeout_final", SECOND)?.unwrap_or(or(10)),
        idle: section.duration("idle", SECOND)?.unwrap_or(10 * SECOND),
        hold_uncertain: section.parsed("uncertain", is_held)?.unwrap_or(false),
        pause_failed_percent: section.number("pause_failed_percent", 0..101)?.unwrap_or(5),
        pause_failed_least: section
            .number("pause_failed_least", 1..1_000_000_001)?
            .unwrap_or(100),
        connections: section.number("connections", 1..201)?.unwrap_or(4),
        hello: section.parsed("hello", host_name)?.unwrap_or_else(|| site.host()),
        lease: section.duration("lease", LEAST_LEASE)?.unwrap_or(MINUTE),
    };
    if delivery.retry_max < delivery.retry_first {
        return Err(Problem::configuration(format!(
            "{}: shorter than retry_first: {}s",
            section.place_of("retry_max"),
            delivery.retry_max.as_secs()
        ))
        .hint("write at least the duration of retry_first"));
    }
    Ok(delivery)
}

/// What `uncertain` says.
fn is_held(word: &str) -> Result<bool> {
    match word.trim() {
        "retry" => Ok(false),
        "hold" => Ok(true),
        _ => Err(
            Problem::configuration(format!("expected \"retry\" or \"hold\", got {word:?}"))
                .hint("\"retry\" sends it again with the same Message-ID, \"hold\" waits for your word"),
        ),
    }
}

/// A host name in ASCII, or an address literal of RFC 5321 4.1.3.
fn host_name(text: &str) -> Result<String> {
    let text = text.trim();
    let literal = text.starts_with('[') && text.ends_with(']');
    match url::Host::parse(text) {
        Ok(url::Host::Domain(name)) if !name.contains('_') => Ok(name),
        Ok(_) if literal => Ok(text.to_owned()),
        _ => Err(
            Problem::configuration(format!("expected a host name, got {text:?}"))
                .hint("write the name of this machine in the DNS, such as mail.example.org"),
        ),
    }
}
