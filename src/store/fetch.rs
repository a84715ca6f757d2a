//! What is remembered of fetched addresses.

use super::Store;
use super::fault::db;
use crate::domain::{FetchState, Result, Timestamp};
use sqlx::Row;

impl Store {
    /// What is known of `address`; nothing when it was never fetched by `source`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn fetch_state(&self, source: &str, address: &str) -> Result<FetchState> {
        let row = sqlx::query(
            "SELECT etag, last_modified, moved_to, not_before, gone, resume
             FROM fetch_state WHERE source = $1 AND address = $2",
        )
        .bind(source)
        .bind(address)
        .fetch_optional(&self.pool)
        .await
        .map_err(db)?;
        let Some(row) = row else {
            return Ok(FetchState::default());
        };
        Ok(FetchState {
            etag: row.try_get(0).map_err(db)?,
            last_modified: row.try_get(1).map_err(db)?,
            moved_to: row.try_get(2).map_err(db)?,
            not_before: row.try_get::<Option<i64>, _>(3).map_err(db)?.map(Timestamp),
            gone: row.try_get::<i64, _>(4).map_err(db)? != 0,
            resume: row.try_get(5).map_err(db)?,
        })
    }

    /// Remembers `state` of `address`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_fetch_state(&self, source: &str, address: &str, state: &FetchState) -> Result<()> {
        sqlx::query(
            "INSERT INTO fetch_state (source, address, etag, last_modified, moved_to, not_before, gone, resume)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (source, address) DO UPDATE SET etag = excluded.etag,
                 last_modified = excluded.last_modified, moved_to = excluded.moved_to,
                 not_before = excluded.not_before, gone = excluded.gone, resume = excluded.resume",
        )
        .bind(source)
        .bind(address)
        .bind(state.etag.as_deref())
        .bind(state.last_modified.as_deref())
        .bind(state.moved_to.as_deref())
        .bind(state.not_before.map(|at| at.0))
        .bind(i64::from(state.gone))
        .bind(state.resume.as_deref())
        .execute(&self.pool)
        .await
        .map_err(db)?;
        Ok(())
    }
}
