//! Notices as deliveries: leased a few at a time, read when their turn comes, and accounted for.

use super::Store;
use super::fault::db;
use super::ledger::{known, listed, next_batch};
use super::summary_row::unreadable;
use crate::domain::notice::{NoticeData, NoticeKind};
use crate::domain::{EmailAddress, Result, Timestamp, subscriber};
use sqlx::{AssertSqlSafe, Row};

/// A notice whose turn has come, with what is known of its reader now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueNotice {
    /// Its number.
    pub id: i64,
    /// What for, and what its templates need.
    pub data: NoticeData,
    /// When it was written.
    pub created: Timestamp,
    /// From when on it is not worth sending: it is too old, or its link has run out.
    pub ends: Timestamp,
    /// The subscriber it is about.
    pub subscriber: Option<i64>,
    /// The subscriber's name, while they are confirmed: nobody else has it in a mail.
    pub name: Option<String>,
    /// The generation of links to the subscriber's choices that holds now.
    pub link_generation: i64,
    /// Where it goes; `None` when the address can't be read or its reader was erased.
    pub address: Option<EmailAddress>,
    /// How often a relay was asked before.
    pub attempts: i64,
    /// Why it must not be sent any more, if so.
    pub left: Option<&'static str>,
}

/// When there is something to deliver next; what somebody holds is due still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NextWork {
    /// The next batch of an edition under way.
    pub batch: Option<Timestamp>,
    /// The next notice.
    pub notice: Option<Timestamp>,
}

impl NextWork {
    /// The earlier of both; `None` when all is final.
    pub fn earliest(self) -> Option<Timestamp> {
        self.batch.into_iter().chain(self.notice).min()
    }
}

/// The notices that are not final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingNotices {
    /// How many.
    pub count: i64,
    /// When the oldest was written.
    pub oldest: Option<Timestamp>,
}

/// Free, and due by `$1`.
const TAKEABLE: &str = "next_attempt <= $1 AND (owner IS NULL OR until < $1)";

/// Why a notice is not to be sent any more; null when it is. What goes to an admin is never suppressed.
const LEFT: &str = "CASE WHEN n.subscriber_id IS NULL THEN CASE WHEN n.address IS NULL THEN 'erased' END
    WHEN n.address IS NULL AND s.state = 'bounced' OR b.reason = 'bounced' THEN 'bounced'
    WHEN n.address IS NULL AND s.state = 'complained' OR b.reason = 'complained' THEN 'complained'
    WHEN b.reason = 'refused' OR r.mailbox_hash IS NOT NULL THEN 'refused'
    WHEN n.kind = 'welcome' AND s.state NOT IN ('confirmed', 'paused') THEN 'unsubscribed' END";
/// The words that [`LEFT`] gives.
const REASONS: [&str; 5] = ["erased", "bounced", "complained", "refused", "unsubscribed"];

impl Store {
    /// Leases at most `limit` notices that are due and free, the oldest first; their numbers.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn lease_notices(
        &self,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<i64>> {
        // Looked at first: the transaction takes the write lock of a SQLite file, also when others hold all.
        if self.due_notices(now).await? == 0 {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        // Two statements: PostgreSQL may run a sub-select with a limit more than once, and lock more.
        let sql = format!(
            "SELECT id FROM notice WHERE {TAKEABLE} ORDER BY next_attempt, id LIMIT $2 {}",
            self.dialect.skip_locked()
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(now.0)
            .bind(i64::from(limit))
            .fetch_all(&mut *tx)
            .await
            .map_err(db)?;
        let ids = rows
            .iter()
            .map(|row| row.try_get(0).map_err(db))
            .collect::<Result<Vec<i64>>>()?;
        if ids.is_empty() {
            tx.rollback().await.map_err(db)?;
            return Ok(ids);
        }
        sqlx::query(AssertSqlSafe(format!(
            "UPDATE notice SET owner = $1, until = $2 WHERE id IN ({})",
            listed(&ids)
        )))
        .bind(owner)
        .bind(until.0)
        .execute(&mut *tx)
        .await
        .map_err(db)?;
        tx.commit().await.map_err(db)?;
        Ok(ids)
    }

    /// How many notices are due at `now` and in nobody's hands; takes no lock.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn due_notices(&self, now: Timestamp) -> Result<u64> {
        let row = sqlx::query(AssertSqlSafe(format!(
            "SELECT COUNT(*) FROM notice WHERE {TAKEABLE}"
        )))
        .bind(now.0)
        .fetch_one(&self.pool)
        .await
        .map_err(db)?;
        let count: i64 = row.try_get(0).map_err(db)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// The notices that are not final.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn waiting_notices(&self) -> Result<WaitingNotices> {
        let row = sqlx::query("SELECT COUNT(*), MIN(created) FROM notice WHERE next_attempt IS NOT NULL")
            .fetch_one(&self.pool)
            .await
            .map_err(db)?;
        Ok(WaitingNotices {
            count: row.try_get(0).map_err(db)?,
            oldest: row.try_get::<Option<i64>, _>(1).map_err(db)?.map(Timestamp),
        })
    }

    /// How many notices of each kind are in each state, of those that are kept.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_notices(&self) -> Result<Vec<(String, String, i64)>> {
        let rows = sqlx::query("SELECT kind, state, COUNT(*) FROM notice GROUP BY kind, state")
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        let read = |row: &sqlx::any::AnyRow| {
            Ok((
                row.try_get(0).map_err(db)?,
                row.try_get(1).map_err(db)?,
                row.try_get(2).map_err(db)?,
            ))
        };
        rows.iter().map(read).collect()
    }

    /// When the next batch of any edition but `but`, and when the next notice, is due.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_work(&self, but: &[i64]) -> Result<NextWork> {
        let sql = format!(
            "SELECT ({}), (SELECT MIN(next_attempt) FROM notice WHERE next_attempt IS NOT NULL)",
            next_batch(but)
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .fetch_one(&self.pool)
            .await
            .map_err(db)?;
        let at = |column: usize| -> Result<Option<Timestamp>> {
            Ok(row.try_get::<Option<i64>, _>(column).map_err(db)?.map(Timestamp))
        };
        Ok(NextWork {
            batch: at(0)?,
            notice: at(1)?,
        })
    }

    /// Notice `id` as it is now, when `owner` holds it still and it is not final.
    ///
    /// # Errors
    /// When the database does not answer, or what it holds can't be read.
    pub async fn due_notice(&self, id: i64, owner: &str) -> Result<Option<DueNotice>> {
        let sql = format!(
            "SELECT n.kind, n.data, n.created, n.expires, n.subscriber_id, n.attempts,
                 COALESCE(n.address, s.address), s.name, s.state, {LEFT},
                 COALESCE(s.link_generation, 0)
             FROM notice n LEFT JOIN subscriber s ON s.id = n.subscriber_id
             LEFT JOIN refused_mailbox r ON r.mailbox_hash = n.mailbox_hash
             LEFT JOIN suppression b ON b.address_hash =
                 CASE WHEN n.address IS NULL THEN s.address_hash ELSE n.address_hash END
             WHERE n.id = $1 AND n.owner = $2 AND n.next_attempt IS NOT NULL"
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(id)
            .bind(owner)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        let Some(row) = row else {
            return Ok(None);
        };
        let kind: String = row.try_get(0).map_err(db)?;
        let kind = NoticeKind::parse(&kind).ok_or_else(|| unreadable("kind", &kind))?;
        let data = NoticeData::from_json(kind, &row.try_get::<String, _>(1).map_err(db)?)?;
        let created = Timestamp(row.try_get(2).map_err(db)?);
        let expires = Timestamp(row.try_get(3).map_err(db)?);
        let address: Option<String> = row.try_get(6).map_err(db)?;
        let standing: Option<String> = row.try_get(8).map_err(db)?;
        let is_confirmed = standing
            .as_deref()
            .and_then(subscriber::State::parse)
            .is_some_and(|state| matches!(state, subscriber::State::Confirmed | subscriber::State::Paused));
        let left: Option<String> = row.try_get(9).map_err(db)?;
        Ok(Some(DueNotice {
            id,
            created,
            ends: data.link_end(created).map_or(expires, |end| end.min(expires)),
            data,
            subscriber: row.try_get(4).map_err(db)?,
            name: row
                .try_get::<Option<String>, _>(7)
                .map_err(db)?
                .filter(|_| is_confirmed),
            link_generation: row.try_get(10).map_err(db)?,
            address: address.and_then(|address| EmailAddress::parse(&address).ok()),
            attempts: row.try_get(5).map_err(db)?,
            left: known(left, &REASONS)?,
        }))
    }

    /// Gives back those of `ids` that `owner` holds still.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn release_notices(&self, ids: &[i64], owner: &str) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        sqlx::query(AssertSqlSafe(format!(
            "UPDATE notice SET owner = NULL, until = NULL WHERE owner = $1 AND id IN ({})",
            listed(ids)
        )))
        .bind(owner)
        .execute(&self.pool)
        .await
        .map_err(db)?;
        Ok(())
    }
}
