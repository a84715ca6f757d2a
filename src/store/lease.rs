//! Leases in rows: who may do a thing now, or has which part of the work. No advisory locks, so that distributed databases work too.

use super::dialect::Dialect;
use super::fault::db;
use super::{Store, owner};
use crate::domain::{Clock, Problem, Result, Timestamp};
use sqlx::{Any, AssertSqlSafe, Row, Transaction};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long a lease holds without being renewed.
const TERM: Duration = Duration::from_secs(60);
/// How often a waiting process looks again.
const POLL: Duration = Duration::from_millis(50);

/// A lease that is held and renewed until it is released or dropped.
#[derive(Debug)]
pub struct Lease {
    store: Store,
    name: String,
    owner: String,
    renewal: JoinHandle<()>,
}

impl Lease {
    /// Gives the lease back.
    ///
    /// # Errors
    /// When the database does not answer; the lease then runs out by itself.
    pub async fn release(self) -> Result<()> {
        self.renewal.abort();
        sqlx::query("DELETE FROM lease WHERE name = $1 AND owner = $2")
            .bind(&self.name)
            .bind(&self.owner)
            .execute(&self.store.pool)
            .await
            .map_err(db)?;
        Ok(())
    }
}

impl Lease {
    /// Makes `tx` fail to commit anything that this lease no longer covers.
    ///
    /// The row stays locked until the transaction ends, so that nobody can take the lease before.
    pub(super) async fn guard(&self, tx: &mut Transaction<'static, Any>) -> Result<()> {
        let held = sqlx::query("UPDATE lease SET owner = owner WHERE name = $1 AND owner = $2")
            .bind(&self.name)
            .bind(&self.owner)
            .execute(&mut **tx)
            .await
            .map_err(db)?;
        if held.rows_affected() == 1 {
            return Ok(());
        }
        Err(Problem::failed(format!(
            "this process was away for so long that another took {:?} over",
            self.name
        ))
        .hint("nothing was kept; run it again"))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

/// Takes the lease `name`, waiting up to `patience` while somebody else has it.
///
/// # Errors
/// When it is still held after that time, or the database does not answer.
pub async fn wait_for(store: &Store, name: &str, clock: &dyn Clock, patience: Duration) -> Result<Lease> {
    let deadline = clock.now().plus(patience);
    loop {
        if let Some(lease) = take(store, name, clock.now()).await? {
            return Ok(lease);
        }
        if clock.now() > deadline {
            return Err(Problem::failed(format!(
                "another process has been busy with {name:?} for {patience:?}"
            ))
            .hint("look for a hanging postrider process; its lease ends a minute after it stops"));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Takes the lease `name` when it is free, has run out, or its owner is a dead process of this machine.
///
/// # Errors
/// When the database does not answer.
pub async fn take(store: &Store, name: &str, now: Timestamp) -> Result<Option<Lease>> {
    let owner = owner::new();
    let mut taken = try_take(store, name, &owner, now, "").await?;
    if !taken {
        let holder = sqlx::query("SELECT owner FROM lease WHERE name = $1")
            .bind(name)
            .fetch_optional(&store.pool)
            .await
            .map_err(db)?
            .map(|row| row.try_get::<String, _>(0))
            .transpose()
            .map_err(db)?;
        if let Some(holder) = holder.filter(|holder| owner::is_dead(holder, store.is_of_one_machine())) {
            taken = try_take(store, name, &owner, now, &holder).await?;
        }
    }
    Ok(taken.then(|| Lease {
        store: store.clone(),
        name: name.to_owned(),
        owner: owner.clone(),
        renewal: tokio::spawn(renew(store.clone(), name.to_owned(), owner, now)),
    }))
}

async fn try_take(store: &Store, name: &str, owner: &str, now: Timestamp, dead: &str) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO lease (name, owner, until) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
         WHERE lease.until < $4 OR lease.owner = $5",
    )
    .bind(name)
    .bind(owner)
    .bind(now.plus(TERM).0)
    .bind(now.0)
    .bind(dead)
    .execute(&store.pool)
    .await
    .map_err(db)?;
    Ok(done.rows_affected() == 1)
}

/// Extends the lease by the time that has passed since `taken`, until it is lost.
async fn renew(store: Store, name: String, owner: String, taken: Timestamp) {
    let start = tokio::time::Instant::now();
    loop {
        tokio::time::sleep(TERM / 4).await;
        let until = taken.plus(start.elapsed()).plus(TERM);
        let done = sqlx::query("UPDATE lease SET until = $3 WHERE name = $1 AND owner = $2")
            .bind(&name)
            .bind(&owner)
            .bind(until.0)
            .execute(&store.pool)
            .await;
        if done.is_ok_and(|done| done.rows_affected() == 0) {
            return;
        }
    }
}

/// What is leased row by row: each row names who has it and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Batches of editions.
    Batches,
    /// Notices.
    Notices,
}

impl Work {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Batches, Self::Notices];

    fn table(self) -> &'static str {
        match self {
            Self::Batches => "batch",
            Self::Notices => "notice",
        }
    }
}

impl Store {
    /// Extends every lease of `owner` on `work`; how many it still holds.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn renew_work(&self, work: Work, owner: &str, until: Timestamp) -> Result<u64> {
        let sql = format!("UPDATE {} SET until = $2 WHERE owner = $1", work.table());
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(owner)
            .bind(until.0)
            .execute(&self.pool)
            .await
            .map_err(db)?;
        Ok(done.rows_affected())
    }

    /// Gives back all `work` of `owner`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn free_work(&self, work: Work, owner: &str) -> Result<()> {
        let table = work.table();
        let sql = format!("UPDATE {table} SET owner = NULL, until = NULL WHERE owner = $1");
        sqlx::query(AssertSqlSafe(sql))
            .bind(owner)
            .execute(&self.pool)
            .await
            .map_err(db)?;
        Ok(())
    }

    /// Frees the `work` whose owner is a dead process of this machine.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn free_dead_work(&self, work: Work) -> Result<()> {
        let table = work.table();
        let sql = format!("SELECT DISTINCT owner FROM {table} WHERE owner IS NOT NULL");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        for row in &rows {
            let holder: String = row.try_get(0).map_err(db)?;
            if owner::is_dead(&holder, self.is_of_one_machine()) {
                self.free_work(work, &holder).await?;
            }
        }
        Ok(())
    }

    /// Whether the database can't be shared between machines.
    pub fn is_of_one_machine(&self) -> bool {
        self.dialect == Dialect::Sqlite
    }
}
