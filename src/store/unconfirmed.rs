//! Subscribers whom nobody needs any more: they never confirmed, or their address has another owner's word.

use super::Store;
use super::changes::Change;
use super::fault::db;
use super::ledger::listed;
use super::summary_row::unreadable;
use crate::domain::notice::NoticeKind;
use crate::domain::{Result, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};

/// Signed up themselves before `$1`. One who asked again lately still has a link that works.
const UNCONFIRMED: &str = "state = 'pending' AND cause = 'reader' AND created <= $1
    AND NOT EXISTS (SELECT 1 FROM sign_up u WHERE u.subscriber_id = subscriber.id)";
/// How many are deleted in one transaction.
const AT_ONCE: u32 = 500;
/// To whom, and to which address, the mail `$1` went.
const RECEIVER: &str =
    "SELECT subscriber_id, address_hash, COALESCE(mailbox_hash, address_hash), kind FROM notice
    WHERE id = $1";

/// Where a mail to a single reader went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// Whom the mail was about, while they are there.
    pub subscriber: Option<i64>,
    /// The salted hash of the address.
    pub address_hash: String,
    /// The salted hash of its mailbox.
    pub mailbox_hash: String,
    /// What the mail was for.
    pub kind: NoticeKind,
}

impl Store {
    /// Deletes the readers who signed up themselves before `before` and have no link that works, a few hundred
    /// at a time; how many. That mails went to them stays known, without them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_unconfirmed(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
        let mut forgotten = 0;
        loop {
            // Looked at first: a statement that changes nothing takes the write lock of a SQLite file as well.
            let rows = sqlx::query(AssertSqlSafe(format!(
                "SELECT id FROM subscriber WHERE {UNCONFIRMED} LIMIT {AT_ONCE}"
            )))
            .bind(before.0)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
            let ids = rows
                .iter()
                .map(|row| row.try_get(0).map_err(db))
                .collect::<Result<Vec<i64>>>()?;
            if ids.is_empty() {
                return Ok(forgotten);
            }
            let mut tx = self.begin().await?;
            let whose = format!("id IN ({}) AND {UNCONFIRMED}", listed(&ids));
            let done = forget(&mut tx, &whose, before.0, now).await?;
            tx.commit().await.map_err(db)?;
            if done == 0 {
                // All of them asked again just now, or others were faster.
                return Ok(forgotten);
            }
            forgotten += done;
        }
    }

    /// Where the mail `notice` went, as long as that is known.
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
    let kind: String = row.try_get(3).map_err(db)?;
    Ok(Receiver {
        subscriber: row.try_get(0).map_err(db)?,
        address_hash: row.try_get(1).map_err(db)?,
        mailbox_hash: row.try_get(2).map_err(db)?,
        kind: NoticeKind::parse(&kind).ok_or_else(|| unreadable("kind", &kind))?,
    })
}

/// The statement that leaves of the notices of which `which` holds that a mail went to a mailbox, and nothing
/// of the reader; one that waits is not sent. `$2` is the time.
pub(super) fn without_reader(which: &str) -> String {
    format!(
        "UPDATE notice SET subscriber_id = NULL, address = NULL, data = '{{}}', text = NULL, owner = NULL,
             until = NULL, next_attempt = NULL, ended = COALESCE(ended, $2),
             state = CASE WHEN next_attempt IS NULL THEN state ELSE 'excluded' END
         WHERE {which}"
    )
}

/// Deletes the subscribers of whom `whose` holds, where `value` is its `$1`; how many. Their mails are kept
/// without them, and those that wait are not sent: "never write again" works longer than they last.
async fn forget(tx: &mut Transaction<'static, Any>, whose: &str, value: i64, now: Timestamp) -> Result<u64> {
    // On PostgreSQL a statement that had to wait for somebody's sign-up does not see it; those after it do.
    let lock = format!("UPDATE subscriber SET state = state WHERE {whose}");
    sqlx::query(AssertSqlSafe(lock))
        .bind(value)
        .execute(&mut **tx)
        .await
        .map_err(db)?;
    let keep = without_reader(&format!(
        "subscriber_id IN (SELECT id FROM subscriber WHERE {whose})"
    ));
    sqlx::query(AssertSqlSafe(keep))
        .bind(value)
        .bind(now.0)
        .execute(&mut **tx)
        .await
        .map_err(db)?;
    // It may hold the address.
    let scrub = format!(
        "UPDATE delivery SET text = NULL WHERE state <> 'excluded' AND text IS NOT NULL
             AND subscriber_id IN (SELECT id FROM subscriber WHERE {whose})"
    );
    sqlx::query(AssertSqlSafe(scrub))
        .bind(value)
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
