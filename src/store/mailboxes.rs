//! Mailboxes: several addresses reach one, which differ in what follows a `+`. They are known by a salted hash.

use super::changes::Change;
use super::fault::db;
use crate::domain::Result;
use sqlx::Row;

impl Change {
    /// Has every other change about the addresses of a mailbox wait until this one ends: limits hold for all
    /// processes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take_turn(&mut self, mailbox_hash: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO address_turn (mailbox_hash, taken) VALUES ($1, $2)
             ON CONFLICT (mailbox_hash) DO UPDATE SET taken = excluded.taken",
        )
        .bind(mailbox_hash)
        .bind(self.now.0)
        .execute(&mut *self.tx)
        .await
        .map_err(db)?;
        Ok(())
    }

    /// Keeps everybody from causing mails to a mailbox by typing one of its addresses into a form.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn refuse_mailbox(&mut self, mailbox_hash: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO refused_mailbox (mailbox_hash, created) VALUES ($1, $2)
             ON CONFLICT (mailbox_hash) DO NOTHING",
        )
        .bind(mailbox_hash)
        .bind(self.now.0)
        .execute(&mut *self.tx)
        .await
        .map_err(db)?;
        Ok(())
    }

    /// Takes back [`Change::refuse_mailbox`]; whether there was anything to take back.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn allow_mailbox(&mut self, mailbox_hash: &str) -> Result<bool> {
        let done = sqlx::query("DELETE FROM refused_mailbox WHERE mailbox_hash = $1")
            .bind(mailbox_hash)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(done.rows_affected() > 0)
    }

    /// Whether the owner of a mailbox said that nobody is to write to it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_refused(&mut self, mailbox_hash: &str) -> Result<bool> {
        let row = sqlx::query("SELECT 1 FROM refused_mailbox WHERE mailbox_hash = $1")
            .bind(mailbox_hash)
            .fetch_optional(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(row.is_some())
    }

    /// The subscribers of a mailbox who were asked to confirm, as far as that is still known.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn asked_in(&mut self, mailbox_hash: &str) -> Result<Vec<i64>> {
        let rows = sqlx::query(
            "SELECT DISTINCT s.id FROM notice n
             JOIN subscriber s ON s.id = n.subscriber_id AND s.address_hash = n.address_hash
             WHERE n.mailbox_hash = $1 AND n.kind = 'confirm' ORDER BY s.id",
        )
        .bind(mailbox_hash)
        .fetch_all(&mut *self.tx)
        .await
        .map_err(db)?;
        rows.iter().map(|row| row.try_get(0).map_err(db)).collect()
    }
}
