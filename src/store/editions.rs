//! Editions: what each holds, and where it stands.

use super::Store;
use super::fault::db;
use super::listings::PUBLIC;
use super::summary_row::unreadable;
use crate::domain::edition::{ItemKind, State};
use crate::domain::{Problem, Result, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};

/// A summary that an edition will hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// The summary's number.
    pub summary: i64,
    /// Why it stands there.
    pub kind: ItemKind,
}

/// An edition that is about to be made.
#[derive(Debug)]
pub struct NewEdition<'a> {
    /// The digest's name.
    pub digest: &'a str,
    /// In the order in which they will stand.
    pub items: &'a [Item],
    /// Summaries that the digest will never carry.
    pub skipped: &'a [i64],
    /// Whether it holds what is new, and not what was asked for by name.
    pub regular: bool,
    /// When it is made.
    pub now: Timestamp,
}

/// An edition as planning and rendering need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// Its number.
    pub id: i64,
    /// The digest's name.
    pub digest: String,
    /// Where it stands.
    pub state: State,
    /// Whether it holds what is new, and not what was asked for by name.
    pub regular: bool,
    /// The editor's note.
    pub note: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When its audience was frozen.
    pub planned: Option<Timestamp>,
    /// When what is not delivered yet expires.
    pub expires: Option<Timestamp>,
}

const COLUMNS: &str = "id, digest, state, regular, note, created, planned, expires";

impl Store {
    /// Makes an edition as a draft and marks its summaries as carried, in the caller's transaction.
    pub(super) async fn insert_edition(
        &self,
        tx: &mut Transaction<'static, Any>,
        new: &NewEdition<'_>,
    ) -> Result<i64> {
        let id: i64 = sqlx::query(
            "INSERT INTO edition (digest, state, regular, created) VALUES ($1, 'draft', $2, $3) RETURNING id",
        )
        .bind(new.digest)
        .bind(i64::from(new.regular))
        .bind(new.now.0)
        .fetch_one(&mut **tx)
        .await
        .map_err(db)?
        .try_get(0)
        .map_err(db)?;
        for (position, item) in (0_i64..).zip(new.items) {
            sqlx::query(
                "INSERT INTO edition_item (edition_id, summary_id, kind, position) VALUES ($1, $2, $3, $4)",
            )
            .bind(id)
            .bind(item.summary)
            .bind(item.kind.as_str())
            .bind(position)
            .execute(&mut **tx)
            .await
            .map_err(db)?;
            // Only an announcement tells those who had it before: a sending to others does not.
            let tells = item.kind != ItemKind::New;
            set_outcome(tx, new.digest, item.summary, id, "carried", tells).await?;
        }
        for &summary in new.skipped {
            set_outcome(tx, new.digest, summary, id, "skipped", true).await?;
        }
        Ok(id)
    }

    /// The edition `id`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn edition(&self, id: i64) -> Result<Edition> {
        let sql = format!("SELECT {COLUMNS} FROM edition WHERE id = $1");
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        row.as_ref().map_or_else(|| Err(no_edition(id)), read)
    }

    /// Whether digest `digest` has had an edition; one that was asked for by name does not count.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_editions(&self, digest: &str) -> Result<bool> {
        let row = sqlx::query("SELECT id FROM edition WHERE digest = $1 AND regular = 1 LIMIT 1")
            .bind(digest)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        Ok(row.is_some())
    }

    /// The editions of `digest` (of all, when `None`) that are in one of `states`, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn editions_in(&self, digest: Option<&str>, states: &[State]) -> Result<Vec<Edition>> {
        let states = states
            .iter()
            .map(|state| format!("'{}'", state.as_str()))
            .collect::<Vec<_>>()
            .join(", ");
        let sql = format!(
            "SELECT {COLUMNS} FROM edition WHERE state IN ({states}) AND ($1 = '' OR digest = $1) ORDER BY id"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(digest.unwrap_or_default())
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        rows.iter().map(read).collect()
    }

    /// The latest regular edition of `digest` that is over and was received: its number, and when it was planned.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn latest_finished(&self, digest: &str) -> Result<Option<(i64, Timestamp)>> {
        let row = sqlx::query(AssertSqlSafe(format!(
            "SELECT id, COALESCE(planned, created) FROM edition
             WHERE digest = $1 AND state = 'finished' AND regular = 1 AND {PUBLIC} ORDER BY id DESC LIMIT 1"
        )))
        .bind(digest)
        .fetch_optional(&self.pool)
        .await
        .map_err(db)?;
        let read = |row: AnyRow| {
            Ok((
                row.try_get(0).map_err(db)?,
                Timestamp(row.try_get(1).map_err(db)?),
            ))
        };
        row.map(read).transpose()
    }

    /// Whether edition `id` has deliveries that no relay was asked to take yet.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_untried(&self, id: i64) -> Result<bool> {
        let row = sqlx::query(
            "SELECT 1 FROM delivery WHERE edition_id = $1 AND state = 'waiting' AND attempts = 0 LIMIT 1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await
        .map_err(db)?;
        Ok(row.is_some())
    }

    /// Notes the last trouble with a relay on every edition under way, or takes it away.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_trouble(&self, trouble: Option<&str>) -> Result<()> {
        sqlx::query(
            "UPDATE edition SET trouble = $1 WHERE state IN ('planned', 'sending', 'waiting')
             AND COALESCE(trouble, '') <> COALESCE($1, '')
             AND COALESCE(trouble, 'relay ') LIKE 'relay %'",
        )
        .bind(trouble)
        .execute(&self.pool)
        .await
        .map_err(db)?;
        Ok(())
    }

    /// Brings the state of every edition under way in line with its deliveries; `stalled` says that
    /// no relay can be used now, so that what is due waits as well. One that is held for an admin's word
    /// waits; a paused one of which nothing is left is finished.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn settle_editions(&self, now: Timestamp, stalled: bool) -> Result<()> {
        sqlx::query(
            "UPDATE edition SET state = 'finished', finished = $1, trouble = NULL
             WHERE state IN ('planned', 'sending', 'waiting', 'paused') AND NOT EXISTS
                 (SELECT 1 FROM batch b WHERE b.edition_id = edition.id AND (b.due IS NOT NULL OR b.held > 0))",
        )
        .bind(now.0)
        .execute(&self.pool)
        .await
        .map_err(db)?;
        sqlx::query(
            "UPDATE edition SET state = 'waiting' WHERE state IN ('planned', 'sending') AND NOT EXISTS
                 (SELECT 1 FROM batch b WHERE b.edition_id = edition.id
                  AND (b.owner IS NOT NULL OR ($2 = 0 AND b.due <= $1)))",
        )
        .bind(now.0)
        .bind(i64::from(stalled))
        .execute(&self.pool)
        .await
        .map_err(db)?;
        Ok(())
    }
}

/// Notes what became of a summary. Its present mark counts as told when nobody had it before, or when `tells`.
async fn set_outcome(
    tx: &mut Transaction<'static, Any>,
    digest: &str,
    summary: i64,
    edition: i64,
    outcome: &str,
    tells: bool,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO digest_item (digest, summary_id, edition_id, outcome, announced)
         SELECT $1, id, $3, $4, COALESCE(marked, 0) FROM summary WHERE id = $2
         ON CONFLICT (digest, summary_id) DO UPDATE SET outcome = excluded.outcome,
             edition_id = excluded.edition_id,
             announced = CASE WHEN $5 = 1 OR digest_item.outcome = 'skipped' THEN excluded.announced
                 ELSE digest_item.announced END",
    )
    .bind(digest)
    .bind(summary)
    .bind(edition)
    .bind(outcome)
    .bind(i64::from(tells))
    .execute(&mut **tx)
    .await
    .map_err(db)?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Edition> {
    let state: String = row.try_get("state").map_err(db)?;
    let instant = |name: &str| -> Result<Option<Timestamp>> {
        Ok(row.try_get::<Option<i64>, _>(name).map_err(db)?.map(Timestamp))
    };
    Ok(Edition {
        id: row.try_get("id").map_err(db)?,
        digest: row.try_get("digest").map_err(db)?,
        state: State::parse(&state).ok_or_else(|| unreadable("state", &state))?,
        regular: row.try_get::<i64, _>("regular").map_err(db)? != 0,
        note: row.try_get("note").map_err(db)?,
        created: instant("created")?.unwrap_or_default(),
        planned: instant("planned")?,
        expires: instant("expires")?,
    })
}

pub(super) fn no_edition(id: i64) -> Problem {
    Problem::not_found(format!("there is no edition {id}")).hint("`postrider editions` lists them")
}
