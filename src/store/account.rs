//! An edition's account: a sum over its batches, each of which knows what became of its deliveries.
//!
//! A batch is counted when it is given back, in the transaction that gives it back. The rows themselves are
//! counted only where somebody works on a batch just now, so that what an edition costs to look at is a row for
//! each batch, not one for each reader, and sending pays nothing for it.

use super::Store;
use super::editions::no_edition;
use super::fault::db;
use super::ledger::Batch;
use super::summary_row::unreadable;
use crate::domain::edition::{Report, State};
use crate::domain::{Result, Slug, Timestamp};
use sqlx::{Any, AssertSqlSafe, Row, Transaction};
use std::collections::BTreeMap;

/// The columns of a batch that [`COUNTS`] fills.
pub(super) const COUNTED: &str = "size, sent, failed, expired, held, excluded";

/// What became of deliveries `d`.
pub(super) const COUNTS: &str = "COUNT(*) AS size,
    COUNT(CASE WHEN d.state = 'sent' THEN 1 END) AS sent,
    COUNT(CASE WHEN d.state = 'failed' THEN 1 END) AS failed,
    COUNT(CASE WHEN d.state = 'expired' THEN 1 END) AS expired,
    COUNT(CASE WHEN d.state = 'uncertain' AND d.next_attempt IS NULL THEN 1 END) AS held,
    COUNT(CASE WHEN d.state = 'excluded' THEN 1 END) AS excluded";

/// Deliveries of a counted batch `b` that are not final.
pub(super) const REST: &str = "b.size - b.sent - b.failed - b.expired - b.excluded";

/// The account of edition `$1` in parts: reason, sent, waiting, held of these, failed, and excluded for the reason.
/// One statement, so that it sees every batch at one moment.
fn account() -> String {
    format!(
        "SELECT '' AS reason, CAST(COALESCE(SUM(b.sent), 0) AS BIGINT),
             CAST(COALESCE(SUM({REST}), 0) AS BIGINT), CAST(COALESCE(SUM(b.held), 0) AS BIGINT),
             CAST(COALESCE(SUM(b.failed + b.expired), 0) AS BIGINT), 0
         FROM batch b WHERE b.edition_id = $1 AND b.counted = 1
         UNION ALL SELECT x.reason, 0, 0, 0, 0, CAST(SUM(x.count) AS BIGINT)
         FROM batch b JOIN batch_exclusion x ON x.segment_id = b.segment_id AND x.batch_no = b.no
         WHERE b.edition_id = $1 AND b.counted = 1 AND b.excluded > 0 GROUP BY x.reason
         UNION ALL SELECT r.reason, r.sent, r.size - r.sent - r.failed - r.expired - r.excluded, r.held,
             r.failed + r.expired, r.excluded
         FROM (SELECT CASE WHEN d.state = 'excluded' THEN COALESCE(d.text, '') ELSE '' END AS reason, {COUNTS}
             FROM batch b JOIN delivery d ON d.segment_id = b.segment_id AND d.batch_no = b.no
             WHERE b.edition_id = $1 AND b.counted = 0 GROUP BY 1) r
         UNION ALL SELECT reason, 0, 0, 0, 0, count FROM edition_exclusion WHERE edition_id = $1
         UNION ALL SELECT '', pruned_sent, 0, 0, pruned_failed, 0 FROM edition WHERE id = $1"
    )
}

impl Store {
    /// The account of edition `id`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn edition_report(&self, id: i64) -> Result<Report> {
        let row = sqlx::query(
            "SELECT id, digest, state, note, created, planned, finished, audience, trouble, pruned
             FROM edition WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await
        .map_err(db)?
        .ok_or_else(|| no_edition(id))?;
        let state: String = row.try_get(2).map_err(db)?;
        let instant = |n: usize| -> Result<Option<Timestamp>> {
            Ok(row.try_get::<Option<i64>, _>(n).map_err(db)?.map(Timestamp))
        };
        let mut report = Report {
            id,
            digest: row.try_get(1).map_err(db)?,
            state: State::parse(&state).ok_or_else(|| unreadable("state", &state))?,
            audience: row.try_get(7).map_err(db)?,
            sent: 0,
            waiting: 0,
            held: 0,
            failed: 0,
            excluded: 0,
            excluded_by: BTreeMap::new(),
            summaries: Vec::new(),
            note: row.try_get(3).map_err(db)?,
            created: instant(4)?.unwrap_or_default(),
            planned: instant(5)?,
            finished: instant(6)?,
            trouble: row.try_get(8).map_err(db)?,
            pruned: instant(9)?,
        };
        self.add_up(&mut report).await?;
        let slugs = sqlx::query(
            "SELECT s.slug FROM edition_item i JOIN summary s ON s.id = i.summary_id
             WHERE i.edition_id = $1 ORDER BY i.position",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await
        .map_err(db)?;
        for row in &slugs {
            report
                .summaries
                .push(Slug::parse(&row.try_get::<String, _>(0).map_err(db)?)?);
        }
        Ok(report)
    }

    async fn add_up(&self, report: &mut Report) -> Result<()> {
        let parts = sqlx::query(AssertSqlSafe(account()))
            .bind(report.id)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        for part in &parts {
            let count = |n: usize| part.try_get::<i64, _>(n).map_err(db);
            report.sent += count(1)?;
            report.waiting += count(2)?;
            report.held += count(3)?;
            report.failed += count(4)?;
            let excluded = count(5)?;
            if excluded > 0 {
                report.excluded += excluded;
                let reason: String = part.try_get(0).map_err(db)?;
                *report.excluded_by.entry(reason).or_default() += excluded;
            }
        }
        Ok(())
    }

    /// The accounts of the last `limit` editions, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn edition_reports(&self, limit: i64) -> Result<Vec<Report>> {
        self.edition_reports_before(i64::MAX, limit).await
    }

    /// The accounts of the last `limit` editions whose numbers are below `before`, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn edition_reports_before(&self, before: i64, limit: i64) -> Result<Vec<Report>> {
        let ids = sqlx::query("SELECT id FROM edition WHERE id < $1 ORDER BY id DESC LIMIT $2")
            .bind(before)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        let mut reports = Vec::with_capacity(ids.len());
        for row in &ids {
            reports.push(self.edition_report(row.try_get(0).map_err(db)?).await?);
        }
        Ok(reports)
    }
}

/// Counts the batches of edition `id` that nobody works on and that nobody has counted.
pub(super) async fn count_batches(tx: &mut Transaction<'static, Any>, id: i64) -> Result<()> {
    const THESE: &str = "b.edition_id = $1 AND b.counted = 0 AND b.owner IS NULL";
    for sql in [
        format!(
            "DELETE FROM batch_exclusion WHERE EXISTS (SELECT 1 FROM batch b WHERE {THESE}
                 AND b.segment_id = batch_exclusion.segment_id AND b.no = batch_exclusion.batch_no)"
        ),
        format!(
            "UPDATE batch AS b SET ({COUNTED}) = (SELECT {COUNTS} FROM delivery d
                 WHERE d.segment_id = b.segment_id AND d.batch_no = b.no) WHERE {THESE}"
        ),
        format!(
            "INSERT INTO batch_exclusion (segment_id, batch_no, reason, count)
             SELECT b.segment_id, b.no, COALESCE(d.text, ''), COUNT(*)
             FROM batch b JOIN delivery d ON d.segment_id = b.segment_id AND d.batch_no = b.no
             WHERE {THESE} AND b.excluded > 0 AND d.state = 'excluded'
             GROUP BY b.segment_id, b.no, COALESCE(d.text, '')"
        ),
        format!("UPDATE batch AS b SET counted = 1 WHERE {THESE}"),
    ] {
        sqlx::query(AssertSqlSafe(sql))
            .bind(id)
            .execute(&mut **tx)
            .await
            .map_err(db)?;
    }
    Ok(())
}

/// Notes why deliveries of `batch` are excluded.
pub(super) async fn count_reasons(tx: &mut Transaction<'static, Any>, batch: &Batch) -> Result<()> {
    for sql in [
        "DELETE FROM batch_exclusion WHERE segment_id = $1 AND batch_no = $2",
        "INSERT INTO batch_exclusion (segment_id, batch_no, reason, count)
         SELECT segment_id, batch_no, COALESCE(text, ''), COUNT(*) FROM delivery
         WHERE segment_id = $1 AND batch_no = $2 AND state = 'excluded'
         GROUP BY segment_id, batch_no, COALESCE(text, '')",
    ] {
        sqlx::query(sql)
            .bind(batch.segment)
            .bind(batch.no)
            .execute(&mut **tx)
            .await
            .map_err(db)?;
    }
    Ok(())
}
