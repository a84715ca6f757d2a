//! What time does by itself: pauses end, and what is not needed any more goes.

use crate::domain::{Result, Timestamp};
use crate::store::Store;
use std::time::Duration;

pub use crate::store::reader_upkeep::Tidied;

/// The pause between two pieces of pruning.
const BREATH: Duration = Duration::from_millis(50);

/// Ends the pauses whose date has come; how many.
///
/// # Errors
/// When the database does not answer.
pub async fn wake(store: &Store, now: Timestamp) -> Result<u64> {
    store.wake_readers(now).await
}

/// Deletes what has run out, and counts of networks that are older than `networks`.
///
/// # Errors
/// When the database does not answer.
pub async fn tidy(store: &Store, now: Timestamp, networks: Duration) -> Result<Tidied> {
    store.tidy_readers(now, networks).await
}

/// Deletes the rows that tell who received editions which ended longer than `kept` ago, a little at a time;
/// how many. Their counts stay.
///
/// # Errors
/// When the database does not answer; what was deleted by then stays so.
pub async fn prune(store: &Store, now: Timestamp, kept: Duration) -> Result<u64> {
    let (before, mut gone) = (now.minus(kept), 0);
    loop {
        match store.prune_deliveries(before, now).await? {
            0 => return Ok(gone),
            pruned => gone += pruned,
        }
        // Whoever delivers gets the database in between.
        tokio::time::sleep(BREATH).await;
    }
}
