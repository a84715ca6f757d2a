//! What is still to be delivered: a sum over the batches that are not done.

use super::Store;
use super::account::REST;
use super::fault::db;
use crate::domain::{Result, Timestamp};
use sqlx::{AssertSqlSafe, Row};

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
    /// # Errors
    /// When the database does not answer.
    pub async fn backlog(&self) -> Result<Vec<Backlog>> {
        const OPEN: &str = "FROM edition e JOIN batch b ON b.edition_id = e.id";
        const THESE: &str = "WHERE e.state IN ('planned', 'sending', 'waiting') AND b.due IS NOT NULL";
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT x.digest, CAST(SUM(x.count) AS BIGINT) FROM (
                 SELECT e.digest, {REST} AS count {OPEN} {THESE} AND b.counted = 1
                 UNION ALL SELECT e.digest, COUNT(*) AS count {OPEN}
                 JOIN delivery d ON d.segment_id = b.segment_id AND d.batch_no = b.no
                 {THESE} AND b.counted = 0 AND d.state IN ('waiting', 'uncertain') GROUP BY e.digest) x
             WHERE x.count > 0 GROUP BY x.digest ORDER BY x.digest"
        )))
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
