//! When each feed last changed.

use super::Store;
use super::fault::db;
use crate::domain::{Result, Timestamp};
use sqlx::Row;

impl Store {
    /// When feed `name` got the bytes that `etag` stands for: `now`, when they are new.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feed_modified(&self, name: &str, etag: &str, now: Timestamp) -> Result<Timestamp> {
        sqlx::query(
            "INSERT INTO feed_state (name, etag, modified) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET etag = excluded.etag, modified = excluded.modified
             WHERE feed_state.etag <> excluded.etag AND feed_state.modified <= excluded.modified",
        )
        .bind(name)
        .bind(etag)
        .bind(now.0)
        .execute(&self.pool)
        .await
        .map_err(db)?;
        sqlx::query("SELECT modified FROM feed_state WHERE name = $1")
            .bind(name)
            .fetch_one(&self.pool)
            .await
            .map_err(db)?
            .try_get(0)
            .map(Timestamp)
            .map_err(db)
    }
}
