//! Outcomes, recorded in groups: the statement that runs most often.

use super::Store;
use super::dialect::Column;
use super::fault::db;
use super::lists::on_second_suppression;
use crate::domain::delivery::State;
use crate::domain::{Problem, Result, Timestamp};
use serde_json::{Value, json};
use sqlx::{Any, AssertSqlSafe, Transaction};

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

impl Store {
    /// Records `outcomes` in one statement. What is final stays as it is, except that what a relay has
    /// taken counts as sent, whatever an admin or the age limit made of it meanwhile.
    ///
    /// A dead address is suppressed and its reader bounced, in the same transaction.
    ///
    /// # Errors
    /// When the database does not answer; nothing is kept then, and the same call can be made again.
    pub async fn record(&self, outcomes: &[Outcome]) -> Result<()> {
        let rows: Vec<Value> = outcomes
            .iter()
            .map(|o| {
                json!({
                    "e": o.edition, "r": o.subscriber, "s": o.state.as_str(), "a": o.attempt, "c": o.code,
                    "t": o.text, "y": o.relay, "n": o.next_attempt.map(|at| at.0),
                })
            })
            .collect();
        let rows = text(&rows)?;
        let sql = format!(
            "UPDATE delivery SET state = j.s, attempts = attempts + j.a, code = COALESCE(j.c, code),
                 text = COALESCE(j.t, text), relay = COALESCE(j.y, relay), next_attempt = j.n
             FROM {}
             WHERE delivery.edition_id = j.e AND delivery.subscriber_id = j.r
                 AND (delivery.state IN ('waiting', 'uncertain') OR (j.s = 'sent' AND delivery.state <> 'sent'))",
            self.dialect.rows(&[
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
        let recording = sqlx::query(AssertSqlSafe(sql)).bind(rows);
        let dead: Vec<Value> = outcomes
            .iter()
            .filter_map(|o| o.dead.map(|at| json!({"r": o.subscriber, "at": at.0})))
            .collect();
        if dead.is_empty() {
            recording.execute(&self.pool).await.map_err(db)?;
            return Ok(());
        }
        let mut tx = self.begin().await?;
        recording.execute(&mut *tx).await.map_err(db)?;
        self.bury(&mut tx, &text(&dead)?).await?;
        tx.commit().await.map_err(db)
    }

    /// Suppresses the addresses of the readers in `dead`. Their digests stay, as those of a list do.
    async fn bury(&self, tx: &mut Transaction<'static, Any>, dead: &str) -> Result<()> {
        let rows = self
            .dialect
            .rows(&[("r", Column::Number), ("at", Column::Number)]);
        let bounce = format!(
            "UPDATE subscriber SET state = 'bounced', cause = 'server', changed = j.at FROM {rows}
             WHERE subscriber.id = j.r AND subscriber.state NOT IN ('bounced', 'complained')"
        );
        let suppress = format!(
            "INSERT INTO suppression (address_hash, reason, created)
             SELECT s.address_hash, 'bounced', MIN(j.at) FROM {rows} JOIN subscriber s ON s.id = j.r
             WHERE true GROUP BY s.address_hash {}",
            on_second_suppression()
        );
        for sql in [bounce, suppress] {
            sqlx::query(AssertSqlSafe(sql))
                .bind(dead)
                .execute(&mut **tx)
                .await
                .map_err(db)?;
        }
        Ok(())
    }
}

fn text(rows: &[Value]) -> Result<String> {
    serde_json::to_string(rows).map_err(|error| Problem::failed("outcomes can't be written").because(error))
}
