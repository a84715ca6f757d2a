//! What time does to readers by itself.

use super::Store;
use super::fault::db;
use crate::domain::{Result, Timestamp};
use sqlx::AssertSqlSafe;
use std::time::Duration;

/// How long whoever signed up has to confirm.
pub const CONFIRM_WITHIN: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long it is known that somebody decided about an address.
const TURNS_KEPT: Duration = Duration::from_secs(24 * 3600);

/// What was tidied away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tidied {
    /// Readers who signed up themselves and did not confirm in time.
    pub unconfirmed: u64,
    /// Sign-ups, changes of address, counts of networks, who answered today, and links and sessions of admins
    /// that had run out.
    pub run_out: u64,
}

impl Store {
    /// Ends the pauses whose date has come; how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn wake_readers(&self, now: Timestamp) -> Result<u64> {
        let due = sqlx::query("SELECT id FROM subscriber WHERE paused_until <= $1 LIMIT 1")
            .bind(now.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        if due.is_none() {
            return Ok(0);
        }
        let mut tx = self.begin().await?;
        // The rows first: whoever changes one of them meanwhile is waited for, and then left alone.
        let woken = sqlx::query(
            "UPDATE subscriber SET state = 'confirmed', cause = 'reader', changed = $1
             WHERE paused_until <= $1 AND state = 'paused'",
        )
        .bind(now.0)
        .execute(&mut *tx)
        .await
        .map_err(db)?
        .rows_affected();
        for sql in [
            "INSERT INTO reader_event (subscriber_id, at, what, way)
             SELECT id, $1, 'resumed', 'time' FROM subscriber
             WHERE paused_until <= $1 AND state = 'confirmed' AND changed = $1",
            "UPDATE subscriber SET paused_until = NULL
             WHERE paused_until <= $1 AND state <> 'paused'",
        ] {
            sqlx::query(sql).bind(now.0).execute(&mut *tx).await.map_err(db)?;
        }
        tx.commit().await.map_err(db)?;
        Ok(woken)
    }

    /// Deletes what has run out, and counts of networks that are older than `networks`. What happened to
    /// readers is kept.
    ///
    /// # Errors
    /// When the database does not answer, at the first of the steps that fail; every one is taken.
    pub async fn tidy_readers(&self, now: Timestamp, networks: Duration) -> Result<Tidied> {
        let ago = |span: Duration| now.minus(span).0;
        let (mut tidied, mut trouble) = (Tidied::default(), None);
        for (table, over, before) in [
            ("sign_up", "expires <= $1", now.0),
            ("address_change", "expires <= $1", now.0),
            ("vote_seen", "expires <= $1", now.0),
            ("sign_in", "expires <= $1", now.0),
            ("admin_session", "expires <= $1", now.0),
            ("network_use", "bucket < $1 / 600000", ago(networks)),
            ("address_turn", "taken < $1", ago(TURNS_KEPT)),
        ] {
            // What can't be deleted keeps nothing else from it.
            match self.delete_over(table, over, before).await {
                Ok(gone) => tidied.run_out += gone,
                Err(problem) => trouble = trouble.or(Some(problem)),
            }
        }
        let unconfirmed = self.forget_unconfirmed(Timestamp(ago(CONFIRM_WITHIN)), now);
        match unconfirmed.await {
            Ok(done) => tidied.unconfirmed = done,
            Err(problem) => trouble = trouble.or(Some(problem)),
        }
        trouble.map_or(Ok(tidied), Err)
    }

    /// Deletes the rows of `table` of which `over` holds, where `before` is its `$1`; how many.
    async fn delete_over(&self, table: &str, over: &str, before: i64) -> Result<u64> {
        // Looked at first: a statement that changes nothing takes the write lock of a SQLite file as well.
        let found = sqlx::query(AssertSqlSafe(format!(
            "SELECT 1 FROM {table} WHERE {over} LIMIT 1"
        )))
        .bind(before)
        .fetch_optional(&self.pool)
        .await
        .map_err(db)?;
        if found.is_none() {
            return Ok(0);
        }
        let done = sqlx::query(AssertSqlSafe(format!("DELETE FROM {table} WHERE {over}")))
            .bind(before)
            .execute(&self.pool)
            .await
            .map_err(db)?;
        Ok(done.rows_affected())
    }
}
