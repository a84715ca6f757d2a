//! Summaries: what was gathered, by whom, and what was marked.

use super::Store;
use super::dialect::Column;
use super::fault::db;
use super::summary_row::{COLUMNS, count_change, read, unreadable};
use crate::domain::edition::ItemKind;
use crate::domain::summary::{Fault, Status, StoredSummary};
use crate::domain::{Problem, Result, Slug, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use std::collections::HashMap;

use Argument::{Number, Text};

/// What is bound to a selection.
pub(super) enum Argument<'a> {
    Text(&'a str),
    Number(i64),
}

/// What the digest `$1` neither carried nor skipped.
pub(super) const NEW_TO: &str = "WHERE status <> 'retracted' AND removed IS NULL AND NOT EXISTS
    (SELECT 1 FROM digest_item d WHERE d.digest = $1 AND d.summary_id = summary.id)";

impl Store {
    /// Marks a summary as corrected or retracted, to be announced in the next edition.
    ///
    /// # Errors
    /// When there is no such summary.
    pub async fn mark_summary(
        &self,
        slug: &Slug,
        status: Status,
        fault: Fault,
        note: &str,
        now: Timestamp,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE summary SET status = $2, note = $3, fault = $4, marked = $5, updated = $5 WHERE slug = $1",
        )
        .bind(slug.as_str())
        .bind(status.as_str())
        .bind(note)
        .bind(fault.as_str())
        .bind(now.0)
        .execute(&mut *tx)
        .await
        .map_err(db)?;
        if done.rows_affected() == 0 {
            return Err(no_summary(slug));
        }
        count_change(&mut tx).await?;
        tx.commit().await.map_err(db)
    }

    /// Every summary that is shown, the last gathered first; at most `limit`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn latest_summaries(&self, limit: i64) -> Result<Vec<StoredSummary>> {
        let rows = self
            .select(
                "FROM summary WHERE removed IS NULL ORDER BY first_seen DESC, id DESC LIMIT $1",
                &[Number(limit)],
            )
            .await?;
        self.with_categories(&rows).await
    }

    /// The summaries of one category that are shown, the last gathered first; at most `limit`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn latest_summaries_in(&self, category: &Slug, limit: i64) -> Result<Vec<StoredSummary>> {
        let rows = self
            .select(
                "FROM summary WHERE removed IS NULL AND EXISTS
                 (SELECT 1 FROM summary_category c WHERE c.summary_id = summary.id AND c.slug = $1)
             ORDER BY first_seen DESC, id DESC LIMIT $2",
                &[Text(category.as_str()), Number(limit)],
            )
            .await?;
        self.with_categories(&rows).await
    }

    /// A number that grows with every change of a summary.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn content_version(&self) -> Result<i64> {
        let row = sqlx::query("SELECT value FROM counter WHERE name = 'summaries'")
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        row.map_or(Ok(0), |row| row.try_get(0).map_err(db))
    }

    /// How many summaries there are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_summaries(&self) -> Result<i64> {
        let row = sqlx::query("SELECT COUNT(*) FROM summary")
            .fetch_one(&self.pool)
            .await
            .map_err(db)?;
        row.try_get(0).map_err(db)
    }

    /// The summaries that `digest` neither carried nor skipped, the first gathered first; none that is
    /// retracted or removed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn summaries_new_to(&self, digest: &str) -> Result<Vec<StoredSummary>> {
        let rows = self
            .select(
                &format!("FROM summary {NEW_TO} ORDER BY first_seen, id"),
                &[Text(digest)],
            )
            .await?;
        self.with_categories(&rows).await
    }

    /// The summaries that `digest` carried and that were marked since its readers were last told.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn summaries_to_announce(&self, digest: &str) -> Result<Vec<StoredSummary>> {
        let rows = self
            .select(
                "FROM summary WHERE marked IS NOT NULL AND removed IS NULL AND EXISTS
                 (SELECT 1 FROM digest_item d WHERE d.digest = $1 AND d.summary_id = summary.id
                  AND d.outcome = 'carried' AND d.announced < summary.marked)
             ORDER BY marked, id",
                &[Text(digest)],
            )
            .await?;
        self.with_categories(&rows).await
    }

    /// Every summary, also those that are no longer shown, the last gathered first; at most `limit`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn every_summary(&self, limit: i64) -> Result<Vec<StoredSummary>> {
        let rows = self
            .select(
                "FROM summary ORDER BY first_seen DESC, id DESC LIMIT $1",
                &[Number(limit)],
            )
            .await?;
        self.with_categories(&rows).await
    }

    /// The summary named `slug`, also one that is no longer shown.
    ///
    /// # Errors
    /// When there is none.
    pub async fn summary(&self, slug: &Slug) -> Result<StoredSummary> {
        let rows = self
            .select("FROM summary WHERE slug = $1", &[Text(slug.as_str())])
            .await?;
        let found = self.with_categories(&rows).await?.pop();
        found.ok_or_else(|| no_summary(slug))
    }

    /// The summary with the number `id`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn summary_by_id(&self, id: i64) -> Result<StoredSummary> {
        let rows = self.select("FROM summary WHERE id = $1", &[Number(id)]).await?;
        let found = self.with_categories(&rows).await?.pop();
        found.ok_or_else(|| Problem::not_found(format!("there is no summary number {id}")))
    }

    /// The summaries of a segment with the reason why each stands in it, in the segment's order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn segment_summaries(&self, segment: i64) -> Result<Vec<(ItemKind, StoredSummary)>> {
        self.items(
            ", i.kind AS kind FROM segment_item g
             JOIN segment e ON e.id = g.segment_id
             JOIN edition_item i ON i.edition_id = e.edition_id AND i.summary_id = g.summary_id
             JOIN summary ON summary.id = g.summary_id
             WHERE g.segment_id = $1 ORDER BY g.position",
            segment,
        )
        .await
    }

    /// The summaries of an edition with the reason why each stands in it, in the edition's order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn edition_summaries(&self, edition: i64) -> Result<Vec<(ItemKind, StoredSummary)>> {
        self.items(
            ", i.kind AS kind FROM edition_item i
             JOIN summary ON summary.id = i.summary_id
             WHERE i.edition_id = $1 ORDER BY i.position",
            edition,
        )
        .await
    }

    async fn items(&self, rest: &str, id: i64) -> Result<Vec<(ItemKind, StoredSummary)>> {
        let rows = self.select(rest, &[Number(id)]).await?;
        let summaries = self.with_categories(&rows).await?;
        rows.iter()
            .zip(summaries)
            .map(|(row, summary)| {
                let kind: String = row.try_get("kind").map_err(db)?;
                let kind = ItemKind::parse(&kind).ok_or_else(|| unreadable("kind", &kind))?;
                Ok((kind, summary))
            })
            .collect()
    }

    /// The rows of summaries that `rest` of the statement selects.
    pub(super) async fn select(&self, rest: &str, arguments: &[Argument<'_>]) -> Result<Vec<AnyRow>> {
        let mut query = sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} {rest}")));
        for argument in arguments {
            query = match *argument {
                Text(text) => query.bind(text.to_owned()),
                Number(number) => query.bind(number),
            };
        }
        query.fetch_all(&self.pool).await.map_err(db)
    }

    pub(super) async fn with_categories(&self, rows: &[AnyRow]) -> Result<Vec<StoredSummary>> {
        let mut summaries = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        let ids: Vec<i64> = summaries.iter().map(|s| s.id).collect();
        let places: HashMap<i64, usize> = ids.iter().enumerate().map(|(n, &id)| (id, n)).collect();
        let json = serde_json::to_string(
            &ids.iter()
                .map(|id| serde_json::json!({"id": id}))
                .collect::<Vec<_>>(),
        )
        .map_err(|error| Problem::failed("numbers can't be written").because(error))?;
        let sql = format!(
            "SELECT c.summary_id, c.slug FROM {} JOIN summary_category c ON c.summary_id = j.id
             ORDER BY c.summary_id, c.position",
            self.dialect.rows(&[("id", Column::Number)])
        );
        let categories = sqlx::query(AssertSqlSafe(sql))
            .bind(json)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        for row in &categories {
            let id: i64 = row.try_get(0).map_err(db)?;
            let slug: String = row.try_get(1).map_err(db)?;
            if let Some(summary) = places.get(&id).and_then(|&n| summaries.get_mut(n)) {
                summary.summary.categories.push(Slug::parse(&slug)?);
            }
        }
        Ok(summaries)
    }
}

pub(super) fn no_summary(slug: &Slug) -> Problem {
    Problem::not_found(format!("there is no summary {:?}", slug.as_str()))
        .hint("`postrider summaries` lists them; `postrider gather` fetches new ones")
}
