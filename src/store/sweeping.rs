//! The sweep: what deleted rows leave in the database's files is overwritten. A row says whether one is due,
//! so that no crash loses it, and one sweep serves everybody who was erased before it.

use super::Store;
use super::changes::Change;
use super::dialect::Dialect;
use super::fault::db;
use crate::domain::{Problem, Result, Timestamp};
use sqlx::{Executor, Row};
use std::time::Duration;

/// How long SQLite's log waits for readers at a time, in milliseconds: writers wait along.
const READERS: u32 = 2_000;
/// Between two such tries, so that writers get through.
const BREATH: Duration = Duration::from_millis(200);

/// When a sweep may begin.
#[derive(Debug, Clone, Copy)]
pub struct SweepRules {
    /// The least time since the last one began.
    pub gap: Duration,
    /// How long one waits for editions that are being delivered.
    pub longest_wait: Duration,
}

/// A sweep that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// Since when it was due.
    pub due: Option<Timestamp>,
    /// How often one had been asked for, ever.
    asked: i64,
    /// Up to which of these the file of SQLite was written anew already.
    rewritten: i64,
    began: Timestamp,
}

/// Notes that a sweep is due, from `$1` on when none was.
const ASK: &str = "UPDATE sweep SET asked = asked + 1, due = COALESCE(due, $1)";

impl Change {
    /// Notes that a sweep is due.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn ask_for_sweep(&mut self) -> Result<()> {
        let done = sqlx::query(ASK).bind(self.now.0).execute(&mut *self.tx);
        done.await.map_err(db)?;
        Ok(())
    }
}

impl Store {
    /// [`Change::ask_for_sweep`] by itself.
    ///
    /// # Errors
    /// As there.
    pub async fn ask_for_sweep(&self, now: Timestamp) -> Result<()> {
        let done = sqlx::query(ASK).bind(now.0).execute(&self.pool);
        done.await.map_err(db)?;
        Ok(())
    }

    /// Since when a sweep is due, if one is.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sweep_due(&self) -> Result<Option<Timestamp>> {
        let row = sqlx::query("SELECT due FROM sweep").fetch_one(&self.pool).await;
        let due: Option<i64> = row.map_err(db)?.try_get(0).map_err(db)?;
        Ok(due.map(Timestamp))
    }

    /// Begins a sweep when one is due and `rules` allow it; of several processes one gets it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin_due_sweep(&self, rules: SweepRules, now: Timestamp) -> Result<Option<Sweep>> {
        // Looked at first: a statement that changes nothing takes the write lock of a SQLite file as well.
        if self.sweep_due().await?.is_none() {
            return Ok(None);
        }
        let row = sqlx::query(
            // One that was begun in the future: the clock was set back.
            "UPDATE sweep SET tried = $1
             WHERE due IS NOT NULL AND (tried IS NULL OR tried <= $2 OR tried > $1)
                 AND (due <= $3 OR NOT EXISTS (
                     SELECT 1 FROM batch WHERE owner IS NOT NULL AND until > $1))
             RETURNING due, asked, rewritten",
        )
        .bind(now.0)
        .bind(now.minus(rules.gap).0)
        .bind(now.minus(rules.longest_wait).0)
        .fetch_optional(&self.pool)
        .await
        .map_err(db)?;
        row.map(|row| Sweep::read(&row, now)).transpose()
    }

    /// Begins a sweep, due or not.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin_sweep(&self, now: Timestamp) -> Result<Sweep> {
        let row = sqlx::query("UPDATE sweep SET tried = $1 RETURNING due, asked, rewritten")
            .bind(now.0)
            .fetch_one(&self.pool)
            .await
            .map_err(db)?;
        Sweep::read(&row, now)
    }

    /// Leaves nothing in the files of what was deleted before `sweep` began. A reader who looks at the
    /// database for long is waited for so many times two seconds.
    ///
    /// # Errors
    /// When the database does not answer, or such a reader stays. It is still due then.
    pub async fn sweep(&self, sweep: &Sweep, patience: u32) -> Result<()> {
        match self.dialect {
            Dialect::Sqlite => self.sweep_file(sweep, patience).await?,
            Dialect::Postgres => self.sweep_tables().await?,
        }
        // Of whoever was erased since it began, something may lie there still.
        sqlx::query("UPDATE sweep SET due = CASE WHEN asked = $1 THEN NULL ELSE CAST($2 AS BIGINT) END")
            .bind(sweep.asked)
            .bind(sweep.began.0)
            .execute(&self.pool)
            .await
            .map_err(db)?;
        Ok(())
    }

    async fn sweep_tables(&self) -> Result<()> {
        self.pool
            .execute(
                "VACUUM subscriber, subscription, reader_event, sign_up, sign_up_request, address_change,
                     address_refusal, address_turn, former_address, notice, delivery, edition, relay_state",
            )
            .await
            .map_err(db)?;
        Ok(())
    }

    /// Writes the file anew, since pages keep scraps of what was moved about in them, and empties the log.
    async fn sweep_file(&self, sweep: &Sweep, patience: u32) -> Result<()> {
        let mut connection = self.pool.acquire().await.map_err(db)?;
        // Its patience is changed below.
        connection.close_on_drop();
        // Where only the log was left last time, a second time would let it grow.
        if sweep.rewritten < sweep.asked {
            connection.execute("VACUUM").await.map_err(db)?;
            sqlx::query("UPDATE sweep SET rewritten = $1 WHERE rewritten < $1")
                .bind(sweep.asked)
                .execute(&mut *connection)
                .await
                .map_err(db)?;
        }
        let wait = format!("PRAGMA busy_timeout = {READERS}");
        connection.execute(sqlx::AssertSqlSafe(wait)).await.map_err(db)?;
        for n in 0..patience.max(1) {
            if n > 0 {
                tokio::time::sleep(BREATH).await;
            }
            let row = connection.fetch_one("PRAGMA wal_checkpoint(TRUNCATE)").await;
            if row.map_err(db)?.try_get::<i64, _>(0).map_err(db)? == 0 {
                return Ok(());
            }
        }
        Err(
            Problem::database("the reader is erased, but the database's log could not be emptied")
                .hint("somebody reads from it for long: end that program, and do the same again"),
        )
    }
}

impl Sweep {
    fn read(row: &sqlx::any::AnyRow, began: Timestamp) -> Result<Self> {
        Ok(Self {
            due: row.try_get::<Option<i64>, _>(0).map_err(db)?.map(Timestamp),
            asked: row.try_get(1).map_err(db)?,
            rewritten: row.try_get(2).map_err(db)?,
            began,
        })
    }
}
