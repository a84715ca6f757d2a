//! How many requests each network made, by a salted hash: counts in spans of ten minutes.

use super::Store;
use super::changes::Change;
use super::fault::db;
use crate::domain::{Result, Timestamp};
use sqlx::Row;

/// Milliseconds of a span.
const SPAN: i64 = 600_000;
/// Spans of an hour.
const HOUR: i64 = 6;

/// What network `$1` made since span `$2`.
const USED: &str =
    "SELECT CAST(COALESCE(SUM(used), 0) AS BIGINT) FROM network_use WHERE network = $1 AND bucket > $2";

impl Store {
    /// How many requests `network` made within the hour; takes no lock.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn uses(&self, network: &str, now: Timestamp) -> Result<i64> {
        let row = sqlx::query(USED)
            .bind(network)
            .bind(now.0.div_euclid(SPAN) - HOUR)
            .fetch_one(&self.pool)
            .await
            .map_err(db)?;
        row.try_get(0).map_err(db)
    }
}

impl Change {
    /// Counts a request of `network`; how many it made within the hour.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_use(&mut self, network: &str) -> Result<i64> {
        let bucket = self.now.0.div_euclid(SPAN);
        sqlx::query(
            "INSERT INTO network_use (network, bucket, used) VALUES ($1, $2, 1)
             ON CONFLICT (network, bucket) DO UPDATE SET used = network_use.used + 1",
        )
        .bind(network)
        .bind(bucket)
        .execute(&mut *self.tx)
        .await
        .map_err(db)?;
        let row = sqlx::query(USED)
            .bind(network)
            .bind(bucket - HOUR)
            .fetch_one(&mut *self.tx)
            .await
            .map_err(db)?;
        row.try_get(0).map_err(db)
    }
}
