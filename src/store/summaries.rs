//! Summaries: what was gathered, by whom, and what was marked.

use super::Store;
use super::dialect::Column;
use super::fault::db;
use super::summary_row::{COLUMNS, bind_content, link, read, set_categories, unreadable};
use crate::domain::edition::ItemKind;
use crate::domain::summary::{Fault, Status, StoredSummary};
use crate::domain::{Doi, Problem, Result, Slug, Summary, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use std::collections::HashMap;

/// What the store knows of a gathered item before it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The summary's number.
    pub id: i64,
    /// The source whose text is shown.
    pub owner: String,
    /// The hash of the shown text.
    pub content_hash: String,
    /// The hash that this source's item had the last time; `None` when it never showed the item.
    pub item_hash: Option<String>,
}

/// A gathered item, ready to be stored.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// The source's name.
    pub source: &'a str,
    /// What the item is called within its source.
    pub key: &'a str,
    /// The content.
    pub summary: &'a Summary,
    /// Permanent id of the feed entry.
    pub entry_id: &'a str,
    /// The canonical form of the item's own address.
    pub canonical_url: Option<&'a str>,
    /// Hash over everything a reader sees.
    pub hash: &'a str,
}

impl Store {
    /// Finds the summary that `arrival` is: by DOI, then by its id in the source, then by canonical URL.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn known_summary(&self, arrival: &Arrival<'_>) -> Result<Option<Known>> {
        let row = sqlx::query(
            "SELECT s.id, s.source, s.content_hash,
                    (SELECT hash FROM summary_source WHERE source = $1 AND item_key = $2 AND summary_id = s.id)
             FROM summary s
             LEFT JOIN summary_source o ON o.summary_id = s.id AND o.source = $1 AND o.item_key = $2
             WHERE s.doi = $3 OR o.item_key IS NOT NULL OR s.canonical_url = $4
             ORDER BY CASE WHEN s.doi = $3 THEN 0 WHEN o.item_key IS NOT NULL THEN 1 ELSE 2 END
             LIMIT 1",
        )
        .bind(arrival.source)
        .bind(arrival.key)
        .bind(arrival.summary.doi.as_ref().map(Doi::as_str))
        .bind(arrival.canonical_url)
        .fetch_optional(&self.pool)
        .await
        .map_err(db)?;
        row.map(|row| {
            Ok(Known {
                id: row.try_get(0).map_err(db)?,
                owner: row.try_get(1).map_err(db)?,
                content_hash: row.try_get(2).map_err(db)?,
                item_hash: row.try_get(3).map_err(db)?,
            })
        })
        .transpose()
    }

    /// Stores a new summary; its slug gets a number when another paper has it already.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_summary(&self, arrival: &Arrival<'_>, now: Timestamp) -> Result<()> {
        let summary = arrival.summary;
        let slug = self
            .free("SELECT 1 FROM summary WHERE slug = $1", summary.slug.as_str())
            .await?;
        let entry_id = self
            .free("SELECT 1 FROM summary WHERE entry_id = $1", arrival.entry_id)
            .await?;
        let marked = (summary.status != Status::Published).then_some(now.0);
        let mut tx = self.begin().await?;
        let id: i64 = bind_content(
            sqlx::query(
                "INSERT INTO summary (title, journal, year, doi, published, explanation, duration,
                     participants, evidence, findings, research_summary, implications, limitations, url,
                     canonical_url, source, content_hash, updated,
                     slug, entry_id, first_seen, status, note, fault, marked)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                     $19, $20, $21, $22, $23, $24, $25)
                 RETURNING id",
            ),
            arrival,
            now,
        )?
        .bind(slug)
        .bind(entry_id)
        .bind(now.0)
        .bind(summary.status.as_str())
        .bind(summary.note.as_deref())
        .bind(summary.fault.map(Fault::as_str))
        .bind(marked)
        .fetch_one(&mut *tx)
        .await
        .map_err(db)?
        .try_get(0)
        .map_err(db)?;
        set_categories(&mut tx, id, &summary.categories).await?;
        link(&mut tx, arrival, id).await?;
        tx.commit().await.map_err(db)
    }

    /// Replaces the text of summary `id`. A status other than published is an explicit mark;
    /// published never takes an earlier mark away.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn update_summary(&self, id: i64, arrival: &Arrival<'_>, now: Timestamp) -> Result<()> {
        let summary = arrival.summary;
        let mut tx = self.begin().await?;
        bind_content(
            sqlx::query(
                "UPDATE summary SET title = $1, journal = $2, year = $3,
                     doi = CASE WHEN EXISTS (SELECT 1 FROM summary o WHERE o.doi = $4 AND o.id <> $19)
                         THEN doi ELSE COALESCE($4, doi) END,
                     published = $5, explanation = $6, duration = $7, participants = $8, evidence = $9,
                     findings = $10, research_summary = $11, implications = $12, limitations = $13,
                     url = $14,
                     canonical_url = CASE WHEN EXISTS (SELECT 1 FROM summary o WHERE o.canonical_url = $15
                         AND o.id <> $19) THEN canonical_url ELSE COALESCE($15, canonical_url) END,
                     source = $16, content_hash = $17, updated = $18
                 WHERE id = $19",
            ),
            arrival,
            now,
        )?
        .bind(id)
        .execute(&mut *tx)
        .await
        .map_err(db)?;
        if summary.status != Status::Published {
            sqlx::query(
                "UPDATE summary SET status = $2, note = $3, fault = $4, marked = $5
                 WHERE id = $1 AND (status <> $2 OR COALESCE(note, '') <> COALESCE($3, ''))",
            )
            .bind(id)
            .bind(summary.status.as_str())
            .bind(summary.note.as_deref())
            .bind(summary.fault.map(Fault::as_str))
            .bind(now.0)
            .execute(&mut *tx)
            .await
            .map_err(db)?;
        }
        set_categories(&mut tx, id, &summary.categories).await?;
        link(&mut tx, arrival, id).await?;
        tx.commit().await.map_err(db)
    }

    /// Notes that `arrival` is summary `id`, without touching the text.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn link_summary(&self, id: i64, arrival: &Arrival<'_>) -> Result<()> {
        let mut tx = self.begin().await?;
        link(&mut tx, arrival, id).await?;
        tx.commit().await.map_err(db)
    }

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
        let done = sqlx::query(
            "UPDATE summary SET status = $2, note = $3, fault = $4, marked = $5, updated = $5 WHERE slug = $1",
        )
        .bind(slug.as_str())
        .bind(status.as_str())
        .bind(note)
        .bind(fault.as_str())
        .bind(now.0)
        .execute(&self.pool)
        .await
        .map_err(db)?;
        if done.rows_affected() == 0 {
            return Err(no_summary(slug));
        }
        Ok(())
    }

    /// Every summary, the last gathered first; at most `limit`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn latest_summaries(&self, limit: i64) -> Result<Vec<StoredSummary>> {
        let sql = format!("SELECT {COLUMNS} FROM summary ORDER BY first_seen DESC, id DESC LIMIT $1");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        self.with_categories(&rows).await
    }

    /// The summaries of one category, the last gathered first; at most `limit`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn latest_summaries_in(&self, category: &Slug, limit: i64) -> Result<Vec<StoredSummary>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM summary WHERE EXISTS
                 (SELECT 1 FROM summary_category c WHERE c.summary_id = summary.id AND c.slug = $1)
             ORDER BY first_seen DESC, id DESC LIMIT $2"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(category.as_str())
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        self.with_categories(&rows).await
    }

    /// How many summaries there are and when one changed last: the same as long as no text changes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn content_version(&self) -> Result<(i64, i64)> {
        let row = sqlx::query("SELECT COUNT(*), COALESCE(MAX(updated), 0) FROM summary")
            .fetch_one(&self.pool)
            .await
            .map_err(db)?;
        Ok((row.try_get(0).map_err(db)?, row.try_get(1).map_err(db)?))
    }

    /// The summaries that digest `digest` neither carried nor skipped, retracted ones left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn summaries_new_to(&self, digest: &str) -> Result<Vec<StoredSummary>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM summary WHERE status <> 'retracted' AND NOT EXISTS
                 (SELECT 1 FROM digest_item d WHERE d.digest = $1 AND d.summary_id = summary.id)
             ORDER BY first_seen, id"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(digest)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        self.with_categories(&rows).await
    }

    /// The summaries that `digest` carried and that were marked since its readers were last told.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn summaries_to_announce(&self, digest: &str) -> Result<Vec<StoredSummary>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM summary WHERE marked IS NOT NULL AND EXISTS
                 (SELECT 1 FROM digest_item d WHERE d.digest = $1 AND d.summary_id = summary.id
                  AND d.outcome = 'carried' AND d.announced < summary.marked)
             ORDER BY marked, id"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(digest)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        self.with_categories(&rows).await
    }

    /// The summary named `slug`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn summary(&self, slug: &Slug) -> Result<StoredSummary> {
        let sql = format!("SELECT {COLUMNS} FROM summary WHERE slug = $1");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(slug.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        let found = self.with_categories(&rows).await?.pop();
        found.ok_or_else(|| no_summary(slug))
    }

    /// The summary with the number `id`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn summary_by_id(&self, id: i64) -> Result<StoredSummary> {
        let sql = format!("SELECT {COLUMNS} FROM summary WHERE id = $1");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(id)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        let found = self.with_categories(&rows).await?.pop();
        found.ok_or_else(|| Problem::not_found(format!("there is no summary number {id}")))
    }

    /// The summaries of a segment with the reason why each stands in it, in the segment's order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn segment_summaries(&self, segment: i64) -> Result<Vec<(ItemKind, StoredSummary)>> {
        let sql = format!(
            "SELECT {COLUMNS}, i.kind AS kind FROM segment_item g
             JOIN segment e ON e.id = g.segment_id
             JOIN edition_item i ON i.edition_id = e.edition_id AND i.summary_id = g.summary_id
             JOIN summary ON summary.id = g.summary_id
             WHERE g.segment_id = $1 ORDER BY g.position"
        );
        self.items(sql, segment).await
    }

    /// The summaries of an edition with the reason why each stands in it, in the edition's order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn edition_summaries(&self, edition: i64) -> Result<Vec<(ItemKind, StoredSummary)>> {
        let sql = format!(
            "SELECT {COLUMNS}, i.kind AS kind FROM edition_item i
             JOIN summary ON summary.id = i.summary_id
             WHERE i.edition_id = $1 ORDER BY i.position"
        );
        self.items(sql, edition).await
    }

    async fn items(&self, sql: String, id: i64) -> Result<Vec<(ItemKind, StoredSummary)>> {
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(id)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
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

    /// `wanted`, with a number behind it when `taken` finds it already.
    async fn free(&self, taken: &'static str, wanted: &str) -> Result<String> {
        let mut name = wanted.to_owned();
        let mut number = 1;
        while sqlx::query(taken)
            .bind(&name)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?
            .is_some()
        {
            number += 1;
            name = format!("{wanted}-{number}");
        }
        Ok(name)
    }

    async fn with_categories(&self, rows: &[AnyRow]) -> Result<Vec<StoredSummary>> {
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

fn no_summary(slug: &Slug) -> Problem {
    Problem::not_found(format!("there is no summary {:?}", slug.as_str()))
        .hint("`postrider summaries` lists them; `postrider gather` fetches new ones")
}
