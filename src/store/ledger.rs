//! The ledger: batches are leased, outcomes recorded in groups, and every delivery accounted for.

pub use super::outcomes::Outcome;

use super::Store;
use super::account::{COUNTED, COUNTS, count_batches, count_reasons};
use super::fault::db;
use super::summary_row::unreadable;
use crate::domain::delivery::{Report, State};
use crate::domain::{EmailAddress, Result, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};

/// A batch that this worker may deliver.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Batch {
    /// The edition's number.
    pub edition: i64,
    /// The segment's number.
    pub segment: i64,
    /// The number within the segment.
    pub no: i64,
}

/// A delivery that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The subscriber's number.
    pub subscriber: i64,
    /// Where it goes; `None` when the address can't be read or the reader was erased.
    pub address: Option<EmailAddress>,
    /// The reader's name.
    pub name: Option<String>,
    /// Whether they want mails as text only.
    pub text_only: bool,
    /// The generation of links to their choices that holds now.
    pub link_generation: i64,
    /// How often a relay was asked before.
    pub attempts: i64,
    /// Why it must not be sent any more, if so.
    pub left: Option<&'static str>,
}

/// What a relay is to be asked to take: not what is held for an admin.
pub(super) const OPEN: &str =
    "(d.state = 'waiting' OR (d.state = 'uncertain' AND d.next_attempt IS NOT NULL))";

/// The reader of delivery `d` of edition `e`, for [`LEFT`].
pub(super) const STANDING: &str = "LEFT JOIN subscriber s ON s.id = d.subscriber_id
    LEFT JOIN subscription p ON p.subscriber_id = d.subscriber_id AND p.digest = e.digest
    LEFT JOIN suppression b ON b.address_hash = s.address_hash";

/// Why a reader is not to be mailed any more; null when they are.
pub(super) const LEFT: &str = "CASE WHEN s.id IS NULL THEN 'erased'
    WHEN s.state = 'bounced' OR b.reason = 'bounced' THEN 'bounced'
    WHEN s.state = 'complained' OR b.reason = 'complained' THEN 'complained'
    WHEN s.state = 'paused' THEN 'paused'
    WHEN b.reason = 'refused' THEN 'unsubscribed'
    WHEN s.state = 'confirmed' AND p.active = 1 THEN NULL
    ELSE 'unsubscribed' END";
/// The words that [`LEFT`] gives.
const REASONS: [&str; 5] = ["erased", "bounced", "complained", "paused", "unsubscribed"];

impl Store {
    /// Leases a batch that is due and free, the oldest edition's first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn lease_batch(&self, owner: &str, now: Timestamp, until: Timestamp) -> Result<Option<Batch>> {
        self.lease_batch_but(owner, now, until, &[]).await
    }

    /// [`Store::lease_batch`] of any edition but these.
    ///
    /// # Errors
    /// As there.
    pub async fn lease_batch_but(
        &self,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        but: &[i64],
    ) -> Result<Option<Batch>> {
        let sql = format!(
            // `=` and not `IN`: PostgreSQL may run a sub-select of `IN` more than once, and lock more than one.
            "UPDATE batch SET owner = $1, until = $3, counted = 0 WHERE (segment_id, no) = (
                 SELECT b.segment_id, b.no FROM batch b
                 JOIN edition e ON e.id = b.edition_id
                 WHERE b.due <= $2 AND (b.owner IS NULL OR b.until < $2)
                     AND e.state IN ('planned', 'sending', 'waiting') AND e.id NOT IN ({})
                 ORDER BY b.edition_id, b.segment_id, b.no LIMIT 1 {})
             RETURNING edition_id, segment_id, no",
            listed(but),
            match self.dialect.skip_locked() {
                "" => String::new(),
                lock => lock.replace("UPDATE", "UPDATE OF b"),
            }
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(owner)
            .bind(now.0)
            .bind(until.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        let Some(row) = row else {
            return Ok(None);
        };
        let batch = Batch {
            edition: row.try_get(0).map_err(db)?,
            segment: row.try_get(1).map_err(db)?,
            no: row.try_get(2).map_err(db)?,
        };
        sqlx::query("UPDATE edition SET state = 'sending' WHERE id = $1 AND state IN ('planned', 'waiting')")
            .bind(batch.edition)
            .execute(&self.pool)
            .await
            .map_err(db)?;
        Ok(Some(batch))
    }

    /// Tells PostgreSQL's planner of the rows of a new edition: before it looks by itself, a minute later,
    /// it takes the tables for empty, and reads all of them for each batch.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note_new_rows(&self) -> Result<()> {
        if self.is_of_one_machine() {
            return Ok(());
        }
        sqlx::query("ANALYZE delivery, batch, subscriber, subscription, suppression")
            .execute(&self.pool)
            .await
            .map_err(db)?;
        Ok(())
    }

    /// The deliveries of `batch` that are due, with what the reader's standing is now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn due_deliveries(&self, batch: &Batch, now: Timestamp) -> Result<Vec<Due>> {
        let sql = self.dialect.gathered(
            &format!(
                "d.subscriber_id, s.address, s.name, s.text_only, s.link_generation, d.attempts, {LEFT}"
            ),
            &format!(
                "delivery d JOIN edition e ON e.id = d.edition_id {STANDING}
                 WHERE d.segment_id = $1 AND d.batch_no = $2 AND {OPEN}
                     AND COALESCE(d.next_attempt, 0) <= $3"
            ),
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(batch.segment)
            .bind(batch.no)
            .bind(now.0)
            .fetch_one(&self.pool)
            .await
            .map_err(db)?;
        let rows: String = row.try_get(0).map_err(db)?;
        let rows: Vec<DueRow> = serde_json::from_str(&rows)
            .map_err(|error| unreadable("deliveries", &batch.no.to_string()).because(error))?;
        let mut due = rows.into_iter().map(read_due).collect::<Result<Vec<_>>>()?;
        due.sort_unstable_by_key(|due| due.subscriber);
        Ok(due)
    }

    /// Gives a batch back: done when every delivery is final or held, else due when the next one is,
    /// but not before `earliest`. What became of its deliveries is counted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn release_batch(&self, batch: &Batch, owner: &str, earliest: Timestamp) -> Result<()> {
        let mut tx = self.begin().await?;
        // By itself first: PostgreSQL would count with what it saw before it waited for the row.
        let held = sqlx::query(
            "UPDATE batch SET owner = NULL, until = NULL WHERE segment_id = $1 AND no = $2 AND owner = $3",
        )
        .bind(batch.segment)
        .bind(batch.no)
        .bind(owner)
        .execute(&mut *tx)
        .await
        .map_err(db)?;
        if held.rows_affected() == 0 {
            return self.count_late(tx, batch).await;
        }
        let next = format!("MIN(CASE WHEN {OPEN} THEN COALESCE(d.next_attempt, 0) END)");
        let excluded: i64 = sqlx::query(AssertSqlSafe(format!(
            "UPDATE batch SET counted = 1, (due, {COUNTED}) = (
                 SELECT CASE WHEN {next} < $3 THEN $3 ELSE {next} END, {COUNTS}
                 FROM delivery d WHERE d.segment_id = $1 AND d.batch_no = $2)
             WHERE segment_id = $1 AND no = $2 RETURNING excluded"
        )))
        .bind(batch.segment)
        .bind(batch.no)
        .bind(earliest.0)
        .fetch_one(&mut *tx)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(db)?;
        if excluded > 0 {
            count_reasons(&mut tx, batch).await?;
        }
        tx.commit().await.map_err(db)
    }

    /// Counts a batch anew that somebody comes to give back too late: what they have recorded meanwhile may not
    /// be in the count. Whoever has it now counts it themselves.
    async fn count_late(&self, mut tx: Transaction<'static, Any>, batch: &Batch) -> Result<()> {
        let free =
            sqlx::query("UPDATE batch SET counted = 0 WHERE segment_id = $1 AND no = $2 AND owner IS NULL")
                .bind(batch.segment)
                .bind(batch.no)
                .execute(&mut *tx)
                .await
                .map_err(db)?;
        if free.rows_affected() == 0 {
            return tx.rollback().await.map_err(db);
        }
        count_batches(&mut tx, batch.edition).await?;
        tx.commit().await.map_err(db)
    }

    /// Notes why edition `id` can't be delivered now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_edition_trouble(&self, id: i64, trouble: &str) -> Result<()> {
        sqlx::query("UPDATE edition SET trouble = $2 WHERE id = $1")
            .bind(id)
            .bind(trouble)
            .execute(&self.pool)
            .await
            .map_err(db)?;
        Ok(())
    }

    /// When the next batch of an edition under way is due; a leased one is due still. `None` when all is final.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_due(&self) -> Result<Option<Timestamp>> {
        let row = sqlx::query(AssertSqlSafe(next_batch(&[])))
            .fetch_one(&self.pool)
            .await
            .map_err(db)?;
        Ok(row.try_get::<Option<i64>, _>(0).map_err(db)?.map(Timestamp))
    }

    /// Every delivery of an edition, for admins.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delivery_reports(&self, edition: i64) -> Result<Vec<(i64, Report)>> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {REPORTED} WHERE d.edition_id = $1 ORDER BY d.subscriber_id"
        )))
        .bind(edition)
        .fetch_all(&self.pool)
        .await
        .map_err(db)?;
        rows.iter().map(read_report).collect()
    }
}

/// The columns that [`read_report`] reads, and where they are from.
pub(super) const REPORTED: &str =
    "d.subscriber_id, COALESCE(s.address, ''), d.state, d.attempts, d.code, d.text, d.relay,
        CASE WHEN d.state = 'waiting' THEN COALESCE(d.next_attempt, b.due)
            WHEN d.state = 'uncertain' THEN d.next_attempt END
    FROM delivery d
    LEFT JOIN subscriber s ON s.id = d.subscriber_id
    LEFT JOIN batch b ON b.segment_id = d.segment_id AND b.no = d.batch_no";

/// The subscriber's number, and the delivery without its Message-ID.
pub(super) fn read_report(row: &AnyRow) -> Result<(i64, Report)> {
    let state: String = row.try_get(2).map_err(db)?;
    let report = Report {
        address: row.try_get::<String, _>(1).map_err(db)?.into(),
        state: State::parse(&state).ok_or_else(|| unreadable("state", &state))?,
        attempts: row.try_get(3).map_err(db)?,
        code: row.try_get(4).map_err(db)?,
        text: row.try_get(5).map_err(db)?,
        message_id: None,
        relay: row.try_get(6).map_err(db)?,
        next_attempt: row.try_get::<Option<i64>, _>(7).map_err(db)?.map(Timestamp),
    };
    Ok((row.try_get(0).map_err(db)?, report))
}

/// Selects when the next batch of an edition under way is due, of any edition but `but`.
pub(super) fn next_batch(but: &[i64]) -> String {
    format!(
        "SELECT MIN(b.due) FROM batch b JOIN edition e ON e.id = b.edition_id
         WHERE b.due IS NOT NULL AND e.state IN ('planned', 'sending', 'waiting') AND e.id NOT IN ({})",
        listed(but)
    )
}

/// For a list in brackets, which must not be empty.
pub(super) fn listed(ids: &[i64]) -> String {
    ids.iter()
        .fold("0".to_owned(), |list, id| format!("{list}, {id}"))
}

/// Subscriber, address, name, text only, generation of links, attempts, and why it must not be sent any more.
type DueRow = (
    i64,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    i64,
    Option<String>,
);

fn read_due((subscriber, address, name, text_only, generation, attempts, left): DueRow) -> Result<Due> {
    Ok(Due {
        subscriber,
        address: address.and_then(|address| EmailAddress::parse(&address).ok()),
        name,
        text_only: text_only.unwrap_or_default() != 0,
        link_generation: generation.unwrap_or_default(),
        attempts,
        left: known(left, &REASONS)?,
    })
}

/// The one of `reasons` that the database gave.
pub(super) fn known(left: Option<String>, reasons: &[&'static str]) -> Result<Option<&'static str>> {
    left.map(|word| {
        let known = reasons.iter().find(|reason| **reason == word);
        known.copied().ok_or_else(|| unreadable("reason", &word))
    })
    .transpose()
}
