//! Subscribers and their subscriptions, one at a time. Lists go through `import`.

use super::Store;
use super::fault::db;
use super::reader_events::{self, ReaderEvent};
use super::summary_row::unreadable;
use crate::domain::address::FullAddress;
use crate::domain::reader_event::{Happening, Way};
use crate::domain::subscriber::{Choice, State};
use crate::domain::{Problem, Result, Timestamp};
use futures_util::TryStreamExt;
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};

/// A subscriber as lists and admins see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subscriber {
    /// The store's number.
    pub id: i64,
    /// The full address; this is for admins.
    pub address: FullAddress,
    /// The reader's name.
    pub name: Option<String>,
    /// Where it stands.
    pub state: State,
    /// The categories it chose.
    pub categories: Choice,
    /// The digests it receives, sorted.
    pub digests: Vec<String>,
    /// When it agreed.
    pub consent_at: Option<Timestamp>,
    /// Where it agreed.
    pub consent_source: Option<String>,
    /// When its pause ends.
    pub paused_until: Option<Timestamp>,
    /// Whether it wants mails as text only.
    pub text_only: bool,
    /// Since when it stands there.
    #[serde(skip)]
    pub since: Timestamp,
    /// The salted hash by which suppressions and limits know the address.
    #[serde(skip)]
    pub address_hash: String,
    /// How often it changed its address: links to its choices that were made before do not work any more.
    #[serde(skip)]
    pub link_generation: i64,
}

pub(super) const SELECT: &str =
    "SELECT s.id, s.address, s.name, s.state, s.categories, s.consent_at, s.consent_source,
        p.digest, s.paused_until, s.text_only, s.address_hash, s.changed, s.link_generation
    FROM subscriber s LEFT JOIN subscription p ON p.subscriber_id = s.id AND p.active = 1";

impl Store {
    /// The subscriber with the address key `key`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn subscriber(&self, key: &str) -> Result<Option<Subscriber>> {
        let sql = format!("{SELECT} WHERE s.address_key = $1 ORDER BY p.digest");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(key)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        only(&rows)
    }

    /// The subscriber with the number `id`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn subscriber_by_id(&self, id: i64) -> Result<Option<Subscriber>> {
        let sql = format!("{SELECT} WHERE s.id = $1 ORDER BY p.digest");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(id)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        only(&rows)
    }

    /// The subscriber whose address has the salted hash `address_hash`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn subscriber_at(&self, address_hash: &str) -> Result<Option<Subscriber>> {
        let sql = format!("{SELECT} WHERE s.address_hash = $1 ORDER BY p.digest");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(address_hash)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        only(&rows)
    }

    /// Calls `each` with every subscriber in the order of their numbers, without holding them all.
    ///
    /// # Errors
    /// When the database does not answer, or `each` says so.
    pub async fn each_subscriber(&self, mut each: impl FnMut(&Subscriber) -> Result<()>) -> Result<()> {
        let sql = format!("{SELECT} ORDER BY s.id, p.digest");
        let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&self.pool);
        let mut current: Option<Subscriber> = None;
        while let Some(row) = rows.try_next().await.map_err(db)? {
            if let Some(done) = merge(&mut current, &row)? {
                each(&done)?;
            }
        }
        if let Some(last) = &current {
            each(last)?;
        }
        Ok(())
    }

    /// How many subscribers are in each state.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_subscribers(&self) -> Result<Vec<(State, i64)>> {
        let rows = sqlx::query("SELECT state, COUNT(*) FROM subscriber GROUP BY state ORDER BY state")
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        rows.iter()
            .map(|row| Ok((read_state(row, 0)?, row.try_get(1).map_err(db)?)))
            .collect()
    }

    /// Ends the subscription of reader `id` to `digest`, by `way`; the last one to end makes the reader unsubscribed.
    /// Doing it again changes nothing. False when there is no such reader.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end_subscription(&self, id: i64, digest: &str, way: Way, now: Timestamp) -> Result<bool> {
        let mut tx = self.begin().await?;
        let found = end_subscription(&mut tx, id, digest, way, now).await?;
        tx.commit().await.map_err(db)?;
        Ok(found)
    }

    /// Ends every subscription of reader `id`, by `way`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn end_all_subscriptions(&self, id: i64, way: Way, now: Timestamp) -> Result<()> {
        let rows = sqlx::query("SELECT digest FROM subscription WHERE subscriber_id = $1 AND active = 1")
            .bind(id)
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        for row in &rows {
            let digest: String = row.try_get(0).map_err(db)?;
            self.end_subscription(id, &digest, way, now).await?;
        }
        if rows.is_empty() {
            self.end_subscription(id, "", way, now).await?;
        }
        Ok(())
    }

    /// Whether reader `id` receives `digest` at present, or would once confirmed or after a pause.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_subscribed(&self, id: i64, digest: &str) -> Result<bool> {
        let row = sqlx::query(
            "SELECT 1 FROM subscription p JOIN subscriber s ON s.id = p.subscriber_id
             WHERE p.subscriber_id = $1 AND p.digest = $2 AND p.active = 1
                 AND s.state IN ('pending', 'confirmed', 'paused')",
        )
        .bind(id)
        .bind(digest)
        .fetch_optional(&self.pool)
        .await
        .map_err(db)?;
        Ok(row.is_some())
    }
}

/// [`Store::end_subscription`] as part of `tx`.
pub(super) async fn end_subscription(
    tx: &mut Transaction<'static, Any>,
    id: i64,
    digest: &str,
    way: Way,
    now: Timestamp,
) -> Result<bool> {
    let cause = way.cause();
    // The reader before their subscriptions, as lists do: else each may wait for the other.
    let found = sqlx::query("UPDATE subscriber SET state = state WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await
        .map_err(db)?
        .rows_affected()
        > 0;
    let was_active =
        sqlx::query("SELECT 1 FROM subscription WHERE subscriber_id = $1 AND digest = $2 AND active = 1")
            .bind(id)
            .bind(digest)
            .fetch_optional(&mut **tx)
            .await
            .map_err(db)?
            .is_some();
    // A reader's word is kept even where nothing was to end: no later list may subscribe them.
    sqlx::query(
        "INSERT INTO subscription (subscriber_id, digest, active, ended_by, created, changed)
         SELECT id, $2, 0, $3, $4, $4 FROM subscriber WHERE id = $1 AND $2 <> '' AND ($3 = 'reader' OR EXISTS
             (SELECT 1 FROM subscription p WHERE p.subscriber_id = $1 AND p.digest = $2))
         ON CONFLICT (subscriber_id, digest) DO UPDATE SET active = 0, ended_by = excluded.ended_by,
             changed = excluded.changed
         WHERE subscription.active = 1
             OR (excluded.ended_by = 'reader' AND COALESCE(subscription.ended_by, '') <> 'reader')",
    )
    .bind(id)
    .bind(digest)
    .bind(cause.as_str())
    .bind(now.0)
    .execute(&mut **tx)
    .await
    .map_err(db)?;
    let left = sqlx::query(
        "UPDATE subscriber SET state = 'unsubscribed', cause = $2, changed = $3, paused_until = NULL
         WHERE id = $1 AND state IN ('pending', 'confirmed', 'paused')
             AND NOT EXISTS (SELECT 1 FROM subscription WHERE subscriber_id = $1 AND active = 1)",
    )
    .bind(id)
    .bind(cause.as_str())
    .bind(now.0)
    .execute(&mut **tx)
    .await
    .map_err(db)?
    .rows_affected()
        > 0;
    sqlx::query(
        "INSERT INTO suppression (address_hash, reason, created)
         SELECT address_hash, 'unsubscribed', $2 FROM subscriber WHERE id = $1 AND state = 'unsubscribed'
         ON CONFLICT (address_hash) DO NOTHING",
    )
    .bind(id)
    .bind(now.0)
    .execute(&mut **tx)
    .await
    .map_err(db)?;
    let ended = was_active.then(|| format!("-{digest}"));
    let what = if left {
        Happening::Became(State::Unsubscribed)
    } else {
        Happening::Digests
    };
    if left || ended.is_some() {
        let event = ReaderEvent {
            what,
            way,
            wording: None,
            detail: ended.as_deref(),
        };
        reader_events::record(tx, id, event, now).await?;
    }
    Ok(found)
}

/// The one subscriber that `rows` are about.
pub(super) fn only(rows: &[AnyRow]) -> Result<Option<Subscriber>> {
    let mut found: Option<Subscriber> = None;
    for row in rows {
        merge(&mut found, row)?;
    }
    Ok(found)
}

/// Adds `row` to the reader in `current`, or starts the next reader and hands the finished one out.
fn merge(current: &mut Option<Subscriber>, row: &AnyRow) -> Result<Option<Subscriber>> {
    let id: i64 = row.try_get(0).map_err(db)?;
    let digest: Option<String> = row.try_get(7).map_err(db)?;
    if let Some(subscriber) = current.as_mut().filter(|subscriber| subscriber.id == id) {
        if let Some(digest) = digest {
            subscriber.digests.push(digest);
        }
        return Ok(None);
    }
    let next = Subscriber {
        id,
        address: row.try_get::<String, _>(1).map_err(db)?.into(),
        name: row.try_get(2).map_err(db)?,
        state: read_state(row, 3)?,
        categories: Choice::parse(&row.try_get::<String, _>(4).map_err(db)?)?,
        digests: Vec::from_iter(digest),
        consent_at: row.try_get::<Option<i64>, _>(5).map_err(db)?.map(Timestamp),
        consent_source: row.try_get(6).map_err(db)?,
        paused_until: row.try_get::<Option<i64>, _>(8).map_err(db)?.map(Timestamp),
        text_only: row.try_get::<i64, _>(9).map_err(db)? != 0,
        address_hash: row.try_get(10).map_err(db)?,
        since: Timestamp(row.try_get(11).map_err(db)?),
        link_generation: row.try_get(12).map_err(db)?,
    };
    Ok(current.replace(next))
}

fn read_state(row: &AnyRow, column: usize) -> Result<State> {
    let word: String = row.try_get(column).map_err(db)?;
    State::parse(&word).ok_or_else(|| -> Problem { unreadable("state", &word) })
}
