//! To whom an edition goes: what planning looks up, and the same for items of which no edition is made.

use super::Store;
use super::audience::{Group, PlannedItem};
use super::editions::Item;
use super::fault::db;
use super::summary_row::unreadable;
use crate::domain::edition::ItemKind;
use crate::domain::subscriber::Choice;
use crate::domain::summary::Status;
use crate::domain::{Result, Slug, Timestamp};
use sqlx::{AnyConnection, AssertSqlSafe, Row};

/// The items of the edition `$1`.
pub(super) const STORED: &str = "(SELECT summary_id, kind, position FROM edition_item WHERE edition_id = $1)";

/// The audience and what each reader had of `items` by the digest `$2`; `$3` bars reserved domains.
pub(super) fn audience(items: &str) -> String {
    format!(
        "FROM subscription p
    JOIN subscriber s ON s.id = p.subscriber_id
    LEFT JOIN (
        SELECT x.subscriber_id, CAST(SUM(x.bit) AS BIGINT) AS had FROM (
            SELECT DISTINCT d.subscriber_id, CAST(1 AS BIGINT) << CAST(i.position AS INTEGER) AS bit
            FROM {items} i
            JOIN segment_item g ON g.summary_id = i.summary_id
            JOIN segment e ON e.id = g.segment_id
            JOIN edition o ON o.id = e.edition_id AND o.digest = $2
            JOIN delivery d ON d.segment_id = g.segment_id
            WHERE d.state IN ('sent', 'waiting', 'uncertain')
        ) x GROUP BY x.subscriber_id
    ) h ON h.subscriber_id = s.id"
    )
}

/// Whose subscription and address may be mailed.
pub(super) const MAILABLE: &str = "p.digest = $2 AND p.active = 1 AND NOT EXISTS (
        SELECT 1 FROM suppression b
        WHERE b.address_hash = s.address_hash AND b.reason IN ('bounced', 'complained', 'refused'))";

/// Whether an address is in a reserved domain and those are left out.
pub(super) const BARRED: &str = "CASE WHEN s.reserved = 1 AND $3 = 1 THEN 1 ELSE 0 END";

/// What is looked up to plan an edition.
pub(super) struct Planned<'a> {
    /// The edition's number.
    pub edition: i64,
    /// A table of its items (`summary_id`, `kind`, `position`); it has `$1`, the number.
    pub items: &'a str,
    /// The digest.
    pub digest: &'a str,
    /// Whether readers in reserved domains are left out.
    pub bar_reserved: bool,
    /// Pauses that end by this instant count as over.
    pub awake: Timestamp,
}

impl<'a> Planned<'a> {
    /// An edition in the making; pauses were ended before.
    pub(super) fn stored(edition: i64, digest: &'a str, bar_reserved: bool) -> Self {
        Self {
            edition,
            items: STORED,
            digest,
            bar_reserved,
            awake: Timestamp(i64::MIN),
        }
    }

    /// The items, with their categories.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn items(&self, connection: &mut AnyConnection) -> Result<Vec<PlannedItem>> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT i.summary_id, i.kind, i.position,
                 CASE WHEN EXISTS (SELECT 1 FROM segment_item g JOIN segment e ON e.id = g.segment_id
                     JOIN edition o ON o.id = e.edition_id AND o.digest = $2
                     JOIN delivery d ON d.segment_id = g.segment_id
                     WHERE g.summary_id = i.summary_id)
                 AND NOT EXISTS (SELECT 1 FROM edition_item q JOIN edition o ON o.id = q.edition_id
                     WHERE q.summary_id = i.summary_id AND o.digest = $2 AND o.pruned IS NOT NULL)
                 THEN 1 ELSE 0 END, c.slug, s.status, CASE WHEN s.removed IS NULL THEN 0 ELSE 1 END
             FROM {} i JOIN summary s ON s.id = i.summary_id LEFT JOIN summary_category c ON c.summary_id = i.summary_id
             ORDER BY i.position, c.position",
            self.items
        )))
        .bind(self.edition)
        .bind(self.digest.to_owned())
        .fetch_all(&mut *connection)
        .await
        .map_err(db)?;
        let mut items: Vec<PlannedItem> = Vec::new();
        for row in &rows {
            let summary: i64 = row.try_get(0).map_err(db)?;
            let kind: String = row.try_get(1).map_err(db)?;
            let category: Option<String> = row.try_get(4).map_err(db)?;
            if items.last().is_none_or(|item| item.summary != summary) {
                let status: String = row.try_get(5).map_err(db)?;
                items.push(PlannedItem {
                    summary,
                    kind: ItemKind::parse(&kind).ok_or_else(|| unreadable("kind", &kind))?,
                    position: row.try_get(2).map_err(db)?,
                    categories: Vec::new(),
                    receivers_known: row.try_get::<i64, _>(3).map_err(db)? != 0,
                    status: Status::parse(&status).ok_or_else(|| unreadable("status", &status))?,
                    removed: row.try_get::<i64, _>(6).map_err(db)? != 0,
                });
            }
            if let (Some(item), Some(category)) = (items.last_mut(), category) {
                item.categories.push(Slug::parse(&category)?);
            }
        }
        Ok(items)
    }

    /// The audience, grouped.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn groups(&self, connection: &mut AnyConnection) -> Result<Vec<Group>> {
        let sql = format!(
            "SELECT s.categories, COALESCE(h.had, 0), {BARRED}, COUNT(*) {} WHERE {MAILABLE}
                 AND (s.state = 'confirmed' OR s.state = 'paused' AND s.paused_until <= $4)
             GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
            audience(self.items)
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(self.edition)
            .bind(self.digest.to_owned())
            .bind(i64::from(self.bar_reserved))
            .bind(self.awake.0)
            .fetch_all(&mut *connection)
            .await
            .map_err(db)?;
        rows.iter()
            .map(|row| {
                Ok(Group {
                    choice: Choice::parse(&row.try_get::<String, _>(0).map_err(db)?)?,
                    had: row.try_get(1).map_err(db)?,
                    barred: row.try_get::<i64, _>(2).map_err(db)? != 0,
                    count: row.try_get(3).map_err(db)?,
                })
            })
            .collect()
    }
}

impl Store {
    /// `items` and the audience of `digest` as planning at `now` would find them; whose pause is over by then
    /// is in the audience.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forecast(
        &self,
        digest: &str,
        items: &[Item],
        bar_reserved: bool,
        now: Timestamp,
    ) -> Result<(Vec<PlannedItem>, Vec<Group>)> {
        let rows: Vec<String> = (0_i64..)
            .zip(items)
            .map(|(position, item)| {
                format!(
                    "SELECT CAST({} AS BIGINT) AS summary_id, '{}' AS kind, CAST({position} AS BIGINT) AS position",
                    item.summary,
                    item.kind.as_str()
                )
            })
            .collect();
        if rows.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let planned = Planned {
            // No edition has the number 0.
            edition: 0,
            items: &format!(
                "(SELECT * FROM ({}) l WHERE CAST($1 AS BIGINT) = 0)",
                rows.join(" UNION ALL ")
            ),
            digest,
            bar_reserved,
            awake: now,
        };
        let mut connection = self.pool.acquire().await.map_err(db)?;
        let items = planned.items(&mut connection).await?;
        let groups = planned.groups(&mut connection).await?;
        Ok((items, groups))
    }
}
