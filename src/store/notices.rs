//! Notices: mails to a single reader, written in the transaction that calls for them.

use super::Store;
use super::fault::db;
use crate::domain::notice::{NoticeData, NoticeKind};
use crate::domain::{Result, Timestamp};
use sqlx::{Any, Row, Transaction};

/// A notice that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotice {
    /// The subscriber it is about; erasing them takes it along.
    pub subscriber: Option<i64>,
    /// Where it goes when that is not the subscriber's address.
    pub address: Option<String>,
    /// The salted hash of where it goes.
    pub address_hash: String,
    /// The salted hash of the mailbox where anybody can cause such a mail: limits count by it, and its owner
    /// can refuse it.
    pub mailbox_hash: Option<String>,
    /// What for, and what its templates need.
    pub data: NoticeData,
}

impl Store {
    /// Writes several notices, all or none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn add_notices(&self, notices: &[NewNotice], now: Timestamp) -> Result<()> {
        let mut tx = self.begin().await?;
        for notice in notices {
            add(&mut tx, notice, now).await?;
        }
        tx.commit().await.map_err(db)
    }
}

/// Writes a notice as part of `tx`; its number. It is due at once.
pub(super) async fn add(
    tx: &mut Transaction<'static, Any>,
    notice: &NewNotice,
    now: Timestamp,
) -> Result<i64> {
    let kind = notice.data.kind();
    let row = sqlx::query(
        "INSERT INTO notice (kind, subscriber_id, address, address_hash, data, created, expires, state,
             next_attempt, mailbox_hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $6, $8) RETURNING id",
    )
    .bind(kind.as_str())
    .bind(notice.subscriber)
    .bind(notice.address.as_deref())
    .bind(&notice.address_hash)
    .bind(notice.data.to_json()?)
    .bind(now.0)
    .bind(now.plus(kind.lifetime()).0)
    .bind(notice.mailbox_hash.as_deref())
    .fetch_one(&mut **tx)
    .await
    .map_err(db)?;
    row.try_get(0).map_err(db)
}

/// Where notices go that are counted, by its salted hash.
#[derive(Debug, Clone, Copy)]
pub(super) enum To<'a> {
    Address(&'a str),
    /// Those that anybody can cause.
    Mailbox(&'a str),
}

/// How many notices of these kinds went, or are to go, there since `since`, and when the last was written.
pub(super) async fn count(
    tx: &mut Transaction<'static, Any>,
    to: To<'_>,
    kinds: &[NoticeKind],
    since: Timestamp,
) -> Result<(i64, Option<Timestamp>)> {
    let (sql, hash) = match to {
        To::Address(hash) => (
            "SELECT kind, created FROM notice WHERE address_hash = $1 AND created > $2",
            hash,
        ),
        To::Mailbox(hash) => (
            "SELECT kind, created FROM notice WHERE mailbox_hash = $1 AND created > $2",
            hash,
        ),
    };
    let rows = sqlx::query(sql)
        .bind(hash)
        .bind(since.0)
        .fetch_all(&mut **tx)
        .await
        .map_err(db)?;
    let mut found = (0, None);
    for row in &rows {
        let kind: String = row.try_get(0).map_err(db)?;
        if kinds.iter().any(|wanted| wanted.as_str() == kind) {
            let created = Timestamp(row.try_get(1).map_err(db)?);
            found = (found.0 + 1, found.1.max(Some(created)));
        }
    }
    Ok(found)
}
