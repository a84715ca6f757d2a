//! A summary as a row: which columns, and how each is written and read.

use super::arrivals::Arrival;
use super::fault::db;
use crate::domain::summary::{Fault, Removal, Status, StoredSummary};
use crate::domain::{Doi, Problem, Prose, Result, Slug, Summary, Timestamp};
use sqlx::Row;
use sqlx::any::AnyRow;

pub(super) const COLUMNS: &str =
    "summary.id, summary.entry_id, summary.first_seen, summary.updated, summary.slug, summary.title,
    summary.journal, summary.year, summary.doi, summary.published, summary.status, summary.note,
    summary.fault, summary.explanation, summary.duration, summary.participants, summary.evidence,
    summary.findings, summary.research_summary, summary.implications, summary.limitations,
    summary.url, summary.marked, summary.removed, summary.removed_note";

pub(super) type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

pub(super) fn bind_content<'q>(query: Query<'q>, arrival: &Arrival<'_>, now: Timestamp) -> Result<Query<'q>> {
    let summary = arrival.summary;
    Ok(query
        .bind(summary.title.clone())
        .bind(summary.journal.clone())
        .bind(summary.year.map(i64::from))
        .bind(summary.doi.as_ref().map(ToString::to_string))
        .bind(summary.published.map(|date| date.to_string()))
        .bind(summary.explanation.html().to_owned())
        .bind(summary.duration.clone())
        .bind(summary.participants.clone())
        .bind(summary.evidence.clone())
        .bind(json(&summary.findings)?)
        .bind(summary.research_summary.html().to_owned())
        .bind(json(&summary.implications)?)
        .bind(json(&summary.limitations)?)
        .bind(summary.url.clone())
        .bind(arrival.canonical_url.map(str::to_owned))
        .bind(arrival.source.to_owned())
        .bind(arrival.hash.to_owned())
        .bind(now.0))
}

pub(super) async fn set_categories(
    connection: &mut sqlx::AnyConnection,
    id: i64,
    categories: &[Slug],
) -> Result<()> {
    sqlx::query("DELETE FROM summary_category WHERE summary_id = $1")
        .bind(id)
        .execute(&mut *connection)
        .await
        .map_err(db)?;
    for (position, slug) in (0_i64..).zip(categories) {
        sqlx::query(
            "INSERT INTO summary_category (summary_id, slug, position) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(slug.as_str())
        .bind(position)
        .execute(&mut *connection)
        .await
        .map_err(db)?;
    }
    Ok(())
}

/// Notes what the source calls summary `id`: one name only, or two items would claim it by turns.
pub(super) async fn link(connection: &mut sqlx::AnyConnection, arrival: &Arrival<'_>, id: i64) -> Result<()> {
    sqlx::query("DELETE FROM summary_source WHERE source = $1 AND summary_id = $3 AND item_key <> $2")
        .bind(arrival.source)
        .bind(arrival.key)
        .bind(id)
        .execute(&mut *connection)
        .await
        .map_err(db)?;
    sqlx::query(
        "INSERT INTO summary_source (source, item_key, summary_id, hash) VALUES ($1, $2, $3, $4)
         ON CONFLICT (source, item_key) DO UPDATE SET summary_id = excluded.summary_id, hash = excluded.hash",
    )
    .bind(arrival.source)
    .bind(arrival.key)
    .bind(id)
    .bind(arrival.hash)
    .execute(connection)
    .await
    .map_err(db)?;
    Ok(())
}

/// Counts a change, so that whoever made something of the summaries sees that it is old.
pub(super) async fn count_change(connection: &mut sqlx::AnyConnection) -> Result<()> {
    sqlx::query(
        "INSERT INTO counter (name, value) VALUES ('summaries', 1)
         ON CONFLICT (name) DO UPDATE SET value = counter.value + 1",
    )
    .execute(connection)
    .await
    .map_err(db)?;
    Ok(())
}

pub(super) fn read(row: &AnyRow) -> Result<StoredSummary> {
    let text = |name: &str| row.try_get::<String, _>(name).map_err(db);
    let maybe = |name: &str| row.try_get::<Option<String>, _>(name).map_err(db);
    let instant = |name: &str| -> Result<Option<Timestamp>> {
        Ok(row.try_get::<Option<i64>, _>(name).map_err(db)?.map(Timestamp))
    };
    let slug = Slug::parse(&text("slug")?)?;
    let mut summary = Summary::new(slug, text("title")?);
    summary.journal = maybe("journal")?;
    summary.year = row
        .try_get::<Option<i64>, _>("year")
        .map_err(db)?
        .and_then(|year| i32::try_from(year).ok());
    summary.doi = maybe("doi")?.map(|doi| Doi::parse(&doi)).transpose()?;
    summary.published = maybe("published")?.and_then(|date| date.parse().ok());
    let status = text("status")?;
    summary.status = Status::parse(&status).ok_or_else(|| unreadable("status", &status))?;
    summary.note = maybe("note")?;
    summary.fault = maybe("fault")?.and_then(|fault| Fault::parse(&fault));
    summary.explanation = Prose::from_sanitised(text("explanation")?);
    summary.duration = maybe("duration")?;
    summary.participants = maybe("participants")?;
    summary.evidence = maybe("evidence")?;
    summary.findings = from_json("findings", &text("findings")?)?;
    summary.research_summary = Prose::from_sanitised(text("research_summary")?);
    summary.implications = from_json("implications", &text("implications")?)?;
    summary.limitations = from_json("limitations", &text("limitations")?)?;
    summary.url = maybe("url")?;
    Ok(StoredSummary {
        id: row.try_get("id").map_err(db)?,
        entry_id: text("entry_id")?,
        first_seen: Timestamp(row.try_get("first_seen").map_err(db)?),
        updated: Timestamp(row.try_get("updated").map_err(db)?),
        marked: instant("marked")?,
        removed: instant("removed")?
            .map(|at| -> Result<Removal> {
                let note = maybe("removed_note")?.unwrap_or_default();
                Ok(Removal { at, note })
            })
            .transpose()?,
        summary,
    })
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Problem::failed("a section can't be written").because(error))
}

fn from_json<T: serde::de::DeserializeOwned>(column: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| unreadable(column, text).because(error))
}

pub(super) fn unreadable(column: &str, value: &str) -> Problem {
    Problem::failed(format!("the database holds an unreadable {column}: {value:?}"))
        .hint("it was changed by hand or by a newer version; restore it from a backup")
}
