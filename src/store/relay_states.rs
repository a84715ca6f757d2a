//! What each process knows of a relay, for `status`, which is another process.

use super::fault::db;
use super::summary_row::unreadable;
use super::{Store, owner};
use crate::domain::condition::{Condition, State};
use crate::domain::{Result, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::time::Duration;

/// A row that was not renewed for so long is of a process that is gone, wherever that was.
const STALE: Duration = Duration::from_secs(180);

/// What one process knows of one relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The relay's name.
    pub relay: String,
    /// The process, as [`owner::new`] names it.
    pub node: String,
    /// How the relay is.
    pub condition: Condition,
}

impl Store {
    /// Notes what `node` knows of `relay`; again from time to time, or it counts as gone.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note_relay(
        &self,
        relay: &str,
        node: &str,
        condition: &Condition,
        now: Timestamp,
    ) -> Result<()> {
        let number = |at: Option<Timestamp>| at.map(|at| at.0);
        sqlx::query(
            "INSERT INTO relay_state (relay, node, state, since, until, failures, why, connections,
                 slowed_to, pause, slowed_since, full_until, seen)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             ON CONFLICT (relay, node) DO UPDATE SET state = excluded.state, since = excluded.since,
                 until = excluded.until, failures = excluded.failures, why = excluded.why,
                 connections = excluded.connections, slowed_to = excluded.slowed_to,
                 pause = excluded.pause, slowed_since = excluded.slowed_since,
                 full_until = excluded.full_until, seen = excluded.seen",
        )
        .bind(relay)
        .bind(node)
        .bind(condition.state.as_str())
        .bind(condition.since.0)
        .bind(number(condition.until))
        .bind(i64::from(condition.failures))
        .bind(condition.why.as_deref())
        .bind(i64::from(condition.connections))
        .bind(condition.slowed_to.map(i64::from))
        .bind(
            condition
                .pause
                .map(|pause| i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)),
        )
        .bind(number(condition.slowed_since))
        .bind(number(condition.full_until))
        .bind(now.0)
        .execute(&self.pool)
        .await
        .map_err(db)?;
        Ok(())
    }

    /// Takes away what `node` noted of `relay`: all is well, or it ends.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_relay(&self, relay: &str, node: &str) -> Result<()> {
        sqlx::query("DELETE FROM relay_state WHERE relay = $1 AND node = $2")
            .bind(relay)
            .bind(node)
            .execute(&self.pool)
            .await
            .map_err(db)?;
        Ok(())
    }

    /// What the processes that live know of relays.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn relays_seen(&self, now: Timestamp) -> Result<Vec<Seen>> {
        let (living, _) = self.all_relays_seen(now).await?;
        Ok(living)
    }

    /// Takes away what processes noted that are gone.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tidy_relays(&self, now: Timestamp) -> Result<()> {
        let (_, gone) = self.all_relays_seen(now).await?;
        for seen in gone {
            self.forget_relay(&seen.relay, &seen.node).await?;
        }
        Ok(())
    }

    /// What the living noted, and what those who are gone.
    async fn all_relays_seen(&self, now: Timestamp) -> Result<(Vec<Seen>, Vec<Seen>)> {
        let rows = sqlx::query(
            "SELECT relay, node, state, since, until, failures, why, connections, slowed_to, pause,
                 slowed_since, full_until, seen FROM relay_state ORDER BY relay, node",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(db)?;
        let (mut living, mut gone) = (Vec::new(), Vec::new());
        for row in &rows {
            let (seen, at) = read(row)?;
            let is_gone = now.since(at) > STALE || owner::is_dead(&seen.node, self.is_of_one_machine());
            if is_gone { &mut gone } else { &mut living }.push(seen);
        }
        Ok((living, gone))
    }
}

fn read(row: &AnyRow) -> Result<(Seen, Timestamp)> {
    let time = |index: usize| -> Result<Option<Timestamp>> {
        Ok(row.try_get::<Option<i64>, _>(index).map_err(db)?.map(Timestamp))
    };
    let count = |index: usize| -> Result<Option<u32>> {
        let number = row.try_get::<Option<i64>, _>(index).map_err(db)?;
        Ok(number.map(|number| u32::try_from(number).unwrap_or(0)))
    };
    let state: String = row.try_get(2).map_err(db)?;
    let condition = Condition {
        state: State::parse(&state).ok_or_else(|| unreadable("state", &state))?,
        since: time(3)?.unwrap_or_default(),
        until: time(4)?,
        failures: count(5)?.unwrap_or(0),
        why: row.try_get(6).map_err(db)?,
        connections: count(7)?.unwrap_or(0),
        slowed_to: count(8)?,
        pause: row
            .try_get::<Option<i64>, _>(9)
            .map_err(db)?
            .map(|pause| Duration::from_millis(u64::try_from(pause).unwrap_or(0))),
        slowed_since: time(10)?,
        full_until: time(11)?,
    };
    let seen = Seen {
        relay: row.try_get(0).map_err(db)?,
        node: row.try_get(1).map_err(db)?,
        condition,
    };
    Ok((seen, time(12)?.unwrap_or_default()))
}
