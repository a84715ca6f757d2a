//! Which scheduled run of a digest was started last.

use super::Store;
use super::fault::db;
use crate::domain::{Result, Timestamp};
use sqlx::Row;

impl Store {
    /// The scheduled time that was handled last; `first` is kept when there is none yet.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn last_run(&self, digest: &str, first: Timestamp) -> Result<Timestamp> {
        sqlx::query(
            "INSERT INTO schedule_run (digest, last) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
        )
        .bind(digest)
        .bind(first.0)
        .execute(&self.pool)
        .await
        .map_err(db)?;
        sqlx::query("SELECT last FROM schedule_run WHERE digest = $1")
            .bind(digest)
            .fetch_one(&self.pool)
            .await
            .map_err(db)?
            .try_get(0)
            .map(Timestamp)
            .map_err(db)
    }

    /// Marks `run` as handled; false when another process was first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim_run(&self, digest: &str, run: Timestamp) -> Result<bool> {
        let done = sqlx::query("UPDATE schedule_run SET last = $2 WHERE digest = $1 AND last < $2")
            .bind(digest)
            .bind(run.0)
            .execute(&self.pool)
            .await
            .map_err(db)?;
        Ok(done.rows_affected() == 1)
    }
}
