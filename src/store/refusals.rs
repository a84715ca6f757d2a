//! How many deliveries of an edition were refused, and what becomes of one with too many.

use super::Store;
use super::fault::db;
use crate::domain::Result;
use sqlx::Row;

/// Deliveries that came to an end at a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tried {
    /// The relay took the message.
    pub sent: i64,
    /// Refused for good.
    pub failed: i64,
}

/// What was tried of edition `$1`: batches that are counted know it.
pub(super) const TRIED: &str = "SELECT CAST(COALESCE(SUM(x.sent), 0) AS BIGINT) AS sent,
        CAST(COALESCE(SUM(x.failed), 0) AS BIGINT) AS failed FROM (
        SELECT b.sent, b.failed FROM batch b WHERE b.edition_id = $1 AND b.counted = 1
        UNION ALL
        SELECT COUNT(CASE WHEN d.state = 'sent' THEN 1 END), COUNT(CASE WHEN d.state = 'failed' THEN 1 END)
        FROM batch b JOIN delivery d ON d.segment_id = b.segment_id AND d.batch_no = b.no
        WHERE b.edition_id = $1 AND b.counted = 0
        UNION ALL
        SELECT -e.sent_before, -e.failed_before FROM edition e WHERE e.id = $1) x";

impl Store {
    /// What was tried of `edition` since an admin last let it go on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tried(&self, edition: i64) -> Result<Tried> {
        let row = sqlx::query(TRIED)
            .bind(edition)
            .fetch_one(&self.pool)
            .await
            .map_err(db)?;
        Ok(Tried {
            sent: row.try_get(0).map_err(db)?,
            failed: row.try_get(1).map_err(db)?,
        })
    }

    /// Code and text of up to `most` refused deliveries of `edition`. The texts may hold addresses.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn refusals(&self, edition: i64, most: i64) -> Result<Vec<(Option<i64>, String)>> {
        let rows = sqlx::query(
            "SELECT code, COALESCE(text, '') FROM delivery WHERE edition_id = $1 AND state = 'failed' LIMIT $2",
        )
        .bind(edition)
        .bind(most)
        .fetch_all(&self.pool)
        .await
        .map_err(db)?;
        rows.iter()
            .map(|row| Ok((row.try_get(0).map_err(db)?, row.try_get(1).map_err(db)?)))
            .collect()
    }

    /// Pauses `edition` and says why, if it is under way; false when it is not.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn pause_because(&self, edition: i64, why: &str) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE edition SET state = 'paused', trouble = $2
             WHERE id = $1 AND state IN ('planned', 'sending', 'waiting')",
        )
        .bind(edition)
        .bind(why)
        .execute(&self.pool)
        .await
        .map_err(db)?;
        Ok(done.rows_affected() > 0)
    }

    /// The editions of which somebody holds batches, and that are to be left alone.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn halted_editions(&self) -> Result<Vec<i64>> {
        let rows = sqlx::query(
            "SELECT DISTINCT e.id FROM batch b JOIN edition e ON e.id = b.edition_id
             WHERE b.owner IS NOT NULL AND e.state IN ('paused', 'cancelled')",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(db)?;
        rows.iter().map(|row| row.try_get(0).map_err(db)).collect()
    }
}
