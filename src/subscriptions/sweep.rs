//! When the database's files are swept, so that nothing of those who were erased can be read from them.

use crate::domain::{Result, Timestamp};
use crate::store::Store;
use crate::store::sweeping::SweepRules;
use std::time::Duration;

/// A sweep holds up whoever writes to a SQLite file: one for everybody who was erased meanwhile, not more
/// often than this, and not while an edition is being delivered, unless it has waited for an hour.
pub const RULES: SweepRules = SweepRules {
    gap: Duration::from_secs(10 * 60),
    longest_wait: Duration::from_secs(3600),
};
/// How often a sweep by itself waits two seconds for somebody who reads for long; it is tried again later.
const PATIENCE: u32 = 2;
/// The same when somebody waits for it.
const PATIENCE_BY_HAND: u32 = 15;

/// Sweeps when it is due and the time is right; since when it was due.
///
/// # Errors
/// When the database does not answer, or somebody reads from it for long. It stays due.
pub async fn when_due(store: &Store, now: Timestamp) -> Result<Option<Timestamp>> {
    let Some(sweep) = store.begin_due_sweep(RULES, now).await? else {
        return Ok(None);
    };
    store.sweep(&sweep, PATIENCE).await?;
    Ok(sweep.due)
}

/// Sweeps at once.
///
/// # Errors
/// As [`when_due`].
pub async fn at_once(store: &Store, now: Timestamp) -> Result<()> {
    let sweep = store.begin_sweep(now).await?;
    store.sweep(&sweep, PATIENCE_BY_HAND).await
}
