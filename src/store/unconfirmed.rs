//! Subscribers whom nobody needs any more: they never confirmed, or their address has another owner's word.

use super::Store;
use super::changes::Change;
use super::fault::db;
use crate::domain::{Result, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};

/// Signed up themselves before `$1`. One who asked again lately still has a link that works.
const UNCONFIRMED: &str = "state = 'pending' AND cause = 'reader' AND created <= $1
    AND NOT EXISTS (SELECT 1 FROM sign_up u WHERE u.subscriber_id = subscriber.id)";
/// To whom, and to which address, the mail `$1` went.
const RECEIVER: &str = "SELECT subscriber_id, address_hash, COALESCE(mailbox_hash, address_hash) FROM notice
    WHERE id = $1";

/// To whom a mail went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// The subscriber's number, where there is one.
    pub subscriber: Option<i64>,
    /// The salted hash of the address.
    pub address_hash: String,
    /// The salted hash of its mailbox.
    pub mailbox_hash: String,
}

impl Store {
    /// Deletes the readers who signed up themselves before `before` and have no link that works; how many.
    /// That mails went to them stays known, without them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_unconfirmed(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
        // Looked at first: a statement that changes nothing takes the write lock of a SQLite file as well.
        let found = sqlx::query(AssertSqlSafe(format!(
            "SELECT id FROM subscriber WHERE {UNCONFIRMED} LIMIT 1"
        )))
        .bind(before.0)
        .fetch_optional(&self.pool)
        .await
        .map_err(db)?;
        if found.is_none() {
            return Ok(0);
        }
        let mut tx = self.begin().await?;
        let done = forget(&mut tx, UNCONFIRMED, before.0, now).await?;
        tx.commit().await.map_err(db)?;
        Ok(done)
    }

    /// To whom the mail `notice` went.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn receiver_of(&self, notice: i64) -> Result<Option<Receiver>> {
        let row = sqlx::query(RECEIVER)
            .bind(notice)
            .fetch_optional(&self.pool)
            .await;
        row.map_err(db)?.as_ref().map(read_receiver).transpose()
    }
}

impl Change {
    /// [`Store::receiver_of`] as part of this change.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn receiver_of(&mut self, notice: i64) -> Result<Option<Receiver>> {
        let row = sqlx::query(RECEIVER)
            .bind(notice)
            .fetch_optional(&mut *self.tx)
            .await;
        row.map_err(db)?.as_ref().map(read_receiver).transpose()
    }

    /// Deletes the pending subscriber `id` with everything that hangs on them. That mails went to them stays
    /// known, without them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_pending(&mut self, id: i64) -> Result<()> {
        forget(&mut self.tx, "id = $1 AND state = 'pending'", id, self.now).await?;
        Ok(())
    }

    /// As [`Change::forget_pending`], also for one who left: the owner of their address has just said what
    /// becomes of it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_inactive(&mut self, id: i64) -> Result<()> {
        let whose = "id = $1 AND state IN ('pending', 'unsubscribed')";
        forget(&mut self.tx, whose, id, self.now).await?;
        Ok(())
    }
}

fn read_receiver(row: &AnyRow) -> Result<Receiver> {
    Ok(Receiver {
        subscriber: row.try_get(0).map_err(db)?,
        address_hash: row.try_get(1).map_err(db)?,
        mailbox_hash: row.try_get(2).map_err(db)?,
    })
}

/// Deletes the subscribers of whom `whose` holds, where `value` is its `$1`; how many. Their mails are kept
/// without them, and those that wait are not sent: "never write again" works longer than they last.
async fn forget(tx: &mut Transaction<'static, Any>, whose: &str, value: i64, now: Timestamp) -> Result<u64> {
    let keep = format!(
        "UPDATE notice SET subscriber_id = NULL, address = NULL, data = '{{}}', text = NULL, owner = NULL,
             until = NULL, next_attempt = NULL, ended = COALESCE(ended, $2),
             state = CASE WHEN next_attempt IS NULL THEN state ELSE 'excluded' END
         WHERE subscriber_id IN (SELECT id FROM subscriber WHERE {whose})"
    );
    sqlx::query(AssertSqlSafe(keep))
        .bind(value)
        .bind(now.0)
        .execute(&mut **tx)
        .await
        .map_err(db)?;
    let done = sqlx::query(AssertSqlSafe(format!("DELETE FROM subscriber WHERE {whose}")))
        .bind(value)
        .execute(&mut **tx)
        .await
        .map_err(db)?;
    Ok(done.rows_affected())
}
