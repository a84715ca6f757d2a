//! A change to one reader: state, choices, record and the mail it causes, all of it or nothing.

use super::dialect::Dialect;
use super::fault::db;
use super::notices::{self, NewNotice, To};
use super::reader_events::{self, ReaderEvent};
use super::subscribers::{SELECT, Subscriber, end_subscription, only};
use super::summary_row::unreadable;
use super::{Store, lists};
use crate::domain::notice::NoticeKind;
use crate::domain::reader_event::Way;
use crate::domain::subscriber::{Cause, Choice, State, Suppression};
use crate::domain::{Result, Slug, Timestamp};
use sqlx::{Any, AssertSqlSafe, Row, Transaction};

/// A change under way; nothing is kept before [`Change::commit`].
#[derive(Debug)]
pub struct Change {
    pub(super) tx: Transaction<'static, Any>,
    pub(super) now: Timestamp,
    pub(super) dialect: Dialect,
}

impl Store {
    /// Begins a change.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin_change(&self, now: Timestamp) -> Result<Change> {
        Ok(Change {
            tx: self.begin().await?,
            now,
            dialect: self.dialect,
        })
    }
}

impl Change {
    /// The reader `id`, who stays as they are until this change ends, but for what it does.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reader(&mut self, id: i64) -> Result<Option<Subscriber>> {
        sqlx::query("UPDATE subscriber SET state = state WHERE id = $1")
            .bind(id)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        let rows = sqlx::query(AssertSqlSafe(format!(
            "{SELECT} WHERE s.id = $1 ORDER BY p.digest"
        )))
        .bind(id)
        .fetch_all(&mut *self.tx)
        .await
        .map_err(db)?;
        only(&rows)
    }

    /// [`Change::reader`], by address key.
    ///
    /// # Errors
    /// As there.
    pub async fn reader_of(&mut self, key: &str) -> Result<Option<Subscriber>> {
        self.reader_by("SELECT id FROM subscriber WHERE address_key = $1", key)
            .await
    }

    /// [`Change::reader`], by the salted hash of the address.
    ///
    /// # Errors
    /// As there.
    pub async fn reader_at(&mut self, address_hash: &str) -> Result<Option<Subscriber>> {
        self.reader_by("SELECT id FROM subscriber WHERE address_hash = $1", address_hash)
            .await
    }

    async fn reader_by(&mut self, sql: &'static str, value: &str) -> Result<Option<Subscriber>> {
        let row = sqlx::query(sql)
            .bind(value)
            .fetch_optional(&mut *self.tx)
            .await
            .map_err(db)?;
        match row {
            Some(row) => self.reader(row.try_get(0).map_err(db)?).await,
            None => Ok(None),
        }
    }

    /// Why the address is not mailed, if so.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn suppression(&mut self, address_hash: &str) -> Result<Option<Suppression>> {
        let row = sqlx::query("SELECT reason FROM suppression WHERE address_hash = $1")
            .bind(address_hash)
            .fetch_optional(&mut *self.tx)
            .await
            .map_err(db)?;
        row.map(|row| {
            let word: String = row.try_get(0).map_err(db)?;
            Suppression::parse(&word).ok_or_else(|| unreadable("reason", &word))
        })
        .transpose()
    }

    /// Keeps an address from being mailed; a harder reason stays.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn suppress(&mut self, address_hash: &str, reason: Suppression) -> Result<()> {
        let sql = format!(
            "INSERT INTO suppression (address_hash, reason, created) VALUES ($1, $2, $3) {}",
            lists::on_second_suppression()
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(address_hash)
            .bind(reason.as_str())
            .bind(self.now.0)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(())
    }

    /// Lets an address be mailed again that was suppressed for `reason`; whether it was.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn lift(&mut self, address_hash: &str, reason: Suppression) -> Result<bool> {
        let done = sqlx::query("DELETE FROM suppression WHERE address_hash = $1 AND reason = $2")
            .bind(address_hash)
            .bind(reason.as_str())
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(done.rows_affected() > 0)
    }

    /// Brings reader `id` into `state`, paused until `until`, and records `event`. Which changes are
    /// allowed is the caller's to decide.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_state(
        &mut self,
        id: i64,
        state: State,
        until: Option<Timestamp>,
        cause: Cause,
        event: ReaderEvent<'_>,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE subscriber SET state = $2, cause = $3, changed = $4, paused_until = $5 WHERE id = $1",
        )
        .bind(id)
        .bind(state.as_str())
        .bind(cause.as_str())
        .bind(self.now.0)
        .bind(until.map(|until| until.0))
        .execute(&mut *self.tx)
        .await
        .map_err(db)?;
        self.record(id, event).await
    }

    /// Notes when and where reader `id` agreed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_consent(&mut self, id: i64, source: &str) -> Result<()> {
        sqlx::query("UPDATE subscriber SET consent_at = $2, consent_source = $3 WHERE id = $1")
            .bind(id)
            .bind(self.now.0)
            .bind(source)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        Ok(())
    }

    /// Records what happened to reader `id`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn record(&mut self, id: i64, event: ReaderEvent<'_>) -> Result<()> {
        reader_events::record(&mut self.tx, id, event, self.now).await
    }

    /// Keeps what reader `id` chose, as the reader's own word: no list overrides it any more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_choices(
        &mut self,
        id: i64,
        name: Option<&str>,
        categories: &Choice,
        text_only: bool,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE subscriber SET name = $2, categories = $3, text_only = $4, chosen_by = 'reader'
             WHERE id = $1",
        )
        .bind(id)
        .bind(name)
        .bind(categories.to_string())
        .bind(i64::from(text_only))
        .execute(&mut *self.tx)
        .await
        .map_err(db)?;
        Ok(())
    }

    /// Has reader `id` receive `digests` and no others, as the reader's own word.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_digests(&mut self, id: i64, digests: &[Slug]) -> Result<()> {
        for digest in digests {
            sqlx::query(
                "INSERT INTO subscription (subscriber_id, digest, active, created, changed)
                 VALUES ($1, $2, 1, $3, $3)
                 ON CONFLICT (subscriber_id, digest) DO UPDATE SET active = 1, ended_by = NULL,
                     changed = excluded.changed WHERE subscription.active = 0",
            )
            .bind(id)
            .bind(digest.as_str())
            .bind(self.now.0)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        }
        let rows = sqlx::query("SELECT digest FROM subscription WHERE subscriber_id = $1 AND active = 1")
            .bind(id)
            .fetch_all(&mut *self.tx)
            .await
            .map_err(db)?;
        for row in &rows {
            let digest: String = row.try_get(0).map_err(db)?;
            if digests.iter().any(|wanted| wanted.as_str() == digest) {
                continue;
            }
            sqlx::query(
                "UPDATE subscription SET active = 0, ended_by = 'reader', changed = $3
                 WHERE subscriber_id = $1 AND digest = $2 AND active = 1",
            )
            .bind(id)
            .bind(digest)
            .bind(self.now.0)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        }
        Ok(())
    }

    /// A digest that reader `id` receives, or else one that they had, or else one that others receive.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn some_digest_of(&mut self, id: i64) -> Result<Option<Slug>> {
        let row = sqlx::query(
            "SELECT digest FROM (SELECT digest, active, created FROM subscription WHERE subscriber_id = $1
                 UNION ALL SELECT o.digest, -1, 0 FROM
                     (SELECT digest FROM subscription WHERE active = 1 LIMIT 1) o) x
             ORDER BY active DESC, created, digest LIMIT 1",
        )
        .bind(id)
        .fetch_optional(&mut *self.tx)
        .await
        .map_err(db)?;
        row.map(|row| Slug::parse(&row.try_get::<String, _>(0).map_err(db)?))
            .transpose()
    }

    /// Ends every subscription of `reader`, by `way`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end_all(&mut self, reader: &Subscriber, way: Way) -> Result<()> {
        for digest in &reader.digests {
            end_subscription(&mut self.tx, reader.id, digest, way, self.now).await?;
        }
        if reader.digests.is_empty() {
            end_subscription(&mut self.tx, reader.id, "", way, self.now).await?;
        }
        Ok(())
    }

    /// Writes a mail to a single reader; its number.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn notify(&mut self, notice: &NewNotice) -> Result<i64> {
        notices::add(&mut self.tx, notice, self.now).await
    }

    /// How many mails of these kinds went, or are to go, to an address since `since`, and when the last was
    /// written.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn notices_to(
        &mut self,
        address_hash: &str,
        kinds: &[NoticeKind],
        since: Timestamp,
    ) -> Result<(i64, Option<Timestamp>)> {
        notices::count(&mut self.tx, To::Address(address_hash), kinds, since).await
    }

    /// [`Change::notices_to`] all addresses of a mailbox. Call [`Change::take_turn`] before.
    ///
    /// # Errors
    /// As there.
    pub async fn notices_into(
        &mut self,
        mailbox_hash: &str,
        kinds: &[NoticeKind],
        since: Timestamp,
    ) -> Result<(i64, Option<Timestamp>)> {
        notices::count(&mut self.tx, To::Mailbox(mailbox_hash), kinds, since).await
    }

    /// Keeps everything.
    ///
    /// # Errors
    /// When the database does not answer; nothing is kept then.
    pub async fn commit(self) -> Result<()> {
        self.tx.commit().await.map_err(db)
    }

    /// Keeps nothing.
    ///
    /// # Errors
    /// When the database does not answer; nothing is kept then either.
    pub async fn abandon(self) -> Result<()> {
        self.tx.rollback().await.map_err(db)
    }
}
