//! The record of what happened to each reader. It holds no address.

use super::fault::db;
use crate::domain::reader_event::{Happening, Way};
use crate::domain::{Result, Timestamp};
use sqlx::{Any, Transaction};

/// Something that happened to a reader.
#[derive(Debug, Clone, Copy)]
pub struct ReaderEvent<'a> {
    /// What.
    pub what: Happening,
    /// By which way.
    pub way: Way,
    /// The sentence that the reader agreed to, as it was shown.
    pub wording: Option<&'a str>,
    /// What changed.
    pub detail: Option<&'a str>,
}

/// Records `event` of the reader `id` as part of `tx`; nothing where there is no such reader.
pub(super) async fn record(
    tx: &mut Transaction<'static, Any>,
    id: i64,
    event: ReaderEvent<'_>,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO reader_event (subscriber_id, at, what, way, wording, detail)
         SELECT id, $2, $3, $4, $5, $6 FROM subscriber WHERE id = $1",
    )
    .bind(id)
    .bind(now.0)
    .bind(event.what.as_str())
    .bind(event.way.as_str())
    .bind(event.wording)
    .bind(event.detail)
    .execute(&mut **tx)
    .await
    .map_err(db)?;
    Ok(())
}
