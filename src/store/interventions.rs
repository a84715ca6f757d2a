//! What an admin does to an edition that is planned: pause, resume, cancel, retry.

use super::Store;
use super::account::count_batches;
use super::endings::exclude_cancelled;
use super::fault::db;
use super::ledger::{LEFT, STANDING};
use super::refusals::TRIED;
use crate::domain::edition::State;
use crate::domain::{Problem, Result, Timestamp};
use sqlx::{Any, AssertSqlSafe, Row, Transaction};
use std::collections::BTreeMap;

/// What a cancellation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled {
    /// Deliveries that were given up.
    pub given_up: u64,
    /// Deliveries in the hands of a process that has still to hear of it.
    pub in_hand: i64,
}

/// What an edition was to whoever decided to cancel it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeenAs {
    /// A draft, of which nothing was sent.
    Draft,
    /// Approved.
    Approved,
}

/// What a retry did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Retried {
    /// Deliveries that wait again, and are due.
    pub again: u64,
    /// Reason → failed deliveries that stay as they are.
    pub left_out: BTreeMap<String, i64>,
}

/// Why a failed delivery is not tried again; null when it is. A reader who has had all of it by a later
/// edition of the digest does not need it any more.
const STAYS: &str = "CASE WHEN NOT EXISTS (SELECT 1 FROM segment_item g WHERE g.segment_id = d.segment_id
        AND NOT EXISTS (SELECT 1 FROM delivery x JOIN edition o ON o.id = x.edition_id
            JOIN segment_item h ON h.segment_id = x.segment_id AND h.summary_id = g.summary_id
            WHERE x.subscriber_id = d.subscriber_id AND x.edition_id > d.edition_id AND o.digest = e.digest
                AND x.state IN ('sent', 'waiting', 'uncertain')))
    THEN 'already_received' END";

impl Store {
    /// Pauses edition `id`: no batch of it is leased any more. Doing it again changes nothing.
    ///
    /// # Errors
    /// When there is none, or it is not under way.
    pub async fn pause_edition(&self, id: i64) -> Result<()> {
        let done = sqlx::query(
            "UPDATE edition SET state = 'paused', trouble = NULL
             WHERE id = $1 AND state IN ('planned', 'sending', 'waiting')",
        )
        .bind(id)
        .execute(&self.pool)
        .await
        .map_err(db)?;
        match self.edition(id).await?.state {
            State::Paused => Ok(()),
            state if done.rows_affected() == 0 => Err(impossible(id, state, "paused")),
            _ => Ok(()),
        }
    }

    /// Lets edition `id` go on. What was refused so far does not count towards the limit any more.
    /// Doing it again changes nothing.
    ///
    /// # Errors
    /// When there is none, it is not under way, or its age limit has passed.
    pub async fn resume_edition(&self, id: i64, now: Timestamp) -> Result<()> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE edition SET state = 'waiting', trouble = NULL
             WHERE id = $1 AND state = 'paused' AND expires > $2",
        )
        .bind(id)
        .bind(now.0)
        .execute(&mut *tx)
        .await
        .map_err(db)?;
        if done.rows_affected() > 0 {
            count_from_here(&mut tx, id).await?;
            return tx.commit().await.map_err(db);
        }
        tx.rollback().await.map_err(db)?;
        let edition = self.edition(id).await?;
        match edition.state {
            State::Planned | State::Sending | State::Waiting => Ok(()),
            State::Paused => Err(Problem::failed(format!(
                "the age limit of edition {id} passed at {}, while it was paused",
                edition.expires.unwrap_or_default()
            ))
            .hint(format!(
                "`postrider editions retry {id}` sends what is left with a new age limit, \
                 `postrider editions cancel {id}` gives it up"
            ))),
            state => Err(impossible(id, state, "resumed")),
        }
    }

    /// Cancels edition `id`: what is not sent is excluded. What somebody holds is left to them for the
    /// moment, so that a message under way is recorded as what it becomes. Doing it again gives up what
    /// is free by now. Where `seen` says what the edition was to whoever decided, it must still be that.
    ///
    /// # Errors
    /// When there is none, it is finished, or not what was seen.
    pub async fn cancel_edition(&self, id: i64, seen: Option<SeenAs>, now: Timestamp) -> Result<Cancelled> {
        let mut tx = self.begin().await?;
        // First, so that nobody changes its state meanwhile.
        let was = sqlx::query(
            "UPDATE edition SET state = state WHERE id = $1
             AND state IN ('draft', 'planned', 'sending', 'waiting', 'paused', 'cancelled') RETURNING state",
        )
        .bind(id)
        .fetch_optional(&mut *tx)
        .await
        .map_err(db)?;
        let Some(was) = was else {
            tx.rollback().await.map_err(db)?;
            return Err(impossible(id, self.edition(id).await?.state, "cancelled"));
        };
        let was_draft = was.try_get::<String, _>(0).map_err(db)? == State::Draft.as_str();
        if seen.is_some_and(|seen| (seen == SeenAs::Draft) != was_draft) {
            tx.rollback().await.map_err(db)?;
            return Err(
                Problem::failed(format!("edition {id} was approved after you looked at it"))
                    .hint("look at it again; nothing was cancelled"),
            );
        }
        sqlx::query(
            "UPDATE edition SET state = 'cancelled', trouble = NULL, finished = COALESCE(finished, $2)
             WHERE id = $1",
        )
        .bind(id)
        .bind(now.0)
        .execute(&mut *tx)
        .await
        .map_err(db)?;
        if was_draft {
            skip_items(&mut tx, id).await?;
        }
        let given_up = exclude_cancelled(&mut tx, id, now).await?;
        let in_hand = sqlx::query(
            "SELECT COUNT(*) FROM delivery WHERE edition_id = $1 AND state IN ('waiting', 'uncertain')",
        )
        .bind(id)
        .fetch_one(&mut *tx)
        .await
        .map_err(db)?
        .try_get(0)
        .map_err(db)?;
        tx.commit().await.map_err(db)?;
        Ok(Cancelled { given_up, in_hand })
    }

    /// Makes what failed or expired in edition `id`, and what is held, due now, until `expires`. Readers
    /// who are not to be mailed any more are left out. A paused edition goes on. When there is nothing
    /// to try again, nothing changes.
    ///
    /// # Errors
    /// When there is none, or it is a draft or cancelled.
    pub async fn retry_edition(&self, id: i64, now: Timestamp, expires: Timestamp) -> Result<Retried> {
        let mut tx = self.begin().await?;
        // First, so that nobody changes its state meanwhile.
        let was = sqlx::query(
            "UPDATE edition SET state = state WHERE id = $1 AND state NOT IN ('draft', 'cancelled') RETURNING state",
        )
        .bind(id)
        .fetch_optional(&mut *tx)
        .await
        .map_err(db)?;
        let Some(was) = was else {
            tx.rollback().await.map_err(db)?;
            return Err(impossible(id, self.edition(id).await?.state, "retried"));
        };
        let paused = was.try_get::<String, _>(0).map_err(db)? == State::Paused.as_str();
        let failed = format!(
            "SELECT d.subscriber_id, COALESCE({LEFT}, {STAYS}) AS reason
             FROM delivery d JOIN edition e ON e.id = d.edition_id {STANDING}
             WHERE d.edition_id = $1 AND d.state IN ('failed', 'expired')"
        );
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT f.reason, COUNT(*) FROM ({failed}) f WHERE f.reason IS NOT NULL GROUP BY f.reason"
        )))
        .bind(id)
        .fetch_all(&mut *tx)
        .await
        .map_err(db)?;
        let mut retried = Retried::default();
        for row in &rows {
            let reason = row.try_get(0).map_err(db)?;
            retried.left_out.insert(reason, row.try_get(1).map_err(db)?);
        }
        // Whose reader has left is excluded with the reason when its turn comes, as any that waits.
        retried.again = sqlx::query(AssertSqlSafe(format!(
            "UPDATE delivery SET state = 'waiting', next_attempt = NULL WHERE edition_id = $1
                 AND ((state = 'uncertain' AND next_attempt IS NULL) OR (state IN ('failed', 'expired')
                     AND subscriber_id IN (SELECT f.subscriber_id FROM ({failed}) f WHERE f.reason IS NULL)))"
        )))
        .bind(id)
        .execute(&mut *tx)
        .await
        .map_err(db)?
        .rows_affected();
        if retried.again == 0 && !paused {
            tx.rollback().await.map_err(db)?;
            return Ok(retried);
        }
        make_due(&mut tx, id, now).await?;
        sqlx::query(
            "UPDATE edition SET state = 'waiting', trouble = NULL, finished = NULL, expires = $2 WHERE id = $1",
        )
        .bind(id)
        .bind(expires.0)
        .execute(&mut *tx)
        .await
        .map_err(db)?;
        count_from_here(&mut tx, id).await?;
        tx.commit().await.map_err(db)?;
        Ok(retried)
    }
}

/// Brings the batches of edition `id` in line with deliveries that wait again.
async fn make_due(tx: &mut Transaction<'static, Any>, id: i64, now: Timestamp) -> Result<()> {
    sqlx::query(
        "UPDATE batch SET due = $2, held = 0, counted = 0
         WHERE edition_id = $1 AND EXISTS (SELECT 1 FROM delivery d WHERE d.segment_id = batch.segment_id
             AND d.batch_no = batch.no AND d.state = 'waiting' AND d.next_attempt IS NULL)",
    )
    .bind(id)
    .bind(now.0)
    .execute(&mut **tx)
    .await
    .map_err(db)?;
    count_batches(tx, id).await
}

/// The limit on refusals counts from here.
async fn count_from_here(tx: &mut Transaction<'static, Any>, id: i64) -> Result<()> {
    // What TRIED gives is already without what came before.
    sqlx::query(AssertSqlSafe(format!(
        "UPDATE edition SET sent_before = sent_before + t.sent, failed_before = failed_before + t.failed
         FROM ({TRIED}) t WHERE edition.id = $1"
    )))
    .bind(id)
    .execute(&mut **tx)
    .await
    .map_err(db)?;
    Ok(())
}

/// A draft's new summaries count as skipped, as those that are taken out of it one by one.
async fn skip_items(tx: &mut Transaction<'static, Any>, id: i64) -> Result<()> {
    sqlx::query(
        "UPDATE digest_item SET outcome = 'skipped' WHERE edition_id = $1 AND summary_id IN
             (SELECT summary_id FROM edition_item WHERE edition_id = $1 AND kind = 'new')
         AND NOT EXISTS (SELECT 1 FROM segment_item g JOIN segment e ON e.id = g.segment_id
             JOIN edition o ON o.id = e.edition_id AND o.digest = digest_item.digest
             WHERE g.summary_id = digest_item.summary_id)",
    )
    .bind(id)
    .execute(&mut **tx)
    .await
    .map_err(db)?;
    Ok(())
}

/// Says what state an edition is in, and what can be done instead.
fn impossible(id: i64, state: State, what: &str) -> Problem {
    let hint = match state {
        State::Draft => format!(
            "nothing of it is planned yet: `postrider editions approve {id}` sends it, \
             `postrider editions cancel {id}` gives it up"
        ),
        State::Finished => {
            format!("every delivery is final; `postrider editions retry {id}` sends again what failed")
        }
        State::Cancelled => "`postrider send DIGEST --only SLUG…` sends its summaries to those \
                             who have not had them"
            .to_owned(),
        _ => format!("`postrider editions show {id}` tells where it stands"),
    };
    Problem::failed(format!("edition {id} is {}, and can't be {what}", state.as_str())).hint(hint)
}
