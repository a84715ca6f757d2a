//! Freezing who receives an edition: groups of readers in, deliveries and batches out, in one transaction.

use super::Store;
use super::drafts::take_out;
use super::editions::NewEdition;
use super::fault::{db, is_conflict};
use super::forecast::{BARRED, MAILABLE, Planned, STORED, audience};
use super::lease::Lease;
use crate::domain::edition::{ItemKind, State};
use crate::domain::subscriber::Choice;
use crate::domain::summary::Status;
use crate::domain::{Problem, Result, Slug, Timestamp};
use sqlx::{Any, AssertSqlSafe, Row, Transaction};

/// Deliveries in a batch.
pub const BATCH: i64 = 500;

/// The most items an edition can hold: what a reader had of them is a bit each in a BIGINT.
pub const MOST_ITEMS: usize = 60;

/// Readers who chose the same and had the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The categories that they chose.
    pub choice: Choice,
    /// Bit n is set when they had item n of the edition, by this digest, before.
    pub had: i64,
    /// Whether their addresses are in reserved domains and those are not mailed.
    pub barred: bool,
    /// How many they are.
    pub count: i64,
}

/// An edition's item as planning sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedItem {
    /// The summary's number.
    pub summary: i64,
    /// Why it stands in the edition.
    pub kind: ItemKind,
    /// The bit by which [`Group::had`] names it.
    pub position: i64,
    /// The categories of the summary.
    pub categories: Vec<Slug>,
    /// Whether the store still knows everybody who received it from this digest.
    pub receivers_known: bool,
    /// What the summary is now.
    pub status: Status,
    /// Whether the summary is no longer shown.
    pub removed: bool,
}

/// An edition in the making; nothing is seen by others before it is committed.
#[derive(Debug)]
pub struct Planning {
    tx: Transaction<'static, Any>,
    id: i64,
    digest: String,
    bar_reserved: bool,
    excluded: i64,
}

impl Store {
    /// Makes a new edition in a transaction that ends with [`Planning::commit`] or a `keep_draft`,
    /// and that goes on only while `lease` is held. All of it sees the readers of one moment.
    ///
    /// # Errors
    /// When another process has taken the lease over, or the database does not answer; one that
    /// [`Problem::is_passing`] asks for another try.
    pub async fn plan_new(
        &self,
        new: &NewEdition<'_>,
        bar_reserved: bool,
        lease: Option<&Lease>,
    ) -> Result<Planning> {
        let mut tx = self.begin_planning(lease).await?;
        let id = self.insert_edition(&mut tx, new).await?;
        Ok(self.planning(tx, id, new.digest.to_owned(), bar_reserved))
    }

    /// Opens the draft `id` for planning; otherwise as [`Store::plan_new`].
    ///
    /// # Errors
    /// As there, and when it is no draft.
    pub async fn plan_draft(&self, id: i64, bar_reserved: bool, lease: Option<&Lease>) -> Result<Planning> {
        let edition = self.edition(id).await?;
        let mut tx = self.begin_planning(lease).await?;
        // The state is asked for again by the write, so that two approvals plan once.
        let done = sqlx::query("UPDATE edition SET state = 'planned' WHERE id = $1 AND state = 'draft'")
            .bind(id)
            .execute(&mut *tx)
            .await;
        let trouble = match done {
            Ok(done) if done.rows_affected() > 0 => {
                return Ok(self.planning(tx, id, edition.digest, bar_reserved));
            }
            Err(error) if !is_conflict(&error) => return Err(db(error)),
            done => done.err(),
        };
        tx.rollback().await.map_err(db)?;
        // Another process may have approved it since it was read above.
        let state = self.edition(id).await?.state;
        Err(match trouble {
            Some(conflict) if state == State::Draft => db(conflict),
            _ => Problem::failed(format!("edition {id} is {}, not a draft", state.as_str()))
                .hint("only a draft can be approved; `postrider editions` shows where it stands"),
        })
    }

    /// The lease comes first: what it waits for is over before the snapshot's first word.
    async fn begin_planning(&self, lease: Option<&Lease>) -> Result<Transaction<'static, Any>> {
        let mut tx = self.begin_snapshot().await?;
        if let Some(lease) = lease {
            lease.guard(&mut tx).await?;
        }
        Ok(tx)
    }

    fn planning(
        &self,
        tx: Transaction<'static, Any>,
        id: i64,
        digest: String,
        bar_reserved: bool,
    ) -> Planning {
        Planning {
            tx,
            id,
            digest,
            bar_reserved,
            excluded: 0,
        }
    }
}

impl Planning {
    /// The edition's number.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The items of the edition.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn items(&mut self) -> Result<Vec<PlannedItem>> {
        let planned = Planned::stored(self.id, &self.digest, self.bar_reserved);
        planned.items(&mut self.tx).await
    }

    /// The audience, grouped.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn groups(&mut self) -> Result<Vec<Group>> {
        let planned = Planned::stored(self.id, &self.digest, self.bar_reserved);
        planned.groups(&mut self.tx).await
    }

    /// Takes summaries out of the edition, before its audience is looked up; the digest will not carry them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take_out(&mut self, items: &[PlannedItem]) -> Result<()> {
        for item in items {
            take_out(&mut self.tx, self.id, item.summary).await?;
        }
        Ok(())
    }

    /// The editor's note.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note(&mut self) -> Result<Option<String>> {
        let row = sqlx::query("SELECT note FROM edition WHERE id = $1")
            .bind(self.id)
            .fetch_one(&mut *self.tx)
            .await
            .map_err(db)?;
        row.try_get(0).map_err(db)
    }

    /// Adds a segment that receives `items`, for the readers of `groups`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn add_segment(&mut self, items: &[i64], groups: &[&Group]) -> Result<()> {
        let segment: i64 = sqlx::query("INSERT INTO segment (edition_id) VALUES ($1) RETURNING id")
            .bind(self.id)
            .fetch_one(&mut *self.tx)
            .await
            .map_err(db)?
            .try_get(0)
            .map_err(db)?;
        for (position, &summary) in (0_i64..).zip(items) {
            sqlx::query("INSERT INTO segment_item (segment_id, summary_id, position) VALUES ($1, $2, $3)")
                .bind(segment)
                .bind(summary)
                .bind(position)
                .execute(&mut *self.tx)
                .await
                .map_err(db)?;
        }
        for group in groups {
            sqlx::query(
                "INSERT INTO segment_key (edition_id, categories, had, segment_id) VALUES ($1, $2, $3, $4)",
            )
            .bind(self.id)
            .bind(group.choice.to_string())
            .bind(group.had)
            .bind(segment)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        }
        Ok(())
    }

    /// Counts readers who are not mailed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn exclude(&mut self, reason: &str, count: i64) -> Result<()> {
        sqlx::query("INSERT INTO edition_exclusion (edition_id, reason, count) VALUES ($1, $2, $3)")
            .bind(self.id)
            .bind(reason)
            .bind(count)
            .execute(&mut *self.tx)
            .await
            .map_err(db)?;
        self.excluded += count;
        Ok(())
    }

    /// Writes deliveries and batches and ends the planning; what is not delivered by `expires` fails.
    ///
    /// # Errors
    /// When the database does not answer; nothing is kept then.
    pub async fn commit(mut self, now: Timestamp, expires: Timestamp) -> Result<i64> {
        let sql = format!(
            "INSERT INTO delivery (edition_id, subscriber_id, segment_id, batch_no, state)
             SELECT $1, s.id, k.segment_id,
                 (ROW_NUMBER() OVER (PARTITION BY k.segment_id ORDER BY s.id) - 1) / {BATCH}, 'waiting'
             {}
             JOIN segment_key k ON k.edition_id = $1 AND k.categories = s.categories
                 AND k.had = COALESCE(h.had, 0)
             WHERE {MAILABLE} AND s.state = 'confirmed' AND {BARRED} = 0",
            audience(STORED)
        );
        let deliveries = sqlx::query(AssertSqlSafe(sql))
            .bind(self.id)
            .bind(&self.digest)
            .bind(i64::from(self.bar_reserved))
            .execute(&mut *self.tx)
            .await
            .map_err(db)?
            .rows_affected();
        sqlx::query(
            "INSERT INTO batch (segment_id, no, edition_id, due, size, counted)
             SELECT segment_id, batch_no, $1, $2, COUNT(*), 1 FROM delivery WHERE edition_id = $1
             GROUP BY segment_id, batch_no",
        )
        .bind(self.id)
        .bind(now.0)
        .execute(&mut *self.tx)
        .await
        .map_err(db)?;
        let audience = i64::try_from(deliveries).unwrap_or(i64::MAX) + self.excluded;
        let state = if deliveries == 0 {
            State::Finished
        } else {
            State::Planned
        };
        sqlx::query(
            "UPDATE edition SET state = $2, planned = $3, expires = $4, audience = $5, finished = $6 WHERE id = $1",
        )
        .bind(self.id)
        .bind(state.as_str())
        .bind(now.0)
        .bind(expires.0)
        .bind(audience)
        .bind((state == State::Finished).then_some(now.0))
        .execute(&mut *self.tx)
        .await
        .map_err(db)?;
        self.tx.commit().await.map_err(db)?;
        tracing::info!(
            edition = self.id,
            digest = self.digest,
            audience,
            deliveries,
            "edition planned"
        );
        Ok(self.id)
    }

    /// Ends the planning with a draft that waits for an admin.
    ///
    /// # Errors
    /// When the database does not answer; nothing is kept then.
    pub async fn keep_draft(self) -> Result<i64> {
        self.tx.commit().await.map_err(db)?;
        Ok(self.id)
    }

    /// Ends the planning without an edition.
    ///
    /// # Errors
    /// When the database does not answer; nothing is kept then either.
    pub async fn abandon(self) -> Result<()> {
        self.tx.rollback().await.map_err(db)
    }
}
