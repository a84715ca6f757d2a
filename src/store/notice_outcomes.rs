//! What becomes of notices: outcomes, and what nobody took in time. What has ended holds nothing of a reader.

use super::Store;
use super::fault::db;
use super::lists::on_second_suppression;
use crate::domain::delivery::State;
use crate::domain::{Result, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};

/// What became of one attempt to deliver a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeOutcome {
    /// The notice's number.
    pub id: i64,
    /// Where it stands now.
    pub state: State,
    /// Whether a relay was asked: 1, or 0.
    pub attempt: i64,
    /// The relay's reply code.
    pub code: Option<i64>,
    /// The relay's text without addresses, or our reason.
    pub text: Option<String>,
    /// The relay's name.
    pub relay: Option<String>,
    /// When it is tried again; none when it is final.
    pub next_attempt: Option<Timestamp>,
    /// When this happened.
    pub at: Timestamp,
    /// Whether the relay said that the address is dead: the reader gets no more mail.
    pub dead: bool,
}

/// What stands in a notice that nobody took in time.
pub const EXPIRED: &str = "expired: no relay took it in time";

/// What leaves nothing of a reader behind: the hash of the address, by which limits count, stays.
const ENDED: &str = "next_attempt = NULL, owner = NULL, until = NULL, address = NULL, data = '{}'";

impl Store {
    /// Records what became of notices in one transaction, and gives them back. What is final stays as it is,
    /// except that what a relay has taken counts as sent. A dead address of a reader is suppressed and the
    /// reader bounced, in the same transaction.
    ///
    /// # Errors
    /// When the database does not answer; nothing is kept then, and the same call can be made again.
    pub async fn record_notices(&self, outcomes: &[NoticeOutcome]) -> Result<()> {
        let mut tx = self.begin().await?;
        for outcome in outcomes {
            if outcome.dead {
                bury(&mut tx, outcome).await?;
            }
            write_down(&mut tx, outcome).await?;
        }
        tx.commit().await.map_err(db)
    }

    /// Gives up on what nobody took in time, and forgets what has ended before `before`, some at a time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end_notices(&self, now: Timestamp, before: Timestamp) -> Result<()> {
        let late = "next_attempt IS NOT NULL AND expires <= $1 AND (owner IS NULL OR until < $1)";
        let due = format!(
            "SELECT CASE WHEN EXISTS (SELECT 1 FROM notice WHERE {late}) THEN 1 ELSE 0 END,
                 CASE WHEN EXISTS (SELECT 1 FROM (SELECT ended FROM notice ORDER BY id LIMIT 1) AS oldest
                     WHERE oldest.ended < $2) THEN 1 ELSE 0 END"
        );
        // Looked at first: a statement that changes nothing takes the write lock of a SQLite file as well.
        let row = sqlx::query(AssertSqlSafe(due))
            .bind(now.0)
            .bind(before.0)
            .fetch_one(&self.pool)
            .await
            .map_err(db)?;
        if is_so(&row, 0)? {
            let sql = format!(
                "UPDATE notice SET state = 'failed', ended = $1, {ENDED}, text = CASE
                     WHEN state = 'uncertain' THEN 'expired: it may have arrived'
                     WHEN text IS NULL THEN '{EXPIRED}' ELSE 'expired: ' || text END
                 WHERE {late}"
            );
            sqlx::query(AssertSqlSafe(sql))
                .bind(now.0)
                .execute(&self.pool)
                .await
                .map_err(db)?;
        }
        if is_so(&row, 1)? {
            sqlx::query(
                "DELETE FROM notice WHERE ended < $1 AND id IN (SELECT id FROM notice ORDER BY id LIMIT 500)",
            )
            .bind(before.0)
            .execute(&self.pool)
            .await
            .map_err(db)?;
        }
        Ok(())
    }
}

async fn write_down(tx: &mut Transaction<'static, Any>, outcome: &NoticeOutcome) -> Result<()> {
    let becomes = if outcome.state.is_final() {
        format!("{ENDED}, ended = $7")
    } else {
        "next_attempt = $7, owner = NULL, until = NULL".to_owned()
    };
    let sql = format!(
        "UPDATE notice SET state = $2, attempts = attempts + $3, code = COALESCE($4, code),
             text = COALESCE($5, text), relay = COALESCE($6, relay), {becomes}
         WHERE id = $1 AND (next_attempt IS NOT NULL OR ($2 = 'sent' AND state <> 'sent'))"
    );
    let at = outcome
        .next_attempt
        .filter(|_| !outcome.state.is_final())
        .unwrap_or(outcome.at);
    sqlx::query(AssertSqlSafe(sql))
        .bind(outcome.id)
        .bind(outcome.state.as_str())
        .bind(outcome.attempt)
        .bind(outcome.code)
        .bind(outcome.text.as_deref())
        .bind(outcome.relay.as_deref())
        .bind(at.0)
        .execute(&mut **tx)
        .await
        .map_err(db)?;
    Ok(())
}

/// Where the notice went to the subscriber's own address, that address is dead; another one is not theirs yet,
/// or not any more. Who signed up and never confirmed stays pending, and is forgotten in time: the suppression
/// is enough.
async fn bury(tx: &mut Transaction<'static, Any>, outcome: &NoticeOutcome) -> Result<()> {
    let becomes =
        "s.state NOT IN ('bounced', 'complained') AND NOT (s.state = 'pending' AND s.cause = 'reader')";
    let whose = "SELECT o.id FROM notice n JOIN subscriber o ON o.id = n.subscriber_id
        WHERE n.id = $1 AND n.address IS NULL AND n.address_hash = o.address_hash";
    // Before the state changes: only then is it known whether it does.
    let note = format!(
        "INSERT INTO reader_event (subscriber_id, at, what, way)
         SELECT s.id, CAST($2 AS BIGINT), 'bounced', 'server' FROM subscriber s
         WHERE s.id = ({whose}) AND {becomes}"
    );
    let bounce = format!(
        "UPDATE subscriber AS s SET state = 'bounced', cause = 'server', changed = $2, paused_until = NULL
         WHERE s.id = ({whose}) AND {becomes}"
    );
    let suppress = format!(
        "INSERT INTO suppression (address_hash, reason, created)
         SELECT s.address_hash, 'bounced', CAST($2 AS BIGINT) FROM subscriber s WHERE s.id = ({whose}) {}",
        on_second_suppression()
    );
    for sql in [note, bounce, suppress] {
        sqlx::query(AssertSqlSafe(sql))
            .bind(outcome.id)
            .bind(outcome.at.0)
            .execute(&mut **tx)
            .await
            .map_err(db)?;
    }
    Ok(())
}

fn is_so(row: &AnyRow, column: usize) -> Result<bool> {
    Ok(row.try_get::<i64, _>(column).map_err(db)? == 1)
}
