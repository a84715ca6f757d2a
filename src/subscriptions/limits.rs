//! How many requests a network may make, and how many of one kind are taken in all.

use crate::domain::{Result, Timestamp};
use crate::store::Store;

/// The most requests within an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From one network, of all kinds together.
    pub per_network: u32,
    /// Of one kind, from everywhere; of messages to the admins fewer.
    pub total: u32,
}

/// The kinds of requests. What is taken in all is counted for each by itself, so that a flood of one kind
/// keeps nobody from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// To subscribe, by the form or the API.
    SignUp,
    /// For the link to one's choices.
    LostLink,
    /// For mails at another address.
    NewAddress,
    /// A message to the admins.
    Contact,
}

impl Gate {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::SignUp, Self::LostLink, Self::NewAddress, Self::Contact];

    /// Under which all networks are counted together; the hash of a network looks different.
    fn name(self) -> &'static str {
        match self {
            Self::SignUp => "all sign-ups",
            Self::LostLink => "all lost links",
            Self::NewAddress => "all new addresses",
            Self::Contact => "all messages",
        }
    }

    /// How many are taken in all, where `total` is the most of any kind. Messages are the admins' to read, each
    /// goes to every one of them, and ahead of digests.
    fn most(self, total: u32) -> u32 {
        match self {
            Self::Contact => total.min(MESSAGES),
            Self::SignUp | Self::LostLink | Self::NewAddress => total,
        }
    }
}

/// The most messages to the admins within an hour.
const MESSAGES: u32 = 60;

/// Whether a request is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is, and counts.
    Admitted,
    /// It is not, and does not count: there were enough within the hour.
    TooMany,
}

/// Counts a request of `network` (`Addressing::network`) at `gate`, unless there were enough of them.
///
/// # Errors
/// When the database does not answer.
pub async fn admit(
    store: &Store,
    gate: Gate,
    network: &str,
    limits: Limits,
    now: Timestamp,
) -> Result<Admission> {
    let limited = [
        (network, limits.per_network),
        (gate.name(), gate.most(limits.total)),
    ];
    // Looked at first: whoever is sent away takes no lock.
    for (name, most) in limited {
        if store.uses(name, now).await? >= i64::from(most) {
            return Ok(Admission::TooMany);
        }
    }
    let mut change = store.begin_change(now).await?;
    // A network that is at its limit does not use up what is there for all.
    for (name, most) in limited {
        if change.count_use(name).await? > i64::from(most) {
            change.abandon().await?;
            return Ok(Admission::TooMany);
        }
    }
    change.commit().await?;
    Ok(Admission::Admitted)
}
