//! Summaries that are taken off the site and the feeds, and brought back.

use super::Store;
use super::fault::db;
use super::summaries::no_summary;
use super::summary_row::count_change;
use crate::domain::{Result, Slug, Timestamp};

impl Store {
    /// Takes a summary off the site, the feeds and everything that is yet to come.
    ///
    /// # Errors
    /// When there is no such summary.
    pub async fn remove_summary(&self, slug: &Slug, note: &str, now: Timestamp) -> Result<()> {
        self.set_removed(slug, Some((note, now))).await
    }

    /// Shows a summary again that was removed; its next gathering brings it up to date.
    ///
    /// # Errors
    /// When there is no such summary.
    pub async fn restore_summary(&self, slug: &Slug) -> Result<()> {
        self.set_removed(slug, None).await
    }

    async fn set_removed(&self, slug: &Slug, removed: Option<(&str, Timestamp)>) -> Result<()> {
        let mut tx = self.begin().await?;
        let done = sqlx::query("UPDATE summary SET removed = $2, removed_note = $3 WHERE slug = $1")
            .bind(slug.as_str())
            .bind(removed.map(|(_, now)| now.0))
            .bind(removed.map(|(note, _)| note.to_owned()))
            .execute(&mut *tx)
            .await
            .map_err(db)?;
        if done.rows_affected() == 0 {
            return Err(no_summary(slug));
        }
        count_change(&mut tx).await?;
        tx.commit().await.map_err(db)
    }
}
