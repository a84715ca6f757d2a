//! Recording outcomes: the statement that is run most, over a connection of its own.

use super::Store;
use super::dialect::{Column, Dialect};
use super::fault::db;
use super::ledger::Outcome;
use crate::domain::{Problem, Result};
use serde::Serialize;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AssertSqlSafe};

/// Records outcomes over one connection that it keeps.
///
/// On SQLite a connection forgets the pages it has read when another one has written: the one that writes
/// most keeps them this way.
#[derive(Debug)]
pub struct Clerk {
    store: Store,
    connection: Option<PoolConnection<Any>>,
}

impl Clerk {
    /// Records `outcomes` in one statement; a delivery that is final already stays as it is.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn record(&mut self, outcomes: &[Outcome]) -> Result<()> {
        // Taken out: after an error, or when this future is dropped, the next call begins with a new one.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.store.pool.acquire().await.map_err(db)?,
        };
        record(&mut connection, self.store.dialect, outcomes).await?;
        // Whoever has but one connection needs it for everything else as well.
        if self.store.pool.options().get_max_connections() > 1 {
            self.connection = Some(connection);
        }
        Ok(())
    }
}

impl Store {
    /// Somebody who records many outcomes.
    pub fn clerk(&self) -> Clerk {
        Clerk {
            store: self.clone(),
            connection: None,
        }
    }

    /// Records `outcomes` in one statement; a delivery that is final already stays as it is.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn record(&self, outcomes: &[Outcome]) -> Result<()> {
        self.clerk().record(outcomes).await
    }
}

/// An outcome as the statement reads it; the names are short because each row repeats them.
#[derive(Serialize)]
struct Row<'a> {
    e: i64,
    r: i64,
    s: &'static str,
    a: i64,
    c: Option<i64>,
    t: Option<&'a str>,
    y: Option<&'a str>,
    n: Option<i64>,
}

impl<'a> Row<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        Self {
            e: outcome.edition,
            r: outcome.subscriber,
            s: outcome.state.as_str(),
            a: outcome.attempt,
            c: outcome.code,
            t: outcome.text.as_deref(),
            y: outcome.relay.as_deref(),
            n: outcome.next_attempt.map(|at| at.0),
        }
    }
}

async fn record(connection: &mut AnyConnection, dialect: Dialect, outcomes: &[Outcome]) -> Result<()> {
    let rows: Vec<Row<'_>> = outcomes.iter().map(Row::of).collect();
    let json = serde_json::to_string(&rows)
        .map_err(|error| Problem::failed("outcomes can't be written").because(error))?;
    let sql = format!(
        "UPDATE delivery SET state = j.s, attempts = attempts + j.a, code = COALESCE(j.c, code),
             text = COALESCE(j.t, text), relay = COALESCE(j.y, relay), next_attempt = j.n
         FROM {}
         WHERE delivery.edition_id = j.e AND delivery.subscriber_id = j.r
             AND delivery.state IN ('waiting', 'uncertain')",
        dialect.rows(&[
            ("e", Column::Number),
            ("r", Column::Number),
            ("s", Column::Text),
            ("a", Column::Number),
            ("c", Column::Number),
            ("t", Column::Text),
            ("y", Column::Text),
            ("n", Column::Number),
        ])
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(json)
        .execute(connection)
        .await
        .map_err(db)?;
    Ok(())
}
