//! "Was this summary helpful?": a count for each answer, and who has answered today as keyed hashes.

use super::Store;
use super::fault::db;
use crate::domain::helpful::{Answer, Votes};
use crate::domain::{Result, Timestamp};
use sqlx::{Any, Row, Transaction};
use std::collections::HashMap;

/// How many answers of a network count for a summary within a day: browsers are easily made up.
const PER_NETWORK: u32 = 5;

impl Store {
    /// Counts `answer` for a summary, once for each `visitor` and [`PER_NETWORK`] times for each `network` until
    /// `expires`; says whether it did. One that does not count leaves nothing behind.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn vote(
        &self,
        summary: i64,
        answer: Answer,
        (visitor, network): (&str, &str),
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let places: Vec<String> = (0..PER_NETWORK)
            .map(|place| format!("{network}.{place}"))
            .collect();
        // Looked at first: whoever does not count takes no lock, however often they come.
        if !self.may_count(visitor, &places, now).await? {
            return Ok(false);
        }
        let mut tx = self.begin().await?;
        if !(is_first(&mut tx, visitor, expires, now).await?
            && finds_place(&mut tx, &places, expires, now).await?)
        {
            tx.rollback().await.map_err(db)?;
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO vote (summary_id, answer, count) VALUES ($1, $2, 1)
             ON CONFLICT (summary_id, answer) DO UPDATE SET count = vote.count + 1",
        )
        .bind(summary)
        .bind(answer.as_str())
        .execute(&mut *tx)
        .await
        .map_err(db)?;
        tx.commit().await.map_err(db)?;
        Ok(true)
    }

    /// Whether `visitor` has not answered yet and one of `places` is free.
    async fn may_count(&self, visitor: &str, places: &[String], now: Timestamp) -> Result<bool> {
        if self.is_seen(visitor, now).await? {
            return Ok(false);
        }
        for place in places {
            if !self.is_seen(place, now).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn is_seen(&self, hash: &str, now: Timestamp) -> Result<bool> {
        let row = sqlx::query("SELECT hash FROM vote_seen WHERE hash = $1 AND expires > $2")
            .bind(hash)
            .bind(now.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(db)?;
        Ok(row.is_some())
    }

    /// The answers by the numbers of their summaries; a summary without any is missing.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn votes(&self) -> Result<HashMap<i64, Votes>> {
        let rows = sqlx::query("SELECT summary_id, answer, count FROM vote")
            .fetch_all(&self.pool)
            .await
            .map_err(db)?;
        let mut found: HashMap<i64, Votes> = HashMap::new();
        for row in &rows {
            let votes = found.entry(row.try_get(0).map_err(db)?).or_default();
            let count: i64 = row.try_get(2).map_err(db)?;
            match Answer::parse(row.try_get(1).map_err(db)?) {
                Some(Answer::Yes) => votes.yes += count,
                Some(Answer::No) => votes.no += count,
                None => {}
            }
        }
        Ok(found)
    }
}

/// Notes `hash` until `expires`; whether it was not there, or had ended.
async fn is_first(
    tx: &mut Transaction<'static, Any>,
    hash: &str,
    expires: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let seen = sqlx::query(
        "INSERT INTO vote_seen (hash, expires) VALUES ($1, $2)
         ON CONFLICT (hash) DO UPDATE SET expires = excluded.expires WHERE vote_seen.expires <= $3",
    )
    .bind(hash.to_owned())
    .bind(expires.0)
    .bind(now.0)
    .execute(&mut **tx)
    .await
    .map_err(db)?;
    Ok(seen.rows_affected() > 0)
}

/// Takes the first of `places` that is free; whether there was one.
async fn finds_place(
    tx: &mut Transaction<'static, Any>,
    places: &[String],
    expires: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    for place in places {
        if is_first(tx, place, expires, now).await? {
            return Ok(true);
        }
    }
    Ok(false)
}
