//! Outcomes, recorded in groups: the statement that runs most often.

use super::Store;
use super::dialect::{Column, Dialect, RECORD_ALIKE};
use super::fault::db;
use super::lists::on_second_suppression;
use crate::domain::delivery::State;
use crate::domain::{Problem, Result, Timestamp};
use serde::Serialize;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Connection};
use std::collections::{BTreeMap, BTreeSet};

/// What became of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The edition's number.
    pub edition: i64,
    /// The subscriber's number.
    pub subscriber: i64,
    /// Where the delivery stands now.
    pub state: State,
    /// Whether a relay was asked: 1, or 0.
    pub attempt: i64,
    /// The relay's reply code.
    pub code: Option<i64>,
    /// The relay's text, or our reason.
    pub text: Option<String>,
    /// The relay's name.
    pub relay: Option<String>,
    /// When it is tried again; an uncertain one without a time is held for an admin.
    pub next_attempt: Option<Timestamp>,
    /// When the relay said that the address is dead, if it did: the reader gets no more mail.
    pub dead: Option<Timestamp>,
}

/// Records outcomes over one connection that it keeps.
///
/// On SQLite a connection forgets the pages it has read when another one has written: the one that writes
/// most keeps them this way.
#[derive(Debug)]
pub struct Clerk {
    store: Store,
    connection: Option<PoolConnection<Any>>,
    /// Editions that are known to have been received.
    received: BTreeSet<i64>,
}

impl Clerk {
    /// Records `outcomes` in one transaction. What is final stays as it is, except that what a relay has
    /// taken counts as sent, whatever an admin or the age limit made of it meanwhile.
    ///
    /// A dead address is suppressed and its reader bounced, in the same transaction.
    ///
    /// # Errors
    /// When the database does not answer; nothing is kept then, and the same call can be made again.
    pub async fn record(&mut self, outcomes: &[Outcome]) -> Result<()> {
        // Taken out: after an error, or when this future is dropped, the next call begins with a new one.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.store.pool.acquire().await.map_err(db)?,
        };
        let dialect = self.store.dialect;
        self.note_received(&mut connection, outcomes).await?;
        if outcomes.iter().any(|outcome| outcome.dead.is_some()) {
            let mut tx = connection.begin_with(dialect.begin()).await.map_err(db)?;
            write_down(&mut tx, dialect, outcomes).await?;
            bury(&mut tx, dialect, outcomes).await?;
            tx.commit().await.map_err(db)?;
        } else {
            write_down(&mut connection, dialect, outcomes).await?;
        }
        // Whoever has but one connection needs it for everything else as well.
        if self.store.pool.options().get_max_connections() > 1 {
            self.connection = Some(connection);
        }
        Ok(())
    }

    /// Notes that somebody has these editions, once for each. Before the outcomes, which are known to have
    /// happened: should this process die in between, the note is true all the same.
    async fn note_received(&mut self, connection: &mut AnyConnection, outcomes: &[Outcome]) -> Result<()> {
        for outcome in outcomes.iter().filter(|outcome| outcome.state == State::Sent) {
            if self.received.contains(&outcome.edition) {
                continue;
            }
            sqlx::query("UPDATE edition SET received = 1 WHERE id = $1 AND received = 0")
                .bind(outcome.edition)
                .execute(&mut *connection)
                .await
                .map_err(db)?;
            self.received.insert(outcome.edition);
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
            received: BTreeSet::new(),
        }
    }

    /// [`Clerk::record`], once.
    ///
    /// # Errors
    /// As there.
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

impl Outcome {
    /// Whether only subscriber and text differ.
    fn is_like(&self, other: &Self) -> bool {
        let rest = |o: &Self| (o.edition, o.state, o.attempt, o.code, o.next_attempt);
        rest(self) == rest(other) && self.relay == other.relay
    }
}

async fn write_down(connection: &mut AnyConnection, dialect: Dialect, outcomes: &[Outcome]) -> Result<()> {
    match outcomes.split_first() {
        None => Ok(()),
        // PostgreSQL joins the rows in no time, and would scan the table for the keys of an object.
        Some((first, rest))
            if dialect == Dialect::Sqlite && rest.iter().all(|outcome| outcome.is_like(first)) =>
        {
            write_down_alike(connection, first, outcomes).await
        }
        Some(_) => write_down_each(connection, dialect, outcomes).await,
    }
}

/// The usual case, in half the time: everything was sent.
async fn write_down_alike(
    connection: &mut AnyConnection,
    like: &Outcome,
    outcomes: &[Outcome],
) -> Result<()> {
    let texts: BTreeMap<i64, Option<&str>> = outcomes
        .iter()
        .map(|outcome| (outcome.subscriber, outcome.text.as_deref()))
        .collect();
    let texts = serde_json::to_string(&texts)
        .map_err(|error| Problem::failed("outcomes can't be written").because(error))?;
    sqlx::query(RECORD_ALIKE)
        .bind(texts)
        .bind(like.state.as_str())
        .bind(like.attempt)
        .bind(like.code)
        .bind(like.relay.as_deref())
        .bind(like.next_attempt.map(|at| at.0))
        .bind(like.edition)
        .execute(connection)
        .await
        .map_err(db)?;
    Ok(())
}

async fn write_down_each(
    connection: &mut AnyConnection,
    dialect: Dialect,
    outcomes: &[Outcome],
) -> Result<()> {
    let rows = text(&outcomes.iter().map(Row::of).collect::<Vec<_>>())?;
    let sql = format!(
        "UPDATE delivery SET state = j.s, attempts = attempts + j.a, code = COALESCE(j.c, code),
             text = COALESCE(j.t, text), relay = COALESCE(j.y, relay), next_attempt = j.n
         FROM {}
         WHERE delivery.edition_id = j.e AND delivery.subscriber_id = j.r
             AND (delivery.state IN ('waiting', 'uncertain') OR (j.s = 'sent' AND delivery.state <> 'sent'))",
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
        .bind(rows)
        .execute(connection)
        .await
        .map_err(db)?;
    Ok(())
}

/// Suppresses the dead addresses. The digests of their readers stay, as those of a list do.
async fn bury(connection: &mut AnyConnection, dialect: Dialect, outcomes: &[Outcome]) -> Result<()> {
    #[derive(Serialize)]
    struct Dead {
        r: i64,
        at: i64,
    }
    let dead = outcomes.iter().filter_map(|outcome| {
        let at = outcome.dead?.0;
        Some(Dead {
            r: outcome.subscriber,
            at,
        })
    });
    let dead = text(&dead.collect::<Vec<_>>())?;
    let rows = dialect.rows(&[("r", Column::Number), ("at", Column::Number)]);
    // Before the states change: only then is it known whose do.
    let note = format!(
        "INSERT INTO reader_event (subscriber_id, at, what, way)
         SELECT s.id, MIN(j.at), 'bounced', 'server' FROM {rows} JOIN subscriber s ON s.id = j.r
         WHERE s.state NOT IN ('bounced', 'complained') GROUP BY s.id"
    );
    let bounce = format!(
        "UPDATE subscriber SET state = 'bounced', cause = 'server', changed = j.at, paused_until = NULL
         FROM {rows}
         WHERE subscriber.id = j.r AND subscriber.state NOT IN ('bounced', 'complained')"
    );
    let suppress = format!(
        "INSERT INTO suppression (address_hash, reason, created)
         SELECT s.address_hash, 'bounced', MIN(j.at) FROM {rows} JOIN subscriber s ON s.id = j.r
         WHERE true GROUP BY s.address_hash {}",
        on_second_suppression()
    );
    for sql in [note, bounce, suppress] {
        sqlx::query(AssertSqlSafe(sql))
            .bind(dead.as_str())
            .execute(&mut *connection)
            .await
            .map_err(db)?;
    }
    Ok(())
}

fn text(rows: &[impl Serialize]) -> Result<String> {
    serde_json::to_string(rows).map_err(|error| Problem::failed("outcomes can't be written").because(error))
}
