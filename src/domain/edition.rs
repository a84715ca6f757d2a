//! One issue of a digest: what it holds and what became of it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::clock::Timestamp;
use super::slug::Slug;

/// Where an edition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Waits for an admin's approval; nothing is planned.
    Draft,
    /// Audience and deliveries are frozen; nothing was sent.
    Planned,
    /// Being delivered.
    Sending,
    /// Some deliveries wait for a later attempt.
    Waiting,
    /// Stopped by an admin or by itself.
    Paused,
    /// Every delivery is final.
    Finished,
    /// An admin ended it; what was not sent is excluded.
    Cancelled,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Draft,
        Self::Planned,
        Self::Sending,
        Self::Waiting,
        Self::Paused,
        Self::Finished,
        Self::Cancelled,
    ];

    /// The word that the store and JSON use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Why a summary stands in an edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemKind {
    /// It is new to the digest.
    New,
    /// It was corrected; goes to those who had received it.
    Correction,
    /// It was retracted; goes to those who had received it.
    Retraction,
}

impl ItemKind {
    /// The word that the store uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Correction => "correction",
            Self::Retraction => "retraction",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::New, Self::Correction, Self::Retraction]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// The account of an edition; `audience = sent + waiting + failed + excluded`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The edition's number.
    pub id: i64,
    /// The digest's name.
    pub digest: String,
    /// Where it stands.
    pub state: State,
    /// Confirmed subscribers of the digest when it was planned.
    pub audience: i64,
    /// The relay took the message.
    pub sent: i64,
    /// Not final yet.
    pub waiting: i64,
    /// How many of these are held: they may have arrived, and wait for an admin's word.
    #[serde(default)]
    pub held: i64,
    /// Refused for good, or too old.
    pub failed: i64,
    /// Not mailed, each with a reason.
    pub excluded: i64,
    /// Reason → count.
    pub excluded_by: BTreeMap<String, i64>,
    /// Slugs in the order of the edition.
    pub summaries: Vec<Slug>,
    /// The editor's note.
    pub note: Option<String>,
    /// When the edition was made.
    pub created: Timestamp,
    /// When its audience was frozen.
    pub planned: Option<Timestamp>,
    /// When its last delivery became final.
    pub finished: Option<Timestamp>,
    /// The last trouble with a relay, or why the edition paused itself, if any.
    pub trouble: Option<String>,
    /// When the rows that tell who received it were deleted, after `[retention] deliveries`; the counts stay.
    #[serde(default)]
    pub pruned: Option<Timestamp>,
}
