//! What is still to be delivered, counted from what is open: finished batches cost nothing.

use super::Store;
use super::fault::db;
use crate::domain::{Result, Timestamp};
use sqlx::Row;

/// What a digest's editions under way have left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// The digest's name.
    pub digest: String,
    /// Deliveries that are not final.
    pub deliveries: i64,
}

impl Store {
    /// The deliveries that are not final, by digest; digests that have none are left out.
    ///
    /// Reads a row of each, so it takes a second at a million: whoever asks often keeps the answer.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn backlog(&self) -> Result<Vec<Backlog>> {
        let rows = sqlx::query(
            "SELECT e.digest, COUNT(*) FROM edition e
             JOIN batch b ON b.edition_id = e.id
             JOIN delivery d ON d.segment_id = b.segment_id AND d.batch_no = b.no
             WHERE e.state IN ('planned', 'sending', 'waiting') AND b.due IS NOT NULL
                 AND d.state IN ('waiting', 'uncertain')
             GROUP BY e.digest ORDER BY e.digest",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(db)?;
        let read = |row: &sqlx::any::AnyRow| {
            Ok(Backlog {
                digest: row.try_get(0).map_err(db)?,
                deliveries: row.try_get(1).map_err(db)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Since when the oldest batch is due that nobody has taken; `None` when there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn due_since(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let row = sqlx::query(
            "SELECT MIN(b.due) FROM batch b JOIN edition e ON e.id = b.edition_id
             WHERE b.due <= $1 AND (b.owner IS NULL OR b.until < $1)
                 AND e.state IN ('planned', 'sending', 'waiting')",
        )
        .bind(now.0)
        .fetch_one(&self.pool)
        .await
        .map_err(db)?;
        Ok(row.try_get::<Option<i64>, _>(0).map_err(db)?.map(Timestamp))
    }
}
