//! New addresses: asked for, and confirmed by their owners.

use super::Store;
use super::changes::Change;
use super::fault::db;
use crate::domain::address::FullAddress;
use crate::domain::notice::NoticeKind;
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

const FIND: &str = "SELECT subscriber_id, address, address_hash, expires FROM address_change WHERE id = $1";

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
            "INSERT INTO address_change (subscriber_id, address, address_hash, created, expires)
             VALUES ($1, $2, $3, $4, $5) RETURNING id",
        )
        .bind(new.subscriber)
        .bind(new.address.as_str())
        .bind(&new.address_hash)
        .bind(self.now.0)
        .bind(new.expires.0)
        .fetch_one(&mut *self.tx)
        .await
        .map_err(db)?;
        row.try_get(0).map_err(db)
    }

    /// Deletes what `subscriber` asked for beside the change `done`: of their links to new addresses none
    /// works any more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn drop_other_address_changes(&mut self, subscriber: i64, done: i64) -> Result<()> {
        sqlx::query("DELETE FROM address_change WHERE subscriber_id = $1 AND id <> $2")
            .bind(subscriber)
            .bind(done)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(())
    }

    /// How many mails of `kind` about `subscriber` were written since `since`. Call [`Change::reader`]
    /// before, so that two processes do not pass a limit together.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn notices_about(
        &mut self,
        subscriber: i64,
        kind: NoticeKind,
        since: Timestamp,
    ) -> Result<i64> {
        let row = sqlx::query(
            "SELECT COUNT(*) FROM notice WHERE subscriber_id = $1 AND kind = $2 AND created > $3",
        )
        .bind(subscriber)
        .bind(kind.as_str())
        .bind(since.0)
        .fetch_one(&mut *self.tx)
        .await
        .map_err(db)?;
        row.try_get(0).map_err(db)
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
    })
}
