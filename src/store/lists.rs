//! Which list files were read, and which addresses are not mailed.

use super::Store;
use super::fault::db;
use super::summary_row::unreadable;
use crate::domain::subscriber::Suppression;
use crate::domain::{Result, Timestamp};
use sqlx::Row;

/// What a second suppression of an address does: the harder reason stays, and erased is not forgotten.
pub(super) fn on_second_suppression() -> String {
    let rank = |table: &str| {
        format!(
            "CASE {table}.reason WHEN 'complained' THEN 5 WHEN 'bounced' THEN 4 WHEN 'refused' THEN 3
                 WHEN 'erased' THEN 2 ELSE 1 END"
        )
    };
    format!(
        "ON CONFLICT (address_hash) DO UPDATE SET reason = excluded.reason, created = excluded.created
         WHERE {} > {}",
        rank("excluded"),
        rank("suppression")
    )
}

impl Store {
    /// The hash that the list file `path` had when it was last imported.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_hash(&self, path: &str) -> Result<Option<String>> {
        sqlx::query("SELECT hash FROM list_file WHERE path = $1")
            .bind(path)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?
            .map(|row| row.try_get(0).map_err(db))
            .transpose()
    }

    /// Why the address behind `address_hash` is not mailed, if so.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn suppression(&self, address_hash: &str) -> Result<Option<Suppression>> {
        let row = sqlx::query("SELECT reason FROM suppression WHERE address_hash = $1")
            .bind(address_hash)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        row.map(|row| {
            let word: String = row.try_get(0).map_err(db)?;
            Suppression::parse(&word).ok_or_else(|| unreadable("reason", &word))
        })
        .transpose()
    }

    /// Notes that the list file `path` was imported.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_list_hash(&self, path: &str, hash: &str, now: Timestamp) -> Result<()> {
        sqlx::query(
            "INSERT INTO list_file (path, hash, imported) VALUES ($1, $2, $3)
             ON CONFLICT (path) DO UPDATE SET hash = excluded.hash, imported = excluded.imported",
        )
        .bind(path)
        .bind(hash)
        .bind(now.0)
        .execute(&self.pool)
        .await
        .map_err(db)?;
        Ok(())
    }
}
