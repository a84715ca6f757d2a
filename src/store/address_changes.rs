//! New addresses: asked for, and confirmed or refused by their owners.

use super::Store;
use super::changes::Change;
use super::fault::db;
use crate::domain::address::FullAddress;
use crate::domain::{Result, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

/// A new address that its owner has still to confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressChange {
    /// The subscriber's number.
    pub subscriber: i64,
    /// The new address.
    pub address: FullAddress,
    /// Its salted hash.
    pub address_hash: String,
    /// The salted hash of its mailbox.
    pub mailbox_hash: String,
    /// When the link ends.
    pub expires: Timestamp,
}

/// An address with what it is looked up by.
#[derive(Debug)]
pub struct NewAddress<'a> {
    /// The full address.
    pub address: &'a str,
    /// What its spellings have in common.
    pub key: &'a str,
    /// The salted hash of the key.
    pub hash: &'a str,
    /// Whether the domain can't belong to anybody.
    pub reserved: bool,
}

/// One that was ended has no address any more; that it was asked for is known until its link would have ended.
const FIND: &str = "SELECT subscriber_id, address, address_hash, expires, mailbox_hash FROM address_change
    WHERE id = $1 AND address <> ''";

impl Store {
    /// The change of address `id`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn address_change(&self, id: i64) -> Result<Option<AddressChange>> {
        let row = sqlx::query(FIND).bind(id).fetch_optional(&self.pool).await;
        row.map_err(db)?.as_ref().map(read).transpose()
    }
}

impl Change {
    /// [`Store::address_change`] as part of this change.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn address_change(&mut self, id: i64) -> Result<Option<AddressChange>> {
        let row = sqlx::query(FIND).bind(id).fetch_optional(&mut *self.tx).await;
        row.map_err(db)?.as_ref().map(read).transpose()
    }

    /// Keeps a new address until its owner has confirmed it; its number.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn add_address_change(&mut self, new: &AddressChange) -> Result<i64> {
        let row = sqlx::query(
            "INSERT INTO address_change (subscriber_id, address, address_hash, created, expires, mailbox_hash)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        )
        .bind(new.subscriber)
        .bind(new.address.as_str())
        .bind(&new.address_hash)
        .bind(self.now.0)
        .bind(new.expires.0)
        .bind(&new.mailbox_hash)
        .fetch_one(&mut *self.tx)
        .await
        .map_err(db)?;
        row.try_get(0).map_err(db)
    }

    /// Ends what `subscriber` asked for beside the change `done`: of their links to new addresses none works
    /// any more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end_other_address_changes(&mut self, subscriber: i64, done: i64) -> Result<()> {
        sqlx::query("UPDATE address_change SET address = '' WHERE subscriber_id = $1 AND id <> $2")
            .bind(subscriber)
            .bind(done)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(())
    }

    /// Into how many mailboxes `subscriber` has asked to have their mails sent since `since`, beside
    /// `mailbox_hash`. Call [`Change::reader`] before, so that two processes do not pass a limit together.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn mailboxes_asked_for(
        &mut self,
        subscriber: i64,
        mailbox_hash: &str,
        since: Timestamp,
    ) -> Result<i64> {
        let row = sqlx::query(
            "SELECT COUNT(DISTINCT mailbox_hash) FROM address_change
             WHERE subscriber_id = $1 AND mailbox_hash <> $2 AND created > $3",
        )
        .bind(subscriber)
        .bind(mailbox_hash)
        .bind(since.0)
        .fetch_one(&mut *self.tx)
        .await
        .map_err(db)?;
        row.try_get(0).map_err(db)
    }

    /// Ends what `subscriber` asked for the addresses of a mailbox.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end_address_changes(&mut self, subscriber: i64, mailbox_hash: &str) -> Result<()> {
        sqlx::query("UPDATE address_change SET address = '' WHERE subscriber_id = $1 AND mailbox_hash = $2")
            .bind(subscriber)
            .bind(mailbox_hash)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(())
    }

    /// Notes that the owner of a mailbox does not want the mails of `subscriber` there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn refuse_reader(&mut self, subscriber: i64, mailbox_hash: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO address_refusal (subscriber_id, mailbox_hash, refused) VALUES ($1, $2, $3)
             ON CONFLICT (subscriber_id, mailbox_hash) DO NOTHING",
        )
        .bind(subscriber)
        .bind(mailbox_hash)
        .bind(self.now.0)
        .execute(&mut *self.tx)
        .await
        .map_err(db)?;
        Ok(())
    }

    /// Whether the owner of a mailbox has said that they do not want the mails of `subscriber` there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_refused(&mut self, mailbox_hash: &str, subscriber: i64) -> Result<bool> {
        let row = sqlx::query("SELECT 1 FROM address_refusal WHERE subscriber_id = $1 AND mailbox_hash = $2")
            .bind(subscriber)
            .bind(mailbox_hash)
            .fetch_optional(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(row.is_some())
    }

    /// Lets every reader ask for the addresses of a mailbox again; whether one could not.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn lift_refusals(&mut self, mailbox_hash: &str) -> Result<bool> {
        let done = sqlx::query("DELETE FROM address_refusal WHERE mailbox_hash = $1")
            .bind(mailbox_hash)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(done.rows_affected() > 0)
    }

    /// Gives subscriber `id` another address, and ends the links to their choices that went to the old one;
    /// false, and nothing changed, when another subscriber has it.
    ///
    /// # Errors
    /// When the database does not answer, or another process gives the address away at this moment.
    pub async fn set_address(&mut self, id: i64, new: &NewAddress<'_>) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE subscriber SET address = $2, address_key = $3, address_hash = $4, reserved = $5,
                 link_generation = link_generation + 1
             WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM subscriber o WHERE o.address_key = $3 AND o.id <> $1)",
        )
        .bind(id)
        .bind(new.address)
        .bind(new.key)
        .bind(new.hash)
        .bind(i64::from(new.reserved))
        .execute(&mut *self.tx)
        .await
        .map_err(db)?;
        Ok(done.rows_affected() > 0)
    }
}

fn read(row: &AnyRow) -> Result<AddressChange> {
    Ok(AddressChange {
        subscriber: row.try_get(0).map_err(db)?,
        address: row.try_get::<String, _>(1).map_err(db)?.into(),
        address_hash: row.try_get(2).map_err(db)?,
        expires: Timestamp(row.try_get(3).map_err(db)?),
        mailbox_hash: row.try_get(4).map_err(db)?,
    })
}
