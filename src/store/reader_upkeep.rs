//! What time does to readers by itself.

use super::Store;
use super::fault::db;
use crate::domain::{Result, Timestamp};
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
    /// Sign-ups, changes of address and counts of networks that had run out.
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
        for (sql, before) in [
            ("DELETE FROM sign_up WHERE expires <= $1", now.0),
            ("DELETE FROM address_change WHERE expires <= $1", now.0),
            (
                "DELETE FROM network_use WHERE bucket < $1 / 600000",
                ago(networks),
            ),
            ("DELETE FROM address_turn WHERE taken < $1", ago(TURNS_KEPT)),
            // Of admins; limits count those of the last day at most.
            ("DELETE FROM sign_in WHERE expires < $1", ago(TURNS_KEPT)),
            ("DELETE FROM admin_session WHERE expires < $1", ago(TURNS_KEPT)),
        ] {
            // What can't be deleted keeps nothing else from it.
            match sqlx::query(sql).bind(before).execute(&self.pool).await {
                Ok(done) => tidied.run_out += done.rows_affected(),
                Err(error) => trouble = trouble.or(Some(db(error))),
            }
        }
        let unconfirmed = self.forget_unconfirmed(Timestamp(ago(CONFIRM_WITHIN)), now);
        match unconfirmed.await {
            Ok(done) => tidied.unconfirmed = done,
            Err(problem) => trouble = trouble.or(Some(problem)),
        }
        trouble.map_or(Ok(tidied), Err)
    }
}
