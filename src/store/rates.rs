//! Rates of relays, shared by every process of one database: who may send takes slots in time.
//!
//! The time is the database's own, so that the clocks of its users need not agree.

use super::Store;
use super::fault::db;
use crate::domain::relay::Rates;
use crate::domain::{Problem, Result};
use sqlx::{AssertSqlSafe, Row};
use std::time::Duration;

/// Slots lie one part in a hundred further apart than the rate asks for: who uses one is never
/// exactly on time, and the second that a relay counts must not hold more than it allows.
const SECOND: u64 = 1_010_000;
/// The span of a bucket of the hourly count, in microseconds.
const BUCKET: i64 = 10_000_000;
/// The buckets of an hour, and one more: a slot is used up to a bucket's span after it was counted.
const BUCKETS: i64 = 361;
/// How often a reservation is tried that other processes got in the way of.
const TRIES: u32 = 5;

/// What a reservation gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// One slot after the other.
    Slots {
        /// From the database's answer to the first one.
        first_in: Duration,
        /// How many there are; [`slot`] says where each lies.
        count: u32,
    },
    /// The hour is full.
    Full {
        /// Until there may be room again.
        free_in: Duration,
    },
}

/// How long after the first slot of a reservation its slot number `index` lies.
pub fn slot(rates: Rates, index: u32) -> Duration {
    Duration::from_micros(
        rates
            .per_second
            .map_or(0, |rate| u64::from(index) * SECOND / u64::from(rate.max(1))),
    )
}

/// How much of the time `count` slots take, in microseconds.
fn length(rates: Rates, count: u32) -> i64 {
    rates.per_second.map_or(0, |rate| {
        let all = u64::from(count) * SECOND;
        i64::try_from(all.div_ceil(u64::from(rate.max(1)))).unwrap_or(i64::MAX)
    })
}

fn micros(from: i64, to: i64) -> Duration {
    Duration::from_micros(u64::try_from(to.saturating_sub(from)).unwrap_or(0))
}

impl Store {
    /// Takes up to `wanted` slots of `relay`, which nobody else gets then; at least one, unless the hour is full.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reserve_slots(&self, relay: &str, rates: Rates, wanted: u32) -> Result<Reservation> {
        let wanted = wanted.max(1);
        for _ in 1..TRIES {
            let tried = match rates.per_hour {
                None => self.next_slots(relay, rates, wanted).await,
                Some(most) => self.next_slots_of_hour(relay, rates, wanted, most).await,
            };
            match tried {
                Ok(Some(reservation)) => return Ok(reservation),
                // The first to use this relay.
                Ok(None) => self.add_rate(relay).await?,
                Err(problem) if problem.is_passing() => {}
                Err(problem) => return Err(problem),
            }
        }
        Err(
            Problem::database(format!("no slot of relay {relay:?} could be taken"))
                .hint("nothing was lost, run it again"),
        )
    }

    /// `None` when the relay has no row yet.
    async fn next_slots(&self, relay: &str, rates: Rates, wanted: u32) -> Result<Option<Reservation>> {
        let now = self.dialect.now_in_micros();
        let sql = format!(
            "UPDATE relay_rate SET next_slot = CASE WHEN next_slot > {now} THEN next_slot ELSE {now} END + $2
             WHERE relay = $1 RETURNING next_slot, {now}"
        );
        let length = length(rates, wanted);
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(relay)
            .bind(length)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        row.map(|row| {
            let end: i64 = row.try_get(0).map_err(db)?;
            let now: i64 = row.try_get(1).map_err(db)?;
            Ok(Reservation::Slots {
                first_in: micros(now, end - length),
                count: wanted,
            })
        })
        .transpose()
    }

    /// [`Store::next_slots`] of a relay that takes at most `most` in any hour.
    async fn next_slots_of_hour(
        &self,
        relay: &str,
        rates: Rates,
        wanted: u32,
        most: u32,
    ) -> Result<Option<Reservation>> {
        let mut tx = self.begin().await?;
        let now = self.dialect.now_in_micros();
        // The row stays locked until the commit: nobody else counts meanwhile.
        let sql = format!(
            "UPDATE relay_rate SET next_slot = CASE WHEN next_slot > {now} THEN next_slot ELSE {now} END
             WHERE relay = $1 RETURNING next_slot, {now}"
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(relay)
            .fetch_optional(&mut *tx)
            .await
            .map_err(db)?;
        let Some(row) = row else { return Ok(None) };
        let first: i64 = row.try_get(0).map_err(db)?;
        let now: i64 = row.try_get(1).map_err(db)?;
        let bucket = first / BUCKET;
        let row = sqlx::query(
            "SELECT CAST(COALESCE(SUM(used), 0) AS BIGINT), MIN(bucket) FROM relay_hour
             WHERE relay = $1 AND bucket >= $2",
        )
        .bind(relay)
        .bind(bucket - BUCKETS)
        .fetch_one(&mut *tx)
        .await
        .map_err(db)?;
        let used: i64 = row.try_get(0).map_err(db)?;
        let oldest: Option<i64> = row.try_get(1).map_err(db)?;
        let left = u32::try_from(i64::from(most) - used).unwrap_or(0);
        if left == 0 {
            let free = (oldest.unwrap_or(bucket) + BUCKETS + 1) * BUCKET;
            return Ok(Some(Reservation::Full {
                free_in: micros(now, free),
            }));
        }
        let count = wanted.min(left);
        sqlx::query(
            "INSERT INTO relay_hour (relay, bucket, used) VALUES ($1, $2, $3)
             ON CONFLICT (relay, bucket) DO UPDATE SET used = relay_hour.used + excluded.used",
        )
        .bind(relay)
        .bind(bucket)
        .bind(i64::from(count))
        .execute(&mut *tx)
        .await
        .map_err(db)?;
        sqlx::query("DELETE FROM relay_hour WHERE relay = $1 AND bucket < $2")
            .bind(relay)
            .bind(bucket - BUCKETS)
            .execute(&mut *tx)
            .await
            .map_err(db)?;
        sqlx::query("UPDATE relay_rate SET next_slot = $2 WHERE relay = $1")
            .bind(relay)
            .bind(first.saturating_add(length(rates, count)))
            .execute(&mut *tx)
            .await
            .map_err(db)?;
        tx.commit().await.map_err(db)?;
        Ok(Some(Reservation::Slots {
            first_in: micros(now, first),
            count,
        }))
    }

    async fn add_rate(&self, relay: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO relay_rate (relay, next_slot) VALUES ($1, 0) ON CONFLICT (relay) DO NOTHING",
        )
        .bind(relay)
        .execute(&self.pool)
        .await
        .map_err(db)?;
        Ok(())
    }
}
