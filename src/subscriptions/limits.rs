//! How many requests a network may make, and all together.

use crate::domain::{Problem, Result, Timestamp};
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

/// Counts a request of `network` (`Addressing::network`), unless there were enough of them.
///
/// # Errors
/// When the database does not answer.
pub async fn admit(_: &Store, _network: &str, _: Limits, _: Timestamp) -> Result<Admission> {
    Err(Problem::failed("not there yet"))
}
