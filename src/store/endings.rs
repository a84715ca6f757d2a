//! What is given up: too old, or cancelled. What somebody holds is left to them until they give it back.

use super::Store;
use super::account::count_batches;
use super::fault::db;
use crate::domain::{Result, Timestamp};
use sqlx::{Any, AssertSqlSafe, Row, Transaction};

/// Editions that are past their age limit.
const TOO_OLD: &str =
    "SELECT id FROM edition WHERE expires <= $1 AND state IN ('planned', 'sending', 'waiting')";
/// What becomes of their deliveries.
const EXPIRED: &str = "state = 'expired', next_attempt = NULL, text = CASE WHEN state = 'uncertain'
    THEN 'it may have arrived: ' || COALESCE(text, 'no reply came')
    ELSE COALESCE(text, 'no relay took it before the age limit') END";

/// Editions that an admin has cancelled, and that still have something to give up.
const CANCELLED: &str = "SELECT e.id FROM batch b JOIN edition e ON e.id = b.edition_id
    WHERE b.due IS NOT NULL AND e.state = 'cancelled'
    UNION SELECT e.id FROM batch b JOIN edition e ON e.id = b.edition_id
    WHERE b.held > 0 AND e.state = 'cancelled'";

impl Store {
    /// Gives up on what was not delivered before its edition's age limit. A paused edition keeps what it
    /// has: an admin decides.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn expire_deliveries(&self, now: Timestamp) -> Result<()> {
        let rows = sqlx::query(TOO_OLD)
            .bind(now.0)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        give_up(&mut tx, TOO_OLD, EXPIRED, now).await?;
        for row in &rows {
            count_batches(&mut tx, row.try_get(0).map_err(db)?).await?;
        }
        tx.commit().await.map_err(db)
    }

    /// Whether something is left to do for editions that nobody delivers: a cancelled one whose batches
    /// were held by somebody, or a paused one of which nothing is left. Takes no lock.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_loose_ends(&self) -> Result<bool> {
        let row = sqlx::query(AssertSqlSafe(format!(
            "{CANCELLED} UNION SELECT e.id FROM edition e WHERE e.state = 'paused' AND NOT EXISTS
                 (SELECT 1 FROM batch b WHERE b.edition_id = e.id AND (b.due IS NOT NULL OR b.held > 0))
             LIMIT 1"
        )))
        .fetch_optional(&self.pool)
        .await
        .map_err(db)?;
        Ok(row.is_some())
    }

    /// Excludes what is left of cancelled editions and is in nobody's hands.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end_cancelled(&self, now: Timestamp) -> Result<()> {
        let rows = sqlx::query(CANCELLED).fetch_all(&self.pool).await.map_err(db)?;
        for row in &rows {
            let mut tx = self.begin().await?;
            exclude_cancelled(&mut tx, row.try_get(0).map_err(db)?, now).await?;
            tx.commit().await.map_err(db)?;
        }
        Ok(())
    }
}

/// Excludes what is left of the cancelled edition `id` and is in nobody's hands; how many deliveries.
pub(super) async fn exclude_cancelled(
    tx: &mut Transaction<'static, Any>,
    id: i64,
    now: Timestamp,
) -> Result<u64> {
    // The relay's last words make room for the reason: it is what the account counts by.
    let excluded = "state = 'excluded', next_attempt = NULL, text = 'cancelled'";
    let given_up = give_up(tx, &id.to_string(), excluded, now).await?;
    count_batches(tx, id).await?;
    Ok(given_up)
}

async fn give_up(
    tx: &mut Transaction<'static, Any>,
    editions: &str,
    becomes: &str,
    now: Timestamp,
) -> Result<u64> {
    // Batches first: nobody can lease one while its deliveries are given up.
    sqlx::query(AssertSqlSafe(format!(
        "UPDATE batch SET due = NULL, owner = NULL, until = NULL, held = 0, counted = 0
         WHERE (due IS NOT NULL OR held > 0) AND (owner IS NULL OR until < $1) AND edition_id IN ({editions})"
    )))
    .bind(now.0)
    .execute(&mut **tx)
    .await
    .map_err(db)?;
    let done = sqlx::query(AssertSqlSafe(format!(
        "UPDATE delivery SET {becomes}
         WHERE state IN ('waiting', 'uncertain') AND edition_id IN ({editions}) AND EXISTS
             (SELECT 1 FROM batch b WHERE b.segment_id = delivery.segment_id
              AND b.no = delivery.batch_no AND b.due IS NULL AND COALESCE(b.until, 0) <= $1)"
    )))
    .bind(now.0)
    .execute(&mut **tx)
    .await
    .map_err(db)?;
    Ok(done.rows_affected())
}
