//! How many requests a network may make, and all together.

use crate::domain::{Result, Timestamp};
use crate::store::Store;

/// The most requests within an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From one network.
    pub per_network: u32,
    /// From everywhere.
    pub total: u32,
}

/// Whether a request is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is, and counts.
    Admitted,
    /// It is not, and does not count: there were enough within the hour.
    TooMany,
}

/// Under which all networks are counted together.
const ALL: &str = "all";

/// Counts a request of `network` (`Addressing::network`), unless there were enough of them.
///
/// # Errors
/// When the database does not answer.
pub async fn admit(store: &Store, network: &str, limits: Limits, now: Timestamp) -> Result<Admission> {
    let limited = [(network, limits.per_network), (ALL, limits.total)];
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
