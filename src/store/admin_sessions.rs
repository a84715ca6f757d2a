//! Admins: the links with which they sign in, and who is signed in.

use super::Store;
use super::fault::db;
use super::notices::{self, NewNotice};
use crate::domain::notice::NoticeData;
use crate::domain::{Result, Timestamp};
use sqlx::{Any, Row, Transaction};

/// Somebody who asks for a link to sign in.
#[derive(Debug)]
pub struct SignInAsked<'a> {
    /// The salted hash of the address that was typed.
    pub address_hash: &'a str,
    /// The salted hash of the network it was typed in.
    pub network: &'a str,
    /// Where the link goes; `None` when the address is no admin's.
    pub mail_to: Option<&'a str>,
    /// How many links an address gets from `since` on, and how often a network may ask.
    pub limits: (i64, i64),
    /// Since when these count.
    pub since: Timestamp,
    /// When the link ends.
    pub expires: Timestamp,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A link is on its way.
    Mailed,
    /// No mail goes: the address is no admin's, or got its share.
    Silent,
    /// The network asked too often; nothing was written.
    TooMany,
}

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminSession {
    /// The salted hash of the admin's address.
    pub address_hash: String,
    /// When the admin last asked for a page.
    pub seen: Timestamp,
    /// When it ends at the latest.
    pub expires: Timestamp,
}

impl Store {
    /// Notes that somebody asks for a link, and writes the mail if there is to be one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn ask_to_sign_in(&self, asked: &SignInAsked<'_>, now: Timestamp) -> Result<Asked> {
        let mut tx = self.begin().await?;
        // One after the other: two at a time could pass a limit together.
        sqlx::query(
            "INSERT INTO setting (name, value) VALUES ('sign_in_gate', '')
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .execute(&mut *tx)
        .await
        .map_err(db)?;
        let row = sqlx::query(
            "SELECT COUNT(CASE WHEN address_hash = $1 THEN 1 END), COUNT(CASE WHEN network = $2 THEN 1 END)
             FROM sign_in WHERE created > $3 AND (address_hash = $1 OR network = $2)",
        )
        .bind(asked.address_hash)
        .bind(asked.network)
        .bind(asked.since.0)
        .fetch_one(&mut *tx)
        .await
        .map_err(db)?;
        let (by_address, by_network): (i64, i64) = (row.try_get(0).map_err(db)?, row.try_get(1).map_err(db)?);
        if by_network >= asked.limits.1 {
            tx.rollback().await.map_err(db)?;
            return Ok(Asked::TooMany);
        }
        forget(&mut tx, asked.since, now).await?;
        let sign_in: i64 = sqlx::query(
            "INSERT INTO sign_in (address_hash, network, created, expires) VALUES ($1, $2, $3, $4) RETURNING id",
        )
        .bind(asked.address_hash)
        .bind(asked.network)
        .bind(now.0)
        .bind(asked.expires.0)
        .fetch_one(&mut *tx)
        .await
        .map_err(db)?
        .try_get(0)
        .map_err(db)?;
        let mail_to = asked.mail_to.filter(|_| by_address < asked.limits.0);
        if let Some(address) = mail_to {
            let notice = NewNotice {
                subscriber: None,
                address: Some(address.to_owned()),
                address_hash: asked.address_hash.to_owned(),
                mailbox_hash: None,
                data: NoticeData::SignIn { sign_in },
            };
            notices::add(&mut tx, &notice, now).await?;
        }
        tx.commit().await.map_err(db)?;
        Ok(if mail_to.is_some() {
            Asked::Mailed
        } else {
            Asked::Silent
        })
    }

    /// Whether somebody may still sign in with the link `sign_in`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_sign_in_open(&self, sign_in: i64, now: Timestamp) -> Result<bool> {
        let row = sqlx::query("SELECT id FROM sign_in WHERE id = $1 AND used IS NULL AND expires > $2")
            .bind(sign_in)
            .bind(now.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        Ok(row.is_some())
    }

    /// Uses the link `sign_in` up for a session with `hash`, which ends at `expires`; the hash of the admin's
    /// address, or `None` when the link was used or has ended.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn use_sign_in(
        &self,
        sign_in: i64,
        hash: &str,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<Option<String>> {
        let mut tx = self.begin().await?;
        let row = sqlx::query(
            "UPDATE sign_in SET used = $2 WHERE id = $1 AND used IS NULL AND expires > $2
             RETURNING address_hash",
        )
        .bind(sign_in)
        .bind(now.0)
        .fetch_optional(&mut *tx)
        .await
        .map_err(db)?;
        let Some(row) = row else {
            tx.rollback().await.map_err(db)?;
            return Ok(None);
        };
        let address_hash: String = row.try_get(0).map_err(db)?;
        sqlx::query(
            "INSERT INTO admin_session (hash, address_hash, created, seen, expires) VALUES ($1, $2, $3, $3, $4)",
        )
        .bind(hash)
        .bind(&address_hash)
        .bind(now.0)
        .bind(expires.0)
        .execute(&mut *tx)
        .await
        .map_err(db)?;
        tx.commit().await.map_err(db)?;
        Ok(Some(address_hash))
    }

    /// The session whose token has this hash.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn admin_session(&self, hash: &str) -> Result<Option<AdminSession>> {
        let row = sqlx::query("SELECT address_hash, seen, expires FROM admin_session WHERE hash = $1")
            .bind(hash)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        row.map(|row| {
            Ok(AdminSession {
                address_hash: row.try_get(0).map_err(db)?,
                seen: Timestamp(row.try_get(1).map_err(db)?),
                expires: Timestamp(row.try_get(2).map_err(db)?),
            })
        })
        .transpose()
    }

    /// Notes that the admin of a session asked for a page.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn admin_seen(&self, hash: &str, now: Timestamp) -> Result<()> {
        sqlx::query("UPDATE admin_session SET seen = $2 WHERE hash = $1")
            .bind(hash)
            .bind(now.0)
            .execute(&self.pool)
            .await
            .map_err(db)?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end_admin_session(&self, hash: &str) -> Result<()> {
        sqlx::query("DELETE FROM admin_session WHERE hash = $1")
            .bind(hash)
            .execute(&self.pool)
            .await
            .map_err(db)?;
        Ok(())
    }
}

/// Takes away what has ended and counts for no limit any more.
async fn forget(tx: &mut Transaction<'static, Any>, since: Timestamp, now: Timestamp) -> Result<()> {
    for statement in [
        "DELETE FROM sign_in WHERE created <= $1 AND expires <= $2",
        "DELETE FROM admin_session WHERE created <= $1 AND expires <= $2",
    ] {
        sqlx::query(statement)
            .bind(since.0)
            .bind(now.0)
            .execute(&mut **tx)
            .await
            .map_err(db)?;
    }
    Ok(())
}
