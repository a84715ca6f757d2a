//! Why a reader is in their state, and since when.

use super::Store;
use super::fault::db;
use crate::domain::{Result, Timestamp};
use serde::Serialize;
use sqlx::Row;

/// Who brought a reader into their state, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// `reader`, `import`, `admin` or `server`.
    pub cause: String,
    /// Since when the state holds.
    pub since: Timestamp,
    /// The refusal by which the reader's mail server brought it about, where the ledger still has it.
    pub refusal: Option<Refusal>,
}

/// A mail server's refusal of a reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The edition's number.
    pub edition: i64,
    /// The reply code.
    pub code: Option<i64>,
    /// The server's words.
    pub text: Option<String>,
}

impl Store {
    /// Why and since when reader `id` is in their state; `None` when there is no such reader.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn cause_of_state(&self, id: i64) -> Result<Option<Cause>> {
        let row = sqlx::query("SELECT cause, changed FROM subscriber WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        let Some(row) = row else {
            return Ok(None);
        };
        let cause: String = row.try_get(0).map_err(db)?;
        Ok(Some(Cause {
            refusal: if cause == "server" {
                self.last_refusal(id).await?
            } else {
                None
            },
            cause,
            since: Timestamp(row.try_get(1).map_err(db)?),
        }))
    }

    async fn last_refusal(&self, id: i64) -> Result<Option<Refusal>> {
        let row = sqlx::query(
            "SELECT edition_id, code, text FROM delivery
             WHERE subscriber_id = $1 AND state = 'failed' ORDER BY edition_id DESC LIMIT 1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await
        .map_err(db)?;
        row.map(|row| {
            Ok(Refusal {
                edition: row.try_get(0).map_err(db)?,
                code: row.try_get(1).map_err(db)?,
                text: row.try_get(2).map_err(db)?,
            })
        })
        .transpose()
    }
}
