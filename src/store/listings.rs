//! What the pages of the site list: summaries page by page, categories with their numbers, editions.

use super::Store;
use super::fault::db;
use super::summaries::Argument::{Number, Text};
use crate::domain::summary::StoredSummary;
use crate::domain::{Result, Slug, Timestamp};
use sqlx::{AssertSqlSafe, Row};
use std::collections::HashMap;

/// An edition that was sent, as the archive lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedEdition {
    /// Its number.
    pub id: i64,
    /// The digest's name.
    pub digest: String,
    /// The instant that stands for it.
    pub time: Timestamp,
    /// How many of its summaries are shown.
    pub summaries: i64,
}

/// Editions that nobody has received are nobody's business. Whoever has one has the link to its page, also while
/// others wait for theirs, or when it was cancelled in between.
pub(super) const PUBLIC: &str = "received = 1";

impl Store {
    /// The summaries that are shown, of `category` or of all, the last gathered first: `count` of them after the
    /// first `skipped`, and how many there are in all.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn page_of_summaries(
        &self,
        category: Option<&Slug>,
        skipped: i64,
        count: i64,
    ) -> Result<(Vec<StoredSummary>, i64)> {
        let (within, slug) = match category {
            Some(slug) => (
                "AND EXISTS (SELECT 1 FROM summary_category c WHERE c.summary_id = summary.id AND c.slug = $1)",
                slug.as_str(),
            ),
            None => ("AND $1 = ''", ""),
        };
        let total = format!("SELECT COUNT(*) FROM summary WHERE removed IS NULL {within}");
        let total: i64 = sqlx::query(AssertSqlSafe(total))
            .bind(slug.to_owned())
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(db)?;
        let rest = format!(
            "FROM summary WHERE removed IS NULL {within} ORDER BY first_seen DESC, id DESC LIMIT $2 OFFSET $3"
        );
        let rows = self
            .select(&rest, &[Text(slug), Number(count), Number(skipped)])
            .await?;
        Ok((self.with_categories(&rows).await?, total))
    }

    /// How many summaries that are shown each category has; one without any is missing.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn summaries_by_category(&self) -> Result<HashMap<String, i64>> {
        let rows = sqlx::query(
            "SELECT c.slug, COUNT(*) FROM summary_category c JOIN summary s ON s.id = c.summary_id
             WHERE s.removed IS NULL GROUP BY c.slug",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(db)?;
        rows.iter()
            .map(|row| Ok((row.try_get(0).map_err(db)?, row.try_get(1).map_err(db)?)))
            .collect()
    }

    /// Slug and time of the last change of each summary that is shown, the last gathered first; at most `limit`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn summary_slugs(&self, limit: i64) -> Result<Vec<(String, Timestamp)>> {
        let rows = sqlx::query(
            "SELECT slug, updated FROM summary WHERE removed IS NULL ORDER BY first_seen DESC, id DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(db)?;
        rows.iter()
            .map(|row| {
                let updated = Timestamp(row.try_get(1).map_err(db)?);
                Ok((row.try_get(0).map_err(db)?, updated))
            })
            .collect()
    }

    /// How many editions somebody has received.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_archived(&self) -> Result<i64> {
        sqlx::query(AssertSqlSafe(format!(
            "SELECT COUNT(*) FROM edition WHERE {PUBLIC}"
        )))
        .fetch_one(&self.pool)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(db)
    }

    /// Whether edition `id` is one of these.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_archived(&self, id: i64) -> Result<bool> {
        let sql = format!("SELECT id FROM edition WHERE id = $1 AND {PUBLIC}");
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&self.pool);
        Ok(row.await.map_err(db)?.is_some())
    }

    /// These editions, newest first, each with the number of its summaries that are shown: at most `limit` after
    /// the first `skipped`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn archived_editions(&self, skipped: i64, limit: i64) -> Result<Vec<ArchivedEdition>> {
        let sql = format!(
            "SELECT id, digest, COALESCE(planned, created),
                 (SELECT COUNT(*) FROM edition_item i JOIN summary s ON s.id = i.summary_id
                  WHERE i.edition_id = edition.id AND s.removed IS NULL)
             FROM edition WHERE {PUBLIC} ORDER BY id DESC LIMIT $1 OFFSET $2"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(limit)
            .bind(skipped)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        rows.iter()
            .map(|row| {
                Ok(ArchivedEdition {
                    id: row.try_get(0).map_err(db)?,
                    digest: row.try_get(1).map_err(db)?,
                    time: Timestamp(row.try_get(2).map_err(db)?),
                    summaries: row.try_get(3).map_err(db)?,
                })
            })
            .collect()
    }
}
