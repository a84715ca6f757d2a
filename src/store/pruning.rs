//! What time leaves of editions: rows that tell who received what go, their counts stay.

use super::Store;
use super::fault::db;
use crate::domain::{Result, Timestamp};
use sqlx::{Any, AssertSqlSafe, Row, Transaction};

/// Batches of deliveries that one transaction prunes: ten thousand rows, some tens of milliseconds.
const AT_ONCE: i64 = 20;

/// Batches of which every delivery is final and nobody holds one.
const OVER: &str = "b.due IS NULL AND b.held = 0 AND b.owner IS NULL AND NOT EXISTS (
    SELECT 1 FROM delivery d WHERE d.segment_id = b.segment_id AND d.batch_no = b.no
        AND d.state IN ('waiting', 'uncertain'))";

impl Store {
    /// Prunes some deliveries of editions that ended before `before`; how many rows went. 0: nothing is left
    /// to prune. Each call is a short transaction of its own.
    ///
    /// # Errors
    /// When the database does not answer; nothing of this call is kept then.
    pub async fn prune_deliveries(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
        // Looked at first: the transaction takes the write lock of a SQLite file.
        let sql = format!(
            "SELECT e.id FROM edition e
             WHERE e.state IN ('finished', 'cancelled') AND e.finished < $1
                 AND EXISTS (SELECT 1 FROM batch b WHERE b.edition_id = e.id AND {OVER})
             ORDER BY e.id LIMIT 1"
        );
        let due = sqlx::query(AssertSqlSafe(sql))
            .bind(before.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        let Some(due) = due else {
            return Ok(0);
        };
        let edition: i64 = due.try_get(0).map_err(db)?;
        let mut tx = self.begin().await?;
        // Whoever retries the edition at this moment is waited for, and then it is left alone.
        let held = sqlx::query(
            "UPDATE edition SET pruned = COALESCE(pruned, $2)
             WHERE id = $1 AND state IN ('finished', 'cancelled') AND finished < $3",
        )
        .bind(edition)
        .bind(now.0)
        .bind(before.0)
        .execute(&mut *tx)
        .await
        .map_err(db)?;
        if held.rows_affected() == 0 {
            tx.rollback().await.map_err(db)?;
            return Ok(0);
        }
        let batches = sqlx::query(AssertSqlSafe(format!(
            "SELECT b.segment_id, b.no FROM batch b WHERE b.edition_id = $1 AND {OVER}
             ORDER BY b.segment_id, b.no LIMIT $2"
        )))
        .bind(edition)
        .bind(AT_ONCE)
        .fetch_all(&mut *tx)
        .await
        .map_err(db)?;
        let mut gone = 0;
        for batch in &batches {
            let segment: i64 = batch.try_get(0).map_err(db)?;
            gone += prune(&mut tx, edition, segment, batch.try_get(1).map_err(db)?).await?;
        }
        // Which choices came together in a segment is of no use without its readers.
        sqlx::query(
            "DELETE FROM segment_key WHERE edition_id = $1
                 AND NOT EXISTS (SELECT 1 FROM batch b WHERE b.edition_id = $1)",
        )
        .bind(edition)
        .execute(&mut *tx)
        .await
        .map_err(db)?;
        tx.commit().await.map_err(db)?;
        Ok(gone)
    }
}

/// Turns the deliveries of a batch into counts; how many they were.
async fn prune(tx: &mut Transaction<'static, Any>, edition: i64, segment: i64, no: i64) -> Result<u64> {
    let mut gone = 0;
    for sql in [
        "UPDATE edition SET (pruned_sent, pruned_failed) = (
             SELECT pruned_sent + COUNT(CASE WHEN d.state = 'sent' THEN 1 END),
                 pruned_failed + COUNT(CASE WHEN d.state IN ('failed', 'expired') THEN 1 END)
             FROM delivery d WHERE d.segment_id = $2 AND d.batch_no = $3)
         WHERE id = $1",
        "INSERT INTO edition_exclusion (edition_id, reason, count)
         SELECT $1, COALESCE(text, ''), COUNT(*) FROM delivery
         WHERE edition_id = $1 AND segment_id = $2 AND batch_no = $3 AND state = 'excluded'
         GROUP BY COALESCE(text, '')
         ON CONFLICT (edition_id, reason) DO UPDATE SET count = edition_exclusion.count + excluded.count",
        "DELETE FROM delivery WHERE edition_id = $1 AND segment_id = $2 AND batch_no = $3",
        "DELETE FROM batch WHERE edition_id = $1 AND segment_id = $2 AND no = $3",
    ] {
        let done = sqlx::query(sql)
            .bind(edition)
            .bind(segment)
            .bind(no)
            .execute(&mut **tx)
            .await
            .map_err(db)?;
        if sql.starts_with("DELETE FROM delivery") {
            gone = done.rows_affected();
        }
    }
    // A batch may be empty: what follows must not take that for the end.
    Ok(gone.max(1))
}
