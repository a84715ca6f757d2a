//! What time does by itself: pauses end, and what is not needed any more goes.

use crate::domain::{Result, Timestamp};
use crate::store::Store;

pub use crate::store::reader_upkeep::Tidied;

/// Ends the pauses whose date has come; how many.
///
/// # Errors
/// When the database does not answer.
pub async fn wake(store: &Store, now: Timestamp) -> Result<u64> {
    store.wake_readers(now).await
}

/// Deletes what has run out.
///
/// # Errors
/// When the database does not answer.
pub async fn tidy(store: &Store, now: Timestamp) -> Result<Tidied> {
    store.tidy_readers(now).await
}
