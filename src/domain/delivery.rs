//! One message to one subscriber: the unit of accounting.

use serde::{Deserialize, Serialize};

use super::address::FullAddress;
use super::clock::Timestamp;

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Not tried yet, or to be tried again.
    Waiting,
    /// The reply after the final dot never came; tried again with the same Message-ID, or held for an admin.
    Uncertain,
    /// The relay took it.
    Sent,
    /// Refused for good.
    Failed,
    /// Not taken before the edition's age limit.
    Expired,
    /// Not mailed: the reader left after planning, or the edition was cancelled.
    Excluded,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Waiting,
        Self::Uncertain,
        Self::Sent,
        Self::Failed,
        Self::Expired,
        Self::Excluded,
    ];

    /// The word that the store and JSON use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Uncertain => "uncertain",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Excluded => "excluded",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Uncertain)
    }
}

/// A row of the ledger as `editions show --deliveries` gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The full address; this is for admins.
    pub address: FullAddress,
    /// Where it stands.
    pub state: State,
    /// How often a relay was asked to take it.
    pub attempts: i64,
    /// The relay's last reply code.
    pub code: Option<i64>,
    /// The relay's last text, or our reason.
    pub text: Option<String>,
    /// The same for every attempt; null until the first.
    pub message_id: Option<String>,
    /// The relay that gave the last reply.
    pub relay: Option<String>,
    /// When it will be tried again; null when final, or held for an admin.
    pub next_attempt: Option<Timestamp>,
}
