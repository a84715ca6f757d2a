//! Changing an edition before it is approved.

use super::Store;
use super::fault::db;
use crate::domain::edition::{ItemKind, State};
use crate::domain::{Problem, Result, Slug};
use sqlx::{Any, Row, Transaction};

impl Store {
    /// Takes a summary out of a draft; the digest will not carry it.
    ///
    /// # Errors
    /// When the edition is no draft or does not hold the summary.
    pub async fn drop_item(&self, id: i64, slug: &Slug) -> Result<()> {
        let mut tx = self.change_draft(id).await?;
        let row = sqlx::query("SELECT id FROM summary WHERE slug = $1")
            .bind(slug.as_str())
            .fetch_optional(&mut *tx)
            .await
            .map_err(db)?;
        let was_held = match row {
            Some(row) => take_out(&mut tx, id, row.try_get(0).map_err(db)?).await?,
            None => false,
        };
        if !was_held {
            tx.rollback().await.map_err(db)?;
            return Err(
                Problem::not_found(format!("edition {id} does not hold {:?}", slug.as_str()))
                    .hint(format!("`postrider editions show {id}` lists what it holds")),
            );
        }
        tx.commit().await.map_err(db)
    }

    /// Sets the editor's note of a draft; an empty one removes it.
    ///
    /// # Errors
    /// When the edition is no draft.
    pub async fn set_note(&self, id: i64, note: &str) -> Result<()> {
        let mut tx = self.change_draft(id).await?;
        sqlx::query("UPDATE edition SET note = $2 WHERE id = $1")
            .bind(id)
            .bind((!note.is_empty()).then_some(note))
            .execute(&mut *tx)
            .await
            .map_err(db)?;
        tx.commit().await.map_err(db)
    }

    /// A transaction in which edition `id` is a draft and stays one: an approval waits for its end.
    async fn change_draft(&self, id: i64) -> Result<Transaction<'static, Any>> {
        let mut tx = self.begin().await?;
        let held = sqlx::query("UPDATE edition SET state = state WHERE id = $1 AND state = 'draft'")
            .bind(id)
            .execute(&mut *tx)
            .await
            .map_err(db)?;
        if held.rows_affected() == 1 {
            return Ok(tx);
        }
        tx.rollback().await.map_err(db)?;
        let state: State = self.edition(id).await?.state;
        Err(
            Problem::failed(format!("edition {id} is {}, not a draft", state.as_str()))
                .hint("only a draft can be changed; set `approve = true` for the digest to get drafts"),
        )
    }
}

/// Takes a summary out of the edition `id`, which is not sent yet; whether it held it.
pub(super) async fn take_out(tx: &mut Transaction<'static, Any>, id: i64, summary: i64) -> Result<bool> {
    let row =
        sqlx::query("DELETE FROM edition_item WHERE edition_id = $1 AND summary_id = $2 RETURNING kind")
            .bind(id)
            .bind(summary)
            .fetch_optional(&mut **tx)
            .await
            .map_err(db)?;
    let Some(row) = row else {
        return Ok(false);
    };
    // A dropped correction stays carried: its readers have the summary, they are only not told.
    // So does what an earlier edition carried: a later correction is theirs to know.
    if row.try_get::<String, _>(0).map_err(db)? == ItemKind::New.as_str() {
        sqlx::query(
            "UPDATE digest_item SET outcome = 'skipped' WHERE edition_id = $1 AND summary_id = $2
             AND NOT EXISTS (SELECT 1 FROM segment_item g JOIN segment e ON e.id = g.segment_id
                 JOIN edition o ON o.id = e.edition_id AND o.digest = digest_item.digest
                 WHERE g.summary_id = digest_item.summary_id)",
        )
        .bind(id)
        .bind(summary)
        .execute(&mut **tx)
        .await
        .map_err(db)?;
    }
    Ok(true)
}
