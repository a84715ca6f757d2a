//! What sources bring: recognised, kept, and linked to the summary that it is.

use super::Store;
use super::fault::db;
use super::summary_row::{bind_content, count_change, link, set_categories};
use crate::domain::summary::{Fault, Status};
use crate::domain::{Doi, Result, Slug, Summary, Timestamp};
use sqlx::Row;

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
    /// What else this source calls the summary.
    pub other_key: Option<String>,
    /// Whether it is known by its DOI.
    pub same_doi: bool,
    /// Whether it is no longer shown.
    pub removed: bool,
}

/// A gathered item, ready to be stored.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// The source's name.
    pub source: &'a str,
    /// What the item is called within its source.
    pub key: &'a str,
    /// Whether items of one source with one address are different ones when their keys differ.
    pub named: bool,
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
    /// Finds the summary that `arrival` is: by DOI, then by its id in the source, then by canonical URL,
    /// which many items can share: it says nothing against the DOIs or, where these are names, the keys.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn known_summary(&self, arrival: &Arrival<'_>) -> Result<Option<Known>> {
        let row = sqlx::query(
            "SELECT s.id, s.source, s.content_hash,
                    (SELECT hash FROM summary_source WHERE source = $1 AND item_key = $2 AND summary_id = s.id),
                    (SELECT MIN(item_key) FROM summary_source
                     WHERE source = $1 AND item_key <> $2 AND summary_id = s.id),
                    CASE WHEN s.doi = $3 THEN 1 ELSE 0 END, s.removed
             FROM summary s
             LEFT JOIN summary_source o ON o.summary_id = s.id AND o.source = $1 AND o.item_key = $2
             WHERE s.doi = $3 OR o.item_key IS NOT NULL OR (
                 s.canonical_url = $4
                 AND COALESCE(s.doi, $3, '') = COALESCE($3, s.doi, '')
                 AND ($5 = 0 OR NOT EXISTS (SELECT 1 FROM summary_source
                     WHERE source = $1 AND item_key <> $2 AND summary_id = s.id)))
             ORDER BY CASE WHEN s.doi = $3 THEN 0 WHEN o.item_key IS NOT NULL THEN 1 ELSE 2 END
             LIMIT 1",
        )
        .bind(arrival.source)
        .bind(arrival.key)
        .bind(arrival.summary.doi.as_ref().map(Doi::as_str))
        .bind(arrival.canonical_url)
        .bind(i64::from(arrival.named))
        .fetch_optional(&self.pool)
        .await
        .map_err(db)?;
        row.map(|row| {
            Ok(Known {
                id: row.try_get(0).map_err(db)?,
                owner: row.try_get(1).map_err(db)?,
                content_hash: row.try_get(2).map_err(db)?,
                item_hash: row.try_get(3).map_err(db)?,
                other_key: row.try_get(4).map_err(db)?,
                same_doi: row.try_get::<i32, _>(5).map_err(db)? != 0,
                removed: row.try_get::<Option<i64>, _>(6).map_err(db)?.is_some(),
            })
        })
        .transpose()
    }

    /// Stores a new summary; its slug gets a number, and its entry id the slug, when another paper has it already.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_summary(&self, arrival: &Arrival<'_>, now: Timestamp) -> Result<()> {
        let summary = arrival.summary;
        let slug = self.free_slug(&summary.slug).await?;
        let entry_id = match self
            .has("SELECT 1 FROM summary WHERE entry_id = $1", arrival.entry_id)
            .await?
        {
            true => format!("{}#{slug}", arrival.entry_id),
            false => arrival.entry_id.to_owned(),
        };
        let marked = (summary.status != Status::Published).then_some(now.0);
        let mut tx = self.begin().await?;
        let id: i64 = bind_content(
            sqlx::query(
                "INSERT INTO summary (title, journal, year, doi, published, explanation, duration,
                     participants, evidence, findings, research_summary, implications, limitations, url,
                     canonical_url, source, content_hash, updated,
                     slug, entry_id, first_seen, status, note, fault, marked)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
                     CASE WHEN EXISTS (SELECT 1 FROM summary o WHERE o.canonical_url = $15) THEN NULL ELSE $15 END,
                     $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
                 RETURNING id",
            ),
            arrival,
            now,
        )?
        .bind(String::from(slug))
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
        count_change(&mut tx).await?;
        tx.commit().await.map_err(db)
    }

    /// Replaces the text of summary `id`. A status other than published is an explicit mark;
    /// published never takes an earlier mark away, nor does corrected make a retracted one good again.
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
                 WHERE id = $1 AND NOT (status = 'retracted' AND $2 = 'corrected')
                     AND (status <> $2 OR COALESCE(note, '') <> COALESCE($3, '')
                         OR COALESCE($4, fault, '') <> COALESCE(fault, ''))",
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
        count_change(&mut tx).await?;
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

    /// `wanted`, with a number behind it when another summary has it already.
    async fn free_slug(&self, wanted: &Slug) -> Result<Slug> {
        let mut slug = wanted.clone();
        let mut number = 1;
        while self
            .has("SELECT 1 FROM summary WHERE slug = $1", slug.as_str())
            .await?
        {
            number += 1;
            slug = wanted.numbered(number);
        }
        Ok(slug)
    }

    /// Whether `query` finds `value`.
    async fn has(&self, query: &'static str, value: &str) -> Result<bool> {
        let found = sqlx::query(query).bind(value).fetch_optional(&self.pool).await;
        found.map(|row| row.is_some()).map_err(db)
    }
}
